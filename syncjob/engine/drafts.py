"""What an invoice that was just made means for the state: tied to its deal, stored, and indexed.

Keeps invariants 1 and 2: it is its deal's from the commit on that tells of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import Action, InvoiceDraft, Outcome, Stored
from syncjob.core.markers import parse_invoice_marker, part_in
from syncjob.core.records import Deal, Invoice
from syncjob.engine.auditing import tie_contacts, tie_invoice
from syncjob.engine.batch import Batch
from syncjob.engine.cases import note_largest
from syncjob.engine.pull import store_records
from syncjob.state.journal import Intent
from syncjob.state.links import Part


def store_drafts(batch: Batch, pairs: Sequence[tuple[Intent, Outcome]]) -> None:
    """The new invoices of one call, tied to their deals and stored together, before each is
    written down by itself; call it inside the commit."""
    made = [
        (intent.action.payload, outcome.record)
        for intent, outcome in pairs
        if isinstance(intent.action.payload, InvoiceDraft)
        and isinstance(outcome, Stored)
        and isinstance(outcome.record, Invoice)
    ]
    if not made:
        return
    for draft, invoice in _untied(batch, made):
        _tie_draft(batch, draft, invoice)
    invoices = [invoice for _, invoice in made]
    store_records(batch, "ledger", "invoices", invoices, strong=True)
    note_largest(batch, invoices)


def _untied(
    batch: Batch, made: Sequence[tuple[InvoiceDraft, Invoice]]
) -> list[tuple[InvoiceDraft, Invoice]]:
    """Those that are no deal's yet, each once."""
    links, ids = batch.state.links, [invoice.id for _, invoice in made]
    first = {invoice.id: draft for draft, invoice in reversed(made)}
    with batch.state.gathering():
        links.fetch_parts_of(invoices=ids, markers=[draft.marker for draft, _ in made])
        return [
            (draft, invoice)
            for draft, invoice in made
            if links.part_of_invoice(invoice.id) is None
            and links.part_of_marker(draft.marker) is None
            and first[invoice.id] is draft
        ]


def draft_stored(batch: Batch, action: Action, record: object, *, settled: bool) -> None:
    """Link the new invoice with its deal, and its contact with the deal's customer; one that was
    just made is stored with the others of its call."""
    assert isinstance(record, Invoice)
    assert isinstance(action.payload, InvoiceDraft)
    links, deal_id = batch.state.links, _deal_of(action.payload)
    if settled:
        for draft, invoice in _untied(batch, [(action.payload, record)]):
            _tie_draft(batch, draft, invoice)
        store_records(batch, "ledger", "invoices", [record], strong=True)
        note_largest(batch, [record])
    if batch.state.book.fact(f"answer:deal:{deal_id}") == "create":
        # It was given for this invoice: the next generation may double another one by hand.
        batch.state.book.note(f"answer:deal:{deal_id}", None)
    deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
    contact_id = action.payload.contact_id
    party = (deal.org_id or deal.person_id) if deal else None
    if party is None or contact_id is None:
        return
    if not links.contact(party) and not links.contact_owner(contact_id):
        tie_contacts(batch, party, contact_id, how="match")


def _deal_of(draft: InvoiceDraft) -> str:
    parsed = parse_invoice_marker(draft.marker)
    assert parsed is not None
    return parsed[1]


def _tie_draft(batch: Batch, draft: InvoiceDraft, record: Invoice) -> None:
    """Record the invoice as its deal's."""
    parsed = parse_invoice_marker(draft.marker)
    assert parsed is not None
    _, deal_id, name, generation = parsed
    key = part_in(draft.url) or ""
    part = Part(deal_id, name, generation, draft.marker, record.id, None, "created", key)
    tie_invoice(batch, part)
