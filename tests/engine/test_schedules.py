"""Deals in several invoices: each made on its day, all of them tied to the deal and paid back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncjob.errors import Park
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, only, quiet, sell
from tests.engine.world import World

THIRDS: list[dict[str, Any]] = [
    {
        "name": "standard",
        "when": {"total_from": 50},
        "parts": [
            {"name": "deposit", "percent": 30, "on": "win"},
            {"name": "delivery", "percent": 40, "on": "+30 days"},
            {"name": "balance", "rest": True, "on": "+60 days"},
        ],
    }
]
PROGRESSIVE = {"progressive": True}
#: 1,000.01 net at two rates, so that thirds leave cents.
LINES = [
    {"name": "Machine", "price": 900.01, "quantity": 1, "tax": 10},
    {"name": "Manual", "price": 100, "quantity": 1, "tax": 0},
]
RULES = [
    {"name": "free", "when": {"percent": 0}, "rate": "GST Free Income"},
    {"name": "standard", "when": {"percent": 10}, "rate": "GST on Income"},
]


def world(folder: Path, *, field: str | None = None, **config: Any) -> Iterator[World]:
    """A world whose connection invoices in parts; the keywords go into its config, and the CRM
    has this field for a day."""
    invoices = {
        "schedules": THIRDS, "deposit": PROGRESSIVE,
        "tax": {"amounts": "exclusive", "rules": RULES}, **config.pop("invoices", {}),
    }  # fmt: skip
    guard = {"times_largest": 100}  # a balance may be far above its deposit
    made = World(folder, config={"invoices": invoices, "guard": guard, **config})
    if field is not None:
        made.crm("create_field", name=field, type="date")
    made.init()
    yield made
    made.close()


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


@pytest.fixture
def crm_w(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path, invoices={"schedules": []}, crm={"read_instalments": True})


def days(w: World, count: int) -> None:
    w.advance(timedelta(days=count))


def caught_up(w: World) -> Any:
    """Batches after a long pause: the first may only look (recovery), then the patience passes."""
    w.run()
    minutes(w, 16)
    report = w.run()
    quiet(w)
    return report


def parts_of(w: World, deal: int) -> list[dict[str, Any]]:
    """The live invoices of the deal as the books hold them, by marker."""
    ours = [i for i in w.invoices() if f"SJ-{deal}-" in (i["url"] or "")]
    live = [i for i in ours if i["status"] not in ("VOIDED", "DELETED")]
    return sorted(live, key=lambda i: str(i["reference"]))


def first_part_approved(make_world: MakeWorld) -> tuple[World, int]:
    """A deal in thirds whose first part a person has approved."""
    rules = {"schedules": THIRDS, "deposit": PROGRESSIVE,
             "tax": {"amounts": "exclusive", "rules": RULES}}  # fmt: skip
    w = make_world(config={"invoices": rules, "guard": {"times_largest": 100}})
    deal = sell(w, lines=LINES)
    w.run()
    w.books("approve", invoice=invoice_of(w, deal)["number"])
    minutes(w, 5)
    w.run()
    return w, deal


def nets(invoices: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Net sums by tax type over all lines."""
    found: dict[str, Decimal] = {}
    for invoice in invoices:
        for line in invoice["lines"]:
            code = str(line["tax_type"])
            found[code] = found.get(code, Decimal(0)) + Decimal(str(line["line_amount"]))
    return found


def test_a_deposit_and_two_parts_over_two_months(w: World) -> None:
    deal = sell(w, lines=LINES)
    assert w.run().exit_code == 0
    first = only(parts_of(w, deal))
    assert f"SJ-{deal}-B1" in first["url"]
    assert [line["description"] for line in first["lines"]] == [
        "Deposit 30% of Spring order: Machine", "Deposit 30% of Spring order: Manual",
    ]  # fmt: skip
    assert nets([first]) == {"OUTPUT": Decimal("270.00"), "EXEMPTOUTPUT": Decimal("30.00")}
    fields = w.deal_fields(deal)
    assert fields["Invoice status"] == "draft"
    assert fields["Invoice note"] == "Next invoice: delivery, on 2026-12-23."
    quiet(w)
    days(w, 29)
    caught_up(w)
    assert len(parts_of(w, deal)) == 1, "its day has not come"
    days(w, 1)
    caught_up(w)
    days(w, 45)  # the machine was off on the day of the balance
    caught_up(w)
    parts = parts_of(w, deal)
    assert [p["reference"] for p in parts] == [f"SJ-{deal}-{x}1" for x in "BCD"]
    assert [p["day"] for p in parts] == ["2026-11-23", "2026-12-23", "2027-02-06"]
    assert all(p["due_day"] >= p["day"] for p in parts)
    assert nets(parts) == {"OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00")}
    assert w.deal_fields(deal)["Invoice total"] == pytest.approx(1090.01)
    assert "Invoice note" not in w.deal_fields(deal)


def test_payments_of_the_parts_are_paid_back_to_the_deal(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    first = only(parts_of(w, deal))
    w.books("approve", invoice=first["id"])
    w.books("pay", invoice=first["id"])
    minutes(w, 5)
    assert w.run().exit_code == 0
    fields = w.deal_fields(deal)
    assert fields["Invoice status"] == "part-paid", "the deal is not paid: two parts are to come"
    assert fields["Invoice paid"] == fields["Invoice total"] == pytest.approx(327)
    days(w, 30)
    caught_up(w)
    second = parts_of(w, deal)[1]
    w.books("approve", invoice=second["id"])
    minutes(w, 5)
    w.run()
    fields = w.deal_fields(deal)
    assert fields["Invoice status"] == "part-paid"
    assert fields["Invoice number"] == f"{first['number']}, {second['number']}"
    assert fields["Invoice due date"] == second["due_day"], "the next one unpaid"
    assert fields["Invoice due"] == pytest.approx(436)
    days(w, 35)
    caught_up(w)
    last = parts_of(w, deal)[2]
    assert w.deal_fields(deal)["Invoice overdue"] == "yes"
    w.books("approve", invoice=last["id"])
    for invoice in (second, last):
        w.books("pay", invoice=invoice["id"])
    minutes(w, 5)
    w.run()
    fields = w.deal_fields(deal)
    assert fields["Invoice status"] == "paid"
    assert fields["Invoice due"] == 0
    assert fields["Invoice paid"] == pytest.approx(1090.01)
    quiet(w)


def test_a_payment_reaches_a_deal_that_the_crm_hid_for_a_moment(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    first = only(parts_of(w, deal))
    w.books("approve", invoice=first["id"])
    for _ in range(2):  # until the list does not show the deal again: then it is read by its id
        minutes(w, 10)
        w.run()
    w.books("pay", invoice=first["id"])
    minutes(w, 5)
    w.fault(kind="status", status=403, method="GET", path=f"/deals/{deal}$", body="{}")
    assert codes(w.run()) == ["deal_unreadable"]
    for _ in range(2):
        minutes(w, 31)
        report = w.run()
    assert codes(report) == []
    assert w.deal_fields(deal)["Invoice paid"] == pytest.approx(327)
    quiet(w)


def test_the_deal_grows_after_its_deposit_was_approved(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    w.crm("add_line", deal=deal, name="Spare part", price=300, tax=10)
    minutes(w, 5)
    assert w.run().exit_code == 0
    quiet(w)
    days(w, 61)
    caught_up(w)
    parts = parts_of(w, deal)
    assert len(parts) == 3
    assert nets(parts) == {"OUTPUT": Decimal("1200.01"), "EXEMPTOUTPUT": Decimal("100.00")}
    assert nets(parts[:1])["OUTPUT"] == Decimal("270.00"), "what was invoiced stays"
    assert nets(parts[1:2])["OUTPUT"] == Decimal("480.00"), "40% of what the deal is now"


def test_untouched_drafts_follow_the_deal(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    w.crm("add_line", deal=deal, name="Spare part", price=300, tax=10)
    minutes(w, 5)
    assert codes(w.run()) == []
    assert nets(parts_of(w, deal))["OUTPUT"] == Decimal("360.00"), "30% of 1,200.01"
    quiet(w)
    days(w, 61)
    caught_up(w)
    w.crm("add_line", deal=deal, name="Another", price=50, tax=10)
    minutes(w, 5)
    assert codes(w.run()) == []
    parts = parts_of(w, deal)
    assert [p["reference"] for p in parts] == [f"SJ-{deal}-{x}1" for x in "BCD"], "no new numbers"
    assert nets(parts) == {"OUTPUT": Decimal("1250.01"), "EXEMPTOUTPUT": Decimal("100.00")}
    quiet(w)


def test_the_deal_changes_after_its_last_part(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    days(w, 61)
    caught_up(w)
    for part in parts_of(w, deal)[:2]:
        w.books("approve", invoice=part["id"])
    w.crm("add_line", deal=deal, name="Spare part", price=300, tax=10)
    minutes(w, 5)
    assert codes(w.run()) == []
    parts = parts_of(w, deal)
    assert nets(parts) == {"OUTPUT": Decimal("1200.01"), "EXEMPTOUTPUT": Decimal("100.00")}
    quiet(w)
    w.books("approve", invoice=parts[2]["id"])
    w.crm("add_line", deal=deal, name="Another", price=50, tax=10)
    minutes(w, 5)
    report = w.run()
    assert codes(report) == ["parts_differ"]
    assert "1,300.01" in report.issues[0].what
    assert "1,350.01" in report.issues[0].what
    assert nets(parts_of(w, deal)) == nets(parts)
    quiet(w)


def test_a_deal_that_shrinks_below_what_was_invoiced(w: World) -> None:
    deal = sell(w, lines=[{"name": "Machine", "price": 1000, "quantity": 1, "tax": 10}])
    w.run()
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    row = only([r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal])
    w.crm("edit_line", line=row["id"], deal=deal, price=250)
    w.crm("edit_deal", deal=deal, title="Spring order, less")
    days(w, 61)
    report = caught_up(w)
    assert "parts_exceed_deal" in codes(report)
    assert only(parts_of(w, deal)), "the deposit of 300 is more than all of it"


def test_lost_midway(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    w.books("approve", invoice=parts_of(w, deal)[0]["id"])
    days(w, 30)
    caught_up(w)
    assert len(parts_of(w, deal)) == 2
    w.crm("lose", deal=deal)
    minutes(w, 5)
    report = w.run()
    assert codes(report) == ["reopened_after_invoice"]
    assert only(parts_of(w, deal))["status"] == "AUTHORISED", "our untouched draft is gone"
    days(w, 40)
    caught_up(w)
    assert len(parts_of(w, deal)) == 1, "what was to come stops"
    w.crm("win", deal=deal)
    minutes(w, 5)
    w.run()
    days(w, 61)
    caught_up(w)
    parts = parts_of(w, deal)
    assert [p["reference"] for p in parts] == [f"SJ-{deal}-B1", f"SJ-{deal}-C2", f"SJ-{deal}-D1"]
    assert nets(parts) == {"OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00")}


def test_a_person_voids_the_deposit_and_has_it_issued_anew(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    first = only(parts_of(w, deal))
    w.books("approve", invoice=first["id"])
    w.books("void", invoice=first["id"])
    minutes(w, 5)
    report = w.run()
    assert codes(report) == ["reissue_needed"]
    assert '--part "deposit"' in report.issues[0].next_step
    quiet(w)
    with w.connection() as handle:
        handle.answer(kind="reissue", subject=f"deal:{deal}", who="Ann", reason="x", part="deposit")
    minutes(w, 5)
    assert w.run().exit_code == 0
    assert only(parts_of(w, deal))["reference"] == f"SJ-{deal}-B2"
    quiet(w)


def test_the_state_is_lost_midway(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    days(w, 30)
    caught_up(w)
    forget(w)
    w.run()
    minutes(w, 16)
    w.run()
    days(w, 31)
    caught_up(w)
    parts = parts_of(w, deal)
    assert [p["reference"] for p in parts] == [f"SJ-{deal}-{x}1" for x in "BCD"]
    assert nets(parts) == {"OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00")}


def test_a_lost_state_and_an_invoice_of_which_nobody_knows_the_part(w: World) -> None:
    """Without the key in its link the part cannot be told: nothing is doubled, a person says it."""
    deal = sell(w, lines=LINES)
    w.run()
    first = only(parts_of(w, deal))
    bare = first["url"].split("&part=")[0]
    w.books("edit_invoice", invoice=first["id"], fields={"Url": bare})
    forget(w)
    w.run()
    minutes(w, 16)
    report = w.run()
    assert codes(report) == ["part_not_scheduled"]
    days(w, 31)
    caught_up(w)
    assert len(parts_of(w, deal)) == 1
    with w.connection() as handle:
        handle.answer(
            kind=f"link:{first['number']}", subject=f"deal:{deal}", who="Ann", reason="x",
            part="deposit",
        )  # fmt: skip
    minutes(w, 5)
    assert codes(w.run()) == []
    assert [p["reference"] for p in parts_of(w, deal)] == [f"SJ-{deal}-B1", f"SJ-{deal}-C1"]
    quiet(w)


def forget(w: World) -> None:
    for path in (w.folder / "state").glob("syncjob.db*"):
        path.unlink()


# --- the CRM's own instalments -------------------------------------------------------------------


def instalments(w: World, deal: int) -> list[dict[str, Any]]:
    rows = [r for r in w.crm_state()["installments"].values() if r["deal_id"] == deal]
    return sorted(rows, key=lambda r: str(r["billing_date"]))


def planned(*parts: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"amount": amount, "billing_date": day} for amount, day in parts]


#: The deal's value is what its rows come to with their tax; these have none in the CRM.
MACHINE = [{"name": "Machine", "price": 1000, "quantity": 1, "tax": 0}]


def test_the_crms_instalments_each_on_its_day(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE, installments=planned((300, "2026-11-20"), (700, "2026-12-01")))
    assert w.run().exit_code == 0
    first = only(parts_of(w, deal))
    assert first["day"] == "2026-11-23", "its day has passed: made now, dated today"
    assert first["lines"][0]["description"] == "Instalment (1 of 2) of Spring order: Machine"
    days(w, 8)
    caught_up(w)
    assert nets(parts_of(w, deal)) == {"EXEMPTOUTPUT": Decimal("1000.00")}
    assert [p["reference"] for p in parts_of(w, deal)] == [f"SJ-{deal}-B1", f"SJ-{deal}-C1"]


def test_instalments_that_do_not_add_up(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE, installments=planned((300, "2026-11-20"), (600, "2026-12-01")))
    report = w.run()
    assert codes(report) == ["instalments_differ"]
    assert "900.00" in report.issues[0].what and "1,000.00" in report.issues[0].what
    assert w.invoices() == []
    assert w.deal_fields(deal)["Invoice status"] == "held"


def test_an_instalment_added_before_the_others_shifts_no_name(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE, installments=planned((300, "2026-11-23"), (700, "2026-12-01")))
    w.run()
    second = instalments(w, deal)[1]
    w.crm("edit_installment", deal=deal, installment=second["id"], amount=500)
    w.crm("add_installments", deal=deal, installments=planned((200, "2026-11-22")))
    w.crm("edit_deal", deal=deal, title="Spring order, changed")
    minutes(w, 5)
    assert w.run().exit_code == 0
    days(w, 9)
    caught_up(w)
    parts = parts_of(w, deal)
    assert [str(p["subtotal"]) for p in parts] == ["300.00", "200.00", "500.00"]
    assert nets(parts) == {"EXEMPTOUTPUT": Decimal("1000.00")}


def test_an_instalment_that_was_invoiced_is_taken_out(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE, installments=planned((300, "2026-11-23"), (700, "2026-12-01")))
    w.run()
    first, second = instalments(w, deal)
    w.books("approve", invoice=only(parts_of(w, deal))["id"])
    w.crm("remove_installment", deal=deal, installment=first["id"])
    w.crm("edit_installment", deal=deal, installment=second["id"], amount=1000)
    w.crm("edit_deal", deal=deal, title="Spring order, changed")
    days(w, 9)
    report = caught_up(w)
    assert codes(report) == ["part_not_scheduled"]
    assert len(parts_of(w, deal)) == 1, "a whole invoice beside the deposit would double it"
    w.books("void", invoice=only(parts_of(w, deal))["id"])
    minutes(w, 5)
    assert codes(w.run()) == []
    assert nets(parts_of(w, deal)) == {"EXEMPTOUTPUT": Decimal("1000.00")}
    quiet(w)


def test_an_untouched_draft_whose_instalment_is_taken_out_goes(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE, installments=planned((300, "2026-11-23"), (700, "2026-12-01")))
    w.run()
    first, second = instalments(w, deal)
    w.crm("remove_installment", deal=deal, installment=first["id"])
    w.crm("edit_installment", deal=deal, installment=second["id"], amount=1000)
    w.crm("edit_deal", deal=deal, title="Spring order, changed")
    minutes(w, 5)
    assert codes(w.run()) == []
    assert parts_of(w, deal) == []
    days(w, 9)
    caught_up(w)
    assert nets(parts_of(w, deal)) == {"EXEMPTOUTPUT": Decimal("1000.00")}


def test_a_deal_that_was_invoiced_as_a_whole_stays_so(crm_w: World) -> None:
    w = crm_w
    deal = sell(w, lines=MACHINE)
    w.run()
    w.crm("add_installments", deal=deal, installments=planned((1000, "2026-11-23")))
    w.crm("edit_deal", deal=deal, title="Spring order, changed")
    minutes(w, 5)
    assert w.run().exit_code == 0
    assert only(parts_of(w, deal))["reference"] == f"SJ-{deal}-A1"
    quiet(w)


# --- deposits -------------------------------------------------------------------------------------

HALVES = [
    {
        "name": "halves",
        "parts": [
            {"name": "deposit", "percent": 50, "on": "win"},
            {"name": "balance", "rest": True, "on": {"field": "Delivered on"}},
        ],
    }
]


def test_the_last_invoice_shows_all_lines_less_the_deposit(tmp_path: Path) -> None:
    deposit = {"progressive": True, "style": "full_less_deposit", "account": "260"}
    invoices = {"schedules": HALVES, "deposit": deposit}
    for w in world(tmp_path, field="Delivered on", invoices=invoices):
        deal = sell(w, lines=LINES)
        assert codes(w.run()) == []
        first = only(parts_of(w, deal))
        assert {line["account_code"] for line in first["lines"]} == {"260"}
        assert w.deal_fields(deal)["Invoice note"] == (
            'Next invoice: balance, when "Delivered on" is filled.'
        )
        w.crm("edit_deal", deal=deal, fields={"Delivered on": "2026-11-23"})
        minutes(w, 5)
        assert codes(w.run()) == ["earlier_part_open"], "its number is not certain yet"
        w.books("approve", invoice=first["id"])
        minutes(w, 5)
        assert codes(w.run()) == []
        last = parts_of(w, deal)[1]
        assert [str(line["line_amount"]) for line in last["lines"]] == [
            "900.01", "100.00", "-450.01", "-50.00",
        ]  # fmt: skip
        assert f"invoiced as {first['number']}" in last["lines"][2]["description"]
        assert nets([first, last]) == {
            "OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00"),
        }  # fmt: skip
        quiet(w)


@pytest.mark.parametrize(
    ("deposit", "code"),
    [({"kind": "refundable", "progressive": True}, "deposit_refundable"), ({}, "deposit_gst")],
)
def test_what_only_finance_may_decide_is_held(
    tmp_path: Path, deposit: dict[str, Any], code: str
) -> None:
    for w in world(tmp_path, invoices={"deposit": deposit}):
        with w.connection() as handle:
            warned = [problem.what for problem in handle.check() if "Its deals" in problem.what]
        assert len(warned) == 1, "check says so before a deal is won"
        sell(w, lines=LINES)
        assert codes(w.run()) == [code]
        assert w.invoices() == []


def test_each_part_is_approved_where_mode_and_rule_say_so(tmp_path: Path) -> None:
    for w in world(tmp_path, mode="full", invoices={"status": "authorised"}):
        deal = sell(w, lines=LINES)
        assert w.run().exit_code == 0
        assert only(parts_of(w, deal))["status"] == "AUTHORISED"
        days(w, 61)
        caught_up(w)
        parts = parts_of(w, deal)
        assert [p["status"] for p in parts] == ["AUTHORISED"] * 3
        assert nets(parts) == {"OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00")}


def test_numbers_by_deal(tmp_path: Path) -> None:
    for w in world(tmp_path, invoices={"numbering": "deal"}):
        deal = sell(w, lines=LINES)
        w.run()
        days(w, 61)
        caught_up(w)
        assert [p["number"] for p in parts_of(w, deal)] == [f"SJ-{deal}-{x}1" for x in "BCD"]


def test_two_parts_of_one_day_and_a_run_that_creates_one(tmp_path: Path) -> None:
    parts = [
        {"name": "goods", "percent": 50, "on": "win"},
        {"name": "service", "percent": 50, "on": "win"},
    ]
    for w in world(tmp_path, invoices={"schedules": [{"name": "halves", "parts": parts}]}):
        deal = sell(w, lines=LINES)
        w.run(max_creates=1)
        assert len(parts_of(w, deal)) == 1
        minutes(w, 5)
        assert w.run().exit_code == 0
        assert len(parts_of(w, deal)) == 2
        quiet(w)


# --- the page -------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "schedules.md"


def examples() -> list[dict[str, Any]]:
    """The examples of the page."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    return [yaml.safe_load(block.replace(" on:", ' "on":'))["invoices"] for block in blocks]


@pytest.mark.parametrize("number", range(2))
def test_each_example_of_the_page(tmp_path: Path, number: int) -> None:
    example = examples()[number]
    assert len(examples()) == 2
    for w in world(tmp_path, field="Delivered on", mode="full",
                   invoices={**example, "status": "authorised", "value_is": None}):  # fmt: skip
        deal = sell(w, lines=[{"name": "Machine", "price": 6000, "quantity": 1, "tax": 0}])
        assert codes(w.run()) == []
        days(w, 65)
        assert codes(caught_up(w)) == []
        parts = parts_of(w, deal)
        assert len(parts) == len(example["schedules"][0]["parts"])
        assert sum(nets(parts).values()) == 6000


# --- what people do besides ----------------------------------------------------------------------


def test_a_deal_that_is_held_before_its_parts_are_known_says_held(w: World) -> None:
    deal = sell(w, lines=[LINES[1]])
    w.run()
    minutes(w, 5)
    w.crm("reopen", deal=deal)
    w.run()
    assert [i["status"] for i in w.invoices()] == ["DELETED"]
    assert w.deal_fields(deal)["Invoice status"] == "deleted"
    w.books("archive_contact", contact=only(w.contacts())["id"])
    w.crm("win", deal=deal)
    minutes(w, 20)
    assert "contact_archived" in codes(w.run())
    assert w.deal_fields(deal)["Invoice status"] == "held"
    quiet(w)


def test_an_archived_deal_with_parts_to_come(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    w.crm("archive_deal", deal=deal)
    minutes(w, 61)
    assert codes(w.run()) == ["won_but_archived"]
    days(w, 31)
    caught_up(w)
    assert len(parts_of(w, deal)) == 1
    w.crm("unarchive_deal", deal=deal)
    minutes(w, 5)
    assert codes(caught_up(w)) == []
    assert len(parts_of(w, deal)) == 2


def test_an_invoice_made_by_hand_is_tied_to_its_part(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    contact = w.contacts()[0]["id"]
    lines = [
        {"Description": "By hand", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200",
         "TaxType": tax}
        for amount, tax in ((360, "OUTPUT"), (40, "EXEMPTOUTPUT"))
    ]  # fmt: skip
    fields = {"Contact": {"ContactID": contact}, "LineItems": lines, "Date": "2026-12-01",
              "DueDate": "2026-12-31", "InvoiceNumber": "HAND-1"}  # fmt: skip
    w.books("create_invoice", fields=fields)
    minutes(w, 5)
    w.run()
    with w.connection() as handle:
        with pytest.raises(Park, match="in parts"):
            handle.answer(kind="link:HAND-1", subject=f"deal:{deal}", who="Ann", reason="x")
        with pytest.raises(Park, match="no part of"):
            handle.answer(
                kind="link:HAND-1", subject=f"deal:{deal}", who="Ann", reason="x", part="rest"
            )
        with pytest.raises(Park, match="already"):
            handle.answer(
                kind="link:HAND-1", subject=f"deal:{deal}", who="Ann", reason="x", part="deposit"
            )
        with pytest.raises(Park, match="never had"):
            handle.answer(
                kind="reissue", subject=f"deal:{deal}", who="Ann", reason="x", part="delivery"
            )
        handle.answer(
            kind="link:HAND-1", subject=f"deal:{deal}", who="Ann", reason="x", part="delivery"
        )
    minutes(w, 5)
    assert codes(w.run()) == []
    assert w.deal_fields(deal)["Invoice total"] == pytest.approx(763)
    days(w, 61)
    caught_up(w)
    ours = parts_of(w, deal)
    assert [p["reference"] for p in ours] == [f"SJ-{deal}-B1", f"SJ-{deal}-D1"]
    hand = only([i for i in w.invoices() if i["number"] == "HAND-1"])
    assert nets([*ours, hand]) == {"OUTPUT": Decimal("900.01"), "EXEMPTOUTPUT": Decimal("100.00")}


def test_a_lost_answer_makes_no_second_part(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    days(w, 30)
    w.run()
    minutes(w, 16)
    w.fault(server="xero", method="PUT", path="/Invoices$", kind="lost", when="after", times=2)
    w.run()
    for _ in range(3):
        minutes(w, 16)
        w.run()
    assert [p["reference"] for p in parts_of(w, deal)] == [f"SJ-{deal}-B1", f"SJ-{deal}-C1"]
    quiet(w)


def test_two_deals_and_a_person_who_wants_one_left_alone(w: World) -> None:
    deal = sell(w, lines=LINES)
    w.run()
    with w.connection() as handle:
        handle.answer(kind="never", subject=f"deal:{deal}", who="Ann", reason="paid in kind")
    days(w, 61)
    caught_up(w)
    first = only(parts_of(w, deal))
    w.books("approve", invoice=first["id"])
    w.books("pay", invoice=first["id"])
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "paid", "nothing more is to come"


FAULTS: list[dict[str, Any]] = [
    {"kind": "refuse"},
    {"kind": "lost"},
    {"kind": "late", "delay_s": 200},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 503, "when": "before"},
    {"kind": "truncate"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']}")
@pytest.mark.parametrize("path", ["/Invoices$", "/deals/1$"])
@pytest.mark.parametrize("forgets", [False, True], ids=["remembers", "forgets"])
def test_a_fault_while_a_later_part_is_made(
    tmp_path: Path, fault: dict[str, Any], path: str, forgets: bool
) -> None:
    """Whatever becomes of the write, and with the state lost just then: no part is there twice."""
    for w in world(tmp_path, mode="full", invoices={"status": "authorised"}):
        deal = sell(w, lines=LINES)
        w.run()
        days(w, 30)
        w.run()
        minutes(w, 16)
        side = "xero" if path == "/Invoices$" else "pipedrive"
        w.fault(server=side, method="PUT" if side == "xero" else "PATCH", path=path, **fault)
        w.run()
        if forgets:
            forget(w)
        for _ in range(4):
            minutes(w, 16)
            w.run()
        parts = parts_of(w, deal)
        assert [p["reference"] for p in parts] == [f"SJ-{deal}-B1", f"SJ-{deal}-C1"]
        assert nets(parts)["OUTPUT"] == Decimal("630.00")
        assert w.deal_fields(deal)["Invoice status"] == "awaiting payment"
        quiet(w)


def test_an_account_of_deposits_that_is_not_there_is_named(tmp_path: Path) -> None:
    made = World(tmp_path, config={"invoices": {"deposit": {"account": "Deposits"}}})
    with made.connection() as handle:
        problems = handle.check()
    made.close()
    assert [p for p in problems if p.fatal and '"Deposits"' in p.what], problems
