"""Every case that some histories decide, decided again in two ways that no server would think of.

With each of its writes refused before: it is not sent again, the issue is told, and no other write
is held up by it. And with books that have lost their accounts and rates: nothing is made that
needs them, which is told, and nothing breaks.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from syncjob.core import making, plan
from syncjob.core.actions import Action, Decision, Issue
from syncjob.core.case import Case, Context
from syncjob.core.plan import decide
from syncjob.engine import planning, push
from tests.sim.features import Features
from tests.sim.histories import BIG, GADGET, HISTORIES, History, books, crm, sell

#: Between them they have every kind of write to a deal's papers and fields.
NAMES = (
    "in three parts", "changed between its parts", "changed after its invoice", "repeating",
    "lost and won within a batch", "approved by rule", "told of an overdue invoice",
)  # fmt: skip
PARTS = Features(schedule=True)
OWN = (
    History("parts that follow, then go", (
        lambda w: sell(w, "Acme Pty", BIG), crm("add_line", **GADGET), crm("lose"),
    ), features=PARTS),
    History("parts of which one is ended", (
        lambda w: sell(w, "Acme Pty", BIG), books("void"), crm("add_line", **GADGET),
    ), "full", "authorised", features=PARTS),
)  # fmt: skip
Decided = tuple[Case, Context]


@pytest.fixture(scope="module", params=(*NAMES, *(one.name for one in OWN)))
def decided(request: pytest.FixtureRequest) -> Iterator[list[Decided]]:
    """Every case of a history in which something is written, each kind of it once a batch."""
    (history,) = [one for one in (*HISTORIES, *OWN) if one.name == request.param]
    found: dict[object, Decided] = {}

    def noting(case: Case, context: Context) -> object:
        decision = decide(case, context)
        wrote = tuple(sorted((a.kind, a.target) for a in decision.actions))
        if wrote:
            found.setdefault((context.stamp, wrote), (case, context))
        return decision

    patch = pytest.MonkeyPatch()
    for module in (planning, push):
        patch.setattr(module, "decide", noting)
    with history.world() as world:
        for step, deeds in enumerate(history.steps):
            deeds(world)
            history.run(world, step, {})
    patch.undo()
    assert found
    yield list(found.values())


#: A write: its kind and its target.
Write = tuple[str, str]


def writes(decision: Decision) -> set[Write]:
    return {(action.kind, action.target) for action in decision.actions}


def prints(case: Case, context: Context) -> dict[Write, str]:
    """The fingerprint of each write of the case."""
    known: dict[Write, str] = {}
    real = making.fingerprint

    def noting(action: Action, *given: object, **named: object) -> str:
        found = real(action, *given, **named)  # type: ignore[arg-type]
        known[action.kind, action.target] = found
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "fingerprint", noting)
        decide(case, context)
    return known


def test_a_refused_write_stops_itself_only(decided: list[Decided]) -> None:
    for case, context in decided:
        before = writes(decide(case, context))
        for write, known in prints(case, context).items():
            issue = Issue(code="refused", subject=case.subject, what="No.", next_step="Mend it.")
            parked = {**case.parked, write[1]: (known, issue)}
            after = decide(msgspec.structs.replace(case, parked=parked), context)
            assert write not in writes(after)
            if write in before:
                assert "refused" in {one.code for one in after.issues}, (write, after.issues)
            others = {kind for kind, _ in before} | {"deal.update"}
            assert {kind for kind, _ in writes(after)} <= others, write


def test_books_that_lost_what_lines_need(decided: list[Decided]) -> None:
    for case, context in decided:
        bare = msgspec.structs.replace(context.ledger, accounts=(), tax_rates=())
        found = decide(case, msgspec.structs.replace(context, ledger=bare))
        made = {kind for kind, _ in writes(found)}
        assert not made & {"invoice.create", "invoice.update", "template.create"}, found.actions
        before = {kind for kind, _ in writes(decide(case, context))}
        if before & {"invoice.create", "invoice.update"}:
            assert found.issues, case.deal.id


def test_the_histories_write_everything_that_can_be_refused() -> None:
    """What is tried above is what `plan` decides, and not another function of that name."""
    assert planning.decide is push.decide is plan.decide
