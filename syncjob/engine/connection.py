"""One connection, opened for one command: its state, its lease and its two connectors.

Nothing here is global: two connections in one process share no object but those they are given.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random, SystemRandom
from typing import cast

import requests

from syncjob.clock import Clock, SystemClock
from syncjob.config import Config
from syncjob.connectors.base import Crm, Ledger, Problem
from syncjob.connectors.ports import Opened, Ports
from syncjob.connectors.registry import open_side
from syncjob.core.aging import OverdueReport
from syncjob.core.needs import needs_of
from syncjob.core.records import Organisation, Side
from syncjob.core.reports import (
    BatchReport,
    FieldsReport,
    Pause,
    PauseKind,
    PlanReport,
    RunOptions,
    StatusReport,
)
from syncjob.core.review import (
    Answer,
    ApplyReport,
    MatchOptions,
    MatchReport,
    Proposal,
    Refusal,
    Verdict,
)
from syncjob.core.rules.credit import Wish
from syncjob.engine import desk, verdicts
from syncjob.engine.batch import Batch
from syncjob.engine.checks import check
from syncjob.engine.crediting import CreditReport, credit
from syncjob.engine.door import ClosedDoor, StateDoor
from syncjob.engine.handmade import match_invoices
from syncjob.engine.identify import identify
from syncjob.engine.link_doubts import link_doubts
from syncjob.engine.matching import match_contacts
from syncjob.engine.overdue import report_overdue
from syncjob.engine.recovery import copy_sidecar
from syncjob.engine.run import foresee, run_batch
from syncjob.engine.setup import create_fields
from syncjob.engine.status import status_report
from syncjob.logs import bound, get_logger
from syncjob.notices.post import PostOffice, post_channel
from syncjob.state.database import State, readable_errors
from syncjob.state.lock import Lease
from syncjob.state.vault import Vault
from syncjob.transport.post import PostChannel

log = get_logger(__name__)

#: A dry run's copy of the state stands in a folder of this name, beside the state.
_COPY = ".plan-"


class ConnectionHandle:
    """What a command may ask of a connection. Methods that call vendors take the lease."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        session: Callable[[], requests.Session],
        rng: Random,
        new_key: Callable[[], str],
    ) -> None:
        self.config, self.clock = config, clock
        self.session, self.rng, self.new_key = session, rng, new_key
        self.path = config.resolve(config.connection.state)
        self.state = State(self.path)
        self.vault = Vault(config.resolve(config.connection.shared) / "vault.db")

    def close(self) -> None:
        self.state.close()
        self.vault.close()

    # --- commands that call vendors -------------------------------------------------------------

    def run(self, options: RunOptions | None = None) -> BatchReport:
        """One batch. Raises LockHeld, StateError, ConfigError; the rest stands in the report."""
        with self._batch(self.state, options or RunOptions(), write=True) as batch:
            return run_batch(batch)

    def plan(self, options: RunOptions | None = None) -> PlanReport:
        """What a batch would do, found out on a copy of the state; nothing is written."""
        with self._lease() as lease, self._copy() as copy:
            given = options or RunOptions(dry_run=True)
            with self._batch(copy, given, write=False, lease=lease) as batch:
                return _plan_report(batch)

    def check(self, *, messages: bool = False) -> list[Problem]:
        """What is wrong with config, credentials, names, rights, mode, clock or notices; with
        `messages` a test is sent by each way that is set up."""
        with self._batch(self.state, RunOptions(), write=False, messages=messages) as batch:
            return check(batch, messages=messages)

    def identity(self, side: Side) -> Organisation:
        """Whose account the credentials open; compared with the pin."""
        with self._batch(self.state, RunOptions(), write=False) as batch:
            identify(batch)
            return batch.side(side).identity()

    def init_fields(self, *, create: bool) -> FieldsReport:
        """The CRM fields that the config needs; creates those that are missing if asked."""
        with self._batch(self.state, RunOptions(), write=create) as batch:
            return create_fields(batch, create=create)

    def match(self, options: MatchOptions) -> MatchReport:
        """What of both sides may be one customer, or twice on one side; writes at no vendor."""
        with self._batch(self.state, _reading(options), write=False) as batch:
            return match_contacts(batch, options)

    def match_invoices(self, options: MatchOptions) -> MatchReport:
        """Which invoices were made by hand for which won deals; writes at no vendor."""
        with self._batch(self.state, _reading(options), write=False) as batch:
            return match_invoices(batch, options)

    def credit(
        self, deal: str, wish: Wish, *, part: str | None, write: bool, who: str,
        expect: Decimal | None,
    ) -> CreditReport:  # fmt: skip
        """A credit note for a deal's invoice, made as a draft; or shown, found out on a copy.

        Raises LockHeld, Park (it cannot be done), RetryLater, and what any call may raise.
        """
        options = RunOptions(who=who, dry_run=not write)
        with contextlib.ExitStack() as stack:
            lease = stack.enter_context(self._lease())
            state = self.state if write else stack.enter_context(self._copy())
            batch = stack.enter_context(self._batch(state, options, write=write, lease=lease))
            return credit(batch, deal, wish, part, write=write, expect=expect)

    # --- commands that only decide or look ------------------------------------------------------

    def apply_review(
        self, answers: Sequence[Answer], refused: Sequence[Refusal], *, file: str, who: str,
        reason: str,
    ) -> ApplyReport:  # fmt: skip
        """What a person answered in a review of a match, applied by the next batch."""
        return verdicts.apply_review(
            self.state, answers, refused, file=file, who=who, reason=reason, now=self.clock.now()
        )

    def decide_match(
        self, *, crm_id: str, contact: str | None, verdict: Verdict, who: str, reason: str
    ) -> Proposal:
        """Whether a CRM customer is a ledger contact, applied by the next batch. Raises Park."""
        return verdicts.decide(
            self.state, crm_id=crm_id, contact=contact, verdict=verdict, who=who, reason=reason,
            now=self.clock.now(),
        )  # fmt: skip

    def pause(self, *, only: PauseKind, until: datetime | None, reason: str, who: str) -> Pause:
        """Stop writing from the next write on."""
        now = self.clock.now()
        return desk.pause(self.state, only=only, until=until, reason=reason, who=who, now=now)

    def resume(self, *, only: PauseKind, who: str) -> list[Pause]:
        """Let writes go on."""
        return desk.resume(self.state, only=only, who=who, now=self.clock.now())

    def link_doubts(self, deal: str, number: str) -> list[str]:
        """What speaks against tying this invoice to this deal, in words. Raises Park."""
        return link_doubts(self.state, deal, number)

    def answer(
        self, *, kind: str, subject: str, who: str, reason: str, part: str | None = None
    ) -> None:
        """A person's answer to an issue, applied by the next batch; `part` names one part of the
        deal's schedule."""
        desk.answer(
            self.state, kind=kind, subject=subject, who=who, reason=reason, part=part,
            now=self.clock.now(), schedules=self.config.invoices.schedules,
        )  # fmt: skip

    def overdue(self) -> OverdueReport:
        """What is overdue as of the last batch; no call to a vendor. Raises Park before any."""
        return report_overdue(self.config, self.state, self.clock.now())

    def status(self) -> StatusReport:
        """One screen of facts; no call to a vendor."""
        return status_report(self.config, self.state, self.clock.now())

    # --- the batch ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _lease(self) -> Iterator[Lease]:
        """The right to work on this connection. Raises LockHeld."""
        lease = Lease(self.path)
        lease.take(_holder())
        try:
            yield lease
        finally:
            lease.release()

    @contextlib.contextmanager
    def _copy(self) -> Iterator[State]:
        """A copy of the state for a dry run, gone afterwards; call it with the lease held.

        A dry run that was killed left its copy behind, and the names in it: it goes first.
        """
        for left in self.path.parent.glob(f"{_COPY}*"):
            shutil.rmtree(left, ignore_errors=True)
        with contextlib.ExitStack() as stack:
            with readable_errors(self.path):
                made = tempfile.TemporaryDirectory(
                    dir=self.path.parent, prefix=_COPY, ignore_cleanup_errors=True
                )
            folder = stack.enter_context(made)
            copy = self.state.copy(Path(folder) / self.path.name)
            stack.callback(copy.close)
            copy_sidecar(self.path, copy.path)
            yield copy

    @contextlib.contextmanager
    def _batch(
        self, state: State, options: RunOptions, *, write: bool, lease: Lease | None = None,
        messages: bool = False,
    ) -> Iterator[Batch]:  # fmt: skip
        """A batch with the lease held and both sides open, and everything closed afterwards."""
        with contextlib.ExitStack() as stack:
            lease = lease or stack.enter_context(self._lease())
            lease.fence_in(state, _holder(), self.clock.now())
            ledger = self._open("ledger", state, lease, write)
            stack.callback(ledger.channel.close)
            crm = self._open("crm", state, lease, write)
            stack.callback(crm.channel.close)
            post = self._post(state, lease, write or messages)
            stack.callback(post.close)
            batch = self._begin(state, options, lease, crm, ledger, post)
            with bound(connection=self.config.connection.name, batch=batch.id):
                yield batch

    def _open(self, side: Side, state: State, lease: Lease, write: bool) -> Opened:
        """One side on its own channel and door; a door knows its own server's time."""
        door = StateDoor(state, lease, self.clock) if write else ClosedDoor()
        part = self.config.ledger if side == "ledger" else self.config.crm
        opened = open_side(
            part,
            Ports(
                clock=self.clock, session=self.session, tokens=self.vault, budgets=self.vault,
                door=door, mode=self.config.mode if write else "read_only", random=self.rng,
                new_key=self.new_key, needs=needs_of(self.config.invoices),
            ),
        )  # fmt: skip
        if isinstance(door, StateDoor):
            door.server_time = opened.channel.server_time
        return opened

    def _post(self, state: State, lease: Lease, write: bool) -> PostChannel:
        """The way by which messages to people leave; it connects with the first of them."""
        door = StateDoor(state, lease, self.clock) if write else ClosedDoor()
        return post_channel(
            self.config.notices, mode=self.config.mode, clock=self.clock, door=door,
            session=self.session,
        )  # fmt: skip

    def _begin(
        self, state: State, options: RunOptions, lease: Lease, crm: Opened, ledger: Opened,
        post: PostChannel,
    ) -> Batch:  # fmt: skip
        now = self.clock.now()
        with state.commit():
            number = state.book.begin_batch(now)
        return Batch(
            id=number, config=self.config, state=state, crm=cast(Crm, crm.connector),
            ledger=cast(Ledger, ledger.connector),
            channels={"crm": crm.channel, "ledger": ledger.channel}, lease=lease,
            post=PostOffice(self.config.notices), post_channel=post,
            clock=self.clock, options=options, log=log, started=now,
            deadline=self.clock.monotonic() + self.config.schedule.run_seconds_max,
        )  # fmt: skip


@contextlib.contextmanager
def open_connection(
    config: Config,
    *,
    clock: Clock | None = None,
    session: Callable[[], requests.Session] = requests.Session,
    rng: Random | None = None,
    new_key: Callable[[], str] | None = None,
) -> Iterator[ConnectionHandle]:
    """Open a connection for one command. Time, HTTP sessions and chance can be given by a test.

    Raises StateError if the state or the vault cannot be used.
    """
    handle = ConnectionHandle(
        config, clock=clock or SystemClock(), session=session, rng=rng or SystemRandom(),
        new_key=new_key or (lambda: uuid.uuid4().hex),
    )  # fmt: skip
    try:
        yield handle
    finally:
        handle.close()


def _holder() -> str:
    """Who holds the lease, for the words of another process that wants it."""
    return f"syncjob {os.getpid()} on {socket.gethostname()}"


def _reading(options: MatchOptions) -> RunOptions:
    """The options of a match as those of the batch that it reads in."""
    return RunOptions(
        since=options.since, who=options.who, progress=options.progress,
        should_stop=options.should_stop,
    )  # fmt: skip


def _plan_report(batch: Batch) -> PlanReport:
    plan = foresee(batch, write=False)
    counts = Counter(action.kind for action in plan.actions)
    return PlanReport(
        connection=batch.config.connection.name, hash=plan.hash, actions=tuple(plan.actions),
        issues=tuple(plan.issues), guard=plan.guard, counts=dict(counts),
        excluded=dict(plan.excluded), waits=plan.waits, titles=plan.titles,
        stories=plan.stories,
        calls={c.name: batch.channels[c.side].usage().calls for c in (batch.ledger, batch.crm)},
    )  # fmt: skip
