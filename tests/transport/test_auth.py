"""Tokens: renewed in time, stored before use, by one process; errors say what a person must do."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from pydantic import SecretStr

from syncjob.errors import AuthFailed, StateError, Unreachable
from syncjob.transport.auth import (
    ApiToken,
    ClientCredentials,
    RefreshingToken,
    consent_url,
    exchange_code,
)
from syncjob.transport.ports import Token

from . import kit
from .kit import START, FakeClock, make_channel

TOKEN_URL = "https://identity.example.test/connect/token"
SECRET = "client-secret-abcdef"
KEY = "xero:app:user"


class Store:
    """A TokenStore in memory that records the order of things."""

    def __init__(self, token=None) -> None:
        self.tokens = {KEY: token} if token else {}
        self.events = []

    def token(self, key):
        return self.tokens.get(key)

    def save(self, key, token):
        self.events.append(("save", token.access))
        self.tokens[key] = token

    @contextmanager
    def lock(self, key):
        self.events.append("lock")
        yield
        self.events.append("unlock")


def stored(access="old-access", lasts_s=1800, generation=4, refresh="old-refresh") -> Token:
    return Token(
        access=access,
        expires_at=START + timedelta(seconds=lasts_s),
        refreshed_at=START,
        generation=generation,
        refresh=refresh,
    )


def custom(store, clock=None) -> ClientCredentials:
    return ClientCredentials(
        token_url=TOKEN_URL,
        client_id="app",
        client_secret=SecretStr(SECRET),
        scopes=("accounting.invoices", "accounting.contacts"),
        key=KEY,
        store=store,
        clock=clock or FakeClock(),
    )


def refreshing(store, clock=None, secret=SECRET) -> RefreshingToken:
    return RefreshingToken(
        token_url=TOKEN_URL,
        client_id="app",
        client_secret=SecretStr(secret) if secret else None,
        key=KEY,
        store=store,
        clock=clock or FakeClock(),
    )


def grant(access="new-access", refresh=None, **more):
    body = {"access_token": access, "expires_in": 1800, "token_type": "Bearer", **more}
    return body | ({"refresh_token": refresh} if refresh else {})


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def form(sent) -> dict[str, str]:
    return dict(parse_qsl(sent.request.body.decode()))


def test_a_custom_connection_asks_with_its_own_credentials(http):
    http.post(TOKEN_URL, json=grant())
    store = Store()
    auth = custom(store)
    assert auth.headers() == {"Authorization": "Bearer new-access"}
    assert form(http.calls[0]) == {
        "grant_type": "client_credentials",
        "scope": "accounting.invoices accounting.contacts",
    }
    basic = base64.b64encode(f"app:{SECRET}".encode()).decode()
    assert http.calls[0].request.headers["Authorization"] == f"Basic {basic}"
    assert store.events == ["lock", ("save", "new-access"), "unlock"]
    assert auth.generation() == 1
    auth.headers()
    assert len(http.calls) == 1


def test_a_stored_token_is_used_until_a_minute_before_its_end(http):
    http.post(TOKEN_URL, json=grant())
    clock = FakeClock()
    auth = custom(Store(stored()), clock)
    clock.pass_(1800 - 61)
    assert auth.headers() == {"Authorization": "Bearer old-access"}
    clock.pass_(1)
    assert auth.headers() == {"Authorization": "Bearer new-access"}
    assert auth.generation() == 5


def test_the_refresh_token_rotates(http):
    http.post(TOKEN_URL, json=grant(refresh="second-refresh"))
    http.post(TOKEN_URL, json=grant("third-access", refresh="third-refresh"))
    clock, store = FakeClock(), Store(stored(lasts_s=0))
    auth = refreshing(store, clock)
    auth.headers()
    clock.pass_(1800)
    assert auth.headers() == {"Authorization": "Bearer third-access"}
    assert [form(sent)["refresh_token"] for sent in http.calls] == ["old-refresh", "second-refresh"]
    assert store.tokens[KEY].refresh == "third-refresh"
    assert auth.ends_at() == clock.now() + timedelta(days=60)


@pytest.mark.parametrize("told", [10**13, -(10**13), 2**62, 1e300, None, "1800", True, {}])
def test_an_odd_lifetime_loses_no_refresh_token(http, told):
    """The endpoint had replaced it by then, and the new one was stored nowhere."""
    http.post(TOKEN_URL, json=grant(refresh="second-refresh", expires_in=told))
    store = Store(stored(lasts_s=0))
    refreshing(store).headers()
    assert store.tokens[KEY].refresh == "second-refresh"


def test_an_app_without_a_secret_names_itself_in_the_form(http):
    http.post(TOKEN_URL, json=grant(refresh="second-refresh"))
    refreshing(Store(stored(lasts_s=0)), secret=None).headers()
    assert form(http.calls[0])["client_id"] == "app"
    assert "Authorization" not in http.calls[0].request.headers


def test_nothing_is_used_that_could_not_be_stored(http):
    class FullDisk(Store):
        def save(self, key, token):
            raise StateError("disk full")

    http.post(TOKEN_URL, json=grant(refresh="second-refresh"))
    auth = refreshing(FullDisk(stored(lasts_s=0)))
    with pytest.raises(StateError):
        auth.headers()
    assert auth.generation() == 0


def test_a_lost_answer_is_asked_for_again_with_the_same_refresh_token(monkeypatch):
    def renew(server, peer):
        server.take_request(peer)
        body = b'{"access_token":"new-access","expires_in":1800,"refresh_token":"r2"}'
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        peer.sendall(head + body)

    with kit.serving(kit.hang_up, renew) as server:
        auth = RefreshingToken(
            token_url=server.url,
            client_id="app",
            client_secret=None,
            key=KEY,
            store=Store(stored(lasts_s=0)),
            clock=FakeClock(),
        )
        assert auth.headers() == {"Authorization": "Bearer new-access"}
        assert [b"refresh_token=old-refresh" in sent for sent in server.requests] == [True, True]


def test_a_refused_token_is_renewed_only_if_no_other_was_faster(http):
    http.post(TOKEN_URL, json=grant())
    store = Store(stored())
    first, second = custom(store), custom(store)
    first.headers(), second.headers()
    assert first.refused(4) and second.refused(4)
    assert len(http.calls) == 1 and second.generation() == 5
    assert second.headers() == {"Authorization": "Bearer new-access"}


def test_a_channel_renews_a_token_that_was_revoked_early(http):
    http.post(TOKEN_URL, json=grant())
    http.get(kit.URL, status=401, match=[bearer("old-access")], json={})
    http.get(kit.URL, json={"fine": 1}, match=[bearer("new-access")])
    channel = make_channel(auth=custom(Store(stored())))
    assert channel.read(kit.get()).json() == {"fine": 1}
    assert channel.token_generation() == 5
    assert channel.usage().calls == 2


def bearer(access):
    return responses.matchers.header_matcher({"Authorization": f"Bearer {access}"})


@pytest.mark.parametrize(
    "error, words",
    [
        ("invalid_client", "client secret is wrong"),
        ("invalid_grant", "syncjob connect xero"),
        ("invalid_scope", "scope"),
        ("unauthorized_client", "way of signing in"),
        ("something_new", "something_new"),
    ],
)
def test_refusals_say_what_to_do(http, error, words):
    http.post(TOKEN_URL, status=400, json={"error": error})
    with pytest.raises(AuthFailed, match=words) as caught:
        refreshing(Store(stored(lasts_s=0))).headers()
    assert caught.value.where == "identity.example.test/connect/token"
    assert len(http.calls) == 1


def test_without_a_consent_the_person_is_sent_to_connect(http):
    with pytest.raises(AuthFailed, match="syncjob connect xero"):
        refreshing(Store()).headers()
    assert refreshing(Store()).ends_at() is None
    assert len(http.calls) == 0


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 503},
        {"status": 429},
        {"status": 200, "body": "<html>captive portal</html>"},
        {"status": 200, "json": {"token_type": "Bearer"}},
        {"status": 404, "body": "<html>wrong proxy</html>", "content_type": "text/html"},
    ],
)
def test_an_endpoint_that_cannot_be_used_is_unreachable_and_nothing_stored(http, reply):
    http.post(TOKEN_URL, **reply)
    store, clock = Store(stored(lasts_s=0)), FakeClock()
    with pytest.raises(Unreachable):
        refreshing(store, clock).headers()
    assert store.tokens[KEY].refresh == "old-refresh"
    assert len(http.calls) <= 3 and clock.elapsed <= 60


def test_no_secret_is_in_any_error_or_log_or_print(http):
    secrets = (SECRET, "old-refresh", "old-access", "new-access", "new-refresh")
    body = {"error": f"bad {SECRET}", "error_description": "old-refresh"}
    http.post(TOKEN_URL, status=400, json=body)
    http.post(TOKEN_URL, json=grant(refresh="new-refresh"))
    store = Store(stored(lasts_s=0))
    with kit.logged() as events:
        with pytest.raises(AuthFailed) as caught:
            refreshing(store).headers()
        refreshing(store).headers()
    texts = f"{caught.value!r} {caught.value} {events} {store.tokens[KEY]!r} {store.tokens[KEY]}"
    assert len(events) == 2
    assert not [secret for secret in secrets if secret in texts]


@pytest.mark.parametrize("value", ["", "two words", "tab\t", "line\nend", "curly”quote"])
def test_an_impossible_api_token_is_refused_without_being_shown(value):
    with pytest.raises(AuthFailed) as caught:
        ApiToken("x-api-token", SecretStr(value))
    assert not value or value not in str(caught.value)


def test_a_bearer_token_of_ones_own():
    auth = ApiToken("Authorization", SecretStr("pat-1"), prefix="Bearer ")
    assert auth.headers() == {"Authorization": "Bearer pat-1"}
    assert auth.generation() == 0 and not auth.refused(0)


def test_the_consent_page():
    url = consent_url(
        "https://login.example.test/authorize",
        client_id="app",
        redirect_uri="http://localhost:8765/callback",
        scopes=("offline_access", "accounting.invoices"),
        state="state-1",
        verifier="v" * 43,
    )
    digest = hashlib.sha256(b"v" * 43).digest()
    assert url.startswith("https://login.example.test/authorize?")
    assert {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": "http://localhost:8765/callback",
        "scope": "offline_access accounting.invoices",
        "state": "state-1",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }


def test_the_code_is_traded_for_tokens_that_follow_the_old_ones(http):
    http.post(TOKEN_URL, json=grant(refresh="new-refresh", scope="offline_access"))
    store = Store(stored())
    token = exchange_code(
        code="code-1",
        verifier="v" * 43,
        redirect_uri="http://localhost:8765/callback",
        token_url=TOKEN_URL,
        client_id="app",
        client_secret=SecretStr(SECRET),
        key=KEY,
        store=store,
        clock=FakeClock(),
    )
    assert form(http.calls[0]) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": "http://localhost:8765/callback",
        "code_verifier": "v" * 43,
    }
    assert store.tokens[KEY] == token
    assert (token.generation, token.refresh, token.scope) == (5, "new-refresh", "offline_access")


def test_a_refresh_token_that_is_not_replaced_stays(http):
    http.post(TOKEN_URL, json=grant())
    store = Store(stored(lasts_s=0))
    refreshing(store).headers()
    assert (store.tokens[KEY].access, store.tokens[KEY].refresh) == ("new-access", "old-refresh")


def test_an_app_that_names_itself_in_the_form_sends_no_header_and_is_told_where_it_stands(http):
    http.post(TOKEN_URL, json=grant())
    store = Store(stored(lasts_s=0))
    auth = RefreshingToken(
        token_url=TOKEN_URL, client_id="CLIENT", client_secret=SecretStr("s3cret"), key=KEY,
        store=store, clock=FakeClock(), vendor="HubSpot", client_in="form", settings="crm.auth",
    )  # fmt: skip
    auth.headers()
    asked = http.calls[0].request
    assert "Authorization" not in asked.headers and "s3cret" not in asked.url
    form = dict(parse_qsl(asked.body if isinstance(asked.body, str) else asked.body.decode()))
    assert form == {
        "grant_type": "refresh_token", "refresh_token": "old-refresh",
        "client_id": "CLIENT", "client_secret": "s3cret",
    }  # fmt: skip
    http.replace(responses.POST, TOKEN_URL, status=400, json={"error": "invalid_client"})
    store.tokens[KEY] = stored(lasts_s=0)
    with pytest.raises(AuthFailed) as caught:
        RefreshingToken(
            token_url=TOKEN_URL, client_id="CLIENT", client_secret=SecretStr("s3cret"), key=KEY,
            store=store, clock=FakeClock(), vendor="HubSpot", client_in="form",
            settings="crm.auth",
        ).headers()  # fmt: skip
    assert "crm.auth" in caught.value.next_step and "s3cret" not in str(caught.value)
