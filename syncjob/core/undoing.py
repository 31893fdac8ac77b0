"""What of a batch can be taken back, what stays because somebody touched it, what never can.

Pure: the rows of the audit and what both servers say now go in, an item a value comes out. Values
of contacts and moves of deals are put back; papers, messages and what merely mirrors the ledger are
not, and each says what a person can do instead (BOOKKEEPING, "What may be done at all").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from syncjob.core.contacts.fields import same
from syncjob.core.contacts.losses import LASTING
from syncjob.core.records import DEAD, Contact, Invoice

#: undo: it is put back. open: it was to be, and the vendor has not confirmed it. done: it is as it
#: was already. touched: it says something else than the batch wrote, and stays. cannot: nothing
#: here can take it back; `next_step` says what can.
Fate = Literal["undo", "open", "done", "touched", "cannot"]


LATER = "Repeat the command in 20 minutes."


def rule_for(batch: int) -> str:
    """The rule that the writes of an undo name in the audit."""
    return f"undo of batch {batch}"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a batch wrote, over all its writes: from `before` to `after`. `kind` is that
    of the last of these writes, `intent` its number (None: nothing was sent); `other` is what the
    other side said of the field then."""

    side: str
    target: str
    subject: str
    field: str
    before: str | None
    after: str | None
    kind: str
    intent: int | None = None
    other: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of one value, or of one write as a whole (`field` empty)."""

    side: str
    target: str
    subject: str
    fate: Fate
    field: str = ""
    before: str | None = None  # what stood before the batch, and will again
    after: str | None = None  # what the batch wrote
    now: str | None = None  # what stands now
    other: str | None = None  # what the other side says of it now
    why: str = ""
    next_step: str = ""
    title: str = ""
    page: str | None = None


class UndoReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An undo as it would be, or (`written`) as it was. `hash` names exactly these writes; `guard`
    says why they need it; `batch` is the batch of the undo itself, which can be undone in turn."""

    undoes: int
    items: tuple[Item, ...]
    hash: str = ""
    guard: tuple[str, ...] = ()
    written: bool = False
    batch: int = 0

    def count(self, fate: Fate) -> int:
        return sum(1 for item in self.items if item.fate == fate)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a contact's value as it stands now.

    `record` is as it was just read (None: it is not shown). `now` and `other` are what the two
    sides say; `others` are what the other side may say without anybody having changed it since.
    `later` is the batch of ours that wrote the field again. `ended`: why the customer is left
    alone for good. `refused`: why the vendor would not store the old value, and what to do.
    """

    record: Contact | None
    now: str | None = None
    other: str | None = None
    others: tuple[str | None, ...] = ()
    linked: bool = True
    later: int | None = None
    undone: bool = False
    busy: bool = False
    ended: str | None = None
    suppliers: bool = False
    elsewhere: bool = False
    refused: tuple[str, str] | None = None
    country: str | None = None


def judge_value(change: Change, seen: Seen) -> Item:
    """What becomes of one value of a contact."""
    item = _item(change, now=seen.now, page=seen.record.page if seen.record else None)
    item = msgspec.structs.replace(item, other=seen.other)
    stopped = _closed(change, seen)
    if stopped is not None:
        return _cannot(item, *stopped)
    name = change.field
    if seen.undone or same(name, seen.now, change.before, seen.country):
        return msgspec.structs.replace(item, fate="done", why="it says what it said before")
    if not same(name, seen.now, change.after, seen.country):
        who = f"the batch {seen.later}" if seen.later else "somebody"
        return _touched(item, f"{who} has changed it since")
    known = any(same(name, seen.other, other, seen.country) for other in seen.others)
    if seen.linked and not known:
        return _touched(item, "the other side has been changed since, and the two go together")
    if change.before is None and name in LASTING["crm" if change.side == "crm" else "ledger"]:
        return _cannot(item, "it was empty before, and cannot be emptied", "Change it by hand.")
    if seen.refused is not None:
        return _cannot(item, *seen.refused)
    return item


def _closed(change: Change, seen: Seen) -> tuple[str, str] | None:
    """Why nothing at all is written to this contact, and what a person can do."""
    side, record = "CRM" if change.side == "crm" else "ledger", seen.record
    if seen.busy:
        return "the outcome of its last write is still being found out", LATER
    if seen.ended:
        return f"this customer is left alone for good ({seen.ended})", "Nothing is to be done."
    if record is None or record.deleted or record.merged_into:
        return f"the {side} does not have this contact any more", "Nothing is to be done."
    if record.archived:
        return "the contact is archived", "Restore it first, then undo again."
    if seen.elsewhere:
        return (
            "it belongs to another customer since",
            f"Set it by hand: {change.before or '(empty)'}.",
        )
    if change.side == "ledger" and record.is_supplier and not seen.suppliers:
        return (
            "the contact is a supplier, too, so the ledger's own people change it",
            f"Set it back by hand: {change.before or '(empty)'}.",
        )
    return None


def judge_move(
    change: Change, *, stage: str | None, now: str | None, moved_to: str | None,
    moved_from: str | None, alive: bool, undone: bool, busy: bool,
) -> Item:  # fmt: skip
    """What becomes of a move of a deal to another stage. `stage` is the name of the one in which it
    stands, `now` its id; `moved_to` and `moved_from` are ids."""
    item = _item(change, now=stage)
    if busy:
        return _cannot(item, "the outcome of its last write is still being found out", LATER)
    if not alive:
        return _cannot(item, "the deal is archived or deleted", "Restore it first.")
    if moved_from is None:
        return _cannot(item, "the stage from before is not there any more", "Move it by hand.")
    if undone or now == moved_from:
        return msgspec.structs.replace(item, fate="done", why="it stands where it stood before")
    return item if now == moved_to else _touched(item, "somebody has moved the deal since")


# --- what cannot be undone ------------------------------------------------------------------------

#: By kind of write: why it is not taken back, and what a person can do.
_NEVER: dict[str, tuple[str, str]] = {
    "contact.create": (
        "a contact is never deleted or archived by us",
        "If it is one too many, archive it in the ledger.",
    ),
    "crm_contact.create": (
        "a record of the CRM is never deleted by us",
        "If it is one too many, delete it in the CRM.",
    ),
    "contact.mark": (
        "it is our own key, by which a lost link is found again; it replaces nothing of yours",
        "If the two are not one customer, clear the key there, then `syncjob match decide`.",
    ),
    "invoice.update": (
        "the draft says what its deal says, and the next batch would write it again",
        "Correct the deal in the CRM; the draft follows.",
    ),
    "deal.update": (
        "it shows what is true of the invoice, and the next batch would write it again",
        "Change the invoice in the ledger; the deal follows.",
    ),
    "invoice.email": ("an e-mail that was sent cannot be called back", "Write to the customer."),
    "message.send": ("a message that was sent cannot be called back", "Tell its reader."),
    "task.create": ("a task is never deleted by us", "Close or delete it in the CRM."),
    "note.create": ("a note is never deleted by us", "Delete it in the deal's timeline."),
    "template.create": (
        "it is a draft that the ledger keeps",
        "`syncjob cancel {deal} --reason ...` takes an untouched draft back.",
    ),
    "template.delete": ("it was taken back at a person's word", "`syncjob reissue {deal}`."),
    "credit.create": ("a credit note belongs to finance", "Delete the draft in the ledger."),
    "field.create": ("a field of the CRM is never deleted by us", "Delete it in the CRM."),
}


def judge_write(change: Change, invoice: Invoice | None = None) -> Item:
    """A write as a whole that is not taken back, with what a person can do. `invoice` is the
    invoice that it is about, as it is known."""
    item = _item(change)
    deal = change.subject.removeprefix("deal:")
    if change.kind in ("invoice.create", "invoice.approve", "invoice.delete"):
        return _cannot(item, *_of_invoice(change.kind, deal, invoice))
    why, step = _NEVER[change.kind]
    return _cannot(item, why, step.format(deal=deal))


def _of_invoice(kind: str, deal: str, invoice: Invoice | None) -> tuple[str, str]:
    status = invoice.status if invoice else None
    if kind == "invoice.delete":
        return "what is deleted stays so", f"`syncjob reissue {deal}` issues it anew."
    if status in DEAD:
        return f"it is {status} already", "Nothing is to be done."
    if status in ("draft", "submitted"):
        return (
            "an invoice is taken back by a command of its own",
            f"`syncjob cancel {deal} --reason ...` deletes it while nobody has touched it.",
        )
    return (
        "an approved invoice is never changed or voided by us",
        f"`syncjob credit {deal} --full --reason ...` drafts a credit note; or void it in the "
        "ledger.",
    )


def judge_link(change: Change, *, linked: str | None, parted: bool, command: str) -> Item:
    """A link that the batch made. Whether two records are one is a person's decision: parting them
    changes no value on either side, and no invoice. `linked` is the partner now."""
    item = _item(change, now=linked)
    if change.field == "link" and change.target.startswith("invoice:"):
        return _cannot(
            item, "the deal has this invoice; without it, it would get another one",
            "If it is another deal's, void or credit it in the ledger, then `syncjob reissue "
            f"{change.subject.removeprefix('deal:')}`.",
        )  # fmt: skip
    if parted or linked != change.after:
        return msgspec.structs.replace(item, fate="done", why="they are not linked any more")
    return _cannot(
        item, "whether two records are one customer is for a person to say", f"{command} parts "
        "them; what they say stays, and invoices stay where they are.",
    )  # fmt: skip


# --- items ----------------------------------------------------------------------------------------


def _item(change: Change, *, now: str | None = None, page: str | None = None) -> Item:
    return Item(
        side=change.side, target=change.target, subject=change.subject, fate="undo",
        field=change.field, before=change.before, after=change.after, now=now, page=page,
    )  # fmt: skip


def _cannot(item: Item, why: str, next_step: str) -> Item:
    return msgspec.structs.replace(item, fate="cannot", why=why, next_step=next_step)


def _touched(item: Item, why: str) -> Item:
    return msgspec.structs.replace(item, fate="touched", why=why)


def merged(changes: list[Change]) -> list[Change]:
    """Several writes of one value in one batch as one: from what stood before the first of them."""
    found: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        key = (change.side, change.target, change.field)
        first = found.get(key)
        found[key] = change if first is None else msgspec.structs.replace(
            change, before=first.before
        )  # fmt: skip
    return list(found.values())


def pair_values(changes: list[Change]) -> Mapping[tuple[str, str, str], tuple[str | None, ...]]:
    """By (customer, field, side), every value that the batch left there, for whoever compares what
    the other side says now."""
    found: dict[tuple[str, str, str], tuple[str | None, ...]] = {}
    for change in changes:
        key = (change.subject, change.field, change.side)
        found[key] = (*found.get(key, ()), change.after, change.before)
    return found
