"""A mail server for tests: real SMTP on loopback, keeps what it took, and can be cut anywhere."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any, Literal

#: Where the line is cut: before a greeting, before or within the text, after it without an answer,
#: or after the answer, at the goodbye.
Cut = Literal["greeting", "rcpt", "data", "within", "after", "quit"]


class MailServer(socketserver.ThreadingTCPServer):
    """`taken` are the messages it accepted; `cut` ends connections there, `codes` answer verbs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.taken: list[tuple[str, list[str], Message]] = []
        self.cut: Cut | None = None
        self.codes: dict[str, str] = {}
        self.login: str | None = None
        self.dialogues = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.dialogues += 1
        if self.server.cut == "greeting":
            return
        self._say("220 ready")
        self.sender, self.to = "", list[str]()
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb in self.server.codes:
                self._say(self.server.codes[verb])
            elif not self._verb(verb, line):
                return

    def _verb(self, verb: str, line: str) -> bool:
        """Answers one line; False ends the conversation."""
        if self.server.cut == verb.lower():
            return False
        if verb == "DATA":
            self._say("354 go on")
            return self._text(self.sender, self.to)
        if verb == "MAIL":
            self.sender, self.to = line, []
        elif verb == "RCPT":
            self.to.append(line.partition(":")[2].strip("<> "))
        if verb == "EHLO" and self.server.login:
            self._say("250-ok")
            self._say(f"250 AUTH {self.server.login}")
            return True
        known = verb in ("EHLO", "HELO", "MAIL", "RCPT")
        self._say("250 ok" if known else "221 bye" if verb == "QUIT" else "502 what?")
        return verb != "QUIT"

    def _text(self, sender: str, to: list[str]) -> bool:
        if self.server.cut == "within":
            self.rfile.readline()
            return False
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if "END" in self.server.codes:
            self._say(self.server.codes["END"])
            return True
        self.server.taken.append((sender, to, message_from_bytes(b"".join(lines))))
        if self.server.cut == "after":
            return False
        self._say("250 taken")
        return True

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """The server, running."""
    with MailServer() as server:
        thread: Any = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
