"""Search: its bounds, its operators, what it does not show yet, and the way past 10,000."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot_support import Hub, where

MODIFIED = "hs_lastmodifieddate"


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_what_was_just_made_appears_only_after_a_drawn_lag() -> None:
    hub = Hub(index_lag_max_s=20)
    made = [str(hub.deal(lines=[])) for _ in range(20)]
    at_once = set(hub.found("deals"))
    hub.later(10)
    soon = set(hub.found("deals"))
    hub.later(11)
    assert at_once < soon < set(hub.found("deals")) == set(made)


def test_what_was_changed_is_shown_as_it_was_until_the_index_knows() -> None:
    hub = Hub(index_lag_max_s=20)
    deal = hub.deal(lines=[])
    hub.later(30)
    hub.act("edit_deal", deal=deal, title="Autumn order")
    assert hub.found("deals", where("dealname", "EQ", "Spring order")) == [str(deal)]
    assert hub.props("deals", deal, "dealname")["dealname"] == "Autumn order"
    hub.later(20)
    assert hub.found("deals", where("dealname", "EQ", "Autumn order")) == [str(deal)]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"limit": 201}, "limit"),
        ({"limit": 0}, "limit"),
        ({"after": "9900"}, "10,000"),
        ({"after": "abc"}, "after"),
        ({"filterGroups": [{"filters": []}] * 6}, "filterGroups"),
        ({"filterGroups": [{"filters": [where("amount", "EQ", "1")] * 7}]}, "filters"),
        ({"filterGroups": [{"filters": [where("amount", "EQ", "1")] * 4}] * 5}, "filters"),
        ({"sorts": [{"propertyName": "amount"}, {"propertyName": "dealname"}]}, "sort"),
        ({"filterGroups": [{"filters": [where("nothing", "EQ", "1")]}]}, "nothing"),
        ({"filterGroups": [{"filters": [where("amount", "LIKE", "1")]}]}, "LIKE|one of"),
        ({"filterGroups": [{"filters": [where("amount", "EQ", "1,000")]}]}, "1,000"),
        ({"filterGroups": [{"filters": [where("dealname", "GT", "a")]}]}, "GT"),
        ({"properties": ["x" * 3001]}, "3000"),
    ],
)
def test_each_bound_is_a_400(hub: Hub, body: dict[str, Any], why: str) -> None:
    sent = {"limit": 200, **body}
    told = hub.refused(400, "POST", "crm/objects/@/deals/search", sent)
    assert told["category"] == "VALIDATION_ERROR"
    assert any(word in told["message"] for word in why.split("|")), told


def test_the_default_page_is_ten_and_pages_go_on_by_an_offset(hub: Hub) -> None:
    for n in range(12):
        hub.deal(title=f"Deal {n}", lines=[])
    first = hub.ok("POST", "crm/objects/@/deals/search", {})
    assert len(first["results"]) == 10 and first["total"] == 12
    assert first["paging"] == {"next": {"after": "10"}}
    second = hub.ok("POST", "crm/objects/@/deals/search", {"after": "10"})
    assert len(second["results"]) == 2 and "paging" not in second


@pytest.mark.parametrize(
    ("one", "titles"),
    [
        (where("amount", "EQ", "20.00"), "B"),
        (where("amount", "NEQ", "20"), "ACD"),  # a deal without amount differs, too
        (where("amount", "GT", "20"), "C"),
        (where("amount", "GTE", "20"), "BC"),
        (where("amount", "LT", "20"), "A"),
        (where("amount", "LTE", "20"), "AB"),
        (where("amount", "BETWEEN", "10", highValue="20"), "AB"),
        (where("amount", "HAS_PROPERTY"), "ABC"),
        (where("amount", "NOT_HAS_PROPERTY"), "D"),
        (where("dealname", "EQ", "ALPHA one"), "A"),  # texts without regard to case
        (where("dealname", "IN", values=["alpha one", "beta two"]), "AB"),
        (where("dealname", "IN", values=["Alpha one"]), ""),  # must be sent in lower case
        (where("dealstage", "EQ", "ClosedWon"), ""),  # options with regard to case
        (where("dealstage", "EQ", "closedwon"), "C"),
        (where("dealstage", "IN", values=["closedwon", "x"]), "C"),
        (where("dealstage", "NOT_IN", values=["closedwon"]), "ABD"),
        (where("hs_is_closed_won", "EQ", "true"), "C"),
        (where("dealname", "CONTAINS_TOKEN", "two"), "B"),
        (where("dealname", "CONTAINS_TOKEN", "al*"), "A"),
        (where("dealname", "NOT_CONTAINS_TOKEN", "one"), "BCD"),
    ],
)
def test_operators(hub: Hub, one: dict[str, Any], titles: str) -> None:
    made = {}
    for title, value, status in (
        ("Alpha one", "10", "open"), ("Beta two", "20.00", "open"),
        ("Gamma three", "30", "won"), ("Delta four", None, "open"),
    ):  # fmt: skip
        more = {} if value is None else {"value": value}
        made[str(hub.deal(title=title, lines=[], status=status, **more))] = "ABCD"[len(made)]
    assert "".join(made[k] for k in hub.found("deals", one)) == titles


def test_groups_are_alternatives_and_filters_add_up(hub: Hub) -> None:
    a, b, c = (hub.deal(title=t, value=v, lines=[]) for t, v in (("A", 1), ("B", 2), ("C", 3)))
    both = [where("amount", "GTE", "2"), where("amount", "LTE", "2")]
    sent = {"filterGroups": [{"filters": both}, {"filters": [where("dealname", "EQ", "c")]}]}
    rows = hub.ok("POST", "crm/objects/@/deals/search", sent)["results"]
    assert [r["id"] for r in rows] == [str(b), str(c)]
    assert str(a) not in [r["id"] for r in rows]


def test_a_time_filter_takes_milliseconds_or_iso(hub: Hub) -> None:
    deal = hub.deal(lines=[])
    at = int(hub.clock.now().timestamp() * 1000)
    for value in (str(at), hub.clock.now().isoformat()):
        assert hub.found("deals", where(MODIFIED, "GTE", value)) == [str(deal)]
    assert hub.found("deals", where(MODIFIED, "GTE", str(at + 1))) == []


def test_contacts_have_their_own_date(hub: Hub) -> None:
    person = hub.act("create_person", name="Iris Hale", email="iris@acme.example")["id"]
    assert hub.found("contacts", where("lastmodifieddate", "GT", "0")) == [str(person)]
    assert hub.found("contacts", where(MODIFIED, "GT", "0")) == []


def test_archived_and_merged_records_never_appear(hub: Hub) -> None:
    one, two, three = (hub.deal(title=t, lines=[]) for t in "ABC")
    hub.act("delete_deal", deal=one)
    merged = hub.act("merge_deals", winner=two, loser=three)["id"]
    assert hub.found("deals") == [str(merged)]


def test_a_keyset_walk_sees_all_past_ten_thousand_results() -> None:
    hub = Hub()
    store = hub.server.store
    from syncjob.sandbox.hubspot import life

    made = [str(life.create(store, "deals", {"dealname": f"D{n}"}).id) for n in range(10_050)]
    asc = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert hub.search("deals", after="9800")["paging"]["next"]["after"] == "10000"
    hub.refused(400, "POST", "crm/objects/@/deals/search", {"limit": 200, "after": "10000"})
    last, seen = "0", []
    while rows := hub.found("deals", where("hs_object_id", "GT", last), sorts=asc):
        seen += rows
        last = rows[-1]
    assert seen == made


def test_sorting_by_date_moves_an_edited_record_to_the_end(hub: Hub) -> None:
    one, two = hub.deal(title="A", lines=[]), 0
    hub.later(1)
    two = hub.deal(title="B", lines=[])
    by_date = [{"propertyName": MODIFIED, "direction": "ASCENDING"}]
    assert hub.found("deals", sorts=by_date) == [str(one), str(two)]
    hub.later(1)
    hub.act("edit_deal", deal=one, title="A again")
    assert hub.found("deals", sorts=by_date) == [str(two), str(one)]


def test_deals_of_a_company(hub: Hub) -> None:
    hub.act("create_org", name="Acme")
    other = hub.act("create_org", name="Other")["id"]
    hub.deal(org="Acme", lines=[])
    deal = hub.deal(org="Other", lines=[])
    assert hub.found("deals", where("associations.company", "EQ", str(other))) == [str(deal)]


def test_every_value_is_a_text_or_null(hub: Hub) -> None:
    deal = hub.deal(value="10.50", lines=[])
    rows = hub.search("deals", properties=["amount", "hs_is_closed", "closedate", "nothing"])
    values = rows["results"][0]["properties"]
    assert values["amount"] == "10.50" and values["hs_is_closed"] == "false"
    assert values["closedate"] is None and "nothing" not in values
    assert values["hs_object_id"] == str(deal) == rows["results"][0]["id"]
