"""What a command is asked for and what it answers: options in, reports out. Values only.

The engine fills these, `syncjob.reports` puts them into words, `syncjob.cli` prints them; `--json`
prints them as they stand. Money is Decimal, instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.actions import Action, Issue
from syncjob.core.records import Organisation

#: What part of the writes is meant: all, or one kind (`syncjob pause --only`).
PauseKind = Literal["all", "invoices", "contacts", "status", "notices"]

#: How a batch ended, in one word; the exit code says the same to a cron job.
Result = Literal[
    "done",
    "issues",
    "dry_run",
    "guard",
    "paused",
    "later",
    "interrupted",
    "outside_hours",
    "credentials",
    "wrong_organisation",
    "failed",
]

#: Batches that came to their end. The exit code alone does not say so: one that something strange
#: has stopped ends with the same as one that leaves something to a person.
GOOD: frozenset[str] = frozenset({"done", "issues"})

#: A stage of the batch (DESIGN 3), how many of it are done, and how many there are if known.
Progress = Callable[[str, int, int | None], None]


#: Whom or what a command waits for ("Xero's limit"), and until when; None: it goes on.
Waiting = Callable[[str, datetime | None], None]


def unseen(stage: str, done: int, total: int | None) -> None:
    """Progress that nobody looks at."""


def unwaited(what: str, until: datetime | None) -> None:
    """Waiting that nobody looks at."""


def never() -> bool:
    """Nobody asks the batch to stop."""
    return False


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch is asked for.

    `deal` limits it to one deal (cursors stay), `max_creates` to that many new invoices, `accept`
    releases the plan with this hash from the guard, `since` moves the reading window back to the
    start of that day (never `won_since`). `now` runs it outside the office hours, too. `who` is
    written to the audit, and with an `accept` the `reason`. `should_stop` is asked between calls;
    True ends the batch with Interrupted after the calls on their way.
    """

    deal: str | None = None
    max_creates: int | None = None
    accept: str | None = None
    since: date | None = None
    dry_run: bool = False
    now: bool = False
    who: str = ""
    reason: str = ""
    progress: Progress = unseen
    waiting: Waiting = unwaited
    should_stop: Callable[[], bool] = never


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One deal in the table of what a batch did. `status` is the word written to the deal."""

    deal_id: str
    title: str
    customer: str | None = None
    number: str | None = None
    total: Decimal | None = None
    due: Decimal | None = None
    currency: str = ""
    status: str = ""
    what: str = ""  # what this batch did to it, in words: "draft created", "paid"
    page: str | None = None


class BatchReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one batch did. `counts` is keyed by an action's kind ("invoice.create") for what was
    stored, and by "held", "excluded", "waiting", "unknown", "rejected" for the rest."""

    batch: str
    connection: str
    started: datetime
    ended: datetime
    result: Result
    exit_code: int
    counts: dict[str, int] = {}
    rows: tuple[Row, ...] = ()
    #: All that are open, and those among them that this batch opened.
    issues: tuple[Issue, ...] = ()
    new_issues: tuple[Issue, ...] = ()
    #: The titles of the deals with issues, and why deals wait, both by subject ("deal:1042").
    titles: dict[str, str] = {}
    waits: dict[str, str] = {}
    calls: dict[str, int] = {}  # by vendor: {"xero": 12, "pipedrive": 31}
    resume_at: datetime | None = None
    plan_hash: str | None = None
    #: What stopped the batch, in words (guard, pause, unreachable), else empty.
    stopped_by: str = ""
    next_step: str = ""
    #: What can wait and was left out, since calls are scarce or office hours are over: why.
    left_out: dict[str, str] = {}


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where and when a plan was made: the connection, the ids of both accounts, a hash of what in
    the config decides (no secret is in it), by whom, on which of the organisation's days, and
    what `plan` was asked for."""

    connection: str
    code: str
    crm: str
    ledger: str
    config: str
    mode: str
    made_at: datetime
    made_by: str = ""
    today: date | None = None
    deal: str | None = None
    max_creates: int | None = None
    since: date | None = None


class Tie(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two records that belong together from now on, in our own state; nothing is sent for it.
    `subject` is the CRM's record, `ledger` the id of the ledger's."""

    subject: str
    ledger: str
    why: str
    title: str = ""


class PlanReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a batch would do. `guard` holds a sentence for each limit exceeded (empty: within).

    `titles` names the deals by subject ("deal:1042" -> "Spring order"); `excluded` counts deals by
    the rule that leaves them out; `waits` says by subject why nothing is done though it will
    be; its "connection" is why no invoice and no customer is created yet. `ties` are the links
    that reading alone makes.
    """

    connection: str
    hash: str
    actions: tuple[Action, ...] = ()
    issues: tuple[Issue, ...] = ()
    guard: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    excluded: dict[str, int] = {}
    waits: dict[str, str] = {}
    titles: dict[str, str] = {}
    stories: dict[str, tuple[str, ...]] = {}
    calls: dict[str, int] = {}
    ties: tuple[Tie, ...] = ()
    origin: Origin | None = None


class TrialDeal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deal to begin with; `total` and `currency` are None while it waits for something."""

    deal: str
    title: str
    total: Decimal | None = None
    currency: str | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pause in force: what, why, by whom, until when (None: until `syncjob resume`)."""

    only: PauseKind
    reason: str
    who: str
    since: datetime
    until: datetime | None = None


class ResumeReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What had piled up, which pauses were ended, and whether a STOP file still stops writes."""

    plan: PlanReport
    ended: tuple[Pause, ...] = ()
    stop_file: bool = False


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one stream has been read; `walking` while a walk from the cursor is unfinished."""

    side: str
    stream: str
    cursor: datetime | None = None
    walking: bool = False
    records: int = 0


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, in seconds: half of them, 95% of them, and all were within these."""

    count: int
    half: int
    most: int
    longest: int


class ChoreStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A night's chore: when it was last done, what it said, and when it goes on if it has not
    finished; `at` is the time of day from which it is due."""

    name: str
    at: str
    done: datetime | None = None
    said: str = ""
    again: datetime | None = None
    due: bool = False


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A vendor's day: what it allows, our `cap` within that, what is used and left for us, and
    when it begins anew: at the latest, unless that hour was seen; None: each call is free again a
    day later.

    The forecast, from the pace of the last 24 hours: the next 24 have so many `polls`, which
    `need` so much; what is left now `lasts_until` then (None: not used up before the reset).
    """

    vendor: str
    counts: Literal["calls", "tokens"]
    allowed: int
    cap: int
    used: int
    left: int
    resets_at: datetime | None = None
    reset_seen: bool = False
    polls: int | None = None
    need: int | None = None
    lasts_until: datetime | None = None


class StatusReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One screen: who is connected to whom, what was done last, what waits, what needs a person."""

    connection: str
    mode: str
    now: datetime
    crm: Organisation | None = None
    ledger: Organisation | None = None
    won_since: date | None = None
    last: BatchReport | None = None
    last_good: datetime | None = None
    next_run: datetime | None = None
    running: bool = False
    recovering: bool = False
    stop_file: bool = False
    pauses: tuple[Pause, ...] = ()
    streams: tuple[StreamStatus, ...] = ()
    links: dict[str, int] = {}  # by kind: {"invoice": 830, "contact": 89}
    open_intents: int = 0
    issues: tuple[Issue, ...] = ()
    titles: dict[str, str] = {}  # of the deals with issues, by subject
    oldest_issue: datetime | None = None  # since when the oldest of them is open
    ignored_issues: int = 0  # that a person has put aside; they are not among `issues`
    calls_today: dict[str, int] = {}
    budgets: tuple[Budget, ...] = ()
    left_out: dict[str, str] = {}  # by the last batch, for want of calls: what, and why
    outside_hours: bool = False
    #: What is not well, a sentence each; empty: all is. `unwell_since` is the first batch of it.
    troubles: tuple[str, ...] = ()
    unwell_since: datetime | None = None
    #: The last week: from the win to the draft, from the money in the ledger to the deal.
    draft_waits: Waits | None = None
    payment_waits: Waits | None = None
    last_backup: datetime | None = None
    heartbeat: bool = False
    chores: tuple[ChoreStatus, ...] = ()  # the night's work


class FieldsReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The CRM fields that `init` would create or has created, as (entity, name, kind, purpose).

    `by_hand` holds what a person must create, with the reason the API cannot.
    """

    wanted: tuple[tuple[str, str, str, str], ...] = ()
    created: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
