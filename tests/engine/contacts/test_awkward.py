"""Merges, deletions and erasures in awkward orders: no wrong link, nobody made twice."""

from __future__ import annotations

import quopri
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from syncjob.engine.contacts import stage
from syncjob.transport.wire import Request
from tests.engine.contacts.kit import (
    ADDRESS,
    ANN,
    acme,
    at_rest,
    batch,
    contact,
    day,
    edit,
    forget,
    org,
    person,
    phone,
    plain,
    take,
    world,
)
from tests.engine.matchkit import links
from tests.engine.scenes import WIDGET, awaiting, codes, only, sell
from tests.engine.test_notices import by_mail, late
from tests.engine.world import World
from tests.transport.mailserver import MailServer, mail_server

TERMS = {"currency": "Currency", "terms": "Terms"}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def people(w: World) -> list[tuple[str, bool]]:
    rows = w.crm_state()["persons"].values()
    return [(row["name"], row["is_deleted"]) for row in rows]


def contact_id(w: World, name: str) -> str:
    return str(only([c for c in w.contacts() if c["name"] == name])["id"])


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


def test_whom_a_batch_had_no_time_to_read_it_does_not_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That Beta is gone was known, and not yet that its deal went to Acme: it was told as deleted,
    and no longer an hour later."""
    with world(tmp_path, crm={"merge_bumps_children": False}) as w:
        w.crm("create_org", name="Acme Pty")
        sell(w, "Beta Pty")
        for _ in range(4):  # what no list shows is read once a day: it is due in the next one
            assert batch(w, after=7 * 60 + 50).exit_code == 0
        w.crm("merge_orgs", loser=2, winner=1)
        sell(w, "Gamma Pty")
        with monkeypatch.context() as short:
            short.setattr(stage, "must_end", lambda *_: True)
            report = batch(w, after=7 * 60 + 50)
        assert report.counts["invoice.create"] == 1 and "contact_deleted" not in codes(report)
        for _ in range(2):
            assert "contact_deleted" not in codes(batch(w))
        assert "org:1" in links(w)
        at_rest(w)


# --- nobody is made twice ------------------------------------------------------------------------


def test_a_survivor_that_is_won_as_it_takes_over_is_not_made_beside(tmp_path: Path) -> None:
    """The batch that sees its first deal won is the one in which it takes the other's place."""
    with world(tmp_path) as w:
        acme(w)
        w.crm("create_org", name="Eagle Foods")
        deal = w.crm("create_deal", title="Next", org="Eagle Foods", currency="AUD", lines=[WIDGET])
        for _ in range(3):  # what no list shows is read once a day: it is due in the next one
            batch(w, after=7 * 60 + 50)
        w.crm("merge_orgs", loser=1, winner=2)
        w.crm("win", deal=deal["id"])
        for _ in range(3):
            batch(w, after=40)
        assert links(w).keys() == {"org:2"}
        assert [c["number"] for c in w.contacts()] == ["SJ-O1"]
        assert {i["contact_id"] for i in w.invoices()} == {w.contacts()[0]["id"]}


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


def test_the_first_run_replaces_nothing_that_nobody_has_compared(tmp_path: Path) -> None:
    """Owners that stand in the config before any run are no answer to what differs today."""
    with world(tmp_path, which="all") as w:
        w.crm("create_org", name="Acme Pty", address=ADDRESS)
        w.books("create_contact", fields={"Name": "Acme Pty", "Addresses": [
            {"AddressType": "POBOX", "AddressLine1": "PO Box 7", "City": "Perth"},
        ]})  # fmt: skip
        mark = w.mark()
        stopped = batch(w)
        assert w.writes(mark) == []
        assert "for the first time" in w.plan().guard[0]
        assert w.run(accept=stopped.plan_hash).exit_code == 0
        assert "PO Box 7" in str(org(w)["address"])
        at_rest(w)
        edit(w, Addresses=[{"AddressType": "POBOX", "AddressLine1": "PO Box 8"}])
        assert batch(w).exit_code == 0
        assert "PO Box 8" in str(org(w)["address"])


def test_a_persons_word_on_a_list_is_final_though_the_ledger_lacks_room(tmp_path: Path) -> None:
    numbers = [f"0412 345 67{i}" for i in range(6)]
    with world(tmp_path, which="all") as w:
        w.crm("create_org", name="Acme Pty")
        w.crm("create_person", org="Acme Pty", name="Ann Smith", email=ANN["email"],
              phones=numbers)  # fmt: skip
        w.books("create_contact", fields={
            "Name": "Acme Pty", "Phones": phone("DEFAULT", "(02) 9999 1111"),
        })  # fmt: skip
        batch(w)
        assert person(w)["phones"] == [*numbers, "(02) 9999 1111"]
        take(w, "crm", field="phones")
        assert codes(batch(w)) == []
        assert contact(w)["phones"] == numbers[:3]
        assert codes(at_rest(w)) == []


def test_messages_about_a_forgotten_customer_go_too(tmp_path: Path, mail: MailServer) -> None:
    """An e-mail's own form breaks words and hides accents."""
    name = "Jürgen & Søn Maschinenbau " + "und noch viel mehr " * 3 + "Lübeck"
    settings = {"mode": "full", "invoices": {"status": "authorised"}}
    notices = {"steps": [1, 7], **by_mail(mail)}
    with world(tmp_path, config={**settings, "notices": notices}) as w:
        w.crm("create_org", name=name)
        awaiting(w, org=name)
        late(w)
        assert mail.taken
        forget(w, "org:1")
        batch(w)
        with w.connection() as handle:
            rows = handle.state.db.execute("SELECT request FROM call").fetchall()
        bodies = [msgspec.json.decode(row[0], type=Request).body for row in rows]
        held = " ".join(quopri.decodestring(body).decode(errors="replace") for body in bodies)
        assert "Maschinenbau" not in held
        assert "(forgotten)" in held
