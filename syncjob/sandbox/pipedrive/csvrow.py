"""The columns of each CSV file, and one row's cells as the payload of an act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.csvcells import BadCell, Cells, number, typed
from syncjob.sandbox.pipedrive import fields, people, rows
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer


@contextmanager
def refusals() -> Iterator[None]:
    """The server's own refusal of a row, as a fault of its cells."""
    try:
        yield
    except Refusal as refused:
        column, _, why = refused.error.removeprefix("Validation failed: ").partition(": ")
        raise BadCell(column, why or "refused") from refused


def payload(company: Company, kind: str, cells: Cells) -> dict[str, Any]:
    """The cells by their columns' types; address parts gathered, custom fields under `fields`."""
    return typed(kind, cells, lambda column, raw: _custom(company, kind, column, raw))


def _custom(company: Company, kind: str, column: str, raw: str) -> Any:
    field = fields.find_field(company, kind, column[6:])
    if field is None:
        return raw
    try:
        return number(raw) if field["field_type"] in ("double", "monetary") else raw
    except ValueError as error:
        raise BadCell(column, f"{raw!r}: {error}") from error


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
