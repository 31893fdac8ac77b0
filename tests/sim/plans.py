"""Batches that a person sees first: a plan in a file, some time and deeds, then its application.

Whatever people and faults do in between: nothing is written that the file does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from syncjob import __version__
from syncjob.core.comparing import key_of
from syncjob.core.plan_file import PlanFile, read_plan, write_plan
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import ConnectionHandle
from syncjob.errors import SyncJobError
from tests.sim.watch import Violation
from tests.sim.world import World

NAME = "plan.json"
#: Minutes between plan and application: at once, a batch later, the next day.
BETWEEN = (0, 1, 5, 60 * 24)


def seen_first(
    world: World, rng: Random, deed: Callable[[], None], armed: dict[int, str],
    at_writes: dict[int, str],
) -> None:  # fmt: skip
    """Plan, let people act, apply, perhaps with faults; an ordinary batch where nobody can plan."""
    file = _plan(world)
    if file is None:
        world.run(armed, at_writes)
        return
    for _ in range(rng.randrange(3)):
        deed()
    world.advance(timedelta(minutes=rng.choice(BETWEEN)))
    world.work(lambda handle: _apply(world, handle, file), armed, at_writes)


def _plan(world: World) -> PlanFile | None:
    made: list[str] = []
    last = world.last_call()

    def plan(handle: ConnectionHandle) -> None:
        try:
            made.append(write_plan(handle.plan(RunOptions(who="Ann", dry_run=True)), __version__))
        except SyncJobError as error:
            world.tell(f"  no plan: {error.what}")

    world.work(plan)
    written = world.writes_since(last)
    if written:
        raise Violation("dry_run", f"a plan wrote: {[(c.method, c.path) for c in written]}")
    return read_plan(made[0], NAME, __version__) if made else None


def _apply(world: World, handle: ConnectionHandle, file: PlanFile) -> BatchReport:
    accept = file.plan.hash if file.plan.guard else None
    report = handle.apply(file, NAME, RunOptions(who="Ann", accept=accept))
    world.tell(f"  applied: {report.counts}")
    held = {key_of(action) for action in file.plan.actions}
    for intent in handle.state.journal.of_batch(int(report.batch.batch)):
        action = intent.action
        alarm = action.subject.startswith("way:")  # the operator's own, which are of no plan
        if not alarm and key_of(action) not in held:
            raise Violation("applied", f"{action.kind} of {action.target} is beyond the plan")
    return report.batch
