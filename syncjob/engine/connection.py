"""One connection, opened for one command; two in one process share only what they are given."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from random import Random, SystemRandom

import requests

from syncjob.clock import Clock, SystemClock
from syncjob.config import Config
from syncjob.engine.asking import Asking
from syncjob.engine.calling import Calling
from syncjob.engine.deciding import Deciding
from syncjob.engine.foreseeing import Foreseeing
from syncjob.engine.handling import Handling
from syncjob.engine.keeping import Keeping
from syncjob.engine.reconciling import Reconciling
from syncjob.engine.taking_back import TakingBack


class ConnectionHandle(
    Calling, Foreseeing, Deciding, Keeping, Handling, Reconciling, TakingBack, Asking
):
    """What a command may ask of a connection."""


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
