"""What every sandbox server shares: time, chance, requests, the call log and faults."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

Pairs = tuple[tuple[str, str], ...]

FAULT_KINDS = frozenset(
    {"refuse", "lost", "late", "timeout", "status", "truncate", "html", "empty", "semantic"}
)
_LOGGED_HEADERS = ("idempotency-key", "if-modified-since", "xero-tenant-id", "content-type")
_HIDDEN_KEYS = (
    "client_secret|refresh_token|access_token|api_token|code_verifier|code|password|id_token"
)
_SECRET_FORM = re.compile(rf"(?<![\w-])({_HIDDEN_KEYS})=[^&\s]*")
_SECRET_JSON = re.compile(rf'("(?:{_HIDDEN_KEYS})"\s*:\s*)"[^"]*"')


class Mutex:
    """A re-entrant lock that any copy, pickled ones too, replaces by a fresh one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Mutex], tuple[()]]:
        return Mutex, ()


class Clock:
    """Sandbox time: real time plus an offset, or an instant that stands until it is moved."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._mutex = Mutex()
        self._frozen = frozen_at
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """Each of the two is replaced whole, so that reading one needs no lock."""
        frozen = self._frozen
        return frozen if frozen is not None else datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        self.set(self.now() + timedelta(seconds=seconds))

    def set(self, instant: datetime) -> None:
        with self._mutex:
            if self._frozen is not None:
                self._frozen = instant.astimezone(UTC)
            else:
                self._offset = instant - datetime.now(UTC)

    @property
    def frozen(self) -> bool:
        return self._frozen is not None


class Entropy:
    """All of the sandbox's chance, from one seed."""

    def __init__(self, seed: int = 0) -> None:
        self._mutex = Mutex()
        self._random = random.Random(seed)

    def uniform(self, low: float, high: float) -> float:
        with self._mutex:
            return self._random.uniform(low, high)

    def randint(self, low: int, high: int) -> int:
        with self._mutex:
            return self._random.randint(low, high)

    def chance(self, probability: float) -> bool:
        with self._mutex:
            return self._random.random() < probability

    def hex(self, digits: int) -> str:
        with self._mutex:
            return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """A version 4 UUID, drawn from the seed."""
        raw = self.hex(32)
        variant = "89ab"[int(raw[16], 16) % 4]
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"


@dataclass(frozen=True)
class Request:
    """One request as a server core sees it.

    `path` is the whole path with the mount prefix, decoded but for `%2F`: a slash inside a name.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = ()
    body: bytes = b""
    in_flight: int = 1

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), None)

    def arg(self, name: str) -> str | None:
        """The last query value of that name (case-sensitive), or None."""
        found = [v for k, v in self.query if k == name]
        return found[-1] if found else None


@dataclass(frozen=True)
class Reply:
    """One answer; `effect` says whether the server's state changed: none, applied or refused."""

    status: int
    headers: Pairs = ()
    body: bytes = b""
    effect: str = "none"

    @classmethod
    def of_json(cls, value: Any, status: int = 200, effect: str = "none") -> Reply:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return cls(status, (("Content-Type", "application/json; charset=utf-8"),), body, effect)

    @classmethod
    def of_text(cls, text: str, status: int = 200, kind: str = "text/plain") -> Reply:
        return cls(status, (("Content-Type", f"{kind}; charset=utf-8"),), text.encode())

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((v for k, v in self.headers if k.lower() == wanted), None)

    def json(self) -> Any:
        return json.loads(self.body)

    def with_header(self, name: str, value: str) -> Reply:
        kept = tuple(p for p in self.headers if p[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))


class Dropped(Exception):
    """The connection ends without a (whole) answer; `partial` is what may still be sent first."""

    def __init__(self, why: str, partial: Reply | None = None) -> None:
        super().__init__(why)
        self.partial = partial


class ActError(Exception):
    """A control act that cannot be done; its text goes back to whoever asked."""


class Server(Protocol):
    """A stateful core. `prefixes` maps a path prefix to the label it bears in the call log."""

    @property
    def name(self) -> str: ...

    @property
    def prefixes(self) -> Mapping[str, str]: ...

    def handle(self, request: Request) -> Reply: ...

    def people(self, act: str, payload: dict[str, Any]) -> dict[str, Any]: ...

    def dump(self) -> dict[str, Any]: ...


@dataclass
class Call:
    """One logged request with what became of it."""

    n: int
    server: str
    method: str
    path: str
    query: Pairs
    headers: dict[str, str]
    body: bytes
    at: datetime
    status: int = 0
    effect: str = "none"
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "server": self.server,
            "method": self.method,
            "path": self.path,
            "query": [list(p) for p in self.query],
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
            "at": self.at.isoformat(),
            "status": self.status,
            "effect": self.effect,
            "fault": self.fault,
        }


def redact(text: str) -> str:
    """Blanks the values of secret keys in a form, query or JSON text."""
    return _SECRET_JSON.sub(r'\1"***"', _SECRET_FORM.sub(r"\1=***", text))


class CallLog:
    """Every request, in order of arrival, without secrets.

    Bodies stay byte for byte, except those to an identity server, which are all credentials.
    """

    def __init__(self) -> None:
        self._mutex = Mutex()
        self._calls: list[Call] = []
        self._last = 0

    def open(self, server: str, request: Request, at: datetime) -> Call:
        headers = {h: v for h in _LOGGED_HEADERS if (v := request.header(h)) is not None}
        query = tuple((k, redact(f"{k}={v}").partition("=")[2]) for k, v in request.query)
        body = request.body
        if server.endswith("-identity"):
            body = redact(body.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        with self._mutex:
            self._last += 1
            call = Call(
                self._last,
                server,
                request.method,
                request.path,
                query,
                headers,
                body,
                at,
            )
            self._calls.append(call)
            return call

    def find(
        self, server: str | None = None, method: str | None = None, path: str = "", since: int = 0
    ) -> list[Call]:
        """Calls after number `since`, by server label, method and prefix of the path."""
        with self._mutex:
            return [
                c
                for c in self._calls
                if c.n > since
                and (server is None or c.server == server)
                and (method is None or c.method == method)
                and c.path.startswith(path)
            ]

    def count(self, server: str | None = None, method: str | None = None, path: str = "") -> int:
        return len(self.find(server, method, path))

    def clear(self) -> None:
        with self._mutex:
            self._calls.clear()


@dataclass
class Fault:
    """One fault to inject. `path` is a regex over the path, `contains` a text in the body."""

    kind: str
    server: str | None = None
    method: str | None = None
    path: str | None = None
    contains: str | None = None
    skip: int = 0
    times: int = 1
    delay_s: float = 0.0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    when: str = "before"
    name: str = ""
    id: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ActError(f"unknown fault kind {self.kind!r}; one of {sorted(FAULT_KINDS)}")
        if self.when not in ("before", "after"):
            raise ActError("`when` is 'before' or 'after' the effect")

    def fits(self, server: str, request: Request) -> bool:
        return (
            (self.server is None or self.server == server)
            and (self.method is None or self.method.upper() == request.method)
            and (self.path is None or re.search(self.path, request.path) is not None)
            and (self.contains is None or self.contains.encode() in request.body)
        )


class FaultBook:
    """The faults that wait to happen; each is used up by the calls it fits."""

    def __init__(self) -> None:
        self._mutex = Mutex()
        self._faults: list[Fault] = []
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        with self._mutex:
            self._last += 1
            fault.id = self._last
            self._faults.append(fault)
            return fault

    def clear(self) -> None:
        with self._mutex:
            self._faults.clear()

    def pending(self) -> list[Fault]:
        with self._mutex:
            return list(self._faults)

    def take(self, server: str, request: Request) -> Fault | None:
        """The next transport fault for this call, if one is due."""
        return self._take(lambda f: f.kind != "semantic" and f.fits(server, request))

    def semantic(self, name: str, server: str, request: Request) -> Fault | None:
        """For a server core: the next fault of that name, if one is due for this call."""
        return self._take(
            lambda f: f.kind == "semantic" and f.name == name and f.fits(server, request)
        )

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        if not self._faults:  # as nearly always
            return None
        with self._mutex:
            for fault in [f for f in self._faults if fits(f)]:
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._faults.remove(fault)
                return fault
            return None
