"""Random worlds: each seed draws its servers, its people and its faults; the end is judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from syncjob.sandbox.xero.options import Limits
from tests.sim import features, people, people_hubspot, people_more
from tests.sim.crms import CRMS
from tests.sim.faults import COMMIT_KINDS, EXCHANGE_KINDS, HUBSPOT_KINDS
from tests.sim.features import Features
from tests.sim.judge import recover
from tests.sim.plans import seen_first
from tests.sim.world import World, new_world

BATCHES = (6, 14)
#: No batch of these worlds has more points.
POINTS_MAX = 40
#: The share of deeds that are about what is on beside invoices.
MORE = 0.45
#: The share of seeds whose CRM is HubSpot.
HUBSPOT = 1 / 3
#: The share of batches that are plans, where they are on.
PLANNED = 0.6
#: Half of the faults are aimed at writes, which are few.
WRITES_MAX = 3


@dataclass
class Swarm:
    """What is on in this seed's world."""

    mode: str
    status: str
    rare: bool
    lag_s: int
    crm_lag_s: int
    limits: bool
    kinds: tuple[str, ...]
    faults_a_batch: float
    edits_a_batch: int
    outage: bool
    skew: timedelta
    loses_state: bool
    #: Whether a change of its lines moves the deal's stamp (facts: pipedrive, 1d: nobody knows).
    lines_stamp: bool
    features: Features
    #: Whether most batches are plans that a person sees first.
    plans: bool = False
    #: The answers to a vendor's open questions, as options of its sandbox.
    answers: dict[str, Any] = field(default_factory=dict)


@dataclass
class Played:
    """What happened in one seed."""

    world: World
    swarm: Swarm
    faults: Counter[str] = field(default_factory=Counter)
    deeds: int = 0
    writes: int = 0
    points: int = 0
    batches: int = 0


def crm_of(seed: int) -> str:
    """The CRM of a seed that names none."""
    return "hubspot" if Random(f"crm {seed}").random() < HUBSPOT else "pipedrive"


def draw(rng: Random, own: Random, crm: str) -> Swarm:
    """Which faults, lags, modes and deeds are on: few of many, so that each gets its room.

    What is on beside invoices is drawn of its `own`, so that it changes no other history.
    """
    mode, status = rng.choice((("drafts_only", "draft"), ("full", "authorised"), ("full", "draft")))
    more = HUBSPOT_KINDS if crm == "hubspot" else ()
    every = tuple(dict.fromkeys((*EXCHANGE_KINDS, *COMMIT_KINDS, *more)))
    return Swarm(
        mode=mode, status=status, rare=rng.random() < 0.35, lag_s=rng.choice((0, 0, 5, 60, 600)),
        crm_lag_s=rng.choice((0, 0, 5, 100)),
        limits=rng.random() < 0.2, kinds=tuple(rng.sample(every, rng.randint(1, 6))),
        faults_a_batch=rng.choice((0.5, 1, 2, 4)), edits_a_batch=rng.choice((2, 3, 6)),
        outage=rng.random() < 0.2, skew=timedelta(minutes=rng.choice((0, 0, 0, 61, -61))),
        loses_state=rng.random() < 0.12, lines_stamp=own.random() < 0.5,
        features=features.draw(own), answers=CRMS[crm].answers(own),
    )  # fmt: skip


def play(seed: int, *, plans: bool = False, crm: str | None = None) -> Played:
    """Play one seed to its end, most batches as plans that are applied if `plans`, with this CRM
    or the one that the seed draws.

    Raises Violation with the world's story in `played`.
    """
    rng, crm = Random(seed), crm or crm_of(seed)
    swarm = replace(draw(rng, Random(f"features {seed}"), crm), plans=plans)
    world = new_world(
        mode=swarm.mode, status=swarm.status, features=swarm.features, vendor=crm
    )  # fmt: skip
    played = Played(world, swarm)
    try:
        _live(world, swarm, rng, played)
        recover(world)
    except BaseException as error:
        error.played = played  # type: ignore[attr-defined]
        raise
    finally:
        played.deeds = len(world.deeds)
        played.writes = len(world.writes_since(0))
        world.close()
    return played


def set_up(world: World, swarm: Swarm) -> None:
    """Let the servers be as this seed has drawn them."""
    org = world.xero.organisation
    for table in (org.contacts, org.invoices, org.credits, org.payments):
        table._lag_max_s = swarm.lag_s
    world.vendor.be(
        world.server, lag_s=swarm.crm_lag_s, lines_stamp=swarm.lines_stamp, **swarm.answers
    )
    if swarm.limits:
        world.xero.set_limits(Limits())
    world.clock.skew = swarm.skew
    world.tell(f"swarm: {swarm}")


def _live(world: World, swarm: Swarm, rng: Random, played: Played) -> None:
    set_up(world, swarm)
    world.faults.edit = lambda: _deed(world, swarm, rng)
    for _ in range(rng.randint(1, 4)):
        world.attempt(lambda w: people.create_deal(w, rng))
    batches = rng.randint(*BATCHES)
    lost_at = rng.randrange(batches) if swarm.loses_state else None
    for number in range(batches):
        for _ in range(rng.randint(0, swarm.edits_a_batch)):
            _deed(world, swarm, rng)
            world.advance(timedelta(seconds=rng.choice((0, 1, 40))))
        if number == lost_at:
            world.lose_state()
        _batch(world, swarm, rng, played)
        world.advance(_pause(swarm, rng))


def _deed(world: World, swarm: Swarm, rng: Random) -> None:
    if people_more.also(world.features) and rng.random() < MORE:
        people_more.act(world, rng)
    elif world.vendor.name == "hubspot":
        people_hubspot.act(world, rng, rare=swarm.rare)
    else:
        people.act(world, rng, rare=swarm.rare)


def _batch(world: World, swarm: Swarm, rng: Random, played: Played) -> None:
    count = int(swarm.faults_a_batch) + (rng.random() < swarm.faults_a_batch % 1)
    armed: dict[int, str] = {}
    at_writes: dict[int, str] = {}
    for _ in range(count):
        if rng.random() < 0.5:
            at_writes[rng.randrange(WRITES_MAX)] = rng.choice(swarm.kinds)
        else:
            armed[rng.randrange(POINTS_MAX)] = rng.choice(swarm.kinds)
    fired = len(world.faults.fired)
    if swarm.plans and rng.random() < PLANNED:
        seen_first(world, rng, lambda: _deed(world, swarm, rng), armed, at_writes)
    else:
        world.run(armed, at_writes)
    played.batches += 1
    played.points += len(world.faults.points)
    played.faults.update(kind for _, kind in world.faults.fired[fired:])


def _pause(swarm: Swarm, rng: Random) -> timedelta:
    if swarm.outage and rng.random() < 0.3:
        return timedelta(minutes=rng.choice((70, 400, 60 * 24 * 3, 60 * 24 * 35)))
    return timedelta(minutes=rng.choice((1, 5, 5, 5, 16, 30)))
