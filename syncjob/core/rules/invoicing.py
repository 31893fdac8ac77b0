"""A won deal as the invoice it becomes: lines, dates, reference, and what the ledger will sum.

Keeps invariants 1 (the marker stands in Url and reference) and 8 (to the cent). The order of the
questions is the order in which a person would ask them: is the deal whole, in which currency, to
which account, from which rows, at which tax, with which discounts, on which day, at which sum.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.actions import InvoiceDraft, Issue
from syncjob.core.markers import with_marker
from syncjob.core.needs import needs_of
from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.records import (
    Contact,
    CrmReference,
    Deal,
    Invoice,
    InvoiceLine,
    LedgerReference,
    LineAmounts,
    TaxRate,
)
from syncjob.core.rules.arithmetic import (
    Comparison,
    Prediction,
    Sums,
    compare,
    is_text,
    predict,
    unforeseen,
    which_lines,
)
from syncjob.core.rules.basis import basis_of, check_currency
from syncjob.core.rules.dating import invoice_day
from syncjob.core.rules.early import reduced, wording
from syncjob.core.rules.explaining import explain, rounding_line
from syncjob.core.rules.lines import Asked, Made, discounted, made_lines, rates_of, reasons
from syncjob.core.rules.recurring import first_period
from syncjob.core.rules.revision import deal_print
from syncjob.core.rules.rows import deal_texts, filled
from syncjob.core.rules.terms import Agreed, due_by, terms_for
from syncjob.core.rules.texts import one_line, short, subject_of
from syncjob.core.rules.when import Facts, InvoiceFacts, facts_of
from syncjob.core.rules.whole import (
    Wanted,
    branding_for,
    currency_rate_for,
    rule_texts,
    status_for,
    status_without_rules,
    text_line,
)
from syncjob.errors import Held

#: Length that the ledger takes in an invoice's reference.
REFERENCE_LENGTH_MAX = 255


class InvoiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice depends on besides its deal and the ledger's contact; `today` is the
    organisation's, `party` the CRM's customer, `buyers` the ledger's contacts that have an
    approved invoice already, and `crm` what its account calls things."""

    policy: Invoices
    inputs: DealInputs
    ledger: LedgerReference
    today: date
    marker: str
    locked_through: date | None
    zone: ZoneInfo
    party: Contact | None = None
    buyers: frozenset[str] = frozenset()
    crm: CrmReference | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be invoiced for a deal as a whole, before it is dated, or cut into parts.

    `lines` are the deal's own and `extra` those from its fields that its value does not have in
    it, all without words; `rates` maps tax code to percent; `story` says which rule gave what.
    """

    facts: Facts
    line_amounts: LineAmounts
    lines: tuple[InvoiceLine, ...]
    extra: tuple[InvoiceLine, ...]
    rates: dict[str, Decimal]
    made: tuple[Made, ...]
    explained: str
    comparison: str
    story: tuple[str, ...]

    @property
    def all_lines(self) -> tuple[InvoiceLine, ...]:
        return (*self.lines, *self.extra)


def draft_invoice(
    deal: Deal, contact: Contact | None, context: InvoiceContext
) -> tuple[InvoiceDraft, tuple[str, ...], Issue | None]:
    """The invoice, the story of how it came about, and a note if its total is in doubt.

    `contact` is the ledger's contact, None where it is still to be created. The note has the code
    "totals_differ": the draft is made all the same, and must not be approved by us.

    Raises Held with the codes of the modules in core/rules that are asked, and from here:
    "total_not_positive", "purchase_order_too_long".
    """
    content = content_of(deal, contact, context)
    draft, story = draft_of(content, contact, context, content.all_lines)
    return draft, story, doubt_of(deal, draft, context.policy)


def content_of(deal: Deal, contact: Contact | None, context: InvoiceContext) -> Content:
    """The lines of the whole deal. Raises Held as `draft_invoice` does."""
    policy, ledger = context.policy, context.ledger
    deal = first_period(deal, policy)
    basis = basis_of(deal, policy, contact)
    check_currency(deal, ledger)
    facts = facts_of(
        deal, policy, context.inputs, ledger, contact, context.party, context.crm
    )  # fmt: skip
    texts = deal_texts(deal, _dated(deal, context))
    asked = Asked(facts=facts, basis=basis, contact=contact, ledger=ledger, texts=texts)
    made = made_lines(asked)
    amounts, rates = basis.line_amounts, rates_of(made)
    counted = [*discounted(made, asked), *(m.line for m in made if m.is_extra and m.in_value)]
    beside = [m.line for m in made if not m.in_value]
    found = compared(deal, policy, predict(counted, amounts, rates), len(counted))
    words = _explained(found, facts, made, amounts, rates)
    rounding = rounding_line(policy, ledger, found, amounts) if found else None
    if rounding is not None:
        counted.append(rounding[0])
        rates |= {rate.code: rate.percent for rate in _some(rounding[1])}
        words = ""
    told = "the deal gives no value to compare the total with" if found is None else found.words
    return Content(
        facts=facts, line_amounts=amounts, lines=tuple(counted), extra=tuple(beside), rates=rates,
        made=tuple(made), explained=words, comparison=told,
        story=(basis.because, *reasons(made)),
    )  # fmt: skip


def _some(rate: TaxRate | None) -> tuple[TaxRate, ...]:
    return () if rate is None else (rate,)


def _explained(
    found: Comparison | None,
    facts: Facts,
    made: list[Made],
    amounts: LineAmounts,
    rates: dict[str, Decimal],
) -> str:
    """Why the deal's value is another, in words; "" where it is not, or nobody can tell."""
    if found is None or found.verdict == "equal" or not facts.deal.lines:
        return ""
    own = made[: len(facts.deal.lines)]
    lines = [m.line for m in own]
    sums = predict(lines, amounts, rates).lines
    percents = [m.choice.rate.percent if m.choice else Decimal(0) for m in own]
    taxes = [(percent, s.tax) for percent, s in zip(percents, sums, strict=True)]
    return explain(facts.deal, [m.row for m in own], lines, taxes, found.kind, amounts)


def draft_of(
    content: Content,
    contact: Contact | None,
    context: InvoiceContext,
    lines: tuple[InvoiceLine, ...],
) -> tuple[InvoiceDraft, tuple[str, ...]]:
    """An invoice of these lines of the content, dated and worded, and its story. Raises Held."""
    facts, policy = content.facts, context.policy
    deal, day = facts.deal, _dated(facts.deal, context)
    sums = predict(lines, content.line_amounts, content.rates)
    _check_sums(deal, sums)
    new_customer = contact is None or contact.id not in context.buyers
    known = InvoiceFacts(total=sums.total, new_customer=new_customer)
    agreed = terms_for(facts, contact, context.inputs.payment_terms)
    choices = [m.choice for m in content.made]
    theme = branding_for(facts, known, choices, context.ledger)
    words = _words(content, known, agreed, sums, day, lines)
    due = due_by(agreed.terms, day)
    beside = predict(content.extra, content.line_amounts, content.rates)
    draft = InvoiceDraft(
        marker=context.marker, contact_id=contact.id if contact else None, date=day,
        due_date=due, currency=deal.currency, line_amounts=content.line_amounts,
        lines=(*lines, *map(text_line, words)), reference=_reference(deal, context),
        url=with_marker(deal.page or "", context.marker), sub_total=sums.sub_total,
        total_tax=sums.total_tax, total=sums.total,
        number=context.marker if policy.numbering == "deal" else None, branding=theme.branding,
        currency_rate=currency_rate_for(
            facts, context.inputs, context.ledger.organisation.currency
        ),
        terms=agreed.terms, early=agreed.early, new_customer=new_customer,
        taxes=(*(s.tax for s in sums.lines), *(Decimal(0) for _ in words)),
        beside=(beside.sub_total, beside.total), explained=content.explained,
        source=deal_print(deal, (*context.inputs.names().values(), *needs_of(policy).fields)),
    )  # fmt: skip
    branding = (f"branding theme {theme.because}",) if theme.branding else ()
    story = (
        *content.story, *branding, f"dated {day}, due {due}, because {agreed.because}",
        *(f'the words "{short(one_line(text))}"' for text in words), content.comparison,
        *((content.explained,) if content.explained else ()),
    )  # fmt: skip
    return draft, story


def wanted_status(
    deal: Deal, contact: Contact | None, context: InvoiceContext, draft: InvoiceDraft
) -> Wanted:
    """What the rules want this draft to end as, within the mode. Raises Held as `applies` does."""
    if not context.policy.status_rules:
        return status_without_rules(context.policy)
    facts = facts_of(
        deal, context.policy, context.inputs, context.ledger, contact, context.party, context.crm
    )  # fmt: skip
    return status_for(facts, InvoiceFacts(total=draft.total, new_customer=draft.new_customer))


def _words(
    content: Content,
    known: InvoiceFacts,
    agreed: Agreed,
    sums: Prediction,
    day: date,
    lines: tuple[InvoiceLine, ...],
) -> list[str]:
    """The lines of words below the others: what tax rules ask for, then the firm's own, then the
    terms of early payment; none twice."""
    facts = content.facts
    rules = (m.choice.rule for m in content.made if m.choice)
    words = [rule.wording for rule in rules if rule and rule.wording]
    texts = deal_texts(facts.deal, day)
    words += [filled(text, texts) for _, text in rule_texts(facts, known)]
    if agreed.early is not None:
        less = reduced(agreed.early, day, lines, content.line_amounts, content.rates)
        early = facts.policy.terms.early
        words.append(wording(agreed.early, early, less, sums.total, facts.deal.currency))
    return [text for text in dict.fromkeys(words) if text]


def _dated(deal: Deal, context: InvoiceContext) -> date:
    field = context.inputs.invoice_date
    given = deal.fields.get(field) if field else None
    return invoice_day(given, field or "", context.today, context.locked_through, context.zone)


def doubt_of(
    deal: Deal, created: InvoiceDraft, policy: Invoices, stored: Invoice | None = None
) -> Issue | None:
    """The note "totals_differ" for a draft made earlier, against what the deal says now.

    `stored` is the draft as the ledger added it up, as long as no person has changed it: its
    figures are what the customer would pay, and must be those that were foreseen, too.
    """
    count = sum(not is_text(line) for line in created.lines)
    words = unforeseen(created, stored, count) if stored else None
    if words:
        where = which_lines(created.lines, created.taxes, stored.lines if stored else None)
        words = f"{words}: {where}" if where else words
        return totals_differ(deal, words, "Look whether a tax rate of the ledger was changed")
    net, gross = created.beside
    sums = stored or created
    found = compared(deal, policy, _Less(sums.sub_total - net, sums.total - gross), count)
    if found is None or found.verdict != "differs":
        return None
    words = f"{found.words}: {created.explained}" if created.explained else found.words
    step = "Compare the deal's lines with the draft in the ledger, correct one of them"
    return totals_differ(deal, words, step)


def doubt_unknown(deal: Deal, stored: Invoice, policy: Invoices) -> Issue | None:
    """The same for a draft of ours whose making no state remembers: its sums beside the deal's
    value, as far as the value has all of it."""
    if any(not extra.in_value for extra in policy.extra_lines):
        return None
    found = compared(deal, policy, stored, len(stored.lines or ()))
    if found is None or found.verdict != "differs":
        return None
    return totals_differ(deal, found.words, "Compare the deal's lines with the draft")


class _Less(msgspec.Struct, frozen=True):
    """An invoice's sums without what the deal's value does not have in it."""

    sub_total: Decimal
    total: Decimal


def compared(deal: Deal, policy: Invoices, sums: Sums, count: int) -> Comparison | None:
    """The deal's value beside these sums of so many lines; None if the deal gives none, or its
    CRM does not add up the lines itself.

    Where `value_is` is not set, the deal's value may be either sum: the nearer one is meant.
    """
    if deal.value is None or (deal.lines != () and not deal.value_is_sum):
        return None
    kinds: tuple[Literal["net", "gross"], ...] = ("net", "gross")
    if policy.value_is:
        kinds = (policy.value_is,)
    return min(
        (compare(deal.value, kind, sums, count) for kind in kinds),
        key=lambda c: abs(c.crm - c.ledger),
    )


def date_is_given(deal: Deal, inputs: DealInputs) -> bool:
    """Whether the deal's own field sets the invoice date, which approving must then keep."""
    return bool(inputs.invoice_date and one_line(deal.fields.get(inputs.invoice_date)))


def _check_sums(deal: Deal, sums: Prediction) -> None:
    if sums.total <= 0:
        raise Held(
            "total_not_positive",
            f"The invoice would come to {sums.total:,.2f} {deal.currency}.",
            field="value",
            next_step="Nothing, if the deal is free of charge; else correct its lines. "
            "A refund is a credit note, which a person makes.",
        )


def _reference(deal: Deal, context: InvoiceContext) -> str:
    """The customer's purchase order first, because it prints on the invoice; our key last."""
    field = context.inputs.purchase_order
    order = one_line(deal.fields.get(field)) if field else ""
    reference = f"{order} {context.marker}".strip()
    if len(reference) > REFERENCE_LENGTH_MAX:
        length_max = REFERENCE_LENGTH_MAX - len(context.marker) - 1
        raise Held(
            "purchase_order_too_long",
            f'The field "{field}" has {len(order)} characters ("{short(order)}"); '
            f"{length_max} fit into the invoice's reference.",
            field=field or "",
            next_step=f'Shorten "{field}" in the CRM.',
        )
    return reference


def totals_differ(deal: Deal, words: str, step: str) -> Issue:
    """The note that two sums are not one, in words, and what a person does before approving."""
    return Issue(
        code="totals_differ",
        subject=subject_of(deal),
        what=f"In {deal.currency}, {words}.",
        next_step=f"{step}, and approve the draft there.",
        field="value",
        page=deal.page,
        state="note",
    )
