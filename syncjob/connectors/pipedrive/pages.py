"""Which record a page of Pipedrive shows: .../deal/1042, /organization/12, /person/7."""

from __future__ import annotations

import re

from syncjob.connectors.pages import RecordPage, address, host_of, is_at

_DEAL = re.compile(r"/deals?/(?:view/)?(\d+)(?:/|$)")
_CONTACT = re.compile(r"/(organization|person)s?/(?:details/)?(\d+)(?:/|$)")


def record_page(url: str) -> RecordPage | None:
    """The deal, organization or person that the address shows; None for any other page."""
    found = address(url)
    if found is None or not is_at(found, "pipedrive.com"):
        return None
    deal = _DEAL.search(found.path)
    if deal:
        return RecordPage("crm", "deals", deal[1], host_of(found))
    contact = _CONTACT.search(found.path)
    if contact:
        kind = "org" if contact[1] == "organization" else "person"
        return RecordPage("crm", "contacts", f"{kind}:{contact[2]}", host_of(found))
    return None
