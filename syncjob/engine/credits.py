"""What customers were credited or paid ahead, and nobody has applied yet; what was paid back.

Credit notes, prepayments and overpayments are three lists of the ledger. They are walked from
cursors of their own, and only when it matters: before somebody is reminded of a debt (BOOKKEEPING:
credit that covers it holds the notice), and now and then for money that was given back, which
moves no invoice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from syncjob.core.actions import Issue
from syncjob.core.money import ZERO
from syncjob.core.records import DEAD, CreditNote, Invoice, Record, Side
from syncjob.core.rules.notices import Credit
from syncjob.engine.batch import Batch
from syncjob.errors import AuthFailed

NOTES: tuple[Side, str] = ("ledger", "credit_notes")
STREAMS: tuple[tuple[Side, str], ...] = (
    NOTES,
    ("ledger", "prepayments"),
    ("ledger", "overpayments"),
)

#: Lookup keys: what is left of a credit, by "contact|currency"; the invoices that a credit note
#: names in its reference, by "contact|word".
LEFT, NAMES = "credit.left", "credit.names"

#: A credit note made by `syncjob credit` is followed until it is used up; what people credited and
#: paid back without it is found as late as anything that moves no stamp (facts: xero, 4).
OWN_EVERY, OTHERS_EVERY = timedelta(days=1), timedelta(days=7)
#: What could not be told (a mail server is down, notices are paused, the guard has stopped the
#: plan) is due again in each batch; for that the credits of an hour ago do.
STALE_WHILE_UNTOLD = timedelta(hours=1)


def refunds_due(batch: Batch) -> bool:
    """Whether the list of credit notes is to be read though nobody is to be told of anything."""
    now, book = batch.clock.now(), batch.state.book
    known = batch.state.snapshots.cursor(*NOTES).polled or book.instant("born")
    if known is None or batch.options.deal is not None or not batch.state.links.live_count():
        return False
    every = OWN_EVERY if batch.state.papers.open_credits() else OTHERS_EVERY
    return now - known >= every


def are_fresh(batch: Batch, tells: Collection[str]) -> bool:
    """Whether the credits are known well enough to tell people of these debts. Call it with all
    that is due, by name."""
    if f"{STREAMS[-1][0]}.{STREAMS[-1][1]}" in batch.walked:
        return True
    book, now = batch.state.book, batch.clock.now()
    polled = batch.state.snapshots.cursor(*STREAMS[-1]).polled
    known = set((book.fact("credits_read_for") or "").split(","))
    young = polled is not None and now - polled < STALE_WHILE_UNTOLD
    return young and known.issuperset(tells)


def note_read_for(batch: Batch, tells: Collection[str]) -> None:
    """They were read for these debts."""
    with batch.state.commit():
        batch.state.book.note("credits_read_for", ",".join(sorted(tells)))


def unreadable(error: AuthFailed) -> Issue:
    """A right that is missing: nobody waits for it, and nobody is left in the dark about it."""
    return Issue(
        code="credits_unreadable", subject="stream:ledger.credits", state="note",
        field="ledger.auth.scopes",
        what=f"Credit that customers have cannot be read: {error.what}",
        next_step="People are told of overdue invoices without it. Give the app the right to read "
        "credit notes, prepayments and overpayments (`syncjob check` names it).",
    )  # fmt: skip


def take_credit(batch: Batch, record: Record) -> None:
    """Index a credit that is new or has changed, and look again at the deals that it bears on;
    call it inside a commit."""
    assert isinstance(record, CreditNote)
    sale = record.kind == "sale" and record.contact_id is not None
    left = sale and record.status == "authorised" and record.remaining > 0
    named = (record.reference or "").split() if sale and record.origin == "credit_note" else []
    batch.state.snapshots.index(
        record.id,
        {
            LEFT: [f"{record.contact_id}|{record.currency}"] if left else [],
            NAMES: [f"{record.contact_id}|{word}" for word in named],
        },
    )
    if sale:
        deals = dict.fromkeys(_touched(batch, record, named))
        batch.state.snapshots.want(deals, "the customer's credit changed")


def _touched(batch: Batch, credit: CreditNote, named: Sequence[str]) -> Iterator[str]:
    """The deals with an invoice that this customer owes past its day, or that the credit names or
    was applied to: a refund of the rest of it moves no invoice."""
    find, links = batch.state.snapshots.find, batch.state.links
    applied = {invoice for invoice, _ in credit.allocations}
    for invoice_id in find("invoice.buyer", credit.contact_id or ""):
        part = links.part_of_invoice(invoice_id)
        deal = part.deal if part else batch.state.papers.deal_of_repeat(invoice_id)
        invoice = batch.state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
        if deal is None or invoice is None:
            continue
        late = invoice.due > 0 and invoice.due_date is not None and invoice.due_date < batch.today
        if late or invoice_id in applied or (invoice.number or "") in named:
            yield deal


def notes_about(batch: Batch, invoice: Invoice) -> tuple[CreditNote, ...]:
    """The credit notes applied to the invoice, and those that name it, as far as they are read."""
    ids = [s.id for s in invoice.settlements if s.kind == "credit_note"]
    if invoice.number and invoice.contact_id:
        ids += batch.state.snapshots.find(NAMES, f"{invoice.contact_id}|{invoice.number}")
    get = batch.state.snapshots.get
    found = (get("ledger", "credit_notes", note_id, CreditNote) for note_id in dict.fromkeys(ids))
    return tuple(note for note in found if note is not None)


def credits_of(batch: Batch, invoices: Sequence[Invoice]) -> dict[str, Credit]:
    """By invoice, what its customer has unapplied; older debts have theirs first."""
    found: dict[str, Credit] = {}
    for invoice in invoices:
        left = _left(batch, invoice) if invoice.contact_id and invoice.due > 0 else ZERO
        if left:
            here = max(left - _owed_before(batch, invoice), ZERO)
            found[invoice.id] = Credit(left=left, here=here)
    return found


def _left(batch: Batch, invoice: Invoice) -> Decimal:
    snapshots = batch.state.snapshots
    ids = snapshots.find(LEFT, f"{invoice.contact_id}|{invoice.currency}")
    found = (
        snapshots.get(side, stream, credit_id, CreditNote)
        for credit_id in ids
        for side, stream in STREAMS
    )
    return sum((credit.remaining for credit in found if credit is not None), ZERO)


def _owed_before(batch: Batch, invoice: Invoice) -> Decimal:
    """What the customer owes in this currency on invoices that fell due before this one."""
    mine = (invoice.due_date, invoice.id)
    ids = batch.state.snapshots.find("invoice.buyer", invoice.contact_id or "")
    get = batch.state.snapshots.get
    others = (get("ledger", "invoices", other, Invoice) for other in ids if other != invoice.id)
    return sum(
        (
            other.due
            for other in others
            if other is not None
            and (other.contact_id, other.currency) == (invoice.contact_id, invoice.currency)
            and other.status not in DEAD
            and other.due_date is not None
            and invoice.due_date is not None
            and (other.due_date, other.id) < mine
        ),
        ZERO,
    )
