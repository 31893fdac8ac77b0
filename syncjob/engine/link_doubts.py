"""What speaks against tying an invoice to a deal: another customer, another currency."""

from __future__ import annotations

from syncjob.core.records import Contact, Deal, Invoice
from syncjob.core.rules.matching import name_key
from syncjob.errors import Park
from syncjob.state.database import State


def link_doubts(state: State, deal_id: str, number: str) -> list[str]:
    """In words, for a person to decide on; empty if deal and invoice agree, or are not known.

    Raises Park for an invoice that a repeating invoice of another deal has made.
    """
    get = state.snapshots.get
    deal = get("crm", "deals", deal_id, Deal)
    found = [get("ledger", "invoices", i, Invoice) for i in _named(state, number)]
    invoices = [invoice for invoice in found if invoice is not None]
    if deal is None or len(invoices) != 1:
        return []
    (invoice,) = invoices
    other = state.papers.deal_of_repeat(invoice.id)
    if other is not None:
        raise Park(
            f"The invoice {number} was made by the repeating invoice of deal {other}.",
            where=number, next_step="It is tied to that deal already.",
        )  # fmt: skip
    doubts = []
    if invoice.currency != deal.currency:
        doubts.append(f"The invoice is in {invoice.currency}, the deal in {deal.currency}.")
    customer = _other_customer(state, deal, invoice)
    if customer is not None:
        doubts.append(customer)
    return doubts


def _named(state: State, number: str) -> list[str]:
    known = state.snapshots.get("ledger", "invoices", number, Invoice)
    return [known.id] if known else state.snapshots.find("invoice.number", number)


def _other_customer(state: State, deal: Deal, invoice: Invoice) -> str | None:
    """Why the invoice seems to be another customer's: the link says so, else the names."""
    party_id = deal.org_id or deal.person_id
    party = state.snapshots.get("crm", "contacts", party_id, Contact) if party_id else None
    billed = None
    if invoice.contact_id:
        billed = state.snapshots.get("ledger", "contacts", invoice.contact_id, Contact)
    linked = state.links.contact(party_id) if party_id else None
    names = (
        f"The invoice bills {(billed.name if billed else None) or 'a contact not yet read'}, "
        f"the deal's customer is {(party.name if party else None) or 'not known'}."
    )
    if linked is not None:
        return None if linked == invoice.contact_id else names
    if party is None or billed is None or name_key(party.name) != name_key(billed.name):
        return names
    return None
