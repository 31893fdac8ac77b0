"""What a batch would write, as one value, and how its parts are decided, deal by deal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from syncjob.core.actions import Action, ContactDraft, Decision, Issue
from syncjob.core.case import Case, Context
from syncjob.core.digests import Digests
from syncjob.core.holds import unreadable
from syncjob.core.plan import decide, needs_lines
from syncjob.core.rules.matching import email_key, look_alike, name_key
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import chunks
from syncjob.engine.cases import GROUP, load_cases, load_context
from syncjob.engine.contacts.stage import decide_all, title_of
from syncjob.engine.nearby import alike_drafts
from syncjob.engine.rows import note_rows

#: What is not done for a deal whose lines could not be read.
_NEEDS_LINES = frozenset({"invoice.approve", "invoice.update", "invoice.email", "template.create"})


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
    size: int = 0  # writes of the whole, of which `actions` may hold none (engine/weighing)
    #: Whether a part of what was decided is left out, which must not take what follows along.
    partial: bool = False
    before: int = 0  # writes of the whole that went before these, for who watches
    replaced: int = 0  # customers' values that were never compared before and would be overwritten
    #: Of a plan that a person has seen: who applies it, for the audit, and whether a write, as it
    #: is decided once more with the earlier waves' answers, is still the one that was seen.
    applied: str = ""
    holds: Callable[[Action], bool] | None = None

    def join(self, part: Plan) -> None:
        """Take in a part, all of it."""
        self.actions += part.actions
        self.subjects += part.subjects
        self.customers += part.customers
        self.waits |= part.waits
        self.excluded += part.excluded
        self.issues += part.issues
        self.stories |= part.stories
        self.titles |= part.titles

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


def decide_deals(
    batch: Batch, plan: Plan, deals: Sequence[str], context: Context, wait: str | None,
    *, progress: tuple[int, int] | None = None,
) -> None:  # fmt: skip
    """Decide every deal and note what follows from the decision. `wait`: why nothing may be
    created; `progress`: how many are decided before these, and of how many, to be shown."""
    for number, group in enumerate(chunks(deals, GROUP)):
        _show(batch, progress, number * GROUP)
        with batch.state.commit():
            cases = {case.deal.id: case for case in load_cases(batch, group)}
            follows = _Follows(batch, group)
            for deal in group:
                _decide(plan, deal, cases.get(deal), context, wait, follows)
            follows.write()
    _show(batch, progress, len(deals))


def _show(batch: Batch, progress: tuple[int, int] | None, done: int) -> None:
    if progress is not None:
        batch.progress("plan", progress[0] + done, progress[1])


class _Follows:
    """What the decisions on a group of deals mean for the state, written in a few statements for
    all of them; call it inside the commit."""

    def __init__(self, batch: Batch, group: Sequence[str]) -> None:
        self.batch = batch
        self._told_of = batch.state.issues.told_of(f"deal:{deal}" for deal in group)
        self._settled: list[str] = []
        self._busy: list[str] = []
        self._waiting: list[str] = []
        self._days: dict[str, str | None] = {}
        self._unread: set[str] = set()

    def settled(self, deal: str) -> None:
        """Nothing is left to do for it; in read_only nobody can say so, since nothing of what
        would be written is decided (core/deal_status, core/telling), on the day that woke it
        neither."""
        if self.batch.config.mode == "read_only":
            self.waits(deal)
        else:
            self._settled.append(deal)

    def busy(self, deal: str) -> None:
        """Until it is done: a day that woke the deal is used up, whatever stops this batch."""
        self._busy.append(deal)

    def waits(self, deal: str) -> None:
        """The day that woke it is used up just so."""
        self._waiting.append(deal)

    def decided(self, deal: str, decision: Decision) -> None:
        """When it is decided again unasked, and what is never noted in its timeline."""
        self._days[deal] = decision.wake_on.isoformat() if decision.wake_on else None
        for marker in decision.passed_over:
            self.batch.state.papers.add_note(marker, deal, batch=self.batch.id)

    def unread(self, subject: str) -> None:
        """Its decision knows too little to close an issue."""
        self._unread.add(subject)

    def tell(self, decision: Decision) -> None:
        """The deal's open issues are those of its newest decision."""
        shown = [issue for issue in decision.issues if issue.state != "excluded"]
        if not (shown or decision.subject in self._told_of):
            return
        self.batch.raise_issues(shown)
        if decision.subject not in self._unread:
            self.batch.state.book.close_issues(
                decision.subject, keep={issue.code for issue in shown}, at=self.batch.clock.now()
            )

    def write(self) -> None:
        """Once all of them are decided."""
        snapshots = self.batch.state.snapshots
        snapshots.settled(self._settled)
        snapshots.want(self._busy, "it has something to do")
        snapshots.want(self._waiting, "it waits")
        snapshots.wake(self._days)


def _decide(
    plan: Plan, deal_id: str, case: Case | None, context: Context, wait: str | None,
    follows: _Follows,
) -> None:  # fmt: skip
    if case is None:
        follows.settled(deal_id)
        return
    decision = decide(case, context)
    if case.live and needs_lines(case, context):
        decision = _unread(case, decision)
        follows.unread(case.subject)
    subject = case.subject
    plan.titles[subject] = one_line(case.deal.title)
    plan.stories[subject] = decision.story
    _note(plan, decision, follows)
    actions = _without_creates(plan, decision, wait)
    if actions:
        plan.actions.extend(actions)
        plan.subjects.append(deal_id)
        follows.busy(deal_id)
    elif subject in plan.waits:
        follows.waits(deal_id)
    else:
        follows.settled(deal_id)
    follows.decided(deal_id, decision)


def _unread(case: Case, decision: Decision) -> Decision:
    """What may be done for a deal whose lines were to be read, and the CRM did not show it: nobody
    knows whether its invoice still says what it says, so nothing is approved or sent out. Open
    issues stay, and it is tried again within the hour."""
    held = unreadable()
    issue = Issue(
        code=held.code, subject=case.subject, what=held.what, next_step=held.next_step,
        page=case.deal.page, state="note",
    )  # fmt: skip
    actions = tuple(a for a in decision.actions if a.kind not in _NEEDS_LINES)
    issues = (*(i for i in decision.issues if i.code != issue.code), issue)
    return msgspec.structs.replace(decision, actions=actions, issues=issues)


def decide_customers(
    batch: Batch, plan: Plan, customers: Sequence[str], *, dry: bool, seen: Digests
) -> None:
    """What contacts need in both directions, in the same plan, under the same guard; `seen` are
    the subjects that were decided before."""
    for decision in decide_all(batch, customers, dry=dry, seen=seen):
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


def _note(plan: Plan, decision: Decision, follows: _Follows) -> None:
    """Issues open and close with the decision; what waits keeps its place."""
    if decision.waits:
        plan.waits[decision.subject] = decision.waits
        return
    shown = [issue for issue in decision.issues if issue.state != "excluded"]
    plan.excluded.update(i.code for i in decision.issues if i.state == "excluded")
    plan.issues.extend(shown)
    follows.tell(decision)


def once(actions: Sequence[Action]) -> list[Action]:
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


def limit_creates(batch: Batch, plan: Plan, left: int | None) -> int | None:
    """`--max-creates`: the first so many new invoices, the rest keep their place. Says how many
    are left to the next part of the plan; None: there is no limit."""
    if left is None:
        return None
    makers = [a for a in plan.actions if a.kind == "invoice.create"]
    why = f"this run creates {batch.options.max_creates} invoices at most (--max-creates)"
    first = {action.subject for action in makers[:left]}
    postpone(plan, {a.subject: why for a in makers[left:] if a.subject not in first})
    late = {a.target for a in makers[left:] if a.subject in first}  # further parts of one deal
    plan.actions = [a for a in plan.actions if a.target not in late]
    return left - min(left, len(makers))


def limit_emails(plan: Plan, left: int) -> int:
    """No more e-mails than the day has left; the rest are decided again tomorrow. Says how many
    are left to the next part of the plan."""
    mails = [action for action in plan.actions if action.kind == "invoice.email"]
    late = {action.target for action in mails[left:]}
    plan.actions = [action for action in plan.actions if action.target not in late]
    return left - min(left, len(mails))


def one_of_look_alikes(batch: Batch, plan: Plan) -> None:
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
    postpone(plan, late)


def _matched(batch: Batch, plan: Plan) -> Iterator[tuple[str, str]]:
    """Subjects whose new customer is certainly one with an earlier new one, and that one's name."""
    made = [(a.subject, a.payload) for a in plan.actions if isinstance(a.payload, ContactDraft)]
    found = alike_drafts(batch, list({draft.marker: draft for _, draft in made}.values()))
    for subject, draft in made:
        if draft.marker in found:
            yield subject, found[draft.marker].name


def postpone(plan: Plan, late: dict[str, str]) -> None:
    """Take these subjects out of the plan; they keep their place for the next batch."""
    plan.actions = [action for action in plan.actions if action.subject not in late]
    plan.subjects = [deal for deal in plan.subjects if f"deal:{deal}" not in late]
    plan.waits.update(late)


def settle_quiet(batch: Batch, deals: Sequence[str]) -> None:
    """Decide these deals once more from the state; those with nothing left to do are settled.

    A deal that our own write's answer showed won again is not: it has to be read with its lines.
    """
    context = load_context(batch)
    for group in chunks(deals, GROUP):
        with batch.state.commit():
            cases = {case.deal.id: case for case in load_cases(batch, group)}
            follows = _Follows(batch, group)
            for deal in group:
                _settle(deal, cases.get(deal), context, follows)
            follows.write()
            note_rows(batch, group, cases)


def _settle(deal: str, case: Case | None, context: Context, follows: _Follows) -> None:
    if case is None:
        follows.settled(deal)
        return
    decision = decide(case, context)
    if not (decision.actions or decision.waits or needs_lines(case, context)):
        follows.settled(deal)
    if not decision.waits:
        follows.tell(decision)
    follows.decided(deal, decision)
