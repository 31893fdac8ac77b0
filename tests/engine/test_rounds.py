"""Calls in rounds: what they cost, that they stay within the vendors' limits and in order, and that
nothing that befalls one of them takes away what the others brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncjob.connectors.xero.connector import CAPABILITIES
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.door import StateDoor, stop_file
from syncjob.engine.rounds import Rounds
from syncjob.sandbox.xero.options import Limits
from syncjob.state.database import State
from tests.crash.kit import sales
from tests.engine.scenes import codes, minutes, quiet
from tests.engine.world import World

DEALS, CUSTOMERS = 40, 4
#: Statements of a first load per deal from the opening of its calls to their outcomes, each row
#: that is written counted; 121, and four commits a call, when calls went one by one.
STATEMENTS_MAX = 40
#: Long enough for the others of a round to come, too.
SLOW_S = 0.1


def load(w: World, deals: int = DEALS, customers: int = CUSTOMERS) -> None:
    sales(w, deals, customers)


def slow(w: World, server: str, path: str) -> None:
    w.fault(kind="timeout", server=server, path=path, delay_s=SLOW_S, times=1000)


def drafts(w: World) -> int:
    """How many deals say that they have a draft."""
    deals = w.crm_state()["deals"]
    return sum(w.deal_fields(int(deal)).get("Invoice status") == "draft" for deal in deals)


class Costs:
    """Commits and statements of what the push sends, and its rounds."""

    def __init__(self) -> None:
        self.commits = self.statements = self.rounds = self.calls = 0
        self.sending = False


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Costs]:
    costs, commit, round_ = Costs(), State.commit, Rounds.round
    opened = Rounds._open

    def open_(self: Rounds, ready: Any) -> Any:
        costs.rounds, costs.calls = costs.rounds + 1, costs.calls + len(ready)
        return opened(self, ready)

    def sending(self: Rounds, *given: Any, **named: Any) -> None:
        costs.sending = True
        try:
            round_(self, *given, **named)
        finally:
            costs.sending = False

    @contextmanager
    def committing(self: State) -> Iterator[None]:
        costs.commits += costs.sending
        with commit(self):
            yield

    with monkeypatch.context() as patched:
        patched.setattr(Rounds, "_open", open_)
        patched.setattr(Rounds, "round", sending)
        patched.setattr(State, "commit", committing)
        yield costs


def run_counted(w: World, costs: Costs) -> BatchReport:
    def statement(_: str) -> None:
        costs.statements += costs.sending

    with w.connection() as handle:
        handle.state.db.conn.set_trace_callback(statement)
        return handle.run(RunOptions(who="a test"))


def test_a_round_costs_three_commits_and_a_deal_few_statements(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(world)
    with counted(monkeypatch) as costs:
        assert run_counted(world, costs).exit_code == 0
    assert costs.calls == 1 + 1 + DEALS  # customers, drafts, and a PATCH a deal
    assert costs.commits == 3 * costs.rounds
    assert costs.rounds <= 2 + DEALS // 4  # the burst of Lite ends some rounds early
    assert costs.statements <= STATEMENTS_MAX * DEALS
    assert drafts(world) == DEALS
    quiet(world)


def test_calls_on_the_way_stay_within_what_each_vendor_allows(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CAPABILITIES.batch, "invoice.create", 2)
    w = make_world(
        ledger={"limits": Limits()},
        config={"crm": {"plan": "premium"}},
        crm_options={"plan": "premium"},
    )
    load(w, 24)
    slow(w, "xero", "/Invoices$")
    slow(w, "pipedrive", "/deals/")
    assert w.run().exit_code == 0
    most = w.box.host.most_at_once
    assert most["xero"] == 4  # Xero allows five at once (facts: xero, 1); one is left for others
    assert most["pipedrive"] == 8
    assert drafts(w) == 24
    assert [call["status"] for call in w.calls() if call["status"] == 429] == []


def test_a_customer_goes_before_its_invoice_and_that_before_its_deal(world: World) -> None:
    load(world)
    slow(world, "xero", "/Contacts$")
    mark = world.mark()
    assert world.run().exit_code == 0
    kinds = [(c["method"], c["path"].split("/")[-1]) for c in world.writes(mark)]
    kinds = [("PATCH", "deal") if method == "PATCH" else (method, path) for method, path in kinds]
    assert kinds == [("PUT", "Contacts"), ("PUT", "Invoices"), *[("PATCH", "deal")] * DEALS]


#: What befalls one call of a round, and what the batch says of it.
BEFALLS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "lost"}, "done"),
    ({"kind": "refuse"}, "done"),
    ({"kind": "truncate"}, "done"),
    ({"kind": "status", "status": 500}, "done"),
    ({"kind": "status", "status": 429, "headers": {"retry-after": "2"}}, "done"),
    ({"kind": "status", "status": 429, "headers": {"retry-after": "7200"}}, "later"),
    ({"kind": "status", "status": 402, "body": "{}"}, "credentials"),
    ({"kind": "status", "status": 401, "body": "{}"}, "credentials"),
    ({"kind": "status", "status": 404, "body": "{}"}, "issues"),
]


@pytest.mark.parametrize(
    ("fault", "result"), BEFALLS, ids=[" ".join(map(str, fault.values())) for fault, _ in BEFALLS]
)
def test_what_befalls_one_call_takes_nothing_from_the_others(
    world: World, fault: dict[str, Any], result: str
) -> None:
    load(world, 8)
    world.fault(server="pipedrive", method="PATCH", path="/deals/3$", **fault)
    mark = world.mark()
    report = world.run()
    assert report.result == result, report
    patched = Counter(c["path"] for c in world.writes(mark) if c["method"] == "PATCH")
    assert len(patched) == 8
    others = {int(deal) for deal in world.crm_state()["deals"]} - {3}
    assert {world.deal_fields(deal)["Invoice status"] for deal in others} == {"draft"}
    for _ in range(3):
        minutes(world, 45)
        mark = world.mark()
        world.run()
        again = {c["path"].split("/")[-1] for c in world.writes(mark)}
        assert again <= {"3"}, "what the others brought was written down"
    assert len(world.invoices()) == 8


def test_three_answers_lost_in_one_round_end_the_batch(world: World) -> None:
    load(world, 8)
    world.fault(kind="lost", server="pipedrive", method="PATCH", path="/deals/[345]$", times=3)
    report = world.run()
    assert report.result == "later"
    assert "3 answers in a row were lost" in report.stopped_by
    assert drafts(world) == 8  # they arrived all the same
    minutes(world, 20)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []
    quiet(world)


def test_a_stop_at_the_door_holds_the_whole_round_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(world, 8)
    admit = StateDoor.admit

    def stopped(self: StateDoor, calls: Any) -> None:
        if calls[0].request.method == "PATCH":
            stop_file(self.state.path).touch()
        admit(self, calls)

    mark = world.mark()
    with monkeypatch.context() as patched:
        patched.setattr(StateDoor, "admit", stopped)
        report = world.run()
    assert report.result == "paused"
    assert [c for c in world.writes(mark) if c["method"] == "PATCH"] == []
    stop_file(world.folder / "state" / "syncjob.db").unlink()
    mark = world.mark()
    assert world.run().exit_code == 0
    assert len(world.writes(mark)) == 8
    assert codes(quiet(world)) == []


def test_drafts_whose_answers_are_lost_are_asked_for_with_their_own_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CAPABILITIES.batch, "invoice.create", 2)
    load(world, 8)
    world.fault(kind="lost", server="xero", method="PUT", path="/Invoices$", times=2)
    mark = world.mark()
    assert world.run().exit_code == 0
    puts = [c for c in world.writes(mark) if c["path"].endswith("/Invoices")]
    keys = Counter((c["headers"]["idempotency-key"], c["body"]) for c in puts)
    assert sorted(keys.values()) == [1, 1, 2, 2]
    assert len(world.invoices()) == 8
    quiet(world)


def test_a_refusal_of_the_second_send_says_nothing_of_the_first(world: World) -> None:
    load(world, 1, 1)
    refusal = '{"ErrorNumber":10,"Type":"ValidationException","Message":"not valid","Elements":[]}'
    place = {"server": "xero", "method": "PUT", "path": "/Invoices$"}
    world.fault(kind="late", delay_s=600, **place)
    world.fault(kind="status", status=400, body=refusal, **place)
    world.run()
    for _ in range(4):
        minutes(world, 7)
        world.run()
    assert len(world.invoices()) == 1  # the first arrived after ten minutes
    assert codes(quiet(world)) == []
