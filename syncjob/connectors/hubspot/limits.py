"""HubSpot's limits as data: calls in ten seconds, searches a second, the account's day.

Of the ten seconds and of the day the headers say what is left; a search says nothing and has a
limit of its own (facts: hubspot, 5c and 5f). A search costs 1 and everything else 0, so that the
window of searches counts them alone.
"""

from __future__ import annotations

from syncjob.connectors.hubspot.options import HubSpotOptions, Plan
from syncjob.transport.limits import LimitRules, Window

SEARCH_COST = 1

_TEN_SECONDS: dict[Plan, int] = {
    "free": 100, "starter": 100, "professional": 190, "enterprise": 190,
}  # fmt: skip
#: OAuth apps: so many an account (facts: hubspot, 5f).
_TEN_SECONDS_OAUTH = 110
_DAY: dict[Plan, int] = {
    "free": 250_000, "starter": 250_000, "professional": 625_000, "enterprise": 1_000_000,
}  # fmt: skip
#: The account allows five searches a second to all its apps together; one is left for others.
_SEARCHES = 4
_HEADROOM_PERCENT = 10
#: Calls at once: the ten seconds bound us, not the number of connections.
AT_ONCE = 4
#: How long each limit that a 429 names lasts; the day's reset is in no header, so it is asked
#: about again after an hour. Names in every letter case are seen (facts: hubspot, 5f).
_POLICIES = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}
#: A record under lock, and an account on its way to another data center (facts: hubspot, 5f).
_TRY_LATER = frozenset({423, 477})


def limit_rules(options: HubSpotOptions) -> LimitRules:
    """The windows for transport."""
    ten = _TEN_SECONDS_OAUTH if options.auth else _TEN_SECONDS[options.plan]
    day = _DAY[options.plan]
    return LimitRules(
        windows=(
            Window(name="search", seconds=1, allowed=_SEARCHES, counts="cost", headroom_percent=0),
            Window(
                name="ten seconds",
                seconds=10,
                allowed=ten,
                remaining_header="x-hubspot-ratelimit-remaining",
            ),
            Window(
                name="day",
                seconds=86_400,
                allowed=day,
                remaining_header="x-hubspot-ratelimit-daily-remaining",
                headroom_percent=100 - options.budget_share_percent,
            ),
        ),
        concurrency=AT_ONCE,
        headroom_percent=_HEADROOM_PERCENT,
        policies=_POLICIES,
        try_later=_TRY_LATER,
    )
