"""The real program as a process of its own, which a test may have killed at a named point.

`python -m tests.crash.child SPEC ARGUMENTS...` runs `syncjob ARGUMENTS...`. SPEC is JSON: the
seconds by which the servers' clock is ahead of this machine's, the point at which the process ends
itself by SIGKILL, how large a file may become, how many deals the CRM shows a page and how many
elements a call to the ledger holds; or a file in which all points that are met are noted. The
points are put around the shipped code from outside, by name: nothing in the product knows of them.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import syncjob.cli
from syncjob.clock import SystemClock
from syncjob.connectors.pipedrive import reading as crm_reading
from syncjob.connectors.xero import connector as xero_connector
from syncjob.engine import door, drafts, recovery, relinking, rounds, settle
from syncjob.state.database import State
from syncjob.state.journal import Journal
from syncjob.state.snapshots import Snapshots
from syncjob.state.vault import Vault
from syncjob.transport.exchange import Exchange

#: What an occurrence of a point is about, in words that a test's `match` looks into; a list where
#: it is about several calls, each of which counts.
Words = Callable[..., str | list[str]]


class Killer:
    """Ends the process at the n-th occurrence of a point whose words hold `match`."""

    def __init__(self, match: str, nth: int) -> None:
        self.match, self.left = match, nth

    def meet(self, words: str) -> None:
        if self.match not in words:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Noter(Killer):
    """Ends nothing, and writes down what it meets: `point TAB words`, a line each."""

    def __init__(self, file: str, point: str) -> None:
        super().__init__("", 0)
        self.file, self.point = Path(file), point

    def meet(self, words: str) -> None:
        with self.file.open("a", encoding="utf-8") as out:
            out.write(f"{self.point}\t{words}\n")


def _of_request(request: Any) -> str:
    return f"{request.method} {urlsplit(request.url).path}"


def _meet(killer: Killer, words: str | list[str]) -> None:
    for each in [words] if isinstance(words, str) else words:
        killer.meet(each)


def _before(owner: Any, name: str, words: Words) -> Callable[[Killer], None]:
    def put(killer: Killer) -> None:
        original = getattr(owner, name)

        def patched(*given: Any, **named: Any) -> Any:
            _meet(killer, words(*given, **named))
            return original(*given, **named)

        setattr(owner, name, patched)

    return put


def _after(owner: Any, name: str, words: Words) -> Callable[[Killer], None]:
    def put(killer: Killer) -> None:
        original = getattr(owner, name)

        def patched(*given: Any, **named: Any) -> Any:
            result = original(*given, **named)
            _meet(killer, words(*given, **named))
            return result

        setattr(owner, name, patched)

    return put


def _page_committed(killer: Killer) -> None:
    """After the commit that moved a cursor, so after a page and its position are stored."""
    moved: list[str] = []
    _before(Snapshots, "move", lambda _s, side, stream, _c: moved.append(f"{side} {stream}") or "")(
        Killer("\0", 1)
    )
    original = State.commit

    @contextmanager
    def commit(self: State) -> Any:
        moved.clear()
        with original(self):
            yield
        for words in moved:
            killer.meet(words)

    State.commit = commit  # type: ignore[method-assign]


def _call_of(journal: Journal, call_id: int) -> str:
    return _of_request(journal.call(call_id).request)


#: Every point at which a test may end the process, by name.
POINTS: dict[str, Callable[[Killer], None]] = {
    # Around a write: each has its committed call before it and its outcomes after it.
    "call committed": _before(
        door.StateDoor, "admit", lambda _self, calls: [_of_request(c.request) for c in calls]
    ),
    "send recorded": _after(
        door.StateDoor, "sent", lambda _self, calls, _gen: [_of_request(c.request) for c in calls]
    ),
    "answered": _after(Exchange, "carry", lambda _self, request, _c: _of_request(request)),
    "half the outcomes": _after(rounds, "apply", lambda _b, intent, *_: intent.action.kind),
    "before the outcomes' commit": _before(
        Journal, "close_calls", lambda self, calls: [_call_of(self, call) for call in calls]
    ),
    "after the outcomes' commit": _after(
        rounds.Rounds,
        "_kept",
        lambda _self, sent, _w, which: [_of_request(sent[n].call.request) for n in which],
    ),
    # Around a page that is read.
    "before a page's commit": _before(
        Snapshots, "move", lambda _self, side, stream, _cursor: f"{side} {stream}"
    ),
    "after a page's commit": _page_committed,
    # Around what a batch begins and ends with.
    "token saved": _after(Vault, "save", lambda _self, key, _token: key),
    "settled, uncommitted": _before(
        settle, "stored", lambda _b, intent, _r, settled: intent.action.kind
    ),
    "a row taken over": _after(relinking, "_lead", lambda _b, row, *_: row.old),
    "before close": _before(recovery, "close", lambda _batch: "close"),
    "before the sidecar": _before(recovery, "write_sidecar", lambda _path, _batch: "sidecar"),
    "half the sidecar": _before(Path, "replace", lambda self, _target: self.name),
    "link stored, uncommitted": _after(drafts, "_tie_draft", lambda *_: "invoice.create"),
}


def prepare(spec: dict[str, Any]) -> None:
    """Tie this process's clock to the servers', and put the point in its place."""
    ahead = timedelta(seconds=spec.get("ahead_s", 0))
    now = SystemClock.now
    SystemClock.now = lambda self: now(self) + ahead  # type: ignore[method-assign]
    if "file_bytes_max" in spec:
        limit = spec["file_bytes_max"]
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if "page" in spec:
        crm_reading.PAGE_SIZE = spec["page"]  # type: ignore[misc]
    if "batch" in spec:
        xero_connector.BATCH = spec["batch"]
    for point in POINTS if "notes" in spec else ():
        POINTS[point](Noter(spec["notes"], point))
    if "point" in spec:
        POINTS[spec["point"]](Killer(spec.get("match", ""), spec.get("nth", 1)))


def load() -> None:
    """Import all of the program at once, what it would load when it comes to it included."""
    for module in pkgutil.walk_packages(syncjob.__path__, "syncjob."):
        if not module.name.startswith(("syncjob.sandbox", "syncjob.__main__")):
            importlib.import_module(module.name)


def main(spec: dict[str, Any], arguments: list[str]) -> NoReturn:
    """Run the command in this process, and end it."""
    prepare(spec)
    sys.exit(syncjob.cli.run(arguments))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
