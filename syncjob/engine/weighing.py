"""A plan is weighed whole before its first write, however large: decided in steps of which only
sums are kept, and a few bytes of each write, by which it is known again when it is written.

Keeps invariants 10 and 12: the guard counts all that would be written, the plan's name covers it,
and what the pass did not foresee is not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from syncjob.core.actions import Action, ContactDraft, Message
from syncjob.core.digests import Digests
from syncjob.core.guard import FIRST_WEEK_DAYS, Scale, Tally, verdict_of
from syncjob.core.identity import PlanName
from syncjob.core.markers import contact_of_marker
from syncjob.engine.batch import Batch, mapping_hash
from syncjob.engine.cases import load_context
from syncjob.engine.contacts.stage import COMPARED
from syncjob.engine.nearby import note_near
from syncjob.engine.overdue import due_summaries
from syncjob.engine.papers import emails_left
from syncjob.engine.planning import (
    Plan,
    decide_customers,
    decide_deals,
    empty_plan,
    limit_creates,
    limit_emails,
    once,
    one_of_look_alikes,
    postpone,
)
from syncjob.engine.recovery import creates_wait
from syncjob.engine.share import Step, steps
from syncjob.engine.telling import in_messages
from syncjob.errors import GuardTripped


def make_plan(
    batch: Batch, deals: Sequence[str], customers: Sequence[str] = (), *, dry: bool = False
) -> Plan:
    """Decide every deal and customer, note what follows from the decision, and weigh the whole;
    all of it is kept.

    A dry run also shows what still has to wait before it may be created.
    """
    weighing, plan = Weighing(batch, len(deals), dry=dry), empty_plan()
    for step in steps(deals, customers):
        plan.join(weighing.part(step))
    weighing.end(plan)
    return plan


def weigh(batch: Batch, plan: Plan) -> None:
    """Say for which of the guard's limits the plan is too large."""
    tally = Tally()
    tally.add(plan.actions)
    plan.size = len(plan.actions)
    plan.guard = tuple(verdict_of(tally, batch.config.guard, _scale(batch, plan.replaced)))


class Weighing:
    """What a plan comes to, as its steps go by; and what it foresees, for when they are written."""

    def __init__(self, batch: Batch, deals: int, *, dry: bool) -> None:
        self.batch, self.dry = batch, dry
        self.told: list[str] = []  # the deals of which somebody is told
        self._total, self._decided = deals, 0
        self._wait = creates_wait(batch)
        self._connection = ""
        if dry and self._wait is not None:
            self._connection, self._wait = self._wait, None
        self._foreseen, self._customers = Digests(), Digests()
        self._tally, self._name = Tally(), PlanName()
        self._size = self._replaced = 0
        self._creates, self._mails = batch.options.max_creates, emails_left(batch)
        self._messages: list[Action] = []

    def part(self, step: Step) -> Plan:
        """One step's part of the plan, counted. Notices are kept for the end: many of them may be
        one message."""
        part = self._decide(step, self._customers, progress=(self._decided, self._total))
        self._decided += len(step.deals)
        part.actions = [a for a in once(part.actions) if _name_of(a) not in self._foreseen]
        self._creates = limit_creates(self.batch, part, self._creates)
        self._mails = limit_emails(part, self._mails)
        notices = [a for a in part.actions if isinstance(a.payload, Message)]
        self.told += dict.fromkeys(a.subject.removeprefix("deal:") for a in notices)
        self._messages += notices
        part.actions = [a for a in part.actions if not isinstance(a.payload, Message)]
        self._replaced += part.replaced
        self._count(part.actions)
        return part

    def end(self, plan: Plan) -> None:
        """Add the messages to what was kept of the parts, and say what the whole is."""
        batch = self.batch
        messages = in_messages(batch, self._messages) + due_summaries(batch)
        plan.actions += messages
        self._count(messages)
        if self._connection:
            plan.waits["connection"] = self._connection
        batch.waits, plan.size, plan.replaced = plan.waits, self._size, self._replaced
        plan.hash = batch.plan_hash = self._name.name
        scale = _scale(batch, self._replaced)
        plan.guard = tuple(verdict_of(self._tally, batch.config.guard, scale))

    def again(self, step: Step, *, first: bool) -> Plan:
        """One step decided anew, now that the steps before it are written; with nothing in it that
        was not foreseen. Notices are left to the end."""
        part = self._decide(step, Digests())
        if not first:
            self._hold_alike(part)
        seen = [a for a in once(part.actions) if not isinstance(a.payload, Message)]
        part.actions = [a for a in seen if _name_of(a) in self._foreseen]
        part.partial = len(part.actions) < len(seen)
        return part

    def _decide(
        self, step: Step, customers: Digests, progress: tuple[int, int] | None = None
    ) -> Plan:
        part, context = empty_plan(), load_context(self.batch)
        decide_deals(self.batch, part, step.deals, context, self._wait, progress=progress)
        decide_customers(self.batch, part, step.customers, dry=self.dry, seen=customers)
        if step.customers:
            self._hold_linked(part)
        one_of_look_alikes(self.batch, part)
        return part

    def _hold_linked(self, part: Plan) -> None:
        """A customer that took another's contact over just now, with the customers' decisions, has
        no need of one of its own: its deals are decided again in the next batch."""
        code, linked = self.batch.config.connection.code, self.batch.state.links.contact
        late: dict[str, str] = {}
        for action in part.actions:
            if isinstance(action.payload, ContactDraft):
                key = contact_of_marker(code, action.payload.marker)
                if key is not None and linked(key):
                    late[action.subject] = "its customer has just taken over another's contact"
        postpone(part, late)

    def _hold_alike(self, part: Plan) -> None:
        """A new customer that looks like one whom an earlier step has put into the ledger is left
        to the next batch, where the rules judge it by what stands there."""
        code = self.batch.config.connection.code
        made = [(a.subject, a.payload) for a in part.actions if isinstance(a.payload, ContactDraft)]
        ids = {subject: contact_of_marker(code, draft.marker) or "" for subject, draft in made}
        self.batch.compared.difference_update(ids.values())
        alike = note_near(self.batch, ids.values())
        why = "its customer looks like one that is in the ledger now"
        postpone(part, {subject: why for subject, key in ids.items() if key in alike})

    def _count(self, actions: Sequence[Action]) -> None:
        self._tally.add(actions)
        self._name.add(actions)
        self._size += len(actions)
        for action in actions:
            self._foreseen.add(_name_of(action))


def _name_of(action: Action) -> str:
    return f"{action.kind} {action.target}"


def _scale(batch: Batch, replaced: int) -> Scale:
    book = batch.state.book
    born, now = book.instant("born"), batch.ledger.server_time() or batch.clock.now()
    known = book.fact("mapping_hash")
    return Scale(
        first_week=born is None or now - born < timedelta(days=FIRST_WEEK_DAYS),
        linked=batch.state.links.live_count(),
        mapping_changed=known is not None and known != mapping_hash(batch.config),
        side_empty=batch.side_empty,
        replaced=0 if book.fact(COMPARED) else replaced,
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
    if accepted is not None and plan.size:
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
