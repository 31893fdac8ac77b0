"""The wire without sockets: what `requests` sends becomes a sandbox request, its reply an answer.

What a socket would do to the client is done here as urllib3 would show it, so that the program's
own reading of failures (transport/exchange.py) is under test too.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import Dropped, Reply, Request
from tests.sim.faults import WAITS_S, Faults, PointKind, server_fault

BASE = "https://sim.invalid"
#: Real exchanges take time; so much, in seconds, that stamps of neighbours mostly are equal.
EXCHANGE_S = 0.21

#: The CRM's patience is five minutes: a request of ours that is later than that is not modelled.
CRM_LATE_S_MAX = 240


class Wire(BaseAdapter):
    """An adapter that delivers to the servers of one world."""

    def __init__(
        self, host: Host, faults: Faults, wait: Callable[[float], None],
        written: Callable[[], None], reads: Callable[[str, str], bool],
    ) -> None:  # fmt: skip
        super().__init__()
        self.host, self.faults, self.wait, self.written = host, faults, wait, written
        self.reads = reads
        self._builder = HTTPAdapter()

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None,
        verify: Any = True, cert: Any = None, proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:  # fmt: skip
        """One exchange, which is one point."""
        sent = to_sandbox(request)
        fault = self.faults.meet(self._kind(sent), f"{sent.method} {sent.path}")
        self.wait(EXCHANGE_S)
        if fault == "refused":
            refused = NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(refused, request=request)
        if fault == "kill before":
            self.faults.kill()
        if fault == "edit before":
            self.faults.do_edit()
        reply = self._deliver(sent, fault, request)
        if fault == "half" and sent.path.startswith("/hubspot"):
            reply = _fewer(reply)
        if fault == "kill after":
            self.faults.kill()
        if fault == "edit after":
            self.faults.do_edit()
        return self._answer(request, reply, reply.body)

    def _deliver(
        self, sent: Request, fault: str | None, request: requests.PreparedRequest
    ) -> Reply:
        ours = fault == "half" and sent.path.startswith("/hubspot")
        if fault is not None and fault not in _OURS and not ours:
            planned = server_fault(fault)
            if not sent.path.startswith("/xero"):
                planned.delay_s = min(planned.delay_s, CRM_LATE_S_MAX)
            planned.method, planned.path = sent.method, f"^{re.escape(sent.path)}$"
            self.host.faults.add(planned)
        try:
            return self.host.exchange(sent)
        except Dropped as dropped:
            return self._dropped(dropped, fault, request)
        finally:
            if not self.reads(sent.method, sent.path):
                self.written()

    def _dropped(
        self, dropped: Dropped, fault: str | None, request: requests.PreparedRequest
    ) -> Reply:
        if dropped.partial is not None:
            raise _Cut(dropped.partial)
        seconds = WAITS_S.get(fault or "", 60 if str(dropped) == "late" else 0)
        if seconds:
            self.wait(seconds)
            timed_out = ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]
            raise requests.ReadTimeout(timed_out, request=request)
        ended = RemoteDisconnected("Remote end closed connection without response")
        broken = ProtocolError("Connection aborted.", ended)
        raise requests.ConnectionError(broken, request=request)

    def _answer(
        self, request: requests.PreparedRequest, reply: Reply, body: bytes
    ) -> requests.Response:
        headers = [*reply.headers]
        if reply.status not in (204, 304):
            headers.append(("Content-Length", str(len(reply.body))))
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(body), headers=urllib3.HTTPHeaderDict(headers), status=reply.status,
            preload_content=False, decode_content=False, request_method=request.method,
            enforce_content_length=True,
        )  # fmt: skip
        return self._builder.build_response(request, raw)

    def _kind(self, sent: Request) -> PointKind:
        if "/connect/token" in sent.path:
            return "token"
        return "read" if self.reads(sent.method, sent.path) else "write"

    def close(self) -> None:
        """Nothing is kept open."""


class _Cut(Exception):
    """Only half of this reply arrives."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class CuttingWire(Wire):
    """The wire with answers that can end too early."""

    def send(self, request: requests.PreparedRequest, *given: Any, **named: Any) -> Any:
        """One exchange; half an answer where the server was cut off."""
        try:
            return super().send(request, *given, **named)
        except _Cut as cut:
            return self._answer(request, cut.reply, cut.reply.body[: len(cut.reply.body) // 2])


_OURS = ("refused", "kill before", "kill after", "edit before", "edit after")


def _fewer(reply: Reply) -> Reply:
    """A batch's answer that is silent about half of what was done (facts: hubspot, 5d)."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return reply
    results = body.get("results", []) if isinstance(body, dict) else []
    told = {**body, "results": results[: len(results) // 2]} if results else body
    return Reply(reply.status, reply.headers, json.dumps(told).encode(), reply.effect)


def to_sandbox(request: requests.PreparedRequest) -> Request:
    """The request as the sandbox's HTTP face would read it from a socket."""
    parts = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "",
        path="%2F".join(unquote(part) for part in re.split("%2[fF]", parts.path)),
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers=tuple((k, _text(v)) for k, v in request.headers.items()),
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
