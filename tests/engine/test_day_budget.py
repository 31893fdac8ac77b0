"""A day within its calls, in process: no 429, the headroom untouched, urgent things first.

The firm and its servers are those of the benchmark of waits (benchmarks/latency), for a day.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.latency import Week, memory, waits
from syncjob.engine.purses import budgets

DAY = timedelta(hours=24)
#: After midnight the set-up of the evening before is over.
SETUP = timedelta(hours=8)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the machine allows it: a day has hundreds of commits."""
    with tempfile.TemporaryDirectory(dir=memory()) as name:
        yield Path(name)


def lived(folder: Path, day_limit: int, minutes: int, deals: int, **schedule: object) -> Week:
    """A Monday of this firm from the evening before."""
    week = Week(folder, day_limit, minutes, more={"schedule": schedule})
    week.plan_days(1, deals)
    week.live(week.clock.now() + SETUP + DAY)
    return week


def test_a_day_with_enough_calls_leaves_nothing_out(folder: Path) -> None:
    week = lived(folder, 1000, 30, 20)
    assert len(week.drafted) == 20 and waits(week.won, week.drafted)["longest"] <= 31
    assert week.refused == 0 and week.left_min >= 100
    assert not any(report.left_out for report in week.reports)


def test_a_day_with_too_few_calls_makes_what_can_wait_wait(folder: Path) -> None:
    """300 calls a day, and polls of two lists each quarter of an hour with 40 wins in between:
    the customers' list is read for drafts alone, and drafts and payments hardly wait."""
    week = lived(folder, 300, 15, 40, reconcile=False)
    assert week.refused == 0
    assert week.left_min >= 30  # the headroom is whole
    assert len(week.drafted) == 40 and waits(week.won, week.drafted)["most"] <= 31
    said = {what for report in week.reports for what in report.left_out}
    assert "contacts (xero)" in said
    assert "drafts and statuses (xero)" not in said
    assert all(report.exit_code in (0, 1) for report in week.reports)


def test_an_interval_far_too_short_is_stretched_and_the_day_is_not_used_up_early(
    folder: Path,
) -> None:
    """160 calls a day, a batch each quarter of an hour: 96 polls, 48 looks at whose books a new
    token opens, and the calls of six drafts."""
    week = lived(folder, 160, 15, 6, reconcile=False)
    assert (week.refused, week.left_min >= 16) == (0, True)
    stopped = [r.stopped_by for r in week.reports if r.result not in ("done", "issues")]
    assert stopped == []
    said = {what for report in week.reports for what in report.left_out}
    assert {"payments and won deals (xero)", "contacts (xero)"} <= said
    assert len(week.drafted) == 6 and waits(week.won, week.drafted)["most"] <= 31


def test_what_the_state_knows_of_the_day_is_what_the_vendor_says(folder: Path) -> None:
    from syncjob.state.database import State

    week = lived(folder, 1000, 30, 5)
    state = State(week.config.resolve(week.config.connection.state))
    try:
        xero, crm = budgets(week.config, state, week.clock.now())
    finally:
        state.close()
    org = next(iter(week.xero.organisations))
    told = week.xero.limiter._remaining("sandbox-custom", org)["X-DayLimit-Remaining"]
    assert xero.used == 1000 - int(told)
    # Of our own count an hour counts whole if the day began in it.
    assert int(told) - 100 - 6 <= xero.left <= int(told) - 100
    assert xero.reset_seen and xero.polls == 48
    assert crm.counts == "tokens" and crm.cap == 15_000
    assert crm.left == 15_000 - crm.used and 0 < crm.used <= week.crm.dump()["limits"]["day_budget"]


def test_outside_the_hours_no_batch_runs(folder: Path) -> None:
    hours = {"days": ["mon", "tue", "wed", "thu", "fri"], "outside_minutes": 0}
    week = lived(folder, 1000, 30, 5, office_hours=hours)
    inside = [r for r in week.reports if r.result != "outside_hours"]
    assert len(inside) == 10 * 2
    assert len(week.drafted) == 5
    assert max(r.started for r in inside) - min(r.started for r in inside) < timedelta(hours=10)


class Watched(Week):
    """A week in which, after each batch, no deal may speak of a draft that is not there."""

    def batch(self) -> None:
        super().batch()
        dump = self.crm.dump()
        fields = dump["fields"]["deals"]
        for key, row in dump["deals"].items():
            for code, value in (row.get("custom_fields") or {}).items():
                if fields[code]["field_name"] == "Invoice number" and value:
                    assert int(key) in self.drafted, f"deal {key} speaks of {value}"


def test_no_deal_is_told_of_a_draft_that_waits(folder: Path) -> None:
    """100 calls are not enough for this day: the last wins have no draft before the next one."""
    week = Watched(folder, 100, 30, more={"schedule": {"reconcile": False}})
    week.plan_days(1, 25)
    week.live(week.clock.now() + SETUP + DAY)
    assert week.refused == 0
    assert 0 < len(week.drafted) < 25
    week.minutes = 120
    week.live(week.clock.now() + DAY)
    assert len(week.drafted) == 25, "the next day has calls again"
