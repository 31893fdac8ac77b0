"""Pipedrive's limits as data: the company's tokens of a day, and calls in two seconds."""

from __future__ import annotations

from syncjob.connectors.pipedrive.options import PipedriveOptions, Plan
from syncjob.transport.limits import LimitRules, Window

#: Tokens a seat and day on the smallest plan (facts: pipedrive, 2).
TOKENS_PER_SEAT = 30_000
DAY_SECONDS = 86_400.0
#: The vendor's rolling window for bursts.
BURST_SECONDS = 2.0

_TOKEN_FACTOR: dict[Plan, int] = {"lite": 1, "growth": 2, "premium": 5, "ultimate": 7}
_BURST: dict[Plan, int] = {"lite": 20, "growth": 40, "premium": 100, "ultimate": 120}
#: Of a burst, what we leave for others who use the same API token.
_BURST_HEADROOM_PERCENT = 10
#: Calls at once. No limit of the vendor's counts them, but writes go one a deal: at a tenth of a
#: second a call these are what Premium's burst of 90 in two seconds needs, and some more.
AT_ONCE = 8


def day_tokens(options: PipedriveOptions) -> int:
    """The tokens that this job may use in a day: its share of the company's budget."""
    budget = TOKENS_PER_SEAT * _TOKEN_FACTOR[options.plan] * options.seats
    return budget * options.budget_share_percent // 100


def limit_rules(options: PipedriveOptions) -> LimitRules:
    """The windows for transport.

    The headers speak of the burst only; none shows what is left of the day's tokens, so these are
    our own count. A 429 with `x-ratelimit-remaining` of 1 or more is the day's budget, else the
    burst (facts: pipedrive, 2).
    """
    burst = _BURST[options.plan] * (100 - _BURST_HEADROOM_PERCENT) // 100
    return LimitRules(
        windows=(
            Window(
                name="burst",
                seconds=BURST_SECONDS,
                allowed=burst,
                remaining_header="x-ratelimit-remaining",
                reset_header="x-ratelimit-reset",
            ),
            Window(name="day", seconds=DAY_SECONDS, allowed=day_tokens(options), counts="cost"),
        ),
        concurrency=AT_ONCE,
        headroom_percent=0,
    )
