"""The HTTP face: one local port on which all the sandbox's servers and its control door answer."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import traceback
from collections.abc import Callable, Sequence
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl, unquote

from syncjob.sandbox.control import PREFIX, Control
from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import CallLog, Clock, Dropped, FaultBook, Reply, Request, Server

ADDRESS = "127.0.0.1"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        super().__init__((ADDRESS, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Keep-alive, quiet, one write an answer, and no Date but the sandbox's own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path="%2F".join(unquote(part) for part in re.split("%2[fF]", path)),
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers=tuple(self.headers.items()),
            body=_body(self.headers, self.rfile),
        )
        assert isinstance(self.server, _Listener)
        try:
            self._send(self.server.answer(request))
        except Dropped as dropped:
            self._cut(dropped.partial)
        except Exception:
            traceback.print_exc()
            self._send(Reply.of_text(f"a defect of the sandbox:\n{traceback.format_exc()}", 500))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _send(self, reply: Reply, share: int = 1) -> None:
        """Writes the answer; a `share` of 2 sends only half of the body that it announces."""
        phrases = {s.value: s.phrase for s in HTTPStatus}
        self.send_response_only(reply.status, phrases.get(reply.status, "Unknown"))
        for name, value in reply.headers:
            self.send_header(name, value.encode("latin-1", "replace").decode("latin-1"))
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: len(reply.body) // share])
        self.wfile.flush()

    def _cut(self, partial: Reply | None) -> None:
        if partial is not None:
            self._send(partial, share=2)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        return None


def _body(headers: Message, stream: BufferedIOBase) -> bytes:
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        return stream.read(int(headers.get("Content-Length") or 0))
    parts = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():
        pass
    return b"".join(parts)


class Sandbox:
    """Runs servers on 127.0.0.1; a context manager, or start/stop, or serve_forever."""

    def __init__(
        self,
        servers: Sequence[Server],
        clock: Clock | None = None,
        faults: FaultBook | None = None,
        log: CallLog | None = None,
        port: int = 0,
    ) -> None:
        self.host = Host(servers, clock, faults, log)
        self.control = Control(self.host)
        self._port = port
        self._listener: _Listener | None = None

    @property
    def base_url(self) -> str:
        assert self._listener is not None, "the sandbox is not started"
        return f"http://{ADDRESS}:{self._listener.server_port}"

    @property
    def running(self) -> bool:
        """Whether its port is bound."""
        return self._listener is not None

    def open(self) -> str:
        """Binds the port; requests wait until `start` or `serve_forever`."""
        if self._listener is None:
            self._listener = _Listener(self._port, self.answer)
        return self.base_url

    def start(self) -> str:
        url = self.open()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return url

    def serve_forever(self) -> None:
        self.open()
        assert self._listener is not None
        self._listener.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Reply:
        """The reply to one request, control door included; raises Dropped."""
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return self.host.dated(self.control.handle(request))
        return self.host.exchange(request)
