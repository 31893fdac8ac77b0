"""`reconcile` by hand: the lease is held for one piece at a time, so that batches get their turn.

A piece ends at a commit. Between two pieces the lease is free for as long as the piece took: a
batch that cron starts in it runs, and what it changes is as any batch's; one that comes within a
piece ends as beside any other command, and its next turn is one interval later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime

import msgspec

from syncjob.core.reconcile import ReconcileOptions, ReconcileReport
from syncjob.core.records import Deal
from syncjob.core.reports import RunOptions
from syncjob.core.rules.texts import one_line
from syncjob.engine import recovery
from syncjob.engine.identify import identify
from syncjob.engine.nights import note_done
from syncjob.engine.opening import Opening
from syncjob.engine.reconcile.nightly import sentence
from syncjob.engine.reconcile.passing import go_on
from syncjob.engine.reconcile.session import PASS, REPORT
from syncjob.errors import LockHeld, Park
from syncjob.state.database import State

#: How long one piece holds the lease.
PIECE_SECONDS = 20.0
#: A batch that holds the lease between two pieces is waited for, and so long at most.
WAIT_SECONDS_MAX = 60.0
_POLL_SECONDS = 1.0


class Reconciling(Opening):
    """What a command may ask of both sides as a whole."""

    def reconcile(self, options: ReconcileOptions) -> ReconcileReport:
        """Read both sides in full, compare them, correct what is known, queue what follows.

        Writes nothing at a vendor; without `repair` the state stays as it is, too. Raises LockHeld
        if another process works and does not end, Park before the first batch.
        """
        if not options.repair:
            return self._looked_at(options)
        while True:
            began = self.clock.monotonic()
            report = self._piece(options)
            if report.complete or not _may_go_on(report, options, self.clock.now()):
                return with_titles(self.state, report)
            self._give_way(self.clock.monotonic() - began, options.should_stop)

    def last_reconcile(self) -> ReconcileReport:
        """What the last pass found, the night's included; no call. Raises Park without any."""
        known = self.state.book.fact(REPORT)
        if known is None:
            raise Park(
                "Both sides were never reconciled with this state.",
                next_step="Run `syncjob reconcile`, or wait for the night.",
            )
        return with_titles(self.state, msgspec.json.decode(known, type=ReconcileReport))

    def _piece(self, options: ReconcileOptions) -> ReconcileReport:
        """As much of the pass as fits in one piece, with the lease."""
        until = self.clock.monotonic() + PIECE_SECONDS
        with self._batch(self.state, _reading(options), write=False) as batch:
            identify(batch)
            recovery.begin(batch)  # what an older state does not know is no stranger's
            report = go_on(batch, since=options.since, until=until)
            if report.complete and options.since is None:
                with batch.state.commit():
                    note_done(batch.state, "reconcile", sentence(report), self.clock.now())
        return report

    def _looked_at(self, options: ReconcileOptions) -> ReconcileReport:
        """The same on a copy of the state that is thrown away, as a plan is made."""
        with contextlib.ExitStack() as stack:
            lease = stack.enter_context(self._lease())
            copy = stack.enter_context(self._copy())
            batch = stack.enter_context(
                self._batch(copy, _reading(options), write=False, lease=lease)
            )
            identify(batch)
            recovery.begin(batch)
            with copy.commit():
                copy.book.note(PASS, None)  # a copy cannot go on with what it does not keep
            report = go_on(batch, since=options.since, until=batch.deadline)
            report = msgspec.structs.replace(report, repair=False)
            return with_titles(copy, report)

    def _give_way(self, seconds: float, should_stop: Callable[[], bool]) -> None:
        """Leave the lease free for so long, and then wait for a batch that has taken it.

        Raises LockHeld if it does not end in time.
        """
        left = min(seconds, PIECE_SECONDS)
        while left > 0 and not should_stop():
            self.clock.sleep(min(left, _POLL_SECONDS))
            left -= _POLL_SECONDS
        waited = 0.0
        while True:
            try:
                with self._lease():
                    return
            except LockHeld:
                if waited >= WAIT_SECONDS_MAX or should_stop():
                    raise
            self.clock.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS


def _may_go_on(report: ReconcileReport, options: ReconcileOptions, now: datetime) -> bool:
    """Whether only the piece's time was up."""
    return not options.should_stop() and report.resume_at is not None and report.resume_at <= now


def _reading(options: ReconcileOptions) -> RunOptions:
    return RunOptions(
        who=options.who, progress=options.progress, waiting=options.waiting,
        should_stop=options.should_stop, dry_run=not options.repair,
    )  # fmt: skip


def with_titles(state: State, report: ReconcileReport) -> ReconcileReport:
    """The report with what its deals are called now; a stored one holds no names."""
    titles: dict[str, str] = {}
    for finding in report.findings:
        if finding.deal is not None:
            deal = state.snapshots.get("crm", "deals", finding.deal, Deal)
            if deal is not None:
                titles[finding.subject] = one_line(deal.title)
    return msgspec.structs.replace(report, titles=titles)
