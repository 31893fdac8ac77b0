"""Single calls of the Pipedrive connector: what leaves, what is believed of an answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import requests
import responses
from pydantic import ValidationError

from syncjob.connectors.base import Walk
from syncjob.connectors.pipedrive import codec, contacts, lines
from syncjob.connectors.pipedrive.client import V2Client
from syncjob.connectors.pipedrive.codec import Names
from syncjob.connectors.pipedrive.connector import PipedriveConnector
from syncjob.connectors.pipedrive.endpoints import token_cost, version_root
from syncjob.connectors.pipedrive.limits import limit_rules
from syncjob.connectors.ports import Ports
from syncjob.connectors.registry import open_side
from syncjob.core.actions import DealChange, NotDone, Rejected, Stored, Unknown
from syncjob.core.records import CrmReference, FieldInfo, Option, Organisation
from syncjob.errors import AuthFailed, RefusedAtDoor, SchemaDrift
from syncjob.transport.ports import Spent
from syncjob.transport.wire import Answer

from .pipedrive_support import TOKEN, OpenDoor, QuickClock, action_of, channel_for, options_for

URL = "https://acme.pipedrive.com"
DATE = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}
CODES = {name: f"{n:040x}" for n, name in enumerate(("status", "total", "paid", "where", "tags"))}

FIELDS = (
    FieldInfo(
        entity="deal", name="Invoice status", code=CODES["status"], kind="enum",
        options=(Option(id=7, label="Paid"), Option(id=8, label="held")),
    ),
    FieldInfo(entity="deal", name="Invoice total", code=CODES["total"], kind="monetary"),
    FieldInfo(entity="deal", name="Invoice paid", code=CODES["paid"], kind="double"),
    FieldInfo(entity="deal", name="Invoice note", code=CODES["where"], kind="address"),
    FieldInfo(
        entity="deal", name="PO", code=CODES["tags"], kind="set",
        options=(Option(id=1, label="a"), Option(id=2, label="b")),
    ),
    FieldInfo(entity="deal", name="Expected close date", code="expected_close_date", kind="date"),
    FieldInfo(entity="organization", name="syncjob key", code="f" * 40, kind="varchar"),
)  # fmt: skip
REFERENCE = CrmReference(
    organisation=Organisation(id="1", name="Acme"), fields=FIELDS, labels=(("3", "Hot"),)
)
DEAL: dict[str, Any] = {
    "id": 12, "title": "Chairs", "owner_id": 1, "person_id": 7, "org_id": 5, "pipeline_id": 1,
    "stage_id": 2, "value": 90.5, "currency": "EUR", "add_time": "2026-01-01T00:00:00Z",
    "update_time": "2026-02-01T10:20:30.000Z", "status": "won", "is_deleted": False,
    "is_archived": False, "won_time": "2026-02-01T10:20:29Z", "label_ids": [3, 4],
    "products_count": 2, "first_won_time": None, "expected_close_date": "2026-03-04",
    "custom_fields": {
        CODES["status"]: 7, CODES["total"]: {"value": 10.5, "currency": "EUR"},
        CODES["where"]: {"value": "Main St 1", "country": None}, CODES["tags"]: [2, 1],
    },
}  # fmt: skip
ROW: dict[str, Any] = {
    "id": 3, "sum": 27, "tax": 0, "deal_id": 12, "name": "Chair", "product_id": 1, "order_nr": 50,
    "comments": "", "currency": "EUR", "discount": 10, "discount_type": "percentage",
    "quantity": 3, "item_price": 10, "tax_method": "inclusive", "is_enabled": True,
    "billing_frequency": "one-time", "billing_frequency_cycles": None,
}  # fmt: skip
PERSON: dict[str, Any] = {
    "id": 7, "name": "Ann Lee", "first_name": "Ann", "last_name": "Lee", "org_id": 5,
    "update_time": "2026-02-01T10:20:30Z", "is_deleted": False, "custom_fields": {},
    "emails": [{"value": "a@x.test", "primary": True}], "phones": [],
    "postal_address": {"value": "Main St 123, York", "route": "Main St", "street_number": "123",
                       "locality": "York", "subpremise": "Unit 4"},
}  # fmt: skip


def exact(value: Any) -> Any:
    """As the wire gives it: fractions as Decimal."""
    return json.loads(json.dumps(value), parse_float=Decimal)


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def make(**changed: Any) -> PipedriveConnector:
    options = options_for(
        URL, inputs={"purchase_order": "PO", "invoice_date": "Expected close date"}, **changed
    )
    connector = PipedriveConnector(options, channel_for(options))
    connector.use(REFERENCE)
    return connector


@pytest.fixture
def connector() -> PipedriveConnector:
    return make()


@pytest.fixture
def names(connector: PipedriveConnector) -> Names:
    return connector._names()


def listed(*rows: Any, after: str | None = None) -> dict[str, Any]:
    return {"success": True, "data": list(rows), "additional_data": {"next_cursor": after}}


# --- what leaves --------------------------------------------------------------------------------


def test_the_token_goes_into_a_header_and_users_come_from_v1(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    me = {"id": 1, "company_id": 9, "company_name": "Acme", "timezone_name": "Europe/Tallinn"}
    http.get(f"{URL}/api/v1/users/me", json={"success": True, "data": me}, headers=DATE)
    assert connector.identity().time_zone == "Europe/Tallinn"
    request = http.calls[0].request
    assert request.headers["x-api-token"] == TOKEN and TOKEN not in str(request.url)


def test_a_walk_asks_for_whole_seconds_every_status_and_the_order_of_ids(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/deals", json=listed(), headers=DATE)
    since = datetime(2026, 2, 1, 10, 20, 30, 999_999, tzinfo=UTC)
    (page,) = connector.changes("deals", Walk(since=since))
    assert page.started == datetime(2026, 3, 2, 12, tzinfo=UTC)
    sent = http.calls[0].request.params  # type: ignore[attr-defined]
    assert sent["updated_since"] == "2026-02-01T10:20:30Z"
    assert (sent["sort_by"], sent["limit"]) == ("id", "500")
    assert sent["status"] == "open,won,lost,deleted"
    assert sent["include_fields"] == "products_count,first_won_time"


def test_a_write_is_one_exact_patch_of_our_fields(connector: PipedriveConnector) -> None:
    values = {"Invoice total": "0.10", "Invoice paid": "1234567890.01", "Invoice status": "paid"}
    change = DealChange(deal_id="12", fields={**values, "Invoice note": None}, currency="EUR")
    (call,) = connector.prepare([action_of(change)])
    request = call.request
    assert (request.method, request.url, request.cost) == ("PATCH", f"{URL}/api/v2/deals/12", 5)
    assert b'"value":0.10' in request.body and b"1234567890.01" in request.body
    custom = json.loads(request.body)["custom_fields"]
    assert custom[CODES["status"]] == 7 and custom[CODES["where"]] is None
    assert set(json.loads(request.body)) == {"custom_fields"}


def test_what_will_be_stored_is_spelled_as_the_account_spells_it(
    connector: PipedriveConnector, names: Names
) -> None:
    sent = {"Invoice status": "paid", "Invoice total": "10.50", "PO": "B, a", "Invoice note": " "}
    action = action_of(DealChange(deal_id="12", fields=sent, currency="EUR"))
    assert connector.stored_form(action) == {
        "Invoice status": "Paid", "Invoice total": "10.5", "PO": "b, a", "Invoice note": None,
    }  # fmt: skip
    now = connector.current_form(action, codec.to_deal(exact(DEAL), names))
    assert now == {**connector.stored_form(action), "Invoice note": "Main St 1"}


def test_a_change_without_fields_is_never_formed(connector: PipedriveConnector) -> None:
    """An empty custom_fields is said to clear every field of the record."""
    with pytest.raises(ValueError, match="changes nothing"):
        connector.prepare([action_of(DealChange(deal_id="12", fields={}))])


def test_calls_of_the_library_that_we_do_not_know_never_leave(
    connector: PipedriveConnector,
) -> None:
    client = V2Client(URL, channel_for(options_for(URL)))
    with pytest.raises(RefusedAtDoor):
        client.library.exchange_code("https://x.test", "code")
    with pytest.raises(RefusedAtDoor):
        client.library.deals.get_all_deals()
    with pytest.raises(RefusedAtDoor):
        client.form(client.library.deals.create_deal, {}, timeout=3)


@pytest.mark.parametrize(
    ("method", "path", "cost"),
    [
        ("GET", "deals", 10), ("GET", "deals/12", 1), ("GET", "deals/archived", 20),
        ("GET", "deals/products", 10), ("GET", "deals/12/discounts", 10), ("GET", "stages", 5),
        ("GET", "pipelines", 5), ("GET", "dealFields", 10), ("GET", "users", 20),
        ("GET", "users/me", 2), ("GET", "currencies", 20), ("PATCH", "deals/12", 5),
        ("POST", "activities", 5), ("POST", "dealFields", 5), ("GET", "persons/search", 20),
        ("GET", "organizations/9", 1), ("GET", "activities", 10),
    ],
)  # fmt: skip
def test_costs_are_those_of_the_vendors_own_file(method: str, path: str, cost: int) -> None:
    assert token_cost(method, path) == cost
    assert version_root(path) == ("api/v1/" if path[:2] in ("us", "cu") else "api/v2/")


# --- what is believed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [{"success": True, "data": None}, {"success": False, "data": []}, {"data": []}, [], None],
)
def test_an_answer_without_success_or_rows_is_no_empty_list(
    http: responses.RequestsMock, connector: PipedriveConnector, body: Any
) -> None:
    http.get(f"{URL}/api/v2/deals", json=body, headers=DATE)
    with pytest.raises(SchemaDrift):
        list(connector.changes("deals", Walk(since=None)))


def test_an_empty_list_may_be_null_where_it_says_that_it_is_a_list(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/deals", json={**listed(), "data": None}, headers=DATE)
    (page,) = connector.changes("deals", Walk(since=None))
    assert (page.records, page.position) == ((), None)


def test_an_answer_without_a_date_moves_no_cursor(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/deals", json=listed())
    with pytest.raises(SchemaDrift, match="Date"):
        list(connector.changes("deals", Walk(since=None)))


def test_a_server_that_repeats_its_cursor_is_not_followed_for_ever(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/deals", json=listed(after="same"), headers=DATE)
    with pytest.raises(SchemaDrift, match="twice"):
        list(connector.changes("deals", Walk(since=None)))
    assert len(http.calls) == 2


def test_one_unreadable_deal_stops_itself_only(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    bad = {**DEAL, "id": 13, "status": "frozen"}
    http.get(f"{URL}/api/v2/deals", json=listed(DEAL, bad, "?"), headers=DATE)
    (page,) = connector.changes("deals", Walk(since=None))
    assert [d.id for d in page.records] == ["12"]
    assert [(i, "frozen" in words) for i, words in page.drift] == [("13", True), ("?", False)]


def test_a_refused_list_is_an_error_and_a_forbidden_one_about_rights(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    http.get(f"{URL}/api/v2/deals", status=400, json={"success": False, "error": "Bad sort"})
    with pytest.raises(SchemaDrift, match="Bad sort"):
        list(connector.changes("deals", Walk(since=None)))
    no = {"success": False, "error": "No access"}
    http.replace(responses.GET, f"{URL}/api/v2/deals", status=403, json=no)
    with pytest.raises(AuthFailed, match="No access"):
        list(connector.changes("deals", Walk(since=None)))
    http.get(f"{URL}/api/v2/deals/12", status=403, json=no)
    assert connector.get("deals", ["12"]) == []
    capped = {**no, "error": "Upgrade", "code": "feature_capping_installments"}
    http.replace(responses.GET, f"{URL}/api/v2/deals", status=403, json=capped)
    with pytest.raises(AuthFailed, match="Upgrade") as refused:
        list(connector.changes("deals", Walk(since=None)))
    assert "crm.plan" in refused.value.next_step


# --- records ------------------------------------------------------------------------------------


def test_a_deal_says_everything_in_our_words(names: Names) -> None:
    deal = codec.to_deal(exact(DEAL), names)
    assert (deal.org_id, deal.person_id, deal.line_count) == ("org:5", "person:7", 2)
    assert deal.updated == datetime(2026, 2, 1, 10, 20, 30, tzinfo=UTC)
    assert deal.won_at == datetime(2026, 2, 1, 10, 20, 29, tzinfo=UTC)
    assert (deal.value, deal.labels) == (Decimal("90.5"), ("Hot", "4"))
    assert deal.page == f"{URL}/deal/12" and deal.lines is None
    assert deal.fields == {
        "Invoice status": "Paid", "Invoice total": "10.5", "Invoice paid": None,
        "Invoice note": "Main St 1", "PO": "b, a", "Expected close date": "2026-03-04",
    }  # fmt: skip


def test_a_won_deal_that_was_deleted_is_deleted(names: Names) -> None:
    assert codec.to_deal(exact({**DEAL, "is_deleted": True}), names).status == "deleted"


def test_a_persons_address_keeps_the_order_of_street_and_number(names: Names) -> None:
    person = contacts.to_person(PERSON, names)
    assert person.address and person.address.lines == ("Main St 123", "Unit 4")
    turned = {**PERSON["postal_address"], "value": "123 Main St, York"}
    person = contacts.to_person({**PERSON, "postal_address": turned}, names)
    assert person.address and person.address.lines[0] == "123 Main St"


@pytest.mark.parametrize("kind", ["deal", "row", "person", "organization"])
def test_each_value_dropped_nulled_or_retyped_is_read_or_named(kind: str, names: Names) -> None:
    """Whatever one value of a record becomes, the record is read, or SchemaDrift names the field;
    a product row becomes a line, with a doubt if need be."""
    item = exact({"deal": DEAL, "row": ROW}.get(kind, PERSON))
    read = {
        "deal": lambda i: codec.to_deal(i, names),
        "row": lines.to_line,
        "person": lambda i: contacts.to_person(i, names),
        "organization": lambda i: contacts.to_organization(i, names),
    }[kind]
    drifted = 0
    for key in item:
        for value in (None, "x", 1, -1, Decimal("0.5"), True, [], [1], {}, {"a": 1}, "dropped"):
            changed = copy.deepcopy(item)
            changed[key] = value
            if value == "dropped":
                del changed[key]
            try:
                record = read(changed)
            except SchemaDrift as error:
                drifted += 1
                assert error.what
            else:
                assert kind != "row" or record.doubt is None or record.doubt.strip()
    assert drifted > 10 or kind == "row"


@pytest.mark.parametrize("key", ["id", "status", "currency", "title"])
def test_what_makes_a_deal_a_deal_may_not_be_missing(key: str, names: Names) -> None:
    with pytest.raises(SchemaDrift, match=key):
        codec.to_deal({k: v for k, v in DEAL.items() if k != key}, names)


# --- product rows -------------------------------------------------------------------------------


def test_a_row_with_a_percentage() -> None:
    line = lines.to_line(exact(ROW))
    assert (line.net, line.discount_percent, line.doubt) == (27, 10, None)
    assert (line.billing, line.description, line.tax_method) == (None, None, "inclusive")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sum": 26}, "it should be 27"),
        ({"discount_type": "amount", "discount": 4, "sum": 25}, "it should be 26 or 18"),
        ({"discount_type": "amount", "discount": 4, "sum": None}, "no sum"),
        # 3 x 10 - 7.5 = 22.5 and (30 - 22.5) x 3 with tax of 200 % are the same sum.
        (
            {"discount_type": "amount", "discount": 7.5, "tax": 200, "tax_method": "exclusive",
             "sum": 22.5},
            "more than one reading fits",
        ),
        ({"quantity": "3"}, "cannot be read"),
        ({"discount_type": "bogo"}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_row_whose_sum_does_not_come_out_is_doubted(changed: dict[str, Any], words: str) -> None:
    line = lines.to_line(exact({**ROW, **changed}))
    assert line.doubt and words in line.doubt and line.discount_amount is None


def test_a_sum_may_hold_the_tax_and_the_line_does_not() -> None:
    row = exact({**ROW, "tax": 7, "tax_method": "exclusive", "sum": 28.89})
    line = lines.to_line(row)
    assert (line.net, line.doubt) == (27, None)


def test_a_discount_on_one_unit_is_the_same_either_way() -> None:
    row = exact({**ROW, "quantity": 1, "discount_type": "amount", "discount": 4, "sum": 6})
    line = lines.to_line(row)
    assert (line.net, line.discount_amount, line.doubt) == (6, 4, None)


def test_sums_are_rounded_to_the_currencys_own_cents() -> None:
    row = exact({**ROW, "currency": "JPY", "item_price": 33.5, "discount": 0, "sum": 101})
    assert lines.to_line(row).doubt is None
    assert lines.to_line({**row, "currency": "EUR"}).doubt is not None


def test_a_deal_that_counts_products_and_lists_none_is_doubted(
    http: responses.RequestsMock, connector: PipedriveConnector, names: Names
) -> None:
    http.get(f"{URL}/api/v2/deals/products", json=listed(), headers=DATE)
    (deal,) = connector.details([codec.to_deal(exact(DEAL), names)])
    assert deal.lines is not None and "counts 2 products" in (deal.lines[0].doubt or "")


def test_discounts_that_cannot_be_read_hold_their_own_deal(
    http: responses.RequestsMock, connector: PipedriveConnector, names: Names
) -> None:
    http.get(f"{URL}/api/v2/deals/products", json=listed(ROW), headers=DATE)
    odd = {"id": "u-1", "type": "coupon", "amount": 3, "description": ""}
    http.get(f"{URL}/api/v2/deals/12/discounts", json={"success": True, "data": [odd]})
    (deal,) = connector.details([codec.to_deal(exact(DEAL), names)])
    assert deal.lines and [bool(line.doubt) for line in deal.lines] == [False, True]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"success": True, "data": None}),
        (403, {"success": False, "error": "Not in your plan", "code": "feature_capping_deals"}),
        (404, {"success": False, "error": "Deal not found"}),
    ],
)
def test_discounts_that_pipedrive_does_not_give_hold_their_own_deal_and_no_other(
    http: responses.RequestsMock,
    connector: PipedriveConnector,
    names: Names,
    status: int,
    body: dict[str, Any],
) -> None:
    other = {**ROW, "id": 4, "deal_id": 13}
    http.get(f"{URL}/api/v2/deals/products", json=listed(ROW, other), headers=DATE)
    http.get(f"{URL}/api/v2/deals/12/discounts", json=body, status=status)
    deals = [codec.to_deal(exact({**DEAL, **at}), names) for at in ({}, {"id": 13, "value": 27})]
    held, good = connector.details(deals)
    assert held.lines and "discounts cannot be read" in (held.lines[-1].doubt or "")
    assert good.lines and not any(line.doubt for line in good.lines)


# --- answers to writes --------------------------------------------------------------------------


def outcome(connector: PipedriveConnector, status: int, body: Any, kind: str = "json") -> Any:
    change = DealChange(deal_id="12", fields={"Invoice status": "paid", "Invoice paid": "1"})
    (call,) = connector.prepare([action_of(change)])
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": f"application/{kind}" if kind == "json" else kind}
    (made,) = connector.outcomes(call, Answer(status=status, headers=headers, body=raw))
    return made


def refused(words: str, code: str = "ERR") -> dict[str, Any]:
    return {"success": False, "error": words, "code": code}


def test_a_refusal_says_the_fields_name_for_its_code(connector: PipedriveConnector) -> None:
    words = f"Validation failed: custom_fields.{CODES['paid']}: Expected number"
    made = outcome(connector, 400, refused(words))
    assert isinstance(made, Rejected) and made.field == "Invoice paid"
    assert "custom_fields.Invoice paid" in made.words and CODES["paid"] not in made.words


def test_a_refusal_that_names_no_field_names_none(connector: PipedriveConnector) -> None:
    made = outcome(connector, 400, refused("Nope"))
    assert (made.code, made.field, made.words) == ("refused", "", "Nope")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, refused("Deal not found"), "deal_gone"),
        (403, refused("Archived deal", "ERR_ARCHIVED"), "deal_archived"),
        (403, refused("You do not have permission"), "forbidden"),
        (403, refused("Cap", "feature_capping_deals_limit"), "plan_limit"),
        (402, refused("Payment required"), "account_closed"),
        (422, refused("Unprocessable"), "refused"),
    ],
)
def test_refusals_are_told_apart(
    connector: PipedriveConnector, status: int, body: Any, code: str
) -> None:
    assert outcome(connector, status, body).code == code


def test_only_the_record_itself_proves_a_write(connector: PipedriveConnector) -> None:
    good = {"success": True, "data": DEAL}
    assert type(outcome(connector, 200, good)).__name__ == "Stored"
    for body in ({**good, "data": {**DEAL, "id": 99}}, {**good, "data": {"id": 12}}, None):
        assert isinstance(outcome(connector, 200, body), Unknown)
    assert isinstance(outcome(connector, 403, b"<html>1015</html>", "text/html"), NotDone)
    assert isinstance(outcome(connector, 404, b"<html>no route</html>", "text/html"), Unknown)
    assert isinstance(outcome(connector, 302, b""), Unknown)
    assert isinstance(outcome(connector, 408, b'{"success": false}'), Unknown)


@pytest.mark.parametrize("custom", [{}, None])
def test_an_answer_without_custom_fields_does_not_say_that_they_are_empty(
    connector: PipedriveConnector, custom: Any
) -> None:
    made = outcome(connector, 200, {"success": True, "data": {**DEAL, "custom_fields": custom}})
    assert isinstance(made, Stored) and made.record is None
    made = outcome(connector, 200, {"success": True, "data": DEAL})
    assert isinstance(made, Stored) and made.record is not None


# --- the account --------------------------------------------------------------------------------

ACCOUNT: dict[str, Any] = {
    "v1/users/me": {"id": 1, "company_id": 9, "company_name": "Acme", "default_currency": "EUR",
                    "timezone_name": "Europe/Tallinn", "access": [{"app": "sales", "admin": True}]},
    "v1/users": [{"id": 1, "name": "Ann", "email": "a@x.test", "active_flag": True}],
    "v1/currencies": [{"id": 1, "code": "EUR", "active_flag": True},
                      {"id": 2, "code": "XTS", "active_flag": False}],
    "v2/pipelines": [{"id": 1, "name": "Sales"}, {"id": 2, "name": "Empty"}],
    "v2/stages": [{"id": 5, "name": "Won soon", "pipeline_id": 1}],
    "v2/dealFields": [
        {"field_name": "Label", "field_code": "label_ids", "field_type": "set",
         "options": [{"id": 3, "label": "Hot"}]},
        {"field_name": "Visible", "field_code": "visible_to", "field_type": "visible_to",
         "options": [{"id": "x", "label": "All"}]},
    ],
    "v2/organizationFields": [],
    "v2/personFields": [],
}  # fmt: skip


def serve(http: responses.RequestsMock, account: dict[str, Any]) -> None:
    http.assert_all_requests_are_fired = False
    for path, data in account.items():
        more = {"additional_data": {"next_cursor": None}} if path.startswith("v2") else {}
        http.get(f"{URL}/api/{path}", json={"success": True, "data": data, **more}, headers=DATE)


def test_the_reference_of_an_account(
    http: responses.RequestsMock, connector: PipedriveConnector
) -> None:
    serve(http, ACCOUNT)
    reference = connector.reference()
    assert (reference.labels, reference.currencies) == ((("3", "Hot"),), ("EUR",))
    assert [p.stages for p in reference.pipelines] == [(("5", "Won soon"),), ()]
    assert reference.fields[1].options == () and reference.users[0].email == "a@x.test"
    assert len(http.calls) == len(ACCOUNT)


@pytest.mark.parametrize("code", ["label_ids", "label"])
def test_labels_are_known_whichever_code_their_field_has(code: str) -> None:
    field = {**ACCOUNT["v2/dealFields"][0], "field_code": code}
    with responses.RequestsMock() as http:
        serve(http, {**ACCOUNT, "v2/dealFields": [field]})
        assert make().reference().labels == (("3", "Hot"),)


@pytest.mark.parametrize("path", [p for p, data in ACCOUNT.items() if data])
def test_an_account_that_reads_oddly_is_drift_and_no_crash(path: str) -> None:
    whole = ACCOUNT[path]
    item = whole if isinstance(whole, dict) else whole[0]
    for key in item:
        for value in (None, "x", 1, [], [1], {}, True):
            changed = {**item, key: value}
            data = changed if isinstance(whole, dict) else [changed, *whole[1:]]
            with responses.RequestsMock() as http:
                serve(http, {**ACCOUNT, path: data})
                try:
                    make().check()
                except SchemaDrift as error:
                    assert error.what


def test_the_factory_makes_a_connector_on_a_channel_of_its_own(
    http: responses.RequestsMock,
) -> None:
    serve(http, ACCOUNT)
    ports = Ports(
        clock=QuickClock(), session=requests.Session, tokens=Nothing(), budgets=Nothing(),
        door=OpenDoor(), mode="read_only", random=Random(1), new_key=lambda: "k",
    )  # fmt: skip
    opened = open_side(options_for(URL), ports)
    assert opened.connector.identity().name == "Acme"
    assert (opened.channel.usage().calls, opened.channel.usage().cost) == (1, 2)


class Nothing:
    """Tokens and budgets that nobody keeps."""

    def spend(self, key: str, window: str, seconds: float, amount: int, now: datetime) -> Spent:
        assert key == "pipedrive:acme.pipedrive.com"
        return Spent(used=amount, started_at=now)

    def note(
        self, key: str, window: str, remaining: int, now: datetime, reset: datetime | None = None
    ) -> None: ...

    def token(self, key: str) -> None: ...

    def save(self, key: str, token: object) -> None: ...

    def lock(self, key: str) -> Any: ...


# --- options and limits -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"api_url": "http://acme.pipedrive.com"}, "https"),
        ({"api_url": "https://acme.pipedrive.com?api_token=1"}, "no query"),
        ({"plan": "lite", "read_instalments": True}, "Growth"),
        ({"seats": 0}, "greater than or equal to 1"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_options_that_cannot_work_are_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        options_for(changed.pop("api_url", URL), **changed)


def test_an_address_with_the_version_in_it_means_the_account() -> None:
    assert options_for(f"{URL}/api/v2/").api_url == URL
    assert TOKEN not in repr(options_for(URL))


def test_links_lead_to_the_companys_pages_though_the_api_has_another_address() -> None:
    me = Organisation(id="1", name="Acme", short_code="acme-12")
    for api_url, page in (
        ("https://api.pipedrive.com", "https://acme-12.pipedrive.com/deal/12"),
        (URL, f"{URL}/deal/12"),
    ):
        connector = PipedriveConnector(options_for(api_url), channel_for(options_for(api_url)))
        connector.use(CrmReference(organisation=me))
        assert codec.to_deal(exact(DEAL), connector._names()).page == page


def test_the_limits_follow_plan_seats_and_share() -> None:
    rules = limit_rules(options_for(URL, plan="premium", seats=3, budget_share_percent=20))
    burst, day = rules.windows
    assert (burst.allowed, burst.seconds, burst.counts) == (90, 2, "calls")
    assert (day.allowed, day.counts, rules.headroom_percent) == (90_000, "cost", 0)
