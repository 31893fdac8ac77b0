"""What the config's names are used for in HubSpot: a property's type, choices and purpose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.core.rules.settlement import STATE_WORDS

Entity = Literal["deal", "organization", "person"]
WishKind = Literal["text", "money", "date", "choice", "number", "datetime"]

_TEXT = ("string", "phone_number")
_NUMBER = ("number", *_TEXT)
_DATE = ("date", "datetime", *_TEXT)
_INSTANT = ("datetime", *_TEXT)
_CHOICE = ("enumeration", "bool", *_TEXT)
_ANY = (*_TEXT, "enumeration", "enumeration:checkbox", "bool", "number", "date", "datetime")


class Use(NamedTuple):
    """What one key of the config asks of its property, and in words what that is for."""

    kind: WishKind
    types: tuple[str, ...]
    purpose: str
    options: tuple[str, ...] = ()
    long: bool = False  # more than a line
    unique: bool = False


class Named(NamedTuple):
    """One property that the config names: where, on what, and what it is used for."""

    where: str
    entity: Entity
    name: str
    use: Use
    written: bool


DEAL_USES: dict[str, Use] = {
    "status": Use("choice", _CHOICE, "where the invoice stands", STATE_WORDS),
    "reason": Use("text", _TEXT, "why the deal is held or not invoiced", long=True),
    "number": Use("text", _TEXT, "the invoice's number"),
    "link": Use("text", _TEXT, "opens the invoice in the ledger"),
    "total": Use("money", _NUMBER, "what was invoiced"),
    "due": Use("money", _NUMBER, "what is still to be paid"),
    "paid": Use("money", _NUMBER, "what has been paid"),
    "credited": Use("money", _NUMBER, "what was credited"),
    "due_date": Use("date", _DATE, "the day by which it is to be paid"),
    "paid_on": Use("date", _DATE, "the day of the last payment"),
    "overdue": Use("choice", _CHOICE, "whether it should have been paid by now", ("yes", "no")),
    "overdue_amount": Use("money", _NUMBER, "what should have been paid by now"),
    "overdue_days": Use("number", _NUMBER, "for how many days it should have been paid"),
    "part_paid_since": Use("date", _DATE, "the first payment's day, while more is due"),
    "online": Use("text", _TEXT, "the page where the customer sees and pays the invoice"),
    "synced": Use("datetime", _INSTANT, "when these properties were last written"),
    "do_not_invoice": Use("choice", _ANY, "keeps a deal from being invoiced", ("yes",)),
    "mute_notices": Use("choice", _ANY, "keeps people from being reminded of it", ("yes",)),
    "purchase_order": Use("text", _ANY, "the customer's own number, for the reference"),
    "invoice_date": Use("date", _DATE, "the date that the invoice is to bear"),
    "payment_terms": Use("text", _ANY, "when the invoice falls due, in words"),
    "delivery_address": Use("text", _ANY, "where the goods go"),
    "delivery_country": Use("text", _ANY, "the country that the goods go to"),
    "delivery_region": Use("text", _ANY, "the state or region that they go to"),
    "currency_rate": Use("text", _ANY, "units of the deal's currency for one of ours"),
}
MARKER = Use("text", ("string",), "syncjob's own key of a customer; leave it to syncjob",
             unique=True)  # fmt: skip
CONTACT_USES: dict[str, Use] = {
    "email": Use("text", _TEXT, "where invoices are sent to"),
    "phones": Use("text", _TEXT, "further phone numbers, with commas between them"),
    "postal": Use("text", _TEXT, "the billing address"),
    "street": Use("text", _TEXT, "the address where they are"),
    "tax_number": Use("text", _TEXT, "the VAT, GST or other tax number"),
    "currency": Use("text", (*_TEXT, "enumeration"), "the currency of their bills, such as EUR"),
    "terms": Use("text", _TEXT, "the payment terms, as KIND:DAY"),
}


def named(options: HubSpotOptions) -> Iterator[Named]:
    """Every property that the config names."""
    for key, name in options.fields.names().items():
        yield Named(f"crm.fields.{key}", "deal", name, DEAL_USES[key], True)
    for key, name in options.inputs.names().items():
        yield Named(f"crm.inputs.{key}", "deal", name, DEAL_USES[key], False)
    marker = options.organization_marker
    yield Named("crm.organization_marker", "organization", marker, MARKER, True)
    yield Named("crm.person_marker", "person", options.person_marker, MARKER, True)
    own = options.contact_fields
    kinds: tuple[tuple[Entity, dict[str, str]], ...] = (
        ("organization", own.organization.names()),
        ("person", own.person.names()),
    )
    for entity, names in kinds:
        for key, name in names.items():
            where = f"crm.contact_fields.{entity}.{key}"
            yield Named(where, entity, name, CONTACT_USES[key], True)
