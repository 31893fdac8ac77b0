"""A firm that changes from Pipedrive to HubSpot in the middle of its books: both servers at once.

HubSpot's ids begin at 1 as Pipedrive's do, so that the same number is another record in each.
"""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncjob.core.relink import RelinkReport
from syncjob.reports.relink_csv import map_lines, read_map
from syncjob.sandbox.http import Sandbox
from tests.crash.kit import CrashWorld
from tests.engine.crms import crm_named
from tests.engine.scenes import WIDGET, sell
from tests.engine.world import PATIENCE, World

#: What the config says once HubSpot is in it.
NEW = {
    "connection": {"name": "test", "code": "SK", "former_codes": ["SJ"]},
    "invoices": {"cut_over": "2026-11-24T00:00:00Z"},
}


class Moving(World):
    """Begins with Pipedrive; `change` puts HubSpot into the config."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, crm="pipedrive", **options)
        self.both(crm_named("hubspot"))

    def both(self, other: Any) -> None:
        """Serve a second CRM beside the first."""
        self.box.stop()
        self.other = other
        self.other_server = other.server(self.time, self.faults, {})
        servers = [self.xero, self.server, self.other_server]
        self.box = Sandbox(servers, self.time, self.faults)
        self.base = self.box.start()

    def replace_account(self) -> None:
        """The firm has another account of the same CRM, and the old one is gone."""
        self.box.stop()
        self.server = self.vendor.server(self.time, self.faults, {"company_id": 4_242})
        self.box = Sandbox([self.xero, self.server], self.time, self.faults)
        self.base = self.box.start()
        self.overrides = NEW

    def change(self, **config: Any) -> None:
        """The config names HubSpot from now on; people work there."""
        self.vendor, self.other = self.other, self.vendor
        self.server, self.other_server = self.other_server, self.server
        self.overrides = {**NEW, **config}

    def back(self) -> None:
        """The old config is put back."""
        self.vendor, self.other = self.other, self.vendor
        self.server, self.other_server = self.other_server, self.server
        self.overrides = {}

    def relink(self, text: str, *, write: bool = True) -> RelinkReport:
        """What a person does with a map."""
        rows, refused = read_map(text.encode(), "map.csv", vendor=self.vendor.name)
        with self.connection() as handle:
            return handle.relink(
                rows, refused, write=write, who="Ann", reason="a test", copy=map_lines
            )

    def lose_state(self) -> None:
        """The disk of the state is gone; the config and the backups are not."""
        for file in (self.folder / "state").glob("syncjob.db*"):
            file.unlink()

    def called(self, mark: int) -> set[str]:
        """The servers that were asked anything since then."""
        return {call["path"].split("/")[1] for call in self.since(mark)}

    def settle_in(self) -> None:
        """The fields are made, what a person must release is released, and what a day without a
        batch may hide is waited for."""
        with self.connection() as handle:
            made = handle.init_fields(create=True)
            assert not made.by_hand, made
        self.accept()
        self.advance(PATIENCE)
        self.accept()

    def accept(self) -> None:
        """A batch, and if the guard stops it, what the person who read the plan releases."""
        report = self.run()
        if report.plan_hash:
            report = self.run(accept=report.plan_hash)
        assert report.exit_code in (0, 1), report

    def history(self) -> dict[str, int]:
        """Four invoices in four states, a deal that is still open, one that nobody carries over."""
        deals = {
            name: sell(self, f"{name.title()} Pty", title=name)
            for name in ("draft", "unpaid", "paid", "voided", "lonely")
        }
        deals["open"] = sell(self, "Open Pty", title="open", won=False)
        assert self.run().exit_code == 0
        for name in ("unpaid", "paid", "voided"):
            self.books("approve", invoice=self.number(deals[name]))
        self.books("pay", invoice=self.number(deals["paid"]))
        self.books("void", invoice=self.number(deals["voided"]))
        self.advance(timedelta(minutes=5))
        assert self.run().exit_code in (0, 1)
        return deals

    def number(self, deal: int, code: str = "SJ") -> str:
        """The number of the invoice that was made under this deal's id."""
        found = [i for i in self.invoices() if f"{code}-{deal}-" in (i["url"] or "")]
        return str(found[-1]["number"])

    def imported(self, deals: dict[str, int]) -> dict[str, int]:
        """What an import made of them in HubSpot, a day later: other ids, the day's stamp."""
        made = {}
        for name in sorted(deals):
            org = f"{name.title()} Pty"
            self.crm("create_org", name=org)
            status = "open" if name == "open" else "won"
            made[name] = int(
                self.crm("create_deal", title=name, org=org, currency="AUD", lines=[WIDGET],
                         status=status)["id"]
            )  # fmt: skip
        return made


class MovingCrash(Moving, CrashWorld):
    """The same with a clock that runs, for processes that are killed."""

    def kill_at(self, point: str, *arguments: str, nth: int = 3) -> None:
        """A command that dies by SIGKILL at the point's n-th occurrence."""
        ended = self.child(*arguments, point=point, nth=nth)
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr


def map_of(old: dict[str, int], new: dict[str, int], *, without: tuple[str, ...] = ()) -> str:
    """The map of the deals, as the firm's importer wrote it."""
    rows = [f"deal;{old[name]};{new[name]}" for name in old if name not in without]
    return "\r\n".join(["Kind;Old;New", *rows])


def patience(w: World) -> None:
    w.advance(PATIENCE)
