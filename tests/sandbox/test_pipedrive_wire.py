"""The wire of the Pipedrive sandbox: strictness, cursors, limits, and the real client library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Fault

from .test_pipedrive import QUIET, Options, World

pipedrive = pytest.importorskip("pipedrive.client", reason="pipedrive-python-lib is not installed")
exceptions = pytest.importorskip("pipedrive.exceptions")


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("method", "path", "body", "key"),
    [
        ("GET", "deals?api_token=x", None, "api_token"),
        ("GET", "deals?start=0", None, "start"),
        ("GET", "deals?status=sold", None, "status"),
        ("GET", "deals?limit=501", None, "limit"),
        ("GET", "deals?updated_since=2026-01-01", None, "updated_since"),
        ("GET", "deals?ids=1,x", None, "ids"),
        ("GET", "deals?sort_by=title", None, "sort_by"),
        ("GET", "deals?include_fields=everything", None, "include_fields"),
        ("GET", "organizations?org_id=1", None, "org_id"),
        ("POST", "deals", {"title": "T", "user_id": 1}, "user_id"),
        ("POST", "deals", {"title": "T", "value": "10"}, "value"),
        ("POST", "deals", {"title": "T", "org_id": 77}, "org_id"),
        ("POST", "deals", {"value": 10}, "title"),
        ("PATCH", "deals/1", {"won_time": "2026-01-01T00:00:00Z"}, "won_time"),
        ("PATCH", "deals/1", {"custom_fields": {"f" * 40: 1}}, "custom_fields"),
        ("PATCH", "deals/1", {"is_archived": "true"}, "is_archived"),
    ],
)
def test_what_is_not_in_the_contract_is_refused(
    world: World, method: str, path: str, body: Any, key: str
) -> None:
    world.act("create_deal", title="T")
    path, _, query = path.partition("?")
    reply = world.call(method, path, body, **dict([query.split("=")] if query else []))
    assert reply.status == 400 and reply.effect == "refused"
    error = reply.json()
    assert error["code"] == "ERR_SCHEMA_VALIDATION_FAILED" and f": {key}" in error["error"]


def test_the_words_of_an_unknown_key_are_the_vendors(world: World) -> None:
    error = world.call("POST", "deals", {"title": "T", "nope": 1}).json()
    assert error == {
        "success": False,
        "error": "Validation failed: nope: Parameter 'nope' is not allowed for this request",
        "code": "ERR_SCHEMA_VALIDATION_FAILED",
    }


def test_v1_keeps_users_and_notes_and_has_lost_deals(world: World) -> None:
    me = world.data("GET", "/api/v1/users/me")
    assert (me["company_id"], me["company_domain"]) == (7_654_321, "sandbox-supplies")
    deal = world.act("create_deal", title="T")["id"]
    note = world.data("POST", "/api/v1/notes", {"content": "<b>paid</b>", "deal_id": deal})
    assert note["add_time"] == "2026-03-02 12:00:00" and note["deal"] == {"title": "T"}
    assert [n["id"] for n in world.data("GET", "/v1/notes", deal_id=deal)] == [note["id"]]
    for path in ("deals", f"deals/{deal}", "persons", "itemSearch"):
        assert world.call("GET", f"/api/v1/{path}").status == 410


def test_since_is_inclusive_and_until_exclusive(world: World) -> None:
    for title in "abc":
        world.act("create_deal", title=title)
        world.clock.advance(1)
    window = {"updated_since": "2026-03-02T12:00:01Z", "updated_until": "2026-03-02T12:00:02.000Z"}
    assert world.ids("deals", **window) == [2]
    assert world.ids("deals", filter_id=5, ids="1", status="lost") == [1, 2, 3]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(1, 5), st.booleans())
def test_a_walk_meets_each_record_once(gaps: list[int], limit: int, descending: bool) -> None:
    world = World()
    for gap in gaps:
        world.clock.advance(gap)
        world.act("create_deal", title="T")
    direction = "desc" if descending else "asc"
    seen = world.walk("deals", sort_by="update_time", sort_direction=direction, limit=limit)
    expected = list(range(1, len(gaps) + 1))
    assert seen == (expected[::-1] if descending else expected)


def test_a_record_edited_during_a_walk_is_met_again_at_the_end(world: World) -> None:
    for title in "abc":
        world.act("create_deal", title=title)
        world.clock.advance(1)
    first = world.call("GET", "deals", sort_by="update_time", limit=1).json()
    world.act("edit_deal", deal="a", title="a2")
    cursor = first["additional_data"]["next_cursor"]
    assert world.ids("deals", cursor=cursor) == [2, 3, 1]


def test_foreign_cursors_are_refused(world: World) -> None:
    for title in "ab":
        world.act("create_deal", title=title)
        world.act("create_org", name=title)
    cursor = world.call("GET", "deals", limit=1).json()["additional_data"]["next_cursor"]
    for path, bad in (
        ("organizations", cursor),
        ("deals", cursor[:-2]),
        ("deals", "abc"),
        ("deals", "é"),
    ):
        assert world.call("GET", path, cursor=bad).status == 400


def test_bulk_products_take_csv_and_repeats_and_at_most_100(world: World) -> None:
    for title in "ab":
        world.act("create_deal", title=title, lines=[{"name": "X", "price": 1}])
    found = world.data("GET", "deals/products", deal_ids="2,1,77")
    assert [r["deal_id"] for r in found] == [1, 2]
    many = ",".join(str(n) for n in range(101))
    assert world.call("GET", "deals/products", deal_ids=many).status == 400
    assert world.call("GET", "deals/products").status == 400


def test_bursts_and_days_are_two_429s_and_a_deaf_client_gets_html() -> None:
    own = {**QUIET, "limits": True, "burst_per_2_s": 3, "bursts_in_real_time": False}
    world = World(Options(**own, daily_tokens=50, ban_after=2))
    left = [world.call("GET", "deals/1").header("x-ratelimit-remaining") for _ in range(3)]
    assert left == ["2", "1", "0"]
    burst = world.call("GET", "deals")
    assert (burst.status, burst.header("x-ratelimit-remaining")) == (429, "0")
    world.clock.advance(2)
    assert [world.call("GET", "deals").status for _ in range(3)] == [200, 200, 200]
    world.clock.advance(2)
    assert world.call("GET", "deals").status == 200
    day = world.call("GET", "deals")
    assert day.status == 429 and int(day.header("x-ratelimit-remaining") or 0) > 0
    assert world.call("GET", "deals").status == 429
    html = world.call("GET", "deals")
    assert html.status == 403 and (html.header("Content-Type") or "").startswith("text/html")
    world.clock.advance(86_400)
    assert world.call("GET", "deals").status == 200


def test_search_has_a_burst_of_its_own_and_oauth_a_wider_one() -> None:
    options = Options()
    assert options.burst(search=True, oauth=True) == 10 and options.burst(False, True) == 160
    assert replace(options, plan="ultimate", seats=3).day_budget == 630_000


def test_writes_tell_the_daily_requests_left() -> None:
    world = World(Options(**{**QUIET, "limits": True}))
    assert world.call("POST", "organizations", {"name": "A"}).header("x-daily-requests-left")
    assert world.call("GET", "deals").header("x-daily-requests-left") is None


def test_semantic_faults_speak_the_vendors_words(world: World) -> None:
    for name, status in (("feature_capping", 403), ("payment_required", 402), ("maintenance", 503)):
        world.faults.add(Fault("semantic", name=name))
        assert world.call("GET", "deals").status == status
    assert world.call("GET", "deals").status == 200


V1_ONLY = re.compile(r"^(users|notes|currencies|activityTypes|recents)\b")


class V2Client(pipedrive.Client):  # type: ignore[misc,name-defined]
    """The public library, led to v2: header token, PATCH, v1 where v2 has nothing."""

    def __init__(self, domain: str, token: str) -> None:
        super().__init__()
        self.root = domain.rstrip("/") + "/"
        self.BASE_URL = self.root + "api/v2/"
        self.session = requests.Session()
        self.session.headers.update({"x-api-token": token})

    def _request(
        self, method: str, url: str, headers: Any = None, params: Any = None, **kw: Any
    ) -> Any:
        rest = url[len(self.BASE_URL) :]
        if V1_ONLY.match(rest):
            url = self.root + "api/v1/" + rest
        elif method == "put":
            method = "patch"
        kw.setdefault("timeout", 5)
        return self._parse(self.session.request(method, url, headers=headers, params=params, **kw))


@pytest.fixture
def served(world: World) -> Iterator[tuple[World, str]]:
    with Sandbox([world.server], clock=world.clock, faults=world.faults) as sandbox:
        yield world, f"{sandbox.base_url}/pipedrive"


def test_the_real_library_reads_writes_and_sees_errors(served: tuple[World, str]) -> None:
    world, url = served
    org = world.act("create_org", name="Café Émile")["id"]
    for n in range(5):
        world.act("create_deal", title=f"D{n}", org=org, lines=[{"name": "X", "price": 2.35}])
    client = V2Client(url, "sandbox-token")
    page = client.deals.get_all_deals(params={"limit": 3, "status": "open"})
    rest = client.deals.get_all_deals(params={"cursor": page["additional_data"]["next_cursor"]})
    assert [d["id"] for d in page["data"] + rest["data"]] == [1, 2, 3, 4, 5]
    won = client.deals.update_deal(1, {"status": "won"})
    assert won["data"]["status"] == "won"
    rows = client._get(client.BASE_URL + "deals/products", params={"deal_ids": "1,2"})
    assert [r["item_price"] for r in rows["data"]] == [2.35, 2.35]
    assert client.organizations.get_organization(org)["data"]["name"] == "Café Émile"
    assert client.users.get_me()["data"]["is_you"] is True
    with pytest.raises(exceptions.NotFoundError):
        client.deals.get_deal(99)
    with pytest.raises(exceptions.BadRequestError):
        client.deals.update_deal(1, {"user_id": 3})
    with pytest.raises(exceptions.UnauthorizedError):
        V2Client(url, "wrong").deals.get_deal(1)


def test_lists_hold_repeated_ids_over_http(served: tuple[World, str]) -> None:
    world, url = served
    part = [{"amount": 1.1, "billing_date": "2026-04-01"}]
    for title in "ab":
        lines = [{"name": "X", "price": 2}]
        world.act("create_deal", title=title, lines=lines, installments=part)
    headers = {"x-api-token": "sandbox-token"}
    query: dict[str, Any] = {"deal_ids": [1, 2]}
    reply = requests.get(f"{url}/api/v2/deals/installments", query, headers=headers, timeout=5)
    assert [p["amount"] for p in reply.json()["data"]] == [1.1, 1.1]
    bearer = {"Authorization": "Bearer sandbox-bearer"}
    assert requests.get(f"{url}/api/v2/deals", headers=bearer, timeout=5).status_code == 200
