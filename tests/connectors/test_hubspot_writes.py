"""What goes to HubSpot: batches, deals and moves, tasks and notes, companies and contacts."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from syncjob.connectors.hubspot import contacts, writing
from syncjob.connectors.hubspot.marked import to_activity
from syncjob.core.actions import (
    ContactChange,
    ContactDraft,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    Move,
    NoteDraft,
    Task,
)
from syncjob.core.contacts.fields import values_of
from tests.connectors.hubspot_names import HELD, NAMES, NOW, an_action, inputs, prepared

PLACE = '{"lines":["Obere Str. 57","2. OG"],"city":"Berlin","region":"BE","postal_code":"12209"}'


def deal(number: int, **fields: str | None) -> DealChange:
    return DealChange(deal_id=str(number), fields=fields or {"Due": "1.50"})


def a_task(**more: object) -> Task:
    known: dict[str, object] = {
        "marker": "NW-7-A1.261122.3.9", "deal_id": "7", "owner_id": "9", "subject": "Overdue",
        "note": "Owes <100> & more\nsince May", "due": date(2026, 11, 22),
    }  # fmt: skip
    return Task(**{**known, **more})  # type: ignore[arg-type]


# --- batches --------------------------------------------------------------------------------------


def test_a_hundred_records_go_in_one_call_and_each_is_known_by_its_own_key():
    calls = prepared(*(deal(n) for n in range(250)))
    assert [len(c.actions) for c in calls] == [100, 100, 50]
    assert {c.request.url.rpartition("2026-09/")[2] for c in calls} == {"deals/batch/update"}
    for call in calls:
        for action, one in zip(call.actions, inputs(call), strict=True):
            assert one["id"] == one["objectWriteTraceId"] == action.payload.deal_id


def test_kinds_and_objects_do_not_mix_and_a_record_stands_once_in_a_call():
    both = {"name": "Acme"}
    calls = prepared(
        ContactChange(contact_id="org:1", values=both),
        deal(1),
        ContactChange(contact_id="person:1", values={"email": "a@x.test"}),
        MarkerChange(contact_id="org:1", marker="NW-O1"),
        deal(1, **{"Invoice number": "INV-1"}),
        deal(2),
    )
    paths = [c.request.url.rpartition("2026-09/")[2] for c in calls]
    assert sorted(paths) == [
        "companies/batch/update", "companies/batch/update", "contacts/batch/update",
        "deals/batch/update", "deals/batch/update",
    ]  # fmt: skip
    for call in calls:
        keys = [one["id"] for one in inputs(call)]
        assert len(keys) == len(set(keys))
    assert sum(len(c.actions) for c in calls) == 6


def test_what_is_for_the_ledger_is_not_taken():
    with pytest.raises(ValueError, match="not a write to a CRM"):
        prepared(ContactDraft(marker="NW-O1", name="Acme"))


# --- deals ----------------------------------------------------------------------------------------


def test_a_deals_own_properties_go_by_their_internal_names_and_nothing_else_does():
    (call,) = prepared(deal(7, **{"Invoice status": "paid", "Due": "0.00", "Due date": None}))
    assert inputs(call)[0]["properties"] == {
        "syncjob_invoice_status": "paid", "syncjob_due": "0", "syncjob_due_date": "",
    }  # fmt: skip


def test_a_move_names_stage_and_pipeline_with_the_fields_in_one_write():
    move = Move(when="paid", stage_id="77", stage="Done", pipeline="Sales")
    change = DealChange(deal_id="7", fields={"Due": "1"}, move=move)
    (call,) = prepared(change)
    assert inputs(call)[0]["properties"] == {
        "syncjob_due": "1", "dealstage": "77", "pipeline": "sales",
    }  # fmt: skip
    bare = DealChange(deal_id="7", fields={}, move=move)
    assert inputs(prepared(bare)[0])[0]["properties"] == {"dealstage": "77", "pipeline": "sales"}
    with pytest.raises(ValueError, match="without fields"):
        prepared(DealChange(deal_id="7", fields={}))


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"Invoice status": "lost"}, "field_option_missing", "Invoice status"),
        ({"Due": "1,50"}, "field_refused", "Due"),
        ({"Nowhere": "x"}, "field_missing", "Nowhere"),
        ({"Due": "1.50", "Invoice number": "INV-1"}, None, ""),
    ],
)
def test_what_a_deal_cannot_hold_is_known_before(fields, code, field):
    found = writing.unfit(an_action(DealChange(deal_id="7", fields=fields)), HELD, NAMES)
    assert (found.code, found.field) == (code, field) if code else found is None
    assert found is None or found.next_step


# --- tasks and notes ------------------------------------------------------------------------------


def test_a_task_has_all_that_hubspot_needs_and_stands_on_deal_contact_and_company():
    (call,) = prepared(a_task(person_id="person:5", org_id="org:6"))
    (one,) = inputs(call)
    assert call.request.url.endswith("tasks/batch/create")
    assert one["objectWriteTraceId"] == "NW-7-A1.261122.3.9"
    assert one["properties"] == {
        "hs_timestamp": "2026-11-22T17:00:00Z",
        "hs_task_subject": "Overdue",
        "hs_task_body": "Owes &lt;100&gt; &amp; more<br>since May<br><br>NW-7-A1.261122.3.9",
        "hubspot_owner_id": "9",
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "HIGH",
        "hs_task_type": "TODO",
        "hs_task_reminders": "1795372200000",  # 18:30 UTC: the next quarter but one
    }
    tied = {(a["to"]["id"], a["types"][0]["associationTypeId"]) for a in one["associations"]}
    assert tied == {("7", 216), ("5", 204), ("6", 192)}


@pytest.mark.parametrize("days", range(0, 400, 33))
def test_a_task_is_due_on_its_day_of_the_account_and_reminds_in_the_future(days):
    task = a_task(due=date(2026, 11, 22) + timedelta(days=days))
    properties = inputs(prepared(task)[0])[0]["properties"]
    row = {"id": "1", "properties": properties | {"hs_task_subject": "Overdue"}}
    read = to_activity(row, task.marker, NAMES.zone, "7")
    assert read.due == task.due
    action = an_action(task)
    assert writing.current_form(action, read, NAMES) == writing.stored_form(action, NAMES)
    remind = int(properties["hs_task_reminders"]) / 1000
    assert remind >= (NOW + timedelta(minutes=15)).timestamp() and remind % 900 == 0


def test_a_note_stands_in_the_deals_timeline_with_our_marker_below():
    note = NoteDraft(
        marker="NW-7-A1.paid", deal_id="7", invoice_id="i", happening="paid", text="a\nb"
    )
    (one,) = inputs(prepared(note)[0])
    assert one["properties"] == {
        "hs_note_body": "a<br>b<br><br>NW-7-A1.paid", "hs_timestamp": "2026-11-22T18:07:00Z",
    }  # fmt: skip
    assert [a["types"][0]["associationTypeId"] for a in one["associations"]] == [214]


@pytest.mark.parametrize(
    ("text", "marker", "found"),
    [
        ("x<br><br>NW-7-A1.paid", "NW-7-A1.paid", True),
        ("x<br><br>NW-7-A11", "NW-7-A1", False),
        ("x<br><br>NW-7-A1.paid.261122", "NW-7-A1.paid", False),
        ("<p>NW-7-A1</p>", "NW-7-A1", True),
        (None, "NW-7-A1", False),
    ],
)
def test_a_marker_is_found_whole_or_not_at_all(text, marker, found):
    assert writing.bears(text, marker) is found


# --- companies and contacts -----------------------------------------------------------------------


def test_a_new_contact_is_tied_to_its_primary_company_and_says_only_what_is_known():
    draft = CrmContactDraft(
        kind="person", marker="NW-L1-P", organization_id="org:6",
        values={"name": "Zoë Lee", "email": "z@x.test", "phones": None, "street": None},
    )  # fmt: skip
    (call,) = prepared(draft)
    (one,) = inputs(call)
    assert call.request.url.endswith("contacts/batch/create")
    assert one["properties"] == {
        "firstname": "Zoë", "lastname": "Lee", "email": "z@x.test",
        "syncjob_syncjob_key": "NW-L1-P",
    }  # fmt: skip
    (tie,) = one["associations"]
    assert tie["to"] == {"id": "6"} and tie["types"][0]["associationTypeId"] == 1


def test_a_change_sends_its_own_properties_and_clears_with_empty_texts():
    change = ContactChange(
        contact_id="org:6", values={"postal": PLACE, "tax_number": None, "email": "b@x.test"}
    )
    (one,) = inputs(prepared(change)[0])
    assert one["properties"] == {
        "address": "Obere Str. 57", "address2": "2. OG", "city": "Berlin", "state": "BE",
        "zip": "12209", "country": "", "syncjob_vat": "", "syncjob_invoice_mail": "b@x.test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "wanted", "phone", "mobile", "more"),
    [
        ({}, "1\n2\n3", "1", "2", "3"),
        ({"phone": "1", "mobilephone": "2"}, "2", "", "2", ""),
        ({"phone": "", "mobilephone": "2"}, "2\n9", "9", "2", ""),
        ({"phone": "1", "mobilephone": "2", "syncjob_more": "3"}, "3\n1", "1", "3", ""),
        ({"phone": "+44 20 7946 0123"}, "+442079460123", "+442079460123", "", ""),
        ({"phone": "1"}, None, "", "", ""),
    ],
)
def test_numbers_that_stay_keep_their_place(now, wanted, phone, mobile, more):
    change = ContactChange(contact_id="person:5", values={"phones": wanted})
    (one,) = inputs(prepared(change, now={"person:5": now})[0])
    assert one["properties"] == {"phone": phone, "mobilephone": mobile, "syncjob_more": more}


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Cher"},
        {"name": "Zoë van Lee"},
        {"first_name": "Al", "last_name": None},
        {"email": "A@x.test", "phones": "1\n2\n3\n4"},
        {"postal": PLACE},
        {"postal": '{"text":"1 High St, York, YO1"}'},
        {"postal": None, "street": PLACE},
    ],
)
def test_what_is_sent_reads_back_as_it_was_meant(values):
    action = an_action(ContactChange(contact_id="person:5", values=values))
    properties = inputs(prepared(action.payload)[0])[0]["properties"]
    record = contacts.to_person({"id": "5", "properties": properties}, NAMES)
    predicted = writing.stored_form(action, NAMES)
    assert predicted.keys() == values.keys()
    assert writing.current_form(action, record, NAMES) == predicted
    assert {f: v for f, v in values_of(record).items() if f in values and v is None} == {
        f: None for f, v in values.items() if v is None
    }


@pytest.mark.parametrize(
    ("contact", "values", "code", "field"),
    [
        ("org:6", {"name": None}, "name_unfit", "name"),
        ("org:6", {"phones": "1\n2"}, "field_not_held", "phones"),
        ("org:6", {"terms": "days_after_bill:14"}, "field_not_held", "terms"),
        ("person:5", {"emails": "b@x.test"}, "field_not_held", "emails"),
        ("person:5", {"emails": None}, None, ""),
        ("person:5", {"phones": "1\n2\n3\n4"}, None, ""),
        ("person:5", {"name": None, "first_name": None, "last_name": None}, "name_unfit", "name"),
    ],
)
def test_what_a_contact_cannot_hold_is_refused_before_and_by_name(contact, values, code, field):
    found = writing.unfit(an_action(ContactChange(contact_id=contact, values=values)), HELD, NAMES)
    assert (found.code, found.field) == (code, field) if code else found is None
    assert found is None or found.next_step


def test_nothing_is_made_without_a_property_that_keeps_our_marker_unique():
    draft = CrmContactDraft(kind="organization", marker="NW-L1", values={"name": "Acme"})
    mark = MarkerChange(contact_id="org:6", marker="NW-O6")
    assert NAMES.organization_marker is not None
    loose = msgspec.structs.replace(NAMES.organization_marker, unique=False)
    for marker in (None, loose):
        names = msgspec.structs.replace(NAMES, organization_marker=marker)
        for payload in (draft, mark):
            found = writing.unfit(an_action(payload), HELD, names)
            assert found is not None and found.code == "field_missing"
    assert writing.unfit(an_action(draft), HELD, NAMES) is None


def test_a_company_and_a_contact_are_read_with_all_that_belongs_to_them():
    company = contacts.to_contact("organization", {
        "id": "6", "archived": True, "updatedAt": "2026-01-01T00:00:00Z",
        "properties": {
            "name": None, "domain": "acme.test", "phone": " 1 ", "address2": "Gate 2",
            "hs_lastmodifieddate": "2026-02-03T04:05:06.789Z", "hs_merged_object_ids": "3;4",
            "syncjob_vat": "DE1", "syncjob_syncjob_key": "NW-O6", "hubspot_owner_id": "9",
        },
    }, NAMES)  # fmt: skip
    assert (company.id, company.name, company.phones) == ("org:6", "acme.test", ("1",))
    assert company.deleted and company.merged_from == ("org:3", "org:4")
    assert (company.tax_number, company.marker, company.owner_id) == ("DE1", "NW-O6", "9")
    assert company.address is not None and company.address.lines == ("Gate 2",)
    assert company.updated is not None and company.updated.microsecond == 789_000
    assert company.page == "https://app.hubspot.com/contacts/4711/record/0-2/6"
    person = contacts.to_contact("person", {
        "id": "5", "properties": {"email": "a@x.test", "hs_additional_emails": "b@x.test;c@x.test",
                                  "associatedcompanyid": "6"},
    }, NAMES)  # fmt: skip
    assert person.name == "a@x.test" and person.first_name is None
    assert person.emails == ("a@x.test", "b@x.test", "c@x.test")
    assert person.organization_id == "org:6"
