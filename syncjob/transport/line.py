"""What all exchanges with one vendor share: credentials, turns within the limits, what was used,
and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from threading import Lock
from urllib.parse import urlsplit

import msgspec
import requests

from syncjob.clock import Clock
from syncjob.core.policy import Mode
from syncjob.core.records import Side
from syncjob.core.reports import Waiting, unwaited
from syncjob.errors import OutcomeUnknown, RefusedAtDoor, Throttled, Unreachable
from syncjob.transport import verdicts
from syncjob.transport.auth import Auth
from syncjob.transport.exchange import TIMEOUT_S, Brought, Exchange, Lost, Timeout, place
from syncjob.transport.limits import Allowance, Limits
from syncjob.transport.wire import Answer, Door, Request

_COME_BACK = "Nothing to do: runs before then end at once, the first one after goes on."

Credentials = dict[str, str]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel has used: requests that may have reached the vendor, their cost, and how
    many of them were writes. Token requests are not the vendor's API and do not count."""

    calls: int = 0
    cost: int = 0
    writes: int = 0


class Asked(msgspec.Struct, frozen=True):
    """The vendor's word to send nothing for `seconds`, and the error that it is."""

    seconds: float
    error: Throttled


class Line:
    """The way to one vendor. Threads may share it.

    `origins` (scheme and host, or a base URL) are the only places that get the credentials;
    empty: any, for tests. `settings` is the config's key for the credentials, for messages;
    `rng` draws the jitter. `timeout` is (connect, read) in seconds. `reads` are the ends of paths
    to which a POST only asks (a search): such a request is read and never written. `waiting` is
    told of each wait.
    """

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
        timeout: Timeout = TIMEOUT_S,
        settings: str = "the credentials in the config",
        origins: Sequence[str] = (),
        rng: Random | None = None,
        reads: Sequence[str] = (),
        waiting: Waiting = unwaited,
    ) -> None:
        self._reads = tuple(reads)
        self._vendor: str = vendor
        self._side: Side = side
        self._mode: Mode = mode
        self._clock, self._auth, self._limits, self._door = clock, auth, limits, door
        self._exchange = Exchange(vendor, clock=clock, session=session, timeout=timeout)
        self._origins = frozenset(_origin(url) for url in origins)
        self._settings = settings
        self._rng, self._waiting = rng or Random(vendor), waiting
        self._lock = Lock()
        self._usage = Usage()
        self._dated: tuple[datetime, float] | None = None  # the last Date, and when it came
        self._meet: Callable[[], None] | None = None
        self._met = 0  # the generation of the token whose books are known

    def server_time(self) -> datetime | None:
        """The vendor's last Date, carried forward by the monotonic clock; None before any."""
        with self._lock:
            if self._dated is None:
                return None
            date, at = self._dated
            return date + timedelta(seconds=self._clock.monotonic() - at)

    def token_generation(self) -> int:
        """The generation of the token in use; a call may be replayed only under its own."""
        return self._auth.generation()

    def next_generation(self) -> int:
        """The generation of the token that the next request will bear, renewed now if it is due.

        Raises AuthFailed, Unreachable, StateError.
        """
        self._auth.headers()
        return self._auth.generation()

    def meet_tokens(self, meet: Callable[[], None]) -> None:
        """Have `meet` called before the first request under each token after the present one.

        A renewed token may open other books: `meet` asks whose they are (through this channel) and
        raises if they are the wrong ones; then nothing else is sent under that token.
        """
        self._met, self._meet = self._auth.generation(), meet

    def usage(self) -> Usage:
        """What was used since the channel was made."""
        with self._lock:
            return self._usage

    def allowances(self) -> list[Allowance]:
        """What the vendor's long windows have left for us."""
        return self._limits.allowances()

    def close(self) -> None:
        """Store the counts and close the connections."""
        self._limits.close()
        self._exchange.close()

    # --- shared by reads and writes -----------------------------------------------------------

    def _turn(self, request: Request, wait_max_s: float) -> float:
        """Wait for a turn within the limits; returns the seconds waited. Raises Throttled."""
        try:
            return self._limits.before(request.cost, wait_max_s, self._limit_wait)
        except Throttled as full:
            full.where, full.next_step = place(request.url), full.next_step or _COME_BACK
            raise

    def _limit_wait(self, until: datetime | None) -> None:
        self._waiting(f"{self._vendor}'s limit", until)

    def _note(self, request: Request, came: Brought) -> None:
        """Count an exchange, unless nothing left, and take the time from its answer."""
        what = came.what
        if isinstance(what, Answer | Lost):
            self._count(request)
        if isinstance(what, Answer) and what.server_time is not None:
            with self._lock:
                if self._dated is None or self._dated[1] <= came.ended:
                    self._dated = (what.server_time, came.ended)

    def _count(self, request: Request) -> None:
        with self._lock:
            self._usage = Usage(
                calls=self._usage.calls + 1,
                cost=self._usage.cost + request.cost,
                writes=self._usage.writes + (not self._only_asks(request)),
            )

    def _credentials(self) -> tuple[Credentials, int]:
        """Headers with the generation they carry, once that token has been met."""
        headers, generation = self._present()
        meet, met = self._meet, self._met
        if meet is None or generation == met:
            return headers, generation
        self._meet = None  # what it asks is sent under the new token
        try:
            meet()
            self._met = self._auth.generation()
        finally:
            self._meet = meet
        return self._present()

    def _present(self) -> tuple[Credentials, int]:
        """Headers with the generation they carry, though another thread may renew meanwhile."""
        while True:
            headers, generation = self._auth.headers(), self._auth.generation()
            if self._auth.headers() == headers:
                return headers, generation

    # --- what is wrong --------------------------------------------------------------------------

    def _throttled(self, answer: Answer) -> Asked | None:
        """The pause that the answer asks for, which holds for all who share these limits."""
        asked = verdicts.pause(answer, self._limits.rules, self._clock.now(), self._vendor)
        if asked is None:
            return None
        resume_at = self._limits.block(asked.seconds, asked.why)
        error = Throttled(asked.why, resume_at=resume_at, where=answer.url, next_step=_COME_BACK)
        return Asked(asked.seconds, error)

    def _check_refusal(self, answer: Answer) -> None:
        refused = verdicts.refusal(answer, self._vendor)
        if refused:
            raise refused

    def _only_asks(self, request: Request) -> bool:
        asks = request.method == "POST" and urlsplit(request.url).path.endswith(self._reads)
        return request.method == "GET" or asks

    def _check_origin(self, request: Request) -> None:
        """Credentials go to the configured addresses only, whatever a link in an answer says."""
        if self._origins and _origin(request.url) not in self._origins:
            raise RefusedAtDoor(
                f"{self._vendor}'s credentials are not sent to another address.",
                where=place(request.url),
            )

    def _unreachable(
        self, request: Request, why: str, resume_at: datetime | None = None
    ) -> Unreachable:
        return Unreachable(
            f"{self._vendor} gives no usable answer: {why}.",
            resume_at=resume_at,
            where=place(request.url),
            next_step="The next run tries again; if it lasts, check the network, and "
            f"{self._side}.api_url in the config.",
        )

    def _unknown(self, request: Request, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"Whether {self._vendor} did this {request.method} is not known: {why}.",
            where=place(request.url),
            next_step="It is looked up before anything is sent again.",
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"
