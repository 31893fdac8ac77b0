"""Associations between records: their types by number, the primary company, both directions."""

from __future__ import annotations

from typing import Any

from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.hubspot.wire import Refusal, bad_input

Pair = tuple[str, str]

# Facts: hubspot, 5d; the way back is the other number of each pair in the vendor's table (assumed).
_PAIRS: dict[Pair, tuple[int, int]] = {
    ("deals", "line_items"): (19, 20),
    ("deals", "contacts"): (3, 4),
    ("deals", "companies"): (341, 342),
    ("contacts", "companies"): (279, 280),
    ("tasks", "deals"): (216, 215),
    ("tasks", "contacts"): (204, 203),
    ("tasks", "companies"): (192, 191),
    ("notes", "deals"): (214, 213),
    ("notes", "contacts"): (202, 201),
    ("notes", "companies"): (190, 189),
}
_PRIMARIES: dict[Pair, tuple[int, int]] = {
    ("deals", "companies"): (5, 6),
    ("contacts", "companies"): (1, 2),
}
DEFAULT: dict[Pair, int] = {}
PRIMARY: dict[Pair, int] = {}
for _table, _pairs in ((DEFAULT, _PAIRS), (PRIMARY, _PRIMARIES)):
    for (_a, _b), (_there, _back) in _pairs.items():
        _table[_a, _b], _table[_b, _a] = _there, _back
_ONE_PARENT = "line_items"  # belongs to one deal (facts: hubspot, 5d)


def label(pair: Pair, type_id: int) -> str | None:
    return "Primary" if PRIMARY.get(pair) == type_id else None


def known_types(pair: Pair) -> tuple[int, ...]:
    return tuple(t[pair] for t in (DEFAULT, PRIMARY) if pair in t)


def associate(
    store: Store, kind: str, key: int, to: str, other: int, type_id: int | None = None
) -> None:
    """Ties two live records; a new primary company takes the place of the old one.

    Raises Refusal where the type does not fit the pair or a line item has a parent already.
    """
    pair, back = (kind, to), (to, kind)
    if pair not in DEFAULT:
        raise bad_input(f"{kind} and {to} cannot be associated")
    wanted = DEFAULT[pair] if type_id is None else type_id
    if wanted not in known_types(pair):
        raise Refusal(400, f"{wanted} is not a valid association type between {kind} and {to}")
    for which, one in ((kind, key), (to, other)):
        if store.live(which, one) is None:
            raise Refusal(404, f"No {which} with id {one} exists", "OBJECT_NOT_FOUND")
    _one_parent(store, kind, key, to, other)
    _one_parent(store, to, other, kind, key)
    types = {DEFAULT[pair], *store.links_of(kind, key, to).get(other, ())}
    if wanted == PRIMARY.get(pair) or _first_company(store, kind, key, to):
        _unprimary(store, kind, key, to)
        types.add(PRIMARY[pair])
    _set(store, pair, key, other, types)
    assert back in DEFAULT


def _first_company(store: Store, kind: str, key: int, to: str) -> bool:
    """The first company of a deal or contact becomes its primary one (an option: undocumented)."""
    if (kind, to) not in _PRIMARIES or not store.options.first_company_is_primary:
        return False
    return not store.links_of(kind, key, to)


def _unprimary(store: Store, kind: str, key: int, to: str) -> None:
    """From the side that has one primary: the deal or the contact."""
    pair = (kind, to)
    if pair not in _PRIMARIES:
        return
    for other, types in list(store.links_of(kind, key, to).items()):
        _set(store, pair, key, other, set(types) - {PRIMARY[pair]})


def _one_parent(store: Store, kind: str, key: int, to: str, other: int) -> None:
    if kind == _ONE_PARENT and set(store.links_of(kind, key, to)) - {other}:
        raise Refusal(400, f"Line item {key} is already associated with another record")


def _set(store: Store, pair: Pair, key: int, other: int, types: set[int]) -> None:
    """Both directions, by the same kind of type."""
    kind, to = pair
    backwards = {_mirrored(pair, t) for t in types}
    store.link(kind, key, to, other, tuple(sorted(types)))
    store.link(to, other, kind, key, tuple(sorted(backwards)))


def _mirrored(pair: Pair, type_id: int) -> int:
    back = (pair[1], pair[0])
    return PRIMARY[back] if PRIMARY.get(pair) == type_id else DEFAULT[back]


def dissociate(store: Store, kind: str, key: int, to: str, other: int) -> None:
    store.link(kind, key, to, other, ())
    store.link(to, other, kind, key, ())


def move_all(store: Store, kind: str, old: int, new: int) -> None:
    """What a merge does: the new record has the associations, the old id has none."""
    for to, others in list(store.links.get((kind, old), {}).items()):
        for other, types in list(others.items()):
            dissociate(store, kind, old, to, other)
            if not store.links_of(kind, new, to):
                merged = set(types)
            else:
                merged = set(types) - {PRIMARY.get((kind, to), 0)}
            merged |= set(store.links_of(kind, new, to).get(other, ()))
            _set(store, (kind, to), new, other, merged)


def live_links(store: Store, kind: str, key: int, to: str) -> list[tuple[int, tuple[int, ...]]]:
    """The associations whose other record is there; an archived one is left out."""
    found = store.links_of(kind, key, to).items()
    return [(other, types) for other, types in found if store.live(to, other) is not None]


def shown(pair: Pair, other: int, types: tuple[int, ...]) -> dict[str, Any]:
    """One association as a batch read lists it."""
    return {
        "toObjectId": other,
        "associationTypes": [
            {"category": "HUBSPOT_DEFINED", "typeId": t, "label": label(pair, t)} for t in types
        ],
    }


def primary_company(store: Store, kind: str, key: int) -> int | None:
    """The company of a deal or contact that counts: the primary, else the first."""
    found = live_links(store, kind, key, "companies")
    wanted = PRIMARY[kind, "companies"]
    first = next((other for other, types in found if wanted in types), None)
    return first if first is not None else (found[0][0] if found else None)
