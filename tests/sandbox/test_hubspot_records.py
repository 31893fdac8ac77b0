"""Records: their properties' rules, lists, batches, what is archived and what is merged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot_support import WIDGET, Hub, codes, where

MARKER = {"name": "syncjob_marker", "label": "Syncjob marker", "type": "string",
          "fieldType": "text", "groupName": "dealinformation", "hasUniqueValue": True}  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    return Hub()


def update(hub: Hub, *inputs: dict[str, Any], kind: str = "deals", **more: Any) -> Any:
    return hub.ok("POST", f"crm/objects/@/{kind}/batch/update", {"inputs": list(inputs)}, **more)


# --- values -----------------------------------------------------------------------------------


def test_each_wrong_value_is_named(hub: Hub) -> None:
    deal = hub.deal()
    sent = {
        "nothing": "1", "amount": "1,000.00", "hs_is_closed_won": "true", "dealstage": "won",
        "deal_currency_code": "JPY", "closedate": "soon", "hubspot_owner_id": "5",
    }  # fmt: skip
    told = hub.refused(400, "PATCH", f"crm/objects/@/deals/{deal}", {"properties": sent})
    assert told["category"] == "VALIDATION_ERROR" and told["correlationId"]
    assert codes(told) == {
        "nothing": "PROPERTY_DOESNT_EXIST", "amount": "INVALID_NUMBER",
        "hs_is_closed_won": "READ_ONLY_VALUE", "dealstage": "INVALID_OPTION",
        "deal_currency_code": "INVALID_OPTION", "closedate": "INVALID_DATE",
        "hubspot_owner_id": "INVALID_OPTION",
    }  # fmt: skip


def test_the_optional_fields_of_an_error_may_be_missing() -> None:
    hub = Hub(terse_errors=True)
    told = hub.refused(400, "POST", "crm/objects/@/deals", {"properties": {"nothing": "1"}})
    assert "errors" not in told and "PROPERTY_DOESNT_EXIST" in told["message"]


def test_numbers_and_booleans_are_kept_as_texts(hub: Hub) -> None:
    sent = {"properties": {"dealname": "D", "amount": 10.5}}
    assert hub.ok("POST", "crm/objects/@/deals", sent)["properties"]["amount"] == "10.5"


def test_an_emptied_property_is_null_or_an_empty_text(hub: Hub) -> None:
    for name in ("po_a", "po_b", "po_c", "po_d", "po_e", "po_f"):
        hub.act("create_field", name=name)
    deal = hub.deal()
    names = ("po_a", "po_b", "po_c", "po_d", "po_e", "po_f")
    assert {hub.props("deals", deal, n)[n] for n in names} == {None, ""}
    assert hub.found("deals", where("po_a", "HAS_PROPERTY")) == []


def test_a_date_is_a_day_and_a_datetime_has_milliseconds(hub: Hub) -> None:
    hub.act("create_field", name="Billing day", type="date")
    deal = hub.deal()
    path = f"crm/objects/@/deals/{deal}"
    for value in ("2026-12-01", "1796083200000"):
        made = hub.ok("PATCH", path, {"properties": {"billing_day": value}})
        assert made["properties"]["billing_day"] == "2026-12-01"
    hub.refused(400, "PATCH", path, {"properties": {"billing_day": "1796083200001"}})
    made = hub.ok("PATCH", path, {"properties": {"closedate": "2026-12-01T10:00:00.5Z"}})
    assert made["properties"]["closedate"] == "2026-12-01T10:00:00.500Z"


def test_tasks_and_notes_need_a_timestamp(hub: Hub) -> None:
    for kind in ("tasks", "notes"):
        told = hub.refused(400, "POST", f"crm/objects/@/{kind}", {"properties": {}})
        assert told["context"] == {"properties": ["hs_timestamp"]}


def test_an_admins_rule_refuses_writes_of_other_properties_from_2026_09_on(hub: Hub) -> None:
    hub.act("create_field", name="PO number")
    deal = hub.deal()
    hub.act("win", deal=deal)
    hub.act("add_rule", required=["po_number"], when={"dealstage": ["closedwon"]})
    path, sent = f"crm/objects/@/deals/{deal}", {"properties": {"description": "x"}}
    told = hub.refused(400, "PATCH", path, sent)
    assert told["category"] == "VALIDATION_ERROR"
    assert told["context"] == {"properties": ["po_number"]}
    hub.ok("PATCH", path, sent, version="2026-03")
    hub.act("edit_deal", deal=deal, fields={"PO number": "PO-7"})
    hub.ok("PATCH", path, sent)


# --- the deal ---------------------------------------------------------------------------------


def test_won_follows_the_stage_not_its_name(hub: Hub) -> None:
    made = hub.act("create_pipeline", name="Projects", stages=["Enquiry", "Agreed"])
    deal = hub.deal(pipeline="Projects")
    won = made["stages"][-2]["id"]
    assert won.isdigit()
    hub.ok("PATCH", f"crm/objects/@/deals/{deal}", {"properties": {"dealstage": won}})
    names = ("hs_is_closed", "hs_is_closed_won", "closedate", "hs_closed_won_date", "pipeline")
    values = hub.props("deals", deal, *names)
    assert (values["hs_is_closed"], values["hs_is_closed_won"]) == ("true", "true")
    assert values["closedate"] == values["hs_closed_won_date"] == "2026-11-23T12:00:00.000Z"
    assert values["pipeline"] == made["id"]
    hub.act("lose", deal=deal)
    assert hub.props("deals", deal, *names)["hs_is_closed_won"] == "false"
    hub.act("reopen", deal=deal)
    assert hub.props("deals", deal, *names)["hs_is_closed"] == "false"


def test_several_stages_may_be_won_and_a_move_between_them_keeps_the_close_date(hub: Hub) -> None:
    stages = ["Enquiry", {"name": "Invoiced", "probability": "1.0"}]
    hub.act("create_pipeline", name="Projects", stages=stages)
    deal = hub.deal(pipeline="Projects")
    hub.act("win", deal=deal)
    before = hub.props("deals", deal, "closedate", "hs_is_closed_won", "dealstage")
    hub.later(3600)
    hub.act("move_stage", deal=deal, stage="Closed won")
    after = hub.props("deals", deal, "closedate", "hs_is_closed_won", "dealstage")
    assert before["dealstage"] != after["dealstage"] and after["hs_is_closed_won"] == "true"
    assert before["closedate"] == after["closedate"]


def test_people_change_what_a_stage_means_and_its_deals_follow(hub: Hub) -> None:
    deal = hub.deal()
    hub.act("edit_stage", stage="appointmentscheduled", probability="1.0")
    assert hub.props("deals", deal, "hs_is_closed_won")["hs_is_closed_won"] == "true"
    assert hub.act("edit_deal", deal=deal)["status"] == "won"


def test_a_stage_outside_its_pipeline_is_refused(hub: Hub) -> None:
    hub.act("create_pipeline", name="Projects", stages=["Enquiry"])
    other = next(k for k in hub.server.store.pipelines if k != "default")
    sent = {"properties": {"pipeline": other, "dealstage": "closedwon"}}
    assert codes(hub.refused(400, "POST", "crm/objects/@/deals", sent)) == {
        "dealstage": "INVALID_OPTION"
    }


def test_the_amount_does_not_follow_lines_that_come_by_api(hub: Hub) -> None:
    deal = hub.deal()
    tie = {
        "to": {"id": str(deal)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}],
    }
    sent = {"properties": {"price": "50", "quantity": "2"}, "associations": [tie]}
    hub.ok("POST", "crm/objects/@/line_items", sent)
    assert float(hub.props("deals", deal, "amount")["amount"]) == 100
    hub.act("add_line", deal=deal, **WIDGET)
    assert float(hub.props("deals", deal, "amount")["amount"]) == 300  # the editor sums them all


@pytest.mark.parametrize("bumps", [False, True])
def test_a_line_edit_moves_its_deals_date_or_not(bumps: bool) -> None:
    hub = Hub(lines_bump_deal=bumps)
    deal = hub.deal()
    line = hub.act("edit_deal", deal=deal)["lines"][0]["id"]
    before = hub.props("deals", deal)["hs_lastmodifieddate"]
    hub.later(5)
    update(hub, {"id": str(line), "properties": {"quantity": "4"}}, kind="line_items")
    assert (hub.props("deals", deal)["hs_lastmodifieddate"] != before) is bumps
    assert hub.props("line_items", line)["hs_lastmodifieddate"] != before


def test_dates_have_milliseconds_and_an_idle_patch_moves_them_or_not() -> None:
    for bumps in (True, False):
        hub = Hub(idle_patch_bumps=bumps)
        deal = hub.deal()
        hub.later(1.234)
        sent = {"properties": {"dealname": "Spring order"}}
        made = hub.ok("PATCH", f"crm/objects/@/deals/{deal}", sent)
        expected = "2026-11-23T12:00:01.234Z" if bumps else "2026-11-23T12:00:00.000Z"
        assert made["updatedAt"] == made["properties"]["hs_lastmodifieddate"] == expected


# --- lists ------------------------------------------------------------------------------------


def test_a_list_goes_by_id_and_shows_what_search_never_does(hub: Hub) -> None:
    made = [hub.deal(title=f"D{n}", lines=[]) for n in range(5)]
    hub.act("delete_deal", deal=made[1])
    first = hub.ok("GET", "crm/objects/@/deals?limit=2&properties=dealname")
    assert [r["id"] for r in first["results"]] == [str(made[0]), str(made[2])]
    after = first["paging"]["next"]["after"]
    rest = hub.ok("GET", f"crm/objects/@/deals?limit=2&after={after}")
    assert [r["id"] for r in rest["results"]] == [str(made[3]), str(made[4])]
    assert "paging" not in rest
    gone = hub.ok("GET", "crm/objects/@/deals?archived=true")["results"]
    assert [(r["id"], r["archived"]) for r in gone] == [(str(made[1]), True)]
    assert gone[0]["archivedAt"]


def test_list_limits_and_long_urls(hub: Hub) -> None:
    hub.refused(400, "GET", "crm/objects/@/deals?limit=101")
    hub.refused(400, "GET", "crm/objects/@/deals?limit=51&propertiesWithHistory=amount")
    hub.ok("GET", "crm/objects/@/deals?limit=50&propertiesWithHistory=amount")
    reply = hub.call("GET", f"crm/objects/@/deals?properties={'x' * 9000}")
    assert reply.status == 414


# --- batches ----------------------------------------------------------------------------------


def test_a_batch_read_names_what_it_did_not_find(hub: Hub) -> None:
    deal = hub.deal()
    sent = {"inputs": [{"id": str(deal)}, {"id": "5"}, {"id": "x"}], "properties": ["amount"]}
    for version, status in (("2026-09", 200), ("2026-03", 207)):
        reply = hub.call("POST", "crm/objects/@/deals/batch/read", sent, version=version)
        body = reply.json()
        assert (reply.status, body["numErrors"]) == (status, 1)
        assert body["errors"][0]["context"] == {"ids": ["5", "x"]}
        assert [r["id"] for r in body["results"]] == [str(deal)]
        assert "associations" not in body["results"][0]


def test_a_batch_has_at_most_a_hundred_inputs(hub: Hub) -> None:
    for verb in ("read", "create", "update", "upsert", "archive"):
        path = f"crm/objects/@/deals/batch/{verb}"
        told = hub.refused(400, "POST", path, {"inputs": [{"id": "1"}] * 101})
        assert "100" in told["message"]


def test_one_wrong_input_refuses_all_unless_each_has_a_trace_id(hub: Hub) -> None:
    a, b = hub.deal(), hub.deal()
    inputs = [{"id": str(a), "properties": {"amount": "7"}},
              {"id": str(b), "properties": {"amount": "seven"}}]  # fmt: skip
    hub.refused(400, "POST", "crm/objects/@/deals/batch/update", {"inputs": inputs})
    assert float(hub.props("deals", a, "amount")["amount"]) == 100
    traced = [{**one, "objectWriteTraceId": f"t{n}"} for n, one in enumerate(inputs)]
    body = update(hub, *traced)
    assert [(r["id"], r["objectWriteTraceId"]) for r in body["results"]] == [(str(a), "t0")]
    assert body["errors"][0]["context"]["objectWriteTraceId"] == ["t1"]
    assert hub.props("deals", a, "amount")["amount"] == "7"


def test_an_update_of_what_is_gone_says_so(hub: Hub) -> None:
    a, b = hub.deal(), hub.deal()
    hub.act("delete_deal", deal=b)
    sent = [{"id": str(k), "properties": {"amount": "7"}} for k in (a, b)]
    body = update(hub, *sent)
    assert len(body["results"]) == 1 and body["errors"][0]["context"]["ids"] == [str(b)]


def test_the_same_id_twice_is_refused(hub: Hub) -> None:
    deal = str(hub.deal())
    sent = {"inputs": [{"id": deal, "properties": {"amount": v}} for v in ("1", "2")]}
    told = hub.refused(400, "POST", "crm/objects/@/deals/batch/update", sent)
    assert deal in told["message"]


def test_a_unique_value_belongs_to_one_record_and_upserts_find_it(hub: Hub) -> None:
    hub.ok("POST", "crm/properties/@/deals", MARKER)
    a, b = hub.deal(), hub.deal()
    update(hub, {"id": str(a), "properties": {"syncjob_marker": "SJ-1"}})
    told = hub.refused(
        400,
        "POST",
        "crm/objects/@/deals/batch/update",
        {"inputs": [{"id": str(b), "properties": {"syncjob_marker": "sj-1"}}]},
    )
    assert str(a) in told["message"]
    sent = [{"id": key, "idProperty": "syncjob_marker", "properties": {"dealname": "New name"}}
            for key in ("SJ-1", "SJ-2")]  # fmt: skip
    body = hub.ok("POST", "crm/objects/@/deals/batch/upsert", {"inputs": sent})
    assert sorted(r["new"] for r in body["results"]) == [False, True]
    known = {r["properties"]["syncjob_marker"]: r["id"] for r in body["results"]}
    assert known["SJ-1"] == str(a)
    found = {"inputs": [{"id": "SJ-2"}], "idProperty": "syncjob_marker"}
    assert len(hub.ok("POST", "crm/objects/@/deals/batch/read", found)["results"]) == 1


def test_an_upsert_by_a_property_that_is_not_unique_is_refused(hub: Hub) -> None:
    for name in ("dealname", "hs_object_id", "nothing"):
        sent = {"inputs": [{"id": "x", "idProperty": name, "properties": {}}]}
        told = hub.refused(400, "POST", "crm/objects/@/deals/batch/upsert", sent)
        assert "non-unique" in told["message"]


def test_an_email_belongs_to_one_contact(hub: Hub) -> None:
    first = hub.act("create_person", name="Iris Hale", email="Iris@acme.example")["id"]
    sent = {"properties": {"email": "iris@ACME.example"}}
    told = hub.refused(409, "POST", "crm/objects/@/contacts", sent)
    assert told["category"] == "CONFLICT" and told["message"].endswith(f"Existing ID: {first}")
    bad = {"properties": {"email": "nobody"}}
    assert codes(hub.refused(400, "POST", "crm/objects/@/contacts", bad)) == {
        "email": "INVALID_EMAIL"
    }


# --- archived and merged ----------------------------------------------------------------------


def test_what_is_archived_is_404_until_it_is_restored_within_90_days(hub: Hub) -> None:
    deal = hub.deal()
    assert hub.call("DELETE", f"crm/objects/@/deals/{deal}").status == 204
    hub.refused(404, "GET", f"crm/objects/@/deals/{deal}")
    assert hub.ok("GET", f"crm/objects/@/deals/{deal}?archived=true")["archived"] is True
    sent = {"inputs": [{"id": str(deal)}]}
    path = "crm/objects/@/deals/batch/read"
    assert hub.ok("POST", path, sent)["results"] == []
    assert len(hub.ok("POST", f"{path}?archived=true", sent)["results"]) == 1
    hub.later(80 * 86_400)
    assert len(hub.act("restore_deal", deal=deal)["properties"]) > 3
    assert hub.props("deals", deal, "hs_num_of_associated_line_items") != {}
    hub.act("delete_deal", deal=deal)
    hub.later(91 * 86_400)
    assert hub.ok("GET", "crm/objects/@/deals?archived=true")["results"] == []


def test_a_merge_makes_a_new_record_to_which_both_old_ids_lead(hub: Hub) -> None:
    hub.act("create_org", name="Acme")
    a = hub.deal(title="A", org="Acme")
    b = hub.deal(title="B", lines=[{**WIDGET, "price": 7}])
    new = hub.act("merge_deals", winner=a, loser=b)["id"]
    assert new not in (a, b)
    for key in (a, b, new):
        read = hub.ok("GET", f"crm/objects/@/deals/{key}?properties=hs_merged_object_ids,dealname")
        assert read["id"] == str(new)
        assert read["properties"]["hs_merged_object_ids"] == f"{a};{b}"
        assert read["properties"]["dealname"] == "A"
    tied = "crm/associations/@/deals/line_items/batch/read"
    body = hub.ok("POST", tied, {"inputs": [{"id": str(k)} for k in (a, b, new)]})
    assert [(r["from"]["id"], len(r["to"])) for r in body["results"]] == [(str(new), 2)]
    made = hub.ok("PATCH", f"crm/objects/@/deals/{a}", {"properties": {"amount": "9"}})
    assert made["id"] == str(new)


@pytest.mark.parametrize("way", ["error", "silent"])
def test_an_old_id_in_a_batch_update_changes_nothing(way: str) -> None:
    hub = Hub(merged_in_batch=way)
    a, b = hub.deal(), hub.deal()
    new = hub.act("merge_deals", winner=a, loser=b)["id"]
    body = update(hub, {"id": str(a), "properties": {"amount": "9"}})
    assert body["results"] == [] and ("errors" in body) is (way == "error")
    assert float(hub.props("deals", new, "amount")["amount"]) == 100


@pytest.mark.parametrize("way", ["resolved", "missing"])
def test_an_old_id_in_a_batch_read_gives_the_new_record_or_nothing(way: str) -> None:
    hub = Hub(merged_in_read=way)
    a, b = hub.deal(), hub.deal()
    new = hub.act("merge_deals", winner=a, loser=b)["id"]
    body = hub.ok("POST", "crm/objects/@/deals/batch/read", {"inputs": [{"id": str(a)}]})
    assert [r["id"] for r in body["results"]] == ([str(new)] if way == "resolved" else [])


def test_merges_of_merges_keep_every_old_id(hub: Hub) -> None:
    a, b, c = hub.deal(), hub.deal(), hub.deal()
    first = hub.act("merge_deals", winner=a, loser=b)["id"]
    last = hub.act("merge_deals", winner=c, loser=a)["id"]
    known = hub.props("deals", a, "hs_merged_object_ids")["hs_merged_object_ids"]
    assert sorted(known.split(";")) == sorted(map(str, (a, b, c, first)))
    assert hub.ok("GET", f"crm/objects/@/deals/{b}")["id"] == str(last)
    path = "crm/objects/@/deals/merge"
    hub.refused(400, "POST", path, {"primaryObjectId": str(a), "objectIdToMerge": str(b)})
    hub.refused(404, "POST", path, {"primaryObjectId": str(a), "objectIdToMerge": "17"})
