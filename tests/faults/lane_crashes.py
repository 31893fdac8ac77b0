"""Real crashes: real processes killed by SIGKILL at named points, or out of disk, and restarted.

"ci" plays two crashes a scene, of points that the commit draws; "full" plays every point that every
scene meets, its first and its last occurrence, with each in turn of what may follow a crash.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import structlog

from tests.crash.cases import DISK_FULL, Crash, crashes, play
from tests.crash.nursery import Nursery
from tests.crash.scenes import SCENES
from tests.crash.stage import Stage
from tests.faults.lanes import Budget, LaneResult, Red, Size

#: How many crashes of a scene count in "ci": of ten scenes that makes 20.
CI_EACH = 2
NAMES = list(SCENES)


def pieces(size: Size) -> int:
    """A piece a process in "ci", since each scene must be set up; a piece a scene in "full"."""
    return 2 if size == "ci" else len(NAMES)


def run(budget: Budget) -> LaneResult:
    """The crashes of this piece's scenes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    result = LaneResult("crashes")
    nursery = Nursery()
    try:
        for number, name in enumerate(NAMES):
            if budget.mine(number):
                _scene(name, number, budget, nursery, result)
    finally:
        nursery.close()
    return result


def _scene(
    name: str, number: int, budget: Budget, nursery: Nursery, result: LaneResult
) -> None:  # fmt: skip
    stage = Stage(SCENES[name], nursery)
    try:
        left = CI_EACH if budget.size == "ci" else -1
        for crash in _drawn(crashes(stage), budget, number):
            if left == 0:
                break
            left -= _played(stage, crash, result)
    finally:
        stage.close()


def _played(stage: Stage, crash: Crash, result: LaneResult) -> bool:
    """Whether the crash came, and so counts."""
    found = play(stage, crash)
    if found is None:
        result.counts["did not come"] += 1
        if crash.point != DISK_FULL:  # a scene may be too small for a disk to fill
            words = f"{crash.words()}: the rehearsal met the point, and the process did not"
            result.violations.append(Red("a crash that comes", words, crash.replay()))
        return False
    result.cases += 1
    for key in (f"point {crash.point}", f"scene {crash.scene}", f"after {crash.after}",
                f"{crash.scene}|{crash.point}"):  # fmt: skip
        result.counts[key] += 1
    if found:
        red = Red("as if nothing had happened", crash.words(), crash.replay(), tuple(found))
        result.violations.append(red)
    return True


def _drawn(found: list[Crash], budget: Budget, number: int) -> Iterator[Crash]:
    """All in "full"; in "ci" one of each point, from points that differ by commit and scene."""
    if budget.size == "full":
        yield from found
        return
    points = sorted({crash.point for crash in found})
    step = max(1, len(points) // CI_EACH)
    for turn in range(len(points)):
        at = budget.drawn + number + turn * step + turn // CI_EACH
        of_point = [crash for crash in found if crash.point == points[at % len(points)]]
        yield of_point[budget.drawn // 7 % len(of_point)]


def table(total: LaneResult) -> str:
    """Crashes by point and scene, and what followed them."""
    points = [key.removeprefix("point ") for key in sorted(total.counts) if key[:6] == "point "]
    lines = [
        f"{total.cases} crashes of real processes against servers on loopback, each restarted and "
        "judged from what the servers hold. A number counts the crashes of a point in a scene.",
        "",
        f"| point | {' | '.join(NAMES)} | all |",
        f"|---|{'---:|' * len(NAMES)}---:|",
    ]
    for point in points:
        cells = [str(total.counts[f"{name}|{point}"] or "") for name in NAMES]
        lines.append(f"| {point} | {' | '.join(cells)} | {total.counts[f'point {point}']} |")
    ways = [f"{key[6:]} {count}" for key, count in sorted(total.counts.items())
            if key.startswith("after ")]  # fmt: skip
    return "\n".join([*lines, "", f"What followed: {', '.join(ways)}."])
