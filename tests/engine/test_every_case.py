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
from syncjob.core.case import Case, Context, PartCase
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

    # One is only made of what was refused before: so each write was, in another form.
    issue = Issue(code="refused", subject=case.subject, what="No.", next_step="Mend it.")
    before = {target: ("", issue) for _, target in writes(decide(case, context))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "fingerprint", noting)
        decide(msgspec.structs.replace(case, parked={**before, **case.parked}), context)
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


def with_drafts(decided: list[Decided]) -> Iterator[tuple[Case, Context, PartCase]]:
    """The cases of which a part has an untouched draft of ours, with that part."""
    for case, context in decided:
        for part in case.parts:
            if part.invoice is not None and part.invoice.status == "draft" and part.marker:
                yield case, context, part


def swapped(case: Case, part: PartCase, **changes: object) -> Case:
    changed = msgspec.structs.replace(part, **changes)
    parts = tuple(changed if one is part else one for one in case.parts)
    return msgspec.structs.replace(case, parts=parts)


def refused_once(case: Case, context: Context, write: Write) -> None:
    """It is decided, and after a refusal told and not sent again."""
    assert write in writes(decide(case, context))
    issue = Issue(code="refused", subject=case.subject, what="No.", next_step="Mend it.")
    parked = {**case.parked, write[1]: (prints(case, context)[write], issue)}
    after = decide(msgspec.structs.replace(case, parked=parked), context)
    assert write not in writes(after)
    assert "refused" in {one.code for one in after.issues}


def test_a_second_draft_that_the_ledger_does_not_let_go(decided: list[Decided]) -> None:
    for case, context, part in with_drafts(decided):
        assert part.invoice is not None
        second = msgspec.structs.replace(part.invoice, id="00000000-0000-4000-8000-00000000abcd")
        refused_once(
            swapped(case, part, extra=(second,)), context,
            ("invoice.delete", f"invoice:{second.id}"),
        )  # fmt: skip


def test_a_draft_of_a_part_that_is_gone_and_does_not_go(decided: list[Decided]) -> None:
    for case, context, part in with_drafts(decided):
        if part.key and case.deal.status == "won" and case.complete:
            gone = swapped(case, part, key="no such part", name="no such part")
            write = ("invoice.delete", f"invoice:{part.marker}")
            if write in writes(decide(gone, context)):
                refused_once(gone, context, write)
