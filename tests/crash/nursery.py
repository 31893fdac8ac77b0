"""Real processes for next to nothing: one process has our program loaded and forks for each run.

Starting Python and loading the program takes most of a second; a fork of a process that has it
loaded is as real a process, with a file of its own and a connection of its own to the servers, and
dies by SIGKILL as any other. What the fork does is `python -m tests.crash.child` or, without a
spec, `python -m syncjob`, to the letter. A few tests start Python all the same, so that what the
program loads by itself is shown to be enough: begin() in test_one_writer, tests/cli.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
#: A process that has not ended by then hangs.
PROCESS_S_MAX = 120

Ended = subprocess.CompletedProcess[str]
_OURS = threading.local()


def nursery() -> Nursery:
    """This thread's, which ends with this process."""
    if not hasattr(_OURS, "nursery"):
        _OURS.nursery = Nursery()
        atexit.register(_OURS.nursery.close)
    found: Nursery = _OURS.nursery
    return found


class Nursery:
    """Starts with its first child; `close` ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, arguments: list[str], spec: dict[str, Any] | None = None, *,
        env: dict[str, str] | None = None, cwd: Path = ROOT,
    ) -> Ended:  # fmt: skip
        """`syncjob ARGUMENTS...` to its end, or to the point at which `spec` kills it.

        `env` is all of its environment; without it, it has this process's own.
        """
        with tempfile.TemporaryDirectory(prefix="syncjob-crash-") as folder:
            said = [Path(folder) / name for name in ("stdout", "stderr")]
            given = {"arguments": arguments, "spec": spec, "said": [str(path) for path in said],
                     "seconds": PROCESS_S_MAX, "cwd": str(cwd),
                     "env": dict(os.environ) if env is None else env}  # fmt: skip
            code = self._ask(given)
            out, err = (path.read_text(encoding="utf-8") for path in said)
        return Ended(["syncjob", *arguments], code, out, err)

    def close(self) -> None:
        """End the process that forks."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=PROCESS_S_MAX)
            self._process = None

    def _ask(self, given: dict[str, Any]) -> int:
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, f"the process that forks has ended: {process.poll()}"
        return int(answer)

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "LANG": "C.UTF-8"},
        )  # fmt: skip
        return self._process


# --- the process that forks -----------------------------------------------------------------------


def serve() -> None:
    """A fork for each line of stdin; its exit code, or minus its signal, to stdout."""
    from tests.crash import child

    child.load()
    for line in sys.stdin:
        given = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(given["said"], given["seconds"])
            _move(given["env"], given["cwd"])
            if given["spec"] is None:
                _as_typed(given["arguments"])
            child.main(given["spec"], given["arguments"])
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _move(env: dict[str, str], cwd: str) -> None:
    """To another folder and environment, its time zone included."""
    import time

    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)


def _as_typed(arguments: list[str]) -> NoReturn:
    """What `python -m syncjob` does."""
    import runpy

    sys.argv = ["syncjob", *arguments]
    runpy.run_module("syncjob", run_name="__main__", alter_sys=True)
    sys.exit(0)


def _become(said: list[str], seconds: int) -> None:
    """The fork's own input and output, and its end by SIGALRM if it hangs."""
    import signal

    sources = [os.open(os.devnull, os.O_RDONLY)]
    sources += [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in said]
    for number, source in enumerate(sources):
        os.dup2(source, number)
        os.close(source)
    signal.alarm(seconds)


if __name__ == "__main__":
    serve()
