"""The HubSpot connector over HTTP against its sandbox: the contract, then what is its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.hubspot import searching
from syncjob.core.needs import Needs
from syncjob.errors import AuthFailed, CursorTooOld, RetryLater, SchemaDrift
from syncjob.sandbox.kernel import Fault
from tests.transport.kit import FakeClock

from .contract import ConnectorContract, ids_of, walked
from .hubspot_support import NOON, HubSpotWorld


@pytest.fixture
def world() -> Iterator[HubSpotWorld]:
    made = HubSpotWorld()
    made.found_fields()
    yield made
    made.close()


@pytest.fixture
def connector(world: HubSpotWorld) -> Any:
    return world.connect()


class TestContract(ConnectorContract):
    """Everything that any connector must do."""


LINE = {"name": "Thing", "price": 10, "quantity": 2}


def sold(world: HubSpotWorld, *lines: dict[str, Any], **more: Any) -> int:
    made = world.act("create_deal", title="D", status="won", lines=list(lines) or [LINE], **more)
    return int(made["id"])


def only_line(connector: Any, deal: int) -> Any:
    (read,) = connector.get("deals", [str(deal)])
    (line,) = read.lines
    return line


# --- walks --------------------------------------------------------------------------------------


def test_a_quiet_walk_costs_one_search(world: HubSpotWorld, connector: Any) -> None:
    world.fill("deals", 3)
    connector.use(connector.reference())
    world.mark()
    walked(connector, "deals", Walk(since=NOON + timedelta(days=1)))
    assert world.paths() == ["objects/deals/search"]


def test_an_import_of_25_000_deals_in_one_minute_is_seen_whole_and_once() -> None:
    """Far beyond the 10,000 results of a search, all with one stamp."""
    world = HubSpotWorld(id_stride_max=7)
    try:
        with world.sandbox.host.locked("hubspot"):
            made = {
                str(world.server.people("create_deal", {"title": f"D{n}"})["id"])
                for n in range(25_000)
            }
        connector = world.connect()
        connector.use(connector.reference())
        world.mark()
        pages = walked(connector, "deals", Walk(since=NOON))
        found = ids_of(pages)
        assert len(found) == len(made) and set(found) == made
        assert len(world.calls()) == 125 and {len(p.records) for p in pages} == {1000}
    finally:
        world.close()


def test_customers_of_a_thousand_won_deals_cost_two_calls(
    world: HubSpotWorld, connector: Any
) -> None:
    for n in range(250):
        world.act("create_deal", title=f"D{n}", org=_org(world, n % 5), status="won")
    connector.use(connector.reference())
    world.mark()
    (page,) = walked(connector, "deals", Walk(since=NOON))
    assert all(deal.org_id for deal in page.records)
    assert sorted(world.paths()) == [
        "associations/deals/companies/batch/read",
        "associations/deals/contacts/batch/read",
        "objects/deals/search",
        "objects/deals/search",
    ]


def _org(world: HubSpotWorld, n: int) -> int:
    known = {c.props.get("name"): c.id for c in world.server.store.all("companies")}
    name = f"Firm {n}"
    return int(known.get(name) or world.act("create_org", name=name)["id"])


def test_a_deal_that_moves_during_the_walk_is_not_lost(world: HubSpotWorld, connector: Any) -> None:
    made = world.fill("deals", 1_203)
    found: list[str] = []
    for page in connector.changes("deals", Walk(since=NOON)):
        found += ids_of([page])
        world.pass_time(5)
        world.touch("deals", made[0])
        world.touch("deals", made[-1])
    assert set(made) <= set(found) and len(found) == len(set(found))


def test_what_the_index_shows_late_is_found_by_the_next_walk_within_the_lookback() -> None:
    world = HubSpotWorld(index_lag_max_s=600)
    try:
        connector = world.connect()
        made = world.fill("deals", 30)
        world.pass_time(5)
        first = walked(connector, "deals", Walk(since=NOON))
        assert len(ids_of(first)) < len(made)
        world.pass_time(605)
        since = first[0].started - connector.capabilities.lookback
        assert set(ids_of(first)) | set(ids_of(walked(connector, "deals", Walk(since=since)))) == (
            set(made)
        )
        everything = walked(connector, "deals", Walk(since=None))
        assert set(ids_of(everything)) == set(made)
    finally:
        world.close()


def test_deleted_deals_are_in_their_own_list_and_come_back(
    world: HubSpotWorld, connector: Any
) -> None:
    gone, kept = (int(i) for i in world.fill("deals", 2))
    world.act("delete_deal", deal=gone)
    (page,) = walked(connector, "deleted_deals", Walk(since=None))
    assert [(d.id, d.status) for d in page.records] == [(str(gone), "deleted")]
    assert ids_of(walked(connector, "deals", Walk(since=None))) == [str(kept)]
    read = {d.id: d.status for d in connector.get("deals", [str(gone), str(kept)])}
    assert read == {str(gone): "deleted", str(kept): "open"}
    world.pass_time(5)
    world.act("restore_deal", deal=gone)
    assert str(gone) in ids_of(walked(connector, "deals", Walk(since=NOON)))


def test_lines_that_changed_name_their_deals(world: HubSpotWorld, connector: Any) -> None:
    first, second = sold(world), sold(world)
    world.pass_time(3600)
    since = connector.identity() and connector.server_time()
    (line, *_) = [
        r for r in world.server.store.all("line_items")
        if str(first) in {str(d) for d in world.server.store.links_of("line_items", r.id, "deals")}
    ]  # fmt: skip
    world.act("edit_line", line=line.id, price=11)
    (page,) = walked(connector, "touched_deals", Walk(since=since))
    assert page.touched == (str(first),) and page.records == () and second


def test_a_place_that_is_not_taken_asks_for_a_full_walk(
    world: HubSpotWorld, connector: Any
) -> None:
    world.fill("deals", 1)
    for position in ('{"after": "no place"}', "no json", "{}"):
        with pytest.raises(CursorTooOld):
            walked(connector, "deals", Walk(since=None, position=position, started=NOON))


def test_properties_too_many_for_a_search_are_read_by_id(world: HubSpotWorld) -> None:
    """A search takes 3,000 characters: with long names the rest is fetched a hundred at a time."""
    names = {}
    for n in range(30):
        label = f"A property with quite a long name that only {n} people know or have ever used"
        world.act("create_field", kind="deals", name=label, type="varchar")
        names[f"n{n}"] = label
    connector = world.connect(needs=Needs(fields=tuple(names.values())))
    deal = world.act("create_deal", title="D", fields={names["n3"]: "here"})["id"]
    connector.use(connector.reference())
    world.mark()
    (page,) = walked(connector, "deals", Walk(since=NOON))
    assert page.records[0].id == str(deal) and page.records[0].fields[names["n3"]] == "here"
    assert world.paths() == ["objects/deals/search", "objects/deals/batch/read"]


# --- merges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolved", ["resolved", "missing"])
def test_an_old_id_gives_the_deal_that_it_became(resolved: str) -> None:
    world = HubSpotWorld(merged_in_read=resolved)
    try:
        connector = world.connect()
        loser, winner = sold(world), sold(world)
        new = world.act("merge_deals", loser=loser, winner=winner)["id"]
        (read,) = connector.get("deals", [str(loser), str(winner)])
        assert read.id == str(new) and set(read.merged_from) == {str(loser), str(winner)}
        assert len(read.lines) == 2
        (page,) = walked(connector, "deals", Walk(since=NOON))
        assert [set(d.merged_from) for d in page.records] == [{str(loser), str(winner)}]
    finally:
        world.close()


def test_merged_customers_are_followed(world: HubSpotWorld, connector: Any) -> None:
    one, two = (int(i.partition(":")[2]) for i in world.fill("organizations", 2))
    new = world.act("merge_orgs", loser=one, winner=two)["id"]
    (read,) = connector.get("contacts", [f"org:{one}", f"org:{two}"])
    assert read.id == f"org:{new}" and set(read.merged_from) == {f"org:{one}", f"org:{two}"}


# --- deals and lines ----------------------------------------------------------------------------


def test_lines_of_many_deals_come_in_full_calls(world: HubSpotWorld, connector: Any) -> None:
    deals = [str(sold(world, *[LINE] * 3)) for _ in range(120)]
    connector.use(connector.reference())
    world.mark()
    read = connector.get("deals", deals)
    assert {len(d.lines) for d in read} == {3} and len(read) == 120
    paths = world.paths()
    assert paths.count("objects/deals/batch/read") == 2
    assert paths.count("objects/line_items/batch/read") == 4
    assert len(paths) == 2 + 3 + 4


def test_lines_are_in_their_order_with_tax_and_sku(world: HubSpotWorld, connector: Any) -> None:
    rate = world.act("create_tax_rate", percent=19, name="MwSt")
    assert rate
    deal = sold(
        world,
        {"name": "B", "price": "9.99", "quantity": "1.5", "tax": 19, "position": 1},
        {"name": "A", "price": 1, "quantity": 1, "position": 0},
    )
    (read,) = connector.get("deals", [str(deal)])
    assert [line.name for line in read.lines] == ["A", "B"]
    b = read.lines[1]
    assert (b.tax_percent, b.tax_method, b.doubt) == (19, "exclusive", None)
    assert (str(b.quantity), str(b.unit_price), str(b.net)) == ("1.5", "9.99", "14.99")


def test_a_discount_is_per_unit_or_a_percentage_of_the_line(
    world: HubSpotWorld, connector: Any
) -> None:
    each = sold(world, {**LINE, "quantity": 3, "discount": 4, "discount_type": "amount"})
    line = only_line(connector, each)
    assert (line.discount_amount, line.discount_percent, line.net) == (12, None, 18)
    percent = sold(world, {"name": "T", "price": "0.33", "quantity": 3, "discount": 15,
                           "discount_type": "percentage"})  # fmt: skip
    line = only_line(connector, percent)
    assert (line.discount_percent, str(line.net), line.doubt) == (15, "0.84", None)


def test_a_tiered_price_is_one_piece_for_its_amount(world: HubSpotWorld, connector: Any) -> None:
    deal = sold(world, {"name": "Seats", "quantity": 12, "pricing_model": "graduated",
                        "tier_ranges": "1;11", "tier_prices": "10;8"})  # fmt: skip
    line = only_line(connector, deal)
    assert (line.quantity, line.unit_price, line.net) == (1, 116, 116)
    assert line.description == "Quantity: 12"


def test_how_often_a_line_is_billed_is_said_in_our_words(
    world: HubSpotWorld, connector: Any
) -> None:
    deal = sold(world, {**LINE, "billing_frequency": "quarterly", "billing_frequency_cycles": 4})
    line = only_line(connector, deal)
    assert (line.billing, line.cycles) == ("quarterly", 4)
    once = only_line(connector, sold(world))
    assert (once.billing, once.cycles) == (None, None)


def test_a_deals_amount_is_not_taken_for_the_sum_of_its_lines(world: HubSpotWorld) -> None:
    deal = sold(world, value=999)
    (read,) = world.connect().get("deals", [str(deal)])
    assert not read.value_is_sum
    (read,) = world.connect(amount_is_sum=True).get("deals", [str(deal)])
    assert read.value_is_sum


def test_a_win_is_dated_by_the_earlier_of_close_date_and_win(
    world: HubSpotWorld, connector: Any
) -> None:
    deal = sold(world)
    world.act("edit_deal", deal=deal, expected_close_date="2025-12-31")
    (read,) = connector.get("deals", [str(deal)])
    assert read.first_won_at is not None and read.first_won_at.date().isoformat() == "2025-12-31"
    (still_open,) = connector.get("deals", world.fill("deals", 1))
    assert (still_open.status, still_open.first_won_at) == ("open", None)


def test_the_primary_company_and_the_first_contact_are_the_customer(
    world: HubSpotWorld, connector: Any
) -> None:
    first, second = (int(i.partition(":")[2]) for i in world.fill("organizations", 2))
    person = world.act("create_person", name="Ann Lee", email="a@x.test")["id"]
    deal = sold(world, org=first, person=person)
    world.act("associate", from_kind="deals", **{"from": deal}, to_kind="companies", to=second,
              primary=True)  # fmt: skip
    (read,) = connector.get("deals", [str(deal)])
    assert (read.org_id, read.person_id) == (f"org:{second}", f"person:{person}")


# --- what goes wrong ----------------------------------------------------------------------------


def test_errors_beside_results_are_read_whatever_the_status() -> None:
    for status in ("207", "200"):
        world = HubSpotWorld(multi_status=status)
        try:
            made = world.fill("deals", 2)
            assert [d.id for d in world.connect().get("deals", [*made, "999888777"])] == made
        finally:
            world.close()


@pytest.mark.parametrize(
    ("name", "waits_s"), [("locked", 2), ("ten_seconds", 10), ("secondly", 1), ("timeout_524", 2)]
)
def test_each_limit_is_waited_for(world: HubSpotWorld, name: str, waits_s: float) -> None:
    world.fill("deals", 1)
    clock = FakeClock()
    connector = world.connect(limited=clock)
    connector.use(connector.reference())
    began = clock.elapsed
    world.faults.add(Fault("semantic", method="POST", name=name))
    assert len(ids_of(walked(connector, "deals", Walk(since=NOON)))) == 1
    assert waits_s <= clock.elapsed - began <= waits_s + 2


@pytest.mark.parametrize("name", ["daily", "migration"])
def test_what_lasts_for_hours_ends_the_run_and_says_until_when(
    world: HubSpotWorld, name: str
) -> None:
    clock = FakeClock()
    connector = world.connect(limited=clock)
    connector.use(connector.reference())
    world.faults.add(Fault("semantic", method="POST", name=name, times=9))
    with pytest.raises(RetryLater) as error:
        walked(connector, "deals", Walk(since=NOON))
    assert error.value.resume_at is not None and clock.elapsed < 60


def test_searches_keep_to_their_own_limit_and_other_calls_do_not_wait_for_it() -> None:
    world = HubSpotWorld()
    try:
        clock = FakeClock()
        connector = world.connect(limited=clock)
        connector.use(connector.reference())
        began = clock.elapsed
        for _ in range(20):
            connector.identity()
        assert clock.elapsed == began
        for _ in range(12):
            walked(connector, "deals", Walk(since=NOON))
        assert clock.elapsed - began >= 2  # four a second, of five
    finally:
        world.close()


def test_a_missing_scope_is_named_by_check_and_stops_the_read(world: HubSpotWorld) -> None:
    world.act("set_scopes", without=["crm.objects.line_items.read"])
    connector = world.connect()
    (problem,) = connector.check()
    assert "crm.objects.line_items.read" in problem.what and problem.fatal
    with pytest.raises(AuthFailed) as error:
        connector.get("deals", [str(sold(world))])
    assert "crm.objects.line_items.read" in error.value.next_step


def test_without_tax_rates_only_the_lines_that_name_one_are_held(world: HubSpotWorld) -> None:
    world.act("create_tax_rate", percent=19, name="MwSt")
    taxed, plain = sold(world, {**LINE, "tax": 19}), sold(world)
    world.act("set_scopes", without=["tax_rates.read"])
    connector = world.connect()
    (problem,) = connector.check()
    assert "tax_rates.read" in problem.what and not problem.fatal
    assert only_line(connector, plain).doubt is None
    line = only_line(connector, taxed)
    assert line.tax_percent == 19 or "tax rate" in line.doubt
    world.faults.add(
        Fault("status", path="tax-rates", status=404, body='{"message": "no"}', times=9)
    )
    again = world.connect()
    assert [p for p in again.check() if p.fatal] == [] and again.reference().tax_rates == ()


def test_a_wrong_version_is_the_only_problem_that_check_tells(world: HubSpotWorld) -> None:
    (problem,) = world.connect(version="2027-03").check()
    assert problem.where == "crm.version" and "2027-03" in problem.what


def test_a_wrong_token_is_refused(world: HubSpotWorld) -> None:
    with pytest.raises(AuthFailed):
        world.connect(token="wrong-token").identity()


def test_check_names_what_does_not_fit(world: HubSpotWorld, connector: Any) -> None:
    assert connector.check() == []
    world.act("rename_field", field="Invoice total", name="Something else")
    world.act("create_field", kind="companies", name="plain key", type="varchar")
    connector = world.connect(organization_marker="plain key")
    what = {p.where: p.what for p in connector.check()}
    assert what["crm.fields.total"] == 'There is no deal property labelled "Invoice total".'
    assert "unique values" in what["crm.organization_marker"]


def test_rules_by_category_are_told_to_match_nothing(world: HubSpotWorld) -> None:
    (problem,) = world.connect(needs=Needs(categories=True)).check()
    assert "categories" in problem.what and problem.fatal


def test_a_record_that_cannot_be_read_does_not_stop_the_others(
    world: HubSpotWorld, connector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = world.fill("deals", 2)
    real = searching.rows

    def spoiled(body: Any) -> Any:
        found = real(body)
        for row in found:
            if row["id"] == bad:
                row["properties"]["amount"] = "lots"
        return found

    monkeypatch.setattr(searching, "rows", spoiled)
    (page,) = walked(connector, "deals", Walk(since=NOON))
    assert ids_of([page]) == [good]
    assert [(i, "amount" in words) for i, words in page.drift] == [(bad, True)]


def test_a_search_that_does_not_rise_is_no_walk(
    world: HubSpotWorld, connector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill("deals", 3)
    connector.use(connector.reference())
    monkeypatch.setattr(searching, "PAGE_MAX", 1)
    first = searching.body

    def always_from_the_start(*args: Any) -> Any:
        return first(args[0], args[1], "0", args[3])

    monkeypatch.setattr(searching, "body", always_from_the_start)
    with pytest.raises(SchemaDrift, match="order of the ids"):
        walked(connector, "deals", Walk(since=NOON))
