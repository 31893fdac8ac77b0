"""What happened to a record, as events: looks, writes with their answers, issues, decisions.

Only what the state holds: of a record's earlier versions it keeps none, of its own writes all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from syncjob.core.actions import Action, DealChange, InvoiceDraft
from syncjob.core.records import Contact, Deal, Invoice, Receiver, Side
from syncjob.core.rules.notices import PAID
from syncjob.core.rules.texts import one_line
from syncjob.core.story import Event
from syncjob.engine.batch import Batch
from syncjob.engine.titles import vendor_title
from syncjob.reports.action_words import before_of, headline, values
from syncjob.state.decisions import Decision
from syncjob.state.issues import KnownIssue
from syncjob.state.links import Part
from syncjob.state.trail import Write

#: How records were found to belong together.
_HOW = {
    "created": "was made for it",
    "match": "was found to be the same customer",
    "marker": "bears our key",
    "person": "a person said so",
}
#: What a person's decision says, by its word; `{}` is what it names.
_DECIDED = {
    "create": "said that it is to be invoiced: it is no double and its sum is right",
    "never": "said that it is never invoiced",
    "link": "tied it to the invoice {}",
    "reissue": "asked for a new invoice",
    "mute": "asked that nobody is reminded of it",
    "unmute": "asked that people are reminded of it again",
    "credit": "asked for the credit note {}",
    "take": "said whose values count: {}",
    "forget": "asked that it be forgotten",
    "ignore": "asked to ignore the issue {}",
    "retry": "asked for another try",
    "cancel": "took its draft back",
    "undo": "asked to undo {}",
    "match.same": "said that it is the same customer as {}",
    "match.different": "said that it is not the same customer as {}",
}
#: So many letters of an answer that nobody could read are told.
_ANSWER_MAX = 200


# --- looks ---------------------------------------------------------------------------------------


def looks(batch: Batch, records: Iterable[tuple[Side, str, str, str]]) -> Iterator[Event]:
    """The last look at each of these (side, stream, id, what it is called)."""
    for side, stream, record, called in records:
        seen = batch.state.trail.seen(side, stream, record)
        if seen is None:
            continue
        if seen.batch == batch.id:
            yield Event(kind="read", at=seen.at, text=f"read {called} now, for this answer")
            continue
        vendor = vendor_of(batch, side)
        stamp = f"; {vendor}'s stamp {seen.updated:%Y-%m-%d %H:%M} UTC" if seen.updated else ""
        how = "by its id" if seen.strong else f"in {vendor}'s list"
        yield Event(
            kind="read", at=seen.at, batch=seen.batch,
            text=f"last read {called} ({how}{stamp})",
        )  # fmt: skip


def won(deal: Deal) -> Iterator[Event]:
    """When the deal was won, first and last."""
    if deal.first_won_at and deal.first_won_at != deal.won_at:
        yield Event(kind="record", at=deal.first_won_at, text="first won in the CRM")
    if deal.won_at:
        text = "won in the CRM" if deal.status == "won" else f"won in the CRM (now {deal.status})"
        yield Event(kind="record", at=deal.won_at, text=text, page=deal.page)


def money(batch: Batch, invoice: Invoice, name: str) -> Iterator[Event]:
    """What was paid and credited, by the days that the ledger gives; of the day on which it was
    read, at that look, since it had come by then."""
    words = {
        "payment": "a payment", "credit_note": "a credit note", "prepayment": "a prepayment",
        "overpayment": "an overpayment",
    }  # fmt: skip
    seen = batch.state.trail.seen("ledger", "invoices", invoice.id)
    read = seen.at if seen else None
    for one in invoice.settlements:
        same_day = read is not None and read.astimezone(batch.zone).date() == one.date
        yield Event(
            kind="record", at=read if same_day else None, day=one.date, page=invoice.page,
            text=f"{words[one.kind]} of {one.amount:,.2f} {invoice.currency} stands on {name}",
        )  # fmt: skip


def tied(batch: Batch, part: Part, name: str) -> Iterator[Event]:
    """How an invoice came to be the deal's, where we did not make it."""
    if part.how == "created":
        return
    number = batch.state.trail.tied_in(part.marker)
    yield Event(
        kind="linked", at=_tied_at(batch, f"invoice:{part.marker}", number), batch=number,
        text=f"tied {name} to the deal: {_HOW.get(part.how, part.how)}",
    )  # fmt: skip


def linked(batch: Batch, contact: str) -> Iterator[Event]:
    """How the customer came to be a contact of the ledger."""
    tie = batch.state.trail.tie(contact)
    if tie is None:
        return
    yield Event(
        kind="linked", at=_tied_at(batch, f"link:{tie.crm_id}", tie.batch), batch=tie.batch,
        text=f"linked {tie.crm_id} with the ledger contact {tie.ledger_id}: it "
        f"{_HOW.get(tie.how, tie.how)}",
    )  # fmt: skip


def _tied_at(batch: Batch, target: str, number: int) -> datetime | None:
    """When two records were tied: by the audit, else when that batch began."""
    row = batch.state.audit.last_of("us", target, "link")
    return datetime.fromisoformat(row.at) if row else batch.state.trail.began(number)


# --- decided -------------------------------------------------------------------------------------


def ruled(batch: Batch, subjects: Sequence[str]) -> Iterator[Event]:
    """What the rules said when something was written."""
    for subject in subjects:
        for ruling in batch.state.rulings.of(subject):
            yield Event(
                kind="ruled", at=ruling.at, batch=ruling.batch, details=ruling.words,
                text="the rules decided",
            )  # fmt: skip


def decided(decisions: Sequence[Decision]) -> Iterator[Event]:
    """What people decided, with who and why."""
    for one in decisions:
        verb, _, named = one.kind.partition(":")
        words = _DECIDED.get(verb, f'decided "{one.kind}"').format(named)
        details: tuple[str, ...] = (f"reason: {one.reason}",) if one.reason else ()
        if one.batch is None:
            details += ("it waits for the next batch",)
        elif one.outcome:
            applied = f" (batch {one.batch})" if one.batch else ""
            details += (f"what came of it: {one.outcome}{applied}",)
        yield Event(
            kind="person", at=one.at, batch=one.batch or None, details=details,
            text=f"{one.who or 'somebody'} {words}",
        )  # fmt: skip


def issues(found: Iterable[KnownIssue]) -> Iterator[Event]:
    """What a person had to look at, and when its cause was gone."""
    for one in found:
        state, what = "held" if one.issue.state == "held" else "an issue", one.issue.what
        yield Event(
            kind="issue", at=one.opened_at, batch=one.opened_batch, text=f"{state}: {what}",
            page=one.issue.page, details=(f"[{one.issue.code}]",),
        )  # fmt: skip
        if one.closed_at is not None:
            yield Event(
                kind="closed", at=one.closed_at, text=f"no longer {state}: {one.issue.code}"
            )


# --- sent ----------------------------------------------------------------------------------------


def writes(batch: Batch, found: Iterable[Write], numbers: Mapping[str, str]) -> Iterator[Event]:
    """What was sent, with the vendor's answer; `numbers` are the invoices' by
    their markers and ids."""
    for write in found:
        action = write.action
        if action.kind in ("task.create", "message.send") and write.state == "done":
            continue  # whoever was told stands there by name (`told`)
        change = action.payload
        lines = (
            f"{label}: {'' if before is None else f'{before} -> '}{after or '(empty)'}"
            for label, before, after in written(action)
        )
        fold = "days" if isinstance(change, DealChange) and change.counts_days else ""
        what, came = _named(headline(action), numbers), became(batch, write, numbers)
        yield Event(
            kind="wrote", at=write.sent or write.opened, batch=write.batch, fold=fold,
            text=f"{what}, because {action.reason}: {came}",
            details=tuple(lines),
        )  # fmt: skip


def _named(text: str, numbers: Mapping[str, str]) -> str:
    """The text with invoices by their numbers and not by the ledger's ids."""
    for known, number in numbers.items():
        text = text.replace(f"invoice {known}", f"invoice {number}")
    return text


def written(action: Action) -> Iterator[tuple[str, str | None, str | None]]:
    """(what, before, after) of each value that a write changes."""
    stood = before_of(action)
    stamp = action.payload.stamp_field if isinstance(action.payload, DealChange) else None
    for name, after in values(action):
        if stood.get(name) != after and name != stamp:
            yield name, stood.get(name), after


def became(batch: Batch, write: Write, numbers: Mapping[str, str]) -> str:
    """What became of a write, in the vendor's words where there are any."""
    vendor = vendor_of(batch, write.side)
    number = numbers.get(write.action.marker or "")
    match write.state:
        case "done" if write.outcome == "found":
            return f"{vendor}'s answer was lost; it was found done"
        case "done":
            made = isinstance(write.action.payload, InvoiceDraft) and number
            return f"{vendor} stored it" + (f" as {number}" if made else "")
        case "failed":
            return f'{vendor} refused it: "{_words(write)}"'
        case "void":
            return f"not done: {_words(write)}"
    if not write.sends:
        return "not sent yet"
    return f"no answer of {vendor} is known; it is being found out"


def _words(write: Write) -> str:
    """The vendor's own words, or what settled it."""
    try:
        outcome = msgspec.json.decode(write.outcome, type=dict[str, Any])
    except msgspec.DecodeError:  # settled by look-up, or cut off as it was written down
        return write.outcome or write.answer[:_ANSWER_MAX]
    if outcome.get("type") == "stale":
        return "the record had changed meanwhile, so it was decided again"
    return str(outcome.get("words") or outcome.get("error") or write.outcome)


def told(batch: Batch, names: Mapping[str, str]) -> Iterator[Event]:
    """Who was told of these invoices (names by marker), at which step."""
    crm = batch.crm_reference
    users = {user.id: user.name for user in crm.users} if crm else {}
    for one in batch.state.notes.of(list(names)) if names else ():
        late = "1 day" if one.step == 1 else f"{one.step} days"
        step = "it is paid" if one.step == PAID else f"{late} after {one.due}"
        sure = "" if one.sure else "; whether it arrived is not known"
        yield Event(
            kind="told", at=one.at,
            text=f"told {users.get(one.person, one.person)} by {one.way} of {names[one.marker]}: "
            f"{step}{sure}",
        )  # fmt: skip


def vendor_of(batch: Batch, side: Receiver) -> str:
    """What a side is called: "Xero"."""
    return "the message's server" if side == "people" else vendor_title(batch.side(side).name)


def name_of(contact: Contact | None) -> str:
    """A contact's name; nothing where it is forgotten or has none."""
    return one_line(contact.name) if contact and not contact.forgotten else ""
