"""What an invoice that was just made means for the state: tied to its deal, stored, and indexed.

Keeps invariants 1 and 2: it is its deal's from the commit on that tells of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import Action, InvoiceDraft, Outcome, Stored
from syncjob.core.answers import used_up
from syncjob.core.markers import parse_invoice_marker, part_in
from syncjob.core.records import Deal, Invoice
from syncjob.engine.auditing import tie_contacts, tie_invoice
from syncjob.engine.batch import Batch
from syncjob.engine.cases import note_largest
from syncjob.engine.pull import store_records
from syncjob.engine.waits import note_drafts
from syncjob.state.journal import Intent
from syncjob.state.links import Part

_Made = tuple[InvoiceDraft, Invoice]


def store_drafts(batch: Batch, pairs: Sequence[tuple[Intent, Outcome]]) -> None:
    """The new invoices of one call, tied to their deals and stored together, and their contacts
    linked with the deals' customers, before each is written down by itself; call it inside the
    commit."""
    made = [
        (intent.action, intent.action.payload, outcome.record)
        for intent, outcome in pairs
        if isinstance(intent.action.payload, InvoiceDraft)
        and isinstance(outcome, Stored)
        and isinstance(outcome.record, Invoice)
    ]
    if made:
        _keep(batch, [(draft, invoice) for _, draft, invoice in made])
        note_drafts(batch, [action for action, _, _ in made])


def _keep(batch: Batch, made: Sequence[_Made]) -> None:
    for draft, invoice in _untied(batch, made):
        _tie_draft(batch, draft, invoice)
    invoices = [invoice for _, invoice in made]
    store_records(batch, "ledger", "invoices", invoices, strong=True)
    note_largest(batch, invoices)
    answered, pairs = _left(batch, [draft for draft, _ in made])
    for deal_id in answered:
        # It was given for this invoice: the next generation may double another one by hand.
        use_up(batch, f"deal:{deal_id}")
    for party, contact_id in pairs:
        tie_contacts(batch, party, contact_id, how="match")


def _left(batch: Batch, drafts: Sequence[InvoiceDraft]) -> tuple[list[str], list[tuple[str, str]]]:
    """The deals for which a person had asked for this invoice, and the customers that are to be
    linked with the contacts billed: where both are free, each once."""
    state, deals = batch.state, [_deal_of(draft) for draft in drafts]
    answered: list[str] = []
    partners, owners = dict[str, str](), dict[str, str]()
    with state.gathering():
        state.book.fetch_facts(f"answer:deal:{deal}" for deal in deals)
        state.snapshots.fetch("crm", "deals", deals)
        known = [state.snapshots.get("crm", "deals", deal, Deal) for deal in deals]
        parties = [(deal.org_id or deal.person_id) if deal else None for deal in known]
        state.links.fetch_contacts(party for party in parties if party)
        state.links.fetch_owners(draft.contact_id for draft in drafts if draft.contact_id)
        for deal_id, party, draft in zip(deals, parties, drafts, strict=True):
            if state.book.fact(f"answer:deal:{deal_id}"):
                answered.append(deal_id)
            contact_id = draft.contact_id
            if party is None or contact_id is None or party in partners or contact_id in owners:
                continue
            if not state.links.contact(party) and not state.links.contact_owner(contact_id):
                partners[party], owners[contact_id] = contact_id, party
    return answered, list(partners.items())


def _untied(batch: Batch, made: Sequence[_Made]) -> list[_Made]:
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
    """The same of one that was found later, by look-up, to be made; one that was just made is
    stored with the others of its call."""
    assert isinstance(record, Invoice)
    assert isinstance(action.payload, InvoiceDraft)
    if settled:
        _keep(batch, [(action.payload, record)])
        note_drafts(batch, [action])


def update_stored(batch: Batch, action: Action, record: Invoice) -> None:
    """A draft of ours that was made to follow its deal: it is measured as one that is made; call
    it inside the commit."""
    store_records(batch, "ledger", "invoices", [record], strong=True)
    note_largest(batch, [record])
    use_up(batch, action.subject)


def use_up(batch: Batch, subject: str) -> None:
    """What a person's `--create` was given for stands by now; call it inside a commit."""
    known = batch.state.book.fact(f"answer:{subject}")
    if known:
        left = used_up(known.split(","))
        batch.state.book.note(f"answer:{subject}", ",".join(sorted(left)) or None)


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
