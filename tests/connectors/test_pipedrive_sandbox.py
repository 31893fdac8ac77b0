"""The Pipedrive connector over HTTP against its sandbox: the contract, then what is its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.core.actions import DealChange, Move, NoteDraft, Rejected, Stored
from syncjob.core.needs import Needs
from syncjob.core.records import Deal
from syncjob.errors import AuthFailed, CursorTooOld, Throttled
from syncjob.sandbox.kernel import Fault
from syncjob.sandbox.pipedrive import activities

from .contract import ConnectorContract, ids_of, walked
from .pipedrive_support import NOON, PipedriveWorld, action_of


@pytest.fixture
def world() -> Iterator[PipedriveWorld]:
    made = PipedriveWorld()
    made.found_fields()
    yield made
    made.close()


@pytest.fixture
def connector(world: PipedriveWorld) -> Any:
    return world.connect()


class TestContract(ConnectorContract):
    """Everything that any connector must do."""


# --- walks --------------------------------------------------------------------------------------


def test_a_quiet_walk_costs_one_call_of_ten_tokens(world: PipedriveWorld, connector: Any) -> None:
    world.fill("deals", 3)
    connector.use(connector.reference())
    world.mark()
    walked(connector, "deals", Walk(since=NOON + timedelta(days=1)))
    assert [c.path for c in world.calls()] == ["/pipedrive/api/v2/deals"]


def test_deleted_and_archived_deals_are_seen_in_their_streams(
    world: PipedriveWorld, connector: Any
) -> None:
    gone, archived = (int(i) for i in world.fill("deals", 2))
    world.act("delete_deal", deal=gone)
    world.act("archive_deal", deal=archived)
    (seen,) = walked(connector, "deals", Walk(since=None))
    assert [(d.id, d.status) for d in seen.records] == [(str(gone), "deleted")]
    (seen,) = walked(connector, "archived_deals", Walk(since=None))
    assert [(d.id, d.archived) for d in seen.records] == [(str(archived), True)]


def test_a_cursor_that_is_not_taken_asks_for_a_full_walk(
    world: PipedriveWorld, connector: Any
) -> None:
    world.fill("deals", 1)
    for position in ('{"cursor": "bm9uc2Vuc2U"}', "no json", "{}"):
        with pytest.raises(CursorTooOld):
            walked(connector, "deals", Walk(since=None, position=position, started=NOON))


def test_a_deal_that_moves_during_the_walk_is_not_lost(
    world: PipedriveWorld, connector: Any
) -> None:
    made = world.fill("deals", 503)
    found: list[str] = []
    for page in connector.changes("deals", Walk(since=NOON)):
        found += ids_of([page])
        world.pass_time(5)
        world.touch("deals", made[0])
        world.touch("deals", made[-1])
    assert set(made) <= set(found)


# --- whole deals --------------------------------------------------------------------------------


def _lines(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"Thing {n}", "price": 10, "quantity": 2, **more} for n in range(count)]


def test_products_of_many_deals_come_in_bulk_over_all_pages(
    world: PipedriveWorld, connector: Any
) -> None:
    ids = [
        str(world.act("create_deal", title=f"D{n}", status="won", lines=_lines(6))["id"])
        for n in range(120)
    ]
    connector.use(connector.reference())
    world.mark()
    deals = connector.get("deals", ids)
    assert [d.id for d in deals] == ids
    assert {len(d.lines) for d in deals} == {6} and {d.discounts for d in deals} == {()}
    # 2 lists of deals; 100 deals x 6 rows need two pages, the other 20 one.
    assert [c.path.rpartition("/")[2] for c in world.calls()] == ["deals"] * 2 + ["products"] * 3


def test_details_of_walked_deals_cost_no_second_read_of_them(
    world: PipedriveWorld, connector: Any
) -> None:
    world.act("create_deal", title="With", status="won", lines=_lines(2))
    world.act("create_deal", title="Without", status="won", value=50)
    (page,) = walked(connector, "deals", Walk(since=None))
    world.mark()
    made = connector.details(page.records)
    assert [len(d.lines) for d in made] == [2, 0]
    assert [c.path for c in world.calls()] == ["/pipedrive/api/v2/deals/products"]


def test_only_enabled_rows_count_and_in_their_order(world: PipedriveWorld, connector: Any) -> None:
    deal = world.act("create_deal", title="D", lines=_lines(3))
    world.act("disable_line", line=deal["lines"][1]["id"])
    world.act("edit_line", line=deal["lines"][0]["id"], order_nr=9)
    (read,) = connector.get("deals", [str(deal["id"])])
    assert [line.name for line in read.lines] == ["Thing 2", "Thing 0"]
    assert read.value == sum(line.net for line in read.lines) == 40


@pytest.mark.parametrize("with_tax", [True, False])
@pytest.mark.parametrize("basis", ["unit", "line"])
@pytest.mark.parametrize("method", ["exclusive", "inclusive", "none"])
def test_a_discount_amount_is_read_as_the_account_means_it(
    basis: str, method: str, with_tax: bool
) -> None:
    world = PipedriveWorld(
        amount_discount=basis, tax_method=method, value_includes_tax=with_tax, null_share=0.0
    )
    try:
        row = {"quantity": 3, "discount": 4, "discount_type": "amount", "tax_percent": 20}
        deal = world.act("create_deal", title="D", lines=_lines(1, **row))
        (read,) = world.connect().get("deals", [str(deal["id"])])
    finally:
        world.close()
    (line,) = read.lines
    off = 12 if basis == "unit" else 4
    assert (line.doubt, line.discount_amount, line.net) == (None, off, 30 - off)
    assert (line.tax_percent, line.discount_percent) == (20, None)


def test_discounts_are_read_only_where_the_value_shows_some(
    world: PipedriveWorld, connector: Any
) -> None:
    plain = world.act("create_deal", title="Plain", lines=_lines(1))["id"]
    ten = {"type": "percentage", "amount": 10, "description": "Loyal"}
    less = world.act("create_deal", title="Less", lines=_lines(1), discounts=[ten])["id"]
    read = {d.id: d for d in connector.get("deals", [str(plain), str(less)])}
    assert read[str(plain)].discounts == ()
    (discount,) = read[str(less)].discounts
    assert (discount.percent, discount.amount, discount.description) == (10, None, "Loyal")
    assert sum(c.path.endswith("/discounts") for c in world.calls()) == 1


def test_instalments_and_product_codes_are_read_where_asked_for(world: PipedriveWorld) -> None:
    part = {"amount": 20, "billing_date": "2026-05-01", "description": "First"}
    line = {"name": "Chair", "code": "CH-1", "price": 20}
    ids = [
        str(world.act("create_deal", title=t, lines=[line], installments=[part])["id"])
        for t in ("A", "B")
    ]
    for deal in world.connect().get("deals", ids):
        assert deal.instalments is None and deal.lines[0].sku is None
    for deal in world.connect(read_instalments=True, needs=Needs(skus=True)).get("deals", ids):
        (instalment,) = deal.instalments
        assert (instalment.amount, instalment.due.isoformat()) == (20, "2026-05-01")
        assert deal.lines[0].sku == "CH-1"


def test_get_finds_archived_and_deleted_deals(world: PipedriveWorld, connector: Any) -> None:
    live, gone, archived = world.fill("deals", 3)
    world.act("delete_deal", deal=int(gone))
    world.act("archive_deal", deal=int(archived))
    read = {d.id: d for d in connector.get("deals", [live, gone, archived, "99999"])}
    assert {i: (d.status, d.archived) for i, d in read.items()} == {
        live: ("open", False),
        gone: ("deleted", False),
        archived: ("open", True),
    }


# --- contacts -----------------------------------------------------------------------------------


def test_contacts_come_in_bulk_with_what_an_invoice_needs(
    world: PipedriveWorld, connector: Any
) -> None:
    org = world.act("create_org", name="Chop-suey Chinese", address="Hauptstr. 29, Bern")["id"]
    lost = world.act("create_org", name="Gone Ltd")["id"]
    emails = [{"value": "b@x.test", "primary": False}, {"value": "a@x.test", "primary": True}]
    who = {"name": "Yang Wang", "emails": emails, "phones": [{"value": "", "primary": True}]}
    person = world.act("create_person", org_id=org, **who)["id"]
    world.act("delete_org", org=lost)
    connector.use(connector.reference())
    world.mark()
    wanted = [f"person:{person}", f"org:{lost}", f"org:{org}", "org:4711"]
    read = connector.get("contacts", wanted)
    assert [c.id for c in read] == wanted[:3]
    yang, gone, chop = read
    assert yang.emails == ("a@x.test", "b@x.test") and yang.phones == ()
    assert yang.organization_id == f"org:{org}" and yang.kind == "person"
    assert gone.deleted and not chop.deleted
    assert chop.address and chop.address.text == "Hauptstr. 29, Bern"
    assert chop.page == f"{world.api_url}/organization/{org}"
    # One list of organizations, the two it leaves out singly, one person singly.
    assert [c.path.split("/v2/")[1] for c in world.calls()] == [
        "organizations", f"organizations/{lost}", "organizations/4711", f"persons/{person}",
    ]  # fmt: skip


# --- the account --------------------------------------------------------------------------------


def test_the_reference_takes_eight_calls_and_knows_the_account(
    world: PipedriveWorld, connector: Any
) -> None:
    reference = connector.reference()
    assert len(world.calls()) == 8
    assert reference.organisation.id == "7654321"
    assert reference.organisation.time_zone == "Europe/London"
    assert reference.pipelines[0].stages[0][1] == "Qualified"
    assert "GBP" in reference.currencies and reference.users[0].active
    status = next(f for f in reference.fields if f.name == "Invoice status")
    assert status.options[0].label == "not invoiced" and len(status.code) == 40


def test_init_creates_what_is_missing_and_check_is_content_afterwards() -> None:
    world = PipedriveWorld()
    try:
        connector = world.connect()
        wishes = connector.missing_fields(connector.reference())
        assert len(wishes) == 15 and world.writes() == 0
        assert len({p.where for p in connector.check()}) == len(wishes)
        assert all(" " in wish.purpose for wish in wishes)  # words, not keys of the config
        for request in connector.create_fields(wishes):
            assert world.send_request(request).status in (200, 201)
        assert connector.missing_fields(connector.reference()) == []
        assert connector.check() == []
    finally:
        world.close()


def test_check_names_fields_that_do_not_fit(world: PipedriveWorld, connector: Any) -> None:
    world.act("create_field", name="Invoice note")
    world.act("create_field", name="Colour", type="enum", options=["red"])
    world.act("create_field", name="Day", type="date")
    names = {"status": "Colour", "total": "Day", "number": "Title"}
    found = {p.where: p.what for p in world.connect(fields=names).check()}
    assert "2 deal fields" in found["crm.fields.reason"]
    assert "lacks the options" in found["crm.fields.status"]
    assert "of type date" in found["crm.fields.total"]
    assert "Pipedrive itself" in found["crm.fields.number"]
    assert "crm.fields.link" not in found


def test_check_warns_of_a_token_that_does_not_see_everything(world: PipedriveWorld) -> None:
    user = world.act("create_user", name="Sam", email="sam@x.test", admin=False)
    token = world.act("regenerate_token", user=user["id"])["api_token"]
    (problem,) = world.connect(token=token).check()
    assert problem.where == "crm.api_token" and not problem.fatal


def test_a_wrong_token_and_a_firewall_each_say_what_they_are(world: PipedriveWorld) -> None:
    with pytest.raises(AuthFailed) as refused:
        world.connect(token="wr0ng-t0ken-wr0ng-t0ken").identity()
    assert "wr0ng" not in str(refused.value)
    page = "<html><title>Access denied | Cloudflare</title></html>"
    world.faults.add(Fault("html", status=403, body=page, times=9))
    with pytest.raises(Throttled) as banned:
        world.connect().identity()
    assert "Access denied" in str(banned.value)


# --- fields and writes --------------------------------------------------------------------------


def _write(world: PipedriveWorld, connector: Any, deal: Any, **fields: str | None) -> Any:
    named = {name.replace("_", " "): value for name, value in fields.items()}
    change = DealChange(deal_id=str(deal), fields=named, currency="GBP")
    (call,) = connector.prepare([action_of(change)])
    (outcome,) = connector.outcomes(call, world.send(call))
    return outcome


def test_fields_are_written_by_type_and_read_back_as_text(
    world: PipedriveWorld, connector: Any
) -> None:
    (deal,) = world.fill("deals", 1)
    sent = {"Invoice_status": "paid", "Invoice_total": "1234.50", "Invoice_paid": "0.10"}
    sent |= {"Invoice_paid_on": "2026-03-01", "Invoice_number": "INV-007"}
    outcome = _write(world, connector, deal, **sent)
    assert isinstance(outcome, Stored) and isinstance(outcome.record, Deal)
    (read,) = connector.get("deals", [deal])
    for now in (outcome.record, read):
        assert now.fields["Invoice total"] == "1234.5" and now.fields["Invoice paid"] == "0.1"
        assert now.fields["Invoice status"] == "paid" and now.fields["Invoice due"] is None
        assert now.fields["Invoice paid on"] == "2026-03-01"
    stored = world.server.dump()["deals"][deal]["custom_fields"].values()
    assert {"value": 1234.5, "currency": "GBP"} in stored
    _write(world, connector, deal, Invoice_total=None)
    (read,) = connector.get("deals", [deal])
    assert read.fields["Invoice total"] is None and read.fields["Invoice status"] == "paid"


def test_money_that_is_only_read_says_its_currency_where_it_is_not_the_deals(
    world: PipedriveWorld,
) -> None:
    """What we write stays as written: it would be taken for a person's edit."""
    world.act("create_field", name="Freight", type="monetary")
    freight = {"value": 12.5, "currency": "GBP"}
    deal = world.act("create_deal", title="D", currency="GBP", fields={"Freight": freight})["id"]
    connector = world.connect(needs=Needs(fields=("Freight", "Invoice total")))
    _write(world, connector, deal, Invoice_total="7.50")
    seen = []
    for currency in ("GBP", "USD"):
        world.act("edit_deal", deal=deal, currency=currency)
        (read,) = connector.get("deals", [str(deal)])
        seen.append((read.currency, read.fields["Freight"], read.fields["Invoice total"]))
    assert seen == [("GBP", "12.5", "7.5"), ("USD", "12.5 GBP", "7.5")]


def test_a_write_never_touches_the_value_of_the_deal(world: PipedriveWorld, connector: Any) -> None:
    deal = world.act("create_deal", title="D", lines=_lines(2))["id"]
    _write(world, connector, deal, Invoice_number="1")
    assert world.server.dump()["deals"][str(deal)]["value"] == 40
    assert b'"value"' not in world.calls("PATCH")[0].body


def test_money_without_a_currency_takes_that_of_the_deal(
    world: PipedriveWorld, connector: Any
) -> None:
    deal = world.act("create_deal", title="D", currency="USD")["id"]
    connector.use(connector.reference())
    world.mark()
    for name, gets in (("Invoice number", 0), ("Invoice total", 1)):
        change = DealChange(deal_id=str(deal), fields={name: "5"})
        (call,) = connector.prepare([action_of(change)])
        assert len(world.calls("GET")) == gets
    assert b'"currency":"USD"' in call.request.body


@pytest.mark.parametrize(
    ("fields", "code", "field", "step"),
    [
        ({"Invoice_status": "lost in space"}, "field_option_missing", "Invoice status", "option"),
        ({"Invoice_number": "x" * 256}, "field_refused", "Invoice number", "Correct"),
        ({"Invoice_total": "a lot"}, "field_refused", "Invoice total", "Correct"),
        ({"No_such_field": "1"}, "field_missing", "No such field", "syncjob init"),
    ],
)
def test_a_refused_field_is_named_as_people_know_it(
    world: PipedriveWorld, connector: Any, fields: Any, code: str, field: str, step: str
) -> None:
    (deal,) = world.fill("deals", 1)
    outcome = _write(world, connector, deal, **fields)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.field, outcome.scope) == (code, field, "record")
    assert field in outcome.words and step in outcome.next_step
    named = {name.replace("_", " "): value for name, value in fields.items()}
    early = connector.unfit(action_of(DealChange(deal_id=deal, fields=named)))
    assert (early.code, early.field) == (code, field)


def test_deals_that_cannot_be_written_say_why(world: PipedriveWorld, connector: Any) -> None:
    live, gone, archived = world.fill("deals", 3)
    world.act("delete_deal", deal=int(gone))
    world.act("archive_deal", deal=int(archived))
    assert _write(world, connector, gone, Invoice_number="1").code == "deal_gone"
    assert _write(world, connector, archived, Invoice_number="1").code == "deal_archived"
    body = '{"success": false, "error": "Limit", "code": "feature_capping_deals_limit"}'
    world.faults.add(Fault("status", method="PATCH", status=403, body=body))
    capped = _write(world, connector, live, Invoice_number="1")
    assert (capped.code, capped.scope) == ("plan_limit", "organisation")


# --- tasks --------------------------------------------------------------------------------------


def test_a_task_is_found_again_by_its_marker_and_by_no_other(
    world: PipedriveWorld, connector: Any
) -> None:
    deal = int(world.fill("deals", 1)[0])
    person = world.act("create_person", name="Yang")["id"]
    task = world.task(deal, f"NW-{deal}-A11", person_id=f"person:{person}")
    action = action_of(task)
    (call,) = connector.prepare([action])
    assert connector.outcomes(call, world.send(call)) == [Stored(record=None)]
    short, full = f"NW-{deal}-A1", f"NW-{deal}-A11"
    found = connector.find("task.create", [short, full], NOON - timedelta(hours=1))
    assert list(found) == [full] and found[full].marker == full
    assert connector.current_form(action, found[full]) == connector.stored_form(action)
    made = next(iter(world.server.dump()["activities"].values()))
    assert made["person_id"] == person and made["note"].startswith("5 &lt; 6 &amp; so")
    assert connector.find("task.create", [full], NOON + timedelta(hours=1)) == {}


def test_a_note_is_found_again_by_its_marker_and_by_no_other(
    world: PipedriveWorld, connector: Any
) -> None:
    """v1 alone has notes, in pages of its own."""
    deal, other = (int(one) for one in world.fill("deals", 2))
    markers = [f"NW-{deal}-A1.paid", f"NW-{deal}-A1.paid.261122", f"NW-{other}-A1.created"]
    drafts = [
        NoteDraft(marker=m, deal_id=str(d), invoice_id="i1", happening="paid", text="5 < 6\nso")
        for m, d in zip(markers[1:], (deal, other), strict=True)
    ]
    for draft in drafts:
        (call,) = connector.prepare([action_of(draft)])
        assert call.request.url.endswith("/api/v1/notes")
        assert connector.outcomes(call, world.send(call)) == [Stored(record=None)]
    since = NOON - timedelta(hours=1)
    found = connector.find("note.create", markers, since)
    assert {m: note.deal_id for m, note in found.items()} == {
        markers[1]: str(deal), markers[2]: str(other),
    }  # fmt: skip
    world.mark()
    assert list(connector.find("note.create", markers[:2], since)) == [markers[1]]
    (asked,) = world.calls("GET", "/pipedrive/api/v1/notes")
    assert ["deal_id", str(deal)] in [list(pair) for pair in asked.query]
    assert connector.find("note.create", markers, NOON + timedelta(hours=1)) == {}
    content = next(iter(world.server.dump()["notes"].values()))["content"]
    assert content == f"5 &lt; 6<br>so<br><br>{markers[1]}"


def test_notes_on_a_second_page_are_found(world: PipedriveWorld, connector: Any) -> None:
    deal = int(world.fill("deals", 1)[0])
    for n in range(501):
        activities.add_note(world.server.company, {"deal_id": deal, "content": f"note {n}"}, 1)
    draft = NoteDraft(
        marker=f"NW-{deal}-A1.paid", deal_id=str(deal), invoice_id="i1", happening="paid", text="."
    )
    (call,) = connector.prepare([action_of(draft)])
    world.send(call)
    since = NOON - timedelta(hours=1)
    assert list(connector.find("note.create", [draft.marker], since)) == [draft.marker]


def test_a_move_goes_with_the_fields_by_its_stage_alone(
    world: PipedriveWorld, connector: Any
) -> None:
    stages = world.act("create_pipeline", name="Work", stages=["Offer", "Paid"])
    deal = int(world.fill("deals", 1)[0])
    reference = connector.reference()
    work = next(p for p in reference.pipelines if p.name == "Work")
    assert [name for _, name in work.stages] == ["Offer", "Paid"]
    assert stages["id"] == int(work.id)
    move = Move(when="paid", stage_id=work.stages[1][0], stage="Paid", pipeline="Work")
    change = DealChange(deal_id=str(deal), fields={"Invoice number": "INV-1"}, move=move)
    (call,) = connector.prepare([action_of(change)])
    assert set(json.loads(call.request.body)) == {"custom_fields", "stage_id"}
    (outcome,) = connector.outcomes(call, world.send(call))
    assert isinstance(outcome, Stored)
    assert outcome.record.stage_id == move.stage_id
    assert outcome.record.pipeline_id == work.id


def test_amounts_are_exact(world: PipedriveWorld, connector: Any) -> None:
    line = {"name": "T", "price": Decimal("0.07"), "quantity": Decimal("1.1")}
    deal = world.act("create_deal", title="D", lines=[line])
    (read,) = connector.get("deals", [str(deal["id"])])
    assert (read.lines[0].unit_price, read.lines[0].quantity) == (Decimal("0.07"), Decimal("1.1"))
    assert read.lines[0].net == Decimal("0.08") and isinstance(read.value, Decimal)
