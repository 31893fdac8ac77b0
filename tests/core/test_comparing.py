"""Whatever of a write differs from what was shown is seen, but for what the calendar moves."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import Action, DealChange, InvoiceChange, Task, Tell, Wave
from syncjob.core.comparing import Days, compare, key_of, new_dates
from syncjob.core.parts import NOT_YET
from tests.cli.kit import ACTIONS, DRAFT

DRAFTED, DEAL = ACTIONS
PLANNED = date(2026, 8, 1)


def nobody(_: str) -> bool:
    return False


def after(days: int) -> Days:
    return Days(planned=PLANNED, today=PLANNED + timedelta(days=days))


def changed(planned: Action, now: Action, days: int = 0, ours: Any = nobody) -> list[str]:
    moved = new_dates(planned, now, after(days))
    return [found.name for found in compare(planned, now, after(days), moved, ours)[0]]


def with_draft(**values: Any) -> Action:
    return msgspec.structs.replace(DRAFTED, payload=msgspec.structs.replace(DRAFT, **values))


def another(value: Any) -> Any:
    """A value of the same type that is not this one."""
    match value:
        case bool():
            return not value
        case Decimal():
            return value + 1
        case date():
            return value + timedelta(days=1)
        case str():
            return value + "x"
        case None:
            return "x"
        case tuple():
            return (*value, *value) or (Decimal(1),)
    raise AssertionError(value)


FIELDS = [f for f in DRAFT.__struct_fields__ if f not in ("line_amounts", "terms", "early")]


@given(st.sampled_from(FIELDS), st.integers(0, 5))
def test_every_value_of_a_draft_counts_on_every_day(field: str, days: int) -> None:
    """One that is made on a later day bears that day; nothing else may differ."""
    today = PLANNED + timedelta(days=days)
    dated = {"date": today, "due_date": today + timedelta(days=30)}
    now = with_draft(**(dated | {field: another(dated.get(field, getattr(DRAFT, field)))}))
    # Another due date of the same terms is the calendar's where the day has moved.
    moves = field == "due_date" and days > 0
    assert bool(changed(DRAFTED, now, days)) is not moves
    assert changed(DRAFTED, with_draft(**dated), days) == []


def test_a_date_that_a_rule_gave_does_not_move() -> None:
    given = with_draft(date=date(2026, 7, 28))
    assert changed(given, given, days=3) == []
    assert changed(given, with_draft(date=date(2026, 8, 4)), days=3) == ["date"]


def test_what_only_the_ledger_can_tell_may_be_told_by_then() -> None:
    approve = Action(
        side="ledger", wave=Wave.APPROVALS, subject="deal:1042", target="invoice:NW-1042-A1",
        payload=InvoiceChange(invoice_id=NOT_YET, status="authorised"), reason="x",
        before={"status": "draft"},
    )  # fmt: skip
    real = msgspec.structs.replace(approve.payload, invoice_id="i-7")
    assert changed(approve, msgspec.structs.replace(approve, payload=real)) == []
    assert changed(msgspec.structs.replace(approve, payload=real), approve) == ["invoice id"]


def test_a_new_customer_is_the_one_that_the_plan_makes() -> None:
    planned = with_draft(contact_id=None)
    assert changed(planned, DRAFTED) == ["contact id"]
    assert changed(planned, DRAFTED, ours=lambda record: record == "c1") == []
    assert changed(DRAFTED, planned, ours=lambda _: True) == ["contact id"]


def deal(before: dict[str, str | None] | None = None, **fields: str | None) -> Action:
    payload = DealChange(
        deal_id="1041", fields=fields, stamp_field="synced", days_field="days late"
    )
    return msgspec.structs.replace(
        DEAL, payload=payload, before=DEAL.before if before is None else before
    )


def test_a_deals_stamp_and_count_of_days_move_by_themselves() -> None:
    planned = deal(status="paid", synced="09:00", **{"days late": "3"})
    assert changed(planned, deal(status="paid", synced="10:00", **{"days late": "4"})) == []
    assert changed(planned, deal(status="void", synced="09:00", **{"days late": "3"})) == ["status"]
    late = deal({"days late": "2"}, status="paid")
    assert changed(late, deal({"days late": "3"}, status="paid")) == []
    assert changed(late, deal({"days late": "2", "status": "x"}, status="paid")) == ["status"]


def test_a_deals_dates_move_only_with_its_own_invoice() -> None:
    planned, now = deal(due="2026-08-31, then"), deal(due="2026-09-01, then")
    moved = {"2026-08-31": "2026-09-01"}
    assert compare(planned, now, after(1), moved, nobody)[0] == []
    assert [f.name for f in compare(planned, now, after(1), {}, nobody)[0]] == ["due"]


def task(day: int, days: int, due: str = "100.00", step: int = 7) -> Action:
    told = Tell(marker="NW-1", due=PLANNED, step=step, person="12", way="task")
    note = f"Acme owes {due} AUD, due 2026-08-01, {days} days ago."
    payload = Task(
        marker="m", deal_id="1", owner_id="12", subject=f"{days} days late", note=note,
        due=PLANNED + timedelta(days=day), tell=told,
    )  # fmt: skip
    return Action(
        side="crm", wave=Wave.NOTICES, subject="deal:1", target="task:m", payload=payload,
        reason="x",
    )  # fmt: skip


def test_a_notice_may_count_another_day_and_no_other_amount() -> None:
    assert changed(task(0, 7), task(1, 8), days=1) == []
    assert changed(task(0, 7), task(1, 8), days=0) != []
    assert changed(task(0, 7), task(1, 8, due="90.00"), days=1) == ["note"]
    assert changed(task(0, 7), task(1, 8, step=14), days=1) == ["tell step"]


def test_a_message_is_what_it_tells_and_to_whom() -> None:
    assert key_of(DRAFTED) == ("ledger", "invoice.create", "invoice:NW-1042-A1")
    assert key_of(task(0, 7)) == ("crm", "task.create", "task:m")
