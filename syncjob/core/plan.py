"""What one deal needs now: every write in order, each with its reason, or why there is none.

`decide` is asked twice: before the first write, where each step is followed by the answer the
ledger is expected to give (that is the plan that a dry run shows and the guard counts), and before
each wave of the push with the real answers in the state. Keeps invariants 1, 6, 7, 8 and 10.

A deal has parts, each of them one invoice (core/parts); most deals have one, the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from syncjob.core.actions import Decision, Issue
from syncjob.core.afterwards import afterwards, needs_recurring_lines, repeated
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.deal_status import deal_change
from syncjob.core.exclusion import excluded, leave_out
from syncjob.core.holds import two_invoices, unreadable
from syncjob.core.making import Making, Refused
from syncjob.core.parts import Told, existing, made, second_ones
from syncjob.core.placing import in_parts
from syncjob.core.records import DEAD, Invoice
from syncjob.core.revising import may_be_revised
from syncjob.core.rules.changes import ENDED_BY_PERSON
from syncjob.core.rules.settlement import next_due_day
from syncjob.core.rules.whole import may_be_authorised
from syncjob.core.scheduled import Parts, decide_parts
from syncjob.core.telling import tell
from syncjob.core.timeline import note_happenings
from syncjob.errors import Held


def decide(case: Case, context: Context) -> Decision:
    """All writes for this deal, in order, as far as they can be foreseen, and all issues."""
    making = Making(case, context, [], [], [])
    if case.busy:
        return making.done(waits="the outcome of the last write is still being found out")
    if case.rivals:
        return _merged(making)
    parts = _in_parts(making) if in_parts(case, context) else Parts([_whole(making)])
    told = [one.invoice for one in parts.told if one.invoice is not None]
    issues = [one.issue for one in parts.told if one.issue is not None]
    standing = [(t.part, t.invoice) for t in parts.told if t.part is not None and t.invoice]
    repeats = afterwards(making, standing)
    live = [invoice for invoice in (*told, *repeats) if invoice.status not in DEAD]
    invoices = live or [*told, *repeats][-1:]
    if parts.known:
        shown = next((issue for issue in issues if issue.state == "held"), None)
        _bring_deal_up_to_date(making, invoices, shown or next(iter(issues), None), parts.to_come)
    tell(making, repeats)
    note_happenings(making, [*told, *repeats])
    return making.done(wake_on=_wake(making, invoices))


def _merged(making: Making) -> Decision:
    """Two deals with an invoice each are one now: nothing is made, changed or taken back before a
    person has decided, and nobody is told of a debt that may be one too many; the deal's fields
    say so, and how all their invoices stand."""
    case, issue = making.case, None
    if "never" not in case.answers:
        issue = making.held(two_invoices(case))
    repeats = repeated(making)
    invoices = [*case.standing_invoices, *repeats]
    _bring_deal_up_to_date(making, invoices, issue, None)
    if issue is None:
        tell(making, repeats)
    note_happenings(making, invoices)
    return making.done(wake_on=_wake(making, invoices))


def _in_parts(making: Making) -> Parts:
    case, stopped = making.case, None
    if case.deal.status == "won":
        stopped = excluded(case, making.context)
    try:
        return decide_parts(making, stopped)
    except Refused as refused:
        making.issues.append(refused.issue)
        return Parts([Told(invoice, refused.issue) for invoice in case.shown])


def needs_lines(case: Case, context: Context) -> bool:
    """Whether this deal can only be decided with its lines (read in bulk by the engine)."""
    if case.complete or case.busy or case.deal.status != "won":
        return False
    if case.live and in_parts(case, context):
        return excluded(case, context) is None
    if case.deal.archived:
        return False
    if not case.live:
        return excluded(case, context) is None
    if needs_recurring_lines(case, context) or may_be_revised(case):
        return True
    # An approved invoice cannot follow any more, and lines change without the deal's stamp.
    return (
        any(invoice.status == "draft" for invoice in case.invoices)
        and may_be_authorised(context.policy)
        and context.mode == "full"
    )


def _wake(making: Making, invoices: Sequence[Invoice]) -> date | None:
    """The day on which to decide again unasked: each batch while an approval waits for the
    ledger's plan, else when an invoice falls due or the day of the next part comes."""
    context = making.context
    if context.approvals_wait and context.approvals_wait in making.story:
        return context.today
    days = [next_due_day(invoice, context.overdue) for invoice in invoices]
    if context.fields.overdue_days and any(day and day <= context.today for day in days):
        making.wake(context.today + timedelta(days=1))  # one day more
    later = [day for day in days if day and day > context.today]
    return min([*making.wakes, *later], default=None)


def _whole(making: Making) -> Told:
    """The deal as one invoice."""
    part = next((part for part in making.case.parts if part.key == ""), PartCase())
    try:
        for other in making.case.parts:
            second_ones(making, other)
        return _invoice(making, part)._replace(part=part)
    except Refused as refused:
        making.issues.append(refused.issue)
        return Told(part.invoice, refused.issue, part)
    except Held as held:
        issue = making.held(held)
        # An invoice that a person ended is still what there is to tell; one of ours is not.
        shown = part.last if held.code in ENDED_BY_PERSON else None
        return Told(part.invoice or shown, issue, part)


def _invoice(making: Making, part: PartCase) -> Told:
    case = making.case
    if part.invoice is not None:
        return existing(making, part, part.invoice)
    if case.deal.status != "won":
        making.story.append(f"the deal is {case.deal.status}, not won")
        return Told(part.last, None)
    rule = excluded(case, making.context)
    if rule is not None:
        leave_out(making, rule)
        return Told(part.last, rule)
    if case.deal.archived:
        making.issues.append(_archived(case))
        return Told(part.last, None)
    if not case.complete:  # hidden for a moment, or from the token's user: never forgotten
        raise unreadable()
    return made(making, part)


def _archived(case: Case) -> Issue:
    """A deal that was put away before it was invoiced: most likely nobody meant that."""
    return Issue(
        code="won_but_archived", subject=case.subject, page=case.deal.page, state="note",
        what="The deal was won, and archived before it had an invoice.",
        next_step="Un-archive it in the CRM and it is invoiced; or, if it is never to be, "
        f"`syncjob resolve deal {case.deal.id} --never`.",
    )  # fmt: skip


def _bring_deal_up_to_date(
    making: Making, invoices: Sequence[Invoice], issue: Issue | None, to_come: str | None
) -> None:
    """Write what is true to the deal's own fields, if they say anything else."""
    found, unmoved = deal_change(making.case, making.context, invoices, issue, to_come)
    if unmoved is not None:
        making.issues.append(unmoved)
    if isinstance(found, Issue):
        making.issues.append(found)
    elif found is not None:
        try:
            making.append(found)
        except Refused as refused:
            making.issues.append(refused.issue)
