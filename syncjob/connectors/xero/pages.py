"""Which record a page of Xero shows, in its new addresses and in its old ones.

https://go.xero.com/app/!23vMd/invoicing/view/<id>           (also without the short code)
https://go.xero.com/app/!23vMd/contacts/contact/<id>
https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=<id>   (also Edit.aspx)
https://go.xero.com/Contacts/View/<id>
https://go.xero.com/organisationlogin/default.aspx?shortcode=...&redirecturl=<one of these>
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from syncjob.connectors.pages import RecordPage, Shown, address, is_at, query, uuid_in

#: What the path says of the record whose id follows, in small letters; the first that fits.
_PATHS: tuple[tuple[str, Shown], ...] = (
    (r"/invoicing/|/bills/", "invoices"),
    (r"/credit-?notes?/|/viewcreditnote", "credit_notes"),
    (r"/repeattransactions/|/repeating-invoices?/|/repeating/", "templates"),
    (r"/contacts?/", "contacts"),
    (r"/bank/viewtransaction|/payments?/", "payments"),
    (r"/accounts(receivable|payable)/", "invoices"),
)
_QUERY: dict[str, Shown] = {
    "creditnoteid": "credit_notes", "repeatid": "templates", "contactid": "contacts",
    "banktransactionid": "payments", "paymentid": "payments", "invoiceid": "invoices",
}  # fmt: skip


def record_page(url: str) -> RecordPage | None:
    """The invoice, contact, credit note, payment or repeating invoice that the address shows."""
    found = address(url)
    if found is None or not is_at(found, "xero.com"):
        return None
    asked = query(found)
    # Not every browser writes the question mark of the page behind the log-in as %3F.
    _, _, behind = unquote(found.query).partition("redirecturl=")
    if behind:
        return record_page(f"https://go.xero.com/{behind.lstrip('/')}")
    for key, stream in _QUERY.items():
        record = uuid_in(asked.get(key, ""))
        if record:
            return RecordPage("ledger", stream, record)
    record = uuid_in(found.path)
    path = found.path.lower()
    kinds = (stream for words, stream in _PATHS if re.search(words, path))
    stream_of = next(kinds, None)
    return RecordPage("ledger", stream_of, record) if record and stream_of else None
