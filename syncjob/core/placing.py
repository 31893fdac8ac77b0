"""Which invoice of a deal is which part of its schedule.

Keeps invariant 1: a part is known by its key, whatever its place in the schedule.
"""

from __future__ import annotations

import msgspec

from syncjob.core.actions import InvoiceChange
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.markers import free_part
from syncjob.core.records import Invoice
from syncjob.core.rules.changes import withdrawn
from syncjob.core.rules.schedule import Schedule, Slot


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the schedule with what the state knows of it."""

    slot: Slot
    part: PartCase
    free: bool = False

    @property
    def gone(self) -> bool:
        """A person deleted or voided it, and nobody asked for it again."""
        last = self.part.history[-1] if self.part.history else None
        return self.part.invoice is None and last is not None and not last.deleted_by_us

    @property
    def fixed(self) -> Invoice | None:
        """Its invoice, where that stays as it is whatever becomes of the deal; our own untouched
        draft follows the deal (`free`)."""
        return None if self.free else self.part.invoice


def in_parts(case: Case, context: Context) -> bool:
    """Whether a schedule may have a say: a deal that was invoiced as a whole stays so."""
    whole = next((part for part in case.parts if part.key == ""), None)
    if any(part.key != "" for part in case.parts if part.invoice is not None):
        return True
    if whole is not None and (whole.invoice is not None or not all_ours(whole)):
        return False
    parts = any(part.key != "" and not all_ours(part) for part in case.parts)
    return parts or bool(case.deal.instalments) or bool(context.policy.schedules)


def all_ours(part: PartCase) -> bool:
    """Whether we took back whatever was made of this part, so that nothing of it is left."""
    return part.invoice is None and all(past.deleted_by_us for past in part.history)


def placed(case: Case, context: Context, schedule: Schedule) -> tuple[Place, ...]:
    """Each part of the schedule with what is known under its key, or with a new name."""
    known = {part.key: part for part in case.parts if part.key is not None}
    used = {part.name for part in case.parts}
    places = []
    for slot in schedule.slots:
        part = known.get(slot.key)
        if part is None:
            name = "A" if slot.key == "" else free_part(used)
            part = PartCase(name=name, key=slot.key)
            used.add(name)
        places.append(Place(slot=slot, part=part, free=_free(part, context)))
    return tuple(places)


def _free(part: PartCase, context: Context) -> bool:
    """Whether the part's invoice is our own draft that nobody has touched."""
    if part.invoice is None or part.created is None or part.invoice.marker != part.marker:
        return False
    locked = context.locked_through
    untouched = withdrawn(part.invoice, part.invoice_base, part.invoice_now, locked)
    return isinstance(untouched, InvoiceChange)
