"""What sales people do to deals in the browser; each act returns the record it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, calculated, dumping, life
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.hubspot.wire import as_text, iso, moment_ms, number
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

Payload = dict[str, Any]
_DEAL = {"title": "dealname", "value": "amount", "currency": "deal_currency_code",
         "lost_reason": "closed_lost_reason", "expected_close_date": "closedate",
         "description": "description"}  # fmt: skip
_LINE = {"price": "price", "quantity": "quantity", "comments": "description",
         "billing_start_date": "hs_recurring_billing_start_date",
         "billing_frequency_cycles": "hs_recurring_billing_number_of_payments",
         "pricing_model": "hs_pricing_model", "tier_ranges": "hs_tier_ranges",
         "tier_prices": "hs_tier_prices", "position": "hs_position_on_quote"}  # fmt: skip
_FREQUENCIES = {"one-time": None, "annually": "annually", "semi-annually": "per_six_months",
                "quarterly": "quarterly", "monthly": "monthly", "weekly": "weekly"}  # fmt: skip
_NAMED = {"deals": ("dealname",), "companies": ("name",), "products": ("hs_sku", "name"),
          "contacts": ("email", "hs_full_name_or_email"), "line_items": ("name",),
          "tasks": ("hs_task_subject",), "notes": ("hs_note_body",)}  # fmt: skip


def resolve(store: Store, kind: str, ref: Any) -> int:
    """A live record by its id (an old one of a merge too), a file's id, its name or e-mail."""
    text = str(ref)
    key = store.external[kind].get(text)
    if key is None and text.isdecimal():
        key = int(text)
    found = None if key is None else store.resolved(kind, key)
    if found is not None:
        return found.id
    for name in _NAMED[kind]:
        for record in store.all(kind):
            if record.props.get(name) == text:
                return record.id
    raise ActError(f"no {kind.removesuffix('s')} {ref!r}")


def record_of(store: Store, kind: str, ref: Any) -> Record:
    found = store.live(kind, resolve(store, kind, ref))
    if found is None:
        raise ActError(f"{kind.removesuffix('s')} {ref!r} is archived")
    return found


def owner_id(store: Store, ref: Any) -> int:
    """An owner by id, file's id, name or e-mail."""
    text = str(ref)
    key = store.external["owners"].get(text, int(text) if text.isdecimal() else 0)
    for found in store.owners.values():
        words = (dumping.owner(found)["name"], found["email"])
        if found["id"] == key or found["user_id"] == key or text in words:
            return int(found["id"])
    raise ActError(f"no user {ref!r}")


def acting_owner(store: Store, payload: Payload) -> int:
    """Who acts: what people make in the browser is theirs unless they name another owner."""
    if payload.get("user") is not None:
        return owner_id(store, payload["user"])
    return next(int(o["id"]) for o in store.owners.values() if not o["archived"])


def own_fields(store: Store, kind: str, sent: Payload) -> Payload:
    """`fields` by label or name to properties, options by their label; None empties one."""
    made: Payload = {}
    for word, value in (sent.get("fields") or {}).items():
        definition = next(
            (d for n, d in store.definitions[kind].items()
             if word in (n, d["label"]) and not d["archived"]), None,
        )  # fmt: skip
        if definition is None:
            raise ActError(f"no field {word!r} on {kind}")
        values = {o["label"]: o["value"] for o in definition["options"]}
        made[definition["name"]] = values.get(value, value) if isinstance(value, str) else value
    return made


# --- deals ------------------------------------------------------------------------------------


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
    return whole_deal(store, record.id)


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


def whole_deal(store: Store, key: int) -> Payload:
    record = store.at("deals", key)
    assert record is not None
    lines = associations.live_links(store, "deals", key, "line_items")
    rows = [store.live("line_items", k) for k, _ in lines]
    shown = [dumping.neutral(store, r) for r in rows if r is not None]
    return {**dumping.neutral(store, record), "lines": shown}


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
    return whole_deal(store, record.id)


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


# --- lines ------------------------------------------------------------------------------------


def make_line(server: HubSpotServer, deal: int, line: Payload) -> Record:
    """A line item of a deal, as the editor makes it: of a product, in the deal's currency."""
    store = server.store
    parent = store.live("deals", deal)
    assert parent is not None
    sent = {"quantity": 1, "price": 0, **line_sent(server, line)}
    if "product_id" in line:
        record = record_of(store, "products", line["product_id"])
        sent = _as_product(line, record) | sent
    elif {"product", "code", "name"} & line.keys():
        sent |= _product(server, line)
    sent.setdefault("hs_line_item_currency_code", parent.props["deal_currency_code"])
    number_of = len(associations.live_links(store, "deals", deal, "line_items"))
    sent.setdefault("hs_position_on_quote", number_of)
    return life.create(store, "line_items", sent, [("deals", deal, None)])


def _product(server: HubSpotServer, line: Payload) -> Payload:
    """The product by name, code or id; made if it is not there."""
    store = server.store
    ref = line.get("product", line.get("code", line.get("name")))
    try:
        record = record_of(store, "products", ref)
    except ActError:
        new = {"name": line.get("name", ref), "hs_sku": line.get("code")}
        record = life.create(store, "products", new)
    return _as_product(line, record)


def _as_product(line: Payload, record: Record) -> Payload:
    made = {"hs_product_id": record.id, "name": line.get("name", record.props.get("name"))}
    return made | ({"hs_sku": record.props["hs_sku"]} if "hs_sku" in record.props else {})


def line_sent(server: HubSpotServer, line: Payload) -> Payload:
    """A line as people name it: a discount in percent or an amount off each unit, a tax rate."""
    sent = {_LINE[k]: v for k, v in line.items() if k in _LINE and v is not None}
    if "name" in line:
        sent["name"] = line["name"]
    if line.get("enabled") is False or line.get("is_enabled") is False:
        raise ActError("HubSpot has no disabled line items")
    if line.get("tax_method") == "inclusive":
        raise ActError("HubSpot's line items are net of tax")
    if "billing_frequency" in line:
        sent["recurringbillingfrequency"] = _FREQUENCIES.get(
            line["billing_frequency"], line["billing_frequency"]
        )
    if "discount" in line:
        per_unit = line.get("discount_type") == "amount"
        sent["discount" if per_unit else "hs_discount_percentage"] = line["discount"] or None
        sent["hs_discount_percentage" if per_unit else "discount"] = None
    percent = line.get("tax", line.get("tax_percent"))
    if percent is not None:
        sent["hs_tax_rate_group_id"] = tax_rate(server, percent)
    return sent | own_fields(server.store, "line_items", line)


def tax_rate(server: HubSpotServer, percent: Any, name: str | None = None) -> int:
    """The account's tax rate of that percentage, made if there is none."""
    store = server.store
    wanted = number(as_text(percent) or "0")
    for found in store.tax_rates.values():
        if number(found["percentageRate"]) == wanted and name in (None, found["name"]):
            return int(found["id"])
    key = 7_000_001 + len(store.tax_rates)
    text = as_text(percent) or "0"
    now = iso(store.now())
    store.tax_rates[key] = {
        "id": key, "name": name or f"Tax {text}%", "label": name or "Tax",
        "percentageRate": text, "active": True, "createdAt": now, "updatedAt": now,
    }  # fmt: skip
    return key


def revalue(store: Store, deal: int) -> None:
    """The editor saves the lines' sum as the deal's amount; its date may stand still."""
    record = store.live("deals", deal)
    if record is None or not store.options.amount_follows_lines:
        return
    lines = [store.live("line_items", k)
             for k, _ in associations.live_links(store, "deals", deal, "line_items")]  # fmt: skip
    total = sum(number(r.props.get("hs_tcv") or "0") or 0 for r in lines if r is not None)
    text = format(calculated.exact(total), "f")
    life.update(store, record, {"amount": text}, bump=store.options.lines_bump_deal)


def add_line(server: HubSpotServer, payload: Payload) -> Payload:
    line = payload.get("line") or {k: v for k, v in payload.items() if k not in ("deal", "user")}
    deal = record_of(server.store, "deals", payload["deal"]).id
    made = make_line(server, deal, line)
    revalue(server.store, deal)
    return dumping.neutral(server.store, made)


def edit_line(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    record = record_of(store, "line_items", payload["line"])
    made = life.update(store, record, line_sent(server, payload))
    for deal, _ in associations.live_links(store, "line_items", record.id, "deals"):
        revalue(store, deal)
    return dumping.neutral(store, made)


def remove_line(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    record = record_of(store, "line_items", payload["line"])
    deals = [d for d, _ in associations.live_links(store, "line_items", record.id, "deals")]
    made = life.archive(store, record)
    for deal in deals:
        revalue(store, deal)
    return whole_deal(store, deals[0]) if deals else dumping.neutral(store, made)


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
