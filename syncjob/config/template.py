"""The commented config that `syncjob init` writes and `config.example.yaml` shows."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

CrmType = Literal["pipedrive", "hubspot"]


class Word(str):
    """One of the words that a key takes: written without quotes."""


class InFile(msgspec.Struct, frozen=True):
    """A secret that stands in a file of its own: its path, relative to the config."""

    path: str


class _Crm(NamedTuple):
    """What the config of a CRM begins with: its address, and the variable of its token."""

    url: str
    variable: str


CRMS: dict[CrmType, _Crm] = {
    "pipedrive": _Crm("https://your-company.pipedrive.com", "PIPEDRIVE_API_TOKEN"),
    "hubspot": _Crm("https://api.hubapi.com", "HUBSPOT_ACCESS_TOKEN"),
}


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a new config is filled with; secrets are references and never stand in it. Without
    `crm_url` and `crm_token` the CRM's own address and the variable named after it."""

    won_since: date
    name: str = "main"
    code: str = "SJ"
    account: str = "200"
    crm: CrmType = "pipedrive"
    crm_url: str | None = None
    crm_token: str | InFile | None = None
    ledger_kind: Word = Word("custom_connection")
    ledger_id: str | InFile = "${XERO_CLIENT_ID}"
    #: None: an app with the code flow that has no secret (PKCE alone).
    ledger_secret: str | InFile | None = "${XERO_CLIENT_SECRET}"  # noqa: S105  a reference
    tenant_id: str | None = None
    ledger_api: str = "https://api.xero.com/api.xro/2.0"
    ledger_identity: str = "https://identity.xero.com"
    ledger_connections: str = "https://api.xero.com/connections"
    ledger_login: str = "https://login.xero.com/identity/connect/authorize"
    pipelines: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    without_owners: tuple[str, ...] = ()
    tracking_rules: tuple[dict[str, str], ...] = ()
    value_is: Word | None = None
    without_products: Word = Word("hold")
    amounts: Word = Word("exclusive")
    tax_rules: tuple[dict[str, str], ...] = ()
    steps: tuple[int, ...] = ()
    fallback: str | None = None
    heartbeat: str | InFile | None = None


def _example(crm: CrmType) -> Start:
    return Start(
        won_since=date(2026, 7, 1),
        crm=crm,
        crm_token=f"${{{CRMS[crm].variable}:-put-it-into-the-environment}}",
        ledger_id="${XERO_CLIENT_ID:-put-it-into-the-environment}",
        ledger_secret="${XERO_CLIENT_SECRET:-put-it-into-the-environment}",  # noqa: S106
    )


#: What the examples are made of: valid as they stand, and no deal is that old or that new.
EXAMPLE = _example("pipedrive")
EXAMPLE_HUBSPOT = _example("hubspot")


def render(start: Start) -> str:
    """The template with these values in it, each as quoted YAML text."""
    text = _part("template").replace("@@crm@@\n", _part(f"crm_{start.crm}"))
    known = CRMS[start.crm]
    values = {name: getattr(start, name) for name in start.__struct_fields__}
    values["crm_url"] = start.crm_url or known.url
    values["crm_token"] = start.crm_token or f"${{{known.variable}}}"
    # In one pass, so that a value that looks like a place is not taken for one.
    return re.sub(r"@(\w+)@", lambda found: _written(values[found[1]]), text)


def _part(name: str) -> str:
    return (files("syncjob.config") / f"{name}.yaml").read_text(encoding="utf-8")


def _written(value: object) -> str:
    """Text in double quotes (JSON's are YAML's), so that no value can change the file's shape."""
    if isinstance(value, InFile):
        return f"{{file: {json.dumps(value.path, ensure_ascii=False)}}}"
    if isinstance(value, Word | date):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_written(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    return "~" if value is None else json.dumps(value, ensure_ascii=False)
