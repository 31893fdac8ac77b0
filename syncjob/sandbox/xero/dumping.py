"""The whole truth of a Xero server as plain JSON: what a judge reads, without lag or nulls."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.xero.wire import num

if TYPE_CHECKING:
    from syncjob.sandbox.xero.server import XeroServer
    from syncjob.sandbox.xero.world import Organisation

_DERIVED = ("paid", "credited", "due", "discount")


def plain(value: Any) -> Any:
    """Money and quantities as text with up to 4 decimals, days and instants in ISO style."""
    if isinstance(value, Fraction):
        return str(num(value, 2 if (value * 100).denominator == 1 else 6))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if is_dataclass(value):
        shown = {f.name: plain(getattr(value, f.name)) for f in fields(value)}
        return shown | {n: plain(getattr(value, n)) for n in _DERIVED if hasattr(value, n)}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def dump_organisation(org: Organisation) -> dict[str, Any]:
    return {
        "id": org.id,
        "name": org.name,
        "country": org.region.country,
        "currency": org.region.currency,
        "today": org.today().isoformat(),
        "period_lock": plain(org.period_lock),
        "year_lock": plain(org.year_lock),
        "currencies": list(org.currencies),
        "accounts": [plain(a) for a in org.accounts],
        "tax_rates": [plain(t) for t in org.tax_rates],
        "items": [plain(i) for i in org.items],
        "contacts": [plain(c) for c in org.contacts],
        "invoices": [plain(d) for d in org.invoices],
        "credits": [plain(d) for d in org.credits],
        "payments": [plain(p) for p in org.payments],
        "templates": [plain(t) for t in org.templates],
        "emails": list(org.emails),
    }


def dump(server: XeroServer) -> dict[str, Any]:
    return {
        "organisations": [dump_organisation(o) for o in server.organisations.values()],
        "connections": [
            {"client_id": c.client_id, "tenant": c.tenant} for c in server.identity.connections
        ],
    }
