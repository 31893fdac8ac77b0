"""The Pipedrive server: who calls, what it costs, which route answers; and the people's door."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Pairs, Reply, Request
from syncjob.sandbox.pipedrive import (
    acts,
    checks,
    contacts,
    fields,
    people,
    v1,
    v2_deals,
    v2_fields,
    v2_others,
)
from syncjob.sandbox.pipedrive.company import FIELD_KINDS, KINDS, Company, Record
from syncjob.sandbox.pipedrive.limits import Limits, TooMany, rate_headers
from syncjob.sandbox.pipedrive.options import Options
from syncjob.sandbox.pipedrive.routing import Answer, Call, Route
from syncjob.sandbox.pipedrive.wire import HtmlRefusal, Refusal, answer, parsed, plain

MOUNT = "/pipedrive"
FIRST_USER_ID = 900_001  # out of the way of ids that a CSV file brings
_VERSIONS = (("/api/v2/", 2), ("/api/v1/", 1), ("/v1/", 1))


def _table(routes: tuple[Route, ...]) -> list[tuple[re.Pattern[str], Route]]:
    return [(route.pattern, route) for route in routes]


_TABLES = {
    2: _table((*v2_deals.ROUTES, *v2_others.ROUTES, *v2_fields.ROUTES)),
    1: _table(v1.ROUTES),
}


@dataclass(frozen=True)
class Caller:
    token: str
    user_id: int
    oauth: bool


class PipedriveServer:
    """One Pipedrive company behind /pipedrive; deep-copyable, and the same for the same seed."""

    name = "pipedrive"
    prefixes: Mapping[str, str] = MappingProxyType({MOUNT: "pipedrive"})

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        options: Options | None = None,
        faults: FaultBook | None = None,
    ) -> None:
        self.options = options or Options()
        self.faults = faults
        self.company = Company(clock, entropy, self.options)
        self.limits = Limits(self.options, clock)
        self.tokens: dict[str, int] = {}
        self._found_firm()

    def handle(self, request: Request) -> Reply:
        """One request, answered in the vendor's way whatever is wrong with it."""
        sent: Pairs = ()
        try:
            version, rest = _split(request.path)
            caller = self._caller(request)
            self._semantic(request)
            route, keys = _find(version, request.method, rest)
            sent = self.limits.admit(caller.token, caller.oauth, route.cost, route.search)
            reply = _written(route, self._answer(route, keys, caller, request))
        except TooMany as refused:
            return _with(refused.reply(), refused.headers)
        except Refusal as refused:
            reply = refused.reply()
        if request.method in ("POST", "PUT") and sent and not caller.oauth:
            sent = (*sent, ("x-daily-requests-left", self.limits.writes_left()))
        return _with(reply, sent)

    def people(self, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What a person in the browser does; see `acts.ACTS`."""
        result: dict[str, Any] = plain(acts.act(self, act, payload))
        return result

    def dump(self) -> dict[str, Any]:
        """The truth, without lag: every record by kind and id, times as epoch seconds."""
        tables = self.company.tables
        state = {k: {str(i): r.record for i, r in tables[k].rows.items()} for k in KINDS}
        known = {k: self.company.fields[k] for k in FIELD_KINDS}
        used = {"tokens_used": self.limits.tokens_used, "day_budget": self.options.day_budget}
        result: dict[str, Any] = plain(
            {**state, "fields": known, "external_ids": self.company.external, "limits": used}
        )
        return result

    def _found_firm(self) -> None:
        company = self.company
        fields.seed_system_fields(company)
        email = f"api@{self.options.company_domain}.example"
        contacts.create_user(company, "Api User", email, FIRST_USER_ID, admin=True)
        self.tokens[self.options.api_token] = FIRST_USER_ID
        self.tokens |= dict.fromkeys(self.options.bearer_tokens, FIRST_USER_ID)
        people.add_pipeline(company, "Pipeline", self.options.default_stages)

    def _caller(self, request: Request) -> Caller:
        key, bearer = request.header("x-api-token"), request.header("Authorization") or ""
        oauth = key is None and bearer.lower().startswith("bearer ")
        token = bearer[7:].strip() if oauth else key
        issued = self.options.bearer_tokens
        if token is None or token not in self.tokens or (token in issued) is not oauth:
            raise Refusal(
                401,
                "unauthorized access",
                errorCode=401,
                error_info="Please check developers.pipedrive.com",
            )
        return Caller(token, self.tokens[token], oauth)

    def _semantic(self, request: Request) -> None:
        if self.faults is None:
            return
        for name, refusal in _SEMANTIC.items():
            if self.faults.semantic(name, self.name, request) is not None:
                raise refusal()

    def _answer(
        self, route: Route, keys: tuple[str, ...], caller: Caller, request: Request
    ) -> Answer:
        if route.lenient:
            args: Record = dict(request.query)
            sent = parsed(request.body) if request.body else {}
            if not isinstance(sent, dict):
                raise Refusal(400, "Bad request", "ERR_BAD_REQUEST")
        else:
            args = checks.query(request.query, route.params)
            sent = (
                {} if route.body is None else checks.body(request.body, route.body, route.required)
            )
        call = Call(self.company, caller.user_id, keys, args, sent, request.query)
        with self.company.whole():
            return route.handle(call)


_SEMANTIC: dict[str, Callable[[], Refusal]] = {
    "payment_required": lambda: Refusal(402, "Payment required", errorCode=402),
    "feature_capping": lambda: Refusal(
        403, "Deals limit of the plan is reached", "feature_capping_deals_limit"
    ),
    "cloudflare": lambda: HtmlRefusal(403, "You are being rate limited"),
    "maintenance": lambda: Refusal(503, "Scheduled maintenance", errorCode=503),
    "daily_budget": lambda: TooMany("request over limit", rate_headers(40, 39, 2)),
    "burst": lambda: TooMany("request over limit", rate_headers(40, 0, 2)),
}


def _split(path: str) -> tuple[int, str]:
    rest = path.removeprefix(MOUNT)
    for prefix, version in _VERSIONS:
        if rest.startswith(prefix):
            return version, rest[len(prefix) :].strip("/")
    raise Refusal(404, "Unknown method .", errorCode=404)


def _find(version: int, method: str, rest: str) -> tuple[Route, tuple[str, ...]]:
    others = False
    for pattern, route in _TABLES[version]:
        match = pattern.match(rest)
        if match and route.method == method:
            return route, match.groups()
        others = others or match is not None
    if version == 1 and rest.split("/")[0] in v1.LEFT:
        raise v1.out_of_support()
    raise Refusal(405 if others else 404, "Unknown method .", errorCode=405 if others else 404)


def _written(route: Route, result: Answer) -> Reply:
    body: Record = {"success": True, "data": result.data}
    if result.additional is not None:
        body["additional_data"] = result.additional
    return answer(body, result.status, "none" if route.method == "GET" else "applied")


def _with(reply: Reply, headers: Pairs) -> Reply:
    return Reply(reply.status, (*reply.headers, *headers), reply.body, reply.effect)
