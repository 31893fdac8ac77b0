"""The facts of one deal, gathered for its story: the rules asked again on what the state holds.

Nothing is decided here: `decide` is asked as a batch asks it, on the lines as they were read last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncjob.core.actions import Decision, Issue
from syncjob.core.because import DealFacts, deal_answer, deal_awaits, deal_step
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.markers import contact_marker
from syncjob.core.plan import decide, needs_lines
from syncjob.core.records import DEAD, Contact, Invoice, Side
from syncjob.core.rules.settlement import (
    cash_and_credit,
    deal_state,
    invoice_state,
    next_due_day,
)
from syncjob.core.rules.texts import one_line
from syncjob.core.rules.whole import may_be_authorised
from syncjob.core.story import Awaited, Event, InvoiceNow, Story, in_order
from syncjob.engine import why_events as happened
from syncjob.engine.batch import Batch
from syncjob.engine.cases import load_case, load_context
from syncjob.engine.credits import NOTES, credits_of
from syncjob.engine.recovery import creates_wait
from syncjob.engine.standing import last_began, next_batch, standing
from syncjob.engine.subjects import Subject, former
from syncjob.state.contacts import FORGOTTEN

#: What the rules say of a deal whose lines were not read in this very batch.
_UNREAD = "deal_unreadable"


def tell_deal(batch: Batch, deal_id: str, *, fresh: bool) -> Story | None:
    """The story of a deal; None if it was never read."""
    context, case = load_context(batch), load_case(batch, deal_id)
    if case is None:
        return None
    facts = deal_facts(batch, case, context)
    hidden = _forgotten(batch, case)
    story = Story(
        kind="deal", subject=case.subject, title="" if hidden else one_line(case.deal.title),
        customer="" if hidden else happened.name_of(case.party), page=case.deal.page,
        answer=deal_answer(facts), next_step=deal_step(facts),
        events=in_order(_events(batch, case, facts), batch.zone),
        invoices=(*facts.invoices, *facts.ended), rules=facts.decision.story,
        awaited=deal_awaits(facts), unknown=tuple(_unknown(batch, case, facts)),
        fresh=fresh, hidden=hidden, last_batch=last_began(batch), next_batch=next_batch(batch),
    )  # fmt: skip
    return msgspec.structs.replace(story, awaited=(*story.awaited, *_wake(batch, story)))


def _wake(batch: Batch, story: Story) -> Iterator[Awaited]:
    """The day on which the deal is looked at again unasked, if nothing awaited falls on it."""
    day = batch.state.trail.wakes(story.subject.partition(":")[2])
    if day is not None and day > batch.today and day not in {one.day for one in story.awaited}:
        yield Awaited(kind="wake", text="the deal is decided again, whatever happens", day=day)


def deal_facts(batch: Batch, case: Case, context: Context) -> DealFacts:
    """What the rules say of the deal now, and what stands between it and the next step."""
    asked, unread = _with_lines_read(case, context)
    decision = decide(asked, context)
    issues = _issues(batch, case, decision, unread)
    kinds = {action.kind for action in decision.actions}
    live = [(part, part.invoice) for part in case.standing_parts if part.invoice]
    shown = [invoice for _, invoice in live]
    held = next((issue for issue in issues if issue.state == "held"), None)
    state = deal_state(
        (*shown, *case.after.repeats), context.today, context.overdue, issue=held,
        credit_notes=case.credit_notes, bad_debt_accounts=context.policy.bad_debt_accounts,
    )  # fmt: skip
    ended = [(part, part.last) for part in case.parts if part.last and not part.invoice]
    return DealFacts(
        deal=case.deal, word=state.word, decision=decision, issues=issues, unread=unread,
        invoices=tuple(
            _now(batch, context, part, invoice)
            for part, invoice in [*live, *((PartCase(), i) for i in _repeats(case))]
        ),
        ended=tuple(_now(batch, context, part, invoice) for part, invoice in ended),
        wait=creates_wait(batch), busy=_busy(batch, case), blocks=standing(batch, kinds),
        due=tuple(_due(context, shown)), decided=tuple(decided(batch, case.subject)),
        approves=may_be_authorised(context.policy),
    )  # fmt: skip


def _repeats(case: Case) -> Iterator[Invoice]:
    """What the deal's repeating invoices made and is still there."""
    return (invoice for invoice in case.after.repeats if invoice.status not in DEAD)


def _with_lines_read(case: Case, context: Context) -> tuple[Case, str | None]:
    """The deal with its lines as they were read last; else, in words, why they are not known."""
    if case.complete or case.busy:
        return case, None
    if case.latest is not None:
        return msgspec.structs.replace(case, deal=case.latest, complete=True), None
    if not needs_lines(case, context):
        return case, None
    if case.moved:
        return case, "the deal has changed since its lines were read, and they are read anew first"
    return case, "its lines have not been read yet"


def _issues(batch: Batch, case: Case, decision: Decision, unread: str | None) -> tuple[Issue, ...]:
    """What a person must look at: as the rules say it now, and as batches noted it."""
    noted = [found.issue for found in batch.state.book.open_issues(case.subject)]
    now = [i for i in decision.issues if unread is None or i.code != _UNREAD]
    if decision.waits or unread is not None:  # the last batch knew more than the state does
        now += [issue for issue in noted if issue.code not in {i.code for i in now}]
    of_writes = [i for i in noted if i.code == "email_unknown"]
    return tuple({i.code: i for i in (*of_writes, *now)}.values())


def _now(batch: Batch, context: Context, part: PartCase, invoice: Invoice) -> InvoiceNow:
    """One invoice as it was last read."""
    return invoice_now(batch, context, invoice, part)


def invoice_now(
    batch: Batch, context: Context, invoice: Invoice, part: PartCase | None = None
) -> InvoiceNow:
    """An invoice as it was last read, a deal's or any other."""
    part = part or PartCase()
    state = invoice_state(
        invoice, context.today, context.overdue, credit_notes=part.credit_notes,
        bad_debt_accounts=context.policy.bad_debt_accounts,
    )  # fmt: skip
    seen = batch.state.trail.seen("ledger", "invoices", invoice.id)
    cash, credit = cash_and_credit(invoice)
    left = credits_of(batch, [invoice]).get(invoice.id)
    known = batch.state.snapshots.cursor(*NOTES).polled is not None
    none = invoice.total - invoice.total if known else None
    return InvoiceNow(
        id=invoice.id, name=invoice.number or invoice.marker or invoice.id, word=state.word,
        currency=invoice.currency, total=invoice.total, due=invoice.due, paid=cash,
        credited=credit, date=invoice.date, due_date=invoice.due_date,
        expected_on=invoice.expected_on, days_overdue=state.days_overdue,
        part=part.key or "", marker=invoice.marker, settlements=invoice.settlements,
        unapplied=left.left if left else none,
        stamp=invoice.updated, read_at=seen.at if seen else None, batch=seen.batch if seen else 0,
        page=invoice.page,
    )  # fmt: skip


def _busy(batch: Batch, case: Case) -> Awaited | None:
    """The write of which nobody knows yet what became of it, and until when that may take."""
    code, party = batch.config.connection.code, case.deal.org_id or case.deal.person_id
    targets = [f"contact:{contact_marker(code, party)}"] if party else []
    found = [w for w in batch.state.trail.writes([case.subject], targets) if w.state == "open"]
    if not found:
        return None
    write = found[-1]
    sent, vendor = write.server_time or write.sent, happened.vendor_of(batch, write.side)
    until = None
    if sent is not None and write.side != "people":
        until = sent + batch.side(write.side).capabilities.patience
    return Awaited(
        kind="write", until=until,
        text=f"what became of the last write ({write.action.kind}) is being found out: {vendor}'s "
        "answer was lost, and nothing else is written for it before that is known",
    )  # fmt: skip


def decided(batch: Batch, *subjects: str) -> Iterator[Awaited]:
    """What a person decided of these that no batch has applied yet."""
    for one in batch.state.decisions.of(*subjects):
        if one.batch is None:
            who = one.who or "somebody"
            yield Awaited(kind="decision", text=f'what {who} decided ("{one.kind}") is applied')


def _due(context: Context, invoices: Sequence[Invoice]) -> Iterator[Awaited]:
    """The days on which unpaid invoices begin to count as overdue."""
    for invoice in invoices:
        day = next_due_day(invoice, context.overdue)
        if day is not None and day > context.today:
            name = invoice.number or invoice.id
            yield Awaited(kind="overdue", text=f"{name} counts as overdue if unpaid", day=day)


# --- what happened -------------------------------------------------------------------------------


def _events(batch: Batch, case: Case, facts: DealFacts) -> Iterator[Event]:
    state, deal = batch.state, case.deal
    subjects = [case.subject, *former(state, Subject("deal", deal.id))]
    party = deal.org_id or deal.person_id
    deals = (deal.id, *state.merges.merged_into("deals", deal.id))
    parts = [part for one in deals for part in state.links.parts(one)]
    names = {part.marker: part.ledger_id for part in parts}
    invoices = {m: state.snapshots.get("ledger", "invoices", i, Invoice) for m, i in names.items()}
    called = {m: (i.number if i else None) or m for m, i in invoices.items()}
    yield from happened.won(deal)
    yield from happened.looks(batch, _records(case, party))
    yield from happened.ruled(batch, subjects)
    marker = contact_marker(batch.config.connection.code, party) if party else ""
    targets = [f"contact:{marker}"] if party else []
    numbers = called | {names[m]: number for m, number in called.items()}
    yield from happened.writes(batch, state.trail.writes(subjects, targets), numbers)
    yield from happened.linked(batch, party or "")
    for part in parts:
        yield from happened.tied(batch, part, called[part.marker])
    for invoice in (*(i for i in invoices.values() if i), *case.after.repeats):
        yield from happened.money(batch, invoice, invoice.number or invoice.id)
    yield from happened.issues(state.issues.of(*subjects))
    yield from happened.decided(state.decisions.of(*subjects))
    repeats = {i.id: i.number or i.id for i in case.after.repeats}
    yield from happened.told(batch, called | repeats)


def _records(case: Case, party: str | None) -> Iterator[tuple[Side, str, str, str]]:
    """What of this deal is read, with what it is called."""
    yield "crm", "deals", case.deal.id, "the deal"
    yield "crm", "details", case.deal.id, "its lines"
    if party:
        yield "crm", "contacts", party, f"its customer {party}"
    for part in case.parts:
        invoice = part.invoice or part.last
        if invoice is not None:
            yield "ledger", "invoices", invoice.id, invoice.number or invoice.id


def _unknown(batch: Batch, case: Case, facts: DealFacts) -> Iterator[str]:
    """What this state does not know, said honestly."""
    state = batch.state
    subjects = [case.subject, *former(state, Subject("deal", case.deal.id))]
    ruled = any(state.rulings.of(subject) for subject in subjects)
    for part in state.links.parts(case.deal.id):
        if part.how == "created" and not ruled:
            yield f"Which rules decided on {part.marker} was not kept by the syncjob that made it."
        elif part.how != "created" and not state.journal.knows_marker(part.marker):
            yield (
                f"This state did not make {part.marker}: it found it in the ledger, and does not "
                "know when and by which rules it was made, nor who was told of it before."
            )
    born = state.book.instant("born")
    if born is not None and (case.deal.won_at or born) < born:
        yield f"This state began on {born:%Y-%m-%d %H:%M} UTC; what was done before is not in it."
    owed = [i for i in facts.invoices if i.due > 0 and i.word != "draft"]
    if owed and all(invoice.unapplied is None for invoice in owed):
        yield "What the customer has unapplied was not read yet: it is, before a reminder."


def _forgotten(batch: Batch, case: Case) -> bool:
    """Whether its customer asked to be forgotten: then nothing says who that is."""
    ids = (case.deal.org_id, case.deal.person_id)
    billed = [part.contact for part in case.parts if isinstance(part.contact, Contact)]
    ended = batch.state.contacts.ended(*ids) == FORGOTTEN
    return ended or any(contact.forgotten for contact in billed)
