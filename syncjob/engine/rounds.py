"""Send what was decided, in rounds: one commit opens the calls, one lets them through the door, and
one writes down what all of them brought.

Calls stand in one round where none needs what another brings: the connector says how many of a
kind may be on the way at the same time, and no deal or customer is in two of them. Keeps invariants
1 and 3: at each send there is a committed call with these bytes, whatever happens in between.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from syncjob.connectors.base import Prepared
from syncjob.core.actions import Action, Message, NotDone, Outcome, Unknown
from syncjob.core.records import Receiver
from syncjob.engine.batch import Batch
from syncjob.engine.deal_writes import Shown, store_deals
from syncjob.engine.drafts import store_drafts
from syncjob.engine.outcomes import apply, forgive
from syncjob.engine.second_send import unless_refused, unless_refused_singly
from syncjob.engine.telling import way_down
from syncjob.engine.titles import vendor_title
from syncjob.errors import OutcomeUnknown, RetryLater, Stop, SyncJobError, Throttled
from syncjob.state.journal import Ended, Intent
from syncjob.transport.parse import excerpt
from syncjob.transport.post import MAIL
from syncjob.transport.wire import Answer, Call, Written

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

#: Writes of which the rules have a story of their own; a deal's fields follow its invoices.
RULED = frozenset(
    {"contact.create", "invoice.create", "invoice.update", "invoice.approve", "template.create"}
)


class Group(NamedTuple):
    """Actions of one kind for one call. `alone`: no other call is on the way with it, because what
    it brings decides what is sent next."""

    actions: Sequence[Action]
    alone: bool = False


class Sent(NamedTuple):
    """A call as it was opened, with its intents in the order of its actions."""

    prepared: Prepared
    call: Call
    intents: tuple[Intent, ...]

    @property
    def side(self) -> Receiver:
        return self.prepared.actions[0].side


class Came(NamedTuple):
    """What became of a call: its answer or what stands in its place, and each action's outcome."""

    what: Written
    outcomes: list[Outcome]

    @property
    def lost(self) -> bool:
        """Whether nobody knows what became of any of it."""
        return all(isinstance(outcome, Unknown) for outcome in self.outcomes)

    @property
    def why(self) -> str:
        """Why it is lost, in words."""
        if isinstance(self.what, Answer):
            return f"The vendor answered {self.what.status}."
        return str(self.what)

    @property
    def halve(self) -> bool:
        """Whether the vendor refused it whole, and may take parts of it."""
        return any(isinstance(outcome, NotDone) and outcome.halve for outcome in self.outcomes)


class Rounds:
    """The sending of one push. `stories` are the sentences of the rules by subject."""

    def __init__(self, batch: Batch, stories: Mapping[str, Sequence[str]]) -> None:
        self.batch, self.stories = batch, stories
        self.unknown_in_a_row = 0
        self.calls = 0
        self.closed: Counter[str] = Counter()  # by way, how often in a row it took nothing

    def send(self, groups: Iterable[Group], *, waited: bool = False) -> Iterator[int]:
        """Send these groups, round by round; says how many actions each round carried.

        Raises RetryLater, Stop or Interrupted, and then everything that was sent is written down.
        """
        waiting = deque(groups)
        while waiting:
            # One call is sent, however long the reading took: each batch comes forward.
            self.batch.breathe(heed_time=self.calls > 0)
            ready = self._ready(waiting)
            if not self._is_down(ready[0]):
                self.round(ready, waited=waited)
            yield sum(len(prepared.actions) for prepared in ready)

    def _ready(self, waiting: deque[Group]) -> list[Prepared]:
        """The next group as bytes, with as many more as may be on the way with it."""
        first = waiting.popleft()
        writer = self.batch.writer(first.actions[0].side)
        ready = writer.prepare(first.actions)
        most = 1 if first.alone else writer.capabilities.at_once.get(first.actions[0].kind, 1)
        if most > 1:
            cost = max(prepared.request.cost for prepared in ready)
            most = self.batch.channel(first.actions[0].side).room(cost, most)
        subjects = {action.subject for action in first.actions}
        while waiting and len(ready) < most and _beside(first, waiting[0], subjects):
            group = waiting.popleft()
            ready += writer.prepare(group.actions)
            subjects.update(action.subject for action in group.actions)
        return ready

    def round(self, ready: Sequence[Prepared], *, waited: bool = False) -> None:
        """Open, send, write down. A group that was too large for one call goes in several."""
        first = ready[0].actions[0]
        most = self.batch.writer(first.side).capabilities.at_once.get(first.kind, 1)
        for start in range(0, len(ready), most):
            sent = self._open(ready[start : start + most])
            self._follow(sent, self._exchanged(sent), waited=waited)

    # --- one round ------------------------------------------------------------------------------

    def _open(self, ready: Sequence[Prepared]) -> list[Sent]:
        """Journal the calls with their intents, in one commit."""
        batch, now = self.batch, self.batch.clock.now()
        frozen = [(one.request, one.actions, one.idempotency_key) for one in ready]
        with batch.state.commit():
            batch.lease.check(batch.state)
            opened = batch.state.journal.open(
                ready[0].actions[0].side, frozen, batch=batch.id, fence=batch.lease.fence, now=now
            )
            for prepared in ready:
                self._keep_rulings(prepared.actions)
        sent = [Sent(p, o.call, o.intents) for p, o in zip(ready, opened, strict=True)]
        self.calls += len(sent)
        batch.log.info(
            "call.opened", calls=[one.call.id for one in sent], side=sent[0].side,
            kind=sent[0].prepared.actions[0].kind, actions=sum(len(one.intents) for one in sent),
        )  # fmt: skip
        return sent

    def _keep_rulings(self, actions: Sequence[Action]) -> None:
        """What the rules said when these were decided, so that `why` can tell it years later."""
        batch = self.batch
        for subject in dict.fromkeys(a.subject for a in actions if a.kind in RULED):
            words = self.stories.get(subject)
            if words:
                batch.state.rulings.keep(subject, words, batch=batch.id, at=batch.clock.now())

    def _exchanged(self, sent: Sequence[Sent]) -> list[Came]:
        """What each call brought, written down; one whose answer is lost is asked for once more
        where the vendor knows it by its key, after what the others brought is written."""
        channel, began = self.batch.channel(sent[0].side), self.batch.clock.monotonic()
        written = channel.write_all([one.call for one in sent])
        again = {n for n, what in enumerate(written) if self._may_repeat(sent[n], what, began)}
        rest = [n for n in range(len(sent)) if n not in again]
        came = dict(zip(rest, self._kept(sent, written, rest), strict=True))
        if again:
            for n in sorted(again):
                self.batch.log.info("call.replayed", call=sent[n].call.id)
            repeated = channel.write_all([self._once_more(sent[n].call) for n in sorted(again)])
            for n, what in zip(sorted(again), repeated, strict=True):
                written[n] = unless_refused(what)
            kept = self._kept(sent, written, sorted(again), second=True)
            came |= zip(sorted(again), kept, strict=True)
        return [came[n] for n in range(len(sent))]

    def _may_repeat(self, sent: Sent, came: Written, began: float) -> bool:
        """Whether the vendor knows this call by its key, under the token that it then bore."""
        if not isinstance(came, OutcomeUnknown) or sent.prepared.idempotency_key is None:
            return False
        known = self.batch.writer(sent.side).capabilities.idempotency == "call"
        elapsed = timedelta(seconds=self.batch.clock.monotonic() - began)
        return known and elapsed <= REPLAY_WINDOW and self._same_token(sent.call)

    def _same_token(self, call: Call) -> bool:
        """A key may be known only to the token it was first used with (facts: xero, 3)."""
        journaled = self.batch.state.journal.call(call.id)
        channel = self.batch.channel(journaled.side)
        return journaled.token_generation == channel.token_generation()

    def _once_more(self, call: Call) -> Call:
        """The call bound to its token: one that turns out to be refused must not be renewed, and
        the call sent under the new one."""
        journaled = self.batch.state.journal.call(call.id)
        return msgspec.structs.replace(call, token_generation=journaled.token_generation)

    def _kept(
        self, sent: Sequence[Sent], written: Sequence[Written], which: Sequence[int],
        *, second: bool = False,
    ) -> list[Came]:  # fmt: skip
        """Write down in one commit what these calls of the round brought, in their order; `second`:
        they were sent a second time."""
        if not which:
            return []
        batch, journal = self.batch, self.batch.state.journal
        came = [Came(written[n], self._read(sent[n], written[n])) for n in which]
        if second:
            came = [Came(one.what, unless_refused_singly(one.outcomes)) for one in came]
        with batch.state.commit():
            batch.lease.check(batch.state)  # whoever took over settles them instead
            journal.answered(
                [
                    (sent[n].call.id, one.what.status, excerpt(one.what.body))
                    for n, one in zip(which, came, strict=True)
                    if isinstance(one.what, Answer)
                ]
            )
            pairs = list(zip((sent[n] for n in which), came, strict=True))
            deals = store_deals(batch, [(one.intents, it.outcomes) for one, it in pairs])
            kept = [self._keep(one, it, deals) for one, it in pairs]
            ended = [end for of_call in kept for end in of_call]
            journal.end_all([end for _, end in ended])
            forgive(batch, [target for target, end in ended if end[1] == "done"])
            journal.close_calls([sent[n].call.id for n in which])
        for n, one in zip(which, came, strict=True):
            if one.lost:
                batch.log.warning("call.lost", call=sent[n].call.id, why=one.why)
        words = Counter(type(outcome).__name__.lower() for one in came for outcome in one.outcomes)
        batch.log.info("call.answered", calls=[sent[n].call.id for n in which], outcomes=words)
        return came

    def _read(self, sent: Sent, came: Written) -> list[Outcome]:
        """One outcome for each action of the call."""
        if isinstance(came, Answer):
            return self.batch.writer(sent.side).outcomes(sent.prepared, came)
        if isinstance(came, OutcomeUnknown):
            return [Unknown(error=str(came))] * len(sent.intents)
        return [NotDone(error=str(came))] * len(sent.intents)

    def _keep(self, sent: Sent, came: Came, deals: Mapping[int, Shown]) -> list[tuple[str, Ended]]:
        """Base, link, snapshot and audit; what was to be written where, and how that ended. Of a
        call that was lost nobody knows anything, so its intents stay open for settle."""
        journal = self.batch.state.journal
        if came.lost:
            for intent in sent.intents:
                journal.set_back(intent.action.target)
            self.batch.counts["unknown"] += len(sent.intents)
            return []
        pairs = list(zip(sent.intents, came.outcomes, strict=True))
        store_drafts(self.batch, pairs)
        ended = [(intent.action.target, apply(self.batch, intent, o, deals)) for intent, o in pairs]
        return [(target, end) for target, end in ended if end is not None]

    # --- what follows from it -------------------------------------------------------------------

    def _follow(self, sent: Sequence[Sent], came: Sequence[Came], *, waited: bool) -> None:
        """End the push, wait for a limit, or find the culprit of a call that was refused whole."""
        stops = [self._stop(*pair) for pair in zip(sent, came, strict=True)]
        for stop in stops:
            if stop is not None:
                raise stop
        throttled = [
            (one.prepared.actions, answer.what)
            for one, answer in zip(sent, came, strict=True)
            if isinstance(answer.what, Throttled)
        ]
        if throttled:
            longest = max((limit for _, limit in throttled), key=_resumes)
            if waited or not wait_shortly(self.batch, longest, sent[0].side):
                raise longest
            self._all(self.send([Group(actions) for actions, _ in throttled], waited=True))
        for one, answer in zip(sent, came, strict=True):
            actions = one.prepared.actions
            if answer.halve and len(actions) > 1:  # refused whole: find the culprit
                half = len(actions) // 2
                halves = (Group(actions[:half], alone=True), Group(actions[half:], alone=True))
                self._all(self.send(halves))

    def _all(self, rounds: Iterator[int]) -> None:
        for _ in rounds:
            pass

    def _stop(self, sent: Sent, came: Came) -> SyncJobError | None:
        """Why nothing more is sent after this call; None if something may be."""
        if sent.side == "people":
            return self._message(sent.prepared, came)
        if came.lost:
            return self._count_lost(came.why)
        if isinstance(came.what, Answer):
            self.unknown_in_a_row = 0
            return None
        return None if isinstance(came.what, Throttled) else came.what

    def _count_lost(self, why: str) -> RetryLater | None:
        self.unknown_in_a_row += 1
        if self.unknown_in_a_row < UNKNOWN_IN_A_ROW_MAX:
            return None
        return RetryLater(
            f"{self.unknown_in_a_row} answers in a row were lost; the last: {why}",
            next_step="Nothing is lost: the next run finds out what became of each write.",
        )

    # --- messages to people ---------------------------------------------------------------------

    def _message(self, prepared: Prepared, came: Came) -> SyncJobError | None:
        """A message that did not leave holds up nothing else, and nobody waits for one that may
        have left: none is sent twice."""
        message, outcome = prepared.actions[0].payload, came.outcomes[0]
        assert isinstance(message, Message)
        if isinstance(came.what, RetryLater):
            self._way_is_down(message.way, came.what.what, closed=True)
        elif isinstance(came.what, Stop):
            return came.what
        elif isinstance(outcome, NotDone):
            hook = not prepared.request.url.startswith(MAIL)  # a mailbox may be full for itself
            self._way_is_down(message.way, outcome.error, closed=hook)
        elif not came.lost:
            self.closed[message.way] = 0
        return None

    def _is_down(self, prepared: Prepared) -> bool:
        """Whether this way takes nothing: a dead server costs a few waits, not one a message."""
        message = prepared.actions[0].payload
        return isinstance(message, Message) and self.closed[message.way] >= CLOSED_IN_A_ROW_MAX

    def _way_is_down(self, way: str, why: str, *, closed: bool) -> None:
        """A mail server or webhook that takes nothing now is told of, and tried again later.

        `closed`: no message gets through this way now; else it may be this recipient alone.
        """
        if closed:
            self.closed[way] += 1
        with self.batch.state.commit():
            self.batch.raise_issues([way_down(way, why)])


def _beside(first: Group, other: Group, subjects: set[str]) -> bool:
    """Whether the other group's call may be on the way with these."""
    same = (other.actions[0].side, other.actions[0].kind)
    return (
        not other.alone
        and same == (first.actions[0].side, first.actions[0].kind)
        and subjects.isdisjoint(action.subject for action in other.actions)
    )


def _resumes(limit: Throttled) -> datetime:
    return limit.resume_at or datetime.max.replace(tzinfo=UTC)


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
