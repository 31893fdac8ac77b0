"""Who is told of overdue invoices, when, by which way, in which words: the config's `notices`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from syncjob.core.policy_base import Strict

#: How a person is told. A task stands in the CRM; the others are messages that leave.
Way = Literal["task", "email", "slack", "teams", "other"]

#: An address as every mail server takes it: ASCII, since the extension for others (RFC 6531) is
#: rare; RFC 5321, 4.5.3.1 bounds its length.
_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"
ADDRESS_LENGTH_MAX = 254

#: The CRM's own users have one, managers are named by it.
Email = Annotated[str, Field(pattern=_ADDRESS, max_length=ADDRESS_LENGTH_MAX)]

#: A webhook's address as far as it can be judged without a call.
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?")

#: Longest time after the due date at which a reminder may still be wanted.
STEP_DAYS_MAX = 365


def is_address(text: str) -> bool:
    """Whether mail can be sent there: the CRM's users write what they like."""
    return len(text) <= ADDRESS_LENGTH_MAX and re.fullmatch(_ADDRESS[1:-1], text) is not None


class MailServer(Strict):
    """The SMTP server that takes our e-mails; without a host there is none."""

    host: str | None = None
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: Email | None = None

    @model_validator(mode="after")
    def _whole(self) -> MailServer:
        if self.host and self.sender is None:
            raise ValueError("has a host but no sender")
        return self


class Ways(Strict):
    """Where messages go; a way that `notices.by` names must stand here (tasks need nothing)."""

    email: MailServer = MailServer()
    #: Incoming webhooks: their addresses are secrets.
    slack: SecretStr | None = None
    teams: SecretStr | None = None
    #: An address of the Apprise library, such as "ntfys://ntfy.sh/our-topic".
    other: SecretStr | None = None

    @field_validator("slack", "teams")
    @classmethod
    def _web_address(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _WEB_ADDRESS.fullmatch(secret.get_secret_value()):
            raise ValueError("is no web address; an incoming webhook's begins with https://")
        return secret

    def named(self) -> frozenset[str]:
        """The ways that are set up."""
        hooks = {"slack": self.slack, "teams": self.teams, "other": self.other}
        known = {way for way, secret in hooks.items() if secret is not None}
        return frozenset(known | {"email"} if self.email.host else known)


class Summary(Strict):
    """All that is overdue, by owner, for somebody who manages: e-mails on a day or daily."""

    to: tuple[Email, ...] = ()
    every: Literal["day", "week"] = "week"


class Operator(Strict):
    """Who is told when the sync itself is broken, once a day, and when it is well again."""

    to: tuple[Email, ...] = ()
    by: tuple[Literal["email", "slack", "teams", "other"], ...] = ("email",)
    hours_without_batch: int = Field(default=6, ge=1, le=168)
    #: A monitor's address that is pinged at a batch's start, success and failure; a secret.
    heartbeat: SecretStr | None = None

    @field_validator("heartbeat")
    @classmethod
    def _web_address(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _WEB_ADDRESS.fullmatch(secret.get_secret_value()):
            raise ValueError("is no web address; a monitor's begins with https://")
        return secret


class Notices(Strict):
    """Owner notices (BOOKKEEPING, "What the deal says"); without steps nobody is told."""

    #: Days after the due date; each is told once.
    steps: tuple[Annotated[int, Field(ge=1, le=STEP_DAYS_MAX)], ...] = ()
    paid: bool = False
    to: Literal["deal_owner", "account_owner", "both"] = "deal_owner"
    #: A CRM user by name or e-mail, for deals whose owner is missing or has left.
    fallback: str | None = None
    by: tuple[Way, ...] = ("task",)
    digest: bool = False
    weekdays_only: bool = False
    summary: Summary = Summary()
    operator: Operator = Operator()
    ways: Ways = Ways()
    subject: str = "{number} of {customer} is {days} overdue: {due}"
    text: str | None = None

    @field_validator("steps")
    @classmethod
    def _ascending(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(steps)) != len(steps):
            raise ValueError("names a day twice")
        return tuple(sorted(steps))

    @model_validator(mode="after")
    def _ways_known(self) -> Notices:
        named = {way for way in self.by if way != "task"} | (
            set(self.operator.by) if self.operator.to else set()
        )
        if self.summary.to:
            named.add("email")
        missing = sorted(named - self.ways.named())
        if missing:
            raise ValueError(f"tells people by {', '.join(missing)}, which notices.ways lacks")
        return self
