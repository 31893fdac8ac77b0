"""Credentials for each request: tokens renewed by one process at a time, stored before use.

A token is renewed a minute before it ends, and when the vendor refuses it. Whoever renews holds
the key's lock, and looks first whether another process has done it already; the new token is
durable in the store before any request carries it (DESIGN 5.14).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

import requests

from syncjob.clock import Clock
from syncjob.errors import AuthFailed
from syncjob.transport.exchange import TIMEOUT_S, Timeout
from syncjob.transport.grants import ClientIn, Grant, TokenEndpoint, consent_url, exchange_code
from syncjob.transport.ports import Secret, Token, TokenStore

__all__ = [
    "ApiToken",
    "Auth",
    "ClientCredentials",
    "RefreshingToken",
    "consent_url",
    "exchange_code",
]

#: Renewed so long before its end: a request with all its waits fits in between.
MARGIN_S = 60
#: A refresh token that is not used for so long is void (facts: xero, 2).
REFRESH_DAYS = 60


class Auth(Protocol):
    """What a channel asks of credentials."""

    def headers(self) -> dict[str, str]:
        """The headers that carry the credentials, renewed first if they are about to expire.

        Raises AuthFailed, Unreachable, StateError.
        """

    def generation(self) -> int:
        """Which token `headers` last gave; 0 where there is but one for ever."""

    def refused(self, generation: int) -> bool:
        """The vendor refused this generation: renew. False if there is nothing to renew.

        Raises AuthFailed, Unreachable, StateError.
        """


class ApiToken:
    """A fixed token in a header (Pipedrive: x-api-token); `prefix` such as "Bearer "."""

    def __init__(self, header: str, token: Secret, *, prefix: str = "") -> None:
        value = token.get_secret_value()
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise AuthFailed(
                f"The token for the header {header} is empty or holds a character that no token "
                "has (a space, a line end, a curly quote).",
                next_step="Copy it again from the vendor's settings page.",
            )
        self._headers = {header: prefix + value}

    def headers(self) -> dict[str, str]:
        return dict(self._headers)

    def generation(self) -> int:
        return 0

    def refused(self, generation: int) -> bool:
        return False


class _Renewing(ABC):
    """What both kinds of renewed tokens share: the stored token, and when to renew it."""

    def __init__(self, *, vendor: str, key: str, store: TokenStore, clock: Clock) -> None:
        self._vendor, self._key, self._store, self._clock = vendor, key, store, clock
        self._mutex = Lock()
        self._token: Token | None = None

    def headers(self) -> dict[str, str]:
        with self._mutex:
            token = self._token or self._store.token(self._key)
            if token is None or not self._lasts(token):
                token = self._renew(lambda stored: not self._lasts(stored))
            self._token = token
            return {"Authorization": f"Bearer {token.access}"}

    def generation(self) -> int:
        with self._mutex:
            return self._token.generation if self._token else 0

    def refused(self, generation: int) -> bool:
        with self._mutex:
            if self._token is None or self._token.generation <= generation:
                self._token = self._renew(lambda stored: stored.generation <= generation)
            return True

    def _renew(self, needs: Callable[[Token], bool]) -> Token:
        """The token after renewal by whoever came first, durable before it is returned."""
        with self._store.lock(self._key):
            stored = self._store.token(self._key)
            if stored is not None and not needs(stored):
                return stored
            token = self._granted(stored).token(stored, self._clock.now())
            self._store.save(self._key, token)
            return token

    @abstractmethod
    def _granted(self, stored: Token | None) -> Grant:
        """A new grant from the vendor. Raises AuthFailed, Unreachable."""

    def _lasts(self, token: Token) -> bool:
        return self._clock.now() + timedelta(seconds=MARGIN_S) < token.expires_at


class ClientCredentials(_Renewing):
    """An app that is its own user (a Xero custom connection): no refresh token, just ask again."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: Secret,
        scopes: tuple[str, ...],
        key: str,
        store: TokenStore,
        clock: Clock,
        vendor: str = "Xero",
        session: requests.Session | None = None,
        timeout: Timeout = TIMEOUT_S,
    ) -> None:
        super().__init__(vendor=vendor, key=key, store=store, clock=clock)
        self._scopes = scopes
        self._endpoint = TokenEndpoint(
            vendor,
            url=token_url,
            client_id=client_id,
            client_secret=client_secret,
            clock=clock,
            session=session,
            timeout=timeout,
        )

    def _granted(self, stored: Token | None) -> Grant:
        return self._endpoint.ask(grant_type="client_credentials", scope=" ".join(self._scopes))


class RefreshingToken(_Renewing):
    """The authorization-code flow after consent: a refresh token that rotates on every use.

    If an answer with a new refresh token is lost, the old one still stands in the store and works
    for half an hour more, so the next attempt simply uses it again (facts: xero, 2).
    """

    def __init__(
        self,
        *,
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
    ) -> None:
        super().__init__(vendor=vendor, key=key, store=store, clock=clock)
        self._endpoint = TokenEndpoint(
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

    def ends_at(self) -> datetime | None:
        """When the consent lapses if nothing renews it meanwhile; None without a consent."""
        token = self._store.token(self._key)
        return token.refreshed_at + timedelta(days=REFRESH_DAYS) if token else None

    def _granted(self, stored: Token | None) -> Grant:
        if stored is None or stored.refresh is None:
            raise AuthFailed(
                f"Nobody has granted this app access to {self._vendor} yet.",
                next_step=f"Run `syncjob connect {self._vendor.lower()}`.",
            )
        return self._endpoint.ask(grant_type="refresh_token", refresh_token=stored.refresh)
