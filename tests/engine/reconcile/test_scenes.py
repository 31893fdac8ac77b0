"""Each kind of break, made by people on the servers or, where only that can, in our own memory:
reconcile finds exactly that, and the next batch mends what can be mended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.scenes import WIDGET, awaiting, billed, minutes, quiet, sell
from tests.engine.world import World

from .kit import (
    invoice,
    issue_codes,
    kinds,
    number,
    one,
    reconcile,
    settle_down,
    skip_changes,
    surgery,
    town,
)


@pytest.fixture
def settled(world: World) -> tuple[World, dict[str, int]]:
    return world, town(world)


def test_nothing_is_found_and_nothing_is_written(settled: tuple[World, dict[str, int]]) -> None:
    w, _ = settled
    mark = w.mark()
    report = reconcile(w)
    assert report.complete
    assert not report.findings
    assert report.explained == {"no_products": 1}
    assert [c for c in w.since(mark) if c["method"] != "GET"] == []
    quiet(w)


def test_a_payment_that_polling_missed(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.books("pay", invoice=number(w, deals["awaiting"]), amount="40")
    skip_changes(w)
    assert w.run().rows == ()
    found = one(reconcile(w))
    assert (found.kind, found.mends, found.deal) == (
        "payment",
        "next_batch",
        str(deals["awaiting"]),
    )
    assert "paid" in found.what
    assert reconcile(w).findings == ()
    w.run()
    assert w.deal_fields(deals["awaiting"])["Invoice status"] == "part-paid"
    assert reconcile(w).findings == ()
    quiet(w)


def test_a_win_that_polling_missed(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.crm("win", deal=deals["open"])
    skip_changes(w)
    w.run()
    found = one(reconcile(w))
    assert (found.kind, found.subject) == ("missed", f"deal:{deals['open']}")
    w.run()
    assert invoice(w, deals["open"])["status"] == "DRAFT"


def test_a_won_deal_that_nobody_asked_about(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.crm("win", deal=deals["open"])
    skip_changes(w)
    reconcile(w)
    surgery(w, "DELETE FROM todo")  # it is known, and nobody is asked to decide it
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("no_invoice", "next_batch")
    w.run()
    assert invoice(w, deals["open"])["status"] == "DRAFT"
    assert reconcile(w).findings == ()


def test_a_due_date_that_moved_no_stamp(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.books("edit_invoice", invoice=number(w, deals["part"]), fields={"DueDate": "2026-12-30"})
    settle_down(w)
    assert w.deal_fields(deals["part"])["Invoice due date"] != "2026-12-30"
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("missed", "next_batch")
    assert "due date" in found.what
    w.run()
    assert w.deal_fields(deals["part"])["Invoice due date"] == "2026-12-30"
    assert reconcile(w).findings == ()


def test_lines_that_changed_without_a_trace(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    rows = w.crm_state()["rows"]
    row = next(r for r in rows.values() if r["deal_id"] == deals["draft"])
    w.crm("edit_line", line=row["id"], comments="In blue")
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.subject) == ("missed", f"deal:{deals['draft']}")
    assert "lines" in found.what


def test_fields_of_a_deal_that_nobody_brought_up_to_date(
    settled: tuple[World, dict[str, int]],
) -> None:
    w, deals = settled
    subject = f"deal:{deals['paid']}"
    surgery(w, """UPDATE base SET fields = json_replace(fields, '$."Invoice status"[0]', 'draft')
            WHERE target = ? AND side = 'crm'""", subject)  # fmt: skip
    found = one(reconcile(w))
    assert (found.kind, found.subject, found.mends) == ("status", subject, "next_batch")
    w.run()
    assert reconcile(w).findings == ()


def test_an_amount_that_differs(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    line = {"Description": "More", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}
    known = invoice(w, deals["awaiting"])
    w.books("edit_invoice", invoice=known["id"], fields={"LineItems": [line]})
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("amount", "person")
    assert "110.00" in found.what
    assert "reconcile_amount" in issue_codes(w)
    assert len(found.pages) == 2


def test_a_second_invoice_with_our_marker(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    _copy(w, deals["awaiting"])
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("duplicate", "known")
    assert "reconcile_duplicate" not in issue_codes(w)


def _copy(w: World, deal: int) -> None:
    known = invoice(w, deal)
    line = {"Description": "Copy", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    w.books("create_invoice", fields={
        "Contact": {"ContactID": known["contact_id"]}, "Status": "DRAFT",
        "Reference": known["reference"], "LineItems": [line], "DueDate": "2026-12-30",
        "LineAmountTypes": "Exclusive",
    })  # fmt: skip


def test_an_invoice_whose_deal_was_opened_again(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.crm("reopen", deal=deals["awaiting"])
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("extra", "known")


def test_a_link_that_was_lost(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    surgery(w, "DELETE FROM part WHERE deal = ?", str(deals["paid"]))
    found = one(reconcile(w))
    assert (found.kind, found.deal) == ("no_link", str(deals["paid"]))
    w.run()
    assert len([i for i in w.invoices() if f"SJ-{deals['paid']}-" in (i["url"] or "")]) == 1
    settle_down(w)
    assert reconcile(w).findings == ()


def test_a_deal_that_was_deleted(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.crm("delete_deal", deal=deals["awaiting"])
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.mends, found.deal) == ("dead_link", "known", str(deals["awaiting"]))


def test_a_deal_that_nobody_shows_any_more(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.pipedrive.company.tables["deals"].rows.pop(deals["paid"])
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("dead_link", "person")
    assert "reconcile_dead_link" in issue_codes(w)


def test_a_customer_that_was_archived_or_deleted(settled: tuple[World, dict[str, int]]) -> None:
    w, _ = settled
    w.books("archive_contact", contact="Paid Ltd")
    w.crm("delete_org", org="Part Ltd")
    settle_down(w)
    report = reconcile(w)
    assert kinds(report) == ["dead_link", "dead_link"]
    assert {"archived" in f.what for f in report.findings} == {True, False}
    w.books("restore_contact", contact="Paid Ltd")
    settle_down(w)
    one(reconcile(w))
    assert issue_codes(w).count("reconcile_dead_link") == 1  # the other has closed itself


def test_a_reference_that_was_cleared_is_told_and_not_put_back(
    settled: tuple[World, dict[str, int]],
) -> None:
    w, deals = settled
    known = invoice(w, deals["awaiting"])
    w.books("edit_invoice", invoice=known["id"], fields={"Reference": "by phone"})
    settle_down(w)
    report = reconcile(w)
    found = one(report)
    assert (found.kind, found.mends) == ("marker", "nobody")
    assert report.found == 0
    assert invoice(w, deals["awaiting"])["reference"] == "by phone"


def test_a_draft_that_vanished_from_the_lists(make_world: Any) -> None:
    w = make_world(ledger={"hide_deleted": True})
    deal = billed(w)
    other = billed(w, org="Other Ltd")
    settle_down(w)
    w.books("delete", invoice=number(w, deal))
    settle_down(w)
    assert w.deal_fields(deal)["Invoice status"] == "draft"
    report = reconcile(w)
    assert one(report).kind == "missed"
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "deleted"
    report = reconcile(w)
    assert report.findings == ()
    assert report.numbers[0].dead == ("INV-0001",)
    assert other


def test_numbers_that_are_missing_are_listed_and_no_finding(world: World) -> None:
    awaiting(world)
    for n in range(3):
        fields = {
            "Contact": {"Name": "By hand"}, "InvoiceNumber": f"INV-{n + 6:04}",
            "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 5,
                           "AccountCode": "200"}],
            "DueDate": "2026-12-30",
        }  # fmt: skip
        world.books("create_invoice", fields=fields)
    settle_down(world)
    report = reconcile(world)
    assert not report.findings
    assert report.numbers[0].missing == ("INV-0002", "INV-0003", "INV-0004", "INV-0005")


def test_a_look_changes_nothing(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.books("pay", invoice=number(w, deals["awaiting"]))
    skip_changes(w)
    for _ in range(2):
        report = reconcile(w, repair=False)
        assert one(report).kind == "payment"
        assert not report.repair
    w.run()
    assert w.deal_fields(deals["awaiting"])["Invoice status"] == "awaiting payment"


def test_before_the_first_batch_there_is_nothing_to_compare(make_world: Any) -> None:
    from syncjob.errors import Park

    with pytest.raises(Park, match="syncjob run"):
        reconcile(make_world())


def test_what_the_next_batch_reads_anyway_is_no_finding(
    settled: tuple[World, dict[str, int]],
) -> None:
    w, deals = settled
    w.books("pay", invoice=number(w, deals["awaiting"]))
    sell(w, "New Ltd", lines=[WIDGET])
    report = reconcile(w)
    assert not report.findings
    assert report.waiting == 2
    w.run()
    assert w.deal_fields(deals["awaiting"])["Invoice status"] == "paid"


def test_since_reads_less(settled: tuple[World, dict[str, int]]) -> None:
    w, deals = settled
    w.advance(timedelta(days=3))
    w.run()
    minutes(w, 20)
    w.run()
    w.books("pay", invoice=number(w, deals["awaiting"]), amount="5")
    skip_changes(w)
    day = w.clock.now().date()
    report = reconcile(w, since=day)
    assert one(report).kind == "payment"
    assert report.read["ledger invoices"] == 1


def test_a_deal_in_parts_is_no_finding(make_world: Any) -> None:
    parts = [
        {"name": "deposit", "percent": 30, "on": "win"},
        {"name": "balance", "rest": True, "on": "+3 days"},
    ]
    schedule = {"name": "two", "when": {"total_from": 100}, "parts": parts}
    w = make_world(config={"invoices": {"schedules": [schedule], "deposit": {"progressive": True}}})
    deal = sell(w, lines=[{**WIDGET, "price": 500}])
    w.run()
    settle_down(w)
    assert len(w.invoices()) == 1
    report = reconcile(w)
    assert not report.findings, report.findings
    w.books("pay" if invoice(w, deal)["status"] != "DRAFT" else "approve", invoice=number(w, deal))
    skip_changes(w)
    assert one(reconcile(w)).deal == str(deal)
