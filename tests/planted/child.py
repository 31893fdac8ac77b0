"""One engine in a process of its own: addresses come in, a line each, and verdicts go out.

`python -m tests.planted.child NAME` is the engine with the patch NAME, `-` the one that is shipped.
After the verdicts of an address an empty line follows.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.planted.mutant import Finder, install
from tests.planted.patching import PatchError, load
from tests.planted.verdict import Verdict

#: No patch: the engine as it is shipped.
SHIPPED = "-"


def main() -> int:
    """Answer until nothing more is asked. 2: the patch does not fit."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no verdict
    finder: Finder | None = None
    if sys.argv[1] != SHIPPED:
        try:
            finder = install(load(Path(sys.argv[1])))
        except PatchError as error:
            print(error, file=sys.stderr)
            return 2
    from tests.planted.play import played  # only now: it imports the engine

    for line in sys.stdin:
        for verdict in played(line.strip()):
            answers.write(_with_patch(verdict, finder).to_json() + "\n")
            answers.flush()
        answers.write("\n")
        answers.flush()
    return 0


def _with_patch(verdict: Verdict, finder: Finder | None) -> Verdict:
    """A patched module that nobody has imported has patched nothing."""
    if finder is None or not finder.missing:
        return verdict
    words = f"the patched {', '.join(sorted(finder.missing))} was never imported"
    return Verdict(verdict.address, "error", "", words)


if __name__ == "__main__":
    raise SystemExit(main())
