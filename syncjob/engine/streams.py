"""The streams that are read of both sides, by name: what is asked without anything being read."""

from __future__ import annotations

from syncjob.core.records import Side

#: What is read of every ledger. Deals come last: a payment seen now meets its deal now.
LEDGER: tuple[tuple[Side, str], ...] = (("ledger", "contacts"), ("ledger", "invoices"))
#: Streams whose records are kept with another's: archived and deleted deals are deals from other
#: lists, a CRM's organizations and persons are contacts of two kinds.
HOME = {
    "archived_deals": "deals", "deleted_deals": "deals", "touched_deals": "deals",
    "organizations": "contacts", "persons": "contacts",
}  # fmt: skip
