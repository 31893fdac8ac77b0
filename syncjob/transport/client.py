"""The door itself: one channel to one vendor, which retries reads and never a write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from syncjob.errors import (
    RefusedAtDoor,
    RetryLater,
    Stop,
    SyncJobError,
    Throttled,
)
from syncjob.transport import verdicts
from syncjob.transport.exchange import Brought, Lost, NeverLeft, place
from syncjob.transport.limits import WAIT_S_MAX
from syncjob.transport.line import Credentials, Line, Usage
from syncjob.transport.modes import refuse
from syncjob.transport.naps import Naps
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Call, Request, Written

__all__ = ["HttpChannel", "Usage"]

READ_TRIES = 3
#: The first wait after a failed read; the next is twice as long. A part of each wait is drawn, so
#: that callers who failed together do not come back together.
BACKOFF_S = 2.0
JITTER_S_MAX = 1.0


class _Again(Exception):
    """A read that may succeed if repeated after `wait_s` (None: our own backoff); `error` is
    what it ends as if not."""

    def __init__(self, error: RetryLater, wait_s: float | None = None) -> None:
        super().__init__()
        self.error, self.wait_s = error, wait_s


class HttpChannel(Line):
    """A Channel (wire.py) over HTTP; see Line for what it is made of."""

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
        came = self.write_all([call])[0]
        if isinstance(came, Answer):
            return came
        raise came

    def write_all(self, calls: Sequence[Call]) -> list[Written]:
        """Send these journaled writes, none of which needs another's answer, each as `write` does;
        over a network all are on their way at the same time. What `write` raises stands in the
        answer's place, so that none takes away what the others brought. If one of them must not be
        sent in this mode, none is.
        """
        try:
            for call in calls:
                self._check_write(call)
        except RefusedAtDoor as refusal:
            return [refusal] * len(calls)
        came, generation = self._leave(calls)
        refused: SyncJobError | None = None
        for number, call in enumerate(calls):
            answer = came[number]
            if not isinstance(answer, Answer) or answer.status != 401:
                continue
            came[number] = refused or self._once_more(call, answer, generation)
            last = came[number]
            refused = last if isinstance(last, Stop | RetryLater) else None
        return [self._read_as(what) for what in came]

    def room(self, cost: int, most: int) -> int:
        """How many writes of this cost may be sent at the same time now, at least 1 and at most
        `most`: none of them would have to wait for another."""
        return self._limits.room(cost, most)

    # --- writes -------------------------------------------------------------------------------

    def _check_write(self, call: Call) -> None:
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

    def _once_more(self, call: Call, answer: Answer, generation: int) -> Written:
        """What comes after a 401: the same bytes under a renewed token, if there is one."""
        if not verdicts.missing_scope(answer):
            try:
                renewed = self._auth.refused(generation)
            except (RetryLater, Stop) as error:
                return error
            if renewed:
                came = self._leave([call])[0][0]
                if not isinstance(came, Answer) or came.status != 401:
                    return came
                answer = came
        return verdicts.not_let_in(answer, self._vendor, self._settings)

    def _leave(self, calls: Sequence[Call]) -> tuple[list[Written], int]:
        """What each of these brought, 401s among it, and the generation of their token."""
        try:
            headers, generation = self._credentials()
        except (RetryLater, Stop) as error:
            return [error] * len(calls), 0
        came: dict[int, Written] = {}
        for call in calls:
            if call.token_generation not in (0, generation):
                came[call.id] = self._unknown(
                    call.request, "it was sent before under a token that is renewed by now"
                )
        going = [call for call in calls if call.id not in came]
        came |= self._through_the_door(going, headers, generation) if going else {}
        return [came[call.id] for call in calls], generation

    def _through_the_door(
        self, calls: Sequence[Call], headers: Credentials, generation: int
    ) -> dict[int, Written]:
        """Ask the door last, after all waiting, so that a pause or a lost lease is seen."""
        came: dict[int, Written] = {}
        going: list[Call] = []
        brought: list[Brought] = []
        try:
            for call in calls:
                self._turn(call.request, WAIT_S_MAX)
                going.append(call)
        except (RetryLater, Stop) as full:
            came = dict.fromkeys((call.id for call in calls[len(going) :]), full)
        try:
            if going:
                self._door.admit(going)
                self._door.sent(going, generation)
                brought = self._exchange.send_all([call.request for call in going], headers)
        except (RetryLater, Stop) as error:
            return came | dict.fromkeys((call.id for call in going), error)
        finally:
            answers = [one.what if isinstance(one.what, Answer) else None for one in brought]
            self._limits.after_all(answers or [None] * len(going))
        for call, one in zip(going, brought, strict=True):
            self._note(call.request, one)
            came[call.id] = self._meant(call, one)
        return came

    def _meant(self, call: Call, came: Brought) -> Written:
        match came.what:
            case NeverLeft() as failure:
                return self._unreachable(call.request, f"{failure}; nothing was sent")
            case Lost() as failure:
                return self._unknown(call.request, str(failure))
            case other:
                return other

    def _read_as(self, came: Written) -> Written:
        """The answer, or what its status means for the call."""
        if not isinstance(came, Answer):
            return came
        throttled = self._throttled(came)
        return throttled.error if throttled else verdicts.refusal(came, self._vendor) or came

    # --- one attempt --------------------------------------------------------------------------

    def _read_once(self, request: Request, naps: Naps) -> Answer:
        """One attempt, with one renewal of the token within it. Raises _Again."""
        try:
            answer = self._authorised(lambda headers, _: self._send_read(request, headers, naps))
        except (NeverLeft, Lost) as failure:
            raise _Again(self._unreachable(request, str(failure))) from None
        passing = answer.status >= 500 or answer.status == 408
        if passing or answer.status in self._limits.rules.try_later:
            said = f": {excerpt(answer.body)!r}" if answer.body else ""
            words = f"it answers {answer.status}{said}{verdicts.trace(answer)}"
            now = self._clock.now()
            wait_s = verdicts.retry_after_s(answer, now)
            resume_at = None if wait_s is None else now + timedelta(seconds=wait_s)
            raise _Again(self._unreachable(request, words, resume_at), wait_s)
        throttled = self._throttled(answer)
        if throttled:
            raise _Again(throttled.error, throttled.seconds)
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

    def _send(self, request: Request, headers: Credentials) -> Answer:
        """The exchange itself, counted unless nothing left."""
        came = self._exchange.send_all([request], headers)[0]
        self._note(request, came)
        if isinstance(came.what, Answer):
            return came.what
        raise came.what

    def _awaited(self, error: RetryLater) -> str:
        """What is waited for between two attempts, in words."""
        limit = isinstance(error, Throttled)
        return f"{self._vendor}'s limit" if limit else f"{self._vendor}, which gives no answer,"
