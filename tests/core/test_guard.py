"""What one batch may do at most before a person looks."""

from __future__ import annotations

from datetime import date

import pytest

from syncjob.core.actions import Action, ContactDraft, InvoiceChange, Wave
from syncjob.core.guard import Scale, verdict
from syncjob.core.policy import Guard

GUARD = Guard(creates_first_week=2, creates=4)


def approval(number: int) -> Action:
    change = InvoiceChange(
        invoice_id=str(number), status="authorised", date=date(2026, 11, 23),
        due_date=date(2026, 12, 23),
    )  # fmt: skip
    return Action(
        side="ledger", wave=Wave.APPROVALS, subject=f"deal:{number}",
        target=f"invoice:SJ-{number}-A1", payload=change, reason="a test",
    )  # fmt: skip


def customer(number: int) -> Action:
    return Action(
        side="ledger", wave=Wave.LEDGER_CONTACTS, subject=f"deal:{number}",
        target=f"contact:SJ-O{number}", reason="a test",
        payload=ContactDraft(marker=f"SJ-O{number}", name=f"Firm {number}"),
    )  # fmt: skip


@pytest.mark.parametrize(("first_week", "allowed"), [(True, 2), (False, 4)])
@pytest.mark.parametrize("make", [approval, customer])
def test_drafts_of_earlier_batches_are_approved_like_new_ones_made(
    make: object, first_week: bool, allowed: int
) -> None:
    scale = Scale(first_week=first_week, linked=100)
    actions = [make(n) for n in range(allowed + 1)]  # type: ignore[operator]
    assert verdict(actions[:-1], GUARD, scale) == []
    (found,) = verdict(actions, GUARD, scale)
    assert found.startswith(f"{allowed + 1} ")
