"""Answers that are neither what was asked for nor a refusal in the vendor's own form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syncjob.connectors.hubspot import refusals
from syncjob.connectors.pipedrive import lines, values
from syncjob.core.actions import NoteDraft, Rejected
from syncjob.errors import AuthFailed, SchemaDrift
from syncjob.sandbox.kernel import Fault
from syncjob.transport.wire import Answer
from tests.connectors.hubspot_names import NAMES, an_action
from tests.connectors.hubspot_support import HubSpotWorld
from tests.connectors.pipedrive_support import PipedriveWorld
from tests.connectors.xero_kit import ORGANISATION, answer, connector

PAGE = b"<html><body>502 Bad Gateway</body></html>"
LINE = {"name": "Widget", "price": 100, "quantity": 1}


@pytest.fixture
def hubspot() -> Iterator[HubSpotWorld]:
    world = HubSpotWorld()
    yield world
    world.close()


@pytest.fixture
def pipedrive() -> Iterator[PipedriveWorld]:
    world = PipedriveWorld()
    yield world
    world.close()


def test_a_refusal_that_is_a_page_is_quoted(
    hubspot: HubSpotWorld, pipedrive: PipedriveWorld
) -> None:
    """While fields are created: a person sees what the proxy said."""
    for world in (hubspot, pipedrive):
        said = world.connect().refusal(Answer(status=502, headers={}, body=PAGE))
        assert "502 Bad Gateway" in said


# --- HubSpot --------------------------------------------------------------------------------------


def sold(world: HubSpotWorld) -> str:
    return str(world.act("create_deal", title="D", status="won", lines=[LINE])["id"])


def test_associations_that_hubspot_finds_none_of(hubspot: HubSpotWorld) -> None:
    """A 404 that says so of all that was asked is an empty answer: no customer and no line."""
    deal, linked = sold(hubspot), hubspot.connect()
    none = '{"message": "none", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}'
    hubspot.faults.add(Fault("status", path="associations", status=404, body=none, times=9))
    (found,) = linked.get("deals", [deal])
    assert (found.id, found.org_id, found.lines) == (deal, None, ())


@pytest.mark.parametrize("status", [400, 404])
def test_associations_that_are_refused_otherwise_stop_the_read(
    hubspot: HubSpotWorld, status: int
) -> None:
    deal, linked = sold(hubspot), hubspot.connect()
    hubspot.faults.add(
        Fault("status", path="associations", status=status, body='{"message": "no"}', times=9)
    )
    with pytest.raises(SchemaDrift):
        linked.get("deals", [deal])


def test_one_record_out_of_sight_stops_no_other(hubspot: HubSpotWorld) -> None:
    """A deal that is in no list is asked for by itself, and that may be forbidden."""
    deal, linked = sold(hubspot), hubspot.connect()
    hubspot.faults.add(
        Fault("status", method="GET", path="deals/4711", status=403, body='{"message": "hidden"}')
    )
    assert [found.id for found in linked.get("deals", [deal, "4711"])] == [deal]


@pytest.mark.parametrize("broken", ['[{"message": "cut off}]', "[{" + "[" * 100_000 + "}]"])
def test_a_list_of_problems_that_is_no_json_is_quoted_as_it_is(broken: str) -> None:
    refusal = refusals.read({"message": f"Property values were not valid: {broken}"}, 400)
    assert refusal.words.startswith("Property values were not valid: [{")
    assert refusal.properties == ()


def test_a_note_that_is_refused_waits_for_its_deal() -> None:
    note = an_action(
        NoteDraft(deal_id="1", marker="NW-1-A1", invoice_id="i1", happening="paid", text="paid")
    )
    refused = refusals.outcome(note, refusals.read({"message": "no"}, 400), NAMES)
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.words) == ("refused", "no")
    assert "once the deal changes" in refused.next_step


# --- Pipedrive ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["soon", "2026-02-30", "", None])
def test_a_day_that_is_none(value: Any) -> None:
    with pytest.raises(SchemaDrift) as told:
        values.day({"billing_date": value}, "billing_date")
    assert "billing_date" in str(told.value)


def test_sums_that_are_no_numbers_add_up_to_nothing() -> None:
    """So they cannot be taken for the deal's value."""
    good = {"sum": 100, "is_enabled": True}
    assert lines.wire_sum([good, good]) == 200
    assert lines.wire_sum([good, {"sum": {"value": 1}, "is_enabled": True}]) is None


# --- Xero -----------------------------------------------------------------------------------------


def test_check_says_which_list_is_no_list() -> None:
    ok, end = answer({}), answer({"Organisations": [ORGANISATION]})
    (problem,) = connector(ok, ok, answer(PAGE, 502), *[ok] * 4, end, known=False).check()
    assert problem.where == "ledger, GET Invoices"


def test_check_says_when_the_organisation_may_not_be_read() -> None:
    ok = answer({})
    (problem,) = connector(*[ok] * 7, AuthFailed("insufficient_scope"), known=False).check()
    assert "accounting.settings.read" in problem.fix
