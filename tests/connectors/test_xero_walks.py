"""Reading Xero's lists: walks that lose nothing, look-ups, drift that is named, check, connect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.connect import Tenant, choose_tenant, tenants
from syncjob.core.records import Contact
from syncjob.errors import AuthFailed, ConfigError, Overflow, SchemaDrift

from .xero_kit import (
    NOW,
    ORGANISATION,
    ScriptedChannel,
    answer,
    asked,
    connector,
    contact_json,
    guid,
    invoice_json,
    options,
    page,
)

PAGES = Pages("!aBc1")
SINCE = datetime(2026, 11, 22, 8, 59, 59, 999_999, tzinfo=UTC)


def query(made: Any, number: int = 0) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(asked(made)[number].url).query).items()}


# --- walks ---------------------------------------------------------------------------------------


def test_a_walk_asks_for_pages_by_id_and_ends_by_the_page_count() -> None:
    made = connector(
        page("Invoices", [invoice_json(1)], 1, 2, 2), page("Invoices", [invoice_json(2)], 2, 2, 2)
    )
    walked = list(made.changes("invoices", Walk(since=SINCE)))
    assert [[r.id for r in p.records] for p in walked] == [[guid(1)], [guid(2)]]
    assert [p.position for p in walked] == ["2:2", None]
    assert {p.started for p in walked} == {NOW}
    assert query(made) == {
        "where": 'Type=="ACCREC"',
        "includeArchived": "true",
        "unitdp": "4",
        "order": "InvoiceID ASC",
        "page": "1",
        "pageSize": "1000",
    }
    headers = dict(asked(made)[0].headers)
    # Rounded down, and a second before: whether the very second counts is not documented.
    assert headers["If-Modified-Since"] == "2026-11-22T08:59:58"


def test_a_full_walk_sends_no_since_and_contacts_come_with_the_archived() -> None:
    made = connector(page("Contacts", [contact_json(1)]))
    list(made.changes("contacts", Walk(since=None)))
    assert "If-Modified-Since" not in dict(asked(made)[0].headers)
    assert query(made)["includeArchived"] == "true"
    assert query(made)["order"] == "ContactID ASC"


def test_a_broken_walk_goes_on_at_its_page_with_its_first_date() -> None:
    first = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    made = connector(page("Invoices", [invoice_json(2)], 2, 2, 2))
    [got] = made.changes("invoices", Walk(since=SINCE, position="2:2", started=first))
    assert (query(made)["page"], got.started, got.position) == ("2", first, None)


def test_a_list_that_shrinks_while_it_is_read_is_read_again() -> None:
    made = connector(
        page("Invoices", [invoice_json(1)], 1, 2, 1001),
        page("Invoices", [], 2, 1, 1000),
        page("Invoices", [invoice_json(1), invoice_json(3)], 1, 1, 1000),
    )
    walked = list(made.changes("invoices", Walk(since=SINCE)))
    assert [r.id for p in walked for r in p.records] == [guid(1), guid(1), guid(3)]
    endless = connector(*(page("Invoices", [], 1 + n % 2, 3, n) for n in range(101, 90, -1)))
    with pytest.raises(Overflow):
        list(endless.changes("invoices", Walk(since=SINCE, position="2:102")))


def test_a_short_page_is_not_the_last_one() -> None:
    made = connector(page("Payments", [], 1, 2, 1001), page("Payments", [], 2, 2, 1001))
    assert len(list(made.changes("payments", Walk(since=None)))) == 2


def test_not_modified_is_an_empty_last_page() -> None:
    [got] = connector(answer(b"", 304)).changes("credit_notes", Walk(since=SINCE))
    assert (got.records, got.position) == ((), None)


def test_one_unknown_word_sets_one_record_aside_and_not_its_page() -> None:
    rows = [invoice_json(1), invoice_json(2, Status="FROZEN"), invoice_json(3, Total="x"), 7]
    with pytest.raises(SchemaDrift):
        list(connector(page("Invoices", rows)).changes("invoices", Walk(since=None)))
    [got] = connector(page("Invoices", rows[:3])).changes("invoices", Walk(since=None))
    assert [r.id for r in got.records] == [guid(1)]
    assert [id for id, _ in got.drift] == [guid(2), guid(3)]
    assert "FROZEN" in got.drift[0][1]


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", {"Invoices": None}, {}, {"Invoices": [invoice_json(1)]}],
    ids=["html", "empty", "null", "missing", "no pagination"],
)
def test_an_answer_of_another_shape_stops_the_stream_and_invents_nothing(body: Any) -> None:
    with pytest.raises(SchemaDrift):
        list(connector(answer(body)).changes("invoices", Walk(since=None)))


def test_a_disconnected_organisation_stops_with_the_next_step() -> None:
    with pytest.raises(AuthFailed, match="syncjob connect xero"):
        list(connector(answer({}, 403)).changes("invoices", Walk(since=None)))


# --- by id and by marker -------------------------------------------------------------------------


def test_one_id_is_read_at_its_own_address() -> None:
    made = connector(answer({"Invoices": [invoice_json(1)]}))
    assert [r.id for r in made.get("invoices", [guid(1)])] == [guid(1)]
    assert asked(made)[0].url.endswith(f"/Invoices/{guid(1)}?unitdp=4")


def test_several_ids_come_in_lists_and_what_a_list_leaves_out_is_asked_for_alone() -> None:
    ids = [guid(n) for n in range(1, 43)]
    made = connector(
        page("Invoices", [invoice_json(n) for n in range(1, 40)]),
        page("Invoices", [invoice_json(41), invoice_json(42)]),
        answer(b"not found", 404),
    )
    got = made.get("invoices", ids)
    assert [r.id for r in got] == [i for i in ids if i != guid(40)]
    assert len(query(made)["IDs"].split(",")) == 40
    assert query(made)["page"] == "1"
    assert guid(40) in asked(made)[2].url


def test_a_record_that_cannot_be_read_is_not_gone() -> None:
    with pytest.raises(SchemaDrift, match="FROZEN"):
        connector(answer({"Invoices": [invoice_json(1, Status="FROZEN")]})).get(
            "invoices", [guid(1)]
        )


def test_invoices_are_found_by_marker_on_all_pages_the_dead_included() -> None:
    made = connector(
        page("Invoices", [invoice_json(1, Status="VOIDED"), invoice_json(5)], 1, 2, 4),
        page("Invoices", [invoice_json(2, Status="DELETED"), invoice_json(3, Url=None)], 2, 2, 4),
    )
    found = made.find("invoice.create", ["NW-1-A1", "NW-2-A1", "NW-3-A1", "NW-4-A1"], SINCE)
    assert sorted(found) == ["NW-1-A1", "NW-2-A1", "NW-3-A1"]
    assert query(made)["createdByMyApp"] == "true"
    assert "Reference" not in asked(made)[0].url


def test_of_two_with_one_marker_the_live_one_is_found() -> None:
    twin = invoice_json(1) | {"InvoiceID": guid(99)}
    made = connector(page("Invoices", [invoice_json(1, Status="VOIDED"), twin]))
    assert made.find("invoice.create", ["NW-1-A1"], SINCE)["NW-1-A1"].id == guid(99)


def test_a_strange_record_stops_a_look_up_only_if_it_may_be_ours() -> None:
    strange = invoice_json(1, Status="FROZEN")
    assert connector(page("Invoices", [strange])).find("invoice.create", ["NW-2-A1"], SINCE) == {}
    with pytest.raises(SchemaDrift):
        connector(page("Invoices", [strange])).find("invoice.create", ["NW-1-A1"], SINCE)


def test_contacts_are_found_by_their_number_the_archived_included() -> None:
    made = connector(page("Contacts", [contact_json(1, ContactStatus="ARCHIVED"), contact_json(2)]))
    found = made.find("contact.create", ["NW-O1"], SINCE)
    assert isinstance(found["NW-O1"], Contact)
    assert query(made)["includeArchived"] == "true"


# --- check and connect ---------------------------------------------------------------------------

SCOPE_MISSING = AuthFailed("Xero says that the token lacks a scope (401 insufficient_scope).")


def test_check_names_the_scope_that_is_missing_and_goes_on() -> None:
    ok = answer({"Accounts": []})
    made = connector(
        ok,
        ok,
        ok,
        SCOPE_MISSING,
        ok,
        ok,
        ok,
        answer({"Organisations": [ORGANISATION]}),
        known=False,
    )
    [problem] = made.check()
    assert "accounting.payments" in problem.fix
    assert "GET /Payments" not in problem.fix
    assert "Payments" in problem.where


def test_check_says_one_thing_when_nothing_can_be_read() -> None:
    made = connector(*[AuthFailed("invalid_client")] * 5, known=False)
    [problem] = made.check()
    assert (problem.where, problem.what) == ("ledger.auth", "invalid_client")


def test_check_finds_the_zone_and_all_is_well_otherwise() -> None:
    ok = answer({})
    lost = {"Organisations": [ORGANISATION | {"Timezone": "?"}]}
    [problem] = connector(*[ok] * 7, answer(lost), known=False).check()
    assert problem.where == "ledger.time_zone"
    assert connector(*[ok] * 7, answer({"Organisations": [ORGANISATION]})).check() == []


def test_check_warns_where_money_paid_ahead_cannot_be_seen() -> None:
    ok = answer({})
    found = [*[ok] * 6, SCOPE_MISSING, answer({"Organisations": [ORGANISATION]})]
    [problem] = connector(*found).check()
    assert not problem.fatal
    assert problem.where == "ledger.auth.scopes, GET Overpayments"


def test_the_organisations_of_a_consent() -> None:
    listed = [
        {"tenantId": "t-2", "tenantName": "Zeta", "tenantType": "ORGANISATION"},
        {"tenantId": "t-1", "tenantName": "Alpha", "tenantType": "ORGANISATION"},
        {"tenantId": "t-3", "tenantName": "Practice", "tenantType": "PRACTICE"},
    ]
    channel = ScriptedChannel(answer(listed))
    found = tenants(channel, options())
    assert [t.id for t in found] == ["t-1", "t-2"]
    assert channel.asked[0].url == "https://api.xero.com/connections"
    assert choose_tenant(found, "T-2").name == "Zeta"
    with pytest.raises(ConfigError, match="t-1"):
        choose_tenant(found, None)
    with pytest.raises(ConfigError, match="not among"):
        choose_tenant(found, "t-9")
    assert choose_tenant([Tenant(id="t", name="One")], None).id == "t"


def test_the_code_flow_names_its_organisation_in_each_request() -> None:
    listed = [{"tenantId": "t-2", "tenantName": "Zeta", "tenantType": "ORGANISATION"}]
    made = connector(
        answer(listed),
        page("Invoices", []),
        auth={"kind": "authorization_code"},
    )
    list(made.changes("invoices", Walk(since=None)))
    assert dict(asked(made)[1].headers)["xero-tenant-id"] == "t-2"


def test_the_capabilities_are_those_of_the_facts() -> None:
    facts = connector().capabilities
    assert facts.idempotency_key_length == 128
    assert facts.idempotency_lifetime.total_seconds() == 360
    assert facts.lookback > facts.patience
    singly = {"credit.create", "invoice.email"}
    assert {facts.batch[kind] for kind in singly} == {1}
    assert {size for kind, size in facts.batch.items() if kind not in singly} == {50}
