"""The wire without sockets: what `requests` sends becomes a sandbox request, its reply an answer.

What a socket would do to the client is done here as urllib3 would show it, so that the program's
own reading of failures (transport/exchange.py) is under test too.
"""

from __future__ import annotations

import io
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
from syncjob.sandbox.xero.server import XeroServer
from tests.sim import happenings, replies, stopping
from tests.sim.faults import Faults, PointKind
from tests.sim.kinds import REFUSALS, WAITS_S, of_server, server_fault

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
        page_max: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.host, self.faults, self.wait, self.written = host, faults, wait, written
        self.reads, self.page_max = reads, page_max
        self._builder = HTTPAdapter()

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None,
        verify: Any = True, cert: Any = None, proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:  # fmt: skip
        """One exchange, which is one point."""
        sent = to_sandbox(request)
        fault = self._begins(sent, request)
        response = self._carried(request, sent, fault)
        if fault == "kill after":
            self.faults.kill()
        if fault == "edit after":
            self.faults.do_edit()
        return response

    def _begins(self, sent: Request, request: requests.PreparedRequest) -> str | None:
        """What happens until the request leaves; returns the fault that is armed for it."""
        kind, vendor = self._kind(sent), _vendor(sent)
        self.faults.under_way = sent
        many = len(replies.elements(sent)) if kind == "write" else 0
        fault = self.faults.meet(
            kind, f"{sent.method} {sent.path}", many=many, later_page=sent.path in self.faults.more
        )
        self.wait(EXCHANGE_S)
        if fault in ("gone", "walk broken"):
            self.faults.gone.add(vendor)
        if fault == "refused" or vendor in self.faults.gone:
            refused = NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(refused, request=request)
        self._happens_before(fault, sent)
        if fault in ("401 for ever", "403 for ever"):
            self.faults.barred[vendor] = fault
        return fault

    def _carried(
        self, request: requests.PreparedRequest, sent: Request, fault: str | None
    ) -> requests.Response:
        """The answer, as it comes back over the wire."""
        try:
            reply = self.served(sent, fault)
        except Dropped as dropped:
            reply = self._dropped(dropped, fault, request)
        finally:
            self._judged(sent)
        return self._answer(request, reply, reply.body)

    def served(self, sent: Request, fault: str | None) -> Reply:
        """The vendor's side of one exchange. Raises Dropped where no whole answer comes back."""
        vendor = _vendor(sent)
        if vendor in self.faults.barred and self._kind(sent) != "token":
            reply = replies.barred(sent, self.faults.barred[vendor])
        else:
            reply = self._delivered(sent, fault)
        self._remember_page(sent, reply)
        return reply

    def _judged(self, sent: Request) -> None:
        """What a write did is judged at once."""
        if not self.reads(sent.method, sent.path):
            self.written()

    def _happens_before(self, fault: str | None, sent: Request) -> None:
        """What happens when the request has not arrived yet."""
        world = self.faults.world
        if fault == "kill before":
            self.faults.kill()
        if fault == "edit before":
            self.faults.do_edit()
        if world is None or fault is None:
            return
        if fault in happenings.CLOCKS:
            happenings.turn_clock(world, fault)
        elif fault in ("old list", "stamped late"):
            happenings.lists_lag(world)
        elif fault == "page shifts":
            happenings.page_shifts(world, sent)
        elif fault == "equal stamps":
            happenings.sell_at_once(world, 3)
        elif fault == "stopped":
            stopping.stop(world)
        if fault == "stamped late":
            self.faults.do_edit()

    def _delivered(self, sent: Request, fault: str | None) -> Reply:
        if self.page_max is not None:
            sent = replies.smaller_pages(sent, self.page_max)
        ours = fault == "half" and sent.path.startswith("/hubspot")
        if fault is not None and of_server(fault) and not ours:
            planned = server_fault(fault)
            if not sent.path.startswith("/xero"):
                planned.delay_s = min(planned.delay_s, CRM_LATE_S_MAX)
            planned.method, planned.path = sent.method, f"^{re.escape(sent.path)}$"
            self.host.faults.add(planned)
        if fault in REFUSALS and self._remembered(sent):
            fault = None
        reply = self._exchanged(sent, fault)
        return replies.silent_about_half(reply) if ours else reply

    def _exchanged(self, sent: Request, fault: str | None) -> Reply:
        """What the server answers, or what became of its answer. Raises Dropped."""
        if fault == "whole refused":
            self.faults.culprit = replies.elements(sent)[-1]
        if self.faults.culprit is not None and self.faults.culprit in replies.elements(sent):
            return replies.refused_whole(sent)
        made_up = replies.made_up(fault, sent) if fault else None
        if made_up is not None:
            return made_up
        if fault in ("some refused", "error in 200"):
            return replies.without_last(sent, self.host.exchange)
        if fault == "lost, then edited":  # the replay, which has the key's answer, is lost as well
            planned = server_fault("lost")
            planned.method, planned.path = sent.method, f"^{re.escape(sent.path)}$"
            self.host.exchange(sent)
            self.host.faults.add(planned)
            self.written()
            if self.faults.world is not None:
                happenings.edit_what_was_written(self.faults.world, sent)
            raise Dropped("lost")
        reply = self.host.exchange(sent)
        if fault == "token renewed" and self.faults.world is not None:
            self.written()
            happenings.renew_tokens(self.faults.world)
        if fault in ("token renewed", "key expired"):
            raise Dropped("lost")
        if fault == "reordered":
            return replies.reordered(reply)
        return replies.fewer(reply) if fault == "fewer" else reply

    def _remembered(self, sent: Request) -> bool:
        """Whether Xero answers this replay as it answered first: it refuses nothing that it did."""
        server = self.host.servers.get("xero")
        key = sent.header("Idempotency-Key")
        return isinstance(server, XeroServer) and bool(key) and server.keys.remembers(key or "")

    def _remember_page(self, sent: Request, reply: Reply) -> None:
        """Which lists have a page to come, where pages are small."""
        if self.page_max is None:
            return
        if replies.has_more(reply):
            self.faults.more.add(sent.path)
        else:
            self.faults.more.discard(sent.path)

    def _dropped(
        self, dropped: Dropped, fault: str | None, request: requests.PreparedRequest
    ) -> Reply:
        if dropped.partial is not None:
            raise _Cut(dropped.partial)
        self._waits(dropped, fault, request)
        ended = RemoteDisconnected("Remote end closed connection without response")
        broken = ProtocolError("Connection aborted.", ended)
        raise requests.ConnectionError(broken, request=request)

    def _waits(
        self, dropped: Dropped, fault: str | None, request: requests.PreparedRequest
    ) -> None:
        """Wait in vain for an answer, where nobody says that none will come."""
        seconds = WAITS_S.get(fault or "", 60 if str(dropped) == "late" else 0)
        if seconds:
            self.wait(seconds)
            timed_out = ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]
            raise requests.ReadTimeout(timed_out, request=request)

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


def _vendor(sent: Request) -> str:
    return sent.path.split("/")[1]


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
