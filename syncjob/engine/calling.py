"""The commands that call vendors: each takes the lease and works in a batch of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from decimal import Decimal

from syncjob.connectors.base import Problem
from syncjob.core.records import Organisation, Side
from syncjob.core.relink import MapRow, Refused, RelinkReport
from syncjob.core.reports import (
    BatchReport,
    FieldsReport,
    Progress,
    RunOptions,
    unseen,
)
from syncjob.core.review import (
    MatchOptions,
    MatchReport,
)
from syncjob.core.rules.credit import Wish
from syncjob.engine.checks import check
from syncjob.engine.crediting import CreditReport, credit
from syncjob.engine.garbage import look_seldom
from syncjob.engine.handmade import match_invoices
from syncjob.engine.identify import identify
from syncjob.engine.matching import match_contacts
from syncjob.engine.office_hours import asked_for, not_due
from syncjob.engine.opening import Opening
from syncjob.engine.relinking import relink
from syncjob.engine.run import run_batch
from syncjob.engine.setup import create_fields


class Calling(Opening):
    """What a command may ask of both sides. Methods raise LockHeld if another process works."""

    def run(self, options: RunOptions | None = None) -> BatchReport:
        """One batch; outside the office hours, none that is not due: the report says so. Raises
        LockHeld, StateError, ConfigError; the rest stands in the report."""
        given = options or RunOptions()
        later = None if asked_for(given) else not_due(self.config, self.state, self.clock.now())
        if later is not None:
            return later
        look_seldom()
        with self._batch(self.state, given, write=True) as batch:
            return run_batch(batch)

    def check(self, *, messages: bool = False) -> list[Problem]:
        """What is wrong with config, credentials, names, rights, mode, clock or notices; with
        `messages` a test is sent by each way that is set up."""
        with self._batch(self.state, RunOptions(), write=False, messages=messages) as batch:
            return check(batch, messages=messages)

    def identity(self, side: Side) -> Organisation:
        """Whose account the credentials open; compared with the pin."""
        with self._batch(self.state, RunOptions(), write=False) as batch:
            identify(batch)
            return batch.side(side).identity()

    def init_fields(self, *, create: bool) -> FieldsReport:
        """The CRM fields that the config needs; creates those that are missing if asked."""
        with self._batch(self.state, RunOptions(), write=create) as batch:
            return create_fields(batch, create=create)

    def match(self, options: MatchOptions) -> MatchReport:
        """What of both sides may be one customer, or twice on one side; writes at no vendor."""
        with self._batch(self.state, _reading(options), write=False) as batch:
            return match_contacts(batch, options)

    def match_invoices(self, options: MatchOptions) -> MatchReport:
        """Which invoices were made by hand for which won deals; writes at no vendor."""
        with self._batch(self.state, _reading(options), write=False) as batch:
            return match_invoices(batch, options)

    def relink(
        self, rows: Sequence[MapRow], refused: Sequence[Refused], *, write: bool, who: str,
        reason: str, copy: Callable[[Sequence[MapRow]], str],
        progress: Progress = unseen,
    ) -> RelinkReport:  # fmt: skip
        """Go over to the CRM account that the config names, with the links that this map tells of;
        or say what that would be. Writes at no vendor. Raises as engine/relinking does."""
        options = RunOptions(who=who, dry_run=not write, progress=progress)
        with self._batch(self.state, options, write=False) as batch:
            return relink(batch, rows, refused, write=write, reason=reason, copy=copy)

    def credit(
        self, deal: str, wish: Wish, *, part: str | None, write: bool, who: str,
        expect: Decimal | None,
    ) -> CreditReport:  # fmt: skip
        """A credit note for a deal's invoice, made as a draft; or shown, found out on a copy.

        Raises LockHeld, Park (it cannot be done), RetryLater, and what any call may raise.
        """
        options = RunOptions(who=who, dry_run=not write)
        with contextlib.ExitStack() as stack:
            lease = stack.enter_context(self._lease())
            state = self.state if write else stack.enter_context(self._copy())
            batch = stack.enter_context(self._batch(state, options, write=write, lease=lease))
            return credit(batch, deal, wish, part, write=write, expect=expect)


def _reading(options: MatchOptions) -> RunOptions:
    """The options of a match as those of the batch that it reads in."""
    return RunOptions(
        since=options.since, who=options.who, progress=options.progress, waiting=options.waiting,
        should_stop=options.should_stop,
    )  # fmt: skip
