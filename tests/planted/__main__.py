"""Planted bugs by hand: `check`, `find NAME`, `play NAME ADDRESS`, `rate NAME`.

python -m tests.planted check [NAME ...]     each by its stored killer
python -m tests.planted find NAME [...]      look for a killer and store it
python -m tests.planted play NAME ADDRESS    one address against the mutant; NAME "-": shipped
python -m tests.planted rate NAME [...]      how often fresh seeds and drawn cases see it
python -m tests.planted apply                which patches do not fit the source any more
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.planted.engines import Engine
from tests.planted.hunting import Hunt, hunt
from tests.planted.killers import Killer, grade, store, stored
from tests.planted.patching import PATCHES, PatchError, by_name
from tests.planted.verdict import Verdict

#: Seconds until a search gives up.
FIND_S = 240


def main() -> int:
    """What was asked for; 1 if anything is red."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.planted", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", choices=("apply", "check", "find", "play", "rate"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=FIND_S, help="for each name")
    parser.add_argument("--number", type=int, default=int(time.time()), help="draws the hunt")
    given = parser.parse_intermixed_args()
    if given.what == "play":
        name, *words = given.names
        return _play(name, " ".join(words))
    names = given.names or [path.stem for path in sorted(PATCHES.glob("*.patch"))]
    if given.what == "apply":
        return int(any([_apply(name) for name in names]))
    if given.what == "check":
        with Engine() as shipped:
            return int(any([_check(name, shipped) for name in names]))
    find = given.what == "find"
    return int(any([_hunt(n, given.seconds, given.number, find=find) for n in names]))


def _play(name: str, address: str) -> int:
    red = False
    with Engine(name) as engine:
        for verdict in engine.all(address):
            print(verdict.how, verdict.invariant, verdict.words, f"({verdict.address})")
            red = red or verdict.how != "passed"
    return int(red)


def _apply(name: str) -> bool:
    try:
        by_name(name).applied()
    except PatchError as error:
        print(error)
        return True
    return False


def _check(name: str, shipped: Engine) -> bool:
    words = grade(name, stored().get(name), shipped)
    print(words or f"{name}: caught", flush=True)
    return words is not None


def _hunt(name: str, seconds: int, number: int, *, find: bool) -> bool:
    """Play fresh seeds and cases; the first kill that the shipped engine passes is stored."""
    from tests.sim.histories_hubspot import EVERY

    found, began = Hunt(), time.monotonic()
    with Engine(name) as mutant, Engine() as shipped:
        for verdict in hunt(mutant, number, [history.name for history in EVERY]):
            found.add(verdict)
            if find and verdict.how == "violation" and _honest(verdict, shipped):
                store(name, Killer(verdict.address, verdict.invariant))
                print(f"{name}: {verdict.address}: {verdict.words[:200]}", flush=True)
                return False
            if time.monotonic() - began > seconds:
                break
    print(_said(name, found), flush=True)
    return find or not found.kills


def _honest(verdict: Verdict, shipped: Engine) -> bool:
    return shipped.play(verdict.address).how == "passed"


def _said(name: str, found: Hunt) -> str:
    by = sorted({kill.invariant for kill in found.kills})
    words = (
        f"{name}: {len(found.seed_kills)} of {found.seeds} seeds, {len(found.case_kills)} of "
        f"{found.cases} cases, by {', '.join(by) or 'nothing'}; {len(found.errors)} errors"
    )
    if found.errors:
        words += f", the first: {found.errors[0].words[:300]} ({found.errors[0].address})"
    return words


if __name__ == "__main__":
    sys.exit(main())
