"""A route of the API: its path, the scopes that it needs, and who answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncjob.sandbox.hubspot.limits import Limits
from syncjob.sandbox.hubspot.options import Options
from syncjob.sandbox.hubspot.schema import TYPE_IDS
from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.hubspot.wire import bad_input
from syncjob.sandbox.kernel import Pairs

_SCOPED_AS = {"tasks": "contacts", "notes": "contacts"}  # facts: hubspot, 5a.5


@dataclass(frozen=True)
class Call:
    """One admitted request, read and checked."""

    store: Store
    version: str
    keys: tuple[str, ...]
    query: Pairs
    sent: dict[str, Any]
    size: int  # characters of the body
    base: str  # where `paging.next.link` points
    limits: Limits

    @property
    def options(self) -> Options:
        return self.store.options

    @property
    def enforce(self) -> bool:
        """Whether this version holds API writes to the admins' rules."""
        return self.version >= self.options.enforcing

    def arg(self, name: str) -> str | None:
        found = [v for k, v in self.query if k == name]
        return found[-1] if found else None

    def flag(self, name: str) -> bool:
        value = (self.arg(name) or "false").lower()
        if value not in ("true", "false"):
            raise bad_input(f"{name} is true or false")
        return value == "true"

    def names(self, name: str) -> tuple[str, ...] | None:
        """A list in the query: given once with commas, or several times."""
        found = [v for k, v in self.query if k == name]
        if not found:
            return None
        return tuple(part for text in found for part in text.split(",") if part)

    def inputs(self, most: int) -> list[dict[str, Any]]:
        found = self.sent.get("inputs")
        if not isinstance(found, list) or not all(isinstance(i, dict) for i in found):
            raise bad_input("inputs is a list of objects")
        if not found:
            raise bad_input("inputs must not be empty")
        if len(found) > most:
            raise bad_input(f"inputs: the maximum batch size is {most}")
        return found


@dataclass(frozen=True)
class Answer:
    body: Any
    status: int = 200
    wrote: bool = False


Scopes = Callable[[tuple[str, ...]], tuple[str, ...]]


def _no_scopes(_: tuple[str, ...]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Route:
    """`path` after the version: `{type}` an object type, `{id}` any one part."""

    method: str
    family: str  # crm/objects, crm/associations, ...
    path: str
    handle: Callable[[Call], Answer]
    scopes: Scopes = _no_scopes
    limit: str = "other"
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        text = self.path.replace("{type}", r"([\w-]+)").replace("{id}", r"([^/]+)")
        object.__setattr__(self, "pattern", re.compile(f"^{text}$"))


def type_of(word: str) -> str | None:
    """`deals`, `deal` and `0-3` name the same type."""
    known = set(TYPE_IDS.values())
    return word if word in known else TYPE_IDS.get(word)


def scope(kind: str, act: str) -> str:
    return f"crm.objects.{_SCOPED_AS.get(kind, kind)}.{act}"


def read_scope(keys: tuple[str, ...]) -> tuple[str, ...]:
    kind = type_of(keys[0])
    return () if kind is None else (scope(kind, "read"),)


def write_scope(keys: tuple[str, ...]) -> tuple[str, ...]:
    kind = type_of(keys[0])
    return () if kind is None else (scope(kind, "write"),)
