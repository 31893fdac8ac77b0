"""Notes in the timeline, found by the marker in their text: v1, which alone has notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from syncjob.connectors.pipedrive import values, writing
from syncjob.connectors.pipedrive.client import PAGE_SIZE, PAGES_MAX, V2Client, objects, rows_of
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.markers import parse_invoice_marker
from syncjob.core.records import Activity
from syncjob.errors import SchemaDrift


def marked_notes(client: V2Client, markers: Sequence[str], since: datetime) -> dict[str, Activity]:
    """The notes changed since that bear one of these markers; of one deal alone, where all are."""
    found: dict[str, Activity] = {}
    params: Item = {"updated_since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    parsed = [parse_invoice_marker(marker.partition(".")[0]) for marker in markers]
    deals = {one[1] if one else "" for one in parsed}
    if len(deals) == 1 and all(deal.isdigit() for deal in deals):
        params["deal_id"] = deals.pop()
    for row in _rows(client, params):
        content = values.text(row, "content")
        for marker in markers:
            if writing.bears(content, marker):
                note = Activity(
                    id=values.needed_id(row), deal_id=values.ident(row, "deal_id"), marker=marker
                )
                found.setdefault(marker, note)
    return found


def _rows(client: V2Client, params: Item) -> Iterator[dict[str, Any]]:
    """Every row of v1's list, which counts from a start and says whether there is more."""
    start = 0
    for _ in range(PAGES_MAX):
        envelope = client.fetch("notes", {**params, "start": start, "limit": PAGE_SIZE})
        yield from objects(rows_of(envelope))
        more = (envelope.get("additional_data") or {}).get("pagination") or {}
        if more.get("more_items_in_collection") is not True:
            return
        following = more.get("next_start")
        if not isinstance(following, int) or following <= start:
            raise SchemaDrift("Pipedrive's list of notes does not say where it goes on.")
        start = following
    raise SchemaDrift(f"Pipedrive's list of notes does not end after {PAGES_MAX} pages.")
