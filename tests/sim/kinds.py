"""The kinds of faults: what each one does, and at which points it means something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from syncjob.sandbox.kernel import Fault

PointKind = Literal["read", "write", "token", "commit", "statement"]


@dataclass(frozen=True)
class Point:
    """One occurrence of a door in one batch: its number, and what passes there.

    Statements have numbers of their own, so that more of them move no other point.
    """

    n: int
    kind: PointKind
    words: str
    #: How many records a write carries in one call; 0 where its vendor knows no such calls.
    many: int = 0
    #: Whether this read asks for a later page of a list whose earlier one was read just before.
    later_page: bool = False
    #: Where in the program a statement is, for telling apart statements of one text.
    place: str = ""
    #: Whether a statement is the one that takes the file's lock.
    first: bool = False

    @property
    def vendor(self) -> str:
        """The server that is asked, or nothing for a commit or a statement."""
        path = self.words.partition(" ")[2]
        return next((name for name in ("xero", "pipedrive", "hubspot") if f"/{name}/" in path), "")


_DAY = {"Retry-After": "5400", "X-Rate-Limit-Problem": "day"}
_MINUTE = {"Retry-After": "30", "X-Rate-Limit-Problem": "minute"}


def _status(status: int, body: str = "{}", **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": body, **more}


def _limit(problem: str, **headers: str) -> dict[str, Any]:
    return {"kind": "status", "status": 429,
            "headers": {"X-Rate-Limit-Problem": problem, **headers}}  # fmt: skip


def _burst(remaining: int, **headers: str) -> dict[str, Any]:
    """Pipedrive tells its two limits apart by what is left of the burst (facts: pipedrive, 2)."""
    shown = {"x-ratelimit-limit": "40", "x-ratelimit-remaining": str(remaining),
             "x-ratelimit-reset": "2", **headers}  # fmt: skip
    body = '{"success":false,"error":"request over limit","errorCode":429}'
    return {"kind": "status", "status": 429, "headers": shown, "body": body}


def _policy(name: str, **headers: str) -> dict[str, Any]:
    """HubSpot names the limit in the body (facts: hubspot, 5f)."""
    body = f'{{"status":"error","errorType":"RATE_LIMIT","policyName":"{name}"}}'
    return {"kind": "status", "status": 429, "headers": dict(headers), "body": body}


#: What the servers' own host plays: the arguments of a sandbox fault. `twice` is met by the next
#: exchange of the same method and path as well, which is what a replay meets.
SERVER_FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"kind": "refuse"},
    "lost": {"kind": "lost"},
    "lost twice": {"kind": "lost", "times": 2},
    "timeout": {"kind": "lost"},
    "timeout twice": {"kind": "lost", "times": 2},
    "late": {"kind": "late", "delay_s": 240},
    "late twice": {"kind": "late", "delay_s": 600, "times": 2},
    "truncated": {"kind": "truncate"},
    "truncated twice": {"kind": "truncate", "times": 2},
    "html 200": {"kind": "html", "status": 200, "when": "after"},
    "html 502": {"kind": "html", "status": 502, "when": "before"},
    "html 502 after": {"kind": "html", "status": 502, "when": "after"},
    "empty": {"kind": "empty", "status": 200, "when": "after"},
    "429 minute": {"kind": "status", "status": 429, "headers": _MINUTE},
    "429 day": {"kind": "status", "status": 429, "headers": _DAY},
    "429 bare": {"kind": "status", "status": 429},
    "401 once": {"kind": "status", "status": 401, "body": '{"Title":"Unauthorized"}'},
    "403": {"kind": "status", "status": 403, "body": '{"Title":"Forbidden"}'},
    "500 before": {"kind": "status", "status": 500, "body": "{}"},
    "500 after": {"kind": "status", "status": 500, "body": "{}", "when": "after"},
    "500 after twice": {
        "kind": "status", "status": 500, "body": "{}", "when": "after", "times": 2,
    },
    "503 before": {"kind": "status", "status": 503},
    "503 after": {"kind": "status", "status": 503, "when": "after"},
    "half": {"kind": "semantic", "name": "commit_half"},
    # What came later stands below, since seeds draw from the names above in their order.
    "html 200 before": {"kind": "html", "status": 200, "when": "before"},
    "empty before": {"kind": "empty", "status": 200, "when": "before"},
    "429 minute untold": _limit("minute"),
    "429 day untold": _limit("day"),
    "429 concurrent": _limit("concurrent"),
    "429 concurrent told": _limit("concurrent", **{"Retry-After": "2"}),
    "429 burst": _burst(0),
    "429 burst told": _burst(0, **{"Retry-After": "2"}),
    "429 budget": _burst(39),
    "429 budget told": _burst(39, **{"Retry-After": "5400"}),
    "429 ten seconds told": _policy("TEN_SECONDLY_ROLLING", **{"Retry-After": "10"}),
    "429 secondly told": _policy("SECONDLY", **{"Retry-After": "1"}),
    "429 daily": _policy("DAILY"),
    "429 daily told": _policy("DAILY", **{"Retry-After": "5400"}),
    "403 page": {"kind": "html", "status": 403, "when": "before"},
}  # fmt: skip
#: What only HubSpot's servers refuse with (facts: hubspot, 5f).
HUBSPOT_FAULTS: dict[str, dict[str, Any]] = {
    "423 locked": {"kind": "semantic", "name": "locked"},
    "477 moving": {"kind": "semantic", "name": "migration"},
    "429 ten seconds": {"kind": "semantic", "name": "ten_seconds"},
    "429 secondly": {"kind": "semantic", "name": "secondly"},
    "524": {"kind": "semantic", "name": "timeout_524"},
}
HUBSPOT_KINDS: tuple[str, ...] = tuple(HUBSPOT_FAULTS)
#: Waits of the client before it gives up, in seconds, by kind. A laptop that sleeps with the answer
#: on its way wakes when the vendor has forgotten the key.
WAITS_S = {"timeout": 60, "timeout twice": 60, "late": 60, "late twice": 60, "key expired": 420}

HERE = ("refused", "kill before", "kill after", "edit before", "edit after")
_FIRST = tuple(SERVER_FAULTS)[: tuple(SERVER_FAULTS).index("half") + 1]
#: The kinds that seeds have drawn from since the first one was kept: its order is theirs.
EXCHANGE_KINDS: tuple[str, ...] = (*HERE, *_FIRST)
#: A read has no effect: what differs only in whether the effect took place is one kind for it.
READ_KINDS: tuple[str, ...] = (
    *HERE, "reset", "timeout", "truncated", "html 200", "html 502", "empty", "429 minute",
    "429 day", "429 bare", "401 once", "403", "500 before", "503 before",
)  # fmt: skip
COMMIT_KINDS = ("kill before", "kill after", "disk full")

#: What this machine does to itself, and what lasts from this point on.
_ANYWHERE = ("gone", "401 for ever", "clock +1 h", "clock -1 h")
_WRITES = ("html 200 before", "empty before", "lost, then edited", "old list")
_LIMITS: dict[str, tuple[str, ...]] = {
    "xero": ("429 minute untold", "429 day untold", "429 concurrent", "429 concurrent told"),
    "pipedrive": ("429 burst", "429 burst told", "429 budget", "429 budget told", "403 page"),
    "hubspot": ("429 ten seconds told", "429 secondly told", "429 daily", "429 daily told"),
}
_TOKEN_KINDS = (
    "refused", "reset", "lost", "timeout", "truncated", "empty", "html 502", "500 before",
    "503 before", "503 after", "429 bare", "kill before", "kill after", "clock +1 h", "clock -1 h",
)  # fmt: skip
_STATEMENT_KINDS = ("kill before", "disk full")
#: What a person does to our program while a write is on its way (tests/sim/stopping.py).
MEDDLED = ("stopped",)
#: Where a record is refused for itself: tried again once the ledger's or the CRM's names changed.
REFUSALS = ("error in 200", "some refused", "whole refused")
#: What lasts until a person mends it.
LASTING = ("401 for ever", "403 for ever", "whole refused")
#: What is answered as forbidden is asked again within the hour.
FORBIDDEN = ("403", "403 for ever")
#: Faults that ask our program to stay away for longer than the patience.
FAR = ("429 day", "477 moving", "429 day untold", "429 budget", "429 budget told", "429 daily",
       "429 daily told", "403 page")  # fmt: skip
#: What keeps a state from being written, so that a command ends with a StateError.
STATE_KINDS = ("disk full", "locked")


def kinds_of(point: Point) -> tuple[str, ...]:
    """The faults that mean something at this point."""
    if point.kind == "commit":
        return (*COMMIT_KINDS, "locked")
    if point.kind == "statement":
        return (*_STATEMENT_KINDS, *(("locked",) if point.first else ()))
    if point.kind == "token":
        return _TOKEN_KINDS
    known = READ_KINDS if point.kind == "read" else EXCHANGE_KINDS
    more = HUBSPOT_KINDS if point.vendor == "hubspot" else ()
    return (*known, *more, *_ANYWHERE, *_LIMITS.get(point.vendor, ()), *_own(point))


def _own(point: Point) -> Iterator[str]:
    """What depends on what the request carries."""
    if point.vendor == "xero":
        yield "403 for ever"
    if point.kind == "read":
        yield "stamped late"
        if point.vendor == "pipedrive":
            yield from ("error in 200", "null in 200")
        if point.later_page:
            yield from ("page shifts", "walk broken", "equal stamps")
        return
    yield from (*_WRITES, *MEDDLED)
    if point.vendor == "xero":
        yield from ("key expired", "token renewed")
    if point.vendor == "pipedrive" or point.many == 1:
        yield "error in 200"
    if point.many > 1:
        yield from ("some refused", "whole refused", "reordered")
        if point.vendor == "xero":
            yield "fewer"


def server_fault(kind: str) -> Fault:
    """The sandbox's own fault of that name."""
    return Fault(**{**SERVER_FAULTS, **HUBSPOT_FAULTS}[kind])


def of_server(kind: str) -> bool:
    """Whether the servers' host plays it."""
    return kind in SERVER_FAULTS or kind in HUBSPOT_FAULTS
