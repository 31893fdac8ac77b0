"""A world with invoices in all states, as settled as it gets, and what reconcile says of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from syncjob.core.reconcile import Finding, ReconcileOptions, ReconcileReport
from tests.engine.scenes import awaiting, billed, minutes, sell
from tests.engine.world import World


def reconcile(w: World, *, repair: bool = True, since: date | None = None) -> ReconcileReport:
    with w.connection() as handle:
        return handle.reconcile(ReconcileOptions(repair=repair, since=since, who="a test"))


def kinds(report: ReconcileReport) -> list[str]:
    return sorted(finding.kind for finding in report.findings)


def one(report: ReconcileReport) -> Finding:
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


def settle_down(w: World) -> None:
    """What was done lies before every cursor, and no list is walked anew."""
    for _ in range(3):
        minutes(w, 25)
        w.run()
    minutes(w, 5)


def town(w: World) -> dict[str, int]:
    """Deals of all kinds: open, left out, held, drafted, awaiting payment, part-paid, paid."""
    made = {
        "open": sell(w, "Open Ltd", won=False),
        "draft": billed(w, org="Draft Ltd"),
        "awaiting": awaiting(w, org="Awaiting Ltd"),
        "part": awaiting(w, org="Part Ltd"),
        "paid": awaiting(w, org="Paid Ltd"),
        "test": sell(w, "Test Ltd", title="TEST order"),
        "held": sell(w, "Held Ltd", lines=[]),
    }
    w.books("pay", invoice=number(w, made["part"]), amount="10")
    w.books("pay", invoice=number(w, made["paid"]))
    minutes(w, 5)
    w.run()
    settle_down(w)
    return made


def number(w: World, deal: int) -> str:
    return str(invoice(w, deal)["number"])


def invoice(w: World, deal: int) -> dict[str, Any]:
    return next(i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or ""))


def surgery(w: World, statement: str, *values: Any) -> None:
    """What no person and no vendor can do: change our own memory."""
    with w.connection() as handle, handle.state.commit():
        handle.state.db.execute(statement, values)


def skip_changes(w: World) -> None:
    """What changed so far lies before every cursor, and no poll has seen it: as when a vendor's
    list lags for longer than we look back."""
    minutes(w, 30)
    now = w.clock.now().isoformat()
    surgery(w, "UPDATE cursor SET since = ?", now)
    minutes(w, 1)


def issue_codes(w: World) -> list[str]:
    with w.connection() as handle:
        return sorted(issue.code for issue in handle.status().issues)
