"""The consent page's way back: one request to loopback, checked against its state."""

from __future__ import annotations

import hmac
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from syncjob.clock import Clock
from syncjob.errors import AuthFailed

#: How long a person may take on the consent page.
WAIT_SECONDS = 300
#: How often the wait looks at the clock.
_POLL_SECONDS = 1.0

_PAGE = "<!DOCTYPE html><meta charset=utf-8><title>syncjob</title><p>{}</p>"


class Loopback:
    """Listens on 127.0.0.1 while entered. `code` waits for the redirect with the right state."""

    def __init__(
        self, port: int, path: str, state: str, vendor: str = "Xero", settings: str = "ledger.auth"
    ) -> None:
        """`vendor` and `settings` (the config's section of its app) stand in messages."""
        self._path, self._state, self._vendor = path, state, vendor
        self._answer: dict[str, str] | None = None
        try:
            self._server = HTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            raise AuthFailed(
                f"Port {port} of this machine cannot be listened on ({error.strerror}).",
                where=f"{settings}.redirect_port",
                next_step="Set another port there and in the app's redirect URIs.",
            ) from None
        self._server.timeout = _POLL_SECONDS
        self.port = self._server.server_port

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def code(self, clock: Clock, *, wait_seconds: float = WAIT_SECONDS) -> str:
        """The code that the vendor sent back. Raises AuthFailed if refused or if nobody answers."""
        end = clock.monotonic() + wait_seconds
        while self._answer is None and clock.monotonic() < end:
            self._server.handle_request()
        answer = self._answer or {}
        if "code" in answer:
            return answer["code"]
        what = (
            f"{self._vendor} did not grant access ({answer.get('error', 'no code came back')})."
            if answer
            else f"Nobody answered the consent page within {wait_seconds / 60:.0f} minutes."
        )
        raise AuthFailed(
            what,
            next_step=f"Run `syncjob connect {self._vendor.lower()}` again and allow access.",
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # a browser that opens a connection and says nothing must not block us

            def do_GET(self) -> None:
                status, text = loopback._take(self.path)
                body = _PAGE.format(text).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The request line holds the code: it is never printed."""

        return Handler

    def _take(self, target: str) -> tuple[int, str]:
        parts = urlsplit(target)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path != self._path:
            return 404, "Nothing here."
        # Another page in the browser could call this address with a code of its own account.
        if not hmac.compare_digest(asked.get("state", "").encode(), self._state.encode()):
            return 400, "This answer belongs to another request; nothing was stored."
        self._answer = asked
        return 200, "syncjob has the answer; you can close this page."
