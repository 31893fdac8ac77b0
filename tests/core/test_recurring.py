"""Schedules of repeating invoices: the second period, its end, months that lack a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.records import Deal, Discount, Line
from syncjob.core.rules.recurring import (
    FREQUENCIES,
    each_period,
    later,
    recurring_lines,
    schedule_for,
)
from syncjob.errors import Held

TODAY = date(2026, 11, 23)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 12, 31))


def line(billing: str | None = "monthly", **more) -> Line:
    return Line(
        id="1", name="Support", quantity=Decimal(1), unit_price=Decimal(40), billing=billing, **more
    )


def deal(*lines: Line, **more) -> Deal:
    return Deal(id="7", title="x", status="won", currency="AUD", lines=lines, **more)


@given(days, st.sampled_from(sorted(FREQUENCIES)), st.none() | st.integers(2, 120))
def test_it_begins_one_period_on_and_makes_exactly_the_other_cycles(day, frequency, cycles):
    found = schedule_for(deal(line(frequency, cycles=cycles)), day, day)
    assert found is not None
    assert found.first > day
    unit, period = FREQUENCIES[frequency]
    assert found.first == later(day, unit, period)
    if cycles is None:
        assert found.last is None
        return
    made = [n for n in range(cycles + 2) if later(found.first, unit, period * n) <= found.last]
    assert len(made) == cycles - 1


@given(days, st.integers(1, 30))
def test_an_end_is_safe_whether_or_not_months_end_is_kept(day, cycles):
    """A ledger that returns to the 31st and one that stays on the 28th make as many invoices."""
    found = schedule_for(deal(line(cycles=cycles + 1)), day, day)
    assert found is not None
    assert found.last is not None
    kept = [later(day, "monthly", n) for n in range(1, cycles + 4)]
    fallen = [later(found.first, "monthly", n) for n in range(cycles + 3)]
    assert sum(d <= found.last for d in fallen) == cycles
    assert abs(sum(d <= found.last for d in kept) - cycles) <= (day.day > 28)


@given(days, st.integers(0, 400))
def test_never_a_first_date_in_the_past(day, ahead):
    today = day + timedelta(days=ahead)
    try:
        found = schedule_for(deal(line(starts=day)), today, today)
    except Held as held:
        assert held.code == "recurring_start_past"
        assert later(day, "monthly", 1) <= today
    else:
        assert found is not None
        assert found.first > today


def test_the_last_day_of_a_short_month():
    assert later(date(2026, 1, 31), "monthly", 1) == date(2026, 2, 28)
    assert later(date(2024, 1, 31), "monthly", 1) == date(2024, 2, 29)
    assert later(date(2026, 11, 30), "monthly", 3) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((line(), line("weekly")), "recurring_mixed"),
        ((line(), line(cycles=3)), "recurring_mixed"),
        ((line(), line(starts=TODAY)), "recurring_mixed"),
        ((line("fortnightly"),), "recurring_unknown"),
    ],
)
def test_what_no_one_template_can_say_is_held(lines, code):
    with pytest.raises(Held) as caught:
        schedule_for(deal(*lines), TODAY, TODAY)
    assert caught.value.code == code


def test_a_discount_of_the_whole_is_held_only_where_something_repeats():
    cut = (Discount(id="d", percent=Decimal(5)),)
    with pytest.raises(Held, match="each period"):
        schedule_for(deal(line(), discounts=cut), TODAY, TODAY)
    assert schedule_for(deal(line(cycles=1), discounts=cut), TODAY, TODAY) is None
    assert schedule_for(deal(line(None), discounts=cut), TODAY, TODAY) is None


def test_each_period_has_the_recurring_lines_alone():
    both = deal(line(None), line(), value=Decimal(80))
    assert [x.billing for x in recurring_lines(both)] == ["monthly"]
    period = each_period(both)
    assert [(x.billing, x.unit_price) for x in period.lines or ()] == [(None, Decimal(40))]
    assert period.value is None
