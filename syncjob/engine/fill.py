"""Read in bulk what the plan needs in full: customers, deals' lines, invoices before a flag.

The plan sees a deal only as a complete aggregate read in this batch. Keeps invariant 9 (invoices
are read again before they count as overdue) and the call counts of DESIGN 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TypeVar

import msgspec

from syncjob.core.identity import TRACELESS
from syncjob.core.markers import WHOLE, is_left
from syncjob.core.plan import needs_lines
from syncjob.core.records import Deal, Side
from syncjob.engine import credits, spending
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import apart, chunks, get, read_records, retry_unreadable, tell
from syncjob.engine.cases import in_groups, in_outline, load_context
from syncjob.engine.merging import settle_merges
from syncjob.engine.nearby import note_near
from syncjob.engine.papers import fill_papers, note_email_since, papers_wanted
from syncjob.engine.pull import store_records
from syncjob.engine.rereading import SINGLE_READS_MAX, read_again, read_credits
from syncjob.engine.share import in_turn, leave, must_end
from syncjob.errors import Park

T = TypeVar("T")

#: Deals are decided and filled in groups of this size, so that memory stays flat.
GROUP = 500
#: A held deal is looked at again this often: its lines and customer change without its stamp.
HELD_RECHECK_MINUTES = 60
#: A record in doubt that its own address does not show is asked for in each batch for so long.
UNSHOWN = timedelta(hours=2)

#: The fact that keeps the names of the deal's fields that are read, as of the last look at all.
_NAMED = "inputs_named"


def fill(batch: Batch, first: Collection[str] = ()) -> list[str]:
    """Read what is missing; returns the deals to decide, in the order in which they are. Those
    that the batch has no time for stay wanted; `first` are read first."""
    settle_merges(batch)
    _doubtful(batch)
    note_email_since(batch)
    if batch.options.deal is not None:
        return _one_deal(batch, batch.options.deal)
    retry_unreadable(batch)
    _wake_held(batch)
    _wake_wins(batch)
    if credits.refunds_due(batch):
        read_credits(batch, [credits.NOTES])
    wanted = batch.state.snapshots.wanted(batch.today.isoformat())
    known = batch.state.links.with_parts
    deals = in_turn(batch, "deals", wanted, known=known, first=first)
    filled: list[str] = []
    for number, group in enumerate(chunks(deals, GROUP)):
        if must_end(batch, number * GROUP):
            leave(batch, "deals", deals, number * GROUP, known=known)
            break
        if not spending.reads_new_deals(batch):
            group = known(group)  # of these nothing is read there
        batch.progress("fill", number * GROUP, len(deals))
        _fill_group(batch, group)
        filled += group
    batch.progress("fill", len(deals), len(deals))
    return filled


def _one_deal(batch: Batch, deal_id: str) -> list[str]:
    """The trial of one deal: read it by id, whole."""
    found = batch.crm.get("deals", [deal_id])
    if not found:
        raise Park(
            f"The CRM shows no deal {deal_id}.",
            where=f"deal:{deal_id}",
            next_step="Check the number in the deal's address; the token's user must see it.",
        )
    with batch.state.commit():
        _store_deals(batch, [d for d in found if isinstance(d, Deal)], strong=True)
    known = batch.state.merges.survivor("deals", deal_id)  # it may be part of another by now
    settle_merges(batch)
    _fill_group(batch, [known])
    return [known]


def _wake_held(batch: Batch) -> None:
    """Held deals are decided again when the ledger, the config or the hour has changed, and the
    newly held also if the CRM's lists may still have been behind when they were last decided."""
    book, now = batch.state.book, batch.clock.now()
    checked = book.instant("held_checked")
    due = checked is None or now - checked >= timedelta(minutes=HELD_RECHECK_MINUTES)
    decided = book.decided_before(batch.id) or now
    young = (decided - 2 * batch.crm.capabilities.lookback).isoformat()
    held = book.held_deals(None if due or batch.changed_ledger or batch.replan else young)
    if not (due or batch.changed_ledger or batch.replan or held):
        return
    with batch.state.commit():
        if due:
            book.note("held_checked", now.isoformat())
        if due and held:  # what a person mended in the ledger's or the CRM's settings
            book.note("reference_doubt:ledger", "1")
            book.note("reference_doubt:crm", "1")
            for code in TRACELESS:
                book.unpark_code(code)
        batch.state.snapshots.want(held, "it was held")


def _wake_wins(batch: Batch) -> None:
    """New rules or names may let deals through that were left out, so all that were won and have
    no invoice are read again (a snapshot holds only the fields that were named when it was read)
    and decided anew; so are all with an invoice that is open: it may be approved now, be overdue
    or no more, and who was told of it may have left. These are read again if fields of the deal
    are named that were not: one of them may keep people from being told."""
    if not batch.replan:
        return
    snapshots, book = batch.state.snapshots, batch.state.book
    wins = snapshots.wins_without_invoice()
    open_ones = snapshots.deals_with_invoices("draft", "authorised")
    named = sorted(batch.config.crm.inputs.names().values())
    more = not set(named).issubset((book.fact(_NAMED) or "").split("\n"))
    old = dict.fromkeys([*wins, *(_as_now(batch, open_ones) if more else ())])
    seen = [deal for deal in old if snapshots.batch_of("crm", "deals", deal) != batch.id]
    read_records(batch, "crm", "deals", seen)
    with batch.state.commit():
        snapshots.want(wins, "rules or names have changed")
        snapshots.want(batch.state.links.deals_in_parts(), "rules or names have changed")
        snapshots.want(open_ones, "rules, names or the mode have changed")
        book.note(_NAMED, "\n".join(named) or None)
        book.note("decided_with", batch.decided_with)


def _as_now(batch: Batch, deals: Sequence[str]) -> Iterator[str]:
    """The ids that these deals have now, without those of a CRM that was left."""
    survivor = batch.state.merges.survivor
    return (survivor("deals", deal) for deal in deals if not is_left(deal))


def _doubtful(batch: Batch) -> None:
    """Records that a list showed with an equal stamp and other content: read each at its own
    address.

    Reading several ids is a list too, which may lag: if they are many, the rest waits until its
    stamps are older than the vendor's patience. What changes meanwhile has a newer stamp. A batch
    that ends here has noted what it read: the next one goes on behind it.
    """
    for side, stream in _streams():
        doubtful = _in_doubt(batch, side, stream)
        now = batch.side(side).server_time()
        if not doubtful or now is None:
            continue
        sure = partial(_no_doubt, batch, side, stream)
        few, many = doubtful[:SINGLE_READS_MAX], doubtful[SINGLE_READS_MAX:]
        for record_id in few:
            read_records(batch, side, stream, [record_id], sure)
        trusted = now - batch.side(side).capabilities.patience
        ready = batch.state.snapshots.stamped_before(side, stream, many, trusted)
        read_records(batch, side, stream, ready, sure)


def _in_doubt(batch: Batch, side: Side, stream: str) -> list[str]:
    return [i for i in (batch.state.book.fact(f"doubt:{side}.{stream}") or "").split(",") if i]


def _no_doubt(batch: Batch, side: Side, stream: str, ids: Sequence[str]) -> None:
    """These were just asked for. One that is not shown at its own address stays in doubt for a
    while, each for its own: that may be a moment's trouble. Call it inside the commit."""
    book, now, shown = batch.state.book, batch.clock.now(), batch.state.snapshots.read_by_id
    doubtful, key = set(_in_doubt(batch, side, stream)), f"unshown_since:{side}.{stream}"
    known = msgspec.json.decode(book.fact(key) or "{}", type=dict[str, datetime])
    missing = {i: known.get(i, now) for i in ids if not shown(side, stream, i, batch.id)}
    kept = {i: since for i, since in missing.items() if now - since < UNSHOWN}
    left = (doubtful - set(ids)) | set(kept)
    times = {i: since for i, since in known.items() if i in left} | kept
    book.note(key, msgspec.json.encode(times, order="sorted").decode() if times else None)
    book.note(f"doubt:{side}.{stream}", ",".join(sorted(left)) or None)


def _streams() -> Iterator[tuple[Side, str]]:
    yield "ledger", "contacts"
    yield "ledger", "invoices"
    yield from credits.STREAMS
    yield "crm", "deals"
    yield "crm", "contacts"


def _fill_group(batch: Batch, deals: Sequence[str]) -> None:
    """Customers first (a rule may exclude by their name), then lines, then what falls due."""
    context = load_context(batch)
    _customers(batch, deals)
    _lines(batch, [c.deal for c in in_outline(batch, deals) if needs_lines(c, context)])
    if papers_wanted(batch):
        fill_papers(batch, list(in_groups(batch, deals)))
    told = {*_invoiced(batch, deals), *batch.state.papers.with_repeats(deals)}
    read_again(batch, [deal for deal in deals if deal in told], context)


def _customers(batch: Batch, deals: Sequence[str]) -> None:
    """Read the organizations and persons of won deals that have no invoice yet, and compare those
    that would be billed with the ledger's contacts; of deals that have one, whom nobody has read:
    the deal may have gone to another customer."""
    wanted: dict[str, None] = {}
    billed: dict[str, None] = {}
    snapshots = batch.state.snapshots
    with batch.state.gathering():
        snapshots.fetch("crm", "deals", deals)
        invoiced = set(_invoiced(batch, deals))
        found = [snapshots.get("crm", "deals", deal_id, Deal) for deal_id in deals]
        won = [deal for deal in found if deal is not None and deal.status == "won"]
        everyone = {d.id: [i for i in (d.org_id, d.person_id) if i] for d in won}
        snapshots.fetch("crm", "contacts", chain.from_iterable(everyone.values()))
        for deal in won:
            named = everyone[deal.id]
            if deal.id in invoiced and not _in_parts(batch, deal.id):
                named = [i for i in named[:1] if not snapshots.batch_of("crm", "contacts", i)]
            else:
                billed[deal.org_id or deal.person_id or ""] = None
            wanted |= dict.fromkeys(named)
        read = {i for i in wanted if snapshots.batch_of("crm", "contacts", i) == batch.id}
    wanted = {contact: None for contact in wanted if contact not in read}
    for kind in ("org:", "person:"):  # two lists at the vendor: mixed groups would cost two calls
        read_records(batch, "crm", "contacts", [c for c in wanted if c.startswith(kind)])
    note_near(batch, billed)


def _invoiced(batch: Batch, deals: Sequence[str]) -> list[str]:
    """Those of the deals that have a live invoice which this state has seen."""
    links, seen = batch.state.links, batch.state.snapshots.batch_of
    with batch.state.gathering():
        links.fetch_parts(deals)
        live = {d: [p.ledger_id for p in links.parts(d) if p.ended is None] for d in deals}
        batch.state.snapshots.fetch("ledger", "invoices", chain.from_iterable(live.values()))
        return [deal for deal in deals if any(seen("ledger", "invoices", i) for i in live[deal])]


def _in_parts(batch: Batch, deal_id: str) -> bool:
    """Whether the deal has invoices that are parts of a schedule: further ones may follow."""
    parts = batch.state.links.parts(deal_id)
    return any(part.part != WHOLE and part.ended is None for part in parts)


def _lines(batch: Batch, deals: Sequence[Deal]) -> None:
    """Read the lines, discounts and instalments of these deals, in bulk; and with them, if this
    batch has not read it, the deal itself: its value changes with its lines, unstamped."""
    size = batch.crm.capabilities.get_batch["deals"]
    seen = batch.state.snapshots.batch_of
    with batch.state.gathering():
        batch.state.snapshots.fetch("crm", "deals", [deal.id for deal in deals])
        fresh = {d.id for d in deals if seen("crm", "deals", d.id) == batch.id}
    for group in chunks([d for d in deals if d.id in fresh], size):
        whole, unread = apart(group, batch.crm.details)
        tell(batch, "deals", {deal.id: words for deal, words in unread})
        _keep(batch, whole, strong=False)
    for old in chunks([d.id for d in deals if d.id not in fresh], size):
        found, _ = get(batch, "crm", "deals", old)
        _keep(batch, [d for d in found if isinstance(d, Deal)], strong=True)
        _customers(batch, old)  # it may be another customer's by now


def _keep(batch: Batch, deals: Sequence[Deal], *, strong: bool) -> None:
    with batch.state.commit():
        _store_deals(batch, deals, strong=strong)
    batch.breathe(heed_time=False)


def _store_deals(batch: Batch, deals: Sequence[Deal], *, strong: bool) -> None:
    """Keep aggregates apart from the list's view of a deal, which does not know its lines."""
    if strong:
        bare = [
            msgspec.structs.replace(d, lines=None, discounts=None, instalments=None) for d in deals
        ]
        store_records(batch, "crm", "deals", bare, strong=True)
    # Lines change without the deal's stamp, so the newest reading always stands.
    batch.state.snapshots.put("crm", "details", deals, batch=batch.id, strong=True)
