"""The bodies that our connectors send, against the vendors' own OpenAPI files (where at hand)."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncjob.connectors.base import Prepared
from syncjob.core.actions import DealChange, MarkerChange, Task

from ..sandbox import test_pipedrive_spec as pipedrive_spec
from ..sandbox import test_xero_spec as xero_spec
from . import xero_kit
from .pipedrive_support import action_of
from .test_pipedrive import make

LINE = xero_kit.line(discount_percent=Decimal("12.5"), quantity=Decimal("0.3333"), item="HAT")


def xero_calls() -> list[Prepared]:
    made = xero_kit.connector()
    groups = (
        [xero_kit.create(1), xero_kit.create(2, lines=(LINE,))],
        [xero_kit.approve(1)],
        [xero_kit.delete(1)],
        [xero_kit.customer(1, address=xero_kit.ADDRESS, phone="+61 8 1", email="a@b.test")],
        [xero_kit.mark(1)],
    )
    return [call for group in groups for call in made.prepare(group)]


@pytest.mark.skipif(not xero_spec.SPEC.exists(), reason="Xero's file is not beside this checkout")
def test_what_xero_is_sent_fits_its_own_file_and_names_no_other_field() -> None:
    schemas = xero_spec.document()["components"]["schemas"]
    calls = xero_calls()
    for call in calls:
        plural = call.request.url.partition("?")[0].rpartition("/")[2]
        body = json.loads(call.request.body)
        problems = [
            f"{e.json_path}: {e.message}" for e in xero_spec.validator(plural).iter_errors(body)
        ]
        assert problems == []
        assert set(xero_spec.unknown_fields(body, schemas[plural])) == set()
    assert {c.request.method for c in calls} == {"PUT", "POST"} and len(calls) == 5


def pipedrive_calls() -> list[Prepared]:
    values = {"Invoice status": "Paid", "Invoice total": "10.50", "Invoice paid": "0.10"}
    payloads = (
        DealChange(deal_id="12", fields={**values, "PO": "a, b"}, currency="EUR"),
        DealChange(deal_id="12", fields=dict.fromkeys(values)),
        MarkerChange(contact_id="org:5", marker="NW-O5"),
        MarkerChange(contact_id="person:7", marker="NW-P7"),
        Task(
            marker="NW-1-A1", deal_id="12", owner_id="3", subject="S", note="a<b",
            due=date(2026, 3, 3), org_id="org:5", person_id="person:7",
        ),
    )  # fmt: skip
    return make().prepare([action_of(payload) for payload in payloads])


def test_what_pipedrive_is_sent_fits_its_own_file_which_takes_no_other_key() -> None:
    validation = pytest.importorskip("openapi_schema_validator")
    paths, calls = pipedrive_spec.spec()["paths"], pipedrive_calls()
    for call in calls:
        checker = validation.OAS30Validator(_schema(paths, call))
        found = checker.iter_errors(json.loads(call.request.body))
        assert [f"{e.json_path}: {e.message}" for e in found] == [], call.request.url
    strange = {**json.loads(calls[0].request.body), "valeu": 1}
    assert list(validation.OAS30Validator(_schema(paths, calls[0])).iter_errors(strange))
    assert len(calls) == 5


def _schema(paths: Any, call: Prepared) -> Any:
    """The schema of this call's body."""
    path = re.sub(r"/\d+", "/{id}", call.request.url.partition("/api/v2")[2])
    operation = pipedrive_spec.resolved(paths[path][call.request.method.lower()])
    return operation["requestBody"]["content"]["application/json"]["schema"]
