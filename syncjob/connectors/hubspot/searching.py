"""Walks over what changed, through the search: by rising id, beyond its 10,000 results.

A search shows 10,000 results at most and its pages are offsets, so each page asks anew for ids
above the last one seen: nothing that changes meanwhile moves anything (facts: hubspot, 5c). There
is no upper bound of time: what changes during the walk is seen now or, with its new stamp, next
time. The index is late by an unknown time, which the cursor's lookback covers, and it never shows
what is archived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from syncjob.connectors.hubspot.batches import Ask
from syncjob.connectors.hubspot.client import Client, after, rows
from syncjob.connectors.hubspot.codec import number_of
from syncjob.connectors.hubspot.fields import Item
from syncjob.errors import SchemaDrift

#: The most that a search gives on one page, and the longest body that it takes, in characters
#: (facts: hubspot, 5c).
PAGE_MAX = 200
BODY_MAX = 3_000
#: A walk that needs more pages than this is a server that repeats itself.
PAGES_MAX = 200_000

#: The property by which a kind of record says when it changed (facts: hubspot, 5c).
MODIFIED = {"contacts": "lastmodifieddate"}
_MODIFIED = "hs_lastmodifieddate"


def fits(objects: str, properties: Sequence[str]) -> bool:
    """Whether a search for all these properties is short enough."""
    longest = body(objects, datetime(2099, 1, 1, tzinfo=UTC), "9" * 16, properties)
    return len(msgspec.json.encode(longest).decode()) <= BODY_MAX


def body(objects: str, since: datetime, last: str, properties: Sequence[str]) -> Item:
    """The search for what changed at or after `since` with an id above `last`."""
    # Whole milliseconds, rounded down: the filter is inclusive.
    moment = int(since.timestamp() * 1000)
    filters = [
        {"propertyName": modified(objects), "operator": "GTE", "value": str(moment)},
        {"propertyName": "hs_object_id", "operator": "GT", "value": last},
    ]
    return {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": PAGE_MAX,
    }


def modified(objects: str) -> str:
    """The property that says when such a record last changed."""
    return MODIFIED.get(objects, _MODIFIED)


def pages(
    client: Client, objects: str, since: datetime, last: str, properties: Sequence[str]
) -> Iterator[tuple[list[Item], str | None]]:
    """Each page with the id that the next one begins above; None after the last page."""

    def above(place: str) -> Item:
        return body(objects, since, place, properties)

    return rising(client.ask, objects, above, last)


def rising(
    ask: Ask, objects: str, above: Callable[[str], Item], last: str
) -> Iterator[tuple[list[Item], str | None]]:
    """As `pages`, for any search by rising id: `above` is its body for what lies above an id.

    Raises SchemaDrift if it gives less than it counts, or does not end: what was seen is not all.
    """
    for _ in range(PAGES_MAX):
        answer = ask("objects", f"{objects}/search", above(last))
        found = rows(answer)
        more = goes_on(answer, len(found))
        reached = _last(found, last) if found else last
        if more and not found:
            raise SchemaDrift("HubSpot's search has more results but gives none.")
        yield found, reached if more else None
        if not more:
            return
        last = reached
    raise SchemaDrift(f"HubSpot's search does not end after {PAGES_MAX} pages.")


def goes_on(answer: Item, seen: int) -> bool:
    """Whether a search has more than the `seen` records of this page: it names a next page, or
    counts more. A full page without a count may. Raises SchemaDrift if its paging is strange."""
    if after(answer) is not None:
        return True
    total = answer.get("total")
    if isinstance(total, int) and not isinstance(total, bool):
        return total > seen
    return seen >= PAGE_MAX


def _last(found: list[Item], last: str) -> str:
    """The highest id of a page, which must be above all before it. Raises SchemaDrift."""
    ids = [int(number_of(row)) for row in found]
    if min(ids) <= int(last):
        raise SchemaDrift("HubSpot's search does not keep to the order of the ids.")
    return str(max(ids))


def listed(
    client: Client, objects: str, place: str | None, properties: Sequence[str], *, archived: bool
) -> Iterator[tuple[list[Item], str | None]]:
    """Every record of a kind, or everything in its recycle bin, from the list itself: slow, a
    hundred a call, and without the index's lag. With the place of the next page."""
    params: dict[str, Any] = {"limit": LIST_MAX, "properties": ",".join(properties)}
    if archived:
        params["archived"] = "true"
    for _ in range(PAGES_MAX):
        answer = client.get("objects", objects, {**params, **({"after": place} if place else {})})
        following = after(answer)
        if following is not None and following == place:
            raise SchemaDrift("HubSpot gave the same page twice.", next_step="Try later.")
        yield rows(answer), following
        if following is None:
            return
        place = following
    raise SchemaDrift(f"HubSpot's list does not end after {PAGES_MAX} pages.")


#: The most that a list gives on one page (facts: hubspot, 5d).
LIST_MAX = 100
