"""Read what changed on both sides: each page's snapshots and the walk's position in one commit.

Keeps invariants 2 (what bears our marker is adopted), 5 (nothing unseen) and 7 (absence says
nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from syncjob.connectors.base import Page
from syncjob.core.budget import Work, work_of_stream
from syncjob.core.records import Contact, Deal, Invoice, Record, Side
from syncjob.core.rules.matching import email_key, name_key
from syncjob.core.window import next_since, since_for
from syncjob.engine import billed, credits, spending
from syncjob.engine.adopt import adopt_contact
from syncjob.engine.batch import Batch
from syncjob.engine.closing import close_unseen_records
from syncjob.engine.contacts import wants
from syncjob.engine.contacts.forget import forget_contact
from syncjob.engine.merging import follow
from syncjob.engine.nearby import CRM_NEAR_KEY, NEAR_KEY, PEOPLE_KEY, near_keys, people_keys
from syncjob.engine.papers import mail_keys, note_address
from syncjob.engine.streams import HOME, LEDGER
from syncjob.engine.templates import pull_templates
from syncjob.engine.walking import Course, walk
from syncjob.state.snapshots import Cursor

#: Lists that are read less often: what they show is seldom urgent, and they may cost more.
SELDOM = frozenset({"archived_deals", "deleted_deals"})

#: What moves no stamp (a due date of a part-paid invoice, a merge's survivor; facts: xero, 4) and
#: what was stamped in the past is seen when everything is walked again: once a week, which costs
#: a call for each thousand records.
FULL_WALK_DAYS = 7


def pull(batch: Batch) -> None:
    """Walk every stream that is due from its cursor."""
    spending.ask_again(batch)
    pull_templates(batch)  # before the invoices that they make
    streams = (*LEDGER, *wants.streams(batch), *deal_streams(batch))
    unread: list[tuple[Side, str]] = []
    for number, (side, stream) in enumerate(streams):
        batch.progress("pull", number, len(streams))
        if not _due(batch, side, stream):
            continue
        polled = batch.state.snapshots.cursor(side, stream).polled
        if spending.reads(batch, side, stream, polled):
            _walk(batch, side, stream)
        elif side == "ledger":
            unread.append((side, stream))
    if unread and _draft_waits(batch):
        batch.lists_stale = not spending.allowed(batch, "ledger", Work.DEALS)
        for side, stream in () if batch.lists_stale else unread:
            spending.done_after_all(batch, side, work_of_stream(side, stream))
            _walk(batch, side, stream)
    batch.progress("pull", len(streams), len(streams))


def _draft_waits(batch: Batch) -> bool:
    """Whether a deal without an invoice is to be decided: nothing is created without a look at
    what the ledger holds now, whatever that costs."""
    wanted = batch.state.snapshots.wanted(batch.today.isoformat())
    return any(not batch.state.links.parts(deal) for deal in wanted)


def deal_streams(batch: Batch) -> tuple[tuple[Side, str], ...]:
    """The lists of deals that this CRM has."""
    return (("crm", "deals"), *(("crm", stream) for stream in batch.crm.capabilities.deal_streams))


def walk_streams(batch: Batch, streams: Sequence[tuple[Side, str]]) -> None:
    """Walk these streams from their cursors, whether or not a batch would do so now.

    What it reads is in the snapshots as if a batch had read it, and so are the cursors: whoever
    begins to look at a stream's changes must first look at what is known of it.
    """
    for number, (side, stream) in enumerate(streams):
        batch.progress("pull", number, len(streams))
        _walk(batch, side, stream)
    batch.progress("pull", len(streams), len(streams))


def _due(batch: Batch, side: Side, stream: str) -> bool:
    if side == "crm" and batch.options.deal is not None:
        return False  # one deal is read by id; the cursor stays
    if stream not in SELDOM:
        return True
    polled = batch.state.snapshots.cursor(side, stream).polled
    wait = timedelta(minutes=batch.config.schedule.archived_every_minutes)
    now = batch.crm.server_time()
    return polled is None or now is None or now - polled >= wait


def _walk(batch: Batch, side: Side, stream: str) -> None:
    """One stream from its cursor, page by page (engine/walking)."""

    def end(page: Page, since: datetime | None, seen: int) -> Cursor:
        return _end(batch, side, stream, page, since, seen=seen)

    course = Course(
        side=side, stream=stream, row=stream, keeps=batch.options.deal is None,
        since=lambda cursor: _since(batch, side, stream, cursor),
        take=lambda page: _take(batch, side, stream, page), end=end,
        pause=lambda on_the_way: batch.breathe(heed_time=on_the_way),
    )  # fmt: skip
    walk(batch, course)


def _end(
    batch: Batch, side: Side, stream: str, page: Page, since: datetime | None, *, seen: int
) -> Cursor:
    """The stream was walked to its end: where the next walk begins; inside the page's commit."""
    batch.walked[f"{side}.{stream}"] = page.started
    if batch.options.deal is None:
        _note_floor(batch, side, stream)
        if _note_full(batch, side, stream, since, seen=seen):
            close_unseen_records(batch, stream, page.started)
    lookback = batch.side(side).capabilities.lookback
    return Cursor(next_since(page.started, lookback), None, None, page.started)


def _since(batch: Batch, side: Side, stream: str, cursor: Cursor) -> datetime | None:
    """Where the walk begins: at the cursor, or as far back as the first walk must see."""
    first, floor = _first(batch, side, stream), batch.state.book.instant(f"floor:{side}.{stream}")
    wish = batch.options.since
    asked = datetime.combine(wish, time(), UTC) - timedelta(days=1) if wish else None
    if first is not None and floor is not None and first < floor:
        asked = min(first, asked or first)  # `won_since` was moved back
    if stream == "touched_deals":  # lines of which none was read before cannot have changed
        now = batch.crm.server_time() or batch.clock.now()
        return cursor.since or now - batch.crm.capabilities.lookback
    if _full_is_due(batch, side, stream):
        if side == "crm" and batch.crm.capabilities.sweeps:
            return None
        return since_for(first, asked)
    known = cursor.polled is not None or cursor.position is not None
    return since_for(cursor.since if known else first, asked)


def _first(batch: Batch, side: Side, stream: str) -> datetime | None:
    """How far back the first walk must see; None: everything."""
    if stream == "touched_deals":
        return None
    start = datetime.combine(batch.config.invoices.won_since, time(), UTC)
    if side == "crm" and HOME.get(stream, stream) == "deals":
        return start - timedelta(days=1)
    if stream == "invoices":
        return start - timedelta(days=batch.config.invoices.double_days + 1)
    return None


def _note_floor(batch: Batch, side: Side, stream: str) -> None:
    """Remember how far back this stream was ever read as a first walk must; in its commit."""
    first, key = _first(batch, side, stream), f"floor:{side}.{stream}"
    floor = batch.state.book.instant(key)
    if first is not None and (floor is None or first < floor):
        batch.state.book.note(key, first.isoformat())


def _full_is_due(batch: Batch, side: Side, stream: str) -> bool:
    """Whether everything must be walked again, as in the first walk."""
    done = batch.state.book.instant(f"full:{side}.{stream}")
    now = batch.side(side).server_time() or batch.clock.now()
    if done is None or batch.options.deal is not None:
        return False
    due = now - done >= timedelta(days=FULL_WALK_DAYS)
    return due and spending.allowed(batch, side, Work.WALKS)


def _note_full(batch: Batch, side: Side, stream: str, since: datetime | None, *, seen: int) -> bool:
    """Whether this was a whole walk. Of one: remember when it ended, doubt the invoices that it
    did not show, and tell the guard of a side that shows nothing any more (invariant 12)."""
    first = _first(batch, side, stream)
    if since is not None and (first is None or since > first):
        return False
    batch.state.book.note(f"full:{side}.{stream}", batch.clock.now().isoformat())
    if not seen and stream in ("deals", "invoices") and batch.state.links.live_count():
        batch.side_empty = "CRM" if side == "crm" else "ledger"
    if (side, stream) == ("ledger", "invoices"):
        unseen = batch.state.links.unseen_invoices(batch.id)
        _doubt(batch, side, stream, unseen)
    return True


# --- a page -------------------------------------------------------------------------------------


def _take(batch: Batch, side: Side, stream: str, page: Page) -> None:
    """Store a page inside its commit, and ask for what it makes worth deciding."""
    home = HOME.get(stream, stream)
    store_records(batch, side, home, page.records, strong=False)
    _touch(batch, page.touched)


def _touch(batch: Batch, deals: Sequence[str]) -> None:
    """The lines of these deals have changed: those that were read are no longer the latest."""
    snapshots = batch.state.snapshots
    for deal_id in deals:
        details = snapshots.get("crm", "details", deal_id, Deal)
        if details is not None:
            stale = msgspec.structs.replace(details, updated=None)
            known = snapshots.batch_of("crm", "details", deal_id)
            snapshots.put("crm", "details", [stale], batch=known, strong=True)
        deal = snapshots.get("crm", "deals", deal_id, Deal)
        if deal is not None and (deal.status == "won" or batch.state.links.parts(deal_id)):
            snapshots.want([deal_id], "its lines changed")


def store_records(
    batch: Batch, side: Side, stream: str, records: Sequence[Record], *, strong: bool
) -> list[str]:
    """Store records read from a list or by id; index them, adopt what is ours, wake their deals.

    Call it inside a commit. Returns the ids whose content is new.
    """
    if not records:
        return []
    records = wants.stripped(batch, follow(batch, side, stream, records))
    records = billed.at_survivor(batch, side, stream, records)
    if (side, stream) == ("crm", "deals"):
        with batch.state.gathering():
            batch.state.snapshots.fetch("crm", "deals", [record.id for record in records])
            records = [_first_win_kept(batch, record) for record in records]
    put = batch.state.snapshots.put(side, stream, records, batch=batch.id, strong=strong)
    _doubt(batch, side, stream, put.doubtful)
    changed, complained = set(put.changed), _complaints(batch, stream)
    if changed:
        batch.note_changed()
    for record in records:
        if f"{stream}:{record.id}" in complained:
            subject = f"{stream}:{record.id}"
            batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())
    taken = [record for record in records if record.id in changed]
    if (side, stream) == ("crm", "deals"):
        _take_deals(batch, taken)
        return put.changed
    for record in taken:
        _TAKE[side, stream](batch, record)
    return put.changed


def take_again(batch: Batch) -> None:
    """Look again at every ledger record that is known, as if it had just changed: a map of a
    change of the CRM says anew whose they are. Call it inside a commit."""
    kinds: tuple[tuple[str, type[Record]], ...] = (("contacts", Contact), ("invoices", Invoice))
    for stream, kind in kinds:
        for record_id in batch.state.snapshots.ids("ledger", stream):
            record = batch.state.snapshots.get("ledger", stream, record_id, kind)
            if record is not None:
                _TAKE["ledger", stream](batch, record)


def _first_win_kept(batch: Batch, record: Record) -> Record:
    """The first win counts, also where the CRM forgets it once a deal is re-opened and won again:
    what was known of it stays, unless somebody corrects the date of a deal that is won."""
    assert isinstance(record, Deal)
    old = batch.state.snapshots.get("crm", "deals", record.id, Deal)
    known = old.first_won_at if old else batch.state.relinks.first_win(record.id)
    if known is None:
        return record
    corrected = (
        old is not None and old.status == record.status == "won" and old.won_at != record.won_at
    )
    if corrected or (record.first_won_at is not None and record.first_won_at <= known):
        return record
    return msgspec.structs.replace(record, first_won_at=known)


def _doubt(batch: Batch, side: Side, stream: str, ids: Sequence[str]) -> None:
    """Have these records read by their ids (engine/fill); call it inside a commit."""
    if ids:
        known = batch.state.book.fact(f"doubt:{side}.{stream}") or ""
        doubtful = set(filter(None, known.split(","))) | set(ids)
        batch.state.book.note(f"doubt:{side}.{stream}", ",".join(sorted(doubtful)))


def _complaints(batch: Batch, stream: str) -> set[str]:
    """The records of this stream that could not be read before; reading one closes its issue."""
    return batch.state.book.complained(f"{stream}:")


def _take_deals(batch: Batch, records: Sequence[Record]) -> None:
    """A deal that was never won and never written to needs no decision. What the CRM refused for
    the deal as it was (archived, say) is worth another try."""
    deals = [record for record in records if isinstance(record, Deal)]
    if not deals:
        return
    for deal in deals:
        wants.take_deal(batch, deal)
    links = batch.state.links
    batch.state.book.unpark([f"deal:{deal.id}" for deal in deals])
    with batch.state.gathering():
        links.fetch_parts(deal.id for deal in deals if deal.status != "won")
        links.fetch_bases("crm", [f"deal:{deal.id}" for deal in deals if deal.status != "won"])
        known = [
            deal.id
            for deal in deals
            if deal.status == "won" or links.parts(deal.id) or links.base("crm", f"deal:{deal.id}")
        ]
    batch.state.snapshots.want(known, "the deal changed")


def _take_crm_contact(batch: Batch, record: Record) -> None:
    """For its deals it is read again by `fill`; for itself it counts where contacts are synced."""
    assert isinstance(record, Contact)
    wants.take_crm(batch, record, batch.state.snapshots.keys(record.id, PEOPLE_KEY))
    batch.state.snapshots.index(
        record.id,
        {
            PEOPLE_KEY: people_keys(record),
            wants.CRM_NAME: [name_key(record.name)] if record.name else [],
            wants.CRM_EMAIL: [email_key(email) for email in record.emails],
            CRM_NEAR_KEY: near_keys(record),
        },
    )


def _take_contact(batch: Batch, record: Record) -> None:
    assert isinstance(record, Contact)
    batch.changed_ledger = True
    note_address(batch, record)
    batch.state.snapshots.index(
        record.id,
        {
            "contact.mails": mail_keys(record),
            "contact.name": [name_key(record.name)] if record.name else [],
            "contact.email": [email_key(email) for email in record.emails],
            "contact.marker": [record.marker] if record.marker else [],
            NEAR_KEY: near_keys(record),
        },
    )
    if record.forgotten:
        forget_contact(batch, record.id)
        return
    wants.follow_merge(batch, record)
    for stream, moved in billed.moved_by(batch, record):
        _TAKE["ledger", stream](batch, moved)
    adopt_contact(batch, record)
    wants.take_ledger(batch, record)


_TAKE: dict[tuple[Side, str], Callable[[Batch, Record], None]] = {
    ("crm", "contacts"): _take_crm_contact,
    ("ledger", "contacts"): _take_contact,
    ("ledger", "invoices"): billed.take_invoice,
    **dict.fromkeys(credits.STREAMS, credits.take_credit),
}
