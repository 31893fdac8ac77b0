"""Tokens and call budgets in one file of mode 0600, shared by all connections of this user."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from syncjob.clock import Clock
from syncjob.transport.ports import Spent, Token


class Vault:
    """A TokenStore and a BudgetStore; processes and threads may share the file."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None: ...

    def token(self, key: str) -> Token | None:
        raise NotImplementedError

    def save(self, key: str, token: Token) -> None:
        raise NotImplementedError

    def lock(self, key: str) -> AbstractContextManager[None]:
        raise NotImplementedError

    def spend(self, key: str, window: str, seconds: float, amount: int, now: datetime) -> Spent:
        raise NotImplementedError

    def note(self, key: str, window: str, remaining: int, now: datetime) -> None:
        raise NotImplementedError

    def close(self) -> None: ...
