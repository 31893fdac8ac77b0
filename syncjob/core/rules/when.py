"""Whether a rule applies: its conditions against a deal, its customer, a line, an invoice.

All conditions of a `when` must hold. One that nobody can answer (no country known, nothing said
about goods or services) holds the deal, but only where all others of that rule hold: no rule is
passed over, and none applied, for want of an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.policy_rules import (
    DealWhen,
    InvoiceWhen,
    LineWhen,
    PostedWhen,
    Supply,
    Texts,
    Things,
)
from syncjob.core.records import Contact, CrmReference, Deal, LedgerReference, Line
from syncjob.core.rules.places import Groups, Place, delivered_to, same_region
from syncjob.core.rules.texts import line_label, one_line
from syncjob.errors import Held


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may ask of a deal and its customer; names are lists of what may be meant."""

    deal: Deal
    pipeline: tuple[str, ...]
    owner: tuple[str, ...]
    customer: tuple[str, ...]
    kind: Literal["organization", "person"]
    tax_number: str | None
    place: Place
    groups: Groups
    policy: Invoices


class LineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may ask of a line; `account` holds its code and name once they are known."""

    line: Line
    account: tuple[str, ...] = ()


class InvoiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may ask of a whole invoice."""

    total: Decimal
    new_customer: bool


def facts_of(
    deal: Deal,
    policy: Invoices,
    inputs: DealInputs,
    ledger: LedgerReference,
    contact: Contact | None,
    party: Contact | None,
    crm: CrmReference | None,
) -> Facts:
    """Gathered once for each deal. `contact` is the ledger's, `party` the CRM's customer."""
    home = ledger.organisation.country
    groups = Groups(home.upper() if home else None, policy.places)
    default = next(iter(groups.codes(policy.country)), None) if policy.country else None
    users = [u for u in (crm.users if crm else ()) if u.id == deal.owner_id]
    pipelines = [p for p in (crm.pipelines if crm else ()) if p.id == deal.pipeline_id]
    numbers = (c.tax_number for c in (contact, party) if c is not None)
    return Facts(
        deal=deal,
        pipeline=tuple(p.name for p in pipelines),
        owner=tuple(text for u in users for text in (u.name, u.email) if text),
        customer=tuple(c.name for c in (contact, party) if c and c.name),
        kind="organization" if deal.org_id else "person",
        tax_number=next((n for n in map(one_line, numbers) if n), None),
        place=delivered_to(deal, inputs, contact, party, default),
        groups=groups,
        policy=policy,
    )


def applies(
    when: DealWhen,
    rule: str,
    facts: Facts,
    line: LineFacts | None = None,
    invoice: InvoiceFacts | None = None,
) -> bool:
    """Whether the rule named `rule` applies. `line` is needed for a LineWhen, `invoice` for an
    InvoiceWhen. Raises Held: "place_unknown", "supply_unknown"."""
    if not _deal_fits(when, facts):
        return False
    if isinstance(when, LineWhen) and line is not None and not _line_fits(when, line):
        return False
    if isinstance(when, InvoiceWhen) and invoice is not None and not _sum_fits(when, invoice):
        return False
    if not _known_place_fits(when, facts):
        return False
    known = supply_of(line, facts.policy) if line is not None else None
    wanted = when.supply if isinstance(when, LineWhen) else None
    if wanted and known is not None and known != wanted:
        return False
    _refuse_unknown(when, rule, facts, line, wanted is not None and known is None)
    return True


def supply_of(line: LineFacts, policy: Invoices) -> Supply | None:
    """Goods or services, as the config's lists say; None if they say nothing of such a line."""
    supply = policy.supply
    if _is_one_of(supply.goods, line):
        return "goods"
    return "services" if _is_one_of(supply.services, line) else supply.default


def matches(patterns: Iterable[str], texts: Iterable[str | None]) -> bool:
    """Whether one of the texts fits one of the patterns, without regard to case."""
    known = [one_line(text).casefold() for text in texts if text]
    return any(fnmatchcase(text, wanted.casefold()) for wanted in patterns for text in known)


def _is_one_of(things: Things, facts: LineFacts) -> bool:
    line = facts.line
    return (
        matches(things.categories, (line.category,))
        or matches(things.products, (line.name,))
        or matches(things.skus, (line.sku,))
        or matches(things.accounts, facts.account)
    )


def _deal_fits(when: DealWhen, facts: Facts) -> bool:
    deal = facts.deal
    asked = (
        (when.pipelines, facts.pipeline),
        (when.labels, deal.labels),
        (when.owners, facts.owner),
        (when.currencies, (deal.currency,)),
        (when.customers, facts.customer),
        *((wanted, (deal.fields.get(name),)) for name, wanted in when.fields.items()),
    )
    return (
        all(matches(wanted, known) for wanted, known in asked if wanted)
        and when.customer in (None, facts.kind)
        and when.tax_number in (None, "present" if facts.tax_number else "missing")
    )


def _line_fits(when: LineWhen, facts: LineFacts) -> bool:
    line = facts.line
    asked: list[tuple[Texts, tuple[str | None, ...]]] = [
        (when.products, (line.name,)),
        (when.skus, (line.sku,)),
        (when.categories, (line.category,)),
    ]
    if isinstance(when, PostedWhen):
        asked.append((when.accounts, facts.account))
    fits = all(matches(wanted, known) for wanted, known in asked if wanted)
    return fits and when.percent in (None, line.tax_percent)


def _sum_fits(when: InvoiceWhen, facts: InvoiceFacts) -> bool:
    return (
        (when.total_from is None or facts.total >= when.total_from)
        and (when.total_below is None or facts.total < when.total_below)
        and when.new_customer in (None, facts.new_customer)
    )


def _known_place_fits(when: DealWhen, facts: Facts) -> bool:
    """False only where what is known of the place speaks against the rule."""
    country, region, groups = facts.place.country, facts.place.region, facts.groups
    if country is not None:
        if when.countries and not any(country in groups.codes(c) for c in when.countries):
            return False
        if any(country in groups.codes(c) for c in when.outside):
            return False
    if when.regions and region is not None:
        return any(same_region(region, wanted, country) for wanted in when.regions)
    return True


def _refuse_unknown(
    when: DealWhen, rule: str, facts: Facts, line: LineFacts | None, no_supply: bool
) -> None:
    """Raise Held where the rule would apply if only somebody said what it asks."""
    missing = []
    if (when.countries or when.outside) and facts.place.country is None:
        missing.append("country")
    if when.regions and facts.place.region is None:
        missing.append("region")
    if missing:
        raise Held(
            "place_unknown",
            f'The rule "{rule}" asks for the {" and the ".join(missing)} of delivery, and neither '
            "the deal nor an address of the customer names it.",
            field="address",
            next_step="Complete the customer's address in the ledger or the CRM, or set "
            "invoices.country for addresses that name no country.",
        )
    if no_supply and line is not None:
        raise Held(
            "supply_unknown",
            f'The rule "{rule}" asks whether the {line_label(line.line)} is goods or services, '
            "and invoices.supply does not say.",
            field="supply",
            next_step="Name its category or product in invoices.supply, or set its default.",
        )
