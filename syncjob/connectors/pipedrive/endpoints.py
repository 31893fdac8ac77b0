"""Which API version a path belongs to, and how many tokens a call costs.

Costs are the `x-token-cost` of the vendor's OpenAPI files of 2026-08 (facts: pipedrive, 2); a path
that stands in no row costs what the rate limit page says of its kind.
"""

from __future__ import annotations

import re

V2, V1 = "api/v2/", "api/v1/"

#: Resources that v2 does not have (facts: pipedrive, 1 item 4). Everything else goes to v2.
V1_ONLY = frozenset(
    (
        *("users", "currencies", "activityTypes", "notes", "noteFields", "files", "filters"),
        *("leadFields", "leadLabels", "leadSources", "webhooks", "recents", "callLogs", "goals"),
        *("roles", "permissionSets", "userSettings"),
    )
)

#: (method, path below the version, tokens in v2); the first that matches counts.
_COSTS: tuple[tuple[str, re.Pattern[str], int], ...] = tuple(
    (method, re.compile(path), cost)
    for method, path, cost in (
        ("GET", r"(users/me|userSettings|\w+/\d+)$", 1),
        ("GET", r"(\w+/search|itemSearch|users/find)", 20),
        ("GET", r"deals/archived$", 20),
        ("GET", r"(pipelines|stages)$", 5),
        ("GET", r"", 10),
        ("DELETE", r"", 3),
        ("", r"", 5),
    )
)


def version_root(path: str) -> str:
    """ "api/v2/" or "api/v1/" for a path such as "deals/12"."""
    return V1 if path.split("/", 1)[0].split("?", 1)[0] in V1_ONLY else V2


def token_cost(method: str, path: str) -> int:
    """What Pipedrive takes from the day's budget for this call; v1 costs twice as much as v2."""
    cost = next(c for m, p, c in _COSTS if m in ("", method) and p.match(path))
    return cost * (2 if version_root(path) == V1 else 1)
