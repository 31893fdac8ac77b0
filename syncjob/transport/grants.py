"""The vendor's token endpoint, and the consent page before it: how tokens come to be.

No request here is journaled: none changes the books. No error here quotes a secret: of an answer
only OAuth's own error words are shown.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
import requests

from syncjob.clock import Clock
from syncjob.errors import AuthFailed, Unreachable
from syncjob.transport import verdicts
from syncjob.transport.exchange import TIMEOUT_S, Exchange, Lost, NeverLeft, Timeout, place
from syncjob.transport.ports import Secret, Token, TokenStore
from syncjob.transport.wire import Answer, Request

#: A lost answer to a refresh is asked for again with the same token, within its half hour.
TOKEN_TRIES = 3
BACKOFF_S = 1.0
#: What OAuth allows to be assumed of a token that does not say how long it lives: little.
LIFETIME_S_DEFAULT = 300
#: A year: no vendor's token lives for longer, and what tells more may be beyond the calendar.
LIFETIME_S_MAX = 365 * 86_400


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoint gave; it prints without its secrets."""

    access_token: str
    #: Seconds, a number; whatever else a server says must not cost the new refresh token.
    expires_in: object = None
    refresh_token: str | None = None
    scope: str = ""

    def __repr__(self) -> str:
        return f"Grant(expires_in={self.expires_in})"

    def token(self, old: Token | None, now: datetime) -> Token:
        """The grant as the next token of its key. Without a new refresh token the old one stays.

        `now` is after the answer came, so the true end is a little earlier: the margin of a
        minute at renewal covers it.
        """
        told: object = self.expires_in
        if isinstance(told, bool) or not isinstance(told, int | float):
            told = LIFETIME_S_DEFAULT
        lives_s = min(max(told, 0), LIFETIME_S_MAX)
        return Token(
            access=self.access_token,
            expires_at=now + timedelta(seconds=lives_s),
            refreshed_at=now,
            generation=old.generation + 1 if old else 1,
            refresh=self.refresh_token or (old.refresh if old else None),
            scope=self.scope,
        )


#: Where the client's id and secret travel: Xero wants them in the Authorization header, HubSpot
#: among the form's fields; neither takes them in the address.
ClientIn = Literal["header", "form"]


class TokenEndpoint:
    """Asks one app's token endpoint. `settings` is the config's key for the app, for messages."""

    def __init__(
        self,
        vendor: str,
        *,
        url: str,
        client_id: str,
        client_secret: Secret | None,
        clock: Clock,
        session: requests.Session | None = None,
        timeout: Timeout = TIMEOUT_S,
        client_in: ClientIn = "header",
        settings: str = "ledger.auth",
    ) -> None:
        self._vendor, self._url, self._clock = vendor, url, clock
        self._client_in, self._settings = client_in, settings
        self._client_id, self._client_secret = client_id, client_secret
        self._exchange = Exchange(vendor, clock=clock, session=session, timeout=timeout)

    def ask(self, **form: str) -> Grant:
        """The grant for these form fields. Raises AuthFailed, Unreachable."""
        if self._client_secret is None or self._client_in == "form":
            form["client_id"] = self._client_id
        if self._client_secret is not None and self._client_in == "form":
            form["client_secret"] = self._client_secret.get_secret_value()
        request = Request(
            method="POST",
            url=self._url,
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=urlencode(form).encode(),
        )
        answer = self._ask(request)
        if answer.status != 200:
            raise self._refused(answer)
        try:
            return msgspec.json.decode(answer.body, type=Grant, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._unreachable("its answer holds no token") from None

    def _ask(self, request: Request) -> Answer:
        """The first answer that is the vendor's word, after at most three attempts."""
        words = ""
        for attempt in range(TOKEN_TRIES):
            if attempt:
                self._clock.sleep(BACKOFF_S * 2 ** (attempt - 1))
            try:
                answer = self._exchange.send(request, self._basic())
            except (NeverLeft, Lost) as failure:
                words = str(failure)
                continue
            if answer.status < 500 and answer.status != 429:
                return answer
            words = f"it answers {answer.status}{verdicts.trace(answer)}"
        raise self._unreachable(words)

    def _basic(self) -> dict[str, str]:
        if self._client_secret is None or self._client_in == "form":
            return {}
        pair = f"{self._client_id}:{self._client_secret.get_secret_value()}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def _refused(self, answer: Answer) -> AuthFailed | Unreachable:
        """OAuth's error words (RFC 6749, 5.2) as what a person must do."""
        error = _error_word(answer)
        connect = f"Run `syncjob connect {self._vendor.lower()}`."
        known = {
            "invalid_client": (
                "The client id or the client secret is wrong",
                f"Check client_id and client_secret in the config's {self._settings}.",
            ),
            "invalid_grant": ("The consent has ended, was withdrawn or was replaced", connect),
            "invalid_scope": (
                "A scope is unknown or not granted to this app",
                f"Compare {self._settings}.scopes in the config with those of the app; a change "
                "of an app's scopes must be authorised again.",
            ),
            "unauthorized_client": (
                "This app may not use this way of signing in",
                "Check whether it is a custom connection or a web app, and the config's choice.",
            ),
        }
        if error not in known and verdicts.is_page(answer):
            return self._unreachable(f"a page answers in its place ({answer.status})")
        what, then = known.get(error, ("The request for a token was refused", "Check the app."))
        detail = f"{answer.status} {error}".strip()
        return AuthFailed(
            f"{what} ({self._vendor} says: {detail}{verdicts.trace(answer)}).",
            where=place(self._url),
            next_step=then,
        )

    def _unreachable(self, words: str) -> Unreachable:
        return Unreachable(
            f"{self._vendor}'s token endpoint cannot be used: {words}.",
            where=place(self._url),
            next_step="The next run tries again; if it lasts, check the network and the address.",
        )


def _error_word(answer: Answer) -> str:
    """OAuth's `error` of an answer, if it is a plain word; else nothing."""
    try:
        found: Any = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    word = found.get("error", "") if isinstance(found, dict) else ""
    plain = isinstance(word, str) and len(word) <= 40 and word.replace("_", "").isalpha()
    return word if plain else ""


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def consent_url(
    authorize_url: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: tuple[str, ...],
    state: str,
    verifier: str,
) -> str:
    """The page where a person grants access. `state` and `verifier` (43 to 128 characters) are
    random texts of the caller, who keeps them; the page sees only the verifier's hash."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{authorize_url}?{urlencode(query)}"


def exchange_code(
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    token_url: str,
    client_id: str,
    client_secret: Secret | None,
    key: str,
    store: TokenStore,
    clock: Clock,
    vendor: str = "Xero",
    session: requests.Session | None = None,
    timeout: Timeout = TIMEOUT_S,
    client_in: ClientIn = "header",
    settings: str = "ledger.auth",
) -> Token:
    """Trade the code of the consent page (it lives five minutes) for tokens, stored under `key`.

    Raises AuthFailed, Unreachable, StateError.
    """
    endpoint = TokenEndpoint(
        vendor,
        url=token_url,
        client_id=client_id,
        client_secret=client_secret,
        clock=clock,
        session=session,
        timeout=timeout,
        client_in=client_in,
        settings=settings,
    )
    with store.lock(key):
        grant = endpoint.ask(
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
        )
        token = grant.token(store.token(key), clock.now())
        store.save(key, token)
    return token
