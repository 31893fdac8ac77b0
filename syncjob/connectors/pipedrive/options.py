"""What the config says about a Pipedrive account."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from syncjob.config.models import CrmConfig
from syncjob.core.policy import Strict

Plan = Literal["lite", "growth", "premium", "ultimate"]

#: The marker field's name on organizations and persons unless the config says another.
MARKER_FIELD = "syncjob key"

_ORGANIZATION_FIELDS = frozenset({"name", "postal"})
_PERSON_FIELDS = frozenset({"name", "first_name", "last_name", "email", "emails", "phones"})


class OwnFields(Strict):
    """The account's own fields, by name, that hold what Pipedrive has no field for."""

    street: str | None = None
    tax_number: str | None = None
    currency: str | None = None
    terms: str | None = None

    def names(self) -> dict[str, str]:
        """The contact's field -> the name of the account's field, where there is one."""
        return {key: name for key, name in self.model_dump().items() if name}


class OrganizationFields(OwnFields):
    """Organizations have no e-mail and no phone of their own."""

    email: str | None = None
    phones: str | None = None


class PersonFields(OwnFields):
    """Persons have an address of their own only in accounts with contact sync."""

    postal: str | None = None


class ContactFields(Strict):
    """`crm.contact_fields`: both kinds of contact."""

    organization: OrganizationFields = OrganizationFields()
    person: PersonFields = PersonFields()


class PipedriveOptions(CrmConfig):
    """The `crm:` section for `type: pipedrive`."""

    type: Literal["pipedrive"]
    #: The company's own address, such as https://acme.pipedrive.com; /api/v2 and /api/v1 follow.
    api_url: str
    api_token: SecretStr
    #: Plan and seats give the day's token budget and the burst limit (facts: pipedrive, 2).
    plan: Plan = "lite"
    seats: int = Field(default=1, ge=1)
    #: How much of the company's token budget of a day this job may use; all apps share the budget.
    budget_share_percent: int = Field(default=50, ge=1, le=100)
    #: Read the payment schedules of deals (Growth and above; 10 tokens for up to 100 deals).
    read_instalments: bool = False
    organization_marker: str = MARKER_FIELD
    person_marker: str = MARKER_FIELD
    contact_fields: ContactFields = ContactFields()
    #: The account has contact sync, so that persons have a postal address (facts: pipedrive, 1c).
    person_addresses: bool = False

    def contact_values(self) -> dict[str, frozenset[str]]:
        """Which of a contact's fields each kind can hold: Pipedrive's own, and the named ones."""
        person = _PERSON_FIELDS | ({"postal"} if self.person_addresses else set())
        return {
            "organization": _ORGANIZATION_FIELDS | self.contact_fields.organization.names().keys(),
            "person": person | self.contact_fields.person.names().keys(),
        }

    @property
    def budget_key(self) -> str:
        """Whose day budget is used: the company's, shared by all (facts: pipedrive, 2)."""
        return f"pipedrive:{urlsplit(self.api_url).netloc}"

    @field_validator("api_url")
    @classmethod
    def _root(cls, url: str) -> str:
        """Https, or http to this machine; without a trailing slash or an /api/... ending."""
        local = url.startswith(("http://127.0.0.1", "http://localhost"))
        if not (url.startswith("https://") or local):
            raise ValueError("must begin with https:// (http:// only for this machine)")
        if "?" in url or "#" in url:
            raise ValueError("must hold no query: the token goes into api_token")
        return url.rstrip("/").removesuffix("/api/v2").removesuffix("/api/v1").removesuffix("/v1")

    @model_validator(mode="after")
    def _schedules(self) -> Self:
        if self.read_instalments and self.plan == "lite":
            raise ValueError("read_instalments needs the Growth plan or above; set it to false")
        return self
