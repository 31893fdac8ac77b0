"""Xero's words of refusal as codes with a next step; what is not known here keeps its words.

The words are those of Xero's API as quoted in its SDKs, its documentation and public issues
(facts: xero, 3 and 5). They may change, so nothing but the code and the advice hangs on them:
whether something was stored is never read from words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from syncjob.core.actions import Rejected


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    pattern: str
    code: str
    next_step: str
    field: str = ""
    scope: Literal["record", "organisation"] = "record"


#: The record is not as it was when the change was planned.
STATUS_CONFLICT = "status_conflict"

#: The first that matches any of the messages is the code of the refusal.
_REFUSALS = (
    _Refusal(
        pattern=r"reached the limit of invoices|invoice limit",
        code="invoice_cap",
        scope="organisation",
        next_step="The organisation's Xero plan caps approved invoices; raise the plan or wait.",
    ),
    _Refusal(
        pattern=r"lock date|locked period|period (is|has been) locked|currently locked",
        code="period_locked",
        field="date",
        next_step="Finance must move the lock date, or give the deal a later invoice date.",
    ),
    _Refusal(
        pattern=r"contact name .*already assigned|name must be unique across all active",
        code="contact_name_taken",
        field="name",
        next_step="Link the deal's organization to the contact of that name, or rename one.",
    ),
    _Refusal(
        pattern=r"contact ?number .*already assigned|contact ?number must be unique",
        code="contact_number_taken",
        field="marker",
        next_step="A contact bears our marker already; the next batch finds and links it.",
    ),
    _Refusal(
        pattern=r"invoice # must be unique|invoice number .*(unique|already|in use)",
        code="number_taken",
        field="number",
        next_step="An invoice of that number exists: change its number in Xero, and the deal is "
        "invoiced within the hour; or, if it is this deal's, `syncjob run --since` a day before it "
        "was last changed.",
    ),
    _Refusal(
        pattern=r"tax ?type code|tax ?type '|tax rate",
        code="tax_unknown",
        field="tax_code",
        next_step="Set the tax rule to an active rate that applies to sales on that account.",
    ),
    _Refusal(
        pattern=r"account code '|account code is not|valid account",
        code="account_unknown",
        field="account",
        next_step="Set invoices.account to an active account that takes sales, by its code.",
    ),
    _Refusal(
        pattern=r"not subscribed to currency|currency (code )?.*(not|invalid)",
        code="currency_not_enabled",
        field="currency",
        next_step="Add the currency in Xero (Settings, Currencies), or exclude such deals.",
    ),
    _Refusal(
        pattern=r"item code",
        code="item_unknown",
        field="item",
        next_step="Create the item in Xero, or set invoices.item_code to off.",
    ),
    _Refusal(
        pattern=r"gdpr",
        code="contact_erased",
        field="contact_id",
        next_step="The person asked to be erased: `syncjob forget` ends the sync of this contact.",
    ),
    _Refusal(
        # A fault of Xero's API: github.com/XeroAPI/Xero-NetStandard/issues/623.
        pattern=r"website must be valid",
        code="website_blocks",
        field="website",
        next_step="While the contact has a website, Xero's API refuses every change of it: clear "
        "the website in Xero, or make this change there by hand.",
    ),
    _Refusal(
        pattern=r"contact with the supplied id|contact .*(was not found|could not be found)",
        code="contact_gone",
        field="contact_id",
        next_step="Look for the contact in Xero: it was merged or belongs to another organisation.",
    ),
    _Refusal(
        pattern=r"contact name cannot be empty",
        code="name_refused",
        field="name",
        next_step="Give the customer a name in the CRM; it is then tried again.",
    ),
    _Refusal(
        pattern=r"contact persons?",
        code="people_refused",
        field="people",
        next_step="Xero keeps five further persons with plain names; mend them in the CRM.",
    ),
    _Refusal(
        pattern=r"payment term",
        code="terms_refused",
        field="terms",
        next_step="Set the payment terms in Xero by hand, then run again.",
    ),
    _Refusal(
        pattern=r"country field|address(line|type)|postalcode",
        code="address_refused",
        field="postal",
        next_step="Mend the address in the CRM (the country in letters only), then run again.",
    ),
    _Refusal(
        pattern=r"contact .*archived|un-?archived",
        code="contact_archived",
        field="contact_id",
        next_step="Restore the contact in Xero, or link the deal's organization to another.",
    ),
    _Refusal(
        pattern=r"(daily|maximum|limit).*e-?mail|e-?mail.*(limit|maximum)",
        code="email_cap",
        scope="organisation",
        next_step="Xero caps the e-mails of a day; the rest go from tomorrow on.",
    ),
    _Refusal(
        pattern=r"e-?mail address",
        code="email_refused",
        field="email",
        next_step="Mend the e-mail address in the CRM (one address, plain letters).",
    ),
    _Refusal(
        pattern=r"not of valid status|cannot be (edited|modified|updated)",
        code=STATUS_CONFLICT,
        field="status",
        next_step="The invoice was changed in Xero meanwhile; the next batch reads it again.",
    ),
)

_COMPILED = tuple((re.compile(r.pattern, re.IGNORECASE | re.DOTALL), r) for r in _REFUSALS)

_ELSE = _Refusal(
    pattern="",
    code="xero_refused",
    next_step="Mend what Xero names; the record is tried again once its data has changed.",
)


def rejected(messages: Sequence[str]) -> Rejected:
    """The refusal that these messages of one element amount to; all of them are its words."""
    words = " ".join(messages) or "Xero refused it and gave no reason."
    known = (refusal for pattern, refusal in _COMPILED if pattern.search(words))
    refusal = next(known, _ELSE)
    return Rejected(
        code=refusal.code,
        words=words,
        field=refusal.field,
        next_step=refusal.next_step,
        scope=refusal.scope,
    )
