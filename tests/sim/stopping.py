"""A person stops our program in the midst of a batch, or lets it only read; it must obey.

STOP is a file beside the state (docs/operating.md); what was sent before it was there arrives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncjob.errors import SyncJobError
from syncjob.sandbox.kernel import Call
from tests.sim.watch import Violation

if TYPE_CHECKING:
    from syncjob.engine.connection import ConnectionHandle
    from tests.sim.world import World


def stop(world: World) -> None:
    """Somebody puts the file STOP beside the state; what is on its way arrives all the same."""
    world.stopped_at = world.time.now()
    (world.folder / "state" / "STOP").touch()
    world.tell("    a person puts a file STOP beside the state")


def go_on(world: World) -> None:
    """It is taken away, if it is there."""
    if world.stopped_at is not None:
        (world.folder / "state" / "STOP").unlink()
        world.stopped_at = None
        world.tell("a person takes the file STOP away")


def only_reads(world: World) -> None:
    """For one batch the config's mode is read_only, and somebody runs `syncjob init` in it."""
    world.tell("a person sets the mode to read_only")
    config, last = world.config, world.last_call()
    world.config = config.model_copy(update={"mode": "read_only"})

    def init(handle: ConnectionHandle) -> None:
        try:
            handle.init_fields(create=True)
        except SyncJobError as error:  # a vendor may be out of reach
            world.tell(f"  syncjob init: {error.what}")

    world.work(init)
    world.run()
    world.config = config
    written = [f"{call.method} {call.path}" for call in world.writes_since(last)]
    if written:
        raise Violation("mode", f"read_only, and written: {written}")
    world.turns["read only"] += 1
    world.tell(f"a person sets the mode to {config.mode}")


def obeyed(world: World, last: int) -> None:
    """Of the calls after `last` none left once STOP was there, but for those that left together
    with the one that was on its way then. Raises Violation."""
    if world.stopped_at is None:
        return
    together: tuple[str, str, str] | None = None
    for call in world.host.log.find(since=last):
        if call.at == world.stopped_at:
            together = _shape(call)
        if call.at <= world.stopped_at or _shape(call) == together:
            continue
        together = None
        if not world.vendor.reads(call.method, call.path) and "/connect/token" not in call.path:
            raise Violation("stop", f"{call.method} {call.path} left after STOP was there")


def _shape(call: Call) -> tuple[str, str, str]:
    """Calls of one kind are sent several at once."""
    return call.server, call.method, re.sub(r"/\d+$", "", call.path)
