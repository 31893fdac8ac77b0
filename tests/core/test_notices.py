"""Who is told of an overdue invoice, at which step, on which day, in which words."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syncjob.core.policy_notices import Notices
from syncjob.core.records import Contact, Deal, User
from syncjob.core.rules.notices import (
    Credit,
    Debt,
    Notice,
    Person,
    Told,
    covered,
    due_step,
    next_step_day,
    people,
)
from syncjob.core.rules.notices_words import (
    PLACES,
    line_of,
    overdue_text,
    subject_of,
    text_of,
    unknown_places,
)

MONDAY = date(2026, 11, 2)
POLICY = Notices(steps=(1, 7, 14, 30))
DEAL = Deal(id="7", title="Roof", status="won", currency="AUD", owner_id="1")
USERS = (
    User(id="1", name="Ann", email="ann@example.com"),
    User(id="2", name="Bob", email="bob@example.com"),
    User(id="3", name="Cid", active=False),
)


def told(step: int, due: date = MONDAY) -> Told:
    return Told(marker="NW-7-A1", due=due, step=step, person="1", way="task")


# --- which step ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "before", "step"),
    [(0, [], None), (1, [], 1), (6, [1], None), (7, [1], 7), (29, [14], None), (400, [30], None)],
)
def test_each_step_once(days: int, before: list[int], step: int | None) -> None:
    today = MONDAY + timedelta(days)
    known = [told(s) for s in before]
    assert due_step(days, MONDAY, today, POLICY, known, date.min) == step


def test_of_steps_that_were_missed_only_the_latest_is_told() -> None:
    assert due_step(20, MONDAY, MONDAY + timedelta(20), POLICY, [told(1)], date.min) == 14


def test_a_new_due_date_is_a_new_debt() -> None:
    later = MONDAY + timedelta(30)
    known = [told(1), told(7)]
    assert due_step(1, later, later + timedelta(1), POLICY, known, date.min) == 1


def test_steps_of_before_we_remembered_are_not_told() -> None:
    today = MONDAY + timedelta(10)
    assert due_step(10, MONDAY, today, POLICY, [], today) is None
    assert due_step(14, MONDAY, MONDAY + timedelta(14), POLICY, [], today) == 14


def test_what_falls_on_a_weekend_is_told_on_monday() -> None:
    policy = Notices(steps=(5,), weekdays_only=True)
    saturday = MONDAY + timedelta(5)
    assert due_step(5, MONDAY, saturday, policy, [], date.min) is None
    assert next_step_day(MONDAY, saturday, policy) == saturday + timedelta(2)
    late = saturday + timedelta(70)  # all steps are over; one may still have to be told
    assert next_step_day(MONDAY, late, policy) == late + timedelta(2)
    assert due_step(7, MONDAY, saturday + timedelta(2), policy, [], date.min) == 5


@given(
    steps=st.sets(st.integers(1, 60), min_size=1, max_size=5),
    gaps=st.lists(st.integers(1, 9), max_size=60),
    weekdays=st.booleans(),
)
def test_any_rhythm_of_batches_tells_each_step_at_most_once_and_the_latest_at_last(
    steps: set[int], gaps: list[int], weekdays: bool
) -> None:
    policy = Notices(steps=tuple(steps), weekdays_only=weekdays)
    known: list[Told] = []
    today = MONDAY
    for gap in [*gaps, 70, 1, 1]:
        today += timedelta(gap)
        step = due_step((today - MONDAY).days, MONDAY, today, policy, known, date.min)
        if step is not None:
            known.append(told(step))
    given_steps = [t.step for t in known]
    assert given_steps == sorted(set(given_steps))
    assert given_steps[-1] == max(steps)


# --- whom ---------------------------------------------------------------------------------------


def party(owner: str | None) -> Contact:
    return Contact(id="org:1", kind="organization", name="Acme", owner_id=owner)


def test_the_owner_is_told_and_both_are_told_once_each() -> None:
    keys = lambda policy, owner: [p.key for p in people(DEAL, party(owner), USERS, policy)[0]]  # noqa: E731
    assert keys(POLICY, "2") == ["1"]
    assert keys(Notices(steps=(1,), to="account_owner"), "2") == ["2"]
    assert keys(Notices(steps=(1,), to="both"), "2") == ["1", "2"]
    assert keys(Notices(steps=(1,), to="both"), "1") == ["1"]


def test_an_owner_who_left_is_replaced_by_the_fallback() -> None:
    policy = Notices(steps=(1,), fallback="bob@example.com")
    gone = Deal(id="7", title="Roof", status="won", currency="AUD", owner_id="3")
    found, nobody = people(gone, None, USERS, policy)
    assert ([p.name for p in found], nobody) == (["Bob"], None)
    found, nobody = people(gone, None, USERS, Notices(steps=(1,), fallback="Cid"))
    assert found == ()
    assert nobody is not None
    assert "Cid" in nobody


def test_credit_that_covers_the_debt_holds_it() -> None:
    def credit(here: str) -> Credit:
        return Credit(left=Decimal(99), here=Decimal(here))

    assert covered(Decimal(10), credit("10"))
    assert not covered(Decimal(10), credit("9.99"))
    assert not covered(Decimal(0), credit("0"))
    assert not covered(Decimal(10), None)


# --- the words ----------------------------------------------------------------------------------

DEBT = Debt(
    deal="deal:7", deal_title="Roof", marker="NW-7-A1", invoice="INV-0007", currency="AUD",
    total=Decimal(1100), due=Decimal(600), paid=Decimal(500), credited=Decimal(0),
    due_date=MONDAY, days=7, customer="Acme Ltd", owner="Ann", phone="+61 2 5550 0000",
    invoice_page="https://example.com/i", deal_page="https://example.com/d",
    last_paid_on=MONDAY - timedelta(3), last_paid=Decimal(500), credit_left=Decimal(20),
)  # fmt: skip


def test_everything_needed_to_ring_the_customer_stands_in_the_notice() -> None:
    text = overdue_text(DEBT)
    for said in (
        "Acme Ltd", "600.00 AUD of 1,100.00 AUD", "INV-0007", "2026-11-02", "7 days ago", "Roof",
        "500.00 AUD, last on 2026-10-30", "20.00 AUD", "+61 2 5550 0000", "https://example.com/i",
    ):  # fmt: skip
        assert said in text


def test_a_template_is_filled_and_its_unknown_places_are_named() -> None:
    notice = Notice(person=Person(key="1", name="Ann"), way="task", step=7, debt=DEBT)
    assert (
        subject_of(notice, POLICY.subject) == "INV-0007 of Acme Ltd is 7 days overdue: 600.00 AUD"
    )
    assert text_of(notice, "Ring {customer}: {due} since {due_date}") == (
        "Ring Acme Ltd: 600.00 AUD since 2026-11-02"
    )
    assert unknown_places("{customer} {amuont}") == ["amuont"]
    assert not [place for place in PLACES if unknown_places(f"{{{place}}}")]
    assert "7 days overdue: 600.00 AUD" in line_of(notice)


# --- the config ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": [7, 7]},
        {"steps": [0]},
        {"steps": [1], "by": ["email"]},
        {"operator": {"to": ["ops@example.com"]}},
        {"summary": {"to": ["not an address"]}},
        {"ways": {"email": {"host": "mail.example.com"}}},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Notices.model_validate(wrong)
