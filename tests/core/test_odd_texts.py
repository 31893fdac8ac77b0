"""Texts that people typed and files that somebody made, read as far as they go."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from syncjob.core.match.phones import canonical
from syncjob.core.plan_file import read_plan, write_plan
from syncjob.core.policy_rules import ExtraLine
from syncjob.core.rules.invoicing import draft_invoice
from syncjob.errors import Held, WrongFile, WrongPlan
from syncjob.reports.csv_file import numbered
from tests.cli.kit import Handle
from tests.core.make import D, context, customer, deal, policy

FREIGHT = ExtraLine(field="Freight", description="Freight", account="200")


@pytest.mark.parametrize(
    ("text", "country"),
    [("+999 123 4567", None), ("+0 1234 567", "AU"), ("00 999 1234567", "GB")],
)
def test_a_number_of_no_country_is_its_digits(text: str, country: str | None) -> None:
    assert canonical(text, country) == "".join(c for c in text if c.isdigit()).lstrip("0")


@pytest.mark.parametrize(
    ("text", "mend"),
    [("50 EUR", "Give the amount in GBP"), ("50 GBP", "Correct"), ("50 or so", "Correct"),
     ("a EUR", "Correct"), ("EUR", "Correct")],
)  # fmt: skip
def test_an_extra_line_in_another_currency_says_which_one_is_wanted(text: str, mend: str) -> None:
    with pytest.raises(Held) as held:
        freight(text)
    assert held.value.code == "extra_line_invalid"
    assert held.value.next_step.startswith(mend)
    assert ("the deal is in GBP" in held.value.what) is (text == "50 EUR")


@pytest.mark.parametrize("text", ["about 20", "12,50", "1 2", "€5", "NaN", "Infinity", "1e"])
def test_an_extra_line_whose_amount_is_none_holds_its_deal(text: str) -> None:
    """It is not left out: the customer would be billed too little."""
    with pytest.raises(Held) as held:
        freight(text)
    assert (held.value.code, held.value.field) == ("extra_line_invalid", "Freight")
    assert text in held.value.what


def test_an_extra_line_from_a_field() -> None:
    assert freight("12.50") == [D("12.50")]
    assert freight("0") == freight("") == []


def freight(text: str) -> list[Any]:
    asked = context(policy=policy(extra_lines=(FREIGHT,)))
    made = draft_invoice(deal(value=None, fields={"Freight": text}), customer(), asked)[0]
    return [line.unit_price for line in made.lines if line.description == "Freight"]


@pytest.mark.parametrize("change", [{"plan": {"actions": 7}}, {"plan": []}, None])
def test_a_sealed_plan_that_holds_something_else(change: dict[str, Any] | None) -> None:
    """By a program that knows how to seal: it is refused for what is in it."""
    content = json.loads(write_plan(Handle().plan_report, "1.0"))
    del content["seal"]
    if change is None:
        del content["plan"]
    content |= change or {}
    plain = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    content["seal"] = hashlib.sha256(plain.encode()).hexdigest()
    with pytest.raises(WrongPlan) as told:
        read_plan(json.dumps(content), "p", "1.0")
    assert "does not hold what a plan holds" in str(told.value)


def test_a_table_with_a_cell_that_is_too_large_names_its_line() -> None:
    """A quote that is never closed makes all that follows one cell."""
    text = 'kind,old,new\ndeal,1,2\ndeal,"3' + "x" * 200_000
    with pytest.raises(WrongFile) as told:
        list(numbered(text, ","))
    assert "Line 3 cannot be read" in str(told.value)
