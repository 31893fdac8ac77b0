"""What an account has besides records: associations, owners, properties, limits, credentials."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from syncjob.sandbox.hubspot.server import SEMANTIC
from syncjob.sandbox.kernel import Fault, Reply, Request
from tests.sandbox.hubspot_support import Hub

ENUM = {
    "name": "syncjob_status",
    "label": "Invoice status",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "syncjob",
    "options": [{"label": "Paid", "value": "paid"}, {"label": "Draft", "value": "draft"}],
}
SECRET = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
BACK = "http://localhost:8750/callback"


@pytest.fixture
def hub() -> Hub:
    return Hub()


# --- associations -----------------------------------------------------------------------------


def tied(hub: Hub, pair: str, *keys: Any) -> Any:
    sent = {"inputs": [{"id": str(k)} for k in keys]}
    return hub.ok("POST", f"crm/associations/@/{pair}/batch/read", sent)


def test_the_primary_company_bears_both_types(hub: Hub) -> None:
    first, second = (hub.act("create_org", name=n)["id"] for n in ("Acme", "Other"))
    deal = hub.deal(org="Acme", lines=[])
    tie = {
        "from": {"id": str(deal)},
        "to": {"id": str(second)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}],
    }
    path = "crm/associations/@/deals/companies/batch/create"
    hub.ok("POST", path, {"inputs": [tie]})
    rows = tied(hub, "deals/companies", deal)["results"][0]["to"]
    types = {
        r["toObjectId"]: {t["typeId"]: t["label"] for t in r["associationTypes"]} for r in rows
    }
    assert types == {first: {341: None, 5: "Primary"}, second: {341: None}}
    tie["types"][0]["associationTypeId"] = 5
    hub.ok("POST", path, {"inputs": [tie]})
    rows = tied(hub, "deals/companies", deal)["results"][0]["to"]
    assert {r["toObjectId"]: len(r["associationTypes"]) for r in rows} == {first: 1, second: 2}
    back = tied(hub, "companies/deals", second)["results"][0]["to"]
    assert {t["typeId"] for t in back[0]["associationTypes"]} == {342, 6}


def test_what_has_no_association_stands_among_the_errors(hub: Hub) -> None:
    deal = hub.deal()
    body = tied(hub, "deals/contacts", deal)
    assert body["results"] == [] and body["numErrors"] == 1
    assert body["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_many_associations_come_in_pages(hub: Hub) -> None:
    deal = hub.deal(lines=[])
    made = [hub.act("create_org", name=f"C{n}")["id"] for n in range(501)]
    inputs = [{"from": {"id": str(deal)}, "to": {"id": str(k)}} for k in made]
    hub.ok("POST", "crm/associations/@/deals/companies/batch/create", {"inputs": inputs})
    row = tied(hub, "deals/companies", deal)["results"][0]
    after = row["paging"]["next"]["after"]
    sent = {"inputs": [{"id": str(deal), "after": after}]}
    rest = hub.ok("POST", "crm/associations/@/deals/companies/batch/read", sent)["results"][0]
    seen = [r["toObjectId"] for r in (*row["to"], *rest["to"])]
    assert seen == made and "paging" not in rest


def test_types_must_fit_and_batches_have_bounds(hub: Hub) -> None:
    deal, org = hub.deal(lines=[]), hub.act("create_org", name="Acme")["id"]
    tie = {
        "from": {"id": str(deal)},
        "to": {"id": str(org)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
    }
    path = "crm/associations/@/deals/companies/batch"
    hub.refused(400, "POST", f"{path}/create", {"inputs": [tie]})
    hub.refused(400, "POST", f"{path}/read", {"inputs": [{"id": "1"}] * 1001})
    hub.refused(400, "POST", f"{path}/create", {"inputs": [tie] * 2001})
    hub.refused(
        400, "POST", "crm/associations/@/owners/deals/batch/read", {"inputs": [{"id": "1"}]}
    )


def test_a_task_is_made_with_its_associations_or_not_at_all(hub: Hub) -> None:
    deal = hub.deal()
    tie = {
        "to": {"id": str(deal)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}],
    }
    sent = {"properties": {"hs_timestamp": "1795435200000", "hs_task_subject": "Overdue"},
            "associations": [tie]}  # fmt: skip
    made = hub.ok("POST", "crm/objects/@/tasks", sent)
    assert tied(hub, "tasks/deals", made["id"])["results"][0]["to"][0]["toObjectId"] == deal
    tie["to"]["id"] = "5"
    hub.refused(404, "POST", "crm/objects/@/tasks", sent)
    assert [t["subject"] for t in hub.server.dump()["activities"].values()] == ["Overdue"]


# --- owners and properties --------------------------------------------------------------------


def test_archived_owners_have_no_user_and_keep_their_deals(hub: Hub) -> None:
    hub.act("create_user", name="Tom Okafor", email="tom@firm.example")
    deal = hub.deal(owner="Tom Okafor")
    owner = hub.act("deactivate_user", user="Tom Okafor")["id"]
    live = hub.ok("GET", "crm/owners/@?limit=100")["results"]
    gone = hub.ok("GET", "crm/owners/@?limit=100&archived=true")["results"]
    assert [o["id"] for o in live] == ["900001"]
    assert [(o["id"], o["userId"], o["archived"]) for o in gone] == [(str(owner), None, True)]
    assert hub.props("deals", deal, "hubspot_owner_id")["hubspot_owner_id"] == str(owner)
    assert hub.ok("GET", "crm/owners/@?email=TOM@firm.example&archived=true")["results"] == gone


def test_owners_come_in_pages(hub: Hub) -> None:
    for n in range(3):
        hub.act("create_user", name=f"User {n}")
    first = hub.ok("GET", "crm/owners/@?limit=3")
    after = first["paging"]["next"]["after"]
    rest = hub.ok("GET", f"crm/owners/@?limit=3&after={after}")
    assert len(first["results"]) == 3 and len(rest["results"]) == 1 and "paging" not in rest


def test_a_property_needs_its_group_type_and_options(hub: Hub) -> None:
    path = "crm/properties/@/deals"
    hub.refused(400, "POST", path, ENUM)  # no such group yet
    group = {"name": "syncjob", "label": "Syncjob"}
    hub.ok("POST", f"{path}/groups", group)
    assert hub.refused(409, "POST", f"{path}/groups", group)["category"] == "CONFLICT"
    assert hub.ok("GET", f"{path}/groups/syncjob")["label"] == "Syncjob"
    for wrong in ({"options": []}, {"fieldType": "date"}, {"type": "money"}, {"name": "Bad name"},
                  {"label": ""}, {"hasUniqueValue": True}):  # fmt: skip
        hub.refused(400, "POST", path, {**ENUM, **wrong})
    made = hub.ok("POST", path, ENUM)
    assert [o["value"] for o in made["options"]] == ["paid", "draft"]
    assert hub.refused(409, "POST", path, ENUM)["category"] == "CONFLICT"
    assert hub.ok("GET", f"{path}/syncjob_status")["groupName"] == "syncjob"
    more = [*ENUM["options"], {"label": "Void", "value": "void"}]
    hub.ok("PATCH", f"{path}/syncjob_status", {"options": more})
    deal = hub.deal()
    sent = {"properties": {"syncjob_status": "void"}}
    hub.ok("PATCH", f"crm/objects/@/deals/{deal}", sent)
    assert hub.call("DELETE", f"{path}/syncjob_status").status == 204
    hub.refused(404, "GET", f"{path}/syncjob_status")
    hub.refused(400, "PATCH", f"crm/objects/@/deals/{deal}", sent)
    assert "syncjob_status" not in hub.props("deals", deal, "syncjob_status")
    listed = hub.ok("GET", path)["results"]
    stages = next(p for p in listed if p["name"] == "dealstage")["options"]
    assert "closedwon" in [o["value"] for o in stages]


def test_properties_in_a_batch_all_or_none(hub: Hub) -> None:
    hub.ok("POST", "crm/properties/@/deals/groups", {"name": "syncjob", "label": "Syncjob"})
    path = "crm/properties/@/deals/batch"
    wrong = {**ENUM, "name": "other", "type": "money"}
    hub.refused(400, "POST", f"{path}/create", {"inputs": [ENUM, wrong]})
    hub.refused(404, "GET", "crm/properties/@/deals/syncjob_status")
    hub.ok("POST", f"{path}/create", {"inputs": [ENUM]})
    found = hub.ok("POST", f"{path}/read", {"inputs": [{"name": "syncjob_status"}, {"name": "x"}]})
    assert len(found["results"]) == found["numErrors"] == 1


def test_the_account_tells_its_currency_zone_and_pipelines(hub: Hub) -> None:
    told = hub.ok("GET", "account-info/@/details")
    assert (told["companyCurrency"], told["timeZone"]) == ("GBP", "Europe/London")
    assert told["additionalCurrencies"] == ["EUR", "USD"]
    stages = hub.ok("GET", "crm/pipelines/@/deals")["results"][0]["stages"]
    won = next(s for s in stages if s["id"] == "closedwon")
    assert won["metadata"] == {"isClosed": "true", "probability": "1.0"}


# --- limits -----------------------------------------------------------------------------------


def statuses(hub: Hub, count: int, *call: Any) -> list[int]:
    return [hub.call(*call).status for _ in range(count)]


def test_a_sixth_search_within_a_second_is_refused_by_its_own_policy() -> None:
    hub = Hub(limits=True, bursts_in_real_time=False)
    search = ("POST", "crm/objects/@/deals/search", {})
    assert statuses(hub, 6, *search) == [200] * 5 + [429]
    reply = hub.call(*search)
    assert reply.json()["policyName"] == "SECONDLY"
    assert reply.json()["errorType"] == "RATE_LIMIT"
    assert reply.header("X-HubSpot-RateLimit-Remaining") is None
    assert hub.call("GET", "crm/objects/@/deals").status == 200  # outside the ten seconds
    hub.later(1)
    assert hub.call(*search).status == 200


def test_ten_seconds_and_the_day_have_policies_and_headers() -> None:
    hub = Hub(limits=True, bursts_in_real_time=False, ten_seconds=3, daily=5)
    read = ("GET", "crm/objects/@/deals")
    reply = hub.call(*read)
    told = {k.lower(): v for k, v in reply.headers}
    assert told["x-hubspot-ratelimit-max"] == "3" and told["x-hubspot-ratelimit-remaining"] == "2"
    assert told["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    assert told["x-hubspot-ratelimit-daily-remaining"] == "4"
    assert statuses(hub, 3, *read) == [200, 200, 429]
    assert hub.call(*read).json()["policyName"] == "TEN_SECONDLY_ROLLING"
    hub.later(10)
    assert statuses(hub, 3, *read) == [200, 200, 429]
    assert hub.call(*read).json()["policyName"] == "DAILY"
    hub.later(12 * 3600)  # past midnight in London
    assert hub.call(*read).status == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("locked", 423), ("migration", 477), ("daily", 429), ("ten_seconds", 429),
     ("secondly", 429), ("maintenance", 503), ("timeout_524", 524)],
)  # fmt: skip
def test_refusals_that_a_test_can_ask_for(hub: Hub, name: str, status: int) -> None:
    assert name in SEMANTIC
    hub.faults.add(Fault(kind="semantic", name=name))
    reply = hub.call("GET", "crm/objects/@/deals")
    assert reply.status == status and reply.json()["correlationId"]
    assert (reply.header("Retry-After") is not None) is (name == "migration")
    assert hub.call("GET", "crm/objects/@/deals").status == 200


def test_one_input_of_a_read_fails_beside_the_others(hub: Hub) -> None:
    first, second = hub.deal(), hub.deal()
    asked = {"inputs": [{"id": str(first)}, {"id": str(second)}]}
    for path in ("objects/@/deals", "associations/@/deals/companies"):
        hub.faults.add(Fault(kind="semantic", name="input_error", body=str(second)))
        bad = hub.ok("POST", f"crm/{path}/batch/read", asked)
        good = hub.ok("POST", f"crm/{path}/batch/read", asked)
        assert {one["category"] for one in bad["errors"]} >= {"INTERNAL_ERROR"}
        named = [e["context"] for e in bad["errors"] if e["category"] == "INTERNAL_ERROR"]
        assert [str(second)] in named[0].values() and len(named) == 1
        assert not [e for e in good.get("errors", ()) if e["category"] == "INTERNAL_ERROR"]
        assert str(second) not in {r.get("id") for r in bad["results"]}


# --- credentials ------------------------------------------------------------------------------


def test_scopes_are_asked_for_by_name(hub: Hub) -> None:
    hub.act("set_scopes", without=["crm.objects.deals.write", "crm.schemas.deals.write"])
    hub.ok("GET", "crm/objects/@/deals")
    for method, path in (("PATCH", "crm/objects/@/deals/1"), ("POST", "crm/properties/@/deals"),
                         ("POST", "crm/objects/@/0-3/batch/update")):  # fmt: skip
        told = hub.refused(403, method, path, {})
        assert told["category"] == "MISSING_SCOPES"
        needed = told["errors"][0]["context"]["requiredGranularScopes"]
        assert needed[0].endswith("deals.write")
    hub.act("set_scopes", without=["crm.objects.contacts.write"])
    hub.refused(403, "POST", "crm/objects/@/tasks", {})


def test_an_unknown_or_revoked_token_is_401(hub: Hub) -> None:
    assert hub.refused(401, "GET", "crm/objects/@/deals", token="x")["category"]
    new = hub.act("regenerate_token")["access_token"]
    hub.refused(401, "GET", "crm/objects/@/deals")
    hub.ok("GET", "crm/objects/@/deals", token=new)


def token(hub: Hub, **form: str) -> Reply:
    body = urlencode({**SECRET, **form}).encode()
    return hub.host.exchange(Request("POST", "/hubspot/oauth/2026-03/token", body=body))


def granted(hub: Hub) -> dict[str, Any]:
    code = hub.act("give_consent", redirect_uri=BACK)["code"]
    reply = token(hub, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert reply.status == 200, reply.body
    return reply.json()  # type: ignore[no-any-return]


def test_consent_gives_a_code_for_tokens_that_end_and_are_renewed(hub: Hub) -> None:
    asked = {"client_id": "sandbox-client", "redirect_uri": BACK, "state": "s1",
             "scope": "oauth crm.objects.deals.read"}  # fmt: skip
    path, query = "/hubspot/oauth/authorize", tuple(asked.items())
    assert b"<form" in hub.host.exchange(Request("GET", path, query)).body
    reply = hub.host.exchange(Request("POST", path, query, body=b"decision=allow"))
    back = dict(parse_qsl(urlsplit(reply.header("Location") or "").query))
    assert reply.status == 302 and back["state"] == "s1"
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
    got = token(hub, **form).json()
    assert got["expires_in"] == 1800 and got["token_type"] == "bearer"
    assert token(hub, **form).status == 400  # a code serves once
    hub.ok("GET", "crm/objects/@/deals", token=got["access_token"])
    hub.refused(403, "GET", "crm/objects/@/contacts", token=got["access_token"])
    hub.later(1800)
    told = hub.refused(401, "GET", "crm/objects/@/deals", token=got["access_token"])
    assert told["category"] == "EXPIRED_AUTHENTICATION"
    new = token(hub, grant_type="refresh_token", refresh_token=got["refresh_token"]).json()
    assert new["refresh_token"] == got["refresh_token"]
    assert hub.call("GET", "crm/objects/@/deals", token=new["access_token"]).status == 200


def test_a_refresh_token_may_rotate_and_ends_with_the_app() -> None:
    hub = Hub(rotates_refresh=True)
    got = granted(hub)
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    new = token(hub, **form).json()
    assert new["refresh_token"] != got["refresh_token"]
    assert token(hub, **form).json()["error"] == "invalid_grant"
    hub.act("uninstall_app")
    form["refresh_token"] = new["refresh_token"]
    assert token(hub, **form).status == 400
    hub.refused(401, "GET", "crm/objects/@/deals", token=new["access_token"])


def test_wrong_secrets_codes_and_redirects_are_refused(hub: Hub) -> None:
    code = hub.act("give_consent", redirect_uri=BACK)["code"]
    wrong = ({"client_secret": "x"}, {"client_id": "x"}, {"grant_type": "password"}, {"code": "x"})
    for one in wrong:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **one}
        assert token(hub, **form).status == 400
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://other"}
    assert token(hub, **form).json()["error"] == "invalid_grant"


def test_oauth_apps_hear_nothing_of_the_day() -> None:
    hub = Hub(limits=True)
    reply = hub.call("GET", "crm/objects/@/deals", token=granted(hub)["access_token"])
    assert reply.header("X-HubSpot-RateLimit-Max") == "110"
    assert reply.header("X-HubSpot-RateLimit-Daily") is None


# --- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "crm/v3/objects/deals", 404), ("GET", "crm/v4/objects/deals", 404),
        ("GET", "crm/objects/2027-03/deals", 404), ("GET", "crm/objects/@/widgets", 400),
        ("PUT", "crm/objects/@/deals", 405), ("GET", "crm/objects/@/deals/1/x/y", 404),
        ("GET", "crm/objects/@/0-3", 200), ("GET", "nothing", 404), ("GET", "", 404),
        ("POST", "oauth/v1/token", 404),
    ],
)  # fmt: skip
def test_only_dated_paths_answer(hub: Hub, method: str, path: str, status: int) -> None:
    reply = hub.call(method, path)
    assert reply.status == status and reply.header("x-hubspot-correlation-id")
