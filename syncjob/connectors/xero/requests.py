"""Every read as a frozen request: addresses, queries and headers in one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import msgspec

from syncjob.transport.wire import Request

#: The most that Xero gives a page; a larger number is silently made smaller (facts: xero, 4).
PAGE_SIZE = 1000
#: Ids in one address; longer addresses have been refused on the way (facts: xero, 4).
IDS_MAX = 40
#: Whether a change in the very second of If-Modified-Since is given is not documented, so the
#: second before is asked for: what comes twice costs nothing (DESIGN 5.5).
SINCE_MARGIN = timedelta(seconds=1)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint that is walked: its plural, its id, and the query that it always takes."""

    plural: str
    id: str
    query: tuple[tuple[str, str], ...] = ()


#: Without `unitdp` unit prices come rounded to 2 decimals; without includeArchived a contact that
#: is archived in mid-walk pulls the next page up by one. `Type` is an optimised filter.
SOURCES: dict[str, Source] = {
    "contacts": Source(plural="Contacts", id="ContactID", query=(("includeArchived", "true"),)),
    "invoices": Source(
        plural="Invoices",
        id="InvoiceID",
        query=(("where", 'Type=="ACCREC"'), ("includeArchived", "true"), ("unitdp", "4")),
    ),
    "payments": Source(plural="Payments", id="PaymentID"),
    "credit_notes": Source(plural="CreditNotes", id="CreditNoteID", query=(("unitdp", "4"),)),
    "prepayments": Source(plural="Prepayments", id="PrepaymentID", query=(("unitdp", "4"),)),
    "overpayments": Source(plural="Overpayments", id="OverpaymentID", query=(("unitdp", "4"),)),
    # Neither pages nor If-Modified-Since (facts: xero, 3): read by id, or all in one call.
    "templates": Source(plural="RepeatingInvoices", id="RepeatingInvoiceID"),
}


class Reads:
    """Builds reads for one organisation. `tenant_id` None sends no tenant header."""

    def __init__(self, api_url: str, tenant_id: str | None) -> None:
        self._url = api_url
        self._headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
        if tenant_id:
            self._headers += (("xero-tenant-id", tenant_id),)

    def one(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Request:
        """GET of a path below the API's root, such as "Organisation"."""
        return self._get(path, query, self._headers)

    def page(
        self,
        source: Source,
        page: int,
        since: datetime | None,
        more: Sequence[tuple[str, str]] = (),
    ) -> Request:
        """One page in the order of ids, in which records never move (facts: xero, 4)."""
        query = (
            *source.query,
            *more,
            ("order", f"{source.id} ASC"),
            ("page", str(page)),
            ("pageSize", str(PAGE_SIZE)),
        )
        headers = self._headers
        if since is not None:
            headers += (("If-Modified-Since", if_modified_since(since - SINCE_MARGIN)),)
        return self._get(source.plural, query, headers)

    def by_id(self, source: Source, id: str) -> Request:
        """GET of one record: the read that an index cannot delay."""
        query = [pair for pair in source.query if pair[0] == "unitdp"]
        return self._get(f"{source.plural}/{quote(id, safe='')}", query, self._headers)

    def by_ids(self, source: Source, ids: Sequence[str]) -> Request:
        """GET of up to IDS_MAX records; `page` is there because lines come only with it."""
        query = [pair for pair in source.query if pair[0] != "where"]
        query += [("IDs", ",".join(ids)), ("page", "1"), ("pageSize", str(PAGE_SIZE))]
        return self._get(source.plural, query, self._headers)

    def _get(
        self, path: str, query: Sequence[tuple[str, str]], headers: tuple[tuple[str, str], ...]
    ) -> Request:
        tail = f"?{urlencode(query, quote_via=quote, safe=',')}" if query else ""
        return Request(method="GET", url=f"{self._url}/{path}{tail}", headers=headers)


def if_modified_since(instant: datetime) -> str:
    """UTC to the second, rounded down, without an offset: the one form that Xero is known to
    read; others were ignored or read with day and month swapped (facts: xero, 4)."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
