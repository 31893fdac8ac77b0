"""What sales people do to deals in the browser; each act returns the record it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, calculated, dumping, life
from syncjob.sandbox.hubspot.naming import (
    Payload,
    acting_owner,
    own_fields,
    owner_id,
    record_of,
    resolve,
)
from syncjob.sandbox.hubspot.people_lines import (
    add_line,
    edit_line,
    make_line,
    remove_line,
    revalue,
)
from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.hubspot.wire import iso, moment_ms
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

_DEAL = {"title": "dealname", "value": "amount", "currency": "deal_currency_code",
         "lost_reason": "closed_lost_reason", "expected_close_date": "closedate",
         "description": "description"}  # fmt: skip


def create_deal(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    for word in ("discounts", "installments"):
        if payload.get(word):
            raise ActError(f"HubSpot deals have no {word}")
    sent = {"hubspot_owner_id": acting_owner(store, payload), **_deal_sent(store, payload, {})}
    record = life.create(store, "deals", sent, wanted=payload.get("id"))
    _tie(store, record.id, payload)
    _decided(store, record.id, payload)
    for line in payload.get("lines", ()):
        make_line(server, record.id, line)
    if payload.get("lines"):
        revalue(store, record.id)
    return dumping.whole_deal(store, record.id)


def _deal_sent(store: Store, payload: Payload, before: Payload) -> Payload:
    sent = {_DEAL[k]: v for k, v in payload.items() if k in _DEAL}
    sent |= own_fields(store, "deals", payload)
    if "owner" in payload:
        ref = payload["owner"]
        sent["hubspot_owner_id"] = None if ref is None else owner_id(store, ref)
    if "pipeline" in payload or "stage" in payload:
        sent |= _place(store, payload)
    status = payload.get("status")
    if status is not None and _state_of(store, sent.get("dealstage")) != status:
        pipeline = sent.get("pipeline") or before.get("pipeline") or "default"
        sent["dealstage"] = stage_for(store, str(pipeline), status)
    return sent


def _state_of(store: Store, key: str | None) -> str:
    """won, lost or open; empty without a stage."""
    if key is None:
        return ""
    _, stage = calculated.stages(store)[key]
    closed = "lost" if calculated.is_closed(stage) else "open"
    return "won" if calculated.is_won(stage) else closed


def _place(store: Store, payload: Payload) -> Payload:
    """Pipeline and stage by id or label."""
    pipeline, stage = payload.get("pipeline"), payload.get("stage")
    found = [p for p in store.pipelines.values()
             if pipeline is None or str(pipeline) in (p["id"], p["label"])]  # fmt: skip
    if not found:
        raise ActError(f"no pipeline {pipeline!r}")
    if stage is None:
        return {"pipeline": found[0]["id"]}
    for one in found:
        for row in one["stages"]:
            if str(stage) in (row["id"], row["label"]):
                return {"pipeline": one["id"], "dealstage": row["id"]}
    raise ActError(f"no stage {stage!r}")


def stage_for(store: Store, pipeline: str, status: str) -> str:
    """The first stage of that pipeline that is won, lost or open."""
    for stage in store.pipelines[pipeline]["stages"]:
        if _state_of(store, stage["id"]) == status and not stage["archived"]:
            return str(stage["id"])
    raise ActError(f"the pipeline {pipeline} has no stage for {status!r}")


def _tie(store: Store, key: int, payload: Payload) -> None:
    """The customer of a deal: the primary company and the contact."""
    for word, to in (("org", "companies"), ("person", "contacts")):
        if word not in payload:
            continue
        for other, _ in associations.live_links(store, "deals", key, to):
            associations.dissociate(store, "deals", key, to, other)
        if payload[word] is not None:
            other = resolve(store, to, payload[word])
            type_id = associations.PRIMARY.get(("deals", to))
            associations.associate(store, "deals", key, to, other, type_id)
        life.retied(store, "deals", key, [])


def _decided(store: Store, key: int, payload: Payload) -> None:
    """A won or lost time that people give for the past."""
    record = store.live("deals", key)
    if record is None:
        return
    props = dict(record.props)
    for word, name in (("won_time", "hs_closed_won_date"), ("lost_time", None)):
        if payload.get(word) is not None:
            at = iso(to_ms(payload[word]))
            props["closedate"] = at
            if name is not None:
                props[name] = at
    if props != record.props:
        store.put(replace(record, props=props))


def to_ms(value: Any) -> int:
    """A time as people give it: a text, or epoch seconds."""
    found = value * 1000 if isinstance(value, int) else moment_ms(str(value))
    if found is None:
        raise ActError(f"{value!r} is not a time")
    return int(found)


def edit_deal(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    record = record_of(store, "deals", payload["deal"])
    sent = _deal_sent(store, payload, record.props)
    status = payload.get("status")
    shown = dumping.neutral(store, record)["status"]
    if status == shown and not ({"pipeline", "stage"} & payload.keys()):
        sent.pop("dealstage", None)  # a deal that is won stays in its own won stage
    if sent:
        life.update(store, record, sent)
    _tie(store, record.id, payload)
    _decided(store, record.id, payload)
    if {"org", "person"} & payload.keys():
        touch(store, "deals", record.id)
    return dumping.whole_deal(store, record.id)


def touch(store: Store, kind: str, key: int) -> None:
    record = store.live(kind, key)
    if record is not None:
        store.put(replace(record, updated=store.now()))


def _setter(**values: Any) -> Callable[[HubSpotServer, Payload], Payload]:
    return lambda server, payload: edit_deal(server, {**values, **payload})


def delete_deal(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    made = life.archive(store, record_of(store, "deals", payload["deal"]))
    return dumping.neutral(store, made)


def win_all(server: HubSpotServer, payload: Payload) -> Payload:
    """Wins every open deal; returns their ids."""
    store = server.store
    found = [r.id for r in store.all("deals") if r.props.get("hs_is_closed") != "true"]
    for key in found:
        edit_deal(server, {"deal": key, "status": "won"})
    return {"deals": found}


def import_deals(server: HubSpotServer, payload: Payload) -> Payload:
    """A file that changes one property of every deal at once, as an import does."""
    store = server.store
    sent = own_fields(store, "deals", payload) or {"description": payload.get("text", "imported")}
    found = list(store.all("deals"))
    for record in found:
        life.update(store, record, sent)
    return {"deals": len(found)}


DEAL_ACTS: dict[str, Callable[[Any, Payload], Payload]] = {
    "create_deal": create_deal,
    "edit_deal": edit_deal,
    "move_stage": edit_deal,
    "win": _setter(status="won"),
    "lose": _setter(status="lost"),
    "reopen": _setter(status="open"),
    "delete_deal": delete_deal,
    "win_all": win_all,
    "import_deals": import_deals,
    "add_line": add_line,
    "edit_line": edit_line,
    "remove_line": remove_line,
}
