"""Within the vendor's limits: its headers first, our own count where it says nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from syncjob.errors import Throttled
from syncjob.state.vault import Vault
from syncjob.transport.limits import LimitRules, Limits, Window, no_limits
from syncjob.transport.wire import Answer

from .kit import START, FakeClock

MINUTE = Window(name="minute", seconds=60, allowed=60, remaining_header="x-minlimit-remaining")
DAY = Window(name="day", seconds=86400, allowed=1000, remaining_header="x-daylimit-remaining")
TOKENS = Window(name="daily tokens", seconds=86400, allowed=100, counts="cost")
BURST = Window(
    name="burst",
    seconds=2,
    allowed=20,
    remaining_header="x-ratelimit-remaining",
    reset_header="x-ratelimit-reset",
)


def rules(*windows, **more) -> LimitRules:
    return LimitRules(windows=windows, **more)


def answer(**headers) -> Answer:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Answer(status=200, headers=named, body=b"")


def use(limits, count=1, cost=1, reply=None):
    for _ in range(count):
        limits.before(cost)
        limits.after(reply)


def test_our_own_count_keeps_a_short_window_and_its_headroom():
    clock = FakeClock()
    limits = Limits(rules(MINUTE), clock=clock)
    use(limits, 54)
    assert clock.naps == []
    use(limits)
    assert clock.elapsed == 60


def test_the_window_slides():
    clock = FakeClock()
    limits = Limits(rules(BURST, headroom_percent=0), clock=clock)
    use(limits, 10)
    clock.pass_(1.5)
    use(limits, 11)
    assert clock.elapsed == pytest.approx(2.0)  # the first ten have left by then
    use(limits, 200)
    assert clock.elapsed >= 2 * (221 // 20 - 1)


def test_the_vendors_word_outranks_our_count_both_ways():
    clock = FakeClock()
    limits = Limits(rules(BURST), clock=clock)
    use(limits, 100, reply=answer(x_ratelimit_remaining=110, x_ratelimit_reset=2))
    assert clock.naps == []  # a larger plan than we assumed
    use(limits, reply=answer(x_ratelimit_remaining=1, x_ratelimit_reset=2))
    use(limits)
    assert clock.naps == [2.0]  # others took what we thought was ours


def test_calls_since_the_header_are_counted():
    clock = FakeClock()
    limits = Limits(rules(MINUTE), clock=clock)
    use(limits, reply=answer(x_minlimit_remaining=9))
    use(limits, 3)
    assert clock.naps == []
    use(limits)
    assert sum(clock.naps) == 60


def test_calls_in_flight_are_not_in_the_header_yet():
    clock = FakeClock()
    limits = Limits(rules(MINUTE), clock=clock)
    limits.before()
    limits.before()
    limits.after(answer(x_minlimit_remaining=8))  # the other may come on top: 7, 6 are kept
    limits.before()
    assert clock.naps == []
    limits.before()
    assert sum(clock.naps) == 60


def test_a_window_may_keep_a_headroom_of_its_own():
    clock = FakeClock()
    all_of_it = Window(name="minute", seconds=60, allowed=60, headroom_percent=0)
    limits = Limits(rules(all_of_it), clock=clock)
    use(limits, 60)
    assert clock.naps == []
    use(limits)
    assert clock.elapsed == 60


def test_an_unreadable_header_is_ignored():
    limits = Limits(rules(MINUTE), clock=FakeClock())
    use(limits, 5, reply=answer(x_minlimit_remaining="plenty"))


def test_a_day_limit_never_sleeps():
    clock = FakeClock()
    limits = Limits(rules(DAY), clock=clock)
    use(limits, reply=answer(x_daylimit_remaining=102))
    use(limits)
    with pytest.raises(Throttled, match="day limit") as caught:
        use(limits, 5)
    assert clock.naps == [] and caught.value.resume_at == START + timedelta(hours=1)


def test_a_used_up_day_is_asked_about_again_with_one_call_an_hour():
    clock = FakeClock()
    limits = Limits(rules(DAY), clock=clock)
    use(limits, reply=answer(x_daylimit_remaining=100))
    with pytest.raises(Throttled):
        use(limits)
    clock.pass_(3600 - 1)
    with pytest.raises(Throttled):
        use(limits)
    assert clock.naps == []
    clock.pass_(1)
    use(limits, reply=answer(x_daylimit_remaining=99))
    with pytest.raises(Throttled):
        use(limits)
    clock.pass_(3600)
    use(limits, 50, reply=answer(x_daylimit_remaining=1000))


def test_a_budget_of_cost_is_counted_by_ourselves_for_a_day():
    clock = FakeClock()
    limits = Limits(rules(TOKENS), clock=clock)
    use(limits, 9, cost=10)
    with pytest.raises(Throttled) as caught:
        use(limits, cost=10)
    assert caught.value.resume_at == START + timedelta(days=1)
    clock.pass_(86400)
    use(limits, 9, cost=10)


def test_no_wait_is_begun_that_would_be_too_long_in_all():
    clock = FakeClock()
    limits = Limits(rules(MINUTE), clock=clock)
    use(limits, 54)
    with pytest.raises(Throttled) as caught:
        limits.before(1, wait_max_s=30)
    assert clock.naps == [] and caught.value.resume_at == START + timedelta(seconds=60)


def test_the_vendors_pause_holds_for_all():
    clock = FakeClock()
    limits = no_limits(clock)
    assert limits.block(20, "slow down") == START + timedelta(seconds=20)
    limits.block(5, "a shorter one does not shorten it")
    assert limits.before() == 20
    limits.block(3600, "come back in an hour")
    with pytest.raises(Throttled, match="come back in an hour"):
        limits.before()


def test_no_more_than_the_allowed_number_at_once():
    limits = Limits(rules(concurrency=2), clock=FakeClock())
    limits.before()
    limits.before()
    third = threading.Event()

    def enter():
        limits.before()
        third.set()

    threading.Thread(target=enter, daemon=True).start()
    assert not third.wait(0.05)
    limits.after(None)
    assert third.wait(2)


def test_a_refusal_gives_the_turn_back():
    limits = Limits(rules(concurrency=1), clock=FakeClock())
    limits.block(3600, "no")
    for _ in range(3):
        with pytest.raises(Throttled):
            limits.before()


def test_two_connections_share_a_budget(tmp_path):
    clock = FakeClock()
    first, second = (
        Limits(
            rules(TOKENS, headroom_percent=0),
            clock=clock,
            key="app:tenant",
            store=Vault(tmp_path / "vault.db"),
        )
        for _ in range(2)
    )
    use(first, 6, cost=10)
    first.close()
    use(second, 4, cost=10)
    with pytest.raises(Throttled):
        use(second, cost=10)


def test_what_the_vendor_said_is_known_to_the_next_process(tmp_path):
    clock = FakeClock()

    def limits():
        return Limits(rules(DAY), clock=clock, key="k", store=Vault(tmp_path / "vault.db"))

    first = limits()
    use(first, reply=answer(x_daylimit_remaining=100))
    first.close()
    with pytest.raises(Throttled):
        use(limits())


def test_counts_reach_the_store_every_twenty_calls(tmp_path):
    vault = Vault(tmp_path / "vault.db")
    limits = Limits(rules(DAY), clock=FakeClock(), key="k", store=vault)
    use(limits, 25)
    assert vault.spend("k", "day", 86400, 0, START).used == 20
    limits.close()
    limits.close()
    assert vault.spend("k", "day", 86400, 0, START).used == 25


def test_the_vendors_word_holds_until_its_own_reset():
    clock = FakeClock()
    limits = Limits(rules(BURST), clock=clock)
    use(limits, reply=answer(x_ratelimit_remaining=0, x_ratelimit_reset=1))
    use(limits)
    assert clock.naps == [1.0]


def test_a_long_pause_is_obeyed_by_the_next_run_but_for_an_hour_at_most(tmp_path):
    clock = FakeClock()

    def limits():
        return Limits(rules(), clock=clock, key="k", store=Vault(tmp_path / "vault.db"))

    limits().block(30, "too short to be kept")
    use(limits())
    limits().block(80_000, "the day is used up")
    clock.pass_(3590)
    with pytest.raises(Throttled, match="earlier run") as caught:
        limits().before(1, wait_max_s=5)
    assert caught.value.resume_at == START + timedelta(hours=1)
    clock.pass_(10)
    use(limits())
    other = Limits(rules(), clock=clock, key="another tenant", store=Vault(tmp_path / "vault.db"))
    use(other)


def test_what_a_long_window_has_left_can_be_asked():
    """For work that can wait: by our own count, then by the vendor's word; short windows pass."""
    clock = FakeClock()
    limits = Limits(rules(MINUTE, DAY, TOKENS), clock=clock)
    use(limits, 3, cost=10)
    day, tokens = limits.allowances()
    assert (day.name, day.counts, day.allowed, day.left) == ("day", "calls", 1000, 897)
    assert day.again == START + timedelta(days=1)
    assert (tokens.counts, tokens.left) == ("cost", 60)
    use(limits, reply=answer(x_daylimit_remaining=400))
    day, _ = limits.allowances()
    assert day.left == 300  # others used some, and the headroom stays
    assert day.again == START + timedelta(hours=1)


def used_up_since(hours: float) -> tuple[FakeClock, Limits]:
    """A process that asks so long after the vendor said that only the headroom is left."""
    clock = FakeClock()
    limits = Limits(rules(DAY), clock=clock)
    use(limits, reply=answer(x_daylimit_remaining=100))
    with pytest.raises(Throttled):
        use(limits)
    clock.pass_(hours * 3600)
    return clock, limits


def test_a_call_that_tells_nothing_of_the_day_leaves_the_question_to_the_next() -> None:
    """Xero's list of connections is asked first, and says nothing of an organisation's day."""
    clock, limits = used_up_since(2)
    use(limits, reply=answer())
    use(limits, reply=answer(x_daylimit_remaining=1000))
    use(limits, 50)
    assert clock.naps == []


def test_the_question_is_passed_on_to_few_calls() -> None:
    _, limits = used_up_since(2)
    with pytest.raises(Throttled):
        use(limits, 50, reply=answer())


def test_who_has_asked_in_vain_is_told_to_come_back_in_an_hour() -> None:
    clock, limits = used_up_since(2)
    use(limits, reply=answer(x_daylimit_remaining=100))
    clock.pass_(60)
    with pytest.raises(Throttled) as caught:
        use(limits)
    assert caught.value.resume_at == START + timedelta(hours=3)
    limits = used_up_since(2)[1]
    with pytest.raises(Throttled) as caught:
        use(limits, 50)
    assert caught.value.resume_at == START + timedelta(hours=3)
