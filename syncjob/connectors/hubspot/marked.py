"""What bears our markers: contacts by their unique property, tasks and notes by their text.

Search may show a record minutes late and never shows an archived one (facts: hubspot, 5c), so
nothing here rests on it alone: contacts are read by the property itself, tasks and notes over the
associations of the deal that the marker names. Search is asked only for what that did not find,
since a deal that was merged has its tasks under another id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncjob.connectors.hubspot import batches, contacts, searching, writing
from syncjob.connectors.hubspot.batches import Ask
from syncjob.connectors.hubspot.client import rows
from syncjob.connectors.hubspot.fields import Item, moment_of
from syncjob.connectors.hubspot.names import Names
from syncjob.core.markers import parse_invoice_marker
from syncjob.core.records import Activity, Contact
from syncjob.errors import SchemaDrift

#: The recycling bin of companies or contacts: (objects, properties to show) -> its records.
Bin = Callable[[str, Sequence[str]], Iterable[Item]]

#: What a deal has more pages of tasks than this has no person ever made.
_PAGES_MAX = 50


class _Text(NamedTuple):
    """A kind of record that bears a marker in a text."""

    objects: str
    body: str
    properties: tuple[str, ...]


_TASKS = _Text(
    "tasks",
    "hs_task_body",
    ("hs_task_subject", "hs_task_body", "hs_timestamp", "hubspot_owner_id", "hs_task_status",
     "hs_lastmodifieddate"),
)  # fmt: skip
_NOTES = _Text("notes", "hs_note_body", ("hs_note_body", "hs_timestamp", "hs_lastmodifieddate"))
_TEXTS = {"task.create": _TASKS, "note.create": _NOTES}


def find(
    ask: Ask, bin: Bin, kind: str, markers: Sequence[str], since: datetime, names: Names
) -> dict[str, Any]:
    """The records that bear these markers, by marker; archived contacts too. `kind` is that of
    the action which makes them."""
    if kind == "crm_contact.create":
        people = dict(_contacts(ask, markers, names))
        left = [marker for marker in markers if marker not in people]
        return people | (dict(_deleted(bin, left, names)) if left else {})
    if kind not in _TEXTS:
        raise ValueError(f"nothing of kind {kind!r} is created in HubSpot")
    text = _TEXTS[kind]
    found = dict(_of_deals(ask, text, markers, names))
    left = [marker for marker in markers if marker not in found]
    if left:
        found = dict(_searched(ask, text, left, since, names)) | found
    return found


# --- contacts -------------------------------------------------------------------------------------


def _contacts(ask: Ask, markers: Sequence[str], names: Names) -> Iterator[tuple[str, Contact]]:
    """By the property of our marker, which HubSpot keeps unique: no index lags behind it."""
    for kind, objects, field in (
        ("organization", "companies", names.organization_marker),
        ("person", "contacts", names.person_marker),
    ):
        if field is None or not field.unique:
            continue
        for chunk in batches.chunks(dict.fromkeys(markers), writing.BATCH_MAX):
            body = {
                "idProperty": field.code,
                "inputs": [{"id": marker} for marker in chunk],
                "properties": list(contacts.wanted(kind, names)),
            }
            found = _read(ask, "objects", f"{objects}/batch/read", body)
            yield from _of(kind, found, markers, names)


def _deleted(bin: Bin, markers: Sequence[str], names: Names) -> Iterator[tuple[str, Contact]]:
    """Those that a person deleted at once: a deleted record is not known by its marker any more,
    so the recycling bin is looked through."""
    for kind, objects in (("organization", "companies"), ("person", "contacts")):
        dead = bin(objects, contacts.wanted(kind, names))
        yield from _of(kind, dead, markers, names)


def _of(
    kind: str, shown: Iterable[Item], markers: Sequence[str], names: Names
) -> Iterator[tuple[str, Contact]]:
    """Unique values are compared without case."""
    wanted = {marker.casefold(): marker for marker in markers}
    for row in shown:
        contact = contacts.to_contact(kind, row, names)
        marker = wanted.get((contact.marker or "").casefold())
        if marker is not None:
            yield marker, contact


# --- tasks and notes ------------------------------------------------------------------------------


def _of_deals(
    ask: Ask, text: _Text, markers: Sequence[str], names: Names
) -> Iterator[tuple[str, Activity]]:
    """What stands on the deals that the markers name."""
    deals = dict.fromkeys(deal for marker in markers if (deal := _deal_of(marker)))
    on_deals = _associated(ask, text.objects, list(deals))
    for chunk in batches.chunks(sorted(on_deals), writing.BATCH_MAX):
        inputs = [{"id": one} for one in chunk]
        body = {"inputs": inputs, "properties": list(text.properties)}
        for row in _read(ask, "objects", f"{text.objects}/batch/read", body):
            yield from _bearing(text, row, markers, names, on_deals)


def _associated(ask: Ask, objects: str, deals: list[str]) -> dict[str, str]:
    """The records that are tied to these deals -> the deal of each."""
    found: dict[str, str] = {}
    asked: list[Item] = [{"id": deal} for deal in deals]
    for _ in range(_PAGES_MAX):
        if not asked:
            return found
        part, asked = asked[:1000], asked[1000:]
        for row in _read(ask, "associations", f"deals/{objects}/batch/read", {"inputs": part}):
            deal = str((row.get("from") or {}).get("id") or "")
            for other in row.get("to") or []:
                found[str(other.get("toObjectId") or "")] = deal
            after = ((row.get("paging") or {}).get("next") or {}).get("after")
            if after:
                asked.append({"id": deal, "after": after})
    raise SchemaDrift("HubSpot's list of a deal's associations does not end.")


def _searched(
    ask: Ask, text: _Text, markers: Sequence[str], since: datetime, names: Names
) -> Iterator[tuple[str, Activity]]:
    """Everything of this kind that was made since, by rising id, to the very end: what is not
    found among all of it would be made again."""

    def above(last: str) -> Item:
        filters = [
            {"propertyName": "hs_createdate", "operator": "GTE",
             "value": str(int(since.timestamp()) * 1000)},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        ]  # fmt: skip
        return {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": list(text.properties),
            "limit": searching.PAGE_MAX,
        }

    for page, _ in searching.rising(ask, text.objects, above, "0"):
        for row in page:
            yield from _bearing(text, row, markers, names, {})


def _bearing(
    text: _Text, row: Item, markers: Sequence[str], names: Names, deals: dict[str, str]
) -> Iterator[tuple[str, Activity]]:
    shown = row.get("properties")
    content = shown.get(text.body) if isinstance(shown, dict) else None
    for marker in markers:
        if isinstance(content, str) and writing.bears(content, marker):
            yield marker, to_activity(row, marker, names.zone, deals.get(str(row.get("id"))))


def to_activity(item: Item, marker: str, zone: str, deal_id: str | None) -> Activity:
    """A task or note that bears a marker. Its day is that of the account's time zone."""
    shown = item["properties"]
    due, stamp = (moment_of(shown.get(k) or "") for k in ("hs_timestamp", "hs_lastmodifieddate"))
    return Activity(
        id=str(item.get("id")),
        updated=stamp,
        subject=shown.get("hs_task_subject"),
        deal_id=deal_id or _deal_of(marker),
        owner_id=shown.get("hubspot_owner_id"),
        due=due.astimezone(ZoneInfo(zone)).date() if due else None,
        marker=marker,
        done=shown.get("hs_task_status") == "COMPLETED",
        deleted=item.get("archived") is True,
    )


def _deal_of(marker: str) -> str | None:
    """The deal that the marker of a notice or a note names ("NW-1042-A1.261122.7.12")."""
    parsed = parse_invoice_marker(marker.partition(".")[0])
    return parsed[1] if parsed else None


def _read(ask: Ask, area: str, where: str, body: Item) -> list[Item]:
    """The results of a read of many. Raises SchemaDrift where HubSpot says nothing of one: it may
    be what is looked for."""
    answer = batches.ask(ask, area, where, body)
    ids = [str(one["id"]) for one in body["inputs"]]
    batches.require("what it was asked for:", batches.unsaid(answer, ids, ()))
    return rows(answer)
