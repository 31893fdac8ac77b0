"""Messages to people: the channel behind notices, with the same door as every other write.

A message's address in the journal is a name ("mail:email", "hook:slack"); the real one is a secret
and is put in here, as credentials are. At most once (invariant 9): what was lost on the way is
never sent again; what certainly never left is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

import requests

from syncjob.clock import Clock
from syncjob.core.policy import Mode
from syncjob.errors import (
    ConfigError,
    OutcomeUnknown,
    RefusedAtDoor,
    RetryLater,
    Stop,
    Unreachable,
)
from syncjob.transport import mail
from syncjob.transport.client import Usage
from syncjob.transport.exchange import Exchange, Lost, NeverLeft
from syncjob.transport.ports import Secret
from syncjob.transport.wire import Answer, Call, Door, Request, Written

MAIL, HOOK, OTHER = "mail", "hook", "other"


class PostChannel:
    """A Channel (wire.py) that only writes. `hooks` are the addresses by the way's name."""

    def __init__(
        self,
        *,
        mode: Mode,
        clock: Clock,
        door: Door,
        server: mail.Server | None,
        hooks: Mapping[str, Secret],
        session: requests.Session | None = None,
    ) -> None:
        self._mode, self._clock, self._door = mode, clock, door
        self._server, self._hooks = server, dict(hooks)
        self._exchange = Exchange("message", clock=clock, session=session, shown=False)
        self._sent = 0

    def read(self, request: Request) -> Answer:
        raise RefusedAtDoor("Messages are only written.", where=request.url)

    def write(self, call: Call) -> Answer:
        """Send a journaled message once. Raises RefusedAtDoor, Paused, LockHeld (nothing left),
        Unreachable (certainly no effect), OutcomeUnknown (it may have arrived)."""
        if self._mode == "read_only":
            raise RefusedAtDoor("In the mode read_only no message leaves.", where=call.request.url)
        self._door.admit([call])
        self._door.sent([call], 0)
        self._sent += 1
        try:
            return self._send(call.request)
        except ConfigError as error:  # a way that is set up wrongly holds up nothing else
            raise Unreachable(error.what, where=call.request.url) from None
        except NeverLeft as failure:
            raise Unreachable(
                f"The message could not be handed over: {failure}; nothing was sent.",
                where=call.request.url,
                next_step="It is tried again with the next batch; `syncjob check` tries the way.",
            ) from None
        except Lost as failure:
            raise OutcomeUnknown(
                f"Whether the message arrived is not known: {failure}.",
                where=call.request.url,
                next_step="It is not sent again; the next message to this person names it.",
            ) from None

    def write_all(self, calls: Sequence[Call]) -> list[Written]:
        """Send these, one after another: a mail server is one line."""
        return [self._tried(call) for call in calls]

    def room(self, cost: int, most: int) -> int:
        """Messages go one at a time."""
        return 1

    def server_time(self) -> datetime | None:
        return None

    def token_generation(self) -> int:
        return 0

    def usage(self) -> Usage:
        return Usage(calls=self._sent, cost=self._sent, writes=self._sent)

    def close(self) -> None:
        self._exchange.close()

    def _tried(self, call: Call) -> Written:
        try:
            return self.write(call)
        except (RetryLater, Stop, OutcomeUnknown) as error:
            return error

    def _send(self, request: Request) -> Answer:
        kind, _, way = request.url.partition(":")
        if kind == MAIL:
            headers = dict(request.headers)
            assert self._server is not None
            return mail.send(self._server, headers["from"], [headers["to"]], request.body)
        address = self._hooks[way].get_secret_value()
        if kind == OTHER:
            return _by_apprise(address, request.body.decode())
        real = Request(
            method="POST", url=address, headers=request.headers, body=request.body, cost=1
        )
        return self._exchange.send(real, {})


def _by_apprise(address: str, text: str) -> Answer:
    """One of the many ways of the Apprise library, which says no more than yes or no: after a no
    nobody knows whether the message left, so it counts as lost."""
    try:
        library: Any = import_module("apprise")
    except ImportError:
        raise ConfigError(
            ["notices.ways.other needs the Apprise library, which is not installed."],
            next_step='Install it: pip install "syncjob[notices]".',
        ) from None
    sender = library.Apprise()
    if not sender.add(address):
        raise NeverLeft("notices.ways.other is no address that Apprise knows")
    subject, _, body = text.partition("\n")
    if not sender.notify(title=subject, body=body.strip()):
        raise Lost("Apprise says that it failed")
    return Answer(status=200, headers={}, body=b"")
