"""A mail server and a chat's webhook without sockets, which can be cut at each moment.

`smtplib.SMTP` is replaced while a batch runs, so that the program's own conversation with it
(transport/mail) is what decides whether a message left.
"""

from __future__ import annotations

import io
import json
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any
from unittest.mock import patch

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import NewConnectionError, ProtocolError

HOOK = "https://hooks.invalid"

#: Where a message meets its end; `taken` is whether its reader gets it all the same.
CUTS: dict[str, bool] = {
    "refused": False, "greeting": False, "rcpt": False, "data": False, "later": False,
    "within": False, "after": True, "kill before": False, "kill after": True,
}  # fmt: skip
#: Cuts after which the program knows that nothing arrived, and must try again.
KNOWN = ("refused", "greeting", "rcpt", "data", "later")


@dataclass(frozen=True)
class Letter:
    """A message that its reader has."""

    way: str
    to: str
    subject: str
    text: str
    id: str = ""


@dataclass
class Post:
    """All that was taken; `cuts` by the number of the try, from 0; `down`: nothing gets through."""

    kill: Callable[[], None]
    taken: list[Letter] = field(default_factory=list)
    cuts: dict[int, str] = field(default_factory=dict)
    down: bool = False
    tries: int = 0
    met: list[str] = field(default_factory=list)

    def next_cut(self) -> str:
        """What happens to this try."""
        cut = "refused" if self.down else self.cuts.get(self.tries, "")
        self.tries += 1
        if cut:
            self.met.append(cut)
        return cut

    def take(self, body: bytes, to: str) -> None:
        """An e-mail arrives."""
        mail = message_from_bytes(body, policy=default)
        text = mail.get_body().get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
        letter = Letter("email", to, str(mail["Subject"]), text.strip(), str(mail["Message-ID"]))
        self.taken.append(letter)

    @contextmanager
    def open(self) -> Iterator[None]:
        """While a batch runs, this is the mail server."""
        with patch.object(smtplib, "SMTP", lambda *_, **__: _Smtp(self)):
            yield


class _Smtp:
    """One conversation, as far as the program holds it."""

    def __init__(self, post: Post) -> None:
        self.post, self.cut, self.to = post, post.next_cut(), ""
        self.body = b""
        if self.cut == "refused":
            raise ConnectionRefusedError
        if self.cut == "greeting":
            raise smtplib.SMTPServerDisconnected("closed")

    def ehlo_or_helo_if_needed(self) -> None:
        """Hello."""

    def mail(self, sender: str) -> tuple[int, bytes]:
        """MAIL FROM."""
        return (451, b"try again later") if self.cut == "later" else (250, b"ok")

    def rcpt(self, to: str) -> tuple[int, bytes]:
        """RCPT TO."""
        if self.cut == "rcpt":
            raise smtplib.SMTPServerDisconnected("closed")
        self.to = to
        return 250, b"ok"

    def docmd(self, verb: str) -> tuple[int, bytes]:
        """DATA."""
        if self.cut == "data":
            raise smtplib.SMTPServerDisconnected("closed")
        return 354, b"go on"

    def send(self, data: bytes) -> None:
        """The text with its end."""
        if self.cut == "kill before":
            self.post.kill()
        if self.cut == "within":
            raise BrokenPipeError
        self.post.take(data.removesuffix(b"\r\n.\r\n").replace(b"\r\n..", b"\r\n."), self.to)

    def getreply(self) -> tuple[int, bytes]:
        """Taken."""
        if self.cut == "kill after":
            self.post.kill()
        if self.cut == "after":
            raise TimeoutError
        return 250, b"taken"

    def quit(self) -> None:
        """Goodbye."""

    def close(self) -> None:
        """Gone."""


class HookWire(BaseAdapter):
    """A chat that takes JSON; a text is one letter to nobody in particular."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.post = post

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One call."""
        cut = self.post.next_cut()
        if cut in ("refused", "greeting", "rcpt", "data"):
            refused = NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(refused, request=request)
        if cut == "later":
            return self._answer(request, 429)
        if cut == "kill before":
            self.post.kill()
        if cut != "within":
            subject, _, text = json.loads(request.body or b"")["text"].partition("\n")
            self.post.taken.append(Letter("slack", "", subject.strip("*"), text))
        if cut == "kill after":
            self.post.kill()
        if cut in ("within", "after"):
            raise requests.ConnectionError(ProtocolError("Connection aborted."), request=request)
        return self._answer(request, 200)

    def _answer(self, request: requests.PreparedRequest, status: int) -> requests.Response:
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(b"ok"), headers=urllib3.HTTPHeaderDict({"Content-Length": "2"}),
            status=status, preload_content=False,
        )  # fmt: skip
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing to close."""
