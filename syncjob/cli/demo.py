"""`demo`: a tour of about a minute on the sandbox: plan, batches, payments, an overdue invoice."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from msgspec import structs

from syncjob.clock import SystemClock
from syncjob.errors import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from syncjob.cli.rehearsal import Rehearsal
    from syncjob.core.reports import BatchReport
    from syncjob.sandbox.crms import CrmName

#: The story begins this long ago, so that it ends now: nothing in it lies in the future.
STORY = timedelta(days=33)
#: How long a new state watches the ledger's lists before it creates anything.
FIRST_WAIT = timedelta(minutes=16)
#: A change shows in the ledger's lists some seconds after it is made.
MINUTES_LATER = timedelta(minutes=10)
#: A folder is only removed if it holds this file, which a demo put there.
MARK = ".syncjob-demo"


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    default="demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo's config, state and log are left for you to look at.",
)
@click.option(
    "--crm",
    type=click.Choice(["pipedrive", "hubspot"]),
    default="pipedrive",
    show_default=True,
    help="Which CRM the firm has.",
)
@click.option("--fast", is_flag=True, help="Do not pause between the scenes.")
def demo_command(folder: Path, crm: str, fast: bool) -> int:
    """A small firm sells, invoices and is paid, on local servers that act as the vendors do.

    Nothing leaves this machine. The same engine, connectors and SDKs run as against the vendors.
    """
    from syncjob.cli.rehearsal import Rehearsal
    from syncjob.reports.terminal import console

    _clear(folder)
    out = console(sys.stdout)
    start = SystemClock().now() - STORY
    with Rehearsal(folder, start=start, region="UK", crm=cast("CrmName", crm)) as world:
        (folder / MARK).touch()
        tour = _Tour(out, world, pause=0 if fast or not sys.stdout.isatty() else 1.5)
        for number, scene in enumerate(tour.scenes(), 1):
            tour.title(number, (scene.__doc__ or "").split("\n")[0])
            scene()
    _farewell(out, folder)
    return Exit.DONE


def _clear(folder: Path) -> None:
    """Start anew; a folder that no demo made is never touched."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARK).exists():
        raise click.ClickException(f"{folder} was not made by a demo; name another with --dir")
    shutil.rmtree(folder)


class _Tour:
    """The scenes in order, each with what a person would see."""

    def __init__(self, out: Console, world: Rehearsal, *, pause: float) -> None:
        self.out, self.world, self.pause = out, world, pause
        self.accept = ""

    def scenes(self) -> list[Callable[[], None]]:
        return [
            self.set_up, self.first_plan, self.first_batch, self.payments, self.overdue,
            self.settled, self.quiet,
        ]  # fmt: skip

    def title(self, number: int, text: str) -> None:
        SystemClock().sleep(self.pause)
        day = self.world.clock.now()
        self.out.print(f"\n[bold]{number}. {text}[/bold]  [dim]{day:%a %d %b %Y, %H:%M} UTC[/dim]")

    def say(self, text: str) -> None:
        self.out.print(text)

    # --- the scenes -----------------------------------------------------------------------------

    def set_up(self) -> None:
        """A firm's CRM and its Xero are there, and a config names both."""
        from syncjob.reports.terminal import organisation, show_fields

        with self.world.connection() as handle:
            self.say(f"The books of {organisation(handle.identity('ledger'))}.")
            self.say("`syncjob init` creates the deal fields that are written to:")
            show_fields(self.out, handle.init_fields(create=True))
            problems = handle.check()
            self.say(f"`syncjob check` finds {len(problems) or 'no'} problems.")
        self.say(
            "A new state first watches the ledger's lists for 15 minutes, so that an invoice\n"
            "that a lost state may just have made is seen before anything is created."
        )
        self.world.advance(FIRST_WAIT)

    def first_plan(self) -> None:
        """What would happen, and why: `syncjob plan` writes nothing."""
        from syncjob.reports.plan_show import show_plan

        report = self.world.plan()
        self.accept = report.hash
        first = report.actions[0].subject
        shown = tuple(action for action in report.actions if action.subject == first)
        show_plan(self.out, structs.replace(report, actions=shown))
        others = len({action.subject for action in report.actions}) - 1
        self.say(f"[dim]The first deal is shown whole; {others} others have their own lines.[/dim]")

    def first_batch(self) -> None:
        """The first batch: drafts appear in Xero, once each."""
        refused = self.world.run()
        self.say(f"`syncjob run` ends with exit code {int(refused.exit_code)}, and writes nothing:")
        self.say(f"  {refused.stopped_by}")
        self.say(f"You have seen the plan, so: `syncjob run --accept {self.accept}`")
        self._run(accept=self.accept)

    def payments(self) -> None:
        """The bookkeeper approves the drafts; next day money arrives."""
        drafts = self.world.invoices("DRAFT")
        for invoice in drafts:
            self.world.books("approve", invoice=invoice["id"])
        self.world.advance(timedelta(days=1))
        whole, part = drafts[0], drafts[1]
        half = f"{float(part['total']) / 2:.2f}"
        self.world.books("pay", invoice=whole["id"], amount=whole["total"])
        self.world.books("pay", invoice=part["id"], amount=half)
        self.say(
            f"Xero: {len(drafts)} approved; {whole['number']} paid, {part['number']} half paid."
        )
        self.world.advance(MINUTES_LATER)
        self._run()

    def overdue(self) -> None:
        """A month passes; what is unpaid goes overdue on its day."""
        for invoice in self.world.invoices("AUTHORISED")[2:]:
            self.world.books("pay", invoice=invoice["id"], amount=invoice["due"])
        self.world.advance(timedelta(days=31))
        self.say("Xero: all but two have been paid meanwhile. Nobody touched those two.")
        self._run()

    def settled(self) -> None:
        """The part that was open is paid, and a payment is taken back."""
        paid = self.world.invoices("PAID")[0]
        for invoice in self.world.invoices("AUTHORISED")[:1]:
            self.world.books("pay", invoice=invoice["id"], amount=invoice["due"])
            self.say(f"Xero: {invoice['number']} is paid in full now.")
        self.world.books("remove_payment", invoice=paid["id"])
        self.say(f"Xero: the payment of {paid['number']} is removed, as after a bounced transfer.")
        self.world.advance(MINUTES_LATER)
        self._run()

    def quiet(self) -> None:
        """Nothing changes, so nothing is written."""
        self.world.advance(timedelta(minutes=30))
        self._run()

    def _run(self, accept: str | None = None) -> BatchReport:
        from syncjob.reports.terminal import show_batch

        report = self.world.run(accept=accept)
        show_batch(self.out, report)
        used = ", ".join(f"{count} to {vendor}" for vendor, count in report.calls.items())
        self.say(f"[dim]calls: {used}[/dim]")
        return report


def _farewell(out: Console, folder: Path) -> None:
    # `make demo` runs the program of .venv, which a shell finds only once that is activated.
    program = "syncjob" if shutil.which("syncjob") else sys.argv[0]
    out.print(f"\nThe demo's config, state and log stay in {folder}/. Look at them with")
    out.print(f"  {program} -c {folder}/config.yaml status")
    out.print(f"  {program} -c {folder}/config.yaml log")
    out.print(f"  {program} -c {folder}/config.yaml why deal 2")
    out.print(f"and at the page {folder}/report.html in a browser;")
    out.print(f"and rehearse on your own deals with `{program} sandbox --load DIR`.")
