"""The commented config that `syncjob init` writes and `config.example.yaml` shows."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

import msgspec


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a new config is filled with; secrets are references and never stand in it."""

    won_since: date
    name: str = "main"
    code: str = "SJ"
    account: str = "200"
    crm_url: str = "https://your-company.pipedrive.com"
    crm_token: str = "${PIPEDRIVE_API_TOKEN}"  # noqa: S105  a reference, no secret
    ledger_id: str = "${XERO_CLIENT_ID}"
    ledger_secret: str = "${XERO_CLIENT_SECRET}"  # noqa: S105  a reference, no secret
    ledger_api: str = "https://api.xero.com/api.xro/2.0"
    ledger_identity: str = "https://identity.xero.com"
    ledger_connections: str = "https://api.xero.com/connections"
    ledger_login: str = "https://login.xero.com/identity/connect/authorize"


#: What config.example.yaml is made of: valid as it stands, and no deal is that old or that new.
EXAMPLE = Start(
    won_since=date(2026, 7, 1),
    crm_token="${PIPEDRIVE_API_TOKEN:-put-it-into-the-environment}",  # noqa: S106
    ledger_id="${XERO_CLIENT_ID:-put-it-into-the-environment}",
    ledger_secret="${XERO_CLIENT_SECRET:-put-it-into-the-environment}",  # noqa: S106
)


def render(start: Start) -> str:
    """The template with these values in it, each as quoted YAML text."""
    text = (files("syncjob.config") / "template.yaml").read_text(encoding="utf-8")
    for name, value in msgspec.structs.asdict(start).items():
        text = text.replace(f"@{name}@", _quoted(value))
    return text


def _quoted(value: str | date) -> str:
    """Text in double quotes (JSON's are YAML's), so that no value can change the file's shape."""
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
