"""A walk over one stream: each page and how far the walk has come share one commit.

Keeps invariant 5. Polling (engine/pull) and the reading of everything (engine/reconcile) walk in
the same way; each keeps its position under a name of its own and says what a page is to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from syncjob.connectors.base import Page, Walk
from syncjob.core.actions import Issue
from syncjob.core.records import Side
from syncjob.engine.batch import Batch
from syncjob.engine.streams import HOME
from syncjob.errors import CursorTooOld, Overflow, SchemaDrift
from syncjob.state.snapshots import Cursor

#: A restarted walk may be refused once more; a vendor that refuses its own cursor is not read.
RESTARTS_MAX = 1


#: The code of `unreadable`.
UNREADABLE = "record_unreadable"


@dataclass(frozen=True)
class Course:
    """One walk: which stream, where it begins, what happens with its pages.

    `row` is the name under which its cursor is kept, `since` where it begins, by that cursor.
    `take` stores a page and `end` says where the cursor stands after the last one, of so many
    records; both are called inside the page's commit. `pause` is called after each commit, with
    whether the walk can go on from there. `keeps`: the cursor moves.
    """

    side: Side
    stream: str
    row: str
    since: Callable[[Cursor], datetime | None]
    take: Callable[[Page], None]
    end: Callable[[Page, datetime | None, int], Cursor]
    pause: Callable[[bool], None]
    keeps: bool = True


def walk(batch: Batch, course: Course) -> bool:
    """Page by page; a refused cursor or position starts the walk anew. False if the stream cannot
    be read, which is told in an issue."""
    for _ in range(RESTARTS_MAX + 1):
        try:
            _pages(batch, course)
            return True
        except CursorTooOld as error:
            _restart(batch, course, error.what, full=False)
        except Overflow as error:
            _restart(batch, course, error.what, full=True)
        except SchemaDrift as error:
            stream_unreadable(batch, course.side, course.stream, error)
            return False
    refused = SchemaDrift("The vendor refuses its own cursor.")
    stream_unreadable(batch, course.side, course.stream, refused)
    return False


def _pages(batch: Batch, course: Course) -> None:
    snapshots, side, stream = batch.state.snapshots, course.side, course.stream
    cursor = snapshots.cursor(side, course.row)
    since = course.since(cursor)
    if since != cursor.since:  # a position in another walk than this says nothing
        cursor = Cursor(cursor.since, None, None, cursor.polled)
    asked = Walk(since=since, position=cursor.position, started=cursor.started)
    seen = 0
    for page in batch.side(side).changes(stream, asked):
        seen += len(page.records)
        with batch.state.commit():
            course.take(page)
            _tell_drift(batch, course, page)
            if page.position is not None:
                cursor = Cursor(since, page.position, page.started, cursor.polled)
            else:
                cursor = course.end(page, since, seen)
            if course.keeps:
                snapshots.move(side, course.row, cursor)
        batch.progress(f"{side} {stream}", seen, seen if page.position is None else None)
        batch.log.debug("page.stored", side=side, stream=stream, records=len(page.records))
        course.pause(page.position is not None)  # a walk goes on where it stopped


def _restart(batch: Batch, course: Course, why: str, *, full: bool) -> None:
    side = course.side
    batch.log.warning("walk.restarted", side=side, stream=course.stream, why=why)
    cursor = batch.state.snapshots.cursor(side, course.row)
    since = None if full else cursor.since
    polled = None if full else cursor.polled
    with batch.state.commit():
        batch.state.snapshots.move(side, course.row, Cursor(since, None, None, polled))


def _tell_drift(batch: Batch, course: Course, page: Page) -> None:
    """What of a page cannot be read; a stream that was read to its end has no trouble any more."""
    stream, now = course.stream, batch.clock.now()
    home = HOME.get(stream, stream)
    batch.raise_issues(unreadable(home, record_id, words) for record_id, words in page.drift)
    if page.position is None:
        subject = f"stream:{course.side}.{stream}"
        batch.state.book.close_issues(subject, keep=set(), at=now)


def unreadable(home: str, record_id: str, words: str) -> Issue:
    """A record that is left alone, named as its snapshot is; engine/by_id tries it again."""
    return Issue(
        code="record_unreadable", subject=f"{home}:{record_id}", state="note",
        what=f"This record cannot be read: {words}",
        next_step="It is tried again each hour. Open it in the vendor's own pages; if it looks "
        "right there, report it.",
    )  # fmt: skip


def stream_unreadable(batch: Batch, side: Side, stream: str, error: SchemaDrift) -> None:
    """The stream stops, unread; nothing is created while what the ledger holds cannot be seen."""
    batch.unread.add(f"{side}.{stream}")
    batch.log.error("stream.unreadable", side=side, stream=stream, why=error.what)
    issue = Issue(
        code="stream_unreadable", subject=f"stream:{side}.{stream}", state="note",
        what=f"The {side}'s {stream} cannot be read: {error.what}", next_step=error.next_step,
    )  # fmt: skip
    with batch.state.commit():
        batch.raise_issues([issue])
