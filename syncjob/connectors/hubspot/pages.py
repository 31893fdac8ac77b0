"""Which record a page of HubSpot shows: /contacts/<portal>/record/0-3/<id>, and its older form."""

from __future__ import annotations

import re

from syncjob.connectors.pages import RecordPage, address, is_at

#: HubSpot's own number of a kind of record, and the word that stood in its place before.
_KINDS = {
    "0-1": "person", "contact": "person", "0-2": "org", "company": "org", "0-3": "deal",
    "deal": "deal",
}  # fmt: skip
_RECORD = re.compile(r"/contacts/(\d+)/(?:record/(0-[123])|(contact|company|deal))/(\d+)(?:/|$)")


def record_page(url: str) -> RecordPage | None:
    """The deal, company or contact that the address shows; None for any other page."""
    found = address(url)
    if found is None or not is_at(found, "hubspot.com"):
        return None
    record = _RECORD.search(found.path)
    if record is None:
        return None
    portal, kind = record[1], _KINDS[record[2] or record[3]]
    if kind == "deal":
        return RecordPage("crm", "deals", record[4], portal)
    return RecordPage("crm", "contacts", f"{kind}:{record[4]}", portal)
