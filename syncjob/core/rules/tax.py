"""Which of the organisation's tax rates a line bears, and which rule said so.

The order is BOOKKEEPING's ("Tax"): a forced rule, the contact's own tax type, the rules, the
account's default. No tax is calculated and no rate is guessed here: what is not known is held.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncjob.core.money import plain
from syncjob.core.policy import Tax, TaxRule
from syncjob.core.records import Account, Contact, LedgerReference, Line, TaxRate
from syncjob.core.rules.choosing import first_match, said
from syncjob.core.rules.texts import line_label
from syncjob.core.rules.when import Facts, LineFacts
from syncjob.errors import Held


class Choice(msgspec.Struct, frozen=True):
    """The rate chosen, because of which rule (words for --why), and that rule if it was one."""

    rate: TaxRate
    because: str
    rule: TaxRule | None = None


def tax_for(
    line: LineFacts,
    facts: Facts,
    contact: Contact | None,
    account: Account,
    ledger: LedgerReference,
) -> Choice:
    """The line's rate.

    A percentage of 0 in the CRM is no statement, whatever the tax method: Pipedrive writes 0 into
    every row nobody has touched. Only another percentage is compared with the rate's own. A rule
    for `percent: 0` still matches such rows: there the firm itself has said what 0 means.

    Raises Held: "tax_rate_unusable", "tax_unknown", "tax_held", "tax_number_missing",
    "tax_unregistered", "tax_differs", and what `first_match` raises.
    """
    choice = _choose(line, facts, contact, account, ledger.tax_rates)
    _check(choice, line.line, facts, registered=ledger.organisation.tax_registered)
    return choice


def rate_named(line: Line, name: str, because: str, rates: tuple[TaxRate, ...]) -> Choice:
    """A rate by its name, for a line whose rate the config names outright. Raises Held
    "tax_rate_unusable"."""
    return Choice(_usable(line, name, _by_name(name, rates), because), because)


def _check(choice: Choice, line: Line, facts: Facts, *, registered: bool) -> None:
    rate, policy = choice.rate, facts.policy.tax
    if choice.rule and choice.rule.needs_tax_number and not facts.tax_number:
        raise Held(
            "tax_number_missing",
            f'{_start(line)} bears "{rate.name}" by the rule "{choice.rule.name}", which needs the '
            "customer's tax number, and there is none.",
            field="tax_number",
            next_step="Enter the number on the contact in the ledger.",
        )
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


def check_tax(policy: Tax, rates: tuple[TaxRate, ...], *, registered: bool = True) -> list[str]:
    """One line for each rate that a rule names and the organisation cannot use on a sale: one that
    is not there, not active, not for sales, or taxed though the organisation is not registered."""
    usable = ", ".join(f'"{r.name}"' for r in rates if _fault(r) is None) or "none"
    lines = []
    for rule in policy.rules:
        for name in (rule.rate, *rule.allowed):
            rate = _by_name(name, rates) if name else None
            fault = _fault(rate) if name else None
            if rate is not None and fault is None and rate.percent > 0 and not registered:
                fault = "is taxed, and the organisation is not registered for tax"
            if fault:
                lines.append(
                    f'invoices.tax.rules "{rule.name}": the tax rate "{name}" {fault}; '
                    f"usable rates: {usable}."
                )
    return lines


def fault_of(name: str, rates: Sequence[TaxRate]) -> str | None:
    """Why this rate cannot be used on a sale, in words; None if it can."""
    return _fault(_by_name(name, tuple(rates)))


def _choose(
    line: LineFacts,
    facts: Facts,
    contact: Contact | None,
    account: Account,
    rates: tuple[TaxRate, ...],
) -> Choice:
    policy = facts.policy.tax
    forced = first_match(policy.rules, facts, line, force=True)
    if forced is not None:
        return _by_rule(line.line, forced, facts, rates)
    if contact and contact.sales_tax:
        because = f'the contact "{contact.name}" has it in the ledger'
        return _by_code(line.line, contact.sales_tax, because, rates)
    rule = first_match(policy.rules, facts, line, force=False)
    if rule is not None:
        return _by_rule(line.line, rule, facts, rates)
    if account.tax_code and not _must_be_listed(facts):
        because = f'it is the default of the account {account.code} "{account.name}"'
        return _by_code(line.line, account.tax_code, because, rates)
    raise _unknown(line.line, facts, account)


def _must_be_listed(facts: Facts) -> str:
    """Why the account's default is no answer, in words; "" where it is one.

    In the US a firm that lists rates by place lists all of them: an address that is not among
    them is held (BOOKKEEPING, "Tax").
    """
    policy = facts.policy.tax
    if policy.otherwise == "hold":
        return "invoices.tax.otherwise says hold"
    listed = any(rule.when.regions or rule.when.countries for rule in policy.rules)
    return "in the US an address must be listed" if listed and facts.groups.home == "US" else ""


def _unknown(line: Line, facts: Facts, account: Account) -> Held:
    why = f"neither the contact nor the account {account.code} has a tax rate"
    listed = _must_be_listed(facts)
    if listed:
        place = facts.place
        where = ", ".join(part for part in (place.region, place.country) if part) or "not known"
        why = f"{listed} (the place is {where}, from {place.source})"
    return Held(
        "tax_unknown",
        f"Nothing says which tax {_start(line, small=True)} bears: no rule fits, and {why}.",
        field="tax",
        next_step="Add a rule to invoices.tax.rules, or set the account's tax rate.",
    )


def _by_rule(line: Line, rule: TaxRule, facts: Facts, rates: tuple[TaxRate, ...]) -> Choice:
    if rule.hold is not None:
        raise Held(
            "tax_held",
            f'{_start(line)} is held by the rule "{rule.name}": {rule.hold}',
            field="tax",
            next_step="Make this invoice by hand, or add a rule for it above this one.",
        )
    because = f'the {"forced " if rule.force else ""}rule "{rule.name}" says so'
    wanted = rule.rate or said(rule, facts) or ""
    return Choice(_usable(line, wanted, _by_name(wanted, rates), because), because, rule)


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
