"""Replay a year (`python -m tests.notices 17 --region NZ --trace`), or many (`1-50`)."""

from __future__ import annotations

import argparse
import logging
import time
import traceback
from collections import Counter

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def main() -> int:
    """Play, and print what happened in words."""
    from tests.notices.year import DAYS, REGIONS, play

    parser = argparse.ArgumentParser(prog="python -m tests.notices", description=__doc__)
    parser.add_argument("seeds", help="a seed, or a range such as 1-50")
    parser.add_argument("--region", choices=REGIONS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--first", type=int, default=0, help="the day of the year to begin on")
    parser.add_argument("--trace", action="store_true", help="print the history in words")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    began, red = time.process_time(), []
    notices, deeds = Counter[str](), Counter[str]()
    for seed in seeds:
        try:
            played = play(seed, region=given.region, days=given.days, first=given.first)
        except Exception as failure:
            red.append(seed)
            played = failure.played  # type: ignore[attr-defined]
            print(f"year {seed} RED: {type(failure).__name__}: {str(failure)[:600]}", flush=True)
            if given.trace:
                traceback.print_exception(failure)
        if given.trace:
            print("\n".join(played.firm.story))
        notices.update(played.notices)
        deeds.update(played.deeds)
    print(f"{len(seeds)} years, {len(red)} red {red[:20]}, {time.process_time() - began:.1f} s CPU")
    print("notices:", dict(notices.most_common()), "deeds:", dict(deeds.most_common()), sep="\n")
    return 1 if red else 0


if __name__ == "__main__":
    raise SystemExit(main())
