"""A state without history creates nothing before it has read, and adopted, what bears its markers.

New, lost, restored and second copies are treated alike: for as long as a change may stay out of
the ledger's lists (the patience of DESIGN 5.4), what is not seen may still be there.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from syncjob.core.actions import Issue
from syncjob.engine.batch import Batch
from syncjob.engine.maps import kept_maps
from syncjob.engine.marked import LEFT
from syncjob.state.database import State, readable_errors

#: A pause between batches longer than this, and than three intervals, may hide a second state.
GAP_MINUTES = 60
GAP_INTERVALS = 3
#: Nor does a pause hide one that is about as long as the one before it.
GAP_RHYTHM = 1.5
#: Looked through for the last two that ended; a check begins a batch and ends none.
RHYTHM_BATCHES = 20

#: An older copy of a state was put in its place: what happened since is missing in it.
OLDER = "this state is older than the last batch that ran here"
#: The fact that it is, until recovery begins.
_OLDER = "older"


def begin(batch: Batch) -> None:
    """Enter recovery if this state is new, older than its sidecar, or was away for long."""
    why = _why(batch)
    if why is not None:
        _enter(batch, why)
    _tell_of_maps(batch)
    # Before anything is sent: what a batch did that died half-way is missed in an older state too.
    write_sidecar(batch.state.path, batch.id)


def note_older(state: State, number: int) -> None:
    """Keep in mind that an older copy stands here, as soon as a batch has its number: those that
    fail before they read anything are counted on, too, and would catch up with what is missing.
    Call it inside the commit that gives the number."""
    marked = read_sidecar(state.path)
    if marked is not None and marked >= number:
        state.book.note(_OLDER, "1")


def _enter(batch: Batch, why: str) -> None:
    """Wait anew from the server's present time on."""
    book = batch.state.book
    if batch.ledger.server_time() is None:
        batch.ledger.identity()  # any answer tells the server's time
    now = batch.ledger.server_time() or batch.clock.now()
    with batch.state.commit():
        book.note("recovering_since", now.isoformat())
        book.note("recovering_why", why)
        book.note(_OLDER, None)
        if why == OLDER:  # what was noted in deals' timelines since, or told, is not known here
            tomorrow = (batch.today + timedelta(days=1)).isoformat()
            for fact in ("timeline_since", "notices_since"):
                book.note(fact, tomorrow if book.fact(fact) else None)
        if book.fact("born") is None:
            book.note("born", now.isoformat())
    batch.log.info("recovery.began", why=why)


def _why(batch: Batch) -> str | None:
    book = batch.state.book
    if book.fact("born") is None:
        return "this state is new"
    marked = read_sidecar(batch.state.path)
    if marked is None or book.fact(_OLDER) is not None:
        return OLDER
    if book.fact("recovering_since") is not None:
        return None
    last, now = book.instant("last_seen"), batch.clock.now()
    gap = max(
        timedelta(minutes=GAP_MINUTES),
        GAP_INTERVALS * timedelta(minutes=batch.config.schedule.every_minutes),
        GAP_RHYTHM * _rhythm(batch),
    )
    if last is not None:  # nights and weekends without a batch are no surprise
        gap += batch.pace.following(last) - last - batch.pace.every
    if last is not None and now - last > gap:
        return f"no batch has run for {int((now - last).total_seconds() // 60)} minutes"
    return None


def _rhythm(batch: Batch) -> timedelta:
    """How long lay between the last two batches: a daily cron leaves a day each time."""
    ended = [b for b in batch.state.book.last_batches(RHYTHM_BATCHES) if b["ended"]]
    started = [datetime.fromisoformat(str(b["started"])) for b in ended[:2]]
    return started[0] - started[1] if len(started) == 2 else timedelta()


def end_if_read(batch: Batch) -> None:
    """Leave recovery once whole walks of the ledger's lists began after the patience was over.

    What this batch walked counts, and not the cursors, which the trial of one deal leaves alone.
    """
    book = batch.state.book
    since = book.instant("recovering_since")
    invoices = batch.walked.get("ledger.invoices")
    contacts = batch.walked.get("ledger.contacts")
    if since is None or invoices is None or contacts is None:
        return
    seen = [invoices, contacts]
    if batch.config.invoices.recurring == "template":
        if "ledger.templates" not in batch.walked:
            return
        seen.append(batch.walked["ledger.templates"])
    if min(seen) >= since + batch.ledger.capabilities.patience:
        with batch.state.commit():
            book.note("recovering_since", None)
            book.note("recovering_why", None)
        batch.log.info("recovery.ended")


def creates_wait(batch: Batch) -> str | None:
    """Why nothing may be created in this batch, in words; None if it may."""
    book = batch.state.book
    since = book.instant("recovering_since")
    if since is not None:
        until = since + batch.ledger.capabilities.patience
        return (
            f"{book.fact('recovering_why')}, so nothing is created before the ledger's lists "
            f"can be trusted to show what an earlier state made: {until:%H:%M} UTC"
        )
    if _lost_maps(batch):
        return (
            "this state does not know which deals of the CRM before are which here: "
            f"`syncjob relink --map {_maps(batch)}`"
        )
    if book.fact("another_instance") is not None:
        return "another instance seems to be running; see `syncjob status`"
    if batch.unread & {"ledger.invoices", "ledger.contacts"}:
        return "the ledger's lists could not be read in this batch"
    return None


def _lost_maps(batch: Batch) -> list[str]:
    """The codes of the CRMs that were left of which this state knows no map: it was lost."""
    fact, codes = batch.state.book.fact, batch.config.connection.former_codes
    return [code for code in codes if fact(f"{LEFT}{code}") is None]


def _tell_of_maps(batch: Batch) -> None:
    """Somebody must take the map again; once that is done nothing is left to tell."""
    lost, book = _lost_maps(batch), batch.state.book
    if lost:
        batch.raise_issues(
            [
                Issue(
                    code="map_lost", subject="connection",
                    what="This state does not know which deals of an earlier CRM (markers "
                    f"{', '.join(lost)}) are which here, so nothing is created: a deal that came "
                    "over may have its invoice already.",
                    next_step=f"Take the map again: `syncjob relink --map {_maps(batch)}`.",
                )
            ]
        )  # fmt: skip
        return
    codes = {found.issue.code for found in book.open_issues("connection")}
    if "map_lost" in codes:
        with batch.state.commit():
            book.close_issues("connection", keep=codes - {"map_lost"}, at=batch.clock.now())


def _maps(batch: Batch) -> str:
    """The maps that were kept, each of which is to be taken again."""
    return " and --map ".join(map(str, kept_maps(batch.config))) or "FILE"


def close(batch: Batch) -> None:
    """Remember when this batch ran."""
    with batch.state.commit():
        batch.state.book.note("last_seen", batch.clock.now().isoformat())


def _sidecar(state: Path) -> Path:
    return state.with_name(state.name + ".seq")


def copy_sidecar(state: Path, copy: Path) -> None:
    """A copy of the state that a dry run works on has the history of its original."""
    known = read_sidecar(state)
    if known is not None:
        write_sidecar(copy, known)


def read_sidecar(state: Path) -> int | None:
    """The number of the last batch that began here, None if the file is missing or unreadable."""
    try:
        return int(_sidecar(state).read_text())
    except (OSError, ValueError):
        return None


def write_sidecar(state: Path, batch: int) -> None:
    """Write the number durably: it must not be older than the state after a power cut.

    Raises StateError if the disk is full or must not be written.
    """
    path = _sidecar(state)
    new = path.with_name(path.name + ".new")
    with readable_errors(path):
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(str(batch))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
