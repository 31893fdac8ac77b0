"""What the firm has decided about contacts: who crosses, which way, who owns which field."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from syncjob.core.policy_base import Strict

#: Who wins where both sides changed a field, and who alone may change what is filled.
Owner = Literal["crm", "ledger", "ask"]


class Owners(Strict):
    """Whose word counts, field by field (BOOKKEEPING, "Whose customer").

    `crm`, `ledger`: that side's value goes to the other, and the other may only fill it where it
    is empty. `ask`: a change on one side goes to the other; changed on both, a person decides.
    """

    name: Owner = "ledger"
    first_name: Owner = "crm"
    last_name: Owner = "crm"
    email: Owner = "ledger"
    emails: Owner = "crm"
    phones: Owner = "crm"
    postal: Owner = "ledger"
    street: Owner = "ask"
    tax_number: Owner = "ledger"
    currency: Owner = "ledger"
    terms: Owner = "ledger"

    def by_field(self) -> dict[str, Owner]:
        """The owner of each field; an organization's people are the CRM's."""
        return {**dict(self), "people": "crm"}


class Contacts(Strict):
    """Which customers cross, in which direction, and who owns what they say."""

    #: off: deals find or make their customer, nothing else. blanks: links, and fills what is
    #: empty; what differs is listed. owners: as `owners` says, in both directions.
    update: Literal["off", "blanks", "owners"] = "off"
    #: What a ledger contact is in the CRM.
    unit: Literal["organization", "person"] = "organization"
    #: Which CRM customers get a ledger contact: customers: those that are invoiced, by their
    #: deals alone; won: those with a won deal, at once; all.
    which: Literal["won", "customers", "all"] = "customers"
    #: Ledger contacts without a partner become organizations or persons in the CRM.
    create_in_crm: bool = False
    suppliers: bool = False
    staff: bool = False
    owners: Owners = Owners()
    #: Further persons of an organization go to the ledger contact (never back).
    further_persons: bool = False
    #: How a name is written that the ledger already has; {name}, {city}, {postal_code}, {id}.
    name_suffix: str = "{name} ({city})"
    #: ISO code of the country that phone numbers without + are of; none: the ledger's own.
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
