"""A sign of life to a monitor that raises the alarm when it stays away (healthchecks style).

The address takes a success, with /start and /fail behind its path the other two. It is a secret:
who knows it can keep the monitor quiet. A ping tells nothing of the books and is sent once.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from syncjob.clock import Clock
from syncjob.errors import ConfigError
from syncjob.transport.exchange import Exchange, Lost, NeverLeft, Session
from syncjob.transport.ports import Secret
from syncjob.transport.wire import Request

Sign = Literal["start", "success", "fail"]

#: (connect, read) in seconds: a monitor that is slow must not hold up the books.
PING_TIMEOUT_S = (3.0, 5.0)


def ping(
    address: Secret, sign: Sign, *, clock: Clock, session: Session | None = None
) -> str | None:
    """Send one sign; why it did not arrive, in words, or None. Never raises for the monitor."""
    exchange = Exchange(
        "heartbeat", clock=clock, session=session, timeout=PING_TIMEOUT_S, shown=False
    )
    request = Request(method="GET", url=_address(address.get_secret_value(), sign))
    try:
        answer = exchange.send(request, {})
    except (NeverLeft, Lost) as failure:
        return str(failure)
    except ConfigError as error:
        return error.what
    finally:
        if session is None:
            exchange.close()
    return None if answer.status < 300 else f"it answers {answer.status}"


def _address(address: str, sign: Sign) -> str:
    """The sign stands at the end of the path, before any query."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/") + ("" if sign == "success" else f"/{sign}")
    return urlunsplit(parts._replace(path=path))
