"""One input of a HubSpot batch read that failed is not read: it is never taken for "none"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.hubspot import associations, marked, searching
from syncjob.connectors.hubspot.client import Client
from syncjob.connectors.hubspot.reading import SINGLE_MAX
from syncjob.core.needs import Needs
from syncjob.errors import SchemaDrift
from syncjob.sandbox.kernel import Fault
from tests.connectors.hubspot_names import NAMES, NOW
from tests.connectors.hubspot_support import NOON, HubSpotWorld

API = "https://api.hubapi.com"
TIES = f"{API}/crm/associations/2026-09/deals/companies/batch/read"
ROW = {"from": {"id": "1"}, "to": [{"toObjectId": "8", "associationTypes": []}]}
LINE = {"name": "Widget", "price": 100, "quantity": 1}


def trouble(one: str | None, **more: Any) -> dict[str, Any]:
    context = {} if one is None else {"fromObjectId": [one], "fromObjectType": ["deals"]}
    return {"category": "INTERNAL_ERROR", "message": "Went wrong.", "context": context, **more}


def none(one: str) -> dict[str, Any]:
    return trouble(
        one, category="OBJECT_NOT_FOUND", subCategory="crm.associations.NO_ASSOCIATIONS_FOUND"
    )


@pytest.fixture
def world() -> Iterator[HubSpotWorld]:
    made = HubSpotWorld()
    yield made
    made.close()


def lasting(world: HubSpotWorld, path: str, one: Any, *, times: int = 0) -> None:
    world.faults.add(
        Fault("semantic", name="input_error", path=path, contains=f'"{one}"', body=str(one),
              times=times)
    )  # fmt: skip


def sold(world: HubSpotWorld, count: int = 3) -> list[str]:
    """Won deals, each with a company, a person and a line."""
    world.act("create_org", name="Acme")
    world.act("create_person", name="Jo Smith")
    one = {"title": "D", "status": "won", "org": "Acme", "person": "Jo Smith", "lines": [LINE]}
    return [str(world.act("create_deal", **one)["id"]) for _ in range(count)]


# --- associations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 207])
@pytest.mark.parametrize("error", [trouble("2"), trouble(None)])
def test_an_input_that_failed_is_unread_and_not_empty(
    http: Any, client: Client, status: int, error: dict[str, Any]
) -> None:
    body = {"results": [ROW], "numErrors": 2, "errors": [none("3"), error]}
    http.post(TIES, status=status, json=body)
    ties, unread = associations.known(client, "deals", "companies", ["1", "2", "3"])
    assert {one: [tie.other for tie in found] for one, found in ties.items()} == {"1": ["8"]}
    assert unread == {"2": "Went wrong"}
    with pytest.raises(SchemaDrift, match="the companies of deals 2: Went wrong"):
        associations.read(client, "deals", "companies", ["1", "2", "3"])


def test_what_failed_once_is_asked_for_again(http: Any, client: Client) -> None:
    http.post(TIES, status=207, json={"results": [], "errors": [trouble("1"), none("2")]})
    http.post(TIES, json={"results": [ROW]})
    found = associations.read(client, "deals", "companies", ["1", "2"])
    assert [tie.other for tie in found["1"]] == ["8"] and list(found) == ["1"]
    assert len(http.calls) == 2


def test_a_page_of_ties_that_failed_makes_its_record_unread(http: Any, client: Client) -> None:
    """The first page alone would be a deal with some of its lines."""
    http.post(TIES, json={"results": [{**ROW, "paging": {"next": {"after": "8"}}}]})
    http.post(TIES, status=207, json={"results": [], "errors": [trouble("1")]})
    ties, unread = associations.known(client, "deals", "companies", ["1"])
    assert (ties, list(unread)) == ({}, ["1"])


@pytest.mark.parametrize("errors", [{}, "x", ["x"], [None]])
def test_errors_that_are_none_are_no_empty_list(http: Any, client: Client, errors: Any) -> None:
    http.post(TIES, json={"results": [ROW], "errors": errors})
    with pytest.raises(SchemaDrift, match="errors"):
        associations.read(client, "deals", "companies", ["1"])


def test_an_answer_without_any_of_several_is_at_fault(http: Any, client: Client) -> None:
    """A walk goes on past single records, never past all of a page."""
    http.post(TIES, status=207, json={"results": [], "errors": [trouble(None)]})
    with pytest.raises(SchemaDrift, match="Went wrong"):
        associations.known(client, "deals", "companies", ["1", "2"])


# --- deals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["companies", "contacts"])
def test_a_walk_leaves_out_the_deal_whose_customer_cannot_be_read(
    world: HubSpotWorld, to: str
) -> None:
    first, bad, last = sold(world)
    linked = world.connect()
    lasting(world, f"deals/{to}", bad)
    (page,) = linked.changes("deals", Walk(since=NOON))
    assert sorted(deal.id for deal in page.records) == sorted([first, last])
    assert all(deal.org_id and deal.person_id for deal in page.records)
    ((told, words),) = page.drift
    assert told == bad
    assert words == "HubSpot could not show its customer: Something went wrong on our side."


@pytest.mark.parametrize("where", ["deals/companies", "deals/contacts", "deals/line_items"])
def test_a_deal_without_all_of_it_is_not_given(world: HubSpotWorld, where: str) -> None:
    good, bad = sold(world, 2)
    linked = world.connect()
    lasting(world, where, bad)
    with pytest.raises(SchemaDrift, match="Something went wrong"):
        linked.get("deals", [good, bad])
    (deal,) = linked.get("deals", [good])
    assert (deal.org_id is not None, len(deal.lines)) == (True, 1)


def test_a_line_item_that_cannot_be_read_is_none_that_hubspot_hides(world: HubSpotWorld) -> None:
    (deal,) = sold(world, 1)
    (item,) = (record.id for record in world.server.store.all("line_items"))
    lasting(world, "objects/.*line_items", item)
    with pytest.raises(SchemaDrift, match=f"line item {item}: Something went wrong"):
        world.connect().get("deals", [deal])


def test_a_moments_trouble_costs_one_more_call(world: HubSpotWorld) -> None:
    good, bad = sold(world, 2)
    linked = world.connect()
    lasting(world, "objects/.*/deals/batch", bad, times=1)
    lasting(world, "deals/companies", bad, times=1)
    assert {deal.id: deal.org_id is None for deal in linked.get("deals", [good, bad])} == {
        good: False, bad: False,
    }  # fmt: skip


def test_what_fails_in_bulk_is_read_singly_and_never_left_out(world: HubSpotWorld) -> None:
    made = sold(world, SINGLE_MAX + 1)
    linked = world.connect()
    lasting(world, "objects/.*/deals/batch", made[0])
    assert {deal.id for deal in linked.get("deals", made)} == set(made)
    world.faults.clear()
    world.faults.add(
        Fault("status", path="objects/.*/deals/batch", status=207, times=0,
              body='{"results": [], "errors": [{"category": "INTERNAL_ERROR"}]}')
    )  # fmt: skip
    with pytest.raises(SchemaDrift, match="no reason given"):
        linked.get("deals", made)


def test_a_walk_over_many_properties_names_what_it_cannot_read(world: HubSpotWorld) -> None:
    """The search shows only the ids; the position moves past what it shows."""
    names = [f"Property number {n} of a deal with a long name" for n in range(80)]
    for name in names:
        world.act("create_field", name=name)
    first, bad, last = sold(world)
    linked = world.connect(needs=Needs(fields=tuple(names)))
    linked.use(linked.reference())
    world.mark()
    lasting(world, "objects/.*/deals/batch", bad)
    (page,) = linked.changes("deals", Walk(since=NOON))
    assert "objects/deals/batch/read" in world.paths()
    assert sorted(deal.id for deal in page.records) == sorted([first, last])
    assert page.drift == (
        (bad, "HubSpot could not show it: Something went wrong on our side."),
    )  # fmt: skip


# --- what bears our markers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "marker"), [("crm_contact.create", "NW-O1"), ("note.create", "NW-7-A1.paid")]
)
def test_a_marker_of_which_nothing_is_said_is_not_taken_for_not_there(
    http: Any, client: Client, kind: str, marker: str
) -> None:
    """It would be made a second time."""
    http.add("POST", f"{API}/crm/associations/2026-09/deals/notes/batch/read", status=207,
             json={"results": [], "errors": [trouble("7")]})  # fmt: skip
    for objects in ("companies", "contacts"):
        http.add("POST", f"{API}/crm/objects/2026-09/{objects}/batch/read", status=207,
                 json={"results": [], "errors": [trouble(None)]})  # fmt: skip
    for objects in ("notes", "tasks"):
        url = f"{API}/crm/objects/2026-09/{objects}/search"
        http.add("POST", url, json={"results": [], "total": 0})
    with pytest.raises(SchemaDrift, match="Went wrong"):
        marked.find(client.ask, lambda *_: (), kind, [marker], NOW, NAMES)


NOTES = f"{API}/crm/objects/2026-09/notes"


def notes_of(http: Any, total: int, marker: str, *, last: int) -> None:
    """So many notes in pages of their own, of which the one of the highest id bears the marker;
    none of them is on the deal that the marker names, since that was merged."""

    def page(request: Any) -> tuple[int, dict[str, str], str]:
        filters = json.loads(request.body)["filterGroups"][0]["filters"]
        number = 1 + next(int(f["value"]) for f in filters if f["operator"] == "GT")
        body = f"<p>{marker}</p>" if number == total else "a call"
        row = {"id": str(number), "properties": {"hs_note_body": body}}
        left = total - number + 1
        return 200, {}, json.dumps({"results": [row] if number <= last else [], "total": left})

    ties = f"{API}/crm/associations/2026-09/deals/notes/batch/read"
    http.add("POST", ties, json={"results": [], "errors": [none("7")]})
    http.add_callback("POST", f"{NOTES}/search", page)


@pytest.mark.parametrize("total", [50, 51, 120])
def test_a_note_is_looked_for_to_the_end_of_the_search(
    http: Any, client: Client, total: int
) -> None:
    """The search goes by rising id, so no count of results bounds it."""
    notes_of(http, total, "NW-7-A1.paid", last=total)
    found = marked.find(client.ask, lambda *_: (), "note.create", ["NW-7-A1.paid"], NOW, NAMES)
    assert found["NW-7-A1.paid"].id == str(total)


def test_a_search_that_does_not_end_finds_nothing_for_sure(
    http: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is "not found" is made again."""
    monkeypatch.setattr(searching, "PAGES_MAX", 5)
    notes_of(http, 9, "NW-7-A1.paid", last=9)
    with pytest.raises(SchemaDrift, match="does not end after 5 pages"):
        marked.find(client.ask, lambda *_: (), "note.create", ["NW-7-A1.paid"], NOW, NAMES)


def test_a_search_for_a_note_that_counts_more_but_gives_none_is_no_end(
    http: Any, client: Client
) -> None:
    notes_of(http, 3, "NW-7-A1.paid", last=2)
    with pytest.raises(SchemaDrift, match="gives none"):
        marked.find(client.ask, lambda *_: (), "note.create", ["NW-7-A1.paid"], NOW, NAMES)
