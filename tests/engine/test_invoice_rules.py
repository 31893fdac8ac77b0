"""Each family of rules over HTTP: what the books hold afterwards, and what the plan says of it."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.reports import BatchReport
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
)
from tests.engine.world import World

LINE = {"name": "Widget", "price": 100, "quantity": 1, "tax": 0}


def with_rules(world: World, **rules: Any) -> None:
    world.overrides = {**world.overrides, "invoices": rules}


def field(world: World, name: str, kind: str = "varchar") -> None:
    world.crm("create_field", name=name, type=kind)


def an_hour_later(world: World) -> BatchReport:
    """Held deals and the ledger's names are looked at again hourly."""
    for _ in range(4):
        minutes(world, 20)
        report = world.run()
    return report


def why(world: World) -> str:
    """What `plan --why` would say of all deals."""
    return "\n".join(text for story in world.plan().stories.values() for text in story)


# --- accounts, tracking, items ------------------------------------------------------------------


def test_accounts_and_tracking_by_category_pipeline_and_field(world: World) -> None:
    world.books("add_tracking", name="Region", options=["North", "South"])
    world.books("add_tracking", name="Team", options=["Blue", "Red"])
    world.crm("create_pipeline", name="Northern", stages=["New"])
    field(world, "Team")
    with_rules(
        world,
        account_rules=[{"name": "work", "when": {"categories": "Work"}, "account": "260"}],
        tracking_rules=[
            {"name": "north", "when": {"pipelines": "north*"}, "category": "region",
             "option": "north"},
            {"name": "team", "category": "Team", "from_field": "Team", "allowed": ["Blue"]},
        ],
    )  # fmt: skip
    rows = [LINE, {**LINE, "name": "Hour", "category": "Work"}]
    deal = sell(world, pipeline="Northern", lines=rows, fields={"Team": "blue"})
    told = why(world)
    assert 'line 2 (Hour): account 260 "Other Revenue", because the rule "work" says so' in told
    assert 'each line: tracking Region = "North", because the rule "north" says so' in told
    assert world.run().exit_code == 0
    lines = invoice_of(world, deal)["lines"]
    assert [line["account_code"] for line in lines] == ["200", "260"]
    for line in lines:
        names = [(t["Name"], t["Option"]) for t in line["tracking"]]
        assert names == [("Region", "North"), ("Team", "Blue")]
    other = sell(world, "Good Ltd", fields={"Team": "Red"})
    report = world.run()
    assert codes(report) == ["field_not_allowed"]
    assert only(list(report.issues)).subject == f"deal:{other}"
    quiet(world)


def test_a_person_who_edits_tracking_or_theme_has_touched_the_draft(world: World) -> None:
    world.books("add_tracking", name="Region", options=["North"])
    export = world.books("add_theme", name="Export")["done"]["BrandingThemeID"]
    first, second = sell(world), sell(world, "Good Ltd")
    world.run()
    minutes(world, 5)
    line = only(invoice_of(world, first)["lines"])
    world.books(
        "edit_invoice", invoice=number_of(world, first),
        fields={
            "LineItems": [
                {"LineItemID": line["id"], "Tracking": [{"Name": "Region", "Option": "North"}]}
            ]
        },
    )  # fmt: skip
    world.books(
        "edit_invoice", invoice=number_of(world, second), fields={"BrandingThemeID": export}
    )
    for deal in (first, second):
        world.crm("reopen", deal=deal)
    minutes(world, 5)
    report = world.run()
    assert codes(report) == ["reopened_after_invoice"] * 2
    assert {i["status"] for i in world.invoices()} == {"DRAFT"}


def test_items_by_product_code(world: World) -> None:
    world.books("add_item", code="W-1", name="Widget")
    with_rules(world, item_code="sku")
    deal = sell(world, lines=[{**LINE, "code": "W-1"}])
    other = sell(world, "Good Ltd", lines=[{**LINE, "name": "Gadget", "code": "G-9"}])
    report = world.run()
    assert codes(report) == ["item_unknown"]
    assert only(list(report.issues)).subject == f"deal:{other}"
    assert only(invoice_of(world, deal)["lines"])["item_code"] == "W-1"
    world.books("add_item", code="G-9", name="Gadget")
    assert codes(an_hour_later(world)) == []
    assert only(invoice_of(world, other)["lines"])["item_code"] == "G-9"


# --- tax by place, kind and number ----------------------------------------------------------------


def uk(make_world: MakeWorld, **rules: Any) -> World:
    world = make_world(region="UK", crm={"currency": "GBP"})
    with_rules(world, **rules)
    return world


UK_RULES: dict[str, Any] = {
    "supply": {"default": "goods", "services": {"categories": ["Work"]}},
    "country": "home",
    "tax": {
        "rules": [
            {"name": "exported goods", "when": {"supply": "goods", "outside": ["home"]},
             "rate": "Zero Rated Income", "branding": "Export"},
            {"name": "services to EU businesses", "needs_tax_number": True,
             "when": {"supply": "services", "countries": ["EU"], "customer": "organization"},
             "rate": "No VAT", "wording": "Reverse charge: the customer accounts for the VAT."},
            {"name": "services abroad", "when": {"supply": "services", "outside": ["home"]},
             "hold": "Services abroad are decided by finance."},
        ]
    },
}  # fmt: skip


def test_tax_by_place_and_supply_with_wording_and_theme(make_world: MakeWorld) -> None:
    world = uk(make_world, **UK_RULES)
    export = world.books("add_theme", name="Export")["done"]["BrandingThemeID"]
    for name, place in (
        ("Home Ltd", "1 High Street, Leeds"), ("Berlin GmbH", "Weg 1, Berlin, Germany"),
        ("Tulsa Inc", "1 Main St, Tulsa, OK, USA"),
    ):  # fmt: skip
        world.crm("create_org", name=name, address=place)
    work = {**LINE, "name": "Hour", "category": "Work"}
    home = sell(world, "Home Ltd", currency="GBP", lines=[LINE])
    goods = sell(world, "Berlin GmbH", currency="GBP", lines=[LINE])
    services = sell(world, "Berlin GmbH", title="Advice", currency="GBP", lines=[work])
    abroad = sell(world, "Tulsa Inc", currency="GBP", lines=[work])
    report = world.run()
    assert {(i.code, i.subject) for i in report.issues} == {
        ("tax_number_missing", f"deal:{services}"), ("tax_held", f"deal:{abroad}"),
    }  # fmt: skip
    assert invoice_of(world, home)["total"] == "120.00"
    assert (invoice_of(world, goods)["total"], invoice_of(world, goods)["theme_id"]) == (
        "100.00", export,
    )  # fmt: skip
    assert only(invoice_of(world, goods)["lines"])["tax_type"] == "ZERORATEDOUTPUT"
    world.books("edit_contact", contact="Berlin GmbH", fields={"TaxNumber": "DE123456789"})
    assert codes(an_hour_later(world)) == ["tax_held"]
    lines = invoice_of(world, services)["lines"]
    assert [line["description"] for line in lines] == [
        "Hour", "Reverse charge: the customer accounts for the VAT.",
    ]  # fmt: skip
    assert (lines[0]["tax_type"], lines[1]["account_code"]) == ("NONE", None)
    quiet(world)


def test_the_deals_own_delivery_comes_before_every_address(make_world: MakeWorld) -> None:
    world = uk(make_world, **UK_RULES)
    world.books("add_theme", name="Export")
    field(world, "Ship to")
    world.overrides["crm"] = {"inputs": {"delivery_country": "Ship to"}}
    world.crm("create_org", name="Home Ltd", address="1 High Street, Leeds, United Kingdom")
    deal = sell(world, "Home Ltd", currency="GBP", lines=[LINE], fields={"Ship to": "Norway"})
    assert world.run().exit_code == 0
    assert invoice_of(world, deal)["total_tax"] == "0.00"


@pytest.mark.parametrize("otherwise", ["hold", "account"])
def test_listed_states_and_held_ones(make_world: MakeWorld, otherwise: str) -> None:
    """A state that is not in the list is held, even where others bear their account's default."""
    world = make_world(region="US", crm={"currency": "USD"})
    with_rules(
        world, country="US",
        tax={
            "otherwise": otherwise,
            "rules": [
                {"name": "exempt", "when": {"customers": "City of *"}, "rate": "Tax Exempt"},
                {"name": "new york", "when": {"countries": "US", "regions": "NY"},
                 "rate": "Sales Tax 8.875%"},
            ],
        },
    )  # fmt: skip
    for name, place in (
        ("Acme", "5 Broadway, New York, New York 10001, USA"), ("Reno", "1 Rd, Reno, NV 89501"),
        ("City of Reno", "1 Rd, Reno, NV 89501"),
    ):  # fmt: skip
        world.crm("create_org", name=name, address=place)
    made = [
        sell(world, name, currency="USD", lines=[{**LINE, "price": 33.33}])
        for name in ("Acme", "Reno", "City of Reno")
    ]
    report = world.run()
    assert [(i.code, i.subject) for i in report.issues] == [("tax_unknown", f"deal:{made[1]}")]
    assert "NV" in report.issues[0].what
    assert [invoice_of(world, made[n])["total"] for n in (0, 2)] == ["36.29", "33.33"]


# --- discounts, extra lines, terms, currency ------------------------------------------------------


def test_all_off_is_all_off_where_a_line_comes_to_half_a_cent(world: World) -> None:
    """3 x 33.335 is 100.01 in the ledger; 100.01 off would be half a cent too much."""
    world.crm("create_field", name="Freight", type="double")
    freight = {"field": "Freight", "description": "Freight", "account": "200"}
    with_rules(world, deal_discount="spread", value_is="net", extra_lines=[freight])
    off = [{"type": "percentage", "amount": 100, "description": "Gift"}]
    rows = [{"name": "A", "price": 33.335, "quantity": 3, "tax": 10}]
    deal = sell(world, lines=rows, discounts=off, fields={"Freight": 12})
    world.run()
    made = invoice_of(world, deal)
    assert [line["line_amount"] for line in made["lines"]] == ["0.00", "12.00"]
    assert made["total"] == "13.20"


@pytest.mark.parametrize(("how", "count"), [("own_line", 4), ("spread", 3)])
def test_a_discount_on_the_whole_deal(world: World, how: str, count: int) -> None:
    with_rules(world, deal_discount=how, value_is="net")
    rows = [{**LINE, "name": name, "price": 33.33} for name in "ABC"]
    off = [{"type": "percentage", "amount": 10, "description": "Loyal"}]
    deal = sell(world, lines=rows, discounts=off)
    report = world.run()
    made = invoice_of(world, deal)
    assert (len(made["lines"]), made["subtotal"], codes(report)) == (count, "89.99", [])
    world.books("approve", invoice=number_of(world, deal))


def test_freight_from_a_field_and_words_by_rule(world: World) -> None:
    field(world, "Freight", "monetary")
    with_rules(
        world, value_is="net",
        extra_lines=[{"field": "Freight", "description": "Freight", "account": "215",
                      "tax": "GST Free Income"}],
        texts=[{"name": "thanks", "when": {"new_customer": True}, "text": "Thank you, {title}!"}],
    )  # fmt: skip
    money = {"value": 12.5, "currency": "AUD"}
    deal = sell(world, lines=[LINE], fields={"Freight": money})
    assert codes(world.run()) == []
    made = invoice_of(world, deal)
    assert [line["description"] for line in made["lines"]] == [
        "Widget", "Freight", "Thank you, Spring order!",
    ]  # fmt: skip
    assert [line["account_code"] for line in made["lines"]] == ["200", "215", None]
    assert (made["subtotal"], made["total_tax"]) == ("112.50", "10.00")
    world.books("approve", invoice=number_of(world, deal))
    minutes(world, 5)
    world.run()
    quiet(world)


def test_terms_of_the_deal_before_the_contacts_before_the_default(world: World) -> None:
    field(world, "Terms")
    world.overrides["crm"] = {"inputs": {"payment_terms": "Terms"}}
    with_rules(world, terms={"texts": {"wie immer": "2/10 net 30"}})
    made = {
        text: sell(world, f"Firm {n}", lines=[LINE], fields={"Terms": text})
        for n, text in enumerate(("end of month + 10", "Wie immer", "whenever"))
    }
    report = world.run()
    assert [(i.code, i.subject) for i in report.issues] == [
        ("terms_unknown", f"deal:{made['whenever']}")
    ]
    assert invoice_of(world, made["end of month + 10"])["due_day"] == "2026-12-10"
    early = invoice_of(world, made["Wie immer"])
    assert early["due_day"] == "2026-12-23"
    assert early["lines"][-1]["description"] == (
        "2% discount for payment received by 2026-12-03: 107.80 AUD instead of 110.00 AUD. "
        "A credit note for 2.20 AUD follows if the discount is taken."
    )


def test_a_rate_of_exchange_only_where_somebody_gives_one(world: World) -> None:
    field(world, "Rate")
    world.overrides["crm"] = {"inputs": {"currency_rate": "Rate"}}
    with_rules(world, currency_rates={"USD": "0.6543"})
    world.books("enable_currency", currency="USD")
    world.books("enable_currency", currency="EUR")
    fixed = sell(world, "A", currency="USD", lines=[LINE])
    given = sell(world, "B", currency="USD", lines=[LINE], fields={"Rate": "0.7"})
    days = sell(world, "C", currency="EUR", lines=[LINE])
    wrong = sell(world, "D", currency="EUR", lines=[LINE], fields={"Rate": "much"})
    report = world.run()
    assert [(i.code, i.subject) for i in report.issues] == [
        ("currency_rate_invalid", f"deal:{wrong}")
    ]
    rates = [invoice_of(world, deal)["rate"] for deal in (fixed, given)]
    assert [float(rate) for rate in rates] == [0.6543, 0.7]
    assert invoice_of(world, days)["currency"] == "EUR"


# --- status and theme -----------------------------------------------------------------------------


def test_status_by_amount_and_new_customer_within_the_mode(make_world: MakeWorld) -> None:
    world = make_world(config={"mode": "full", "guard": {"times_largest": 1000}})
    with_rules(
        world, status="draft",
        status_rules=[
            {"name": "new", "when": {"new_customer": True}, "status": "draft"},
            {"name": "small", "when": {"total_below": 200}, "status": "authorised"},
        ],
    )  # fmt: skip
    first = sell(world, lines=[LINE])
    assert 'to be draft, because the rule "new" says draft' in why(world)
    world.run()
    assert invoice_of(world, first)["status"] == "DRAFT"
    world.books("approve", invoice=number_of(world, first))
    minutes(world, 5)
    world.run()
    small, large = (
        sell(world, title="Again", lines=[LINE]),
        sell(world, title="Much", lines=[{**LINE, "price": 500}]),
    )
    world.run()
    statuses = [invoice_of(world, deal)["status"] for deal in (small, large)]
    assert statuses == ["AUTHORISED", "DRAFT"]
    quiet(world)


def test_no_rule_raises_a_status_above_the_mode(world: World) -> None:
    with_rules(world, status_rules=[{"name": "all", "status": "authorised"}])
    deal = sell(world, lines=[LINE])
    world.run()
    assert invoice_of(world, deal)["status"] == "DRAFT"


def test_a_branding_theme_by_rule_and_one_that_is_not_there(world: World) -> None:
    partners = world.books("add_theme", name="Partners")["done"]["BrandingThemeID"]
    with_rules(
        world,
        branding_rules=[
            {"name": "big", "when": {"total_from": 1000}, "branding": "partners"},
            {"name": "typing error", "when": {"total_from": 500}, "branding": "Partnrs"},
        ],
    )  # fmt: skip
    deals = [
        sell(world, f"Firm {price}", lines=[{**LINE, "price": price}]) for price in (2000, 600, 10)
    ]
    report = world.run()
    assert [(i.code, i.subject) for i in report.issues] == [
        ("branding_unknown", f"deal:{deals[1]}")
    ]
    assert invoice_of(world, deals[0])["theme_id"] == partners
    assert invoice_of(world, deals[2])["theme_id"] not in (partners, None)


@pytest.mark.parametrize(
    ("account", "words"),
    [("200", ""), ("sales", ""), ("4711", "has no account"), ("090", "takes no invoice lines")],
)
def test_check_judges_the_account_as_a_batch_does(world: World, account: str, words: str) -> None:
    with_rules(world, account=account, status_rules=[{"name": "all", "status": "authorised"}])
    with world.connection() as handle:
        told = {p.where: p.what for p in handle.check()}
    assert words in told.get("invoices.account", "") and bool(words) == ("invoices.account" in told)
    assert "the mode is drafts_only" in told["invoices.status"]
    deal = sell(world)
    assert bool(words) == bool(world.run().issues), deal


def test_check_names_what_is_unknown_and_what_never_matches(world: World) -> None:
    world.crm("create_product", name="Widget", code="W-1")
    with_rules(
        world,
        account_rules=[
            {"name": "all", "account": "260"},
            {"name": "never", "when": {"products": "Gadget", "skus": "W-*"}, "account": "200"},
        ],
        tracking_rules=[{"name": "region", "category": "Region", "option": "North"}],
        branding="Shop",
    )
    with world.connection() as handle:
        told = "\n".join(f"{p.where}: {p.what}" for p in handle.check() if p.fatal)
    assert 'invoices.account_rules "never": This rule never matches' in told
    assert 'A rule names the product "Gadget", which is not in Pipedrive' in told
    assert 'invoices.tracking_rules "region": There is no active tracking category' in told
    assert 'invoices.branding: There is no branding theme "Shop"; there are: Standard' in told
    assert "W-*" not in told.replace('"never"', "")
