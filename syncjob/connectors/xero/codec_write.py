"""Our payloads in Xero's terms, before they become bytes: values, forms to compare, refusals.

What is computed here once is what the SDK's models are filled with, what `stored_form` says that
Xero holds, and what `unfit` judges, so that the three cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from operator import attrgetter

from syncjob.connectors.xero import contact_write
from syncjob.connectors.xero.fields import (
    CONTACT_FIELDS,
    INVOICE_FIELDS,
    LINE_FIELDS,
    Field,
    fault,
    many_lines,
    one_line,
)
from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    InvoiceChange,
    InvoiceDraft,
    InvoiceUpdate,
    MarkerChange,
    Rejected,
)
from syncjob.core.money import plain
from syncjob.core.records import Contact, Invoice, InvoiceLine
from syncjob.core.rules.arithmetic import is_text

Form = dict[str, str | None]

#: A line's fields by our names, with what becomes of their texts.
_PATHS = tuple((field.path, field.normalise) for field in LINE_FIELDS)
#: Their values; all at once, since a load asks for those of ten lines a deal.
_values = attrgetter(*(path for path, _ in _PATHS))
#: What a line of words says; Xero may answer it with a quantity of its own.
_WORDS = tuple(pair for pair in _PATHS if pair[0] in ("description", "unit_price"))
_DISCOUNTS = ("discount_percent", "discount_amount")


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
    if draft.number or isinstance(invoice, Invoice):
        form["number"] = _clean(invoice.number)  # Xero's own, unless the draft sets one
    if draft.currency_rate is not None:
        rate = invoice.currency_rate
        form["currency_rate"] = None if rate is None else plain(rate)
    if draft.branding or isinstance(invoice, Invoice):
        form["branding"] = invoice.branding  # the organisation's own is Xero's to fill in
    lines = invoice.lines or ()
    form["lines"] = str(len(lines))
    for number, line in enumerate(lines, 1):
        shape = draft.lines[number - 1] if number <= len(draft.lines) else line
        form[f"line{number}"] = line_form(line, shape)
    return form


def line_form(line: InvoiceLine, shape: InvoiceLine) -> str:
    """One line as a text: what `shape` sets of it, and all tracking, discount and item that it
    bears, so that what a person adds shows."""
    if is_text(shape):
        parts = [f"{path}={_text(getattr(line, path), how)}" for path, how in _WORDS]
    else:
        parts = [
            f"{path}={_text(value, how)}"
            for (path, how), value, ours in zip(_PATHS, _values(line), _values(shape), strict=True)
            if not (ours is None or ours == "") or (value and _added(path, shape))
        ]
    if line.tracking:
        tracking = sorted(f"{category}: {option}" for category, option in line.tracking)
        parts.append(f"tracking={', '.join(tracking)}")
    return "; ".join(parts)


def _added(path: str, shape: InvoiceLine) -> bool:
    """Whether a person gave the line this, which ours does not set. Of a discount that we gave,
    Xero may tell both its percentage and its amount."""
    ours = shape.discount_percent is not None or shape.discount_amount is not None
    return path == "item" or (path in _DISCOUNTS and not ours)


def _text(value: Decimal | str | None, how: Callable[[str], str]) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return how(value) if value else ""


def stored_form(action: Action) -> Form:
    """What Xero stores for this action, field by field: the base after a settle."""
    payload = action.payload
    if isinstance(payload, ContactDraft | ContactChange):
        return contact_write.stored_form(payload)
    if isinstance(payload, InvoiceUpdate):
        payload = payload.draft
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
    if isinstance(payload, ContactDraft | ContactChange) and isinstance(record, Contact):
        return contact_write.current_form(payload, record)
    if isinstance(payload, MarkerChange) and isinstance(record, Contact):
        return {"marker": _clean(record.marker)}
    if isinstance(payload, InvoiceUpdate):
        payload = payload.draft
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
    if isinstance(action.payload, ContactChange):
        lasting = contact_write.unfit(action.payload)
        if lasting:
            return lasting
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
    if isinstance(payload, ContactDraft | ContactChange):
        yield from contact_write.judged(payload)
    elif isinstance(payload, InvoiceDraft | InvoiceUpdate):
        payload = payload.draft if isinstance(payload, InvoiceUpdate) else payload
        for field in INVOICE_FIELDS:
            yield field, _clean(str(getattr(payload, field.path) or "")), field.path
        for number, line in enumerate(payload.lines, 1):
            for field, value in zip(LINE_FIELDS, _values(line), strict=True):
                if value is None and not field.needed:
                    continue
                kept = field.normalise(value) if isinstance(value, str) else value
                yield field, kept, f"line {number} {field.path}"
    elif isinstance(payload, MarkerChange):
        yield CONTACT_FIELDS[0], payload.marker, "marker"


def _clean(value: str | None, how: Callable[[str], str] = one_line) -> str | None:
    return (how(value) or None) if value else None


def description(line: InvoiceLine) -> str | None:
    """The description as it is sent: its own line ends, no control characters."""
    return _clean(line.description, many_lines)
