"""Which tax rate a line bears, in BOOKKEEPING's order, and what is held."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from syncjob.core.policy import DealInputs
from syncjob.core.records import Organisation
from syncjob.core.rules.tax import Choice, check_tax, tax_for
from syncjob.core.rules.when import LineFacts, facts_of

from .make import (
    RATES,
    SALES,
    VAT5,
    VAT20,
    ZERO,
    D,
    customer,
    deal,
    held,
    ledger,
    line,
    policy,
    tax,
)

FIVE = {"name": "reduced", "rate": "5% (VAT on Income)"}
ZEROED = {"name": "exports", "rate": "zero rated"}


def choose(
    rules: Any = None,
    *,
    contact: Any = None,
    registered: bool = True,
    account: Any = SALES,
    rates: Any = RATES,
    **row: Any,
) -> Choice:
    organisation = Organisation(id="o1", name="N", tax_registered=registered)
    books = ledger(organisation=organisation, tax_rates=rates)
    facts = facts_of(
        deal(), policy(tax=rules or tax()), DealInputs(), books, contact, None, None
    )  # fmt: skip
    return tax_for(LineFacts(line=line(**row)), facts, contact, account, books)


def test_the_accounts_default_comes_last():
    choice = choose()
    assert choice.rate == VAT20
    assert "account 200" in choice.because


def test_a_rule_beats_the_account():
    choice = choose(tax(FIVE))
    assert choice.rate == VAT5
    assert '"reduced"' in choice.because


def test_the_contacts_own_tax_beats_a_rule():
    choice = choose(tax(FIVE), contact=customer(sales_tax="ZERORATEDOUTPUT"))
    assert choice.rate == ZERO
    assert '"Acme Ltd"' in choice.because


def test_a_forced_rule_beats_the_contact_and_earlier_rules():
    contact = customer(sales_tax="ZERORATEDOUTPUT")
    choice = choose(tax(ZEROED, FIVE | {"force": True}), contact=contact)
    assert choice.rate == VAT5
    assert "forced" in choice.because


def test_a_contact_without_tax_changes_nothing():
    assert choose(tax(FIVE), contact=customer()).rate == VAT5


def test_the_first_rule_that_fits_wins():
    rules = tax(FIVE | {"when": {"percent": D(5)}}, ZEROED | {"when": {"percent": D(0)}})
    assert choose(rules, tax_percent=D("5.00")).rate == VAT5
    assert choose(rules, tax_percent=D(0)).rate == ZERO
    assert choose(rules, tax_percent=D(20)).rate == VAT20
    assert choose(rules, tax_percent=None).rate == VAT20


@pytest.mark.parametrize("percent", [None, D(0), D(20), D("20.000")])
@pytest.mark.parametrize("method", [None, "exclusive", "no_tax"])
def test_nothing_or_zero_or_the_same_percentage_agrees(percent, method):
    assert choose(tax_percent=percent, tax_method=method).rate == VAT20


def test_another_percentage_in_the_crm_is_held_unless_overruled():
    with held("tax_differs", '"Widget"', "10%", "20%", "account 200"):
        choose(tax_percent=D(10))
    assert choose(tax(overrule_crm=True), tax_percent=D(10)).rate == VAT20


def test_an_unregistered_organisation_charges_no_tax():
    with held("tax_unregistered", "20%", "not registered"):
        choose(registered=False)
    assert choose(tax(ZEROED), registered=False).rate == ZERO


@pytest.mark.parametrize(
    ("rate", "fault"),
    [
        ("No such", "does not exist"),
        ("17.5% (VAT)", "not active"),
        ("20% (VAT on Expenses)", "cannot be used on sales"),
    ],
)
def test_a_rate_that_cannot_be_used_is_held_and_found_by_check(rate, fault):
    rules = tax({"name": "odd", "rate": rate}, FIVE)
    with held("tax_rate_unusable", fault, rate, '"odd"'):
        choose(rules)
    (words,) = check_tax(rules, RATES)
    assert fault in words
    assert '"Zero Rated"' in words


def test_check_says_when_no_rate_is_usable():
    assert check_tax(tax(FIVE), ())[0].endswith("usable rates: none.")


def test_a_contacts_unknown_code_is_held():
    with held("tax_rate_unusable", "NOPE", "Acme Ltd"):
        choose(contact=customer(sales_tax="NOPE"))


def test_of_two_rates_with_one_name_the_usable_one_is_meant():
    dead = msgspec.structs.replace(VAT5, code="DEAD", active=False)
    choice = choose(tax(FIVE), rates=(dead, *RATES))
    assert choice.rate == VAT5


def test_with_nothing_to_go_by_it_is_held():
    bare = msgspec.structs.replace(SALES, tax_code=None)
    with held("tax_unknown", '"Widget"', "200"):
        choose(account=bare)
