"""Every exchange and every commit is a numbered point, at which a fault can be put.

The doors are wrapped from outside (`State.commit`, `Vault.save`, the sidecar); nothing in the
product knows of them. A killed run unwinds by `Killed`; whatever still runs while it unwinds meets
`Killed` again at the next door, so that only what was committed survives, as after SIGKILL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from syncjob.engine import recovery
from syncjob.sandbox.kernel import Fault
from syncjob.state.database import State, readable_errors
from syncjob.state.vault import Vault
from syncjob.transport.ports import Token

PointKind = Literal["read", "write", "token", "commit"]


class Killed(BaseException):
    """The process ends here; nothing after it happens."""


@dataclass(frozen=True)
class Point:
    """One occurrence of a door in one batch: its number, and what passes there."""

    n: int
    kind: PointKind
    words: str


_DAY = {"Retry-After": "5400", "X-Rate-Limit-Problem": "day"}
_MINUTE = {"Retry-After": "30", "X-Rate-Limit-Problem": "minute"}

#: What the servers' own host plays: the arguments of a sandbox fault. `twice` is met by the next
#: exchange of the same method and path as well, which is what a replay meets.
SERVER_FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"kind": "refuse"},
    "lost": {"kind": "lost"},
    "lost twice": {"kind": "lost", "times": 2},
    "timeout": {"kind": "lost"},
    "timeout twice": {"kind": "lost", "times": 2},
    "late": {"kind": "late", "delay_s": 240},
    "late twice": {"kind": "late", "delay_s": 600, "times": 2},
    "truncated": {"kind": "truncate"},
    "truncated twice": {"kind": "truncate", "times": 2},
    "html 200": {"kind": "html", "status": 200, "when": "after"},
    "html 502": {"kind": "html", "status": 502, "when": "before"},
    "html 502 after": {"kind": "html", "status": 502, "when": "after"},
    "empty": {"kind": "empty", "status": 200, "when": "after"},
    "429 minute": {"kind": "status", "status": 429, "headers": _MINUTE},
    "429 day": {"kind": "status", "status": 429, "headers": _DAY},
    "429 bare": {"kind": "status", "status": 429},
    "401 once": {"kind": "status", "status": 401, "body": '{"Title":"Unauthorized"}'},
    "403": {"kind": "status", "status": 403, "body": '{"Title":"Forbidden"}'},
    "500 before": {"kind": "status", "status": 500, "body": "{}"},
    "500 after": {"kind": "status", "status": 500, "body": "{}", "when": "after"},
    "500 after twice": {
        "kind": "status", "status": 500, "body": "{}", "when": "after", "times": 2,
    },
    "503 before": {"kind": "status", "status": 503},
    "503 after": {"kind": "status", "status": 503, "when": "after"},
    "half": {"kind": "semantic", "name": "commit_half"},
}  # fmt: skip
#: What only HubSpot's servers refuse with (facts: hubspot, 5f).
HUBSPOT_FAULTS: dict[str, dict[str, Any]] = {
    "423 locked": {"kind": "semantic", "name": "locked"},
    "477 moving": {"kind": "semantic", "name": "migration"},
    "429 ten seconds": {"kind": "semantic", "name": "ten_seconds"},
    "429 secondly": {"kind": "semantic", "name": "secondly"},
    "524": {"kind": "semantic", "name": "timeout_524"},
}
HUBSPOT_KINDS: tuple[str, ...] = tuple(HUBSPOT_FAULTS)
#: Waits of the client before it gives up, in seconds, by kind.
WAITS_S = {"timeout": 60, "timeout twice": 60, "late": 60, "late twice": 60}

HERE = ("refused", "kill before", "kill after", "edit before", "edit after")
EXCHANGE_KINDS: tuple[str, ...] = (*HERE, *SERVER_FAULTS)
#: A read has no effect: what differs only in whether the effect took place is one kind for it.
READ_KINDS: tuple[str, ...] = (
    *HERE, "reset", "timeout", "truncated", "html 200", "html 502", "empty", "429 minute",
    "429 day", "429 bare", "401 once", "403", "500 before", "503 before",
)  # fmt: skip
COMMIT_KINDS = ("kill before", "kill after", "disk full")


def kinds_of(point: Point) -> tuple[str, ...]:
    """The faults that mean something at this point."""
    if point.kind == "commit":
        return COMMIT_KINDS
    more = HUBSPOT_KINDS if " /hubspot/" in point.words else ()
    if point.kind == "write":
        return (*EXCHANGE_KINDS, *more)
    if point.kind == "read":
        return (*READ_KINDS, *more)
    return ("refused", "lost", "html 502", "kill after")


@dataclass
class Faults:
    """The faults that are armed for the current batch, and what was met."""

    armed: dict[int, str] = field(default_factory=dict)
    #: The same by the number of the write in the batch, from 0.
    at_writes: dict[int, str] = field(default_factory=dict)
    #: What a person does at an "edit" point.
    edit: Callable[[], None] | None = None
    tell: Callable[[str], None] = lambda words: None
    points: list[Point] = field(default_factory=list)
    fired: list[tuple[Point, str]] = field(default_factory=list)
    dead: bool = False

    def begin(self) -> None:
        """A new batch: points count from 0."""
        self.points, self.dead = [], False

    def meet(self, kind: PointKind, words: str) -> str | None:
        """Pass a door; returns the fault that is armed there."""
        if self.dead:
            raise Killed
        point = Point(len(self.points), kind, words)
        self.points.append(point)
        fault = self.armed.get(point.n)
        if kind == "write":
            writes = sum(p.kind == "write" for p in self.points) - 1
            fault = fault or self.at_writes.get(writes)
        if fault is None or fault not in kinds_of(point):
            return None
        self.fired.append((point, fault))
        self.tell(f"    fault at point {point.n} ({kind} {words}): {fault}")
        return fault

    def kill(self) -> None:
        """End the process."""
        self.dead = True
        raise Killed

    def do_edit(self) -> None:
        """A person acts just now."""
        if self.edit is not None:
            self.edit()


def server_fault(kind: str) -> Fault:
    """The sandbox's own fault of that name."""
    return Fault(**{**SERVER_FAULTS, **HUBSPOT_FAULTS}[kind])


# --- the doors -----------------------------------------------------------------------------------

_active: list[Faults] = []


@contextmanager
def watching(faults: Faults) -> Iterator[None]:
    """Let these faults happen at the doors of whatever runs inside."""
    _active.append(faults)
    try:
        yield
    finally:
        _active.pop()


_commit, _save = State.commit, Vault.save
_sidecar = recovery.write_sidecar


def _met(words: str) -> str | None:
    return _active[-1].meet("commit", words) if _active else None


def _before(fault: str | None) -> None:
    """Killed or refused before it counts."""
    if fault == "kill before":
        _active[-1].kill()
    if fault == "disk full":
        raise sqlite3.OperationalError("database or disk is full")


def _after(fault: str | None) -> None:
    """Killed right after it counted."""
    if fault == "kill after":
        _active[-1].kill()


@contextmanager
def _watched_commit(self: State) -> Iterator[None]:
    if self.db.conn.in_transaction:  # a part of an outer commit
        with _commit(self):
            yield
        return
    with _commit(self):
        fault = _met("state")
        yield
        _before(fault)
    _after(fault)


def _watched_save(self: Vault, key: str, token: Token) -> None:
    fault = _met("token")
    with self._words():
        _before(fault)
    _save(self, key, token)
    _after(fault)


def _watched_sidecar(state: Path, batch: int) -> None:
    fault = _met("sidecar")
    with readable_errors(state):
        _before(fault)
    _sidecar(state, batch)
    _after(fault)


State.commit = _watched_commit  # type: ignore[method-assign]
Vault.save = _watched_save  # type: ignore[method-assign]
recovery.write_sidecar = _watched_sidecar
