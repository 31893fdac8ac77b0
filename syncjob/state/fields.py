"""How the fields of a record, or of a write, stand in one row: as JSON, and back as they were.

A row a field was half of the statements of a load and a third of its file: a record's name, a
write's moment, reason and rule stood in each. A value that stands on both sides is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

#: What two say of a field: wanted and stored, CRM and ledger, before and after; None: nothing.
Pair: TypeAlias = tuple[str | None, str | None]
#: One field of a write: its name, before, after, and its rule where that is not the row's own.
Change: TypeAlias = tuple[str, str | None, str | None, str | None]
_Kept: TypeAlias = dict[str, list[str | None]]
_kept = msgspec.json.Decoder(_Kept)
_changes = msgspec.json.Decoder(list[list[str | None]])

#: Lays the fields over those that the record's row has: (target, side, fields).
AGREE = (
    "INSERT INTO base (target, side, fields) VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET fields = json_patch(fields, excluded.fields)"
)


def packed(fields: Mapping[str, Pair]) -> str:
    """Pairs by field: `["both"]`, or `["one", "other"]`. Always a list: SQLite's json_patch, which
    lays new fields over those of a row, takes a bare null as the word to remove a field."""
    kept = {f: [one] if one == other else [one, other] for f, (one, other) in fields.items()}
    return msgspec.json.encode(kept).decode()


def unpacked(text: str) -> dict[str, Pair]:
    """The pairs by field, in the order of the fields' names."""
    return {f: (kept[0], kept[-1]) for f, kept in sorted(_kept.decode(text).items())}


def packed_changes(changes: Iterable[Change]) -> str:
    """A write's fields in their order: `[name, before, after]`, and the rule if it has its own."""
    return msgspec.json.encode([c if c[3] is not None else c[:3] for c in changes]).decode()


def unpacked_changes(text: str) -> list[Change]:
    """The fields of a write, in the order in which they were written down."""
    found = _changes.decode(text)
    return [(c[0] or "", c[1], c[2], c[3] if len(c) > 3 else None) for c in found]


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """Either kind of row with each value changed; names of fields and rules stay."""

    def said(value: str | None) -> str | None:
        return value if value is None else change(value)

    if text.startswith("["):
        return packed_changes((f, said(b), said(a), r) for f, b, a, r in unpacked_changes(text))
    return packed({f: (said(one), said(other)) for f, (one, other) in _pairs(text)})


def _pairs(text: str) -> Iterable[tuple[str, Pair]]:
    return ((f, (kept[0], kept[-1])) for f, kept in _kept.decode(text).items())
