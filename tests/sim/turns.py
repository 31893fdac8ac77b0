"""What befalls a world between two batches: lost and old states, other machines, lapsed consent."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

from syncjob.sandbox.xero.options import Limits
from tests.sim.two import Twofold, consent
from tests.sim.world import PATIENCE, World

#: Nobody moves a machine faster than this.
MOVING = PATIENCE
#: A month in which the program did not run.
MONTH = timedelta(days=35)
#: HubSpot's searches are limited on every plan.
_SEARCHES = {"hubspot": {"searches_a_second": 5}}
#: What our program leaves to others of HubSpot's day, on the plan of these worlds: half a million.
FOR_OTHERS = 500_000
_COPY, _ELSEWHERE = "copy", "other-host"

Turn = Callable[[World], None]


def copy_state(world: World) -> None:
    """Somebody copies the state's file alone between two batches, as a backup."""
    target = world.folder / _COPY
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in _files(world):
        shutil.copy(path, target / path.name)
    world.tell("a person copies the state")


def put_back(world: World) -> None:
    """That copy stands in the state's place again, and all since then is forgotten."""
    if not (world.folder / _COPY).is_dir():
        return
    for path in _files(world):
        path.unlink()
    for path in (world.folder / _COPY).iterdir():
        shutil.copy(path, world.folder / "state" / path.name)
    world.state_lost = True
    world.turns["state restored"] += 1
    world.tell("a person puts the copy of the state back")


def lose_state(world: World) -> None:
    """Its files are gone."""
    world.lose_state()
    world.turns["state lost"] += 1


def move_host(world: World) -> None:
    """From now on another machine runs the program, with the config and nothing else; the next
    time the first one does so again, with the state that it had."""
    world.advance(MOVING)
    here, there = world.folder / "state", world.folder / _ELSEWHERE
    between = world.folder / "moving"
    here.rename(between)
    if there.is_dir():
        there.rename(here)
    else:
        here.mkdir(mode=0o700)
    between.rename(there)
    world.state_lost = True
    world.turns["moved to another host"] += 1
    world.tell("another machine runs the program from now on")
    _let_in(world)


def only_instance(world: World) -> None:
    """A person has looked after the other machine, and says so if the program asks for it."""
    if ("connection", "another_instance") in world.issues:
        world.tell("a person: syncjob resolve connection --only-instance")
        with world.connection() as handle:
            handle.answer(kind="only-instance", subject="connection", who="Ann", reason="it is off")


def withdraw_consent(world: World) -> None:
    """The vendor knows neither the token nor its refresh token any more."""
    world.books("expire_tokens", refresh=True)
    world.turns["consent withdrawn"] += 1


def let_in_again(world: World) -> None:
    """A person answers the consent page once more."""
    world.tell("a person lets the program in again (syncjob connect)")
    _let_in(world)


def expire_tokens(world: World) -> None:
    """The vendor forgets access tokens before their time."""
    world.books("expire_tokens")
    world.turns["tokens expired"] += 1


def a_month_away(world: World) -> None:
    """The program does not run."""
    world.turns["a month away"] += 1
    world.advance(MONTH)


def limit(world: World, rng: Random) -> None:
    """The vendors allow few calls: a minute, a day, at once (facts: xero, 1; pipedrive, 2)."""
    world.turns["tight limits"] += 1
    world.xero.set_limits(Limits(
        minute=rng.choice((10, 25, 60)), day=rng.choice((200, 400, 5000)),
        concurrent=rng.choice((1, 2, 5)),
    ))  # fmt: skip
    world.vendor.be(
        world.server, lag_s=int(world.truth.lag_s), lines_stamp=world.truth.lines_stamp,
        **_few(world, rng),
    )  # fmt: skip


def _few(world: World, rng: Random) -> dict[str, object]:
    """The sandbox's options for few calls of the CRM."""
    if world.vendor.name == "pipedrive":
        return {"limits": True, "burst_per_2_s": rng.choice((8, 20)),
                "search_per_2_s": rng.choice((5, 10)),
                "daily_tokens": rng.choice((6_000, 30_000))}  # fmt: skip
    return {"limits": True, "ten_seconds": rng.choice((20, 100)),
            "searches_a_second": rng.choice((2, 5)),
            "daily": FOR_OTHERS + rng.choice((400, 8_000))}  # fmt: skip


def unlimit(world: World) -> None:
    """The firm has bought larger plans of both vendors."""
    world.tell("the vendors allow as many calls as anybody needs")
    world.xero.set_limits(Limits())
    enough = dict.fromkeys(_few(world, Random(0)))
    world.vendor.be(
        world.server, lag_s=int(world.truth.lag_s), lines_stamp=world.truth.lines_stamp,
        **{**enough, "limits": True, **_SEARCHES.get(world.vendor.name, {})},
    )  # fmt: skip


def _let_in(world: World) -> None:
    if isinstance(world, Twofold) and world.wish.consent:
        consent(world)


def _files(world: World) -> list[Path]:
    """The state's own, without what tells of its history and who holds it."""
    found = (world.folder / "state").glob("syncjob.db*")
    return [path for path in found if path.suffix not in (".seq", ".lock")]
