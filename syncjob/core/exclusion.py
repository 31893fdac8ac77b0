"""The rules by which a deal is not invoiced, asked before its invoice is made and once it is there.

A rule that applies only afterwards takes nothing back: the invoice stays as it is, nothing of ours
goes on with it (no approval, e-mail or repeating invoice), and a person is told.
"""

from __future__ import annotations

from datetime import timedelta

from syncjob.core.actions import Issue
from syncjob.core.case import Case, Context
from syncjob.core.making import Making
from syncjob.core.rules.eligibility import eligible, left_out
from syncjob.core.rules.matching import name_key


def excluded(case: Case, context: Context) -> Issue | None:
    """The rule by which this won deal is not invoiced, if there is one."""
    if "never" in case.answers:
        return Issue(
            code="never", subject=case.subject, state="excluded",
            what="A person decided that this deal is never invoiced.",
            next_step=f"`syncjob resolve deal {case.deal.id} --create` takes that back.",
        )  # fmt: skip
    return eligible(
        case.deal, context.policy, context.inputs, context.crm, _customer(case), context.zone,
        relinked=case.relinked,
    )  # fmt: skip


def leave_out(making: Making, rule: Issue) -> None:
    """Note that the deal is not invoiced by this rule. A customer's new name moves no stamp of its
    deals, so what is left out by the name is looked at again the next day."""
    making.issues.append(rule)
    making.story.append(rule.what)
    if rule.code == "excluded_by_organizations":
        making.wake(making.context.today + timedelta(days=1))


def excluded_later(case: Case, context: Context) -> Issue | None:
    """The rule that says of a won deal with an invoice that it is not to have one; None if there
    is none, or a person has said that the deal is theirs.

    Where it was won and in which stage it is are no such rules: what was invoiced moves on, by
    `crm.moves` for one, and into a pipeline that is excluded, too.
    """
    if case.deal.status != "won" or "never" in case.answers:
        return None
    moved = {"pipelines"} if _moved_there(case, context) else set[str]()
    return left_out(
        case.deal, context.policy, context.inputs, context.crm, _customer(case), but=moved
    )


def note_excluded(making: Making, rule: Issue, words: str, page: str | None) -> Issue:
    """Tell that this rule was met after the invoice was made, and what is not done therefore."""
    case = making.case
    name = rule.code.removeprefix("excluded_by_")
    back = f'empty its field "{rule.field}"' if rule.field else f"change invoices.exclude.{name}"
    issue = Issue(
        code="excluded_after_invoice", subject=case.subject, state="note", field=rule.field,
        page=page or case.deal.page, what=f"{rule.what} {words}",
        next_step="If the deal is not to be invoiced, delete, void or credit what the ledger has "
        f"of it; else {back}; or `syncjob resolve deal {case.deal.id} --never` leaves it to you.",
    )  # fmt: skip
    making.issues.append(issue)
    making.story.append(issue.what.rstrip("."))
    return issue


def _customer(case: Case) -> str | None:
    return case.party.name if case.party else None


def _moved_there(case: Case, context: Context) -> bool:
    """Whether a rule of ours moves deals into this deal's pipeline once they have an invoice."""
    own = next((p.name for p in context.crm.pipelines if p.id == case.deal.pipeline_id), None)
    return any(move.pipeline and name_key(move.pipeline) == name_key(own) for move in context.moves)
