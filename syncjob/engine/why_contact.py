"""The facts of one customer on both sides, for its story; who is forgotten is not named."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.core.because import APPLIED_NEXT
from syncjob.core.contacts.case import ContactCase, ContactDecision
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.markers import contact_marker
from syncjob.core.records import Contact, Deal, Invoice, Side
from syncjob.core.rules.texts import one_line
from syncjob.core.story import Awaited, Event, Story, in_order
from syncjob.engine import why_events as happened
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.engine.contacts.wants import is_on
from syncjob.engine.standing import last_began, next_batch, standing
from syncjob.engine.subjects import contact_of
from syncjob.engine.why_deal import decided
from syncjob.state.contacts import FORGOTTEN

#: So many of a customer's deals are named; `syncjob why deal` tells of each.
_DEALS_MAX = 10


def tell_contact(batch: Batch, key: str, *, fresh: bool) -> Story | None:
    """The story of a customer ("org:12", "person:7", "ledger:<id>"); None if it was never read."""
    record = contact_of(batch.state, key)
    if record is None:
        return None
    hidden = _forgotten(batch, key, record)
    case = load_contact(batch, key)
    decision = decide_contact(case, load_contact_context(batch)) if case and is_on(batch) else None
    blocks = standing(batch, {a.kind for a in decision.actions} if decision else set())
    to_do = bool(decision and decision.actions)
    answer, step = _answer(batch, key, record, case, decision, hidden=hidden)
    if to_do and blocks and blocks[0].step:
        step = blocks[0].step
    partner = _partner(batch, key)
    said = tuple(decided(batch, f"contact:{key}", *([f"contact:{partner}"] if partner else [])))
    if said and not hidden:
        step = APPLIED_NEXT
    return Story(
        kind="contact", subject=f"contact:{key}", title="" if hidden else one_line(record.name),
        page=record.page, answer=answer, next_step=step,
        events=in_order(_events(batch, key, partner), batch.zone),
        rules=(*(decision.story if decision and not hidden else ()), *_deals(batch, key, hidden)),
        awaited=(*said, *(blocks if to_do else ()), *_awaited(decision)),
        fresh=fresh, hidden=hidden, last_batch=last_began(batch), next_batch=next_batch(batch),
    )  # fmt: skip


def _answer(
    batch: Batch, key: str, record: Contact, case: ContactCase | None,
    decision: ContactDecision | None, *, hidden: bool,
) -> tuple[str, str]:  # fmt: skip
    """What became of the customer, and the next step."""
    if hidden:
        return (
            "A person asked to be forgotten: its sync has ended, what says who it is was blanked "
            "here, and it is never made anew. Ids, amounts and numbers stay.",
            "Nothing; delete or archive it in the CRM and the ledger yourself.",
        )
    pair = _pair_words(batch, key)
    if decision is None:
        return _without_sync(batch, record, pair)
    if decision.waits:
        return f"{pair} {decision.waits[0].upper()}{decision.waits[1:]}.", "Nothing: it goes on."
    if decision.issues:
        issue = decision.issues[0]
        return f"{pair} {issue.what}", issue.next_step
    if decision.actions:
        kinds = ", ".join(dict.fromkeys(action.reason for action in decision.actions))
        return (
            f"{pair} The next batch changes it, because {kinds}.",
            "Nothing: the next batch does it. `syncjob plan` shows each value.",
        )
    if decision.link:
        return f"{pair} The next batch links it with {decision.link}.", "Nothing."
    if decision.story:
        return f"{pair} Nothing is done: {decision.story[-1]}.", "Nothing, if that is right."
    return (
        f"{pair} Both sides agree in every field that crosses.",
        "Nothing: there is nothing to do.",
    )


def _without_sync(batch: Batch, record: Contact, pair: str) -> tuple[str, str]:
    home = record.organization_id
    if is_on(batch) and record.kind == "person" and home:
        return (
            f"{pair} It is a person of {home}, and crosses with it as a part of that customer.",
            f"`syncjob why {home}` tells of the customer.",
        )
    return (
        f"{pair} Contacts are not synced (contacts.update: off): a won deal finds or makes its "
        "customer in the ledger, and nothing else of it crosses.",
        "Nothing, if that is right; else see contacts.update in the config.",
    )


def _pair_words(batch: Batch, key: str) -> str:
    tie = batch.state.trail.tie(key.removeprefix("ledger:"))
    if tie is not None:
        return f"{tie.crm_id} in the CRM and {tie.ledger_id} in the ledger are linked as one."
    if not key.startswith("ledger:"):
        return "It is linked with no ledger contact."
    return "No record of the CRM is linked with this ledger contact; syncjob did not make the link."


def _awaited(decision: ContactDecision | None) -> Iterator[Awaited]:
    if decision and decision.waits:
        yield Awaited(kind="recovery", text=decision.waits)


def _partner(batch: Batch, key: str) -> str | None:
    """The ledger's id of the customer."""
    ledger_id = key.removeprefix("ledger:")
    return ledger_id if ledger_id != key else batch.state.links.contact(key)


def _events(batch: Batch, key: str, partner: str | None) -> Iterator[Event]:
    state = batch.state
    subjects = [f"contact:{key}"]
    targets = [f"contact:{key}", f"mark:{key}"]
    records: list[tuple[Side, str, str, str]] = []
    if not key.startswith("ledger:"):
        records.append(("crm", "contacts", key, f"{key} of the CRM"))
        targets.append(f"contact:{contact_marker(batch.config.connection.code, key)}")
        main = state.contacts.person(key)
        if main:
            records.append(("crm", "contacts", main, f"its main person {main}"))
    if partner:
        records.append(("ledger", "contacts", partner, f"the ledger contact {partner}"))
        subjects.append(f"contact:ledger:{partner}")
        targets += [f"contact:{partner}", f"mark:{partner}"]
    yield from happened.looks(batch, records)
    yield from happened.ruled(batch, subjects)
    yield from happened.linked(batch, partner or key)
    yield from happened.writes(batch, state.trail.writes(subjects, targets), {})
    yield from happened.issues(state.issues.of(*subjects))
    yield from happened.decided(state.decisions.of(*subjects))


def _deals(batch: Batch, key: str, hidden: bool) -> Iterator[str]:
    """The customer's deals with what became of each, shortly."""
    state = batch.state
    deals = [] if key.startswith("ledger:") else state.search.deals_of(key)
    for deal_id in deals[-_DEALS_MAX:]:
        deal = state.snapshots.get("crm", "deals", deal_id, Deal)
        live = [part.ledger_id for part in state.links.parts(deal_id) if part.ended is None]
        invoices = (state.snapshots.get("ledger", "invoices", i, Invoice) for i in live)
        said = [f"{i.number or i.id} ({i.status})" for i in invoices if i is not None]
        title = "" if hidden or deal is None else f" {one_line(deal.title)}"
        status = deal.status if deal else "unknown"
        yield f"deal {deal_id}{title} ({status}): {', '.join(said) or 'no invoice'}"
    if len(deals) > _DEALS_MAX:
        yield f"and {len(deals) - _DEALS_MAX} older deals"


def _forgotten(batch: Batch, key: str, record: Contact) -> bool:
    ids = (key.removeprefix("ledger:"), record.id, _partner(batch, key))
    return record.forgotten or batch.state.contacts.ended(*ids) == FORGOTTEN
