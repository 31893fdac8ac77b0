"""`python -m tests.faults ci` (make faults) or `full` (make faults-full); see docs/faults.md."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence

import structlog

from tests.faults.lanes import NAMES, Size, lane
from tests.faults.page import PAGE, page_of
from tests.faults.running import (
    Done,
    Keeper,
    Piece,
    PieceFailed,
    all_pieces,
    commit,
    content,
    core_seconds,
    play_all,
    play_piece,
    summed,
)
from tests.sim.leftovers import sweep

#: Two processes use a small machine and leave no core idle.
WORKERS = 2


def main() -> int:
    """Exit code 0 if nothing is violated, 1 if something is, 2 if the harness itself failed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    does = parser.add_subparsers(dest="does", required=True)
    for size in ("ci", "full"):
        sized = does.add_parser(size)
        sized.add_argument("--lane", action="append", choices=NAMES, help="only this one, or these")
        sized.add_argument("--workers", type=int, default=WORKERS)
    does.add_parser("page", help="write docs/faults.md from what the full run has so far")
    alone = does.add_parser("history", help="play one scripted history without faults")
    alone.add_argument("name")
    piece = does.add_parser("piece", help="play one piece here, and print its result")
    for name in ("lane", "size", "number", "of", "hash"):
        piece.add_argument(name)
    given = parser.parse_args()
    if given.does == "piece":
        wanted = Piece(given.lane, int(given.number), int(given.of))
        result = play_piece(wanted, given.size, given.hash).to_json()
        print(json.dumps({"result": result, "seconds": core_seconds()}))
        return 0
    if given.does == "history":
        return _history(given.name)
    if given.does == "page":
        return _write_page(Keeper(content()).known())
    return _play(given.does, given.lane or NAMES, given.workers)


def _play(size: Size, names: Sequence[str], workers: int) -> int:
    sweep()
    # The full size draws by what it plays, so that a run that goes on after a commit of something
    # else draws as it began.
    hash = content() if size == "full" else commit()
    keeper = Keeper(hash) if size == "full" else None
    found = [done for done in keeper.known() if done.piece.lane in names] if keeper else []
    known = {done.piece for done in found}
    todo = [piece for piece in all_pieces(names, size) if piece not in known]
    print(f"{size}: {len(todo)} pieces to play, {len(known)} kept, drawn by {hash[:12]}",
          flush=True)  # fmt: skip
    began, failed = time.monotonic(), 0
    for ended in play_all(todo, size, hash, workers):
        if isinstance(ended, PieceFailed):
            failed += 1
            print(f"FAILED {ended}", flush=True)
            continue
        found.append(ended)
        if keeper:
            keeper.keep(ended)
        _tell(ended, len(found), len(todo) + len(known))
    reds = _report(found, time.monotonic() - began)
    if keeper:
        _write_page(keeper.known())
    if failed:
        return 2
    return 1 if reds else 0


def _tell(done: Done, played: int, of: int) -> None:
    piece, reds = done.piece, len(done.result.violations)
    print(f"[{played}/{of}] {piece.lane} {piece.number + 1}/{piece.of}: {done.result.cases} cases, "
          f"{reds} red, {done.seconds:.0f} s", flush=True)  # fmt: skip
    for red in done.result.violations:
        print(f"  RED {red.invariant}: {red.words}\n      {red.replay}", flush=True)


def _report(found: Sequence[Done], seconds: float) -> int:
    """Each lane's table, then what failed with its history; the number of violations."""
    sums = summed(found)
    for name in (name for name in NAMES if name in sums):
        print(f"\n## {name}\n\n{lane(name).table(sums[name][0])}")
    reds = [red for result, _ in sums.values() for red in result.violations]
    for red in reds:
        print(f"\n{red.invariant}: {red.words}\nreplay: {red.replay}\n  " + "\n  ".join(red.story))
    print()
    for name, (result, spent) in sums.items():
        print(f"{name}: {result.cases:,} cases, {len(result.violations)} violations, "
              f"{spent:.0f} s of a core")  # fmt: skip
    print(f"{sum(r.cases for r, _ in sums.values()):,} cases in {seconds:.0f} s: "
          f"{len(reds)} violations {dict(Counter(red.invariant for red in reds))}")  # fmt: skip
    return len(reds)


def _write_page(found: Sequence[Done]) -> int:
    page = page_of(PAGE.read_text(encoding="utf-8"), found, content())
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE} is written.")
    return 0


def _history(name: str) -> int:
    from tests.sim.every_point import by_name, play

    try:
        play(by_name(name)).close()
    except AssertionError as error:
        print("\n".join(error.world.story))  # type: ignore[attr-defined]
        print(f"RED {error}")
        return 1
    print("green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
