"""The tables of one run, in words: the same for the terminal and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.targets import Target, targets

Results = dict[str, Any]
_MET = {True: "met", False: "NOT MET", None: "not measured"}


class Shown(NamedTuple):
    """A table; its first column is of words, the others of figures."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(results: Results) -> Iterator[Shown]:
    """All that there is something to show of, the targets last."""
    made = (_calls, _cost, _far, _memory, _state, _starts, _latency)
    yield from (table for make in made for table in (make(results),) if table.rows)
    yield Shown(
        "What it must show", ("", "asked", "measured", ""), list(map(_target, targets(results)))
    )


def markdown(results: Results) -> str:
    """The tables as a page shows them."""
    parts = []
    for title, heads, rows in tables(results):
        line = "| --- " + "| ---: " * (len(heads) - 1) + "|"
        cells = [f"| {' | '.join(row)} |" for row in (heads, *rows)]
        parts.append("\n".join([f"**{title}**", "", cells[0], line, *cells[1:]]))
    return "\n\n".join(parts)


def _calls(results: Results) -> Shown:
    rows = []
    for r in results["calls"]:
        pairs = tuple(f"{made:,} / {r['fewest'][vendor]:,}" for vendor, made in r["made"].items())
        name = f"{r['row']}, {r['crm']}, {r['deals']:,} deals"
        rows.append((name, *pairs, f"{r['for_safety']}", f"{r['ratio']:.2f}", f"{r['refused']}"))
    heads = ("", "Xero", "CRM", "of them for safety", "ratio", "429s")
    return Shown("Calls: made / fewest possible", heads, rows)


def _cost(results: Results) -> Shown:
    rows = []
    for r in results["cost"]:
        each = 1_000 / r["deals"]
        for what in ("cpu_s", "wall_s"):
            ours, bare = r["ours"][what], r["bare"][what]
            name = f"{what.removesuffix('_s')}, {r['crm']}, {r['deals']:,} deals"
            script = r["script"][what] if "script" in r else None
            rows.append((
                name, f"{ours * each:.2f}", f"{bare * each:.2f}", f"{ours / bare:.2f}",
                f"{script * each:.2f}" if script else "", f"{ours / script:.2f}" if script else "",
            ))  # fmt: skip
    heads = ("", "s", "bare loop", "ratio", "script", "ratio")
    return Shown("A first load, seconds per 1,000 deals", heads, rows)


def _far(results: Results) -> Shown:
    rows = [
        (f"{r['crm']} {r['plan']}, {r['deals']:,} deals", f"{r['wall_s']:.1f}",
         f"{r['script_s']:.1f}", f"{r['ratio']:.1f}", f"{r['refused']}")
        for r in results["far"]
    ]  # fmt: skip
    heads = ("", "wall s", "script", "times less", "429s")
    return Shown("A first load at 100 ms a call, within the vendors' limits", heads, rows)


def _memory(results: Results) -> Shown:
    rows = [
        (f"{r['deals']:,} deals, {r['contacts']:,} contacts", f"{r['peak_mb']:.0f}",
         f"{r['state_mb']:.0f}", f"{r['cpu_s']:.2f}", f"{r['wall_s']:.2f}")
        for r in results["memory"]
    ]  # fmt: skip
    heads = ("", "peak MB", "state MB", "CPU s per 1,000", "wall s per 1,000")
    return Shown("Memory: a first load of one line a deal, HubSpot", heads, rows)


def _state(results: Results) -> Shown:
    rows = [
        (f"{r['snapshots']:,} snapshots", f"{r['nothing_s'] * 1000:.1f}",
         f"{r['changed_s'] * 1000:.1f}", f"{r['file_mb']:.0f}")
        for r in results["state"]
    ]  # fmt: skip
    heads = ("", "nothing changed, CPU ms", "100 changed, CPU ms", "file MB")
    return Shown("A whole batch on a state of that size", heads, rows)


def _starts(results: Results) -> Shown:
    rows = [
        (r["name"], f"{r['seconds']:.2f}", r["against"], f"{r['floor_seconds']:.2f}",
         f"+{r['seconds'] - r['floor_seconds']:.2f}")
        for r in results["start"]
    ]  # fmt: skip
    return Shown("Start-up, s (median)", ("", "s", "against", "s", "more"), rows)


def _latency(results: Results) -> Shown:
    rows = []
    for r in results["latency"]:
        waits = tuple(
            f"{r[what][part]:.1f}"
            for what in ("draft", "payment")
            for part in ("half", "most", "longest")
        )
        name = f"{r['tier']:,} calls a day, {r['deals']:,} deals, {r['payments']:,} payments"
        rows.append((name, *waits, f"{r['busiest_day']:,}", f"{r['refused']}"))
    heads = (
        "", "draft 50%", "95%", "longest", "payment 50%", "95%", "longest", "calls, busiest day",
        "429s",
    )  # fmt: skip
    return Shown("A simulated week with bursts at noon: minutes waited", heads, rows)


def _target(target: Target) -> tuple[str, ...]:
    return target.name, target.asked, target.measured, _MET[target.met]
