"""A session of requests that repeats nothing, and what its requests have in common found once.

requests prepares each request as if it were the first to its server: it takes the address apart
four times, walks through the environment, asks the disk for the CA bundle, and looks for cookies
that nobody sends. For a small write that is a third of what the exchange costs. What is left out
here is only what has the same outcome each time; an address of any but the plainest form goes
requests' own way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from syncjob.transport.wire import Request

POOL_CONNECTIONS = 10

#: An address that requests would send just as it stands: nothing to quote, no name and password, no
#: letters of other alphabets, no dots that lead up.
_PLAIN = re.compile(
    r"(?:https?://[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9]))*(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?)"
    r"(?:/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@-]*)+"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?",
    re.ASCII,
)

_Verify = bool | str | None
_Place = tuple[str, _Verify, tuple[tuple[str, str], ...]]


class Adapter(HTTPAdapter):
    """requests' own adapter; the pool of connections to a server is found once."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_maxsize=POOL_CONNECTIONS)
        self._found: dict[_Place, Any] = {}

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Which pool is asked depends on scheme, host and port, the CA bundle and the proxies."""
        origin = "/".join((request.url or "").split("/", 3)[:3])
        place = (origin, verify, tuple((proxies or {}).items()))
        if cert is not None or place not in self._found:
            found = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if cert is not None:
                return found
            self._found[place] = found
        return self._found[place]

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """As requests does, but for cookies, which nobody sends back, and for the alphabet of a
        text, since answers are read as bytes."""
        response = Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.url = resp, req.url or ""
        response.request, response.connection = req, self
        return response

    def close(self) -> None:
        """Close the connections; the next request finds a new pool."""
        self._found.clear()
        super().close()


def new_session() -> Session:
    """A session that repeats nothing; proxies and CA bundles come from the environment."""
    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter())
    return session


class Preparer:
    """Makes requests ready for the adapter. `base` are headers that all of them bear.

    Prepared without the session, so that no cookie and no .netrc adds credentials. Threads may
    share it.
    """

    def __init__(self, base: Mapping[str, str]) -> None:
        self._base = dict(base)
        self._last: tuple[object, CaseInsensitiveDict[str]] = (None, CaseInsensitiveDict())

    def prepare(self, request: Request, credentials: Mapping[str, str]) -> PreparedRequest:
        """The request with its credentials. Raises what requests raises for what is unusable."""
        if not _PLAIN.fullmatch(request.url):
            return self._slowly(request, credentials)
        made, body = PreparedRequest(), request.body or None
        made.method, made.url = request.method.upper(), request.url
        made.headers = self._headers(request, credentials)
        made.body, made.hooks = body, default_hooks()
        if body or made.method not in ("GET", "HEAD"):
            made.headers["Content-Length"] = str(len(request.body))
        return made

    def _slowly(self, request: Request, credentials: Mapping[str, str]) -> PreparedRequest:
        headers = {**self._base, **dict(request.headers), **credentials}
        body = request.body if request.body or request.method != "GET" else None
        return requests.Request(request.method, request.url, headers=headers, data=body).prepare()

    def _headers(
        self, request: Request, credentials: Mapping[str, str]
    ) -> CaseInsensitiveDict[str]:
        """A copy of the last request's headers if these are the same, as they are in a row of small
        writes; else made, and judged, by requests."""
        key = (request.headers, tuple(credentials.items()))
        known, headers = self._last
        if known != key:
            judged = PreparedRequest()
            judged.prepare_headers({**self._base, **dict(request.headers), **credentials})
            headers = judged.headers
            self._last = (key, headers)
        return headers.copy()
