"""`syncjob credit`: a credit note at a person's word, by the same journal and door as all else.

Keeps invariants 1 and 3 for credit notes: the marker is written down before anything is sent, a
lost answer is settled by look-up, and the same command twice is one credit note.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from syncjob.connectors.base import Walk
from syncjob.core.actions import Action, CreditDraft, Wave
from syncjob.core.markers import credit_marker, parse_other_marker
from syncjob.core.records import DEAD, CreditNote, Invoice, InvoiceLine
from syncjob.core.rules.credit import Wish, credit_note, fingerprint, without
from syncjob.core.rules.settlement import names
from syncjob.engine import recovery
from syncjob.engine.batch import Batch
from syncjob.engine.cases import load_context
from syncjob.engine.identify import identify, verify
from syncjob.engine.marked import marked_paper
from syncjob.engine.planning import empty_plan
from syncjob.engine.pull import store_records
from syncjob.engine.push import Push
from syncjob.engine.settle import settle
from syncjob.errors import Park, RetryLater
from syncjob.state.links import Part

#: A credit note of an invoice cannot have changed before the invoice was there; an invoice may
#: bear a later day than that on which it was made, by no more than this.
BEFORE_INVOICE = timedelta(days=62)
#: Two digits in the marker.
NUMBER_MAX = 99


class CreditReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was, or would be, credited. `known`: the same command had made it before."""

    deal: str
    invoice: str
    currency: str
    total: Decimal
    date: date
    reference: str
    lines: tuple[InvoiceLine, ...]
    number: str | None = None
    page: str | None = None
    created: bool = False
    known: bool = False


def credit(
    batch: Batch, deal: str, wish: Wish, part: str | None, *, write: bool, expect: Decimal | None
) -> CreditReport:
    """Make the credit note, or (`write` False, on a copy of the state) say what it would be.

    `expect` is the sum that a person has seen and agreed to. Raises Park where it cannot be done,
    RetryLater while the outcome of an earlier write is not known, and what any batch raises.
    """
    identify(batch)
    recovery.begin(batch)
    wait = recovery.creates_wait(batch)
    if wait is not None:
        raise RetryLater(f"Nothing is created now: {wait}.", next_step="`syncjob run` until then.")
    settle(batch)
    _not_busy(batch, deal)
    invoice = _invoice(batch, _part(batch, deal, part))
    notes = _notes(batch, invoice, deal)
    known = _granted(batch, deal, invoice, wish, notes)
    if known is not None:
        return known
    context = load_context(batch)
    naming = [note for note in notes if _names(batch, deal, note, invoice)]
    marker = _marker(batch, deal, notes)
    about = [without(note, _also(batch, note, invoice)) for note in naming]
    draft = credit_note(invoice, wish, marker, batch.today, context.locked_through, about)
    known = None if wish.again else _forgotten(batch, deal, invoice, draft.total, naming)
    if known is not None:
        return known
    if expect is not None and draft.total != expect:
        raise Park(
            f"{draft.total:,.2f} {draft.currency} would be credited now, not {expect:,.2f}.",
            where=f"deal:{deal}", next_step="Look again: the same command shows it.",
        )  # fmt: skip
    report = _report(deal, invoice, draft)
    return _made(batch, deal, draft, report, wish) if write else report


def _not_busy(batch: Batch, deal: str) -> None:
    """Raises RetryLater while what became of this deal's last write is not known."""
    if batch.state.journal.busy_subject(f"deal:{deal}"):
        patience = batch.ledger.capabilities.patience
        raise RetryLater(
            "The outcome of the deal's last write is still being found out.",
            where=f"deal:{deal}",
            next_step=f"Run the same command again in {patience.total_seconds() / 60:.0f} minutes: "
            "nothing is made twice.",
        )


def _part(batch: Batch, deal: str, name: str | None) -> Part:
    """The deal's live invoice, of this part if it has several. Raises Park."""
    live = [part for part in batch.state.links.parts(deal) if part.ended is None]
    chosen = [part for part in live if name in (None, part.part, part.marker, _number(batch, part))]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(f"{part.part} ({_number(batch, part) or 'no number'})" for part in live)
    if not live:
        what, step = "The deal has no invoice that is alive.", "There is nothing to credit."
    elif not chosen:
        what, step = f"The deal has no part {name!r}.", f"Its parts: {names}."
    else:
        what, step = f"The deal has several invoices: {names}.", "Choose one with --part."
    raise Park(what, where=f"deal:{deal}", next_step=step)


def _number(batch: Batch, part: Part) -> str | None:
    known = batch.state.snapshots.get("ledger", "invoices", part.ledger_id, Invoice)
    return known.number if known else None


def _invoice(batch: Batch, part: Part) -> Invoice:
    """The invoice as it stands now, read at its own address."""
    found = batch.ledger.get("invoices", [part.ledger_id])
    if not found or not isinstance(found[0], Invoice):
        raise Park(
            "The ledger no longer shows the invoice.", where=part.marker,
            next_step="`syncjob run` reads what became of it.",
        )  # fmt: skip
    with batch.state.commit():
        store_records(batch, "ledger", "invoices", [found[0]], strong=True)
    return found[0]


def _notes(batch: Batch, invoice: Invoice, deal: str) -> list[CreditNote]:
    """The credit notes of this invoice and of this deal, those of a lost state too, and those
    that people made: whatever changed since the invoice can have been there."""
    day = min(invoice.date or batch.today, batch.today)
    since = datetime.combine(day, time(), UTC) - BEFORE_INVOICE
    found: dict[str, CreditNote] = {}
    for page in batch.ledger.changes("credit_notes", Walk(since=since)):
        for record in page.records:
            if isinstance(record, CreditNote) and record.kind == "sale":
                about = any(i == invoice.id for i, _ in record.allocations)
                if about or _number_of(batch, deal, record) or names(record, invoice):
                    found[record.id] = record
    for made in batch.state.papers.credits(deal):  # the list may lag behind what we made
        read = batch.ledger.get("credit_notes", [made.ledger_id])
        found.update({note.id: note for note in read if isinstance(note, CreditNote)})
    return list(found.values())


def _names(batch: Batch, deal: str, note: CreditNote, invoice: Invoice) -> bool:
    made = {c.ledger_id: c.invoice for c in batch.state.papers.credits(deal)}
    return made.get(note.id) == invoice.id or names(note, invoice)


def _also(batch: Batch, note: CreditNote, invoice: Invoice) -> set[str]:
    """The other invoices that the note names beside this one."""
    find = batch.state.snapshots.find
    named = {i for word in (note.reference or "").split() for i in find("invoice.number", word)}
    return named - {invoice.id}


def _number_of(batch: Batch, deal: str, note: CreditNote) -> int | None:
    """The number in our marker, if the note bears one of this deal."""
    found = marked_paper(batch, note.marker, "c")
    return found[1] if found and found[0] == deal else None


def _granted(
    batch: Batch, deal: str, invoice: Invoice, wish: Wish, notes: list[CreditNote]
) -> CreditReport | None:
    """What the same command made before, if that is still there and not meant a second time."""
    if wish.again:
        return None
    asked = fingerprint(invoice.id, wish)
    by_id = {note.id: note for note in notes}
    for made in batch.state.papers.credits(deal):
        note = by_id.get(made.ledger_id)
        if made.request == asked and note is not None and note.status not in DEAD:
            return _known(batch, deal, invoice, note)
    return None


def _forgotten(
    batch: Batch, deal: str, invoice: Invoice, total: Decimal, notes: list[CreditNote]
) -> CreditReport | None:
    """What this deal's marker says that we made, though this state knows nothing of it: it was
    lost, or is older. As much once more is not made unless it is meant a second time."""
    ours = {made.ledger_id for made in batch.state.papers.credits(deal)}
    for note in notes:
        marked = note.id not in ours and _number_of(batch, deal, note) is not None
        if marked and note.total == total and note.status not in DEAD:
            return _known(batch, deal, invoice, note)
    return None


def _known(batch: Batch, deal: str, invoice: Invoice, note: CreditNote) -> CreditReport:
    return CreditReport(
        deal=deal, invoice=invoice.number or invoice.id, currency=note.currency,
        total=note.total, date=batch.today, reference=note.reference or "", lines=(),
        number=note.number, page=note.page, known=True,
    )  # fmt: skip


def _marker(batch: Batch, deal: str, notes: list[CreditNote]) -> str:
    """The next marker: one that neither this state nor the ledger has ever seen."""
    code = batch.config.connection.code
    rows = batch.state.db.execute(
        "SELECT marker FROM intent WHERE subject = ? AND kind = 'credit.create'", (f"deal:{deal}",)
    ).fetchall()
    parsed = [parse_other_marker(row[0] or "") for row in rows]
    used = [found[3] for found in parsed if found]
    used += [number for note in notes if (number := _number_of(batch, deal, note))]
    number = 1 + max(used, default=0)
    if number > NUMBER_MAX:
        raise Park(
            f"The deal has {NUMBER_MAX} credit notes already.", where=f"deal:{deal}",
            next_step="Make this one in the ledger.",
        )  # fmt: skip
    return credit_marker(code, deal, number)


def _report(deal: str, invoice: Invoice, draft: CreditDraft) -> CreditReport:
    return CreditReport(
        deal=deal, invoice=invoice.number or invoice.id, currency=draft.currency,
        total=draft.total, date=draft.date, reference=draft.reference, lines=draft.lines,
    )  # fmt: skip


def _made(
    batch: Batch, deal: str, draft: CreditDraft, report: CreditReport, wish: Wish
) -> CreditReport:
    """Send it as a push of one action; what the ledger answered, or why it is not there."""
    if batch.config.mode == "read_only":
        raise Park(
            "The mode is read_only: nothing is written.", where="mode",
            next_step="Set the mode to drafts_only; a credit note is always a draft.",
        )  # fmt: skip
    verify(batch, "ledger")
    action = Action(
        side="ledger", wave=Wave.INVOICES, subject=f"deal:{deal}", target=f"credit:{draft.marker}",
        payload=draft, reason=f"{batch.options.who or 'somebody'}: {wish.reason}",
    )  # fmt: skip
    plan = empty_plan()
    plan.actions, plan.subjects = [action], [deal]
    with batch.state.commit():
        batch.state.decisions.done(
            f"credit:{draft.marker}", f"deal:{deal}", who=batch.options.who or "somebody",
            reason=wish.reason, at=batch.clock.now(), batch=batch.id,
            outcome=f"a credit note over {draft.total:,.2f} {draft.currency} was asked for",
        )  # fmt: skip
    Push(batch, plan).run()
    for made in batch.state.papers.credits(deal):
        if made.marker == draft.marker:
            note = batch.state.snapshots.get("ledger", "credit_notes", made.ledger_id, CreditNote)
            return msgspec.structs.replace(
                report, number=made.number, page=note.page if note else None, created=True
            )
    _not_busy(batch, deal)
    issues = [found.issue for found in batch.state.book.open_issues(f"deal:{deal}")]
    said = issues[-1].what if issues else "The ledger did not take the credit note."
    raise Park(said, where=f"deal:{deal}", next_step="Mend what it names, and ask again.")
