"""Repeating invoices and credit notes in Xero's terms, before they become bytes and as they stand.

The same forms serve `stored_form` and `current_form`, so that a settle compares like with like.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from syncjob.connectors.xero.codec_write import Form, line_form
from syncjob.connectors.xero.fields import LINE_FIELDS, PAPER_FIELDS, Field, one_line
from syncjob.core.actions import CreditDraft, InvoiceEmail, TemplateChange, TemplateDraft
from syncjob.core.records import CreditNote, Invoice, InvoiceLine, Template

Paper = TemplateDraft | TemplateChange | CreditDraft | InvoiceEmail


def stored_form(payload: Paper) -> Form:
    """What Xero stores for this payload, field by field."""
    if isinstance(payload, TemplateDraft):
        return {
            "contact_id": (payload.contact_id or "").lower() or None,
            "schedule": _schedule(payload.unit, payload.period, payload.first, payload.last),
            "currency": payload.currency.upper(),
            "line_amounts": payload.line_amounts,
            "reference": one_line(payload.reference),
        } | _lines(payload.lines, payload.lines)
    if isinstance(payload, TemplateChange):
        return {"status": "deleted"}
    if isinstance(payload, CreditDraft):
        return {
            "contact_id": payload.contact_id.lower(),
            "currency": payload.currency.upper(),
            "reference": one_line(payload.reference),
            "total": f"{payload.total:.2f}",
        }
    return {"sent": "yes"}


def current_form(payload: Paper, record: Template | CreditNote | Invoice) -> Form:
    """The fields of `stored_form(payload)` as they stand in `record`."""
    if isinstance(payload, TemplateDraft) and isinstance(record, Template):
        return {
            "contact_id": record.contact_id.lower() if record.contact_id else None,
            "schedule": _schedule(record.unit, record.period, record.starts, record.ends),
            "currency": record.currency.upper(),
            "line_amounts": record.line_amounts,
            "reference": one_line(record.reference or "") or None,
        } | _lines(record.lines, payload.lines)
    if isinstance(payload, TemplateChange) and isinstance(record, Template):
        return {"status": record.status}
    if isinstance(payload, CreditDraft) and isinstance(record, CreditNote):
        return {
            "contact_id": record.contact_id.lower() if record.contact_id else None,
            "currency": record.currency.upper(),
            "reference": one_line(record.reference or "") or None,
            "total": f"{record.total:.2f}",
        }
    if isinstance(payload, InvoiceEmail) and isinstance(record, Invoice):
        return {"sent": "yes" if record.sent else "no"}
    raise ValueError(f"{type(record).__name__} is not what a {type(payload).__name__} makes")


def judged(payload: Paper) -> Iterator[tuple[Field, str | Decimal | None, str]]:
    """(field, normalised value, its name for a person) of everything that would be sent."""
    if isinstance(payload, InvoiceEmail | TemplateChange):
        return
    for field in PAPER_FIELDS:
        yield field, one_line(str(getattr(payload, field.path) or "")), field.path
    for number, line in enumerate(payload.lines, 1):
        for field in LINE_FIELDS:
            value = getattr(line, field.path)
            kept = value if isinstance(value, Decimal | None) else field.normalise(value)
            yield field, kept, f"line {number} {field.path}"


def _schedule(unit: str, period: int, first: object, last: object) -> str:
    return f"every {period} {unit} from {first} to {last or 'ever'}"


def _lines(lines: tuple[InvoiceLine, ...], shapes: tuple[InvoiceLine, ...]) -> Form:
    form: Form = {"lines": str(len(lines))}
    for number, line in enumerate(lines, 1):
        shape = shapes[number - 1] if number <= len(shapes) else line
        form[f"line{number}"] = line_form(line, shape)
    return form
