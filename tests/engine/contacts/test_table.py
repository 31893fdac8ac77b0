"""Created, changed, cleared, deleted, merged, archived, in the CRM, the ledger or both: what the
other side gets. Each row of the table in docs/contacts.md is a test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.contacts.kit import (
    ADDRESS,
    ANN,
    acme,
    at_rest,
    batch,
    contact,
    day,
    edit,
    org,
    person,
    phone,
    plain,
    take,
    world,
)
from tests.engine.crms import DEFAULT
from tests.engine.scenes import codes, only, sell
from tests.engine.world import World

#: HubSpot's deal loses a company that was deleted, and a merge makes a third one: test_hubspot.py.
KEEPS_ITS_COMPANY = pytest.mark.skipif(DEFAULT == "hubspot", reason="not so in HubSpot")


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        acme(made)
        at_rest(made)
        yield made


# --- created -------------------------------------------------------------------------------------


def test_created_in_the_crm_reaches_the_ledger_whole(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.crm("create_org", name="Acme Pty", address=ADDRESS)
        w.crm("create_person", org="Acme Pty", name=ANN["name"], email=ANN["email"],
              phones=["(02) 9999 1111", "0412 345 678"])  # fmt: skip
        assert batch(w).exit_code == 0
        made = contact(w)
        assert (made["first"], made["last"], made["email"]) == ("Ann", "Smith", ANN["email"])
        assert made["phones"] == ["(02) 9999 1111", "0412 345 678"]
        assert made["line"] == ADDRESS
        at_rest(w)


def test_created_in_the_crm_stays_there_until_it_is_invoiced(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        w.crm("create_org", name="Acme Pty")
        assert batch(w).exit_code == 0
        assert w.contacts() == []
        sell(w, "Acme Pty")
        assert batch(w).exit_code == 0
        assert contact(w)["name"] == "Acme Pty"
        at_rest(w)


def test_created_in_the_crm_with_a_won_deal_crosses_where_the_config_says_won(
    tmp_path: Path,
) -> None:
    with world(tmp_path, which="won") as w:
        w.crm("create_org", name="Open Pty")
        sell(w, "Open Pty", won=False)
        sell(w, "Held Pty", lines=[])  # won, and held for want of products
        batch(w)
        assert [c["name"] for c in w.contacts()] == ["Held Pty"]
        at_rest(w)


def test_created_in_the_ledger_reaches_the_crm_if_that_is_asked_for(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        w.books("create_contact", fields={
            "Name": "Acme Pty", "FirstName": "Ann", "LastName": "Smith",
            "EmailAddress": "ann@acme.example", "Phones": phone("DEFAULT", "(02) 9999 1111"),
        })  # fmt: skip
        assert batch(w).exit_code == 0
        made = person(w)
        assert made["emails"] == ["ann@acme.example"]
        assert made["phones"] == ["(02) 9999 1111"]
        assert made["org_id"] == org(w)["id"]
        at_rest(w)
        assert len(w.contacts()) == 1


def test_created_in_the_ledger_stays_there_by_default(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.books("create_contact", fields={"Name": "Acme Pty"})
        assert batch(w).exit_code == 0
        assert w.crm_state()["organizations"] == {}


def test_created_on_both_sides_is_linked_and_filled_and_never_doubled(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        w.crm("create_org", name="Acme Pty", address=ADDRESS)
        w.crm("create_person", org="Acme Pty", **ANN)
        w.books("create_contact", fields={"Name": "Acme Pty", "EmailAddress": ANN["email"]})
        report = batch(w)
        assert report.issues == ()
        made = contact(w)
        assert (made["first"], made["line"], made["phones"]) == ("Ann", ADDRESS, [ANN["phone"]])
        assert made["number"] == "SJ-O1"
        at_rest(w)
        assert len(w.contacts()) == len(w.crm_state()["organizations"]) == 1


# --- changed -------------------------------------------------------------------------------------


def test_changed_in_the_crm_what_the_crm_owns_goes_over(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", name="Ann Jones", phones=["(02) 9999 2222"])
    assert batch(w).exit_code == 0
    made = contact(w)
    assert (made["last"], made["phones"]) == ("Jones", ["(02) 9999 2222"])
    at_rest(w)


def test_changed_in_the_crm_what_the_ledger_owns_is_listed(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", email="new@acme.example")
    report = batch(w)
    assert codes(report) == ["contact_differs"]
    assert "CRM 'new@acme.example', ledger 'ann@acme.example'" in report.issues[0].what
    assert contact(w)["email"] == "ann@acme.example"
    assert person(w)["emails"] == ["new@acme.example"]
    at_rest(w)
    take(w, "crm")
    assert batch(w).exit_code == 0
    assert contact(w)["email"] == "new@acme.example"
    at_rest(w)


def test_changed_in_the_ledger_what_the_ledger_owns_goes_over(w: World) -> None:
    edit(w, EmailAddress="accounts@acme.example", Name="Acme Pty Ltd")
    assert batch(w).exit_code == 0
    assert person(w)["emails"] == ["accounts@acme.example"]
    assert org(w, "Acme Pty Ltd")["id"] == 1
    at_rest(w)


def test_changed_in_the_ledger_an_address_goes_over(w: World) -> None:
    edit(w, Addresses=[{"AddressType": "POBOX", "AddressLine1": "PO Box 7", "City": "Perth",
                        "PostalCode": "6000", "Country": "Australia"}])  # fmt: skip
    assert batch(w).exit_code == 0
    assert "PO Box 7" in str(org(w)["address"])
    at_rest(w)


def test_changed_in_the_ledger_what_the_crm_owns_is_listed(w: World) -> None:
    edit(w, FirstName="Anna")
    assert codes(batch(w)) == ["contact_differs"]
    assert person(w)["name"] == "Ann Smith"
    at_rest(w)
    edit(w, FirstName="Ann")
    assert codes(batch(w)) == []


def test_changed_on_both_sides_the_owners_value_counts(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", email="sales@acme.example")
    edit(w, EmailAddress="accounts@acme.example")
    assert batch(w).exit_code == 0
    assert person(w)["emails"] == [contact(w)["email"]] == ["accounts@acme.example"]
    at_rest(w)


def test_changed_on_both_sides_alike_is_no_conflict(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", email="Both@acme.example")
    edit(w, EmailAddress="both@acme.example")
    assert batch(w).exit_code == 0
    at_rest(w)


def test_changed_on_both_sides_where_a_person_is_asked(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ask"}) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", email="sales@acme.example")
        edit(w, EmailAddress="accounts@acme.example")
        report = batch(w)
        assert codes(report) == ["contact_conflict"]
        for value in ("sales@acme.example", "accounts@acme.example", "before 'ann@acme.example'"):
            assert value in report.issues[0].what
        assert (person(w)["emails"], contact(w)["email"]) == (
            ["sales@acme.example"], "accounts@acme.example",
        )  # fmt: skip
        at_rest(w)
        take(w, "ledger", field="email")
        assert batch(w).exit_code == 0
        assert person(w)["emails"] == ["accounts@acme.example"]
        at_rest(w)


def test_numbers_added_on_both_sides_are_all_kept_as_typed(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", phones=[ANN["phone"], "0412 345 678"])
    edit(w, Phones=phone("MOBILE", "+61 412 999 999"))
    assert batch(w).exit_code == 0
    everything = [ANN["phone"], "0412 345 678", "+61 412 999 999"]
    assert contact(w)["phones"] == sorted(everything)
    room = 2 if w.vendor.name == "hubspot" else 3  # phone and mobile
    assert sorted(person(w)["phones"]) == sorted(everything[:room])
    at_rest(w)


# --- cleared -------------------------------------------------------------------------------------


def test_cleared_in_the_crm_what_the_crm_owns_is_cleared(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", phones=[])
    assert batch(w).exit_code == 0
    assert contact(w)["phones"] == []
    at_rest(w)


def test_cleared_in_the_crm_what_the_ledger_owns_is_listed(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", emails=[])
    assert codes(batch(w)) == ["contact_differs"]
    assert contact(w)["email"] == ANN["email"]
    at_rest(w)


def test_cleared_in_the_ledger_what_the_ledger_owns_is_cleared(w: World) -> None:
    edit(w, EmailAddress="")
    assert batch(w).exit_code == 0
    assert person(w)["emails"] == []
    at_rest(w)


def test_cleared_in_the_ledger_what_the_crm_owns_is_listed(w: World) -> None:
    edit(w, Phones=phone("DEFAULT", ""))
    assert codes(batch(w)) == ["contact_differs"]
    assert person(w)["phones"] == [ANN["phone"]]
    at_rest(w)


def test_cleared_on_both_sides_is_agreement(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", phones=[])
    edit(w, Phones=phone("DEFAULT", ""))
    assert batch(w).exit_code == 0
    at_rest(w)


# --- deleted -------------------------------------------------------------------------------------


@KEEPS_ITS_COMPANY
def test_deleted_in_the_crm_the_ledger_keeps_its_contact(w: World) -> None:
    w.crm("delete_org", org=1)
    day(w)
    report = batch(w)
    assert "contact_deleted" in codes(report)
    edit(w, EmailAddress="other@acme.example")
    mark = w.mark()
    batch(w)
    assert w.writes(mark) == []
    assert contact(w)["name"] == "Acme Pty"
    w.crm("restore_org", org=1)
    assert "contact_deleted" not in codes(batch(w))
    assert person(w)["emails"] == ["other@acme.example"]


@KEEPS_ITS_COMPANY
def test_deleted_in_the_crm_is_never_made_again(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        acme(w)
        w.crm("delete_org", org=1)
        day(w)
        for _ in range(3):
            mark = w.mark()
            batch(w)
            assert w.writes(mark) == []
        assert [r["is_deleted"] for r in w.crm_state()["organizations"].values()] == [True]


def test_deleted_in_the_ledger_ends_the_sync(w: World) -> None:
    """Xero deletes no contact; a request to erase a person is the nearest to it."""
    w.books("forget_contact", contact="Acme Pty")
    mark = w.mark()
    batch(w)
    w.crm("edit_person", person="Ann Smith", name="Ann Jones")
    batch(w)
    assert w.writes(mark) == []


@KEEPS_ITS_COMPANY
def test_deleted_on_both_sides(w: World) -> None:
    w.crm("delete_org", org=1)
    w.books("forget_contact", contact="Acme Pty")
    day(w)
    mark = w.mark()
    batch(w)
    batch(w)
    assert w.writes(mark) == []


# --- merged --------------------------------------------------------------------------------------


def test_merged_in_the_crm_the_link_follows(w: World) -> None:
    w.crm("create_org", name="Acme Group")
    w.crm("merge_orgs", loser=1, winner=2)
    day(w)
    batch(w)
    report = batch(w)
    assert "contact_deleted" not in codes(report)
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 7777"])
    batch(w)
    assert plain(only(w.contacts()))["phones"] == ["(02) 9999 7777"]
    at_rest(w)


@KEEPS_ITS_COMPANY
def test_merged_in_the_crm_into_one_with_a_contact_of_its_own_is_told(w: World) -> None:
    sell(w, "Beta Pty")
    assert batch(w).exit_code == 0
    w.crm("merge_orgs", loser=1, winner=2)
    day(w)
    batch(w)
    report = batch(w)
    found = only([{"what": i.what} for i in report.issues if i.code == "contact_deleted"])
    assert "merged into org:2" in found["what"]
    assert len([c for c in w.contacts() if c["status"] == "ACTIVE"]) == 2
    at_rest(w)


def test_merged_in_the_ledger_the_link_follows(w: World) -> None:
    w.books("create_contact", fields={"Name": "Acme Holdings", "EmailAddress": "a@hold.example"})
    w.books("merge_contacts", loser="Acme Pty", survivor="Acme Holdings")
    batch(w)
    assert org(w, "Acme Holdings")["id"] == 1
    assert person(w)["emails"] == ["a@hold.example"]
    at_rest(w)
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 7777"])
    batch(w)
    assert contact(w, "Acme Holdings")["phones"] == ["(02) 9999 7777"]
    at_rest(w)


def test_merged_in_the_ledger_into_another_customers_contact_is_told(w: World) -> None:
    sell(w, "Beta Pty")
    assert batch(w).exit_code == 0
    w.books("merge_contacts", loser="Acme Pty", survivor="Beta Pty")
    report = batch(w)
    assert "contact_merged" in codes(report)
    at_rest(w)


def test_merged_on_both_sides(w: World) -> None:
    sell(w, "Beta Pty")
    assert batch(w).exit_code == 0
    w.crm("merge_orgs", loser=1, winner=2)
    w.books("merge_contacts", loser="Acme Pty", survivor="Beta Pty")
    day(w)
    batch(w)
    report = batch(w)
    assert not {"contact_deleted", "contact_merged"} & set(codes(report))
    at_rest(w)


# --- archived ------------------------------------------------------------------------------------


def test_archived_in_the_ledger_changes_wait_and_go_on(w: World) -> None:
    """Pipedrive archives no organization or person, so there is no row for the CRM."""
    w.books("archive_contact", contact="Acme Pty")
    assert batch(w).exit_code == 0
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 7777"])
    mark = w.mark()
    assert codes(batch(w)) == ["contact_archived"]
    assert w.writes(mark) == []
    w.books("restore_contact", contact="Acme Pty")
    assert batch(w).exit_code == 0
    assert contact(w)["phones"] == ["(02) 9999 7777"]
    at_rest(w)


# --- a person who is a customer ------------------------------------------------------------------


def test_a_lone_persons_name_is_one_text(tmp_path: Path) -> None:
    with world(tmp_path, which="all", owners={"name": "ask"}) as w:
        w.crm("create_person", **ANN)
        assert batch(w).exit_code == 0
        edit(w, "Ann Smith", Name="Ann Jones")
        assert batch(w).exit_code == 0
        assert person(w, "Ann Jones")["id"] == 1
        at_rest(w)
        w.crm("edit_person", person=1, name="Ann Brown")
        assert batch(w).exit_code == 0
        made = contact(w, "Ann Brown")
        assert (made["first"], made["last"]) == ("Ann", "Brown")
        at_rest(w)


def test_merged_persons_and_chains_of_merged_contacts(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.crm("create_person", **ANN)
        assert batch(w).exit_code == 0
        for loser, survivor in (("Ann Smith", "First House"), ("First House", "Last House")):
            w.books("create_contact", fields={"Name": survivor})
            w.books("merge_contacts", loser=loser, survivor=survivor)
        assert batch(w).exit_code == 0
        assert contact(w, "Last House")["phones"] == [ANN["phone"]]
        assert person(w, "Last House")["id"] == 1
        at_rest(w)
        w.crm("edit_person", person=1, phones=["0412 345 678"])
        assert batch(w).exit_code == 0
        assert contact(w, "Last House")["phones"] == ["0412 345 678"]
        at_rest(w)


def test_further_e_mails_of_a_person_stay_whatever_the_ledger_says(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.crm("edit_person", person=1, emails=[ANN["email"], "second@acme.example"])
        at_rest(w)
        edit(w, EmailAddress="accounts@acme.example")
        assert batch(w).exit_code == 0
        assert person(w)["emails"] == ["accounts@acme.example", "second@acme.example"]
        at_rest(w)
        edit(w, EmailAddress="")
        batch(w)
        assert person(w)["emails"] == ["second@acme.example"]
        at_rest(w)
        assert contact(w)["email"] is None
