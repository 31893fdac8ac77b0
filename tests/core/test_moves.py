"""Which stage a deal goes to, over every pair of what was said and what is to be said."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import Action, DealChange, Wave
from syncjob.core.guard import Scale, verdict
from syncjob.core.identity import fingerprint
from syncjob.core.policy import Guard
from syncjob.core.policy_crm import MoveRule
from syncjob.core.records import CrmReference, Deal, Organisation, Pipeline
from syncjob.core.rules.moves import leads_out, move_of, name_of, reached, unknown_stages
from syncjob.core.rules.settlement import STATE_WORDS

CRM = CrmReference(
    organisation=Organisation(id="1", name="Acme"),
    pipelines=(
        Pipeline(id="1", name="Work", stages=(("11", "Offer"), ("12", "Done"), ("13", "Closed"))),
        Pipeline(id="2", name="Books", stages=(("21", "Open"), ("22", "Done"))),
    ),
)
STAGES = {"11": "1", "12": "1", "13": "1", "21": "2", "22": "2"}
WHEN = [word for word in STATE_WORDS if word not in ("not invoiced", "held")]


def deal(stage: str) -> Deal:
    return Deal(
        id="7", title="Roof", status="won", currency="AUD", value=Decimal(1),
        pipeline_id=STAGES[stage], stage_id=stage,
    )  # fmt: skip


said = st.fixed_dictionaries(
    {
        "status": st.sampled_from([None, *STATE_WORDS]),
        "overdue": st.sampled_from([None, "yes", "no"]),
    }
)
rules = st.lists(
    st.builds(
        MoveRule,
        when=st.sampled_from([*WHEN, "overdue"]),
        stage=st.sampled_from(["offer", "Done", "Closed", "Nowhere"]),
        pipeline=st.sampled_from([None, "Work", "books"]),
        backwards=st.booleans(),
    ),
    max_size=4,
)


@given(st.sampled_from(sorted(STAGES)), rules, said, said)
def test_only_to_what_is_new_never_backwards_unasked(stage, given_rules, now, before):
    state = reached(now, before)
    move, issue = move_of(deal(stage), given_rules, state, CRM, None)
    assert issue is None
    if move is None:
        return
    assert move.stage_id != stage
    assert (
        (now["overdue"] == "yes" != before["overdue"])
        if move.when == "overdue"
        else (now["status"] == move.when != before["status"])
    )
    rule = next(r for r in given_rules if r.when == move.when)
    same = [r for r in given_rules if r.when == move.when]
    if not any(r.backwards for r in same) and STAGES[move.stage_id] == STAGES[stage]:
        order = sorted(STAGES)
        assert order.index(move.stage_id) > order.index(stage)
    assert rule.stage.casefold() != "nowhere" or len(same) > 1


@given(st.sampled_from(sorted(STAGES)), rules, said)
def test_nothing_new_moves_nothing(stage, given_rules, now):
    assert move_of(deal(stage), given_rules, reached(now, now), CRM, None) == (None, None)


def test_a_refused_move_is_told_until_the_deal_is_there():
    rule = MoveRule(when="paid", stage="Done")
    new = reached({"status": "paid"}, {"status": "part-paid"})
    move, _ = move_of(deal("11"), [rule], new, CRM, None)
    assert move is not None
    refused = name_of(move)
    none, issue = move_of(deal("11"), [rule], new, CRM, refused)
    assert none is None
    assert issue is not None
    assert (issue.code, issue.state) == ("move_refused", "note")
    assert move_of(deal("12"), [rule], new, CRM, refused) == (None, None)
    gone = reached({"status": "part-paid"}, {"status": "paid"})
    assert move_of(deal("11"), [rule], gone, CRM, refused) == (None, None)


@pytest.mark.parametrize(
    ("rule", "pipelines", "stages", "out"),
    [
        (MoveRule(when="paid", stage="Done"), (), (), []),
        (MoveRule(when="paid", stage="Done"), (), ("done",), []),
        (MoveRule(when="paid", stage="Done"), (), ("Offer",), [0]),
        (MoveRule(when="paid", stage="Done", pipeline="Books"), ("Work",), (), [0]),
        (MoveRule(when="paid", stage="Done", pipeline="Work"), ("work",), (), []),
    ],
)
def test_what_leads_out_of_what_is_invoiced(rule, pipelines, stages, out):
    assert list(leads_out([rule], pipelines, stages)) == out


# --- the count of days --------------------------------------------------------------------------


def change(number: int, **fields: str | None) -> Action:
    names = {"days": "Days late", "amount": "Overdue amount", "status": "Status"}
    return Action(
        side="crm", wave=Wave.DEAL_STATUS, subject=f"deal:{number}", target=f"deal:{number}",
        payload=DealChange(
            deal_id=str(number), stamp_field="Synced", days_field="Days late",
            passing=("Days late", "Overdue amount"),
            fields={**{names[k]: v for k, v in fields.items()}, "Synced": "now"},
        ),
        reason="a test", before={name: "1" for name in names.values()},
    )  # fmt: skip


SCALE = Scale(first_week=False, linked=0)
GUARD = Guard(updates=5)


def test_a_day_more_is_no_large_plan():
    assert verdict([change(n, days="2") for n in range(500)], GUARD, SCALE) == []
    both = [change(n, days="2", status="paid") for n in range(6)]
    assert verdict(both, GUARD, SCALE) == ["6 deals would be changed; the limit is 5."]


def test_debts_that_are_settled_empty_their_fields_and_a_lost_mapping_others():
    many = Guard(updates=500)
    paid = [change(n, days=None, amount=None, status="paid") for n in range(50)]
    assert verdict(paid, many, SCALE) == []
    (said_,) = verdict([change(n, status=None) for n in range(11)], many, SCALE)
    assert "'Status' would be emptied" in said_


def test_what_was_refused_is_not_sent_again_for_a_day_more():
    assert fingerprint(change(1, days="2"), "") == fingerprint(change(1, days="3"), "")
    assert fingerprint(change(1, amount="2"), "") != fingerprint(change(1, amount="3"), "")


def test_a_won_deal_is_never_moved_to_where_it_would_not_be_won():
    moves = [MoveRule(when="paid", stage="Done")]
    state = reached({"status": "paid"}, {"status": "draft"})
    (work, books) = CRM.pipelines
    here = msgspec.structs.replace(
        CRM, pipelines=(msgspec.structs.replace(work, unwon=("11", "12")), books)
    )
    assert move_of(deal("11"), moves, state, CRM, None)[0] is not None
    assert move_of(deal("11"), moves, state, here, None) == (None, None)
    assert list(unknown_stages(moves, here)) == []  # the other pipeline's stage will do
    named = [MoveRule(when="paid", stage="Done", pipeline="Work")]
    assert list(unknown_stages(named, here)) == [
        (0, 'A deal in the stage "Done" is not won, so none is moved there.')
    ]
