"""Is a write still the one that was shown? Two decisions of one write, compared value by value.

What may move between a plan and its application is named here and nowhere else: the day on which
something is made (BOOKKEEPING, "Dates": an invoice bears the day on which it is made), with what is
reckoned from it; the stamp and the count of days that a deal bears; and what only a vendor's answer
can tell. Everything else that differs was changed by somebody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from syncjob.core.actions import (
    Action,
    ContactChange,
    DealChange,
    InvoiceChange,
    InvoiceDraft,
    InvoiceUpdate,
    Message,
    NoteDraft,
    Task,
)
from syncjob.core.contacts.words import NAMES
from syncjob.core.parts import NOT_YET
from syncjob.core.telling import tells_of

Flat = dict[str, str | None]

_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_CALENDAR = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d+ days?\b")
#: What of a draft is reckoned from the day on which it is made: its dates, the words in its lines
#: and the offer that name a day.
_OF_THE_DAY = re.compile(
    r"(draft\.)?(date|due_date|early\..*|explained|lines\.\d+\.description)|due_date|date"
)
#: What of a notice or note is told in words that count days.
_TOLD = ("due", "note", "text", "subject", "line")
#: By name: a digest of all that an invoice is made of, what of a contact the other side said, and
#: the tax of each line.
_ECHO = re.compile(r"source|the other side's .*|taxes \d+")
#: The id of the other side's record, which a plan of a new customer cannot know.
_OWNERS = ("contact_id", "draft.contact_id", "organization_id")


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value of a write: what stood there and what the plan would write, and both as of now."""

    name: str
    before: str | None = None
    after: str | None = None
    now_before: str | None = None
    now_after: str | None = None

    @property
    def stood(self) -> bool:
        """Whether it is what stands there that changed, and not what would be written."""
        return self.after == self.now_after


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation's day on which the plan was made, and that on which it is applied."""

    planned: date
    today: date

    @property
    def passed(self) -> bool:
        return self.planned != self.today


#: Whether the record with this id is one that the plan itself was to create.
Ours = Callable[[str], bool]


def key_of(action: Action) -> tuple[str, ...]:
    """What makes two actions one write: its kind and record; a message is what it tells to whom."""
    payload = action.payload
    if isinstance(payload, Message) and payload.tells:
        told = sorted(f"{t.marker} {t.due} {t.step} {t.person}" for t in tells_of(payload))
        return (action.kind, payload.way, payload.to, *told)
    return (action.side, action.kind, action.target)


def new_dates(planned: Action, now: Action, days: Days) -> dict[str, str]:
    """The dates that move because the invoice is made on a later day: planned -> now, as text.

    Empty where a rule or a person gave the date: then both decisions bear the same, or one of
    them was changed.
    """
    was, then = _dated(planned), _dated(now)
    if was is None or then is None or not days.passed:
        return {}
    if was[0] != days.planned or then[0] != days.today:
        return {}
    pairs = zip(was, then, strict=True)
    return {f"{old}": f"{new}" for old, new in pairs if old and new and old != new}


def _dated(action: Action) -> tuple[date | None, date | None] | None:
    match action.payload:
        case InvoiceDraft() as draft:
            return draft.date, draft.due_date
        case InvoiceUpdate(draft=draft):
            return draft.date, draft.due_date
        case InvoiceChange() as change:
            return change.date, change.due_date
    return None


def compare(
    planned: Action, now: Action, days: Days, moved: Mapping[str, str], ours: Ours
) -> tuple[list[Difference], list[Difference]]:
    """What differs between the write as it was planned and as it is decided now: first what
    somebody changed, then what moved with the calendar.

    `moved` are the dates of the same deal's invoices that move (`new_dates`).
    """
    was, then = _flat(planned.payload), _flat(now.payload)
    stood, stands = _stood(planned), _stood(now)
    changed: list[Difference] = []
    calendar: list[Difference] = []
    for path in dict.fromkeys((*was, *then, *stood, *stands)):
        if path in _unheeded(planned):
            continue
        found = Difference(
            name=_name(planned, path), before=stood.get(path), after=was.get(path),
            now_before=stands.get(path), now_after=then.get(path),
        )  # fmt: skip
        if _only_a_date_moves(planned, found, moved):
            calendar.append(found)
        elif found.before != found.now_before:
            changed.append(found)
        elif found.after != found.now_after:
            moves = _may_move(planned, path, found, days, moved, ours)
            (calendar if moves else changed).append(found)
    return _telling(changed), [found for found in calendar if _DAY.search(found.now_after or "")]


def _telling(changed: list[Difference]) -> list[Difference]:
    """Without what only follows from the rest and tells a person nothing, unless it is all."""
    told = [found for found in changed if not _ECHO.fullmatch(found.name)]
    if told or not changed:
        return told
    return [Difference(name="the record", after="as planned", now_after="changed since")]


def done_as(planned: Action, done: Action, ours: Ours) -> bool:
    """Whether what was written is what was planned, on whichever day it was made."""
    was, then, unheeded = _flat(planned.payload), _flat(done.payload), _unheeded(planned)
    return all(
        _same_but_for_days(path, was.get(path), then.get(path), ours)
        for path in dict.fromkeys((*was, *then))
        if path not in unheeded
    )


def _same_but_for_days(path: str, old: str | None, new: str | None, ours: Ours) -> bool:
    if old is None or new is None:
        return old == new or _one_of_ours(path, old, new, ours)
    return _told_later(old, new) or _CALENDAR.sub("", old) == _CALENDAR.sub("", new)


def _one_of_ours(path: str, old: str | None, new: str | None, ours: Ours) -> bool:
    """A record's id that the plan could not know, since the plan itself was to create it."""
    return old is None and new is not None and path in _OWNERS and ours(new)


def _told_later(old: str, new: str) -> bool:
    """Whether the new value says what the plan left for the ledger's answer to tell."""
    if NOT_YET not in old:
        return False
    pattern = ".+".join(re.escape(piece) for piece in old.split(NOT_YET))
    return re.fullmatch(pattern, new, re.DOTALL) is not None


def _may_move(
    planned: Action, path: str, found: Difference, days: Days, moved: Mapping[str, str], ours: Ours
) -> bool:
    """Whether this value may differ without anybody having changed anything."""
    old, new = found.after, found.now_after
    if old is None or new is None:
        return _one_of_ours(path, old, new, ours)
    if _told_later(old, new) or _another_days_name(planned.payload, path, days):
        return True
    if _moving(planned.payload, path, days, moved):
        return _CALENDAR.sub("", old) == _CALENDAR.sub("", new)
    if isinstance(planned.payload, DealChange):
        return _DAY.sub(lambda day: moved.get(day[0], day[0]), old) == new
    return False


def _only_a_date_moves(planned: Action, found: Difference, moved: Mapping[str, str]) -> bool:
    """Whether a deal's date, which was to stay, follows its invoice to the day it is made on."""
    stays = isinstance(planned.payload, DealChange) and found.before is None and found.after is None
    later = moved.get(found.now_before or "")
    return stays and later is not None and later == found.now_after


def _moving(payload: object, path: str, days: Days, moved: Mapping[str, str]) -> bool:
    if isinstance(payload, InvoiceDraft | InvoiceUpdate | InvoiceChange):
        return bool(moved) and _OF_THE_DAY.fullmatch(path) is not None
    return isinstance(payload, Task | Message | NoteDraft) and days.passed and path in _TOLD


def _another_days_name(payload: object, path: str, days: Days) -> bool:
    """A digest bears its day in its name; what it tells to whom is what makes it one."""
    return isinstance(payload, Message) and path == "marker" and days.passed


def _unheeded(action: Action) -> Collection[str]:
    """The values of a deal that are written along and never a reason to write."""
    payload = action.payload
    if isinstance(payload, DealChange):
        return {f"fields.{n}" for n in (payload.stamp_field, payload.days_field) if n}
    return ()


def _stood(action: Action) -> Flat:
    """What stood there, under the paths of what is to be written, as far as they are the same."""
    inside = {DealChange: "fields.", ContactChange: "values."}.get(type(action.payload), "")
    return {f"{inside}{name}": value for name, value in action.before.items()}


def _flat(payload: object) -> Flat:
    return dict(_leaves(msgspec.to_builtins(payload, str_keys=True), ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, None if value is None else str(value)


def _name(action: Action, path: str) -> str:
    """A value's name as a person reads it: "lines.0.unit_price" -> "line 1 unit price"."""
    if isinstance(action.payload, DealChange):
        return path.removeprefix("fields.")
    if isinstance(action.payload, ContactChange):
        name = path.removeprefix("values.")
        return NAMES.get(name, name).replace("follows.", "the other side's ")
    words = [str(int(w) + 1) if w.isdigit() else w for w in path.split(".") if w != "draft"]
    return " ".join(words).replace("lines ", "line ").replace("_", " ")
