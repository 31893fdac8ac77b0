"""The endpoints of what comes after an invoice: repeating invoices, credit notes, e-mail."""

from __future__ import annotations

from dataclasses import replace

from syncjob.sandbox.kernel import Reply
from syncjob.sandbox.xero import reading, views
from syncjob.sandbox.xero.answers import Context, Json, envelope, missing, reply, write_all
from syncjob.sandbox.xero.contact_views import contact_stub
from syncjob.sandbox.xero.credit_notes import CREDIT_FIELDS, save_credit
from syncjob.sandbox.xero.invoices import Writer
from syncjob.sandbox.xero.models import Contact, Document, Template
from syncjob.sandbox.xero.repeating import TEMPLATE_FIELDS, save_template
from syncjob.sandbox.xero.where import Getters
from syncjob.sandbox.xero.wire import Element, ms_date, num
from syncjob.sandbox.xero.world import Invalid, Organisation

# --- repeating invoices: neither pages nor If-Modified-Since (facts: xero, 3)


def repeating_invoices(ctx: Context, rest: list[str]) -> Reply:
    method, org = ctx.request.method, ctx.org
    match method, rest:
        case "GET", []:
            ctx.check_query("where order")
            rows = reading.listed(ctx.request, org.templates.visible(), _GETTERS).rows
            shown = [template_view(org, row) for row in rows]
            return reply(envelope(ctx, "RepeatingInvoices", shown))
        case "GET", [wanted]:
            found = org.templates.get(wanted.lower())
            view = [template_view(org, found)] if found else []
            return reply(envelope(ctx, "RepeatingInvoices", view)) if found else missing()
        case (("PUT" | "POST"), []):
            return _write_templates(ctx, method == "PUT", None)
        case "POST", [wanted] if org.templates.get(wanted.lower()):
            return _write_templates(ctx, False, wanted.lower())
    return missing()


_GETTERS: Getters = {
    "Status": lambda t: t.document.status,
    "Total": lambda t: t.document.total,
    "Reference": lambda t: t.document.reference,
    "RepeatingInvoiceID": lambda t: t.id,
    "UpdatedDateUTC": lambda t: t.document.updated,
}


def _write_templates(ctx: Context, create: bool, by_id: str | None) -> Reply:
    def save(sent: Element) -> Json:
        made = save_template(ctx.org, sent, create, by_id)
        return template_view(ctx.org, made) | {"HasErrors": False}

    return write_all(
        ctx, "RepeatingInvoices", TEMPLATE_FIELDS, save, "RepeatingInvoiceID", "HasErrors"
    )


def template_view(org: Organisation, template: Template) -> Json:
    """One template; a deleted one still answers by its id."""
    document = template.document
    schedule: Json = {
        "Period": template.period,
        "Unit": template.unit,
        "DueDate": template.due_day,
        "DueDateType": template.due_type,
        "StartDate": ms_date(template.start),
        "NextScheduledDate": ms_date(template.next),
    }
    if template.end is not None:
        schedule["EndDate"] = ms_date(template.end)
    view: Json = {"Schedule": schedule, "RepeatingInvoiceID": template.id, "Type": "ACCREC"}
    if document.reference:
        view["Reference"] = document.reference
    return view | {
        "HasAttachments": False,
        **template.flags,
        "ID": template.id,
        "Contact": contact_stub(org.contacts[document.contact_id]),
        "Status": document.status,
        "LineAmountTypes": document.line_amount_types,
        "LineItems": [views.line_view(line, 4) for line in document.lines],
        "SubTotal": num(document.subtotal),
        "TotalTax": num(document.total_tax),
        "Total": num(document.total),
        "CurrencyCode": document.currency,
    }


# --- credit notes


def write_credit_notes(ctx: Context, rest: list[str]) -> Reply:
    """PUT and POST /CreditNotes; allocating is left to people."""
    if len(rest) > 1:
        return missing()
    writer = Writer(ctx.app, ctx.unitdp, ctx.request.method == "PUT" and not rest)
    by_id = rest[0].lower() if rest else None

    def save(sent: Element) -> Json:
        made = save_credit(ctx.org, sent, writer, by_id)
        return views.credit_view(ctx.org, made, unitdp=writer.unitdp, single=True)

    return write_all(ctx, "CreditNotes", CREDIT_FIELDS, save, "CreditNoteID", "HasErrors")


# --- e-mail


def email(org: Organisation, invoice: Document) -> Reply:
    """Sends an approved sales invoice to its contact and to those of the contact's persons who
    are to be copied: no body back, and the invoice counts as sent."""
    contact = org.contacts[invoice.contact_id]
    if invoice.type != "ACCREC" or invoice.status not in ("AUTHORISED", "PAID", "SUBMITTED"):
        raise Invalid("Invoice not of valid status for modification")
    address = contact.fields.get("EmailAddress")
    if not address:
        raise Invalid("An email address is required for the contact of the invoice")
    today = org.today().isoformat()
    cap, sent = org.options.email_cap, sum(mail["Day"] == today for mail in org.emails)
    if cap is not None and sent >= cap:
        raise Invalid("The daily email limit of the organisation has been reached")
    for to in (address, *copied(contact)):
        org.emails.append({"InvoiceID": invoice.id, "To": to, "Day": today})
    org.invoices.put(replace(invoice, sent=True, updated=org.stamp()))
    return Reply(204, effect="applied")


def copied(contact: Contact) -> list[str]:
    """The addresses of the contact's persons who are included in e-mails."""
    persons = (p for p in contact.persons if p.get("IncludeInEmails"))
    return [str(p["EmailAddress"]) for p in persons if p.get("EmailAddress")]
