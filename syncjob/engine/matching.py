"""`syncjob match`: both sides are read in full, compared, and what may be one is proposed.

Nothing is written at either vendor; links are rows of our own state. Keeps invariant 2 (one link a
record) and BOOKKEEPING's "Whose customer": what is archived or has only bills is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from syncjob.core.customers import (
    Customer,
    as_asked,
    customers,
    digest,
    face,
    merge_advice,
    only_bills,
    party,
    proposal,
)
from syncjob.core.match.records import Known, Pair
from syncjob.core.records import Contact, Side
from syncjob.core.review import Kind, MatchOptions, MatchReport, Proposal, ReviewRow
from syncjob.engine import matched
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.desk import apply_inbox
from syncjob.engine.identify import identify
from syncjob.engine.nearby import crm_customer, index_all, parameters
from syncjob.engine.pull import walk_streams
from syncjob.errors import SchemaDrift

STREAMS: tuple[tuple[Side, str], ...] = (
    ("ledger", "contacts"),
    ("crm", "organizations"),
    ("crm", "persons"),
)
_KINDS: tuple[Kind, ...] = ("pair", "crm_double", "ledger_double")


def match_contacts(batch: Batch, options: MatchOptions) -> MatchReport:
    """Read, compare, propose; with `accept_certain` link what is certain at once.

    Raises SchemaDrift if a side cannot be read: half a side would show twins as strangers.
    """
    begin(batch, STREAMS)
    found = _compared(batch, options, frozenset())
    gone = _reread(batch, found)
    if gone is not None:
        found = _compared(batch, options, gone)
    left, right, proposed = found.left, found.right, found.proposed
    everyone = {c.id: c for c in (*left, *right)}
    proposed += _still_asked(batch, {p.key for p in proposed}, everyone)
    fresh = remember(batch, proposed, _KINDS)
    linked = _accept(batch, options, proposed) if options.accept_certain else ()
    done = {p.key for p in linked}
    rows = [
        _row(batch, p, everyone) for p in (proposed if options.every else fresh)
        if p.key not in done
    ]  # fmt: skip
    return report(
        batch, "contacts", len(left), len(right), known=found.known, rows=rows, linked=linked,
        waiting=len(proposed) - len(done),
    )  # fmt: skip


class _Found(msgspec.Struct, frozen=True):
    """What one comparison was of, and what it proposes."""

    left: list[Customer]
    right: list[Customer]
    known: int
    proposed: list[Proposal]


def _compared(batch: Batch, options: MatchOptions, gone: frozenset[str]) -> _Found:
    """Everything that is known of both sides, compared; `gone` are CRM records that are not there
    any more, though nothing has said so."""
    from syncjob.core.match.match import match

    left = customers(c for c in _contacts(batch, "crm") if c.id not in gone)
    right = customers(_contacts(batch, "ledger"))
    total = len(left) + len(right)
    batch.progress("match", 0, total)
    known = _known(batch)
    found = match(map(party, left), map(party, right), parameters(batch), known)
    proposed = _proposals(batch, options, left, right, found.pairs + found.near)
    proposed += _doubles(batch, options, "crm_double", left, found.left_doubles)
    proposed += _doubles(batch, options, "ledger_double", right, found.right_doubles)
    batch.progress("match", total, total)
    return _Found(left, right, len(known.links), proposed)


def _reread(batch: Batch, found: _Found) -> frozenset[str] | None:
    """Read by id the CRM's records that would be proposed and that this batch has not seen: a CRM
    need not say that one was deleted or merged away (facts: pipedrive, 1d).

    Returns the ids that are gone; None if all of them are as they were known to be.
    """
    named = {i for p in found.proposed if p.kind != "ledger_double" for i in (p.first, p.second)}
    old = sorted(c.id for c in found.left if c.id in named and _unseen(batch, c.id))
    before = {c.id: party(c) for c in found.left if c.id in set(old)}
    for kind in ("org:", "person:"):  # two lists at the vendor
        read_records(batch, "crm", "contacts", [i for i in old if i.startswith(kind)])
    gone = frozenset(i for i in old if _unseen(batch, i))
    now = {i: crm_customer(batch, i) for i in old if i not in gone}
    same = all(one is not None and party(one) == before[i] for i, one in now.items())
    return None if same and not gone else gone


def _unseen(batch: Batch, crm_id: str) -> bool:
    return batch.state.snapshots.batch_of("crm", "contacts", crm_id) != batch.id


# --- what both matches begin and end with ---------------------------------------------------------


def begin(batch: Batch, streams: Sequence[tuple[Side, str]]) -> None:
    """Whose books, what people decided since, and what both sides hold now."""
    identify(batch)
    apply_inbox(batch)
    walk_streams(batch, streams)
    unread = sorted(batch.unread & {f"{side}.{stream}" for side, stream in streams})
    if unread:
        raise SchemaDrift(
            f"{', '.join(unread)} could not be read, so nothing can be compared.",
            next_step="`syncjob status` says why; then match again.",
        )
    index_all(batch)
    if batch.changed_ledger:  # the next batch looks at held deals again, as if it had read this
        with batch.state.commit():
            batch.state.book.note("held_checked", None)


def remember(batch: Batch, proposed: Sequence[Proposal], kinds: Iterable[Kind]) -> list[Proposal]:
    """Keep what is proposed now instead of what was; returns what was in no review before."""
    matches = batch.state.matches
    known = {p.key: p for p in matches.all(kinds)}
    fresh = [p for p in proposed if not _shown(known.get(p.key), p)]
    with batch.state.commit():
        matches.drop_all(kinds)
        matches.propose((msgspec.structs.replace(p, shown=True) for p in proposed), batch=batch.id)
    return fresh


def _shown(known: Proposal | None, now: Proposal) -> bool:
    """Whether a review has shown this before, of the same records."""
    return known is not None and known.shown and known.digest == now.digest


def report(
    batch: Batch, what: str, first: int, second: int, *, known: int, rows: Sequence[ReviewRow],
    linked: Sequence[Proposal], waiting: int,
) -> MatchReport:  # fmt: skip
    """The answer to the command, with what it cost."""
    calls = {c.name: batch.channels[c.side].usage().calls for c in (batch.ledger, batch.crm)}
    made = MatchReport(
        connection=batch.config.connection.name,
        what="invoices" if what == "invoices" else "contacts",
        first=first, second=second, known=known, waiting=waiting, rows=tuple(rows),
        linked=tuple(linked), calls=calls,
    )  # fmt: skip
    batch.log.info(
        "match.ended", what=what, proposed=waiting, new=len(rows), linked=len(linked), calls=calls
    )
    return made


# --- contacts -------------------------------------------------------------------------------------


def _contacts(batch: Batch, side: Side | str) -> Iterator[Contact]:
    of: Side = "crm" if side == "crm" else "ledger"
    for contact_id in batch.state.snapshots.ids(of, "contacts"):
        contact = batch.state.snapshots.get(of, "contacts", contact_id, Contact)
        if contact is not None:
            yield contact


def _known(batch: Batch) -> Known:
    matches, links = batch.state.matches, batch.state.links
    return Known(links=frozenset(links.contacts()), apart=frozenset(matches.apart()))


def _proposals(
    batch: Batch, options: MatchOptions, left: Sequence[Customer], right: Sequence[Customer],
    pairs: Iterable[Pair],
) -> list[Proposal]:  # fmt: skip
    lefts, rights = {c.id: c for c in left}, {c.id: c for c in right}
    made = (proposal("pair", p, lefts[p.left], rights[p.right]) for p in pairs)
    suppliers = _suppliers(batch, options)
    asked = (as_asked(p, rights[p.second].record, suppliers=suppliers) for p in made)
    return [p for p in asked if p is not None]


def _still_asked(batch: Batch, now: set[str], everyone: Mapping[str, Customer]) -> list[Proposal]:
    """What a run holds a customer back for, of records that are as they were: it looks at a
    customer by itself, and at contacts that are linked with another one."""
    old = [p for p in batch.state.matches.all(("pair",)) if p.key not in now]
    there = [p for p in old if p.first in everyone and p.second in everyone]
    free = [p for p in there if batch.state.links.contact(p.first) is None]
    return [
        p for p in free
        if digest(party(everyone[p.first]), party(everyone[p.second])) == p.digest
    ]  # fmt: skip


def _doubles(
    batch: Batch, options: MatchOptions, kind: Kind, side: Sequence[Customer],
    pairs: Iterable[Pair],
) -> list[Proposal]:  # fmt: skip
    known, where = {c.id: c for c in side}, "CRM" if kind == "crm_double" else "ledger"
    suppliers, made = _suppliers(batch, options), []
    for pair in pairs:
        one, other = known[pair.left], known[pair.right]
        if only_bills(one.record) and only_bills(other.record) and not suppliers:
            continue
        if one.record.archived and other.record.archived:
            continue
        linked = [i for i in (one.id, other.id) if _partner(batch, i)]
        advice = merge_advice(one, other, linked, where, differing=bool(pair.differs))
        made.append(proposal(kind, pair, one, other, advice))
    return made


def _suppliers(batch: Batch, options: MatchOptions) -> bool:
    return options.suppliers or batch.config.contacts.suppliers


def _partner(batch: Batch, record_id: str) -> str | None:
    """The record of the other side that this one is linked with."""
    links = batch.state.links
    return links.contact(record_id) or links.contact_owner(record_id)


def _accept(
    batch: Batch, options: MatchOptions, proposed: Sequence[Proposal]
) -> tuple[Proposal, ...]:
    """Link the certain pairs, each with who and why in the audit."""
    certain = [p for p in proposed if p.kind == "pair" and p.band == "certain"]
    done = []
    for made in certain:
        with batch.state.commit():
            words = matched.link(batch, made.first, made.second, how="match")
            note_accepted(batch, options, f"contact:{made.first}", made, words)
        if batch.state.links.contact(made.first) == made.second:
            done.append(made)
        batch.breathe(heed_time=False)
    return tuple(done)


def note_accepted(
    batch: Batch, options: MatchOptions, subject: str, made: Proposal, words: str
) -> None:
    """Write down that a certain match took effect because a person let it."""
    why = f"--accept-certain, {made.score / 1000:.3f}: {'; '.join(made.agrees) or made.because}"
    batch.state.book.record(
        batch=batch.id, at=batch.clock.now(), side="us", target=subject, subject=subject,
        changes={matched.SAME: (None, words)}, reason=f"{options.who}: {options.reason or why}",
        intent=None,
    )  # fmt: skip


def _row(batch: Batch, made: Proposal, everyone: Mapping[str, Customer]) -> ReviewRow:
    first, second = (
        face(everyone[i], linked=_partner(batch, i)) for i in (made.first, made.second)
    )
    return ReviewRow(proposal=made, first=first, second=second)
