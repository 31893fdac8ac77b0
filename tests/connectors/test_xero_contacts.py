"""Contacts of Xero over HTTP against its sandbox: read whole, made, changed part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.xero.connector import READ_SINGLY_MAX
from syncjob.core.actions import Action, ContactChange, ContactDraft, Rejected, Stored, Wave
from syncjob.core.contacts.fields import (
    encode_address,
    encode_people,
    same,
    values_of,
)
from syncjob.core.records import Address, Contact, PaymentTerms, Person
from syncjob.errors import RefusedAtDoor
from syncjob.sandbox.xero import Options

from .test_xero_sandbox import World, write
from .xero_kit import answer, contact_json, guid, page, refused
from .xero_kit import connector as scripted

HOME = Address(lines=("1 High St", "Unit 2"), city="York", region="Yorks", postal_code="YO1",
               country="United Kingdom")  # fmt: skip
ABROAD = Address(lines=("Rue 1",), city="Abidjan", country="Côte d'Ivoire")
AL, BO = (Person(first_name="Al", email="al@x.test"), Person(first_name="Bo", last_name="Fo"))
#: What a contact has besides our fields; it must outlive each change of ours.
OTHERS: dict[str, Any] = {
    "AccountNumber": "A-1",
    "AccountsReceivableTaxType": "OUTPUT",
    "BankAccountDetails": "12-3456-7890123-00",
    "Phones": [
        {"PhoneType": "FAX", "PhoneNumber": "999"},
        {"PhoneType": "DDI", "PhoneNumber": "7946 0111", "PhoneAreaCode": "20",
         "PhoneCountryCode": "44"},
        {"PhoneType": "MOBILE", "PhoneNumber": "+44 7700 900001"},
    ],
    "Addresses": [
        {"AddressType": "POBOX", "AddressLine1": "PO 7", "City": "Hull", "AttentionTo": "Cy"},
        {"AddressType": "STREET", "AddressLine1": "Dock 3", "City": "Hull", "AttentionTo": "Di"},
    ],
    "ContactPersons": [
        {"FirstName": "Al", "EmailAddress": "al@x.test", "IncludeInEmails": True},
        {"FirstName": "Ed"},
    ],
    "PaymentTerms": {
        "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
        "Bills": {"Day": 7, "Type": "OFFOLLOWINGMONTH"},
    },
}  # fmt: skip
FULL: dict[str, Any] = {
    "Name": "Acme", "FirstName": "Ann", "LastName": "Lee", "EmailAddress": "a@acme.test",
    "TaxNumber": "GB 1", "DefaultCurrency": "EUR", **OTHERS,
}  # fmt: skip


def world_of(folder: Path, **chosen: Any) -> World:
    return World(folder, Options(lag_max_s=0, limits=None, **chosen))


@pytest.fixture(params=[True, False], ids=["parts kept", "parts blanked"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Whether Xero keeps what is left out of a part that is sent is open: it must not matter."""
    made = world_of(tmp_path, parts_kept=request.param)
    yield made
    made.sandbox.stop()
    made.vault.close()


def made(world: World, **more: Any) -> str:
    return str(world.act("create_contact", fields={**FULL, **more})["done"]["id"])


def action_of(payload: ContactChange | ContactDraft) -> Action:
    target = getattr(payload, "contact_id", getattr(payload, "marker", ""))
    return Action(
        side="ledger", wave=Wave.LEDGER_CONTACTS, subject="contact:org:1",
        target=f"contact:{target}", payload=payload, reason="a test",
    )  # fmt: skip


def change(id: str, **values: str | None) -> Action:
    return action_of(ContactChange(contact_id=id, values=values))


def stored(outcome: Any) -> Contact:
    assert isinstance(outcome, Stored), outcome
    assert isinstance(outcome.record, Contact)
    return outcome.record


def _row(world: World, id: str) -> Any:
    """The contact as the server holds it."""
    return world.xero.organisation.contacts[id]


# --- reading --------------------------------------------------------------------------------------


def test_a_contact_is_read_with_all_that_customers_agree_on(world: World) -> None:
    opened = world.open()
    id = made(world)
    (page,) = opened.connector.changes("contacts", Walk(since=None))
    (listed,), (read,) = page.records, opened.connector.get("contacts", [id])
    assert listed == read
    assert read.phones == ("44 20 7946 0111", "+44 7700 900001")  # no fax
    assert (read.address.lines, read.street.lines) == (("PO 7",), ("Dock 3",))
    assert read.people == (
        Person(first_name="Al", email="al@x.test"), Person(first_name="Ed"),
    )  # fmt: skip
    assert (read.copied, read.currency) == (("al@x.test",), "EUR")
    assert read.terms == PaymentTerms(kind="days_after_bill", day=14)
    assert "12-3456" not in repr(read)


def test_archived_merged_and_erased_contacts_say_so(world: World) -> None:
    opened = world.open()
    names = ("Old", "Loser", "Winner", "Erased")
    ids = {name: made(world, Name=name) for name in names}
    world.act("archive_contact", contact="Old")
    world.act("merge_contacts", loser="Loser", survivor="Winner")
    world.act("forget_contact", contact="Erased")
    (page,) = opened.connector.changes("contacts", Walk(since=None))
    read = {c.name: c for c in page.records}
    assert {n: (c.archived, c.deleted, c.forgotten) for n, c in read.items()} == {
        "Old": (True, False, False), "Loser": (True, False, False),
        "Winner": (False, False, False), "Erased": (True, True, True),
    }  # fmt: skip
    assert read["Loser"].merged_into == ids["Winner"] and read["Old"].merged_into is None


# --- creating -------------------------------------------------------------------------------------


def test_a_draft_with_everything_is_stored_as_predicted(world: World) -> None:
    opened = world.open()
    draft = ContactDraft(
        marker="NW-O1", name=" Ørsted\t& Søn ", first_name="Ann", email="a@x.test",
        phone="+45 1", phones=("+45 2", "+45 1", "+45 3"), address=HOME, street=ABROAD,
        tax_number="DK 1", currency="eur", people=(AL, BO),
        terms=PaymentTerms(kind="of_following_month", day=20),
    )  # fmt: skip
    action = action_of(draft)
    (outcome,) = write(opened, action)
    record = stored(outcome)
    (read,) = opened.connector.get("contacts", [record.id])
    wanted = opened.connector.stored_form(action)
    for now in (record, read):
        assert opened.connector.current_form(action, now) == wanted
    assert (read.marker, read.name, read.currency) == ("NW-O1", "Ørsted & Søn", "EUR")
    assert read.phones == ("+45 1", "+45 2", "+45 3")
    assert read.address == HOME and read.street == ABROAD  # the country, though Xero refuses it
    assert read.people == (AL, BO) and read.last_name is None
    assert wanted["last_name"] is None and wanted["people"] == encode_people((AL, BO))


def test_bank_details_are_never_written_nor_read(world: World) -> None:
    opened = world.open()
    id = made(world)
    actions = [
        action_of(ContactDraft(marker="NW-O1", name="A", address=HOME, people=(AL,))),
        change(id, name="B", phones="1", postal=encode_address(HOME), people=encode_people((BO,))),
    ]
    for call in opened.connector.prepare(actions):
        assert b"bank" not in call.request.body.lower() and b"12-3456" not in call.request.body
        assert b"batchpayment" not in call.request.body.lower()
    source = Path(__file__).parents[2] / "syncjob" / "connectors" / "xero"
    for module in source.glob("*.py"):
        assert "BankAccountDetails" not in module.read_text(), module.name


# --- changing -------------------------------------------------------------------------------------

ONE_FIELD = [
    ("name", "Acme 2"),
    ("first_name", "An"),
    ("first_name", None),
    ("last_name", None),
    ("email", "b@acme.test"),
    ("email", None),
    ("tax_number", "GB 2"),
    ("tax_number", None),
    ("postal", encode_address(HOME)),
    ("postal", None),
    ("street", encode_address(ABROAD)),
    ("street", None),
    ("phones", "+44 20 7946 0111"),
    ("phones", "+1 212 555 0100\n+44 20 7946 0111\n+44 7700 900001"),
    ("phones", None),
    ("currency", "AUD"),
    ("terms", "of_current_month:31"),
    ("people", encode_people((BO,))),
]


@pytest.mark.parametrize(("field", "value"), ONE_FIELD)
def test_each_field_is_set_and_cleared_and_nothing_else_changes(
    world: World, field: str, value: str | None
) -> None:
    opened = world.open()
    id = made(world)
    before, was = opened.connector.get("contacts", [id])[0], _row(world, id)
    action = change(id, **{field: value})
    (outcome,) = write(opened, action)
    (read,) = opened.connector.get("contacts", [id])
    for now in (stored(outcome), read):
        assert opened.connector.current_form(action, now) == opened.connector.stored_form(action)
        assert same(field, values_of(now)[field], value)
    others = {f: v for f, v in values_of(before).items() if f != field}
    assert {f: v for f, v in values_of(read).items() if f != field} == others
    _kept(was, _row(world, id))


def _kept(was: Any, now: Any) -> None:
    """What is not ours to say: bank details, fax, whom an address is for, terms of bills."""
    ours = {"FirstName", "LastName", "EmailAddress", "TaxNumber", "DefaultCurrency"}
    for name in was.fields.keys() - ours:
        assert now.fields[name] == was.fields[name], name
    assert _by(now.phones, "PhoneType")["FAX"]["PhoneNumber"] == "999"
    kinds = _by(now.addresses, "AddressType")
    assert [kinds[k]["AttentionTo"] for k in ("POBOX", "STREET")] == ["Cy", "Di"]
    assert now.terms["Bills"] == {"Day": 7, "Type": "OFFOLLOWINGMONTH"}


def _by(parts: Any, key: str) -> Any:
    return {part[key]: part for part in parts}


def test_a_body_names_only_what_changes(world: World) -> None:
    opened = world.open()
    id = made(world)
    bodies = {
        field: _body(opened, change(id, **{field: value})).keys() - {"ContactID"}
        for field, value in ONE_FIELD
    }
    assert bodies == {
        "name": {"Name"}, "first_name": {"FirstName"}, "last_name": {"LastName"},
        "email": {"EmailAddress"}, "tax_number": {"TaxNumber"}, "postal": {"Addresses"},
        "street": {"Addresses"}, "phones": {"Phones"}, "currency": {"DefaultCurrency"},
        "terms": {"PaymentTerms"}, "people": {"ContactPersons"},
    }  # fmt: skip


def _body(opened: Any, action: Action) -> Any:
    (call,) = opened.connector.prepare([action])
    assert call.request.method == "POST"
    return json.loads(call.request.body)["Contacts"][0]


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        # A number that stands in a type stays there and is not sent.
        ("+44 7700 900001\n44 20 7946 0111", {}),
        # A new one takes the place of one that goes.
        ("+44 7700 900001\n+1 212 555 0100", {"DDI": "+1 212 555 0100"}),
        # Else a type that is free.
        ("44 20 7946 0111\n+44 7700 900001\n+1 212 555 0100", {"DEFAULT": "+1 212 555 0100"}),
        ("+44 7700 900001", {"DDI": ""}),
        (None, {"DDI": "", "MOBILE": ""}),
        # Xero has room for three: the first three stay.
        ("1111111\n2222222\n3333333\n4444444",
         {"DDI": "1111111", "MOBILE": "2222222", "DEFAULT": "3333333"}),
    ],
)  # fmt: skip
def test_phones_keep_their_types(world: World, wanted: str | None, sent: dict[str, str]) -> None:
    opened = world.open()
    body = _body(opened, change(made(world), phones=wanted))
    phones = body.get("Phones", [])
    assert {p["PhoneType"]: p["PhoneNumber"] for p in phones} == sent
    for phone in phones:  # a part that is left out may stay
        assert (phone["PhoneAreaCode"], phone["PhoneCountryCode"]) == ("", "")


def test_an_office_number_is_read_kept_and_given_up(world: World) -> None:
    opened = world.open()
    id = made(world, Phones=[{"PhoneType": "OFFICE", "PhoneNumber": "5550100"}])
    assert opened.connector.get("contacts", [id])[0].phones == ("5550100",)
    body = _body(opened, change(id, phones="5550100\n5550101"))
    assert [(p["PhoneType"], p["PhoneNumber"]) for p in body["Phones"]] == [("DEFAULT", "5550101")]
    (outcome,) = write(opened, change(id, phones="5550102"))
    assert stored(outcome).phones == ("5550102",)


def test_whoever_is_copied_on_e_mails_stays_so(world: World) -> None:
    opened = world.open()
    id = made(world)
    people = (Person(first_name="Alan", email="AL@x.test"), BO)
    body = _body(opened, change(id, people=encode_people(people)))
    assert [p["IncludeInEmails"] for p in body["ContactPersons"]] == [True, False]


def test_few_are_read_singly_and_many_in_lists_and_most_not_at_all(world: World) -> None:
    opened = world.open()
    ids = [made(world, Name=f"Acme {n}") for n in range(READ_SINGLY_MAX + 37)]
    connector = opened.connector
    connector.identity()
    for chosen, values, singles, lists in (
        (ids, {"tax_number": "1"}, 0, 0),
        (ids[:READ_SINGLY_MAX], {"phones": "1"}, READ_SINGLY_MAX, 0),
        (ids, {"phones": "1"}, 0, 2),
    ):
        seen = world.calls("GET", "Contacts"), world.calls("GET", "Contacts/")
        connector.prepare([change(id, **values) for id in chosen])
        now = world.calls("GET", "Contacts"), world.calls("GET", "Contacts/")
        assert now[1] - seen[1] == singles and now[0] - seen[0] == singles + lists


def test_fifty_changes_are_one_call_and_each_has_its_own_outcome(world: World) -> None:
    opened = world.open()
    ids = [made(world, Name=f"Acme {n}") for n in range(50)]
    world.act("archive_contact", contact=ids[3])
    world.act("forget_contact", contact=ids[4])
    values = [{"name": f"New {n}"} for n in range(50)]
    values[5] = {"name": "new 1"}
    values[6] = {"currency": "SEK"}
    actions = [change(id, **fields) for id, fields in zip(ids, values, strict=True)]
    actions[7] = change("00000000-0000-4000-8000-00000000dead", name="Nobody")
    got = write(opened, *actions)
    assert world.calls("POST", "Contacts") == 1
    refused = {n: o for n, o in enumerate(got) if isinstance(o, Rejected)}
    assert {n: (o.code, o.field) for n, o in refused.items()} == {
        3: ("contact_archived", "contact_id"), 4: ("contact_erased", "contact_id"),
        5: ("contact_name_taken", "name"), 6: ("currency_not_enabled", "currency"),
        7: ("contact_gone", "contact_id"),
    }  # fmt: skip
    assert all(o.next_step for o in refused.values())
    assert {o.record.name for o in got if isinstance(o, Stored)} == {
        f"New {n}" for n in range(50) if n not in refused
    }


def test_a_website_set_by_hand_blocks_and_says_what_to_do(tmp_path: Path) -> None:
    world = world_of(tmp_path, website_blocks=True)
    try:
        id = made(world)
        world.act("set_website", contact="Acme", website="https://acme.test")
        (outcome,) = write(world.open(), change(id, name="B"))
        assert (outcome.code, outcome.field) == ("website_blocks", "website")
        assert "clear the website" in outcome.next_step
    finally:
        world.sandbox.stop()
        world.vault.close()


def test_a_change_is_found_again_by_reading(world: World) -> None:
    opened = world.open()
    id = made(world)
    action = change(id, phones="020 7946 0123", postal=encode_address(ABROAD), name="B")
    wanted = opened.connector.stored_form(action)
    before = opened.connector.get("contacts", [id])[0]
    assert all(v != wanted[f] for f, v in opened.connector.current_form(action, before).items())
    write(opened, action)
    after = opened.connector.get("contacts", [id])[0]
    assert opened.connector.current_form(action, after) == wanted
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert opened.connector.find("contact.create", ["NW-O1"], since) == {}


# --- what cannot be held --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": None}, "name_unfit", "name"),
        ({"name": "x" * 256}, "name_unfit", "name"),
        ({"email": "müller@x.test"}, "email_unfit", "email"),
        ({"phones": "1\n" + "2" * 51}, "phone_unfit", "phones"),
        ({"postal": encode_address(Address(lines=("x" * 501,)))}, "address_unfit", "postal line1"),
        ({"street": encode_address(Address(city="x" * 256))}, "address_unfit", "street city"),
        ({"people": encode_people((Person(email="nobody"),))}, "email_unfit", "people email"),
        ({"emails": "b@x.test"}, "field_not_held", "emails"),
        ({"terms": None}, "terms_stays", "terms"),
        ({"currency": None}, "currency_stays", "currency"),
        ({"people": None}, "people_stays", "people"),
        ({"terms": "net 30"}, "terms_stays", "terms"),
    ],
)
def test_what_xero_cannot_hold_is_known_before(values: Any, code: str, field: str) -> None:
    refused = scripted().unfit(change(guid(1), **values))
    assert (refused.code, refused.field) == (code, field) and refused.next_step


@pytest.mark.parametrize(
    "values",
    [
        {"emails": None},
        {"phones": "\n".join(str(n) * 7 for n in range(9))},
        {"people": encode_people(Person(first_name=str(n)) for n in range(9))},
        {"postal": encode_address(ABROAD)},
        {"name": "A 😀", "email": None, "phones": None},
    ],
)
def test_what_fits(values: Any) -> None:
    assert scripted().unfit(change(guid(1), **values)) is None


def test_a_contact_that_cannot_be_read_is_changed_without_what_it_keeps() -> None:
    strange = contact_json(1, Phones="none", Addresses=[{"AddressType": 5}])
    asked = scripted(answer({"Contacts": [strange]}))
    (call,) = asked.prepare([change(guid(1), postal=encode_address(HOME))])
    (address,) = json.loads(call.request.body)["Contacts"][0]["Addresses"]
    assert address["AddressLine1"] == "1 High St" and "AttentionTo" not in address


PARTS = ("Phones", "Addresses", "ContactPersons", "PaymentTerms", "EmailAddress", "TaxNumber",
         "DefaultCurrency", "Name", "FirstName", "LastName", "ContactNumber", "MergedToContactID",
         "IsCustomer", "IsSupplier", "ContactStatus")  # fmt: skip
ODD = [None, 5, "text", True, [], {}, [5], [None], [{}], {"Sales": 5}, {"Sales": {"Day": "x"}},
       [{"PhoneType": 5}], [{"AddressType": "POBOX", "City": 5}], [{"FirstName": []}]]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_each_part_dropped_nulled_or_retyped_is_read_or_set_aside(part: str) -> None:
    row = contact_json(1, **{k: v for k, v in FULL.items() if k != "BankAccountDetails"})
    dropped = {k: v for k, v in row.items() if k != part}
    for odd in (dropped, *({**row, part: value} for value in ODD)):
        asked = scripted(page("Contacts", [odd, contact_json(2)]))
        (read,) = asked.changes("contacts", Walk(since=None))
        good = [c for c in read.records if c.id == guid(2)]
        assert len(good) == 1 and len(read.records) + len(read.drift) == 2
        for record in read.records:
            assert values_of(record)


# --- what became of each change -------------------------------------------------------------------


def made_of(actions: list[Action], *elements: Any, status: int = 200) -> list[Any]:
    asked = scripted()
    (call,) = asked.prepare(actions)
    body = {"Contacts": list(elements)} if status == 200 else elements[0]
    return asked.outcomes(call, answer(body, status))


CHANGES = [change(guid(n).upper(), name=f"N{n}") for n in (1, 2, 3)]


def test_elements_are_told_apart_by_their_ids_in_any_order() -> None:
    rows = [contact_json(n, Name=f"N{n}") for n in (3, 1, 2)]
    got = made_of(CHANGES, *rows)
    assert [stored(o).name for o in got] == ["N1", "N2", "N3"]
    assert [type(o).__name__ for o in made_of(CHANGES, rows[0])] == ["Unknown", "Unknown", "Stored"]


def test_a_refused_element_without_its_id_counts_by_its_place() -> None:
    taken = "The contact name N2 is already assigned to another contact."
    rows = [contact_json(1), refused(contact_json(2), taken), contact_json(3)]
    got = made_of(CHANGES, *rows)
    assert [type(o).__name__ for o in got] == ["Stored", "Rejected", "Stored"]
    assert (got[1].code, got[1].field, got[1].words) == ("contact_name_taken", "name", taken)
    shuffled = made_of(CHANGES, rows[1], rows[0], rows[2])
    assert [type(o).__name__ for o in shuffled] == ["Stored", "Unknown", "Stored"]


def test_a_call_refused_whole_names_its_contacts_or_is_halved() -> None:
    said = {"Message": "A validation exception occurred"}
    bad = {"ContactID": guid(2), "ValidationErrors": [{"Message": "Email address must be valid."}]}
    got = made_of(CHANGES, {**said, "Elements": [bad]}, status=400)
    assert [type(o).__name__ for o in got] == ["NotDone", "Rejected", "NotDone"]
    assert (got[1].code, got[1].field) == ("email_refused", "email")
    assert all(o.halve for o in made_of(CHANGES, said, status=400))
    (alone,) = made_of(CHANGES[:1], said, status=404)
    assert isinstance(alone, Rejected)


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        ("The contact has a GDPR request", "contact_erased", "contact_id"),
        ("Website must be valid", "website_blocks", "website"),
        ("The contact with the supplied id was not found", "contact_gone", "contact_id"),
        ("The contact name cannot be empty.", "name_refused", "name"),
        ("A contact can have at most 5 contact persons.", "people_refused", "people"),
        ("The payment term day must be between 1 and 31.", "terms_refused", "terms"),
        ("The Country field must only contain letters.", "address_refused", "postal"),
        ("The contact must be un-archived first", "contact_archived", "contact_id"),
        ("Email address must be valid.", "email_refused", "email"),
        ("Organisation is not subscribed to currency SEK", "currency_not_enabled", "currency"),
        ("Something new", "xero_refused", ""),
    ],
)
def test_each_refusal_has_its_code_its_field_and_a_next_step(
    words: str, code: str, field: str
) -> None:
    (got,) = made_of(CHANGES[:1], refused(contact_json(1), words))
    assert (got.code, got.field, got.words) == (code, field, words) and got.next_step


def test_contacts_are_changed_in_drafts_only_and_never_in_read_only(tmp_path: Path) -> None:
    for mode in ("drafts_only", "read_only"):
        world = World(tmp_path / mode, Options(lag_max_s=0, limits=None), mode)
        try:
            id = made(world)
            people = encode_people((Person(first_name="Al", email="al@x.test"),))
            action = change(id, people=people, terms="days_after_bill:3", name="B")
            if mode == "drafts_only":
                assert stored(write(world.open(), action)[0]).name == "B"
            else:
                with pytest.raises(RefusedAtDoor):
                    write(world.open(), action)
        finally:
            world.sandbox.stop()
            world.vault.close()
