"""Whose customer: which ledger contact a deal is billed to, or the one that must be created."""

from __future__ import annotations

import msgspec

from syncjob.core.actions import ContactDraft
from syncjob.core.records import Contact, Deal


class Candidates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ledger contacts that might be the customer, archived ones included."""

    linked: Contact | None = None
    by_marker: Contact | None = None
    by_name: tuple[Contact, ...] = ()
    by_email: tuple[Contact, ...] = ()


def name_key(name: str | None) -> str:
    """The form in which names are compared and indexed; "" for no name."""
    raise NotImplementedError


def email_key(email: str | None) -> str:
    """The form in which e-mail addresses are compared and indexed; "" for none."""
    raise NotImplementedError


def require_party(deal: Deal) -> str:
    """The CRM contact to bill: "org:12" or "person:7". Raises Held "no_customer"."""
    raise NotImplementedError


def find_contact(
    wanted: Contact, person: Contact | None, candidates: Candidates, marker: str
) -> Contact | ContactDraft:
    """The ledger contact to bill, or the draft of a new one. Raises Held."""
    raise NotImplementedError
