"""Links whose other end is deleted, archived or gone: what no list shows is asked for by its id.

Keeps invariant 7: that a record is not in a list says nothing; only the vendor's answer to its id
does, and even then nothing is undone here, a person is told.
"""

from __future__ import annotations

from syncjob.core.reconcile import Finding, Mends
from syncjob.core.records import Contact, Deal, Invoice, Side, Template
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import chunks
from syncjob.engine.reconcile.reading import NAMES, read_by_id
from syncjob.engine.reconcile.session import Session
from syncjob.engine.templates import read_list

#: Linked customers that are looked at in one go.
GROUP = 500
#: So many linked records, and more than this share of them, are not deleted in a day: a side that
#: shows so little is most likely not shown to us as a whole.
HIDDEN_MIN, HIDDEN_PERCENT = 20, 50
_RIGHTS = "Look whether the user behind the credentials still sees everything, and whose account "
_RIGHTS += "it is; then run `syncjob reconcile` again."


def ask_for_unseen(session: Session) -> None:
    """The invoices and deals of our links that no list has shown; after whole lists only."""
    if session.given.since is not None:
        return
    links = session.batch.state.links
    first = session.given.first_batch
    _ask(session, "ledger", "invoices", links.unseen_invoices(first))
    _ask(session, "crm", "deals", session.finds.unseen_deals(first))
    _templates(session)


def _ask(session: Session, side: Side, stream: str, ids: list[str]) -> None:
    if f"{side} {stream}" in session.given.unread or not ids:
        return
    total = session.batch.state.links.live_count()
    if len(ids) >= HIDDEN_MIN and len(ids) * 100 > total * HIDDEN_PERCENT:
        _hidden(session, side, stream, len(ids), total)
        return
    for group in chunks(ids, GROUP):
        gone = read_by_id(session, side, stream, group)
        with session.batch.state.commit():
            for record_id in sorted(gone):
                session.add(_gone_invoice(session.batch, record_id) if stream == "invoices"
                            else _gone_deal(session.batch, record_id))  # fmt: skip
            session.save()


def _hidden(session: Session, side: Side, stream: str, unseen: int, total: int) -> None:
    with session.batch.state.commit():
        session.given.hidden.append(side)
        session.add(
            Finding(
                kind="empty_side", subject=f"stream:{side}.{stream}", mends="person",
                what=f"The {NAMES[side]} shows {unseen:,} of {total:,} linked {stream} no more.",
                next_step=_RIGHTS,
            )
        )  # fmt: skip
        session.save()


def _gone_invoice(batch: Batch, invoice_id: str) -> Finding:
    part = batch.state.links.part_of_invoice(invoice_id)
    known = batch.state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
    name = (known.number if known else None) or invoice_id
    return Finding(
        kind="dead_link", subject=f"invoice:{invoice_id}", deal=part.deal if part else None,
        mends="person", what=f"The ledger does not show the invoice {name} any more.",
        next_step="If it was deleted on purpose, nothing is to be done.",
        pages=(known.page,) if known and known.page else (),
    )  # fmt: skip


def _gone_deal(batch: Batch, deal_id: str) -> Finding:
    known = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
    return Finding(
        kind="dead_link", subject=f"deal:{deal_id}", deal=deal_id, mends="person",
        what="The CRM does not show this deal any more, and it has an invoice: it was deleted for "
        "good, or is hidden from the user behind the credentials.",
        next_step="If it was deleted on purpose, void or credit its invoice if that should go, "
        f"and `syncjob resolve deal {deal_id} --never`.",
        pages=(known.page,) if known and known.page else (),
    )  # fmt: skip


def _templates(session: Session) -> None:
    """The deals' repeating invoices: the ledger lists them all in one call, or not at all."""
    batch = session.batch
    known = batch.state.papers.templates()
    if not known:
        return
    session.pause()
    listed = read_list(batch)
    if listed is None:
        session.given.unread.append("ledger templates")
        return
    there = {record.id for record in listed.records} | {one.id for one in listed.unread}
    with batch.state.commit():
        session.count_read("ledger templates", len(there))
        for link in known:
            if link.ledger_id not in there:
                old = batch.state.snapshots.get("ledger", "templates", link.ledger_id, Template)
                if old is None or old.status != "deleted":
                    session.add(_gone_template(link.deal, link.ledger_id, link.marker))
        session.save()


def _gone_template(deal: str, template: str, marker: str) -> Finding:
    return Finding(
        kind="dead_link", subject=f"template:{template}", deal=deal, mends="person",
        what=f"The ledger does not list the repeating invoice {marker} any more.",
        next_step="If it was deleted on purpose, nothing is to be done.",
    )  # fmt: skip


# --- customers ------------------------------------------------------------------------------------


def check_customers(session: Session) -> None:
    """Every linked customer: the CRM's record by id unless a list has shown it (deleted ones stand
    in no list; facts: pipedrive, 1d), its main person likewise, the ledger's as it was listed."""
    finds, first = session.finds, session.given.first_batch
    while pairs := finds.links_after(session.given.position, GROUP):
        records = [crm_id for crm_id, _ in pairs]
        records += session.batch.state.contacts.people(records)
        gone = read_by_id(
            session, "crm", "contacts", finds.unseen("crm", "contacts", records, first)
        )
        lost: set[str] = set()
        if session.given.since is None and "ledger contacts" not in session.given.unread:
            ledger = finds.unseen("ledger", "contacts", [i for _, i in pairs], first)
            lost = read_by_id(session, "ledger", "contacts", ledger)
        with session.batch.state.commit():
            known = finds.open_subjects()
            for crm_id, ledger_id in pairs:
                mends: Mends = "known" if f"contact:{crm_id}" in known else "person"
                found = _dead(session.batch, crm_id, ledger_id, gone | lost, mends)
                if found is not None:
                    session.add(found)
            session.given.position = pairs[-1][0]
            session.save()


def _dead(
    batch: Batch, crm_id: str, ledger_id: str, gone: set[str], mends: Mends
) -> Finding | None:  # fmt: skip
    """What is wrong with this link, the CRM's end first."""
    get = batch.state.snapshots.get
    crm = get("crm", "contacts", crm_id, Contact)
    ledger = get("ledger", "contacts", ledger_id, Contact)
    if batch.state.contacts.ended(crm_id, ledger_id):
        return None
    why = None
    if crm_id in gone or (crm is not None and crm.deleted):
        why = "The CRM's record of this customer was deleted or merged into another."
        step = "Link the ledger's customer with the record that took its place (`syncjob match`)."
    elif ledger_id in gone or ledger is None:
        why = "The ledger does not show this customer any more."
        step = "Look for it in the ledger; the next invoice finds or makes one."
    elif ledger.archived and not ledger.merged_into:
        why = "The ledger's record of this customer is archived, so no invoice can be made for it."
        step = "Restore it in the ledger, if the customer is still one."
    elif gone and _main_person(batch, crm_id) in gone:
        why = "The CRM does not show this customer's main person any more; its values stay."
        step = "Let the token's user see the person; if it is gone, correct the ledger by hand."
    if why is None:
        return None
    pages = [r.page for r in (crm, ledger) if r is not None and r.page]
    return Finding(
        kind="dead_link", subject=f"contact:{crm_id}", mends=mends, what=why, next_step=step,
        pages=tuple(pages),
    )  # fmt: skip


def _main_person(batch: Batch, crm_id: str) -> str | None:
    """Whose values the ledger's contact has, unless it is known that the person was deleted."""
    main = batch.state.contacts.person(crm_id)
    known = batch.state.snapshots.get("crm", "contacts", main, Contact) if main else None
    return main if known is not None and not known.deleted else None
