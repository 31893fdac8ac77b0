"""What the rules in a config need to know of both accounts, so that nothing else is read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncjob.core.policy import Invoices
from syncjob.core.policy_base import once_each
from syncjob.core.policy_rules import DealWhen, LineWhen, Things
from syncjob.core.rules.rows import fields_in


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Of the ledger: items, tracking categories, branding themes. Of the CRM: codes (SKUs) and
    categories of products, and the deal's own fields that rules and templates name."""

    items: bool = False
    tracking: bool = False
    brandings: bool = False
    skus: bool = False
    categories: bool = False
    fields: tuple[str, ...] = ()
    #: Products and codes that conditions name, as patterns, for `syncjob check`.
    products_named: tuple[str, ...] = ()
    skus_named: tuple[str, ...] = ()


#: For a connection whose rules name nothing of the kind.
NOTHING = Needs()


@once_each
def needs_of(policy: Invoices) -> Needs:
    """What these rules name."""
    whens = list(conditions(policy))
    listed: list[LineWhen | Things] = [policy.supply.goods, policy.supply.services]
    listed += [when for when in whens if isinstance(when, LineWhen)]
    items = policy.item_code == "sku"
    shown = "{sku}" in policy.description
    return Needs(
        items=items,
        tracking=bool(policy.tracking_rules),
        brandings=bool(policy.branding or policy.branding_rules)
        or any(rule.branding for rule in policy.tax.rules),
        skus=items or shown or any(one.skus for one in listed),
        categories=any(one.categories for one in listed),
        fields=tuple(dict.fromkeys(_fields(policy, whens))),
        products_named=tuple(dict.fromkeys(n for one in listed for n in one.products)),
        skus_named=tuple(dict.fromkeys(n for one in listed for n in one.skus)),
    )


def conditions(policy: Invoices) -> Iterator[DealWhen]:
    """Every `when` of every rule."""
    for rules in (
        policy.account_rules, policy.tracking_rules, policy.tax.rules, policy.status_rules,
        policy.branding_rules, policy.terms.rules, policy.texts,
        policy.schedules,
    ):  # fmt: skip
        for rule in rules:
            yield rule.when


def _fields(policy: Invoices, whens: list[DealWhen]) -> Iterator[str]:
    for when in whens:
        yield from when.fields
    for rule in (*policy.account_rules, *policy.tracking_rules, *policy.tax.rules):
        if rule.from_field:
            yield rule.from_field
    yield from (extra.field for extra in policy.extra_lines)
    for schedule in policy.schedules:
        yield from (part.on.field for part in schedule.parts if part.on.field)
    for template in (policy.description, *(text.text for text in policy.texts)):
        yield from fields_in(template)


def names_anything(things: Things) -> bool:
    """Whether a list of goods or services names anything at all."""
    return bool(things.categories or things.products or things.skus or things.accounts)
