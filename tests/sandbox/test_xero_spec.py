"""Answers of the sandbox Xero against the vendor's own OpenAPI file, where that is at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .xero_support import World, credit, invoice, line, template

SPEC = Path(__file__).resolve().parents[2] / "../shared/specs/xero/xero_accounting.yaml"
SPEC = Path(os.environ.get("XERO_SPEC", SPEC))
yaml = pytest.importorskip("yaml")
validation = pytest.importorskip("openapi_schema_validator")
referencing = pytest.importorskip("referencing")
jsonschema = pytest.importorskip("referencing.jsonschema")

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="the vendor's OpenAPI file does not lie beside this repository"
)

# Where the spec is stricter than the real Xero: each repair with its reason.
Schema = dict[str, Any]


def allow_nulls(schema: Schema) -> None:
    """Facts: xero, 7: no property is declared nullable, yet live Xero sends nulls in texts."""
    for inner in schema.get("properties", {}).values():
        if inner.get("type") == "string" and "enum" not in inner:
            inner["nullable"] = True


def defaults_are_booleans(schema: Schema) -> None:
    """Facts: xero, 7: 23 booleans have the text "false" as their default."""
    for inner in schema.get("properties", {}).values():
        if inner.get("type") == "boolean":
            inner.pop("default", None)


def types_of_credits(schemas: dict[str, Schema]) -> None:
    """The spec's own examples say RECEIVE-PREPAYMENT; both lists of types do so as well."""
    assert "RECEIVE-PREPAYMENT" in schemas["Prepayment"]["properties"]["Type"]["enum"]


EACH: tuple[Callable[[Schema], None], ...] = (allow_nulls, defaults_are_booleans)


@cache
def document() -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    spec = yaml.load(SPEC.read_text("utf-8"), Loader=loader)
    schemas = spec["components"]["schemas"]
    for schema in schemas.values():
        for repair in EACH:
            repair(schema)
    types_of_credits(schemas)
    return {"components": {"schemas": schemas}}


@cache
def validator(name: str) -> Any:
    resource = referencing.Resource.from_contents(
        document(), default_specification=jsonschema.DRAFT202012
    )
    registry = referencing.Registry().with_resource("urn:xero", resource)
    schema = {"$ref": f"urn:xero#/components/schemas/{name}"}
    return validation.OAS30Validator(schema, registry=registry)


def unknown_fields(value: Any, schema: Schema, at: str = "") -> Iterator[str]:
    """Fields that the spec does not name: an answer must not invent any."""
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        for inner in value:
            yield from unknown_fields(inner, schema.get("items", {}), at)
    elif isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield f"{at}.{key}"
            else:
                yield from unknown_fields(inner, schema["properties"][key], f"{at}.{key}")


# Fields of the spec's own examples that its schemas leave out.
IN_EXAMPLES_ONLY = {
    "Id", "Status", "ProviderName", "DateTimeUTC", "DateString", "DueDateString", "ID",
    "StatusAttributeString", "HasErrors", "HasValidationErrors", "ValidationErrors",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.put(
        "Contacts",
        {"Name": "Acme", "ContactNumber": "crm:1", "EmailAddress": "a@example.com"},
        {"Name": "Full", "PaymentTerms": {"Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"}},
         "ContactPersons": [{"FirstName": "Al"}], "Phones": [{"PhoneType": "DEFAULT"}]},
    )  # fmt: skip
    world.put("Items", {"Code": "HAT", "SalesDetails": {"UnitPrice": 1.5, "AccountCode": "200"}})
    world.put("Invoices", *[invoice(Status="AUTHORISED") for _ in range(6)])
    world.put("Invoices", invoice(line(DiscountRate=10)), invoice(line(AccountCode="999")))
    world.put("Contacts", {"Name": "ACME"})
    world.post(
        "Contacts",
        {"ContactNumber": "crm:1", "TaxNumber": "", "DefaultCurrency": "EUR",
         "Addresses": [{"AddressType": "STREET", "City": "Hull", "AttentionTo": "Cy"}],
         "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": "1"}],
         "ContactPersons": [{"LastName": "Bo", "IncludeInEmails": True}],
         "PaymentTerms": {"Bills": {"Day": 7, "Type": "OFFOLLOWINGMONTH"}}},
        {"ContactNumber": "crm:1", "ContactPersons": [{"EmailAddress": "nobody"}]},
    )  # fmt: skip
    world.act("add_tracking", name="Region", options=["North"])
    world.act("pay", invoice="INV-0001")
    world.act("credit", invoice="INV-0002", amount=10, total=20)
    world.act("refund_credit", credit="CN-0001", amount=5)
    world.act("allocate_prepayment", invoice="INV-0003", amount=10)
    world.act("allocate_overpayment", invoice="INV-0004", amount=10)
    world.act("set_expected_payment_date", invoice="INV-0005", date="2026-05-05")
    world.act("void", invoice="INV-0006")
    world.act("set_lock_date", period="2025-12-31")
    for path in (
        "Contacts", "Invoices", "Payments", "CreditNotes", "Prepayments", "Overpayments",
    ):  # fmt: skip
        world.get(path)
        world.get(path, page=1)
    for path in (
        "Organisation", "Accounts", "TaxRates", "Currencies", "BrandingThemes", "Items",
        "TrackingCategories", "Users", "Invoices/INV-0001", "Contacts/crm:1",
        "CreditNotes/CN-0001", "Invoices/INV-0002/OnlineInvoice",
    ):  # fmt: skip
        world.get(path)
    world.call("PUT", "Invoices", {"Invoices": [invoice(line(AccountCode="999"))]})
    made = world.put("RepeatingInvoices", template(), template(Schedule={"Period": 0}))
    world.get("RepeatingInvoices")
    world.get(f"RepeatingInvoices/{made[0]['RepeatingInvoiceID']}")
    world.act("approve_template", template=made[0]["RepeatingInvoiceID"])
    world.clock.advance(40 * 86_400)
    world.renew()
    world.get("Invoices", page=1)
    gone = {"RepeatingInvoiceID": made[0]["RepeatingInvoiceID"], "Status": "DELETED"}
    world.post("RepeatingInvoices", gone)
    world.put("CreditNotes", credit(), credit(Type="ACCPAYCREDIT"))
    return world


def test_the_validator_sees_what_is_wrong() -> None:
    for wrong in (
        {"Invoices": "x"},
        {"Invoices": [{"Type": "WEIRD"}]},
        {"Invoices": [{"AmountDue": "40.00"}]},
        {"Invoices": [{"Type": None}]},
    ):
        assert list(validator("Invoices").iter_errors(wrong))
    assert not list(validator("Invoices").iter_errors({"Invoices": [{"Reference": None}]}))


def test_every_answer_fits_the_spec(world: World) -> None:
    names = {"Organisation": "Organisations"}
    checked = 0
    for request, reply in world.replies:
        parts = request.path.split("2.0/")[1].split("/")
        name = names.get(parts[0], parts[0])
        name = "OnlineInvoices" if parts[-1] == "OnlineInvoice" else name
        name = "Error" if reply.status == 400 else name
        body = json.loads(reply.body)
        problems = [f"{e.json_path}: {e.message}" for e in validator(name).iter_errors(body)]
        assert problems == [], (request.method, request.path)
        schema = document()["components"]["schemas"][name]
        if name != "Error":
            strange = set(unknown_fields(body, schema))
            assert {s for s in strange if s.rpartition(".")[2] not in IN_EXAMPLES_ONLY} == set()
        checked += 1
    assert checked >= 30
