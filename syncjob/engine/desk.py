"""What people decide between batches: pause, resume, and the answers to issues.

These commands never call a vendor: a pause is read before every write, an answer is a row in the
inbox that the next batch applies.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from syncjob.core.markers import WHOLE, invoice_marker
from syncjob.core.records import DEAD, Deal, Invoice
from syncjob.core.reports import Pause, PauseKind
from syncjob.engine import matched
from syncjob.engine.batch import Batch
from syncjob.engine.door import pauses
from syncjob.errors import Park
from syncjob.state.book import Decision
from syncjob.state.database import State
from syncjob.state.links import Part

#: Answers that may be given about a deal; "link:NUMBER" names an invoice.
DEAL_ANSWERS = ("create", "never", "link", "reissue")


def pause(
    state: State, *, only: PauseKind, until: datetime | None, reason: str, who: str, now: datetime
) -> Pause:
    """Stop this kind of write from the next one on."""
    made = Pause(only=only, reason=reason, who=who, since=now, until=until)
    kept = [p for p in pauses(state, now) if p.only != only]
    with state.commit():
        state.book.note("pauses", msgspec.json.encode([*kept, made]).decode())
        _audit(state, "pause", None, f"{only}: {reason}", who, now)
    return made


def resume(state: State, *, only: PauseKind, who: str, now: datetime) -> list[Pause]:
    """End the pauses of this kind ("all": every one); returns those that were in force."""
    known = pauses(state, now)
    ended = [p for p in known if only in ("all", p.only)]
    kept = [p for p in known if p not in ended]
    with state.commit():
        state.book.note("pauses", msgspec.json.encode(kept).decode() if kept else None)
        _audit(state, "pause", ", ".join(p.only for p in ended), None, who, now)
    return ended


def answer(state: State, *, kind: str, subject: str, who: str, reason: str, now: datetime) -> None:
    """Put a person's answer into the inbox. Raises Park where it can name nothing."""
    verb, _, number = kind.partition(":")
    if subject != "connection":
        _require_deal(state, subject)
    if verb == "link":
        require_free(state, subject, number)
    elif verb == "reissue":
        _require_ended(state, subject)
    with state.commit():
        state.book.decide(kind, subject, who=who, reason=reason, at=now)


def _require_deal(state: State, subject: str) -> None:
    if state.snapshots.get("crm", "deals", subject.removeprefix("deal:"), Deal) is None:
        raise Park(
            f"No batch has read a deal {subject.removeprefix('deal:')} yet.",
            where=subject,
            next_step="Check the number in the deal's address; `syncjob run` reads new deals.",
        )


def _require_ended(state: State, subject: str) -> None:
    parts = state.links.parts(subject.removeprefix("deal:"))
    if not parts or any(part.ended is None for part in parts):
        has = "still has its invoice" if parts else "never had an invoice"
        raise Park(
            f"The deal {has}, so there is nothing to issue anew.",
            where=subject,
            next_step="Void or delete the invoice in the ledger first; `syncjob run` reads that.",
        )


def require_free(state: State, subject: str, number: str) -> None:
    """Both the deal and the invoice of this number must be without a partner."""
    if state.links.live_part(subject.removeprefix("deal:"), WHOLE) is not None:
        raise Park(
            "The deal has an invoice already.", where=subject,
            next_step="Void or delete that one in the ledger first, or leave things as they are.",
        )  # fmt: skip
    found = _invoices_named(state, number)
    if any(state.links.part_of_invoice(i) is None for i in found):
        return
    what = "belongs to a deal already" if found else "is not among the invoices that were read"
    raise Park(
        f"The invoice {number} {what}.",
        where=number,
        next_step="Check the number in the ledger; `syncjob run` reads new invoices.",
    )


def _invoices_named(state: State, name: str) -> list[str]:
    """The sales invoices of this number, or the one of this id."""
    found = state.snapshots.get("ledger", "invoices", name, Invoice)
    if found is not None:
        return [found.id] if found.kind == "sale" and found.status not in DEAD else []
    return state.snapshots.find("invoice.number", name)


def apply_inbox(batch: Batch) -> None:
    """Apply what people decided since the last batch, each with who and why in the audit."""
    for decision in batch.state.book.decisions():
        with batch.state.commit():
            words = _apply(batch, decision)
            batch.state.book.applied(decision.id, batch.id)
            batch.state.book.record(
                batch=batch.id, at=batch.clock.now(), side="us", target=decision.subject,
                subject=decision.subject, changes={decision.kind: (None, words)},
                reason=f"{decision.who}: {decision.reason}", intent=None,
            )  # fmt: skip
        batch.log.info("decision.applied", kind=decision.kind, subject=decision.subject)


def _apply(batch: Batch, decision: Decision) -> str:
    book, links = batch.state.book, batch.state.links
    if decision.kind == "only-instance":
        book.note("another_instance", None)
        book.close_issues("connection", keep=set(), at=batch.clock.now())
        return "creating goes on"
    verb, _, number = decision.kind.partition(":")
    if verb in (matched.SAME, matched.DIFFERENT):
        return matched.take(batch, decision)
    deal = decision.subject.removeprefix("deal:")
    if verb == "link":
        return link_invoice(batch, deal, number)
    batch.state.snapshots.want([deal], "a person decided")
    if verb == "reissue":
        links.allow_reissue(deal)
        return "a new invoice may be made"
    book.note(f"answer:deal:{deal}", verb)
    return verb


def link_invoice(batch: Batch, deal: str, number: str) -> str:
    """Tie an invoice that a person made to the deal, if both are free; it is named by its number
    or its id. What came of it, in words."""
    links, snapshots = batch.state.links, batch.state.snapshots
    snapshots.want([deal], "a person decided")
    found = [i for i in _invoices_named(batch.state, number) if not links.part_of_invoice(i)]
    if not found or links.live_part(deal, WHOLE) is not None:
        return f"{number} is not in the ledger or not free, or the deal has an invoice already"
    generation = 1 + max((p.generation for p in links.parts(deal)), default=0)
    marker = invoice_marker(batch.config.connection.code, deal, WHOLE, generation)
    links.add_part(Part(deal, WHOLE, generation, marker, found[0], None, "person"), batch=batch.id)
    snapshots.index(found[0], {"invoice.loose": []})
    for record in (f"deal:{deal}", f"invoice:{found[0]}"):
        batch.state.matches.drop_of(record, ("invoice",))
    return f"linked with {number}"


def _audit(
    state: State, field: str, before: str | None, after: str | None, who: str, now: datetime
) -> None:
    state.book.record(
        batch=0, at=now, side="us", target="connection", subject="connection",
        changes={field: (before, after)}, reason=f"by {who or 'somebody'}", intent=None,
    )  # fmt: skip
