"""An account's names as tests of HubSpot's writes need them, and actions on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from syncjob.connectors.base import Prepared
from syncjob.connectors.hubspot import answers, writing
from syncjob.connectors.hubspot.fields import to_field
from syncjob.connectors.hubspot.names import Names
from syncjob.core.actions import Action, Outcome, Wave
from syncjob.core.references import FieldInfo
from syncjob.transport.wire import Answer, Request

#: A Sunday evening, in the middle of a quarter of an hour.
NOW = datetime(2026, 11, 22, 18, 7, 30, tzinfo=UTC)


def a_field(name: str, kind: str = "string", entity: str = "deal", **more: Any) -> FieldInfo:
    code = "syncjob_" + name.lower().replace(" ", "_")
    return to_field(entity, {"name": code, "label": name, "type": kind, **more})


STATUS = a_field(
    "Invoice status",
    "enumeration",
    options=[
        {"label": "awaiting payment", "value": "awaiting_payment"},
        {"label": "paid", "value": "paid"},
    ],
)
NAMES = Names(
    base="https://app.hubspot.com/contacts/4711",
    deal_fields={
        field.name: field
        for field in (
            STATUS,
            a_field("Invoice number"),
            a_field("Due", "number"),
            a_field("Due date", "date"),
            a_field("Synced", "datetime"),
            a_field("Muted", "bool"),
            a_field("Tags", "enumeration", fieldType="checkbox", options=[
                {"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}]),
        )
    },
    organization_marker=a_field("syncjob key", entity="organization", hasUniqueValue=True),
    person_marker=a_field("syncjob key", entity="person", hasUniqueValue=True),
    organization={
        "tax_number": a_field("VAT", entity="organization"),
        "email": a_field("Invoice mail", entity="organization"),
    },
    person={
        "street": a_field("Where", entity="person"),
        "phones": a_field("More", entity="person"),
    },
    titles={"closed_lost_reason": "Why lost", "amount": "Amount"},
    pipelines={"77": "sales"},
    zone="Europe/London",
)  # fmt: skip
HELD = {
    "organization": frozenset({"name", "phones", "postal", "tax_number", "email"}),
    "person": frozenset({"name", "first_name", "last_name", "email", "phones", "postal", "street"}),
}


def an_action(payload: Any, target: str = "x:1") -> Action:
    return Action(
        side="crm", wave=Wave.DEAL_STATUS, subject="deal:1", target=target, payload=payload,
        reason="a test",
    )  # fmt: skip


def prepared(*payloads: Any, now: dict[str, Any] | None = None) -> list[Prepared]:
    """The calls for these payloads; `now` are the contacts' present properties."""

    def form(path: str, body: dict[str, Any]) -> Request:
        url = f"https://api.test/crm/objects/2026-09/{path}"
        return Request(method="POST", url=url, body=msgspec.json.encode(body))

    actions = [an_action(payload, f"x:{place}") for place, payload in enumerate(payloads)]
    return writing.forms(actions, form, NAMES, lambda ids: now or {}, NOW)


def inputs(call: Prepared) -> list[dict[str, Any]]:
    return list(msgspec.json.decode(call.request.body)["inputs"])


def answered(
    call: Prepared, status: int, body: Any, kind: str = "application/json"
) -> list[Outcome]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answer = Answer(status=status, headers={"content-type": kind}, body=raw)
    return answers.outcomes(call, answer, NAMES)
