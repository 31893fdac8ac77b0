"""What the operator is told when the sync itself is broken, and when it is well again.

BOOKKEEPING, "What the deal says": no good batch for hours, credentials refused, guard tripped, day
budget gone, issues or drafts older than three days; once a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from syncjob.core.actions import Action, Message, Tell, Wave

#: Issues and drafts that nobody has looked at for so long are told of.
OLD = timedelta(days=3)
#: A limit that ends within the hour is none that a person should hear of.
LONG_WAIT = timedelta(hours=1)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the connection is. `stopped_by` is what ended the last batch, in words, empty if nothing
    did, and `next_step` what to do; `waits_until` is when a vendor lets us in again; `quiet` is for
    how long after the last good batch none was due, since office hours were over."""

    now: datetime
    result: str
    stopped_by: str = ""
    next_step: str = ""
    last_good: datetime | None = None
    born: datetime | None = None
    waits_until: datetime | None = None
    old_issues: int = 0
    old_drafts: int = 0
    quiet: timedelta = timedelta()


def troubles(health: Health, hours: int) -> list[str]:
    """One sentence for each thing that a person should see to; none: all is well."""
    return [*_stopped(health, hours), *_old(health)]


def _stopped(health: Health, hours: int) -> Iterator[str]:
    said = " ".join(text for text in (health.stopped_by, health.next_step) if text)
    if health.result == "credentials":
        yield f"The credentials are refused: {said}"
    elif health.result == "wrong_organisation":
        yield f"The credentials open other books than before: {said}"
    elif health.result == "guard":
        yield f"The guard has stopped a plan that is too large; nothing was written: {said}"
    elif health.waits_until and health.waits_until - health.now > LONG_WAIT:
        yield (
            f"A limit is used up until {health.waits_until:%Y-%m-%d %H:%M} UTC, and it goes on "
            f"by itself then: {health.stopped_by}"
        )
    since = health.last_good or health.born
    if since is not None and health.now - since - health.quiet > timedelta(hours=hours):
        why = (
            f"The last one ended so: {said}"
            if said
            else "Is the timer, the crontab line or `syncjob serve` running?"
        )
        yield f"No batch has ended well since {since:%Y-%m-%d %H:%M} UTC. {why}"


def _old(health: Health) -> Iterator[str]:
    if health.old_issues:
        number = health.old_issues
        have = "1 issue has" if number == 1 else f"{number:,} issues have"
        yield f"{have} been open for more than {OLD.days} days: see `syncjob issues`."
    if health.old_drafts:
        number = health.old_drafts
        have, them = ("1 draft has", "it") if number == 1 else (f"{number:,} drafts have", "them")
        yield (
            f"{have} waited for approval for more than {OLD.days} days: approve or delete {them} "
            "in the ledger."
        )


def alarm(connection: str, found: list[str], day: datetime) -> tuple[str, str]:
    """Subject and text of the day's alarm."""
    lines = "\n".join(f"- {one}" for one in found)
    return (
        f"syncjob {connection} needs a look",
        f"{lines}\n\n`syncjob status` shows more; `syncjob log` what happened in which batch.\n"
        f"This is sent once a day ({day:%Y-%m-%d}) for as long as it lasts.",
    )


def well_again(connection: str) -> tuple[str, str]:
    """Subject and text when nothing of it is left."""
    return f"syncjob {connection} is well again", "Batches end well, and nothing old is waiting."


def messages(
    words: tuple[str, str], name: str, to: tuple[str, ...], ways: tuple[str, ...], now: datetime
) -> list[Action]:
    """One message to each address by e-mail, and one by each other way."""
    subject, text = words
    places = [(way, who) for way in ways for who in (to if way == "email" else (way,))]
    return [_action(name, way, who, subject, text, now) for way, who in places]


def _action(name: str, way: str, who: str, subject: str, text: str, now: datetime) -> Action:
    # To the minute: a second alarm of a day is news after "well again", and a mail program would
    # hide it behind the first if both had one Message-ID.
    marker = f"{name}.{now:%y%m%d%H%M}.{who}"
    tell = Tell(marker=name, due=now.date(), step=0, person=who, way=way)
    message = Message(
        marker=marker, way=way, to=who if way == "email" else "", person=who, subject=subject,
        text=text, tells=(tell,),
    )  # fmt: skip
    return Action(
        side="people", wave=Wave.NOTICES, subject=f"way:{way}", target=f"message:{marker}:{way}",
        payload=message, reason=subject,
    )  # fmt: skip
