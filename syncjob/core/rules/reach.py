"""Rules that can never match: `syncjob check` names them before a deal is missed by one.

A rule is out of reach if its own conditions exclude each other, or if an earlier rule takes every
deal that it would take. Only what is certain is told: patterns count as wider where they match the
narrower one's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from syncjob.core.needs import names_anything
from syncjob.core.policy import Invoices
from syncjob.core.policy_rules import (
    AccountRule,
    BrandingRule,
    DealWhen,
    InvoiceWhen,
    LineWhen,
    PostedWhen,
    StatusRule,
    TaxRule,
    TermsRule,
    TextRule,
    TrackingRule,
)
from syncjob.core.policy_schedules import ScheduleRule
from syncjob.core.rules.places import Groups

AnyRule = (
    AccountRule
    | TrackingRule
    | TaxRule
    | StatusRule
    | BrandingRule
    | TermsRule
    | TextRule
    | ScheduleRule
)

#: Conditions that are lists of texts, of which one is enough.
_LISTS = (
    "pipelines", "labels", "owners", "currencies", "customers", "regions", "products", "skus",
    "categories", "accounts",
)  # fmt: skip
_EXACT = ("customer", "tax_number", "supply", "percent", "new_customer")


class Unreached(NamedTuple):
    """A rule that never matches: where it stands in the config, and why in words."""

    where: str
    why: str


def ruled(policy: Invoices) -> Iterator[tuple[str, Sequence[AnyRule], bool]]:
    """(key of the config, its rules, whether the first match ends the search) of all lists."""
    yield "invoices.account_rules", policy.account_rules, True
    yield "invoices.tax.rules", policy.tax.rules, True
    yield "invoices.status_rules", policy.status_rules, True
    yield "invoices.branding_rules", policy.branding_rules, True
    yield "invoices.terms.rules", policy.terms.rules, True
    yield "invoices.schedules", policy.schedules, True
    yield "invoices.texts", policy.texts, False
    for category in dict.fromkeys(r.category.casefold() for r in policy.tracking_rules):
        own = [r for r in policy.tracking_rules if r.category.casefold() == category]
        yield "invoices.tracking_rules", own, True


def unreached(policy: Invoices, home: str | None) -> list[Unreached]:
    """All rules that never match; `home` is the organisation's own country (ISO code)."""
    groups, found = Groups(home, policy.places), []
    for key, rules, first_ends in ruled(policy):
        forced = [r for r in rules if getattr(r, "force", False)]
        order = [*forced, *(r for r in rules if not getattr(r, "force", False))]
        for place, rule in enumerate(order):
            where = f'{key} "{rule.name}"'
            why = contradiction(rule.when, policy, groups)
            if why is None and first_ends:
                above = (r for r in order[:place] if takes_all(r, rule, groups))
                name = next((r.name for r in above), None)
                why = f'the rule "{name}" matches whatever it would match' if name else None
            if why is not None:
                found.append(Unreached(where, why))
    return found


def contradiction(when: DealWhen, policy: Invoices, groups: Groups) -> str | None:
    """Why these conditions can never hold together; None if they can."""
    inside = _codes(when.countries, groups)
    if when.countries and inside and not inside - _codes(when.outside, groups):
        return "its countries are all outside of what it allows"
    if isinstance(when, InvoiceWhen):
        low, high = when.total_from, when.total_below
        if low is not None and high is not None and low >= high:
            return f"no total is {low} or more and below {high}"
    if isinstance(when, LineWhen) and when.supply:
        supply = policy.supply
        listed = supply.goods if when.supply == "goods" else supply.services
        if not names_anything(listed) and supply.default not in (None, when.supply):
            return f"invoices.supply names nothing that is {when.supply}"
    return None


def takes_all(earlier: AnyRule, later: AnyRule, groups: Groups) -> bool:
    """Whether whatever matches `later` has matched `earlier` before."""
    if getattr(earlier, "from_field", None):
        return False  # an empty field lets the next rule have its turn
    one, other = earlier.when, later.when
    return (
        all(_wider(_texts(one, name), _texts(other, name)) for name in _LISTS)
        and all(_value(one, name) in (None, _value(other, name)) for name in _EXACT)
        and all(
            name in other.fields and _wider(wanted, other.fields[name])
            for name, wanted in one.fields.items()
        )
        and _wider_place(one, other, groups)
        and _wider_total(one, other)
    )


def _texts(when: DealWhen, name: str) -> tuple[str, ...]:
    found = getattr(when, name, ())
    assert isinstance(found, tuple)
    return found


def _value(when: DealWhen, name: str) -> object:
    return getattr(when, name, None)


def _wider(one: Sequence[str], other: Sequence[str]) -> bool:
    """No condition is the widest; else each of the other's texts must fit one of the first's."""
    if not one:
        return True
    wide = [text.casefold() for text in one]
    return bool(other) and all(
        any(fnmatchcase(text.casefold(), pattern) for pattern in wide) for text in other
    )


def _codes(names: Sequence[str], groups: Groups) -> frozenset[str]:
    return frozenset().union(*(groups.codes(name) for name in names))


def _wider_place(one: DealWhen, other: DealWhen, groups: Groups) -> bool:
    if not one.countries and not one.outside:
        return True
    inside, barred = _codes(one.countries, groups), _codes(one.outside, groups)
    if other.countries:
        asked = _codes(other.countries, groups) - _codes(other.outside, groups)
        return (not one.countries or asked <= inside) and not asked & barred
    return not one.countries and bool(other.outside) and barred <= _codes(other.outside, groups)


def _wider_total(one: DealWhen, other: DealWhen) -> bool:
    if not isinstance(one, InvoiceWhen) or not isinstance(other, InvoiceWhen):
        return True
    low = one.total_from is None or (
        other.total_from is not None and one.total_from <= other.total_from
    )
    high = one.total_below is None or (
        other.total_below is not None and one.total_below >= other.total_below
    )
    return low and high


def posts(when: DealWhen) -> tuple[str, ...]:
    """The accounts that a condition names."""
    return when.accounts if isinstance(when, PostedWhen) else ()
