"""`credit`: a credit note for a deal's invoice, shown first, made as a draft."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeVar

import click

from syncjob.cli.common import confirmed, json_option, opened, print_json, who
from syncjob.cli.screen import echo
from syncjob.cli.values import Said
from syncjob.clock import SystemClock
from syncjob.errors import Exit, LockHeld

if TYPE_CHECKING:
    from syncjob.core.rules.credit import Wish
    from syncjob.engine.crediting import CreditReport

T = TypeVar("T")

#: How often a command looks whether the batch that runs has ended.
WAIT_SECONDS = 2


class Amount(click.ParamType[Decimal]):
    """An amount of money, such as 12.50."""

    name = "amount"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        if isinstance(value, Decimal):
            return value
        try:
            amount = Decimal(value.replace(",", ""))
        except InvalidOperation:
            self.fail("write an amount such as 12.50", param, ctx)
        if not amount.is_finite() or amount <= 0:
            self.fail("must be more than nothing", param, ctx)
        return amount


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers of lines, such as 1,3."""

    name = "numbers"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail("write numbers such as 1,3", param, ctx)


@click.command("credit")
@click.argument("deal", metavar="DEAL")
@click.option("--full", is_flag=True, help="All that is left to credit.")
@click.option("--amount", type=Amount(), help="This much, with its tax.")
@click.option("--lines", type=Numbers(), help="These lines whole, by their numbers: 1,3.")
@click.option(
    "--reason",
    required=True,
    type=Said(),
    help="Why; printed on the credit note, kept in the audit.",
)
@click.option("--part", metavar="NAME", help="Of a deal with several invoices: part or number.")
@click.option("--again", is_flag=True, help="The same was credited before, and is meant again.")
@click.option("--dry-run", is_flag=True, help="Show it and make nothing.")
@click.option("--yes", is_flag=True, help="Make it without asking.")
@json_option
@click.pass_context
def credit_command(
    ctx: click.Context,
    deal: str,
    full: bool,
    amount: Decimal | None,
    lines: tuple[int, ...] | None,
    reason: str,
    part: str | None,
    again: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Credit a deal's approved invoice: a draft that names the invoice and the reason.

    It is dated today, with the invoice's accounts, rates and currency rate, and is applied by
    nobody but you: approve it and allocate it in the ledger.
    """
    wish = _wish(full, amount, lines, reason, again)
    deal = deal.removeprefix("deal:")
    with opened(ctx) as (_, handle):
        seen = waiting(
            lambda: handle.credit(deal, wish, part=part, write=False, who=who(), expect=None)
        )
        if not as_json:
            _show(seen)
        if dry_run or seen.known:
            return _end(seen, as_json=as_json)
        if not confirmed("Make this credit note as a draft?", yes=yes):
            echo("Nothing was made.", err=True)
            return Exit.DONE
        made = waiting(
            lambda: handle.credit(deal, wish, part=part, write=True, who=who(), expect=seen.total)
        )
    return _end(made, as_json=as_json)


def _wish(
    full: bool, amount: Decimal | None, lines: tuple[int, ...] | None, reason: str, again: bool
) -> Wish:
    from syncjob.core.rules.credit import Wish

    given = [name for name, on in (("full", full), ("amount", amount), ("lines", lines)) if on]
    if len(given) != 1:
        raise click.UsageError("give one of --full, --amount or --lines")
    if full:
        return Wish(how="full", reason=reason, again=again)
    if amount is not None:
        return Wish(how="amount", amount=amount, reason=reason, again=again)
    return Wish(how="lines", lines=lines or (), reason=reason, again=again)


def waiting(ask: Callable[[], T]) -> T:
    """Do it as soon as the batch that runs has ended, with one message about the wait."""
    clock, told = SystemClock(), False
    while True:
        try:
            return ask()
        except LockHeld as held:
            if not told:
                echo(f"Waiting: {held.what}", err=True)
                told = True
            clock.sleep(WAIT_SECONDS)


def _show(report: CreditReport) -> None:
    from syncjob.core.money import plain

    verb = "was credited already" if report.known else "would be credited"
    echo(
        f"{report.total:,.2f} {report.currency} of {report.invoice} {verb}"
        + (f" by {report.number}." if report.known else f", dated {report.date}:")
    )
    for line in report.lines:
        tax = f", tax {line.tax_code}" if line.tax_code else ""
        echo(
            f"  {line.description}: {plain(line.quantity)} x {plain(line.unit_price)} "
            f"(account {line.account or 'none'}{tax})"
        )


def _end(report: CreditReport, *, as_json: bool) -> int:
    if as_json:
        print_json(report)
        return Exit.DONE
    if report.known:
        echo("Nothing was made. Is it meant a second time? Repeat the command with --again.")
    elif report.created:
        page = f" ({report.page})" if report.page else ""
        echo(f"The credit note {report.number} is a draft{page}.")
        echo("Next: approve it in the ledger and apply it to the invoice; the deal follows.")
    sys.stdout.flush()
    return Exit.DONE
