"""Call limits in fixed windows, and the memory behind Idempotency-Key (facts: xero, 1 and 3)."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from syncjob.sandbox.kernel import Clock, Entropy, Reply, Request
from syncjob.sandbox.xero.options import Limits

KEY_LIFE = timedelta(minutes=6)
KEY_MAX = 128
_LENGTH = {"minute": 60, "day": 86_400, "appminute": 60}


class RateLimiter:
    """Counts calls per (app, tenant) and per app. Windows start at an offset drawn per tenant."""

    def __init__(self, clock: Clock, entropy: Entropy, limits: Limits | None) -> None:
        self._clock, self._entropy = clock, entropy
        self.limits = limits
        self._offsets: dict[str, float] = {}
        self._counts: dict[tuple[str, str, str], tuple[int, int]] = {}

    def check(self, app: str, tenant: str, in_flight: int) -> tuple[Reply | None, dict[str, str]]:
        """A 429 or None, and the headers that every answer of the API carries."""
        if self.limits is None:
            return None, _headers(5_000, 60, 10_000)
        if in_flight > self.limits.concurrent:
            return self._refuse("concurrent", None), self._remaining(app, tenant)
        for name, key, most in self._windows(app, tenant):
            used, rest_s = self._used(name, key)
            if used >= most:
                retry = None if name == "appminute" else rest_s
                return self._refuse(name, retry), self._remaining(app, tenant)
        for name, key, _ in self._windows(app, tenant):
            window = self._window(name, key)[0]
            self._counts[(name, *key)] = (window, self._used(name, key)[0] + 1)
        return None, self._remaining(app, tenant)

    def _windows(self, app: str, tenant: str) -> list[tuple[str, tuple[str, str], int]]:
        assert self.limits is not None
        return [
            ("minute", (app, tenant), self.limits.minute),
            ("day", (app, tenant), self.limits.day),
            ("appminute", (app, ""), self.limits.app_minute),
        ]

    def _window(self, name: str, key: tuple[str, str]) -> tuple[int, int]:
        """The number of the window that now falls in, and the seconds until it ends."""
        length = _LENGTH[name]
        offset = self._offsets.setdefault(name + key[1], self._entropy.uniform(0, length))
        at = self._clock.now().timestamp() - offset
        return int(at // length), max(1, math.ceil(length - at % length))

    def _used(self, name: str, key: tuple[str, str]) -> tuple[int, int]:
        window, rest_s = self._window(name, key)
        counted, used = self._counts.get((name, *key), (window, 0))
        return (used if counted == window else 0), rest_s

    def _remaining(self, app: str, tenant: str) -> dict[str, str]:
        left = {n: most - self._used(n, key)[0] for n, key, most in self._windows(app, tenant)}
        return _headers(left["day"], left["minute"], left["appminute"])

    def _refuse(self, problem: str, retry_s: int | None) -> Reply:
        reply = Reply.of_text("", 429).with_header("X-Rate-Limit-Problem", problem)
        return reply if retry_s is None else reply.with_header("Retry-After", str(retry_s))


def _headers(day: int, minute: int, app: int) -> dict[str, str]:
    return {
        "X-DayLimit-Remaining": str(day),
        "X-MinLimit-Remaining": str(minute),
        "X-AppMinLimit-Remaining": str(app),
    }


class KeyMemory:
    """Answers by Idempotency-Key, for six minutes from the first call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, str, Reply]] = {}

    def find(self, space: str, key: str, request: Request) -> Reply | str | None:
        """The stored answer; or a complaint; or None when the key is new."""
        if len(key) > KEY_MAX:
            return f"Idempotency Key: the key must not exceed {KEY_MAX} characters."
        entry = self._known.get((space, key))
        if entry is None or self._clock.now() - entry[0] >= KEY_LIFE:
            return None
        if entry[1] != _print_of(request):
            return f"Idempotency Key: {key} is used with a different request."
        return entry[2]

    def remembers(self, key: str) -> bool:
        """Whether some app's request under this key would be answered from memory."""
        now = self._clock.now()
        return any(
            known == key and now - entry[0] < KEY_LIFE for (_, known), entry in self._known.items()
        )

    def keep(self, space: str, key: str, request: Request, reply: Reply) -> None:
        self._known[(space, key)] = (self._clock.now(), _print_of(request), reply)


def _print_of(request: Request) -> str:
    text = repr((request.method, request.path, request.query, request.body))
    return hashlib.sha256(text.encode()).hexdigest()
