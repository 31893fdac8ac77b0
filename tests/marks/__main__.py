"""`python -m tests.marks`: which branches that handle an error no test of a marked run reached.

rm -rf /tmp/marks; SYNCJOB_MARKS=/tmp/marks make test; python -m tests.marks /tmp/marks
... --write    also renews the table of which test reaches which mark
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from tests.marks import noting, source, table


def main() -> int:
    """0: every mark was reached, and the table is true; 1: else, with what to do."""
    parser = argparse.ArgumentParser(prog="python -m tests.marks")
    parser.add_argument("folder", nargs="?", default=os.environ.get(noting.FOLDER), type=Path)
    parser.add_argument("--write", action="store_true", help="renew tests/marks/table.txt")
    parser.add_argument("--raises", action="store_true", help="show unreached `raise`s, too")
    asked = parser.parse_args()
    if asked.folder is None or not (asked.folder / "reached").is_dir():
        parser.error("name the folder that SYNCJOB_MARKS named in the run of the tests")
    every, noted = source.marks(), table.reached(asked.folder)
    marks = [mark for mark in every if mark.kind in source.KINDS]
    rows = table.read()
    if asked.write:
        rows = table.renewed(rows, marks, noted)
        table.write(rows)
    missed, false = table.unreached(marks, noted), table.untrue(rows, noted)
    raises = [mark for mark in table.unreached(every, noted) if mark.kind == "raise"]
    for mark in [*missed, *(raises if asked.raises else ())]:
        print(f"{mark.path}:{mark.line}: no test reaches it: {mark.name}")
    for name, test in false.items():
        print(f"{name}: {test} ran and did not reach it; --write renews the table")
    kinds = Counter(mark.kind for mark in every)
    said = ", ".join(f"{kinds[kind]} {kind}" for kind in source.KINDS)
    print(f"{len(marks)} marks ({said}), {len(missed)} not reached, {len(false)} rows untrue;")
    print(f"{kinds['raise']} places that make an error, {len(raises)} of them not reached")
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
