"""The accounting endpoints: from a request and an organisation to an answer."""

from __future__ import annotations

from collections.abc import Callable

from syncjob.sandbox.kernel import Reply
from syncjob.sandbox.xero import papers, reading, settings, views
from syncjob.sandbox.xero.answers import (
    Context,
    Json,
    answer_list,
    bad_request,
    envelope,
    missing,
    reply,
    summary,
    write_all,
)
from syncjob.sandbox.xero.contact_views import contact_view, open_documents
from syncjob.sandbox.xero.contacts import CONTACT_FIELDS, save_contact
from syncjob.sandbox.xero.invoices import INVOICE_FIELDS, Writer, save_invoice
from syncjob.sandbox.xero.models import Contact, Document
from syncjob.sandbox.xero.settle import PAYMENT_FIELDS, remove_payment, save_payment
from syncjob.sandbox.xero.store import Table
from syncjob.sandbox.xero.where import QueryError
from syncjob.sandbox.xero.wire import Element, PostDataInvalid, is_uuid
from syncjob.sandbox.xero.world import Invalid, Organisation

_SEARCHED = ("FirstName", "LastName", "EmailAddress")


# --- contacts


def contacts(ctx: Context, rest: list[str]) -> Reply:
    method, org = ctx.request.method, ctx.org
    match method, rest:
        case "GET", []:
            return _list_contacts(ctx)
        case "GET", [wanted]:
            ctx.check_query("")
            found = org.contacts.get(wanted.lower()) if is_uuid(wanted) else None
            found = found or org.contact_numbered(wanted)
            view = [contact_view(org, found)] if found else []
            return reply(envelope(ctx, "Contacts", view)) if found else missing()
        case (("PUT" | "POST"), []):
            return _write_contacts(ctx, method == "PUT", None)
        case "POST", [wanted] if org.contacts.get(wanted.lower()):
            return _write_contacts(ctx, False, wanted.lower())
    return missing()


def _list_contacts(ctx: Context) -> Reply:
    ctx.check_query("where order IDs page pageSize includeArchived summaryOnly searchTerm")
    request, org = ctx.request, ctx.org
    ids, archived = reading.csv(request, "IDs"), reading.flag(request, "includeArchived")
    term = (request.arg("searchTerm") or "").casefold()

    def keep(c: Contact) -> bool:
        texts = (c.name, c.number or "", *(c.fields.get(n, "") for n in _SEARCHED))
        return (
            (ids is None or c.id in ids)
            and (archived or c.status == "ACTIVE")
            and (not term or any(term in t.casefold() for t in texts))
        )

    page = reading.listed(request, org.contacts.visible(), reading.CONTACT_GETTERS, keep)
    full = page.paged and not reading.flag(request, "summaryOnly")
    debts = open_documents(org) if full else {}
    return answer_list(ctx, "Contacts", page, lambda c: contact_view(org, c, full, debts))


def _write_contacts(ctx: Context, create: bool, by_id: str | None) -> Reply:
    def save(sent: Element) -> Json:
        saved = save_contact(ctx.org, sent, create, by_id)
        return contact_view(ctx.org, saved, written=True)

    return write_all(ctx, "Contacts", CONTACT_FIELDS, save, "ContactID", "HasValidationErrors")


# --- invoices


def invoices(ctx: Context, rest: list[str]) -> Reply:
    method = ctx.request.method
    if method == "GET" and not rest:
        return _list_invoices(ctx)
    if method in ("PUT", "POST") and not rest:
        return _write_invoices(ctx, method == "PUT", None)
    found = _find_invoice(ctx.org, rest[0])
    if found is None:
        return missing()
    match method, rest[1:]:
        case "GET", []:
            ctx.check_query("")
            view = views.invoice_view(ctx.org, found, unitdp=ctx.unitdp, single=True)
            return reply(envelope(ctx, "Invoices", [view]))
        case "POST", []:
            return _write_invoices(ctx, False, found.id)
        case "POST", ["Email"]:
            return papers.email(ctx.org, found)
        case "GET", ["OnlineInvoice"] if found.type == "ACCREC" and found.status != "DRAFT":
            url = f"https://in.xero.com/{found.id.replace('-', '')}"
            return reply(envelope(ctx, "OnlineInvoices", [{"OnlineInvoiceUrl": url}]))
    return missing()


def _find_invoice(org: Organisation, wanted: str) -> Document | None:
    found = org.invoices.get(wanted.lower()) if is_uuid(wanted) else None
    return found or org.invoice_numbered(wanted, live_only=False)


def _list_invoices(ctx: Context) -> Reply:
    ctx.check_query(
        "where order IDs InvoiceNumbers ContactIDs Statuses page pageSize includeArchived"
        " createdByMyApp summaryOnly searchTerm"
    )
    request, org = ctx.request, ctx.org
    ids, numbers = reading.csv(request, "IDs"), reading.csv(request, "InvoiceNumbers")
    owners, statuses = reading.csv(request, "ContactIDs"), reading.csv(request, "Statuses")
    mine = ctx.app if reading.flag(request, "createdByMyApp") else None
    term = (request.arg("searchTerm") or "").casefold()

    def keep(d: Document) -> bool:
        return (
            (ids is None or d.id in ids)
            and (numbers is None or d.number.lower() in numbers)
            and (owners is None or d.contact_id in owners)
            and (statuses is None or d.status.lower() in statuses)
            and (mine is None or d.created_by == mine)
            and not (org.options.hide_deleted and d.status == "DELETED")
            and (not term or term in f"{d.number} {d.reference or ''}".casefold())
        )

    page = reading.listed(request, org.invoices.visible(), reading.document_getters(org), keep)
    summary = reading.flag(request, "summaryOnly")
    lines, dp = page.paged and not summary, ctx.unitdp
    return answer_list(
        ctx, "Invoices", page, lambda d: views.invoice_view(org, d, lines, dp, summary)
    )


def _write_invoices(ctx: Context, create: bool, by_id: str | None) -> Reply:
    writer = Writer(ctx.app, ctx.unitdp, create)

    def save(sent: Element) -> Json:
        saved = save_invoice(ctx.org, sent, writer, by_id)
        return views.invoice_view(ctx.org, saved, unitdp=writer.unitdp, single=True)

    return write_all(ctx, "Invoices", INVOICE_FIELDS, save, "InvoiceID", "HasErrors")


# --- payments and credits


def payments(ctx: Context, rest: list[str]) -> Reply:
    method, org = ctx.request.method, ctx.org
    if method == "GET" and not rest:
        ctx.check_query("where order page pageSize")
        getters = reading.payment_getters(org)
        page = reading.listed(ctx.request, org.payments.visible(), getters)
        return answer_list(ctx, "Payments", page, lambda p: views.payment_view(org, p))
    if method in ("PUT", "POST") and not rest:

        def save(sent: Element) -> Json:
            return views.payment_view(org, save_payment(org, sent))

        return write_all(ctx, "Payments", PAYMENT_FIELDS, save, "PaymentID", "HasValidationErrors")
    found = org.payments.get(rest[0].lower())
    if found is None or method not in ("GET", "POST"):
        return missing()
    if method == "POST":
        return _delete_payment(ctx, rest[0].lower())
    return reply(envelope(ctx, "Payments", [views.payment_view(org, found)]))


def _delete_payment(ctx: Context, id: str) -> Reply:
    def save(sent: Element) -> Json:
        if sent.text("Status") != "DELETED":
            raise Invalid("Only the Status DELETED can be set on a payment")
        return views.payment_view(ctx.org, remove_payment(ctx.org, ctx.org.payments[id]))

    return write_all(ctx, "Payments", PAYMENT_FIELDS, save, "PaymentID", "HasValidationErrors")


def credits(ctx: Context, rest: list[str], plural: str, kind: str) -> Reply:
    """CreditNotes, Prepayments and Overpayments; only credit notes are written to."""
    org, request = ctx.org, ctx.request
    table: Table[Document] = org.credits
    if plural == "CreditNotes" and request.method in ("PUT", "POST"):
        return papers.write_credit_notes(ctx, rest)
    if request.method != "GET":
        return missing()
    if not rest:
        ctx.check_query("where order page pageSize InvoiceNumbers references")
        getters = reading.document_getters(org)
        rows = [d for d in table.visible() if d.type == kind]
        page = reading.listed(request, rows, getters)
        dp = ctx.unitdp
        return answer_list(ctx, plural, page, lambda d: views.credit_view(org, d, page.paged, dp))
    found = table.get(rest[0].lower()) or table.first(lambda d: d.number == rest[0])
    if found is None or found.type != kind:
        return missing()
    view = views.credit_view(org, found, unitdp=ctx.unitdp, single=True)
    return reply(envelope(ctx, plural, [view]))


ROUTES: dict[str, Callable[[Context, list[str]], Reply]] = {
    "Contacts": contacts,
    "Invoices": invoices,
    "Payments": payments,
    "CreditNotes": lambda c, r: credits(c, r, "CreditNotes", "ACCRECCREDIT"),
    "Prepayments": lambda c, r: credits(c, r, "Prepayments", "ARPREPAYMENT"),
    "RepeatingInvoices": papers.repeating_invoices,
    "Overpayments": lambda c, r: credits(c, r, "Overpayments", "AROVERPAYMENT"),
}


def dispatch(ctx: Context, resource: str, rest: list[str]) -> Reply:
    """One call, with Xero's own words for what it cannot read."""
    try:
        if resource in ROUTES:
            return ROUTES[resource](ctx, rest)
        return settings.dispatch(ctx, resource, rest)
    except Invalid as error:
        found = [{"ValidationErrors": [{"Message": m} for m in error.messages]}]
        return reply(summary(found), 400, "refused")
    except PostDataInvalid as error:
        return bad_request(14, "PostDataInvalidException", str(error))
    except QueryError as error:
        return bad_request(16, "QueryParseException", str(error))
