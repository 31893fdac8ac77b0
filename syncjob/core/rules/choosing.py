"""Which account a line is posted to and which tracking it bears, and which rule said so.

The order is that of the tax (BOOKKEEPING, "Tax"): a forced rule, the contact's own default in the
ledger, the rules, the default. No field of the CRM names what its rule does not allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from syncjob.core.policy_rules import AccountRule, TaxRule, TrackingRule
from syncjob.core.records import Account, Contact, LedgerReference
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.texts import one_line, short
from syncjob.core.rules.when import Facts, LineFacts, applies
from syncjob.errors import Held

R = TypeVar("R", AccountRule, TaxRule, TrackingRule)


class Posted(NamedTuple):
    """An account, and why this one, in words for --why."""

    account: Account
    because: str


class Tracked(NamedTuple):
    """A tracking category with its option, and why this one."""

    category: str
    option: str
    because: str


def first_match(rules: Sequence[R], facts: Facts, line: LineFacts, *, force: bool) -> R | None:
    """The first rule that applies to a line, of those that are forced or of those that are not.
    Raises Held as `applies` and `said` do, for no rule that stands below."""
    for rule in rules:
        fits = rule.force == force and applies(rule.when, rule.name, facts, line)
        if fits and said(rule, facts) != "":
            return rule
    return None


def said(rule: AccountRule | TaxRule | TrackingRule, facts: Facts) -> str | None:
    """What the deal's field says, in the words that the rule allows; "" where it is empty and None
    where the rule asks no field. Raises Held "field_not_allowed"."""
    if rule.from_field is None:
        return None
    text = one_line(facts.deal.fields.get(rule.from_field))
    if not text:
        return ""
    found = next((v for v in rule.allowed if v.casefold() == text.casefold()), None)
    if found is None:
        raise Held(
            "field_not_allowed",
            f'The field "{rule.from_field}" says "{short(text)}", which the rule "{rule.name}" '
            f"does not allow; it allows {', '.join(rule.allowed)}.",
            field=rule.from_field,
            next_step="Correct the field in the CRM, or add the value to the rule's `allowed`.",
        )
    return found


def account_for(
    line: LineFacts, facts: Facts, contact: Contact | None, ledger: LedgerReference
) -> Posted:
    """The account of a line. Raises Held as `account_of` and `applies` do."""
    policy = facts.policy
    forced = first_match(policy.account_rules, facts, line, force=True)
    if forced is not None:
        return _by_rule(forced, facts, ledger)
    if contact and contact.sales_account:
        who = f'the contact "{contact.name}"'
        account = account_of(contact.sales_account, ledger.accounts, f"{who} in the ledger")
        return Posted(account, f"{who} has it in the ledger")
    rule = first_match(policy.account_rules, facts, line, force=False)
    if rule is not None:
        return _by_rule(rule, facts, ledger)
    return Posted(account_of(policy.account, ledger.accounts), "invoices.account says so")


def _by_rule(rule: AccountRule, facts: Facts, ledger: LedgerReference) -> Posted:
    where = f'the rule "{rule.name}" of invoices.account_rules'
    account = account_of(rule.account or said(rule, facts) or "", ledger.accounts, where)
    return Posted(account, f'the rule "{rule.name}" says so')


def tracking_for(
    line: LineFacts, facts: Facts, contact: Contact | None, ledger: LedgerReference
) -> tuple[Tracked, ...]:
    """One option for each category that somebody names, in the order of the rules, then the
    contact's own. Raises Held "tracking_unknown", "field_not_allowed"."""
    rules = facts.policy.tracking_rules
    chosen: dict[str, Tracked] = {}
    _by_rules(chosen, rules, facts, line, force=True)
    for category, option in contact.sales_tracking if contact else ():
        why = f'the contact "{contact.name if contact else ""}" has it in the ledger'
        chosen.setdefault(category.casefold(), Tracked(category, option, why))
    _by_rules(chosen, rules, facts, line, force=False)
    named = list(dict.fromkeys(rule.category.casefold() for rule in rules))
    order = sorted(chosen, key=lambda key: named.index(key) if key in named else len(named))
    return tuple(_known(chosen[key], ledger) for key in order)


def _by_rules(
    chosen: dict[str, Tracked],
    rules: Sequence[TrackingRule],
    facts: Facts,
    line: LineFacts,
    *,
    force: bool,
) -> None:
    """The first match in each category that has none yet."""
    for category in dict.fromkeys(rule.category.casefold() for rule in rules):
        if category not in chosen:
            own = [rule for rule in rules if rule.category.casefold() == category]
            rule = first_match(own, facts, line, force=force)
            if rule is not None:
                chosen[category] = _tracked(rule, facts)


def _tracked(rule: TrackingRule, facts: Facts) -> Tracked:
    option = rule.option or said(rule, facts) or ""
    return Tracked(rule.category, option, f'the rule "{rule.name}" says so')


def _known(found: Tracked, ledger: LedgerReference) -> Tracked:
    """The category and option as the ledger spells them."""
    if ledger.tracking is None:
        return found
    category = next(
        (t for t in ledger.tracking if t[0].casefold() == found.category.casefold()), None
    )
    options = category[1] if category else ()
    option = next((o for o in options if o.casefold() == found.option.casefold()), None)
    if category is None or option is None:
        has = f"the ledger has {', '.join(options) or 'none'}" if category else "no such category"
        raise Held(
            "tracking_unknown",
            f'A line would bear the tracking {found.category} = "{found.option}" '
            f"({found.because}), which is no active option: {has}.",
            field="tracking",
            next_step="Add the option in the ledger, or correct the rule in "
            "invoices.tracking_rules.",
        )
    return Tracked(category[0], option, found.because)
