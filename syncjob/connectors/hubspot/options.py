"""What the config says about a HubSpot account."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from syncjob.config.apps import App
from syncjob.config.models import CrmConfig
from syncjob.connectors.hubspot.contact_writing import NATIVE
from syncjob.core.policy import Strict

Plan = Literal["free", "starter", "professional", "enterprise"]

#: The marker property's label on companies and contacts unless the config says another.
MARKER_FIELD = "syncjob key"
#: What the sync needs to read and write (facts: hubspot, 5a); tasks and notes go by contacts.
SCOPES = (
    "crm.objects.deals.read", "crm.objects.deals.write",
    "crm.objects.contacts.read", "crm.objects.contacts.write",
    "crm.objects.companies.read", "crm.objects.companies.write",
    "crm.objects.line_items.read", "crm.objects.owners.read", "tax_rates.read",
    "crm.schemas.deals.read", "crm.schemas.companies.read", "crm.schemas.contacts.read",
)  # fmt: skip
#: What `syncjob init` needs besides, to create properties.
INIT_SCOPES = (
    "crm.schemas.deals.write", "crm.schemas.companies.write", "crm.schemas.contacts.write",
)  # fmt: skip


class OwnFields(Strict):
    """The account's own properties, by label, that hold what HubSpot has no property for."""

    phones: str | None = None
    postal: str | None = None
    street: str | None = None
    tax_number: str | None = None
    currency: str | None = None
    terms: str | None = None

    def names(self) -> dict[str, str]:
        """The contact's field -> the label of the account's property, where there is one."""
        return {key: name for key, name in self.model_dump().items() if name}


class OrganizationFields(OwnFields):
    """Companies have no e-mail of their own."""

    email: str | None = None


class ContactFields(Strict):
    """`crm.contact_fields`: both kinds of contact."""

    organization: OrganizationFields = OrganizationFields()
    person: OwnFields = OwnFields()


class HubSpotAuth(Strict):
    """An app of one's own with OAuth, where no key or token is given."""

    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    #: Where `syncjob connect hubspot` listens for the consent page's answer, on this machine only.
    redirect_port: int = Field(default=8750, ge=1024, le=65535)
    scopes: tuple[str, ...] = (*SCOPES, *INIT_SCOPES)


class HubSpotOptions(CrmConfig):
    """The `crm:` section for `type: hubspot`."""

    type: Literal["hubspot"]
    #: A service key, or the token of a private or project app; all are sent as Bearer tokens.
    access_token: SecretStr | None = None
    auth: HubSpotAuth | None = None
    api_url: str = "https://api.hubapi.com"
    login_url: str = "https://app.hubspot.com/oauth/authorize"
    #: The dated version of the API; each is supported for 18 months (facts: hubspot, 5a).
    version: str = Field(default="2026-09", pattern=r"^20\d\d-(03|09)$")
    #: The subscription gives the limits (facts: hubspot, 5f).
    plan: Plan = "free"
    #: How much of the account's calls of a day this job may use; all apps share them.
    budget_share_percent: int = Field(default=50, ge=1, le=100)
    #: The deal's amount is kept equal to its line items (by people or a workflow): compare them.
    amount_is_sum: bool = False
    organization_marker: str = MARKER_FIELD
    person_marker: str = MARKER_FIELD
    contact_fields: ContactFields = ContactFields()

    def contact_values(self) -> dict[str, frozenset[str]]:
        """Which of a contact's fields each kind can hold: HubSpot's own, and the named ones."""
        own = self.contact_fields
        return {
            "organization": NATIVE["organization"] | own.organization.names().keys(),
            "person": NATIVE["person"] | own.person.names().keys(),
        }

    @property
    def budget_key(self) -> str:
        """Whose calls are counted: this key's or app's in this account."""
        client = self.auth.client_id if self.auth else "token"
        return f"hubspot:{urlsplit(self.api_url).netloc}:{client}"

    @property
    def token_key(self) -> str:
        """Under which the tokens of the consent are kept."""
        return f"hubspot:{self.auth.client_id if self.auth else 'token'}:user"

    @property
    def token_url(self) -> str:
        return f"{self.api_url}/oauth/{self.version}/token"

    def app(self) -> App | None:
        """The app with OAuth, as `syncjob connect` and the channel know it; None with a token."""
        if self.auth is None:
            return None
        return App(
            vendor="HubSpot",
            settings="crm.auth",
            client_id=self.auth.client_id,
            client_secret=self.auth.client_secret,
            scopes=("oauth", *self.auth.scopes),
            login_url=self.login_url,
            token_url=self.token_url,
            token_key=self.token_key,
            redirect_port=self.auth.redirect_port,
            client_in="form",
        )

    @field_validator("api_url", "login_url")
    @classmethod
    def _address(cls, url: str) -> str:
        """Https, or http to this machine; without a trailing slash."""
        local = url.startswith(("http://127.0.0.1", "http://localhost"))
        if not (url.startswith("https://") or local):
            raise ValueError("must begin with https:// (http:// only for this machine)")
        if "?" in url or "#" in url:
            raise ValueError("must hold no query: the key goes into access_token")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.access_token is None) == (self.auth is None):
            raise ValueError("needs access_token (a service key or an app's token), or auth")
        return self
