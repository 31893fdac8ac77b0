"""Worlds for crash tests: servers on a clock that runs and can be moved, our program as a process.

The judge reads only what the servers hold; our state file is looked at only to see that a dry run
left it alone.
"""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from syncjob.core.reports import BatchReport
from tests.crash.nursery import Ended, nursery
from tests.engine.world import NOON, PATIENCE, World

WON = "2026-11-20T09:00:00Z"


class CrashWorld(World):
    """A world whose clock runs, and whose batches may run in processes of their own."""

    def __init__(self, folder: Path, **options: Any) -> None:
        options.setdefault("start", None)
        options.setdefault("runs_from", NOON)
        super().__init__(folder, **options)
        #: The number of the last batch that ran in this process, and the issues it left open.
        self.last_batch, self.told = "", set[str]()

    def run(self, **options: Any) -> BatchReport:
        report = super().run(**options)
        self.last_batch, self.told = report.batch, {issue.code for issue in report.issues}
        return report

    # --- our program as a process ---------------------------------------------------------------

    def command(self, *arguments: str, config: Path | None = None, **spec: Any) -> list[str]:
        """The command line of a child; `spec` names the point at which it is killed."""
        given, words = self._given(arguments, config, spec)
        return [sys.executable, "-m", "tests.crash.child", json.dumps(given), *words]

    def child(self, *arguments: str, config: Path | None = None, **spec: Any) -> Ended:
        """Run `syncjob` (`run` unless told) to its end, or to the point that kills it."""
        given, words = self._given(arguments or ("run", "--json"), config, spec)
        return nursery().run(words, given)

    def _given(
        self, arguments: tuple[str, ...], config: Path | None, spec: dict[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        ahead_s = (self.time.now() - datetime.now(UTC)).total_seconds()
        words = ["-c", str(config or self.write_config()), *arguments]
        return {**spec, "ahead_s": ahead_s}, words

    def kill(self, point: str, match: str = "", nth: int = 1, **spec: Any) -> None:
        """A batch that dies by SIGKILL at the point's n-th occurrence."""
        ended = self.child(point=point, match=match, nth=nth, **spec)
        assert ended.returncode == -signal.SIGKILL, (
            f"{point!r} {match!r} x{nth} never came: exit {ended.returncode}\n"
            f"{ended.stdout[-1500:]}\n{ended.stderr[-1500:]}"
        )

    @property
    def state_file(self) -> Path:
        return self.folder / "state" / "syncjob.db"

    @property
    def sidecar(self) -> Path:
        return self.folder / "state" / "syncjob.db.seq"

    def state_files(self, *, sidecar: bool) -> list[Path]:
        """The state with what SQLite keeps beside it; with the batch counter if asked."""
        beside = [self.state_file.with_name(f"syncjob.db{end}") for end in ("", "-wal", "-shm")]
        return [p for p in (*beside, *([self.sidecar] if sidecar else [])) if p.exists()]

    # --- after a crash ---------------------------------------------------------------------------

    def recover(self, expected: dict[str, Any]) -> None:
        """Restart at once, again after the patience; then the truth is as without a crash."""
        ended = self.child()
        assert ended.returncode in (0, 1), ended.stdout + ended.stderr
        self.settle_down(expected)

    def settle_down(self, expected: dict[str, Any], batches: int = 2) -> None:
        """At most two batches after the patience, then one that writes nothing."""
        assert_nothing_doubled(self)
        self.advance(PATIENCE)
        for _ in range(batches):
            self.run()
            assert_nothing_doubled(self)
            if truth(self) == expected:
                break
        assert truth(self) == expected
        mark = self.mark()
        report = self.run()
        assert self.writes(mark) == []
        assert report.exit_code == 0, report


def sales(w: World, deals: int, customers: int, won: str = WON) -> None:
    """Won deals of one to three lines over some customers; each has figures of its own."""
    for number in range(customers):
        w.crm("create_org", name=f"Customer {number:02d} Pty", address=f"{number} Pitt St, Sydney")
    for number in range(deals):
        lines = [
            {"name": f"Product {(number + i) % 7}", "price": 10 + number + i / 4,
             "quantity": 1 + (number * 3 + i) % 5, "discount": (number * 5 + i) % 25,
             "discount_type": "percentage", "tax": 10}
            for i in range(1 + number % 3)
        ]  # fmt: skip
        w.crm(
            "create_deal", title=f"Deal {number}", org=f"Customer {number % customers:02d} Pty",
            currency="AUD", status="won", won_time=won, lines=lines,
        )  # fmt: skip


# --- the judge ----------------------------------------------------------------------------------


def marker_of(invoice: dict[str, Any]) -> str:
    """Our key in an invoice's address of origin; empty if it bears none."""
    query = parse_qs(urlsplit(invoice["url"] or "").query)
    return query.get("syncjob", [""])[0]


def truth(w: World) -> dict[str, Any]:
    """What the servers hold, without what may differ between two good runs: ids, numbers, times."""
    names = {c["id"]: c["name"] for c in w.contacts()}
    invoices = w.invoices()
    return {
        "invoices": sorted(_invoice(i, names) for i in invoices),
        "contacts": sorted((c["name"], c["number"], c["status"]) for c in w.contacts()),
        "deals": _deals(w.crm_state(), invoices),
    }


def _invoice(invoice: dict[str, Any], names: dict[str, str]) -> tuple[Any, ...]:
    return (
        marker_of(invoice), invoice["status"], invoice["subtotal"], invoice["total_tax"],
        invoice["total"], invoice["currency"], names[invoice["contact_id"]], invoice["day"],
        invoice["due_day"], invoice["reference"], len(invoice["lines"]),
    )  # fmt: skip


def _deals(state: dict[str, Any], invoices: list[dict[str, Any]]) -> dict[str, Any]:
    """The fields that we write, by deal; an invoice's number and link as the invoice's marker."""
    fields = state["fields"]["deals"]
    ids = {i["id"]: marker_of(i) for i in invoices}
    numbers = {i["number"]: marker_of(i) for i in invoices if i["number"]}
    found: dict[str, Any] = {}
    for deal_id, row in state["deals"].items():
        values = {}
        for code, value in (row.get("custom_fields") or {}).items():
            name = fields[code]["field_name"]
            if name == "Invoice link":
                value = next((m for i, m in ids.items() if i in str(value)), value)
            if name == "Invoice number":
                value = numbers.get(value, value)
            if name != "Invoice last synced":
                values[name] = value
        found[deal_id] = values
    return found


def assert_nothing_doubled(w: World) -> None:
    """Each marker was used once, whatever became of the invoice; each customer is there once."""
    markers = [marker_of(i) for i in w.invoices()]
    assert len(markers) == len(set(markers)), sorted(m for m in markers if markers.count(m) > 1)
    for field in ("name", "number"):
        values = [c[field] for c in w.contacts() if c[field]]
        assert len(values) == len(set(values)), field


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
