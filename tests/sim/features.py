"""What a world has switched on beside invoices, and the config that says so."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from tests.sim.crms import CRMS

Owner = Literal["crm", "ledger", "ask"]

#: The CRM has no fields of its own for these.
OWN_FIELDS = {"email": "Billing e-mail", "tax_number": "VAT number"}
#: Days after the win on which the parts of a schedule are made; the first comes with the win.
PART_DAYS = (0, 1, 3)
#: What of the whole the first two parts are, in percent, by their names in the marker.
PART_PERCENTS = {"B": 30, "C": 40}
#: What a deal comes to, at least, that is invoiced in parts.
IN_PARTS_FROM = 100
#: Days after the due date.
STEPS = (1, 7)


@dataclass(frozen=True)
class Features:
    """What is on. `contacts`: the owner of every field, or None for no contact sync."""

    contacts: Owner | None = None
    create_in_crm: bool = False
    schedule: bool = False
    templates: bool = False
    notices: bool = False
    credits: bool = False


PLAIN = Features()


#: What is on together. Few of all combinations, since each world is made anew once a process.
TOGETHER = (
    Features(contacts="crm"),
    Features(contacts="ledger", create_in_crm=True),
    Features(contacts="ask", create_in_crm=True),
    Features(contacts="ask", schedule=True),
    Features(schedule=True, notices=True),
    Features(schedule=True),
    Features(templates=True, notices=True),
    Features(templates=True, contacts="crm"),
    Features(credits=True, notices=True),
    Features(credits=True, schedule=True),
)
#: The share of worlds with something on.
SHARE = 0.4


def draw(rng: Random) -> Features:
    """What one world has on, mostly nothing."""
    return rng.choice(TOGETHER) if rng.random() < SHARE else PLAIN


def settings_for(
    base: str, mode: str, status: str, features: Features, crm: str = "pipedrive"
) -> dict[str, Any]:
    """A config as plain values."""
    settings: dict[str, Any] = {
        "connection": {"name": "sim", "code": "SJ", "page": None},
        "mode": mode,
        "crm": CRMS[crm].config(base),
        "ledger": {
            "type": "xero", "api_url": f"{base}/xero/api.xro/2.0",
            "identity_url": f"{base}/xero/identity",
            "connections_url": f"{base}/xero/connections",
            "auth": {"kind": "custom_connection", "client_id": "sandbox-custom",
                     "client_secret": "sandbox-secret"},
        },
        "invoices": {"won_since": "2026-11-01", "account": "200", "status": status,
                     "tax": {"amounts": "exclusive"}},
        "guard": {"creates_first_week": 1000, "creates": 1000, "updates": 10000,
                  "times_largest": 100_000},
        "schedule": {"archived_every_minutes": 1},
    }  # fmt: skip
    if features.contacts is not None:
        settings["crm"]["contact_fields"] = {"organization": dict(OWN_FIELDS)}
        settings["contacts"] = {
            "update": "owners", "which": "won", "create_in_crm": features.create_in_crm,
            "owners": dict.fromkeys(("name", "email", "tax_number"), features.contacts),
        }  # fmt: skip
    if features.schedule:
        settings["invoices"] |= {"schedules": [_schedule()], "deposit": {"progressive": True}}
    if features.templates:
        settings["invoices"]["recurring"] = "template"
    if features.notices:
        settings["notices"] = {"steps": list(STEPS), "paid": True, "by": ["task"]}
        settings["crm"]["timeline"] = ["created", "approved", "part_paid", "paid", "overdue"]
    return settings


def _schedule() -> dict[str, Any]:
    _, second, third = PART_DAYS
    return {
        "name": "thirds", "when": {"total_from": IN_PARTS_FROM},
        "parts": [
            {"name": "deposit", "percent": PART_PERCENTS["B"], "on": "win"},
            {"name": "delivery", "percent": PART_PERCENTS["C"], "on": f"+{second} days"},
            {"name": "balance", "rest": True, "on": f"+{third} days"},
        ],
    }  # fmt: skip
