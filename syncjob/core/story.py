"""The story of one record, in order: what was seen, decided, sent, answered, and what is awaited.

Values, and what brings them into order; the facts come from the state (engine/why), the sentences
that sum them up from core/because. Amounts are Decimal, instants aware UTC, days the
organisation's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date as Day
from datetime import datetime, time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.money import ZERO
from syncjob.core.records import Settlement

#: What a person may ask about.
SubjectKind = Literal["deal", "invoice", "contact"]

#: What happened: to a record at its vendor; a look at it; two records tied; the rules said
#: something; a write with its answer; an issue opened or closed; a person decided; a notice went.
EventKind = Literal[
    "record", "read", "linked", "ruled", "wrote", "issue", "closed", "person", "told"
]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. `day` stands where only the organisation's day is known (and `at`
    then only orders it). `fold`:
    events of one fold in a row are told once, with how many there were (`times`)."""

    kind: EventKind
    text: str
    at: datetime | None = None
    day: Day | None = None
    batch: int | None = None
    details: tuple[str, ...] = ()
    page: str | None = None
    fold: str = ""
    times: int = 1


class InvoiceNow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice as it was last read. `word` as the deal says it; `paid` is cash, `credited` only
    credit notes; `unapplied` what the customer has and nobody has applied, None if it was never
    read. `stamp` is the ledger's own, `read_at` when our batch began that saw it last."""

    id: str
    name: str
    word: str
    currency: str
    total: Decimal
    due: Decimal
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    date: Day | None = None
    due_date: Day | None = None
    expected_on: Day | None = None
    days_overdue: int = 0
    part: str = ""
    marker: str | None = None
    settlements: tuple[Settlement, ...] = ()
    unapplied: Decimal | None = None
    stamp: datetime | None = None
    read_at: datetime | None = None
    batch: int = 0
    page: str | None = None


class Awaited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands between the record and what happens next. `step` is what a person can do."""

    kind: str
    text: str
    until: datetime | None = None
    day: Day | None = None
    step: str = ""


class Story(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that `syncjob why` has to say of one record.

    `answer` is the one sentence, `rules` what the rules say now, `unknown` what this state does
    not know. `fresh`: the record was read for this; else the state alone was asked. `hidden`: a
    person asked to be forgotten, so nothing says who it is.
    """

    kind: SubjectKind
    subject: str
    title: str
    answer: str
    next_step: str
    customer: str = ""
    page: str | None = None
    events: tuple[Event, ...] = ()
    invoices: tuple[InvoiceNow, ...] = ()
    rules: tuple[str, ...] = ()
    awaited: tuple[Awaited, ...] = ()
    unknown: tuple[str, ...] = ()
    fresh: bool = False
    hidden: bool = False
    last_batch: datetime | None = None
    next_batch: datetime | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that a person may mean: what it is, and what to type for it."""

    subject: str
    text: str
    ask: str
    page: str | None = None


class WhyReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a question: a story; or several records that may be meant; or none, with what
    can be said all the same."""

    connection: str
    asked: str
    story: Story | None = None
    candidates: tuple[Candidate, ...] = ()
    words: str = ""
    reasons: tuple[str, ...] = ()
    next_step: str = ""


def in_order(events: Iterable[Event], zone: ZoneInfo) -> tuple[Event, ...]:
    """The events by time; what is known by its day alone stands at the day's beginning, what has
    no time at all comes first. Equal times keep the order they were given in."""

    def moment(event: Event) -> datetime:
        if event.at is not None:
            return event.at
        return datetime.combine(event.day or Day.min, time(), zone) if event.day else _FIRST

    folded: list[Event] = []
    for event in sorted(events, key=moment):
        last = folded[-1] if folded else None
        if last is not None and event.fold and last.fold == event.fold:
            folded[-1] = msgspec.structs.replace(event, times=last.times + 1)
        else:
            folded.append(event)
    return tuple(folded)


#: Before anything that can have happened.
_FIRST = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
