"""The page for operators says what the program does: its table of intervals by arithmetic."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from syncjob.config.models import Schedule
from syncjob.core.budget import LEAVES_PERCENT, Work
from syncjob.core.hours import Pace
from syncjob.core.policy_times import OfficeHours

PAGE = (Path(__file__).parent.parent / "docs/operating.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) min \| (.+) \|$", PAGE, re.MULTILINE)
#: Two lists at Xero; a custom connection's token lasts half an hour (facts: xero, 2).
LISTS, TOKENS_A_DAY = 2, 48
HEADROOM_PERCENT = 10
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def polls(minutes: int, hours: OfficeHours) -> int:
    pace = Pace(every=timedelta(minutes=minutes), hours=hours, zone=ZoneInfo("UTC"))
    return round(pace.polls(MONDAY, MONDAY + timedelta(days=1)))


def calls(batches: int) -> int:
    return batches * LISTS + min(TOKENS_A_DAY, batches)


def left(limit: int, used: int) -> str:
    rest = limit * (100 - HEADROOM_PERCENT) // 100 - used
    return f"{rest:,}" if rest > 0 else "too many"


def office() -> OfficeHours:
    """The hours of the page's own example."""
    (example,) = re.findall(r"^    schedule:\n(?:      .*\n)+", PAGE, re.MULTILINE)
    schedule = Schedule.model_validate(yaml.safe_load(example)["schedule"])
    assert schedule.every_minutes == 5
    return schedule.office_hours


@pytest.mark.parametrize(("minutes", "cells"), ROWS)
def test_the_table_of_intervals_is_right(minutes: str, cells: str) -> None:
    always, within = polls(int(minutes), OfficeHours()), polls(int(minutes), office())
    used, used_within = calls(always), calls(within)
    assert cells.split(" | ") == [
        f"{always:,}", f"{used:,}", left(5_000, used), left(1_000, used),
        f"{within:,}", f"{used_within:,}", left(1_000, used_within),
    ]  # fmt: skip


def test_the_table_has_the_default_interval() -> None:
    assert str(Schedule().every_minutes) in dict(ROWS)
    assert len(ROWS) >= 5


def test_the_order_on_the_page_is_the_programs() -> None:
    listed = re.findall(r"^(\d)\. (.+)$", PAGE.split("### When calls run low")[1], re.MULTILINE)
    assert [int(number) for number, _ in listed] == [work.value for work in Work]
    for word, (_, text) in zip(
        ("open writes", "payments", "drafts", "contacts", "archived", "timelines", "reconciling"),
        listed, strict=True,
    ):  # fmt: skip
        assert word in text
    assert sorted(LEAVES_PERCENT) == list(LEAVES_PERCENT)
