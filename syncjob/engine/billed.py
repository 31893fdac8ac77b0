"""The ledger's sales invoices as they are read: whose they are, and how they are found again; and
whose they become when the ledger merges their customer into another.

A merge moves invoices and credit to the contact that stays without moving a stamp, so that no list
shows it (facts: xero, 4). It is followed here, or an invoice by hand, a credit, or whom a part was
billed to would be looked for under a name that nothing has any more (invariant 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncjob.core.markers import is_left
from syncjob.core.records import Contact, CreditNote, Invoice, Record, Side
from syncjob.engine import credits
from syncjob.engine.adopt import adopt_invoice
from syncjob.engine.batch import Batch
from syncjob.engine.candidates import MERGES_MAX
from syncjob.engine.templates import tie_repeat

#: The streams whose records a merge of their customer moves.
_MOVED: tuple[tuple[str, type[Invoice] | type[CreditNote]], ...] = (
    ("invoices", Invoice), *((stream, CreditNote) for _, stream in credits.STREAMS),
)  # fmt: skip


def take_invoice(batch: Batch, record: Record) -> None:
    """Index an invoice that is new or has changed, adopt it if it is ours, and look again at its
    deal; call it inside a commit."""
    assert isinstance(record, Invoice)
    batch.changed_ledger = True
    if record.kind != "sale":
        return
    part = adopt_invoice(batch, record)
    repeated = tie_repeat(batch, record) if part is None else None
    tied = repeated is not None or (part is not None and not is_left(part.deal))
    free = not tied and record.contact_id is not None
    batch.state.snapshots.index(
        record.id,
        {
            "invoice.number": [record.number] if record.number else [],
            "invoice.loose": [f"{record.contact_id}|{record.currency}"] if free else [],
            "invoice.buyer": [record.contact_id] if _bought(record) and record.contact_id else [],
        },
    )
    deal = part.deal if part is not None else repeated
    if deal is not None:
        known = batch.state.merges.survivor("deals", deal)
        batch.state.snapshots.want([known], "its invoice changed")


def _bought(invoice: Invoice) -> bool:
    """Whether it makes its contact a customer who has bought before."""
    return invoice.status in ("authorised", "paid")


# --- merges in the ledger -----------------------------------------------------------------------


def at_survivor(
    batch: Batch, side: Side, stream: str, records: Sequence[Record]
) -> Sequence[Record]:  # fmt: skip
    """The records as the ledger has them since its merges of contacts, which a list that lags
    behind may not know of."""
    if side != "ledger" or all(stream != moved for moved, _ in _MOVED):
        return records
    papers = [r for r in records if isinstance(r, Invoice | CreditNote) and r.contact_id]
    now = _survivors(batch, {paper.contact_id for paper in papers if paper.contact_id})
    if not now:
        return records
    return [
        msgspec.structs.replace(r, contact_id=now[r.contact_id])
        if isinstance(r, Invoice | CreditNote) and r.contact_id in now
        else r
        for r in records
    ]


def moved_by(batch: Batch, contact: Contact) -> Iterator[tuple[str, Record]]:
    """What is known of the invoices and credit of a contact that was merged, as they now stand:
    each with its stream, stored and still to be indexed. Call it inside a commit."""
    if contact.merged_into is None:
        return
    ids, snapshots = batch.state.contacts.papers_of(contact.id), batch.state.snapshots
    for stream, kind in _MOVED if ids else ():
        known = (snapshots.get("ledger", stream, paper, kind) for paper in ids)
        for record in at_survivor(batch, "ledger", stream, [r for r in known if r is not None]):
            snapshots.replace("ledger", stream, record)
            yield stream, record


def _survivors(batch: Batch, contacts: set[str]) -> dict[str, str]:
    """Of these ledger contacts those that were merged, each with the one that it is now."""
    found = merged = batch.state.contacts.merged(contacts)
    for _ in range(MERGES_MAX):
        if not merged:
            break
        merged = batch.state.contacts.merged(set(merged.values()))
        found = {old: merged.get(new, new) for old, new in found.items()}
    return found
