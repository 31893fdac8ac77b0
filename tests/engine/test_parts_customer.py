"""The customer of a deal in parts: a draft of a part is not moved, or approved, for another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import codes, minutes, quiet, sell
from tests.engine.test_schedules import LINES, THIRDS, parts_of, world
from tests.engine.world import World

AT_ONCE: list[dict[str, Any]] = [
    {
        "name": "halves",
        "parts": [
            {"name": "goods", "percent": 50, "on": "win"},
            {"name": "service", "rest": True, "on": "win"},
        ],
    }
]


@pytest.fixture(params=["a part is to come", "all parts are there"])
def w(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    schedules = THIRDS if request.param == "a part is to come" else AT_ONCE
    yield from world(tmp_path, invoices={"status": "authorised", "schedules": schedules})


def gone_to(w: World, deal: int, org: str) -> None:
    if org != "Acme Pty":
        w.crm("create_org", name=org)
    w.crm("edit_deal", deal=deal, org=org)
    minutes(w, 5)


def statuses(w: World, deal: int) -> set[str]:
    return {part["status"] for part in parts_of(w, deal)}


def test_a_draft_of_a_part_whose_deal_went_to_another_customer_is_not_approved(w: World) -> None:
    deal = sell(w, lines=LINES)
    assert codes(w.run()) == []
    before = parts_of(w, deal)
    gone_to(w, deal, "Other Pty")
    (told,) = w.run().issues
    assert told.code == "customer_changed"
    assert "Other Pty" in told.what
    assert f"resolve deal {deal} --never" in told.next_step
    w.overrides["mode"] = "full"  # nobody may approve it unasked now
    minutes(w, 5)
    w.run()
    assert codes(quiet(w)) == ["customer_changed"]
    assert parts_of(w, deal) == before
    gone_to(w, deal, "Acme Pty")
    w.run()
    minutes(w, 5)
    assert codes(w.run()) == []
    assert statuses(w, deal) == {"AUTHORISED"}
    quiet(w)


def test_approved_parts_of_a_deal_that_went_to_another_customer_are_told_of(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.overrides["mode"] = "full"
    w.run()
    assert statuses(w, deal) == {"AUTHORISED"}
    before = parts_of(w, deal)
    gone_to(w, deal, "Other Pty")
    w.run()
    assert codes(quiet(w)) == ["customer_changed"]
    assert parts_of(w, deal) == before
    with w.connection() as handle:
        handle.answer(kind="never", subject=f"deal:{deal}", who="Ann", reason="all is well")
    minutes(w, 5)
    w.run()
    assert codes(quiet(w)) == []


def test_parts_whose_contact_was_merged_in_the_ledger_have_the_customer_that_they_had(
    w: World,
) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    w.books("create_contact", fields={"Name": "Acme Group"})
    w.books("merge_contacts", loser="Acme Pty", survivor="Acme Group")
    w.crm("edit_deal", deal=deal, title="Spring order, in two deliveries")
    for _ in range(3):
        minutes(w, 20)
        w.run()
    assert codes(quiet(w)) == []


@pytest.mark.parametrize("approved", [False, True])
def test_a_customer_in_doubt_keeps_a_draft_of_a_part_a_draft(w: World, approved: bool) -> None:
    """Whom the next part would be billed to nobody can say; an approved part has what it needs."""
    deal = sell(w, lines=LINES)
    if approved:
        w.overrides["mode"] = "full"
    w.run()
    w.books("create_contact", fields={"Name": "Other Pty"})
    w.books("archive_contact", contact="Other Pty")
    gone_to(w, deal, "Other Pty")
    w.overrides["mode"] = "full"
    w.run()
    assert codes(quiet(w)) == ([] if approved else ["contact_archived"])
    assert statuses(w, deal) == {"AUTHORISED" if approved else "DRAFT"}
