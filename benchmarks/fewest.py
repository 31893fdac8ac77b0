"""The fewest calls that the vendors' page and batch sizes allow: from constants, not from a run.

Some calls are in them that a bolder program would leave out, because syncjob's own promises ask for
them: whose books a renewed token opens, before they are read, and whose CRM account this is, before
a batch's first write ("another organisation's books are never written"); and up to 20 invoices that
are about to be called overdue are read each at its own address, which no index delays, and not by a
list of ids ("no false alarm"). They are counted by themselves in `ours`, so that a table can show
both.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from syncjob.sandbox.crms import CrmName

#: Records in one page of Contacts or Invoices (facts: xero, 4).
XERO_PAGE = 1000
#: Elements in one PUT, and ids in one GET (facts: xero, 3 and 4).
XERO_BATCH, XERO_IDS = 50, 40
#: Up to so many invoices are read each at its own address (syncjob/engine/rereading.py).
XERO_STRONG = 20
#: Records in one page of deals (facts: pipedrive, 1a).
PIPEDRIVE_PAGE = 500
#: Deals in one call for product rows, and ids in one call for organizations or persons
#: (facts: pipedrive, 1a and 1b).
PIPEDRIVE_IDS = 100
#: Tokens of a PATCH, and of a day on Lite for one seat (facts: pipedrive, 2).
PIPEDRIVE_PATCH_TOKENS, PIPEDRIVE_LITE_TOKENS = 5, 30_000
#: Records in one page of a search, ids in one read or write of a batch, records in one call for
#: associations (facts: hubspot, 5c, 5d and 5e).
HUBSPOT_SEARCH, HUBSPOT_BATCH, HUBSPOT_TIES = 200, 100, 1000


class Fewest(NamedTuple):
    """Calls by side; `ours` of them are for safety alone."""

    xero: int
    crm: int
    ours: int = 0


class Load(NamedTuple):
    """A first load: so many won deals, customers (an organization with one person) and lines."""

    deals: int
    customers: int
    lines: int


def first_load(crm: CrmName, load: Load) -> Fewest:
    """Xero: a page of each empty list, contacts and drafts in batches. Its token is the one that
    `init` got minutes before. Then whose books and whose account, before the first write."""
    writes = ceil(load.customers / XERO_BATCH) + ceil(load.deals / XERO_BATCH)
    return Fewest(2 + writes + 1, _read(crm, load) + _patches(crm, load.deals) + 1, ours=2)


def _read(crm: CrmName, load: Load) -> int:
    """Deals, the list of those put away, customers, lines."""
    if crm == "pipedrive":
        reads = ceil(load.deals / PIPEDRIVE_PAGE) + ceil(load.deals / PIPEDRIVE_IDS)
        return reads + 1 + 2 * ceil(load.customers / PIPEDRIVE_IDS)
    ties = 3 * ceil(load.deals / HUBSPOT_TIES)  # companies, contacts, lines
    found = 2 * ceil(load.customers / HUBSPOT_BATCH) + ceil(load.lines / HUBSPOT_BATCH)
    return ceil(load.deals / HUBSPOT_SEARCH) + 2 + ties + found  # 2: the bin, touched lines


def _patches(crm: CrmName, deals: int) -> int:
    """Pipedrive has no bulk PATCH (facts: pipedrive, 1c)."""
    return deals if crm == "pipedrive" else ceil(deals / HUBSPOT_BATCH)


def polled(crm: CrmName) -> Fewest:
    """Nothing changed: one call a polled stream. Contacts and invoices at Xero; deals at Pipedrive;
    deals and lines at HubSpot, where a line's edit moves no deal's stamp (facts: hubspot, 5c)."""
    return Fewest(2, 1 if crm == "pipedrive" else 2)


def after_load(crm: CrmName, load: Load) -> Fewest:
    """What was just written is younger than the lookback and is read once more; the token of the
    load has ended by then (30 minutes: facts, xero, 2)."""
    pages = ceil(load.customers / XERO_PAGE) + ceil(load.deals / XERO_PAGE)
    if crm == "pipedrive":
        return Fewest(2 + pages, ceil(load.deals / PIPEDRIVE_PAGE), ours=1)
    ties = 2 * ceil(load.deals / HUBSPOT_TIES)  # whose the deals are, which moves no stamp
    return Fewest(2 + pages, ceil(load.deals / HUBSPOT_SEARCH) + ties + 1, ours=1)


def changed(crm: CrmName, deals: int) -> Fewest:
    """One page a polled stream, and the deals whose invoices changed; whose account first."""
    poll = polled(crm)
    return Fewest(poll.xero, poll.crm + _patches(crm, deals) + 1, ours=1)


def overdue_day(crm: CrmName, deals: int) -> Fewest:
    """A poll with a renewed token and the hourly look at what was put away; then what is about to
    be called overdue is read again by its id, and the deals are written."""
    poll = polled(crm)
    listed = ceil(deals / XERO_IDS)
    reread = deals if deals <= XERO_STRONG else listed
    return Fewest(
        2 + poll.xero + reread, poll.crm + 1 + _patches(crm, deals) + 1, ours=2 + reread - listed
    )


def lite_days(load: Load) -> int:
    """The days that Pipedrive Lite's budget of one seat takes for the PATCHes alone."""
    return ceil(load.deals * PIPEDRIVE_PATCH_TOKENS / PIPEDRIVE_LITE_TOKENS)


def over_days(load: Load, days: int) -> Fewest:
    """A first load that goes on after each midnight: a day more costs a poll of each stream (what
    was written is read back in pages), the put-away deals, a token, and the two that are ours."""
    whole, again = first_load("pipedrive", load), days - 1
    xero_pages = ceil(load.customers / XERO_PAGE) + ceil(load.deals / XERO_PAGE)
    pages = ceil(load.deals / PIPEDRIVE_PAGE)
    return Fewest(
        whole.xero + again * (2 + xero_pages), whole.crm + again * (pages + 2),
        ours=whole.ours + 2 * again,
    )  # fmt: skip
