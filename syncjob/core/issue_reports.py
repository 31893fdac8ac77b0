"""What `syncjob issues` answers: each issue with its number, its age, its pages and its answers.

Values only, as in core/reports.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

#: Which issues are asked for.
Which = Literal["open", "ignored", "closed"]


class IssueRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One issue. `id` is its number for ever; `pages` leads to the records it is about, by what
    they are ("deal", "invoice", "customer", "contact"); `answers` are the flags that
    `syncjob issues resolve` takes for it. `retry`: a person has asked for another try, which the
    next batch makes."""

    id: int
    code: str
    subject: str
    state: str
    what: str
    next_step: str
    opened_at: datetime
    batch: int
    title: str = ""
    field: str = ""
    pages: dict[str, str] = {}
    answers: dict[str, str] = {}
    elsewhere: str | None = None
    retry: bool = False
    closed_at: datetime | None = None
    ignored_until: datetime | None = None
    ignored_by: str = ""
    ignored_because: str = ""


class IssuesReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The issues that were asked for, by kind: the kind with the oldest issue first, and in it
    the oldest first. `counts` is by code, `ignored` how many are put aside; `others` counts by
    code what is in this list where nothing was asked for that is: a kind may be misspelt."""

    connection: str
    now: datetime
    which: Which = "open"
    issues: tuple[IssueRow, ...] = ()
    counts: dict[str, int] = {}
    ignored: int = 0
    others: dict[str, int] = {}


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person has asked for about these issues, and what comes of it."""

    issues: tuple[int, ...]
    subjects: tuple[str, ...] = ()
    until: datetime | None = None
