"""What was ever written to one record, and what people decided about it: rows in order. Values."""

from __future__ import annotations

from datetime import datetime

import msgspec

from syncjob.core.story import Candidate


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field of one write; or a person's decision, whose `field` is its kind.

    `by` is "syncjob" or the person. `side`: "crm", "ledger", "people" (messages), "us" (our own
    state). `answer` is what became of it, in the vendor's words; `stored`: it had its effect.
    """

    at: datetime
    by: str
    side: str
    target: str
    field: str
    batch: int = 0
    what: str = ""
    before: str | None = None
    after: str | None = None
    rule: str = ""
    reason: str = ""
    answer: str = ""
    stored: bool = True
    write: int | None = None
    page: str | None = None


class HistoryReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rows of the record that was asked for, oldest first; or whom the question may mean."""

    connection: str
    asked: str
    subject: str = ""
    title: str = ""
    page: str | None = None
    rows: tuple[HistoryRow, ...] = ()
    total: int = 0  # before the filters
    candidates: tuple[Candidate, ...] = ()
    words: str = ""
    next_step: str = ""
