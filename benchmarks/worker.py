"""A process that does one task and prints what it cost itself, as one line of JSON.

`python -m benchmarks.worker TASK CONFIG [real]`. Time is the server's: sleeping for a vendor's
limits moves both clocks instead of waiting, since a limit is not a cost of ours; with `real` it is
waited for, where the wall time is what is asked.
"""

from __future__ import annotations

import cProfile
import io
import json
import pstats
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import requests

from benchmarks import bare, bare_hubspot, script
from syncjob.config import Config, load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import open_connection
from syncjob.logs import Redactor, configure, log_file

_BATCHES_MAX = 200
_PROFILE_ROWS = 25


class ServerClock:
    """This machine's clock, moved to where the server's stands. `real`: a sleep is one."""

    real = False

    def __init__(self, base: str) -> None:
        self._door, self._url = requests.Session(), f"{base}/control/clock"
        there = datetime.fromisoformat(self._door.get(self._url, timeout=10).json()["now"])
        self._ahead = there - datetime.now(UTC)
        self._slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead + timedelta(seconds=self._slept)

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        if self.real:
            time.sleep(seconds)
            return
        self._slept += seconds
        self._door.post(self._url, json={"advance_seconds": seconds}, timeout=10)


def measured(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the task says, with its CPU (user and system) and wall time in seconds, and this
    process's largest resident size so far in MB."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    said = task()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**said, "cpu_s": cpu, "wall_s": wall, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    """This process's largest resident size. Where Linux tells it, as /proc does: getrusage counts
    what the process that started this one had in memory then, too."""
    status = Path("/proc/self/status")
    if status.exists():
        kib = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM")).split()[1]
        return int(kib) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _base(config: Config) -> str:
    url: str = config.crm.model_dump()["api_url"]
    return url.removesuffix(f"/{config.crm.type}")


def init(config: Config) -> dict[str, Any]:
    """Create the CRM's fields, and let the check of a new state look at both sides."""
    with open_connection(config, clock=ServerClock(_base(config))) as handle:
        made = handle.init_fields(create=True)
        fatal = [problem for problem in handle.check() if problem.fatal]
    if fatal:
        raise RuntimeError(str(fatal))
    return {"created": len(made.created)}


def run(config: Config) -> dict[str, Any]:
    """Batches until one ends by itself and not for lack of time or calls."""
    counts: dict[str, int] = {}
    for number in range(1, _BATCHES_MAX + 1):
        report = _batch(config)
        for name, count in report.counts.items():
            counts[name] = counts.get(name, 0) + count
        if report.result != "later" and not _unwritten(report):
            if report.result != "done":
                raise RuntimeError(f"{report.result}: {report.stopped_by} {report.issues[:3]}")
            return {"counts": counts, "batches": number}
    raise RuntimeError("the load does not end")


def _batch(config: Config) -> BatchReport:
    clock = ServerClock(_base(config))
    with open_connection(config, clock=clock) as handle:
        report = handle.run(RunOptions(who="the benchmark"))
    if report.resume_at is not None and report.resume_at > clock.now():
        clock.sleep((report.resume_at - clock.now()).total_seconds() + 1)
    elif _unwritten(report):
        clock.sleep(config.schedule.every_minutes * 60 + 1)
    return report


def _unwritten(report: BatchReport) -> bool:
    """Whether writes were left for another day, since the vendor's calls of this one are used."""
    return report.counts.get("left_out", 0) > 0


def bare_loop(config: Config) -> dict[str, Any]:
    """The same requests by the plainest of loops."""
    load = bare.load if config.crm.type == "pipedrive" else bare_hubspot.load
    return {"requests": load(config.model_dump())}


def script_load(config: Config) -> dict[str, Any]:
    """The same deals by the script that integrators write."""
    return {"requests": script.load(config.model_dump())}


def script_poll(config: Config) -> dict[str, Any]:
    """A poll of that script."""
    return {"requests": script.poll(config.model_dump())}


def profile(config: Config) -> dict[str, Any]:
    """As `run`, under cProfile: the functions in which most time of their own was spent."""
    profiler = cProfile.Profile(time.process_time)
    said = profiler.runcall(run, config)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(_PROFILE_ROWS)
    pstats.Stats(profiler, stream=text).sort_stats("cumulative").print_stats(60)
    return {**said, "profile": text.getvalue().replace(str(Path(__file__).parents[1]), ".")}


_TASKS: dict[str, Callable[[Config], dict[str, Any]]] = {
    "init": init, "run": run, "bare": bare_loop, "script": script_load, "poll": script_poll,
    "profile": profile,
}  # fmt: skip


def main(task: str, path: str, pace: str = "") -> None:
    ServerClock.real = pace == "real"
    register_all()
    config = load_config(Path(path))
    redactor = configure(Redactor())
    # What a load brings into memory whatever its size is not counted per deal; start-up has rows
    # of its own.
    for module in ("xero.sdk_contacts", "xero.factory", f"{config.crm.type}.factory"):
        import_module(f"syncjob.connectors.{module}")
    if config.crm.type == "pipedrive":
        import_module("syncjob.connectors.pipedrive.library")
    import_module("structlog")
    log = config.resolve(config.connection.log)
    with log_file(log, connection=config.connection.name, redactor=redactor):
        result = measured(lambda: _TASKS[task](config))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
