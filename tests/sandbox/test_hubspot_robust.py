"""Whatever is sent, the answer is the vendor's, and what is refused has changed nothing."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

import pytest

from syncjob.sandbox.kernel import ActError, Dropped, Fault
from tests.sandbox.hubspot_support import Hub, where

KINDS = ("deals", "contacts", "companies", "line_items", "tasks", "notes", "products", "0-3", "x")
GARBAGE: tuple[Any, ...] = (
    None, "", "x", "1", 0, -1, 1.5, 10**30, True, [], {}, [[]], [{}], {"id": None}, "\ud800",
    "é" * 50,
    "1,0", "NaN", "Infinity", "1e400", "٣", "²", {"a": {"b": []}}, "2026-13-45", "9" * 40, "a\x00b",
    [None], [{"id": {}}], {"filters": 3},
)  # fmt: skip
KEYS = (
    "inputs", "properties", "associations", "filterGroups", "sorts", "limit", "after", "query",
    "idProperty", "id", "to", "types", "from", "filters", "propertyName", "operator", "value",
    "values", "highValue", "name", "label", "type", "fieldType", "groupName", "options",
    "hasUniqueValue", "objectWriteTraceId", "primaryObjectId", "objectIdToMerge", "amount",
    "associationTypeId", "associationCategory", "hs_timestamp", "price", "quantity",
    "hs_pricing_model", "hs_tier_ranges", "recurringbillingfrequency", "propertiesWithHistory",
)  # fmt: skip
PATHS = (
    ("POST", "crm/objects/@/{k}"), ("POST", "crm/objects/@/{k}/search"),
    ("POST", "crm/objects/@/{k}/merge"), ("PATCH", "crm/objects/@/{k}/{i}"),
    ("GET", "crm/objects/@/{k}/{i}"), ("GET", "crm/objects/@/{k}"),
    ("DELETE", "crm/objects/@/{k}/{i}"), ("POST", "crm/objects/@/{k}/batch/read"),
    ("POST", "crm/objects/@/{k}/batch/create"), ("POST", "crm/objects/@/{k}/batch/update"),
    ("POST", "crm/objects/@/{k}/batch/upsert"), ("POST", "crm/objects/@/{k}/batch/archive"),
    ("POST", "crm/associations/@/{k}/companies/batch/read"),
    ("POST", "crm/associations/@/{k}/contacts/batch/create"),
    ("POST", "crm/associations/@/deals/{k}/batch/archive"),
    ("GET", "crm/associations/@/{k}/deals/labels"), ("GET", "crm/owners/@"),
    ("GET", "crm/owners/@/{i}"), ("GET", "crm/pipelines/@/{k}"), ("GET", "tax-rates/@/tax-rates"),
    ("GET", "tax-rates/@/tax-rates/{i}"), ("POST", "crm/properties/@/{k}"),
    ("POST", "crm/properties/@/{k}/groups"), ("PATCH", "crm/properties/@/{k}/{i}"),
    ("DELETE", "crm/properties/@/{k}/{i}"), ("POST", "crm/properties/@/{k}/batch/create"),
    ("POST", "crm/properties/@/{k}/batch/read"), ("POST", "oauth/2026-03/token"),
    ("POST", "oauth/2026-03/token/introspect"), ("GET", "oauth/authorize"),
)  # fmt: skip


def whole_bodies(deal: str, row: str) -> dict[str, dict[str, Any]]:
    """For each verb at the end of a path: a body that is right."""
    tie = {"to": {"id": deal}, "types": [
        {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}]}  # fmt: skip
    task = {"properties": {"hs_timestamp": "1795435200000"}, "associations": [tie]}
    change = {"id": deal, "properties": {"amount": "7", "dealname": "D"}}
    one = where("amount", "BETWEEN", "1", highValue="9")
    listed = where("dealname", "IN", values=["a"])
    own = {"name": "own", "label": "Own", "type": "enumeration", "fieldType": "select",
           "groupName": "dealinformation", "options": [{"label": "A", "value": "a"}]}  # fmt: skip
    priced = {"price": "1", "quantity": "2", "hs_pricing_model": "graduated",
              "hs_tier_ranges": "1;5", "hs_tier_prices": "3;2",
              "recurringbillingfrequency": "monthly",
              "hs_recurring_billing_period": "P12M"}  # fmt: skip
    return {
        "tasks": task,
        "line_items": {"properties": priced},
        "tasks/batch/create": {"inputs": [task]},
        f"line_items/{row}": {"properties": priced},
        f"deals/{deal}": {"properties": {"amount": "7", "closedate": "2026-11-23"}},
        "deals/batch/update": {"inputs": [change]},
        "deals/batch/upsert": {"inputs": [{**change, "idProperty": "key"}]},
        "deals/batch/read": {"inputs": [{"id": deal}], "properties": ["amount"],
                             "idProperty": "hs_object_id"},
        "deals/search": {"filterGroups": [{"filters": [one, listed]}], "limit": 5, "after": "0",
                         "sorts": [{"propertyName": "amount", "direction": "ASCENDING"}],
                         "properties": ["amount"], "query": "spring"},
        "deals/merge": {"primaryObjectId": deal, "objectIdToMerge": "5"},
        "properties": own,
        "properties/batch/create": {"inputs": [own]},
        "associations": {"inputs": [{"from": {"id": deal}, "to": {"id": "5"},
                                     "types": [{"associationTypeId": 215}]}]},
    }  # fmt: skip


def spoiled(rng: Random, value: Any) -> Any:
    """The same with one thing in it wrong."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key} | {rng.choice(KEYS): "x"}
        return {**value, key: spoiled(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        return [spoiled(rng, v) if n == at else v for n, v in enumerate(value)]
    return copy.deepcopy(rng.choice(GARBAGE))


def path_of(verb: str) -> tuple[str, str]:
    family, _, rest = verb.partition("/")
    if family == "properties":
        return "POST", f"crm/properties/@/deals/{rest}".rstrip("/")
    if family == "associations":
        return "POST", "crm/associations/@/deals/tasks/batch/create"
    return ("PATCH" if rest.isdigit() else "POST"), f"crm/objects/@/{verb}"


def test_a_right_call_with_one_thing_wrong_is_answered_and_never_a_defect() -> None:
    hub, rng = Hub(), Random(12)
    deal = hub.deal()
    row = hub.act("edit_deal", deal=deal)["lines"][0]["id"]
    hub.act("create_field", name="key", unique=True)
    bodies = whole_bodies(str(deal), str(row))
    for verb, body in bodies.items():
        reply = hub.call(*path_of(verb), body)
        assert reply.status in (200, 201, 404, 409), (verb, reply.body)
    seen = set()
    for _ in range(3_000):
        verb = rng.choice(sorted(bodies))
        body = spoiled(rng, bodies[verb])
        reply = hub.call(*path_of(verb), body)
        assert reply.status < 500, (verb, body, reply.body)
        seen.add(reply.status)
    assert seen >= {200, 201, 400, 404}
    hub.server.dump()


def test_any_path_with_any_query_is_answered_and_never_a_defect() -> None:
    hub, rng = Hub(index_lag_max_s=3), Random(11)
    ids = [str(hub.deal()), "5", "x", "9" * 30, "dealname", "²", ""]
    args = ("limit", "after", "archived", "properties", "idProperty", "email", "associations")
    for _ in range(1_500):
        method, path = rng.choice(PATHS)
        path = path.replace("{k}", rng.choice(KINDS)).replace("{i}", rng.choice(ids))
        if rng.random() < 0.7:
            value = rng.choice(("x", "1", "0", "", "true", "dealname", "²", "deals,contacts"))
            path += f"?{rng.choice(args)}={value}"
        raw = rng.choice((b"{", b"\xff", b"[]", b"3", b'"x"', b"[" * 3000, b"{}", b"null", None))
        reply = hub.call(method, path, {rng.choice(KEYS): rng.choice(GARBAGE)}, raw=raw)
        assert reply.status < 500, (method, path, raw, reply.body)
        if reply.status >= 400 and not path.startswith("oauth/authorize"):
            assert json.loads(reply.body)["status"], (path, reply.body)
        if rng.random() < 0.05:
            hub.later(2)


def test_a_batch_that_is_refused_changes_no_record_and_holds_no_value() -> None:
    hub = Hub(index_lag_max_s=5)
    hub.ok("POST", "crm/properties/@/deals",
           {"name": "key", "label": "Key", "type": "string", "fieldType": "text",
            "groupName": "dealinformation", "hasUniqueValue": True})  # fmt: skip
    a, b = hub.deal(), hub.deal()
    before = hub.server.dump()
    inputs = [{"id": str(a), "properties": {"key": "K1", "amount": "5"}},
              {"id": str(b), "properties": {"key": "k1"}}]  # fmt: skip
    hub.refused(400, "POST", "crm/objects/@/deals/batch/update", {"inputs": inputs})
    tie = {
        "to": {"id": str(a)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}],
    }
    made = [{"properties": {"price": "1"}, "associations": [tie]}, {"properties": {"price": "x"}}]
    hub.refused(400, "POST", "crm/objects/@/line_items/batch/create", {"inputs": made})
    after = hub.server.dump()
    assert {k: v for k, v in after.items() if k != "limits"} == {
        k: v for k, v in before.items() if k != "limits"
    }
    hub.later(6)
    assert hub.found("line_items", where("price", "EQ", "1")) == []
    inputs[1]["properties"] = {"key": "k2"}
    hub.ok("POST", "crm/objects/@/deals/batch/update", {"inputs": inputs})


def test_the_same_seed_gives_the_same_answers() -> None:
    def play() -> list[bytes]:
        hub = Hub(index_lag_max_s=20, id_stride_max=50)
        made = [hub.deal(title=f"D{n}") for n in range(5)]
        hub.act("merge_deals", winner=made[0], loser=made[1])
        hub.later(5)
        return [hub.call("POST", "crm/objects/@/deals/search", {}).body,
                hub.call("GET", "crm/objects/@/deals").body]  # fmt: skip

    assert play() == play()


def test_a_copy_goes_its_own_way() -> None:
    hub = Hub()
    deal = hub.deal()
    twin = copy.deepcopy(hub.server)
    twin.people("win", {"deal": deal})
    assert hub.server.dump()["deals"][str(deal)]["status"] == "open"
    assert twin.dump()["deals"][str(deal)]["status"] == "won"


def test_lost_and_late_requests_take_effect() -> None:
    hub = Hub()
    deal = hub.deal()
    sent = {"inputs": [{"id": str(deal), "properties": {"amount": "7"}}]}
    hub.faults.add(Fault(kind="late", delay_s=30))
    with pytest.raises(Dropped):
        hub.call("POST", "crm/objects/@/deals/batch/update", sent)
    assert float(hub.props("deals", deal, "amount")["amount"]) == 100
    hub.later(31)
    assert float(hub.props("deals", deal, "amount")["amount"]) == 7


@pytest.mark.parametrize(
    ("act", "payload"),
    [
        ("create_deal", {"title": "D", "installments": [{"amount": 1}]}),
        ("create_deal", {"title": "D", "pipeline": "nothing"}),
        ("create_deal", {"title": "D", "fields": {"nothing": 1}}),
        ("win", {"deal": 5}), ("win", {}), ("dance", {}), ("edit_line", {"line": 5}),
        ("merge_deals", {"winner": 1, "loser": 2}), ("restore_deal", {"deal": 1}),
        ("create_field", {"name": "X", "type": "magic"}),
        ("add_line", {"deal": "D1", "price": 1, "name": "L", "tax_method": "inclusive"}),
    ],
)  # fmt: skip
def test_what_people_cannot_do_is_said(act: str, payload: dict[str, Any]) -> None:
    hub = Hub()
    hub.deal(title="D1")
    with pytest.raises(ActError):
        hub.act(act, **payload)
