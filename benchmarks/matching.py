"""The match beside splink, dedupe and recordlinkage, on labelled data; and its time by size.

    python -m benchmarks.matching                      every set in ../shared/data/matching
    python -m benchmarks.matching --size 20000         made-up contacts, 20,000 and 40,000 a side
    python -m benchmarks.matching --left a.csv --right b.csv --truth pairs.csv
    python -m benchmarks.matching --left a.csv --entity cluster --columns name=Firm,phone=Tel

Each tool works in a process of its own. Columns are guessed by their names. The libraries come
with `pip install -e '.[bench]'`; one that is not installed is left out with a word.

"committed" is what may be linked without a person: our certain band with the committed parameters.
The libraries have no such band; for them and for us, "at 99.5%" is the most that hindsight finds at
that precision. "asked too" adds our near band. "best" is the best F1 that hindsight finds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import crm_ledger, labelled, match_ours
from benchmarks.labelled import Labelled
from benchmarks.match_rivals import RIVALS, Pairs

TOOLS = ("ours", *RIVALS)
PRECISION = 0.995
#: No library needs longer on the sets here; dedupe's training is the slowest.
LONGEST_S = 1800
Row = dict[str, Any]


def main() -> int:
    options = _options().parse_args()
    if options.worker:
        print(json.dumps(worker(options)))
        return 0
    console = Console(width=132)
    if options.size:
        console.print(_sizes(options))
        return 0
    names = [data.name for data in _sets(options)]
    if not names:
        console.print(f"No labelled data: {labelled.DATA} is not there. Give --left and --truth.")
        return 0
    for name in names:
        console.print(_table(name, [_run(options, tool, name) for tool in options.tools]))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--sets", nargs="*", default=[], help="only these of the shared sets")
    parser.add_argument("--tools", nargs="*", default=list(TOOLS), choices=TOOLS)
    parser.add_argument("--left", type=Path, help="a CSV file of your own")
    parser.add_argument("--right", type=Path, help="its other side; none: doubles inside --left")
    parser.add_argument("--truth", type=Path, help="CSV of true pairs: two columns of ids")
    parser.add_argument("--entity", help="the column that says which rows are one")
    parser.add_argument("--columns", default="", help="role=column,...; see benchmarks/labelled.py")
    parser.add_argument("--id", help="the column of ids that --truth speaks of")
    parser.add_argument("--kind", choices=("organization", "person", "contact"))
    parser.add_argument("--many", action="store_true", help="a side may hold one entity twice")
    parser.add_argument("--country", help="two letters, for phone numbers without one")
    parser.add_argument("--size", type=int, help="made-up contacts a side, then twice as many")
    parser.add_argument("--worker", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--set", help=argparse.SUPPRESS)
    return parser


def _sets(options: argparse.Namespace) -> list[Labelled]:
    if options.left:
        given = dict(part.split("=", 1) for part in options.columns.split(",") if part)
        return [
            labelled.from_files(
                options.left, options.right, truth=options.truth, entity=options.entity,
                columns=given, id_column=options.id, many=options.many,
            )
        ]  # fmt: skip
    return [d for d in labelled.shared() if not options.sets or d.name in options.sets]


# --- one tool on one set, in a process of its own -------------------------------------------------


def worker(options: argparse.Namespace) -> Row:
    """Runs one tool and judges its pairs."""
    if options.size:
        left, right, truth = crm_ledger.made_up(options.size)
        began, cpu = time.perf_counter(), time.process_time()
        certain, near = match_ours.sides(left, right)
        row = {"seconds": time.perf_counter() - began, "mb": _peak_mb()}
        row["cpu"] = time.process_time() - cpu
        found = {**near, **certain}
        return {**row, **judged(found, set(certain), truth, found), "rows": len(left)}
    data = next(d for d in _sets(options) if d.name == options.set)
    began = time.perf_counter()
    if options.worker == "ours":
        certain, near = match_ours.on(data, kind=options.kind, country=options.country)
        row = {"seconds": time.perf_counter() - began, "mb": _peak_mb()}
        ranked: Pairs = {}
        for band in match_ours.on(
            data, kind=options.kind, country=options.country, near=match_ours.EVERYTHING
        ):
            ranked.update(band)
        return {**row, **judged({**near, **certain}, set(certain), data.truth, ranked)}
    scores = RIVALS[options.worker](data)
    row = {"seconds": time.perf_counter() - began, "mb": _peak_mb()}
    return {**row, **judged(scores, None, data.truth, scores)}


def judged(scores: Pairs, sure: set[tuple[str, str]] | None, truth: set[Any], ranked: Pairs) -> Row:
    """Precision and recall of the bands (`sure` is the certain one, None for a tool without), and
    the best that hindsight finds by the scores of `ranked`."""
    best, at_precision = _hindsight(ranked, truth)
    row: Row = {"best": best, "hindsight": at_precision, "pairs": len(truth)}
    if sure is None:
        return {**row, "auto": None, "asked": None, "near": None}
    return {
        **row, "auto": _rates(len(sure & truth), len(sure), len(truth)),
        "near": len(scores) - len(sure),
        "asked": _rates(len(scores.keys() & truth), len(scores), len(truth)),
    }  # fmt: skip


def _rates(hits: int, found: int, true: int) -> tuple[float, float, float]:
    """(precision, recall, F1)."""
    precision, recall = hits / max(found, 1), hits / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _hindsight(scores: Pairs, truth: set[Any]) -> tuple[Any, Any]:
    """The rates at the threshold of the best F1, and at the lowest of 99.5% precision."""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    best, sure, hits = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0
    for place, (pair, score) in enumerate(ranked, 1):
        hits += pair in truth
        if place < len(ranked) and ranked[place][1] == score:
            continue
        rates = _rates(hits, place, len(truth))
        best = max(best, rates, key=lambda r: r[2])
        if rates[0] >= PRECISION:
            sure = max(sure, rates, key=lambda r: r[1])
    return best, sure


def _peak_mb() -> float:
    """This process's largest resident size; ru_maxrss counts KiB on Linux, bytes on macOS."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _run(options: argparse.Namespace, tool: str, name: str) -> Row:
    """One tool's row; a reason instead, where it cannot run."""
    if tool != "ours" and importlib.util.find_spec(tool) is None:
        return {"tool": tool, "reason": "not installed: pip install -e '.[bench]'"}
    command = [sys.executable, "-m", "benchmarks.matching", *sys.argv[1:]]
    command += ["--worker", tool, "--set", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return {"tool": tool, "reason": f"not done after {LONGEST_S} s"}
    if done.returncode:
        return {"tool": tool, "reason": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    return {"tool": tool, **json.loads(done.stdout.strip().splitlines()[-1])}


# --- showing --------------------------------------------------------------------------------------


def _table(name: str, rows: list[Row]) -> Table:
    true = next((row["pairs"] for row in rows if "pairs" in row), 0)
    table = Table(title=f"{name}: {true:,} true pairs", title_justify="left", box=SIMPLE)
    for head in (
        "", "committed P / R", "at 99.5% P / R", "asked too P / R / F1", "near", "best P / R / F1",
        "s", "MB",
    ):  # fmt: skip
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for row in rows:
        if "reason" in row:
            continue
        near = "" if row["near"] is None else f"{row['near']:,}"
        table.add_row(
            row["tool"], _joined((row["auto"] or ())[:2]), _joined(row["hindsight"][:2]),
            _joined(row["asked"] or ()), near, _joined(row["best"]),
            f"{row['seconds']:.1f}", f"{row['mb']:.0f}",
        )  # fmt: skip
    left_out = [f"{row['tool']}: {row['reason']}" for row in rows if "reason" in row]
    table.caption = escape("\n".join(left_out)) or None
    return table


def _joined(rates: Sequence[float]) -> str:
    return " / ".join(f"{rate:.4f}" for rate in rates)


def _sizes(options: argparse.Namespace) -> Table:
    """Ours on made-up contacts of both sizes; one process, so that the CPU's time is the time on
    an idle machine."""
    table = Table(title="Made-up CRM and ledger", title_justify="left", box=SIMPLE)
    for head in (
        "a side",
        "s",
        "CPU s",
        "MB",
        "auto P",
        "auto R",
        "near",
        "linked or asked",
        "times the CPU",
    ):
        table.add_column(head, justify="right")
    before = 0.0
    for size in (options.size, 2 * options.size):
        command = [sys.executable, "-m", "benchmarks.matching", "--worker", "ours"]
        done = subprocess.run(
            [*command, "--size", str(size)], capture_output=True, text=True, check=True
        )
        row = json.loads(done.stdout)
        table.add_row(
            f"{row['rows']:,}", f"{row['seconds']:.1f}", f"{row['cpu']:.1f}", f"{row['mb']:.0f}",
            f"{row['auto'][0]:.4f}", f"{row['auto'][1]:.4f}", f"{row['near']:,}",
            f"{row['asked'][1]:.4f}", f"{row['cpu'] / before:.2f}" if before else "",
        )  # fmt: skip
        before = row["cpu"]
    return table


if __name__ == "__main__":
    sys.exit(main())
