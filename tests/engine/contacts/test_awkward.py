"""Merges, deletions and erasures in awkward orders: no wrong link, nobody made twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.contacts.kit import (
    ANN,
    acme,
    at_rest,
    batch,
    contact,
    day,
    edit,
    forget,
    person,
    phone,
    plain,
    world,
)
from tests.engine.matchkit import links
from tests.engine.scenes import codes, only, sell
from tests.engine.world import World

TERMS = {"currency": "Currency", "terms": "Terms"}


def people(w: World) -> list[tuple[str, bool]]:
    rows = w.crm_state()["persons"].values()
    return [(row["name"], row["is_deleted"]) for row in rows]


def contact_id(w: World, name: str) -> str:
    return only([str(c["id"]) for c in w.contacts() if c["name"] == name])


# --- merges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bumps", [True, False])
@pytest.mark.parametrize("ledger_first", [True, False])
def test_merged_on_both_sides_into_different_ones_is_one_pair(
    tmp_path: Path, bumps: bool, ledger_first: bool
) -> None:
    """Acme stays in the CRM and Beta in the ledger: the one link there is joins the two."""
    with world(tmp_path, crm={"merge_bumps_children": bumps}) as w:
        acme(w)
        sell(w, "Beta Pty")
        assert batch(w).exit_code == 0
        beta = contact_id(w, "Beta Pty")
        w.books("merge_contacts", loser="Acme Pty", survivor="Beta Pty")
        if ledger_first:
            assert codes(batch(w)) == ["contact_merged"]
        w.crm("merge_orgs", loser=2, winner=1)
        day(w)
        for _ in range(3):
            batch(w)
        assert links(w) == {"org:1": beta}
        sell(w, "Acme Pty", title="Summer order")
        batch(w)
        assert not {"contact_merged", "contact_deleted", "contact_linked_elsewhere"} & set(
            codes(batch(w))
        )
        assert len(w.invoices()) == 3
        at_rest(w)


@pytest.mark.parametrize("bumps", [True, False])
def test_a_merge_is_seen_in_what_went_along_though_nothing_stamped_it(
    tmp_path: Path, bumps: bool
) -> None:
    with world(tmp_path, which="all", crm={"merge_bumps_children": bumps}) as w:
        w.crm("create_person", **ANN)
        sell(w, None, person="Ann Smith")
        assert batch(w).exit_code == 0
        w.crm("create_person", name="Walter Quimby", email="walter@quimby.example")
        batch(w)
        w.crm("merge_persons", loser=1, winner=2)
        day(w)
        report = batch(w)
        told = only([{"what": i.what} for i in report.issues if i.code == "contact_deleted"])
        assert "merged into person:2" in told["what"]


def test_a_deleted_customers_deal_given_to_another_is_no_merge(tmp_path: Path) -> None:
    """Ann stays where she was, so that Zulu must not be billed as Acme."""
    with world(tmp_path, which="all") as w:
        acme(w)
        w.crm("create_org", name="Zulu Works")
        w.crm("delete_org", org=1)
        w.crm("edit_deal", deal=1, org="Zulu Works")
        day(w)
        report = batch(w)
        assert "contact_deleted" in codes(report)
        assert links(w).keys() == {"org:1"}


# --- nobody is made twice ------------------------------------------------------------------------


def test_a_forgotten_person_is_not_made_again(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        acme(w)
        forget(w, "person:1")
        batch(w)
        edit(w, Phones=phone("MOBILE", "0412 345 678"))
        batch(w)
        at_rest(w)
        assert people(w) == [("Ann Smith", False)]


def test_a_deleted_person_is_not_made_again_and_a_new_one_is_made(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        acme(w)
        w.crm("delete_person", person=1)
        day(w)
        batch(w)
        edit(w, Phones=phone("MOBILE", "0412 345 678"))
        batch(w)
        assert people(w) == [("Ann Smith", True)]
        edit(w, FirstName="Walter", LastName="Quimby", EmailAddress="walter@acme.example")
        batch(w)  # creating waits after a day without a batch
        batch(w, after=20)
        assert people(w) == [("Ann Smith", True), ("Walter Quimby", False)]
        at_rest(w)


def test_a_person_who_went_to_another_organization_is_not_made_again(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        acme(w)
        w.crm("create_org", name="Zulu Works")
        w.crm("edit_person", person=1, org="Zulu Works")
        batch(w)
        batch(w)
        assert people(w) == [("Ann Smith", False)]
        at_rest(w)


@pytest.mark.parametrize("invoiced", [True, False])
def test_a_forgotten_customers_new_deal_is_held(tmp_path: Path, invoiced: bool) -> None:
    with world(tmp_path) as w:
        w.crm("create_person", **ANN)
        if invoiced:
            sell(w, None, person="Ann Smith")
        batch(w)
        forget(w, "person:1")
        batch(w)
        sell(w, None, person="Ann Smith", title="Summer order")
        report = batch(w)
        assert codes(report) == ["contact_forgotten"]
        assert len(w.invoices()) == len(w.contacts()) == int(invoiced)
        at_rest(w)


# --- values that one side cannot lose, or changes in form only -----------------------------------


def test_what_a_ledger_cannot_take_away_is_told_until_it_agrees(tmp_path: Path) -> None:
    config = {"crm": {"contact_fields": {"organization": TERMS}}}
    owners = {"currency": "crm", "terms": "crm"}
    with world(tmp_path, which="all", owners=owners, config=config) as w:
        w.crm("create_org", name="Acme Pty",
              fields={"Currency": "AUD", "Terms": "days_after_bill:14"})  # fmt: skip
        assert batch(w).exit_code == 0
        w.crm("edit_org", org=1, fields={"Currency": None, "Terms": None})
        report = batch(w)
        assert codes(report) == ["contact_not_cleared"]
        assert "currency of 'Acme Pty' in the ledger; payment terms" in report.issues[0].what
        at_rest(w)
        w.crm("edit_org", org=1, fields={"Currency": "AUD", "Terms": "days_after_bill:14"})
        assert codes(batch(w)) == []
        at_rest(w)


def test_a_name_in_other_capitals_crosses(tmp_path: Path) -> None:
    with world(tmp_path, owners={"name": "crm"}) as w:
        acme(w)
        w.crm("edit_org", org=1, name="ACME Pty")
        assert batch(w).exit_code == 0
        assert plain(only(w.contacts()))["name"] == "ACME Pty"
        at_rest(w)
        assert contact(w, "ACME Pty")["number"] == "SJ-O1"
        assert person(w)["emails"] == [ANN["email"]]
