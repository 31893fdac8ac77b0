"""Our payloads in Xero's terms, before they become bytes: values, forms to compare, refusals.

What is computed here once is what the SDK's models are filled with, what `stored_form` says that
Xero holds, and what `unfit` judges, so that the three cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from syncjob.connectors.xero.fields import (
    CONTACT_FIELDS,
    INVOICE_FIELDS,
    LINE_FIELDS,
    Field,
    fault,
    is_country,
    many_lines,
    one_line,
)
from syncjob.core.actions import (
    Action,
    ContactDraft,
    InvoiceChange,
    InvoiceDraft,
    MarkerChange,
    Rejected,
)
from syncjob.core.money import plain
from syncjob.core.records import Address, Contact, Invoice, InvoiceLine

Form = dict[str, str | None]

#: Xero has four lines of an address.
ADDRESS_LINES_MAX = 4


def contact_values(draft: ContactDraft) -> Form:
    """The contact as Xero is to store it, keyed by the paths of CONTACT_FIELDS."""
    given = {
        "marker": draft.marker,
        "name": draft.name,
        "first_name": draft.first_name,
        "last_name": draft.last_name,
        "email": draft.email,
        "phone": draft.phone,
        "tax_number": draft.tax_number,
    }
    return {key: _clean(value) for key, value in given.items()} | address_values(draft.address)


def address_values(address: Address | None) -> Form:
    """Lines, city and so on; a country that Xero's Country refuses goes into a free line.

    An address without lines has its whole text as a line, so that no street is lost. More lines
    than Xero has are joined in the last one.
    """
    address = address or Address()
    text = "" if address.lines else one_line(address.text or "")
    lines = [line for line in map(one_line, address.lines or (text,)) if line]
    country = _beside(text, address.country)
    if country and not is_country(country):
        lines, country = [*lines, country], None
    if len(lines) > ADDRESS_LINES_MAX:
        kept = ADDRESS_LINES_MAX - 1
        lines = [*lines[:kept], ", ".join(lines[kept:])]
    padded: list[str | None] = [*lines, *[None] * (ADDRESS_LINES_MAX - len(lines))]
    return {
        **{f"address.line{number}": line for number, line in enumerate(padded, 1)},
        "address.city": _beside(text, address.city),
        "address.region": _beside(text, address.region),
        "address.postal_code": _beside(text, address.postal_code),
        "address.country": country,
    }


def _beside(text: str, part: str | None) -> str | None:
    """A part of an address; None if the address's whole text, sent as its line, has it already."""
    part = _clean(part)
    word = rf"(?<!\w){re.escape(part or '')}(?!\w)"
    return None if part and re.search(word, text, re.IGNORECASE) else part


def contact_form(contact: Contact) -> Form:
    """A contact that Xero holds, keyed and normalised as `contact_values` does."""
    return {
        "marker": _clean(contact.marker),
        "name": _clean(contact.name),
        "first_name": _clean(contact.first_name),
        "last_name": _clean(contact.last_name),
        "email": _clean(contact.emails[0] if contact.emails else None),
        "phone": _clean(contact.phones[0] if contact.phones else None),
        "tax_number": _clean(contact.tax_number),
    } | address_values(contact.address)


def invoice_form(invoice: InvoiceDraft | Invoice, draft: InvoiceDraft) -> Form:
    """An invoice's fields that `draft` sets, normalised; lines as one text each.

    What the draft leaves to Xero (a number, an account's default tax) is left out on both sides.
    """
    form: Form = {
        "contact_id": invoice.contact_id.lower() if invoice.contact_id else None,
        "date": invoice.date.isoformat() if invoice.date else None,
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "currency": invoice.currency.upper(),
        "line_amounts": invoice.line_amounts,
        "reference": _clean(invoice.reference),
        "url": _clean(invoice.url),
        "status": "draft" if isinstance(invoice, InvoiceDraft) else invoice.status,
    }
    if draft.number:
        form["number"] = _clean(invoice.number)
    lines = invoice.lines or ()
    form["lines"] = str(len(lines))
    for number, line in enumerate(lines, 1):
        shape = draft.lines[number - 1] if number <= len(draft.lines) else line
        form[f"line{number}"] = line_form(line, shape)
    return form


def line_form(line: InvoiceLine, shape: InvoiceLine) -> str:
    parts = (f"{field.path}={_text(field, line)}" for field in LINE_FIELDS if _set(field, shape))
    return "; ".join(parts)


def _set(field: Field, line: InvoiceLine) -> bool:
    return getattr(line, field.path) not in (None, "")


def _text(field: Field, line: InvoiceLine) -> str:
    value = getattr(line, field.path)
    if isinstance(value, Decimal):
        return plain(value)
    return field.normalise(value) if value else ""


def stored_form(action: Action) -> Form:
    """What Xero stores for this action, field by field: the base after a settle."""
    payload = action.payload
    if isinstance(payload, ContactDraft):
        return contact_values(payload)
    if isinstance(payload, InvoiceDraft):
        return invoice_form(payload, payload)
    if isinstance(payload, MarkerChange):
        return {"marker": _clean(payload.marker)}
    if isinstance(payload, InvoiceChange):
        return _change_form(payload, payload)
    raise ValueError(f"Xero has nothing for {action.kind}")


def current_form(action: Action, record: Contact | Invoice) -> Form:
    """The fields of `stored_form(action)` as they stand in `record`."""
    payload = action.payload
    if isinstance(payload, ContactDraft) and isinstance(record, Contact):
        return contact_form(record)
    if isinstance(payload, MarkerChange) and isinstance(record, Contact):
        return {"marker": _clean(record.marker)}
    if isinstance(payload, InvoiceDraft) and isinstance(record, Invoice):
        return invoice_form(record, payload)
    if isinstance(payload, InvoiceChange) and isinstance(record, Invoice):
        return _change_form(record, payload)
    raise ValueError(f"{type(record).__name__} is not what {action.kind} writes")


def _change_form(invoice: InvoiceChange | Invoice, change: InvoiceChange) -> Form:
    """Status and the dates that the change sets. Paid is approved and more (DRAFT -> ... -> PAID
    without a person's doing), so it counts as approved."""
    status: str = invoice.status
    form: Form = {"status": "authorised" if status == "paid" else status}
    if change.date:
        form["date"] = invoice.date.isoformat() if invoice.date else None
    if change.due_date:
        form["due_date"] = invoice.due_date.isoformat() if invoice.due_date else None
    return form


def unfit(action: Action) -> Rejected | None:
    """Why this action cannot be stored as it is, known without asking Xero; None if it can."""
    return fault_of(_judged(action))


def fault_of(judged: Iterable[tuple[Field, str | Decimal | None, str]]) -> Rejected | None:
    """The first of these values that cannot be stored, as a refusal by name."""
    for field, value, where in judged:
        words = fault(field, value)
        if words:
            return Rejected(
                code=f"{field.path.partition('.')[0]}_unfit",
                words=words,
                field=where,
                next_step=f"Shorten or mend the {where} in the CRM; it is then tried again.",
            )
    return None


def _judged(action: Action) -> Iterator[tuple[Field, str | Decimal | None, str]]:
    """(field, normalised value, its name for a person) of everything that would be sent."""
    payload = action.payload
    if isinstance(payload, ContactDraft):
        values = contact_values(payload)
        for field in CONTACT_FIELDS:
            yield field, values[field.path], field.path
    elif isinstance(payload, InvoiceDraft):
        for field in INVOICE_FIELDS:
            yield field, _clean(str(getattr(payload, field.path) or "")), field.path
        for number, line in enumerate(payload.lines, 1):
            for field in LINE_FIELDS:
                value = getattr(line, field.path)
                kept = value if isinstance(value, Decimal | None) else field.normalise(value)
                yield field, kept, f"line {number} {field.path}"
    elif isinstance(payload, MarkerChange):
        yield CONTACT_FIELDS[0], payload.marker, "marker"


def _clean(value: str | None, how: Callable[[str], str] = one_line) -> str | None:
    return (how(value) or None) if value else None


def description(line: InvoiceLine) -> str | None:
    """The description as it is sent: its own line ends, no control characters."""
    return _clean(line.description, many_lines)
