"""One request, one answer: the only sender, and who knows whether bytes left.

Every failure is one of two: `NeverLeft` (certainly without effect) or `Lost` (perhaps with one).
A reused connection that is reset is Lost: the server may have read the request before closing.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests import Session
from requests.adapters import HTTPAdapter

from syncjob import __version__
from syncjob.clock import Clock
from syncjob.errors import ConfigError
from syncjob.logs import get_logger
from syncjob.transport.hands import Hands
from syncjob.transport.session import Preparer, new_session
from syncjob.transport.wire import Answer, Request

__all__ = ["Exchange", "Lost", "NeverLeft", "Session", "Timeout", "new_session", "place"]

Timeout = tuple[float, float]

#: (connect, read) in seconds: a slow batch write at Xero takes tens of seconds.
TIMEOUT_S: Timeout = (5.0, 60.0)
#: A server that drips its answer byte by byte never meets the read timeout.
ANSWER_S_MAX = 300.0
#: Ten times the largest page there is (1,000 invoices of ten lines are 3.5 MB; facts: xero, 4).
ANSWER_BYTES_MAX = 64 * 1024 * 1024
READ_BYTES = 256 * 1024
#: Shorter values are words ("Bearer", a tenant's name) rather than secrets.
SECRET_BYTES_MIN = 8
#: How vendors name the id that their support asks for.
REQUEST_ID_HEADERS = (
    "xero-correlation-id",
    "x-correlation-id",
    "x-request-id",
    "x-hubspot-correlation-id",
)
BASE_HEADERS = {
    "User-Agent": f"syncjob/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}
UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationValueError,
)

log = get_logger("syncjob.transport")


class NeverLeft(Exception):
    """No connection was made: the request certainly had no effect."""


class Lost(Exception):
    """The request may have arrived; its answer did not, or not whole."""


def place(url: str) -> str:
    """Host and path of an address: what messages and logs may show of it."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


class Brought(NamedTuple):
    """What came of one exchange, and when that was on the monotonic clock, in seconds."""

    what: Answer | NeverLeft | Lost | ConfigError
    ended: float


class Exchange:
    """Sends requests of one vendor, each exactly once."""

    def __init__(
        self,
        vendor: str,
        *,
        clock: Clock,
        session: Session | None = None,
        timeout: Timeout = TIMEOUT_S,
        shown: bool = True,
    ) -> None:
        """`shown` False: the address is itself a secret and stands in no log or message."""
        self._vendor, self._clock, self._timeout = vendor, clock, timeout
        self._shown = shown
        self._session = session or new_session()
        self._preparer = Preparer(BASE_HEADERS)
        self._environment: dict[str, Mapping[str, Any]] = {}
        self._hands: Hands[Brought] = Hands()

    def send(self, request: Request, credentials: Mapping[str, str]) -> Answer:
        """The answer, whole. Raises NeverLeft, Lost, or ConfigError for an unusable address."""
        came = self.send_all([request], credentials)[0].what
        if isinstance(came, Answer):
            return came
        raise came

    def send_all(
        self, requests: Sequence[Request], credentials: Mapping[str, str]
    ) -> list[Brought]:
        """What each of these brought, in their order; over a network all are on the way at the
        same time. Never raises for what happens to one of them."""
        began = self._clock.monotonic()
        jobs = [partial(self.carry, request, credentials) for request in requests]
        at_once = len(jobs) > 1 and all(self._bears_threads(r.url) for r in requests)
        brought = self._hands.all(jobs) if at_once else [job() for job in jobs]
        for request, one in zip(requests, brought, strict=True):
            self._log(request, one.ended - began, one.what)
        return brought

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._hands.close()
        self._session.close()

    def carry(self, request: Request, credentials: Mapping[str, str]) -> Brought:
        """One exchange and nothing else, so that a thread may do it."""
        what: Answer | NeverLeft | Lost | ConfigError
        try:
            what = self._send(request, credentials)
        except (NeverLeft, Lost, ConfigError) as failure:
            what = failure
        return Brought(what, self._clock.monotonic())

    def _bears_threads(self, url: str) -> bool:
        """Whether what stands behind this address is a network: only its adapter is known to be
        shared among threads, and one that a test puts in its place keeps its order."""
        try:
            return isinstance(self._session.get_adapter(url), HTTPAdapter)
        except requests.exceptions.InvalidSchema:
            return False

    def _send(self, request: Request, credentials: Mapping[str, str]) -> Answer:
        try:
            response = self._open(request, credentials)
        except UNUSABLE as unusable:
            raise _bad_address(self._place(request), type(unusable).__name__) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as failure:
            raise _classified(failure) from None
        try:
            body = self._body(response)
            if _cut_short(response, body):
                raise Lost("the answer was cut off")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as failure:
            raise Lost(_words(failure)) from None
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        date = _date(headers.get("date")) if response.status_code < 500 else None
        return Answer(
            status=response.status_code,
            headers=headers,
            body=_without_echo(response, body, credentials),
            server_time=date,
            url=self._place(request),
        )

    def _place(self, request: Request) -> str:
        return place(request.url) if self._shown else self._vendor

    def _open(self, request: Request, credentials: Mapping[str, str]) -> requests.Response:
        """Past the session, which would only keep cookies that nobody sends and look for redirects
        that nobody follows; its adapter does all that is on the wire."""
        prepared = self._preparer.prepare(request, credentials)
        settings = self._settings(prepared.url or "")
        adapter = self._session.get_adapter(prepared.url or "")
        try:
            return adapter.send(prepared, timeout=self._timeout, **settings)
        except requests.exceptions.InvalidHeader:  # one of the answer: ours were judged above
            raise Lost("the answer's headers contradict each other") from None

    def _settings(self, url: str) -> dict[str, Any]:
        """Proxy and CA bundle of the environment, looked up once a host: requests walks through
        all variables for every request, a third of what a small call costs."""
        host = "/".join(url.split("/", 3)[:3])
        if host not in self._environment:
            self._environment[host] = self._session.merge_environment_settings(
                url, {}, True, None, None
            )
        return dict(self._environment[host])

    def _body(self, response: requests.Response) -> bytes:
        """Read what is there, bounded in time and size; raises Lost past either bound."""
        until = self._clock.monotonic() + ANSWER_S_MAX
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(READ_BYTES, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > ANSWER_BYTES_MAX:
                raise Lost("the answer is larger than any that is documented")
            if self._clock.monotonic() > until:
                raise Lost("the answer did not end in time")
        return b"".join(pieces)

    def _log(
        self, request: Request, seconds: float, came: Answer | NeverLeft | Lost | ConfigError
    ) -> None:
        """One event for each exchange; the query and the headers stay out of it."""
        if isinstance(came, ConfigError) or not log.is_enabled_for(logging.DEBUG):
            return
        parts = urlsplit(request.url)
        more: dict[str, object] = {"error": str(came)}
        if isinstance(came, Answer):
            more = {"status": came.status, "request_id": request_id(came)}
        log.debug(
            "exchange.done",
            vendor=self._vendor,
            method=request.method,
            host=parts.hostname,
            path=parts.path if self._shown else "",
            duration_ms=round(seconds * 1000),
            **more,
        )


def request_id(answer: Answer) -> str | None:
    """The vendor's own id of this exchange, if it gives one."""
    return next(
        (answer.headers[name] for name in REQUEST_ID_HEADERS if name in answer.headers), None
    )


def _classified(failure: Exception) -> NeverLeft | Lost:
    """NeverLeft only where no byte of the request can have left.

    A ProxyError alone proves nothing: urllib3 also makes one of a connection that broke after
    the request was sent through the proxy. Only what stands inside it counts.
    """
    for part in _parts(failure):
        if isinstance(part, ssl.SSLCertVerificationError):
            return NeverLeft("its certificate is not trusted")
        if isinstance(part, urllib3.exceptions.NameResolutionError):
            return NeverLeft("its name is not known")
        if isinstance(part, urllib3.exceptions.NewConnectionError):
            return NeverLeft("no connection can be made")
        if isinstance(part, urllib3.exceptions.ConnectTimeoutError | requests.ConnectTimeout):
            return NeverLeft("it does not answer")
        if isinstance(part, OSError) and str(part).startswith("Tunnel connection failed"):
            return NeverLeft("the proxy refuses the connection")
    return Lost(_words(failure))


def _parts(failure: BaseException) -> Iterator[BaseException]:
    """The failure and what it wraps (never what merely happened before it)."""
    seen: set[int] = set()
    todo: list[object] = [failure]
    while todo:
        part = todo.pop(0)
        if not isinstance(part, BaseException) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        todo += [*part.args, getattr(part, "reason", None), getattr(part, "original_error", None)]


def _words(failure: BaseException) -> str:
    """What happened, in our own words: the library's may quote an address with a secret in it."""
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if any(isinstance(part, timeouts) for part in _parts(failure)):
        return "the answer did not come in time"
    if isinstance(failure, requests.exceptions.ContentDecodingError):
        return "the answer cannot be decoded"
    return "the connection broke before the answer was whole"


def _cut_short(response: requests.Response, body: bytes) -> bool:
    """Whether a body that ends with its connection is only a part: nothing announces its length.

    (A wrong Content-Length and a missing last chunk are refused by urllib3 itself.)
    """
    headers = response.headers
    if "content-length" in headers or "transfer-encoding" in headers or not body:
        return False
    if "json" not in headers.get("content-type", ""):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return True
    return False


def _without_echo(
    response: requests.Response, body: bytes, credentials: Mapping[str, str]
) -> bytes:
    """Pages and errors end up in messages: hide our own secret where one repeats it."""
    if response.status_code < 400 and "json" in response.headers.get("content-type", ""):
        return body
    for value in credentials.values():
        secret = value.rpartition(" ")[2].encode()
        if len(secret) >= SECRET_BYTES_MIN:
            body = body.replace(secret, b"***")
    return body


def _bad_address(where: str, kind: str) -> ConfigError:
    return ConfigError(
        [f"{where!r} cannot be requested ({kind})."],
        next_step="Correct the connector's base address, or the environment's proxy variables.",
    )


@lru_cache(maxsize=16)  # the answers of a round bear the same second
def _date(value: str | None) -> datetime | None:
    """An HTTP date as an instant; None if it is none."""
    if value is None:
        return None
    try:
        found = parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # beyond the calendar, too
        return None
