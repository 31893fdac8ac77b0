"""The sandbox Xero: identity, tenants, and the door that each accounting call passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syncjob.sandbox.kernel import ActError, Clock, Entropy, FaultBook, Reply, Request
from syncjob.sandbox.xero import api, dumping, people, repeating
from syncjob.sandbox.xero.answers import Context, Halved, bad_request, reply
from syncjob.sandbox.xero.identity import Access, Identity
from syncjob.sandbox.xero.limits import KeyMemory, RateLimiter
from syncjob.sandbox.xero.options import Limits, Options
from syncjob.sandbox.xero.world import Organisation

ACCOUNTING = "/xero/api.xro/2.0"
_SETTINGS = ("accounting.settings", "accounting.settings.read")
_SALES = ("accounting.invoices", "accounting.transactions")
_MONEY = ("accounting.payments", "accounting.transactions", "accounting.banktransactions")
# The granular scopes and the broad ones that older apps still hold (facts: xero, 2).
_SCOPES: dict[str, tuple[str, ...]] = {
    "Contacts": ("accounting.contacts",),
    "Invoices": _SALES,
    "CreditNotes": _SALES,
    "RepeatingInvoices": _SALES,
    "Payments": _MONEY,
    "Prepayments": (*_MONEY, "accounting.invoices"),
    "Overpayments": (*_MONEY, "accounting.invoices"),
}
_WRITES = ("PUT", "POST", "PATCH")
_INTERNAL = '{"ErrorNumber":500,"Type":"InternalServerError","Message":"An error occurred"}'


class XeroServer:
    """Give it a FaultBook to let semantic faults happen: `internal_error` and `commit_half`."""

    name = "xero"
    prefixes: Mapping[str, str] = {
        ACCOUNTING: "xero",
        "/xero/connections": "xero-identity",
        "/xero/Connections": "xero-identity",
        "/xero/identity": "xero-identity",
    }

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy | None = None,
        options: Options | None = None,
        faults: FaultBook | None = None,
    ) -> None:
        self.options = options or Options()
        self.clock, self.entropy = clock, entropy or Entropy(self.options.seed)
        self.faults = faults or FaultBook()
        self.identity = Identity(clock, self.entropy, self.options)
        self.limiter = RateLimiter(clock, self.entropy, self.options.limits)
        self.keys = KeyMemory(clock)
        self.organisations: dict[str, Organisation] = {}
        first = self.add_organisation(self.options.region, self.options.organisation)
        self.identity.connect(self.options.client_id, first.id, first.name)

    @property
    def organisation(self) -> Organisation:
        """The first organisation: the only one unless a test adds another."""
        return next(iter(self.organisations.values()))

    def add_organisation(self, region: str, name: str = "Second Company") -> Organisation:
        org = Organisation(self.clock, self.entropy, self.options, region, name)
        self.organisations[org.id] = org
        self.identity.tenants[org.id] = name
        return org

    def set_limits(self, limits: Limits | None) -> None:
        self.limiter.limits = limits

    def attach_faults(self, faults: FaultBook) -> None:
        self.faults = faults

    def handle(self, request: Request) -> Reply:
        if not request.path.startswith(ACCOUNTING):
            return self.identity.handle(request)
        access = self.identity.bearer(request)
        if access is None:
            return _unauthorized()
        tenant = access.tenant or (request.header("Xero-Tenant-Id") or "").lower()
        if not self.identity.connected(access.client_id, tenant):
            return _forbidden()
        parts = request.path[len(ACCOUNTING) :].strip("/").split("/")
        parts = [part.replace("%2F", "/") for part in parts]
        if not _allowed(access, parts[0], request.method):
            return _insufficient_scope()
        refusal, headers = self.limiter.check(access.client_id, tenant, request.in_flight)
        answer = refusal or self._once(request, access, self.organisations[tenant], parts)
        for name, value in headers.items():
            answer = answer.with_header(name, value)
        return answer

    def _once(self, request: Request, access: Access, org: Organisation, parts: list[str]) -> Reply:
        """Answers a repeated Idempotency-Key from memory, after the limits have counted it."""
        key = request.header("Idempotency-Key")
        if not key or request.method not in _WRITES:
            return self._answer(request, access, org, parts)
        space = access.client_id
        if self.options.key_scope_token:
            space += "\n" + (request.header("Authorization") or "")
        known = self.keys.find(space, key, request)
        if isinstance(known, str):
            return bad_request(0, "IdempotencyException", known)
        if known is not None:
            return replace(known, effect="replayed")
        answer = self._answer(request, access, org, parts)
        self.keys.keep(space, key, request, answer)
        return answer

    def _answer(
        self, request: Request, access: Access, org: Organisation, parts: list[str]
    ) -> Reply:
        fault = self.faults.semantic("internal_error", self.name, request)
        if fault is not None and fault.when == "before":
            return Reply.of_text(_INTERNAL, 500, "application/json")

        def stop_after(count: int) -> int | None:
            half = self.faults.semantic("commit_half", self.name, request)
            return None if half is None else count // 2

        repeating.roll(org)
        context = Context(org, access.client_id, request, self.entropy, stop_after)
        try:
            answer = api.dispatch(context, parts[0], parts[1:])
        except Halved:
            return replace(Reply.of_text(_INTERNAL, 500, "application/json"), effect="applied")
        if fault is not None:
            wrong = Reply.of_text(_INTERNAL, 500, "application/json")
            return replace(wrong, effect=answer.effect)
        return answer

    def people(self, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        self._roll()
        done = people.act(self, act, payload)
        if done is None:
            raise ActError(f"no such act {act!r}; there are {people.names()}")
        return done

    def _roll(self) -> None:
        """What the calendar did since the last call: repeating invoices."""
        for org in self.organisations.values():
            repeating.roll(org)

    def dump(self) -> dict[str, Any]:
        self._roll()
        return dumping.dump(self)


def _allowed(access: Access, resource: str, method: str) -> bool:
    wanted = _SCOPES.get(resource, _SETTINGS[:1])
    if method == "GET":
        wanted = (*wanted, *(f"{scope}.read" for scope in wanted))
    return bool(set(wanted) & set(access.scopes))


def _problem(status: int, title: str, detail: str) -> Reply:
    body: dict[str, Any] = {"Type": None, "Title": title, "Status": status, "Detail": detail}
    return reply(body, status, "refused")


def _unauthorized() -> Reply:
    answer = _problem(401, "Unauthorized", "TokenExpired: token expired or not known")
    return answer.with_header("WWW-Authenticate", 'Bearer error="invalid_token"')


def _forbidden() -> Reply:
    return _problem(403, "Forbidden", "AuthenticationUnsuccessful")


def _insufficient_scope() -> Reply:
    answer = _problem(401, "Unauthorized", "AuthorizationUnsuccessful")
    return answer.with_header("WWW-Authenticate", "insufficient_scope")
