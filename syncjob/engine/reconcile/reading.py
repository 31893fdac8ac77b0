"""Read both sides in full, and tell what differs from what polling has seen.

Keeps invariants 2 (what is read is adopted as in any batch) and 5. The walks are polling's own
(engine/walking), with a place of their own; what they show is stored by the same door
(engine/pull), so that the next batch decides and mends. A finding shares the commit of the
snapshot that it corrects.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from syncjob.connectors.base import Page
from syncjob.core.reconcile import Finding, Kind, changed_fields, is_money, named
from syncjob.core.records import Contact, Deal, Invoice, Record, Side
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import apart, chunks, get, tell
from syncjob.engine.contacts import wants
from syncjob.engine.pull import deal_streams, store_records
from syncjob.engine.reconcile.session import Session
from syncjob.engine.rereading import SINGLE_READS_MAX
from syncjob.engine.streams import HOME, LEDGER
from syncjob.engine.walking import Course, walk
from syncjob.state.merges import Kind as Merged
from syncjob.state.reconcile import ROW
from syncjob.state.snapshots import Cursor

_TYPES: dict[str, type[Deal] | type[Contact] | type[Invoice]] = {
    "deals": Deal, "contacts": Contact, "invoices": Invoice,
}  # fmt: skip
#: What people call a side, and a record of a list.
NAMES: dict[Side, str] = {"crm": "CRM", "ledger": "ledger"}
_WORD = {"deals": "deal", "contacts": "customer", "invoices": "invoice"}
#: What belongs to a deal and is read apart from it.
_BELONGS = ("lines", "discounts", "instalments")
_MENDED = "Nothing: it is known now, and the next batch does what follows from it."


def streams(batch: Batch) -> tuple[tuple[Side, str], ...]:
    """Every list that is read in full; of changed lines there is a list of changes alone."""
    all_of_them = (*LEDGER, *wants.streams(batch), *deal_streams(batch))
    return tuple(one for one in all_of_them if one[1] != "touched_deals")


def read_all(session: Session, side: Side, stream: str) -> None:
    """One list from its first record to its last; nothing if the pass has done so."""
    batch = session.batch
    since = _since(session, side, stream)
    row = batch.state.snapshots.cursor(side, f"{ROW}{stream}")
    if row.polled is not None and row.position is None:
        return

    def take(page: Page) -> None:
        session.count_read(f"{side} {stream}", len(page.records))
        observe(session, side, stream, page.records, strong=False)
        session.save()

    def end(page: Page, since: datetime | None, seen: int) -> Cursor:
        key = f"full:{side}.{stream}"
        if session.given.since is None and batch.state.book.fact(key) is not None:
            batch.state.book.note(key, batch.clock.now().isoformat())
        return Cursor(since, None, None, page.started)

    course = Course(
        side=side, stream=stream, row=f"{ROW}{stream}", since=lambda _: since, take=take, end=end,
        pause=lambda on_the_way: session.pause() if on_the_way else None,
    )  # fmt: skip
    if not walk(batch, course):
        session.given.unread.append(f"{side} {stream}")


def _since(session: Session, side: Side, stream: str) -> datetime | None:
    """Where the walk begins. The ledger stamps whatever is new, so what is older than the first
    walk had to see is not ours; a CRM's list of changes may be another, weaker one than its list
    of everything (facts: hubspot, 5), so there everything is read."""
    if session.given.since is not None:
        return datetime.combine(session.given.since, time(), UTC) - timedelta(days=1)
    return session.batch.state.book.instant(f"floor:{side}.{stream}") if side == "ledger" else None


# --- what a reading shows -----------------------------------------------------------------------


def observe(
    session: Session, side: Side, stream: str, records: Sequence[Record], *, strong: bool,
    unlisted: bool = False,
) -> None:  # fmt: skip
    """Store what was read, and note each change that polling should have seen; call it inside a
    commit. `unlisted`: no list would ever have shown it."""
    batch, home = session.batch, HOME.get(stream, stream)
    known = session.finds.bodies(side, home, [record.id for record in records])
    worth = [r for r in records if r.id in known or _concerns_us(batch, side, stream, r)]
    for record_id in store_records(batch, side, home, worth, strong=strong):
        new = batch.state.snapshots.get(side, home, record_id, _TYPES[home])
        body = known.get(record_id)
        old = msgspec.json.decode(body, type=_TYPES[home]) if body else None
        if new is not None and (unlisted or _was_due(batch, side, stream, new)):
            _note_missed(session, side, home, old, new)


def _concerns_us(batch: Batch, side: Side, stream: str, record: Record) -> bool:
    """Whether polling would ever have read it: not what last changed before it had to begin."""
    floor = batch.state.book.instant(f"floor:{side}.{stream}")
    return floor is None or record.updated is None or record.updated >= floor


def _was_due(batch: Batch, side: Side, stream: str, record: Record) -> bool:
    """Whether polling has read past this change: what is newer it has yet to read."""
    cursor = batch.state.snapshots.cursor(side, stream)
    if cursor.polled is None or cursor.since is None:
        return False
    return record.updated is None or record.updated < cursor.since


def _note_missed(session: Session, side: Side, home: str, old: Record | None, new: Record) -> None:
    """One finding for a record that was corrected; of money it says so."""
    changed = changed_fields(old, new) if old is not None else ()
    fields = [name for name in changed if name not in _BELONGS or not isinstance(new, Deal)]
    if old is not None and not fields:
        return
    deal = _deal_of(session.batch, new)
    kind: Kind = "missed"
    if isinstance(new, Invoice) and deal is not None and is_money(fields):
        kind = "payment"
    when = f" (changed {new.updated:%Y-%m-%d %H:%M} UTC)" if new.updated else ""
    name = f"{new.number} " if isinstance(new, Invoice) and new.number else ""
    what = f"The {NAMES[side]}'s {_WORD[home]} {name}was not read before{when}."
    if old is not None:
        what = f"The {NAMES[side]}'s {_WORD[home]} {name}says otherwise than was known{when}: " + (
            f"{named(fields)}."
        )
    known = session.batch.state.snapshots.get("crm", "deals", deal, Deal) if deal else None
    pages = dict.fromkeys(r.page for r in (known, new) if r is not None and r.page)
    subject = f"deal:{new.id}" if home == "deals" else f"{_WORD[home]}:{new.id}"
    session.add(
        Finding(
            kind=kind, subject=subject, what=what, next_step=_MENDED, mends="next_batch",
            deal=deal, pages=tuple(pages),
        )
    )  # fmt: skip


def _deal_of(batch: Batch, record: Record) -> str | None:
    if isinstance(record, Deal):
        return record.id
    if not isinstance(record, Invoice):
        return None
    part = batch.state.links.part_of_invoice(record.id)
    return part.deal if part else batch.state.papers.deal_of_repeat(record.id)


# --- by id --------------------------------------------------------------------------------------


def read_doubtful(session: Session) -> None:
    """What a list showed with an equal stamp and other content, read by its id: it changed without
    a stamp. Of very many those that are young wait for a batch (engine/fill says why)."""
    batch = session.batch
    for side, stream in (*LEDGER, ("crm", "deals"), ("crm", "contacts")):
        ids = [i for i in (batch.state.book.fact(f"doubt:{side}.{stream}") or "").split(",") if i]
        now = batch.side(side).server_time() or batch.clock.now()
        trusted = now - batch.side(side).capabilities.patience
        many = ids[SINGLE_READS_MAX:]
        old = batch.state.snapshots.stamped_before(side, stream, many, trusted)
        groups = [[one] for one in ids[:SINGLE_READS_MAX]]
        groups += [list(g) for g in chunks(old, batch.side(side).capabilities.get_batch[stream])]
        for group in groups:
            session.pause()
            records, unread = get(batch, side, stream, group)
            with batch.state.commit():
                observe(session, side, stream, _bare(records), strong=True)
                # What is not shown stays in doubt: the next batch asks for it again.
                _no_doubt(batch, side, stream, {record.id for record in records} | unread)
                session.save()


def _no_doubt(batch: Batch, side: Side, stream: str, done: set[str]) -> None:
    key = f"doubt:{side}.{stream}"
    left = set(filter(None, (batch.state.book.fact(key) or "").split(","))) - done
    batch.state.book.note(key, ",".join(sorted(left)) or None)


def read_by_id(session: Session, side: Side, stream: str, ids: Sequence[str]) -> set[str]:
    """Read records that no list has shown, in the vendor's bulk size; returns the ids that the
    vendor does not show at all. Records of one kind share a call."""
    batch = session.batch
    size = batch.side(side).capabilities.get_batch[stream]
    gone: set[str] = set()
    for kind in sorted({i.partition(":")[0] if ":" in i else "" for i in ids}):
        alike = [i for i in ids if (i.partition(":")[0] if ":" in i else "") == kind]
        for group in chunks(alike, size):
            session.pause()
            records, unread = get(batch, side, stream, group)
            gone |= set(group) - {record.id for record in records} - unread
            with batch.state.commit():
                # A deleted customer is told as a dead link.
                unlisted = (side, stream) != ("crm", "contacts")
                observe(session, side, stream, _bare(records), strong=True, unlisted=unlisted)
                session.save()
    return {record_id for record_id in gone if not _merged(batch, side, stream, record_id)}


def _merged(batch: Batch, side: Side, stream: str, record_id: str) -> bool:
    """Whether the CRM gave this record a new id, under which it was shown."""
    if side != "crm":
        return False
    kind: Merged = "deals" if stream == "deals" else "contacts"
    return batch.state.merges.survivor(kind, record_id) != record_id


def _bare(records: Sequence[Record]) -> list[Record]:
    """Deals without what belongs to them, as lists show them: lines are kept apart."""
    return [
        msgspec.structs.replace(r, lines=None, discounts=None, instalments=None)
        if isinstance(r, Deal)
        else r
        for r in records
    ]


def read_lines(session: Session) -> None:
    """The lines of deals whose invoice still asks for money: they may change without the deal's
    stamp, and without its value (facts: pipedrive, 1d)."""
    batch, size = session.batch, session.batch.crm.capabilities.get_batch["deals"]
    while ids := session.finds.open_deals_after(session.given.position, size):
        # Of a deal that is gone, or out of sight, there are no lines, either: that says nothing.
        unseen = set(session.finds.unseen("crm", "deals", ids, session.given.first_batch))
        found = (batch.state.snapshots.get("crm", "deals", i, Deal) for i in ids)
        deals = [deal for deal in found if deal is not None and deal.id not in unseen]
        if deals:
            session.pause()
        read, unread = apart(deals, batch.crm.details) if deals else ([], [])
        tell(batch, "deals", {deal.id: words for deal, words in unread})
        with batch.state.commit():
            for deal in read:
                _compare_lines(session, deal)
            session.given.position = ids[-1]
            session.save()


def _compare_lines(session: Session, deal: Deal) -> None:
    """Call it inside a commit. Lines that were never read before have not changed."""
    snapshots = session.batch.state.snapshots
    old = snapshots.get("crm", "details", deal.id, Deal)
    if old is None or old.lines is None or old.updated is None:
        return
    fields = [
        n for n in ("lines", "discounts", "instalments") if getattr(old, n) != getattr(deal, n)
    ]
    if not fields:
        return
    pending = deal.id in snapshots.wanted(session.batch.today.isoformat())
    # The next batch reads them once more, and decides all that hangs on them at once.
    stale = msgspec.structs.replace(deal, updated=None)
    snapshots.put("crm", "details", [stale], batch=session.batch.id, strong=True)
    snapshots.want([deal.id], "its lines changed")
    if not pending:
        session.add(
            Finding(
                kind="missed", subject=f"deal:{deal.id}", deal=deal.id, mends="next_batch",
                what=f"The deal's {named(fields)} changed without a trace in the deal itself.",
                next_step=_MENDED, pages=(deal.page,) if deal.page else (),
            )
        )  # fmt: skip
