"""What `syncjob check` finds wrong with notices: their words, their fallback, each way tried."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.connectors.base import Problem
from syncjob.core.records import CrmReference
from syncjob.core.rules.notices import user_named
from syncjob.core.rules.notices_words import PLACES, unknown_places
from syncjob.engine.batch import Batch
from syncjob.engine.push import send_messages
from syncjob.errors import Paused
from syncjob.notices.alarm import messages
from syncjob.transport.heartbeat import ping


def notice_problems(batch: Batch, crm: CrmReference) -> Iterator[Problem]:
    """Placeholders that mean nothing, and a fallback that is nobody."""
    policy = batch.config.notices
    for key, template in (("subject", policy.subject), ("text", policy.text or "")):
        for place in unknown_places(template):
            yield Problem(
                where=f"notices.{key}", what=f"{{{place}}} means nothing in a notice.",
                fix=f"Use one of {', '.join(f'{{{p}}}' for p in PLACES)}.",
            )  # fmt: skip
    if policy.fallback and user_named(policy.fallback, crm.users) is None:
        names = ", ".join(sorted(user.name for user in crm.users if user.active))
        yield Problem(
            where="notices.fallback",
            what=f'"{policy.fallback}" is no active user of the CRM.',
            fix=f"Name one of: {names}.",
        )


def heartbeat_problems(batch: Batch, *, messages: bool) -> Iterator[Problem]:
    """No monitor, or one that does not take a sign of life (BOOKKEEPING: `check` warns)."""
    address = batch.config.notices.operator.heartbeat
    if address is None:
        yield Problem(
            where="notices.operator.heartbeat",
            what="is not set: nobody would be told that this machine or its timer has stopped.",
            fix="Give it the address of a monitor, such as a healthchecks server's.",
            fatal=False,
        )
    elif messages:
        why = ping(address, "success", clock=batch.clock)
        if why is not None:
            yield Problem(
                where="notices.operator.heartbeat", what=f"The monitor was not reached: {why}.",
                fix="Correct its address; it ends with the check's own key.", fatal=False,
            )  # fmt: skip


def try_ways(batch: Batch) -> Iterator[Problem]:
    """A test message by each way that is set up; e-mail goes to the operator, else to its own
    sender. In the mode read_only none is sent."""
    policy = batch.config.notices
    if batch.config.mode == "read_only":
        return
    sender = (policy.ways.email.sender,) if policy.ways.email.sender else ()
    words = (
        f"syncjob {batch.config.connection.name}: a test",
        "`syncjob check` sent this. Notices that are set up to come this way will arrive here.",
    )
    ways = tuple(sorted(policy.ways.named()))
    name = f"test.{batch.id}"
    for action in messages(words, name, policy.operator.to or sender, ways, batch.clock.now()):
        try:
            send_messages(batch, [action])
        except Paused:
            return
        state, outcome = batch.state.journal.ending(action.target)
        if state != "done":
            way = action.subject.partition(":")[2]
            yield Problem(
                where=f"notices.ways.{way}",
                what=f"The test message did not get through: {outcome or 'no answer came'}",
                fix="Correct the address, port, security, user or password there.",
                fatal=False,
            )
