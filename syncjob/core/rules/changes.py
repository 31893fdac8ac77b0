"""What may still be done to an invoice after its deal was won: withdraw, approve, issue anew.

Only our own draft that nobody has touched is ever changed by us; everything else is a person's
(BOOKKEEPING, "What may be done at all" and "Which deals, and when").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from syncjob.core.actions import InvoiceChange, InvoiceDraft, Issue
from syncjob.core.policy import Invoices, Mode
from syncjob.core.records import DEAD, Contact, Deal, Invoice, InvoiceLine, InvoiceStatus
from syncjob.core.rules.arithmetic import is_text, unforeseen
from syncjob.core.rules.dating import is_locked
from syncjob.core.rules.terms import due_by, due_date
from syncjob.core.rules.texts import subject_of
from syncjob.core.rules.whole import Wanted
from syncjob.errors import Held

#: Two digits in the marker.
GENERATION_MAX = 99

Fields = Mapping[str, str | None]


class Past(NamedTuple):
    """One earlier invoice of the same deal and part. `deleted_by_us`: we withdrew it, or a person
    released it with `syncjob reissue`. `cancelled`: who cancelled it and why ("by Ann: ..."), and
    nobody has released it since."""

    generation: int
    status: InvoiceStatus
    deleted_by_us: bool
    cancelled: str = ""


#: The holds of a deal whose invoice a person has ended: that invoice is still what there is to
#: tell of.
ENDED_BY_PERSON = frozenset({"reissue_needed", "cancelled"})


def touched(base: Fields, current: Fields) -> tuple[str, ...]:
    """The fields that no longer say what the ledger answered when the draft was made.

    A field that is missing now counts as touched: nobody can say that it is as it was.
    """
    return tuple(k for k, value in base.items() if k not in current or current[k] != value)


def after_win(
    deal: Deal, invoice: Invoice, base: Fields, current: Fields, locked_through: date | None
) -> InvoiceChange | Issue | None:
    """What follows when the deal is no longer won; None while it is, or nothing is left to do.

    `base` holds what the ledger answered when the draft was made, `current` the same fields now.
    An untouched draft is deleted by status; of anything else a person decides, and the issue of
    state "note", code "reopened_after_invoice", says why.
    """
    if deal.status == "won" or invoice.status in DEAD:
        return None
    why = withdrawn(invoice, base, current, locked_through)
    if isinstance(why, InvoiceChange):
        return why
    name = invoice.number or invoice.reference or invoice.id
    return Issue(
        code="reopened_after_invoice",
        subject=subject_of(deal),
        what=f"The deal is {deal.status} now, but its invoice {name} {why}, so it was left alone.",
        next_step="Delete, void or credit the invoice in the ledger, or win the deal again; if "
        f"all is well, `syncjob resolve deal {deal.id} --never` leaves it alone.",
        field="status",
        page=invoice.page or deal.page,
        state="note",
    )


def withdrawn(
    invoice: Invoice, base: Fields, current: Fields, locked_through: date | None
) -> InvoiceChange | str:
    """The deletion by status of our own untouched draft, or in words why it is left alone."""
    changed = touched(base, current)
    if invoice.status != "draft":
        return f"is {invoice.status}"
    if not base:
        return "may hold a person's work (what was first sent is not known here)"
    if changed:
        return f"was changed by a person ({', '.join(changed)})"
    if invoice.date and is_locked(invoice.date, locked_through):
        return f"is dated {invoice.date}, in a period that is closed through {locked_through}"
    return InvoiceChange(invoice_id=invoice.id, status="deleted")


def may_approve(
    invoice: Invoice,
    created: InvoiceDraft,
    contact: Contact | None,
    policy: Invoices,
    mode: Mode,
    base: Fields,
    current: Fields,
    today: date,
    locked_through: date | None,
    *,
    wanted: Wanted | None = None,
    doubt: Issue | None = None,
    keep_date: bool = False,
) -> InvoiceChange | str:
    """The approval with its new dates, or the reason in words why the draft stays a draft.

    The draft is re-dated to today and its terms recomputed; `keep_date` keeps both where the
    deal's own field set the date. `doubt` is the note that `draft_invoice` gave, `wanted` what
    the rules want it to end as.
    """
    day = invoice.date if keep_date and invoice.date else today
    reason = (
        _not_wanted(wanted or Wanted(policy.status, f"invoices.status says {policy.status}"), mode)
        or _not_as_made(invoice, base, current)
        or (doubt.what if doubt else None)
        or unforeseen(created, invoice, sum(not is_text(line) for line in created.lines))
    )
    if reason:
        return reason
    if is_locked(day, locked_through):
        return f"it would be dated {day}, but the books are closed through {locked_through}"
    # Reckoned anew by the terms that it was made with; an older state may not know those.
    due = due_by(created.terms, day) if created.terms else due_date(day, contact, policy.terms)
    return InvoiceChange(invoice_id=invoice.id, status="authorised", date=day, due_date=due)


def unlike(invoice: Invoice, made: InvoiceDraft) -> str | None:
    """What of this draft is not as we would have made it, in words; None if all of it is.

    For a draft whose making no state remembers: only one that nobody can have touched may be
    approved (BOOKKEEPING, "What may be done at all").
    """
    if invoice.lines is None or len(invoice.lines) != len(made.lines):
        return "lines"
    if any(map(_other_line, invoice.lines, made.lines)):
        return "lines"
    for name in ("contact_id", "currency", "line_amounts", "reference", "due_date"):
        if getattr(invoice, name) != getattr(made, name):
            return name.replace("_id", "").replace("_", " ")
    return None


def _other_line(one: InvoiceLine, other: InvoiceLine) -> bool:
    return _says(one) != _says(other)


def _says(line: InvoiceLine) -> tuple[object, ...]:
    """A line without what the ledger adds to it; no discount and a discount of zero are one."""
    words = " ".join((line.description or "").split())
    if is_text(line):
        return (words,)  # the ledger writes a tax type even into a line of words
    return (
        words, line.quantity, line.unit_price, line.discount_percent or 0,
        line.discount_amount or 0, line.tax_code, line.account, line.item, sorted(line.tracking),
    )  # fmt: skip


def next_generation(history: Sequence[Past], deal: str, part: str = "") -> int | None:
    """The generation to create now; None while one lives. `part` names a part of a schedule.

    Our own deleted draft is issued anew; one that a person deleted or voided only by
    `syncjob reissue`. Raises Held: "reissue_needed", "cancelled", "generations_used_up".
    """
    if any(past.status not in DEAD for past in history):
        return None
    if not history:
        return 1
    last = max(history, key=lambda past: past.generation)
    of, option = (f' for "{part}"', f' --part "{part}"') if part else ("", "")
    if last.cancelled:
        raise cancelled(deal, last.cancelled, of, option)
    if not last.deleted_by_us:
        raise Held(
            "reissue_needed",
            f"Its earlier invoice{of} (generation {last.generation}) was {last.status} by a "
            "person.",
            field="status",
            next_step=f"Nothing, if that was meant; else `syncjob reissue {deal}{option}` issues "
            "it anew.",
        )
    if last.generation >= GENERATION_MAX:
        raise Held(
            "generations_used_up",
            f"Its invoice{of} has been issued and withdrawn {last.generation} times.",
            field="status",
            next_step="Make this invoice by hand in the ledger.",
        )
    return last.generation + 1


def cancelled(deal: str, words: str, of: str = "", option: str = "") -> Held:
    """Why nothing is invoiced for a deal whose draft a person has taken back."""
    return Held(
        "cancelled",
        f"Its invoice{of} was cancelled {words.rstrip('.')}.",
        field="status",
        next_step=f"Nothing, if that still holds; else `syncjob reissue {deal}{option}` issues it "
        f"anew. `syncjob resolve deal {deal} --never` leaves the deal alone for good.",
    )


def _not_wanted(wanted: Wanted, mode: Mode) -> str | None:
    if wanted.status != "authorised":
        return f"it stays a draft, because {wanted.because}"
    return None if mode == "full" else f"the mode is {mode}"


def _not_as_made(invoice: Invoice, base: Fields, current: Fields) -> str | None:
    if invoice.status != "draft":
        return f"it is {invoice.status} already"
    changed = touched(base, current)
    return f"a person changed its {', '.join(changed)}" if changed else None
