"""A vendor's day: our cap holds at whatever hour it begins, and its beginning is learned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from syncjob.errors import Throttled
from syncjob.state.vault import Vault
from syncjob.transport.limits import Allowance, LimitRules, Limits, Window
from syncjob.transport.wire import Answer

from .kit import START, FakeClock

DAY = Window(name="day", seconds=86400, allowed=1000, remaining_header="x-daylimit-remaining")
TOKENS = Window(name="tokens", seconds=86400, allowed=1000, counts="cost")
HOUR = timedelta(hours=1)


class Vendor:
    """A vendor with days of 24 hours from an hour of its own, which it tells nobody."""

    def __init__(self, clock: FakeClock, *, begins: int, allowed: int = 1000) -> None:
        self.clock, self.begins, self.allowed = clock, timedelta(hours=begins), allowed
        self.used: dict[int, int] = {}

    def answer(self, cost: int = 1) -> Answer:
        since = self.clock.now() - self.begins - datetime(2026, 1, 1, tzinfo=UTC)
        day = since // timedelta(days=1)
        self.used[day] = self.used.get(day, 0) + cost
        left = str(self.allowed - self.used[day])
        return Answer(status=200, headers={"x-daylimit-remaining": left}, body=b"")


def gate(clock: FakeClock, path: Path, *windows: Window) -> Limits:
    rules = LimitRules(windows=windows)
    return Limits(rules, clock=clock, key="k", store=Vault(path / "vault.db"))


def day_of(limits: Limits) -> Allowance:
    (found,) = limits.allowances()
    return found


@pytest.mark.parametrize("begins", [0, 5, 11, 17, 23])
def test_without_a_header_no_day_of_the_vendor_ever_sees_more_than_our_cap(
    tmp_path: Path, begins: int
) -> None:
    """Five days of greedy processes: whatever fits is used, the rest is tried in the next hour."""
    clock, chance = FakeClock(), Random(begins)
    vendor, refused = Vendor(clock, begins=begins), 0
    for _ in range(5 * 24):
        limits = gate(clock, tmp_path, TOKENS)
        for _ in range(chance.randrange(40)):
            cost = chance.choice((1, 5, 10, 20))
            try:
                limits.before(cost)
            except Throttled as full:
                refused += 1
                assert full.resume_at is not None
                assert clock.now() < full.resume_at <= clock.now() + timedelta(days=1)
                break
            vendor.answer(cost)
            limits.after(None)
        limits.close()
        clock.pass_(3600)
    assert refused > 5
    assert max(vendor.used.values()) <= 900
    assert sum(vendor.used.values()) > 3 * 900  # and most of what is ours was used


@pytest.mark.parametrize("begins", [1, 9, 20])
def test_the_hour_at_which_the_day_begins_is_learned(tmp_path: Path, begins: int) -> None:
    clock = FakeClock()
    vendor = Vendor(clock, begins=begins)
    for _ in range(30 * 12):
        limits = gate(clock, tmp_path, DAY)
        limits.before()
        limits.after(vendor.answer())
        seen = day_of(limits)
        limits.close()
        clock.pass_(300)
    assert seen.reset_seen
    late = (seen.resets_at - datetime(2026, 1, 1, begins, tzinfo=UTC)) % timedelta(days=1)
    assert late <= timedelta(minutes=5)
    assert clock.now() < seen.resets_at <= clock.now() + timedelta(days=1)
    clock.pass_(20 * 3600)  # nobody asks meanwhile: what is known of the hour stays
    limits = gate(clock, tmp_path, DAY)
    limits.before()
    limits.after(vendor.answer())
    assert (day_of(limits).resets_at - seen.resets_at) % timedelta(days=1) == timedelta(0)


def test_a_used_up_day_whose_end_is_known_is_asked_nothing_before(tmp_path: Path) -> None:
    clock = FakeClock()
    vendor = Vendor(clock, begins=(START.hour + 2) % 24)
    limits = gate(clock, tmp_path, DAY)
    for _ in range(5):
        for _ in range(12):
            limits.before()
            limits.after(vendor.answer())
        clock.pass_(3600)
    assert day_of(limits).reset_seen
    while True:
        try:
            limits.before()
        except Throttled as full:
            assert full.resume_at == day_of(limits).resets_at + timedelta(minutes=1)
            break
        limits.after(vendor.answer())
    used = dict(vendor.used)
    for _ in range(12):
        clock.pass_(3600)
        with pytest.raises(Throttled):
            limits.before()
    assert vendor.used == used and max(used.values()) <= 900
    resets = day_of(limits).resets_at
    clock.pass_((resets - clock.now()).total_seconds() + 61)
    limits.before()
    limits.after(vendor.answer())
    assert day_of(limits).left > 800


def test_our_own_cap_holds_though_the_vendor_has_more(tmp_path: Path) -> None:
    """day_limit 1,000 in the config, 5,000 at the vendor: the config is what the operator meant."""
    clock = FakeClock()
    vendor, limits = Vendor(clock, begins=0, allowed=5000), gate(clock, tmp_path, DAY)
    used = 0
    with pytest.raises(Throttled):
        while used < 2000:
            limits.before()
            limits.after(vendor.answer())
            used += 1
    assert used == 900
    assert day_of(limits).left == 0


def test_of_calls_that_wait_together_one_asks_whether_the_day_is_over(tmp_path: Path) -> None:
    clock = FakeClock()
    limits = gate(clock, tmp_path, DAY)
    limits.before()
    limits.after(Answer(status=200, headers={"x-daylimit-remaining": "90"}, body=b""))
    clock.pass_(3600)
    limits.before()  # asks, and has no answer yet
    with pytest.raises(Throttled):
        limits.before()
    limits.after(Answer(status=200, headers={"x-daylimit-remaining": "1000"}, body=b""))
    limits.before()


def test_what_stands_in_the_store_is_counted_hour_by_hour(tmp_path: Path) -> None:
    clock = FakeClock()
    for hour in range(3):
        for _ in range(4):
            limits = gate(clock, tmp_path, TOKENS)
            limits.before(10 * (hour + 1))
            limits.after(None)
            limits.close()
            clock.pass_(300)
        clock.pass_(3600 - 1200)
    found = day_of(gate(clock, tmp_path, TOKENS))
    assert (found.spent, found.left, found.sliding) == (240, 660, True)
    assert [amount for _, amount in found.frees] == [40, 80, 120]
    first, *_ = found.frees
    assert first[0] == START + timedelta(seconds=900) + timedelta(days=1)


def test_a_vault_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "vault.db"
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE tokens (key TEXT PRIMARY KEY, generation INTEGER NOT NULL, access TEXT NOT "
        "NULL, refresh TEXT, scope TEXT NOT NULL, expires_at TEXT NOT NULL, refreshed_at TEXT NOT "
        "NULL) STRICT; CREATE TABLE budgets (key TEXT NOT NULL, window TEXT NOT NULL, started_at "
        "TEXT NOT NULL, used INTEGER NOT NULL, remaining INTEGER, seen_at TEXT, PRIMARY KEY (key, "
        "window)) STRICT; PRAGMA user_version = 1;"
    )
    db.close()
    vault = Vault(path)
    assert vault.spend("k", "day", 86400, 7, START).used == 7
    vault.note("k", "day", 93, START, START - HOUR)
    vault.close()
    again = Vault(path).spend("k", "day", 86400, 0, START + HOUR)
    assert (again.used, again.remaining, again.reset_at) == (7, 93, START - HOUR)
    assert [span.used for span in again.spans] == [7]
