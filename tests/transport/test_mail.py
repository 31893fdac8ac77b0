"""E-mail over real SMTP: taken once, refused, or cut at each moment of the conversation."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from syncjob.transport import mail
from syncjob.transport.exchange import Lost, NeverLeft
from tests.transport.mailserver import Cut, MailServer, mail_server

TEXT = b"Subject: Hello\n\nfirst\n.\n.dots\n\nlast"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def _send(server: MailServer) -> int:
    where = mail.Server("127.0.0.1", server.port, "none", None, None)
    return mail.send(where, "a@example.com", ["b@example.com"], TEXT).status


def test_a_message_arrives_whole_and_once(server: MailServer) -> None:
    assert _send(server) == 250
    ((_, to, message),) = server.taken
    assert to == ["b@example.com"]
    assert message["Subject"] == "Hello"
    assert message.get_payload().replace("\r\n", "\n") == "first\n.\n.dots\n\nlast\n"


@pytest.mark.parametrize("cut", ["greeting", "rcpt", "data"])
def test_what_is_cut_before_the_text_never_left(server: MailServer, cut: Cut) -> None:
    server.cut = cut
    with pytest.raises(NeverLeft):
        _send(server)
    assert server.taken == []


def test_what_is_cut_at_the_goodbye_has_arrived(server: MailServer) -> None:
    server.cut = "quit"
    assert _send(server) == 250
    assert len(server.taken) == 1


@pytest.mark.parametrize("cut", ["within", "after"])
def test_what_is_cut_within_or_after_the_text_may_have_arrived(
    server: MailServer, cut: Cut
) -> None:
    server.cut = cut
    with pytest.raises(Lost):
        _send(server)


@pytest.mark.parametrize(
    ("verb", "answer", "code"),
    [
        ("MAIL", "550 not you", 550),
        ("RCPT", "550 nobody here", 550),
        ("DATA", "451 later", 451),
        ("END", "554 looks like spam", 554),
    ],
)
def test_a_refusal_is_the_answer(server: MailServer, verb: str, answer: str, code: int) -> None:
    server.codes[verb] = answer
    assert _send(server) == code
    assert server.taken == []


def test_a_server_that_is_not_there_or_knows_no_encryption_gets_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NeverLeft, match="cannot be talked to"):
        mail.send(mail.Server("127.0.0.1", port, "none", None, None), "a@b.c", ["d@e.f"], TEXT)


def test_no_encryption_where_it_is_asked_for_means_nothing_is_sent(server: MailServer) -> None:
    where = mail.Server("127.0.0.1", server.port, "starttls", None, None)
    with pytest.raises(NeverLeft):
        mail.send(where, "a@example.com", ["b@example.com"], TEXT)
    assert server.taken == []
