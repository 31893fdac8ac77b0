"""`syncjob match invoices`: invoices made by hand are proposed for the deals that they are of.

Nothing is written at either vendor and nothing is created: what a person confirms ties an invoice
to a deal as `syncjob resolve deal ID --link NUMBER` does, by the next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from syncjob.core.markers import WHOLE
from syncjob.core.records import DEAD, Contact, Deal, Invoice
from syncjob.core.review import Face, MatchOptions, MatchReport, Proposal, ReviewRow
from syncjob.core.rules.handmade import Sale, Tie, ties
from syncjob.core.rules.matching import name_key
from syncjob.core.rules.texts import one_line, short
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.cases import survivor
from syncjob.engine.desk_parts import link_invoice
from syncjob.engine.matching import begin, note_accepted, remember, report
from syncjob.engine.pull import deal_streams
from syncjob.engine.streams import LEDGER


def match_invoices(batch: Batch, options: MatchOptions) -> MatchReport:
    """Read both sides, propose pairs; with `accept_certain` tie the certain ones at once.

    Raises SchemaDrift if a side cannot be read.
    """
    begin(batch, (*LEDGER, *deal_streams(batch)))
    _read_customers(batch)
    sales = list(_sales(batch))
    loose = list(_loose(batch))
    batch.progress("match", 0, len(sales))
    found = ties(sales, loose, days=batch.config.invoices.double_days)
    deals, invoices = {s.deal.id: s for s in sales}, {i.id: i for i in loose}
    proposed = [_proposal(tie, deals[tie.deal], invoices[tie.invoice]) for tie in found]
    proposed = [p for p in proposed if not batch.state.matches.are_apart(p.first, p.second)]
    batch.progress("match", len(sales), len(sales))
    fresh = remember(batch, proposed, ("invoice",))
    linked = _accept(batch, options, proposed) if options.accept_certain else ()
    done = {p.key for p in linked}
    shown = [p for p in (proposed if options.every else fresh) if p.key not in done]
    rows = [
        _row(batch, p, deals[p.first.removeprefix("deal:")],
             invoices[p.second.removeprefix("invoice:")])
        for p in shown
    ]  # fmt: skip
    return report(
        batch, "invoices", len(sales), len(loose), known=batch.state.links.live_count(),
        rows=rows, linked=linked, waiting=len(proposed) - len(done),
    )  # fmt: skip


# --- what is compared -----------------------------------------------------------------------------


def _won(batch: Batch) -> Iterator[Deal]:
    """The won deals that no invoice is tied to and that nobody said are never invoiced."""
    state = batch.state
    for deal_id in state.snapshots.wins_without_invoice():
        deal = state.snapshots.get("crm", "deals", deal_id, Deal)
        if deal is not None and state.book.fact(f"answer:deal:{deal_id}") != "never":
            yield deal


def _read_customers(batch: Batch) -> None:
    """Read the deals' customers that this state has never seen, in bulk: their names are needed."""
    wanted = dict.fromkeys(deal.org_id or deal.person_id or "" for deal in _won(batch))
    seen = batch.state.snapshots.batch_of
    new = [c for c in wanted if c and not seen("crm", "contacts", c)]
    for kind in ("org:", "person:"):  # two lists at the vendor
        read_records(batch, "crm", "contacts", [c for c in new if c.startswith(kind)])


def _sales(batch: Batch) -> Iterator[Sale]:
    inputs, fields = batch.config.crm.inputs, batch.config.crm.fields
    for deal in _won(batch):
        yield Sale(
            deal=deal,
            won=_won_day(batch, deal),
            contacts=_contacts(batch, deal.org_id or deal.person_id),
            purchase_order=_field(deal, inputs.purchase_order),
            invoice_number=_field(deal, fields.number),
        )


def _won_day(batch: Batch, deal: Deal) -> date | None:
    won = deal.first_won_at or deal.won_at
    return won.astimezone(batch.zone).date() if won else None


def _field(deal: Deal, name: str | None) -> str | None:
    return deal.fields.get(name) if name else None


def _contacts(batch: Batch, party_id: str | None) -> dict[str, str]:
    """The ledger contacts that the customer is or may be, and how that is known."""
    if party_id is None:
        return {}
    state = batch.state
    linked = state.links.contact(party_id)
    kept = survivor(batch, linked) if linked else None
    if kept is not None:
        return {kept.id: "linked"}
    apart = state.matches.apart_from(party_id)
    party = state.snapshots.get("crm", "contacts", party_id, Contact)
    key = name_key(party.name) if party else ""
    matched = [p.second for p in state.matches.of(party_id) if p.kind == "pair"]
    found = dict.fromkeys(matched, "matched")
    found |= dict.fromkeys(state.snapshots.find("contact.name", key) if key else [], "named")
    return {i: how for i, how in found.items() if i not in apart}


def _loose(batch: Batch) -> Iterator[Invoice]:
    """The live sales invoices that are tied to no deal."""
    for invoice_id in batch.state.snapshots.loose_invoices():
        invoice = batch.state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
        if invoice is not None and invoice.status not in DEAD:
            yield msgspec.structs.replace(invoice, lines=None)


# --- what is proposed -----------------------------------------------------------------------------


def _proposal(tie: Tie, sale: Sale, invoice: Invoice) -> Proposal:
    compared = msgspec.json.encode((sale, invoice))
    return Proposal(
        kind="invoice",
        first=f"deal:{sale.deal.id}",
        second=f"invoice:{invoice.id}",
        first_name=short(one_line(sale.deal.title)) or sale.deal.id,
        second_name=invoice.number or invoice.id,
        score=tie.score,
        band=tie.band,
        agrees=tie.agrees,
        differs=tie.differs,
        because=tie.because,
        digest=hashlib.blake2b(compared, digest_size=8).hexdigest(),
    )


def _accept(
    batch: Batch, options: MatchOptions, proposed: Sequence[Proposal]
) -> tuple[Proposal, ...]:
    """Tie the certain pairs, each with who and why in the audit."""
    done = []
    for made in (p for p in proposed if p.band == "certain"):
        deal, invoice = made.first.removeprefix("deal:"), made.second.removeprefix("invoice:")
        with batch.state.commit():
            words = link_invoice(batch, deal, invoice)
            note_accepted(batch, options, made.first, made, words)
        part = batch.state.links.live_part(deal, WHOLE)
        if part is not None and part.ledger_id == invoice:
            done.append(made)
    return tuple(done)


def _row(batch: Batch, made: Proposal, sale: Sale, invoice: Invoice) -> ReviewRow:
    return ReviewRow(proposal=made, first=_of_deal(batch, sale), second=_of_invoice(batch, invoice))


def _of_deal(batch: Batch, sale: Sale) -> Face:
    deal = sale.deal
    party_id = deal.org_id or deal.person_id or ""
    party = batch.state.snapshots.get("crm", "contacts", party_id, Contact)
    value = f"{deal.value:,.2f} {deal.currency}" if deal.value is not None else ""
    lines = [
        ("customer", (party.name if party else None) or party_id), ("sum", value),
        ("date", f"won {sale.won}" if sale.won else ""), ("reference", sale.purchase_order or ""),
        ("number", sale.invoice_number or ""), ("title", deal.title),
    ]  # fmt: skip
    return _face(f"deal:{deal.id}", deal.title or deal.id, deal.page, lines)


def _of_invoice(batch: Batch, invoice: Invoice) -> Face:
    contact = batch.state.snapshots.get("ledger", "contacts", invoice.contact_id or "", Contact)
    sums = {f"{s:,.2f} {invoice.currency}" for s in (invoice.total, invoice.sub_total)}
    lines = [
        ("customer", (contact.name if contact else None) or invoice.contact_id or ""),
        *(("sum", text) for text in sorted(sums, reverse=True)),
        ("date", f"dated {invoice.date}" if invoice.date else ""),
        ("reference", invoice.reference or ""), ("number", invoice.number or ""),
        ("status", invoice.status),
    ]  # fmt: skip
    return _face(f"invoice:{invoice.id}", invoice.number or invoice.id, invoice.page, lines)


def _face(record_id: str, name: str, page: str | None, lines: Sequence[tuple[str, str]]) -> Face:
    told = tuple((what, one_line(value)) for what, value in lines if one_line(value))
    return Face(id=record_id, name=short(one_line(name)), page=page, lines=told)
