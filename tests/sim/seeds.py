"""Random worlds: each seed draws its servers, its people and its faults; the end is judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from syncjob.sandbox.xero.options import Limits
from tests.sim import (
    happenings,
    meddling,
    people,
    people_hubspot,
    people_more,
    plots,
    stopping,
    turns,
)
from tests.sim.aims import Aim
from tests.sim.http_face import Face
from tests.sim.judge import recover
from tests.sim.kinds import LASTING, REFUSALS
from tests.sim.plans import seen_first
from tests.sim.swarm import DRAWS, Draws, Swarm, crm_of, draw, manners, more, plotted, rarities
from tests.sim.two import Twofold, Wish, new_twofold, recover_both
from tests.sim.world import PATIENCE, World, new_world

__all__ = ["Played", "Swarm", "crm_of", "draw", "play", "replay"]

BATCHES = (6, 14)
#: Of a new world, which has more in it.
BATCHES_MORE = (7, 13)
#: No batch of these worlds has more points, and few have more writing statements.
POINTS_MAX, STATEMENTS_MAX = 40, 150
#: The share of deeds that are about what is on beside invoices.
MORE = 0.45
#: The share of batches that are plans, where they are on.
PLANNED = 0.6
#: Half of the faults are aimed at writes, which are few.
WRITES_MAX = 3
#: For so many hours the machine was off; a batch after that is killed at one of so many commits.
OFF_H, CUT_AT = (2, 5, 26), 8
#: The chance that somebody mends before the next batch what a vendor refuses, or sets the clock.
MENDED = 0.5
#: An hour too many or too few; machines that are further off are mended at once.
SKEW_MAX = timedelta(minutes=62)

#: The chance that a file STOP is taken away before the next batch; that a person numbers a draft;
#: that who acts at a point of ours does so to what it is about.
GOES_ON, NUMBERED, AT_HAND = 0.6, 0.1, 0.6

#: Both vendors may have asked for a rest.
RESTS = 2
#: A longer rest than this leaves little of a seed's day.
FAR_AWAY = timedelta(hours=1)
#: What a vendor's day allows is told by few of its answers, and forgotten after a day.
A_DAY = timedelta(hours=25)
#: Names of accounts and fields are read once a day; a record that was refused is tried again then.
NAMES_READ = timedelta(hours=25)

#: What befalls a world, by the names that a swarm draws.
TURNS: dict[str, turns.Turn] = {
    "lose": turns.lose_state, "restore": turns.copy_state, "move": turns.move_host,
    "expire": turns.expire_tokens, "month": turns.a_month_away, "withdraw": turns.withdraw_consent,
    "read only": stopping.only_reads,
}  # fmt: skip
#: What follows on a turn, and after how many batches.
AFTER: dict[str, tuple[int, turns.Turn]] = {
    "restore": (2, turns.put_back), "move": (3, turns.move_host),
    "withdraw": (1, turns.let_in_again),
}  # fmt: skip


@dataclass
class Played:
    """What happened in one seed."""

    world: World
    swarm: Swarm
    seed: int = 0
    http: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    deeds: int = 0
    writes: int = 0
    points: int = 0
    batches: int = 0


def replay(
    seed: int, *, plans: bool = False, crm: str | None = None, http: bool = False,
    draws: Draws = "last",
) -> str:  # fmt: skip
    """The shell command that plays this seed again and prints its history."""
    flags = (("--plans", plans), ("--http", http), (f"--draws {draws}", draws != "last"))
    more = " ".join(flag for flag, on in flags if on)
    chosen = f"--crm {crm or crm_of(seed, draws)}"
    return " ".join(f"python -m tests.sim {seed} {chosen} {more} --trace".split())


def play(
    seed: int, *, plans: bool = False, crm: str | None = None, http: bool = False,
    draws: Draws = "last",
) -> Played:  # fmt: skip
    """Play one seed to its end, most batches as plans that are applied if `plans`, with this CRM
    or the one that the seed draws, over real sockets if `http`; `draws`: no later ones than these.

    Raises Violation with the world's story in `played`.
    """
    rng, crm = Random(seed), crm or crm_of(seed, draws)
    swarm = replace(draw(rng, Random(f"features {seed}"), crm), plans=plans)
    if draws != "first":
        swarm = more(swarm, seed, crm)
    if DRAWS.index(draws) >= DRAWS.index("third"):
        swarm = rarities(swarm, seed, crm)
    if DRAWS.index(draws) >= DRAWS.index("fourth"):
        swarm = manners(swarm, seed, crm)
    if draws == "last":
        swarm = plotted(swarm, seed)
    world = _world(swarm, crm)
    played = Played(world, swarm, seed, http)
    try:
        if http:
            world.face = Face(world.host)
            world.face.start()
        _live(world, swarm, rng, played)
        _end(world)
    except BaseException as error:
        error.played = played  # type: ignore[attr-defined]
        raise
    finally:
        played.deeds = len(world.deeds)
        played.writes = len(world.writes_since(0))
        if world.face is not None:
            world.face.stop()
        world.close()
    return played


def _world(swarm: Swarm, crm: str) -> World:
    if swarm.wish == Wish():
        return new_world(mode=swarm.mode, status=swarm.status, features=swarm.features, vendor=crm)
    return new_twofold(
        swarm.wish, vendor=crm, mode=swarm.mode, status=swarm.status, features=swarm.features
    )


def set_up(world: World, swarm: Swarm, rng: Random) -> None:
    """Let the servers be as this seed has drawn them."""
    for org in world.xero.organisations.values():
        for table in (org.contacts, org.invoices, org.credits, org.payments):
            table._lag_max_s = swarm.lag_s
    world.vendor.be(
        world.server, lag_s=swarm.crm_lag_s, lines_stamp=swarm.lines_stamp, **swarm.answers
    )
    if swarm.limits:
        world.xero.set_limits(Limits())
    if swarm.tight:
        turns.limit(world, rng)
    world.clock.skew = swarm.skew
    world.page_max = swarm.page_max
    known = {"clock skewed": bool(swarm.skew), "small pages": bool(swarm.page_max),
             "two on one organisation": swarm.wish.second == "connection",
             "two on one app": swarm.wish.second == "organisation"}  # fmt: skip
    world.turns.update(name for name, on in known.items() if on)
    world.tell(f"swarm: {swarm}")


def _live(world: World, swarm: Swarm, rng: Random, played: Played) -> None:
    set_up(world, swarm, rng)
    close = Random(f"meddling now {played.seed}")
    world.faults.edit = lambda: _at_point(world, swarm, rng, close)
    for _ in range(rng.randint(1, 4)):
        world.attempt(lambda w: people.create_deal(w, rng))
    batches = rng.randint(*(BATCHES_MORE if swarm.aimed else BATCHES))
    lost_at = rng.randrange(batches) if swarm.loses_state else None
    own, ways = Random(f"turns {played.seed}"), Random(f"ways {played.seed}")
    for number in range(batches):
        for _ in range(rng.randint(0, swarm.edits_a_batch)):
            _deed(world, swarm, rng)
            world.advance(timedelta(seconds=rng.choice((0, 1, 40))))
        if number == lost_at:
            world.lose_state()
        befalls = _turns_at(swarm, number)
        if befalls or close.random() < GOES_ON:
            stopping.go_on(world)
        for turn in befalls:
            turn(world)
        if swarm.meddles and close.random() < NUMBERED:
            world.attempt(lambda w: meddling.number_draft(w, close))
        if swarm.plot and number + 1 + swarm.plot[0] == batches:
            drawn = Random(f"plot's own {played.seed}")
            plots.play(world, swarm.plot[1], drawn, lambda: _plain_batch(world, played))
        late(world, swarm, ways)
        _batch(world, swarm, rng, played)
        if swarm.aimed:
            _people_notice(world, own)
            _stay_away(world, own)
        world.advance(_pause(swarm, rng))


def late(world: World, swarm: Swarm, rng: Random) -> None:
    """Between the deeds and the batch: a deal is put aside, the machine was off for hours."""
    if rng.random() < swarm.aside:
        world.attempt(lambda w: people.put_aside(w, rng))
    if rng.random() < swarm.rests:
        world.advance(timedelta(hours=rng.choice(OFF_H)))
        if rng.random() < swarm.cut:
            world.faults.aims.waiting.append(Aim("kill after", rng.randrange(CUT_AT), commit=True))


def _turns_at(swarm: Swarm, number: int) -> list[turns.Turn]:
    """What befalls the world before this batch."""
    now = [TURNS[name] for at, name in swarm.turns if at == number]
    drawn = [(at, AFTER[name]) for at, name in swarm.turns if name in AFTER]
    return [*now, *(turn for at, (later, turn) in drawn if at + later == number)]


def _people_notice(world: World, rng: Random) -> None:
    """Sooner or later somebody mends what a vendor refuses, and sets the machine's clock."""
    if rng.random() < MENDED:
        turns.only_instance(world)
    if (world.faults.barred or world.faults.culprit) and rng.random() < MENDED:
        happenings.mend(world)
    if abs(world.clock.skew) > SKEW_MAX or (world.clock.skew and rng.random() < MENDED / 5):
        world.clock.skew = timedelta(0)
        world.tell("a person sets this machine's clock")


def _stay_away(world: World, rng: Random) -> None:
    """Where a vendor has asked for hours of rest, half of the schedules give it."""
    if world.away_until - world.time.now() > FAR_AWAY and rng.random() < MENDED:
        world.advance(world.away_until - world.time.now() + timedelta(minutes=1))


def _end(world: World) -> None:
    """Whatever lasts until a person mends it is mended; then the end is judged."""
    stopping.go_on(world)
    world.faults.aims.waiting.clear()
    world.faults.at_statements.clear()
    if world.turns["tight limits"]:
        turns.unlimit(world)
        world.advance(A_DAY)
    if isinstance(world, Twofold) and world.wish.consent:
        turns.let_in_again(world)  # half an hour after a lost renewal the consent has ended, too
    if world.faults.met(*LASTING, *REFUSALS):
        happenings.mend(world)
        world.advance(NAMES_READ)
    if world.state_lost:
        _looked_after(world)
    if isinstance(world, Twofold) and world.partner is not None:
        recover_both(world)
    else:
        recover(world)


def _looked_after(world: World) -> None:
    """What an older or a new state finds in the books that it never made stops it until a person
    says that no other machine is at work."""
    for _ in range(RESTS):
        world.advance(max(world.away_until - world.time.now(), PATIENCE))
        world.run()
    turns.only_instance(world)


def _at_point(world: World, swarm: Swarm, rng: Random, close: Random) -> None:
    """Somebody acts while a request of ours is on its way, or right after it."""
    mine = swarm.meddles and close.random() < AT_HAND
    if not (mine and world.attempt(lambda w: meddling.at_hand(w, close))):
        _deed(world, swarm, rng)


def _deed(world: World, swarm: Swarm, rng: Random) -> None:
    actor = world
    if swarm.wish.second and isinstance(world, Twofold) and world.partner and rng.random() < 0.4:
        actor = world.partner
    if people_more.also(actor.features) and rng.random() < MORE:
        people_more.act(actor, rng)
    elif actor.vendor.name == "hubspot":
        people_hubspot.act(actor, rng, rare=swarm.rare)
    else:
        people.act(actor, rng, rare=swarm.rare)


def _batch(world: World, swarm: Swarm, rng: Random, played: Played) -> None:
    armed, at_writes = _armed(world, swarm, rng)
    fired = len(world.faults.fired)
    if swarm.plans and rng.random() < PLANNED:
        seen_first(world, rng, lambda: _deed(world, swarm, rng), armed, at_writes)
    else:
        world.run(armed, at_writes)
    _count(world, played)
    if isinstance(world, Twofold) and world.partner is not None:
        world.run_partner()
        _count(world, played)
    played.faults.update(kind for _, kind in world.faults.fired[fired:])


def _plain_batch(world: World, played: Played) -> None:
    """A batch of a plot: what waits for its point may happen in it, nothing else is armed."""
    fired = len(world.faults.fired)
    world.run()
    _count(world, played)
    played.faults.update(kind for _, kind in world.faults.fired[fired:])


def _count(world: World, played: Played) -> None:
    played.batches += 1
    played.points += len(world.faults.points) + world.faults.statements


def _armed(world: World, swarm: Swarm, rng: Random) -> tuple[dict[int, str], dict[int, str]]:
    """The faults of the next batch, by the number of the point and of the write."""
    count = int(swarm.faults_a_batch) + (rng.random() < swarm.faults_a_batch % 1)
    armed: dict[int, str] = {}
    at_writes: dict[int, str] = {}
    if swarm.aimed:
        world.faults.at_statements = {}
        for _ in range(count):
            aims = world.faults.aims
            aims.draw(rng, swarm.kinds[aims.drawn % len(swarm.kinds)])  # each of them in turn
        if rng.random() < swarm.at_statements:
            kind = rng.choice(("kill before", "disk full", "locked"))
            world.faults.at_statements[rng.randrange(STATEMENTS_MAX)] = kind
        return armed, at_writes
    for _ in range(count):
        if rng.random() < 0.5:
            at_writes[rng.randrange(WRITES_MAX)] = rng.choice(swarm.kinds)
        else:
            armed[rng.randrange(POINTS_MAX)] = rng.choice(swarm.kinds)
    return armed, at_writes


def _pause(swarm: Swarm, rng: Random) -> timedelta:
    if swarm.outage and rng.random() < 0.3:
        return timedelta(minutes=rng.choice((70, 400, 60 * 24 * 3, 60 * 24 * 35)))
    return timedelta(minutes=rng.choice((1, 5, 5, 5, 16, 30)))
