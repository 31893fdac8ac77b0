"""One action in words: what it does, and the values that it stores."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    CreditDraft,
    CrmContactDraft,
    DealChange,
    InvoiceChange,
    InvoiceDraft,
    InvoiceEmail,
    InvoiceUpdate,
    MarkerChange,
    Message,
    NoteDraft,
    Task,
    TemplateChange,
    TemplateDraft,
)
from syncjob.core.contacts.words import NAMES, plain_text
from syncjob.core.money import plain
from syncjob.core.rules.texts import one_line


def headline(action: Action) -> str:
    """What one action does, with the number that matters, on one line whatever its names are."""
    return one_line(_head(action))


def _head(action: Action) -> str:
    match action.payload:
        case InvoiceDraft() as draft:
            return f"create draft {draft.marker} of {draft.total:,.2f} {draft.currency}"
        case TemplateDraft() as draft:
            return f"create repeating invoice {draft.marker} of {draft.total:,.2f} {draft.currency}"
        case CreditDraft() as draft:
            return f"create credit note {draft.marker} of {draft.total:,.2f} {draft.currency}"
        case InvoiceUpdate(draft=draft):
            return f"update draft {draft.marker} to {draft.total:,.2f} {draft.currency}"
        case InvoiceChange(status="authorised", invoice_id=invoice):
            return f"approve invoice {invoice}"
        case InvoiceChange(invoice_id=invoice):
            return f"delete our own untouched draft {invoice}"
        case TemplateChange(template_id=template):
            return f"delete our own untouched repeating invoice {template}"
        case InvoiceEmail(invoice_id=invoice):
            return f"have invoice {invoice} e-mailed"
        case DealChange() | NoteDraft() as written:
            return _of_deal(written)
    return _of_people(action)


def _of_deal(written: DealChange | NoteDraft) -> str:
    """The same for the deal itself."""
    if isinstance(written, NoteDraft):
        return f"note in the timeline: {written.happening.replace('_', ' ')}"
    count = len(written.fields.keys() - {written.stamp_field})
    fields = f"write {count} field{'s' if count != 1 else ''} of the deal"
    if written.move is None:
        return fields
    move = f"move the deal to {written.move.stage} ({written.move.pipeline})"
    return f"{move}, {fields}" if count else move


def _of_people(action: Action) -> str:
    """The same for customers, tasks and messages."""
    match action.payload:
        case ContactDraft(name=name):
            return f"create customer {name}"
        case CrmContactDraft(kind=kind, values=values):
            return f"create {kind} {values.get('name') or ''} in the CRM".replace("  ", " ")
        case ContactChange(contact_id=contact, values=values):
            fields = ", ".join(NAMES.get(field, field) for field in values)
            where = f"{contact} of the CRM" if action.side == "crm" else "its ledger contact"
            return f"change {fields} of {where}"
        case MarkerChange(contact_id=contact):
            where = f"{contact} of the CRM" if action.side == "crm" else "its ledger contact"
            return f"put our marker on {where}"
        case Task(subject=subject):
            return f"create task {subject}"
        case Message() as message:
            return f"tell {message.to or message.person or message.way} by {message.way}: " + (
                message.subject
            )
    return action.kind


def values(action: Action) -> Iterator[tuple[str, str | None]]:
    """What it stores, each with its name; None: it is emptied."""
    match action.payload:
        case DealChange(fields=given, move=move):
            yield from given.items()
            if move:
                yield "stage", move.stage
        case NoteDraft(text=text):
            yield "note", text
        case CrmContactDraft(values=given) | ContactChange(values=given):
            yield from ((NAMES.get(f, f), plain_text(f, v)) for f, v in given.items())
        case ContactDraft() as contact:
            names = ("email", "phone", "tax_number", "marker")
            yield from ((n, value) for n in names if (value := getattr(contact, n)))
        case MarkerChange(marker=marker):
            yield "marker", marker
        case Task() as task:
            yield "due", str(task.due)
            yield "note", task.note
        case Message() as message:
            yield "text", message.text
        case _:
            yield from _of_papers(action)


def before_of(action: Action) -> dict[str, str | None]:
    """What stood there, under the names that `values` gives."""
    if not isinstance(action.payload, ContactChange):
        return action.before
    return {NAMES.get(f, f): plain_text(f, v) for f, v in action.before.items()}


def _of_papers(action: Action) -> Iterator[tuple[str, str | None]]:
    """The same for invoices and what hangs on them."""
    match action.payload:
        case InvoiceDraft() as draft:
            yield from _draft_values(draft)
        case InvoiceUpdate(draft=draft):
            yield from _draft_values(draft)
        case InvoiceChange() as change:
            yield "status", change.status
            if change.date:
                yield "date", f"{change.date}, due {change.due_date}"
        case TemplateDraft() as template:
            until = f" until {template.last}" if template.last else ""
            rhythm = f"every {template.period} {template.unit}"
            yield "schedule", f"{rhythm} from {template.first}{until}"
        case CreditDraft() as credit:
            yield "credits", credit.invoice_id


def _draft_values(draft: InvoiceDraft) -> Iterator[tuple[str, str]]:
    yield "date", f"{draft.date}, due {draft.due_date}"
    yield "reference", draft.reference
    yield "net", f"{draft.sub_total:,.2f} + tax {draft.total_tax:,.2f}"
    for line in draft.lines:
        less = f" less {plain(line.discount_percent)}%" if line.discount_percent else ""
        less += f" less {line.discount_amount:,.2f}" if line.discount_amount else ""
        text = f"{plain(line.quantity)} x {line.description or ''} at {plain(line.unit_price)}"
        yield "line", text + less
