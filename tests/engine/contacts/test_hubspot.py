"""Customers of HubSpot and Xero, both ways: companies, contacts, what is lost between."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

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
    world,
)
from tests.engine.scenes import codes, sell
from tests.engine.world import World

BOOKED = {
    "Name": "Acme Pty", "FirstName": "Ann", "LastName": "Smith",
    "EmailAddress": "ann@acme.example", "Phones": phone("DEFAULT", "(02) 9999 1111"),
}  # fmt: skip


def hub(folder: Path, **contacts: Any) -> Any:
    return world(folder, crm="hubspot", **contacts)


def wrote(w: World, mark: int, path: str) -> list[dict[str, Any]]:
    return [c for c in w.writes(mark) if c["server"] == "hubspot" and path in c["path"]]


def test_a_company_and_its_person_become_one_customer_and_edits_go_both_ways(
    tmp_path: Path,
) -> None:
    with hub(tmp_path) as w:
        acme(w)
        made = contact(w)
        assert (made["first"], made["phones"], made["line"]) == ("Ann", [ANN["phone"]], ADDRESS)
        edit(w, EmailAddress="accounts@acme.example", Name="Acme Pty Ltd")
        w.crm("edit_person", person="Ann Smith", phones=[ANN["phone"], "0412 345 678"])
        mark = w.mark()
        assert batch(w).exit_code == 0
        assert person(w)["emails"] == ["accounts@acme.example"]
        assert org(w, "Acme Pty Ltd")["id"] == 1
        assert contact(w, "Acme Pty Ltd")["phones"] == sorted([ANN["phone"], "0412 345 678"])
        assert len(wrote(w, mark, "/companies/batch/update")) == 1
        assert len(wrote(w, mark, "/contacts/batch/update")) == 1
        at_rest(w)


@pytest.mark.parametrize("kind", ["", "lost", "late"])
def test_what_the_ledger_brings_is_made_once_whatever_becomes_of_the_answer(
    tmp_path: Path, kind: str
) -> None:
    with hub(tmp_path, which="all", create_in_crm=True) as w:
        w.books("create_contact", fields=BOOKED)
        for path in ("/companies/batch/create", "/contacts/batch/create") if kind else ():
            w.fault(server="hubspot", kind=kind, method="POST", path=path,
                    delay_s=150 if kind == "late" else 0)  # fmt: skip
        for _ in range(5):
            batch(w)
        state = w.crm_state()
        assert len(state["organizations"]) == len(state["persons"]) == 1
        made = person(w)
        assert (made["emails"], made["phones"]) == ([ANN["email"]], [ANN["phone"]])
        assert made["org_id"] == org(w)["id"]
        at_rest(w)


def test_more_numbers_than_hubspot_has_room_for_stay_with_the_ledger(tmp_path: Path) -> None:
    with hub(tmp_path, which="all", create_in_crm=True) as w:
        kinds = ("DEFAULT", "MOBILE", "DDI")
        numbers = ["(02) 9999 1111", "0412 345 678", "(02) 9999 3333"]
        phones = [{"PhoneType": k, "PhoneNumber": n} for k, n in zip(kinds, numbers, strict=True)]
        w.books("create_contact", fields={**BOOKED, "Phones": phones})
        assert batch(w).exit_code == 0
        assert len(person(w)["phones"]) == 2 and set(person(w)["phones"]) < set(numbers)
        at_rest(w)
        at_rest(w)
        assert contact(w)["phones"] == sorted(numbers)


def test_a_deleted_company_is_told_of_and_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    """HubSpot's deal has no company then; Pipedrive's still names the deleted one."""
    with hub(tmp_path, which="all", create_in_crm=True) as w:
        acme(w)
        w.crm("delete_org", org=1)
        day(w)
        report = batch(w)
        assert set(codes(report)) == {"contact_deleted", "changed_after_invoice"}
        batch(w)
        at_rest(w)
        assert [r["is_deleted"] for r in w.crm_state()["organizations"].values()] == [True]
        assert [c["name"] for c in w.contacts()] == ["Acme Pty"] and len(w.invoices()) == 1
        w.crm("restore_org", org=1)
        w.crm("edit_deal", deal=1, org=1)
        batch(w)
        assert "contact_deleted" not in codes(batch(w))


def test_companies_with_a_contact_each_that_were_merged_are_a_persons_to_sort_out(
    tmp_path: Path,
) -> None:
    with hub(tmp_path) as w:
        acme(w)
        sell(w, "Beta Pty")
        assert batch(w).exit_code == 0
        w.crm("merge_orgs", loser=1, winner=2)
        day(w)
        batch(w)
        report = batch(w)
        assert codes(report) == ["changed_after_invoice"] * 2
        assert all("Nobody can say which" in issue.what for issue in report.issues)
        assert len([c for c in w.contacts() if c["status"] == "ACTIVE"]) == 2
        at_rest(w)


def test_a_value_that_hubspot_refuses_parks_that_customer_alone(tmp_path: Path) -> None:
    with hub(tmp_path) as w:
        acme(w)
        w.crm("create_person", name="Cy Bo", email="cy@other.example")
        edit(w, EmailAddress="CY@other.example")  # another contact of HubSpot's has it
        report = batch(w)
        (issue,) = [i for i in report.issues if i.code == "contact_exists"]
        assert "record 2" in issue.next_step and "Existing ID: 2" in issue.what
        assert person(w)["emails"] == [ANN["email"]]
        at_rest(w)
        edit(w, EmailAddress="accounts@acme.example")
        assert batch(w).exit_code == 0
        assert person(w)["emails"] == ["accounts@acme.example"]
        w.advance(timedelta(hours=1))
        at_rest(w)
