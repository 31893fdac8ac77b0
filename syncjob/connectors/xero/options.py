"""The `ledger:` part of the config for Xero."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from syncjob.config.apps import App
from syncjob.config.models import LedgerConfig
from syncjob.core.policy import Strict

#: What the engine needs, in the granular names that new apps must use (facts: xero, 2).
SCOPES = (
    "accounting.invoices",
    "accounting.payments",
    "accounting.contacts",
    "accounting.settings.read",
)

#: A connection must be made within 5 s; Xero itself gives up on a request after a minute or so.
CONNECT_SECONDS = 5.0


class XeroAuth(Strict):
    """Which app the sync is, and how it is let in."""

    kind: Literal["custom_connection", "authorization_code"] = "custom_connection"
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    #: Where `syncjob connect xero` listens for the consent page's answer, on this machine only.
    redirect_port: int = Field(default=8749, ge=1024, le=65535)
    scopes: tuple[str, ...] = SCOPES

    @model_validator(mode="after")
    def _has_secret(self) -> XeroAuth:
        """A custom connection has nothing but its secret; the code flow may do with PKCE alone."""
        given = self.client_secret.get_secret_value().strip() if self.client_secret else ""
        if not given and (self.kind == "custom_connection" or self.client_secret is not None):
            raise ValueError("client_secret is missing: put the secret of the app there")
        return self

    @property
    def redirect_uri(self) -> str:
        """What must stand among the app's redirect URIs at developer.xero.com."""
        return f"http://localhost:{self.redirect_port}/callback"


class XeroOptions(LedgerConfig):
    """One Xero organisation and the app that opens it."""

    type: Literal["xero"] = "xero"
    auth: XeroAuth
    #: Which organisation, where the app was given several (`syncjob connect xero` lists them).
    tenant_id: str | None = None
    api_url: str = "https://api.xero.com/api.xro/2.0"
    identity_url: str = "https://identity.xero.com"
    connections_url: str = "https://api.xero.com/connections"
    login_url: str = "https://login.xero.com/identity/connect/authorize"
    #: Calls a day that Xero allows this organisation: 5,000, or 1,000 on the Starter tier.
    day_limit: int = Field(default=5000, ge=100)
    #: Share of each limit that is left for the organisation's other apps.
    headroom_percent: int = Field(default=10, ge=0, le=90)
    #: IANA name; only where Xero names a zone that this version does not know.
    time_zone: str | None = None

    @field_validator("api_url", "identity_url", "connections_url", "login_url")
    @classmethod
    def _address(cls, url: str) -> str:
        local = url.startswith(("http://127.0.0.1", "http://localhost"))
        if not (url.startswith("https://") or local):
            raise ValueError("must begin with https:// (http:// only for this machine)")
        return url.rstrip("/")

    def app(self) -> App:
        """The app at developer.xero.com, as `syncjob connect` and the channel know it."""
        return App(
            vendor="Xero",
            settings="ledger.auth",
            client_id=self.auth.client_id,
            client_secret=self.auth.client_secret,
            scopes=self.consent_scopes,
            login_url=self.login_url,
            token_url=self.token_url,
            token_key=self.token_key,
            redirect_port=self.auth.redirect_port,
            consent=self.auth.kind == "authorization_code",
        )

    @property
    def token_url(self) -> str:
        return f"{self.identity_url}/connect/token"

    @property
    def token_key(self) -> str:
        """Under which tokens are kept: one set an app and kind of consent (facts: xero, 2)."""
        kind = "custom" if self.auth.kind == "custom_connection" else "user"
        return f"xero:{self.auth.client_id}:{kind}"

    @property
    def budget_key(self) -> str:
        """Under which calls are counted: Xero counts them per app and organisation."""
        return f"xero:{self.auth.client_id}:{self.tenant_id or 'only'}"

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to connect, and seconds to wait for an answer."""
        return (CONNECT_SECONDS, float(self.timeout_seconds))

    @property
    def consent_scopes(self) -> tuple[str, ...]:
        """What the consent page asks for: the code flow must be able to renew its token."""
        return ("offline_access", *self.auth.scopes)
