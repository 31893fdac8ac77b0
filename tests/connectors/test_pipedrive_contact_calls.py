"""The exact calls about contacts to Pipedrive: address, query, body, tokens; one call each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from syncjob.connectors.base import Walk
from syncjob.connectors.pipedrive.connector import PipedriveConnector
from syncjob.core.actions import ContactChange, CrmContactDraft, MarkerChange
from syncjob.core.contacts.fields import encode_address
from syncjob.core.records import Address, CrmReference, FieldInfo, Option, Organisation
from syncjob.errors import Throttled

from .pipedrive_support import action_of, channel_for, options_for
from .test_pipedrive import DATE, PERSON, URL, listed

KEY, VAT, CURRENCY, STREET = (f"{n:040x}" for n in range(1, 5))
FIELDS = (
    FieldInfo(entity="organization", name="syncjob key", code=KEY, kind="varchar"),
    FieldInfo(entity="person", name="syncjob key", code=KEY, kind="varchar"),
    FieldInfo(entity="organization", name="VAT", code=VAT, kind="varchar"),
    FieldInfo(
        entity="organization", name="Currency", code=CURRENCY, kind="enum",
        options=(Option(id=7, label="EUR"),),
    ),
    FieldInfo(entity="organization", name="Street", code=STREET, kind="address"),
)  # fmt: skip
OWN = {"organization": {"tax_number": "VAT", "currency": "Currency", "street": "Street"}}
HOME = encode_address(Address(lines=("1 High St", "Unit 2"), city="York", country="UK"))
SINCE = datetime(2026, 2, 1, 10, 20, 30, 999_999, tzinfo=UTC)


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def connector() -> PipedriveConnector:
    options = options_for(URL, contact_fields=OWN)
    made = PipedriveConnector(options, channel_for(options))
    reference = CrmReference(organisation=Organisation(id="1", name="Acme"), fields=FIELDS)
    made.use(reference)
    return made


@pytest.mark.parametrize(
    ("payload", "method", "path", "body"),
    [
        (CrmContactDraft(kind="organization", marker="NW-L1", values={
            "name": "A", "postal": HOME, "tax_number": "1", "currency": "eur", "street": HOME}),
         "POST", "organizations",
         {"name": "A",
          "address": {"value": "1 High St, Unit 2, York, UK", "route": "1 High St",
                      "subpremise": "Unit 2", "locality": "York", "country": "UK"},
          "custom_fields": {VAT: "1", CURRENCY: 7, KEY: "NW-L1", STREET: {
              "value": "1 High St, Unit 2, York, UK", "route": "1 High St",
              "subpremise": "Unit 2", "locality": "York", "country": "UK"}}}),
        (CrmContactDraft(kind="person", marker="NW-L2", organization_id="org:5", values={
            "first_name": "Ann", "last_name": "Lee", "email": "a@x.test", "emails": "b@x.test",
            "phones": None}),
         "POST", "persons",
         {"first_name": "Ann", "last_name": "Lee", "org_id": 5, "phones": [],
          "emails": [{"value": "a@x.test", "primary": True, "label": "work"},
                     {"value": "b@x.test", "primary": False, "label": "work"}],
          "custom_fields": {KEY: "NW-L2"}}),
        (ContactChange(contact_id="org:5", values={"tax_number": None, "currency": None}),
         "PATCH", "organizations/5", {"custom_fields": {VAT: None, CURRENCY: None}}),
        (ContactChange(contact_id="org:5", values={"postal": None, "name": "B"}),
         "PATCH", "organizations/5", {"name": "B", "address": {"value": ""}}),
        (ContactChange(contact_id="person:7", values={"name": "Cher"}),
         "PATCH", "persons/7", {"name": "Cher"}),
        (MarkerChange(contact_id="person:7", marker="NW-P7"),
         "PATCH", "persons/7", {"custom_fields": {KEY: "NW-P7"}}),
    ],
)  # fmt: skip
def test_a_write_is_one_exact_call_of_five_tokens(
    connector: PipedriveConnector, payload: Any, method: str, path: str, body: Any
) -> None:
    (call,) = connector.prepare([action_of(payload)])
    request = call.request
    assert (request.method, request.url, request.cost) == (method, f"{URL}/api/v2/{path}", 5)
    assert json.loads(request.body) == body


def test_a_list_is_put_together_from_one_read_of_one_token(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    emails = [{"value": "a@x.test", "primary": True, "label": "billing"}]
    row = {"success": True, "data": {**PERSON, "emails": emails}}
    http.get(f"{URL}/api/v2/persons/7", json=row, headers=DATE)
    change = ContactChange(contact_id="person:7", values={"emails": "b@x.test"})
    (call,) = connector.prepare([action_of(change)])
    assert json.loads(call.request.body) == {
        "emails": [
            {"value": "a@x.test", "primary": True, "label": "billing"},
            {"value": "b@x.test", "primary": False, "label": "work"},
        ]
    }
    assert len(http.calls) == 1


def test_a_person_who_is_gone_is_changed_all_the_same_for_the_server_to_refuse(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    gone = {"success": False, "error": "Person not found", "code": "ERR_NOT_FOUND"}
    http.get(f"{URL}/api/v2/persons/7", json=gone, status=404, headers=DATE)
    change = ContactChange(contact_id="person:7", values={"phones": "1"})
    (call,) = connector.prepare([action_of(change)])
    assert json.loads(call.request.body)["phones"][0]["value"] == "1"


def test_a_read_that_is_throttled_stops_before_anything_is_written(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/persons/7", status=429, json={}, headers=DATE)
    change = ContactChange(contact_id="person:7", values={"phones": "1"})
    with pytest.raises(Throttled):
        connector.prepare([action_of(change)])


@pytest.mark.parametrize("stream", ["organizations", "persons"])
def test_a_walk_asks_for_whole_seconds_and_the_order_of_ids(
    http: responses.RequestsMock, connector: PipedriveConnector, stream: str
) -> None:
    rows = {"id": 1, "name": "A"}, {"id": 2, "name": "B"}
    http.get(f"{URL}/api/v2/{stream}", json=listed(rows[0], after="abc"), headers=DATE)
    http.get(f"{URL}/api/v2/{stream}", json=listed(rows[1]), headers=DATE)
    first, second = connector.changes(stream, Walk(since=SINCE))
    asked = [call.request.params for call in http.calls]  # type: ignore[attr-defined]
    plain = {"updated_since": "2026-02-01T10:20:30Z", "sort_by": "id", "limit": "500"}
    assert asked == [plain, {**plain, "cursor": "abc"}]
    assert (first.position, second.position) == ('{"cursor": "abc"}', None)
    assert first.started == second.started == datetime(2026, 3, 2, 12, tzinfo=UTC)
    prefix = "org" if stream == "organizations" else "person"
    assert [r.id for p in (first, second) for r in p.records] == [f"{prefix}:1", f"{prefix}:2"]


def test_made_contacts_are_looked_for_in_both_lists_and_never_by_the_search(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    mine = {"id": 5, "name": "A", "custom_fields": {KEY: "NW-L1"}}
    others = {"id": 6, "name": "NW-L1", "custom_fields": {KEY: "NW-L11"}}
    http.get(f"{URL}/api/v2/organizations", json=listed(mine, others), headers=DATE)
    http.get(f"{URL}/api/v2/persons", json=listed(), headers=DATE)
    found = connector.find("crm_contact.create", ["NW-L1", "NW-L2"], SINCE - timedelta(minutes=5))
    assert {marker: record.id for marker, record in found.items()} == {"NW-L1": "org:5"}
    assert len(http.calls) == 2
