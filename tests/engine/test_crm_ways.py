"""What other CRMs do than the sandbox's: streams of their own, records merged under a new id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from syncjob.connectors.base import AnyRecord, Page, Walk
from syncjob.connectors.pipedrive.connector import PipedriveConnector
from syncjob.core.actions import Outcome, Stored
from syncjob.core.records import Contact, Deal
from tests.engine.scenes import billed, codes, invoice_of, minutes, number_of, only, quiet, sell
from tests.engine.world import World


class Ways:
    """The sandbox's CRM as one that names deals whose lines changed, and merges under new ids."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.touched: tuple[str, ...] = ()
        self.walks: list[tuple[str, Walk]] = []
        self.merged: dict[str, str] = {}
        self.sweeps = False
        self.forgets_wins = False  # the date of the first win is that of the last
        self.bare_answers = False  # the answer to a deal's PATCH does not say whose it is
        changes, started = PipedriveConnector.changes, PipedriveConnector.__init__
        get, outcomes = PipedriveConnector.get, PipedriveConnector.outcomes

        def ours(connector: PipedriveConnector, stream: str, walk: Walk) -> Iterator[Page]:
            self.walks.append((stream, walk))
            if stream != "touched_deals":
                for page in changes(connector, stream, walk):
                    yield msgspec.structs.replace(page, records=tuple(self.seen(page.records)))
                return
            now = connector.server_time()
            assert now is not None
            yield Page(records=(), position=None, started=now, touched=self.touched)

        def by_id(
            connector: PipedriveConnector, stream: str, ids: Sequence[str]
        ) -> list[AnyRecord]:
            found = get(connector, stream, [self.merged.get(i, i) for i in ids])
            return list(self.seen(found))

        def answered(connector: PipedriveConnector, *args: Any) -> list[Outcome]:
            return [
                msgspec.structs.replace(o, record=self.answer(o.record))
                if isinstance(o, Stored) and o.record is not None
                else o
                for o in outcomes(connector, *args)
            ]

        def begin(connector: PipedriveConnector, *args: Any, **more: Any) -> None:
            started(connector, *args, **more)
            connector.capabilities = msgspec.structs.replace(
                connector.capabilities,
                deal_streams=("archived_deals", "touched_deals"),
                sweeps=self.sweeps,
            )

        patch.setattr(PipedriveConnector, "changes", ours)
        patch.setattr(PipedriveConnector, "get", by_id)
        patch.setattr(PipedriveConnector, "outcomes", answered)
        patch.setattr(PipedriveConnector, "__init__", begin)

    def answer(self, record: AnyRecord) -> AnyRecord | None:
        bare = isinstance(record, Deal) and self.bare_answers
        record = msgspec.structs.replace(record, org_id=None, person_id=None) if bare else record
        return next(self.seen([record]), None)

    def seen(self, records: Sequence[AnyRecord]) -> Iterator[AnyRecord]:
        """The records without those that were merged; the survivors name them."""
        for record in records:
            olds = tuple(old for old, new in self.merged.items() if new == record.id)
            if record.id in self.merged:
                continue
            if isinstance(record, Deal):
                org = self.merged.get(record.org_id or "", record.org_id)
                record = msgspec.structs.replace(record, org_id=org)
                if self.forgets_wins:
                    won = record.won_at if record.status == "won" else None
                    record = msgspec.structs.replace(record, won_at=won, first_won_at=won)
            if olds and isinstance(record, Deal | Contact):
                record = msgspec.structs.replace(record, merged_from=olds)
            yield record


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


def reads_of_lines(world: World, mark: int) -> int:
    return sum("deals/products" in call["path"] for call in world.since(mark))


def test_lines_that_changed_without_a_trace_in_their_deal_are_read_again(
    ways: Ways, world: World
) -> None:
    deal = billed(world)
    quiet(world)
    (row,) = (r.record for r in world.pipedrive.company.tables["rows"].rows.values())
    row["name"] = "Wider widget"  # neither the deal's value nor its stamp moves
    minutes(world, 5)
    mark = world.mark()
    world.run()
    assert reads_of_lines(world, mark) == 0
    ways.touched = (str(deal), "987654")
    mark = world.mark()
    world.run()
    assert reads_of_lines(world, mark) == 1
    assert [line["description"] for line in invoice_of(world, deal)["lines"]] == ["Wider widget"]
    ways.touched = ()
    quiet(world)


def test_the_first_walk_over_touched_deals_begins_at_now(ways: Ways, world: World) -> None:
    billed(world)
    first = next(walk for stream, walk in ways.walks if stream == "touched_deals")
    assert first.since is not None
    assert (world.time.now() - first.since).total_seconds() < 1200
    minutes(world, 60)
    world.run()
    streams = [stream for stream, _ in ways.walks]
    assert streams.count("touched_deals") == 2
    second = [walk for stream, walk in ways.walks if stream == "touched_deals"][1]
    assert second.since == first.since  # nothing in between is left out


def test_an_answer_that_does_not_say_whose_a_deal_is_takes_nobody_away(
    ways: Ways, world: World
) -> None:
    ways.bare_answers = True
    deal = billed(world)
    with world.connection() as handle:
        (party,) = handle.state.db.execute(
            "SELECT json_extract(CAST(body AS TEXT), '$.org_id') FROM snapshot "
            "WHERE stream = 'deals' AND id = ?", (str(deal),)
        ).fetchone()  # fmt: skip
    assert party is not None
    quiet(world)


def test_a_crm_whose_index_may_miss_something_is_read_itself_once_a_week(
    ways: Ways, world: World
) -> None:
    ways.sweeps = True
    billed(world)
    minutes(world, 60)
    world.run()
    assert [walk.since is None for stream, walk in ways.walks if stream == "deals"] == [False] * 2
    minutes(world, 7 * 24 * 60)
    ways.walks.clear()
    world.run()
    minutes(world, 5)
    world.run()
    # The nightly comparison reads everything, too.
    whole = [walk.since is None for stream, walk in ways.walks if stream == "deals"]
    assert whole[0] and not whole[-1]


def test_the_first_win_is_remembered_where_the_crm_forgets_it(ways: Ways, world: World) -> None:
    ways.forgets_wins = True
    deal = sell(world, won=False)
    world.crm("win", deal=deal, won_time="2026-10-20T09:00:00Z")
    world.run()
    minutes(world, 5)
    world.crm("reopen", deal=deal)
    world.run()
    minutes(world, 5)
    world.crm("win", deal=deal)
    for _ in range(2):
        world.run()
        minutes(world, 40)
        world.crm("edit_deal", deal=deal, title="Touched")
    assert world.invoices() == []


# --- merges ------------------------------------------------------------------------------------


def merge_deals(world: World, ways: Ways, *olds: int) -> int:
    """The deals become one with a new id, won as they were."""
    minutes(world, 5)
    new = sell(world, title="Both orders")
    ways.merged |= {str(old): str(new) for old in olds}
    return new


def live(world: World) -> list[dict[str, Any]]:
    return [i for i in world.invoices() if i["status"] not in ("VOIDED", "DELETED")]


def test_a_deal_that_got_a_new_id_keeps_its_one_invoice(ways: Ways, world: World) -> None:
    invoiced, open_one = billed(world), sell(world, won=False)
    number = number_of(world, invoiced)
    world.run()
    new = merge_deals(world, ways, invoiced, open_one)
    report = world.run()
    assert codes(report) == [] and len(live(world)) == 1
    assert world.deal_fields(new)["Invoice status"] == "draft"
    quiet(world)
    world.books("approve", invoice=number)
    world.books("pay", invoice=number)
    minutes(world, 5)
    world.run()
    assert world.deal_fields(new)["Invoice status"] == "paid"
    quiet(world)
    assert len(live(world)) == 1


def test_two_invoiced_deals_that_became_one_wait_for_a_person(ways: Ways, world: World) -> None:
    first, second = billed(world), billed(world, title="Other order")
    world.run()
    numbers = [number_of(world, deal) for deal in (first, second)]
    new = merge_deals(world, ways, first, second)
    mark = world.mark()
    report = world.run()
    issue = only([i for i in report.issues if i.code == "merged_deals_invoiced"])
    assert issue.subject == f"deal:{new}" and issue.state == "held"
    assert all(number in issue.what for number in numbers)
    assert [c for c in world.writes(mark) if "/xero/" in c["path"]] == []
    assert "each has an invoice" in world.deal_fields(new)["Invoice note"]
    quiet(world)
    world.books("delete", invoice=numbers[0])
    minutes(world, 5)
    report = world.run()
    assert codes(report) == []
    assert world.deal_fields(new)["Invoice total"] == 110
    assert [i["number"] for i in live(world)] == [numbers[1]]
    quiet(world)
    assert len(world.invoices()) == 2


def test_a_person_may_leave_both_invoices_and_payments_reach_the_deal(
    ways: Ways, world: World
) -> None:
    first, second = billed(world), billed(world, title="Other order", value=300)
    new = merge_deals(world, ways, first, second)
    world.run()
    with world.connection() as handle:
        handle.answer(kind="never", subject=f"deal:{new}", who="Ann", reason="both are right")
    assert codes(world.run()) == []
    for deal in (first, second):
        number = number_of(world, deal)
        world.books("approve", invoice=number)
        world.books("pay", invoice=number)
    minutes(world, 5)
    world.run()
    assert world.deal_fields(new)["Invoice status"] == "paid"
    assert len(live(world)) == 2


def test_a_lost_state_finds_the_invoice_of_a_merged_deal_again(ways: Ways, world: World) -> None:
    first = billed(world)
    new = merge_deals(world, ways, first)
    for file in (world.folder / "state").iterdir():
        file.unlink()
    world.run()
    minutes(world, 20)
    world.run()
    minutes(world, 20)
    world.run()
    assert len(world.invoices()) == 1
    assert world.deal_fields(new)["Invoice status"] == "draft"


def merge_orgs(world: World, ways: Ways, *olds: str) -> str:
    minutes(world, 5)
    rows = {r["name"]: r["id"] for r in world.crm_state()["organizations"].values()}
    new = world.crm("create_org", name=olds[0] + " Group")["id"]
    ways.merged |= {f"org:{rows[old]}": f"org:{new}" for old in olds}
    return str(new)


def test_a_customer_that_got_a_new_id_keeps_its_contact(ways: Ways, world: World) -> None:
    billed(world)
    world.crm("create_org", name="Nobody yet")
    merge_orgs(world, ways, "Acme Pty", "Nobody yet")
    again = sell(world, title="Second order")
    report = world.run()
    assert codes(report) == [], [(i.code, i.what) for i in report.issues]
    assert invoice_of(world, again)["status"] == "DRAFT"
    assert len(live(world)) == 2 and len(world.contacts()) == 1


def test_two_linked_customers_that_became_one_wait_for_a_person(ways: Ways, world: World) -> None:
    billed(world)
    billed(world, org="Beta Pty")
    merge_orgs(world, ways, "Acme Pty", "Beta Pty")
    deal = sell(world, title="Third order", org="Acme Pty")
    report = world.run()
    issue = only([i for i in report.issues if i.code == "customers_merged"])
    assert "Acme Pty" in issue.what and "Beta Pty" in issue.what
    assert len(live(world)) == 2 and len(world.contacts()) == 2
    world.books("merge_contacts", **merge_of(world))
    minutes(world, 5)
    report = world.run()
    assert codes(report) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert len(live(world)) == 3


def merge_of(world: World) -> dict[str, Any]:
    names = sorted(c["name"] for c in world.contacts())
    return {"loser": names[1], "survivor": names[0]}
