"""Whether the ledger may e-mail an invoice now (BOOKKEEPING, "E-mail by the ledger").

Off unless the config says so; approved invoices only; never below the mode full, never from a
demo organisation; not within a day of a change of the contact's address; each invoice once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.actions import InvoiceEmail
from syncjob.core.policy import Mode
from syncjob.core.policy_after import Email
from syncjob.core.records import Contact, Invoice

#: After a change of address: the time that finance has to see a forged one.
REST_AFTER_CHANGE = timedelta(hours=24)


class Mailing(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every e-mail of this batch. `since` is the organisation's day on which
    e-mail was switched on: older invoices are never mailed. `wait` says why none goes now."""

    policy: Email = Email()
    since: date | None = None
    demo: bool = False
    wait: str | None = None
    now: datetime | None = None
    zone: ZoneInfo = ZoneInfo("UTC")


class NotYet(msgspec.Struct, frozen=True):
    """No e-mail now, and why; `on` is the day to ask again, None if only a change can help.

    `needs_person`: somebody must do something, else it is never sent.
    """

    why: str
    on: date | None = None
    needs_person: bool = False


def may_email(
    invoice: Invoice,
    contact: Contact | None,
    mailed: Literal["sent", "unknown"] | None,
    changed: datetime | None,
    mailing: Mailing,
    mode: Mode,
    today: date,
) -> InvoiceEmail | NotYet | None:
    """The e-mail, or why there is none; None where e-mail is no question for this invoice.

    `mailed` is what became of an earlier e-mail of it, `changed` when its contact's address was
    last seen to change.
    """
    if not mailing.policy.enabled or mailed is not None or invoice.sent:
        return None
    if invoice.status != "authorised" or invoice.due <= 0:
        return None  # a draft is nobody's, and a paid invoice asks for nothing
    if mailing.since is None or invoice.date is None or invoice.date < mailing.since:
        return None
    if mode != "full" or mailing.demo:
        place = "the organisation is a demo" if mailing.demo else f"the mode is {mode}"
        return NotYet(f"it is not e-mailed, because {place}")
    refused = _addresses(contact, mailing.policy)
    if refused is not None:
        return refused
    if changed is not None and mailing.now is not None:
        rests = changed + REST_AFTER_CHANGE
        if mailing.now < rests:
            why = "its contact's e-mail address was changed within the last 24 hours"
            return NotYet(why, max(rests.astimezone(mailing.zone).date(), today))
    if mailing.wait:
        return NotYet(mailing.wait, today + timedelta(days=1))
    return InvoiceEmail(invoice_id=invoice.id)


def _addresses(contact: Contact | None, policy: Email) -> NotYet | None:
    """Why this contact gets no e-mail: it has no address, or not only those that are allowed."""
    if contact is None or not contact.emails:
        return NotYet("its contact has no e-mail address in the ledger", needs_person=True)
    if not policy.allow_domains:
        return None
    for address in (*contact.emails, *contact.copied):
        domain = address.rpartition("@")[2].casefold()
        if domain not in policy.allow_domains:
            return NotYet(f"the domain {domain} is not in invoices.email.allow_domains")
    return None
