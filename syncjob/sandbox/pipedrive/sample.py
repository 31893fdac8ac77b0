"""The sample firm in Pipedrive, its deals dated by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.pipedrive import acts
from syncjob.sandbox.story import (
    DEALS,
    ORGANIZATIONS,
    PERSONS,
    PIPELINES,
    PRODUCTS,
    USERS,
    Line,
    line_of,
)

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer


def fill(server: PipedriveServer) -> None:
    """Puts the sample firm into an empty company; the same for the same clock and seed."""
    company = server.company
    late, company.late = company.late, False
    try:
        _found(server)
        for deal in DEALS:
            _deal(server, *deal)
    finally:
        company.late = late


def _act(server: PipedriveServer, deed: str, /, **payload: Any) -> dict[str, Any]:
    return acts.act(server, deed, payload)


def _found(server: PipedriveServer) -> None:
    for name, email in USERS:
        _act(server, "create_user", name=name, email=email)
    for name, stages in PIPELINES:
        _act(server, "create_pipeline", name=name, stages=list(stages))
    _act(server, "create_field", kind="deals", name="PO number")
    _act(server, "create_field", kind="organizations", name="Billing e-mail")
    for n, (name, address, email) in enumerate(ORGANIZATIONS):
        fields = {"Billing e-mail": email}
        owner = USERS[n % 3][0]
        _act(server, "create_org", name=name, address=address, owner=owner, fields=fields)
    for name, org, email, phone in PERSONS:
        _act(server, "create_person", name=name, org=org, email=email, phone=phone)
    for name, code, price in PRODUCTS:
        _act(server, "create_product", name=name, code=code, price=price, tax=20)


def _deal(
    server: PipedriveServer,
    title: str,
    org: str | None,
    person: str | None,
    owner: int,
    pipeline: int,
    currency: str,
    status: str,
    days: int,
    lines: tuple[Line, ...],
) -> None:
    decided = int((server.company.clock.now() - timedelta(days=days)).timestamp())
    when = {f"{status}_time": decided} if status != "open" else {}
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
    times = {"add_time": decided - 14 * 86_400, "update_time": decided}
    server.company.change("deals", made["id"], times, bump=False)
