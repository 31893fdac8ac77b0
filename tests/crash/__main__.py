"""`python -m tests.crash SCENE POINT MATCH NTH AFTER`: one crash again, with what came of it."""

from __future__ import annotations

import argparse
import logging
import sys

import structlog

from tests.crash.cases import AFTER, Crash, crashes, play
from tests.crash.nursery import Nursery
from tests.crash.scenes import SCENES
from tests.crash.stage import Stage


def main() -> int:
    """0: as if nothing had happened; 1: what is wrong. A scene alone: all its crashes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("point", nargs="?")
    parser.add_argument("match", nargs="?", default="")
    parser.add_argument("nth", nargs="?", type=int, default=1)
    parser.add_argument("after", nargs="?", choices=AFTER, default=AFTER[0])
    asked = parser.parse_args()
    nursery = Nursery()
    stage = Stage(SCENES[asked.scene], nursery)
    one = Crash(asked.scene, asked.point or "", asked.match, asked.nth, asked.after)
    red = 0
    try:
        for crash in [one] if asked.point else crashes(stage):
            found = play(stage, crash)
            print(crash.words(), "- did not come" if found is None else "")
            for problem in found or ():
                print(f"    {problem}")
            red += bool(found)
    finally:
        stage.close()
        nursery.close()
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
