"""`python -m tests.sim SEED [--trace]` replays one seed; `python -m tests.sim FROM-TO` many."""

from __future__ import annotations

import argparse
import logging
import time
import traceback
from collections import Counter

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def main() -> int:
    """Replay, and print what happened in words."""
    from tests.sim.seeds import play

    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("seeds", help="a seed, or a range such as 1-500")
    parser.add_argument("--trace", action="store_true", help="print the history in words")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    began, red, faults = time.monotonic(), [], Counter[str]()
    total: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for seed in range(int(first), int(last or first) + 1):
        error: BaseException | None = None
        try:
            played = play(seed)
        except Exception as failure:
            error, played = failure, failure.played  # type: ignore[attr-defined]
            red.append(seed)
            print(f"seed {seed} RED: {type(failure).__name__}: {str(failure)[:400]}", flush=True)
            if given.trace:
                traceback.print_exception(failure)
        if given.trace:
            print("\n".join(played.world.story))
            print("RED" if error else "green")
        faults.update(played.faults)
        held.update(played.world.held)
        total.update(deeds=played.deeds, writes=played.writes, points=played.points,
                     batches=played.batches, faults=played.faults.total())  # fmt: skip
    count, seconds = int(last or first) - int(first) + 1, time.monotonic() - began
    print(f"{count} seeds, {len(red)} red {red[:20]}, {seconds:.0f} s, {count / seconds:.1f}/s")
    print(dict(total), dict(faults.most_common()), "held:", held.most_common(12), sep="\n")
    return 1 if red else 0


if __name__ == "__main__":
    raise SystemExit(main())
