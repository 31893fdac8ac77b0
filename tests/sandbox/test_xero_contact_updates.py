"""How the sandbox Xero takes changes of contacts: what a sent part replaces, clears, leaves."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.xero import Options

from .xero_support import World, messages


def world_with(**chosen: Any) -> World:
    return World(options=Options(lag_max_s=0, limits=None, **chosen))


@pytest.fixture
def world() -> World:
    return world_with()


FULL: dict[str, Any] = {
    "Name": "Acme",
    "FirstName": "Ann",
    "EmailAddress": "a@acme.test",
    "TaxNumber": "GB1",
    "Phones": [
        {"PhoneType": "DEFAULT", "PhoneNumber": "1", "PhoneAreaCode": "20"},
        {"PhoneType": "FAX", "PhoneNumber": "9"},
    ],
    "Addresses": [
        {"AddressType": "POBOX", "AddressLine1": "1 High St", "City": "York", "AttentionTo": "Al"},
        {"AddressType": "STREET", "City": "Leeds"},
    ],
    "ContactPersons": [
        {"FirstName": "Bo", "EmailAddress": "b@acme.test", "IncludeInEmails": True},
        {"FirstName": "Cy"},
    ],
    "PaymentTerms": {
        "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
        "Bills": {"Day": 7, "Type": "DAYSAFTERBILLDATE"},
    },
}


def made(world: World, **more: Any) -> str:
    row = world.put("Contacts", {**FULL, **more})[0]
    assert messages(row) == []
    return str(row["ContactID"])


def change(world: World, id: str, **fields: Any) -> Any:
    return world.post("Contacts", {"ContactID": id, **fields})[0]


def read(world: World, id: str) -> Any:
    return world.get(f"Contacts/{id}")["Contacts"][0]


def phones(row: Any) -> dict[str, str]:
    found = {p["PhoneType"]: f"{p['PhoneAreaCode']}/{p['PhoneNumber']}" for p in row["Phones"]}
    return {kind: number for kind, number in found.items() if number != "/"}


def test_what_is_left_out_stays_and_an_empty_text_clears(world: World) -> None:
    id = made(world)
    before = read(world, id)
    row = change(world, id, TaxNumber="", EmailAddress=" new@acme.test ")
    assert (row["TaxNumber"], row["EmailAddress"]) == ("", "new@acme.test")
    same = ("Name", "FirstName", "Phones", "Addresses", "ContactPersons", "PaymentTerms")
    assert {n: row[n] for n in same} == {n: before[n] for n in same}


def test_the_answer_to_a_write_has_persons_and_terms_and_no_balances(world: World) -> None:
    row = change(world, made(world), FirstName="An")
    assert len(row["ContactPersons"]) == 2 and row["PaymentTerms"]["Sales"]["Day"] == 14
    assert "Balances" not in row


def test_a_phone_changes_alone_and_goes_when_all_its_parts_are_empty(world: World) -> None:
    id = made(world)
    row = change(world, id, Phones=[{"PhoneType": "MOBILE", "PhoneNumber": "5"}])
    assert phones(row) == {"DEFAULT": "20/1", "FAX": "/9", "MOBILE": "/5"}
    blank = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    row = change(world, id, Phones=[{"PhoneType": "DEFAULT", **blank}])
    assert phones(row) == {"FAX": "/9", "MOBILE": "/5"}


@pytest.mark.parametrize(("kept", "left"), [(True, ("York", "Al", "20/7")), (False, ("",) * 3)])
def test_a_part_that_is_left_out_stays_or_goes_by_choice(
    kept: bool, left: tuple[str, str, str]
) -> None:
    world = world_with(parts_kept=kept)
    id = made(world)
    row = change(
        world, id,
        Addresses=[{"AddressType": "POBOX", "AddressLine1": "2 High St"}],
        Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "7"}],
    )  # fmt: skip
    street, postal = row["Addresses"]
    assert (postal["AddressLine1"], street["City"]) == ("2 High St", "Leeds")
    number = phones(row)["DEFAULT"]
    assert (postal["City"], postal.get("AttentionTo", "")) == left[:2]
    assert number == (left[2] or "/7")


def test_a_list_of_persons_replaces_the_whole_and_an_empty_one_does_nothing(world: World) -> None:
    id = made(world)
    row = change(world, id, ContactPersons=[{"FirstName": " Di ", "LastName": "Fo"}])
    assert [(p["FirstName"], p["LastName"]) for p in row["ContactPersons"]] == [("Di", "Fo")]
    assert len(change(world, id, ContactPersons=[])["ContactPersons"]) == 1
    other = world_with(empty_persons_clear=True)
    assert change(other, made(other), ContactPersons=[])["ContactPersons"] == []
    world.act("set_contact_persons", contact="Acme", persons=[])
    assert read(world, id)["ContactPersons"] == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ContactPersons": [{"FirstName": str(n)} for n in range(6)]}, "at most 5"),
        ({"ContactPersons": [{"EmailAddress": "nobody"}]}, "Email address must be valid"),
        ({"ContactPersons": [{"LastName": "x" * 256}]}, "LastName"),
        ({"ContactStatus": "GDPRREQUEST"}, "ACTIVE or ARCHIVED"),
        ({"Name": " "}, "cannot be empty"),
    ],
)
def test_a_refused_change_changes_nothing(world: World, fields: Any, words: str) -> None:
    id = made(world)
    before = read(world, id)
    assert words in "; ".join(messages(change(world, id, **fields)))
    assert read(world, id) == before


def test_terms_of_one_side_leave_the_other(world: World) -> None:
    terms = {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    row = change(world, made(world), PaymentTerms=terms)
    assert row["PaymentTerms"]["Sales"]["Day"] == 20
    assert row["PaymentTerms"]["Bills"] == {"Day": 7, "Type": "DAYSAFTERBILLDATE"}


def test_an_archived_contact_is_changed_only_by_un_archiving(world: World) -> None:
    id = made(world)
    world.act("archive_contact", contact="Acme")
    assert "un-archived" in messages(change(world, id, FirstName="Al"))[0]
    assert messages(change(world, id, ContactStatus="ACTIVE", FirstName="Al")) == []
    free = world_with(archived_frozen=False)
    other = made(free)
    free.act("archive_contact", contact="Acme")
    assert change(free, other, FirstName="Al")["FirstName"] == "Al"


def test_a_name_that_an_archived_contact_had_is_free_and_keeps_it_archived(world: World) -> None:
    first = made(world)
    world.act("archive_contact", contact="Acme")
    made(world)
    assert "already assigned" in messages(change(world, first, ContactStatus="ACTIVE"))[0]
    revived = change(world, first, ContactStatus="ACTIVE", Name="Acme 2")
    assert (messages(revived), revived["ContactStatus"]) == ([], "ACTIVE")


def test_after_a_gdpr_request_nothing_changes_a_contact(world: World) -> None:
    id = made(world)
    world.act("forget_contact", contact="Acme")
    assert "GDPR" in messages(change(world, id, ContactStatus="ACTIVE"))[0]
    with pytest.raises(ActError, match="GDPR"):
        world.act("restore_contact", contact=id)


def test_a_website_set_by_hand_may_block_every_change() -> None:
    world = world_with(website_blocks=True)
    id = made(world)
    world.act("set_website", contact="Acme", website="https://acme.test")
    assert messages(change(world, id, FirstName="Al")) == ["Website must be valid"]
    assert read(world, id)["Website"] == "https://acme.test"


def test_what_changed_is_late_in_lists_and_never_by_id() -> None:
    world = World(options=Options(lag_max_s=50, limits=None, seed=3))
    id = made(world)
    world.clock.advance(60)
    change(world, id, Name="Renamed")
    assert read(world, id)["Name"] == "Renamed"
    assert [c["Name"] for c in world.get("Contacts", page=1)["Contacts"]] == ["Acme"]
    world.clock.advance(60)
    assert [c["Name"] for c in world.get("Contacts", page=1)["Contacts"]] == ["Renamed"]
