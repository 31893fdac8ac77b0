"""The whole interview: both accounts, which deals, how they are invoiced, who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from syncjob.config.template import Start, Word
from syncjob.engine.firststeps import rules, shapes
from syncjob.engine.firststeps.access import (
    Addresses,
    CrmAccess,
    LedgerAccess,
    Outside,
    Secret,
    crm_access,
    ledger_access,
)
from syncjob.engine.firststeps.questions import Choice, Question, Said, Steps, one


@dataclass
class Found:
    """What is to be written: the config's values, and the secrets that get files of their own."""

    start: Start
    secrets: tuple[Secret, ...]
    in_files: bool
    #: Both sides were opened with these credentials.
    opened: bool
    #: Credentials were tried and do not work.
    failed: bool

    @property
    def unset(self) -> list[str]:
        """The variables that the config reads and the environment of the next command lacks."""
        return [s.variable for s in self.secrets if (s.typed or not s.value) and not self._file(s)]

    def _file(self, secret: Secret) -> bool:
        return self.in_files and bool(secret.value)

    @property
    def files(self) -> dict[str, str]:
        """Path beside the config -> what the file holds."""
        return {s.path: s.value for s in self.secrets if self._file(s)}

    @property
    def session(self) -> dict[str, str]:
        """The variables as this session knows them."""
        return {s.variable: s.value for s in self.secrets if s.value}


def interview(outside: Outside, today: date, addresses: Addresses) -> Steps[Found]:
    """Ask all that a first config needs; nothing is written. `today` is offered as first day."""
    crm = yield from crm_access(outside, addresses)
    ledger = yield from ledger_access(outside, addresses)
    values: dict[str, Any] = yield from _connection()
    values |= yield from rules.which_deals(crm.reference, today)
    values |= yield from rules.lines(ledger.reference)
    values |= yield from rules.who_is_told(crm.reference)
    secrets = [crm.token, ledger.client_id, ledger.client_secret]
    monitor = yield from _monitor(outside)
    if monitor.value:
        secrets.append(monitor)
    in_files = yield from _place(secrets)
    if monitor.value:
        values["heartbeat"] = monitor.reference(in_files=in_files)
    yield Said("The mode is drafts_only: invoices stay drafts until you change that.")
    return _found(crm, ledger, values, addresses, tuple(secrets), in_files=in_files)


def _found(
    crm: CrmAccess, ledger: LedgerAccess, values: dict[str, Any], addresses: Addresses,
    secrets: tuple[Secret, ...], *, in_files: bool,
) -> Found:  # fmt: skip
    more: dict[str, Any] = {
        f"ledger_{key.removesuffix('_url')}": url for key, url in addresses.ledger.items()
    }
    start = Start(
        crm=crm.crm, crm_url=crm.url, crm_token=crm.token.reference(in_files=in_files),
        ledger_kind=Word(ledger.kind), ledger_id=ledger.client_id.reference(in_files=in_files),
        ledger_secret=ledger.client_secret.reference(in_files=in_files),
        tenant_id=ledger.tenant_id, **more, **values,
    )  # fmt: skip
    opened = crm.reference is not None and ledger.reference is not None
    return Found(start, secrets, in_files, opened, crm.failed or ledger.failed)


def _connection() -> Steps[dict[str, Any]]:
    name = Question("name", "Name of this connection", default="main", shape=shapes.name)
    code = Question(
        "code", "Code that begins every key of ours", default="SJ", shape=shapes.code,
        help="2 to 4 letters or digits; it stands in each reference, and never changes.",
    )  # fmt: skip
    return {"name": (yield from one(name)), "code": (yield from one(code))}


def _monitor(outside: Outside) -> Steps[Secret]:
    """A monitor says when batches stop, which they cannot say themselves."""
    found = Secret("SYNCJOB_HEARTBEAT", outside.env.get("SYNCJOB_HEARTBEAT", "").strip())
    if found.value:
        return found
    question = Question(
        "heartbeat", "Address of a monitor that raises the alarm when batches stop", "secret",
        shape=shapes.monitor, help="Such as a healthchecks server's; Enter: none yet.",
    )  # fmt: skip
    found.value = yield from one(question)
    found.typed = bool(found.value)
    return found


def _place(secrets: list[Secret]) -> Steps[bool]:
    """Whether secrets go into files; never into the config."""
    known = [secret for secret in secrets if secret.value]
    if not known:
        return False
    picks = (
        Choice("file", "files in secrets/ beside the config that only you can read (0600)"),
        Choice("environment", "the environment: you set " + ", ".join(s.variable for s in known)),
    )
    typed = any(secret.typed for secret in known)
    asked = Question(
        "secrets", "Where the config finds the secrets", "one", choices=picks,
        default="file" if typed else "environment",
    )  # fmt: skip
    return (yield from one(asked)) == "file"
