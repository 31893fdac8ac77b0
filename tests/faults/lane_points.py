"""A fault at each exchange, commit and statement of every scripted history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

from tests.faults.lanes import Budget, LaneResult, Red, Size
from tests.sim.every_point import KNOWN, Case, Played, every_case, play, run_case
from tests.sim.histories import History
from tests.sim.histories_hubspot import EVERY
from tests.sim.watch import Violation
from tests.sim.world import World

#: Of each history so many single faults, of as many kinds as there are, in the quick size.
CI_EACH = 12
CI_PIECES = 4
#: Into so many pieces the cases of one history are cut in the full size.
PARTS = 3


def pieces(size: Size) -> int:
    """See lanes.py."""
    return CI_PIECES if size == "ci" else len(EVERY) * PARTS


def run(budget: Budget) -> LaneResult:
    """See lanes.py."""
    result = LaneResult("points")
    if budget.size == "ci":
        for history in mine(budget):
            with well_played(history, result) as played:
                every = _every(played, result, counted=True)
                _judge_all(result, played, drawn(every, budget, CI_EACH))
    else:
        history, part = EVERY[budget.piece // PARTS], budget.piece % PARTS
        with well_played(history, result) as played:
            every = _every(played, result, counted=part == 0)
            known = list(dict.fromkeys(case.fault for case in every))
            first, end = (len(known) * n // PARTS for n in (part, part + 1))
            faults = {*known[first:end]}  # neighbours, of which many leave the same world
            _judge_all(result, played, [case for case in every if case.fault in faults])
    return result


def mine(budget: Budget) -> Sequence[History]:
    """The histories of a piece: neighbours, since they play in worlds of the same kinds."""
    first, end = (len(EVERY) * n // budget.pieces for n in (budget.piece, budget.piece + 1))
    return EVERY[first:end]


def drawn(every: list[Case], budget: Budget, most: int) -> list[Case]:
    """Of so many kinds one case each, drawn by the commit."""
    if not every:
        return []
    rng = Random(f"{budget.drawn} {every[0].history}")
    by_kind: dict[tuple[str, bool], list[Case]] = defaultdict(list)
    for case in every:
        by_kind[(case.kind, case.statement)].append(case)
    kinds = list(by_kind)
    rng.shuffle(kinds)
    return [rng.choice(by_kind[kind]) for kind in kinds[:most]]


@contextmanager
def well_played(history: History, result: LaneResult) -> Iterator[Played]:
    """The history without faults; one that does not end well is a violation, and has no cases."""
    try:
        played = play(history)
    except Exception as error:
        replay = f"python -m tests.faults history '{history.name}'"
        result.violations.append(red_of(error, replay))
        played = Played(history, [], [])
    try:
        yield played
    finally:
        played.close()


def _every(played: Played, result: LaneResult, *, counted: bool) -> list[Case]:
    """All cases of a history, which the table counts once, whatever pieces it is cut into."""
    every = list(every_case(played))
    if counted and every:
        counts = result.counts
        counts.update(["histories", f"histories: {played.history.crm}"])
        counts["possible"] += len({case.fault for case in every})
        for points in played.points:
            counts.update(f"points: {point.kind}" for point in points)
        counts["points: statement"] += len({(c.batch, c.point) for c in every if c.statement})
        counts["statements met"] += sum(len(found) for found in played.statements)
    return every


def _judge_all(result: LaneResult, played: Played, chosen: list[Case]) -> None:
    """Each case; one whose history and fault were played before is none of its own."""
    known: set[object] = set()
    for case in chosen:
        if not judge_case(result, played, case):
            result.counts["not fired"] += 1
        elif case.fault in known:
            result.cases -= 1
            result.counts["life went on"] += 1
        known.add(case.fault)


def judge_case(result: LaneResult, played: Played, case: Case) -> bool:
    """Play one case into the result; whether all of its faults fired."""
    try:
        world, fired = run_case(played, case)
    except Exception as error:
        result.violations.append(red_of(error, case.replay))
        return False
    if fired:
        result.cases += 1
        result.counts["known end"] += world.turns[KNOWN]
        result.counts.update(f"kind: {kind}" for kind in kinds_met(world))
    return fired


def kinds_met(world: World) -> Iterator[str]:
    """The kinds of the faults that happened; those at statements are kinds of their own."""
    for point, kind in world.faults.fired:
        yield f"{kind} (statement)" if point.kind == "statement" else kind


def red_of(error: Exception, replay: str) -> Red:
    """A case that failed, with the history of the world that it failed in."""
    world: World | None = getattr(error, "world", None)
    invariant = error.invariant if isinstance(error, Violation) else "crash"
    words = f"{type(error).__name__}: {error}"[:600]
    return Red(invariant, words, replay, tuple(world.story[-60:]) if world is not None else ())


def table(total: LaneResult) -> str:
    """See lanes.py."""
    counts = total.counts
    points = {k[8:]: n for k, n in counts.items() if k.startswith("points: ")}
    share = total.cases / max(1, counts["possible"])
    lines = [
        f"{counts['histories']} histories ({counts['histories: pipedrive']} with Pipedrive, "
        f"{counts['histories: hubspot']} with HubSpot) have {sum(points.values()):,} points: "
        + ", ".join(f"{n:,} {kind}s" for kind, n in sorted(points.items()))
        + f". {total.cases:,} distinct cases (history, point, kind) were played and fired: "
        f"{share:.1%} of all {counts['possible']:,}. {counts['life went on']:,} of them were "
        "played a second time with people who went on at once, while a late request was still on "
        f"its way. Violations: {len(total.violations)}.",
        "",
        f"After the faulted batch of {counts['known end']:,} cases the servers, the state and the "
        "clock were equal, in every byte that counts, to those after a case that was played to "
        "its end: they have its end. All others were played on.",
        "",
        f"Of the {counts['statements met']:,} statements that write, those of one text at one "
        f"place of the program count once a history.",
        "",
        f"With Pipedrive, and nearly all with HubSpot, too: {_names('pipedrive')}.",
        "",
        f"With HubSpot alone: {_names('hubspot')}.",
        "",
        *kinds_table(counts),
    ]
    return "\n".join(lines)


def _names(crm: str) -> str:
    """The histories that are a CRM's own."""
    shared = {f"hubspot: {history.name}" for history in EVERY if history.crm == "pipedrive"}
    own = (history.name for history in EVERY if history.crm == crm and history.name not in shared)
    return "; ".join(name.removeprefix("hubspot: ") for name in own)


def kinds_table(counts: Counter[str]) -> Iterable[str]:
    """How often each kind fired."""
    kinds = sorted((k[6:], n) for k, n in counts.items() if k.startswith("kind: "))
    yield "| kind of fault | fired |"
    yield "|---|---:|"
    for kind, fired in kinds:
        yield f"| {kind} | {fired:,} |"
