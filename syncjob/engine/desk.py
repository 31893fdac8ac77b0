"""What people decide between batches: pause, resume, and the answers to issues.

These commands never call a vendor: a pause is read before every write, an answer is a row in the
inbox that the next batch applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from syncjob.core.answers import CREATE, given_now
from syncjob.core.policy_schedules import ScheduleRule
from syncjob.core.records import Deal
from syncjob.core.reports import Pause, PauseKind
from syncjob.engine import issues, matched
from syncjob.engine.batch import Batch
from syncjob.engine.contacts import desk as contacts
from syncjob.engine.contacts.desk import require_contact
from syncjob.engine.desk_parts import link_invoice, link_kind, reissue, reissue_kind
from syncjob.engine.door import pauses
from syncjob.engine.telling import MUTED
from syncjob.errors import Park
from syncjob.state.database import State
from syncjob.state.decisions import Decision


def pause(
    state: State, *, only: PauseKind, until: datetime | None, reason: str, who: str, now: datetime
) -> Pause:
    """Stop this kind of write from the next one on."""
    made = Pause(only=only, reason=reason, who=who, since=now, until=until)
    kept = [p for p in pauses(state, now) if p.only != only]
    with state.commit():
        state.book.note("pauses", msgspec.json.encode([*kept, made]).decode())
        _audit(state, "pause", None, f"{only}: {reason}", who, now)
        until_when = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is resumed"
        state.decisions.done(
            f"pause:{only}", "connection", who=who, reason=reason, at=now, outcome=until_when
        )
    return made


def resume(state: State, *, only: PauseKind, who: str, now: datetime) -> list[Pause]:
    """End the pauses of this kind ("all": every one); returns those that were in force."""
    known = pauses(state, now)
    ended = [p for p in known if only in ("all", p.only)]
    kept = [p for p in known if p not in ended]
    with state.commit():
        state.book.note("pauses", msgspec.json.encode(kept).decode() if kept else None)
        if ended:
            words = ", ".join(p.only for p in ended)
            _audit(state, "pause", words, None, who, now)
            state.decisions.done(
                f"resume:{only}", "connection", who=who, reason="", at=now,
                outcome=f"ended: {words}",
            )  # fmt: skip
    return ended


def answer(
    state: State, *, kind: str, subject: str, who: str, reason: str, now: datetime,
    part: str | None = None, schedules: Sequence[ScheduleRule] = (),
) -> None:  # fmt: skip
    """Put a person's answer into the inbox; `part` names a part of the deal's schedule. Raises
    Park where it can name nothing."""
    verb, _, number = kind.partition(":")
    if subject.startswith("contact:"):
        require_contact(state, kind, subject)
    elif subject != "connection":
        _require_deal(state, subject)
    if verb == "link":
        kind = link_kind(state, subject, number, part, schedules)
    elif verb == "reissue":
        kind = reissue_kind(state, subject, part)
    with state.commit():
        state.decisions.ask(kind, subject, who=who, reason=reason, at=now)
        if kind == CREATE:  # for what the person was told of, whatever the next batch finds
            given = given_now(found.issue for found in state.book.open_issues(subject))
            state.book.note(f"given:{subject}", ",".join(sorted(given)) or None)


def _require_deal(state: State, subject: str) -> None:
    if state.snapshots.get("crm", "deals", subject.removeprefix("deal:"), Deal) is None:
        raise Park(
            f"No batch has read a deal {subject.removeprefix('deal:')} yet.",
            where=subject,
            next_step="Check the number in the deal's address; `syncjob run` reads new deals.",
        )


def apply_inbox(batch: Batch) -> None:
    """Apply what people decided since the last batch, each with who and why in the audit."""
    for decision in batch.state.decisions.waiting():
        with batch.state.commit():
            words = _apply(batch, decision)
            if words is None:
                continue  # its subject has an open write; the next batch asks again
            batch.state.decisions.applied(decision.id, batch.id, words)
            batch.state.book.record(
                batch=batch.id, at=batch.clock.now(), side="us", target=decision.subject,
                subject=decision.subject, changes={decision.kind: (None, words)},
                reason=f"{decision.who}: {decision.reason}", intent=None,
            )  # fmt: skip
        batch.log.info("decision.applied", kind=decision.kind, subject=decision.subject)


def _apply(batch: Batch, decision: Decision) -> str | None:
    book = batch.state.book
    if decision.kind == "only-instance":
        book.note("another_instance", None)
        book.close_issues("connection", keep=set(), at=batch.clock.now())
        return "creating goes on"
    verb, _, number = decision.kind.partition(":")
    if verb in (contacts.TAKE, contacts.FORGET):
        return contacts.decide(batch, decision)
    if verb in (matched.SAME, matched.DIFFERENT):
        return matched.take(batch, decision)
    if verb == issues.RETRY:
        return issues.try_again(batch, decision.subject)
    deal = decision.subject.removeprefix("deal:")
    if verb == "link":
        return link_invoice(batch, deal, number)
    batch.state.snapshots.want([deal], "a person decided")
    if verb in ("mute", "unmute"):
        book.note(f"mute:deal:{deal}", None if verb == "unmute" else number or MUTED)
        return f"muted until {number}" if number else f"{verb}d"
    if verb == "reissue":
        return reissue(batch, deal, number)
    if verb == CREATE:
        return _released(batch, deal)
    book.note(f"answer:deal:{deal}", verb)
    return verb


def _released(batch: Batch, deal: str) -> str:
    """Keep for what the deal is to be invoiced all the same. What takes "never" back is given for
    nothing else, and a deal that has its invoice waits for nothing that is not told of."""
    book, links = batch.state.book, batch.state.links
    known = book.fact(f"answer:deal:{deal}")
    given = book.fact(f"given:deal:{deal}")
    book.note(f"given:deal:{deal}", None)
    said = set(known.split(",")) if known else set[str]()
    if "never" in said:
        book.note(f"answer:deal:{deal}", None)
    elif given or not any(part.ended is None for part in links.parts(deal)):
        said |= set((given or CREATE).split(","))
        book.note(f"answer:deal:{deal}", ",".join(sorted(said)))
    return CREATE


def _audit(
    state: State, field: str, before: str | None, after: str | None, who: str, now: datetime
) -> None:
    state.book.record(
        batch=0, at=now, side="us", target="connection", subject="connection",
        changes={field: (before, after)}, reason=f"by {who or 'somebody'}", intent=None,
    )  # fmt: skip
