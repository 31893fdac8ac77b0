"""The names of plans and of refused writes: the same content, the same name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from syncjob.core.actions import Action, DealChange, InvoiceChange, InvoiceDraft
from syncjob.core.records import Contact

#: Bumped when a rule changes so that refused records deserve another try (invariant 10).
RULES_VERSION = "1"
#: Refusals whose cause may go without a trace in the record, the config or the accounts' settings:
#: rights are given, another record lets go of a name or number, an item is made, an admin takes
#: back a rule. Such a write is tried again with the hour's look at what is held.
TRACELESS = (
    "forbidden", "number_taken", "contact_name_taken", "contact_number_taken", "item_unknown",
    "crm_rule",
)  # fmt: skip


def fingerprint(
    action: Action,
    reference_hash: str,
    contact: Contact | None = None,
    *,
    day_given: bool = False,
) -> str:
    """What must change before a refused action is sent again: its content (but not the day it
    is sent, unless the deal itself gives that day), the ledger contact it is for, the account's
    own names and settings, or our rules.

    The contact's stamp counts and not its content: one that was archived just before the write,
    and restored since, looks as it did before (invariant 10)."""
    stamp = contact.updated.isoformat() if contact and contact.updated else ""
    digest = hashlib.sha256(f"{RULES_VERSION}|{reference_hash}|{stamp}|".encode())
    digest.update(_content(action))
    if day_given and isinstance(action.payload, InvoiceDraft):
        digest.update(action.payload.date.isoformat().encode())
    return digest.hexdigest()[:24]


class PlanName:
    """The name of a plan, found as its writes go by, in whatever order: a sum of their digests."""

    def __init__(self) -> None:
        self._sum = self._count = 0

    def add(self, actions: Iterable[Action]) -> None:
        """Take in some of the plan's writes."""
        for action in actions:
            digest = hashlib.sha256(_content(action)).digest()
            self._sum = (self._sum + int.from_bytes(digest)) % (1 << 256)
            self._count += 1

    @property
    def name(self) -> str:
        """Twelve hex digits."""
        whole = self._sum.to_bytes(32) + self._count.to_bytes(8)
        return hashlib.sha256(whole).hexdigest()[:12]


def plan_hash(actions: Iterable[Action]) -> str:
    """The name of a plan: the same for the same writes, in whatever order they were found."""
    name = PlanName()
    name.add(actions)
    return name.name


def _content(action: Action) -> bytes:
    payload = action.payload
    if isinstance(payload, InvoiceDraft | InvoiceChange):
        timeless = msgspec.to_builtins(payload)
        if payload.date and payload.due_date:  # the terms count, the day it is sent does not
            timeless["days"] = (payload.due_date - payload.date).days
        timeless.pop("date", None)
        timeless.pop("due_date", None)
        return msgspec.json.encode([action.kind, action.target, timeless], order="sorted")
    if isinstance(payload, DealChange):
        moving = (payload.stamp_field, payload.days_field)
        stable = {k: v for k, v in payload.fields.items() if k not in moving}
        if payload.move is not None:
            stable["stage"] = payload.move.stage_id
        return msgspec.json.encode([action.kind, action.target, stable], order="sorted")
    return msgspec.json.encode([action.kind, action.target, payload], order="sorted")
