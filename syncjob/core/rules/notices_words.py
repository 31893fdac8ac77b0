"""The words of a notice: a subject line and a text, from the firm's templates or our own.

Everything a person needs to ring the customer stands in it (issue of a notice is to save looking
things up): customer, invoice, link, days, amount due, last payment, unallocated credit, phone.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from syncjob.core.rules.notices import Debt, Notice
from syncjob.core.rules.texts import one_line, short

_PLACE = re.compile(r"\{([^{}]*)\}")

#: A subject line that mail programs and task lists show whole.
SUBJECT_LENGTH_MAX = 160


def unknown_places(template: str) -> list[str]:
    """The placeholders of a template that mean nothing, for `syncjob check`."""
    return [place for place in _PLACE.findall(template) if place not in PLACES]


def subject_of(notice: Notice, template: str) -> str:
    """The subject line: one line, cut where it runs on."""
    if notice.kind == "paid":
        template = "{number} of {customer} is paid: {paid}"
    line = one_line(_fill(template, notice.debt))
    return line if len(line) <= SUBJECT_LENGTH_MAX else line[: SUBJECT_LENGTH_MAX - 3] + "..."


def text_of(notice: Notice, template: str | None) -> str:
    """The whole text of one notice; lines that have nothing to say are left out."""
    if template is not None and notice.kind == "overdue":
        return _fill(template, notice.debt).strip()
    return paid_text(notice.debt) if notice.kind == "paid" else overdue_text(notice.debt)


def overdue_text(debt: Debt) -> str:
    """What the owner of a deal reads about an overdue invoice."""
    part = f" of {_money(debt.total, debt)}" if debt.due != debt.total else ""
    lines = [
        f"{debt.customer or 'The customer'} owes {_money(debt.due, debt)}{part} on invoice "
        f"{debt.invoice}, due {debt.due_date}, {_days(debt.days)} ago.",
        "",
        f"Deal: {debt.deal_title}",
        f"Owner: {debt.owner}" if debt.owner else "",
        _last_payment(debt),
        f"Credit not yet applied: {_money(debt.credit_left, debt)}" if debt.credit_left else "",
        f"Phone: {debt.phone}" if debt.phone else "",
        f"Invoice: {debt.invoice_page}" if debt.invoice_page else "",
        f"Deal page: {debt.deal_page}" if debt.deal_page else "",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or number == 1)


def paid_text(debt: Debt) -> str:
    """What the owner of a deal reads when the money is there."""
    when = f" on {debt.last_paid_on}" if debt.last_paid_on else ""
    lines = [
        f"{debt.customer or 'The customer'} has paid invoice {debt.invoice}{when}: "
        f"{_money(debt.paid, debt)}.",
        "",
        f"Deal: {debt.deal_title}",
        f"Invoice: {debt.invoice_page}" if debt.invoice_page else "",
        f"Deal page: {debt.deal_page}" if debt.deal_page else "",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or number == 1)


def line_of(notice: Notice) -> str:
    """One notice as a line of a digest."""
    debt = notice.debt
    link = debt.invoice_page or debt.deal_page
    said = (
        f"paid: {_money(debt.paid, debt)}"
        if notice.kind == "paid"
        else f"{_days(debt.days)} overdue: {_money(debt.due, debt)}"
    )
    about = f"{debt.invoice}, {debt.customer or 'unknown customer'} ({short(debt.deal_title)})"
    return f"- {about}: {said}" + (f"\n  {link}" if link else "")


def _last_payment(debt: Debt) -> str:
    if debt.paid <= 0:
        return "No payment yet."
    said = f"Paid so far: {_money(debt.paid, debt)}"
    if debt.last_paid_on is None:
        return said
    last = f" ({_money(debt.last_paid, debt)})" if debt.last_paid not in (None, debt.paid) else ""
    return f"{said}, last on {debt.last_paid_on}{last}"


def _money(amount: Decimal | None, debt: Debt) -> str:
    return f"{amount or 0:,.2f} {debt.currency}"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _fill(template: str, debt: Debt) -> str:
    return _PLACE.sub(lambda found: _texts(debt).get(found[1], found[0]), template)


def _texts(debt: Debt) -> dict[str, str]:
    return {
        "customer": debt.customer,
        "number": debt.invoice,
        "days": _days(debt.days),
        "due": _money(debt.due, debt),
        "total": _money(debt.total, debt),
        "paid": _money(debt.paid, debt),
        "credit": _money(debt.credit_left, debt),
        "due_date": _day(debt.due_date),
        "last_paid_on": _day(debt.last_paid_on),
        "deal": debt.deal_title,
        "owner": debt.owner,
        "phone": debt.phone or "",
        "link": debt.invoice_page or "",
        "deal_link": debt.deal_page or "",
    }


#: What a template may name; docs/notices.md explains each.
PLACES: tuple[str, ...] = tuple(
    _texts(
        Debt(
            deal="", deal_title="", marker="", invoice="", currency="", total=Decimal(0),
            due=Decimal(0), paid=Decimal(0), credited=Decimal(0), due_date=date.min, days=0,
        )
    )
)  # fmt: skip
