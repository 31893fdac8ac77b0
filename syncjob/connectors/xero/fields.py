"""What Xero calls the fields that we write, how long they may be, and how it normalises them.

Limits are those of Xero's specification and SDK (facts: xero, 3 and 5). Rules may read them to
hold a record early; `unfit` in codec_write.py reads them last, so that a value that cannot be
stored is refused by name and never sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

from syncjob.core.money import plain

#: Ten times what Xero takes as a line's amount (facts: xero, 3): nothing real is larger.
AMOUNT_LIMIT = Decimal(10) ** 11

#: Characters that no XML document can hold, which is what Xero keeps records in.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"[ \t\n\u00a0]+")
_COUNTRY = re.compile(r"^[A-Za-z ]+$")
_EMAIL = re.compile(r"^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+\.[\x21-\x3f\x41-\x7e]+$")


def one_line(value: str) -> str:
    """Trimmed, without control characters, runs of space as one."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()  # as most are
    return _SPACES.sub(" ", _FORBIDDEN.sub("", value.replace("\r", "\n"))).strip()


def many_lines(value: str) -> str:
    """Trimmed, line ends as one kind, without control characters."""
    if value.isascii() and value.isprintable():
        return value.strip()
    return _FORBIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: our path to it in the action's payload, Xero's name, its type and limits."""

    path: str
    wire: str
    kind: Literal["text", "email", "url", "number", "day", "code"]
    #: Most characters of a text; 0 for other kinds.
    length: int = 0
    #: Decimals that Xero keeps of a number.
    digits: int = 0
    needed: bool = False
    normalise: Callable[[str], str] = one_line


CONTACT_FIELDS: tuple[Field, ...] = (
    Field(path="marker", wire="ContactNumber", kind="text", length=50, needed=True),
    Field(path="name", wire="Name", kind="text", length=255, needed=True),
    Field(path="first_name", wire="FirstName", kind="text", length=255),
    Field(path="last_name", wire="LastName", kind="text", length=255),
    Field(path="email", wire="EmailAddress", kind="email", length=255),
    Field(path="phone", wire="Phones.PhoneNumber", kind="text", length=50),
    Field(path="tax_number", wire="TaxNumber", kind="text", length=50),
    Field(path="address.line1", wire="Addresses.AddressLine1", kind="text", length=500),
    Field(path="address.line2", wire="Addresses.AddressLine2", kind="text", length=500),
    Field(path="address.line3", wire="Addresses.AddressLine3", kind="text", length=500),
    Field(path="address.line4", wire="Addresses.AddressLine4", kind="text", length=500),
    Field(path="address.city", wire="Addresses.City", kind="text", length=255),
    Field(path="address.region", wire="Addresses.Region", kind="text", length=255),
    Field(path="address.postal_code", wire="Addresses.PostalCode", kind="text", length=50),
    Field(path="address.country", wire="Addresses.Country", kind="text", length=50),
)

INVOICE_FIELDS: tuple[Field, ...] = (
    Field(path="contact_id", wire="Contact.ContactID", kind="code", needed=True),
    Field(path="number", wire="InvoiceNumber", kind="text", length=255),
    Field(path="reference", wire="Reference", kind="text", length=255),
    Field(path="url", wire="Url", kind="url", length=2000),
    Field(path="currency", wire="CurrencyCode", kind="code", length=3, needed=True),
    Field(path="date", wire="Date", kind="day", needed=True),
    Field(path="due_date", wire="DueDate", kind="day", needed=True),
    Field(path="line_amounts", wire="LineAmountTypes", kind="code", needed=True),
)

#: Of repeating invoices and credit notes.
PAPER_FIELDS: tuple[Field, ...] = (
    Field(path="contact_id", wire="Contact.ContactID", kind="code", needed=True),
    Field(path="reference", wire="Reference", kind="text", length=255, needed=True),
    Field(path="currency", wire="CurrencyCode", kind="code", length=3, needed=True),
    Field(path="line_amounts", wire="LineAmountTypes", kind="code", needed=True),
)

#: A discount is kept to 2 decimals while the line amount was made with all of them, and such a
#: line cannot be approved (Xero's forum; github.com/XeroAPI/Xero-Net/issues/198).
LINE_FIELDS: tuple[Field, ...] = (
    Field(path="description", wire="Description", kind="text", length=4000, normalise=many_lines),
    Field(path="quantity", wire="Quantity", kind="number", digits=4, needed=True),
    Field(path="unit_price", wire="UnitAmount", kind="number", digits=4, needed=True),
    Field(path="discount_percent", wire="DiscountRate", kind="number", digits=2),
    Field(path="discount_amount", wire="DiscountAmount", kind="number", digits=2),
    Field(path="tax_code", wire="TaxType", kind="code", length=50),
    Field(path="account", wire="AccountCode", kind="code", length=10),
    Field(path="item", wire="ItemCode", kind="code", length=30),
)

#: All of them, by the kind of record.
FIELDS: dict[str, tuple[Field, ...]] = {
    "contact": CONTACT_FIELDS,
    "invoice": INVOICE_FIELDS,
    "line": LINE_FIELDS,
    "paper": PAPER_FIELDS,
}


def fault(field: Field, value: str | Decimal | None) -> str | None:
    """Why Xero cannot keep this (normalised) value in this field; None if it can."""
    if value is None or value == "":
        return f"Xero needs a {field.wire}, and there is none." if field.needed else None
    if isinstance(value, Decimal):
        return _number_fault(field, value)
    if field.length and len(value) > field.length:
        return (
            f"Xero keeps at most {field.length} characters in {field.wire}, "
            f"this has {len(value)}: {value[:40]!r}..."
        )
    if field.kind == "email" and not _EMAIL.match(value):
        return f"{value[:80]!r} is not an e-mail address that Xero takes (plain ASCII, one only)."
    if field.kind == "url" and not value.startswith(("https://", "http://")):
        return f"{value[:80]!r} is not an absolute link."
    return None


def _number_fault(field: Field, value: Decimal) -> str | None:
    if not value.is_finite() or abs(value) >= AMOUNT_LIMIT:
        return f"{field.wire} must be below {AMOUNT_LIMIT:,} in size, it is {value}."
    if value != rounded(value, field.digits):
        return f"Xero keeps {field.digits} decimals in {field.wire}, {plain(value)} has more."
    return None


def rounded(value: Decimal, digits: int) -> Decimal:
    """Half up to `digits` decimals; the value must be finite and below AMOUNT_LIMIT."""
    return value.quantize(_STEPS[digits], rounding=ROUND_HALF_UP)


#: The least step of a number with so many decimals.
_STEPS = {digits: Decimal(1).scaleb(-digits) for digits in range(7)}


def is_country(value: str) -> bool:
    """Whether Xero's Country field takes it: letters only, at most 50 (facts: xero, 5)."""
    return bool(_COUNTRY.match(value)) and len(value) <= 50
