"""Worlds that were set up before: the same start is worked out once a process, and then copied.

`World.init` makes the CRM's fields and checks the config in some sixty calls, which is half of what
a usual scene costs. What it does follows from what the servers hold, the config, the clock and
chance; where all of these are, to the byte, as before another `init` of this process, what that one
left is what this one would leave: the servers, their call log, the state's files. The copy stands
at the same address, since the state knows by what door it last came in.

Only tests that patch nothing get a copy (tests/conftest.py), and none do whose clock runs.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.host import Host
from syncjob.sandbox.http import Sandbox

if TYPE_CHECKING:
    from tests.engine.world import World

#: Worlds of as many kinds are kept at once: half a megabyte, a socket and a thread each.
KEPT_MAX = 60


@dataclass
class Start:
    """What an `init` left: the servers, the state's folder, and what else the world counts."""

    box: Sandbox
    base: str
    host: bytes
    folder: Path
    keys: int
    chance: Any
    slept: float
    #: A world stands at its address; one at a time can.
    lent: bool = True


class Starts:
    """Those of this process; `on` while a test runs that may have copies."""

    def __init__(self) -> None:
        self.on = False
        self.copied = 0
        self._kept: OrderedDict[str, Start] = OrderedDict()
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._made = 0

    def key(self, world: World) -> str:
        """All that `init` is given, as one word; empty if this world must be set up by itself."""
        if not self.on or not world.time.frozen or (world.folder / "state").exists():
            return ""
        if set(world.box.host.servers) != {"xero", world.vendor.name}:
            return ""  # a world with more than it was made with
        if world.base in json.dumps(world.overrides, default=str):
            return ""  # a test has told somebody this world's address
        try:
            held = pickle.dumps(world.box.host)
        except (pickle.PicklingError, AttributeError, TypeError):
            return ""  # a test has hung something of its own into a server
        settings = json.dumps(world.settings(), sort_keys=True).replace(world.base, "")
        counted = (world.keys, world.rng.getstate(), world.clock.slept)
        given = repr((type(world).__name__, settings, counted)).encode()
        return hashlib.sha256(held + given).hexdigest()

    def give(self, key: str, world: World) -> bool:
        """Put the world where an earlier `init` from here has led; False if none has."""
        start = self._kept.get(key)
        if start is None or start.lent:
            return False
        self._kept.move_to_end(key)
        start.lent = True
        self.copied += 1
        world.box.stop()
        world.box, world.base = start.box, start.base
        host: Host = pickle.loads(start.host)
        world.stand(host)
        world.keys, world.clock.slept = start.keys, start.slept
        world.rng.setstate(start.chance)
        shutil.copytree(start.folder, world.folder / "state")
        world.write_config()  # as opening it would have
        return True

    def keep(self, key: str, world: World) -> None:
        """What this world's `init` has left; nothing, if the state would not do for another."""
        state = world.folder / "state"
        if not key or key in self._kept or not _may_move(state, world.folder):
            return
        if self._files is None:
            self._files = tempfile.TemporaryDirectory(prefix="syncjob-starts-")
        self._made += 1
        folder = Path(self._files.name) / str(self._made)
        shutil.copytree(state, folder)
        self._kept[key] = Start(
            world.box, world.base, pickle.dumps(world.box.host), folder, world.keys,
            world.rng.getstate(), world.clock.slept,
        )  # fmt: skip
        if len(self._kept) > KEPT_MAX:
            _, oldest = self._kept.popitem(last=False)
            self._drop(oldest)

    def end(self, box: Sandbox) -> None:
        """A world is closed: its servers stop, or wait for the next world that begins as it did."""
        for key, start in self._kept.items():
            if start.box is box:
                start.lent = False
                if box.running and box.base_url == start.base:
                    return
                del self._kept[key]  # a test has stopped it, and perhaps started it elsewhere
                break
        box.stop()

    def clear(self) -> None:
        """Keep none any longer."""
        while self._kept:
            self._drop(self._kept.popitem()[1])

    def _drop(self, start: Start) -> None:
        """A world that stands there yet ends it by its own end."""
        shutil.rmtree(start.folder)
        if not start.lent:
            start.box.stop()


STARTS = Starts()


def _may_move(state: Path, home: Path) -> bool:
    """Whether the files are at rest, and say nothing of the folder that they stand in."""
    files = [path for path in state.rglob("*") if path.is_file()]
    at_rest = not any(path.name.endswith(("-wal", "-shm", "-journal")) for path in files)
    return at_rest and not any(bytes(home) in path.read_bytes() for path in files)
