"""What all models of the config have in common: no unknown keys, no changes, days as days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _iso_day(value: Any) -> Any:
    """Refuse what pydantic would read as seconds since 1970: a day is written YYYY-MM-DD."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return value


#: A calendar day of the config.
Day = Annotated[date, BeforeValidator(_iso_day)]


def _iso_moment(value: Any) -> Any:
    """A day, or an instant with its zone: an instant of nowhere is nobody's."""
    if not isinstance(value, str) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return date.fromisoformat(value) if isinstance(value, str) else value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a day (2026-11-23) or an instant with Z (2026-11-23T09:30:00Z)")
    return moment


#: A calendar day of the config, or an instant of one.
Moment = Annotated[datetime | date, BeforeValidator(_iso_moment)]


#: So many parts of a config are known at a time: those of a few connections.
_PARTS_KEPT = 64
M = TypeVar("M", bound="Strict")
V = TypeVar("V")


def once_each(make: Callable[[M], V]) -> Callable[[M], V]:
    """`make`, asked once of each part of a config, which never changes; whoever is given the
    answer must not change it either. A decision asks some things of the config for each deal."""
    known: dict[int, tuple[M, V]] = {}  # by identity, which no other has while the part is kept

    def ask(part: M) -> V:
        found = known.get(id(part))
        if found is None:
            if len(known) >= _PARTS_KEPT:
                known.clear()
            found = known[id(part)] = (part, make(part))
        return found[1]

    return ask


class Strict(BaseModel):
    """Base of all policy and config models: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
