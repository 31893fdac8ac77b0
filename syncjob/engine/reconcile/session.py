"""A pass over both sides: how far it has come, what it may use, and when it gives way.

Keeps invariants 5 and 11. A pass is many pieces, each inside some batch: its place is kept in the
state with every commit, so that it goes on there after a batch, a night, or a kill.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.budget import Work
from syncjob.core.reconcile import Finding
from syncjob.core.records import Side
from syncjob.engine.batch import Batch
from syncjob.engine.spending import allowed
from syncjob.errors import Interrupted, RetryLater

#: Where the pass under way is written down, and the last report.
PASS, REPORT = "reconcile.pass", "reconcile.report"
#: A pass that stood still for so long begins anew: what it read is old.
PASS_DAYS_MAX = 3
#: The vendors' days are about as long; what was used is forgotten after one.
DAY = timedelta(hours=24)

_SIDES: tuple[Side, ...] = ("ledger", "crm")


class Pass(msgspec.Struct, kw_only=True):
    """One reading of both sides. `first_batch`: what a batch since then has read was seen.
    `position` is the last record that was done in this stage."""

    first_batch: int
    started: datetime
    touched: datetime
    stage: str
    position: str = ""
    since: date | None = None
    read: dict[str, int] = {}
    calls: dict[str, int] = {}
    compared: int = 0
    waiting: int = 0
    explained: dict[str, int] = {}
    unread: list[str] = []
    hidden: list[str] = []  # sides that show too little to believe it


class Spending(msgspec.Struct, kw_only=True):
    """What reconciling used of a side's day, since when."""

    since: datetime
    calls: int = 0
    cost: int = 0


class Session:
    """One piece of a pass, within one batch."""

    def __init__(self, batch: Batch, given: Pass, *, until: float, share_percent: int) -> None:
        """`until`: the monotonic time at which the piece ends."""
        self.batch, self.given = batch, given
        self.finds = batch.state.reconciled
        self._until, self._share = until, share_percent
        self._used = {side: batch.channels[side].usage() for side in _SIDES}
        self._spent = {side: self._spending(side) for side in _SIDES}

    # --- its place ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the pass down; call it inside the commit of what it has done."""
        self.given.touched = self.batch.clock.now()
        self._count()
        body = msgspec.json.encode(self.given).decode()
        self.batch.state.book.note(PASS, body)

    def go(self, stage: str) -> None:
        """The next stage, from its beginning."""
        self.given.stage, self.given.position = stage, ""
        with self.batch.state.commit():
            self.save()

    def add(self, finding: Finding) -> None:
        """Call it inside a commit."""
        self.finds.add(finding)

    def count_read(self, name: str, number: int) -> None:
        self.given.read[name] = self.given.read.get(name, 0) + number

    def explain(self, why: str) -> None:
        self.given.explained[why] = self.given.explained.get(why, 0) + 1

    # --- its pace -------------------------------------------------------------------------------

    def pause(self, *_: object) -> None:
        """Between two calls: stop if somebody asked, if the piece's time is up, or if the day's
        share is. Raises Interrupted or RetryLater."""
        if self.batch.options.should_stop():
            raise Interrupted(
                "Stopped as asked.", next_step="The next `syncjob reconcile` goes on from here."
            )
        if self.batch.clock.monotonic() >= self._until:
            raise RetryLater("This piece's time is up.", resume_at=self.batch.clock.now())
        for side in _SIDES:
            self._within(side)

    def _within(self, side: Side) -> None:
        """Whether the day has room on this side. Raises RetryLater."""
        channel, spent = self.batch.channels[side], self._spent[side]
        used = channel.usage()
        for window in channel.allowances():
            before = spent.cost if window.counts == "cost" else spent.calls
            now = getattr(used, window.counts) - getattr(self._used[side], window.counts)
            share = max(1, window.allowed * self._share // 100)
            if before + now >= share:
                raise _enough(
                    f"Reconciling has used its {self._share}% of {self.batch.side(side).name}'s "
                    f"{window.name} limit.",
                    spent.since + DAY,
                )
        if not allowed(self.batch, side, Work.RECONCILE):
            raise _enough(
                f"Little is left of {self.batch.side(side).name}'s day; the ordinary batches "
                "need it.",
                self.batch.clock.now() + timedelta(hours=1),
            )

    def _spending(self, side: Side) -> Spending:
        now = self.batch.clock.now()
        known = self.batch.state.book.fact(f"reconcile.spent.{side}")
        spent = msgspec.json.decode(known, type=Spending) if known else Spending(since=now)
        return Spending(since=now) if now - spent.since >= DAY else spent

    def _count(self) -> None:
        """Add what was used since the last time; call it inside a commit."""
        for side in _SIDES:
            used, before = self.batch.channels[side].usage(), self._used[side]
            self._used[side] = used
            spent, name = self._spent[side], self.batch.side(side).name
            spent.calls += used.calls - before.calls
            spent.cost += used.cost - before.cost
            self.given.calls[name] = self.given.calls.get(name, 0) + used.calls - before.calls
            body = msgspec.json.encode(spent).decode()
            self.batch.state.book.note(f"reconcile.spent.{side}", body)

    # --- words ----------------------------------------------------------------------------------

    def raise_issue(self, issue: Issue) -> None:
        self.batch.raise_issues([issue])


#: What a stage does: all of its work from the pass's position on, with pauses.
Stage = Callable[[Session], None]


def _enough(what: str, resume_at: datetime) -> RetryLater:
    return RetryLater(
        what, resume_at=resume_at, next_step="It goes on by itself where it stopped, each night."
    )


def known_pass(batch: Batch, since: date | None) -> Pass | None:
    """The pass under way, if it is one of the same kind and not too old to go on with."""
    body = batch.state.book.fact(PASS)
    found = msgspec.json.decode(body, type=Pass) if body else None
    if found is None or found.since != since:
        return None
    old = batch.clock.now() - found.touched > timedelta(days=PASS_DAYS_MAX)
    return None if old else found


def new_pass(batch: Batch, first_stage: str, since: date | None) -> Pass:
    """Begin anew; what an earlier pass has found is forgotten."""
    now = batch.clock.now()
    made = Pass(
        first_batch=batch.id, started=now, touched=now, stage=first_stage, since=since
    )  # fmt: skip
    with batch.state.commit():
        batch.state.reconciled.begin()
        batch.state.book.note(PASS, msgspec.json.encode(made).decode())
    return made
