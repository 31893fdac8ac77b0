"""`resolve` and `reissue`: a person's answer to an issue, which the next batch applies."""

from __future__ import annotations

import click

from syncjob.cli.common import opened, reason_option, reason_or_ask, who
from syncjob.cli.screen import echo
from syncjob.errors import Exit

_part = click.option(
    "--part", metavar="NAME", help="Of a deal in parts: which, by its name or the instalment's id."
)

#: What each answer means, as it is confirmed.
_WORDS = {
    "create": "deal {deal} is no double and its sum is right; it is to be invoiced",
    "never": "deal {deal} is never invoiced, and left alone",
    "link": "deal {deal} belongs to the invoice {number}",
    "reissue": "deal {deal} gets a new invoice in place of the one that was deleted or voided",
}


@click.group("resolve")
def resolve_command() -> None:
    """Answer an issue that `syncjob status` lists; the next batch applies it."""


@resolve_command.command("deal")
@click.argument("deal", metavar="ID")
@click.option("--create", is_flag=True, help="Invoice it: it is no double and the sum is right.")
@click.option("--never", is_flag=True, help="Leave it alone for good; --create takes it back.")
@click.option("--link", metavar="NUMBER", help="It is invoiced already, by this invoice.")
@click.option("--reissue", is_flag=True, help="Invoice it anew after a person's void or delete.")
@_part
@reason_option
@click.pass_context
def resolve_deal(
    ctx: click.Context,
    deal: str,
    create: bool,
    never: bool,
    link: str | None,
    reissue: bool,
    part: str | None,
    reason: str,
) -> int:
    """Say what is to become of one deal: exactly one of the answers."""
    flags = {"create": create, "never": never, "link": link is not None, "reissue": reissue}
    given = [name for name, on in flags.items() if on]
    if len(given) != 1:
        raise click.UsageError("give one of --create, --never, --link NUMBER or --reissue")
    if part and not (link or reissue):
        raise click.UsageError("--part goes with --link or --reissue")
    return _answer(ctx, deal, given[0], link, part, reason)


@resolve_command.command("contact", short_help="Say whose value counts for one customer.")
@click.argument("contact", metavar="ID")
@click.option(
    "--take", type=click.Choice(["crm", "ledger"]), required=True,
    help="Whose value goes to the other side.",
)  # fmt: skip
@click.option("--field", metavar="NAME", help="For this field alone, such as email or postal.")
@reason_option
@click.pass_context
def resolve_contact(
    ctx: click.Context, contact: str, take: str, field: str | None, reason: str
) -> int:
    """Settle what the two sides say differently of a customer, for the values that stand now.

    ID as the issue names it: org:12, person:7, or the ledger's own id.
    """
    contact = contact.removeprefix("contact:")
    kind = f"take:{take}:{field}" if field else f"take:{take}"
    with opened(ctx) as (_, handle):
        said = reason_or_ask(reason)
        handle.answer(kind=kind, subject=f"contact:{contact}", who=who(), reason=said)
    other = "ledger" if take == "crm" else "CRM"
    side = "CRM" if take == "crm" else "ledger"
    echo(f"Noted: {field or 'everything that differs'} of {contact} as the {side} has it.")
    echo(f"Next: `syncjob plan` shows what the {other} gets, the next batch writes it.")
    return Exit.DONE


@resolve_command.command("connection", short_help="Say that no other instance is running.")
@click.option(
    "--only-instance",
    is_flag=True,
    required=True,
    help="No other syncjob writes to these books with this connection's code (any more).",
)
@reason_option
@click.pass_context
def resolve_connection(ctx: click.Context, only_instance: bool, reason: str) -> int:
    """Say that this is the only instance, after another one was seen; creating goes on."""
    with opened(ctx) as (_, handle):
        said = reason_or_ask(reason)
        handle.answer(kind="only-instance", subject="connection", who=who(), reason=said)
    echo("Noted: this is the only instance. The next batch creates invoices again.")
    return Exit.DONE


@click.command("reissue")
@click.argument("deal", metavar="ID")
@_part
@reason_option
@click.pass_context
def reissue_command(ctx: click.Context, deal: str, part: str | None, reason: str) -> int:
    """Invoice a deal anew whose invoice a person deleted or voided.

    The same as `syncjob resolve deal ID --reissue`.
    """
    return _answer(ctx, deal, "reissue", None, part, reason)


def _answer(
    ctx: click.Context, deal: str, verb: str, number: str | None, part: str | None, reason: str
) -> int:
    kind = f"{verb}:{number}" if number else verb
    deal = deal.removeprefix("deal:")
    with opened(ctx) as (_, handle):
        said = reason_or_ask(reason)
        handle.answer(kind=kind, subject=f"deal:{deal}", who=who(), reason=said, part=part)
    echo(f"Noted: {_WORDS[verb].format(deal=deal, number=number)}.")
    echo("Next: `syncjob plan` shows what follows, the next batch does it.")
    return Exit.DONE


@click.command("forget")
@click.argument("contact", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reason_option
@click.pass_context
def forget_command(ctx: click.Context, contact: str, yes: bool, reason: str) -> int:
    """Forget a customer: its sync ends, and its personal values go from state, audit and issues.

    Nothing is deleted in the CRM or the ledger. Ids, amounts and numbers stay. It is never made
    anew. There is no way back.
    """
    contact = contact.removeprefix("contact:")
    if not yes:
        click.confirm(f"Forget {contact} for good?", abort=True, err=True)
    with opened(ctx) as (_, handle):
        handle.answer(kind="forget", subject=f"contact:{contact}", who=who(), reason=reason)
    echo(f"Noted: {contact} is forgotten by the next batch.")
    echo("Delete or archive it in the CRM and in the ledger yourself; the log file keeps")
    echo("what it has until it is rotated (retention.log_files).")
    return Exit.DONE
