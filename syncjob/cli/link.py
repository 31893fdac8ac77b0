"""`link`: tie an invoice that a person made to a deal."""

from __future__ import annotations

import click

from syncjob.cli.common import confirmed, opened, who
from syncjob.cli.screen import echo
from syncjob.errors import Exit


@click.command("link")
@click.argument("deal", metavar="DEAL")
@click.argument("invoice", metavar="INVOICE")
@click.option("--part", metavar="NAME", help="Of a deal in parts: which, by its name.")
@click.option("--yes", is_flag=True, help="Also where customer or currency differ.")
@click.option("--reason", default="", help="Kept in the audit.")
@click.pass_context
def link_command(
    ctx: click.Context, deal: str, invoice: str, part: str | None, yes: bool, reason: str
) -> int:
    """Tie an invoice born in the ledger (by its number) to a deal.

    The deal then shows what is true of it; the invoice itself is left as it is. The same as
    `syncjob resolve deal DEAL --link INVOICE`, with a look at customer and currency first.
    """
    deal = deal.removeprefix("deal:")
    with opened(ctx) as (_, handle):
        doubts = handle.link_doubts(deal, invoice)
        for doubt in doubts:
            echo(doubt, err=True)
        if doubts and not confirmed("Tie it to the deal all the same?", yes=yes):
            echo("Nothing was tied.", err=True)
            return Exit.ISSUES
        handle.answer(
            kind=f"link:{invoice}", subject=f"deal:{deal}", who=who(), reason=reason, part=part
        )
    echo(f"Noted: the deal {deal} is invoiced by {invoice}.")
    echo("Next: `syncjob plan` shows what follows, the next batch does it.")
    return Exit.DONE
