"""What holds for an invoice as a whole: its status, its branding theme, its words, its rate.

The status is what the invoice ends as within the mode: no rule and no field raises that.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.policy_base import once_each
from syncjob.core.policy_rules import RATE_DIGITS
from syncjob.core.records import InvoiceLine, LedgerReference
from syncjob.core.rules.tax import Choice
from syncjob.core.rules.texts import one_line, short
from syncjob.core.rules.when import Facts, InvoiceFacts, applies
from syncjob.errors import Held


class Wanted(NamedTuple):
    """What an invoice is to end as, and who says so."""

    status: Literal["draft", "authorised"]
    because: str


class Themed(NamedTuple):
    """A branding theme by id (None: the organisation's own), and who says so."""

    branding: str | None
    because: str


def status_for(facts: Facts, invoice: InvoiceFacts) -> Wanted:
    """What the rules want this invoice to end as. Raises Held as `applies` does."""
    for rule in facts.policy.status_rules:
        if applies(rule.when, rule.name, facts, invoice=invoice):
            return Wanted(rule.status, f'the rule "{rule.name}" says {rule.status}')
    return status_without_rules(facts.policy)


def status_without_rules(policy: Invoices) -> Wanted:
    """What an invoice is to end as that no rule is about."""
    return Wanted(policy.status, f"invoices.status says {policy.status}")


@once_each
def may_be_authorised(policy: Invoices) -> bool:
    """Whether any rule could want an invoice approved."""
    wanted = {policy.status, *(rule.status for rule in policy.status_rules)}
    return "authorised" in wanted


def branding_for(
    facts: Facts, invoice: InvoiceFacts, choices: list[Choice | None], ledger: LedgerReference
) -> Themed:
    """The theme: of the first tax rule that names one, of the branding rules, of the config.
    Raises Held "branding_unknown", and what `applies` raises."""
    for choice in choices:
        if choice and choice.rule and choice.rule.branding:
            return _theme(choice.rule.branding, f'the tax rule "{choice.rule.name}"', ledger)
    for rule in facts.policy.branding_rules:
        if applies(rule.when, rule.name, facts, invoice=invoice):
            return _theme(rule.branding, f'the rule "{rule.name}"', ledger)
    if facts.policy.branding:
        return _theme(facts.policy.branding, "invoices.branding", ledger)
    return Themed(None, "the organisation's default")


def _theme(name: str, who: str, ledger: LedgerReference) -> Themed:
    known = ledger.brandings or ()
    found = next((id for id, theme in known if theme.casefold() == name.casefold()), None)
    if found is None:
        has = ", ".join(theme for _, theme in known) or "none"
        raise Held(
            "branding_unknown",
            f'{who} names the branding theme "{name}", which the ledger does not have: it has '
            f"{has}.",
            field="branding",
            next_step="Correct the name in the config, or add the theme in the ledger.",
        )
    return Themed(found, f'"{name}", because {who} says so')


def text_line(words: str) -> InvoiceLine:
    """A line that is only words: no quantity, no price, no account (facts: the vendor's
    specification, LineItem.Description)."""
    return InvoiceLine(description=words, quantity=Decimal(0), unit_price=Decimal(0))


def rule_texts(facts: Facts, invoice: InvoiceFacts) -> Iterator[tuple[str, str]]:
    """(name of the rule, its text) of every text rule that applies. Raises Held."""
    for rule in facts.policy.texts:
        if applies(rule.when, rule.name, facts, invoice=invoice):
            yield rule.name, rule.text


def currency_rate_for(facts: Facts, inputs: DealInputs, base: str | None) -> Decimal | None:
    """The rate to send: the deal's field, else the config's fixed one, else None (the ledger's
    own of the day; always None in the organisation's currency). Raises Held
    "currency_rate_invalid"."""
    deal = facts.deal
    if deal.currency == base:
        return None
    text = one_line(deal.fields.get(inputs.currency_rate)) if inputs.currency_rate else ""
    if not text:
        return facts.policy.currency_rates.get(deal.currency)
    rate = _positive(text)
    if rate is None:
        raise Held(
            "currency_rate_invalid",
            f'The field "{inputs.currency_rate}" says "{short(text)}", which is no rate above 0 '
            f"with at most {RATE_DIGITS} decimals.",
            field=inputs.currency_rate or "",
            next_step="Correct the field, or empty it to use the ledger's rate of the day.",
        )
    return rate


def _positive(text: str) -> Decimal | None:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    fits = rate.is_finite() and rate > 0 and round(rate, RATE_DIGITS) == rate
    return rate if fits else None
