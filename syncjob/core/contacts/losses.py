"""What a merge would take away from somebody: values that a side cannot be without, and values that
nobody has compared before.

Keeps invariant 7 (no silent loss).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from syncjob.core.contacts.fields import LISTS, Values
from syncjob.core.contacts.merge import Field, Merged
from syncjob.core.records import Side

#: What a ledger contact cannot be without once it has it (facts: xero, 5).
LASTING = {"ledger": frozenset({"name", "currency", "terms"}), "crm": frozenset({"name"})}


def kept(fields: Mapping[str, Field], merged: Mapping[str, Merged]) -> dict[str, Side]:
    """The fields that the owner's side cleared and the other cannot be without, and that side."""
    found: dict[str, Side] = {}
    for name, wish in merged.items():
        if wish.verdict != "write":
            continue
        if not wish.ledger and fields[name].ledger and name in LASTING["ledger"]:
            found[name] = "ledger"
        if not wish.crm and fields[name].crm and name in LASTING["crm"]:
            found[name] = "crm"
    return found


def replaced(
    fields: Mapping[str, Field], writes: tuple[Values, Values], answered: Collection[str]
) -> tuple[str, ...]:
    """The fields in which a write (to the ledger, to the CRM) takes the place of a value that was
    never compared before, and which no person has `answered`. Lists only grow then."""
    to_ledger, to_crm = writes
    lost = [f for f in to_ledger if f in fields and fields[f].ledger]
    lost += [f for f in to_crm if f in fields and fields[f].crm]
    return tuple(f for f in lost if not (fields[f].known or f in LISTS or f in answered))
