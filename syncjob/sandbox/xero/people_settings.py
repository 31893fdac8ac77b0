"""What people change about the organisation itself and about the app's connection to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.xero.models import Account, Item, TaxRate
from syncjob.sandbox.xero.options import Limits
from syncjob.sandbox.xero.world import Organisation

if TYPE_CHECKING:
    from syncjob.sandbox.xero.server import XeroServer

Payload = dict[str, Any]
OrgAct = Callable[[Organisation, Payload], Any]


def _set_lock_date(org: Organisation, payload: Payload) -> Any:
    """`period` and `year` as days; null lifts a lock, a missing one stays."""
    for key, name in (("period", "period_lock"), ("year", "year_lock")):
        if key in payload:
            value = payload[key]
            setattr(org, name, None if value is None else date.fromisoformat(value))


def _archive_account(org: Organisation, payload: Payload) -> Any:
    account = org.account(str(payload["account"]))
    if account is None:
        raise ActError(f"no account {payload['account']!r}")
    return org.accounts.put(replace(account, status="ARCHIVED", updated=org.stamp()))


def _add_account(org: Organisation, payload: Payload) -> Any:
    kind = payload.get("type", "REVENUE")
    return org.accounts.put(
        Account(
            org.entropy.uuid(),
            str(payload["code"]),
            payload["name"],
            kind,
            payload.get("class", "REVENUE" if kind in ("REVENUE", "SALES") else "EXPENSE"),
            payload.get("tax_type", org.region.sales_tax),
            updated=org.stamp(),
        )
    )


def _add_tax_rate(org: Organisation, payload: Payload) -> Any:
    custom = sum(t.tax_type.startswith("TAX") for t in org.tax_rates) + 1
    code = payload.get("tax_type", f"TAX{custom:03d}")
    revenue, expenses = payload.get("revenue", True), payload.get("expenses", True)
    rate = TaxRate(payload["name"], code, Fraction(str(payload["percent"])), revenue, expenses)
    org.tax_rates.append(rate)
    return rate


def _retire_tax_rate(org: Organisation, payload: Payload) -> Any:
    status, wanted = payload.get("status", "ARCHIVED"), payload["tax_type"]
    org.tax_rates = [
        replace(t, status=status) if t.tax_type == wanted else t for t in org.tax_rates
    ]


def _enable_currency(org: Organisation, payload: Payload) -> Any:
    if payload["currency"] not in org.currencies:
        org.currencies.append(payload["currency"])


def _add_tracking(org: Organisation, payload: Payload) -> Any:
    category = {
        "Name": payload["name"],
        "Status": "ACTIVE",
        "TrackingCategoryID": org.entropy.uuid(),
        "Options": [
            {
                "TrackingOptionID": org.entropy.uuid(),
                "Name": name,
                "Status": "ACTIVE",
            }
            for name in payload["options"]
        ],
    }
    org.tracking.append(category)
    return category


def _add_item(org: Organisation, payload: Payload) -> Any:
    """An item of the price list that is bought and sold; `price` is what it is sold for."""
    price = payload.get("price")
    return org.items.put(
        Item(
            org.entropy.uuid(),
            str(payload["code"]),
            payload.get("name", ""),
            payload.get("description", ""),
            None if price is None else Fraction(str(price)),
            payload.get("account"),
            payload.get("tax_type"),
            org.stamp(),
        )
    )


def _add_theme(org: Organisation, payload: Payload) -> Any:
    theme = org.entropy.uuid()
    org.themes[theme] = payload["name"]
    return {"BrandingThemeID": theme, "Name": payload["name"]}


def _set_plan_cap(org: Organisation, payload: Payload) -> Any:
    org.plan_cap = payload["cap"]


def _set_tax_basis(org: Organisation, payload: Payload) -> Any:
    """`NONE` makes the organisation one that is not registered for sales tax."""
    org.tax_basis = payload["basis"]


def _rename_organisation(org: Organisation, payload: Payload) -> Any:
    org.name = payload["name"]


# --- the app's connection


def _disconnect(server: XeroServer, payload: Payload) -> Any:
    server.identity.disconnect(payload.get("client_id"))


def _reconnect(server: XeroServer, payload: Payload) -> Any:
    """Binds an app to another organisation, made in `region` if no `organisation` is named."""
    wanted, client_id = payload.get("organisation"), payload.get("client_id")
    if wanted:
        org = server.organisations[wanted]
    else:
        region = payload.get("region", server.options.region)
        org = server.add_organisation(region, payload.get("name", "Second Company"))
    client_id = client_id or server.options.client_id
    server.identity.disconnect(client_id)
    server.identity.connect(client_id, org.id, org.name)
    return {"organisation": org.id}


def _expire_tokens(server: XeroServer, payload: Payload) -> Any:
    server.identity.access.clear()
    if payload.get("refresh"):
        server.identity.refresh.clear()


def _set_scopes(server: XeroServer, payload: Payload) -> Any:
    client_id = payload.get("client_id", server.options.client_id)
    app = server.identity.apps[client_id]
    server.identity.apps[client_id] = replace(app, scopes=tuple(payload["scopes"]))


def _set_limits(server: XeroServer, payload: Payload) -> Any:
    """Any of minute, day, app_minute, concurrent; `{"off": true}` switches limits off."""
    server.set_limits(None if payload.get("off") else Limits(**payload))


SERVER_ACTS: dict[str, Callable[[XeroServer, Payload], Any]] = {
    "disconnect": _disconnect,
    "reconnect_other_organisation": _reconnect,
    "expire_tokens": _expire_tokens,
    "set_scopes": _set_scopes,
    "set_limits": _set_limits,
}
SETTINGS_ACTS: dict[str, OrgAct] = {
    "set_lock_date": _set_lock_date,
    "archive_account": _archive_account,
    "add_account": _add_account,
    "add_tax_rate": _add_tax_rate,
    "retire_tax_rate": _retire_tax_rate,
    "enable_currency": _enable_currency,
    "add_tracking": _add_tracking,
    "add_item": _add_item,
    "add_theme": _add_theme,
    "set_plan_cap": _set_plan_cap,
    "set_tax_basis": _set_tax_basis,
    "rename_organisation": _rename_organisation,
}
