"""How a sandbox Xero is set up: region, lag, limits, apps, plan."""

from __future__ import annotations

from dataclasses import dataclass, field

GRANULAR_SCOPES = (
    "accounting.invoices",
    "accounting.payments",
    "accounting.contacts",
    "accounting.settings",
)


@dataclass(frozen=True)
class Limits:
    """Per tenant and app, in fixed windows; `app_minute` over all tenants (facts: xero, 1)."""

    minute: int = 60
    day: int = 5_000
    app_minute: int = 10_000
    concurrent: int = 5


@dataclass(frozen=True)
class Options:
    """World options. `limits=None` switches rate limits off; the headers then stay at full."""

    region: str = "AU"
    organisation: str = "Sandbox Company"
    demo: bool = False
    seed: int = 1
    lag_max_s: float = 5.0
    limits: Limits | None = field(default_factory=Limits)
    client_id: str = "sandbox-custom"
    client_secret: str = "sandbox-secret"  # noqa: S105 (a sandbox has no secrets)
    web_client_id: str = "sandbox-web"
    web_client_secret: str = "sandbox-web-secret"  # noqa: S105
    pkce_client_id: str = "sandbox-pkce"
    scopes: tuple[str, ...] = GRANULAR_SCOPES
    extra_currencies: tuple[str, ...] = ("EUR",)
    plan_cap: int | None = None
    null_rate: float = 0.3
    strict: bool = True
    key_scope_token: bool = False
    hide_deleted: bool = False
    not_modified: bool = False
    token_life_s: int = 1800
    #: Whether a template saved as a draft makes drafts before anybody approves it.
    draft_templates_run: bool = False
    #: Decimals that a template keeps of a unit price, 2 or 4: it has no `unitdp` (spec), and
    #: without one an invoice's price is rounded to 2 first (facts: xero, 3).
    template_decimals: int = 4
    #: E-mails that the organisation may send a day.
    email_cap: int | None = None
    archived_frozen: bool = True  # an archived contact is changed by nothing but un-archiving
    parts_kept: bool = True  # a part left out of an address or a phone that is sent stays
    empty_persons_clear: bool = False  # an empty list of ContactPersons removes them
    website_blocks: bool = False  # a contact with a Website set by hand refuses every change
