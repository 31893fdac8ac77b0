"""What Xero made of a call, read element by element: stored, refused, or unknown; never assumed."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.actions import NotDone, Outcome, Rejected, Stale, Stored, Unknown
from syncjob.core.records import Contact, Invoice

from .xero_kit import (
    answer,
    approve,
    connector,
    contact_json,
    create,
    customer,
    delete,
    guid,
    invoice_json,
    mark,
    refused,
)


def made_of(actions: list[Any], body: Any, status: int = 200) -> list[Outcome]:
    made = connector()
    [prepared] = made.prepare(actions)
    return made.outcomes(prepared, answer(body, status))


def invoices(*elements: Any) -> dict[str, Any]:
    return {"Id": "1", "Status": "OK", "Invoices": list(elements)}


def sent(number: int) -> dict[str, Any]:
    """What Xero echoes of an invoice that it does not store."""
    kept = ("Type", "Reference", "Url", "LineItems")
    return {"InvoiceID": ""} | {k: v for k, v in invoice_json(number).items() if k in kept}


def test_ok_warning_and_error_each_in_one_answer() -> None:
    warned = invoice_json(
        2, StatusAttributeString="WARNING", Warnings=[{"Message": "Title will be truncated."}]
    )
    got = made_of(
        [create(1), create(2), create(3)],
        invoices(invoice_json(1), warned, refused(sent(3), "Invoice # must be unique.")),
    )
    assert isinstance(got[0], Stored)
    assert isinstance(got[0].record, Invoice)
    assert (got[0].record.id, got[0].record.marker) == (guid(1), "NW-1-A1")
    assert got[0].record.page is not None
    assert "shortcode=!aBc1" in got[0].record.page
    assert isinstance(got[1], Stored)
    assert got[1].warnings == ("Title will be truncated.",)
    assert isinstance(got[2], Rejected)
    assert (got[2].code, got[2].words) == ("number_taken", "Invoice # must be unique.")


def test_an_error_is_believed_in_each_of_its_forms() -> None:
    forms: list[dict[str, Any]] = [
        {"StatusAttributeString": "ERROR"},
        {"HasErrors": True, "StatusAttributeString": "OK"},
        {"ValidationErrors": [{"Message": "No."}], "StatusAttributeString": None},
    ]
    for form in forms:
        [got] = made_of([create()], invoices(invoice_json(1) | form))
        assert isinstance(got, Rejected), form


def test_reordered_elements_find_their_actions_and_a_missing_one_is_unknown() -> None:
    got = made_of([create(1), create(2), create(3)], invoices(invoice_json(3), invoice_json(1)))
    assert isinstance(got[0], Stored)
    assert isinstance(got[0].record, Invoice)
    assert got[0].record.id == guid(1)
    assert isinstance(got[1], Unknown)
    assert isinstance(got[2], Stored)


def test_another_invoices_element_is_never_taken_for_ours() -> None:
    assert isinstance(made_of([create(1)], invoices(invoice_json(2)))[0], Unknown)


def test_the_marker_may_stand_in_the_reference_or_the_number_alone() -> None:
    [by_reference] = made_of([create(1)], invoices(invoice_json(1, Url=None)))
    [by_number] = made_of(
        [create(1)], invoices(invoice_json(1, Url=None, Reference=None, InvoiceNumber="NW-1-A1"))
    )
    assert isinstance(by_reference, Stored)
    assert isinstance(by_number, Stored)


def test_a_stored_element_without_our_marker_is_unknown_not_stored() -> None:
    [got] = made_of([create(1)], invoices(invoice_json(1, Url=None, Reference="edited")))
    assert isinstance(got, Unknown)


@pytest.mark.parametrize("lines", [[], None])
def test_a_created_invoice_that_shows_no_lines_is_looked_up_and_not_taken_as_the_base(
    lines: Any,
) -> None:
    [got] = made_of([create(1)], invoices(invoice_json(1, LineItems=lines)))
    assert isinstance(got, Unknown)
    assert "no lines" in got.error


def test_a_refused_element_without_a_key_counts_by_place_only_if_all_others_stand_in_theirs() -> (
    None
):
    bare = {"InvoiceID": "", "StatusAttributeString": "ERROR"}
    bare["ValidationErrors"] = [{"Message": "Bad."}]  # type: ignore[assignment]
    got = made_of([create(1), create(2)], invoices(bare, invoice_json(2)))
    assert isinstance(got[0], Rejected)
    assert isinstance(got[1], Stored)
    got = made_of([create(1), create(2)], invoices(bare, invoice_json(1)))
    assert isinstance(got[0], Stored)
    assert isinstance(got[1], Unknown)


def test_two_elements_with_one_marker_are_unknown() -> None:
    got = made_of([create(1), create(2)], invoices(invoice_json(1), invoice_json(1)))
    assert [type(o) for o in got] == [Unknown, Unknown]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>proxy</html>"),
        (200, b"null"),
        (200, b'{"Status":"OK"}'),
        (200, b'{"Invoices":"x"}'),
        (200, b'{"Invoices":[7]}'),
        (201, b"{}"),
        (302, b""),
        (408, b""),
        (500, b'{"Message":"An error occurred"}'),
        (502, b"<html>Bad Gateway</html>"),
        (503, b""),
    ],
)
def test_an_answer_that_says_nothing_makes_all_unknown(status: int, body: bytes) -> None:
    got = made_of([create(1), create(2)], body, status)
    assert [type(o) for o in got] == [Unknown, Unknown]


def test_a_stored_record_that_cannot_be_read_is_unknown_and_spoils_no_other() -> None:
    got = made_of(
        [create(1), create(2)], invoices(invoice_json(1, Status="FROZEN"), invoice_json(2))
    )
    assert isinstance(got[0], Unknown)
    assert "FROZEN" in got[0].error
    assert isinstance(got[1], Stored)


@pytest.mark.parametrize("field", sorted(invoice_json()))
@pytest.mark.parametrize("change", ["dropped", "nulled", "retyped"])
def test_no_change_of_shape_makes_it_raise_or_invent(field: str, change: str) -> None:
    element = invoice_json(1)
    if change == "dropped":
        del element[field]
    else:
        element[field] = None if change == "nulled" else [["?"]]
    [got] = made_of([create(1)], invoices(element))
    assert isinstance(got, Stored | Unknown)
    if isinstance(got, Stored):
        assert isinstance(got.record, Invoice)
        assert got.record.reference in ("PO 7 NW-1-A1", None)
        assert str(got.record.total) == "22.28"


# --- updates -------------------------------------------------------------------------------------


def test_an_approval_is_verified_by_id_and_by_its_status() -> None:
    actions = [approve(1), approve(2), approve(3)]
    got = made_of(
        actions,
        invoices(
            invoice_json(1, Status="AUTHORISED", Url=None, Reference=None),
            invoice_json(2, Status="DRAFT"),
            invoice_json(3, Status="PAID"),
        ),
    )
    assert [type(o) for o in got] == [Stored, Unknown, Stored]


def test_a_refused_approval_keeps_its_id_and_is_rejected() -> None:
    locked = invoice_json(
        1,
        StatusAttributeString="ERROR",
        ValidationErrors=[
            {"Message": "The document date cannot be before the end of year lock date"}
        ],
    )
    [got] = made_of([approve(1)], invoices(locked))
    assert isinstance(got, Rejected)
    assert (got.code, got.field) == ("period_locked", "date")


def test_a_change_that_came_too_late_is_planned_again() -> None:
    late = invoice_json(
        1,
        Status="VOIDED",
        HasErrors=True,
        ValidationErrors=[{"Message": "Invoice not of valid status for modification"}],
    )
    assert isinstance(made_of([approve(1)], invoices(late))[0], Stale)


def test_a_deletion_is_stored_when_the_status_says_so() -> None:
    [got] = made_of([delete(1)], invoices(invoice_json(1, Status="DELETED")))
    assert isinstance(got, Stored)
    [got] = made_of([delete(1)], invoices(invoice_json(1, Status="DRAFT")))
    assert isinstance(got, Unknown)


def test_contacts_are_told_apart_by_their_number_and_marks_by_their_id() -> None:
    taken = "The contact name Customer 2 is already assigned to another contact. " + (
        "The contact name must be unique across all active contacts."
    )
    got = made_of(
        [customer(1), customer(2)],
        {"Contacts": [contact_json(1), refused(contact_json(2), taken)]},
    )
    assert isinstance(got[0], Stored)
    assert isinstance(got[0].record, Contact)
    assert isinstance(got[1], Rejected)
    assert (got[1].code, got[1].words) == ("contact_name_taken", taken)
    got = made_of(
        [mark(1), mark(2)], {"Contacts": [contact_json(1), contact_json(2, ContactNumber="X")]}
    )
    assert [type(o) for o in got] == [Stored, Unknown]


# --- refused whole -------------------------------------------------------------------------------


def whole(*elements: Any, message: str = "A validation exception occurred") -> dict[str, Any]:
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": message}
    return body | {"Elements": list(elements)}


def test_a_whole_refusal_rejects_whom_it_names_and_nobody_else() -> None:
    got = made_of([create(1), create(2)], whole(refused(sent(2), "Bad a.", "Bad b.")), 400)
    assert isinstance(got[0], NotDone)
    assert not got[0].halve
    assert isinstance(got[1], Rejected)
    assert (got[1].code, got[1].words) == ("xero_refused", "Bad a. Bad b.")


def test_a_whole_refusal_that_names_nobody_is_halved_until_one_is_left() -> None:
    body = {"ErrorNumber": 17, "Type": "PostDataInvalidException", "Message": "JSON was invalid"}
    got = made_of([create(1), create(2)], body, 400)
    assert [isinstance(o, NotDone) and o.halve for o in got] == [True, True]
    [got_one] = made_of([create(1)], body, 400)
    assert isinstance(got_one, Rejected)
    assert "JSON was invalid" in got_one.words


@pytest.mark.parametrize("status", [404, 413])
def test_a_missing_or_too_large_call_is_halved_whatever_its_body(status: int) -> None:
    got = made_of([approve(1), approve(2)], b"<html>no</html>", status)
    assert all(isinstance(o, NotDone) and o.halve for o in got)


def test_a_key_that_was_used_for_another_request_is_no_ones_fault() -> None:
    body = {"Detail": "Idempotency Key: abc is used with a different request."}
    got = made_of([create(1)], body, 400)
    assert isinstance(got[0], NotDone)
    assert not got[0].halve


@pytest.mark.parametrize("status", [403, 401, 429])
def test_a_shut_door_parks_nothing(status: int) -> None:
    got = made_of(
        [create(1)], {"Title": "Forbidden", "Detail": "AuthenticationUnsuccessful"}, status
    )
    assert isinstance(got[0], NotDone)


def test_the_plans_cap_holds_the_organisation_and_not_one_record() -> None:
    words = "You have reached the limit of invoices you can approve."
    got = made_of([approve(1), approve(2)], whole(message=words), 400)
    assert [isinstance(o, Rejected) and o.scope for o in got] == ["organisation"] * 2
    [one] = made_of(
        [approve(1)], invoices(refused(invoice_json(1), words) | {"InvoiceID": guid(1)})
    )
    assert isinstance(one, Rejected)
    assert (one.code, one.scope) == ("invoice_cap", "organisation")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Account code '999' is not a valid code for this document.", "account_unknown"),
        ("Account code '200' has been archived, or has been deleted.", "account_unknown"),
        ("The TaxType code 'NOPE' does not exist or is not active.", "tax_unknown"),
        ("The TaxType code 'X' cannot be used with account code '200'.", "tax_unknown"),
        ("Organisation is not subscribed to currency SEK", "currency_not_enabled"),
        ("Item code 'SKU' is not valid", "item_unknown"),
        ("Invoice # must be unique.", "number_taken"),
        ("The document date cannot be before the period lock date", "period_locked"),
        ("You have reached the limit of invoices you can approve", "invoice_cap"),
        ("The contact with the specified contact details has been archived.", "contact_archived"),
        ("The Contact Number is already assigned to another contact.", "contact_number_taken"),
        ("Email address must be valid.", "email_refused"),
        ("Invoice not of valid status for modification", "status_conflict"),
        ("Something that nobody has seen before.", "xero_refused"),
    ],
)
def test_each_refusal_has_its_code_its_words_and_a_next_step(words: str, code: str) -> None:
    [got] = made_of([create(1)], invoices(refused(sent(1), words)))
    assert isinstance(got, Rejected)
    assert (got.code, got.words) == (code, words)
    assert got.next_step.endswith(".")
