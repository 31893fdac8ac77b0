"""The fewest calls that the vendors' page and batch sizes allow: from constants, not from a run."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

#: Records in one page of Contacts or Invoices (facts: xero, 4).
XERO_PAGE = 1000
#: Elements in one PUT (facts: xero, 3).
XERO_BATCH = 50
#: Records in one page of deals (facts: pipedrive, 1a).
PIPEDRIVE_PAGE = 500
#: Deals in one call for product rows, and ids in one call for organizations or persons
#: (facts: pipedrive, 1a and 1b).
PIPEDRIVE_IDS = 100


class Fewest(NamedTuple):
    """Calls by vendor."""

    xero: int
    pipedrive: int


def first_load(deals: int, customers: int) -> Fewest:
    """One token; a page of each empty list at Xero; contacts and drafts in batches. Pipedrive:
    deals and archived deals, organizations, persons, product rows, and one PATCH a deal, since
    it has no bulk PATCH (facts: pipedrive, 1c)."""
    token = 1
    writes = ceil(customers / XERO_BATCH) + ceil(deals / XERO_BATCH)
    reads = ceil(deals / PIPEDRIVE_PAGE) + 1 + 2 * ceil(customers / PIPEDRIVE_IDS)
    return Fewest(token + 2 + writes, reads + ceil(deals / PIPEDRIVE_IDS) + deals)


def after_load(deals: int, customers: int) -> Fewest:
    """What was just written is younger than the lookback and is read once more; the token of the
    load has ended by then (30 minutes: facts, xero, 2)."""
    pages = ceil(customers / XERO_PAGE) + ceil(deals / XERO_PAGE)
    return Fewest(1 + pages, ceil(deals / PIPEDRIVE_PAGE))


def changed(deals: int) -> Fewest:
    """One page a polled stream, and one PATCH for each deal whose invoice changed."""
    return Fewest(2, 1 + deals)


def nothing() -> Fewest:
    """One call a polled stream: contacts and invoices at Xero, deals at Pipedrive."""
    return Fewest(2, 1)
