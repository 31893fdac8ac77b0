"""Which accounts, and the credentials that open them: each tried as soon as it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.config.template import CRMS, CrmType, InFile
from syncjob.core.records import CrmReference, LedgerReference, Organisation
from syncjob.engine.firststeps.questions import Choice, Question, Said, Steps, one
from syncjob.engine.firststeps.shapes import address, xero_id
from syncjob.engine.firststeps.trying import Tried, options_of
from syncjob.errors import ConfigError, SyncJobError

LedgerKind = Literal["custom_connection", "authorization_code"]
_TITLES = {"pipedrive": "Pipedrive", "hubspot": "HubSpot", "xero": "Xero"}
_TOKEN_HELP = {
    "pipedrive": "An administrator's: Pipedrive > Personal preferences > API.",
    "hubspot": "A service key: HubSpot > Development > Keys > Service keys (docs/hubspot.md "
    "names the scopes to tick).",
}
_APP_HELP = (
    "From developer.xero.com > My Apps: a custom connection, with the scopes accounting.invoices,\n"
    "accounting.payments, accounting.contacts and accounting.settings.read."
)


class Outside(Protocol):
    """What the interview needs of the world."""

    env: Mapping[str, str]

    def try_side(self, options: CrmConfig | LedgerConfig) -> Tried: ...

    def consent(self, options: LedgerConfig) -> None:
        """A person lets the app in on the vendor's page. Raises AuthFailed, Unreachable."""


@dataclass
class Secret:
    """One credential: its variable, and its value if it is known; printed without it."""

    variable: str
    value: str = field(default="", repr=False)
    typed: bool = False

    def reference(self, *, in_files: bool) -> str | InFile:
        """What the config says instead of the value."""
        if in_files and self.value:
            return InFile(self.path)
        return f"${{{self.variable}}}"

    @property
    def path(self) -> str:
        return f"secrets/{self.variable.lower()}"


@dataclass(frozen=True)
class Addresses:
    """Where both vendors are reached: at their own addresses, or all at one `syncjob sandbox`."""

    sandbox: str | None = None

    def crm(self, crm: CrmType) -> str:
        return f"{self.sandbox}/{crm}" if self.sandbox else CRMS[crm].url

    @property
    def ledger(self) -> dict[str, str]:
        """What differs from Xero's own, by the config's keys."""
        if not self.sandbox:
            return {}
        xero = f"{self.sandbox}/xero"
        return {
            "api_url": f"{xero}/api.xro/2.0",
            "identity_url": f"{xero}/identity",
            "connections_url": f"{xero}/connections",
            "login_url": f"{xero}/identity/connect/authorize",
        }


@dataclass
class CrmAccess:
    """The CRM that one has; `reference` is None where its credentials are not known to work."""

    crm: CrmType
    url: str
    token: Secret
    reference: CrmReference | None = None
    failed: bool = False


@dataclass
class LedgerAccess:
    """The ledger that one has."""

    kind: LedgerKind
    client_id: Secret
    client_secret: Secret
    tenant_id: str | None = None
    reference: LedgerReference | None = None
    failed: bool = False


def crm_access(outside: Outside, addresses: Addresses) -> Steps[CrmAccess]:
    """Which CRM, at which address, with which token."""
    picks = tuple(Choice(crm, _TITLES[crm]) for crm in CRMS)
    which = Question("crm", "Which CRM", "one", default="pipedrive", choices=picks)
    crm: CrmType = "hubspot" if (yield from one(which)) == "hubspot" else "pipedrive"
    found = CrmAccess(crm, addresses.crm(crm), Secret(CRMS[crm].variable))
    first = True
    while True:
        if crm == "pipedrive" and not addresses.sandbox:
            found.url = yield from one(_where(found.url))
        yield from _secret(
            outside, found.token, "crm-token", _token_text(crm), _TOKEN_HELP[crm], first=first
        )
        if not found.token.value or found.url == CRMS["pipedrive"].url:
            yield Said(f"{_TITLES[crm]} is not tried yet: {_missing(found)} is still to be given.")
            return found
        key = "api_token" if crm == "pipedrive" else "access_token"
        tried = yield from _try(outside, crm, {"api_url": found.url, key: found.token.value})
        if tried and isinstance(tried.reference, CrmReference):
            found.reference = tried.reference
            yield Said(f"{_TITLES[crm]} opens: {_named(tried.reference.organisation)}.")
            return found
        if not (yield from _again()):
            found.failed = True
            return found
        first = False


def _where(url: str) -> Question:
    return Question(
        "crm-url", "Address of your Pipedrive account", default=url, shape=address,
        help="As in the browser, such as https://acme.pipedrive.com.",
    )  # fmt: skip


def _missing(found: CrmAccess) -> str:
    return "its token" if not found.token.value else "its address"


def _token_text(crm: CrmType) -> str:
    if crm == "pipedrive":
        return "Pipedrive API token"
    return "HubSpot service key, or token of a private app"


def ledger_access(outside: Outside, addresses: Addresses) -> Steps[LedgerAccess]:
    """How syncjob is let into Xero, and the app's id and secret."""
    kinds = (
        Choice("custom_connection", "a custom connection: an id and a secret"),
        Choice("authorization_code", "an app of your own, let in on Xero's page in a browser"),
    )
    asked = Question("xero", "How are you let into Xero", "one", "custom_connection", choices=kinds)
    custom = (yield from one(asked)) == "custom_connection"
    kind: LedgerKind = "custom_connection" if custom else "authorization_code"
    found = LedgerAccess(kind, Secret("XERO_CLIENT_ID"), Secret("XERO_CLIENT_SECRET"))
    first = True
    while True:
        yield from _secret(
            outside, found.client_id, "xero-id", "Client id of the Xero app", _APP_HELP,
            first=first, hidden=False,
        )  # fmt: skip
        yield from _secret(
            outside, found.client_secret, "xero-secret", "Secret of the Xero app", "", first=first
        )
        if not (found.client_id.value and found.client_secret.value):
            yield Said("Xero is not tried yet: the app's id or secret is still to be given.")
            return found
        if (yield from _opened(outside, found, addresses)):
            return found
        if not (yield from _again()):
            found.failed = True
            return found
        first = False


def _opened(outside: Outside, found: LedgerAccess, addresses: Addresses) -> Steps[bool]:
    """Try the app; the code flow leads through Xero's page first."""
    auth = {"kind": found.kind, "client_id": found.client_id.value}
    auth["client_secret"] = found.client_secret.value
    values: dict[str, Any] = {"auth": auth, **addresses.ledger}
    if found.kind == "authorization_code":
        options = options_of("xero", values)
        assert isinstance(options, LedgerConfig)
        try:
            outside.consent(options)
        except SyncJobError as error:
            yield _trouble(error)
            return False
    tried = yield from _try(outside, "xero", values, found)
    if tried is None or not isinstance(tried.reference, LedgerReference):
        return False
    found.reference = tried.reference
    organisation = tried.reference.organisation
    kind = "DEMO" if organisation.demo else "REAL"
    yield Said(f"Xero opens the books of {_named(organisation)}, {kind}.")
    return True


def _try(
    outside: Outside, name: str, values: dict[str, Any], ledger: LedgerAccess | None = None
) -> Steps[Tried | None]:
    """What these credentials open; None after saying what is wrong."""
    yield Said(f"Trying {_TITLES[name]} ...")
    try:
        tried = outside.try_side(options_of(name, values))
    except ConfigError as error:
        if ledger is None or ledger.tenant_id or ledger.kind == "custom_connection":
            yield _trouble(error)
            return None
        yield Said("\n".join(error.problems))
        which = Question("tenant", "The id of the organisation that is meant", shape=xero_id)
        ledger.tenant_id = (yield from one(which)) or None
        if ledger.tenant_id is None:
            return None
        return (yield from _try(outside, name, {**values, "tenant_id": ledger.tenant_id}, ledger))
    except SyncJobError as error:
        yield _trouble(error)
        return None
    for problem in tried.warnings:
        yield Said(f"{problem.what} {problem.fix}")
    return tried


def _trouble(error: SyncJobError) -> Said:
    what = "\n".join(error.problems) if isinstance(error, ConfigError) else error.what
    return Said(f"{what} {error.next_step}".strip(), bad=True)


def _secret(
    outside: Outside, secret: Secret, key: str, text: str, help: str, *, first: bool,
    hidden: bool = True,
) -> Steps[None]:  # fmt: skip
    """A credential from the environment if it is there, else typed, else left for later."""
    known = outside.env.get(secret.variable, "").strip()
    if known and first:
        secret.value, secret.typed = known, False
        yield Said(f"{text}: taken from {secret.variable} in the environment.")
        return
    later = f"{help}\nEnter: fill {secret.variable} in later." if help else ""
    given = yield from one(
        Question(key, text, "secret" if hidden else "text", alone="", help=later)
    )
    secret.value, secret.typed = given, bool(given)


def _again() -> Steps[bool]:
    question = Question(
        "again", "Try again (n: go on, and mend it later)", "yes", default="yes", alone="no"
    )
    return (yield from one(question)) == "yes"


def _named(found: Organisation) -> str:
    return ", ".join(part for part in (found.name, found.country, found.currency) if part)
