"""Messages as the engine sees them: what the journal freezes for one, and what an answer means.

It has the shape of a connector as far as the push asks for one, so that messages go through the
same door as every other write (DESIGN 3, push).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from syncjob.clock import Clock
from syncjob.connectors.base import AnyRecord, Capabilities, Prepared
from syncjob.core.actions import (
    Action,
    Message,
    NotDone,
    Outcome,
    Rejected,
    Stored,
    Unknown,
)
from syncjob.core.policy import Mode
from syncjob.core.policy_notices import Notices, is_address
from syncjob.core.records import Receiver
from syncjob.core.rules.texts import one_line, short
from syncjob.transport.exchange import Session
from syncjob.transport.mail import Server
from syncjob.transport.parse import excerpt
from syncjob.transport.post import HOOK, MAIL, OTHER, PostChannel
from syncjob.transport.wire import Answer, Door, Request


class PostOffice:
    """Where messages to people are made and their answers read."""

    name = "message"
    side: Receiver = "people"
    capabilities = Capabilities(
        idempotency="none", patience=timedelta(0), lookback=timedelta(0),
        batch={"message.send": 1}, get_batch={}, page_size={},
    )  # fmt: skip

    def __init__(self, policy: Notices) -> None:
        self._policy = policy

    def unfit(self, action: Action) -> Rejected | None:
        """An e-mail to somebody who has no address, or one that mail servers do not take."""
        message = _message(action)
        if message.way != "email" or is_address(message.to):
            return None
        words = f'"{short(one_line(message.to))}" is no e-mail address that mail servers take'
        return Rejected(
            code="no_email_address",
            words=f"{words}." if message.to else "this person has no e-mail address in the CRM.",
            field="email",
            next_step="Give the user an e-mail address in the CRM, or tell people by task.",
        )

    def prepare(self, actions: Sequence[Action]) -> list[Prepared]:
        return [Prepared(request=self._request(_message(a)), actions=(a,)) for a in actions]

    def outcomes(self, prepared: Prepared, answer: Answer) -> list[Outcome]:
        return [_outcome(answer, prepared.request.url) for _ in prepared.actions]

    def stored_form(self, action: Action) -> dict[str, str | None]:
        message = _message(action)
        return {"to": message.to or message.way, "subject": message.subject}

    def current_form(self, action: Action, record: AnyRecord) -> dict[str, str | None]:
        return self.stored_form(action)

    def _request(self, message: Message) -> Request:
        if message.way == "email":
            return self._mail(message)
        if message.way == "other":
            text = f"{message.subject}\n{message.text}"
            return Request(method="POST", url=f"{OTHER}:other", body=text.encode())
        return Request(
            method="POST", url=f"{HOOK}:{message.way}", body=_chat(message),
            headers=(("Content-Type", "application/json"),),
        )  # fmt: skip

    def _mail(self, message: Message) -> Request:
        """One e-mail; its Message-ID is made of the marker, so that a mail program that gets it
        twice by whatever accident shows it once."""
        sender = self._policy.ways.email.sender
        assert sender is not None  # the config names a way only where it is whole
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address("syncjob", addr_spec=sender)
        mail["To"] = message.to
        mail["Subject"] = message.subject
        digest = hashlib.sha256(message.marker.encode()).hexdigest()[:32]
        mail["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # no out-of-office answers (RFC 3834, 5)
        mail.set_content(message.text, cte="quoted-printable")
        headers = (("from", sender), ("to", message.to))
        return Request(
            method="POST", url=f"{MAIL}:email", headers=headers, body=mail.as_bytes(policy=SMTP)
        )


def post_channel(
    policy: Notices, *, mode: Mode, clock: Clock, door: Door, session: Callable[[], Session]
) -> PostChannel:
    """The channel for the ways that the config names."""
    ways = policy.ways
    hooks = {"slack": ways.slack, "teams": ways.teams, "other": ways.other}
    mail = ways.email
    server = None
    if mail.host:
        server = Server(mail.host, mail.port, mail.security, mail.user, mail.password)
    known = {way: secret for way, secret in hooks.items() if secret is not None}
    return PostChannel(
        mode=mode, clock=clock, door=door, server=server, hooks=known,
        session=session() if known else None,
    )  # fmt: skip


def _message(action: Action) -> Message:
    assert isinstance(action.payload, Message)
    return action.payload


def _chat(message: Message) -> bytes:
    """Slack's incoming webhooks take `text`; those of Teams' workflows an adaptive card."""
    if message.way == "slack":
        escaped = f"*{_slack(message.subject)}*\n{_slack(message.text)}"
        return json.dumps({"text": escaped}).encode()
    block = {"type": "TextBlock", "wrap": True}
    card = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {**block, "text": message.subject, "weight": "Bolder"},
            {**block, "text": message.text.replace("\n", "\n\n")},
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    attached = [{"contentType": kind, "content": card}]
    return json.dumps({"type": "message", "attachments": attached}).encode()


def _slack(text: str) -> str:
    """Slack's three characters with a meaning, so that a name cannot call the whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


#: Answers of a webhook that concern its address and not the message; 429 is "slower".
_CLOSED = frozenset({401, 403, 404, 410, 429})


def _outcome(answer: Answer, place: str) -> Outcome:
    """2xx: taken (250 is SMTP's). 4xx of a webhook and 5yz of a mail server: this message is
    refused; 4yz of a mail server, 429, and a webhook that is gone or forbidden: no message is
    taken now. A webhook's 5xx says nothing of what it did."""
    words = excerpt(answer.body) or f"it answers {answer.status}"
    mail = place.startswith(MAIL)
    if 200 <= answer.status < 300:
        return Stored(record=None)
    if (400 <= answer.status < 500) if mail else answer.status in _CLOSED:
        return NotDone(error=f"not now: {words}")
    if mail or answer.status < 500:
        return Rejected(
            code="message_refused", words=words,
            next_step="Correct notices.ways in the config, or the person's address in the CRM; "
            "`syncjob check` tries each way.",
        )  # fmt: skip
    return Unknown(error=f"it answers {answer.status}")
