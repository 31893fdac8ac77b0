"""The CSV files that fill a sandbox, whatever its CRM: their columns and how a cell is read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Cells = dict[str, str]
ADDRESS_PARTS = (
    "value", "country", "admin_area_level_1", "admin_area_level_2", "locality", "sublocality",
    "route", "street_number", "subpremise", "postal_code",
)  # fmt: skip
#: Files by the name of what they hold, in the order in which one refers to another.
FILES = {
    "users.csv": "users",
    "organizations.csv": "organizations",
    "persons.csv": "persons",
    "products.csv": "products",
    "deals.csv": "deals",
    "lines.csv": "rows",
}


class BadCell(Exception):
    """A cell that cannot be read: which column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}")
        self.column, self.why = column, why


class LoadError(Exception):
    """Everything that is wrong with the files, each as `file:line: what and what to do`."""

    def __init__(self, problems: list[str]) -> None:
        shown = problems[:20] + (
            [f"... and {len(problems) - 20} more"] if len(problems) > 20 else []
        )
        super().__init__("\n".join(shown))
        self.problems = problems


@contextmanager
def opened(path: Path, problems: list[str]) -> Iterator[csv.DictReader[str]]:
    """A file's rows; what is wrong with the file as a whole is noted."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            yield csv.DictReader(handle)
    except UnicodeDecodeError as error:
        problems.append(f"{path.name}: not UTF-8 ({error.reason} at byte {error.start})")
    except csv.Error as error:
        problems.append(f"{path.name}: not a CSV file ({error})")


def rows(name: str, reader: csv.DictReader[str], problems: list[str]) -> Iterator[Cells]:
    """The rows that are not empty; one with too few or many columns is noted."""
    for row in reader:
        if None in row or None in row.values():
            problems.append(f"{name}:{reader.line_num}: wrong number of columns")
        elif any(value.strip() for value in row.values()):
            yield row


def number(raw: str) -> Decimal:
    try:
        value = Decimal(raw)
    except InvalidOperation:
        raise ValueError("not a number; write it like 1234.50, without thousands") from None
    if not value.is_finite():
        raise ValueError("not a number")
    return value


def _flag(raw: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if raw.lower() not in known:
        raise ValueError("must be true or false")
    return known[raw.lower()]


def _time(raw: str) -> int:
    try:
        moment = datetime.fromisoformat(raw.strip().replace(" ", "T", 1))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except ValueError:
        raise ValueError("not a time; write it like 2026-03-31T09:30:00Z or 2026-03-31") from None


def _date(raw: str) -> str:
    try:
        return date.fromisoformat(raw[:10]).isoformat()
    except ValueError:
        raise ValueError("not a date; write it like 2026-03-31") from None


def _whole(raw: str) -> int:
    if not raw.isdigit():
        raise ValueError("must be a whole number")
    return int(raw)


def _list(raw: str) -> list[str]:
    return [part.strip() for part in raw.split(";") if part.strip()]


def _currency(raw: str) -> str:
    if len(raw) != 3 or not raw.isalpha():
        raise ValueError("must be a currency code of three letters, like EUR")
    return raw.upper()


_TIMES: dict[str, Callable[[str], Any]] = {"add_time": _time, "update_time": _time}
_ADDRESS: dict[str, Callable[[str], Any]] = {
    f"address_{part}" if part != "value" else "address": str for part in ADDRESS_PARTS
}
COLUMNS: dict[str, dict[str, Callable[[str], Any]]] = {
    "users": {"id": str, "name": str, "email": str, "admin": _flag},
    "organizations": {"id": str, "name": str, **_ADDRESS, "website": str, "owner": str, **_TIMES},
    "persons": {
        "id": str,
        "name": str,
        "first_name": str,
        "last_name": str,
        "org": str,
        "emails": _list,
        "phones": _list,
        "owner": str,
        **_TIMES,
    },
    "products": {
        "id": str,
        "name": str,
        "code": str,
        "price": number,
        "currency": _currency,
        "tax": number,
        "unit": str,
        "description": str,
    },
    "deals": {
        "id": str,
        "title": str,
        "org": str,
        "person": str,
        "owner": str,
        "value": number,
        "currency": _currency,
        "status": str,
        "pipeline": str,
        "stage": str,
        "won_time": _time,
        "lost_time": _time,
        "lost_reason": str,
        "expected_close_date": _date,
        "is_archived": _flag,
        **_TIMES,
    },
    "rows": {
        "deal": str,
        "product": str,
        "code": str,
        "name": str,
        "price": number,
        "quantity": number,
        "discount": number,
        "discount_type": str,
        "tax": number,
        "tax_method": str,
        "enabled": _flag,
        "comments": str,
        "billing_frequency": str,
        "billing_frequency_cycles": _whole,
        "billing_start_date": _date,
    },
}
NEEDED: dict[str, tuple[str, ...]] = {
    "users": ("name",),
    "organizations": ("name",),
    "persons": (),
    "products": ("name",),
    "deals": ("title",),
    "rows": ("deal", "price"),
}


def typed(kind: str, cells: Cells, custom: Callable[[str, str], Any]) -> dict[str, Any]:
    """A row's cells by their columns' types; custom fields under `fields`, an address gathered.

    `custom` reads a custom field's cell, given its column. Raises BadCell.
    """
    made: dict[str, Any] = {}
    for column, raw in cells.items():
        if column == "id":
            continue
        if column.startswith("field:"):
            made.setdefault("fields", {})[column[6:]] = custom(column, raw)
            continue
        try:
            made[column] = COLUMNS[kind][column](raw)
        except ValueError as error:
            raise BadCell(column, f"{raw!r}: {error}") from error
    if kind == "organizations":
        _gather_address(made)
    if kind == "persons" and not {"name", "first_name", "last_name"} & set(made):
        raise BadCell("name", "must not be empty")
    if kind == "deals":
        _default_times(made)
    return made


def _gather_address(made: dict[str, Any]) -> None:
    parts = {p: made.pop(f"address_{p}", None) for p in ADDRESS_PARTS if p != "value"}
    if any(parts.values()) or "address" in made:
        named = [parts[p] for p in ("street_number", "route", "locality", "postal_code", "country")]
        whole = made.get("address") or ", ".join(p for p in named if p)
        made["address"] = {"value": whole, **parts}


def _default_times(made: dict[str, Any]) -> None:
    """A deal was last touched when it was decided, unless the file says otherwise."""
    decided = [made[k] for k in ("won_time", "lost_time") if k in made]
    if "status" not in made and decided:
        made["status"] = "won" if "won_time" in made else "lost"
    if decided:
        made.setdefault("add_time", min(decided))
    known = [made[k] for k in ("add_time", "won_time", "lost_time") if k in made]
    if known:
        made.setdefault("update_time", max(known))
