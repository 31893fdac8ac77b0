"""Records that the CRM merged under a new id: links, invoices and what is known of them follow.

Keeps invariants 1 and 2 across merges (facts: hubspot, 5e): one invoice a deal stays one. Where
two deals with an invoice each, or two customers with a link each, became one, nothing is moved
that a person must decide: the rules hold the survivor (core/holds).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncjob.core.records import Contact, Deal, Record, Side
from syncjob.engine.batch import Batch
from syncjob.engine.candidates import survivor
from syncjob.engine.contacts.wants import DEAL_KEY
from syncjob.engine.nearby import PEOPLE_KEY
from syncjob.state.links import Part
from syncjob.state.merges import Kind

#: A field of a record that names a customer, by the stream of the record.
_NAMES: tuple[tuple[Kind, str], ...] = (
    ("deals", "org_id"), ("deals", "person_id"), ("contacts", "organization_id"),
)  # fmt: skip


def follow(batch: Batch, side: Side, stream: str, records: Sequence[Record]) -> Sequence[Record]:
    """Note the merges that these records tell of; what is left are records that still are one.

    Call it inside the commit in which they are stored.
    """
    if side != "crm" or stream not in ("deals", "contacts"):
        return records
    kind: Kind = "deals" if stream == "deals" else "contacts"
    merges = batch.state.merges
    for record in records:
        olds = record.merged_from if isinstance(record, Deal | Contact) else ()
        new = [o for o in olds if o != record.id]
        new = [o for o in new if merges.note(kind, o, record.id, batch=batch.id)]
        for old in new:
            _merged(batch, kind, old, record.id)
        if new:
            (settle_deal if kind == "deals" else _settle_customer)(batch, record.id)
    with batch.state.gathering():
        return [record for record in records if merges.survivor(kind, record.id) == record.id]


def _merged(batch: Batch, kind: Kind, old: str, new: str) -> None:
    batch.log.info("record.merged", kind=kind, old=old, new=new)
    book, now = batch.state.book, batch.clock.now()
    if kind == "deals":
        _lines_of(batch, old, new)
        batch.state.merges.move_base(old, new)
    batch.state.merges.forget_record(kind, old)
    if kind == "deals":
        book.close_issues(f"deal:{old}", keep=set(), at=now)
        carry_answers(batch, old, new)
        batch.state.snapshots.want([new], f"deal {old} was merged into it")
        return
    book.close_issues(f"contact:{old}", keep=set(), at=now)
    batch.state.merges.move_contact(old, new)
    for stream, field in _NAMES:
        for record_id in batch.state.merges.naming(stream, field, old):
            _rename(batch, stream, record_id, {field: new})
    batch.state.contacts.want([new], f"{old} was merged into it")


def _lines_of(batch: Batch, old: str, new: str) -> None:
    """The lines as they were last read under the old id, known to be no longer the latest: the
    survivor has those of both deals, which its invoice must follow."""
    snapshots = batch.state.snapshots
    details = snapshots.get("crm", "details", old, Deal)
    if details is None or snapshots.get("crm", "details", new, Deal) is not None:
        return
    stale = msgspec.structs.replace(details, id=new, updated=None)
    snapshots.put("crm", "details", [stale], batch=batch.id - 1, strong=True)


def _rename(batch: Batch, stream: Kind, record_id: str, named: dict[str, str]) -> None:
    """A record that is known names a customer by its new id, as the CRM itself does now."""
    snapshots = batch.state.snapshots
    if stream == "deals":
        deal = snapshots.get("crm", stream, record_id, Deal)
        assert deal is not None
        deal = msgspec.structs.replace(deal, **named)
        snapshots.replace("crm", stream, deal)
        if snapshots.keys(record_id, DEAL_KEY):
            parties = [p for p in (deal.org_id, deal.person_id) if p]
            snapshots.index(record_id, {DEAL_KEY: parties})
        batch.state.snapshots.want([record_id], "its customer was merged")
    else:
        contact = snapshots.get("crm", stream, record_id, Contact)
        assert contact is not None
        snapshots.replace("crm", stream, msgspec.structs.replace(contact, **named))
        snapshots.index(record_id, {PEOPLE_KEY: list(named.values())})


def carry_answers(batch: Batch, old: str, new: str) -> None:
    """What a person decided about either deal holds for both: "never" above all. Call it inside a
    commit."""
    book, said = batch.state.book, set[str]()
    for deal in (old, new):
        known = book.fact(f"answer:deal:{deal}")
        said |= set(known.split(",")) if known else set()
    book.note(f"answer:deal:{old}", None)
    book.note(f"answer:deal:{new}", ",".join(sorted(said)) or None)
    muted = book.fact(f"mute:deal:{old}")
    if muted is not None:
        book.note(f"mute:deal:{new}", muted)
        book.note(f"mute:deal:{old}", None)


# --- each batch ----------------------------------------------------------------------------------


def settle_merges(batch: Batch) -> None:
    """Move what stands under old ids as far as only one of them has it; the rest waits for a
    person, and is looked at in each batch."""
    merges = batch.state.merges
    for deal in merges.split("deals"):
        with batch.state.commit():
            settle_deal(batch, deal)
    for customer in merges.split("contacts"):
        with batch.state.commit():
            _settle_customer(batch, customer)


def settle_deal(batch: Batch, new: str) -> None:
    """The deal takes the invoices of those that became it, if only one of them has any alive."""
    links, merges = batch.state.links, batch.state.merges
    taken = _alive(links.parts(new))
    others = {old: links.parts(old) for old in merges.merged_into("deals", new)}
    for old, parts in sorted(others.items(), key=_weight):
        if not parts or taken:  # of a deal that has none now its past does not matter either
            continue
        merges.move_parts(parts, new)
        merges.move_papers(old, new)
        taken = _alive(parts)
        batch.state.snapshots.want([new], f"it has the invoice of deal {old} now")
        batch.log.info("invoice.moved", deal=old, to=new)


def _weight(deal: tuple[str, Sequence[Part]]) -> tuple[bool, bool, str]:
    """Living invoices move first; of the dead those last that a person ended: whoever wants the
    survivor invoiced in spite of that says so (`syncjob reissue`)."""
    old, parts = deal
    return not _alive(parts), any(part.ended == "person" for part in parts[-1:]), old


def _alive(parts: Sequence[Part]) -> bool:
    return any(part.ended is None for part in parts)


def _settle_customer(batch: Batch, new: str) -> None:
    """The survivor takes the one ledger contact that its customers were linked with."""
    links = batch.state.links
    olds = [o for o in batch.state.merges.merged_into("contacts", new) if links.contact(o)]
    linked = {record: _partner(batch, record) for record in (*olds, new) if links.contact(record)}
    if len(set(linked.values())) > 1:
        return
    partners = set(linked.values())
    # The link that names the contact itself, not one that was merged into it, is the one to keep.
    for old in sorted(olds, key=lambda one: links.contact(one) not in partners):
        if links.contact(new) is None:
            batch.state.contacts.move_link(old, new)
        else:
            links.unlink_contact(old)
            batch.state.contacts.drop_base(old)
        batch.log.info("link.moved", crm=old, to=new)
    batch.state.contacts.want([new], "it was merged")


def _partner(batch: Batch, crm_id: str) -> str | None:
    linked = batch.state.links.contact(crm_id)
    found = survivor(batch, linked) if linked else None
    return found.id if found else linked
