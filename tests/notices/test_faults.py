"""At most once, whatever happens to a message; what certainly never left is sent later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.notices.faults import DAY, WISHES, doubts, firm_with_debts, play, with_way
from tests.notices.firm import Firm
from tests.notices.post import CUTS, KNOWN

UNSURE = [cut for cut in CUTS if cut not in KNOWN]


@pytest.mark.parametrize("cut", CUTS)
def test_every_email_of_a_history_cut_at_each_moment(cut: str) -> None:
    for number in range(3):
        firm = play(WISHES, {number: cut})
        assert firm.post.met == [cut]


@pytest.mark.parametrize("cut", CUTS)
def test_a_chat_cut_at_each_moment(cut: str) -> None:
    assert play(with_way("slack"), {1: cut}).post.met == [cut]


@pytest.mark.parametrize("cut", ["refused", "within", "after", "kill before", "kill after"])
def test_a_digest_cut_at_each_moment(cut: str) -> None:
    assert play(with_way("email", digest=True), {0: cut}).post.met == [cut]


@pytest.mark.parametrize("cut", UNSURE)
def test_two_lost_in_a_row_are_both_named(cut: str) -> None:
    named = doubts(play(WISHES, {0: cut, 1: cut}).letters())
    assert named == {f"- INV-000{n}: 1 day after 2026-12-23" for n in (1, 2)}


def test_a_way_that_is_down_for_days_is_told_of_and_holds_up_nothing() -> None:
    with firm_with_debts(with_way("email")) as firm:
        firm.post.down = True
        firm.advance(DAY)
        report = firm.run()
        assert [i.code for i in report.issues] == ["way_down"]
        flags = [d for d in firm.pipedrive.company.all("deals") if "yes" in str(_values(firm, d))]
        assert len(flags) == 3  # the deals say it all the same
        firm.advance(DAY)
        firm.run()
        firm.post.down = False
        firm.advance(timedelta(minutes=5))
        report = firm.run()
        assert [i.code for i in report.issues] == []
        assert (
            sorted(letter.subject[9:].split(" is ")[1][:6] for letter in firm.letters())
            == ["2 days"] * 3
        )
        firm.run()
        assert len(firm.letters()) == 3


def _values(firm: Firm, deal: dict[str, Any]) -> Any:
    known = firm.pipedrive.company.fields["deals"]
    for code, value in (deal.get("custom_fields") or {}).items():
        if known[code]["field_name"] == "Invoice overdue":
            options = {o["id"]: o["label"] for o in known[code].get("options") or []}
            return options.get(value, value)
    return None


@pytest.mark.parametrize("way", ["email", "task", "slack"])
@pytest.mark.parametrize("how", ["restored", "lost"])
def test_a_state_that_remembers_nothing_tells_no_step_twice(way: str, how: str) -> None:
    with firm_with_debts(with_way(way)) as firm:
        firm.keep_state()
        firm.advance(DAY)
        for _ in range(2):  # the first step is told
            firm.run()
            firm.advance(timedelta(minutes=16))
        first = len(firm.letters()) + len(firm.tasks())
        assert first == 3
        firm.restore_state() if how == "restored" else firm.lose_state()
        for _ in range(6):
            firm.run()
            firm.advance(timedelta(minutes=16))
        assert len(firm.letters()) + len(firm.tasks()) == first
        for _ in range(3):  # and the next step is told, once
            firm.advance(DAY)
            for _ in range(2):
                firm.run()
                firm.advance(timedelta(minutes=16))
        assert len(firm.letters()) + len(firm.tasks()) == 2 * first
