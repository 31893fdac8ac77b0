"""A won deal as the invoice it becomes."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import InvoiceDraft, Issue
from syncjob.core.markers import marker_in
from syncjob.core.policy import DealInputs, Terms
from syncjob.core.records import (
    Account,
    Discount,
    InvoiceLine,
    Organisation,
    PaymentTerms,
)
from syncjob.core.rules.invoicing import date_is_given, doubt_of, draft_invoice
from syncjob.core.rules.rows import unknown_places
from syncjob.errors import Held

from .make import TODAY, D, context, customer, deal, draft, held, ledger, line, policy
from .make import tax as taxes


def make(a_deal: Any = None, contact: Any = None, **changes: Any) -> InvoiceDraft:
    return draft_invoice(a_deal or deal(), contact, context(**changes))[0]


def with_policy(**changes: Any) -> dict[str, Any]:
    return {"policy": policy(**changes)}


# --- the whole ------------------------------------------------------------------------------------


def test_a_deal_becomes_this_invoice():
    invoice, story, note = draft_invoice(deal(), customer(), context(buyers=frozenset(["c1"])))
    assert invoice.source, "a digest of the deal, to tell later whether it was changed"
    assert msgspec.structs.replace(invoice, source="") == InvoiceDraft(
        marker="NW-1042-A1",
        contact_id="c1",
        date=TODAY,
        due_date=date(2026, 4, 19),
        currency="GBP",
        line_amounts="exclusive",
        lines=(
            InvoiceLine(
                description="Widget",
                quantity=D(2),
                unit_price=D(50),
                tax_code="OUTPUT2",
                account="200",
            ),
        ),
        reference="NW-1042-A1",
        url="https://acme.pipedrive.com/deal/1042?syncjob=NW-1042-A1",
        sub_total=D(100),
        total_tax=D(20),
        total=D(120),
        terms=PaymentTerms(day=30, kind="days_after_bill"),
        taxes=(D(20),),
    )
    assert note is None
    assert story == (
        "prices are exclusive, as invoices.tax.amounts says",
        'line 1 (Widget): account 200 "Sales", because invoices.account says so',
        'line 1 (Widget): tax "20% (VAT on Income)", because it is the default of the account 200 '
        '"Sales"',
        'dated 2026-03-20, due 2026-04-19, because invoices.terms.default says "net 30"',
        "the deal says 100.00 net, the invoice 100.00",
    )


def test_a_new_contact_has_no_id_yet():
    assert make().contact_id is None


def test_the_marker_can_be_found_again_in_url_and_reference():
    inputs = DealInputs(purchase_order="PO")
    invoice = make(deal(fields={"PO": " PO 7\n/ 12 "}), inputs=inputs)
    assert invoice.reference == "PO 7 / 12 NW-1042-A1"
    assert marker_in(invoice.url, None) == "NW-1042-A1"
    assert marker_in(None, invoice.reference) == "NW-1042-A1"


def test_a_purchase_order_that_does_not_fit_is_held():
    inputs = DealInputs(purchase_order="PO")
    longest = "x" * (255 - len(" NW-1042-A1"))
    assert len(make(deal(fields={"PO": longest}), inputs=inputs).reference) == 255
    with held("purchase_order_too_long", '"PO"', "244 fit"):
        make(deal(fields={"PO": longest + "x"}), inputs=inputs)
    assert make(deal(), inputs=inputs).reference == "NW-1042-A1"


def test_the_number_is_the_ledgers_unless_the_firm_says_so():
    assert make().number is None
    assert make(**with_policy(numbering="deal")).number == "NW-1042-A1"


# --- what is held ---------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["lines", "page"])
def test_a_deal_that_was_not_read_in_full_is_held(missing):
    with held("deal_incomplete"):
        make(deal(**{missing: None}))


def test_instalments_that_the_account_does_not_have_are_no_obstacle():
    assert make(deal(instalments=None)) == make()


def test_a_currency_that_is_not_enabled_is_held():
    with held("currency_not_enabled", "USD", "EUR, GBP"):
        make(deal(currency="USD"))
    with held("currency_not_enabled", "none"):
        make(ledger=ledger(currencies=(), organisation=Organisation(id="o", name="N")))
    assert make(ledger=ledger(currencies=())).currency == "GBP"  # the base currency needs no list


def account(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"code": "200", "name": "Sales", "active": True, "kind": "REVENUE"}
    return {"ledger": ledger(accounts=(Account(**(base | changes)),))}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "201", "name": "x"}, "account_missing"),
        ({"active": False}, "account_inactive"),
        ({"system": True}, "account_unusable"),
        ({"kind": "BANK"}, "account_unusable"),
    ],
)
def test_an_account_that_takes_no_lines_is_held(changes, code):
    with held(code, "200"):
        make(**account(**changes))


def test_an_account_may_be_given_by_name():
    assert make(**with_policy(account="SALES")).lines[0].account == "200"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"doubt": "neither formula gives 30"}, "line_doubt", "neither formula gives 30"),
        ({"billing": "monthly"}, "recurring_line", "monthly"),
        ({"quantity": D(0)}, "zero_quantity", "Widget"),
        ({"quantity": D("0.00004")}, "zero_quantity", "0.00004"),
        ({"name": None}, "line_without_product", "line 1"),
        ({"name": "\t", "description": " "}, "line_without_product", "line 1"),
        ({"discount_percent": D("100.01")}, "discount_invalid", "100.01%"),
        ({"discount_percent": D(-1)}, "discount_invalid", "-1%"),
        ({"unit_price": D("1e10")}, "amount_too_large", "20,000,000,000.00"),
        ({"quantity": D("1e30"), "unit_price": D(0)}, "amount_too_large", "Widget"),
        ({"quantity": D("1e9"), "unit_price": D("1e9")}, "amount_too_large", "Widget"),
        ({"description": "x" * 4001}, "description_too_long", "4008"),
        ({"unit_price": D(0)}, "total_not_positive", "0.00 GBP"),
        ({"unit_price": D(-1)}, "total_not_positive", "-2.40 GBP"),
        ({"tax_percent": D(10)}, "tax_differs", "10%"),
        ({"tax_percent": D(20), "tax_method": "inclusive"}, "tax_method_differs", "inclusive"),
    ],
)
def test_a_line_that_no_rule_covers_is_held(changes, code, words):
    with held(code, words):
        make(deal(lines=(line(**changes),)), **with_policy(description="{name} {description}"))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 4000},
        {"quantity": D(1), "unit_price": D("9999999999.99")},
        {"discount_percent": D(0)},
    ],
)
def test_what_just_fits_is_invoiced(changes):
    assert make(deal(lines=(line(**changes),), value=None)).total > 0


def test_a_line_or_a_deal_may_be_free_beside_others():
    rows = (line(discount_percent=D(100)), line(id="2", name="Other"))
    assert make(deal(lines=rows)).sub_total == 100
    with held("total_not_positive", "0.00 GBP"):
        make(deal(discounts=(Discount(id="a", percent=D(100)),)))
    free = make(deal(discounts=(Discount(id="a", percent=D(0)),)))
    assert (free.lines, free.total) == (make().lines, make().total)


def test_a_long_name_is_quoted_in_part():
    with held("zero_quantity", '"' + "x" * 57 + '..."'):
        make(deal(lines=(line(name="x" * 61, quantity=D(0)),)))
    with held("zero_quantity", '"' + "x" * 60 + '"'):
        make(deal(lines=(line(name="x" * 60, quantity=D(0)),)))


def test_one_time_lines_and_fractions_and_a_negative_line_are_invoiced():
    rows = (
        line(billing="one-time", quantity=D("0.25"), unit_price=D("10.00")),
        line(id="2", name="Goodwill", quantity=D(1), unit_price=D("-0.5")),
    )
    invoice = make(deal(lines=rows, value=D(2)))
    assert [one.quantity for one in invoice.lines] == [D("0.25"), D(1)]
    assert (invoice.sub_total, invoice.total_tax, invoice.total) == (D(2), D("0.40"), D("2.40"))


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "changes", "text"),
    [
        ("{name}", {}, "Widget"),
        ("{name}", {"name": "Größe 🚀"}, "Größe 🚀"),
        ("{name}\n{description}", {"description": "red\r\n\r\n\tlarge\x07"}, "Widget\nred\n large"),
        ("{name}\n{description}", {}, "Widget"),
        ("{title}: {name} ({sku})", {"sku": "W-1"}, "Big order: Widget (W-1)"),
        ("{name}", {"name": None, "description": "by the hour"}, "by the hour"),
        ("{description}", {}, "Widget"),
        ("{price} {name}", {}, "{price} Widget"),
        ("{name}", {"name": "{title}"}, "{title}"),
    ],
)
def test_a_lines_description(template, changes, text):
    invoice = make(deal(lines=(line(**changes),)), **with_policy(description=template))
    assert invoice.lines[0].description == text


def test_check_can_name_a_wrong_placeholder():
    assert unknown_places("{name} {prise} {title}") == ["prise"]


@pytest.mark.parametrize(
    ("choice", "sku", "item"),
    [("sku", "W-1", "W-1"), ("sku", "W-2", None), ("sku", None, None), ("off", "W-1", None)],
)
def test_only_items_that_the_ledger_has(choice, sku, item):
    rules = with_policy(item_code=choice, unknown_items="leave_out")
    invoice = make(deal(lines=(line(sku=sku),)), **rules)
    assert invoice.lines[0].item == item


def test_a_code_that_is_no_item_is_held_unless_it_may_be_left_out():
    with held("item_unknown", '"W-2"'):
        make(deal(lines=(line(sku="W-2"),)), **with_policy(item_code="sku"))


def test_lines_come_in_the_order_of_the_deal():
    rows = (line(id="9", name="c", order=2), line(id="2", name="b"), line(id="1", name="a"))
    assert [one.description for one in make(deal(lines=rows)).lines] == ["a", "b", "c"]


# --- discounts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "percent", "amount", "net"),
    [
        ({"discount_percent": D("12.5")}, D("12.5"), None, "87.50"),
        ({"discount_percent": D("33.333")}, None, D("33.33"), "66.67"),
        ({"discount_percent": D(0)}, None, None, "100.00"),
        # 94.445 is rounded once, on the line, as both sides do it: not the discount, and then it.
        ({"discount_amount": D("5.555")}, None, D("5.55"), "94.45"),
        ({"discount_amount": D(0)}, None, None, "100.00"),
        ({"unit_price": D("50.00005")}, None, None, "100.00"),
    ],
)
def test_a_lines_discount_as_the_ledger_can_hold_it(changes, percent, amount, net):
    invoice = make(deal(lines=(line(**changes),), value=None))
    (made,) = invoice.lines
    assert (made.discount_percent, made.discount_amount) == (percent, amount)
    assert str(invoice.sub_total) == net


def test_a_deals_discounts_become_negative_lines():
    rows = (line(discount_percent=D(10)), line(id="2", name="Other", quantity=D(1)))
    discounts = (
        Discount(id="a", percent=D("12.5")),
        Discount(id="b", amount=D("5.005"), description="Early\tbird"),
        Discount(id="c", amount=D(0)),
    )
    invoice = make(deal(lines=rows, discounts=discounts, value=D("117.49")))
    extra = invoice.lines[2:]
    assert [(x.description, x.quantity, x.unit_price) for x in extra] == [
        ("Discount 12.5%", D(1), D("-17.50")),
        ("Early bird", D(1), D("-5.01")),
    ]
    assert {(x.tax_code, x.account) for x in extra} == {("OUTPUT2", "200")}
    assert invoice.sub_total == D("117.49")


def test_discounts_that_were_not_read_leave_the_comparison_to_speak():
    _, _, note = draft_invoice(deal(discounts=None, value=D(90)), None, context())
    assert note is not None


@pytest.mark.parametrize(
    ("discount", "words"),
    [
        (Discount(id="a", percent=D(101)), "101%"),
        (Discount(id="a", percent=D(-5)), "-5%"),
        (Discount(id="a", amount=D(-5)), "-5 GBP"),
    ],
)
def test_a_deals_discount_that_is_none_is_held(discount, words):
    with held("discount_invalid", words):
        make(deal(discounts=(discount,)))


def test_a_deals_discount_over_two_tax_rates_is_held():
    rules = taxes({"name": "five", "when": {"percent": D(5)}, "rate": "5% (VAT on Income)"})
    rows = (line(tax_percent=D(20)), line(id="2", name="Book", tax_percent=D(5)))
    mixed = deal(lines=rows, discounts=(Discount(id="a", amount=D(10)),), value=D(190))
    with held("discount_mixed_tax", "10.00"):
        make(mixed, **with_policy(tax=rules))
    plain = deal(lines=rows, value=D(200))
    codes = {one.tax_code for one in make(plain, **with_policy(tax=rules)).lines}
    assert codes == {"OUTPUT2", "RROUTPUT"}


# --- tax inclusive or not -------------------------------------------------------------------------


def amounts(kind: str, **changes: Any) -> dict[str, Any]:
    return with_policy(tax=taxes(amounts=kind, **changes), value_is=None)


@pytest.mark.parametrize(
    ("kind", "method", "expected", "total", "code"),
    [
        ("exclusive", None, "exclusive", "120.00", "OUTPUT2"),
        ("inclusive", "inclusive", "inclusive", "100.00", "OUTPUT2"),
        ("as_deal", "inclusive", "inclusive", "100.00", "OUTPUT2"),
        ("as_deal", "exclusive", "exclusive", "120.00", "OUTPUT2"),
        ("as_deal", "no_tax", "no_tax", "100.00", None),
        ("no_tax", None, "no_tax", "100.00", None),
        ("exclusive", "no_tax", "exclusive", "120.00", "OUTPUT2"),
    ],
)
def test_how_prices_stand_to_tax(kind, method, expected, total, code):
    percent = None if "no_tax" in (kind, method) else D(20)
    rows = (line(tax_method=method, tax_percent=percent),)
    invoice = make(deal(lines=rows, value=None), **amounts(kind))
    assert (invoice.line_amounts, str(invoice.total)) == (expected, total)
    assert invoice.lines[0].tax_code == code


def test_mixed_tax_methods_are_held():
    rows = (line(tax_method="inclusive"), line(id="2", tax_method="exclusive"))
    with held("mixed_tax_methods", "exclusive, inclusive"):
        make(deal(lines=rows), **amounts("as_deal"))


def test_a_deal_that_says_nothing_of_tax_is_held():
    with held("tax_method_missing"):
        make(**amounts("as_deal"))


def test_a_taxed_line_is_not_sent_untaxed_unseen():
    taxed = deal(lines=(line(tax_percent=D(20), tax_method="exclusive"),))
    with held("tax_differs", "20%", "no_tax"):
        make(taxed, **amounts("no_tax"))
    assert make(taxed, **amounts("no_tax", overrule_crm=True)).total == 100
    assert make(taxed, **amounts("inclusive", overrule_crm=True)).total == 100


def test_an_unregistered_organisation_is_asked_about():
    unregistered = Organisation(id="o1", name="N", currency="GBP", tax_registered=False)
    with held("tax_unregistered"):
        make(ledger=ledger(organisation=unregistered))
    assert make(ledger=ledger(organisation=unregistered), **amounts("no_tax")).total == 100


# --- a deal without products ----------------------------------------------------------------------


def test_without_products_a_deal_is_held_by_default():
    with held("no_products"):
        make(deal(lines=()))


def test_one_line_needs_to_know_what_the_value_is():
    with held("value_is_missing"):
        make(deal(lines=()), **with_policy(without_products="one_line", value_is=None))


@pytest.mark.parametrize(
    ("value_is", "kind", "expected", "total"),
    [
        ("net", "exclusive", "exclusive", "120.00"),
        ("gross", "exclusive", "inclusive", "100.00"),
        ("net", "as_deal", "exclusive", "120.00"),
        ("gross", "no_tax", "no_tax", "100.00"),
    ],
)
def test_one_line_from_the_deals_value(value_is, kind, expected, total):
    rules = with_policy(without_products="one_line", value_is=value_is, tax=taxes(amounts=kind))
    bare = deal(lines=(), discounts=(Discount(id="a", percent=D(50)),))
    invoice, _, note = draft_invoice(bare, None, context(**rules))
    assert (invoice.line_amounts, str(invoice.total), note) == (expected, total, None)
    assert [one.description for one in invoice.lines] == ["Big order"]


@pytest.mark.parametrize("value", [None, D(0), D(-5)])
def test_nothing_to_ask_for_is_held(value):
    with held("total_not_positive"):
        make(deal(lines=(), value=value), **with_policy(without_products="one_line"))


# --- dates ----------------------------------------------------------------------------------------

DATED = DealInputs(invoice_date="Invoice date")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-06", date(2026, 3, 6)),
        ("2026-03-20", TODAY),
        (" 2026-03-10 ", date(2026, 3, 10)),
        ("2026-03-10T23:30:00-05:00", date(2026, 3, 11)),
        ("2026-03-10T23:30:00", date(2026, 3, 10)),
        ("2026-03-10 23:30 UTC", date(2026, 3, 10)),
        ("", TODAY),
        (None, TODAY),
    ],
)
def test_a_field_may_set_the_date(text, day):
    invoice = make(deal(fields={"Invoice date": text}), inputs=DATED)
    assert invoice.date == day
    assert date_is_given(deal(fields={"Invoice date": text}), DATED) is bool(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-03-21", "invoice_date_future"),
        ("2026-03-05", "invoice_date_old"),
        ("next week", "invoice_date_invalid"),
        ("2026-02-30", "invoice_date_invalid"),
    ],
)
def test_a_date_that_cannot_stand_is_held(text, code):
    with held(code, '"Invoice date"', text):
        make(deal(fields={"Invoice date": text}), inputs=DATED)


def test_nothing_is_dated_in_a_closed_period():
    with held("period_locked", "2026-03-20"):
        make(locked_through=TODAY)
    with held("period_locked", "2026-03-15"):
        make(
            deal(fields={"Invoice date": "2026-03-15"}),
            inputs=DATED,
            locked_through=date(2026, 3, 15),
        )
    assert make(locked_through=date(2026, 3, 19)).date == TODAY
    assert not date_is_given(deal(), DealInputs())


def test_terms_follow_the_contact():
    contact = customer(terms=PaymentTerms(day=20, kind="of_following_month"))
    assert make(contact=contact).due_date == date(2026, 4, 20)
    assert make(**with_policy(terms=Terms(default="net 7"))).due_date == date(2026, 3, 27)


# --- against the deal -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "value_is", "differs"),
    [
        (D("100.01"), "net", False),
        (D("100.02"), "net", True),
        (D(120), "gross", False),
        (D(120), "net", True),
        (D(120), None, False),
        (D(100), None, False),
        (D(110), None, True),
        (None, "net", False),
    ],
)
def test_a_total_that_differs_is_drafted_with_a_note(value, value_is, differs):
    rules = policy(value_is=value_is)
    a_deal = deal(value=value)
    invoice, story, note = draft_invoice(a_deal, None, context(policy=rules))
    assert (note is not None) is differs
    assert doubt_of(a_deal, invoice, rules) == note
    assert story[-1]
    if note is not None:
        assert isinstance(note, Issue)
        assert (note.code, note.state, note.subject) == ("totals_differ", "note", "deal:1042")
        assert f"{value:,.2f}" in note.what
        assert "GBP" in note.what


def test_a_value_that_people_set_says_nothing_about_lines_that_are_there():
    theirs = deal(value=D(99), value_is_sum=False)
    invoice, _, note = draft_invoice(theirs, None, context(policy=policy()))
    assert note is None and doubt_of(theirs, invoice, policy()) is None
    unread = deal(value=D(99), value_is_sum=False, lines=None)
    assert doubt_of(unread, invoice, policy()) is None
    bare = deal(value=D(99), value_is_sum=False, lines=())
    assert doubt_of(bare, invoice, policy()).code == "totals_differ"


def test_the_note_of_a_draft_follows_the_deal_as_it_is_now():
    assert doubt_of(deal(value=D(100)), draft(), policy()) is None
    assert doubt_of(deal(value=D(99)), draft(), policy()).code == "totals_differ"


@given(
    st.lists(
        st.tuples(
            st.decimals("0.01", "500", places=2),
            st.decimals("0.01", "999", places=2),
            st.none() | st.decimals("0", "90", places=4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_deals_own_exact_sum_is_met_to_rounding(rows):
    """Summed exactly in fractions, the deal differs from the invoice by half a cent a line at
    most, and by another half where a discount had to become an amount."""
    lines = tuple(
        line(id=str(n), quantity=q, unit_price=p, discount_percent=off)
        for n, (q, p, off) in enumerate(rows)
    )
    exact = sum(Fraction(q) * Fraction(p) * (1 - Fraction(off or 0) / 100) for q, p, off in rows)
    a_deal = deal(lines=lines, value=None)
    try:
        invoice = make(a_deal)
    except Held as error:  # a total of nothing is held, whatever the lines
        assert error.code == "total_not_positive"
        assert exact < Fraction(1, 100) * len(rows)
        return
    assert abs(Fraction(invoice.sub_total) - exact) <= Fraction(1, 100) * len(rows)
