"""Planted bugs: named patches to the shipped source, each of which must be caught by name.

"ci" plays each by its stored killer. "full" plays that too, and then fresh random worlds and drawn
cases until the bug was seen three times: the share of them is its detection rate. A bug that no
fresh draw shows is a hole of the harness, and red; one that another line of defence hides from
them says so in its patch, and is played by its killer alone.
"""

from __future__ import annotations

from tests.faults.lanes import Budget, LaneResult, Red, Size
from tests.planted.campaign import SEEDS_MAX, Campaign
from tests.planted.engines import Engine
from tests.planted.killers import Killer, grade, stored
from tests.planted.patching import EQUIVALENT, PATCHES, Patch, by_name, every

#: Killers take seconds each; more pieces would start the shipped engine more often.
CI_PIECES = 4
#: The rates of so many are shown.
RAREST = 3
_PROMISES = "docs/guarantees.md"


def names() -> list[str]:
    """The planted bugs, whether or not their patches can be read."""
    return sorted(path.stem for path in PATCHES.glob("*.patch"))


def pieces(size: Size) -> int:
    """One a bug in full, since the rarest takes many minutes."""
    return CI_PIECES if size == "ci" else len(names())


def run(budget: Budget) -> LaneResult:
    """The bugs of this piece, by their killers; in full on fresh draws besides."""
    result, known = LaneResult("planted"), stored()
    mine = [name for number, name in enumerate(names()) if budget.mine(number)]
    with Engine() as shipped:
        for name in mine:
            result.cases += 1
            words = grade(name, known.get(name), shipped)
            if words is None:
                result.counts["killed"] += 1
            else:
                again = f"python -m tests.planted check {name}"
                result.violations.append(Red("planted bug not caught", words, again))
    if budget.size == "full":
        for name in mine:
            if not by_name(name).behind:
                _fresh(name, budget.drawn, result)
    return result


def _fresh(name: str, number: int, result: LaneResult) -> None:
    from tests.sim.histories_hubspot import EVERY

    campaign = Campaign(name)
    campaign.run(number, [history.name for history in EVERY])
    result.counts.update(campaign.counts())
    if not campaign.found.kills:
        result.violations.append(
            Red(
                "planted bug not seen",
                f"{name}: {campaign.found.seeds} fresh seeds and {campaign.found.cases} cases show "
                f"nothing of it (at least {SEEDS_MAX} seeds are played)",
                f"python -m tests.planted rate {name} --number {number}",
            )
        )
    for verdict in campaign.wrong:  # the shipped engine is red there, whatever was planted
        result.violations.append(
            Red(verdict.invariant, verdict.words, f"python -m tests.planted play - "
                f"'{verdict.address}'")
        )  # fmt: skip


def table(total: LaneResult) -> str:
    """Each bug with what it breaks, the promise, its killer, and how often fresh draws see it."""
    known = stored()
    lines = [
        "| bug | what it does | promise | caught as | by | fresh seeds | drawn cases |",
        "|---|---|---|---|---|---|---|",
    ]
    patches = every()
    lines += [_row(patch, known, total) for patch in patches.values()]
    lines += ["", f"{len(patches)} planted bugs, {total.counts['killed']} killed by their stored "
              f"killers. The promises are those of {_PROMISES}."]  # fmt: skip
    rarest = sorted((rate(name, total), name) for name in patches if _played(name, total))
    if rarest:
        said = ", ".join(f"{name} ({1000 * share:.1f})" for share, name in rarest[:RAREST])
        lines.append(f"The rarest, by kills per 1,000 fresh seeds and cases: {said}.")
    hidden = [f"{patch.name} (by {patch.behind})" for patch in patches.values() if patch.behind]
    lines += ["", f"Not played on fresh draws, since another line of defence hides it there: "
              f"{', '.join(hidden)}."] if hidden else []  # fmt: skip
    lines += ["", *_NOTES, "", "Not counted, because nothing can come of them:", ""]
    lines += [f"- {p.name}: {p.breaks} {p.why}" for p in every(EQUIVALENT).values()]
    return "\n".join(lines)


#: How to keep them up to date.
_NOTES = (
    "A patch (`tests/planted/patches/`) holds the text that it replaces and no line numbers. Where "
    "the source has moved on it is red: `python -m tests.planted apply` names those that do not "
    "fit; write the old text anew, as little of it as says what is meant, then "
    "`python -m tests.planted check NAME`. If the killer no longer kills, "
    "`python -m tests.planted find NAME` looks for another among fresh seeds and cases and stores "
    "it in `killers.yaml`; a short scene in `tests/planted/scenes.py` lasts longer. "
    "`python -m tests.planted rate NAME` counts how often fresh draws see it.",
)


def _row(patch: Patch, known: dict[str, Killer], total: LaneResult) -> str:
    killer = known.get(patch.name)
    by = killer.address.partition(" ")[0] if killer else "nothing"
    counts = total.counts
    seeds, cases = (
        f"{counts[f'{patch.name}: {one} kills']} of {counts[f'{patch.name}: {one}s']}"
        if counts[f"{patch.name}: {one}s"] else "-"
        for one in ("seed", "case")
    )  # fmt: skip
    caught = killer.invariant if killer else "-"
    return (
        f"| {patch.name} | {patch.breaks} | {patch.invariant} | `{caught}` | {by} | {seeds} "
        f"| {cases} |"
    )


def _played(name: str, total: LaneResult) -> int:
    return total.counts[f"{name}: seeds"] + total.counts[f"{name}: cases"]


def rate(name: str, total: LaneResult) -> float:
    """Kills by fresh draw: seeds and cases together."""
    kills = total.counts[f"{name}: seed kills"] + total.counts[f"{name}: case kills"]
    return kills / max(1, _played(name, total))
