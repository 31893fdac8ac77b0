"""What a deal's repeating invoice says: as the deal wants it now, as it was made, as it stands.

A person may make of it what they like (invariant 7), so what they are told is what the deal says
now, and neither the one that was made nor the one that stands says too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from syncjob.core.actions import TemplateDraft
from syncjob.core.case import Case, Context
from syncjob.core.case_after import TemplateCase
from syncjob.core.markers import WHOLE
from syncjob.core.records import Contact, Deal, InvoiceLine, Template
from syncjob.core.rules.arithmetic import tolerance
from syncjob.core.rules.invoicing import InvoiceContext, draft_invoice
from syncjob.core.rules.recurring import (
    Rhythm,
    Schedule,
    each_period,
    for_each_period,
    forbid_discounts,
    recurring_lines,
    rhythm_of,
    template_of,
)
from syncjob.core.rules.terms import default_terms
from syncjob.errors import Held

_TAX = {"exclusive": "without tax", "inclusive": "with tax", "no_tax": "of no tax at all"}


def drafted(
    deal: Deal, case: Case, context: Context, contact: Contact | None, marker: str,
    schedule: Schedule,
) -> TemplateDraft:  # fmt: skip
    """What the deal's recurring lines come to as a template with this schedule. Raises Held."""
    asked = InvoiceContext(
        policy=for_each_period(context.policy),
        inputs=context.inputs.model_copy(update={"invoice_date": None}),
        ledger=context.ledger, today=schedule.first, marker=marker, locked_through=None,
        zone=context.zone, party=case.party, crm=context.crm,
    )  # fmt: skip
    draft, _, _ = draft_invoice(each_period(deal), contact, asked)
    own = contact.terms if contact else None
    terms = draft.terms or own or default_terms(context.policy.terms).terms
    return template_of(draft, schedule, terms)


def differs(
    case: Case, context: Context, template: TemplateCase, record: Template
) -> str | None:  # fmt: skip
    """What the deal says now and neither the template as we made it nor as it stands says too, in
    words; None if nothing, or if nobody can say."""
    created, deal = template.created, case.deal if case.complete else case.latest
    if created is None or deal is None:
        return None
    if not recurring_lines(deal):
        return "it has no recurring lines any more"
    try:
        rhythm = rhythm_of(deal)
        forbid_discounts(deal)
        days = _other_days(rhythm, created, record)
        contact = next((p.contact for p in case.parts if p.name == WHOLE), None)
        schedule = Schedule(
            unit=created.unit, period=created.period, first=created.first, last=created.last
        )
        wished = drafted(deal, case, context, contact, template.marker, schedule)
    except Held as held:
        return held.what.rstrip(".")
    return days or next(_other_content(wished, created, record, contact, template.bills), None)


def added_up(template: TemplateCase, record: Template) -> str:
    """A sentence with both sums where the ledger has added up the lines that we sent, which no
    person has changed since, by more than rounding otherwise than foreseen; else ""."""
    created = template.created
    if created is None or [_says(x) for x in created.lines] != [_says(x) for x in record.lines]:
        return ""
    if abs(record.total - created.total) <= tolerance(len(created.lines)):
        return ""
    return (
        f" It comes to {record.total:,.2f} {record.currency} each time, where "
        f"{created.total:,.2f} was expected: find out why before you approve it."
    )


def _other_days(rhythm: Rhythm, created: TemplateDraft, record: Template) -> str | None:
    """How the days of the deal's periods are others. Those of another rhythm that a person has
    given the template are that person's."""
    how_often = (rhythm.unit, rhythm.period)
    if how_often != (created.unit, created.period):
        known = how_often == (record.unit, record.period)
        return None if known else f"its lines are billed {rhythm.billing}"
    first = rhythm.first(rhythm.starts) if rhythm.starts else created.first
    if first not in (created.first, record.starts):
        return f"its second period begins on {first}"
    last = rhythm.last(first)
    # The ledger may say that it starts anew on the day on which a person edited it.
    known_ends = {last} | ({rhythm.last(record.starts)} if record.starts else set())
    if last == created.last or record.ends in known_ends:
        return None
    return f"it is billed {_times(rhythm.cycles, last)}"


def _times(cycles: int | None, last: date | None) -> str:
    if cycles is None or last is None:
        return "without an end"
    return f"for {cycles} periods, until {last}" if cycles > 1 else "once"


def _other_content(
    wished: TemplateDraft, created: TemplateDraft, record: Template, contact: Contact | None,
    bills: frozenset[str],
) -> Iterator[str]:  # fmt: skip
    """How each of the deal's periods is another. `bills` are the customers of the template as it
    was made and as it stands, followed through merges of theirs."""
    if contact is not None and bills and not {contact.id, contact.merged_into} & bills:
        yield f'its customer is "{contact.name}" now'
    if wished.currency not in (created.currency, record.currency):
        yield f"it is in {wished.currency} now"
    if wished.line_amounts not in (created.line_amounts, record.line_amounts):
        yield f"its prices are {_TAX[wished.line_amounts]} now"
    said = [_says(line) for line in wished.lines]
    if said not in ([_says(x) for x in created.lines], [_says(x) for x in record.lines]):
        yield f"its recurring lines come to {wished.total:,.2f} {wished.currency} a period"


def _says(line: InvoiceLine) -> tuple[object, ...]:
    words = " ".join((line.description or "").split())
    return (
        words, line.quantity, line.unit_price, line.discount_percent or 0,
        line.discount_amount or 0, line.tax_code, line.account,
    )  # fmt: skip
