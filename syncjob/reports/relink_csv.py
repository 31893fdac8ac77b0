"""The map of a change of the CRM as a CSV file: the columns old and new, and kind if one likes.

Cells hold ids, or the addresses of the records' pages as a browser shows them. A file that a
spreadsheet has rounded (1.2E+11) is refused by its line: a number that is nearly right is another
customer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from syncjob.connectors.registry import record_page
from syncjob.core.relink import Kind, MapRow, Refused
from syncjob.errors import WrongFile
from syncjob.reports.csv_file import DELIMITERS, column, decoded, numbered, plain_cell

_OLD = ("old", "old_id", "old_url", "from", "before")
_NEW = ("new", "new_id", "new_url", "to", "after")
_KIND = ("kind", "type", "what", "object", "record_type")
_KINDS = {
    "": "deal", "deal": "deal", "deals": "deal", "opportunity": "deal",
    "org": "org", "organization": "org", "organisation": "org", "organizations": "org",
    "organisations": "org", "company": "org", "companies": "org", "account": "org",
    "person": "person", "persons": "person", "people": "person", "contact": "person",
    "contacts": "person",
}  # fmt: skip
_NEXT = "Write a CSV file whose first row is: kind,old,new"
_ID = re.compile(r"(?:([a-z]+):)?(\d{1,20})(?:\.0+)?")
_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)


def read_map(data: bytes, name: str, *, vendor: str) -> tuple[list[MapRow], list[Refused]]:
    """The rows of the map, and those that cannot be read, each with its line; `vendor` is the new
    CRM's type, whose pages the new column may show. Raises WrongFile if it is no map."""
    text = decoded(data, name, otherwise=_NEXT)
    delimiter, header = _header(text, name)
    lines = numbered(text, delimiter)
    next(lines)
    rows: list[MapRow] = []
    refused: list[Refused] = []
    for line, cells in lines:
        said = dict(zip(header, (plain_cell(cell) for cell in cells), strict=False))
        made = _row(line, said, vendor)
        if isinstance(made, MapRow):
            rows.append(made)
        else:
            refused.append(made)
    return rows, refused


def _header(text: str, name: str) -> tuple[str, list[str]]:
    """The separator under which the first row names both columns, and its columns."""
    for delimiter in DELIMITERS:
        first = next(numbered(text, delimiter), (0, []))[1]
        header = [_called(column(cell)) for cell in first]
        if header.count("old") == 1 and header.count("new") == 1:
            return delimiter, header
    raise WrongFile("Its first row does not name one column old and one column new.", where=name,
                    next_step=_NEXT)  # fmt: skip


def _called(name: str) -> str:
    for known, names in (("old", _OLD), ("new", _NEW), ("kind", _KIND)):
        if name in names:
            return known
    return name


def _row(line: int, said: dict[str, str], vendor: str) -> MapRow | Refused:
    word = said.get("kind", "").lower()
    if word not in _KINDS:
        return Refused(line, f"the kind {word!r} is none of deal, organization and person")
    ends: list[tuple[str, str, str]] = []
    for place in ("old", "new"):
        cell = said.get(place, "")
        found = _record(cell, _KINDS[word], said_kind=bool(word))
        if isinstance(found, str):
            return Refused(line, f"{place}: {found}")
        if place == "new" and found[2] and found[2] != vendor:
            return Refused(line, f"new: {cell!r} is a page of {found[2]}, not of {vendor}")
        ends.append((found[0], found[1], found[3]))
    (old_kind, old, _), (new_kind, new, account) = ends
    if (old_kind == "deal") != (new_kind == "deal"):
        return Refused(line, f"a {old_kind} cannot become a {new_kind}")
    kind: Kind = "deals" if old_kind == "deal" else "contacts"
    return MapRow(line, kind, _id(old_kind, old), _id(new_kind, new), account)


def _record(cell: str, kind: str, *, said_kind: bool) -> tuple[str, str, str, str] | str:
    """(deal, org or person; number; whose page it is; account) of a cell; or what is wrong."""
    page = record_page(cell) if "/" in cell else None
    if page is not None and page[1].side == "crm":
        stands, _, number = page[1].id.rpartition(":")
        stands = stands or "deal"
        if said_kind and stands != kind:
            return f"{cell!r} is the page of a {stands}, and the row says {kind}"
        return stands, number, page[0], page[1].account
    if _ROUNDED.fullmatch(cell):
        return f"{cell!r} was rounded by a spreadsheet; format the column as text"
    found = _ID.fullmatch(cell.lower())
    if found is None or (found[1] and found[1] not in _KINDS):
        return f"{cell!r} is neither a record's id nor the address of its page"
    return (_KINDS[found[1]] if found[1] else kind), found[2], "", ""


def _id(kind: str, number: str) -> str:
    return number if kind == "deal" else f"{kind}:{number}"


def map_lines(rows: Sequence[MapRow]) -> str:
    """The rows as a map again, for the copy that is kept."""
    said = [f"{_said(row)[0]},{_said(row)[1]},{_said(row)[2]}" for row in rows]
    return "\n".join(["kind,old,new", *said, ""])


def _said(row: MapRow) -> tuple[str, str, str]:
    if row.kind == "deals":
        return "deal", row.old, row.new
    kind, _, old = row.old.partition(":")
    return kind, old, row.new.rpartition(":")[2]
