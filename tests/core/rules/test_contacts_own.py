"""What a contact has of its own in the ledger comes after a forced rule and before the others."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.policy import DealInputs
from syncjob.core.records import Account
from syncjob.core.rules.invoicing import draft_invoice
from tests.core.make import SALES, D, context, customer, deal, held, ledger, line, policy

WORK = Account(code="260", name="Work", active=True, kind="REVENUE", tax_code="OUTPUT2")
PARTS = Account(code="270", name="Parts", active=True, kind="REVENUE", tax_code="OUTPUT2")
BOOKS = ledger(
    accounts=(SALES, WORK, PARTS), tracking=(("Region", ("North", "South")), ("Team", ("Blue",)))
)


def made(contact: Any = None, sale: Any = None, **rules: Any) -> Any:
    asked = context(policy=policy(**rules), ledger=BOOKS, inputs=DealInputs())
    return draft_invoice(sale or deal(), contact, asked)[0]


@pytest.mark.parametrize(
    ("contact", "force", "code"),
    [(None, False, "260"), (None, True, "260"), ("270", False, "270"), ("270", True, "260")],
)
def test_its_account(contact: str | None, force: bool, code: str) -> None:
    rules = [{"name": "work", "account": "Work", "force": force}]
    invoice = made(customer(sales_account=contact), account_rules=rules)
    assert [one.account for one in invoice.lines] == [code]


@pytest.mark.parametrize(("force", "option"), [(False, "South"), (True, "North")])
def test_its_tracking_category_by_category(force: bool, option: str) -> None:
    rules = [
        {"name": "team", "category": "Team", "option": "blue"},
        {"name": "region", "category": "region", "option": "North", "force": force},
    ]
    contact = customer(sales_tracking=(("REGION", "south"),))
    [one] = made(contact, tracking_rules=rules).lines
    assert one.tracking == (("Team", "Blue"), ("Region", option))


def test_tracking_that_the_ledger_does_not_have_is_held() -> None:
    with held("tracking_unknown", '"West"', "North, South"):
        made(tracking_rules=[{"name": "r", "category": "Region", "option": "West"}])


def test_how_its_prices_stand_to_tax() -> None:
    contact = customer(sales_amounts="inclusive")
    assert made(contact).line_amounts == "inclusive"
    assert made(customer(sales_amounts="exclusive")).line_amounts == "exclusive"
    said = deal(lines=(line(tax_percent=D(20), tax_method="exclusive"),))
    with held("tax_method_differs", "Acme Ltd"):
        made(contact, said)


def test_a_field_chooses_only_what_its_rule_allows() -> None:
    rules = [
        {"name": "field", "from_field": "Account", "allowed": ["260", "270"]},
        {"name": "rest", "account": "200"},
    ]

    def account(said: str | None) -> str | None:
        sale = deal(fields={"Account": said})
        return made(None, sale, account_rules=rules).lines[0].account  # type: ignore[no-any-return]

    assert [account("260"), account(" 270 "), account(None)] == ["260", "270", "200"]
    with held("field_not_allowed", '"200"', "260, 270"):
        account("200")
