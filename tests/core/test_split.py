"""Any deal cut into any parts: they come to the whole, per tax rate and in total."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syncjob.core.markers import marker_in, part_in, with_marker, with_part
from syncjob.core.policy_schedules import PartRule, ScheduleRule, When
from syncjob.core.records import Instalment, InvoiceLine, LineAmounts
from syncjob.core.rules.arithmetic import predict
from syncjob.core.rules.schedule import Slot, by_instalments, by_rule
from syncjob.core.rules.split import by_rate, gross_for, groups_of, left_of, lines_for, share_of
from tests.core.make import D, deal, held, policy

CENT = Decimal("0.01")
RATES = {"A": D(20), "B": D("8.875"), "C": D(0)}

cents = st.integers(1, 10_000_000).map(lambda n: Decimal(n).scaleb(-2))
percents = st.integers(1, 10_000).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def lines(draw: st.DrawFn) -> tuple[InvoiceLine, ...]:
    """Lines at up to three rates and two accounts, some of them with a discount."""
    rows = draw(st.lists(st.tuples(cents, st.sampled_from("ABC"), st.booleans()), min_size=1))
    return tuple(
        InvoiceLine(
            description=f"Thing {n}", quantity=Decimal(draw(st.integers(1, 9))), unit_price=price,
            discount_percent=draw(st.sampled_from((None, D("12.5")))), tax_code=code,
            account="200" if first else "210",
        )
        for n, (price, code, first) in enumerate(rows)
    )  # fmt: skip


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    """Up to eight parts; the last takes what is left."""
    weights = draw(st.lists(st.integers(1, 100), min_size=2, max_size=8))
    total = Decimal(sum(weights))
    return [
        Slot(key=str(n), name=str(n), title=f"Part {n}", share=Decimal(weight), whole=total)
        for n, weight in enumerate(weights)
    ]


def cut(
    whole: tuple[InvoiceLine, ...], parts: list[Slot], amounts: LineAmounts
) -> list[tuple[InvoiceLine, ...]]:
    rates = RATES if amounts != "no_tax" else {}
    groups = groups_of(whole, amounts, rates)
    nets = by_rate(groups)
    shares = [share_of(nets, slot) for slot in parts[:-1]]
    shares.append(left_of(nets, shares))
    return [
        lines_for(share, groups, slot, amounts, rates)
        for share, slot in zip(shares, parts, strict=True)
    ]


@given(lines(), slots(), st.sampled_from(["exclusive", "inclusive", "no_tax"]))
def test_the_parts_come_to_the_whole(
    whole: tuple[InvoiceLine, ...], parts: list[Slot], amounts: LineAmounts
) -> None:
    rates = RATES if amounts != "no_tax" else {}
    made = cut(whole, parts, amounts)
    everything = [line for part in made for line in part]
    one = by_rate(groups_of(whole, amounts, rates))
    many = by_rate(groups_of(everything, amounts, rates))
    assert {code: net for code, net in many.items() if net} == {c: n for c, n in one.items() if n}
    foreseen = [predict(part, amounts, rates) for part in made]
    asked = predict(whole, amounts, rates)
    assert sum(p.sub_total for p in foreseen) == asked.sub_total
    gap = abs(sum(p.total for p in foreseen) - asked.total)
    assert gap <= CENT * (len(whole) + len(everything)), "a cent a line and part at most"


@given(lines(), slots(), st.sampled_from(["exclusive", "inclusive"]))
def test_each_part_is_its_share_to_a_cent_a_rate(
    whole: tuple[InvoiceLine, ...], parts: list[Slot], amounts: LineAmounts
) -> None:
    groups = groups_of(whole, amounts, RATES)
    for slot in parts[:-1]:
        for code, net in share_of(by_rate(groups), slot).items():
            assert slot.share is not None
            exact = Fraction(by_rate(groups)[code]) * Fraction(slot.share) / Fraction(slot.whole)
            assert abs(Fraction(net) - exact) <= Fraction(1, 200)


@given(st.integers(-(10**9), 10**9), percents)
def test_every_net_amount_has_a_gross_one(net: int, percent: Decimal) -> None:
    wanted = Decimal(net).scaleb(-2)
    gross = gross_for(wanted, percent)
    line = InvoiceLine(description="", quantity=D(1), unit_price=gross, tax_code="T")
    assert predict([line], "inclusive", {"T": percent}).sub_total == wanted


def test_lines_that_are_posted_alike_are_one_line_that_says_what_is_in_it() -> None:
    whole = (
        InvoiceLine(
            description="Desk\nOak", quantity=D(1), unit_price=D(100), tax_code="A", account="200"
        ),
        InvoiceLine(
            description="Chair", quantity=D(2), unit_price=D(50), tax_code="A", account="200"
        ),
        InvoiceLine(description="Thank you", quantity=D(0), unit_price=D(0)),
    )
    slot = Slot(key="k", name="deposit", title="Deposit 30% of Office", share=D(30))
    groups = groups_of(whole, "exclusive", RATES)
    made = lines_for(share_of(by_rate(groups), slot), groups, slot, "exclusive", RATES)
    assert [(line.description, line.unit_price) for line in made] == [
        ("Deposit 30% of Office: Desk, Chair", D("60.00"))
    ]
    other = lines_for(
        share_of(by_rate(groups), slot), groups, slot, "exclusive", RATES, account="850"
    )
    assert {line.account for line in other} == {"850"}


# --- names ----------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=80))
def test_a_key_survives_the_link(key: str) -> None:
    url = with_part(with_marker("https://x.pipedrive.com/deal/7", "NW-7-B1"), key)
    assert part_in(url) == key or not key.isprintable()
    assert marker_in(url, None) == "NW-7-B1"


# --- schedules ------------------------------------------------------------------------------------

SUMS = predict(
    [InvoiceLine(description="x", quantity=D(1), unit_price=D(1000), tax_code="A")],
    "exclusive",
    RATES,
)
UTC_ZONE = ZoneInfo("UTC")


def parts(**changes: int) -> tuple[Instalment, ...]:
    return tuple(
        Instalment(id=id.removeprefix("i"), amount=D(amount), due=date(2026, 4, int(id[1:])))
        for id, amount in changes.items()
    )


def test_instalments_are_in_the_order_of_their_days_and_keyed_by_their_ids() -> None:
    found = by_instalments(deal(value=D(1000), instalments=parts(i9=700, i2=300)), policy(), SUMS)
    assert [(s.key, s.share, s.on) for s in found.slots] == [
        ("crm.2", D(300), date(2026, 4, 2)), ("crm.9", D(700), date(2026, 4, 9)),
    ]  # fmt: skip


def test_a_cent_for_each_instalment_is_rounding_and_more_is_held() -> None:
    thirds = parts(i1=333, i2=333, i3=334)
    assert by_instalments(deal(value=D("1000.03"), instalments=thirds), policy(), SUMS)
    with held("instalments_differ", "1,000.00", "1,000.04"):
        by_instalments(deal(value=D("1000.04"), instalments=thirds), policy(), SUMS)


def test_an_instalment_of_nothing_is_held() -> None:
    with held("instalment_not_positive"):
        by_instalments(deal(value=D(5), instalments=parts(i1=0, i2=5)), policy(), SUMS)


def test_more_instalments_than_there_are_names_are_held() -> None:
    many = tuple(Instalment(id=str(n), amount=D(1), due=date(2026, 4, 1)) for n in range(501))
    with held("too_many_instalments", "501"):
        by_instalments(deal(value=D(501), instalments=many), policy(), SUMS)


WON = datetime(2026, 1, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "day"),
    [
        ("win", date(2026, 1, 31)),
        ("+30 days", date(2026, 3, 2)),
        ("+ 2 weeks", date(2026, 2, 14)),
        ("+1 month", date(2026, 2, 28)),
        ("+13 months", date(2027, 2, 28)),
        ("end of month", date(2026, 1, 31)),
        ({"field": "Start"}, date(2026, 5, 4)),
        ({"field": "Start", "later": 1, "unit": "month", "end_of_month": True}, date(2026, 6, 30)),
        ({"field": "Other"}, None),
    ],
)
def test_the_day_of_a_part(on: object, day: date | None) -> None:
    won = deal(won_at=WON, fields={"Start": "2026-05-04"})
    found = by_rule(rule(on), won, policy(), SUMS, UTC_ZONE).slots[0]
    assert found.on == day
    assert bool(found.waits) == (day is None)


def test_the_win_counts_on_the_organisations_day() -> None:
    sydney = by_rule(rule("win"), deal(won_at=WON), policy(), SUMS, ZoneInfo("Australia/Sydney"))
    assert sydney.slots[0].on == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31 10:59 UTC", date(2026, 1, 31)),
        ("2026-01-31 11:00 UTC", date(2026, 2, 1)),  # what HubSpot's date-times are read as
        ("2026-01-31T23:00:00+11:00", date(2026, 2, 1)),
    ],
)
def test_an_instant_in_a_field_counts_on_its_day_in_the_zone(text: str, day: date) -> None:
    won, auckland = deal(fields={"Start": text}), ZoneInfo("Pacific/Auckland")
    assert by_rule(rule({"field": "Start"}), won, policy(), SUMS, auckland).slots[0].on == day


@pytest.mark.parametrize("text", ["soon", "9999-12-31 23:00 UTC", "2026-01-31 UTC"])
def test_a_field_that_holds_no_day_is_held(text: str) -> None:
    won, auckland = deal(fields={"Start": text}), ZoneInfo("Pacific/Auckland")
    with held("schedule_day_invalid", text):
        by_rule(rule({"field": "Start"}), won, policy(), SUMS, auckland)


def rule(on: object) -> ScheduleRule:
    balance = {"name": "balance", "rest": True, "on": "win"}
    return ScheduleRule.model_validate(
        {"name": "two", "parts": [{"name": "deposit", "percent": 30, "on": on}, balance]}
    )


def test_a_fixed_amount_is_net_or_gross_as_the_deals_value_is() -> None:
    fixed = ScheduleRule.model_validate(
        {
            "name": "fixed",
            "parts": [
                {"name": "fee", "amount": 240, "on": "win"},
                {"name": "balance", "rest": True, "on": "win"},
            ],
        }
    )
    for value_is, whole in (("net", D(1000)), ("gross", D(1200))):
        slot = by_rule(fixed, deal(), policy(value_is=value_is), SUMS, UTC_ZONE).slots[0]
        assert (slot.share, slot.whole) == (D(240), whole)
    with held("value_is_missing"):
        by_rule(fixed, deal(), policy(value_is=None), SUMS, UTC_ZONE)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 3650))
def test_no_part_comes_before_the_win(won: date, later: int) -> None:
    when = datetime(won.year, won.month, won.day, 12, tzinfo=UTC)
    for unit in ("day", "week", "month"):
        for end in (False, True):
            on = {"later": later, "unit": unit, "end_of_month": end}
            day = by_rule(rule(on), deal(won_at=when), policy(), SUMS, UTC_ZONE).slots[0].on
            assert day is not None
            assert day >= won
            assert day - won >= timedelta(days=later if unit == "day" else 0)


def test_what_is_no_schedule_is_refused() -> None:
    half = {"name": "half", "percent": 50, "on": "win"}
    rest = {"name": "rest", "rest": True, "on": "win"}
    for parts in (
        [half],  # one part is no schedule
        [half, {**half, "name": "more", "percent": 40}],  # 90%
        [rest, half],  # the rest comes last
        [half, {**half, "name": "other", "percent": 60}, rest],  # nothing is left
        [half, half],  # one name twice
        [{"name": "fee", "amount": 10, "on": "win"}, {**half, "percent": 99}],  # no rest
    ):
        with pytest.raises(ValidationError):
            ScheduleRule.model_validate({"name": "x", "parts": parts})
    for on in ("later", "30 days", "-3 days", 30):
        with pytest.raises(ValidationError):
            PartRule.model_validate({**half, "on": on})
    assert PartRule.model_validate(half).on == When()
    with pytest.raises(ValidationError):
        PartRule.model_validate({"name": "both", "percent": 5, "amount": 5, "on": "win"})
