"""The sample firm in HubSpot, its deals dated by the clock: the same month as in Pipedrive's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import acts
from syncjob.sandbox.story import (
    DEALS,
    ORGANIZATIONS,
    PERSONS,
    PIPELINES,
    PRODUCTS,
    USERS,
    Deal,
    line_of,
)

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

_OPEN_BEFORE = timedelta(days=14)


def fill(server: HubSpotServer) -> None:
    """Puts the sample firm into an empty account; the same for the same clock and seed."""
    store = server.store
    late, store.late = store.late, False
    try:
        _found(server)
        for deal in DEALS:
            _deal(server, deal)
    finally:
        store.late = late


def _act(server: HubSpotServer, deed: str, /, **payload: Any) -> dict[str, Any]:
    return acts.act(server, deed, payload)


def _found(server: HubSpotServer) -> None:
    for name, email in USERS:
        _act(server, "create_user", name=name, email=email)
    for name, stages in PIPELINES:
        _act(server, "create_pipeline", name=name, stages=list(stages))
    for percent, name in ((20, "VAT 20%"), (0, "No VAT")):
        _act(server, "create_tax_rate", percent=percent, name=name)
    _act(server, "create_field", kind="deals", name="PO number")
    _act(server, "create_field", kind="organizations", name="Billing e-mail")
    for n, (name, address, email) in enumerate(ORGANIZATIONS):
        fields = {"Billing e-mail": email}
        owner = USERS[n % len(USERS)][0]
        _act(server, "create_org", name=name, address=address, owner=owner, fields=fields)
    for name, org, email, phone in PERSONS:
        _act(server, "create_person", name=name, org=org, email=email, phone=phone)
    for name, code, price in PRODUCTS:
        _act(server, "create_product", name=name, code=code, price=price)


def _deal(server: HubSpotServer, deal: Deal) -> None:
    title, org, person, owner, pipeline, currency, status, days, lines = deal
    decided = server.store.clock.now() - timedelta(days=days)
    when = {f"{status}_time": decided.isoformat()} if status != "open" else {}
    reason = {"lost_reason": "Chose another supplier"} if status == "lost" else {}
    made = _act(
        server,
        "create_deal",
        title=title,
        org=org,
        person=person,
        owner=USERS[owner][0],
        pipeline=PIPELINES[pipeline][0],
        currency=currency,
        status=status,
        lines=[line_of(line, currency) for line in lines],
        fields={"PO number": f"PO-{4400 + len(title)}"} if org and days % 2 else {},
        **when,
        **reason,
    )
    record = server.store.at("deals", made["id"])
    assert record is not None
    created = int((decided - _OPEN_BEFORE).timestamp() * 1000)
    updated = int(decided.timestamp() * 1000)
    server.store.put(replace(record, created=created, updated=updated))
