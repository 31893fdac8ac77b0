"""`python -m benchmarks`: every row once, as tables, benchmarks/results.json and a plot beside it.

The sandbox's servers and each task run in processes of their own. Only ratios mean anything on
another machine. `--page` puts the tables into docs/performance.md as well; `--profile` prints the
profile of a first load instead. The exit code is 1 if more calls are made than the targets allow.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import latency, rows
from benchmarks.plot import svg
from benchmarks.rows import QUICK, Sizes
from benchmarks.stage import ROOT
from benchmarks.tables import markdown, tables
from benchmarks.targets import over, targets

RESULTS = Path(__file__).with_name("results.json")
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
#: Between these two lines of the page stands what `--page` writes.
_BEGIN, _END = "<!-- one run: make bench-page -->", "<!-- end of the run -->"

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few deals, in a few minutes")
    parser.add_argument("--page", action="store_true", help="refresh docs/performance.md as well")
    parser.add_argument("--profile", choices=rows.CRMS, help="profile a first load instead")
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    with tempfile.TemporaryDirectory(prefix="syncjob-bench-") as name:
        if options.profile:
            print(rows.profiled(Path(name), options.profile, sizes.small))
            return 0
        results = measure(Path(name), sizes, say=lambda text: print(text, file=sys.stderr))
    show(results)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".svg").write_text(svg(targets(results)), encoding="utf-8")
    if options.page:
        refresh(results)
    return 1 if over(results) else 0


def measure(folder: Path, sizes: Sizes, *, say: Callable[[str], object]) -> Row:
    """All rows; `say` hears of each part as it begins."""
    began = time.monotonic()
    found: Row = {name: [] for name in ("calls", "cost", "far", "memory", "state", "latency")}
    for crm in rows.CRMS:
        for deals in filter(None, (sizes.small, sizes.large)):
            say(f"first load, {crm}, {deals:,} deals")
            calls, cost = rows.loads(folder, crm, deals, script=deals == sizes.small)
            found["calls"] += calls
            found["cost"].append(cost)
    if sizes.large:
        say("first load over days")
        found["calls"].append(rows.over_days(folder, sizes.large))
    scripted = {cost["crm"]: cost for cost in found["cost"] if "script" in cost}
    for crm, plan in rows.FAR if sizes.far else ():
        say(f"at a distance, {crm} {plan}")
        found["far"].append(rows.far(folder, crm, plan, scripted[crm]))
    for deals in sizes.memory:
        say(f"memory, {deals:,} deals")
        found["memory"].append(rows.memory(folder, deals))
    if sizes.states:
        say("big states")
        found["state"] = rows.states(folder, sizes.small, sizes.states)
    if sizes.days:
        say("the week of waiting")
        found["latency"] = latency.measure(sizes.days)
    say("start-up")
    found["start"] = rows.starts(folder, sizes.starts)
    return {
        "machine": f"Python {platform.python_version()}, {platform.machine()}",
        "commit": _commit(), "seconds": round(time.monotonic() - began), **found,
    }  # fmt: skip


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no checkout"


def show(results: Row) -> None:
    """The tables on the terminal."""
    console = Console(width=150)
    for title, heads, lines in tables(results):
        table = Table(title=title, title_justify="left")
        for number, head in enumerate(heads):
            table.add_column(head, justify="right" if number else "left")
        for line in lines:
            table.add_row(*line)
        console.print(table)
    console.print(_of(results))


def refresh(results: Row) -> None:
    """Put this run's tables and its picture into the page."""
    page = PAGE.read_text(encoding="utf-8")
    picture = f"![How much of each target's allowance is used]({PLOT.name})"
    parts = (_BEGIN, _of(results), picture, markdown(results), _END)
    made = "\n\n".join(parts)
    pattern = re.compile(re.escape(_BEGIN) + ".*" + re.escape(_END), re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{PAGE} has no place for the tables: {_BEGIN} ... {_END}")
    PAGE.write_text(pattern.sub(lambda _: made, page), encoding="utf-8")
    PLOT.write_text(svg(targets(results)), encoding="utf-8")


def _of(results: Row) -> str:
    return f"Commit {results['commit']}; {results['machine']}; {results['seconds']:,} s in all."


if __name__ == "__main__":
    sys.exit(main())
