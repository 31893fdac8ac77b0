"""What seeds have played, counted: faults by kind, deeds of people, writes that reached servers.

Counts are sums, so that those of many processes add up. A kind's share is that of all seeds in
which it happened at least once, those of the other CRM included: kinds that only one CRM knows are
drawn the more often where it is on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.sim.aims import kinds_with
from tests.sim.crms import CRMS

if TYPE_CHECKING:
    from tests.sim.seeds import Played

#: What a mean seed must have (the issue of the fault harness, "What it must show").
FAULTS_MIN, DEEDS_MIN, WRITES_MIN = 3.0, 10.0, 20.0
#: The share of all seeds in which each kind of fault must have happened.
SHARE_MIN = 0.05
#: Fewer seeds than this say nothing about shares.
SEEDS_MIN = 1000
#: What befalls a world between its batches, counted like faults.
TURNS = ("a month away", "clock skewed", "consent withdrawn", "moved to another host",
         "read only", "small pages", "state lost", "state restored", "tight limits",
         "tokens expired", "two on one app", "two on one organisation")  # fmt: skip
_MEANS = {"faults": FAULTS_MIN, "edits": DEEDS_MIN, "writes": WRITES_MIN}


def counts_of(played: Played) -> Counter[str]:
    """One seed, counted."""
    world = played.world
    counts = Counter({
        "seeds": 1, f"seeds {world.vendor.name}": 1, "seeds over HTTP": int(played.http),
        "edits": played.deeds, "writes": played.writes, "batches": played.batches,
        "points": played.points, "faults": played.faults.total(),
    })  # fmt: skip
    for kind, count in played.faults.items():
        counts[f"fired: {kind}"] += count
    for kind in {*played.faults, *world.turns}:
        counts[f"seen: {kind}"] += 1
    return counts


def every_kind() -> tuple[str, ...]:
    """All that must be seen: what can happen at a point, and between batches."""
    return tuple(sorted({*TURNS, *(kind for crm in CRMS for kind in kinds_with(crm))}))


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Of each kind the share of all seeds in which it happened, the rarest first."""
    seeds = max(counts.get("seeds", 0), 1)
    found = {kind: counts.get(f"seen: {kind}", 0) / seeds for kind in every_kind()}
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def means(counts: Mapping[str, int]) -> dict[str, float]:
    """What a mean seed had."""
    seeds = max(counts.get("seeds", 0), 1)
    names = ("faults", "edits", "writes", "batches", "points")
    return {name: counts.get(name, 0) / seeds for name in names}


def too_few(counts: Mapping[str, int]) -> list[str]:
    """What falls short of what must be shown, in words; nothing where all is well."""
    mean = means(counts)
    found = [f"{mean[name]:.1f} {name} a seed, of {least:g}"
             for name, least in _MEANS.items() if mean[name] < least]  # fmt: skip
    if counts.get("seeds", 0) >= SEEDS_MIN:
        found += [f"{kind!r} in {share:.1%} of the seeds, of {SHARE_MIN:.0%}"
                  for kind, share in shares(counts).items() if share < SHARE_MIN]  # fmt: skip
    return found


def table(counts: Mapping[str, int]) -> str:
    """Markdown: what was played, a mean seed, and each kind's share, the rarest first."""
    mean = means(counts)
    by_crm = ", ".join(f"{counts.get(f'seeds {crm}', 0):,} with {crm}" for crm in CRMS)
    head = [
        f"{counts.get('seeds', 0):,} seeds ({by_crm}; {counts.get('seeds over HTTP', 0):,} of them "
        f"over real HTTP), {counts.get('batches', 0):,} batches, "
        f"{counts.get('points', 0):,} points at which a fault could be.",
        "", "| a mean seed | is | must be |", "|---|---|---|",
        *(f"| {name} | {mean[name]:.1f} | {least:g} |" for name, least in _MEANS.items()),
        "", "| kind | times | of all seeds |", "|---|---|---|",
    ]  # fmt: skip
    times = {kind: counts.get(f"fired: {kind}") or counts.get(f"seen: {kind}", 0)
             for kind in every_kind()}  # fmt: skip
    rows = [f"| {kind} | {times[kind]:,} | {share:.1%} |" for kind, share in shares(counts).items()]
    return "\n".join([*head, *rows])
