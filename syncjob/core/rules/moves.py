"""Which stage a deal goes to because of its invoice: once a change of state, never undoing a
person's later move.

What the deal's own field said last is the memory: the move goes in the very write that brings that
field up to date, so that both land or neither does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from syncjob.core.actions import Issue, Move
from syncjob.core.policy_crm import MoveRule
from syncjob.core.records import CrmReference, Deal, Pipeline
from syncjob.core.rules.texts import one_line, subject_of

#: Where the state remembers a move that the CRM refused, beside the bases of the deal's fields.
REFUSED = "(refused move)"


class Reached(msgspec.Struct, frozen=True):
    """What a deal's invoice has reached, and of that what is new in this decision."""

    words: frozenset[str]
    new: frozenset[str]


def reached(values: Mapping[str, str | None], before: Mapping[str, str | None]) -> Reached:
    """The words for `when` by what the deal's fields are to say and what they said before, both
    by key of `crm.fields`."""

    def words(said: Mapping[str, str | None]) -> frozenset[str]:
        late = {"overdue"} if said.get("overdue") == "yes" else set()
        return frozenset(late | {said.get("status") or ""})

    now = words(values)
    return Reached(now, now - words(before))


def move_of(
    deal: Deal, rules: Sequence[MoveRule], state: Reached, crm: CrmReference, refused: str | None
) -> tuple[Move | None, Issue | None]:
    """The move that is due now, and what a person must look at. `refused` is the last move that
    the CRM refused, as `name_of` gives it."""
    issue = None
    for rule in rules:
        move = _target(deal, rule, crm) if rule.when in state.words else None
        if move is None:
            continue
        if refused == name_of(move):
            issue = issue or (None if deal.stage_id == move.stage_id else _refused(deal, move))
        elif rule.when in state.new:
            due = deal.stage_id != move.stage_id and not _backwards(deal, rule, move, crm)
            return (move if due else None), issue
    return None, issue


def name_of(move: Move) -> str:
    """A move as the state remembers it."""
    return f"{move.when} > {move.stage_id}"


def unknown_stages(rules: Sequence[MoveRule], crm: CrmReference) -> Iterator[tuple[int, str]]:
    """(rule, what is wrong) for each pipeline or stage that the CRM does not have."""
    for number, rule in enumerate(rules):
        pipelines = [
            p for p in crm.pipelines if rule.pipeline is None or _same(rule.pipeline, p.name)
        ]
        if not pipelines:
            yield number, f'There is no pipeline named "{rule.pipeline}".'
        elif not any(_stage(rule, pipeline) for pipeline in pipelines):
            where = f'The pipeline "{rule.pipeline}"' if rule.pipeline else "The CRM"
            yield number, f'{where} has no stage named "{rule.stage}".'
        elif all(stage[0] in p.unwon for p in pipelines if (stage := _stage(rule, p))):
            yield number, f'A deal in the stage "{rule.stage}" is not won, so none is moved there.'


def leads_out(
    rules: Sequence[MoveRule], pipelines: Collection[str], stages: Collection[str]
) -> Iterator[int]:
    """The rules that move a deal to where `invoices.when` lets nothing be invoiced."""
    for number, rule in enumerate(rules):
        out = bool(stages) and not any(_same(rule.stage, name) for name in stages)
        elsewhere = rule.pipeline is not None and bool(pipelines)
        if out or (elsewhere and not any(_same(rule.pipeline or "", name) for name in pipelines)):
            yield number


def _target(deal: Deal, rule: MoveRule, crm: CrmReference) -> Move | None:
    for pipeline in crm.pipelines:
        own = pipeline.id == deal.pipeline_id
        if own if rule.pipeline is None else _same(rule.pipeline, pipeline.name):
            stage = _stage(rule, pipeline)
            if stage and not (deal.status == "won" and stage[0] in pipeline.unwon):
                return Move(
                    when=rule.when, stage_id=stage[0], stage=stage[1], pipeline=pipeline.name
                )
    return None


def _stage(rule: MoveRule, pipeline: Pipeline) -> tuple[str, str] | None:
    return next((stage for stage in pipeline.stages if _same(rule.stage, stage[1])), None)


def _same(one: str, other: str) -> bool:
    return one_line(one).casefold() == one_line(other).casefold()


def _backwards(deal: Deal, rule: MoveRule, move: Move, crm: CrmReference) -> bool:
    """Whether the stage stands before the deal's own in one pipeline; two have no order."""
    if rule.backwards:
        return False
    for pipeline in crm.pipelines:
        order = [stage_id for stage_id, _ in pipeline.stages]
        if move.stage_id in order and deal.stage_id in order:
            return order.index(move.stage_id) < order.index(deal.stage_id)
    return False


def _refused(deal: Deal, move: Move) -> Issue:
    return Issue(
        code="move_refused", subject=subject_of(deal), page=deal.page, state="note",
        field="crm.moves",
        what=f'The CRM refused to move the deal to the stage "{move.stage}" ({move.pipeline}) '
        f"when its invoice was {move.when}; its fields were written.",
        next_step="Move it by hand if it belongs there; see that the token's user may use that "
        "pipeline.",
    )  # fmt: skip
