"""A table's indexes say what a look through all of its rows says, whatever was put and put back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from syncjob.sandbox.kernel import Clock, Entropy
from syncjob.sandbox.xero.store import Table


class Row(NamedTuple):
    id: str
    name: str


def _name(row: Row) -> str:
    return row.name


def _first_letter(row: Row) -> str:
    return row.name[:1]


_ROWS = st.builds(Row, st.sampled_from("abcdef"), st.sampled_from(("x", "xy", "y", "")))
_DEEDS = st.lists(st.one_of(_ROWS, st.sampled_from(("ask", "save", "restore"))), max_size=30)


@given(deeds=_DEEDS)
def test_an_index_finds_what_a_scan_finds_in_its_order(deeds: list[Row | str]) -> None:
    table: Table[Row] = Table(Clock(datetime(2026, 1, 1, tzinfo=UTC)), Entropy(1), 0)
    saved = table.save()
    for deed in deeds:
        if deed == "save":
            saved = table.save()
        elif deed == "restore":
            table.restore(saved)
        elif isinstance(deed, Row):
            table.put(deed)
        if deed != "save":
            _same_as_a_scan(table)


def _same_as_a_scan(table: Table[Row]) -> None:
    for key in (_name, _first_letter):
        for wanted in ("x", "xy", "y", ""):
            assert table.keyed(key, wanted) == [row for row in table if key(row) == wanted]
