"""A repeating invoice that cannot be read stops nothing but itself, and is never made twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncjob.core.reconcile import ReconcileOptions
from syncjob.errors import Park
from syncjob.sandbox.kernel import Reply, Request
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, number_of, only, quiet, sell
from tests.engine.test_rare_together import steps
from tests.engine.test_recurring import MONTHLY, RECURRING, days, subscribed, templates
from tests.engine.world import World

Spoil = Callable[[dict[str, Any]], None]


@pytest.fixture
def w(make_world: MakeWorld) -> Iterator[World]:
    yield make_world(config=RECURRING)


def no_period(element: dict[str, Any]) -> None:
    del element["Schedule"]["Period"]


def new_unit(element: dict[str, Any]) -> None:
    element["Schedule"]["Unit"] = "YEARLY"


def new_status(element: dict[str, Any]) -> None:
    element["Status"] = "PAUSED"


def no_type(element: dict[str, Any]) -> None:
    del element["Type"]


def odd_reference(element: dict[str, Any]) -> None:
    element["Reference"] = {"odd": 1}


def foreign(w: World) -> None:
    """A repeating invoice that a person made for another customer."""
    w.books("create_contact", fields={"Name": "Cable Ltd"})
    template = w.xero.organisation.templates
    ours = only(templates(w))["id"]
    made = template[ours]
    document = replace(made.document, id="", reference="")
    template.put(replace(made, id="0f0f0f0f-0000-4000-8000-000000000001", document=document))


def spoilt(w: World, spoil: Spoil, which: Callable[[dict[str, Any]], bool]) -> Callable[[], None]:
    """Every answer that shows these repeating invoices is spoilt; what is returned ends that."""
    handle = w.xero.handle

    def strange(request: Request) -> Reply:
        reply = handle(request)
        if request.method != "GET" or "/RepeatingInvoices" not in request.path:
            return reply
        body = json.loads(reply.body)
        for element in filter(which, body.get("RepeatingInvoices", [])):
            spoil(element)
        return replace(reply, body=json.dumps(body).encode())

    w.xero.handle = strange  # type: ignore[method-assign]

    def end() -> None:
        w.xero.handle = handle  # type: ignore[method-assign]

    return end


def of_others(element: dict[str, Any]) -> bool:
    return not str(element.get("Reference") or "").startswith("SJ-")


def of_ours(element: dict[str, Any]) -> bool:
    return not of_others(element)


@pytest.mark.parametrize("spoil", [no_period, new_unit, new_status, no_type])
def test_a_strange_one_of_a_person_keeps_no_payment_from_its_deal(w: World, spoil: Spoil) -> None:
    deal = subscribed(w)
    foreign(w)
    w.books("approve", invoice=number_of(w, deal))
    w.books("pay", invoice=number_of(w, deal))
    mend = spoilt(w, spoil, of_others)
    minutes(w, 61)
    report = w.run()
    told = only([vars_of(i) for i in report.issues if i.code == "record_unreadable"])
    assert told["subject"] == "templates:0f0f0f0f-0000-4000-8000-000000000001"
    assert report.stopped_by == ""
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    steps(w, 2)
    late = subscribed(w, org="Late Pty")
    assert f"SJ-{late}-r1" in [t["document"]["reference"] for t in templates(w)]
    mend()
    minutes(w, 61)
    assert "record_unreadable" not in codes(w.run())


def vars_of(issue: Any) -> dict[str, Any]:
    return {"subject": issue.subject, "code": issue.code}


def test_our_own_that_cannot_be_read_is_left_as_it_is_known(w: World) -> None:
    deal = subscribed(w)
    w.books("approve", invoice=number_of(w, deal))
    mend = spoilt(w, new_unit, of_ours)
    minutes(w, 61)
    assert codes(w.run()) == ["record_unreadable", "template_to_approve"]
    minutes(w, 61)
    w.run()
    assert len(templates(w)) == 1
    mend()
    w.books("approve_template", template=f"SJ-{deal}-r1")
    minutes(w, 61)
    assert codes(w.run()) == []


@pytest.mark.parametrize("spoil", [new_unit, no_type, odd_reference])
def test_while_ours_cannot_be_seen_none_is_made(w: World, spoil: Spoil) -> None:
    """The state is lost, and the list shows in a strange way what it had made."""
    deal = subscribed(w)
    for file in (w.folder / "state").glob("syncjob.db*"):
        file.unlink()
    mend = spoilt(w, spoil, of_ours)
    for _ in range(6):
        minutes(w, 15)
        report = w.run()
    assert len(templates(w)) == 1
    assert {"record_unreadable", "template_unseen"} <= set(codes(report))
    mend()
    for _ in range(3):
        minutes(w, 61)
        w.run()
    assert len(templates(w)) == 1
    assert codes(quiet(w)) == ["template_to_approve"]
    assert f"SJ-{deal}-r1" in only(templates(w))["document"]["reference"]


def test_one_whose_reference_cannot_be_read_may_be_anybodys(w: World) -> None:
    subscribed(w)
    foreign(w)
    mend = spoilt(w, odd_reference, of_others)
    minutes(w, 5)
    deal = sell(w, "Late Pty", lines=[MONTHLY])
    assert "template_unseen" in codes(w.run())
    assert invoice_of(w, deal)["status"] == "DRAFT"
    assert f"SJ-{deal}-r1" not in [t["document"]["reference"] for t in templates(w)]
    mend()
    steps(w, 2, 61)
    assert f"SJ-{deal}-r1" in [t["document"]["reference"] for t in templates(w)]
    assert "template_unseen" not in codes(quiet(w))


def test_a_lost_answer_waits_until_what_it_made_can_be_read(w: World) -> None:
    sell(w, lines=[MONTHLY])
    w.fault(server="xero", method="PUT", path="/RepeatingInvoices$", kind="lost", times=2)
    mend = spoilt(w, new_unit, of_ours)
    w.run()
    paid = sell(w, "Late Pty")
    for _ in range(4):
        minutes(w, 10)
        report = w.run()
        assert report.stopped_by == ""
    assert invoice_of(w, paid)["status"] == "DRAFT"
    assert "record_unreadable" in codes(report)
    assert len(templates(w)) == 1
    mend()
    steps(w, 3, 61)
    assert len(templates(w)) == 1
    assert codes(quiet(w)) == ["template_to_approve"]


def test_a_list_that_is_none_stops_no_payment_either(w: World) -> None:
    deal = subscribed(w)
    w.books("approve", invoice=number_of(w, deal))
    w.books("pay", invoice=number_of(w, deal))
    minutes(w, 61)
    w.fault(server="xero", method="GET", path="/RepeatingInvoices$", kind="status", status=200,
            body='{"Status": "OK"}', times=1)  # fmt: skip
    report = w.run()
    assert "stream_unreadable" in codes(report)
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    minutes(w, 61)
    assert "stream_unreadable" not in codes(w.run())


def no_list(w: World, path: str) -> None:
    w.fault(server="xero", method="GET", path=path, kind="status", status=200,
            body='{"Status": "OK"}', times=99)  # fmt: skip


def flags(w: World) -> list[str]:
    """The answers that the list that cannot be read takes."""
    with w.connection() as handle:
        (row,) = handle.issues(kind="stream_unreadable").issues
    return list(row.answers)


def put_aside(w: World) -> None:
    with w.connection() as handle:
        found = handle.chosen_issues(kind="stream_unreadable")
        handle.ignore_issues(found, until=None, who="Ann", reason="support knows")


def test_a_list_that_no_invoice_waits_for_is_put_aside(w: World) -> None:
    subscribed(w)
    steps(w, 3, 30)
    no_list(w, "/RepeatingInvoices$")
    late = sell(w, "Late Pty")
    steps(w, 2, 30)
    assert invoice_of(w, late)["status"] == "DRAFT", "invoices go on"
    assert flags(w) == ["--seen"]
    put_aside(w)
    minutes(w, 30)
    assert "stream_unreadable" not in codes(w.run())


def test_before_a_state_knows_what_is_there_it_is_told_until_it_is_over(w: World) -> None:
    """After a gap nothing is made before all repeating invoices were read."""
    subscribed(w)
    minutes(w, 120)
    no_list(w, "/RepeatingInvoices$")
    sell(w, "Late Pty")
    steps(w, 3, 30)
    assert len(w.invoices()) == 1
    assert flags(w) == []
    with pytest.raises(Park, match="stops every new invoice"):
        put_aside(w)


@pytest.mark.parametrize("path", ["/Invoices$", "/Contacts$"])
def test_a_list_without_which_nothing_is_made_is_told_until_it_is_over(w: World, path: str) -> None:
    w.run()
    no_list(w, path)
    sell(w, "Late Pty")
    steps(w, 2, 16)
    assert w.invoices() == []
    assert flags(w) == []
    with pytest.raises(Park, match="stops every new invoice"):
        put_aside(w)


def test_the_night_reads_round_a_strange_one(w: World) -> None:
    subscribed(w)
    spoilt(w, no_period, of_ours)
    with w.connection() as handle:
        report = handle.reconcile(ReconcileOptions())
    assert [f for f in report.findings if f.subject.startswith("template:")] == []


def test_a_strange_one_is_not_cancelled_by_what_was_known_of_it(w: World) -> None:
    deal = subscribed(w)
    mend = spoilt(w, new_status, of_ours)
    with w.connection() as handle, pytest.raises(Park, match="cannot be read"):
        handle.cancel(str(deal), reason="ordered twice", write=True, who="Ann")
    assert only(templates(w))["document"]["status"] == "DRAFT"
    mend()
    days(w, 1)
