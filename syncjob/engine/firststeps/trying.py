"""Credentials tried as they are given: a few reads through the ordinary connector, no state."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import ValidationError

from syncjob.clock import Clock
from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.connectors.base import Problem
from syncjob.connectors.ports import Ports
from syncjob.connectors.registry import VENDORS, open_side
from syncjob.core.needs import Needs
from syncjob.core.records import CrmReference, LedgerReference
from syncjob.engine.door import ClosedDoor
from syncjob.errors import AuthFailed, ConfigError
from syncjob.transport.days import MemoryBudgets
from syncjob.transport.exchange import Session
from syncjob.transport.ports import Token

#: What says that the credentials, and not yet the names in the config, are at fault.
_ACCESS = ("crm.access_token", "crm.api_token", "crm.auth", "crm.version", "ledger")


@dataclass(frozen=True)
class Tried:
    """What the credentials open, and what a person should know of them."""

    reference: CrmReference | LedgerReference
    warnings: tuple[Problem, ...] = ()


@dataclass
class Memory:
    """Tokens and call counts of one session at the keyboard; nothing is left when it is stopped."""

    tokens: dict[str, Token] = field(default_factory=dict)
    budgets: MemoryBudgets = field(default_factory=MemoryBudgets)

    def token(self, key: str) -> Token | None:
        return self.tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        self.tokens[key] = token

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        yield


def options_of(name: str, values: dict[str, Any]) -> CrmConfig | LedgerConfig:
    """A vendor's options from what was answered. Raises ConfigError in words."""
    try:
        return VENDORS[name].options_model().model_validate({"type": name, **values})
    except ValidationError as error:
        found = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(found) from None


def try_side(
    options: CrmConfig | LedgerConfig, *, clock: Clock, memory: Memory,
    session: Callable[[], Session], rng: Random,
) -> Tried:  # fmt: skip
    """Open the account and read what it calls its own things. Writes nothing.

    Raises AuthFailed (a missing scope is one), RetryLater (no network, a limit), SchemaDrift
    (another server's address), ConfigError (which organisation is meant).
    """
    opened = open_side(
        options,
        Ports(
            clock=clock, session=session, tokens=memory, budgets=memory.budgets, door=ClosedDoor(),
            mode="read_only", random=rng, new_key=lambda: "", needs=Needs(tracking=True),
        ),
    )  # fmt: skip
    try:
        # What a token may not read is told by `check`, before anything else is read with it.
        problems = [p for p in opened.connector.check() if p.where.startswith(_ACCESS)]
        missing = [problem for problem in problems if problem.fatal]
        if missing:
            raise AuthFailed(
                " ".join(problem.what for problem in missing),
                next_step=" ".join(dict.fromkeys(problem.fix for problem in missing)),
            )
        return Tried(opened.connector.reference(), tuple(problems))
    finally:
        opened.channel.close()
