"""A year in four time zones, day by day: who was told of what, and what deals say."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from syncjob.core import telling
from tests.notices.days import STANDARD, day_of
from tests.notices.firm import Firm, Wishes
from tests.notices.year import DAYS, REGIONS, play
from tests.sim.watch import Violation

#: Whole years to play in each zone (`make year` plays more); without them each zone has a season
#: in which its clocks change.
YEARS = int(os.environ.get("SYNCJOB_YEARS", "0"))
#: The day after 23 November on which a zone's season begins, and its length.
SEASONS = {"US": 85, "AU": 105, "NZ": 275, "UK": 300}
SEASON_DAYS = 62


def _drawn() -> int:
    """A number from the commit's hash: each commit plays other years, and always the same."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return int(found.stdout[:6] or "0", 16) if found.returncode == 0 else 0


@pytest.mark.parametrize("region", REGIONS)
def test_a_season_in_which_the_clocks_change(region: str) -> None:
    _play(_drawn(), region, SEASONS[region], SEASON_DAYS)


@pytest.mark.skipif(not YEARS, reason="SYNCJOB_YEARS is not set (make year)")
@pytest.mark.parametrize("region", REGIONS)
def test_whole_years(region: str) -> None:
    for seed in range(_drawn(), _drawn() + YEARS):
        _play(seed, region, 0, DAYS)


def test_a_year_plays_the_same_history_each_time() -> None:
    assert play(3, region="UK", days=12).firm.story == play(3, region="UK", days=12).firm.story


def test_a_memory_that_fails_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A harness that catches no planted bug proves nothing."""
    true_step = telling.due_step
    monkeypatch.setattr(
        telling, "due_step", lambda days, due, today, policy, told, began: true_step(
            days, due, today, policy, (), began)
    )  # fmt: skip
    with pytest.raises(Violation, match="in_vain"):
        play(3, region="AU", days=60)


@pytest.mark.parametrize("region", REGIONS)
def test_the_day_by_hand_is_the_organisations(region: str) -> None:
    assert region in STANDARD
    with Firm(Wishes(region=region)) as firm:
        for _ in range(365 * 4):
            firm.time.advance(6 * 3600 + 61)
            assert day_of(region, firm.now()) == firm.xero.organisation.today()


def _play(seed: int, region: str, first: int, days: int) -> None:
    try:
        play(seed, region=region, first=first, days=days)
    except Exception as error:
        replay = f"python -m tests.notices {seed} --region {region} --first {first} --days {days}"
        error.add_note(f"replay: {replay} --trace")
        raise
