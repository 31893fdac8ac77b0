"""One record at a time: create, read, change, archive, list, merge, and search."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any
from urllib.parse import urlencode

from syncjob.sandbox.hubspot import associations, life, searching, view
from syncjob.sandbox.hubspot.routing import (
    Answer,
    Call,
    Route,
    read_scope,
    type_of,
    write_scope,
)
from syncjob.sandbox.hubspot.schema import SHOWN
from syncjob.sandbox.hubspot.store import Record
from syncjob.sandbox.hubspot.wire import Refusal, bad_input, not_found, whole

LIST_MAX, LIST_WITH_HISTORY_MAX, LIST_DEFAULT = 100, 50, 10


def kind_of(call: Call, at: int = 0) -> str:
    found = type_of(call.keys[at])
    if found is None:
        text = f"Unable to infer object type from: {call.keys[at]}"
        raise Refusal(400, text, "VALIDATION_ERROR")
    return found


def number_of(text: Any) -> int:
    """An id; what is no number is nowhere."""
    found = str(text)
    if not found.isascii() or not found.isdecimal() or len(found) > 18:
        raise Refusal(404, "Object not found.  objectId are usually numeric.")
    return int(found)


def sought(call: Call, kind: str, text: Any, id_property: str | None) -> Record | None:
    """By id (merged ones lead on), or by a unique property's value."""
    if id_property is None or id_property == "hs_object_id":
        return call.store.resolved(kind, number_of(text))
    definition = call.store.definitions[kind].get(id_property)
    if definition is None or not definition["hasUniqueValue"]:
        raise Refusal(400, f"Property {id_property} is not a unique property of {kind}")
    key = call.store.unique.get((kind, id_property), {}).get(str(text).strip().casefold())
    return None if key is None else call.store.at(kind, key)


def read(call: Call) -> Answer:
    kind, archived = kind_of(call), call.flag("archived")
    record = sought(call, kind, call.keys[1], call.arg("idProperty"))
    if record is None or (record.archived_at is not None) is not archived:
        raise not_found()
    return Answer(_with_ties(call, record))


def _with_ties(call: Call, record: Record) -> dict[str, Any]:
    made = view.shown(call.store, record, call.names("properties"))
    made |= history(call, record, call.names("propertiesWithHistory"))
    kinds = [k for k in (type_of(n) for n in call.names("associations") or ()) if k is not None]
    found = view.with_associations(call.store, record, kinds)
    return {**made, "associations": found} if found else made


def history(call: Call, record: Record, names: tuple[str, ...] | None) -> dict[str, Any]:
    """The newest version only: nothing here reads older ones."""
    if not names:
        return {}
    shown = view.shown(call.store, record, names)
    found = {
        n: [{"value": v, "timestamp": shown["updatedAt"], "sourceType": "API"}]
        for n, v in shown["properties"].items()
        if n in names and v is not None
    }
    return {"propertiesWithHistory": found}


def listing(call: Call) -> Answer:
    """Every record by id; with `archived=true` those in the recycling bin."""
    kind, store, archived = kind_of(call), call.store, call.flag("archived")
    most = LIST_WITH_HISTORY_MAX if call.names("propertiesWithHistory") else LIST_MAX
    limit = whole(call.arg("limit"), "limit", LIST_DEFAULT, most)
    order = store.tables[kind].order
    after = call.arg("after")
    start = bisect_right(order, number_of(after)) if after else 0
    rows: list[Record] = []
    more = False
    for key in order[start:]:
        record = store.at(kind, key)
        if record is None or record.into is not None:
            continue
        if (record.archived_at is not None) is not archived:
            continue
        if len(rows) == limit:
            more = True
            break
        rows.append(record)
    body: dict[str, Any] = {"results": [_with_ties(call, r) for r in rows]}
    if more:
        body["paging"] = _paging(call, str(rows[-1].id))
    return Answer(body)


def _paging(call: Call, after: str) -> dict[str, Any]:
    kept = [(k, v) for k, v in call.query if k != "after"]
    link = f"{call.base}?{urlencode([*kept, ('after', after)])}"
    return {"next": {"after": after, "link": link}}


def ties_of(sent: Any) -> list[life.Tie]:
    """`associations` of a create: [{to: {id}, types: [{associationTypeId}]}]."""
    if sent is None:
        return []
    if not isinstance(sent, list):
        raise bad_input("associations is a list")
    made: list[life.Tie] = []
    for one in sent:
        to, types = (one.get("to"), one.get("types")) if isinstance(one, dict) else (None, None)
        if not isinstance(to, dict) or not isinstance(types, list) or not types:
            raise bad_input("an association has `to` and `types`")
        for type_ in types:
            made.append(_tie(to.get("id"), type_))
    return made


def _tie(key: Any, type_: Any) -> life.Tie:
    if not isinstance(type_, dict) or not isinstance(type_.get("associationTypeId"), int):
        raise bad_input("a type has an associationCategory and an associationTypeId")
    if type_.get("associationCategory") not in ("HUBSPOT_DEFINED", "USER_DEFINED"):
        raise bad_input("associationCategory is HUBSPOT_DEFINED or USER_DEFINED")
    return ("", number_of(key), type_["associationTypeId"])


def aimed(kind: str, ties: list[life.Tie]) -> list[life.Tie]:
    """The other kind of each association follows from the number of its type."""
    made = []
    for _, other, type_id in ties:
        found = [to for (a, to) in associations.DEFAULT if a == kind
                 and type_id in associations.known_types((a, to))]  # fmt: skip
        if not found:
            raise Refusal(400, f"{type_id} is not a valid association type from {kind}")
        made.append((found[0], other, type_id))
    return made


def create(call: Call) -> Answer:
    kind = kind_of(call)
    ties = aimed(kind, ties_of(call.sent.get("associations")))
    record = life.create(call.store, kind, call.sent.get("properties"), ties, enforce=call.enforce)
    return Answer(_written(call, record, call.sent.get("properties")), 201, wrote=True)


def _written(call: Call, record: Record, sent: Any) -> dict[str, Any]:
    return view.shown(call.store, record, (*sent, *_default(record)))


def _default(record: Record) -> tuple[str, ...]:
    return SHOWN[record.kind]


def change(call: Call) -> Answer:
    """A PATCH; an old id of a merge leads to the new record."""
    kind = kind_of(call)
    record = sought(call, kind, call.keys[1], call.arg("idProperty"))
    if record is None or not record.live:
        raise not_found()
    sent = call.sent.get("properties")
    made = life.update(call.store, record, sent, enforce=call.enforce)
    return Answer(_written(call, made, sent), wrote=True)


def archive(call: Call) -> Answer:
    record = call.store.resolved(kind_of(call), number_of(call.keys[1]))
    if record is not None and record.live:
        life.archive(call.store, record)
    return Answer(None, 204, wrote=True)


def merge(call: Call) -> Answer:
    kind, sent = kind_of(call), call.sent
    ids = [sent.get("primaryObjectId"), sent.get("objectIdToMerge")]
    if not all(isinstance(i, (str, int)) and str(i).isdecimal() for i in ids):
        raise bad_input("primaryObjectId and objectIdToMerge are ids")
    made = life.merge(call.store, kind, number_of(ids[0]), number_of(ids[1]))
    return Answer(view.shown(call.store, made), wrote=True)


def search(call: Call) -> Answer:
    kind, store = kind_of(call), call.store
    query = searching.read(store, kind, call.size, call.sent)
    matched = searching.found(store, kind, query)
    page = matched[query.after : query.after + query.limit]
    body: dict[str, Any] = {
        "total": len(matched),
        "results": [view.shown(store, r, query.properties) for r in page],
    }
    following = query.after + query.limit
    if following < len(matched):
        body["paging"] = {"next": {"after": str(following)}}
    return Answer(body)


_FAMILY = "crm/objects"
ROUTES = (
    Route("GET", _FAMILY, "{type}", listing, read_scope),
    Route("POST", _FAMILY, "{type}", create, write_scope),
    Route("POST", _FAMILY, "{type}/search", search, read_scope, "search"),
    Route("POST", _FAMILY, "{type}/merge", merge, write_scope),
    Route("GET", _FAMILY, "{type}/{id}", read, read_scope),
    Route("PATCH", _FAMILY, "{type}/{id}", change, write_scope),
    Route("DELETE", _FAMILY, "{type}/{id}", archive, write_scope),
)
