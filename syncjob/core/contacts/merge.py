"""One field of a linked pair: what each side says, what they agreed on, and what follows.

A change is what differs from a side's own base, which is what that server stored when both last
agreed. The owner of a field decides; the other side may fill what is empty, never replace it
(BOOKKEEPING, "Whose customer"). Keeps invariants 6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from syncjob.core.contacts.fields import LISTS, ROOM, decode_list, keys_of, same
from syncjob.core.policy_contacts import Owner

#: agree: both say the same. rest: each says what it said when they agreed. write: `crm` or
#: `ledger` is to change. differs: an edit of the side that does not own the field; listed.
#: conflict: both were edited and a person is to decide.
Verdict = Literal["agree", "rest", "write", "differs", "conflict"]


Pair = tuple[str | None, str | None]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a pair. `known`: the sides have agreed before, on `crm_base` and `ledger_base`
    (each server's own form of it). `room`: how many entries of a list the CRM takes."""

    name: str
    crm: str | None
    ledger: str | None
    known: bool = False
    crm_base: str | None = None
    ledger_base: str | None = None
    room: int | None = None


class Merged(msgspec.Struct, frozen=True):
    """What both sides should say, and why."""

    verdict: Verdict
    crm: str | None
    ledger: str | None


def merge(
    field: Field, owner: Owner, *, full: bool, country: str | None = None,
    take: Literal["crm", "ledger"] | None = None,
) -> Merged:  # fmt: skip
    """What becomes of a field. `full` False: only what is empty is filled. `take`: a person's
    word, which stands above the owner's."""
    if same(field.name, field.crm, field.ledger, country):
        return Merged("agree", field.crm, field.ledger)
    if take is not None:
        return _give(field, take)
    if field.name in LISTS and (full or (field.crm and field.ledger and field.known)):
        return _entries(field, owner, country, full=full)
    if not field.known:
        return _first(field, owner, full=full)
    changed = {
        "crm": not same(field.name, field.crm, field.crm_base, country),
        "ledger": not same(field.name, field.ledger, field.ledger_base, country),
    }
    if not any(changed.values()):
        return Merged("rest", field.crm, field.ledger)
    return _changed(field, owner, changed) if full else _blank(field, changed)


def _give(field: Field, side: Literal["crm", "ledger"]) -> Merged:
    """That side's value goes over."""
    if side == "crm":
        return Merged("write", field.crm, field.crm)
    return Merged("write", within(field.name, field.ledger, field.room), field.ledger)


def _first(field: Field, owner: Owner, *, full: bool) -> Merged:
    """Two values that nobody has compared before."""
    if not field.crm:
        return _give(field, "ledger")
    if not field.ledger:
        return _give(field, "crm")
    if not full:
        return Merged("differs", field.crm, field.ledger)
    if owner == "ask":
        return Merged("conflict", field.crm, field.ledger)
    return _give(field, owner)


def _blank(field: Field, changed: Mapping[str, bool]) -> Merged:
    """What was empty and is filled on the other side goes over; a person's clearing stays."""
    if not field.ledger and not changed["ledger"]:
        return _give(field, "crm")
    if not field.crm and not changed["crm"]:
        return _give(field, "ledger")
    return Merged("differs", field.crm, field.ledger)


def _changed(field: Field, owner: Owner, changed: Mapping[str, bool]) -> Merged:
    if owner == "ask":
        if all(changed.values()):
            return Merged("conflict", field.crm, field.ledger)
        return _give(field, "crm" if changed["crm"] else "ledger")
    other: Literal["crm", "ledger"] = "ledger" if owner == "crm" else "crm"
    owned = field.crm if owner == "crm" else field.ledger
    if not owned and changed[other]:
        return _give(field, other)  # it fills what is empty
    if changed[owner]:
        return _give(field, owner)
    return Merged("differs", field.crm, field.ledger)


# --- lists ---------------------------------------------------------------------------------------


def _entries(field: Field, owner: Owner, country: str | None, *, full: bool) -> Merged:
    """Entry by entry: what one side added goes over, what the owner took away goes away.

    An entry that one side added and the other took away stays. Each side keeps its own typing.
    """
    crm, ledger = (keys_of(field.name, v, country) for v in (field.crm, field.ledger))
    crm_base, ledger_base = (
        keys_of(field.name, v if field.known else None, country)
        for v in (field.crm_base, field.ledger_base)
    )
    gone = {
        "crm": crm_base.keys() - crm.keys() - (ledger.keys() - ledger_base.keys()),
        "ledger": ledger_base.keys() - ledger.keys() - (crm.keys() - crm_base.keys()),
    }
    away = {key for side in ("crm", "ledger") if owner in (side, "ask") for key in gone[side]}
    to_crm = {k: v for k, v in ledger.items() if k not in ledger_base}
    to_ledger = {k: v for k, v in crm.items() if k not in crm_base}
    if field.name == "people":
        to_crm = {}
    new_crm = _list(crm, to_crm, away if field.name != "people" else set(), field.room)
    new_ledger = _list(ledger, to_ledger, away, ROOM.get(field.name))
    moved = _text(new_crm) != _text(crm) or _text(new_ledger) != _text(ledger)
    if moved and full:
        return Merged("write", _text(new_crm), _text(new_ledger))
    stays = (gone["crm"] | gone["ledger"]) - away
    listed = moved or bool(stays & (crm.keys() | ledger.keys()))
    return Merged("differs" if listed else "rest", field.crm, field.ledger)


def _list(
    now: Mapping[str, str], new: Mapping[str, str], away: set[str], room: int | None = None
) -> dict[str, str]:
    """The entries in their order, without those that go, with those that come, as room allows."""
    kept = {key: entry for key, entry in now.items() if key not in away}
    for key, entry in new.items():
        if room is None or len(kept) < room:
            kept.setdefault(key, entry)
    return kept


def within(name: str, value: str | None, room: int | None) -> str | None:
    """As many entries of a list, from its first on, as there is room for."""
    if name not in LISTS or room is None:
        return value
    return "\n".join(decode_list(value)[:room]) or None


def _text(entries: Mapping[str, str]) -> str | None:
    return "\n".join(entries.values()) or None


def agreed(name: str, now: Pair, base: Pair | None, country: str | None) -> Pair:
    """What both sides agree on, as (crm, ledger), once one of them is written.

    Of a list: what both hold, and what they agreed on before that one of them still holds, so that
    an entry that the other side took away against the owner's word is not taken for a new one.
    """
    if name not in LISTS:
        return now
    held = [keys_of(name, value, country) for value in now]
    before = [keys_of(name, value, country) for value in base or (None, None)]
    both = held[0].keys() & held[1].keys()
    still = (before[0].keys() | before[1].keys()) & (held[0].keys() | held[1].keys())
    everywhere = {k: v for found in (*before, *held) for k, v in found.items()}
    kept = [key for key in everywhere if key in both | still]
    crm, ledger = (_text({key: own.get(key, everywhere[key]) for key in kept}) for own in held)
    return crm, ledger
