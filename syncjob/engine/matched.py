"""Two contacts become linked, or apart, in our own state: what a person or a certain match decided.

Keeps invariant 2: at most one link a record, on either side.
"""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.core.markers import contact_of_marker, ledger_of_marker
from syncjob.core.records import DEAD, Contact, Deal, Invoice
from syncjob.engine.auditing import audit_link, tie_contacts
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.wants import is_on
from syncjob.state.database import State
from syncjob.state.decisions import Decision

#: The inbox's kinds of what is decided about a match; the other record's id follows a colon.
SAME, DIFFERENT = "match.same", "match.different"


def take(batch: Batch, decision: Decision) -> str:
    """Apply one decision inside its commit; what came of it, in words."""
    verb, _, second = decision.kind.partition(":")
    first = decision.subject.removeprefix("contact:").removeprefix("ledger:")
    if verb == DIFFERENT:
        return _set_apart(batch, first, second, decision.who)
    return link(batch, first, second, how="person")


def link(batch: Batch, first: str, second: str, *, how: str) -> str:
    """Link a CRM customer with a ledger contact, if both are (still) free."""
    links, matches = batch.state.links, batch.state.matches
    why = taken_contact(batch.state, first, second) or gone(batch.state, second)
    if why is not None:
        return f"not linked: {why}"
    if links.contact(first) is None:
        tie_contacts(batch, first, second, how=how)
        batch.log.info("link.created", kind="contact", crm=first, ledger=second, how=how)
    matches.not_apart(first, second)
    for record in (first, second):
        matches.drop_of(record, ("pair",))
    _wake(batch, first, second)
    return f"linked with {second}"


def _set_apart(batch: Batch, first: str, second: str, who: str) -> str:
    """Set two records apart; a link between them, made by mistake, ends."""
    links, matches = batch.state.links, batch.state.matches
    matches.drop(first, second)
    if links.contact(first) == second:
        marked = _marked(batch, first, second)
        if marked is not None:
            return f"still linked: {marked}"
        links.unlink_contact(first)
        audit_link(batch, first, second, None, how=f"parted by {who or 'a person'}")
        batch.state.contacts.drop_base(first)
    matches.set_apart(first, second, who=who, at=batch.clock.now().isoformat())
    _wake(batch, first, second)
    return f"not the same as {second}"


def _marked(batch: Batch, first: str, second: str) -> str | None:
    """That one of the two bears our key to the other, which would link them again, in words."""
    code, get = batch.config.connection.code, batch.state.snapshots.get
    customer = get("crm", "contacts", first, Contact)
    contact = get("ledger", "contacts", second, Contact)
    if contact is not None and contact_of_marker(code, contact.marker) == first:
        return f"the ledger's contact bears our number {contact.marker}; clear it there first"
    if customer is not None and ledger_of_marker(code, customer.marker) == second:
        return f"{first} bears our key {customer.marker}; clear it in the CRM first"
    return None


def _wake(batch: Batch, first: str, second: str) -> None:
    """Have what waits for this decision decided anew; call it inside a commit."""
    free_deals(batch, first)
    if is_on(batch) and first.startswith(("org:", "person:")):
        batch.state.contacts.want([first, f"ledger:{second}"], "a match was decided")


def free_deals(batch: Batch, crm_id: str) -> None:
    """Have the held deals of this customer decided anew; call it inside a commit."""
    deals = (d for d in _held_deals(batch) if crm_id in (d.org_id, d.person_id))
    batch.state.snapshots.want([d.id for d in deals], "a match was decided")


def _held_deals(batch: Batch) -> Iterator[Deal]:
    for found in batch.state.book.open_issues():
        subject = found.issue.subject
        if found.issue.state == "held" and subject.startswith("deal:"):
            deal_id = subject.removeprefix("deal:")
            deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
            if deal is not None:
                yield deal


# --- what the state knows -------------------------------------------------------------------------


def taken_contact(state: State, first: str, second: str) -> str | None:
    """Why a CRM customer and a ledger contact cannot be linked; None if both are free."""
    linked, owner = state.links.contact(first), state.links.contact_owner(second)
    if linked not in (None, second):
        return f"{first} is linked with another contact of the ledger ({linked})"
    if owner not in (None, first):
        return f"the contact {second} is linked with {owner}"
    return None


def gone(state: State, record_id: str) -> str | None:
    """That the record is no longer there, in words; None if it is."""
    get = state.snapshots.get
    if record_id.startswith("deal:"):
        deal = get("crm", "deals", record_id.removeprefix("deal:"), Deal)
        return f"{record_id} is deleted" if deal is None or deal.status == "deleted" else None
    if record_id.startswith("invoice:"):
        invoice = get("ledger", "invoices", record_id.removeprefix("invoice:"), Invoice)
        dead = invoice is None or invoice.status in DEAD
        return f"{record_id} is voided, deleted or gone" if dead else None
    side = "crm" if record_id.startswith(("org:", "person:")) else "ledger"
    contact = get("crm" if side == "crm" else "ledger", "contacts", record_id, Contact)
    if contact is None or contact.deleted:
        return f"{record_id} is no longer in the {'CRM' if side == 'crm' else 'ledger'}"
    return f"{record_id} was merged into another" if contact.merged_into else None
