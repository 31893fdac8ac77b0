"""The customers of one batch: what is read for them in bulk, what is decided, what follows.

The same stages as for deals (fill, plan, push, settled), for contacts alone: a trial of one deal
and a switched-off contact sync have none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta

from syncjob.core.actions import Action, ContactChange, CrmContactDraft
from syncjob.core.budget import Work
from syncjob.core.contacts.case import ContactCase, ContactContext, ContactDecision
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.digests import Digests
from syncjob.core.identity import TRACELESS
from syncjob.core.records import Side
from syncjob.core.reports import Row
from syncjob.core.rules.texts import one_line
from syncjob.engine import spending
from syncjob.engine.auditing import audit_link, tie_contacts
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import chunks, get, read_records
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.engine.contacts.forget import forget
from syncjob.engine.contacts.wants import is_on, want_changed_config
from syncjob.engine.nearby import customers_of, note_near, note_near_of_ledger
from syncjob.engine.pull import store_records
from syncjob.engine.share import in_turn, leave, must_end

#: Deleted organizations and persons stand in no list (facts: pipedrive, 1d): those that are
#: linked are read by id once a day, which costs a call for each hundred.
SWEEP = timedelta(days=1)
#: What a person mends beside the records (rights, fields, a match) is seen within the hour.
HELD_RECHECK = timedelta(hours=1)
#: The fact that contact sync has run with this state: until then it overwrites nothing unasked.
COMPARED = "contacts_compared"
#: Customers are decided and filled in groups of this size, so that memory stays flat.
GROUP = 500


def takes_part(batch: Batch) -> bool:
    """Whether this batch decides customers at all."""
    return is_on(batch) and batch.options.deal is None


# --- fill --------------------------------------------------------------------------------------


def fill_contacts(batch: Batch, first: Collection[str] = ()) -> list[str]:
    """Read what deciding needs; returns the customers to decide, in the order in which they are.
    Those that the batch has no time for stay wanted; `first` are read first."""
    want_changed_config(batch)
    if not takes_part(batch):
        return []
    if not all(spending.allowed(batch, side, Work.CONTACTS) for side in spending.SIDES):
        batch.unread_customers = frozenset(batch.state.contacts.wanted())
        return []  # they stay wanted
    _sweep(batch)
    _wake_held(batch)
    wanted = batch.state.contacts.wanted()
    known = batch.state.links.linked_of
    keys = in_turn(batch, "customers", wanted, known=known, first=first)
    for start in range(0, len(keys), GROUP):
        if must_end(batch, start):
            leave(batch, "customers", keys, start, known=known)
            batch.unread_customers, keys = frozenset(keys[start:]), keys[:start]
            break
        batch.progress("contacts", start, len(keys))
        _fill_group(batch, keys[start : start + GROUP])
    return sorted(keys, key=_of_ledger)


def _of_ledger(key: str) -> tuple[bool, str]:
    """Last: a ledger contact has no partner only once every customer has looked for its own."""
    return key.startswith("ledger:"), key


def _sweep(batch: Batch) -> None:
    """Read every linked record of the CRM by its id, once a day: is it deleted?"""
    book, now = batch.state.book, batch.clock.now()
    last = book.instant("contacts_swept")
    if last is not None and now - last < SWEEP:
        return
    if last is not None:
        _read_crm(batch, batch.state.contacts.linked_ids())
    with batch.state.commit():
        book.note("contacts_swept", now.isoformat())


def _wake_held(batch: Batch) -> None:
    """Customers with an open issue are decided again each hour, and what was refused for a want
    of rights is tried again."""
    book, now = batch.state.book, batch.clock.now()
    last = book.instant("contacts_checked")
    if last is not None and now - last < HELD_RECHECK:
        return
    held = [found.issue.subject for found in book.open_issues()]
    keys = [subject.removeprefix("contact:") for subject in held if subject.startswith("contact:")]
    with batch.state.commit():
        book.note("contacts_checked", now.isoformat())
        batch.state.contacts.want(keys, "it has an open issue")
        if keys:
            for code in TRACELESS:
                book.unpark_code(code)


def _fill_group(batch: Batch, keys: Sequence[str]) -> None:
    """The CRM's side of links that it has not shown yet, what looks alike, and what is about to
    be changed: read by id, so that a change is made on what stands now."""
    seen, links = batch.state.snapshots.batch_of, batch.state.links
    crm_keys = [key for key in keys if not key.startswith("ledger:")]
    _read_crm(batch, [k for k in crm_keys if links.contact(k) and not seen("crm", "contacts", k)])
    _read_traces(batch, [k for k in crm_keys if links.contact(k)])
    note_near(batch, customers_of(batch, [k for k in crm_keys if links.contact(k) is None]))
    if batch.config.contacts.create_in_crm:
        alone = [k.removeprefix("ledger:") for k in keys if k.startswith("ledger:")]
        note_near_of_ledger(batch, alone)
    targets: dict[Side, dict[str, None]] = {"crm": {}, "ledger": {}}
    context = load_contact_context(batch)
    for key in keys:
        case = load_contact(batch, key)
        for action in decide_contact(case, context).actions if case else ():
            if isinstance(action.payload, ContactChange):
                side: Side = "crm" if action.side == "crm" else "ledger"
                targets[side][action.payload.contact_id] = None
    strong = batch.state.snapshots.read_by_id
    for side, ids in targets.items():
        old = [i for i in ids if not strong(side, "contacts", i, batch.id)]
        _read(batch, side, old)


def _read_crm(batch: Batch, ids: Iterable[str]) -> None:
    """Read CRM contacts of both kinds, each kind in groups of its own."""
    listed = list(ids)
    for kind in ("org:", "person:"):
        _read(batch, "crm", [i for i in listed if i.startswith(kind)])


def _read_traces(batch: Batch, keys: Sequence[str]) -> None:
    """Of a deleted customer's deals and main person only a reading that is no older than the
    deletion shows whether they went elsewhere: a merge in Pipedrive need not stamp them anew."""
    snapshots, book = batch.state.snapshots, batch.state.contacts
    deals: dict[str, None] = {}
    people: dict[str, None] = {}
    for key in keys:
        case = load_contact(batch, key)
        if case is None or case.ledger is None or not (case.crm and case.crm.deleted):
            continue
        read = snapshots.batch_of("crm", "contacts", key)
        billed, main = book.deals_billed(case.ledger.id), book.person(key)
        deals |= {d: None for d in billed if snapshots.batch_of("crm", "deals", d) < read}
        if main and snapshots.batch_of("crm", "contacts", main) < read:
            people[main] = None
    read_records(batch, "crm", "deals", list(deals))
    _read_crm(batch, people)


def _read(batch: Batch, side: Side, ids: Sequence[str]) -> None:
    """Read contacts by id in the vendor's bulk size; one that is not shown says nothing."""
    size = batch.side(side).capabilities.get_batch["contacts"]
    for group in chunks(list(ids), size):
        records, _ = get(batch, side, "contacts", group)
        with batch.state.commit():
            store_records(batch, side, "contacts", records, strong=True)
        batch.breathe(heed_time=False)


# --- plan --------------------------------------------------------------------------------------


def decide_all(
    batch: Batch, keys: Sequence[str], *, dry: bool, seen: Digests
) -> Iterator[ContactDecision]:
    """Decide every customer whose subject is not among the seen, and note what follows: links,
    agreements, issues, what waits."""
    context = load_contact_context(batch, dry=dry)
    for group in chunks(sorted(keys, key=_of_ledger), GROUP):
        with batch.state.commit():
            made = [_decide(batch, key, context, seen) for key in group]
        yield from (decision for decision in made if decision is not None)


def _decide(
    batch: Batch, key: str, context: ContactContext, seen: Digests
) -> ContactDecision | None:
    case = load_contact(batch, key)
    if case is None or case.subject in seen:
        if case is None or case.subject != f"contact:{key}":  # it is part of another customer now
            now = batch.clock.now()
            batch.state.book.close_issues(f"contact:{key}", keep=set(), at=now)
        batch.state.contacts.settled(key)
        return None
    decision = decide_contact(case, context)
    if _follow(batch, case, decision):
        case = load_contact(batch, key)
        decision = decide_contact(case, context) if case else decision
    note(batch, key, decision)
    seen.add(decision.subject)
    return decision


def _follow(batch: Batch, case: ContactCase, decision: ContactDecision) -> bool:
    """What a decision changes in the state alone. True if the customer is to be decided again."""
    state = batch.state
    if decision.forget:
        forget(batch, case.crm.id if case.crm else None, case.ledger.id if case.ledger else None)
        return True
    if case.crm is None:
        return False
    key = case.crm.id
    if decision.follow:
        linked = state.links.contact(key)
        state.contacts.move_link(key, decision.follow)
        audit_link(batch, decision.follow, None, linked, how=f"{key} was merged into it")
        state.contacts.want([decision.follow], f"{key} was merged into it")
        batch.log.info("link.moved", crm=key, to=decision.follow)
        return True
    if decision.link:
        tie_contacts(batch, key, decision.link, how="match")
        for record in (key, decision.link):
            state.matches.drop_of(record, ("pair",))
        batch.log.info("link.created", kind="contact", crm=key, ledger=decision.link, how="match")
        batch.counts["linked"] += 1
    if case.linked or decision.link:
        if case.person is not None:
            state.contacts.remember_person(key, case.person.id)
        state.contacts.agree(key, decision.agreed)
    return False


def note(batch: Batch, key: str, decision: ContactDecision) -> None:
    """A customer's open issues are those of its newest decision; one with nothing to do is
    settled. Call it inside a commit."""
    if decision.waits is None:
        batch.raise_issues(decision.issues)
        kept = {issue.code for issue in decision.issues}
        now = batch.clock.now()
        batch.state.book.close_issues(decision.subject, keep=kept, at=now)
        if decision.subject != f"contact:{key}":
            batch.state.book.close_issues(f"contact:{key}", keep=set(), at=now)
        if not decision.actions:
            batch.state.contacts.settled(key)


def settle_contacts(batch: Batch, keys: Sequence[str], *, others: bool = True) -> None:
    """Decide these customers once more from the state, and `others` whom our own writes concern;
    not whom this batch has left unread."""
    if takes_part(batch):
        wanted = {*batch.state.contacts.wanted()} - batch.unread_customers if others else set()
        for _ in decide_all(batch, list({*keys, *wanted}), dry=False, seen=Digests()):
            pass  # what follows is noted


def actions_again(batch: Batch, keys: Sequence[str]) -> list[Action]:
    """The writes that these customers still need, with what the earlier waves have stored."""
    context = load_contact_context(batch)
    found: list[Action] = []
    for key in keys:
        case = load_contact(batch, key)
        found += decide_contact(case, context).actions if case else ()
    return [action for action in found if not _homeless(batch, action)]


def _homeless(batch: Batch, action: Action) -> bool:
    """A person whose organization has yet to be made."""
    draft = action.payload
    alone = batch.config.contacts.unit == "person"
    person = isinstance(draft, CrmContactDraft) and draft.kind == "person"
    return person and not alone and getattr(draft, "organization_id", None) is None


def contact_row(batch: Batch, subject: str, words: Sequence[str]) -> Row:
    """One customer in the table of what a batch did."""
    key = subject.removeprefix("contact:")
    case = load_contact(batch, key)
    record = (case.crm or case.ledger) if case else None
    name = (record.name or "") if record else ""
    return Row(
        deal_id=key, title=name, customer=name, page=record.page if record else None,
        what="; ".join(dict.fromkeys(words)),
    )  # fmt: skip


def title_of(batch: Batch, subject: str) -> str:
    """The customer's name, for a table."""
    case = load_contact(batch, subject.removeprefix("contact:"))
    record = (case.crm or case.ledger) if case else None
    return one_line(record.name) if record else ""
