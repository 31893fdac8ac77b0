"""What this batch would write, as one value: decided deal by deal, guarded as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import msgspec

from syncjob.core.actions import Action, ContactDraft, Decision, Issue
from syncjob.core.case import Case, Context
from syncjob.core.guard import FIRST_WEEK_DAYS, Scale, verdict
from syncjob.core.identity import plan_hash
from syncjob.core.plan import decide, needs_lines
from syncjob.core.rules.matching import email_key, look_alike, name_key
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch, mapping_hash
from syncjob.engine.by_id import chunks
from syncjob.engine.cases import GROUP, load_cases, load_context
from syncjob.engine.contacts.stage import COMPARED, decide_all, title_of
from syncjob.engine.nearby import alike_drafts
from syncjob.engine.overdue import due_summaries
from syncjob.engine.papers import emails_left
from syncjob.engine.recovery import creates_wait
from syncjob.engine.rows import note_row
from syncjob.engine.telling import in_messages
from syncjob.errors import GuardTripped


class Plan(msgspec.Struct, kw_only=True):
    """All writes that were foreseen, and why the rest waits or is left out."""

    actions: list[Action]
    subjects: list[str]
    customers: list[str]  # those of CRM and ledger that have something to do
    waits: dict[str, str]
    excluded: Counter[str]
    issues: list[Issue]
    stories: dict[str, tuple[str, ...]]
    titles: dict[str, str]
    hash: str = ""
    guard: tuple[str, ...] = ()
    replaced: int = 0  # customers' values that were never compared before and would be overwritten
    #: Of a plan that a person has seen: who applies it, for the audit, and whether a write, as it
    #: is decided once more with the earlier waves' answers, is still the one that was seen.
    applied: str = ""
    holds: Callable[[Action], bool] | None = None

    @property
    def allowed(self) -> set[tuple[str, str]]:
        """What the push may do: (kind, target)."""
        return {(action.kind, action.target) for action in self.actions}


def empty_plan() -> Plan:
    """A plan with nothing in it."""
    return Plan(
        actions=[], subjects=[], customers=[], waits={}, excluded=Counter(), issues=[],
        stories={}, titles={},
    )  # fmt: skip


def make_plan(
    batch: Batch, deals: Sequence[str], customers: Sequence[str] = (), *, dry: bool = False
) -> Plan:
    """Decide every deal and customer, note what follows from the decision, and weigh the whole.

    A dry run also shows what still has to wait before it may be created.
    """
    plan = empty_plan()
    context = load_context(batch)
    wait = creates_wait(batch)
    if dry and wait is not None:
        plan.waits["connection"], wait = wait, None
    for number, group in enumerate(chunks(deals, GROUP)):
        batch.progress("plan", number * GROUP, len(deals))
        with batch.state.commit():
            cases = {case.deal.id: case for case in load_cases(batch, group)}
            for deal in group:
                _decide(batch, plan, deal, cases.get(deal), context, wait)
    batch.progress("plan", len(deals), len(deals))
    _customers(batch, plan, customers, dry=dry)
    _one_of_look_alikes(batch, plan)
    plan.actions = _once(plan.actions)
    plan.actions = in_messages(batch, plan.actions) + due_summaries(batch)
    _limit_creates(batch, plan)
    _limit_emails(batch, plan)
    batch.waits = plan.waits
    plan.hash = batch.plan_hash = plan_hash(plan.actions)
    weigh(batch, plan)
    return plan


def weigh(batch: Batch, plan: Plan) -> None:
    """Say for which of the guard's limits the plan is too large."""
    plan.guard = tuple(verdict(plan.actions, batch.config.guard, _scale(batch, plan)))


def _decide(
    batch: Batch, plan: Plan, deal_id: str, case: Case | None, context: Context, wait: str | None
) -> None:
    if case is None:
        batch.state.snapshots.settled(deal_id)
        return
    decision = decide(case, context)
    subject = case.subject
    plan.titles[subject] = one_line(case.deal.title)
    plan.stories[subject] = decision.story
    _note(batch, plan, decision)
    actions = _without_creates(plan, decision, wait)
    if actions:
        plan.actions.extend(actions)
        plan.subjects.append(deal_id)
        # Until it is done: a day that woke the deal is used up, whatever stops this batch.
        batch.state.snapshots.want([deal_id], "it has something to do")
    elif subject in plan.waits:  # the day that woke it is used up just so
        batch.state.snapshots.want([deal_id], "it waits")
    else:
        batch.state.snapshots.settled(deal_id)
    wake = decision.wake_on
    batch.state.snapshots.wake(deal_id, wake.isoformat() if wake else None)


def _customers(batch: Batch, plan: Plan, customers: Sequence[str], *, dry: bool) -> None:
    """What contacts need in both directions, in the same plan, under the same guard."""
    for decision in decide_all(batch, customers, dry=dry):
        subject = decision.subject
        plan.stories[subject] = decision.story
        plan.issues.extend(decision.issues)
        plan.replaced += len(decision.replaced)
        if decision.waits:
            plan.waits[subject] = decision.waits
        if decision.actions or decision.issues:
            plan.titles[subject] = title_of(batch, subject)
        if decision.actions:
            plan.actions.extend(decision.actions)
            plan.customers.append(subject.removeprefix("contact:"))


def _note(batch: Batch, plan: Plan, decision: Decision) -> None:
    """Issues open and close with the decision; what waits keeps its place."""
    if decision.waits:
        plan.waits[decision.subject] = decision.waits
        return
    shown = [issue for issue in decision.issues if issue.state != "excluded"]
    plan.excluded.update(i.code for i in decision.issues if i.state == "excluded")
    plan.issues.extend(shown)
    _tell(batch, decision)


def _tell(batch: Batch, decision: Decision) -> None:
    """The deal's open issues are those of its newest decision; call it inside a commit."""
    shown = [issue for issue in decision.issues if issue.state != "excluded"]
    batch.raise_issues(shown)
    batch.state.book.close_issues(
        decision.subject, keep={issue.code for issue in shown}, at=batch.clock.now()
    )


def _once(actions: Sequence[Action]) -> list[Action]:
    """Several deals of a new customer ask for the same contact: it is one write."""
    first: dict[tuple[str, str], Action] = {}
    for action in actions:
        first.setdefault((action.kind, action.target), action)
    return list(first.values())


def _without_creates(plan: Plan, decision: Decision, wait: str | None) -> list[Action]:
    """While nothing may be created, a deal that needs a create waits with all that follows."""
    first = min((action.wave for action in decision.actions if action.creates), default=None)
    if wait is None or first is None:
        return list(decision.actions)
    plan.waits[decision.subject] = wait
    return [action for action in decision.actions if action.wave < first]


def _limit_creates(batch: Batch, plan: Plan) -> None:
    """`--max-creates`: the first so many new invoices, the rest keep their place."""
    limit = batch.options.max_creates
    if limit is None:
        return
    makers = [a for a in plan.actions if a.kind == "invoice.create"]
    why = f"this run creates {limit} invoices at most (--max-creates)"
    first = {action.subject for action in makers[:limit]}
    _postpone(plan, {a.subject: why for a in makers[limit:] if a.subject not in first})
    late = {a.target for a in makers[limit:] if a.subject in first}  # further parts of one deal
    plan.actions = [a for a in plan.actions if a.target not in late]


def _limit_emails(batch: Batch, plan: Plan) -> None:
    """No more e-mails than the day has left; the rest are decided again tomorrow."""
    left = emails_left(batch)
    mails = [action for action in plan.actions if action.kind == "invoice.email"]
    if len(mails) > left:
        late = {action.target for action in mails[left:]}
        plan.actions = [action for action in plan.actions if action.target not in late]


def _one_of_look_alikes(batch: Batch, plan: Plan) -> None:
    """Two new customers that may be one: the later waits until the first is in the ledger, where
    the rules then judge it by what stands there."""
    first: dict[str, tuple[str, ContactDraft]] = {}
    late: dict[str, str] = {}
    for action in plan.actions:
        draft = action.payload
        if not isinstance(draft, ContactDraft):
            continue
        keys = [f"name {name_key(draft.name)}", f"email {email_key(draft.email)}"]
        for key in keys[: 2 if email_key(draft.email) else 1]:
            target, other = first.setdefault(key, (action.target, draft))
            if target != action.target and look_alike(draft, other):
                late[action.subject] = f"its customer may be {other.name!r}, which is created first"
    for subject, name in _matched(batch, plan):
        late.setdefault(subject, f"its customer may be {name!r}, which is created first")
    _postpone(plan, late)


def _matched(batch: Batch, plan: Plan) -> Iterator[tuple[str, str]]:
    """Subjects whose new customer is certainly one with an earlier new one, and that one's name."""
    made = [(a.subject, a.payload) for a in plan.actions if isinstance(a.payload, ContactDraft)]
    found = alike_drafts(batch, list({draft.marker: draft for _, draft in made}.values()))
    for subject, draft in made:
        if draft.marker in found:
            yield subject, found[draft.marker].name


def _postpone(plan: Plan, late: dict[str, str]) -> None:
    """Take these subjects out of the plan; they keep their place for the next batch."""
    plan.actions = [action for action in plan.actions if action.subject not in late]
    plan.subjects = [deal for deal in plan.subjects if f"deal:{deal}" not in late]
    plan.waits.update(late)


def _scale(batch: Batch, plan: Plan) -> Scale:
    book = batch.state.book
    born, now = book.instant("born"), batch.ledger.server_time() or batch.clock.now()
    known = book.fact("mapping_hash")
    return Scale(
        first_week=born is None or now - born < timedelta(days=FIRST_WEEK_DAYS),
        linked=batch.state.links.live_count(),
        mapping_changed=known is not None and known != mapping_hash(batch.config),
        side_empty=batch.side_empty,
        replaced=0 if book.fact(COMPARED) else plan.replaced,
    )


def check_guard(batch: Batch, plan: Plan) -> None:
    """Stop before the first write if the plan is too large and nobody has accepted it.

    Raises GuardTripped. An accepted plan that has changed since is not the accepted plan.
    """
    accepted = batch.options.accept
    if accepted is not None and accepted == plan.hash:
        release(batch, plan)
        with batch.state.commit():
            batch.state.book.note("mapping_hash", mapping_hash(batch.config))
        return
    if accepted is not None and plan.actions:
        raise GuardTripped(
            f"The plan is not the accepted one any more: it is now {plan.hash}.",
            plan_hash=plan.hash,
            next_step=f"Look at `syncjob plan`, then `syncjob run --accept {plan.hash}`.",
        )
    if plan.guard:
        raise GuardTripped(
            "Nothing was written: " + " ".join(plan.guard),
            plan_hash=plan.hash,
            next_step=f"Look at `syncjob plan`; if it is right, `syncjob run --accept "
            f"{plan.hash}` does exactly that.",
        )


def release(batch: Batch, plan: Plan) -> None:
    """A person has accepted this plan, whatever the guard says: who and when is kept."""
    batch.log.warning("guard.accepted", plan=plan.hash, who=batch.options.who)
    with batch.state.commit():
        batch.state.book.record(
            batch=batch.id, at=batch.clock.now(), side="us", target=f"plan:{plan.hash}",
            subject="connection", changes={"accepted": (None, plan.hash)},
            reason=f"accepted by {batch.options.who or 'somebody'}", intent=None,
        )  # fmt: skip
        batch.state.decisions.done(
            f"accept:{plan.hash}", "connection", who=batch.options.who or "somebody",
            reason=batch.options.reason, at=batch.clock.now(), batch=batch.id,
            outcome=" ".join(plan.guard) or "within the limits",
        )  # fmt: skip


def settle_quiet(batch: Batch, deals: Sequence[str]) -> None:
    """Decide these deals once more from the state; those with nothing left to do are settled.

    A deal that our own write's answer showed won again is not: it has to be read with its lines.
    """
    context = load_context(batch)
    for group in chunks(deals, GROUP):
        with batch.state.commit():
            cases = {case.deal.id: case for case in load_cases(batch, group)}
            for deal in group:
                case = cases.get(deal)
                decision = decide(case, context) if case else None
                if (
                    case is None
                    or decision is None
                    or not (decision.actions or decision.waits or needs_lines(case, context))
                ):
                    batch.state.snapshots.settled(deal)
                if decision is not None:
                    if not decision.waits:
                        _tell(batch, decision)
                    wake = decision.wake_on
                    batch.state.snapshots.wake(deal, wake.isoformat() if wake else None)
                note_row(batch, deal, case)
