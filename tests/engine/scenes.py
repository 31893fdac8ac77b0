"""Scenes that many tests begin with, and what they all end with: a batch that writes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncjob.core.reports import BatchReport
from tests.engine.world import World

WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}


def sell(w: World, org: str | None = "Acme Pty", *, won: bool = True, **deal: Any) -> int:
    """A deal of this customer with one line of 100.00 and 10% tax, won unless told otherwise."""
    if org is not None and org not in org_names(w):
        w.crm("create_org", name=org)
    given = {"title": "Spring order", "currency": "AUD", "lines": [WIDGET], **deal}
    if org is not None:
        given["org"] = org
    made = w.crm("create_deal", **given)
    if won:
        w.crm("win", deal=made["id"])
    return int(made["id"])


def org_names(w: World) -> set[str]:
    return {row["name"] for row in w.crm_state()["organizations"].values()}


def minutes(w: World, count: int) -> None:
    w.advance(timedelta(minutes=count))


def quiet(w: World, **options: Any) -> BatchReport:
    """One more batch, a minute later: nothing has changed, so nothing is written."""
    minutes(w, 1)
    mark = w.mark()
    report = w.run(**options)
    assert [(c["method"], c["path"], c["body"]) for c in w.writes(mark)] == []
    return report


def codes(report: BatchReport) -> list[str]:
    """The codes of the open issues."""
    return sorted(issue.code for issue in report.issues)


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row there is."""
    assert len(rows) == 1, rows
    return rows[0]


def writes_to(w: World, mark: int, part: str) -> list[dict[str, Any]]:
    """The writes since then to paths that hold this text."""
    return [call for call in w.writes(mark) if part in call["path"]]


def billed(w: World, **deal: Any) -> int:
    """A won deal with its draft, before anything else happened."""
    made = sell(w, **deal)
    report = w.run()
    assert report.exit_code == 0, report
    return made


def awaiting(w: World, **deal: Any) -> int:
    """A won deal whose invoice a person has approved, as the deal already says."""
    made = billed(w, **deal)
    w.books("approve", invoice=number_of(w, made))
    minutes(w, 5)
    assert w.run().exit_code == 0
    return made


def number_of(w: World, deal: int) -> str:
    """The number of the deal's newest invoice in the books."""
    found = [i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or "")]
    return str(found[-1]["number"])


def invoice_of(w: World, deal: int) -> dict[str, Any]:
    """The deal's newest invoice as the books hold it."""
    return [i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or "")][-1]


def answer(w: World, kind: str, deal: int) -> None:
    """What a person decided about a deal."""
    with w.connection() as handle:
        handle.answer(kind=kind, subject=f"deal:{deal}", who="Ann", reason="a test")
