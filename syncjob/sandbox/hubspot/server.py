"""The HubSpot server: who calls, with which scopes, which route answers; and the people's door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from syncjob.sandbox.hubspot import (
    acts,
    api_batches,
    api_objects,
    api_others,
    dumping,
    people_account,
    properties,
)
from syncjob.sandbox.hubspot.limits import Limits, too_many
from syncjob.sandbox.hubspot.oauth import OAuth
from syncjob.sandbox.hubspot.options import Options
from syncjob.sandbox.hubspot.routing import Answer, Call, Route
from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.hubspot.wire import Refusal, answer, not_found, parsed
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Pairs, Reply, Request

MOUNT = "/hubspot"
URL_MAX = 8_192  # characters of path and query; beyond: 414 (the vendor's number is not public)
_ROUTES = (*api_objects.ROUTES, *api_batches.ROUTES, *api_others.ROUTES)
_FAMILIES = tuple(sorted({r.family for r in _ROUTES}, key=len, reverse=True))
_SCOPES_PAGE = "https://developers.hubspot.com/scopes"


class HubSpotServer:
    """One HubSpot account behind /hubspot; deep-copyable, and the same for the same seed."""

    name = "hubspot"
    prefixes: Mapping[str, str] = MappingProxyType(
        {f"{MOUNT}/oauth": "hubspot-identity", MOUNT: "hubspot"}
    )

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        options: Options | None = None,
        faults: FaultBook | None = None,
    ) -> None:
        self.options = options or Options()
        self.faults = faults
        self.store = Store(clock, entropy, self.options)
        self.limits = Limits(self.options, clock)
        self.oauth = OAuth(self.options, clock, entropy)
        self.tokens: dict[str, tuple[str, ...]] = {self.options.access_token: self.options.scopes}
        properties.seed(self.store)
        people_account.found_account(self.store)

    def handle(self, request: Request) -> Reply:
        """One request, answered in the vendor's way whatever is wrong with it."""
        correlation = self.store.entropy.uuid()
        sent: Pairs = ()
        try:
            path = request.path.removeprefix(MOUNT).strip("/")
            if path.split("/")[0] == "oauth":
                return _stamped(self._identity(path, request), correlation)
            sent, reply = self._api(path, request)
        except Refusal as refused:
            reply = answer(refused.body(correlation), refused.status, "refused")
            sent = (*sent, *refused.headers)
        return _stamped(_with(reply, sent), correlation)

    def people(self, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What a person in the browser does; see `acts.ACTS`."""
        return acts.act(self, act, payload)

    def dump(self) -> dict[str, Any]:
        """The truth, without lag, in the words that judges use for every CRM."""
        return dumping.dump(self)

    # --- the API ------------------------------------------------------------------------------

    def _api(self, path: str, request: Request) -> tuple[Pairs, Reply]:
        if len(path) + sum(len(k) + len(v) + 2 for k, v in request.query) > URL_MAX:
            raise Refusal(414, "Request-URI Too Long")
        family, version, rest = _split(path)
        app, oauth, scopes = self._caller(request)
        self._semantic(request)
        if version not in self.options.versions:
            raise not_found()
        route, keys = _find(family, request.method, rest)
        missing = [s for s in route.scopes(keys) if s not in scopes]
        if missing:
            raise _missing_scopes(missing)
        sent = self.limits.admit(app, oauth, route.limit)
        try:
            return sent, self._answer(route, keys, version, request)
        except Refusal as refused:
            refused.headers = sent
            raise

    def _answer(self, route: Route, keys: tuple[str, ...], version: str, request: Request) -> Reply:
        body = {} if request.method in ("GET", "DELETE") else parsed(request.body)
        size = len(request.body.decode("utf-8", "replace"))
        base = f"https://api.hubapi.com{request.path.removeprefix(MOUNT)}"
        call = Call(self.store, version, keys, request.query, body, size, base, self.limits)
        with self.store.whole():
            made = route.handle(call)
        if self.faults is not None and request.path.endswith("/batch/read"):
            fault = self.faults.semantic(INPUT_ERROR, self.name, request)
            made = made if fault is None else api_batches.failed(call, made, fault.body or "")
        return _reply(made)

    def _caller(self, request: Request) -> tuple[str, bool, tuple[str, ...]]:
        """Which app calls, whether through OAuth, and what it may do."""
        header = request.header("Authorization") or ""
        if not header.lower().startswith("bearer "):
            raise Refusal(401, "Authentication credentials not found. This API supports OAuth 2.0"
                               " authentication.")  # fmt: skip
        token = header[7:].strip()
        if token in self.tokens:
            return f"app-{list(self.tokens).index(token)}", False, self.tokens[token]
        scopes = self.oauth.scopes_of(token)
        if scopes is None:
            raise Refusal(401, "Authentication credentials not found or no longer valid.")
        return "oauth-app", True, scopes

    def _semantic(self, request: Request) -> None:
        if self.faults is None:
            return
        for name, refusal in SEMANTIC.items():
            if self.faults.semantic(name, self.name, request) is not None:
                raise refusal()

    # --- the OAuth door -----------------------------------------------------------------------

    def _identity(self, path: str, request: Request) -> Reply:
        parts = path.split("/")[1:]
        if parts == ["authorize"] and request.method in ("GET", "POST"):
            return self.oauth.authorize(request)
        if request.method != "POST" or not parts or parts[0] not in self.options.versions:
            raise not_found()
        if parts[1:] == ["token"]:
            return answer(self.oauth.token(request), 200, "applied")
        if parts[1:] == ["token", "introspect"]:
            return answer(self.oauth.introspect(request))
        raise not_found()


def _locked() -> Refusal:
    text = "This resource is locked by another operation. Wait at least 2 seconds."
    return Refusal(423, text, "LOCKED")


def _migrating() -> Refusal:
    refused = Refusal(477, "The account is being moved to another data center.", "MIGRATION")
    refused.headers = (("Retry-After", "3600"),)
    return refused


#: Refusals that a fault of kind "semantic" can ask for by name (facts: hubspot, 5f).
SEMANTIC: dict[str, Callable[[], Refusal]] = {
    "locked": _locked,
    "migration": _migrating,
    "daily": lambda: too_many("DAILY", "daily"),
    "ten_seconds": lambda: too_many("TEN_SECONDLY_ROLLING", "ten_secondly_rolling"),
    "secondly": lambda: too_many("SECONDLY", "secondly"),
    "maintenance": lambda: Refusal(503, "Service unavailable", "SERVICE_UNAVAILABLE"),
    "timeout_524": lambda: Refusal(524, "A timeout occurred", None),
}


#: The semantic fault that lets one input of a batch read fail beside the others; its body is the
#: input's id, and its `contains` had better be the same (facts: hubspot, 5d).
INPUT_ERROR = "input_error"


def _split(path: str) -> tuple[str, str, str]:
    """Family, version and what follows of `crm/objects/2026-09/deals`."""
    for family in _FAMILIES:
        if path == family or path.startswith(family + "/"):
            version, _, rest = path[len(family) + 1 :].partition("/")
            return family, version, rest
    raise not_found()


def _find(family: str, method: str, rest: str) -> tuple[Route, tuple[str, ...]]:
    others = False
    for route in _ROUTES:
        match = route.pattern.match(rest) if route.family == family else None
        if match and route.method == method:
            return route, match.groups()
        others = others or match is not None
    raise Refusal(405, "HTTP method not allowed") if others else not_found()


def _missing_scopes(missing: list[str]) -> Refusal:
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about"
        f" required scopes here: {_SCOPES_PAGE}.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": missing},
            }
        ],
        links={"scopes": _SCOPES_PAGE},
    )


def _reply(made: Answer) -> Reply:
    effect = "applied" if made.wrote else "none"
    if made.status == 204:
        return Reply(204, effect=effect)
    return answer(made.body, made.status, effect)


def _with(reply: Reply, headers: Pairs) -> Reply:
    return Reply(reply.status, (*reply.headers, *headers), reply.body, reply.effect)


def _stamped(reply: Reply, correlation: str) -> Reply:
    """Every answer bears its number, for a question to the vendor."""
    return _with(reply, (("x-hubspot-correlation-id", correlation), ("x-request-id", correlation)))
