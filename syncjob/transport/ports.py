"""What transport needs from outside itself: a place for tokens and a place for budgets.

Both live beside, not inside, one connection's state: two connections may share an app, a user or
an organisation. `state/vault.py` implements both in one SQLite file.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec


class Secret(Protocol):
    """A value that hides itself when printed; pydantic's SecretStr is one."""

    def get_secret_value(self) -> str: ...


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An access token with what is needed to renew it; it prints without its secrets.

    `generation` counts the tokens of one key from 1 on. `refresh` is None where the app renews
    with its own credentials. `refreshed_at` starts the refresh token's 60 days (facts: xero, 2).
    """

    access: str
    expires_at: datetime
    refreshed_at: datetime
    generation: int
    refresh: str | None = None
    scope: str = ""

    def __repr__(self) -> str:
        return f"Token(generation={self.generation}, expires_at={self.expires_at.isoformat()})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("generation", self.generation), ("expires_at", self.expires_at.isoformat())]


class TokenStore(Protocol):
    """Tokens by key, one key an app and user ("xero:CLIENT_ID:custom"). Raises StateError."""

    def token(self, key: str) -> Token | None:
        """The token as last saved by any process."""

    def save(self, key: str, token: Token) -> None:
        """Store durably; when this returns the token survives a power cut."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Hold this key among all processes and threads while a token is renewed.

        Raises Unreachable if another holds it for longer than a minute.
        """


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What was used within one hour: from the first call of it to the last."""

    began_at: datetime
    last_at: datetime
    used: int


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes together used of one window since `started_at`.

    `remaining` is what the vendor last said is left, at `seen_at`; None if it never said.
    `reset_at` is when the vendor was seen to begin anew. `spans` is what was used within one
    length of the window, hour by hour, the oldest first.
    """

    used: int
    started_at: datetime
    remaining: int | None = None
    seen_at: datetime | None = None
    reset_at: datetime | None = None
    spans: tuple[Span, ...] = ()


class BudgetStore(Protocol):
    """Counts of long windows by key, one key an app and tenant. Raises StateError."""

    def spend(self, key: str, window: str, seconds: float, amount: int, now: datetime) -> Spent:
        """Add `amount` (0 to read only) and return the sum; a window that is over starts anew."""

    def note(
        self, key: str, window: str, remaining: int, now: datetime, reset: datetime | None = None
    ) -> None:
        """Keep what the vendor said is left, and when it was seen to begin anew."""
