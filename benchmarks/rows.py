"""Each row of the tables: one stage, one task, what it cost against what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import bigstate, business, fewest, startup
from benchmarks.fewest import Fewest, Load
from benchmarks.server import Plan
from benchmarks.stage import Stage, ready, won_on
from syncjob.sandbox.crms import CrmName

Row = dict[str, Any]
CRMS: tuple[CrmName, ...] = ("pipedrive", "hubspot")
#: Longer than the lookback of every stream: what was written before is not read again.
PAST_LOOKBACK = timedelta(minutes=20)
#: Then the hourly look at what was put away falls into the batch that is not counted.
PUT_AWAY_DUE = timedelta(minutes=35)
#: A call's time on its way, for the rows of wall time.
DISTANCE_S = 0.1
CUSTOMERS_PER, LINES_PER = 10, 2.6
FAR: tuple[tuple[CrmName, Plan], ...] = (
    ("pipedrive", "lite"), ("pipedrive", "premium"), ("hubspot", "ultimate"),
)  # fmt: skip


class Sizes(NamedTuple):
    """How much is played: deals of the loads (`large` 0: not at all), snapshots of the states,
    whether calls are given a distance, runs of each start, days of the week of waiting."""

    small: int = 1_000
    large: int = 10_000
    memory: tuple[int, ...] = (1_000, 10_000, 100_000)
    states: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    far: bool = True
    starts: int = startup.RUNS
    days: int = 7


QUICK = Sizes(small=200, large=0, memory=(200, 1_000), states=(2_000, 20_000), starts=3, days=1)
#: For a test: everything once, as small as it can be.
TINY = Sizes(small=12, large=0, memory=(12,), states=(30,), far=False, starts=1, days=0)


def size_of(deals: int) -> Load:
    """The made-up business of that size: some 26 deals in ten have more than one line."""
    return Load(deals, max(1, deals // CUSTOMERS_PER), round(deals * LINES_PER))


def made_up(folder: Path, load: Load) -> Path:
    """Its CSV files."""
    return business.write_csv(
        folder / f"csv-{load.deals}-{load.customers}", won=won_on(), deals=load.deals,
        customers=load.customers, lines=load.lines,
    )  # fmt: skip


# --- calls, CPU ---------------------------------------------------------------------------------


def loads(folder: Path, crm: CrmName, deals: int, *, script: bool) -> tuple[list[Row], Row]:
    """A first load and the batches after it: the rows of calls, and what the load cost against the
    bare loop, and against the script."""
    load, where = size_of(deals), folder / f"{crm}-{deals}"
    csv = made_up(folder, load)
    with ready(where / "ours", csv, crm) as stage:
        ours = stage.work("run")
        rows = [_calls("first load", crm, load, ours, fewest.first_load(crm, load))]
        rows += _after(stage, crm, load)
    with ready(where / "bare", csv, crm) as stage:
        cost: Row = {"crm": crm, "deals": deals, "ours": ours, "bare": stage.work("bare")}
    if script:
        with ready(where / "script", csv, crm) as stage:
            cost["script"], cost["poll"] = stage.work("script"), stage.work("poll")
    return rows, cost


def _after(stage: Stage, crm: CrmName, load: Load) -> Iterator[Row]:
    """The batches after a first load, each after the lookback of the one before."""

    def row(name: str, least: Fewest) -> Row:
        return _calls(name, crm, load, stage.work("run"), least)

    stage.advance(PAST_LOOKBACK)
    yield row("the batch after it", fewest.after_load(crm, load))
    stage.advance(PAST_LOOKBACK / 2)
    share = [i["id"] for i in stage.invoices()[: max(1, load.deals // 100)]]
    for invoice in share:
        fields = {"Status": "AUTHORISED", "DueDate": stage.day_of_books().isoformat()}
        stage.books("edit_invoice", invoice=invoice, fields=fields)
    yield row("1% changed", fewest.changed(crm, len(share)))
    stage.advance(PUT_AWAY_DUE)
    stage.work("run")
    stage.advance(PAST_LOOKBACK / 2)
    yield row("nothing changed", fewest.polled(crm))
    stage.past_midnight()
    yield row("overdue day, 1% due", fewest.overdue_day(crm, len(share)))


def over_days(folder: Path, deals: int) -> Row:
    """A first load on Pipedrive Lite's budget of one seat, which lasts for days."""
    load, days = size_of(deals), fewest.lite_days(size_of(deals))
    csv = made_up(folder, load)
    where = folder / f"days-{deals}"
    with ready(where, csv, "pipedrive", plan="lite", limits=True) as stage:
        ours = stage.work("run")
    name = f"first load on Lite's budget, {days} days"
    return _calls(name, "pipedrive", load, ours, fewest.over_days(load, days))


def _calls(name: str, crm: CrmName, load: Load, measured: Row, least: Fewest) -> Row:
    made = measured["calls"]
    possible = {"xero": least.xero, crm: least.crm}
    return {
        "row": name, "crm": crm, "deals": load.deals, "made": made, "fewest": possible,
        "for_safety": least.ours, "refused": measured["refused"], "counts": measured["counts"],
        "ratio": sum(made.values()) / sum(possible.values()),
        "by_vendor": {vendor: made[vendor] / possible[vendor] for vendor in made},
    }  # fmt: skip


# --- at a distance ------------------------------------------------------------------------------


def far(folder: Path, crm: CrmName, plan: Plan, scripted: Row) -> Row:
    """The wall time of a first load where each call is a tenth of a second on its way and the
    vendors' limits hold. The script sends one call after the other, so that its time is what it
    took without a distance and that of its calls; no limit is held against it."""
    deals = scripted["deals"]
    csv, where = made_up(folder, size_of(deals)), folder / f"far-{crm}-{plan}"
    with ready(
        where, csv, crm, plan=plan, limits=True, real=True, latency_s=DISTANCE_S
    ) as stage:  # fmt: skip
        ours = stage.work("run", "real")
    script = scripted["script"]
    script_s = script["wall_s"] + DISTANCE_S * sum(script["calls"].values())
    return {
        "crm": crm, "plan": plan if crm == "pipedrive" else "professional", "deals": deals,
        "wall_s": ours["wall_s"], "script_s": script_s, "ratio": script_s / ours["wall_s"],
        "refused": ours["refused"],
    }  # fmt: skip


# --- a big state, memory, start-up ----------------------------------------------------------------


def states(folder: Path, deals: int, sizes: tuple[int, ...]) -> list[Row]:
    """A batch on a state that has grown to each of these numbers of snapshots. The report page is
    off: it counts all money anew, for a thousandth of the time at most (engine/page.py)."""
    with ready(folder / "state", made_up(folder, size_of(deals)), page=False) as stage:
        stage.work("run")
        return bigstate.rows(stage, sizes)


def memory(folder: Path, deals: int) -> Row:
    """The most memory of a process that loads so many deals, of one line each, of as many
    organizations and persons. HubSpot, whose batches keep the hundred thousand in minutes."""
    load = Load(deals, max(1, deals // 2), deals)
    csv, where = made_up(folder, load), folder / f"memory-{deals}"
    with ready(where, csv, "hubspot") as stage:
        done = stage.work("run")
        state = sum(f.stat().st_size for f in (where / "state").glob("syncjob.db*"))
    each = 1_000 / deals
    return {
        "deals": deals, "contacts": 2 * load.customers, "peak_mb": done["peak_mb"],
        "state_mb": state / 2**20, "batches": done["batches"], "cpu_s": done["cpu_s"] * each,
        "wall_s": done["wall_s"] * each,
    }  # fmt: skip


def starts(folder: Path, runs: int) -> list[Row]:
    """Process start to exit, on a quiet state of a few deals."""
    with ready(folder / "start", made_up(folder, size_of(20))) as stage:
        stage.work("run")
        stage.advance(PAST_LOOKBACK)
        stage.work("run")
        startup.settle(stage)
        return [start._asdict() for start in startup.rows(stage, runs)]


def profiled(folder: Path, crm: CrmName, deals: int) -> str:
    """The profile of a first load."""
    with ready(folder / "profile", made_up(folder, size_of(deals)), crm) as stage:
        return str(stage.work("profile")["profile"])
