"""A hundred records at a time; what failed stands in `errors`, whatever the status."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from syncjob.sandbox.hubspot import life, schema, view
from syncjob.sandbox.hubspot.api_objects import aimed, history, kind_of, number_of, sought, ties_of
from syncjob.sandbox.hubspot.properties import unique_key
from syncjob.sandbox.hubspot.routing import Answer, Call, Route, read_scope, write_scope
from syncjob.sandbox.hubspot.store import Record
from syncjob.sandbox.hubspot.wire import Refusal, bad_input, iso

BATCH_MAX = 100

Input = dict[str, Any]
Done = tuple[dict[str, Any] | None, dict[str, Any] | None]  # what was made, what went wrong


def answered(call: Call, results: list[Any], errors: list[dict[str, Any]], *, done: int = 200,
             wrote: bool = False) -> Answer:  # fmt: skip
    """The frame of every batch: results in no promised order, then numErrors and errors."""
    now = iso(call.store.now())
    results = sorted(results, key=lambda r: _mixed(call, r))
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": now,
        "completedAt": now,
    }
    if not errors:
        return Answer(body, done, wrote)
    body |= {"numErrors": len(errors), "errors": errors}
    wish = call.options.multi_status
    multi = wish == "207" or (wish == "version" and call.version < "2026-09")
    return Answer(body, 207 if multi else done, wrote)


def _mixed(call: Call, result: Any) -> int:
    """The vendor does not say that results come in the order of the inputs: here they do not."""
    if not isinstance(result, dict) or "id" not in result:
        return 0
    return zlib.crc32(f"{call.options.seed}/{result['id']}".encode())


def failed(call: Call, made: Answer, key: str) -> Answer:
    """The same answer of a read, had HubSpot a trouble of its own with the input of this id."""
    body = made.body if isinstance(made.body, dict) else {}
    results = [r for r in body["results"] if str(r.get("id") or r["from"]["id"]) != key]
    errors = [e for e in body.get("errors", ()) if [key] not in e["context"].values()]
    trouble = {
        "status": "error",
        "category": "INTERNAL_ERROR",
        "message": "Something went wrong on our side.",
        "context": {"ids" if call.keys[1:] == () else "fromObjectId": [key]},
    }
    return answered(call, results, [*errors, trouble])


def missing(kind: str, ids: list[str], trace: Any = None) -> dict[str, Any]:
    """The error that names ids of which nothing was found."""
    context: dict[str, Any] = {"ids": ids}
    if trace is not None:
        context["objectWriteTraceId"] = [str(trace)]
    text = (
        f"Could not get some {schema.SINGULAR[kind]} objects, they may be deleted or not exist."
        " Check that ids are valid."
    )
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": text, "context": context}


def read(call: Call) -> Answer:
    """Records by id or unique value; an old id of a merge gives the record it became."""
    kind, archived, sent = kind_of(call), call.flag("archived"), call.sent
    wanted, id_property = sent.get("properties"), sent.get("idProperty")
    if wanted is not None and not isinstance(wanted, list):
        raise bad_input("properties is a list of names")
    found: dict[int, dict[str, Any]] = {}
    lost: list[str] = []
    for one in call.inputs(BATCH_MAX):
        record = _sought(call, kind, one.get("id"), id_property)
        if record is None or (record.archived_at is not None) is not archived:
            lost.append(str(one.get("id")))
            continue
        names = None if wanted is None else tuple(str(n) for n in wanted)
        with_history = tuple(str(n) for n in sent.get("propertiesWithHistory") or ())
        made = view.shown(call.store, record, names)
        found[record.id] = made | history(call, record, with_history)
    errors = [missing(kind, lost)] if lost else []
    return answered(call, list(found.values()), errors)


def _sought(call: Call, kind: str, key: Any, id_property: Any) -> Record | None:
    """A batch has no 404 of its own: what is no id is only not found."""
    if id_property is not None and not isinstance(id_property, str):
        raise bad_input("idProperty is a name")
    try:
        record = sought(call, kind, key, id_property)
    except Refusal as refused:
        if refused.status != 404:
            raise
        return None
    merged = id_property is None and record is not None and record.id != number_of(key)
    return None if merged and call.options.merged_in_read == "missing" else record


def create(call: Call) -> Answer:
    kind = kind_of(call)

    def make(one: Input) -> Done:
        ties = aimed(kind, ties_of(one.get("associations")))
        record = life.create(call.store, kind, one.get("properties"), ties, enforce=call.enforce)
        return _made(call, record, one), None

    return _each(call, make, 201)


def update(call: Call) -> Answer:
    kind = kind_of(call)
    _no_doubles(call)

    def make(one: Input) -> Done:
        key, trace = one.get("id"), one.get("objectWriteTraceId")
        record = _sought(call, kind, key, _own(call, kind, one))
        if record is None or not record.live:
            return None, missing(kind, [str(key)], trace)
        if not one.get("idProperty") and record.id != number_of(key):
            silent = call.options.merged_in_batch == "silent"
            return None, None if silent else missing(kind, [str(key)], trace)
        made = life.update(call.store, record, one.get("properties"), enforce=call.enforce)
        return _made(call, made, one), None

    return _each(call, make, 200)


def _own(call: Call, kind: str, one: Input) -> str | None:
    """The idProperty of an input, which must be the account's own unique property."""
    name = one.get("idProperty")
    if name is None:
        return None
    found = call.store.definitions[kind].get(name) if isinstance(name, str) else None
    if found is None or not found["hasUniqueValue"] or found["hubspotDefined"]:
        text = f"Unable to perform update/upsert by non-unique {kind} property {name}"
        raise Refusal(400, f"{text} in portal ID {call.options.portal_id}")
    return str(name)


def _no_doubles(call: Call) -> None:
    keys = [str(i.get("id")) for i in call.inputs(BATCH_MAX)]
    doubled = sorted({k for k in keys if keys.count(k) > 1})
    if doubled:
        told = ", ".join(doubled)
        raise Refusal(400, f"Duplicate IDs found in batch input: [{told}]. IDs must be unique")


def upsert(call: Call) -> Answer:
    """By a unique property of the account's own; `new` says whether the record was made."""
    kind = kind_of(call)
    _no_doubles(call)

    def make(one: Input) -> Done:
        name = _own(call, kind, one)
        if name is None:
            raise bad_input("idProperty is required")
        sent = one.get("properties")
        if not isinstance(sent, dict):
            raise bad_input("properties is an object")
        value = str(one.get("id"))
        key = call.store.unique.get((kind, name), {}).get(unique_key(value))
        record = None if key is None else call.store.live(kind, key)
        sent = {**sent, name: value}
        if record is None:
            made = life.create(call.store, kind, sent, enforce=call.enforce)
        else:
            made = life.update(call.store, record, sent, enforce=call.enforce)
        shown = _made(call, made, {**one, "properties": sent})
        return {**shown, "new": record is None}, None

    return _each(call, make, 200)


def _made(call: Call, record: Record, one: Input) -> dict[str, Any]:
    names = (*(one.get("properties") or ()), *schema.SHOWN[record.kind])
    made = view.shown(call.store, record, names)
    trace = one.get("objectWriteTraceId")
    return made if trace is None else {**made, "objectWriteTraceId": str(trace)}


def _each(call: Call, make: Callable[[Input], Done], done: int) -> Answer:
    """One refusal refuses the whole batch, unless each input has an objectWriteTraceId."""
    inputs = call.inputs(BATCH_MAX)
    traced = all(isinstance(i.get("objectWriteTraceId"), (str, int)) for i in inputs)
    results: list[Any] = []
    errors: list[dict[str, Any]] = []
    for one in inputs:
        try:
            with call.store.whole():
                result, error = make(one)
        except Refusal as refused:
            if not traced or refused.status >= 500:
                raise
            result, error = None, _told(refused, one["objectWriteTraceId"])
        if result is not None:
            results.append(result)
        if error is not None:
            errors.append(error)
    return answered(call, results, errors, done=done, wrote=True)


def _told(refused: Refusal, trace: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "status": "error",
        "category": refused.category or "VALIDATION_ERROR",
        "message": refused.message,
        "context": {"objectWriteTraceId": [str(trace)]},
    }
    if "errors" in refused.extra:
        made["errors"] = refused.extra["errors"]
    made["context"] |= refused.extra.get("context", {})
    return made


def archive(call: Call) -> Answer:
    kind = kind_of(call)
    for one in call.inputs(BATCH_MAX):
        key = str(one.get("id"))
        record = call.store.live(kind, int(key)) if key.isdecimal() and key.isascii() else None
        if record is not None:
            life.archive(call.store, record)
    return Answer(None, 204, wrote=True)


_FAMILY = "crm/objects"
ROUTES = (
    Route("POST", _FAMILY, "{type}/batch/read", read, read_scope),
    Route("POST", _FAMILY, "{type}/batch/create", create, write_scope),
    Route("POST", _FAMILY, "{type}/batch/update", update, write_scope),
    Route("POST", _FAMILY, "{type}/batch/upsert", upsert, write_scope),
    Route("POST", _FAMILY, "{type}/batch/archive", archive, write_scope),
)
