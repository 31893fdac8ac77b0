"""From a process's start to its exit, as a person or cron sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import NamedTuple

from benchmarks.stage import ROOT, Stage

#: Odd, so that the median is one of the runs.
RUNS = 5


class Start(NamedTuple):
    """One command; seconds are medians."""

    name: str
    seconds: float
    against: str
    floor_seconds: float


def rows(stage: Stage, runs: int = RUNS) -> list[Start]:
    """Three commands against bare Python. The stage's state must be quiet."""

    def timed(arguments: tuple[str, ...]) -> float:
        _once(arguments)  # the first one fills the file cache
        return median(_once(arguments) for _ in range(runs))

    bare = ("-c", "pass")
    with_requests = ("-c", "import requests")
    floor, floor_requests = timed(bare), timed(with_requests)
    command = ("-m", "syncjob")
    given = (*command, "-c", str(stage.config))
    return [
        Start("syncjob --help", timed((*command, "--help")), "python -c pass", floor),
        Start("syncjob status", timed((*given, "status")), "python -c pass", floor),
        Start(
            "syncjob run, nothing to do", timed((*given, "run")),
            "python -c 'import requests'", floor_requests,
        ),
    ]  # fmt: skip


def settle(stage: Stage) -> None:
    """One batch at this machine's own time, so that the timed ones have nothing to do."""
    stage.to_now()
    _once(("-m", "syncjob", "-c", str(stage.config), "run"))


def _once(arguments: tuple[str, ...]) -> float:
    # Installed code has its bytecode; the first run of each command leaves ours.
    given = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return seconds
