"""Replay a seed (`python -m tests.sim 17 --trace`), many (`1-500`), or a case (`--case KEY`)."""

from __future__ import annotations

import argparse
import logging
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog

from tests.sim.crms import CRMS
from tests.sim.swarm import DRAWS

#: Most often a key of another version of the source, whose points stood elsewhere.
_NOT_FIRED = "NOT PLAYED: not all of its faults fired, so this shows nothing"


def main(argv: Sequence[str] | None = None) -> int:
    """Replay, and print what happened in words."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("seeds", nargs="?", help="a seed, or a range such as 1-500")
    parser.add_argument("--case", help="a case of the every-point lane, as its failure names it")
    parser.add_argument("--trace", action="store_true", help="print the history in words")
    parser.add_argument("--crm", choices=sorted(CRMS), help="instead of the one that a seed draws")
    parser.add_argument("--plans", action="store_true", help="most batches are applied plans")
    parser.add_argument("--http", action="store_true", help="over real sockets of this machine")
    parser.add_argument("--draws", choices=DRAWS, default="last", help="as these kept seeds drew")
    given = parser.parse_args(argv)
    if given.case:
        return _case(given.case)
    if not given.seeds:
        parser.error("a seed, a range of seeds, or --case")
    first, _, last = given.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    how = {"plans": given.plans, "crm": given.crm, "http": given.http, "draws": given.draws}
    return _seeds(seeds, how, trace=given.trace)


def _case(key: str) -> int:
    from tests.sim.every_point import Case, by_name, play, run_case

    case = Case.of_key(key)
    played = play(by_name(case.history))
    red, fired = False, False
    try:
        world, fired = run_case(played, case)
    except Exception as error:
        traceback.print_exception(error)
        world, red = error.world, True  # type: ignore[attr-defined]
    finally:
        played.close()
    print("\n".join(world.story))
    print("RED" if red else "green" if fired else _NOT_FIRED)
    return int(red or not fired)


def _seeds(seeds: range, how: dict[str, Any], *, trace: bool) -> int:
    from tests.sim.holdings import holdings
    from tests.sim.seeds import play, replay
    from tests.sim.tally import counts_of, means, shares, too_few

    began, red = time.monotonic(), []
    counts, held = Counter[str](), Counter[str]()
    for seed in seeds:
        try:
            played = play(seed, **how)
        except Exception as failure:
            played = failure.played  # type: ignore[attr-defined]
            red.append(seed)
            print(f"seed {seed} RED: {type(failure).__name__}: {str(failure)[:400]}\n"
                  f"  replay: {replay(seed, **how)}", flush=True)  # fmt: skip
            if trace:
                traceback.print_exception(failure)
        if trace:
            print("\n".join([*played.world.story, *holdings(played.world)]))
        held.update(played.world.held)
        counts += counts_of(played)
    seconds = time.monotonic() - began
    print(f"{len(seeds)} seeds, {len(red)} red {red[:20]}, {seconds:.0f} s, "
          f"{len(seeds) / seconds:.1f} a second")  # fmt: skip
    print("a seed:", {name: round(mean, 1) for name, mean in means(counts).items()})
    rare = {kind: f"{share:.1%}" for kind, share in shares(counts).items()}
    print("shares:", rare, "held:", dict(held.most_common(12)), sep="\n")
    print(*too_few(counts), sep="\n")
    return 1 if red else 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    raise SystemExit(main())
