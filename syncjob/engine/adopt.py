"""What bears our marker is ours: link it if its place is free, else raise the alarm.

Keeps invariants 1 and 2: the detective control that runs on every page that is read, so that a
lost answer, a lost state or a second instance never leads to a second invoice unseen.
"""

from __future__ import annotations

from syncjob.core.actions import Issue
from syncjob.core.markers import (
    WHOLE,
    marker_in,
    parse_invoice_marker,
    part_in,
)
from syncjob.core.records import DEAD, Contact, Invoice
from syncjob.engine.auditing import tie_contacts, tie_invoice
from syncjob.engine.batch import Batch
from syncjob.engine.marked import marked_contact, marked_deal
from syncjob.state.links import Ender, Part


def adopt_contact(batch: Batch, contact: Contact) -> None:
    """Link a ledger contact that bears our marker, if neither side is linked yet."""
    crm_id = marked_contact(batch, contact.marker)
    links = batch.state.links
    # A contact that was merged keeps our marker: it leads to the survivor.
    ledger_id = contact.merged_into or contact.id
    if crm_id is None or links.contact(crm_id) or links.contact_owner(ledger_id):
        return
    if contact.archived and not contact.merged_into:
        return
    tie_contacts(batch, crm_id, ledger_id, how="marker")
    batch.log.info("link.created", kind="contact", crm=crm_id, ledger=ledger_id, how="marker")


def adopt_invoice(batch: Batch, invoice: Invoice) -> Part | None:
    """The deal's part that this invoice is; adopted now if it bears our marker and is unknown."""
    links = batch.state.links
    part = links.part_of_invoice(invoice.id)
    if part is not None:
        if part.ended is None and invoice.status in DEAD:
            links.end_part(invoice.id, "person")
            batch.log.info("invoice.ended", invoice=invoice.id, status=invoice.status)
            _next_in_line(batch, part.deal)
            return links.part_of_invoice(invoice.id)
        return part
    parsed = parse_invoice_marker(invoice.marker) if invoice.marker else None
    by_number = marker_in(invoice.url, invoice.reference) is None
    if by_number and batch.config.invoices.numbering != "deal":
        parsed = None  # a number that merely looks like a marker of ours
    deal = marked_deal(batch, parsed[0], parsed[1]) if parsed else None
    if parsed is None or deal is None:
        _no_duplicate(batch, invoice)
        return None
    return _adopt(batch, invoice, (parsed[0], deal, *parsed[2:]))


def _next_in_line(batch: Batch, deal: str) -> None:
    """A place is free: what was one too many while it was taken may be the deal's later generation,
    which a state from before it knew nothing of. Else a person who has it issued anew, as they
    are told to, would have two."""
    snapshots = batch.state.snapshots
    for invoice_id in snapshots.find("invoice.extra", deal):
        invoice = snapshots.get("ledger", "invoices", invoice_id, Invoice)
        if invoice is not None and invoice.status not in DEAD and adopt_invoice(batch, invoice):
            snapshots.index(invoice_id, {"invoice.extra": []})
            snapshots.want([deal], "its later invoice takes the place of one that is gone")


def _no_duplicate(batch: Batch, invoice: Invoice) -> None:
    """A person took our marker off a second invoice: its deal need not mention it any more."""
    snapshots = batch.state.snapshots
    snapshots.want(snapshots.keys(invoice.id, "invoice.extra"), "a second invoice is its own now")
    snapshots.index(invoice.id, {"invoice.extra": []})


def _adopt(batch: Batch, invoice: Invoice, parsed: tuple[str, str, str, int]) -> Part | None:
    code, deal, name, generation = parsed
    assert invoice.marker is not None
    links = batch.state.links
    dead = invoice.status in DEAD
    taken = links.part_of_marker(invoice.marker) is not None
    key = "" if name == WHOLE else part_in(invoice.url) or ""
    doubled = links.live_part(deal, name) or (links.live_key(deal, key) if key else None)
    if taken or (not dead and doubled is not None):
        _duplicate(batch, invoice, deal)
        return None
    ended: Ender | None = "person" if dead else None
    part = Part(deal, name, generation, invoice.marker, invoice.id, ended, "marker", key)
    tie_invoice(batch, part)
    batch.log.info("link.created", kind="invoice", deal=deal, ledger=invoice.id, how="marker")
    batch.counts["adopted"] += 1
    known = batch.state.journal.knows_marker(invoice.marker)
    if not known and code == batch.config.connection.code:
        _stranger(batch, invoice, deal)
    return part


def _duplicate(batch: Batch, invoice: Invoice, deal: str) -> None:
    """A second invoice with one marker: remembered for the plan, told to a person."""
    live = [invoice.id] if invoice.status not in DEAD else []
    deal = batch.state.merges.survivor("deals", deal)
    batch.state.snapshots.index(f"{invoice.id}", {"invoice.extra": [deal] if live else []})
    batch.state.snapshots.want([deal], "a second invoice bears its marker")
    batch.log.error("duplicate.found", deal=deal, invoice=invoice.id, status=invoice.status)
    ours = marker_in(invoice.url, None)  # a person's copy bears the reference alone
    if live and ours and batch.state.journal.sends_of_marker(ours) <= _made_before(batch, ours):
        _stranger(batch, invoice, deal)


def _made_before(batch: Batch, marker: str) -> int:
    """How many of our sends of this marker the deal's own invoice accounts for. One that a person
    linked has the marker in our books alone: then a draft whose answer was lost is the first."""
    part = batch.state.links.part_of_marker(marker)
    return int(part is not None and part.how != "person")


def _stranger(batch: Batch, invoice: Invoice, deal: str) -> None:
    """Outside a recovery, a marker we never wrote down means that somebody else runs as us."""
    if batch.state.book.fact("recovering_since") is not None:
        return
    batch.state.book.note("another_instance", invoice.id)
    batch.raise_issues(
        [
            Issue(
                code="another_instance", subject="connection", page=invoice.page,
                what=f"The invoice {invoice.number or invoice.id} of deal {deal} bears this "
                "connection's marker, but this state never made it: another instance is running.",
                next_step="Stop the other one, then `syncjob resolve connection --only-instance`.",
            )
        ]
    )  # fmt: skip
