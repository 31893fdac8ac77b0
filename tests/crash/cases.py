"""Crashes as cases: which there are in a scene, and one played to its end and judged.

The judge reads what the servers hold: after the restart, and the patience, all is as if nothing had
happened, nothing was ever there twice, and the next batch writes nothing.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

from syncjob.errors import Exit
from tests.crash.nursery import Ended
from tests.crash.scenes import doubled, holdings
from tests.crash.stage import BATCHES_MAX, Stage
from tests.engine.world import PATIENCE

#: What follows a crash. Of the last four, the state is not the one that the crash left behind.
AFTER = (
    "restart",
    "restart after the patience",
    "killed again",
    "killed again after the patience",
    "state lost",
    "state lost, counter stays",
    "earlier state",
    "earlier state, counter stays",
)
_STATE_KEPT = 4
#: Where a recovering batch may die, too: the first of them that it meets.
AGAIN = ("settled, uncommitted", "answered", "after a page's commit", "before close")

#: The point that is no SIGKILL: no file may grow beyond `nth` KB, as on a disk that is full.
DISK_FULL = "disk full"
_FILE_KB_MAX = (16, 64, 160, 320)
KB = 1024


@dataclass(frozen=True, order=True)
class Crash:
    """A scene's command ends at the n-th occurrence of a point whose words hold `match`."""

    scene: str
    point: str
    match: str
    nth: int
    after: str

    def words(self) -> str:
        return f"{self.scene}: {self.point} {self.match!r} x{self.nth}, then {self.after}"

    def replay(self) -> str:
        """The command that plays it again."""
        given = (self.scene, self.point, self.match, str(self.nth), self.after)
        return "python -m tests.crash " + " ".join(f'"{word}"' for word in given)


def crashes(stage: Stage) -> list[Crash]:
    """All of a scene: each point that it meets, with each of its words, first and last."""
    ways = AFTER if stage.scene.losable else AFTER[:_STATE_KEPT]
    turn = count()

    def crash(point: str, match: str, nth: int) -> Crash:
        return Crash(stage.scene.name, point, match, nth, ways[next(turn) % len(ways)])

    found = [
        crash(point, match, nth)
        for (point, match), times in sorted(stage.met.items())
        for nth in sorted({1, times})
    ]
    return [*found, *(crash(DISK_FULL, "", limit) for limit in _FILE_KB_MAX)]


def play(stage: Stage, crash: Crash) -> list[str] | None:
    """What is wrong in the end; None if the crash did not come."""
    stage.reset()
    if not _died(stage, crash):
        return None
    return list(_after(stage, crash))


def _died(stage: Stage, crash: Crash) -> bool:
    if crash.point != DISK_FULL:
        given = {"point": crash.point, "match": crash.match, "nth": crash.nth}
        return stage.child(stage.command, **given).returncode == -signal.SIGKILL
    return stage.child(stage.command, file_bytes_max=crash.nth * KB).returncode == Exit.STATE


def _after(stage: Stage, crash: Crash) -> Iterator[str]:
    """The restart as its own process, then batches until it is at rest; what went wrong."""
    w = stage.w
    if crash.point == DISK_FULL and (sent := len(w.writes())) > _recorded(stage):
        yield f"of {sent} writes that left only {_recorded(stage)} are recorded"
    _misfortune(stage, crash)
    if problem := _unsound(stage.child(["run", "--json"])):
        yield problem
    yield from _given_again(stage, Exit.DONE, Exit.ISSUES, Exit.UNREACHABLE)
    yield from doubled(w)
    w.advance(PATIENCE)
    yield from _given_again(stage, Exit.DONE, Exit.ISSUES)
    for _ in range(BATCHES_MAX):
        w.run()
        if "another_instance" in w.told:
            _only_instance(stage)
        yield from doubled(w)
        if holdings(w) == stage.truth:
            break
    yield from _different(stage)
    yield from _restless(stage, crash)


def _misfortune(stage: Stage, crash: Crash) -> None:
    """What happens before the restart that is to mend it."""
    if crash.after.endswith("after the patience"):
        stage.w.advance(PATIENCE)
    if crash.after.startswith("killed again"):
        for point in AGAIN:
            if stage.child(["run", "--json"], point=point).returncode == -signal.SIGKILL:
                break
    elif crash.after.startswith("state lost"):
        stage.lose(sidecar="counter stays" not in crash.after)
    elif crash.after.startswith("earlier state"):
        stage.restore("earlier", sidecar="counter stays" not in crash.after)


def _given_again(stage: Stage, *fine: Exit) -> Iterator[str]:
    """A person gives the command again that they saw die; it may ask them to wait."""
    if stage.scene.again and (problem := _unsound(stage.child(stage.command), *fine)):
        yield problem


def _unsound(ended: Ended, *fine: Exit) -> str:
    if ended.returncode in (fine or (Exit.DONE, Exit.ISSUES)) and "Traceback" not in ended.stderr:
        return ""
    return f"the restart ended with {ended.returncode}: {ended.stderr[-500:]}"


def _different(stage: Stage) -> Iterator[str]:
    held = holdings(stage.w)
    for what, rows in stage.truth.items():
        if held[what] != rows:
            yield f"{what}: {held[what]} and not {rows}"
    mails = len(stage.w.organisation()["emails"])
    if mails != stage.emails and "email_unknown" not in stage.w.told:
        yield f"{mails} e-mails and not {stage.emails}, and nobody is told"


def _restless(stage: Stage, crash: Crash) -> Iterator[str]:
    """One more batch: no write, and the same end as without a crash."""
    mark = stage.w.mark()
    report = stage.w.run()
    for call in stage.w.writes(mark):
        yield f"at rest, and yet {call['method']} {call['path']}"
    same = crash.after in AFTER[:_STATE_KEPT] and "email_unknown" not in stage.w.told
    if same and report.exit_code != stage.exit_code:
        yield f"at rest with {report.exit_code} and not {stage.exit_code}: {report.issues}"


def _only_instance(stage: Stage) -> None:
    with stage.w.connection() as handle:
        handle.answer(kind="only-instance", subject="connection", who="maria", reason="restored")


def _recorded(stage: Stage) -> int:
    """How often the journal says that a write's bytes left."""
    with closing(sqlite3.connect(stage.w.state_file)) as db:
        return int(db.execute("SELECT coalesce(sum(sends), 0) FROM call").fetchone()[0])
