"""Who must be told of this deal's invoices now: tasks and messages, each step once.

Keeps invariant 9. What is told rests on the invoice as it was read by its id in this batch
(engine/fill sees to that): nothing is told of what is paid, credited, voided or disputed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from syncjob.core.actions import Action, Issue, Message, Payload, Task, Tell, Wave
from syncjob.core.case import PartCase
from syncjob.core.making import Making, Refused
from syncjob.core.money import ZERO
from syncjob.core.records import Invoice
from syncjob.core.rules.notices import (
    PAID,
    PLACES,
    Debt,
    Notice,
    Person,
    Told,
    covered,
    due_step,
    next_step_day,
    paid_step,
    people,
)
from syncjob.core.rules.notices_words import line_of, subject_of, text_of
from syncjob.core.rules.settlement import cash_and_credit, invoice_state
from syncjob.core.rules.texts import one_line

#: Invoices in one message to a chat: Slack cuts a text off after 40,000 characters without a word
#: to us, Teams refuses what is over 28 KB, in practice from 14 KB on; a long line has 450 bytes.
CHAT_LINES_MAX = 25
_CASH = ("payment", "prepayment", "overpayment")
#: The step that is due for somebody: of what they were told in a way, and what others were.
_Step = Callable[[Sequence[Told], Sequence[Told]], int | None]


def tell(making: Making, repeats: Sequence[Invoice]) -> None:
    """Add the notices that are due: of the deal's invoices, those of deals that were merged into
    it among them, and of those that the ledger made from its repeating invoice."""
    policy = making.context.notices
    if not (policy.steps or policy.paid) or making.context.mode == "read_only":
        return
    for part in making.case.standing_parts:
        if part.invoice is not None:
            making.wake(_tell_of(making, part, part.invoice))
    for invoice in repeats:
        making.wake(_tell_of(making, PartCase(), invoice))


def tells_of(payload: Payload) -> tuple[Tell, ...]:
    """What somebody is told by this write; nothing for all but notices."""
    if isinstance(payload, Task):
        return (payload.tell,) if payload.tell else ()
    return payload.tells if isinstance(payload, Message) else ()


def _tell_of(making: Making, part: PartCase, invoice: Invoice) -> date | None:
    """Tell of one invoice; returns the day on which to look again unasked."""
    context = making.context
    state = invoice_state(
        invoice, context.today, context.overdue, credit_notes=making.case.credit_notes,
        bad_debt_accounts=context.policy.bad_debt_accounts,
    )  # fmt: skip
    if state.overdue and invoice.due_date:
        return _overdue(making, part, invoice, invoice.due_date, state.days_overdue)
    if context.notices.paid and state.word == "paid":
        debt = _debt(making, part, invoice, invoice.due_date or context.today, 0)
        if (debt.last_paid_on or date.min) >= context.notices_since:
            _notices(making, debt, lambda told, others: paid_step(told, others, context.today))
    return None


def _overdue(
    making: Making, part: PartCase, invoice: Invoice, due: date, days: int
) -> date | None:  # fmt: skip
    case, context, policy = making.case, making.context, making.context.notices
    later = next_step_day(due, context.today, policy)
    if case.muted:
        making.story.append(f"nobody is told: {case.muted}")
        if case.muted_until and case.muted_until > context.today:
            making.wake(case.muted_until)
    elif covered(invoice.due, case.credits.get(invoice.id)):
        making.story.append("nobody is told: the customer's unapplied credit covers the debt")
        tomorrow = context.today + timedelta(days=1)  # it may be applied to another invoice
        return min(later or tomorrow, tomorrow)
    else:
        debt = _debt(making, part, invoice, due, days)
        since = context.notices_since
        _notices(
            making, debt, lambda told, _: due_step(days, due, context.today, policy, told, since)
        )
    return later


def _notices(making: Making, debt: Debt, step_for: _Step) -> None:
    """A notice for each person and way that has not been told of this step."""
    case, context = making.case, making.context
    told = [t for t in case.told if t.marker == debt.marker]
    found, nobody = people(case.deal, case.party, context.crm.users, context.notices)
    for way in context.notices.by:
        here = [t for t in told if t.way == way]
        for person in (Person(key=way, name=f"the {way} channel"),) if way in PLACES else found:
            known = [t for t in here if t.person == person.key]
            step = step_for(known, [t for t in here if t not in known])
            if step is None:
                continue
            if (person.key, way) in context.digested:
                making.wake(context.today + timedelta(days=1))
            else:
                _append(making, Notice(person=person, way=way, step=step, debt=debt))
    if nobody and not PLACES.issuperset(context.notices.by) and step_for(told, ()) is not None:
        making.issues.append(_nobody(making, debt, nobody))


def _nobody(making: Making, debt: Debt, why: str) -> Issue:
    return Issue(
        code="nobody_to_tell", subject=making.case.subject, page=making.case.deal.page,
        state="note", field="notices.fallback",
        what=f"Nobody can be told of {debt.invoice}: {why}",
        next_step="Give the deal an active owner in the CRM, or name a user in notices.fallback.",
    )  # fmt: skip


def _append(making: Making, notice: Notice) -> None:
    action = _task(making, notice) if notice.way == "task" else _message(making, notice)
    try:
        making.append(action)
    except Refused as refused:
        making.issues.append(refused.issue)


def _task(making: Making, notice: Notice) -> Action:
    case, policy = making.case, making.context.notices
    deal, marker = case.deal, notice_marker(notice)
    # The CRM refuses a task of a record that is gone, which no list may show: once a task was
    # refused its deal alone says enough.
    refused = f"task:{marker}" in case.parked
    org_id = deal.org_id if case.party and not refused else None
    person_id = deal.person_id if case.person and not refused else None
    task = Task(
        marker=marker, deal_id=deal.id, owner_id=notice.person.key,
        subject=subject_of(notice, policy.subject), note=text_of(notice, policy.text),
        due=making.context.today, org_id=org_id, person_id=person_id, tell=_tell(notice),
    )  # fmt: skip
    return Action(
        side="crm", wave=Wave.NOTICES, subject=making.case.subject, target=f"task:{marker}",
        payload=task, reason=_reason(notice),
    )  # fmt: skip


def _message(making: Making, notice: Notice) -> Action:
    policy, marker = making.context.notices, notice_marker(notice)
    message = Message(
        marker=marker, way=notice.way,
        to=(notice.person.email or "") if notice.way == "email" else "",
        person=notice.person.name, subject=subject_of(notice, policy.subject),
        text=text_of(notice, policy.text), line=line_of(notice), tells=(_tell(notice),),
    )  # fmt: skip
    return Action(
        side="people", wave=Wave.NOTICES, subject=making.case.subject,
        target=f"message:{marker}:{notice.way}", payload=message, reason=_reason(notice),
    )  # fmt: skip


def notice_marker(notice: Notice) -> str:
    """The notice's name for ever: invoice, due date, step, person ("NW-1042-A1.261122.7.12")."""
    debt = notice.debt
    return f"{debt.marker}.{debt.due_date:%y%m%d}.{notice.step}.{notice.person.key}"


def _tell(notice: Notice) -> Tell:
    debt = notice.debt
    return Tell(
        marker=debt.marker, due=debt.due_date, step=notice.step, person=notice.person.key,
        way=notice.way,
    )  # fmt: skip


def _reason(notice: Notice) -> str:
    if notice.step == PAID:
        return f"{notice.debt.invoice} is paid and {notice.person.name} wants to know"
    return f"{notice.debt.invoice} is {notice.debt.days} days overdue, step {notice.step}"


def _debt(making: Making, part: PartCase, invoice: Invoice, due: date, days: int) -> Debt:
    case, context = making.case, making.context
    cash, credited = cash_and_credit(invoice)
    credit = case.credits.get(invoice.id)
    paid = sorted((s.date, s.amount) for s in invoice.settlements if s.kind in _CASH and s.date)
    owner = next((u.name for u in context.crm.users if u.id == case.deal.owner_id), None)
    customer = case.party or part.contact or case.person
    phones = [c.phones[0] for c in (case.person, part.contact, case.party) if c and c.phones]
    return Debt(
        deal=case.subject, deal_title=one_line(case.deal.title), marker=part.marker or invoice.id,
        invoice=invoice.number or part.marker or invoice.id, currency=invoice.currency,
        total=invoice.total, due=invoice.due, paid=cash, credited=credited, due_date=due, days=days,
        customer=one_line(customer.name) if customer else "", owner=one_line(owner),
        deal_page=case.deal.page, invoice_page=invoice.page,
        phone=one_line(next(iter(phones), None)),
        expected_on=invoice.expected_on, last_paid_on=paid[-1][0] if paid else None,
        last_paid=paid[-1][1] if paid else None, credit_left=credit.left if credit else ZERO,
    )  # fmt: skip


# --- many into one ------------------------------------------------------------------------------


Doubts = Mapping[tuple[str, str], Sequence[str]]


def gathered(
    actions: Sequence[Action], today: date, doubts: Doubts, *, digest: bool
) -> list[Action]:
    """The messages as they leave; tasks and all other actions stay as they are.

    With `digest`, those of one person and way are one message of this day. The first to each
    person and way names what may not have arrived before: `doubts`, in words.
    """
    messages = _digests(actions, today) if digest else list(actions)
    named: set[tuple[str, str]] = set()
    return [_doubting(action, doubts, named) for action in messages]


def _doubting(action: Action, doubts: Doubts, named: set[tuple[str, str]]) -> Action:
    message = action.payload
    if not isinstance(message, Message) or not message.tells:
        return action
    who = (message.tells[0].person, message.way)
    lines = [] if who in named else doubts.get(who, [])
    named.add(who)
    if not lines:
        return action
    heard = "\n".join(f"- {line}" for line in lines)
    text = f"{message.text}\n\nThese earlier notices may not have reached you:\n{heard}"
    return msgspec.structs.replace(action, payload=msgspec.structs.replace(message, text=text))


def _digests(actions: Sequence[Action], today: date) -> list[Action]:
    single: list[Action] = []
    groups: dict[tuple[str, str], list[Message]] = {}
    for action in actions:
        payload = action.payload
        if isinstance(payload, Message) and payload.line:
            groups.setdefault((payload.tells[0].person, payload.way), []).append(payload)
        else:
            single.append(action)
    return single + [
        _digest(who, piece, today, page)
        for who, messages in sorted(groups.items())
        for page, piece in enumerate(_pages(messages))
    ]


def _pages(messages: Sequence[Message]) -> list[list[Message]]:
    """An e-mail takes them all; a chat cuts off or refuses what is too long."""
    ordered = sorted(messages, key=lambda m: m.marker)
    size = CHAT_LINES_MAX if ordered[0].way in PLACES else len(ordered)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _digest(who: tuple[str, str], messages: Sequence[Message], today: date, page: int) -> Action:
    first, number = messages[0], len(messages)
    marker = f"digest.{today:%y%m%d}.{who[0]}" + (f".{page + 1}" if page else "")
    message = msgspec.structs.replace(
        first, marker=marker, line="",
        subject=first.subject if number == 1 else f"{number} invoices need a look",
        text="\n".join(m.line for m in messages),
        tells=tuple(tell for m in messages for tell in m.tells),
    )  # fmt: skip
    return Action(
        side="people", wave=Wave.NOTICES, subject=f"digest:{today}",
        target=f"message:{marker}:{first.way}", payload=message,
        reason=f"{number} notices to {first.person or who[0]} on {today}",
    )  # fmt: skip
