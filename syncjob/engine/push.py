"""Write what was planned, wave by wave: commit call and intents, send, commit what came back.

Keeps invariants 1, 3, 10 and 12: nothing that was not planned is written, nothing is sent that is
not in the journal, and what depends on a failed write waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

import msgspec

from syncjob.connectors.base import Prepared
from syncjob.core.actions import Action, Message, NotDone, Outcome, Unknown, Wave
from syncjob.core.plan import decide
from syncjob.core.records import Receiver
from syncjob.engine.batch import Batch
from syncjob.engine.cases import load_case, load_context
from syncjob.engine.contacts.stage import actions_again
from syncjob.engine.door import check_pause
from syncjob.engine.outcomes import apply, reject
from syncjob.engine.planning import Plan, empty_plan
from syncjob.engine.telling import in_messages, way_down
from syncjob.engine.titles import vendor_title
from syncjob.errors import OutcomeUnknown, Paused, RetryLater, Stop, Throttled
from syncjob.transport.parse import excerpt
from syncjob.transport.post import MAIL
from syncjob.transport.wire import Answer, Call

#: How long after its first send a call may be sent again with its key: Xero keeps keys for six
#: minutes from the first call (facts: xero, 3); the rest is margin for a slow answer.
REPLAY_WINDOW = timedelta(minutes=4)
#: After so many answers lost in a row the vendor is not well: end the batch, settle later.
UNKNOWN_IN_A_ROW_MAX = 3
#: A mail server or webhook that took nothing so often in a row is left alone until the next batch.
#: More than one, so that a recipient at whose name a server hangs up does not stop the others.
CLOSED_IN_A_ROW_MAX = 3
#: The longest that a limit is sat out within a batch.
WAIT_SECONDS_MAX = 60
#: A group that failed whole this often is halved at each further try (DESIGN 5.3).
WHOLE_FAILURES_MIN = 2

#: Writes of which the rules have a story of their own; a deal's fields follow its invoices.
RULED = frozenset(
    {"contact.create", "invoice.create", "invoice.update", "invoice.approve", "template.create"}
)


class Push:
    """One push of one plan."""

    def __init__(self, batch: Batch, plan: Plan) -> None:
        self.batch, self.plan = batch, plan
        self.unknown_in_a_row = 0
        self.paused: Paused | None = None
        # A plan that was read from a file is decided again before its first wave, too: of a deal
        # only a part may be left, and what follows the rest must wait.
        self.begun = plan.holds is not None
        self.calls = 0
        self.closed: Counter[str] = Counter()  # by way, how often in a row it took nothing
        messages = (a.payload for a in plan.actions if isinstance(a.payload, Message))
        self.told = {tell for message in messages for tell in message.tells}

    def run(self) -> None:
        """All waves in order. Raises Paused at the end if a part was paused."""
        total, done = len(self.plan.actions), 0
        for wave in Wave:
            actions = self._wave(wave)
            for group in self._groups(actions):
                self._send_group(group)
                done += len(group)
                self.batch.progress("push", done, total)
        if self.paused is not None:
            raise self.paused

    def _wave(self, wave: Wave) -> list[Action]:
        """The wave's actions, decided again with what the earlier waves have really stored."""
        planned = [action for action in self.plan.actions if action.wave == wave]
        if not planned:
            return []
        # Before the first wave nothing has changed since the plan was made.
        decided = planned
        if self.begun:
            decided = in_messages(self.batch, list(self._decided_again(wave)))
            decided += [action for action in planned if action.subject.startswith("way:")]
        self.begun = True
        found: dict[tuple[str, str], Action] = {}
        for action in decided:
            found.setdefault((action.side, action.target), action)
        fit = [a for a in found.values() if not self._pause_for(a) and self._fits(a)]
        return [self._seen(action) for action in fit]

    def _seen(self, action: Action) -> Action:
        """The write with who applied it, if a person applies a plan."""
        if not self.plan.applied:
            return action
        return msgspec.structs.replace(action, reason=f"{action.reason} ({self.plan.applied})")

    def _decided_again(self, wave: Wave) -> Iterator[Action]:
        allowed = self.plan.allowed
        context = load_context(self.batch)
        for deal in self.plan.subjects:
            case = load_case(self.batch, deal)
            decision = decide(case, context) if case else None
            actions = decision.actions if decision else ()
            if any(action.wave < wave for action in actions):
                continue  # an earlier step is still to do: what follows it waits
            for action in actions:
                if action.wave == wave and self._foreseen(action, allowed):
                    yield action
        for action in actions_again(self.batch, self.plan.customers):
            if action.wave == wave and self._foreseen(action, allowed):
                yield action

    def _foreseen(self, action: Action, allowed: set[tuple[str, str]]) -> bool:
        """Whether the plan showed this write; a message may stand in a digest there."""
        payload = action.payload
        if isinstance(payload, Message):
            return set(payload.tells) <= self.told
        if (action.kind, action.target) not in allowed:
            return False
        return self.plan.holds is None or self.plan.holds(action)

    def _fits(self, action: Action) -> bool:
        """Park at once what its vendor cannot store as it is; nothing is sent for it."""
        refusal = self.batch.writer(action.side).unfit(action)
        if refusal is not None:
            with self.batch.state.commit():
                reject(self.batch, action, refusal, sent=False)
        return refusal is None

    def _pause_for(self, action: Action) -> bool:
        """Whether this kind of write is paused; a full pause or a STOP file ends the push."""
        try:
            check_pause(self.batch.state, {action.kind}, self.batch.clock.now())
        except Paused as paused:
            self.paused = paused
            return True
        return False

    def _groups(self, actions: Sequence[Action]) -> list[list[Action]]:
        """Actions of one kind together, in groups as large as the vendor and their past allow."""
        groups: list[list[Action]] = []
        ordered = sorted(actions, key=lambda a: (a.kind, -self._setbacks(a)))
        for (kind, setbacks), same in groupby(ordered, key=lambda a: (a.kind, self._setbacks(a))):
            members = list(same)
            size = self.batch.writer(members[0].side).capabilities.batch.get(kind, 1)
            if setbacks >= WHOLE_FAILURES_MIN:
                size = max(1, size >> (setbacks - WHOLE_FAILURES_MIN + 1))
            groups += [members[i : i + size] for i in range(0, len(members), size)]
        return groups

    def _setbacks(self, action: Action) -> int:
        return self.batch.state.journal.setback(action.target)

    # --- one call -----------------------------------------------------------------------------

    def _send_group(self, actions: Sequence[Action], *, waited: bool = False) -> None:
        # One call is sent, however long the reading took: each batch comes forward.
        self.batch.breathe(heed_time=self.calls > 0)
        for prepared in self.batch.writer(actions[0].side).prepare(actions):
            if self._is_down(prepared):
                continue
            try:
                halve = self._send(prepared)
            except Throttled as throttled:
                if waited or not wait_shortly(self.batch, throttled, actions[0].side):
                    raise
                self._send_group(prepared.actions, waited=True)
                continue
            if halve and len(prepared.actions) > 1:  # refused whole: find the culprit
                half = len(prepared.actions) // 2
                self._send_group(prepared.actions[:half])
                self._send_group(prepared.actions[half:])

    def _send(self, prepared: Prepared) -> bool:
        """Journal, send, write down the outcomes. True if it must be sent again in halves."""
        batch, side = self.batch, prepared.actions[0].side
        with batch.state.commit():
            batch.lease.check(batch.state)
            call = batch.state.journal.open(
                side, prepared.request, prepared.actions, key=prepared.idempotency_key,
                batch=batch.id, fence=batch.lease.fence, now=batch.clock.now(),
            )  # fmt: skip
            self._keep_rulings(prepared.actions)
        self.calls += 1
        batch.log.info("call.opened", call=call.id, side=side, actions=len(prepared.actions))
        try:
            answer = self._write(prepared, call)
        except (RetryLater, Stop) as error:
            self._ended(call, [NotDone(error=str(error))] * len(prepared.actions))
            if side == "people" and isinstance(error, RetryLater):
                self._way_is_down(prepared, error.what, closed=True)  # it holds up nothing else
                return False
            raise
        except OutcomeUnknown as error:
            self._lost(call, str(error))
            return False
        return self._answered(prepared, call, answer)

    def _keep_rulings(self, actions: Sequence[Action]) -> None:
        """What the rules said when these were decided, so that `why` can tell it years later."""
        batch = self.batch
        for subject in {action.subject for action in actions if action.kind in RULED}:
            words = self.plan.stories.get(subject)
            if words:
                batch.state.rulings.keep(subject, words, batch=batch.id, at=batch.clock.now())

    def _is_down(self, prepared: Prepared) -> bool:
        """Whether this way takes nothing: a dead server costs a few waits, not one a message."""
        message = prepared.actions[0].payload
        return isinstance(message, Message) and self.closed[message.way] >= CLOSED_IN_A_ROW_MAX

    def _way_answered(self, prepared: Prepared, outcome: Outcome) -> None:
        if isinstance(outcome, NotDone):
            hook = not prepared.request.url.startswith(MAIL)  # a mailbox may be full for itself
            self._way_is_down(prepared, outcome.error, closed=hook)
        elif isinstance(prepared.actions[0].payload, Message):
            self.closed[prepared.actions[0].payload.way] = 0

    def _way_is_down(self, prepared: Prepared, why: str, *, closed: bool) -> None:
        """A mail server or webhook that takes nothing now is told of, and tried again later.

        `closed`: no message gets through this way now; else it may be this recipient alone.
        """
        message = prepared.actions[0].payload
        assert isinstance(message, Message)
        if closed:
            self.closed[message.way] += 1
        with self.batch.state.commit():
            self.batch.raise_issues([way_down(message.way, why)])

    def _write(self, prepared: Prepared, call: Call) -> Answer:
        """Send once; where the vendor knows the key, a lost answer is asked for once more."""
        channel = self.batch.channel(prepared.actions[0].side)
        began = self.batch.clock.monotonic()
        try:
            return channel.write(call)
        except OutcomeUnknown:
            known = self.batch.writer(prepared.actions[0].side).capabilities.idempotency == "call"
            elapsed = timedelta(seconds=self.batch.clock.monotonic() - began)
            if not known or prepared.idempotency_key is None or elapsed > REPLAY_WINDOW:
                raise
            if not self._same_token(call):
                raise
        self.batch.log.info("call.replayed", call=call.id)
        try:
            return channel.write(call)
        except (RetryLater, Stop) as error:
            # The first send may still have had its effect: this refusal says nothing about it.
            raise OutcomeUnknown(str(error)) from error

    def _same_token(self, call: Call) -> bool:
        """A key may be known only to the token it was first used with (facts: xero, 3)."""
        journaled = self.batch.state.journal.call(call.id)
        channel = self.batch.channel(journaled.side)
        return journaled.token_generation == channel.token_generation()

    def _answered(self, prepared: Prepared, call: Call, answer: Answer) -> bool:
        connector = self.batch.writer(prepared.actions[0].side)
        outcomes = connector.outcomes(prepared, answer)
        with self.batch.state.commit():
            self.batch.state.journal.answered(call.id, answer.status, excerpt(answer.body))
        whole = all(isinstance(outcome, Unknown) for outcome in outcomes)
        if whole:
            self._lost(call, f"The vendor answered {answer.status}.")
            return False
        self.unknown_in_a_row = 0
        self._ended(call, outcomes)
        if prepared.actions[0].side == "people":
            self._way_answered(prepared, outcomes[0])
        return any(isinstance(outcome, NotDone) and outcome.halve for outcome in outcomes)

    def _ended(self, call: Call, outcomes: Sequence[Outcome]) -> None:
        """Write down all outcomes of a call in one commit."""
        intents = self.batch.state.journal.intents_of(call.id)
        with self.batch.state.commit():
            self.batch.lease.check(self.batch.state)  # whoever took over settles them instead
            for intent, outcome in zip(intents, outcomes, strict=True):
                apply(self.batch, intent, outcome)
            self.batch.state.journal.close_call(call.id)

    def _lost(self, call: Call, why: str) -> None:
        """Nobody knows what became of the call: its intents stay open for settle."""
        batch = self.batch
        with batch.state.commit():
            batch.state.journal.close_call(call.id)
            for intent in batch.state.journal.intents_of(call.id):
                batch.state.journal.set_back(intent.action.target)
                batch.counts["unknown"] += 1
        batch.log.warning("call.lost", call=call.id, why=why)
        if batch.state.journal.intents_of(call.id)[0].side == "people":
            return  # nobody waits for a message, and none is sent twice
        self.unknown_in_a_row += 1
        if self.unknown_in_a_row >= UNKNOWN_IN_A_ROW_MAX:
            raise RetryLater(
                f"{self.unknown_in_a_row} answers in a row were lost; the last: {why}",
                next_step="Nothing is lost: the next run finds out what became of each write.",
            )


def send_messages(batch: Batch, actions: Sequence[Action]) -> None:
    """Messages that belong to no plan (the operator's), by the same journal and door.

    Raises Paused, StateError; a way that is down is told of and holds up nothing.
    """
    push = Push(batch, empty_plan())
    for action in actions:
        if push._fits(action):
            for prepared in batch.post.prepare([action]):
                push._send(prepared)


def wait_shortly(batch: Batch, throttled: Throttled, side: Receiver) -> bool:
    """Sit out a limit that ends within a minute (a burst, a minute's calls); False if it is
    longer, and then the batch ends (a run never sleeps for longer, DESIGN 3)."""
    if throttled.resume_at is None:
        return False
    seconds = (throttled.resume_at - batch.clock.now()).total_seconds()
    if seconds > WAIT_SECONDS_MAX:
        return False
    what = f"{vendor_title(batch.writer(side).name)}'s limit"
    batch.options.waiting(what, throttled.resume_at)
    batch.clock.sleep(max(seconds, 0))
    batch.options.waiting(what, None)
    return True
