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
from syncjob.core.money import half_up, plain
from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.records import (
    Account,
    Contact,
    Deal,
    Invoice,
    InvoiceLine,
    LedgerReference,
    Line,
)
from syncjob.core.rules.arithmetic import Prediction, Sums, compare, predict, unforeseen
from syncjob.core.rules.basis import Basis, account_of, basis_of, check_currency
from syncjob.core.rules.dating import invoice_day
from syncjob.core.rules.rows import check_row, to_line
from syncjob.core.rules.tax import Choice, tax_for
from syncjob.core.rules.terms import due_date
from syncjob.core.rules.texts import line_label, one_line, short, subject_of
from syncjob.errors import Held

#: Length that the ledger takes in an invoice's reference.
REFERENCE_LENGTH_MAX = 255

_HUNDRED = Decimal(100)


class InvoiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice depends on besides its deal and contact; `today` is the organisation's."""

    policy: Invoices
    inputs: DealInputs
    ledger: LedgerReference
    today: date
    marker: str
    locked_through: date | None
    zone: ZoneInfo


def draft_invoice(
    deal: Deal, contact: Contact | None, context: InvoiceContext
) -> tuple[InvoiceDraft, tuple[str, ...], Issue | None]:
    """The invoice, the story of how it came about, and a note if its total is in doubt.

    `contact` is the ledger's contact, None where it is still to be created. The note has the code
    "totals_differ": the draft is made all the same, and must not be approved by us.

    Raises Held with the codes of basis, rows, tax, dating and, from here: "discount_mixed_tax",
    "discount_invalid", "total_not_positive", "purchase_order_too_long".
    """
    basis = basis_of(deal, context.policy)
    check_currency(deal, context.ledger)
    account = account_of(context.policy.account, context.ledger.accounts)
    choices = [_tax(row, contact, basis, account, context) for row in basis.rows]
    lines = _lines(deal, basis, account, choices, context)
    rates = {choice.rate.code: choice.rate.percent for choice in choices if choice}
    if deal.lines:  # the value of a deal without products is after its discounts
        lines += _discounts(deal, lines, predict(lines, basis.line_amounts, rates))
    sums = predict(lines, basis.line_amounts, rates)
    _check_sums(deal, sums)
    draft = _assemble(deal, contact, context, basis, lines, sums)
    words, note = _against_deal(deal, context.policy, sums, len(lines))
    return draft, _story(draft, basis, account, choices, words), note


def doubt_of(
    deal: Deal, created: InvoiceDraft, policy: Invoices, stored: Invoice | None = None
) -> Issue | None:
    """The note "totals_differ" for a draft made earlier, against what the deal says now.

    `stored` is the draft as the ledger added it up, as long as no person has changed it: its
    figures are what the customer would pay, and must be those that were foreseen, too.
    """
    count = len(created.lines)
    words = unforeseen(created, stored, count) if stored else None
    if words:
        return _totals_differ(deal, words, "Look whether a tax rate of the ledger was changed")
    return _against_deal(deal, policy, stored or created, count)[1]


def date_is_given(deal: Deal, inputs: DealInputs) -> bool:
    """Whether the deal's own field sets the invoice date, which approving must then keep."""
    return bool(inputs.invoice_date and one_line(deal.fields.get(inputs.invoice_date)))


def _tax(
    row: Line, contact: Contact | None, basis: Basis, account: Account, context: InvoiceContext
) -> Choice | None:
    check_row(row)
    tax, ledger = context.policy.tax, context.ledger
    if basis.line_amounts != "no_tax":
        registered = ledger.organisation.tax_registered
        return tax_for(row, contact, tax, account, ledger.tax_rates, registered)
    if row.tax_percent and tax.amounts == "no_tax" and not tax.overrule_crm:
        raise Held(
            "tax_differs",
            f"The {line_label(row)} has {plain(row.tax_percent)}% tax in the CRM, but "
            "invoices.tax.amounts says no_tax.",
            field="tax",
            next_step="Correct the line's tax in the CRM, or set invoices.tax.amounts.",
        )
    return None


def _lines(
    deal: Deal,
    basis: Basis,
    account: Account,
    choices: list[Choice | None],
    context: InvoiceContext,
) -> list[InvoiceLine]:
    with_items = context.policy.item_code == "sku"
    return [
        to_line(
            row,
            deal.title,
            context.policy.description,
            account=account.code,
            tax_code=choice.rate.code if choice else None,
            # Items are never created by us: a SKU that is no item of the ledger is left out.
            item=row.sku if with_items and row.sku in context.ledger.items else None,
        )
        for row, choice in zip(basis.rows, choices, strict=True)
    ]


def _discounts(deal: Deal, lines: list[InvoiceLine], sums: Prediction) -> list[InvoiceLine]:
    """The deal's own discounts, one negative line each, on the lines' amounts after theirs.

    The ledger has no discount of a whole invoice. Each percentage is taken of the same sum; if
    the CRM compounds them, the comparison of the totals says so.
    """
    before = sum((line.amount for line in sums.lines), Decimal(0))
    made = []
    for discount in deal.discounts or ():
        percent, off = discount.percent, discount.amount or Decimal(0)
        if percent is not None:
            off = before * percent / _HUNDRED
        if off < 0 or (percent is not None and not 0 <= percent <= _HUNDRED):
            raise _bad_discount(deal, percent, off)
        off = half_up(off)
        words = "Discount" if percent is None else f"Discount {plain(percent)}%"
        if off:
            made.append(_discount_line(lines, one_line(discount.description) or words, off))
    return made


def _discount_line(lines: list[InvoiceLine], words: str, off: Decimal) -> InvoiceLine:
    codes = {line.tax_code for line in lines}
    if len(codes) > 1:
        raise Held(
            "discount_mixed_tax",
            f'The deal\'s discount "{words}" ({off:,.2f}) covers lines with different tax rates, '
            "so its own tax is not known.",
            field="discounts",
            next_step="Give the discount on the lines instead of on the whole deal.",
        )
    return InvoiceLine(
        description=words,
        quantity=Decimal(1),
        unit_price=-off,
        tax_code=lines[0].tax_code,
        account=lines[0].account,
    )


def _bad_discount(deal: Deal, percent: Decimal | None, off: Decimal) -> Held:
    shown = f"{plain(off)} {deal.currency}" if percent is None else f"{plain(percent)}%"
    return Held(
        "discount_invalid",
        f"The deal has a discount of {shown} as a whole.",
        field="discounts",
        next_step="Correct the deal's discount in the CRM.",
    )


def _check_sums(deal: Deal, sums: Prediction) -> None:
    if sums.total <= 0:
        raise Held(
            "total_not_positive",
            f"The invoice would come to {sums.total:,.2f} {deal.currency}.",
            field="value",
            next_step="Nothing, if the deal is free of charge; else correct its lines. "
            "A refund is a credit note, which a person makes.",
        )


def _assemble(
    deal: Deal,
    contact: Contact | None,
    context: InvoiceContext,
    basis: Basis,
    lines: list[InvoiceLine],
    sums: Prediction,
) -> InvoiceDraft:
    policy, field = context.policy, context.inputs.invoice_date
    given = deal.fields.get(field) if field else None
    day = invoice_day(given, field or "", context.today, context.locked_through, context.zone)
    return InvoiceDraft(
        marker=context.marker,
        contact_id=contact.id if contact else None,
        date=day,
        due_date=due_date(day, contact, policy.terms),
        currency=deal.currency,
        line_amounts=basis.line_amounts,
        lines=tuple(lines),
        reference=_reference(deal, context),
        url=with_marker(deal.page or "", context.marker),
        sub_total=sums.sub_total,
        total_tax=sums.total_tax,
        total=sums.total,
        number=context.marker if policy.numbering == "deal" else None,
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


def _against_deal(deal: Deal, policy: Invoices, sums: Sums, count: int) -> tuple[str, Issue | None]:
    """The comparison in words, and the note if the figures differ by more than rounding.

    Where `value_is` is not set, the deal's value may be either sum: the nearer one is meant.
    """
    if deal.value is None:
        return "the deal gives no value to compare the total with", None
    kinds: tuple[Literal["net", "gross"], ...] = ("net", "gross")
    if policy.value_is:
        kinds = (policy.value_is,)
    result = min(
        (compare(deal.value, kind, sums, count) for kind in kinds),
        key=lambda c: abs(c.crm - c.ledger),
    )
    if result.verdict != "differs":
        return result.words, None
    step = "Compare the deal's lines with the draft in the ledger, correct one of them"
    return result.words, _totals_differ(deal, result.words, step)


def _totals_differ(deal: Deal, words: str, step: str) -> Issue:
    return Issue(
        code="totals_differ",
        subject=subject_of(deal),
        what=f"In {deal.currency}, {words}.",
        next_step=f"{step}, and approve the draft there.",
        field="value",
        page=deal.page,
        state="note",
    )


def _story(
    draft: InvoiceDraft, basis: Basis, account: Account, choices: list[Choice | None], words: str
) -> tuple[str, ...]:
    taxes = (f'tax "{c.rate.name}", because {c.because}' for c in choices if c)
    return (
        basis.because,
        f'account {account.code} "{account.name}"',
        *dict.fromkeys(taxes),
        f"dated {draft.date}, due {draft.due_date}",
        words,
    )
