"""What one can choose: the firm, its plan, and the answers to the vendor's open questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

DAILY_TOKENS = 30_000  # per seat on the smallest plan (facts: pipedrive, 2)
DAY_MULTIPLIER = {"lite": 1, "growth": 2, "premium": 5, "ultimate": 7}
BURST_PER_2_S = {"lite": 20, "growth": 40, "premium": 100, "ultimate": 120}
SEARCH_BURST_PER_2_S = 10
OAUTH_FACTOR = 4


@dataclass(frozen=True)
class Options:
    """All has a working default; what no public page settles has the unsafe answer."""

    company_id: int = 7_654_321
    company_name: str = "Sandbox Supplies"
    company_domain: str = "sandbox-supplies"
    company_country: str = "GB"
    currency: str = "GBP"
    timezone: str = "Europe/London"
    api_token: str = "sandbox-token"  # noqa: S105
    bearer_tokens: tuple[str, ...] = ("sandbox-bearer",)

    plan: Literal["lite", "growth", "premium", "ultimate"] = "growth"
    seats: int = 1
    limits: bool = True
    daily_tokens: int | None = None  # own numbers, instead of the plan's
    burst_per_2_s: int | None = None
    search_per_2_s: int | None = None
    bursts_in_real_time: bool = True  # False: the burst window follows the sandbox clock
    ban_after: int = 30  # refused calls in a row before the Cloudflare page
    ban_seconds: float = 60.0

    lag_max_s: float = 0.0  # lists; a lag is drawn for each change
    search_lag_max_s: float = 20.0  # the search index is never quite up to date

    tax_method: Literal["inclusive", "exclusive", "none"] = "exclusive"
    value_includes_tax: bool = True
    amount_discount: Literal["line", "unit"] = "line"
    products_bump_deal: bool = False
    merge_bumps_children: bool = False
    idle_patch_bumps: bool = True
    contact_sync: bool = False  # postal_address, notes, birthday, job_title of persons

    millis_share: float = 0.25  # share of records whose times end in .000Z
    null_share: float = 0.5  # share of empty values sent as null, where the vendor may
    seed: int = 0
    default_stages: tuple[str, ...] = field(
        default=("Qualified", "Contact made", "Proposal made", "Negotiations started")
    )

    @property
    def day_budget(self) -> int:
        """Tokens a day for the whole company."""
        if self.daily_tokens is not None:
            return self.daily_tokens
        return DAILY_TOKENS * DAY_MULTIPLIER[self.plan] * self.seats

    def burst(self, search: bool, oauth: bool) -> int:
        """Calls in a rolling window of two seconds."""
        if search:
            return self.search_per_2_s or SEARCH_BURST_PER_2_S
        own = self.burst_per_2_s or BURST_PER_2_S[self.plan]
        return own * (OAUTH_FACTOR if oauth else 1)
