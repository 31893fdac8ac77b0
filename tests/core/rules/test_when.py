"""When a rule applies: names, places, kinds; and what is held where nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.policy import DealInputs
from syncjob.core.policy_rules import DealWhen, InvoiceWhen, LineWhen, PostedWhen, Supplies
from syncjob.core.records import Address, Organisation
from syncjob.core.rules.places import EU, Groups, delivered_to, same_region
from syncjob.core.rules.when import Facts, InvoiceFacts, LineFacts, applies, facts_of
from tests.core.make import D, crm, customer, deal, held, ledger, line, organization, policy

UK = Organisation(id="o", name="N", country="GB", currency="GBP")


def facts(contact: Any = None, party: Any = None, rules: Any = None, **changes: Any) -> Facts:
    base = {"pipeline_id": "1", "owner_id": "u1", "labels": ("Key account",)}
    return facts_of(
        deal(**{**base, **changes}), rules or policy(), DealInputs(delivery_country="To"),
        ledger(organisation=UK), contact, party, crm(),
    )  # fmt: skip


def at(country: str | None = None, text: str | None = None, region: str | None = None) -> Any:
    return customer(address=Address(country=country, text=text, region=region))


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({}, True),
        ({"pipelines": "sales"}, True),
        ({"pipelines": ["Partners", "S*"]}, True),
        ({"pipelines": "Partners"}, False),
        ({"labels": "key *"}, True),
        ({"owners": "ann@acme.test"}, True),
        ({"owners": "Bob"}, False),
        ({"currencies": ["EUR", "GBP"]}, True),
        ({"customers": "acme*"}, True),
        ({"customer": "person"}, False),
        ({"tax_number": "missing"}, True),
        ({"tax_number": "present"}, False),
        ({"fields": {"Sector": ["Public", "Charity"]}}, True),
        ({"fields": {"Sector": "Private"}}, False),
        ({"fields": {"Nowhere": "x"}}, False),
        ({"pipelines": "Sales", "currencies": "EUR"}, False),
    ],
)
def test_conditions_of_a_deal(when: dict[str, Any], fits: bool) -> None:
    asked = facts(customer(), fields={"Sector": "charity"})
    assert applies(DealWhen(**when), "a rule", asked) is fits


@pytest.mark.parametrize(
    ("contact", "when", "fits"),
    [
        (at("Germany"), {"countries": "EU"}, True),
        (at("DE"), {"countries": ["FR", "Deutschland"]}, True),
        (at("Switzerland"), {"countries": "EU"}, False),
        (at("United Kingdom"), {"countries": "home"}, True),
        (at("Norway"), {"outside": "home"}, True),
        (at("GB"), {"outside": "home"}, False),
        (at("Norway"), {"countries": "nordics"}, True),
        (at(text="1 Main St, Austin, TX 78701, USA"), {"regions": "Texas"}, True),
        (at("US", region="California"), {"regions": ["CA"]}, True),
        (at("US", region="NY"), {"regions": ["CA"]}, False),
    ],
)
def test_conditions_of_a_place(contact: Any, when: dict[str, Any], fits: bool) -> None:
    rules = policy(places={"Nordics": ["DK", "Norway", "SE"]})
    assert applies(DealWhen(**when), "a rule", facts(contact, rules=rules)) is fits


def test_a_place_that_nobody_names_is_held_only_where_it_matters() -> None:
    asked = facts(at(text="1 High Street, Leeds"))
    with held("place_unknown", '"exports"', "country"):
        applies(DealWhen(outside=["home"]), "exports", asked)
    assert not applies(DealWhen(outside=["home"], currencies=["EUR"]), "exports", asked)
    settled = facts(at(text="1 High Street, Leeds"), rules=policy(country="home"))
    assert not applies(DealWhen(outside=["home"]), "exports", settled)
    with held("place_unknown", "region"):
        applies(DealWhen(countries="US", regions="NY"), "new york", facts(at("US")))


def test_delivery_comes_before_billing_and_the_deals_own_field_before_both() -> None:
    both = customer(address=Address(country="DE"), street=Address(country="FR"))
    party = organization(address=Address(text="Storgata 1, Oslo, Norway"))

    def country(contact: Any, **fields: Any) -> str | None:
        sale = deal(fields=fields)
        return delivered_to(
            sale, DealInputs(delivery_country="To"), contact, party, None
        ).country  # fmt: skip

    assert country(both, To="Italy") == "IT"
    assert country(both) == "FR"
    assert country(customer(address=Address(country="DE"))) == "DE"
    assert country(customer()) == "NO"
    assert country(both, To="Atlantis") == "FR"


def test_conditions_of_a_line_and_what_goods_are() -> None:
    rules = policy(
        supply=Supplies(goods={"categories": "Parts"}, services={"accounts": ["2*", "Training"]})
    )
    asked = facts(customer(), rules=rules)
    part = LineFacts(line=line(category="parts", sku="P-1", tax_percent=D(5)))
    hour = LineFacts(line=line(name="Hour"), account=("260", "Training"))
    other = LineFacts(line=line(name="Thing"), account=("400", "Rest"))
    assert applies(LineWhen(supply="goods", skus="P-*", percent=5), "r", asked, part)
    assert not applies(LineWhen(percent=20), "r", asked, part)
    assert applies(PostedWhen(supply="services", accounts=["260"]), "r", asked, hour)
    assert not applies(PostedWhen(supply="goods"), "r", asked, hour)
    with held("supply_unknown", '"Thing"'):
        applies(LineWhen(supply="goods"), "r", asked, other)


def test_conditions_of_an_invoice() -> None:
    invoice = InvoiceFacts(total=D(200), new_customer=True)
    asked = facts(customer())
    assert applies(InvoiceWhen(total_from=200, new_customer=True), "r", asked, invoice=invoice)
    assert not applies(InvoiceWhen(total_below=200), "r", asked, invoice=invoice)
    assert not applies(InvoiceWhen(new_customer=False), "r", asked, invoice=invoice)


def test_groups_and_regions() -> None:
    groups = Groups("NZ", {"Near": ["AU", "home"], "Circle": ["Circle", "DK"]})
    assert groups.codes("near") == {"AU", "NZ"}
    assert groups.codes("circle") == {"DK"}
    assert groups.codes("Atlantis") == frozenset()
    assert len(EU) == 27
    assert same_region("Calif.", "calif", "US")
    assert not same_region("CA", "California", "CA"), "in Canada CA is no state"
