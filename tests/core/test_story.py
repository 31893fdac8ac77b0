"""A story is in order whatever order its facts came in, and its one sentence fits each state."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import Decision, Issue
from syncjob.core.because import DealFacts, deal_answer, deal_awaits, deal_step, invoice_words
from syncjob.core.records import Deal, Settlement
from syncjob.core.story import Awaited, Event, InvoiceNow, in_order

SYDNEY = ZoneInfo("Australia/Sydney")
NOON = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

EVENTS = st.lists(
    st.builds(
        Event,
        kind=st.just("wrote"),
        text=st.text("abc", min_size=1, max_size=3),
        at=st.none() | st.integers(0, 50).map(lambda n: NOON + timedelta(minutes=n)),
        day=st.none() | st.sampled_from([date(2026, 11, 22), date(2026, 11, 24)]),
        fold=st.sampled_from(["", "days"]),
    ),
    max_size=12,
)


@given(EVENTS)
def test_events_are_in_order_and_none_is_lost(events: list[Event]) -> None:
    told = in_order(events, SYDNEY)
    assert sum(event.times for event in told) == len(events)
    known = [event.at for event in told if event.at is not None]
    assert known == sorted(known)
    folds = [event.fold for event in told]
    assert not any(one and one == other for one, other in pairwise(folds))
    assert in_order(told, SYDNEY)[: len(told)] == told or any(e.times > 1 for e in told)


def test_a_day_alone_stands_at_its_beginning_where_the_books_are() -> None:
    paid = Event(kind="record", text="paid", day=date(2026, 11, 23))
    before = Event(kind="wrote", text="before", at=datetime(2026, 11, 22, 12, 59, tzinfo=UTC))
    after = Event(kind="wrote", text="after", at=datetime(2026, 11, 22, 13, 1, tzinfo=UTC))
    assert [e.text for e in in_order([after, paid, before], SYDNEY)] == ["before", "paid", "after"]


def invoice(word: str = "awaiting payment", **more: object) -> InvoiceNow:
    given: dict[str, object] = {
        "id": "i1", "name": "INV-7", "word": word, "currency": "AUD", "total": Decimal(110),
        "due": Decimal(110), "due_date": date(2026, 12, 23),
    }  # fmt: skip
    return InvoiceNow(**(given | more))  # type: ignore[arg-type]


def facts(**more: object) -> DealFacts:
    deal = Deal(id="7", title="Order", status="won", currency="AUD")
    given: dict[str, object] = {
        "deal": deal, "word": "draft", "decision": Decision(subject="deal:7"),
    }  # fmt: skip
    return DealFacts(**(given | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (invoice(), "INV-7 of 110.00 AUD is unpaid: no payment stands on it in the ledger; "
                    "110.00 AUD is due on 2026-12-23."),
        (invoice(days_overdue=1), "110.00 AUD was due on 2026-12-23 (1 day overdue)."),
        (invoice(expected_on=date(2027, 1, 5)), "due on 2026-12-23, expected on 2027-01-05."),
        (invoice(due_date=None), "110.00 AUD is to be paid, with no due date."),
        (invoice("part-paid", paid=Decimal(40), due=Decimal(70)), "is part-paid: 40.00 AUD was "
                                                                  "received; 70.00 AUD is due"),
        (invoice("paid", paid=Decimal(110), due=Decimal(0), settlements=(
            Settlement(id="p", kind="payment", amount=Decimal(110), date=date(2026, 12, 1)),)),
         "is paid (110.00 AUD received, last on 2026-12-01)."),
        (invoice("written off"), "INV-7 of 110.00 AUD is written off."),
        (invoice("refunded"), "INV-7 of 110.00 AUD is refunded."),
        (invoice("deleted"), "INV-7 of 110.00 AUD was deleted."),
    ],
)  # fmt: skip
def test_each_state_of_an_invoice_has_its_sentence(now: InvoiceNow, words: str) -> None:
    assert words in invoice_words(now)


def test_several_invoices_are_summed() -> None:
    two = (invoice(), invoice(id="i2", name="INV-8", total=Decimal(90), due=Decimal(0)))
    answer = deal_answer(facts(invoices=two, word="part-paid"))
    assert (
        answer
        == "It has 2 invoices (INV-7, INV-8), 200.00 AUD in all, 110.00 AUD to pay: part-paid."
    )
    mixed = (invoice(), invoice(id="i2", name="INV-8", currency="EUR"))
    assert "in several currencies" in deal_answer(facts(invoices=mixed))


def test_a_pause_matters_only_where_something_is_to_be_done() -> None:
    pause = Awaited(kind="pause", text="everything is paused", step="`syncjob resume`.")
    paid = invoice("paid", due=Decimal(0))
    quiet = facts(invoices=(paid,), blocks=(pause,))
    assert deal_awaits(quiet) == ()
    assert "resume" not in deal_step(quiet)
    waiting = facts(unread="its lines have not been read yet", blocks=(pause,))
    assert deal_awaits(waiting)[0] == pause
    assert deal_step(waiting) == "`syncjob resume`."


def test_what_is_held_says_what_to_do() -> None:
    issue = Issue(code="x", subject="deal:7", what="Something is odd.", next_step="Mend it.")
    held = facts(issues=(issue,))
    assert deal_answer(held) == "No invoice, held: Something is odd."
    assert deal_step(held) == "Mend it."
