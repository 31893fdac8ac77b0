"""One connection, opened for one command: its state, its lease, its two sides and its batch.

Nothing here is global: two connections in one process share no object but those they are given.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import requests

from syncjob.clock import Clock
from syncjob.config import Config
from syncjob.connectors.base import Crm, Ledger
from syncjob.connectors.ports import Opened, Ports
from syncjob.connectors.registry import open_side
from syncjob.core.needs import needs_of
from syncjob.core.records import Side
from syncjob.core.reports import (
    RunOptions,
    Waiting,
    unwaited,
)
from syncjob.engine.batch import Batch
from syncjob.engine.door import ClosedDoor, StateDoor
from syncjob.engine.recovery import copy_sidecar, note_older
from syncjob.logs import bound, get_logger
from syncjob.notices.post import PostOffice, post_channel
from syncjob.state.database import State, readable_errors
from syncjob.state.lock import Lease
from syncjob.state.vault import Vault
from syncjob.transport.post import PostChannel

log = get_logger(__name__)

#: A wait of this length stands in the log; shorter ones are the daily bread of a limit a minute.
LOGGED_WAIT = timedelta(seconds=5)
#: A dry run's copy of the state stands in a folder of this name, beside the state.
_COPY = ".plan-"
#: The number of a batch that only looks: none that ever ran has it.
LOOKING = -1


class Opening:
    """What the commands are built on: the open state, and a batch with both sides on request."""

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

    @contextlib.contextmanager
    def _lease(self) -> Iterator[Lease]:
        """The right to work on this connection. Raises LockHeld."""
        lease = Lease(self.path)
        lease.take(holder())
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
            lease.fence_in(state, holder(), self.clock.now())
            ledger = self._open("ledger", state, lease, write, options.waiting)
            stack.callback(ledger.channel.close)
            crm = self._open("crm", state, lease, write, options.waiting)
            stack.callback(crm.channel.close)
            post = self._post(state, lease, write or messages)
            stack.callback(post.close)
            batch = self._begin(state, options, lease, crm, ledger, post)
            with bound(connection=self.config.connection.name, batch=batch.id):
                yield batch

    def _open(
        self, side: Side, state: State, lease: Lease, write: bool, waiting: Waiting = unwaited
    ) -> Opened:
        """One side on its own channel and door; a door knows its own server's time."""
        door = StateDoor(state, lease, self.clock) if write else ClosedDoor()
        part = self.config.ledger if side == "ledger" else self.config.crm
        opened = open_side(
            part,
            Ports(
                clock=self.clock, session=self.session, tokens=self.vault, budgets=self.vault,
                door=door, mode=self.config.mode if write else "read_only", random=self.rng,
                new_key=self.new_key, needs=needs_of(self.config.invoices),
                waiting=self._said(waiting),
            ),
        )  # fmt: skip
        if isinstance(door, StateDoor):
            door.server_time = opened.channel.server_time
        return opened

    def _said(self, waiting: Waiting) -> Waiting:
        """Whoever looks on is told of each wait, and the log of those that are long."""

        def told(what: str, until: datetime | None) -> None:
            if until is not None and until - self.clock.now() >= LOGGED_WAIT:
                log.info("limit.waiting", what=what, until=until.isoformat())
            waiting(what, until)

        return told

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
            note_older(state, number)
        return self._made(number, state, options, lease, crm, ledger, post)

    @contextlib.contextmanager
    def _looking(self) -> Iterator[Batch]:
        """A batch that only looks at the state as it stands now: no lease, no call, no write, so
        that it can be had while another process works, or a vendor is down."""
        with contextlib.ExitStack() as stack:
            lease = Lease(self.path)  # never taken
            ledger = self._open("ledger", self.state, lease, False)
            stack.callback(ledger.channel.close)
            crm = self._open("crm", self.state, lease, False)
            stack.callback(crm.channel.close)
            post = self._post(self.state, lease, False)
            stack.callback(post.close)
            stack.enter_context(self.state.looking())
            batch = self._made(LOOKING, self.state, RunOptions(), lease, crm, ledger, post)
            batch.still = True
            yield batch

    def _made(
        self, number: int, state: State, options: RunOptions, lease: Lease, crm: Opened,
        ledger: Opened, post: PostChannel,
    ) -> Batch:  # fmt: skip
        now = self.clock.now()
        return Batch(
            id=number, config=self.config, state=state, crm=cast(Crm, crm.connector),
            ledger=cast(Ledger, ledger.connector),
            channels={"crm": crm.channel, "ledger": ledger.channel}, lease=lease,
            post=PostOffice(self.config.notices), post_channel=post,
            clock=self.clock, options=options, log=log, started=now,
            deadline=self.clock.monotonic() + self.config.schedule.run_seconds_max,
        )  # fmt: skip


def holder() -> str:
    """Who holds the lease, for the words of another process that wants it."""
    return f"syncjob {os.getpid()} on {socket.gethostname()}"
