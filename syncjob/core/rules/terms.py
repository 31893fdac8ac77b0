"""When an invoice is due: by the deal, the customer's terms in the ledger, a rule, or the firm.

Due dates are as the terms say, without shifting for weekends (BOOKKEEPING, "Dates"). They are
always computed and sent, because the ledger does not document a default (facts: xero, 3).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import msgspec

from syncjob.core.policy import Terms
from syncjob.core.records import Contact, EarlyOffer, PaymentTerms
from syncjob.core.rules.terms_text import KNOWN_FORMS, TermsSpec, parse_terms
from syncjob.core.rules.texts import one_line, short
from syncjob.core.rules.when import Facts, applies
from syncjob.errors import Held


class Agreed(msgspec.Struct, frozen=True):
    """The terms of one invoice, the offer for early payment, and who said so."""

    terms: PaymentTerms
    early: EarlyOffer | None
    because: str


def terms_for(facts: Facts, contact: Contact | None, field: str | None) -> Agreed:
    """The terms of this deal's invoice; `field` is the deal's own field of terms, if there is one.

    Those are asked who stand in `invoices.terms.order`, then the default. Raises Held
    "terms_unknown" for a text that states no terms, and what `applies` raises.
    """
    policy = facts.policy.terms
    for who in policy.order:
        found = None
        match who:
            case "deal":
                found = _of_deal(facts, field)
            case "contact" if contact and contact.terms:
                because = f'the contact "{contact.name}" has these terms in the ledger'
                found = Agreed(contact.terms, None, because)
            case "rules":
                found = _by_rules(facts)
        if found is not None:
            return found
    spec = default_terms(policy)
    return Agreed(spec.terms, spec.early, f'invoices.terms.default says "{policy.default}"')


def _of_deal(facts: Facts, field: str | None) -> Agreed | None:
    text = one_line(facts.deal.fields.get(field)) if field else ""
    if not text:
        return None
    known = {one_line(k).casefold(): v for k, v in facts.policy.terms.texts.items()}
    spec = parse_terms(known.get(text.casefold(), text))
    if spec is None:
        raise Held(
            "terms_unknown",
            f'The field "{field}" says "{short(text)}", which states no payment terms that are '
            f"understood, such as {KNOWN_FORMS}.",
            field=field or "",
            next_step="Correct the field in the CRM, or say in invoices.terms.texts what it means.",
        )
    return Agreed(spec.terms, spec.early, f'the field "{field}" says "{text}"')


def _by_rules(facts: Facts) -> Agreed | None:
    for rule in facts.policy.terms.rules:
        if applies(rule.when, rule.name, facts):
            spec = parse_terms(rule.terms)
            assert spec is not None  # the config has refused any other text
            return Agreed(spec.terms, spec.early, f'the rule "{rule.name}" says "{rule.terms}"')
    return None


def default_terms(terms: Terms) -> TermsSpec:
    """The firm's own terms."""
    spec = parse_terms(terms.default)
    assert spec is not None  # the config has refused any other text
    return spec


def due_date(day: date, contact: Contact | None, terms: Terms) -> date:
    """The due date by the contact's terms, else the firm's, where nothing is known of a deal."""
    own = contact.terms if contact and "contact" in terms.order else None
    return due_by(own or default_terms(terms).terms, day)


def due_by(terms: PaymentTerms, day: date) -> date:
    """The due date by these terms of an invoice dated `day`; never before it.

    Day 31 means the last day of a shorter month. "Of the current month" with a day that has gone
    by means that day of the next month: an invoice must not be overdue when it is made.
    """
    match terms.kind:
        case "days_after_bill":
            return day + timedelta(days=terms.day)
        case "days_after_month":
            return _in_month(day, 0, 31) + timedelta(days=terms.day)
        case "of_following_month":
            return _in_month(day, 1, terms.day)
        case _:  # of the current month
            due = _in_month(day, 0, terms.day)
            return due if due >= day else _in_month(day, 1, terms.day)


def _in_month(day: date, months_later: int, wanted: int) -> date:
    """Day `wanted` of the month so many months after `day`'s, or that month's last day."""
    years, month = divmod(day.month - 1 + months_later, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(wanted, monthrange(year, month)[1]))
