"""Which of the organisation's tax rates a line bears, and which rule said so.

The order is BOOKKEEPING's ("Tax"): a forced rule, the contact's own tax type, the rules, the
account's default. No tax is calculated and no rate is guessed here: what is not known is held.
"""

from __future__ import annotations

import msgspec

from syncjob.core.money import plain
from syncjob.core.policy import Tax, TaxRule
from syncjob.core.records import Account, Contact, Line, TaxRate
from syncjob.core.rules.texts import line_label
from syncjob.errors import Held


class Choice(msgspec.Struct, frozen=True):
    """The rate chosen, and because of which rule (words for --why)."""

    rate: TaxRate
    because: str


def tax_for(
    line: Line,
    contact: Contact | None,
    policy: Tax,
    account: Account,
    rates: tuple[TaxRate, ...],
    registered: bool,
) -> Choice:
    """The line's rate.

    A percentage of 0 in the CRM is no statement, whatever the tax method: Pipedrive writes 0 into
    every row nobody has touched. Only another percentage is compared with the rate's own. A rule
    for `percent: 0` still matches such rows: there the firm itself has said what 0 means.

    Raises Held: "tax_rate_unusable", "tax_unknown", "tax_unregistered", "tax_differs".
    """
    choice = _choose(line, contact, policy, account, rates)
    rate = choice.rate
    if not registered and rate.percent > 0:
        raise Held(
            "tax_unregistered",
            f'{_start(line)} would bear "{rate.name}" ({plain(rate.percent)}%), '
            "but the organisation is not registered for tax.",
            field="tax",
            next_step="Give the rule, the contact or the account a rate of 0%, "
            "or record the registration in the ledger.",
        )
    if line.tax_percent and line.tax_percent != rate.percent and not policy.overrule_crm:
        raise Held(
            "tax_differs",
            f'{_start(line)} has {plain(line.tax_percent)}% tax in the CRM, but "{rate.name}" '
            f"({choice.because}) is {plain(rate.percent)}%.",
            field="tax",
            next_step="Correct the line's tax in the CRM, or the rule in invoices.tax.rules.",
        )
    return choice


def check_tax(policy: Tax, rates: tuple[TaxRate, ...]) -> list[str]:
    """One line for each rate that a rule names and the organisation cannot use on a sale."""
    usable = ", ".join(f'"{r.name}"' for r in rates if _fault(r) is None) or "none"
    lines = []
    for rule in policy.rules:
        fault = _fault(_by_name(rule.rate, rates)) if rule.rate else None
        if fault:
            lines.append(
                f'invoices.tax.rules "{rule.name}": the tax rate "{rule.rate}" {fault}; '
                f"usable rates: {usable}."
            )
    return lines


def _choose(
    line: Line,
    contact: Contact | None,
    policy: Tax,
    account: Account,
    rates: tuple[TaxRate, ...],
) -> Choice:
    matching = [rule for rule in policy.rules if _applies(rule, line)]
    for rule in matching:
        if rule.force:
            return _by_rule(line, rule, rates)
    if contact and contact.sales_tax:
        because = f'the contact "{contact.name}" has it in the ledger'
        return _by_code(line, contact.sales_tax, because, rates)
    for rule in matching:
        return _by_rule(line, rule, rates)
    if account.tax_code:
        because = f'it is the default of the account {account.code} "{account.name}"'
        return _by_code(line, account.tax_code, because, rates)
    raise Held(
        "tax_unknown",
        f"Nothing says which tax {_start(line, small=True)} bears: no rule fits, and neither "
        f"the contact nor the account {account.code} has a tax rate.",
        field="tax",
        next_step="Add a rule to invoices.tax.rules, or set the account's tax rate.",
    )


def _applies(rule: TaxRule, line: Line) -> bool:
    return rule.when.percent is None or line.tax_percent == rule.when.percent


def _by_rule(line: Line, rule: TaxRule, rates: tuple[TaxRate, ...]) -> Choice:
    because = f'the {"forced " if rule.force else ""}rule "{rule.name}" says so'
    wanted = rule.rate or ""
    return Choice(_usable(line, wanted, _by_name(wanted, rates), because), because)


def _by_code(line: Line, code: str, because: str, rates: tuple[TaxRate, ...]) -> Choice:
    rate = next((r for r in rates if r.code == code), None)
    return Choice(_usable(line, code, rate, because), because)


def _by_name(name: str, rates: tuple[TaxRate, ...]) -> TaxRate | None:
    """By name without regard to case; of two with one name, the one that can be used."""
    named = [r for r in rates if r.name.casefold() == name.casefold()]
    return next((r for r in named if _fault(r) is None), named[0] if named else None)


def _fault(rate: TaxRate | None) -> str | None:
    if rate is None:
        return "does not exist in the organisation"
    if not rate.active:
        return "is not active"
    return None if rate.for_sales else "cannot be used on sales"


def _usable(line: Line, wanted: str, rate: TaxRate | None, because: str) -> TaxRate:
    fault = _fault(rate)
    if rate is not None and fault is None:
        return rate
    raise Held(
        "tax_rate_unusable",
        f'{_start(line)} would bear the tax rate "{wanted}" ({because}), but it {fault}.',
        field="tax",
        next_step="Name a usable sales tax rate there; `syncjob check` lists them.",
    )


def _start(line: Line, *, small: bool = False) -> str:
    label = line_label(line)
    return f"the {label}" if small else f"The {label}"
