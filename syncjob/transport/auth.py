"""Credentials for each request: tokens renewed by one process at a time, stored before use."""

from __future__ import annotations

from typing import Protocol

from syncjob.clock import Clock
from syncjob.transport.ports import Secret, Token, TokenStore


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


class OAuthApp(Protocol): ...


class ApiToken:
    """A fixed token in a header (Pipedrive: x-api-token); `prefix` such as "Bearer "."""

    def __init__(self, header: str, token: Secret, *, prefix: str = "") -> None: ...


class ClientCredentials:
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
        session: object = None,
        timeout: tuple[float, float] = (5, 60),
    ) -> None: ...


class RefreshingToken:
    """The authorization-code flow after consent: a refresh token that rotates on every use."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: Secret | None,
        key: str,
        store: TokenStore,
        clock: Clock,
        session: object = None,
        timeout: tuple[float, float] = (5, 60),
    ) -> None: ...


def consent_url(
    authorize_url: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: tuple[str, ...],
    state: str,
    verifier: str,
) -> str:
    """The page where a person grants access (PKCE, S256). Pure."""
    raise NotImplementedError


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
    session: object = None,
    timeout: tuple[float, float] = (5, 60),
) -> Token:
    """Trade the code of the consent page for tokens and store them under `key`."""
    raise NotImplementedError
