"""`python -m benchmarks`: every row once, as tables on the terminal and in benchmarks/results.json.

The sandbox's servers and each task run in processes of their own. Only ratios mean anything on
another machine. `--profile` prints the profile of the first load instead.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import business, fewest, startup
from benchmarks.stage import PATIENCE, Stage, staged, won_on

RESULTS = Path(__file__).with_name("results.json")
#: Longer than the lookback of every stream: what was written before is not read again.
PAST_LOOKBACK = timedelta(minutes=20)
#: Then the hourly look at archived deals falls into the batch that is not counted.
ARCHIVED_DUE = timedelta(minutes=35)
MEMORY_SIZES = (1_000, 10_000)

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--profile", action="store_true", help="profile the first load instead")
    parser.add_argument("--quick", action="store_true", help="without the 10,000 deals")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="syncjob-bench-") as name:
        folder = Path(name)
        if options.profile:
            print(profiled(folder))
            return 0
        show(measure(folder, quick=options.quick))
    return 0


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """All rows."""
    began = time.monotonic()
    calls, loads, starts = [], [], []
    for name, csv, deals, customers in _firms(folder):
        with _ready(folder / name / "ours", csv) as stage:
            ours = stage.counted("run")
            calls.append(_calls(f"first load, {name}", ours, fewest.first_load(deals, customers)))
            if name == "made-up":
                calls += list(_after(stage, deals, customers))
                startup.settle(stage)
                starts = [start._asdict() for start in startup.rows(stage)]
        with _ready(folder / name / "bare", csv) as stage:
            loads.append(_load(name, deals, ours, stage.work("bare")))
    memory = [_memory(folder, deals) for deals in MEMORY_SIZES[: 1 if quick else None]]
    return {
        "machine": f"Python {platform.python_version()}, {platform.machine()}",
        "seconds": round(time.monotonic() - began), "calls": calls, "load": loads,
        "memory": memory, "start": starts,
    }  # fmt: skip


def _firms(folder: Path) -> Iterator[tuple[str, Path, int, int]]:
    """(name, CSV files, deals, customers)."""
    deals, customers = business.DEALS, business.CUSTOMERS
    csv = business.write_csv(
        folder / "csv", won=won_on(), deals=deals, customers=customers, lines=business.LINES
    )
    yield "made-up", csv, deals, customers
    try:
        from tests.engine import northwind
    except ImportError:
        return
    if northwind.DATA.is_dir():
        yield "Northwind", northwind.write_csv(folder / "nw", won=won_on()), 830, 89


@contextlib.contextmanager
def _ready(folder: Path, csv: Path) -> Iterator[Stage]:
    """A stage whose new state has waited long enough to create invoices."""
    with staged(folder, csv) as stage:
        stage.work("init")
        stage.advance(PATIENCE)
        yield stage


# --- rows ---------------------------------------------------------------------------------------


def _after(stage: Stage, deals: int, customers: int) -> Iterator[Row]:
    """The batches after a first load, each after the lookback of the one before."""
    stage.advance(PAST_LOOKBACK)
    yield _calls("the batch after it", stage.counted("run"), fewest.after_load(deals, customers))
    stage.advance(PAST_LOOKBACK / 2)
    share = stage.invoices()[: deals // 100]
    for invoice in share:
        stage.books("approve", invoice=invoice["id"])
    yield _calls("1% changed", stage.counted("run"), fewest.changed(len(share)))
    stage.advance(ARCHIVED_DUE)
    stage.work("run")
    stage.advance(PAST_LOOKBACK / 2)
    yield _calls("nothing changed", stage.counted("run"), fewest.nothing())


def _calls(name: str, measured: Row, least: fewest.Fewest) -> Row:
    made, possible = measured["calls"], least._asdict()
    return {
        "row": name, "made": made, "fewest": possible,
        "ratio": sum(made.values()) / sum(possible.values()),
        "by_vendor": {vendor: made[vendor] / possible[vendor] for vendor in made},
        "counts": measured["counts"],
    }  # fmt: skip


def _load(name: str, deals: int, ours: Row, bare: Row) -> Row:
    each = 1_000 / deals
    return {
        "row": name, "deals": deals,
        "cpu_s": ours["cpu_s"] * each, "bare_cpu_s": bare["cpu_s"] * each,
        "wall_s": ours["wall_s"] * each, "bare_wall_s": bare["wall_s"] * each,
        "cpu_ratio": ours["cpu_s"] / bare["cpu_s"], "wall_ratio": ours["wall_s"] / bare["wall_s"],
    }  # fmt: skip


def _memory(folder: Path, deals: int) -> Row:
    """A first load of one line a deal; a customer has ten deals."""
    csv = business.write_csv(
        folder / f"csv-{deals}", won=won_on(), deals=deals, customers=deals // 10, lines=deals
    )
    with _ready(folder / f"memory-{deals}", csv) as stage:
        done = stage.work("run")
    return {
        "deals": deals, "peak_mb": done["peak_mb"], "batches": done["batches"],
        "cpu_s": done["cpu_s"] * 1_000 / deals, "wall_s": done["wall_s"] * 1_000 / deals,
    }  # fmt: skip


def profiled(folder: Path) -> str:
    """The profile of the made-up first load."""
    _, csv, _, _ = next(_firms(folder))
    with _ready(folder / "profile", csv) as stage:
        return str(stage.work("profile")["profile"])


# --- showing ------------------------------------------------------------------------------------


def show(results: dict[str, Any]) -> None:
    """Tables on the terminal, the same as JSON in a file."""
    console = Console(width=110)
    rows: list[tuple[str, ...]] = [
        (r["row"], *(f"{r['made'][v]} / {r['fewest'][v]}" for v in r["made"]), f"{r['ratio']:.2f}")
        for r in results["calls"]
    ]
    _table(console, "Calls: made / fewest possible", ("", "Xero", "Pipedrive", "ratio"), rows)
    rows = [
        (r["row"], *(f"{r[k]:.2f}" for k in ("cpu_s", "bare_cpu_s", "cpu_ratio",
                                             "wall_s", "bare_wall_s", "wall_ratio")))
        for r in results["load"]
    ]  # fmt: skip
    heads: tuple[str, ...] = ("", "CPU s", "bare loop", "ratio", "wall s", "bare loop", "ratio")
    _table(console, "A first load, per 1,000 deals", heads, rows)
    rows = [
        (f"{r['deals']:,}", f"{r['peak_mb']:.0f}", f"{r['cpu_s']:.2f}", f"{r['wall_s']:.2f}")
        for r in results["memory"]
    ]
    heads = ("deals", "peak MB", "CPU s per 1,000", "wall s per 1,000")
    _table(console, "Memory: a first load of one line a deal", heads, rows)
    rows = [
        (r["name"], f"{r['seconds']:.2f}", r["against"], f"{r['floor_seconds']:.2f}",
         f"+{r['seconds'] - r['floor_seconds']:.2f}")
        for r in results["start"]
    ]  # fmt: skip
    _table(console, "Start-up, s", ("", "median", "against", "median", "more"), rows)
    console.print(f"{results['machine']}; {results['seconds']} s in all.")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _table(console: Console, title: str, heads: tuple[str, ...], rows: list[Any]) -> None:
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
