"""What a seed draws: which faults, lags, limits, pages, deeds and turns its world has, few of many.

The first draws (`draw`) are those of the earliest kept seeds, so that these keep their histories;
what came later (`more`) is drawn of chances of its own and left out for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

from tests.sim import features
from tests.sim.aims import kinds_with
from tests.sim.crms import CRMS
from tests.sim.features import PLAIN, Features
from tests.sim.kinds import COMMIT_KINDS, EXCHANGE_KINDS, HUBSPOT_KINDS, MEDDLED
from tests.sim.plots import ASKS, LATER, PLOTS
from tests.sim.two import Wish

#: Which draws a seed is played with: each has those before it, and more.
Draws = Literal["first", "second", "third", "fourth", "last"]
DRAWS: tuple[Draws, ...] = ("first", "second", "third", "fourth", "last")
#: The share of seeds whose CRM is HubSpot, of new seeds and of those kept before.
HUBSPOT, HUBSPOT_FIRST = 0.45, 1 / 3
#: How many kinds of faults a seed has, beside those that only its CRM knows.
KINDS = (5, 11)
#: As many kinds that only its CRM knows, where it has as many.
OWN_KINDS = (1, 4)
#: Kinds that need one CRM, a second page, a write of several records or a long wait, so that few
#: seeds met them; first those of either CRM.
RARE_ANYWHERE = ("equal stamps", "fewer", "key expired", "page shifts", "reordered", "some refused",
                 "token renewed", "walk broken", "whole refused")  # fmt: skip
RARE = (*RARE_ANYWHERE, "error in 200", "423 locked", "477 moving", "524", "429 daily",
        "429 daily told", "429 secondly", "429 secondly told", "429 ten seconds",
        "429 ten seconds told", "429 budget", "429 budget told", "429 burst",
        "429 burst told", "403 page", "null in 200")  # fmt: skip
#: How many of them go first in each seed: of its CRM's own and of the others; and so many faults
#: more a batch has then.
RARE_OWN, RARE_COMMON, RARE_MORE = 2, 1, 0.75
#: The most records of a page; one a page is not drawn where calls are few.
PAGES = (None, None, None, 1, 2, 5)
TIGHT = 0.12
#: The share of seeds with people who meddle, and of those with a batch in read_only.
MEDDLES, ONLY_READS = 0.35, 0.5
#: The chances, where they are on, that hours go by between what people did and the batch that sees
#: it, that such a batch is killed soon after it began, and that a deal is put aside before a batch.
RESTS, CUT, ASIDE = 0.3, 0.3, 0.1
#: The share of seeds with each.
AT_TIMES = 0.35
#: The share of seeds with a plot, and before which of the last batches it is played.
PLOTTED, PLOTTED_LATER, PLOT_BEFORE = 0.3, 0.1, 2
#: What is drawn of the ways in which the program is let in, and is there twice.
CONSENT, TWICE = 0.4, 0.16


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
    # --- drawn by `more` alone
    #: Whether faults wait for a point that they fit.
    aimed: bool = False
    #: Writing statements of a batch at which it is killed, or its disk is full.
    at_statements: float = 0.0
    page_max: int | None = None
    #: How the program is let in, and whether it is there twice.
    wish: Wish = field(default_factory=Wish)
    #: What befalls the world before the batch of this number.
    turns: tuple[tuple[int, str], ...] = ()
    tight: bool = False
    #: Whether people edit what a call of ours is about just now, and stop our program in its midst.
    meddles: bool = False
    # --- drawn by `manners` alone
    #: How often hours go by before a batch; how often it is killed then, while it reads.
    rests: float = 0.0
    cut: float = 0.0
    #: How often sales closes or re-opens a deal and archives it at once.
    aside: float = 0.0
    #: What is played (tests/sim/plots.py) with so many batches to come after the next one: a night
    #: mends much of what it is about. Drawn by `plotted`.
    plot: tuple[int, str] | None = None


def crm_of(seed: int, draws: Draws = "last") -> str:
    """The CRM of a seed that names none."""
    share = HUBSPOT_FIRST if draws == "first" else HUBSPOT
    return "hubspot" if Random(f"crm {seed}").random() < share else "pipedrive"


def draw(rng: Random, own: Random, crm: str) -> Swarm:
    """The first draws; what is on beside invoices is drawn of its `own`."""
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


def more(swarm: Swarm, seed: int, crm: str) -> Swarm:
    """All the other draws."""
    rng = Random(f"more {seed}")
    wish = _wish(rng)
    tight = rng.random() < TIGHT
    pages = [size for size in PAGES if not (tight and size == 1)]
    made = replace(
        swarm, aimed=True, kinds=_kinds(rng, crm), faults_a_batch=rng.choice((0.5, 1, 1.5)),
        at_statements=rng.choice((0, 0, 0.1)), limits=False,
        page_max=rng.choice(pages), tight=tight, wish=wish, loses_state=False,
        turns=_turns(rng, wish, swarm.features), features=PLAIN if wish.second else swarm.features,
    )  # fmt: skip
    return _meddled(made, Random(f"meddling {seed}"))


def rarities(swarm: Swarm, seed: int, crm: str) -> Swarm:
    """The last draws: kinds that seldom find their point go before the others, and to spare."""
    rng = Random(f"rare {seed}")
    mine = [kind for kind in kinds_with(crm) if kind in RARE]
    own = [kind for kind in mine if kind not in RARE_ANYWHERE]
    ahead = [*rng.sample(own, min(len(own), RARE_OWN)), *rng.sample(RARE_ANYWHERE, RARE_COMMON)]
    rng.shuffle(ahead)
    kinds = tuple(dict.fromkeys((*ahead, *swarm.kinds)))
    return replace(swarm, kinds=kinds, faults_a_batch=swarm.faults_a_batch + RARE_MORE)


def manners(swarm: Swarm, seed: int, crm: str) -> Swarm:
    """A machine that is off for hours, and sales that tidies up."""
    rng = Random(f"manners {seed}")
    rests = rng.random() < AT_TIMES
    tidy = rng.random() < AT_TIMES and crm == "pipedrive"  # HubSpot archives what is deleted
    return replace(swarm, rests=RESTS * rests, cut=CUT * rests, aside=ASIDE * tidy)


def plotted(swarm: Swarm, seed: int) -> Swarm:
    """What needs several deeds in a row: what came after all others."""
    rng = Random(f"plot {seed}")
    if swarm.wish.second:
        return swarm
    if rng.random() >= PLOTTED:
        own = Random(f"later plot {seed}")
        if own.random() >= PLOTTED_LATER:
            return swarm
        return replace(swarm, plot=(own.randrange(PLOT_BEFORE), own.choice(list(LATER))))
    name = rng.choice(list(PLOTS))
    on = replace(swarm.features, contacts="ask") if name in ASKS else swarm.features
    return replace(swarm, plot=(rng.randrange(PLOT_BEFORE), name), features=on)


def _meddled(swarm: Swarm, rng: Random) -> Swarm:
    """What came last, so that all the others keep their histories."""
    if rng.random() >= MEDDLES:
        return swarm
    kinds = tuple(dict.fromkeys((*MEDDLED, "edit before", "edit after", *swarm.kinds)))
    turns = swarm.turns
    if rng.random() < ONLY_READS:
        turns = (*turns, (rng.randrange(1, 6), "read only"))
    return replace(swarm, meddles=True, kinds=kinds, turns=turns)


def _kinds(rng: Random, crm: str) -> tuple[str, ...]:
    known = set(kinds_with(crm)) - {*MEDDLED}
    others = {kind for name in CRMS if name != crm for kind in kinds_with(name)}
    own = sorted(known - others)
    common = sorted(known & others)
    return (*rng.sample(common, rng.randint(*KINDS)),
            *rng.sample(own, min(len(own), rng.randint(*OWN_KINDS))))  # fmt: skip


def _wish(rng: Random) -> Wish:
    second = rng.choice(("connection", "organisation")) if rng.random() < TWICE else None
    return Wish(consent=rng.random() < CONSENT or second == "organisation", second=second)


def _turns(rng: Random, wish: Wish, on: Features) -> tuple[tuple[int, str], ...]:
    """Mostly none, seldom two. A machine that comes back with its old state and its `.seq` tells
    again what the other one told (docs/guarantees.md, "Where it ends")."""
    move = 0 if on.notices else 0.11
    chances = {"lose": 0.09, "restore": 0.09, "move": move, "expire": 0.15, "month": 0.09,
               "withdraw": 0.2 if wish.consent else 0}  # fmt: skip
    return tuple(
        (rng.randrange(1, 6), name) for name, chance in chances.items() if rng.random() < chance
    )
