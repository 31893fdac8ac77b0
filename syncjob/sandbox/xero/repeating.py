"""Repeating invoices: templates that make sales invoices as time passes.

The API creates and deletes them and edits none (spec: createRepeatingInvoices,
updateRepeatingInvoice). Whether a template saved as a draft already makes drafts, or rests until a
person approves it, is not settled (facts: xero, 3), so `draft_templates_run` chooses; how many
decimals it keeps of a price, `template_decimals`.
"""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from syncjob.sandbox.xero.contacts import CONTACT_FIELDS, contact_for_document
from syncjob.sandbox.xero.lines import LINE_FIELDS, check_for_approval, price_lines, with_totals
from syncjob.sandbox.xero.models import Document, Template
from syncjob.sandbox.xero.wire import Element, words
from syncjob.sandbox.xero.world import Invalid, Organisation

TEMPLATE_FIELDS = words(
    "Type Contact Schedule LineItems LineAmountTypes Reference BrandingThemeID CurrencyCode "
    "Status SubTotal TotalTax Total RepeatingInvoiceID ID HasAttachments Attachments "
    "ApprovedForSending SendCopy MarkAsSent IncludePDF"
)
SCHEDULE_FIELDS = words("Period Unit DueDate DueDateType StartDate NextScheduledDate EndDate")
_FLAGS = ("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF")
_DUE = (
    "DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "DAYSAFTERINVOICEDATE", "DAYSAFTERINVOICEMONTH",
    "OFCURRENTMONTH", "OFFOLLOWINGMONTH",
)  # fmt: skip
NOT_FOUND = "The repeating invoice with the supplied id was not found."


def save_template(
    org: Organisation, sent: Element, create: bool, by_id: str | None = None
) -> Template:
    """PUT creates; POST creates or, by an id, deletes: nothing else of a template changes."""
    wanted = by_id or sent.uuid("RepeatingInvoiceID") or sent.uuid("ID")
    if wanted is None:
        return _create(org, sent)
    found = org.templates.get(wanted)
    if create:
        raise Invalid("A RepeatingInvoiceID cannot be given to a new repeating invoice.")
    if found is None:
        raise Invalid(NOT_FOUND)
    if sent.text("Status") != "DELETED":
        raise Invalid("A repeating invoice can only be deleted through the API.")
    return change_status(org, found, "DELETED")


def _create(org: Organisation, sent: Element) -> Template:
    if sent.text("Type") != "ACCREC":
        raise Invalid("The Type must be ACCREC.")
    status = sent.text("Status") or "DRAFT"
    if status not in ("DRAFT", "AUTHORISED"):
        raise Invalid(f"The Status {status} is not valid for a repeating invoice.")
    document = _document(org, sent)
    flags = {name: bool(sent.flag(name)) for name in _FLAGS}
    template = _scheduled(org, document, sent, flags)
    return change_status(org, template, status)


def _document(org: Organisation, sent: Element) -> Document:
    """What each invoice will say; Url is no field of a template (spec)."""
    lines = sent.objects("LineItems", LINE_FIELDS)
    if not lines:
        raise Invalid("One or more line items must be specified")
    currency = sent.text("CurrencyCode") or org.region.currency
    if currency not in org.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    reference = sent.text("Reference")
    if len(reference or "") > 255:
        raise Invalid("The Reference must not exceed 255 characters.")
    style = sent.text("LineAmountTypes") or "Exclusive"
    if style not in ("Exclusive", "Inclusive", "NoTax"):
        raise Invalid(f"The LineAmountTypes {style} is not valid.")
    contact = contact_for_document(org, sent.object("Contact", CONTACT_FIELDS))
    blank = Document(
        org.entropy.uuid(), "ACCREC", contact.id, org.today(), "DRAFT", currency,
        org.rate(currency) if currency != org.region.currency else Fraction(1),
        reference=reference, line_amount_types=style, theme_id=org.theme_id,
    )  # fmt: skip
    priced = price_lines(org, lines, (), org.options.template_decimals)
    document = with_totals(org, replace(blank, lines=priced))
    if document.total < 0:
        raise Invalid("The document total must not be negative.")
    return document


def _scheduled(
    org: Organisation, document: Document, sent: Element, flags: dict[str, bool]
) -> Template:
    schedule = sent.object("Schedule", SCHEDULE_FIELDS)
    if schedule is None:
        raise Invalid("A Schedule must be specified")
    period, due_day = _whole(schedule, "Period"), _whole(schedule, "DueDate")
    unit, due_type = schedule.text("Unit"), schedule.text("DueDateType")
    start, end = schedule.day("StartDate"), schedule.day("EndDate")
    if unit not in ("WEEKLY", "MONTHLY") or period < 1:
        raise Invalid("The Schedule needs a Period of at least 1 and a Unit WEEKLY or MONTHLY")
    if due_type not in _DUE:
        raise Invalid(f"The DueDateType {due_type} is not valid")
    if due_type.startswith("OF") and not 1 <= due_day <= 31:
        raise Invalid("The DueDate must be between 1 and 31")
    if start is None:
        raise Invalid("The StartDate must be specified")
    if end is not None and end < start:
        raise Invalid("The EndDate must not be before the StartDate")
    return Template(
        document.id, document, unit, period, start, end, due_day, due_type, start, flags
    )


def _whole(sent: Element, name: str) -> int:
    value = sent.number(name)
    if value is None or value.denominator != 1:
        raise Invalid(f"The {name} must be a whole number")
    return int(value)


def change_status(org: Organisation, template: Template, status: str) -> Template:
    """Delete or approve. A person may also save an approved one as a draft again."""
    if template.document.status == "DELETED":
        raise Invalid("This repeating invoice has been deleted.")
    if status == "AUTHORISED":
        errors = check_for_approval(template.document)
        if errors:
            raise Invalid(*dict.fromkeys(errors))
    document = replace(template.document, status=status)
    return org.templates.put(replace(template, document=document))


def day_after(template: Template, day: date) -> date:
    """The next date of the schedule; a day that a month lacks becomes its last."""
    if template.unit == "WEEKLY":
        return day + timedelta(weeks=template.period)
    month = day.year * 12 + day.month - 1 + template.period
    year, month = divmod(month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(template.start.day, last))


def roll(org: Organisation) -> None:
    """Make what the calendar asks for: each template's invoices up to the organisation's today."""
    today = org.today()
    for template in list(org.templates):
        runs = template.document.status == "AUTHORISED" or (
            template.document.status == "DRAFT" and org.options.draft_templates_run
        )
        while runs and template.next <= today and not _over(template):
            _make(org, template)
            template = org.templates.put(replace(template, next=day_after(template, template.next)))


def _over(template: Template) -> bool:
    return template.end is not None and template.next > template.end


def _make(org: Organisation, template: Template) -> None:
    """One invoice: approved by an approved template, unless the plan allows no more (the vendor's
    help: it is then saved as a draft); with the template's reference and without a Url."""
    status = "AUTHORISED" if template.document.status == "AUTHORISED" else "DRAFT"
    lines = tuple(replace(x, id=org.entropy.uuid()) for x in template.document.lines)
    made = replace(
        template.document, id=org.entropy.uuid(), status=status, day=template.next, lines=lines,
        due_day=due(template), number=org.next_number("INV"), repeating_id=template.id,
        sent=template.flags["MarkAsSent"], updated=org.stamp(),
    )  # fmt: skip
    if status == "AUTHORISED":
        try:
            org.refuse_over_cap(made)
        except Invalid:
            made = replace(made, status="DRAFT")
    org.mark_role(made)
    org.invoices.put(made)


def due(template: Template) -> date:
    """When the invoice of the template's next date is due, by its terms."""
    day, count = template.next, template.due_day
    kind = template.due_type
    if kind.endswith("DATE"):
        return day + timedelta(days=count)
    month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if kind.endswith(("INVOICEMONTH", "BILLMONTH")):
        return month_end + timedelta(days=count)
    base = day if kind == "OFCURRENTMONTH" else month_end + timedelta(days=1)
    return base.replace(day=min(count, calendar.monthrange(base.year, base.month)[1]))
