"""Play situations, some at a time: most of their time is spent waiting for another process."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.situations import access, config, deals, hubspot, operating, tools
from tests.situations.bench import Servers, copied, prepare
from tests.situations.table import SITUATIONS, Record, play

#: The modules that fill the table, in the order of the page.
MODULES = (config, access, deals, operating, tools, hubspot)
#: At a time; each is a process beside this one.
PLAYED_AT_ONCE = 3


def play_all(folder: Path, names: Iterable[str]) -> dict[str, Future[Record]]:
    """Start these situations, each in a folder and a world of its own."""
    wanted = list(names)
    crms = {SITUATIONS[name].crm for name in wanted}
    prepared = {crm: (prepare(folder / crm, crm), folder / crm) for crm in sorted(crms)}
    pool = ThreadPoolExecutor(PLAYED_AT_ONCE)
    futures = {
        name: pool.submit(
            play_one, name, *prepared[SITUATIONS[name].crm], folder / f"world-{number}"
        )
        for number, name in enumerate(wanted)
    }
    pool.shutdown(wait=False)
    return futures


def play_one(name: str, servers: Servers, prepared: Path, folder: Path) -> Record:
    """Play one, in a new folder, from a world that was prepared for its CRM."""
    assert name in SITUATIONS
    desk = copied(servers, prepared, folder)
    try:
        return play(name, desk)
    finally:
        desk.close()
