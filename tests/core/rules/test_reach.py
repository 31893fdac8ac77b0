"""Rules that can never match, and names that neither account has."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.records import Account, LedgerReference, Organisation
from syncjob.core.rules.naming import unknown_in_rules
from syncjob.core.rules.reach import unreached
from tests.core.make import SALES, crm, ledger, policy

ZERO_RATE, FULL = "Zero Rated", "20% (VAT on Income)"


def found(**rules: Any) -> list[tuple[str, str]]:
    return [tuple(one) for one in unreached(policy(**rules), "GB")]  # type: ignore[misc]


def tax(*rules: dict[str, Any]) -> dict[str, Any]:
    made = [{"name": f"r{n}", "rate": FULL, **rule} for n, rule in enumerate(rules)]
    return {"tax": {"rules": made}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"when": {"countries": "EU"}}),
        ({"when": {"countries": "EU"}}, {"when": {"countries": ["DE", "FR"]}}),
        ({"when": {"outside": "home"}}, {"when": {"countries": ["Norway"]}}),
        ({"when": {"outside": "home"}}, {"when": {"outside": ["home", "EU"]}}),
        ({"when": {"products": "Widget*"}}, {"when": {"products": "widget blue", "percent": 5}}),
        ({"when": {"fields": {"A": ["x", "y"]}}}, {"when": {"fields": {"A": "x", "B": "z"}}}),
        ({"when": {"percent": 5}}, {"when": {"percent": "5.00"}}),
        ({"when": {"labels": "a"}}, {"when": {"labels": "A"}}),
    ],
)
def test_what_an_earlier_rule_takes_is_out_of_reach(first: Any, second: Any) -> None:
    [(where, why)] = found(**tax(first, second))
    assert where == 'invoices.tax.rules "r1"'
    assert '"r0"' in why


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"when": {"countries": ["DE"]}}, {"when": {"countries": "EU"}}),
        ({"when": {"countries": "EU"}}, {}),
        ({"when": {"outside": "EU"}}, {"when": {"outside": "home"}}),
        ({"when": {"products": "A*"}}, {"when": {"products": ["Ax", "B"]}}),
        ({"when": {"percent": 5}}, {"when": {"percent": 20}}),
        ({"when": {"customer": "person"}}, {"when": {"customer": "organization"}}),
        ({"from_field": "F", "allowed": [FULL], "rate": None}, {}),
        ({}, {"force": True}),
    ],
)
def test_what_may_still_match_is_not_told(first: Any, second: Any) -> None:
    assert [w for w, _ in found(**tax(first, second)) if '"r1"' in w] == []


def test_a_forced_rule_comes_before_those_above_it() -> None:
    [(where, why)] = found(**tax({"when": {"percent": 5}}, {"force": True}))
    assert (where, '"r1"' in why) == ('invoices.tax.rules "r0"', True)


def test_contradictions() -> None:
    assert "outside" in found(**tax({"when": {"countries": "DE", "outside": "EU"}}))[0][1]
    rules = [{"name": "s", "status": "draft", "when": {"total_from": 5, "total_below": 5}}]
    assert "no total" in found(status_rules=rules)[0][1]
    only_goods = tax({"when": {"supply": "services"}})
    assert "services" in found(supply={"default": "goods"}, **only_goods)[0][1]


def test_rules_of_other_categories_and_texts_shadow_nothing() -> None:
    tracking = [{"name": c, "category": c, "option": "x"} for c in ("Region", "Team")]
    texts = [{"name": "a", "text": "x"}, {"name": "b", "text": "y"}]
    assert found(tracking_rules=tracking, texts=texts) == []


def unknown(books: LedgerReference | None = None, **rules: Any) -> list[str]:
    return [one.what for one in unknown_in_rules(policy(**rules), crm(), books or ledger())]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (tax({"when": {"pipelines": "Slaes"}}), 'no pipeline "Slaes"'),
        (tax({"when": {"labels": "Keys"}}), 'no deal label "Keys"'),
        (tax({"when": {"owners": "Bob"}}), 'no user "Bob"'),
        (tax({"when": {"currencies": "CHF"}}), 'no currency "CHF"'),
        (tax({"when": {"categories": "Work"}}), 'no product category "Work"'),
        (tax({"when": {"countries": "Atlantis"}}), '"Atlantis" is no country'),
        (tax({"when": {"accounts": "999"}}), 'the account "999"'),
        (tax({"when": {"fields": {"Sector": "x"}}}), 'the deal field "Sector"'),
        (tax({"rate": "Vat"}), 'the tax rate "Vat" does not exist'),
        (tax({"branding": "Shop"}), 'no branding theme "Shop"'),
        ({"branding": "Shop"}, 'no branding theme "Shop"'),
        ({"country": "Nowhere"}, '"Nowhere" is no country'),
        ({"account_rules": [{"name": "a", "account": "999"}]}, 'no account "999"'),
        ({"description": "{nmae}"}, "{nmae} means nothing"),
        ({"texts": [{"name": "t", "text": "{sku}"}]}, "{sku} means nothing"),
        ({"terms": {"early": {"wording": "{percnt}%"}}}, "{percnt} means nothing"),
        ({"rounding": {"account": "200", "rate": FULL}}, "no rate of 0%"),
        ({"currency_rates": {"CHF": "1.1"}}, 'no currency "CHF"'),
        ({"bad_debt_accounts": ["Sales"]}, 'no account with the code "Sales"'),
    ],
)
def test_a_name_that_means_nothing_is_named(rules: dict[str, Any], words: str) -> None:
    assert any(words in what for what in unknown(**rules)), unknown(**rules)


def test_rules_of_one_name_are_told_and_stop_nothing() -> None:
    rules = {"rules": [{"name": "N", "rate": FULL}, {"name": "n", "rate": ZERO_RATE}]}
    [one] = unknown_in_rules(policy(tax=rules), crm(), ledger())
    assert ('Two rules are called "n"' in one.what, one.fatal) == (True, False)


def test_tracking_options_that_are_there_and_not() -> None:
    books = ledger(tracking=(("Region", ("North",)),))
    good = {"name": "g", "category": "region", "option": "north"}
    bad = {"name": "b", "category": "Region", "from_field": "F", "allowed": ["North", "West"]}
    told = unknown(books, tracking_rules=[good, bad])
    assert [what for what in told if "Region" in what] == [
        'Region has no option "West"; it has: North.'
    ]


def test_an_organisation_that_is_not_registered_must_not_tax() -> None:
    books = ledger(
        organisation=Organisation(id="o", name="N", currency="GBP", tax_registered=False),
        accounts=(SALES, Account(code="300", name="Bare", active=True, kind="REVENUE")),
    )
    told = unknown(books, **tax({"when": {"percent": 20}}))
    assert any("is taxed, and the organisation is not registered" in what for what in told)
    assert any('"Sales" is taxed by default' in what for what in told)
    assert unknown(books, account="300", tax={"rules": [{"name": "z", "rate": ZERO_RATE}]}) == []


def test_tracked_stock_is_named_and_stops_nothing() -> None:
    books = ledger(items=("W-1",), tracked_items=("W-1",))
    [one] = unknown_in_rules(policy(item_code="sku"), crm(), books)
    assert ("W-1" in one.what, one.fatal) == (True, False)
