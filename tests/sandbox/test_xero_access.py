"""Getting in: tokens, consent, scopes, tenants, call limits, idempotency keys."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from syncjob.sandbox.kernel import Reply, Request
from syncjob.sandbox.xero import Limits, Options

from .xero_support import World, invoice

WEB = {"client_id": "sandbox-web", "client_secret": "sandbox-web-secret"}
BACK = "http://localhost:8400/callback"
SCOPE = "offline_access accounting.invoices accounting.contacts accounting.settings.read"


@pytest.fixture
def world() -> World:
    return World()


def authorize(world: World, **more: str) -> Reply:
    query = {
        "response_type": "code",
        "client_id": WEB["client_id"],
        "redirect_uri": BACK,
        "scope": SCOPE,
        "state": "s1",
        "auto": "1",
        **more,
    }
    path = "/xero/identity/connect/authorize"
    return world.host.exchange(Request("GET", path, tuple(query.items())))


def code_from(reply: Reply) -> str:
    assert reply.status == 302
    found = parse_qs(urlsplit(reply.header("Location") or "").query)
    assert found["state"] == ["s1"]
    return found["code"][0]


def sign_in(world: World, **more: str) -> dict[str, Any]:
    code = code_from(authorize(world))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **WEB, **more}
    answer: dict[str, Any] = world.grant(**form).json()
    return answer


def refresh(world: World, token: str) -> Reply:
    return world.grant(grant_type="refresh_token", refresh_token=token, **WEB)


def test_client_credentials(world: World) -> None:
    answer = world.grant(grant_type="client_credentials").json()
    assert set(answer) == {"access_token", "expires_in", "token_type", "scope"}
    assert answer["expires_in"] == 1800
    narrow = world.grant(grant_type="client_credentials", scope="accounting.invoices").json()
    assert narrow["scope"] == "accounting.invoices"
    wrong = world.grant(grant_type="client_credentials", client_secret="no")
    assert (wrong.status, wrong.json()) == (400, {"error": "invalid_client"})
    assert world.grant(grant_type="x").json()["error"] == "unsupported_grant_type"
    assert world.grant(grant_type="client_credentials", **WEB).json()["error"] == (
        "unauthorized_client"
    )
    assert world.grant(grant_type="client_credentials", scope="finance").json()["error"] == (
        "invalid_scope"
    )


def test_basic_authentication_at_the_token_door(world: World) -> None:
    packed = base64.b64encode(b"sandbox-custom:sandbox-secret").decode()
    request = Request(
        "POST",
        "/xero/identity/connect/token",
        headers=(("Authorization", f"Basic {packed}"),),
        body=b"grant_type=client_credentials",
    )
    assert world.host.exchange(request).status == 200


def test_tokens_die_after_30_minutes(world: World) -> None:
    world.clock.advance(1799)
    assert world.call("GET", "Organisation").status == 200
    world.clock.advance(1)
    reply = world.call("GET", "Organisation")
    assert (reply.status, reply.json()["Title"]) == (401, "Unauthorized")
    world.renew()
    assert world.call("GET", "Organisation").status == 200


def test_refresh_tokens_rotate_with_a_grace(world: World) -> None:
    first = sign_in(world)["refresh_token"]
    second = refresh(world, first).json()["refresh_token"]
    assert second != first
    world.clock.advance(29 * 60)
    assert refresh(world, first).status == 200
    world.clock.advance(2 * 60)
    assert refresh(world, first).json() == {"error": "invalid_grant"}
    world.clock.advance(timedelta(days=61).total_seconds())
    assert refresh(world, second).json() == {"error": "invalid_grant"}


def test_consent_again_supersedes(world: World) -> None:
    first = sign_in(world)["refresh_token"]
    sign_in(world)
    assert refresh(world, first).json() == {"error": "invalid_grant"}


def test_consent_page_and_its_refusals(world: World) -> None:
    page = authorize(world, auto="")
    assert page.status == 200
    assert b"Allow access" in page.body
    assert authorize(world, redirect_uri="https://evil.example/").status == 400
    assert authorize(world, client_id="ghost").status == 400
    for more, error in (
        ({"auto": "0"}, "access_denied"),
        ({"scope": "finance"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ):
        assert f"error={error}" in (authorize(world, **more).header("Location") or "")


def test_a_code_works_once_for_five_minutes_at_its_own_address(world: World) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, **WEB}
    code = code_from(authorize(world))
    assert world.grant(code=code, **{**form, "redirect_uri": BACK + "x"}).status == 400
    assert world.grant(code=code, **form).json() == {"error": "invalid_grant"}
    late = code_from(authorize(world))
    world.clock.advance(301)
    assert world.grant(code=late, **form).status == 400


def test_pkce(world: World) -> None:
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    more = {"client_id": "sandbox-pkce", "code_challenge": challenge}
    form = {"grant_type": "authorization_code", "client_id": "sandbox-pkce", "redirect_uri": BACK}
    code = code_from(authorize(world, **more))
    assert world.grant(code=code, code_verifier="wrong", **form).status == 400
    code = code_from(authorize(world, **more))
    assert world.grant(code=code, code_verifier=verifier, **form).status == 200


def test_tenants_and_connections(world: World) -> None:
    other = world.xero.add_organisation("NZ", "Kiwi")
    world.token = sign_in(world)["access_token"]
    headers = (("Authorization", f"Bearer {world.token}"),)
    rows = world.host.exchange(Request("GET", "/xero/connections", headers=headers)).json()
    assert {r["tenantName"] for r in rows} == {"Sandbox Company", "Kiwi"}
    assert world.call("GET", "Organisation").status == 403
    chosen = {"Xero-Tenant-Id": other.id}
    assert world.get("Organisation", headers=chosen)["Organisations"][0]["Name"] == "Kiwi"
    gone = next(r["id"] for r in rows if r["tenantName"] == "Kiwi")
    delete = Request("DELETE", f"/xero/Connections/{gone}", headers=headers)
    assert world.host.exchange(delete).status == 204
    reply = world.call("GET", "Organisation", headers=chosen)
    assert (reply.status, reply.json()["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_a_custom_connection_lists_no_connections(world: World) -> None:
    headers = (("Authorization", f"Bearer {world.token}"),)
    assert world.host.exchange(Request("GET", "/xero/connections", headers=headers)).status == 403


def test_scopes(world: World) -> None:
    narrow = world.grant(grant_type="client_credentials", scope="accounting.settings.read").json()
    world.token = narrow["access_token"]
    assert world.call("GET", "Organisation").status == 200
    assert world.call("PUT", "Items", {"Items": [{"Code": "A"}]}).status == 401
    reply = world.call("GET", "Invoices")
    assert (reply.status, reply.header("WWW-Authenticate")) == (401, "insufficient_scope")


def test_disconnecting_and_reconnecting_elsewhere(world: World) -> None:
    before = world.get("Organisation")["Organisations"][0]["OrganisationID"]
    world.act("disconnect")
    assert world.call("GET", "Organisation").status == 403
    world.act("reconnect_other_organisation", region="UK")
    assert world.call("GET", "Organisation").status == 403
    world.renew()
    after = world.get("Organisation")["Organisations"][0]
    assert after["OrganisationID"] != before
    assert after["CountryCode"] == "GB"


def test_limits_by_minute_and_day() -> None:
    world = World(Options(lag_max_s=0, limits=Limits(minute=3, day=7)))
    replies = [world.call("GET", "Organisation") for _ in range(4)]
    assert [r.status for r in replies] == [200, 200, 200, 429]
    assert [r.header("X-MinLimit-Remaining") for r in replies] == ["2", "1", "0", "0"]
    wait = int(replies[3].header("Retry-After") or "0")
    assert replies[3].header("X-Rate-Limit-Problem") == "minute"
    assert 0 < wait <= 60
    world.clock.advance(wait)
    assert world.call("GET", "Organisation").status == 200
    world.act("set_limits", minute=60, day=7)
    last = [world.call("GET", "Organisation") for _ in range(4)][-1]
    assert (last.status, last.header("X-Rate-Limit-Problem")) == (429, "day")
    assert int(last.header("Retry-After") or "0") > 60
    assert last.header("X-DayLimit-Remaining") == "0"


def test_the_concurrency_limit_names_no_time() -> None:
    world = World(Options(lag_max_s=0))
    request = Request(
        "GET",
        "/xero/api.xro/2.0/Organisation",
        headers=(("Authorization", f"Bearer {world.token}"),),
        in_flight=6,
    )
    reply = world.xero.handle(request)
    assert (reply.status, reply.header("Retry-After")) == (429, None)


def test_idempotency_keys(world: World) -> None:
    body = {"Invoices": [invoice()]}
    key = {"Idempotency-Key": "k1"}
    first = world.call("PUT", "Invoices", body, key)
    again = world.call("PUT", "Invoices", body, key)
    assert again.body == first.body
    other = world.call("PUT", "Invoices", {"Invoices": [invoice(Reference="x")]}, key)
    assert other.status == 400
    assert other.json()["Message"] == "Idempotency Key: k1 is used with a different request."
    assert world.call("PUT", "Invoices", body, {"Idempotency-Key": "k" * 129}).status == 400
    world.clock.advance(359)
    assert world.call("PUT", "Invoices", body, key).body == first.body
    world.clock.advance(1)
    assert world.call("PUT", "Invoices", body, key).body != first.body
    assert len(world.get("Invoices")["Invoices"]) == 2
    assert [c.effect for c in world.host.log.find(method="PUT")] == [
        "applied",
        "replayed",
        "refused",
        "refused",
        "replayed",
        "applied",
    ]


def test_replays_cost_quota_and_the_limit_comes_first() -> None:
    world = World(Options(lag_max_s=0, limits=Limits(minute=2)))
    body, key = {"Invoices": [invoice()]}, {"Idempotency-Key": "k"}
    replies = [world.call("PUT", "Invoices", body, key) for _ in range(3)]
    assert [r.status for r in replies] == [200, 200, 429]


@pytest.mark.parametrize("scoped", [False, True])
def test_keys_may_belong_to_a_token(scoped: bool) -> None:
    world = World(Options(lag_max_s=0, limits=None, key_scope_token=scoped))
    body, key = {"Invoices": [invoice()]}, {"Idempotency-Key": "k"}
    world.call("PUT", "Invoices", body, key)
    world.renew()
    world.call("PUT", "Invoices", body, key)
    assert len(world.get("Invoices")["Invoices"]) == (2 if scoped else 1)
