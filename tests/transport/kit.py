"""What the transport tests share: a clock that never waits, an open door, a server that cuts."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

import structlog
from pydantic import SecretStr

from syncjob.transport.auth import ApiToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.limits import no_limits
from syncjob.transport.wire import Call, Request

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
URL = "https://api.example.test/v2/deals"
TOKEN = "tok-very-secret-123456"


class FakeClock:
    """Time that passes only by sleeping or by `pass_`."""

    def __init__(self, now: datetime = START) -> None:
        self._start, self.elapsed, self.naps = now, 0.0, []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 60
        self.naps.append(seconds)
        self.elapsed += seconds

    def pass_(self, seconds: float) -> None:
        self.elapsed += seconds


class RecordingDoor:
    """Lets all through, or raises what it is given; remembers what was asked, in order."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.events = error, []

    def admit(self, calls: Sequence[Call]) -> None:
        self.events += [("admit", call.id) for call in calls]
        if self.error:
            raise self.error

    def sent(self, calls: Sequence[Call], token_generation: int) -> None:
        self.events += [("sent", call.id, token_generation) for call in calls]


def make_channel(**changes) -> HttpChannel:
    given = {
        "side": "crm",
        "mode": "full",
        "clock": FakeClock(),
        "auth": ApiToken("x-api-token", SecretStr(TOKEN)),
        "door": RecordingDoor(),
        "rng": Random(1),
        **changes,
    }
    given.setdefault("limits", no_limits(given["clock"]))
    return HttpChannel("Pipedrive", **given)


def get(url: str = URL, **more) -> Request:
    return Request(method="GET", url=url, **more)


def call(url: str = URL, body: bytes = b'{"a":1}', method: str = "POST", **more) -> Call:
    return Call(id=7, request=Request(method=method, url=url, body=body), fence=1, **more)


class CutServer:
    """A TCP server whose n-th connection is handled by the n-th script (the last one repeats)."""

    def __init__(self, *scripts: Callable[[socket.socket], None]) -> None:
        self._scripts = list(scripts)
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v2/deals"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            with peer:
                try:
                    script(self, peer)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()

    def take_request(self, peer: socket.socket) -> None:
        """Read one whole request (headers and Content-Length)."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = peer.recv(65536)
            if not piece:
                raise OSError("the client went away")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += peer.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)


@contextmanager
def serving(*scripts):
    server = CutServer(*scripts)
    try:
        yield server
    finally:
        server.close()


def ok(server, peer):
    server.take_request(peer)
    peer.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
    )


def hang_up(server, peer):
    """Read the request, then close without a word."""
    server.take_request(peer)


def reset(server, peer):
    """Read the request, then reset the connection."""
    server.take_request(peer)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_length(server, peer):
    """Announce more bytes than are sent."""
    server.take_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b'{"data":[')


def cut_chunks(server, peer):
    """End within a chunk."""
    server.take_request(peer)
    peer.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n20\r\nxx')


def cut_open_end(server, peer):
    """A body that only its connection ends, ended too early."""
    server.take_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"data":[')


def two_lengths(server, peer):
    """Whole, but a proxy on the way has added a length of its own."""
    server.take_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}")


def keep_then_reset(server, peer):
    """Answer once, keep the connection, and reset it when the second request comes."""
    ok(server, peer)
    server.take_request(peer)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silence(server, peer):
    """Read the request and never answer."""
    server.take_request(peer)
    threading.Event().wait(1.0)


@contextmanager
def logged():
    """All log events of the block, though the tests' logs are quiet otherwise."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    try:
        with structlog.testing.capture_logs() as events:
            yield events
    finally:
        structlog.configure(**before)
