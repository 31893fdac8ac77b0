"""Write what was planned, wave by wave; how the calls of a wave are sent stands in rounds.py.

Keeps invariants 1, 3, 10 and 12: nothing that was not planned is written, nothing is sent that is
not in the journal, and what depends on a failed write waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from syncjob.core.actions import Action, Message, Wave
from syncjob.core.plan import decide
from syncjob.engine.batch import Batch
from syncjob.engine.cases import in_groups, load_context
from syncjob.engine.contacts.stage import actions_again
from syncjob.engine.door import check_pause
from syncjob.engine.outcomes import reject
from syncjob.engine.planning import Plan, empty_plan
from syncjob.engine.rounds import Group, Rounds
from syncjob.engine.telling import in_messages
from syncjob.errors import Paused

#: A group that failed whole this often is halved at each further try (DESIGN 5.3).
WHOLE_FAILURES_MIN = 2


class Push:
    """One push of one plan."""

    def __init__(self, batch: Batch, plan: Plan) -> None:
        self.batch, self.plan = batch, plan
        self.rounds = Rounds(batch, plan.stories)
        self.paused: Paused | None = None
        # A plan that was read from a file, or that the day has too few calls for, is decided again
        # before its first wave, too: of a deal only a part may be left, and what follows must wait.
        self.begun = plan.holds is not None or plan.partial
        messages = (a.payload for a in plan.actions if isinstance(a.payload, Message))
        self.told = {tell for message in messages for tell in message.tells}

    def run(self) -> None:
        """All waves in order. Raises Paused at the end if a part was paused."""
        done = self.plan.before
        total = max(self.plan.size, len(self.plan.actions))
        for wave in Wave:
            actions = self._wave(wave)
            for carried in self.rounds.send(self._groups(actions)):
                done += carried
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
        # Each call is stopped at the door, too, if a person pauses now.
        paused = {kind for kind in {a.kind for a in found.values()} if self._pause_for(kind)}
        fit = [a for a in found.values() if a.kind not in paused and self._fits(a)]
        return [self._seen(action) for action in fit]

    def _seen(self, action: Action) -> Action:
        """The write with who applied it, if a person applies a plan."""
        if not self.plan.applied:
            return action
        return msgspec.structs.replace(action, reason=f"{action.reason} ({self.plan.applied})")

    def _decided_again(self, wave: Wave) -> Iterator[Action]:
        allowed = self.plan.allowed
        context = load_context(self.batch)
        for case in in_groups(self.batch, self.plan.subjects):
            actions = decide(case, context).actions
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

    def _pause_for(self, kind: str) -> bool:
        """Whether this kind of write is paused; a full pause or a STOP file ends the push."""
        try:
            check_pause(self.batch.state, {kind}, self.batch.clock.now())
        except Paused as paused:
            self.paused = paused
            return True
        return False

    def _groups(self, actions: Sequence[Action]) -> list[Group]:
        """Actions of one kind together, in groups as large as the vendor and their past allow; a
        group that failed before goes alone."""
        groups: list[Group] = []
        past = self.batch.state.journal.setbacks()
        ordered = sorted(actions, key=lambda a: (a.kind, -past.get(a.target, 0)))
        for (kind, setbacks), same in groupby(
            ordered, key=lambda a: (a.kind, past.get(a.target, 0))
        ):
            members = list(same)
            size = self.batch.writer(members[0].side).capabilities.batch.get(kind, 1)
            if setbacks >= WHOLE_FAILURES_MIN:
                size = max(1, size >> (setbacks - WHOLE_FAILURES_MIN + 1))
            groups += [
                Group(members[i : i + size], alone=setbacks > 0)
                for i in range(0, len(members), size)
            ]
        return groups


def send_messages(batch: Batch, actions: Sequence[Action]) -> None:
    """Messages that belong to no plan (the operator's), by the same journal and door.

    Raises Paused, StateError; a way that is down is told of and holds up nothing.
    """
    push = Push(batch, empty_plan())
    for action in actions:
        if push._fits(action):
            push.rounds.round(batch.post.prepare([action]))
