"""One batch while it runs: both connectors, the state, what was counted and what was found."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from syncjob.clock import Clock
from syncjob.config import Config
from syncjob.connectors.base import Connector, Crm, Ledger, Writer
from syncjob.core.actions import Action, Issue
from syncjob.core.hours import Pace
from syncjob.core.page import MONEY_CHANGED
from syncjob.core.records import CrmReference, LedgerReference, Receiver, Side
from syncjob.core.reports import Row, RunOptions
from syncjob.engine.purses import pace_in
from syncjob.errors import Interrupted, RetryLater
from syncjob.notices.post import PostOffice
from syncjob.state.database import State
from syncjob.state.lock import Lease
from syncjob.transport.client import HttpChannel
from syncjob.transport.post import PostChannel

#: The table of a batch names the first so many deals and customers that it wrote to; its counts are
#: of all. A line takes about 1 KB.
TABLE_MAX = 5_000


@dataclass
class Batch:
    """Everything a stage of one batch may use. Nothing of it outlives the batch."""

    id: int
    config: Config
    state: State
    crm: Crm
    ledger: Ledger
    channels: dict[Side, HttpChannel]
    post: PostOffice
    post_channel: PostChannel
    lease: Lease
    clock: Clock
    options: RunOptions
    log: Any
    started: datetime
    deadline: float
    crm_reference: CrmReference | None = None
    ledger_reference: LedgerReference | None = None
    reference_hash: str = ""
    verified: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    walked: dict[str, datetime] = field(default_factory=dict)  # server time at a whole walk's start
    unsure_templates: frozenset[str] = frozenset()  # whose deals' they may be (engine/templates)
    side_empty: str | None = None  # a side that showed nothing though it was walked in full
    counts: Counter[str] = field(default_factory=Counter)
    done: dict[str, list[str]] = field(default_factory=dict)
    new_issues: dict[tuple[str, str], Issue] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    largest: dict[str, Decimal] | None = None  # invoice by currency, before this batch made any
    changed_ledger: bool = False
    changed: bool = False  # records of either side, or whose an invoice is
    compared: set[str] = field(default_factory=set)  # customers compared with the ledger's
    replan: bool = False
    decided_with: str = ""
    plan_hash: str | None = None
    lists_stale: bool = False  # the ledger's lists were left unread: nothing is created there
    left_out: dict[str, str] = field(default_factory=dict)  # for want of calls, and why
    more: int = 0  # deals and customers that are wanted, and left to the next batches
    unread_customers: frozenset[str] = frozenset()  # wanted, and not read: nor are they decided
    turns: dict[str, str] = field(default_factory=dict)  # behind whom those go on (engine/share)
    still: bool = False  # it only looks at the state as it is: nothing is read, nothing is noted

    @property
    def zone(self) -> ZoneInfo:
        """The ledger organisation's time zone: days are its days."""
        assert self.ledger_reference is not None
        return ZoneInfo(self.ledger_reference.organisation.time_zone)

    @property
    def pace(self) -> Pace:
        """How often batches run."""
        known = self.ledger_reference
        return pace_in(self.config, known.organisation.time_zone if known else None)

    @property
    def urgent_only(self) -> bool:
        """Whether what can wait is left to the office hours."""
        hours = self.config.schedule.office_hours
        return hours.outside_urgent_only and not self.pace.inside(self.clock.now())

    @property
    def today(self) -> date:
        """The organisation's calendar day, by the ledger's own clock where that is known."""
        now = self.ledger.server_time() or self.clock.now()
        return now.astimezone(self.zone).date()

    def side(self, side: Receiver) -> Connector:
        """The connector of a side; messages have none."""
        assert side != "people"
        return self.crm if side == "crm" else self.ledger

    def writer(self, receiver: Receiver) -> Writer:
        """Whoever makes and reads this kind of write: a side, or the office of messages."""
        return self.post if receiver == "people" else self.side(receiver)

    def channel(self, receiver: Receiver) -> HttpChannel | PostChannel:
        """The way by which its bytes leave."""
        return self.post_channel if receiver == "people" else self.channels[receiver]

    def progress(self, stage: str, done: int, total: int | None = None) -> None:
        self.options.progress(stage, done, total)

    @property
    def late(self) -> bool:
        """Whether the batch has used up its time."""
        return self.clock.monotonic() > self.deadline

    def breathe(self, *, heed_time: bool = True) -> None:
        """Between calls: end the batch if somebody asked for it or its time is up.

        Without `heed_time` only the former counts: where the next batch would have to begin anew
        what this one ends, and so on for ever. Raises Interrupted or RetryLater.
        """
        if self.options.should_stop():
            raise Interrupted(
                "Stopped as asked; the calls on their way were finished.",
                next_step="The next run goes on from here.",
            )
        if heed_time and self.late:
            raise RetryLater(
                f"The batch reached its {self.config.schedule.run_seconds_max} s.",
                resume_at=self.clock.now(),
                next_step="The next run goes on from here.",
            )

    def raise_issues(self, issues: Iterable[Issue]) -> None:
        """Open these issues, or bring them up to date; call it inside a commit."""
        for issue in issues:
            if self.state.book.raise_issue(issue, batch=self.id, at=self.clock.now()):
                self.new_issues[issue.subject, issue.code] = issue
                self.log.info("issue.opened", code=issue.code, subject=issue.subject)

    def note_changed(self) -> None:
        """What the page counts has changed; call it inside the commit. It is written down, since
        this batch need not be one that comes to write a page."""
        if not self.changed:
            self.state.book.note(MONEY_CHANGED, "1")
        self.changed = True

    def wrote(self, action: Action, words: str) -> None:
        """Count a write that was stored, for the summary and the table."""
        self.counts[action.kind] += 1
        if len(self.done) < TABLE_MAX or action.subject in self.done:
            self.done.setdefault(action.subject, []).append(words)


def mapping_hash(config: Config) -> str:
    """What the config says about the mapping: its change is guarded once (invariant 12).

    Only what differs from the defaults counts: a key that a newer syncjob knows is no change.
    """
    parts: list[BaseModel] = [
        config.invoices, config.crm.fields, config.crm.inputs, config.overdue,
    ]  # fmt: skip
    if config.contacts.update != "off":
        parts.append(config.contacts)
    said = [part.model_dump_json(exclude_defaults=True) for part in parts]
    return hashlib.sha256("|".join([*said, config.connection.code]).encode()).hexdigest()[:16]


def notices_hash(config: Config) -> str:
    """What the config says of who is told of what: nothing of it is guarded, but new steps are for
    deals that no day wakes any more, too."""
    said = config.notices.model_dump_json(exclude_defaults=True)  # a secret is dumped as stars
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def decided_by(config: Config) -> str:
    """What the config says of what is written and to whom, as one word, without a secret: a plan
    that a person has seen holds only as long as it stays (core/plan_file). The guard is not part
    of it, since it is asked anew; nor are paths, hours and how long logs are kept."""
    parts: list[BaseModel] = [
        config.crm, config.ledger, config.invoices, config.contacts, config.overdue, config.notices,
    ]  # fmt: skip
    said = [part.model_dump_json() for part in parts]  # a secret is dumped as stars
    words = [config.connection.name, config.connection.code, config.mode, *said]
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:16]
