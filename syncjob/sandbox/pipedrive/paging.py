"""Opaque cursors: a page goes on after the last key of the one before it, in the chosen order."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from syncjob.sandbox.pipedrive.company import Record
from syncjob.sandbox.pipedrive.wire import Refusal


@dataclass(frozen=True)
class Order:
    """A sort and, in a cursor, the place that the walk has reached."""

    stream: str
    field: str = "id"
    descending: bool = False
    after: tuple[Any, Any] | None = None


def encode(order: Order, salt: int) -> str:
    assert order.after is not None
    value, key = order.after
    fields: Record = {
        "field": order.field,
        "fieldValue": value,
        "sortDirection": "desc" if order.descending else "asc",
        "id": key,
    }
    text = json.dumps({**fields, "s": _seal(fields, order.stream, salt)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, stream: str, salt: int) -> Order:
    """Only a cursor that this stream gave out is taken back."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        fields = json.loads(raw)
        seal = fields.pop("s")
        if seal != _seal(fields, stream, salt):
            raise ValueError(cursor)
        after = (fields["fieldValue"], fields["id"])
        return Order(stream, fields["field"], fields["sortDirection"] == "desc", after)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, UnicodeDecodeError):
        raise Refusal(400, "Invalid cursor", "ERR_BAD_REQUEST") from None


def _seal(fields: Record, stream: str, salt: int) -> int:
    return zlib.crc32(json.dumps([fields, stream, salt], sort_keys=True).encode())


def page(
    records: Iterable[Record], order: Order, limit: int, salt: int
) -> tuple[list[Record], str | None]:
    """One page and the next cursor. A record that moved meanwhile is met where it is now."""
    field = order.field

    def key(record: Record) -> tuple[Any, Any]:
        value = record[field]
        return ("" if value is None else value, record["id"])

    kept = list(records)
    if order.after is not None:
        after = order.after
        kept = [r for r in kept if (key(r) < after if order.descending else key(r) > after)]
    kept.sort(key=key, reverse=order.descending)
    if len(kept) <= limit:
        return kept, None
    last = key(kept[limit - 1])
    return kept[:limit], encode(Order(order.stream, field, order.descending, last), salt)
