"""Records as the API shows them: every value a text or null, dates in ISO 8601."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from syncjob.sandbox.hubspot import associations, calculated, schema
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.hubspot.wire import iso

_NAMES = {"line_items": "line items"}


def shown(store: Store, record: Record, wanted: Iterable[str] | None = None) -> dict[str, Any]:
    """One record with the wanted properties (None: the default ones); unknown names are ignored."""
    kind = record.kind
    known = store.definitions[kind]
    names = schema.SHOWN[kind] if wanted is None else wanted
    props = {
        n: _value(store, record, n)
        for n in (*names, *schema.always(kind))
        if n in known and not known[n]["archived"]
    }
    made: dict[str, Any] = {
        "id": str(record.id),
        "properties": props,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "archived": record.archived_at is not None,
    }
    if record.archived_at is not None:
        made["archivedAt"] = iso(record.archived_at)
    return made


def _value(store: Store, record: Record, name: str) -> str | None:
    if name == "associatedcompanyid" and record.kind == "contacts":
        company = associations.primary_company(store, "contacts", record.id)
        return None if company is None else str(company)
    found = calculated.value_of(record, name)
    if found is not None:
        return found
    # What was emptied may come as an empty text: the same way each time.
    share = store.options.null_share * 2**32
    drawn = zlib.crc32(f"{store.options.seed}/{record.id}/{name}".encode())
    own = store.definitions[record.kind][name]["hubspotDefined"]
    return "" if not own and drawn < share else None


def with_associations(store: Store, record: Record, kinds: Iterable[str]) -> dict[str, Any]:
    """The `associations` of one record in a list or a single read."""
    made: dict[str, Any] = {}
    for to in kinds:
        found = associations.live_links(store, record.kind, record.id, to)
        if found:
            rows = [{"id": str(o), "type": f"{_one(record.kind)}_to_{_one(to)}"} for o, _ in found]
            made[_NAMES.get(to, to)] = {"results": rows}
    return made


def _one(kind: str) -> str:
    return schema.SINGULAR[kind].lower()
