"""What is Xero's own in `syncjob connect xero`: the organisations that a person let us into."""

from __future__ import annotations

import msgspec

from syncjob.connectors.xero.options import XeroOptions
from syncjob.connectors.xero.values import Fields
from syncjob.errors import AuthFailed, ConfigError, SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Channel, Request


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One organisation that the app may open, as GET /connections lists it."""

    id: str
    name: str


def tenants(channel: Channel, options: XeroOptions) -> list[Tenant]:
    """The organisations of this consent, by name; a practice's own file is not one.

    Raises AuthFailed, Unreachable, Throttled, SchemaDrift. A custom connection may not ask.
    """
    request = Request(
        method="GET", url=options.connections_url, headers=(("Accept", "application/json"),)
    )
    answer = channel.read(request)
    listed = answer.json()
    if answer.status != 200 or not isinstance(listed, list):
        raise SchemaDrift(
            f"Xero did not list the connections ({answer.status}): {excerpt(answer.body)}",
            where=options.connections_url,
        )
    found = [Fields(item, "connection") for item in listed]
    named = [
        Tenant(id=item.need("tenantId"), name=item.text("tenantName") or "(no name)")
        for item in found
        if item.text("tenantType") == "ORGANISATION"
    ]
    return sorted(named, key=lambda tenant: (tenant.name, tenant.id))


def choose_tenant(found: list[Tenant], wanted: str | None) -> Tenant:
    """The organisation of the config, or the only one there is.

    Raises AuthFailed if the app is let into none any more, ConfigError if it must be told which.
    """
    if not found:
        raise AuthFailed(
            "Xero lets this app into no organisation: it was disconnected, or never connected.",
            where="ledger.auth",
            next_step="Run `syncjob connect xero` and choose the organisation there.",
        )
    if wanted is None and len(found) == 1:
        return found[0]
    chosen = [tenant for tenant in found if tenant.id.lower() == (wanted or "").lower()]
    if chosen:
        return chosen[0]
    names = "; ".join(f"{tenant.id} ({tenant.name})" for tenant in found)
    what = f"{wanted} is not among them" if wanted else "say which one is meant"
    raise ConfigError(
        [f"ledger.tenant_id: Xero lets this app into {len(found)} organisations; {what}: {names}"],
        next_step="Set ledger.tenant_id to one of these, or run syncjob connect xero again.",
    )
