"""A deal that changes after its repeating invoice was made: whatever that does not say is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from syncjob.core.reports import BatchReport
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, codes, invoice_of, minutes, only, sell
from tests.engine.test_afterwards import link, made_by_hand
from tests.engine.test_batches_that_end import NO_NIGHT
from tests.engine.test_rare_together import steps
from tests.engine.test_recurring import MONTHLY, RECURRING, templates
from tests.engine.world import World

YEAR = {**MONTHLY, "billing_frequency_cycles": 12}


@pytest.fixture
def w(make_world: MakeWorld) -> Iterator[World]:
    rules = {"invoices": RECURRING["invoices"]}
    yield make_world(config=rules | NO_NIGHT, ledger={"extra_currencies": ["NZD"]})


def line_of(w: World, deal: int) -> int:
    found = only([r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal])
    return int(found["id"])


def said(report: BatchReport) -> str:
    """What is told of the repeating invoice that is not what the deal says."""
    return " ".join(i.what for i in report.issues if i.code == "template_differs")


def going(w: World, *lines: dict[str, object], approved: bool = True) -> int:
    """A deal whose repeating invoice a person has approved; and its own invoice, if `approved`."""
    deal = sell(w, lines=list(lines) or [MONTHLY])
    w.run()
    if approved:
        w.books("approve", invoice=invoice_of(w, deal)["number"])
    w.books("approve_template", template=f"SJ-{deal}-r1")
    minutes(w, 61)
    assert codes(w.run()) == []
    minutes(w, 6)
    return deal


def edited(w: World, deal: int, **changes: object) -> None:
    """What a person makes of the repeating invoice in the ledger."""
    table = w.xero.organisation.templates
    template = table[only([t for t in templates(w) if t["document"]["status"] != "DELETED"])["id"]]
    table.put(replace(template, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cycles", "until", "end"),
    [(6, "for 6 periods", date(2027, 5, 22)), (24, "for 24 periods", date(2028, 11, 22)),
     (None, "without an end", None)],
)  # fmt: skip
def test_another_number_of_cycles(
    w: World, cycles: int | None, until: str, end: date | None
) -> None:
    deal = going(w, YEAR)
    w.crm("edit_line", line=line_of(w, deal), billing_frequency_cycles=cycles)
    w.crm("edit_deal", deal=deal, title="Support, cut short")
    report = w.run()
    assert until in said(report)
    minutes(w, 61)
    assert said(w.run()) == said(report)
    edited(w, deal, end=end)
    minutes(w, 25 * 60)
    w.run()
    minutes(w, 61)
    assert codes(w.run()) == []


def test_what_a_person_made_of_the_end_is_theirs(w: World) -> None:
    deal = going(w, YEAR)
    edited(w, deal, end=date(2027, 3, 22))
    minutes(w, 25 * 60)
    w.run()
    w.crm("edit_deal", deal=deal, title="Support, cut short")
    minutes(w, 6)
    assert codes(w.run()) == []


def test_another_start(w: World) -> None:
    deal = going(w, {**YEAR, "billing_start_date": "2026-12-01"})
    w.crm("edit_line", line=line_of(w, deal), billing_start_date="2027-02-01")
    w.crm("edit_deal", deal=deal, title="Support, later")
    assert "2027-03-01" in said(w.run())
    edited(w, deal, start=date(2027, 3, 1), end=date(2028, 1, 31))
    minutes(w, 25 * 60)
    w.run()
    minutes(w, 61)
    assert codes(w.run()) == []


def test_another_currency_before_the_first_invoice_is_approved(w: World) -> None:
    deal = going(w, approved=False)
    w.crm("edit_deal", deal=deal, currency="NZD")
    w.crm("edit_line", line=line_of(w, deal), currency="NZD")
    report = w.run()
    assert invoice_of(w, deal)["currency"] == "NZD"
    assert "NZD" in said(report)
    steps(w, 2, 61)
    assert "NZD" in said(w.run())


def test_lines_that_are_not_alike_any_more(w: World) -> None:
    deal = going(w)
    w.crm("add_line", deal=deal, **{**MONTHLY, "name": "Care", "billing_frequency": "annually"})
    assert "differ" in said(w.run())


def test_a_discount_of_the_whole_deal(w: World) -> None:
    deal = going(w)
    w.crm("add_discount", deal=deal, type="percentage", amount=10, description="x")
    w.crm("edit_deal", deal=deal, title="Cheaper")
    assert "discount" in said(w.run())


def to_another(w: World) -> int:
    """A deal that went to another customer, whose invoice a person voided and had issued anew,
    while the first repeating invoice goes on."""
    deal = going(w)
    w.crm("create_org", name="Bolt Ltd")
    w.crm("edit_deal", deal=deal, org="Bolt Ltd")
    assert "changed_after_invoice" in codes(w.run())
    w.books("void", invoice=invoice_of(w, deal)["number"])
    steps(w, 2)
    answer(w, "reissue", deal)
    steps(w, 3)
    return deal


def test_another_customer(w: World) -> None:
    deal = to_another(w)
    new = invoice_of(w, deal)
    assert (new["status"], len(templates(w))) == ("DRAFT", 1)
    assert new["contact_id"] != only(templates(w))["document"]["contact_id"]
    steps(w, 2, 61)
    report = w.run()
    assert codes(report) == ["template_differs"]
    assert "Bolt Ltd" in said(report)
    template = w.xero.organisation.templates[only(templates(w))["id"]]
    edited(w, deal, document=replace(template.document, contact_id=new["contact_id"]))
    minutes(w, 25 * 60)
    w.run()
    minutes(w, 61)
    assert codes(w.run()) == []


def test_contacts_that_became_one_are_one_customer(w: World) -> None:
    deal = to_another(w)
    old = only(templates(w))["document"]["contact_id"]
    w.books("merge_contacts", loser=old, survivor=invoice_of(w, deal)["contact_id"])
    minutes(w, 30)
    w.run()
    minutes(w, 25 * 60)
    steps(w, 3, 61)
    assert said(w.run()) == ""


# --- a batch that ended in between ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"billing_frequency": "quarterly"}, "quarterly"), ({"billing_frequency_cycles": 6}, "for 6")],
)  # fmt: skip
def test_what_a_batch_read_that_then_ended_is_told_by_the_next(
    w: World, changes: dict[str, object], words: str
) -> None:
    deal = going(w)
    w.crm("edit_line", line=line_of(w, deal), **changes)
    w.crm("edit_deal", deal=deal, title="Support, otherwise")
    minutes(w, 6)  # so that no later list shows it again
    mark = w.mark()

    def once_its_lines_are_read() -> bool:
        return any(call["path"].endswith("/deals/products") for call in w.since(mark))

    assert w.run(should_stop=once_its_lines_are_read).result == "interrupted"
    minutes(w, 6)
    report = w.run()
    assert words in said(report)
    steps(w, 2, 61)
    assert words in said(w.run())


def test_what_a_batch_could_not_read_is_read_by_the_next(w: World) -> None:
    deal = going(w)
    w.crm("edit_line", line=line_of(w, deal), billing_frequency="quarterly")
    w.crm("edit_deal", deal=deal, title="Support, otherwise")
    minutes(w, 6)  # so that no later list shows it again
    w.fault(server="pipedrive", method="GET", path="/deals/products", kind="status", status=503,
            times=3)  # fmt: skip
    assert w.run().result == "later"
    minutes(w, 16)
    assert "quarterly" in said(w.run())


def test_nor_does_it_matter_who_made_its_invoice(w: World) -> None:
    """A person voided ours and tied one of their own to the deal; our repeating invoice goes on."""
    deal = going(w)
    w.books("void", invoice=invoice_of(w, deal)["number"])
    steps(w, 2)
    own = made_by_hand(w)
    steps(w, 2)
    link(w, deal, own)
    steps(w, 3)
    w.crm("edit_line", line=line_of(w, deal), billing_frequency="quarterly")
    w.crm("edit_deal", deal=deal, title="Support, otherwise")
    minutes(w, 6)
    w.fault(server="pipedrive", method="GET", path="/deals/products", kind="status", status=503,
            times=3)  # fmt: skip
    assert w.run().result == "later"
    minutes(w, 16)
    assert "quarterly" in said(w.run())


# --- a repeating invoice that a person took away --------------------------------------------------


@pytest.mark.parametrize("act", ["reopen", "lose"])
@pytest.mark.parametrize("seen", [True, False])
def test_one_that_a_person_deleted_stays_away_when_its_deal_is_won_again(
    w: World, act: str, seen: bool
) -> None:
    """Its invoice stands, so nothing is invoiced anew, and nobody asked for another one."""
    deal = going(w)
    w.crm(act, deal=deal)
    assert codes(w.run()) == ["reopened_after_invoice", "template_of_lost_deal"]
    w.books("delete_template", template=f"SJ-{deal}-r1")
    if seen:
        minutes(w, 25 * 60)
        steps(w, 2)
    w.crm("win", deal=deal)
    steps(w, 2, 6)
    w.crm("edit_deal", deal=deal, title="Won again")
    steps(w, 3, 25 * 60)
    assert [t["document"]["status"] for t in templates(w)] == ["DELETED"]
    assert codes(w.run()) == []


def test_a_deal_that_is_invoiced_anew_has_a_new_one(w: World) -> None:
    """Its untouched draft went with the deal, and the deal was won anew: so is what repeats."""
    deal = sell(w, lines=[MONTHLY])
    w.run()
    w.crm("reopen", deal=deal)
    steps(w, 2, 6)
    w.books("delete_template", template=f"SJ-{deal}-r1")
    minutes(w, 25 * 60)
    steps(w, 2)
    w.crm("win", deal=deal)
    steps(w, 3)
    found = {t["document"]["reference"]: t["document"]["status"] for t in templates(w)}
    assert found == {f"SJ-{deal}-r1": "DELETED", f"SJ-{deal}-r2": "DRAFT"}
