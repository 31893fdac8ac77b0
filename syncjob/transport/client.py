"""The door itself: one channel to one vendor, which retries reads and never a write."""

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
from syncjob.errors import OutcomeUnknown, RefusedAtDoor, RetryLater, Throttled, Unreachable
from syncjob.transport import verdicts
from syncjob.transport.auth import Auth
from syncjob.transport.exchange import TIMEOUT_S, Exchange, Lost, NeverLeft, Timeout, place
from syncjob.transport.limits import WAIT_S_MAX, Allowance, Limits
from syncjob.transport.modes import refuse
from syncjob.transport.naps import Naps
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Call, Door, Request

READ_TRIES = 3
#: The first wait after a failed read; the next is twice as long. A part of each wait is drawn, so
#: that callers who failed together do not come back together.
BACKOFF_S = 2.0
JITTER_S_MAX = 1.0

_COME_BACK = "Nothing to do: runs before then end at once, the first one after goes on."

Credentials = dict[str, str]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel has used: requests that may have reached the vendor, their cost, and how
    many of them were writes. Token requests are not the vendor's API and do not count."""

    calls: int = 0
    cost: int = 0
    writes: int = 0


class _Again(Exception):
    """A read that may succeed if repeated after `wait_s` (None: our own backoff); `error` is
    what it ends as if not."""

    def __init__(self, error: RetryLater, wait_s: float | None = None) -> None:
        super().__init__()
        self.error, self.wait_s = error, wait_s


class HttpChannel:
    """A Channel (wire.py) over HTTP. Threads may share it.

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

    def read(self, request: Request) -> Answer:
        """Send what only asks, at most three times, waiting at most a minute in all.

        Returns any answer below 500 but 401, 429 and the vendor's own words for "try later".
        Raises Throttled, Unreachable, AuthFailed, and RefusedAtDoor for anything but a read.
        """
        if not self._only_asks(request):
            raise RefusedAtDoor(f"{request.method} is not a read.", where=place(request.url))
        self._check_origin(request)
        naps, attempt = Naps(self._clock, self._waiting), 0
        while True:
            attempt += 1
            try:
                return self._read_once(request, naps)
            except _Again as again:
                trouble = again
            wait_s = BACKOFF_S * 2 ** (attempt - 1) if trouble.wait_s is None else trouble.wait_s
            wait_s += self._rng.uniform(0, JITTER_S_MAX)
            if attempt == READ_TRIES or wait_s > naps.left_s:
                raise trouble.error
            naps.sleep(wait_s, self._awaited(trouble.error))

    def write(self, call: Call) -> Answer:
        """Send a journaled write once; again only after a 401, which has no effect.

        Returns the answer whatever its status but 401, 402, 407, 429 and the 403s that shut the
        door. Raises RefusedAtDoor, Paused or LockHeld (nothing left), Throttled, Unreachable or
        AuthFailed (certainly no effect), OutcomeUnknown (the answer is lost).
        """
        request = call.request
        reason = refuse(self._mode, self._side, request)
        if self._only_asks(request):
            reason = "a read is not a write"
        if reason:
            raise RefusedAtDoor(
                f"This {request.method} must not be sent: {reason}.",
                where=place(request.url),
                next_step="Nothing was sent. Please report it.",
            )
        self._check_origin(request)
        try:
            answer = self._authorised(lambda *credentials: self._send_write(call, *credentials))
        except NeverLeft as failure:
            raise self._unreachable(request, f"{failure}; nothing was sent") from None
        except Lost as failure:
            raise self._unknown(request, str(failure)) from None
        throttled = self._throttled(answer)
        if throttled:
            raise throttled.error
        self._check_refusal(answer)
        return answer

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

    # --- one attempt --------------------------------------------------------------------------

    def _read_once(self, request: Request, naps: Naps) -> Answer:
        """One attempt, with one renewal of the token within it. Raises _Again."""
        try:
            answer = self._authorised(lambda headers, _: self._send_read(request, headers, naps))
        except (NeverLeft, Lost) as failure:
            raise _Again(self._unreachable(request, str(failure))) from None
        if answer.status >= 500 or answer.status in self._limits.rules.try_later:
            said = f": {excerpt(answer.body)!r}" if answer.body else ""
            words = f"it answers {answer.status}{said}{verdicts.trace(answer)}"
            now = self._clock.now()
            wait_s = verdicts.retry_after_s(answer, now)
            resume_at = None if wait_s is None else now + timedelta(seconds=wait_s)
            raise _Again(self._unreachable(request, words, resume_at), wait_s)
        throttled = self._throttled(answer)
        if throttled:
            raise throttled
        self._check_refusal(answer)
        return answer

    def _authorised(self, send: Callable[[Credentials, int], Answer]) -> Answer:
        """The answer to `send(headers, token generation)`, sent again once if the token was
        refused and could be renewed. Raises AuthFailed for any other 401."""
        headers, generation = self._credentials()
        answer = send(headers, generation)
        if answer.status != 401:
            return answer
        if not verdicts.missing_scope(answer) and self._auth.refused(generation):
            answer = send(*self._credentials())
            if answer.status != 401:
                return answer
        raise verdicts.not_let_in(answer, self._vendor, self._settings)

    def _send_read(self, request: Request, headers: Credentials, naps: Naps) -> Answer:
        naps.left_s -= self._turn(request, naps.left_s)
        answer = None
        try:
            answer = self._send(request, headers)
        finally:
            self._limits.after(answer)
        return answer

    def _send_write(self, call: Call, headers: Credentials, generation: int) -> Answer:
        """Ask the door last, after all waiting, so that a pause or a lost lease is seen."""
        if call.token_generation not in (0, generation):
            raise self._unknown(
                call.request, "it was sent before under a token that is renewed by now"
            )
        self._turn(call.request, WAIT_S_MAX)
        answer = None
        try:
            self._door.admit(call)
            self._door.sent(call, generation)
            answer = self._send(call.request, headers)
        finally:
            self._limits.after(answer)
        return answer

    def _turn(self, request: Request, wait_max_s: float) -> float:
        """Wait for a turn within the limits; returns the seconds waited. Raises Throttled."""
        try:
            return self._limits.before(request.cost, wait_max_s, self._limit_wait)
        except Throttled as full:
            full.where, full.next_step = place(request.url), full.next_step or _COME_BACK
            raise

    def _limit_wait(self, until: datetime | None) -> None:
        self._waiting(f"{self._vendor}'s limit", until)

    def _awaited(self, error: RetryLater) -> str:
        """What is waited for between two attempts, in words."""
        limit = isinstance(error, Throttled)
        return f"{self._vendor}'s limit" if limit else f"{self._vendor}, which gives no answer,"

    def _send(self, request: Request, headers: Credentials) -> Answer:
        """The exchange itself, counted unless nothing left."""
        try:
            answer = self._exchange.send(request, headers)
        except Lost:
            self._count(request)
            raise
        self._count(request)
        if answer.server_time is not None:
            with self._lock:
                self._dated = (answer.server_time, self._clock.monotonic())
        return answer

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

    def _throttled(self, answer: Answer) -> _Again | None:
        """The pause that the answer asks for, which holds for all who share these limits."""
        asked = verdicts.pause(answer, self._limits.rules, self._clock.now(), self._vendor)
        if asked is None:
            return None
        resume_at = self._limits.block(asked.seconds, asked.why)
        error = Throttled(asked.why, resume_at=resume_at, where=answer.url, next_step=_COME_BACK)
        return _Again(error, asked.seconds)

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
