"""Everything the rules need to know about one deal, gathered from the state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import attrgetter

import msgspec

from syncjob.core.actions import Action, InvoiceDraft, InvoiceUpdate, Issue
from syncjob.core.case import Agreed, Case, Context, PartCase
from syncjob.core.contacts.case import ContactCase, ContactContext
from syncjob.core.markers import WHOLE, contact_marker, marker_prefix, parse_invoice_marker
from syncjob.core.records import Contact, Deal, Invoice
from syncjob.core.rules.changes import Past
from syncjob.core.rules.early import not_overdue
from syncjob.core.rules.matching import Candidates
from syncjob.engine.batch import Batch
from syncjob.engine.candidates import find_candidates, owners_of
from syncjob.engine.candidates import survivor as survivor
from syncjob.engine.contacts.cases import crossing_of
from syncjob.engine.credits import notes_about
from syncjob.engine.gathering import gather, gather_outlines
from syncjob.engine.papers import load_after, mailing_of
from syncjob.engine.telling import digested, heard, notices_since
from syncjob.engine.timeline import standing_issues, timeline_since
from syncjob.state.database import State
from syncjob.state.links import Part

#: So many deals are read, decided and stored together: one statement or commit serves them all,
#: and no more of them are in memory at a time.
GROUP = 200


def load_context(batch: Batch) -> Context:
    """What holds for every deal of this batch."""
    config, crm, ledger = batch.config, batch.crm_reference, batch.ledger_reference
    assert crm is not None
    assert ledger is not None
    now = (batch.ledger.server_time() or batch.clock.now()).replace(microsecond=0)
    locks = (ledger.organisation.locked_through, config.ledger.books_closed_through)
    if batch.largest is None:  # a large load is not measured by its own first invoices
        batch.largest = _largest(batch)
    return Context(
        code=config.connection.code, mode=config.mode, policy=config.invoices,
        inputs=config.crm.inputs, fields=config.crm.fields, overdue=config.overdue,
        crm=crm, ledger=ledger, zone=batch.zone, today=batch.today,
        stamp=now.strftime("%Y-%m-%d %H:%M UTC"),
        locked_through=max((day for day in locks if day is not None), default=None),
        largest=batch.largest, times_largest=config.guard.times_largest,
        approvals_wait=_approvals_wait(batch), mailing=mailing_of(batch),
        notices=config.notices, notices_since=notices_since(batch), digested=digested(batch),
        moves=config.crm.moves, timeline=config.crm.timeline, timeline_since=timeline_since(batch),
        reference_hash=batch.reference_hash,
    )  # fmt: skip


def _largest(batch: Batch) -> dict[str, Decimal]:
    """The largest invoice so far by currency, as kept by `note_largest`."""
    known = batch.state.book.fact("largest")
    return msgspec.json.decode(known, type=dict[str, Decimal]) if known else {}


def note_largest(batch: Batch, invoices: Sequence[Invoice]) -> None:
    """Remember the largest invoice of ours by currency; call it inside a commit."""
    known = _largest(batch)
    largest = dict(known)
    for invoice in invoices:
        if invoice.total > largest.get(invoice.currency, Decimal(0)):
            largest[invoice.currency] = invoice.total
    if largest != known:
        batch.state.book.note("largest", msgspec.json.encode(largest).decode())


def _approvals_wait(batch: Batch) -> str | None:
    until = batch.state.book.instant("approvals_wait_until")
    if until is None or (batch.ledger.server_time() or batch.clock.now()) >= until:
        return None
    return "the ledger's plan allows no more approved invoices for now"


def load_cases(batch: Batch, deals: Sequence[str]) -> list[Case]:
    """The cases of a group of deals, in their order, without those that the CRM has never shown.

    A group is a few hundred deals: what they read is kept until all are loaded.
    """
    with batch.state.gathering():
        gather(batch, deals)
        found = [load_case(batch, deal) for deal in deals]
    return [case for case in found if case is not None]


def in_groups(batch: Batch, deals: Sequence[str]) -> Iterator[Case]:
    """As `load_cases` of any number of deals; only one group's cases are in memory."""
    for start in range(0, len(deals), GROUP):
        yield from load_cases(batch, deals[start : start + GROUP])


def in_outline(batch: Batch, deals: Sequence[str]) -> Iterator[Case]:
    """As `in_groups`, but a deal that never had an invoice has no more in its case than
    `needs_lines` asks (core/plan): a first load asks that of each, and of the ledger nothing."""
    for start in range(0, len(deals), GROUP):
        group = deals[start : start + GROUP]
        with batch.state.gathering():
            gather_outlines(batch, group)
            invoiced = {deal for deal in group if batch.state.links.parts(deal)}
            if invoiced:
                gather(batch, [deal for deal in group if deal in invoiced])
            found = [(load_case if d in invoiced else _outline)(batch, d) for d in group]
        yield from (case for case in found if case is not None)


def _outline(batch: Batch, deal_id: str) -> Case | None:
    """The case of a deal that never had an invoice, as far as `needs_lines` looks at it."""
    deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
    if deal is None:
        return None
    deal, complete, _, _ = _with_lines(batch, deal)
    party = deal.org_id or deal.person_id
    return Case(
        deal=deal, complete=complete,
        busy=_busy(batch, deal_id) or _customer_busy(batch, party),
        party=_crm_contact(batch, party) if party else None, answers=_answers(batch, deal_id),
        relinked=batch.state.relinks.stands_for("deals", deal_id),
    )  # fmt: skip


def load_case(batch: Batch, deal_id: str) -> Case | None:
    """The deal with all that bears on it; None if the CRM has never shown it."""
    state = batch.state
    deal = state.snapshots.get("crm", "deals", deal_id, Deal)
    if deal is None:
        return None
    deal, complete, latest, moved = _with_lines(batch, deal)
    customer = _customer(batch, deal)
    parts, rivals = _parts(batch, deal_id), _rivals(batch, deal_id)
    everything = (*parts, *(part for _, part in rivals))
    live = [part.invoice for part in everything if part.invoice is not None]
    billed = {invoice.contact_id for invoice in live if invoice.contact_id}
    billed |= customer.contacts
    case = Case(
        deal=deal, complete=complete, after=load_after(batch, deal_id, live, billed),
        busy=_busy(batch, deal_id) or customer.busy,
        rivals=rivals, relinked=state.relinks.stands_for("deals", deal_id),
        party=customer.party, person=customer.person, candidates=customer.candidates,
        owners=customer.owners, crossing=customer.crossing,
        noted=_noted(batch, deal_id),
        standing=standing_issues(batch, deal_id),
        parts=parts, answers=_answers(batch, deal_id), latest=latest, moved=moved,
        buyers=frozenset(i for i in billed if state.snapshots.find("invoice.buyer", i, most=1)),
        by_number=_by_number(batch, deal), unlinked=customer.unlinked,
        parked=_parked(batch, deal_id, deal.org_id or deal.person_id),
        deal_base={
            field: Agreed(base.wanted, base.stored)
            for field, base in state.links.base("crm", f"deal:{deal_id}").items()
        },
    )  # fmt: skip
    return heard(batch, case)


class _Customer(msgspec.Struct, frozen=True):
    """What bears on each deal of one customer. `contacts` are the ids of the candidates."""

    party: Contact | None
    person: Contact | None
    candidates: Candidates
    contacts: frozenset[str]
    owners: dict[str, str]
    crossing: tuple[ContactCase, ContactContext] | None
    unlinked: tuple[Invoice, ...]
    busy: bool


def _customer(batch: Batch, deal: Deal) -> _Customer:
    """Gathered once for all deals of a group that name the same organization and person."""
    org, person = deal.org_id, deal.person_id
    return batch.state.reads.once(
        ("customer", org, person), lambda: _load_customer(batch, org or person, person)
    )


def _load_customer(batch: Batch, party_id: str | None, person_id: str | None) -> _Customer:
    party = _crm_contact(batch, party_id) if party_id else None
    person = _crm_contact(batch, person_id) if person_id else None
    candidates = find_candidates(batch, party_id, party, person)
    return _Customer(
        party=party, person=person, candidates=candidates,
        contacts=frozenset(c.id for c in candidates), owners=owners_of(batch, candidates),
        crossing=crossing_of(batch, party_id), unlinked=_unlinked(batch, candidates),
        busy=_customer_busy(batch, party_id),
    )  # fmt: skip


#: What of a deal shows that its lines may be others.
_TELLTALE = attrgetter("updated", "value", "line_count", "currency")


def _with_lines(batch: Batch, deal: Deal) -> tuple[Deal, bool, Deal | None, bool]:
    """The deal with the lines that this batch read, and whether it did; the deal with its lines as
    they were last read, and whether it has changed since. Of a deal whose lines were never read
    nobody can say."""
    seen = batch.state.snapshots.seen("crm", "details", deal.id, Deal)
    if seen is None or seen[0].lines is None:
        return deal, False, None, False
    details, read = seen
    whole = msgspec.structs.replace(
        deal, lines=details.lines, discounts=details.discounts, instalments=details.instalments
    )
    # Lines change the deal's value, not always its stamp (facts: pipedrive, 1d).
    moved = _TELLTALE(details) != _TELLTALE(deal)
    complete = read == batch.id
    return whole if complete else deal, complete, None if moved else whole, moved


def _parts(batch: Batch, deal_id: str) -> tuple[PartCase, ...]:
    """The invoices ever made for the deal, and what further ones bear its markers, by part."""
    known: dict[str, list[Part]] = defaultdict(list)
    for part in batch.state.links.parts(deal_id):
        known[part.part].append(part)
    extra: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in _invoices(batch, "invoice.extra", deal_id):
        parsed = parse_invoice_marker(invoice.marker or "")
        extra[parsed[2] if parsed else WHOLE].append(invoice)
    names = sorted({*known, *extra}, key=lambda name: (len(name), name))
    return tuple(_part(batch, name, known[name], extra[name]) for name in names)


def _part(batch: Batch, name: str, past: list[Part], extra: list[Invoice]) -> PartCase:
    """One part with its live invoice, what we sent, what the ledger stored, and what stands now."""
    ended = [part for part in past if part.ended is not None]
    keys = [part.key for part in past if part.key]
    unknown = None if past and name != WHOLE else ""
    get = batch.state.snapshots.get
    case = PartCase(
        name=name, key=keys[-1] if keys else unknown,
        history=tuple(_past(batch, part) for part in past), extra=tuple(extra),
        last=get("ledger", "invoices", ended[-1].ledger_id, Invoice) if ended else None,
    )  # fmt: skip
    live = next((part for part in past if part.ended is None), None)
    invoice = get("ledger", "invoices", live.ledger_id, Invoice) if live else None
    if live is None or invoice is None:
        return case
    action = created_by(batch.state, live.marker)
    created = action.payload if action else None
    if isinstance(created, InvoiceDraft):
        invoice = not_overdue(created.early, batch.config.invoices.terms.early.evidence, invoice)
    base = batch.state.links.base("ledger", f"invoice:{invoice.id}")
    contact = invoice.contact_id
    return msgspec.structs.replace(
        case, marker=live.marker, invoice=invoice, credit_notes=notes_about(batch, invoice),
        contact=get("ledger", "contacts", contact, Contact) if contact else None,
        fresh=batch.state.snapshots.batch_of("ledger", "invoices", invoice.id) == batch.id,
        created=created if isinstance(created, InvoiceDraft) else None,
        invoice_base={field: value.stored for field, value in base.items()},
        invoice_now=batch.ledger.current_form(action, invoice) if action else {},
    )  # fmt: skip


def created_by(state: State, marker: str) -> Action | None:
    """The action that created what bears this marker, if this state knows it, with the content
    that it was given last."""
    action = state.journal.made(marker)
    if action is None:
        return None
    if isinstance(action.payload, InvoiceUpdate):
        action = msgspec.structs.replace(action, payload=action.payload.draft)
    return action if isinstance(action.payload, InvoiceDraft) else None


def _crm_contact(batch: Batch, contact_id: str) -> Contact | None:
    contact = batch.state.snapshots.get("crm", "contacts", contact_id, Contact)
    return None if contact is None or contact.deleted else contact


def _busy(batch: Batch, deal_id: str) -> bool:
    """Whether a write to this deal, or to one that was merged into it, is still unknown."""
    ids = (deal_id, *batch.state.merges.merged_into("deals", deal_id))
    return any(batch.state.journal.busy_subject(f"deal:{i}") for i in ids)


def _rivals(batch: Batch, deal_id: str) -> tuple[tuple[str, PartCase], ...]:
    """The live parts of the deals that were merged into this one, which has some itself, and which
    have not become its."""
    olds = batch.state.merges.merged_into("deals", deal_id)
    found = ((old, part) for old in olds for part in _parts(batch, old))
    return tuple((old, part) for old, part in found if part.invoice is not None)


def _noted(batch: Batch, deal_id: str) -> frozenset[str]:
    """What was noted in the timeline of the deal, and of those that were merged into it."""
    deals = (deal_id, *batch.state.merges.merged_into("deals", deal_id))
    return frozenset(marker for deal in deals for marker in batch.state.papers.notes(deal))


def _customer_busy(batch: Batch, party_id: str | None) -> bool:
    """Whether the ledger contact for this customer is being created and not yet known."""
    if party_id is None:
        return False
    marker = contact_marker(batch.config.connection.code, party_id)
    return batch.state.journal.busy([("ledger", f"contact:{marker}")])


def _past(batch: Batch, part: Part) -> Past:
    invoice = batch.state.snapshots.get("ledger", "invoices", part.ledger_id, Invoice)
    status = invoice.status if invoice else "deleted"
    if part.ended is not None and status not in ("voided", "deleted"):
        status = "deleted"
    taken = batch.state.papers.cancelled(part.marker) if part.ended == "person" else None
    return Past(part.generation, status, part.ended == "us", taken.words if taken else "")


def _invoices(batch: Batch, kind: str, value: str) -> list[Invoice]:
    ids = batch.state.snapshots.find(kind, value)
    found = (batch.state.snapshots.get("ledger", "invoices", i, Invoice) for i in ids)
    return [invoice for invoice in found if invoice is not None]


def _unlinked(batch: Batch, candidates: Candidates) -> tuple[Invoice, ...]:
    """Invoices tied to no deal, of any contact this customer might be."""
    contacts = {c.id for c in (*candidates.by_name, *candidates.by_email)}
    contacts |= {c.id for c in (candidates.linked, candidates.by_marker) if c}
    ledger = batch.ledger_reference
    currencies = ledger.currencies if ledger else ()
    found = [
        invoice
        for contact in sorted(contacts)
        for currency in currencies
        for invoice in _invoices(batch, "invoice.loose", f"{contact}|{currency}")
    ]
    return tuple(found)


def _by_number(batch: Batch, deal: Deal) -> Invoice | None:
    name = batch.config.crm.fields.number
    number = deal.fields.get(name) if name else None
    found = _invoices(batch, "invoice.number", number) if number else []
    return found[0] if found else None


def _answers(batch: Batch, deal_id: str) -> frozenset[str]:
    """What a person decided about this deal (`syncjob resolve`)."""
    known = batch.state.book.fact(f"answer:deal:{deal_id}")
    return frozenset(known.split(",")) if known else frozenset()


def _parked(batch: Batch, deal_id: str, party_id: str | None) -> dict[str, tuple[str, Issue]]:
    """What the vendors refused for this deal, its invoices and its customer; also of those that
    are called by another name: of merged deals, of an earlier CRM, and what a template made."""
    state, code = batch.state, batch.config.connection.code
    customer = [f"contact:{contact_marker(code, party_id)}"] if party_id else []
    prefix = marker_prefix(code, deal_id)
    found = state.book.parked_about(prefix, [f"deal:{deal_id}", *customer])
    deals = (deal_id, *state.merges.merged_into("deals", deal_id))
    names = [part.marker for deal in deals for part in state.links.parts(deal)]
    names = [name for name in names if not name.startswith(prefix)]
    names += [invoice for deal in deals for invoice in state.papers.repeats(deal)]
    for name in names:
        found |= state.book.parked_about(name, ())
    return found
