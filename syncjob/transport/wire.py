"""Requests as frozen bytes and answers as values: what passes through the door."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from syncjob.errors import SyncJobError


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One HTTP request without its credentials, which transport adds as it sends.

    `cost` is what the vendor charges for it (calls at Xero, tokens at Pipedrive).
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cost: int = 1

    @property
    def sha256(self) -> str:
        """The hash of everything the vendor would see but the credentials."""
        digest = hashlib.sha256(f"{self.method}\n{self.url}\n".encode())
        for name, value in self.headers:
            digest.update(f"{name.lower()}:{value}\n".encode())
        digest.update(self.body)
        return digest.hexdigest()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Header names are lower case. `server_time` is the answer's Date."""

    status: int
    headers: dict[str, str]
    body: bytes
    server_time: datetime | None = None
    url: str = ""

    @property
    def no_word(self) -> bool:
        """Whether the status says nothing of what became of the request: a server's fault, a
        gateway's page, or a timeout that may be asked again (RFC 9110, 15.5.9)."""
        final = 200 <= self.status < 300 or 400 <= self.status < 500
        return not final or self.status == 408

    def json(self) -> Any:
        """The body as JSON with numbers as Decimal where they have a fraction.

        Raises SchemaDrift if the body is not JSON (a proxy's or firewall's page, an empty body).
        """
        from syncjob.transport.parse import parse_json

        return parse_json(self)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A write as journaled: `id` in the journal, the frozen request, the fence it was made under.

    `token_generation` is the generation of the access token at its first send.
    """

    id: int
    request: Request
    fence: int
    token_generation: int = 0


#: What became of a write that was to be sent: its answer, or what `Channel.write` raises for it.
Written = Answer | SyncJobError


class Door(Protocol):
    """What transport asks before a write leaves; the engine supplies it from state.

    Raises RefusedAtDoor if the call is not committed with these bytes, LockHeld if the lease is
    no longer ours, Paused if a person paused this kind of write or put a STOP file there.
    """

    def admit(self, calls: Sequence[Call]) -> None:
        """Whether all of these may leave now; if one may not, none does."""

    def sent(self, calls: Sequence[Call], token_generation: int) -> None:
        """Record durably that their bytes are about to leave (attempt number, token generation)."""


class Channel(Protocol):
    """What a connector is given to read with; transport/client.py has the real one."""

    def read(self, request: Request) -> Answer:
        """Send a GET, or a POST that only asks, and retry it within bounds. Returns any answer
        below 500 but 401 and 429, and what the vendor means by "try later".

        402, 407 and those 403s that shut the door as a whole are errors too. Raises Throttled,
        Unreachable, AuthFailed.
        """

    def write(self, call: Call) -> Answer:
        """Send a journaled write once. Returns the answer whatever its status but 401, 402, 407,
        429 and those 403s that shut the door as a whole (none of them has an effect).

        Raises RefusedAtDoor, Paused or LockHeld (nothing left), Throttled, Unreachable or
        AuthFailed (certainly no effect), OutcomeUnknown (sent, the answer is lost).
        """

    def write_all(self, calls: Sequence[Call]) -> list[Written]:
        """Send journaled writes that do not need each other's answers, each once, as `write` does;
        what that raises stands in the answer's place."""

    def server_time(self) -> datetime | None:
        """The vendor's last Date, carried forward by the monotonic clock; None before any."""
