"""The door itself: one channel to one vendor, which retries reads and never a write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

import msgspec
import requests

from syncjob.clock import Clock
from syncjob.core.policy import Mode
from syncjob.core.records import Side
from syncjob.transport.auth import Auth
from syncjob.transport.limits import Limits
from syncjob.transport.wire import Answer, Call, Door, Request


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel has used so far: exchanges with the vendor, and their cost."""

    calls: int
    cost: int
    writes: int


class HttpChannel:
    """A Channel (wire.py) over HTTP. Threads may share it."""

    def __init__(
        self,
        vendor: str,
        *,
        side: Side,
        mode: Mode,
        clock: Clock,
        auth: Auth,
        limits: Limits,
        door: Door,
        session: requests.Session | None = None,
        timeout: tuple[float, float] = (5, 60),
        origins: Sequence[str] = (),
        rng: Random | None = None,
    ) -> None: ...

    def read(self, request: Request) -> Answer:
        raise NotImplementedError

    def write(self, call: Call) -> Answer:
        raise NotImplementedError

    def server_time(self) -> datetime | None:
        raise NotImplementedError

    def usage(self) -> Usage:
        raise NotImplementedError

    def close(self) -> None: ...
