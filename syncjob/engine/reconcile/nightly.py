"""Reconciling as a chore of the night, and its result in one line."""

from __future__ import annotations

from datetime import datetime

from syncjob.core.reconcile import ReconcileReport
from syncjob.engine.batch import Batch
from syncjob.engine.reconcile.passing import go_on


def reconcile_tonight(batch: Batch, until: float) -> tuple[str, datetime | None]:
    """As much of a pass as fits; what it said, and when it goes on if it has not finished."""
    report = go_on(batch, since=None, until=until)
    if report.complete:
        return sentence(report), None
    return report.stopped_by, report.resume_at or batch.clock.now()


def sentence(report: ReconcileReport) -> str:
    """The result in words and numbers."""
    records = sum(report.read.values())
    looked = f"{records:,} records read, {report.compared:,} deals compared"
    mended = sum(1 for f in report.findings if f.mends == "next_batch")
    people = sum(1 for f in report.findings if f.mends in ("person", "known"))
    if not report.found:
        return f"{looked}, nothing found"
    return f"{looked}, {report.found:,} found: {mended:,} for the next batch, {people:,} for people"
