"""Several servers under one roof: routing, locks, the log, and faults that happen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from syncjob.sandbox.kernel import (
    Call,
    CallLog,
    Clock,
    Dropped,
    Fault,
    FaultBook,
    Mutex,
    Reply,
    Request,
    Server,
)


class Host:
    """Routes, locks, logs and lets faults happen, without a socket.

    `exchange` is what an HTTP face or an in-process simulation calls; it raises `Dropped` where a
    client would see the connection end.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        clock: Clock | None = None,
        faults: FaultBook | None = None,
        log: CallLog | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.servers = {s.name: s for s in servers}
        self.clock = clock or Clock()
        self.faults = faults or FaultBook()
        self.log = log or CallLog()
        for server in servers:
            attach = getattr(server, "attach_faults", None)
            if attach is not None:
                attach(self.faults)
        self._sleep = sleep
        self._locks = {s.name: Mutex() for s in servers}
        self._mutex = Mutex()
        self._flying: dict[str, int] = {}
        #: The most requests of one caller that were ever on the way at once, by server.
        self.most_at_once: dict[str, int] = {}
        self._late: list[tuple[datetime, str, Request, Call]] = []

    def route(self, path: str) -> tuple[Server, str] | None:
        for server in self.servers.values():
            for prefix, label in server.prefixes.items():
                if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                    return server, label
        return None

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[Server]:
        with self._locks[name]:
            yield self.servers[name]

    def exchange(self, request: Request) -> Reply:
        """One request to whichever server owns its path."""
        self.settle_late()
        found = self.route(request.path)
        if found is None:
            return self.dated(Reply.of_text("no server is mounted here", 404))
        server, label = found
        call = self.log.open(label, request, self.clock.now())
        fault = self.faults.take(label, request)
        call.fault = None if fault is None else fault.kind
        with self._in_flight(label, request) as counted:
            reply = self._with_fault(server, counted, call, fault)
        call.status = reply.status
        return self.dated(reply)

    def settle_late(self) -> None:
        """Lets effects happen whose late moment has come."""
        with self._mutex:
            now = self.clock.now()
            due = sorted((x for x in self._late if x[0] <= now), key=lambda x: x[0])
            self._late = [x for x in self._late if x[0] > now]
        for _, name, request, call in due:
            with self.locked(name) as server:
                call.effect = server.handle(request).effect

    @contextlib.contextmanager
    def _in_flight(self, label: str, request: Request) -> Iterator[Request]:
        who = request.header("Authorization") or request.header("x-api-token") or ""
        key = "\n".join((label, who, request.header("Xero-Tenant-Id") or ""))
        with self._mutex:
            self._flying[key] = self._flying.get(key, 0) + 1
            counted = replace(request, in_flight=self._flying[key])
            self.most_at_once[label] = max(self.most_at_once.get(label, 0), counted.in_flight)
        try:
            yield counted
        finally:
            with self._mutex:
                self._flying[key] -= 1

    def _with_fault(
        self, server: Server, request: Request, call: Call, fault: Fault | None
    ) -> Reply:
        kind = fault.kind if fault else None
        if fault is None:
            return self._effect(server, request, call)
        if kind == "refuse":
            raise Dropped("refused")
        if kind == "late":
            with self._mutex:
                due = self.clock.now() + timedelta(seconds=fault.delay_s)
                self._late.append((due, server.name, request, call))
            call.effect = "late"
            raise Dropped("late")
        if kind == "timeout":
            self._sleep(fault.delay_s)
            return self._effect(server, request, call)
        made = _made_up(fault)
        if made is not None and fault.when == "before":
            return made
        reply = self._effect(server, request, call)
        if kind == "truncate":
            raise Dropped("truncated", self.dated(reply))
        if kind == "lost" or made is None:
            raise Dropped("lost")
        return made

    def _effect(self, server: Server, request: Request, call: Call) -> Reply:
        with self.locked(server.name):
            reply = server.handle(request)
        call.effect, call.status = reply.effect, reply.status
        return reply

    def dated(self, reply: Reply) -> Reply:
        return reply.with_header("Date", format_datetime(self.clock.now(), usegmt=True))


def _made_up(fault: Fault) -> Reply | None:
    """The answer that a fault puts in place of the server's own, if it is of that kind."""
    headers = tuple(fault.headers.items())
    if fault.kind == "status":
        reply = Reply(fault.status, headers, (fault.body or "").encode())
        return (
            reply
            if reply.header("Content-Type")
            else reply.with_header("Content-Type", "application/json")
        )
    if fault.kind == "html":
        page = fault.body or "<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"
        return Reply(fault.status, (*headers, ("Content-Type", "text/html")), page.encode())
    if fault.kind == "empty":
        return Reply(fault.status, headers)
    return None
