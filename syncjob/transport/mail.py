"""One e-mail, sent once over SMTP: the only caller of smtplib, and who knows whether it left.

As in transport/exchange: a failure is `NeverLeft` (the server certainly has no whole message) or
`Lost` (it may have taken it). The end of the text is the moment between the two: before it no
server may deliver (RFC 5321, 4.1.1.4), after it only its answer tells.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from syncjob.transport.exchange import Lost, NeverLeft
from syncjob.transport.ports import Secret
from syncjob.transport.wire import Answer

#: Connecting and each answer; servers that look up their sender's name take half of this.
TIMEOUT_S = 60
_READY = 354
#: What smtplib raises before the text; the last is a name that the protocol cannot carry.
_FAILURES = (OSError, smtplib.SMTPException, UnicodeError)


class Server(NamedTuple):
    """Where e-mails go, and as whom; `password` hides itself when printed."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None
    password: Secret | None


def send(server: Server, sender: str, to: Sequence[str], message: bytes) -> Answer:
    """The server's last answer: 250 is taken, 4yz not now, 5yz never. Raises NeverLeft, Lost."""
    try:
        smtp = _connected(server)
    except _FAILURES as failure:
        raise NeverLeft(_words(failure)) from None
    try:
        refused = _begun(smtp, sender, to)
    except _FAILURES as failure:
        smtp.close()
        raise NeverLeft(_words(failure)) from None
    if refused is None:
        return _text(smtp, message)
    _leave(smtp)
    return refused


def _connected(server: Server) -> smtplib.SMTP:
    """A connection, encrypted as the config says, with the user logged in."""
    context = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user and server.password is not None:
            smtp.login(server.user, server.password.get_secret_value())
    except _FAILURES:
        smtp.close()
        raise
    return smtp


def _begun(smtp: smtplib.SMTP, sender: str, to: Sequence[str]) -> Answer | None:
    """Log in, sender and recipients; None when the server waits for the text, else its refusal."""
    smtp.ehlo_or_helo_if_needed()
    steps: list[Callable[[], tuple[int, bytes]]] = [partial(smtp.mail, sender)]
    steps += [partial(smtp.rcpt, one) for one in to]
    for step in steps:
        code, words = step()
        if not 200 <= code < 300:
            return _answer(code, words)
    code, words = smtp.docmd("DATA")
    return None if code == _READY else _answer(code, words)


def _text(smtp: smtplib.SMTP, message: bytes) -> Answer:
    """The text with its dots doubled and its end, then the answer; from here on it may be there."""
    lines = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    body = b"\r\n".join(b"." + line if line.startswith(b".") else line
                        for line in lines.split(b"\r\n"))  # fmt: skip
    try:
        smtp.send(body.removesuffix(b"\r\n") + b"\r\n.\r\n")
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as failure:
        smtp.close()
        raise Lost(_words(failure)) from None
    _leave(smtp)
    return _answer(code, words)


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye; the answer is known already, so what becomes of that does not matter."""
    try:
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def _answer(code: int, words: bytes) -> Answer:
    return Answer(status=code, headers={}, body=words)


def _words(failure: Exception) -> str:
    if isinstance(failure, smtplib.SMTPAuthenticationError):
        return "the mail server refuses the user or password"
    if isinstance(failure, UnicodeError):
        return "the host, user or password has characters that mail servers do not take"
    if isinstance(failure, smtplib.SMTPResponseException):
        return f"the mail server answers {failure.smtp_code}"
    return f"the mail server cannot be talked to ({type(failure).__name__})"
