"""What the cases of a group of deals need, read in one statement a kind instead of deal by deal.

It decides nothing and may leave anything out: what was not read here is read when it is asked for
(state/reads.py). It follows `cases.load_case`: deals, then their customers and invoices, then the
ledger contacts that these name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncjob.core.markers import contact_marker, marker_prefix
from syncjob.core.records import Contact, Deal, Invoice
from syncjob.core.rules.matching import email_key, name_key
from syncjob.engine.batch import Batch
from syncjob.engine.credits import NAMES


def gather(batch: Batch, deals: Sequence[str]) -> None:
    """Read for these deals what their cases will ask for; call it within `State.gathering`."""
    found = _deals(batch, deals)
    parties = _customers(batch, found)
    invoices = _invoices(batch, deals, found)
    _contacts(batch, parties, invoices)


def gather_outlines(batch: Batch, deals: Sequence[str]) -> None:
    """As `gather`, for `cases.in_outline`: the deals, and their customers in the CRM."""
    state = batch.state
    parties = {i for deal in _own(batch, deals) if (i := deal.org_id or deal.person_id)}
    markers = [contact_marker(batch.config.connection.code, party) for party in parties]
    state.snapshots.fetch("crm", "contacts", sorted(parties))
    state.book.fetch_facts(f"answer:deal:{deal}" for deal in deals)
    state.journal.fetch(targets=[f"contact:{marker}" for marker in markers])


def _deals(batch: Batch, deals: Sequence[str]) -> list[Deal]:
    """Everything that has the deal's own id."""
    state, subjects = batch.state, [f"deal:{deal}" for deal in deals]
    state.snapshots.fetch_keys("invoice.extra", deals)
    state.links.fetch_bases("crm", subjects)
    state.papers.fetch(deals)
    state.book.fetch_facts(f"{what}:{name}" for name in subjects for what in ("answer", "mute"))
    if "held" in batch.config.crm.timeline:
        state.book.fetch_issues(subjects)
    return _own(batch, deals)


def _own(batch: Batch, deals: Sequence[str]) -> list[Deal]:
    """What the shortest look at a deal asks by its own id."""
    state, subjects = batch.state, [f"deal:{deal}" for deal in deals]
    state.snapshots.fetch("crm", "deals", deals)
    state.snapshots.fetch("crm", "details", deals)
    state.links.fetch_parts(deals)
    state.merges.fetch("deals", deals)
    state.relinks.fetch("deals", deals)
    state.journal.fetch(subjects=subjects)
    found = (state.snapshots.get("crm", "deals", deal, Deal) for deal in deals)
    return [deal for deal in found if deal is not None]


def _customers(batch: Batch, deals: Sequence[Deal]) -> list[str]:
    """The customers, and the ledger contacts that are tied to them by link, marker or key."""
    state, code = batch.state, batch.config.connection.code
    everyone = {i for deal in deals for i in (deal.org_id, deal.person_id) if i}
    parties = sorted({i for deal in deals if (i := deal.org_id or deal.person_id)})
    markers = [contact_marker(code, party) for party in parties]
    state.snapshots.fetch("crm", "contacts", sorted(everyone))
    state.links.fetch_contacts(parties)
    state.matches.fetch(parties)
    state.merges.fetch("contacts", parties)
    state.snapshots.fetch_keys("contact.marker", markers)
    state.journal.fetch(targets=[f"contact:{marker}" for marker in markers])
    state.book.fetch_parked(
        [marker_prefix(code, deal.id) for deal in deals],
        [*(f"deal:{deal.id}" for deal in deals), *(f"contact:{marker}" for marker in markers)],
    )
    known = list(_known(batch, everyone))
    state.snapshots.fetch_keys("contact.name", sorted({name_key(c.name) for c in known} - {""}))
    state.snapshots.fetch_keys(
        "contact.email", sorted({email_key(e) for c in known for e in c.emails} - {""})
    )
    return parties


def _known(batch: Batch, ids: Iterable[str]) -> Iterator[Contact]:
    for contact_id in ids:
        contact = batch.state.snapshots.get("crm", "contacts", contact_id, Contact)
        if contact is not None:
            yield contact


def _invoices(batch: Batch, deals: Sequence[str], found: Iterable[Deal]) -> list[Invoice]:
    """The invoices ever made for the deals, what bears their markers or numbers, and their
    bases."""
    state, number = batch.state, batch.config.crm.fields.number
    parts = [part for deal in deals for part in state.links.parts(deal)]
    ids = dict.fromkeys(part.ledger_id for part in parts)
    for deal in deals:
        ids |= dict.fromkeys(state.snapshots.find("invoice.extra", deal))
        ids |= dict.fromkeys(state.papers.repeats(deal))
    numbers = {deal.fields.get(number) for deal in found} if number else set()
    named = sorted(number for number in numbers if number)
    state.snapshots.fetch_keys("invoice.number", named)
    for name in named:
        ids |= dict.fromkeys(state.snapshots.find("invoice.number", name))
    state.snapshots.fetch("ledger", "invoices", ids)
    state.journal.fetch(markers=[part.marker for part in parts])
    state.links.fetch_bases("ledger", [f"invoice:{invoice}" for invoice in ids])
    state.papers.fetch_of_invoices(ids)
    state.notes.fetch(part.marker for part in parts)
    read = (state.snapshots.get("ledger", "invoices", invoice, Invoice) for invoice in ids)
    return [invoice for invoice in read if invoice is not None]


def _contacts(batch: Batch, parties: Iterable[str], invoices: Iterable[Invoice]) -> None:
    """The ledger contacts of all these, and what is known by their ids."""
    state, find = batch.state, batch.state.snapshots.find
    code, ledger = batch.config.connection.code, batch.ledger_reference
    ids = dict.fromkeys(i.contact_id for i in invoices if i.contact_id)
    for party in parties:
        linked = state.links.contact(party)
        ids |= dict.fromkeys([linked] if linked else [])
        ids |= dict.fromkeys(find("contact.marker", contact_marker(code, party)))
        contact = state.snapshots.get("crm", "contacts", party, Contact)
        if contact is not None:
            ids |= dict.fromkeys(find("contact.name", name_key(contact.name)))
            mails = [email_key(email) for email in contact.emails]
            ids |= dict.fromkeys(i for mail in mails for i in find("contact.email", mail))
    state.snapshots.fetch("ledger", "contacts", ids)
    state.links.fetch_owners(ids)
    state.papers.fetch_addresses(ids)
    state.snapshots.fetch_keys("invoice.buyer", ids, most=1)
    currencies = ledger.currencies if ledger else ()
    state.snapshots.fetch_keys("invoice.loose", [f"{i}|{c}" for i in ids for c in currencies])
    named = [f"{i.contact_id}|{i.number}" for i in invoices if i.contact_id and i.number]
    state.snapshots.fetch_keys(NAMES, named)
