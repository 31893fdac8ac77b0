"""The commands that show a batch before it happens, and that then do exactly what was shown."""

from __future__ import annotations

from collections import Counter

import msgspec

from syncjob.core.applying import AppliedReport
from syncjob.core.plan_file import PlanFile
from syncjob.core.reports import PlanReport, RunOptions
from syncjob.engine.applying import apply_plan, origin_of, refuse, ties_of
from syncjob.engine.batch import Batch
from syncjob.engine.opening import Opening
from syncjob.engine.run import foresee


class Foreseeing(Opening):
    """What a command may ask of a batch that is yet to come. Methods raise LockHeld."""

    def plan(self, options: RunOptions | None = None) -> PlanReport:
        """What a batch would do, found out on a copy of the state; nothing is written."""
        with self._lease() as lease, self._copy() as copy:
            given = options or RunOptions(dry_run=True)
            with self._batch(copy, given, write=False, lease=lease) as batch:
                return _plan_report(batch)

    def apply(self, file: PlanFile, name: str, options: RunOptions) -> AppliedReport:
        """Do what the plan file says, as far as nothing of it has changed; `name` is the file's,
        for messages, and `accept` of the options releases it from the guard.

        Raises WrongPlan, GuardTripped and ConfigError before any call, LockHeld, StateError.
        """
        origin = file.origin
        given = msgspec.structs.replace(
            options, deal=origin.deal, since=origin.since, max_creates=None
        )
        with self._lease() as lease:
            now, accept = self.clock.now(), options.accept
            refuse(self.config, self.state, file, name=name, accept=accept, now=now)
            with self._batch(self.state, given, write=True, lease=lease) as batch:
                return apply_plan(batch, file, name)


def _plan_report(batch: Batch) -> PlanReport:
    plan = foresee(batch, write=False)
    counts = Counter(action.kind for action in plan.actions)
    return PlanReport(
        connection=batch.config.connection.name, hash=plan.hash, actions=tuple(plan.actions),
        issues=tuple(plan.issues), guard=plan.guard, counts=dict(counts),
        excluded=dict(plan.excluded), waits=plan.waits, titles=plan.titles,
        stories=plan.stories, ties=ties_of(batch), origin=origin_of(batch),
        calls={c.name: batch.channels[c.side].usage().calls for c in (batch.ledger, batch.crm)},
    )  # fmt: skip
