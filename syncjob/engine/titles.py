"""What vendors, and the records that issues are about, are called."""

from __future__ import annotations

from collections.abc import Iterable

from syncjob.core.actions import Issue
from syncjob.core.records import Contact, Deal, Side
from syncjob.core.rules.texts import one_line
from syncjob.state.database import State

#: Where a vendor's name is more than its type with a capital.
_VENDORS = {"hubspot": "HubSpot"}


def vendor_title(name: str) -> str:
    """A vendor by its type, as it calls itself: "hubspot" -> "HubSpot"."""
    return _VENDORS.get(name, name.capitalize())


def titles_of(state: State, issues: Iterable[Issue]) -> dict[str, str]:
    """What the deals and customers that these issues are about are called, by subject."""
    titles = {}
    for subject in dict.fromkeys(issue.subject for issue in issues):
        kind, _, deal_id = subject.removeprefix("reconcile:").partition(":")
        deal = state.snapshots.get("crm", "deals", deal_id, Deal) if kind == "deal" else None
        if deal is not None:
            titles[subject] = one_line(deal.title)
        if kind == "contact":
            titles |= _customer(state, subject)
    return titles


def _customer(state: State, subject: str) -> dict[str, str]:
    """A customer's name under its subject ("contact:org:12"), if it was read and has one."""
    key = subject.removeprefix("reconcile:").removeprefix("contact:")
    ledger_id = key.removeprefix("ledger:")
    side: Side = "crm" if ledger_id == key else "ledger"
    found = state.snapshots.get(side, "contacts", ledger_id, Contact)
    return {subject: one_line(found.name)} if found and found.name else {}
