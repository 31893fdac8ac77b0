"""What HubSpot answers to a batch, and what becomes of each record in it."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import (
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    Move,
    NotDone,
    Rejected,
    Stored,
    Task,
    Unknown,
)
from syncjob.core.records import Contact
from tests.connectors.hubspot_names import answered, prepared

STAMP = "2026-11-22T18:08:00.123Z"


def deals(*numbers: int) -> Any:
    (call,) = prepared(*(DealChange(deal_id=str(n), fields={"Due": "1"}) for n in numbers))
    return call


def done(number: int | str, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "properties": {}, "updatedAt": STAMP, **more}


def kinds(outcomes: list[Any]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


def error(message: str = "no", **more: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": "x", **more}


# --- each input's fate ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 207])
def test_results_in_any_order_and_errors_beside_them_each_find_their_record(status):
    body = {
        "status": "COMPLETE",
        "results": [done(3), done(1)],
        "numErrors": 1,
        "errors": [error("gone", category="OBJECT_NOT_FOUND", context={"ids": ["2"]})],
    }
    first, second, third = answered(deals(1, 2, 3), status, body)
    assert (
        first
        == third
        == Stored(record=None, stamp=datetime(2026, 11, 22, 18, 8, 0, 123_000, tzinfo=UTC))
    )
    assert isinstance(second, Rejected) and second.code == "deal_gone" and second.next_step


def test_what_neither_a_result_nor_an_error_names_stays_open():
    body = {"results": [done(1), done(99)], "errors": [error("which?")]}
    assert kinds(answered(deals(1, 2, 3), 207, body)) == ["Stored", "Unknown", "Unknown"]
    assert kinds(answered(deals(1, 2), 200, {"results": []})) == ["Unknown", "Unknown"]


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_no_record_is_ever_taken_for_another(order, stored, refused):
    refused -= stored
    body = {
        "results": [done(n) for n in order if n in stored],
        "errors": [error(f"bad {n}", context={"objectWriteTraceId": [str(n)]}) for n in order
                   if n in refused],
    }  # fmt: skip
    for number, outcome in enumerate(answered(deals(*range(6)), 207, body)):
        if number in stored:
            assert isinstance(outcome, Stored)
        elif number in refused:
            assert isinstance(outcome, Rejected) and outcome.words == f"bad {number}"
        else:
            assert isinstance(outcome, Unknown)


def test_a_trace_id_counts_before_other_numbers_that_an_error_mentions():
    context = {"objectWriteTraceId": ["2"], "ids": ["1"]}
    body = {"results": [done(1)], "errors": [error("bad", context=context)]}
    assert kinds(answered(deals(1, 2), 207, body)) == ["Stored", "Rejected"]


def test_a_rate_limit_inside_a_batch_is_tried_again():
    body = {
        "results": [],
        "errors": [error("slow", category="RATE_LIMITS", context={"ids": ["1"]})],
    }
    assert kinds(answered(deals(1), 207, body)) == ["NotDone"]


# --- creations ------------------------------------------------------------------------------------


def task(place: int) -> Task:
    return Task(
        marker=f"NW-{place}-A1.261122.3.9", deal_id=str(place), owner_id="9", subject="s",
        note="n", due=date(2026, 11, 22),
    )  # fmt: skip


def test_creations_are_known_by_trace_id_or_by_the_marker_in_their_text():
    (call,) = prepared(task(1), task(11), task(2))
    body = {"results": [
        {"id": "90", "properties": {"hs_task_body": "x<br><br>NW-11-A1.261122.3.9"}},
        {"id": "91", "objectWriteTraceId": "NW-1-A1.261122.3.9", "properties": {}},
    ]}  # fmt: skip
    outcomes = answered(call, 201, body)
    told = {
        a.payload.deal_id: type(o).__name__ for a, o in zip(call.actions, outcomes, strict=True)
    }
    assert told == {"1": "Stored", "11": "Stored", "2": "Unknown"}


def person(marker: str = "NW-L1-P", **values: str) -> CrmContactDraft:
    return CrmContactDraft(
        kind="person", marker=marker, organization_id="org:6",
        values={"name": "Al Bo", "email": "al@x.test", **values},
    )  # fmt: skip


def test_a_new_contact_is_shown_with_what_was_sent_where_the_answer_leaves_it_out():
    (call,) = prepared(person())
    shown = {"email": "AL@x.test", "phone": None}
    body = {"results": [done(5, objectWriteTraceId="NW-L1-P", properties=shown)]}
    (outcome,) = answered(call, 201, body)
    assert isinstance(outcome, Stored) and isinstance(outcome.record, Contact)
    record = outcome.record
    assert (record.id, record.name, record.emails) == ("person:5", "Al Bo", ("AL@x.test",))
    assert record.marker == "NW-L1-P" and record.organization_id == "org:6"


@pytest.mark.parametrize("status", [409, 207])
def test_a_duplicate_is_refused_with_the_record_that_is_there(status):
    body = error("Contact already exists. Existing ID: 33", category="CONFLICT")
    if status == 207:
        body = {"results": [], "errors": [body | {"context": {"objectWriteTraceId": ["NW-L1-P"]}}]}
    (outcome,) = answered(prepared(person())[0], status, body)
    assert isinstance(outcome, Rejected) and outcome.code == "contact_exists"
    assert "record 33 (https://app.hubspot.com/contacts/4711/record/0-1/33)" in outcome.next_step
    assert outcome.field == "email"


def test_a_marker_that_another_record_bears_names_that_record():
    words = "Cannot set PropertyValueCoordinates: 44 already has that value."
    (call,) = prepared(MarkerChange(contact_id="org:6", marker="NW-O6"))
    (outcome,) = answered(call, 400, error(words, category="VALIDATION_ERROR"))
    assert isinstance(outcome, Rejected) and outcome.code == "contact_exists"
    assert "0-2/44" in outcome.next_step and outcome.field == ""


# --- refused whole --------------------------------------------------------------------------------


def invalid(name: str, code: str, message: str = "wrong", **more: Any) -> dict[str, Any]:
    """The two shapes in which the vendor names properties, the older inside the message."""
    one = {"message": message, "code": code, "context": {"propertyName": [name]}}
    return error("no", category="VALIDATION_ERROR", errors=[one], **more)


def old_invalid(name: str, code: str, message: str = "wrong") -> dict[str, Any]:
    told = msgspec.json.encode(
        [{"isValid": False, "message": message, "error": code, "name": name}]
    )
    text = f"Property values were not valid: {told.decode()}"
    return error(text, category="VALIDATION_ERROR")


@pytest.mark.parametrize("shape", [invalid, old_invalid])
@pytest.mark.parametrize(
    ("name", "code", "expected", "field"),
    [
        ("syncjob_invoice_status", "INVALID_OPTION", "field_option_missing", "Invoice status"),
        ("syncjob_invoice_status", "PROPERTY_DOESNT_EXIST", "field_missing", "Invoice status"),
        ("syncjob_due", "INVALID_NUMBER", "field_refused", "Due"),
        ("closed_lost_reason", "REQUIRED_FIELD", "crm_rule", "closed_lost_reason"),
        ("unheard_of", "REQUIRED_FIELD", "crm_rule", "unheard_of"),
    ],
)
def test_a_refusal_names_the_property_as_people_know_it(shape, name, code, expected, field):
    fields: dict[str, str | None] = {"Invoice status": "paid", "Due": "1"}
    (call,) = prepared(DealChange(deal_id="7", fields=fields))
    (outcome,) = answered(call, 400, shape(name, code, f"{name} is wrong"))
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.field) == (expected, field) and outcome.next_step
    if name == "closed_lost_reason":
        assert outcome.words == "Why lost is wrong" and '"Why lost"' in outcome.next_step


def test_a_move_that_is_refused_over_its_stage_is_no_rule_about_another_property():
    move = Move(when="paid", stage_id="77", stage="Done", pipeline="Sales")
    (call,) = prepared(DealChange(deal_id="7", fields={"Due": "1"}, move=move))
    (outcome,) = answered(call, 400, invalid("dealstage", "INVALID_OPTION"))
    assert isinstance(outcome, Rejected) and outcome.code == "refused"


@pytest.mark.parametrize("status", [400, 404, 409, 413, 414, 418])
def test_a_call_refused_whole_is_halved_until_the_culprit_stands_alone(status):
    outcomes = answered(deals(1, 2), status, error("one is bad"))
    assert all(isinstance(o, NotDone) and o.halve for o in outcomes)
    (alone,) = answered(deals(1), status, error("one is bad"))
    assert isinstance(alone, Rejected) and alone.next_step


@pytest.mark.parametrize("key", ["requiredGranularScopes", "missingScopes", None])
def test_missing_scopes_are_named_and_nothing_is_halved_for_them(key):
    said = [{"message": "needs", "context": {key: ["crm.objects.deals.write"]}}] if key else []
    body = error("This app hasn't been granted all required scopes: crm.objects.deals.write.",
                 category="MISSING_SCOPES", errors=said)  # fmt: skip
    for outcome in answered(deals(1, 2), 403, body):
        assert isinstance(outcome, Rejected) and outcome.code == "forbidden"
        assert "crm.objects.deals.write" in outcome.next_step


@pytest.mark.parametrize("status", [401, 423, 429, 477])
def test_what_was_refused_before_looking_is_not_done(status):
    outcomes = answered(deals(1, 2), status, error("later"))
    assert all(isinstance(o, NotDone) and not o.halve for o in outcomes)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 521, 522, 523, 524, 302, 100])
def test_what_says_nothing_leaves_all_open(status):
    assert set(kinds(answered(deals(1, 2), status, error("down")))) == {"Unknown"}


def test_a_page_in_place_of_an_answer_is_none():
    page = b"<html>Sign in to the wifi</html>"
    assert kinds(answered(deals(1), 200, page, "text/html")) == ["Unknown"]
    assert kinds(answered(deals(1), 403, page, "text/html")) == ["NotDone"]
    assert kinds(answered(deals(1), 404, page, "text/html")) == ["Unknown"]


def test_a_contacts_refused_value_is_named_as_our_field():
    (call,) = prepared(ContactChange(contact_id="person:5", values={"email": "nonsense"}))
    (outcome,) = answered(call, 400, invalid("email", "INVALID_EMAIL", "Email address is invalid"))
    assert isinstance(outcome, Rejected) and outcome.code == "contact_refused"
    assert (outcome.field, outcome.words) == ("email", "Email address is invalid")
    (outcome,) = answered(call, 400, invalid("lifecyclestage", "REQUIRED_FIELD"))
    assert isinstance(outcome, Rejected) and outcome.code == "crm_rule"
    (outcome,) = answered(call, 404, error("resource not found"))
    assert isinstance(outcome, Rejected) and outcome.code == "contact_gone"


# --- every field of an answer may be missing ------------------------------------------------------


def variants(body: Any) -> Any:
    """The body with one part dropped, nulled, or of another type."""
    if isinstance(body, dict):
        for key in body:
            yield {k: v for k, v in body.items() if k != key}
            for other in (None, 7, "x", [], {}, [None], [[1]]):
                yield body | {key: other}
            for inner in variants(body[key]):
                yield body | {key: inner}
    elif isinstance(body, list):
        for place, one in enumerate(body):
            for inner in variants(one):
                yield [*body[:place], inner, *body[place + 1 :]]


def test_no_missing_or_odd_part_of_an_answer_breaks_anything():
    whole = {
        "status": "COMPLETE",
        "results": [done(1), done(5, objectWriteTraceId="NW-L1-P")],
        "errors": [invalid("syncjob_due", "INVALID_NUMBER", context={"ids": ["2"]})],
    }
    refusal = invalid("syncjob_due", "INVALID_NUMBER", context={"requiredGranularScopes": ["a.b"]})
    calls = [deals(1, 2), prepared(person())[0], deals(1)]
    tried = 0
    for call, status in itertools.product(calls, (200, 207, 400, 403, 404, 409)):
        for body in variants(whole if status < 300 else refusal):
            outcomes = answered(call, status, body)
            assert len(outcomes) == len(call.actions)
            tried += 1
    assert tried > 500
