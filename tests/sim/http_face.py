"""The same worlds over real sockets: urllib3 and the sandbox's HTTP face in the wire's place.

The program keeps its addresses; the adapter takes what is sent to them to a port of this machine,
and what the wire does to a vendor's side of an exchange is done where the server reads it. Only one
request is under way at a time, so that a seed plays the same history over either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from syncjob.sandbox.host import Host
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Dropped, Reply, Request
from tests.sim.wire import BASE, Wire

#: Seconds for a real answer of this machine; more is a defect of the harness.
REAL_S = (5.0, 30.0)


class Face(Sandbox):
    """A listener that answers each request as the exchange under way says."""

    def __init__(self, host: Host) -> None:
        self.host, self._port, self._listener = host, 0, None
        self._next: Callable[[Request], Reply] | None = None
        self.failure: BaseException | None = None

    def expect(self, served: Callable[[Request], Reply]) -> None:
        """How the next request is answered."""
        self._next, self.failure = served, None

    def answer(self, request: Request) -> Reply:
        """As expected. What fails here is raised where the program waits for it."""
        served, self._next = self._next, None
        assert served is not None, f"nobody sent {request.method} {request.path}"
        try:
            return served(request)
        except Dropped as dropped:
            self.failure = dropped
            raise
        except BaseException as failure:
            self.failure = failure
            raise Dropped("a failure of the simulation") from failure


class SocketWire(Wire):
    """The wire over real sockets; what is sent is still one point, with the same faults."""

    def __init__(self, face: Face, *given: Any) -> None:
        super().__init__(*given)
        self.face = face
        self._sockets = HTTPAdapter(max_retries=0)

    def _carried(
        self, request: requests.PreparedRequest, sent: Request, fault: str | None
    ) -> requests.Response:
        self.face.expect(functools.partial(self.served, fault=fault))
        real = request.copy()
        real.url = (request.url or "").replace(BASE, self.face.base_url, 1)
        try:
            response = self._sockets.send(real, stream=True, timeout=REAL_S)
        except requests.RequestException:
            self._failed(request, fault)
            raise
        finally:
            self._judged(sent)
        response.url = request.url or ""
        return response

    def _failed(self, request: requests.PreparedRequest, fault: str | None) -> None:
        """The connection ended: as the server's side says why, and after the same wait."""
        failure = self.face.failure
        if isinstance(failure, Dropped):
            self._waits(failure, fault, request)
        elif failure is not None:
            raise failure

    def close(self) -> None:
        self._sockets.close()
