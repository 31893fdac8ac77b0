"""The sandbox's answers validate against the vendor's own OpenAPI file, where that is at hand."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from syncjob.sandbox.pipedrive import Options, sample, server

from .test_pipedrive import QUIET, World

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "pipedrive"
FILES = {2: SPECS / "v2-strict.yaml", 1: SPECS / "v1.yaml"}

# Beyond the repairs that made the file strict (csv parameters, nulls, closed bodies):
# a property under its parent, its repaired schema, and why the file is wrong about it.
REPAIRS: dict[str, tuple[Any, str]] = {
    "item.value": ({"type": "number", "nullable": True}, "deal values have cents; typed integer"),
    "item.code": ({"type": "string", "nullable": True}, "a SKU is a text everywhere else"),
    **{
        f"data.{kind}_id": (
            {"nullable": True},
            "a note hangs on one kind, its other links are null",
        )
        for kind in ("lead", "project", "task")
    },
    "user.icon_url": (
        {"type": "string", "nullable": True},
        "null elsewhere in v1 without a picture",
    ),
}
# Where our tables and the file's parameters differ, and why.
DIFFERENCES = {
    "person_id": "activities: read-only in v2, set through participants (facts: pipedrive, 1c)",
    "first_name": "persons: name or both parts (facts: pipedrive, 1c); not in the file",
    "last_name": "as first_name",
    "add_time": "accepted by the file on create only; the sandbox stamps by itself",
}


@lru_cache(maxsize=2)
def spec(version: int = 2) -> dict[str, Any]:
    if not FILES[version].is_file():
        pytest.skip("the vendor's OpenAPI file is not beside this checkout (../shared/specs)")
    yaml = pytest.importorskip("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(FILES[version].read_text(encoding="utf-8"), Loader=loader)
    return found


def resolved(node: Any, parent: str = "", version: int = 2) -> Any:
    """References put in place, examples left out, repairs applied."""
    if isinstance(node, list):
        return [resolved(n, parent, version) for n in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = spec(version)
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return resolved(target, parent, version)
    made = {
        k: resolved(v, parent, version)
        for k, v in node.items()
        if k not in ("example", "properties")
    }
    if "properties" in node:
        named = {k: REPAIRS.get(f"{parent}.{k}", (None,))[0] for k in node["properties"]}
        made["properties"] = {
            k: named[k] or resolved(v, k, version) for k, v in node["properties"].items()
        }
    return made


def check(path: str, method: str, status: int, body: Any, version: int = 2) -> None:
    validator = pytest.importorskip("openapi_schema_validator")
    responses = spec(version)["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path} answers {sorted(responses)}, not {status}"
    schema = schema_of(path, method, str(status), version)
    found = list(validator.OAS30Validator(schema).iter_errors(body))
    assert not found, [(list(e.absolute_path), e.message) for e in found[:5]]


@lru_cache(maxsize=64)
def schema_of(path: str, method: str, status: str, version: int) -> Any:
    response = resolved(spec(version)["paths"][path][method]["responses"][status], "", version)
    return response["content"]["application/json"]["schema"]


@pytest.fixture(scope="module")
def world() -> World:
    spec()
    made = World(Options(**{**QUIET, "null_share": 0.5}))
    sample.fill(made.server)
    parts = [{"amount": 10, "billing_date": "2026-05-01", "description": "First"}]
    made.act("add_installments", deal=1, installments=parts)
    made.act("add_discount", deal=1, type="percentage", amount=5, description="Loyal")
    people = [{"person_id": 1, "primary": True}]
    sent = {"subject": "Call", "deal_id": 1, "participants": people}
    made.data("POST", "activities", sent)
    made.act("create_field", name="Kind", type="enum", options=["a", "b"])
    made.act("archive_deal", deal=2)
    return made


READS = [
    ("/deals", "deals", {}),
    ("/deals", "deals", {"include_fields": "products_count,first_won_time", "limit": "3"}),
    ("/deals/archived", "deals/archived", {}),
    ("/deals/{id}", "deals/1", {}),
    ("/deals/products", "deals/products", {"deal_ids": "1,3"}),
    ("/deals/{id}/products", "deals/1/products", {}),
    ("/deals/{id}/discounts", "deals/1/discounts", {}),
    ("/deals/installments", "deals/installments", {"deal_ids": "1"}),
    ("/persons", "persons", {}),
    ("/persons/{id}", "persons/1", {}),
    ("/organizations", "organizations", {}),
    ("/organizations/{id}", "organizations/1", {}),
    ("/products", "products", {}),
    ("/products/{id}", "products/1", {}),
    ("/stages", "stages", {}),
    ("/pipelines", "pipelines", {}),
    ("/activities", "activities", {}),
    ("/dealFields", "dealFields", {"include_fields": "ui_visibility,required_fields"}),
    ("/personFields", "personFields", {}),
    ("/organizationFields", "organizationFields", {}),
    ("/productFields", "productFields", {}),
    ("/deals/search", "deals/search", {"term": "filter"}),
    ("/persons/search", "persons/search", {"term": "example"}),
    ("/organizations/search", "organizations/search", {"term": "har"}),
    ("/products/search", "products/search", {"term": "water"}),
]
WRITES = [
    ("post", "/deals", "deals", {"title": "T", "value": 10.5, "status": "won"}),
    ("patch", "/deals/{id}", "deals/3", {"status": "open"}),
    (
        "post",
        "/deals/{id}/products",
        "deals/3/products",
        {"product_id": 1, "item_price": 1, "quantity": 2},
    ),
    (
        "post",
        "/deals/{id}/discounts",
        "deals/3/discounts",
        {"type": "amount", "amount": 1, "description": ""},
    ),
    ("post", "/persons", "persons", {"name": "Zoë", "emails": [{"value": "z@x.example"}]}),
    ("patch", "/persons/{id}", "persons/1", {"phones": [{"value": "1"}]}),
    ("post", "/organizations", "organizations", {"name": "N", "address": {"value": "A"}}),
    ("patch", "/organizations/{id}", "organizations/1", {"name": "M"}),
    ("patch", "/organizations/{id}", "organizations/2", {"address": {"value": ""}}),
    (
        "patch",
        "/persons/{id}",
        "persons/2",
        {"first_name": "A", "last_name": "B", "emails": [], "phones": [{"value": "1"}]},
    ),
    ("post", "/products", "products", {"name": "P"}),
    ("post", "/activities", "activities", {"subject": "S", "type": "task"}),
    ("post", "/dealFields", "dealFields", {"field_name": "F", "field_type": "monetary"}),
    ("delete", "/deals/{id}", "deals/4", None),
]


@pytest.mark.parametrize(("path", "url", "query"), READS)
def test_reads_validate(world: World, path: str, url: str, query: dict[str, str]) -> None:
    reply = world.call("GET", url, **query)
    check(path, "get", reply.status, reply.json())


@pytest.mark.parametrize(("method", "path", "url", "body"), WRITES)
def test_writes_validate(world: World, method: str, path: str, url: str, body: Any) -> None:
    reply = world.call(method.upper(), url, body)
    check(path, method, reply.status, reply.json())


V1_CALLS = [
    ("get", "/users", "users", None),
    ("get", "/users/me", "users/me", None),
    ("get", "/users/{id}", "users/900001", None),
    ("get", "/currencies", "currencies", None),
    ("get", "/activityTypes", "activityTypes", None),
    ("post", "/notes", "notes", {"content": "x", "deal_id": 1, "org_id": 1, "person_id": 1}),
    ("get", "/notes", "notes", None),
]


@pytest.mark.parametrize(("method", "path", "url", "body"), V1_CALLS)
def test_v1_validates(world: World, method: str, path: str, url: str, body: Any) -> None:
    reply = world.call(method.upper(), f"/api/v1/{url}", body)
    check(path, method, reply.status, reply.json(), version=1)


def body_properties(operation: Any) -> set[str]:
    """All property names of a JSON body, through whatever composition."""
    content = resolved(operation.get("requestBody", {})).get("content", {})
    stack, found = [content.get("application/json", {}).get("schema", {})], set()
    while stack:
        node = stack.pop()
        found |= set(node.get("properties", ()))
        stack += [*node.get("allOf", ()), *node.get("oneOf", ()), *node.get("anyOf", ())]
    return found


def test_our_tables_name_what_the_file_names() -> None:
    """Each query parameter and body property of the file is in our table, and no other."""
    files = {re.sub(r"{[^}]*}", "#", p).strip("/"): p for p in spec()["paths"]}
    compared = 0
    for _, route in server._TABLES[2]:
        path = files[route.path.replace("*", "#")]
        operation = spec()["paths"][path][route.method.lower()]
        asked = [resolved(p) for p in operation.get("parameters", ())]
        named = {p["name"] for p in asked if p["in"] == "query"}
        assert set(route.params) == named, (path, set(route.params) ^ named)
        odd = set(route.body or ()) ^ body_properties(operation)
        assert odd <= set(DIFFERENCES), (route.method, path, odd)
        assert route.cost == operation["x-token-cost"], path
        compared += 1
    assert compared > 60
