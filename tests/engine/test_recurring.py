"""Recurring lines: the first period invoiced, a draft template from the second on, then people."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.engine.scenes import WIDGET, codes, invoice_of, minutes, only, quiet, sell, writes_to
from tests.engine.world import World

RECURRING = {"invoices": {"recurring": "template"}}
MONTHLY = {
    "name": "Support", "price": 40, "quantity": 2, "tax": 10, "billing_frequency": "monthly",
}  # fmt: skip


def world(folder, **more):
    w = World(folder, config=RECURRING | more)
    w.init()
    return w


@pytest.fixture
def w(tmp_path):
    world_ = world(tmp_path)
    yield world_
    world_.close()


def templates(w: World) -> list[dict]:
    return w.organisation()["templates"]


def made_by(w: World) -> list[dict]:
    return [i for i in w.invoices() if i["repeating_id"]]


def subscribed(w: World, *lines: dict, **deal) -> int:
    made = sell(w, lines=list(lines) or [MONTHLY], **deal)
    w.run()
    return made


def days(w: World, count: int) -> None:
    """So many days later, after the batches that it takes to trust the lists again."""
    minutes(w, count * 24 * 60)
    for _ in range(3):
        w.run()
        minutes(w, 20)
    w.run()


def test_the_first_period_is_invoiced_with_the_one_time_lines_and_a_template_goes_on(w):
    deal = subscribed(w, WIDGET, MONTHLY)
    invoice = invoice_of(w, deal)
    assert [line["description"] for line in invoice["lines"]] == ["Widget", "Support"]
    assert invoice["total"] == "198.00"
    template = only(templates(w))
    document = template["document"]
    assert document["status"] == "DRAFT"
    assert document["reference"] == f"SJ-{deal}-r1"
    assert [line["description"] for line in document["lines"]] == ["Support"]
    assert (template["unit"], template["period"]) == ("MONTHLY", 1)
    assert (template["start"], template["end"]) == ("2026-12-23", None)
    assert document["contact_id"] == invoice["contact_id"]
    assert (template["due_type"], template["due_day"]) == ("DAYSAFTERINVOICEDATE", 30)
    assert set(template["flags"].values()) == {False}
    assert codes(quiet(w)) == ["template_to_approve"]


def test_a_price_finer_than_the_ledger_keeps_is_billed_at_its_sum_each_period(w):
    deal = subscribed(w, {**MONTHLY, "price": 0.00045, "quantity": 250_000})
    assert invoice_of(w, deal)["total"] == "123.75"
    document = only(templates(w))["document"]
    line = only(document["lines"])
    assert (document["total"], float(line["quantity"])) == ("123.75", 1)
    assert line["description"] == "Support\nQuantity: 250000 x 0.00045"
    assert codes(quiet(w)) == ["template_to_approve"]


@pytest.mark.parametrize(
    ("frequency", "unit", "period", "start"),
    [
        ("weekly", "WEEKLY", 1, "2026-11-30"),
        ("quarterly", "MONTHLY", 3, "2027-02-23"),
        ("semi-annually", "MONTHLY", 6, "2027-05-23"),
        ("annually", "MONTHLY", 12, "2027-11-23"),
    ],
)
def test_each_frequency_in_the_ledgers_weeks_and_months(w, frequency, unit, period, start):
    subscribed(w, {**MONTHLY, "billing_frequency": frequency})
    template = only(templates(w))
    assert (template["unit"], template["period"], template["start"]) == (unit, period, start)


def test_a_number_of_cycles_ends_the_template_with_its_last_period(w):
    line = {**MONTHLY, "billing_frequency_cycles": 3, "billing_start_date": "2026-12-01"}
    subscribed(w, line)
    template = only(templates(w))
    assert (template["start"], template["end"]) == ("2027-01-01", "2027-02-28")


def test_one_cycle_needs_no_template(w):
    deal = subscribed(w, {**MONTHLY, "billing_frequency_cycles": 1})
    assert invoice_of(w, deal)["total"] == "88.00"
    assert templates(w) == []
    quiet(w)


def test_the_invoices_of_an_approved_template_are_the_deals(w):
    deal = subscribed(w)
    w.books("approve", invoice=invoice_of(w, deal)["number"])
    w.books("approve_template", template=f"SJ-{deal}-r1")
    days(w, 31)
    second = only(made_by(w))
    assert second["status"] == "AUTHORISED"
    fields = w.deal_fields(deal)
    assert float(fields["Invoice total"]) == 176
    assert float(fields["Invoice due"]) == 176
    assert second["number"] in fields["Invoice number"]
    w.books("pay", invoice=second["number"])
    minutes(w, 20)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "part-paid"
    assert len(templates(w)) == 1
    assert "possible_double" not in codes(quiet(w))


def test_what_a_template_made_holds_no_other_deal_of_the_customer(w):
    first = subscribed(w)
    w.books("approve_template", template=f"SJ-{first}-r1")
    days(w, 31)
    assert len(made_by(w)) == 1
    second = sell(w, lines=[{**MONTHLY, "billing_frequency": "one-time"}])
    report = w.run()
    assert "possible_double" not in codes(report)
    assert invoice_of(w, second)["total"] == "88.00"


def test_drafts_that_a_draft_template_makes_are_left_to_people(tmp_path):
    full = {"mode": "full", "invoices": {"recurring": "template", "status": "authorised"}}
    w = World(tmp_path, config=full, ledger={"draft_templates_run": True})
    w.init()
    deal = subscribed(w)
    assert invoice_of(w, deal)["status"] == "AUTHORISED"
    days(w, 31)
    assert only(made_by(w))["status"] == "DRAFT"
    assert float(w.deal_fields(deal)["Invoice total"]) == 176
    w.close()


def test_full_mode_makes_a_draft_template_too(tmp_path):
    full = {"mode": "full", "invoices": {"recurring": "template", "status": "authorised"}}
    w = World(tmp_path, config=full)
    w.init()
    subscribed(w)
    assert only(templates(w))["document"]["status"] == "DRAFT"
    w.close()


@pytest.mark.parametrize("decimals", [2, 4])
def test_a_price_below_a_cent_is_billed_at_its_sum_whatever_a_template_keeps(tmp_path, decimals):
    w = World(tmp_path, config=RECURRING, ledger={"template_decimals": decimals})
    w.init()
    deal = subscribed(w, {**MONTHLY, "price": 0.0125, "quantity": 1000, "discount": 10})
    first = invoice_of(w, deal)
    assert (first["total"], float(only(first["lines"])["quantity"])) == ("12.38", 1000)
    document = only(templates(w))["document"]
    assert document["total"] == "12.38"
    words = "Support\nQuantity: 1000 x 0.0125, less 10%"
    assert only(document["lines"])["description"] == words
    w.books("approve", invoice=first["number"])
    w.books("approve_template", template=f"SJ-{deal}-r1")
    days(w, 31)
    assert only(made_by(w))["total"] == "12.38"
    assert codes(quiet(w)) == []
    w.close()


def test_a_template_that_the_ledger_adds_up_otherwise_tells_both_sums(w):
    subscribed(w)
    minutes(w, 5)
    assert "expected" not in said(w.run())
    total_becomes(w, Fraction(80))
    assert "comes to 80.00 AUD each time, where 88.00 was expected" in said(w.run())


def test_what_a_person_makes_of_a_draft_template_is_not_told(w):
    subscribed(w)
    total_becomes(w, Fraction(80), unit_amount=Fraction(80))
    assert "expected" not in said(w.run())


def total_becomes(w: World, total: Fraction, **of_line: Fraction) -> None:
    table = w.xero.organisation.templates
    template = table[only(templates(w))["id"]]
    (line,) = template.document.lines
    document = replace(template.document, lines=(replace(line, **of_line),), total=total)
    table.put(replace(template, document=document))
    minutes(w, 61)


def said(report) -> str:
    (issue,) = report.issues
    assert issue.code == "template_to_approve"
    return issue.what


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost", "times": 2},  # the first send, and its replay with the same key
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "when": "after"},
        {"kind": "refuse"},
    ],
)
def test_a_lost_answer_makes_no_second_template(w, fault):
    sell(w, lines=[MONTHLY])
    w.fault(server="xero", method="PUT", path="/RepeatingInvoices$", **fault)
    w.run()
    for _ in range(4):
        minutes(w, 10)
        w.run()
    assert len(templates(w)) == 1
    assert codes(quiet(w)) == ["template_to_approve"]


def test_a_lost_state_adopts_the_template(w):
    deal = subscribed(w)
    for file in (w.folder / "state").glob("syncjob.db*"):
        file.unlink()
    for _ in range(4):
        minutes(w, 10)
        w.run()
    assert len(templates(w)) == 1
    assert f"SJ-{deal}-r1" in only(templates(w))["document"]["reference"]
    assert "template_to_approve" in codes(quiet(w))


def test_a_deal_that_is_lost_tells_of_its_template_until_a_person_deletes_it(w):
    deal = subscribed(w)
    w.books("approve", invoice=invoice_of(w, deal)["number"])
    w.books("approve_template", template=f"SJ-{deal}-r1")
    minutes(w, 61)
    w.run()
    w.crm("lose", deal=deal)
    minutes(w, 5)
    assert "template_of_lost_deal" in codes(w.run())
    w.books("delete_template", template=f"SJ-{deal}-r1")
    days(w, 2)
    assert "template_of_lost_deal" not in codes(w.run())
    assert len(templates(w)) == 1


def test_a_deal_that_is_changed_tells_what_the_template_does_not_say(w):
    deal = subscribed(w)
    line = only([r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal])["id"]
    w.crm("edit_line", line=line, price=50)
    w.crm("edit_deal", deal=deal, title="More support")
    minutes(w, 5)
    report = w.run()
    assert "template_differs" in codes(report)
    w.crm("edit_line", line=line, price=40)
    minutes(w, 61)
    assert "template_differs" not in codes(w.run())


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (
            [MONTHLY, {**MONTHLY, "name": "Care", "billing_frequency": "annually"}],
            "recurring_mixed",
        ),
        ([{**MONTHLY, "billing_start_date": "2026-09-01"}], "recurring_start_past"),
        ([{**MONTHLY, "billing_start_date": "2026-10-23"}], "recurring_start_past"),
    ],
)
def test_what_cannot_be_sure_is_held_before_anything_is_made(w, lines, code):
    sell(w, lines=lines)
    assert codes(w.run()) == [code]
    assert w.invoices() == []
    assert templates(w) == []


def test_a_discount_of_the_whole_deal_is_held(w):
    sell(w, lines=[MONTHLY], discounts=[{"type": "percentage", "amount": 10, "description": "x"}])
    assert codes(w.run()) == ["recurring_discount"]


def test_first_period_only(tmp_path):
    w = World(tmp_path, config={"invoices": {"recurring": "first_period"}})
    w.init()
    deal = subscribed(w)
    assert invoice_of(w, deal)["total"] == "88.00"
    assert templates(w) == []
    assert codes(quiet(w)) == []
    w.close()


def test_off_by_default_recurring_lines_hold_the_deal(tmp_path):
    w = World(tmp_path)
    w.init()
    sell(w, lines=[MONTHLY])
    assert codes(w.run()) == ["recurring_line"]
    w.close()


def test_a_template_is_asked_for_only_where_lines_recur(w):
    sell(w)
    w.run()
    minutes(w, 5)
    mark = w.mark()
    w.run()
    assert [c for c in w.since(mark) if "RepeatingInvoices" in c["path"]] == []


def test_a_refused_template_is_a_note_and_is_not_sent_again(w):
    deal = sell(w, lines=[MONTHLY])
    w.crm("edit_deal", deal=deal, title="Spring order")
    element = {"Reference": f"SJ-{deal}-r1", "ValidationErrors": [{"Message": "Not today"}]}
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Elements": [element]}
    w.fault(
        kind="status", server="xero", method="PUT", path="/RepeatingInvoices$", status=400,
        body=json.dumps(body),
    )  # fmt: skip
    report = w.run()
    assert invoice_of(w, deal)["status"] == "DRAFT"
    assert "xero_refused" in codes(report)
    mark = w.mark()
    minutes(w, 5)
    w.run()
    assert writes_to(w, mark, "RepeatingInvoices") == []


def test_a_new_generation_has_its_own_template_once_a_person_ended_the_first(w):
    deal = subscribed(w)
    number = invoice_of(w, deal)["number"]
    w.books("approve", invoice=number)
    w.books("void", invoice=number)
    w.books("delete_template", template=f"SJ-{deal}-r1")
    minutes(w, 61)
    w.run()
    with w.connection() as handle:
        handle.answer(kind="reissue", subject=f"deal:{deal}", who="Ann", reason="wrong price")
    days(w, 2)
    statuses = {t["document"]["reference"]: t["document"]["status"] for t in templates(w)}
    assert statuses == {f"SJ-{deal}-r1": "DELETED", f"SJ-{deal}-r2": "DRAFT"}
    assert len([i for i in w.invoices() if i["status"] == "DRAFT"]) == 1
    quiet(w)


def test_recurring_lines_in_a_schedule_are_held(tmp_path):
    parts = [
        {"name": "deposit", "percent": 50, "on": "win"},
        {"name": "balance", "rest": True, "on": "+30 days"},
    ]
    rule = {"name": "halves", "parts": parts}
    invoices = {"recurring": "template", "schedules": [rule], "deposit": {"progressive": True}}
    w = World(tmp_path, config={"invoices": invoices})
    w.init()
    sell(w, lines=[MONTHLY])
    assert codes(w.run()) == ["recurring_with_schedule"]
    assert w.invoices() == []
    w.close()


# --- deals that became one ------------------------------------------------------------------------


@pytest.fixture
def merged(make_world):
    """Two subscribed deals with an approved invoice each, and what they became; the template of
    the one that was merged last goes on."""
    w = make_world(crm="hubspot", config=RECURRING | {"mode": "full"})
    deals = [sell(w, lines=[MONTHLY], title=title) for title in ("One", "Other")]
    w.run()
    numbers = [invoice_of(w, deal)["number"] for deal in deals]
    for deal, number in zip(deals, numbers, strict=True):
        w.books("approve", invoice=number)
        w.books("approve_template", template=f"SJ-{deal}-r1")
    minutes(w, 5)
    w.run()
    new = int(w.crm("merge_deals", loser=deals[0], winner=deals[1])["id"])
    minutes(w, 5)
    w.run()
    return w, new, deals, numbers


def test_the_templates_of_merged_deals_both_count_while_a_person_is_asked(merged):
    w, new, deals, _ = merged
    days(w, 31)
    assert len(made_by(w)) == 2
    assert float(w.deal_fields(new)["Invoice total"]) == 4 * 88
    assert set(w.deal_fields(new)["Invoice number"].split(", ")) == {
        i["number"] for i in w.invoices()
    }
    report = quiet(w)
    assert codes(report) == ["merged_deals_invoiced", "template_of_merged_deal"]
    told = only([i for i in report.issues if i.code == "template_of_merged_deal"])
    assert sum(f"SJ-{deal}-r1" in told.what for deal in deals) == 1


def test_a_template_goes_on_counting_after_its_former_deals_invoice_was_voided(merged):
    w, new, deals, numbers = merged
    report = w.run()
    told = only([i for i in report.issues if i.code == "template_of_merged_deal"])
    former = next(i for i, deal in enumerate(deals) if f"SJ-{deal}-r1" in told.what)
    w.books("void", invoice=numbers[former])
    days(w, 31)
    assert float(w.deal_fields(new)["Invoice total"]) == 3 * 88
    assert "template_of_merged_deal" in codes(quiet(w))
    w.books("delete_template", template=f"SJ-{deals[former]}-r1")
    days(w, 1)
    assert "template_of_merged_deal" not in codes(quiet(w))
    assert float(w.deal_fields(new)["Invoice total"]) == 3 * 88
