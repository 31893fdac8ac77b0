"""The Pipedrive sandbox as its users see it: deals, values, archives, merges, lag, what is null."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from syncjob.sandbox.kernel import ActError, Clock, Entropy, FaultBook, Reply, Request
from syncjob.sandbox.pipedrive import Options, PipedriveServer, sample

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIET: dict[str, Any] = {"limits": False, "search_lag_max_s": 0.0, "null_share": 0.0}


@dataclass
class World:
    """A server with a clock that stands, spoken to without sockets."""

    options: Options = field(default_factory=lambda: Options(**QUIET))
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    faults: FaultBook = field(default_factory=FaultBook)

    def __post_init__(self) -> None:
        self.server = PipedriveServer(self.clock, Entropy(7), self.options, self.faults)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Reply:
        version = "" if path.startswith("/") else "/api/v2/"
        pairs = tuple((k, str(v)) for k, v in query.items())
        sent = b"" if body is None else json.dumps(body).encode()
        headers = (("x-api-token", self.options.api_token),)
        return self.server.handle(
            Request(method, f"/pipedrive{version}{path}", pairs, headers, sent)
        )

    def data(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        reply = self.call(method, path, body, **query)
        assert reply.status < 300, reply.body
        return reply.json()["data"]

    def ids(self, path: str, **query: Any) -> list[int]:
        return [r["id"] for r in self.data("GET", path, **query)]

    def walk(self, path: str, **query: Any) -> list[int]:
        """All ids over all pages."""
        seen: list[int] = []
        while True:
            answer = self.call("GET", path, **query).json()
            seen += [r["id"] for r in answer["data"]]
            query["cursor"] = answer["additional_data"]["next_cursor"]
            if query["cursor"] is None:
                return seen

    def act(self, act: str, **payload: Any) -> dict[str, Any]:
        return self.server.people(act, payload)


@pytest.fixture
def world() -> World:
    return World()


def test_value_follows_enabled_rows_and_discounts(world: World) -> None:
    lines = [
        {"name": "Chair", "price": 19.99, "quantity": 3, "discount": 10, "tax": 20},
        {"name": "Desk", "price": 100, "quantity": 1, "tax": 20, "enabled": False},
    ]
    deal = world.act("create_deal", title="Office", lines=lines)
    # 3 * 19.99 * 0.9 * 1.2 = 64.7676
    assert deal["value"] == 64.77 and deal["lines"][0]["sum"] == 64.77
    world.act("add_discount", deal="Office", type="amount", amount=4.77)
    assert world.data("GET", f"deals/{deal['id']}")["value"] == 60
    world.act("remove_line", line=deal["lines"][0]["id"])
    assert (
        world.data("GET", f"deals/{deal['id']}", include_fields="products_count")["products_count"]
        == 1
    )


@pytest.mark.parametrize(
    ("options", "method", "expected"),
    [
        ({"value_includes_tax": True, "amount_discount": "line"}, "exclusive", 342),
        ({"value_includes_tax": False, "amount_discount": "line"}, "exclusive", 285),
        ({"value_includes_tax": True, "amount_discount": "unit"}, "exclusive", 306),
        ({"value_includes_tax": True, "amount_discount": "line"}, "inclusive", 285),
        ({"value_includes_tax": False, "amount_discount": "line"}, "inclusive", 237.5),
        ({"value_includes_tax": True, "amount_discount": "line"}, "none", 285),
    ],
)
def test_open_questions_of_the_vendor_are_options(
    options: Any, method: str, expected: float
) -> None:
    world = World(Options(**QUIET, **options))
    line = {"name": "X", "price": 100, "quantity": 3, "discount": 15, "discount_type": "amount"}
    deal = world.act("create_deal", title="T", lines=[{**line, "tax": 20, "tax_method": method}])
    assert deal["value"] == expected


def test_tax_method_is_one_for_the_whole_deal(world: World) -> None:
    lines = [{"name": n, "price": 100, "tax": 20} for n in ("A", "B")]
    deal = world.act("create_deal", title="T", lines=lines)
    world.act("edit_line", line=deal["lines"][0]["id"], tax_method="none")
    world.act("add_line", deal="T", name="C", price=100, tax=20, tax_method="inclusive")
    found = world.data("GET", "deals/products", deal_ids=deal["id"])
    assert [(r["tax_method"], r["sum"]) for r in found] == [("inclusive", 100)] * 3


def test_products_do_not_bump_the_deal_unless_asked() -> None:
    for bumps in (False, True):
        world = World(Options(**QUIET, products_bump_deal=bumps))
        deal = world.act("create_deal", title="T")
        world.clock.advance(60)
        world.act("add_line", deal=deal["id"], name="A", price=5)
        since = "2026-03-02T12:00:01Z"
        assert bool(world.ids("deals", updated_since=since)) is bumps
        assert world.data("GET", f"deals/{deal['id']}")["value"] == 5


def test_won_time_outlives_a_reopening(world: World) -> None:
    key = world.act("create_deal", title="T")["id"]
    world.act("win", deal=key)
    first = world.data("GET", f"deals/{key}")["won_time"]
    world.clock.advance(3600)
    world.act("reopen", deal=key)
    reopened = world.data("GET", f"deals/{key}")
    assert (reopened["status"], reopened["won_time"], reopened["close_time"]) == (
        "open",
        first,
        None,
    )
    world.act("win", deal=key)
    again = world.data("GET", f"deals/{key}", include_fields="first_won_time")
    assert again["first_won_time"][:19] == first[:19] and again["won_time"] != first


def test_archived_deals_leave_the_list_and_refuse_edits(world: World) -> None:
    key = world.act("create_deal", title="T", status="won")["id"]
    world.act("archive_deal", deal=key)
    assert world.ids("deals") == [] and world.ids("deals/archived", status="won") == [key]
    assert world.call("PATCH", f"deals/{key}", {"title": "U"}).status == 400
    world.act("unarchive_deal", deal=key)
    assert world.ids("deals") == [key]


def test_deleted_deals_are_listed_by_status_for_30_days(world: World) -> None:
    key = world.act("create_deal", title="T", status="won")["id"]
    world.data("DELETE", f"deals/{key}")
    assert world.ids("deals") == [] and world.ids("deals", status="won") == []
    assert world.ids("deals", status="won,deleted") == [key]
    world.clock.advance(30 * 86_400)
    assert world.ids("deals", status="deleted") == []
    assert world.call("GET", f"deals/{key}").status == 404


def test_deleted_contacts_are_in_no_list_but_readable_by_id(world: World) -> None:
    key = world.act("create_org", name="Acme")["id"]
    world.act("delete_org", org="Acme")
    assert world.ids("organizations", ids=f"{key},999") == []
    assert world.data("GET", f"organizations/{key}")["is_deleted"] is True


def test_custom_fields_are_checked_cleared_and_shown_whole(world: World) -> None:
    code = world.act("create_field", name="Terms", type="enum", options=["14", "30"])["field_code"]
    money = world.data("POST", "dealFields", {"field_name": "Paid", "field_type": "monetary"})
    assert len(code) == 40 and money["field_code"] != code
    key = world.act("create_deal", title="T", fields={"Terms": "30"})["id"]
    paid = {money["field_code"]: {"value": 10.5, "currency": "EUR"}}
    shown = world.data("PATCH", f"deals/{key}", {"custom_fields": paid})["custom_fields"]
    assert shown == {code: 2, **paid}
    for bad in (9, "30", [2]):
        assert world.call("PATCH", f"deals/{key}", {"custom_fields": {code: bad}}).status == 400
    labelled = world.data("GET", f"deals/{key}", include_option_labels="true")["custom_fields"]
    assert labelled[code] == {"id": 2, "label": "30"}
    assert (
        world.data("PATCH", f"deals/{key}", {"custom_fields": {code: None}})["custom_fields"][code]
        is None
    )
    cleared = world.data("PATCH", f"deals/{key}", {"custom_fields": {}})["custom_fields"]
    assert cleared == {code: None, money["field_code"]: None}


def test_lists_of_emails_replace_and_addresses_lose_unsent_parts(world: World) -> None:
    sent = {"name": "Ann Lee", "emails": [{"value": "a@x.example"}, {"value": "b@x.example"}]}
    key = world.data("POST", "persons", sent)["id"]
    person = world.data("PATCH", f"persons/{key}", {"emails": [{"value": "c@x.example"}]})
    assert person["emails"] == [{"value": "c@x.example", "primary": True, "label": "work"}]
    assert (person["first_name"], person["last_name"]) == ("Ann", "Lee")
    assert world.call("PATCH", f"persons/{key}", {"emails": ["d@x.example"]}).status == 400
    org = world.data(
        "POST", "organizations", {"name": "O", "address": {"value": "1 A St", "country": "UK"}}
    )
    org = world.data("PATCH", f"organizations/{org['id']}", {"address": {"value": "2 B St"}})
    assert org["address"]["value"] == "2 B St" and org["address"]["country"] is None


def test_merge_keeps_the_winner_and_moves_what_hung_on_the_loser(world: World) -> None:
    old, new = (world.act("create_org", name=n)["id"] for n in ("Acme", "Acme Ltd"))
    deal = world.act("create_deal", title="T", org=old)["id"]
    world.clock.advance(60)
    world.data("PUT", f"/api/v1/organizations/{old}/merge", {"merge_with_id": new})
    assert world.ids("organizations") == [new]
    moved = world.data("GET", f"deals/{deal}")
    assert moved["org_id"] == new and moved["update_time"][:19] == "2026-03-02T12:00:00"


def test_lists_lag_and_reads_by_id_do_not() -> None:
    world = World(Options(**QUIET, lag_max_s=10))
    key = world.act("create_deal", title="T")["id"]
    assert world.ids("deals") == [] and world.data("GET", f"deals/{key}")["title"] == "T"
    world.clock.advance(11)
    world.act("edit_deal", deal=key, title="U")
    assert world.data("GET", "deals")[0]["title"] == "T"
    world.clock.advance(11)
    assert world.data("GET", "deals")[0]["title"] == "U"
    world.act("add_line", deal=key, name="A", price=5)
    assert world.data("GET", "deals/products", deal_ids=key) == []
    assert world.data("GET", f"deals/{key}")["value"] == 5


def test_search_lags_ignores_case_and_has_its_own_shape() -> None:
    world = World(Options(limits=False))
    key = world.act("create_person", name="Ann Lee", email="Ann@X.example")["id"]
    hunt = {"term": "ann@x.example", "exact_match": "true"}
    assert world.data("GET", "persons/search", **hunt)["items"] == []
    world.clock.advance(21)
    (hit,) = world.data("GET", "persons/search", **hunt)["items"]
    assert hit["item"]["id"] == key and hit["item"]["emails"] == ["Ann@X.example"]
    assert world.call("GET", "persons/search", term="a").status == 400


def test_activities_take_their_person_from_participants(world: World) -> None:
    person = world.act("create_person", name="Ann")["id"]
    deal = world.act("create_deal", title="T")["id"]
    sent = {"subject": "Paid", "type": "task", "deal_id": deal, "note": "<p>k1</p>"}
    people = [{"person_id": person, "primary": True}]
    made = world.data("POST", "activities", {**sent, "participants": people})
    assert made["person_id"] == person
    assert world.call("POST", "activities", {**sent, "person_id": person}).status == 400
    assert world.ids("activities", deal_id=deal, done="false") == [made["id"]]
    world.data("PATCH", f"activities/{made['id']}", {"done": True})
    assert world.ids("activities", deal_id=deal, done="false") == []


def test_installments_need_one_time_products(world: World) -> None:
    parts = [{"amount": 50, "billing_date": "2026-04-01", "description": "Half"}]
    bare = world.act("create_deal", title="T")
    with pytest.raises(ActError, match="one-time"):
        world.act("add_installments", deal=bare["id"], installments=parts)
    deal = world.act(
        "create_deal", title="U", lines=[{"name": "A", "price": 100}], installments=parts
    )
    found = world.data("GET", "deals/installments", deal_ids=f"{bare['id']},{deal['id']}")
    assert [(p["deal_id"], p["amount"]) for p in found] == [(deal["id"], 50)]


def test_tokens_regenerated_or_revoked_refuse(world: World) -> None:
    world.act("regenerate_token", token="fresh")
    assert world.call("GET", "deals").status == 401
    world.options = Options(**QUIET, api_token="fresh")
    assert world.call("GET", "deals").status == 200
    world.act("revoke_token")
    assert world.call("GET", "deals").json()["errorCode"] == 401


def test_copies_live_apart_and_the_same_seed_gives_the_same_world() -> None:
    one, two = World(), World()
    for world in (one, two):
        sample.fill(world.server)
    assert one.server.dump() == two.server.dump()
    twin = copy.deepcopy(one.server)
    twin.people("win_all", {})
    assert one.server.dump() == two.server.dump() != twin.dump()
    json.dumps(twin.dump())


def test_sample_holds_the_cases_that_a_demo_needs() -> None:
    world = World()
    sample.fill(world.server)
    deals = world.data("GET", "deals")
    assert len(deals) == 12 and {d["status"] for d in deals} == {"open", "won", "lost"}
    assert any(d["org_id"] is None and d["person_id"] is None for d in deals)
    assert any(d["value"] == 0 for d in deals) and {d["currency"] for d in deals} == {"GBP", "EUR"}
    assert sum(d["status"] == "won" and d["won_time"] < "2026-02-01" for d in deals) == 1


def test_unknown_acts_and_names_are_said(world: World) -> None:
    with pytest.raises(ActError, match="no such act"):
        world.act("dance")
    with pytest.raises(ActError, match="no organization 'Nobody'"):
        world.act("create_deal", title="T", org="Nobody")
    with pytest.raises(ActError, match="needs 'deal'"):
        world.act("win")


def test_what_is_refused_has_changed_nothing(world: World) -> None:
    deal = world.act("create_deal", title="T", lines=[{"name": "A", "price": 10}])
    before = world.server.dump()
    good = {"product_id": 1, "item_price": 1, "quantity": 1}
    bulk = {"data": [good, {**good, "product_id": 99}]}
    assert world.call("POST", f"deals/{deal['id']}/products/bulk", bulk).effect == "refused"
    with pytest.raises(ActError):
        world.act("create_deal", title="U", lines=[{"name": "B", "price": 1, "tax_method": "odd"}])
    assert world.server.dump() == before
    assert world.data("POST", "deals", {"title": "V"})["id"] > deal["id"]
