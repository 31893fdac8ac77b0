"""The columns of each CSV file, and one row's cells as the payload of an act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.pipedrive import fields, people, rows
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal, stamp_of

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

Cells = dict[str, str]


class BadCell(Exception):
    """A cell that cannot be read: which column, and why."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}")
        self.column, self.why = column, why


@contextmanager
def refusals() -> Iterator[None]:
    """The server's own refusal of a row, as a fault of its cells."""
    try:
        yield
    except Refusal as refused:
        column, _, why = refused.error.removeprefix("Validation failed: ").partition(": ")
        raise BadCell(column, why or "refused") from refused


def _number(raw: str) -> Decimal:
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
        return stamp_of(raw)
    except ValueError:
        raise ValueError("not a time; write it like 2026-03-31T09:30:00Z or 2026-03-31") from None


def _date(raw: str) -> str:
    if not fields.is_date(raw[:10]):
        raise ValueError("not a date; write it like 2026-03-31")
    return raw[:10]


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
    f"address_{part}" if part != "value" else "address": str for part in fields.ADDRESS_PARTS
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
        "price": _number,
        "currency": _currency,
        "tax": _number,
        "unit": str,
        "description": str,
    },
    "deals": {
        "id": str,
        "title": str,
        "org": str,
        "person": str,
        "owner": str,
        "value": _number,
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
        "price": _number,
        "quantity": _number,
        "discount": _number,
        "discount_type": str,
        "tax": _number,
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


def payload(company: Company, kind: str, cells: Cells) -> dict[str, Any]:
    """The cells by their columns' types; address parts gathered, custom fields under `fields`."""
    made: dict[str, Any] = {}
    for column, raw in cells.items():
        if column == "id":
            continue
        if column.startswith("field:"):
            made.setdefault("fields", {})[column[6:]] = _custom(company, kind, column, raw)
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


def _custom(company: Company, kind: str, column: str, raw: str) -> Any:
    field = fields.find_field(company, kind, column[6:])
    if field is None:
        return raw
    try:
        return _number(raw) if field["field_type"] in ("double", "monetary") else raw
    except ValueError as error:
        raise BadCell(column, f"{raw!r}: {error}") from error


def _gather_address(made: dict[str, Any]) -> None:
    parts = {p: made.pop(f"address_{p}", None) for p in fields.ADDRESS_PARTS if p != "value"}
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


def add_stage(company: Company, pipeline_id: int, name: str, order: int) -> int:
    stage = {"order_nr": order, "pipeline_id": pipeline_id, "name": name, "is_deleted": False}
    stage |= {"deal_probability": 50, "is_deal_rot_enabled": False, "days_to_rotten": None}
    return int(company.add("stages", stage)["id"])


def add_line(server: PipedriveServer, deal_id: int, line: dict[str, Any]) -> Record:
    if not {"product", "code", "name", "product_id"} & set(line):
        raise BadCell("product", "name the product by its id, name or code")
    user = people.acting_user(server, {})
    sent = people.line_sent(server, line, user)
    return rows.add_row(server.company, deal_id, sent, revalue=False)
