"""What one can choose: the account, its plan, and the answers to the vendor's open questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TEN_SECONDS = {"free": 100, "starter": 100, "professional": 190, "enterprise": 190}
OAUTH_TEN_SECONDS = 110  # each account of a marketplace app (facts: hubspot, 5f)
DAY = {"free": 250_000, "starter": 250_000, "professional": 625_000, "enterprise": 1_000_000}
ASSOCIATIONS_TEN_SECONDS = {"free": 100, "starter": 100, "professional": 150, "enterprise": 150}
ASSOCIATIONS_DAY = 500_000
SEARCHES_A_SECOND = 5

OBJECT_TYPES = ("deals", "contacts", "companies", "line_items", "products", "tasks", "notes")
SCOPES = (
    *(f"crm.objects.{kind}.{act}" for kind in ("deals", "contacts", "companies", "line_items",
                                               "products") for act in ("read", "write")),
    *(f"crm.schemas.{kind}.{act}" for kind in ("deals", "contacts", "companies", "line_items")
      for act in ("read", "write")),
    "crm.objects.owners.read",
    "tax_rates.read",
    "oauth",
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """All has a working default; what no public page settles has the unsafe answer."""

    portal_id: int = 26_543_210
    company_name: str = "Sandbox Supplies"
    currency: str = "GBP"
    currencies: tuple[str, ...] = ("EUR", "USD")  # active besides the company's own
    timezone: str = "Europe/London"
    ui_domain: str = "app-eu1.hubspot.com"
    access_token: str = "sandbox-token"  # noqa: S105 - a service key or a private app's token
    scopes: tuple[str, ...] = SCOPES
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105
    redirect_uri: str | None = None  # None: whichever the app sends
    rotates_refresh: bool = False  # whether a refresh gives a new refresh token too
    access_life_s: int = 1800

    versions: tuple[str, ...] = ("2026-03", "2026-09")
    enforcing: str = "2026-09"  # from this version on admin rules bind the API
    multi_status: Literal["version", "207", "200"] = "version"  # of batches with errors
    terse_errors: bool = False  # without the fields of an error that are optional

    plan: Literal["free", "starter", "professional", "enterprise"] = "professional"
    limits: bool = True
    ten_seconds: int | None = None  # own numbers, instead of the plan's
    daily: int | None = None
    searches_a_second: int = SEARCHES_A_SECOND
    bursts_in_real_time: bool = True  # False: short windows follow the sandbox clock

    index_lag_max_s: float = 20.0  # what search knows is late; a lag is drawn for each change
    first_id: int = 41_200_000_001  # of each object type
    id_stride_max: int = 1  # ids of new records rise by up to this much
    scattered_ids: bool = False  # an id may be lower than one given before

    lines_bump_deal: bool = False  # an edit of a line moves the deal's hs_lastmodifieddate
    associations_bump: bool = False  # a new association moves both records' dates
    idle_patch_bumps: bool = True  # a PATCH that changes nothing moves the date
    first_company_is_primary: bool = True
    merged_in_batch: Literal["error", "silent"] = "error"  # batch/update with an id merged away
    merged_in_read: Literal["resolved", "missing"] = "resolved"  # the same in batch/read
    closing_sets_closedate: bool = True
    amount_follows_lines: bool = True  # the editor saves the sum of the lines as the amount
    long_zeros: bool = True  # calculated numbers may come as 90, 90.0 or 90.00
    null_share: float = 0.5  # share of empty values that are "" instead of null
    seed: int = 0

    @property
    def ten_second_limit(self) -> int:
        return self.ten_seconds or TEN_SECONDS[self.plan]

    @property
    def day_limit(self) -> int:
        return self.daily if self.daily is not None else DAY[self.plan]

    @property
    def active_currencies(self) -> tuple[str, ...]:
        return (self.currency, *(c for c in self.currencies if c != self.currency))
