"""What a batch wrote, read again by its id, as items that say what becomes of each in an undo."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncjob.core.actions import Action, ContactChange, DealChange, Wave
from syncjob.core.contacts.case import ContactCase, crm_values, holds
from syncjob.core.contacts.fields import values_of
from syncjob.core.markers import contact_marker, crm_marker, is_left
from syncjob.core.records import Contact, Deal, Invoice, Side
from syncjob.core.rules.texts import one_line
from syncjob.core.rulings import STAGE
from syncjob.core.undoing import (
    Change,
    Item,
    Seen,
    judge_link,
    judge_move,
    judge_value,
    judge_write,
    merged,
    pair_values,
    rule_for,
)
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.errors import Park
from syncjob.state.audit import AuditRow

# --- what the batch wrote -------------------------------------------------------------------------


def changes_of(batch: Batch, number: int, subject: str | None) -> list[Change]:
    """Everything that this batch wrote or tied, of this deal or customer alone if one is given.
    Raises Park."""
    known = batch.state.db.execute("SELECT 1 FROM batch WHERE id = ?", (number,)).fetchone()
    if not known or number == batch.id:
        raise Park(
            f"There was no batch {number}.", where="undo",
            next_step="`syncjob log` lists the batches; `syncjob history RECORD` names that of "
            "each write to a record.",
        )  # fmt: skip
    rows = batch.state.audit.rows_of(batch=number)
    if any(is_left(row.subject.partition(":")[2]) for row in rows):
        raise Park(
            f"Batch {number} wrote for records of a CRM that was left since (`syncjob relink`).",
            where="undo", next_step="Put right by hand what is wrong; `syncjob history` of each "
            "record lists what the batch wrote.",
        )  # fmt: skip
    names = _subjects(batch, subject)
    rows = [row for row in rows if not names or {row.subject, row.target} & names]
    intents = batch.state.journal.intents(row.intent for row in rows if row.intent is not None)
    actions = {number: intent.action for number, intent in intents.items()}
    found = (_change(row, actions.get(row.intent or 0)) for row in rows)
    return merged([change for change in found if change is not None])


def _subjects(batch: Batch, subject: str | None) -> set[str]:
    """What the audit calls the deal or the customer that a person named by any of its ids."""
    if subject is None:
        return set()
    name = subject.removeprefix("contact:").removeprefix("ledger:")
    links = batch.state.links
    others = [links.contact(name), links.contact_owner(name)]
    ids = [i for i in (name, *others) if i]
    return {subject, *(f"contact:{i}" for i in ids), *(f"contact:ledger:{i}" for i in ids)}


def _change(row: AuditRow, action: Action | None) -> Change | None:
    """A row as a change; None for what is no write and no link (a person's own decision)."""
    if action is not None:
        kind, payload = action.kind, action.payload
        other = payload.follows.get(row.field) if isinstance(payload, ContactChange) else None
    elif row.target.startswith("field:"):
        kind, other = "field.create", None
    elif row.field == "link":
        kind, other = "link", None
    else:
        return None
    return Change(
        side=row.side, target=row.target, subject=row.subject, field=row.field, before=row.before,
        after=row.after, kind=kind, intent=row.intent, other=other,
    )  # fmt: skip


# --- what stands now ------------------------------------------------------------------------------


def _is_value(change: Change) -> bool:
    return change.kind == "contact.update"


def _is_move(change: Change) -> bool:
    return change.kind == "deal.update" and change.field == STAGE


def read_again(batch: Batch, changes: Sequence[Change]) -> None:
    """Read by id what may be put back, and its other side: what stands now decides."""
    crm: dict[str, None] = {}
    ledger: dict[str, None] = {}
    for change in filter(_is_value, changes):
        key = change.subject.removeprefix("contact:")
        links = batch.state.links
        owner = links.contact_owner(key.removeprefix("ledger:"))
        ids = (change.target.removeprefix("contact:"), key, owner, links.contact(key))
        for one in filter(None, ids):
            if not one.startswith("ledger:"):
                (crm if one.startswith(("org:", "person:")) else ledger)[one] = None
    for kind in ("org:", "person:"):
        read_records(batch, "crm", "contacts", [i for i in crm if i.startswith(kind)])
    read_records(batch, "ledger", "contacts", list(ledger))
    moved = (change.subject.removeprefix("deal:") for change in filter(_is_move, changes))
    read_records(batch, "crm", "deals", list(dict.fromkeys(moved)))


def items_of(batch: Batch, changes: Sequence[Change], number: int) -> list[Item]:
    """What becomes of each value, move and link, and of every other write as a whole."""
    pairs = pair_values([change for change in changes if _is_value(change)])
    items: list[Item] = []
    whole: set[tuple[str, str, str]] = set()
    for change in changes:
        if _is_value(change):
            key = change.subject, change.field, "ledger" if change.side == "crm" else "crm"
            items.append(judge_value(change, _seen(batch, change, pairs.get(key, ()), number)))
        elif _is_move(change):
            items.append(_move_item(batch, change, number))
        elif change.kind == "link":
            if not _made_with_it(batch, change, changes):
                items.append(_link_item(batch, change))
        elif (change.side, change.target, change.kind) not in whole:
            whole.add((change.side, change.target, change.kind))
            one = msgspec.structs.replace(change, field="", before=None, after=change.kind)
            items.append(judge_write(one, _invoice_of(batch, change)))
    return [_titled(batch, item) for item in items]


def _seen(batch: Batch, change: Change, others: tuple[str | None, ...], number: int) -> Seen:
    side: Side = "crm" if change.side == "crm" else "ledger"
    record_id = change.target.removeprefix("contact:")
    record = batch.state.snapshots.get(side, "contacts", record_id, Contact)
    fresh = batch.state.snapshots.read_by_id(side, "contacts", record_id, batch.id)
    case = load_contact(batch, change.subject.removeprefix("contact:"))
    linked, other = _other_side(batch, case, change)
    last = batch.state.audit.last_of(change.side, change.target, change.field)
    later = last.batch if last is not None and last.batch != number else None
    ledger = batch.ledger_reference
    return Seen(
        record=record if fresh else None, now=values_of(record)[change.field] if record else None,
        linked=linked, other=other, others=(change.other, *others), later=later,
        undone=last is not None and last.rule == rule_for(number),
        ended=batch.state.contacts.ended(record_id), suppliers=batch.config.contacts.suppliers,
        busy=batch.state.journal.busy([(side, change.target)]), refused=_unfit(batch, change),
        elsewhere=_elsewhere(batch, change, case),
        country=batch.config.contacts.country or (ledger.organisation.country if ledger else None),
    )  # fmt: skip


def _other_side(batch: Batch, case: ContactCase | None, change: Change) -> tuple[bool, str | None]:
    """Whether the field has a partner on the other side, and what that says now."""
    if case is None or case.crm is None or case.ledger is None or not case.linked:
        return False, None
    context, record = load_contact_context(batch), change.target.removeprefix("contact:")
    crm = crm_values(case, context)
    if change.field not in crm or not holds(case, context, change.side, record, change.field):
        return False, None
    return True, values_of(case.ledger)[change.field] if change.side == "crm" else crm[change.field]


def _elsewhere(batch: Batch, change: Change, case: ContactCase | None) -> bool:
    """Whether the record belongs to another customer by now, to whom the old value would go, or
    is its customer's main person no more."""
    record, key = change.target.removeprefix("contact:"), change.subject.removeprefix("contact:")
    if change.side == "ledger":
        owner = batch.state.links.contact_owner(record)
        mine = {key, batch.state.merges.survivor("contacts", key), f"ledger:{record}"}
        return owner is not None and owner not in mine and not key.startswith("ledger:")
    if case is None or case.crm is None or record == case.crm.id:
        return False
    return not holds(case, load_contact_context(batch), "crm", record, change.field)


def _unfit(batch: Batch, change: Change) -> tuple[str, str] | None:
    """Why the vendor cannot store the old value, known without asking it."""
    action = contact_action(change, {change.field: change.before}, {})
    refused = batch.writer(action.side).unfit(action)
    return (refused.words, refused.next_step or "Set it back by hand.") if refused else None


def contact_action(
    change: Change | Item, values: dict[str, str | None], follows: dict[str, str | None]
) -> Action:
    """The write that puts these values of one contact back, still without its reason; `follows`
    is what the other side says of them."""
    crm = change.side == "crm"
    return Action(
        side="crm" if crm else "ledger", subject=change.subject, target=change.target, reason="",
        wave=Wave.CRM_CONTACTS if crm else Wave.LEDGER_CONTACTS,
        payload=ContactChange(
            contact_id=change.target.removeprefix("contact:"), values=values, follows=follows,
            apart=True,
        ),
    )  # fmt: skip


def _move_item(batch: Batch, change: Change, number: int) -> Item:
    deal = _deal(batch, change)
    last = batch.state.audit.last_of(change.side, change.target, STAGE)
    move = stages_of_move(batch, change)
    return judge_move(
        change, stage=stage_name(batch, deal.stage_id if deal else None),
        now=deal.stage_id if deal else None, moved_to=move[1], moved_from=move[0],
        alive=deal is not None and not deal.archived and deal.status != "deleted",
        undone=last is not None and last.rule == rule_for(number),
        busy=batch.state.journal.busy([("crm", change.target)]),
    )  # fmt: skip


def _deal(batch: Batch, change: Change) -> Deal | None:
    deal_id = change.subject.removeprefix("deal:")
    return batch.state.snapshots.get("crm", "deals", deal_id, Deal)


def stages_of_move(batch: Batch, change: Change) -> tuple[str | None, str | None]:
    """The ids of the stages from which and to which the batch moved the deal; the former None if
    the CRM does not have it any more."""
    action = batch.state.journal.intents([change.intent or 0])[change.intent or 0].action
    assert isinstance(action.payload, DealChange)
    assert action.payload.move is not None
    before = action.before.get("stage_id")
    return (before if stage_name(batch, before) else None), action.payload.move.stage_id


def stage_name(batch: Batch, stage_id: str | None) -> str | None:
    assert batch.crm_reference is not None
    stages = (stage for pipeline in batch.crm_reference.pipelines for stage in pipeline.stages)
    return next((name for known, name in stages if known == stage_id), None)


def _made_with_it(batch: Batch, link: Change, changes: Sequence[Change]) -> bool:
    """Whether one of the two was made for the other in this very batch: then the link says no more
    than that."""
    code, crm_id = batch.config.connection.code, link.subject.removeprefix("contact:")
    if not link.target.startswith("link:") or link.after is None:
        return False
    markers = (contact_marker(code, crm_id), crm_marker(code, link.after))
    made = {c.target for c in changes if c.kind in ("contact.create", "crm_contact.create")}
    return any(f"contact:{marker}" in made for marker in markers)


def _link_item(batch: Batch, change: Change) -> Item:
    crm_id = change.subject.removeprefix("contact:")
    linked = batch.state.links.contact(crm_id)
    if change.target.startswith("invoice:"):
        linked = change.after
    parted = change.after in batch.state.matches.apart_from(crm_id)
    command = f"`syncjob match decide {crm_id} --different --contact {change.after}`"
    return judge_link(change, linked=linked, parted=parted, command=command)


def _invoice_of(batch: Batch, change: Change) -> Invoice | None:
    part = batch.state.links.part_of_marker(change.target.partition(":")[2])
    if part is None:
        return None
    return batch.state.snapshots.get("ledger", "invoices", part.ledger_id, Invoice)


def _titled(batch: Batch, item: Item) -> Item:
    """The item with what its deal or customer is called, and where it is seen."""
    name, page = item.title, item.page
    if item.subject.startswith("deal:"):
        deal = batch.state.snapshots.get("crm", "deals", item.subject[5:], Deal)
        name, page = (one_line(deal.title), page or deal.page) if deal else (name, page)
    elif item.subject.startswith("contact:"):
        case = load_contact(batch, item.subject.removeprefix("contact:"))
        record = (case.crm or case.ledger) if case else None
        name, page = (one_line(record.name), page or record.page) if record else (name, page)
    return msgspec.structs.replace(item, title=name, page=page)
