"""Records read by their ids: one that cannot be read stops itself, and is tried again each hour.

Keeps invariant 10. A strange record must not look like one that is gone, so a connector refuses a
whole answer that holds one; here it is found by halves, told, and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from syncjob.core.actions import Issue
from syncjob.core.records import Record, Side
from syncjob.engine import credits
from syncjob.engine.batch import Batch
from syncjob.engine.pull import store_records
from syncjob.engine.walking import UNREADABLE, unreadable
from syncjob.errors import AuthFailed, SchemaDrift
from syncjob.state.issues import KnownIssue

T = TypeVar("T")
R = TypeVar("R")

#: Extra calls to find strange records among others: one among a hundred takes 14.
SPLITS_MAX = 24
#: How often a record that could not be read is tried again. Its own change shows it at once; a
#: vendor's answer that has been mended, or a newer syncjob, moves no stamp.
RETRY = timedelta(hours=1)
#: What is tried again. Every batch asks for all templates unasked.
_RETRIED: frozenset[tuple[Side, str]] = frozenset({
    ("crm", "deals"), ("crm", "contacts"), ("ledger", "contacts"), ("ledger", "invoices"),
    *credits.STREAMS,
})  # fmt: skip
#: What its own address does not show is given up for gone after so long.
GONE = timedelta(hours=3)
#: So many of a kind are tried again at a time: as many as one call takes.
RETRIED_MAX = 40
#: Of what takes a call each, so many an hour: of credit in a form that nobody knew there may be
#: hundreds, and a small plan's day has 1,000 calls.
RETRIED_SINGLY = 5


class Answered(NamedTuple):
    """What was read, and the ids of what cannot be."""

    records: list[Record]
    unread: set[str]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in groups of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def get(batch: Batch, side: Side, stream: str, ids: Sequence[str]) -> Answered:
    """These records now, as `Connector.get`, without those that cannot be read, which are told.

    Raises SchemaDrift if nothing of several can be read: then the answer is at fault.
    """
    connector = batch.side(side)
    records, unread = apart(ids, lambda some: connector.get(stream, some))
    tell(batch, stream, dict(unread))
    return Answered(list(records), {one for one, _ in unread})


def apart(
    items: Sequence[T], read: Callable[[Sequence[T]], Sequence[R]]
) -> tuple[list[R], list[tuple[T, str]]]:
    """What `read` makes of these, and of which ones it makes nothing, with the words for it.

    One that stands alone is read a second time, as the halves of several are: what could not be
    read may be a proxy's page in place of this one answer. Raises SchemaDrift if it is nothing of
    several.
    """
    found: list[R] = []
    unread: list[tuple[T, str]] = []
    waiting, splits = [items], 0
    while waiting:
        some = waiting.pop()
        try:
            found += read(some)
        except SchemaDrift as error:
            if len(items) == 1 and splits == 0:
                splits, waiting = 1, [some]
                continue
            if len(some) == 1 or splits >= SPLITS_MAX:
                unread += [(one, error.what) for one in some]
                if len(unread) == len(items) > 1:
                    raise
                continue
            splits, half = splits + 2, len(some) // 2
            waiting += [some[half:], some[:half]]
    return found, unread


def tell(batch: Batch, stream: str, unread: dict[str, str]) -> None:
    """An issue for each record that cannot be read."""
    if unread:
        with batch.state.commit():
            batch.raise_issues(unreadable(stream, one, words) for one, words in unread.items())


def read_records(
    batch: Batch, side: Side, stream: str, ids: Sequence[str],
    then: Callable[[Sequence[str]], None] | None = None,
) -> None:  # fmt: skip
    """Read records by id in the vendor's bulk size and store them as strong observations; `then`
    is called with the ids of each call, inside its commit."""
    size = batch.side(side).capabilities.get_batch[stream]
    for group in chunks(list(ids), size):
        records, unread = get(batch, side, stream, group)
        # A customer that is gone is told by its deals' own issues.
        missing = set(group) - {record.id for record in records} - unread
        gone = sorted(missing) if side == "ledger" else ()
        with batch.state.commit():
            store_records(batch, side, stream, records, strong=True)
            batch.raise_issues(_gone(side, stream, record_id) for record_id in gone)
            if then is not None:
                then(group)
        batch.breathe(heed_time=False)


def _gone(side: Side, stream: str, record_id: str) -> Issue:
    return Issue(
        code="record_gone", subject=f"{stream}:{record_id}", state="note",
        what=f"The {side} no longer shows this record ({stream} {record_id}).",
        next_step="If it was deleted or merged on purpose, nothing is to be done.",
    )  # fmt: skip


# --- again --------------------------------------------------------------------------------------


def retry_unreadable(batch: Batch) -> None:
    """Read what could not be read an hour ago; what is not there any more is no trouble."""
    now = batch.clock.now()
    told: dict[tuple[Side, str, str], list[KnownIssue]] = {}
    for known in batch.state.issues.open():
        stream, _, record_id = known.issue.subject.partition(":")
        kind = record_id.rpartition(":")[0]  # "org" or "person" of the CRM's contacts
        side: Side = "crm" if kind or stream == "deals" else "ledger"
        if known.issue.code == UNREADABLE and (side, stream) in _RETRIED:
            told.setdefault((side, stream, kind), []).append(known)
    for (side, stream, _), issues in sorted(told.items()):
        size = batch.side(side).capabilities.get_batch[stream]
        due = sorted(
            (known for known in issues if now - _raised(known) >= RETRY),
            key=lambda known: (_raised(known), known.id),
        )
        lately = {known.issue.subject for known in due if now - known.opened_at < GONE}
        most = RETRIED_MAX if size > 1 else max(RETRIED_SINGLY - len(issues) + len(due), 0)
        ids = [known.issue.subject.partition(":")[2] for known in due[:most]]
        for group in chunks(ids, size):
            _retry(batch, side, stream, group, lately)


def _raised(known: KnownIssue) -> datetime:
    return known.raised_at or known.opened_at


def _retry(
    batch: Batch, side: Side, stream: str, ids: Sequence[str], lately: set[str]
) -> None:  # fmt: skip
    """What is not shown is taken for gone only after a while: that may be a moment's trouble."""
    try:
        records, unread = get(batch, side, stream, ids)
    except SchemaDrift as error:
        tell(batch, stream, dict.fromkeys(ids, error.what))
        return
    except AuthFailed as refused:
        if (side, stream) not in credits.STREAMS:
            raise
        tell(batch, stream, dict.fromkeys(ids, refused.what))
        with batch.state.commit():  # a right to read that is missing stops nothing
            batch.raise_issues([credits.unreadable(refused)])
        return
    with batch.state.commit():
        store_records(batch, side, stream, records, strong=True)
        shown = {record.id for record in records}
        for record_id in set(ids) - unread:
            subject = f"{stream}:{record_id}"
            if record_id not in shown and subject in lately:
                continue
            batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())
    batch.breathe(heed_time=False)
