"""A firm changes its CRM: each deal keeps its one invoice, judged from the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.engine import relinking
from syncjob.engine.undoing import Asked
from syncjob.errors import ConfigError, Exit, Park
from tests.engine.moving import NEW, Moving, map_of, patience
from tests.engine.scenes import codes, minutes, quiet, sell


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Moving]:
    """A firm with a history in Pipedrive."""
    world = Moving(tmp_path)
    world.init()
    yield world
    world.close()


class Change:
    """The change of the CRM up to the relink: the deals in both, and the invoices before it."""

    def __init__(self, w: Moving, *, without: tuple[str, ...] = ("lonely",)) -> None:
        self.w, self.old = w, w.history()
        self.before = ids(w)
        w.advance(timedelta(hours=6))
        w.change()
        self.new = w.imported(self.old)
        self.map = map_of(self.old, self.new, without=without)
        w.advance(timedelta(days=1))


def ids(w: Moving) -> set[str]:
    return {i["id"] for i in w.invoices()}


def state(w: Moving, deal: int) -> tuple[str, str]:
    found = w.deal_fields(deal)
    return found.get("Invoice status") or "", found.get("Invoice number") or ""


def test_every_deal_keeps_its_one_invoice_and_the_money_finds_it(moving: Moving) -> None:
    w, case = moving, Change(moving)
    mark = w.mark()
    seen = w.relink(case.map, write=False)
    assert (seen.deals, seen.invoiced, seen.without_count, seen.refused) == (5, 3, 1, ())
    assert w.relink(case.map).done
    w.settle_in()
    assert w.called(mark) <= {"hubspot", "xero"}
    assert ids(w) == case.before
    assert state(w, case.new["draft"])[0] == "draft"
    assert state(w, case.new["unpaid"]) == ("awaiting payment", w.number(case.old["unpaid"]))
    assert state(w, case.new["paid"])[0] == "paid"
    assert state(w, case.new["lonely"]) == ("", "")
    w.books("pay", invoice=w.number(case.old["unpaid"]))
    w.books("approve", invoice=w.number(case.old["draft"]))
    w.crm("win", deal=case.new["open"])
    minutes(w, 5)
    w.accept()
    assert state(w, case.new["unpaid"])[0] == "paid"
    assert state(w, case.new["draft"])[0] == "awaiting payment"
    made = ids(w) - case.before
    assert len(made) == 1 and w.number(case.new["open"], "SK")
    minutes(w, 5)
    w.run()
    quiet(w)


def test_a_second_relink_and_batches_in_between_change_nothing(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.relink(case.map)
    w.settle_in()
    minutes(w, 5)
    w.run()
    again = w.relink(case.map)
    assert (again.rows, again.already) == (0, 5)
    quiet(w)
    fuller = map_of(case.old, case.new)
    assert w.relink(fuller, write=False).without_count == 0
    w.relink(fuller)
    minutes(w, 5)
    w.accept()
    assert state(w, case.new["lonely"])[0] == "draft"
    assert ids(w) == case.before
    minutes(w, 5)
    quiet(w)


def test_what_was_won_before_the_cut_over_is_history_whatever_its_stamp(moving: Moving) -> None:
    w, case = moving, Change(moving, without=("lonely", "paid", "open"))
    for n in range(3):
        sell(w, f"Old {n}", won=False, status="won", won_time="2026-11-10T09:00:00Z")
    w.relink(case.map)
    fresh = sell(w, "New Pty", title="a new sale")
    w.settle_in()
    made = ids(w) - case.before
    assert len(made) == 1 and w.number(fresh, "SK")
    assert Counter(codes(w.run()))["won_before_cut_over"] == 0  # excluded, not held
    w.crm("win", deal=case.new["open"])  # it was open when it came over: a new sale
    minutes(w, 5)
    w.accept()
    assert len(ids(w) - case.before) == 2


def test_an_import_that_comes_too_late_is_stopped_by_the_guard(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.relink(case.map)
    w.settle_in()
    w.overrides = {**NEW, "guard": {"creates_first_week": 5, "creates": 5}}
    for n in range(6):
        sell(w, "Late Pty", title=f"late {n}")
    minutes(w, 5)
    report = w.run()
    assert report.exit_code == Exit.GUARD and ids(w) == case.before


def test_a_lost_state_doubles_nothing(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.relink(case.map)
    w.settle_in()
    w.lose_state()
    fresh = sell(w, "New Pty", title="a new sale")
    for _ in range(3):
        report = w.run()
        patience(w)
    assert ids(w) == case.before and report.exit_code in (0, 1)
    kept = sorted((w.folder / "backups").glob("*-relink-*.csv"))
    assert len(kept) == 1
    told = " ".join(f"{i.what} {i.next_step}" for i in report.issues)
    assert str(kept[0]) in told, told
    w.relink(kept[0].read_text())
    w.accept()
    assert "map_lost" not in codes(w.run())
    assert len(ids(w) - case.before) == 1 and w.number(fresh, "SK")
    w.books("pay", invoice=w.number(case.old["unpaid"]))
    minutes(w, 5)
    w.accept()
    assert state(w, case.new["unpaid"])[0] == "paid"
    assert state(w, case.new["draft"])[0] == "draft"
    minutes(w, 5)
    w.run()
    quiet(w)


def test_a_lost_state_may_be_told_before_its_first_batch(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.relink(case.map)
    w.settle_in()
    w.lose_state()
    w.relink(case.map)
    for _ in range(3):
        patience(w)
        w.accept()
    assert ids(w) == case.before
    assert state(w, case.new["unpaid"])[0] == "awaiting payment"
    quiet(w)


def test_nothing_is_done_before_the_command_and_nothing_by_halves(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    w, case = moving, Change(moving)
    assert w.run().exit_code == Exit.WRONG_ORGANISATION
    led: list[str] = []
    lead = relinking._lead

    def die(*given: Any) -> None:
        lead(*given)
        led.append(given[1].old)
        if len(led) == 3:
            raise RuntimeError("the process dies here")

    monkeypatch.setattr(relinking, "_lead", die)
    with pytest.raises(RuntimeError):
        w.relink(case.map)
    monkeypatch.undo()
    assert w.run().exit_code == Exit.WRONG_ORGANISATION
    minutes(w, 1)
    assert w.relink(case.map).deals == 5
    w.settle_in()
    assert ids(w) == case.before and state(w, case.new["paid"])[0] == "paid"


def test_a_map_is_refused_by_the_row(moving: Moving) -> None:
    w, case = moving, Change(moving)
    old, new = case.old, case.new
    text = "\n".join(
        [
            "old,new",
            f"{old['draft']},{new['draft']}",
            f"{old['unpaid']},{new['draft']}",  # 3: two invoices on one deal
            f"{old['paid']},{new['paid']}",
            f"{old['paid']},{new['unpaid']}",  # 5: one deal as two
            f"{old['voided']},999999",  # 6
            f"{old['open']},1.2E+11",  # 7
            f"{old['open']},{new['open']}",
            f"{old['lonely']},https://app.hubspot.com/contacts/99/record/0-3/{new['lonely']}",  # 9
        ]
    )
    seen = w.relink(text, write=False)
    assert [row.line for row in seen.refused] == [2, 3, 4, 5, 6, 7, 9]
    assert (seen.deals, seen.missing, seen.without_count) == (1, 1, 4)
    done = w.relink(text)
    assert done.deals == 1
    w.settle_in()
    assert ids(w) == case.before


def test_the_config_must_be_ready_for_it(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.overrides = {}
    with pytest.raises(ConfigError) as refused:
        w.relink(case.map, write=False)
    places = [problem.partition(":")[0] for problem in refused.value.problems]
    assert places == ["connection.code", "invoices.cut_over"]
    assert "former_codes: [SJ]" in str(refused.value)


def test_another_code_without_a_relink_is_an_error(moving: Moving) -> None:
    w = moving
    sell(w)
    assert w.run().exit_code == 0
    w.overrides = {"connection": {"name": "test", "code": "SX"}}
    assert w.run().exit_code == Exit.CONFIG


def test_a_write_to_the_ledger_that_is_open_is_settled_first(moving: Moving) -> None:
    w = moving
    case = Change(w)
    w.back()
    w.run()
    patience(w)
    w.run()
    sell(w, "Late Pty", title="the last one")
    w.fault(server="xero", method="PUT", path="Invoices", kind="lost", times=3)
    w.run()
    w.change()
    with pytest.raises(Park, match="not known"):
        w.relink(case.map)
    w.back()
    minutes(w, 5)
    w.run()
    w.change()
    assert w.relink(case.map).done


def test_the_backup_puts_the_old_crm_back(moving: Moving) -> None:
    from syncjob.clock import SystemClock
    from syncjob.config import load_config
    from syncjob.engine.keeping import restore

    w, case = moving, Change(moving)
    done = w.relink(case.map)
    w.settle_in()
    w.back()
    config = load_config(w.write_config())
    assert done.backup is not None
    restore(config, Path(done.backup), clock=SystemClock(), who="Ann", reason="a test")
    for _ in range(3):
        patience(w)
        w.run()
    assert ids(w) == case.before
    assert state(w, case.old["unpaid"])[0] == "awaiting payment"


def billed_to(w: Moving, deal: int, code: str) -> str:
    return str(next(i for i in w.invoices() if f"{code}-{deal}-" in (i["url"] or ""))["contact_id"])


def test_a_customer_keeps_its_contact_by_the_map_or_by_its_name(moving: Moving) -> None:
    w, case = moving, Change(moving)
    old = {o["name"]: o["id"] for o in w._get("/control/state/pipedrive")["organizations"].values()}
    new = {o["name"]: o["id"] for o in w.crm_state()["organizations"].values()}
    w.crm("edit_org", org="Paid Pty", name="Paid Holdings")
    rows = f"\ncompany;{old['Paid Pty']};{new['Paid Pty']}"
    seen = w.relink(case.map + rows)
    assert (seen.contacts, seen.linked, seen.refused) == (1, 1, ())
    w.settle_in()
    contacts = len(w.contacts())
    first, second = sell(w, "Paid Holdings"), sell(w, "Draft Pty", title="another")
    minutes(w, 5)
    w.accept()
    assert billed_to(w, first, "SK") == billed_to(w, case.old["paid"], "SJ")
    assert billed_to(w, second, "SK") == billed_to(w, case.old["draft"], "SJ")
    assert len(w.contacts()) == contacts


def test_two_old_customers_with_two_contacts_cannot_be_one(moving: Moving) -> None:
    w, case = moving, Change(moving)
    old = {o["name"]: o["id"] for o in w._get("/control/state/pipedrive")["organizations"].values()}
    new = {o["name"]: o["id"] for o in w.crm_state()["organizations"].values()}
    rows = [f"org;{old[name]};{new['Paid Pty']}" for name in ("Paid Pty", "Draft Pty")]
    seen = w.relink("\n".join([case.map, *rows]), write=False)
    assert len(seen.refused) == 2 and "one: organization" in seen.refused[0].why


def test_contact_sync_begins_anew_and_fills_blanks_alone(tmp_path: Path) -> None:
    synced = {"contacts": {"update": "owners"}}
    w = Moving(tmp_path, config=synced)
    try:
        w.init()
        case = Change(w)
        old = {
            o["name"]: o["id"] for o in w._get("/control/state/pipedrive")["organizations"].values()
        }
        new = {o["name"]: o["id"] for o in w.crm_state()["organizations"].values()}
        w.crm("edit_org", org="Paid Pty", name="Paid Holdings")
        w.overrides = {**w.overrides, **synced}
        w.relink(case.map + f"\norg;{old['Paid Pty']};{new['Paid Pty']}")
        with w.connection() as handle:
            assert not handle.init_fields(create=True).by_hand
        mark = w.mark()
        report = w.run()
        assert report.exit_code == Exit.GUARD
        assert "overwritten" in report.stopped_by and w.writes(mark) == []
        assert "Paid Pty" in {c["name"] for c in w.contacts()}
    finally:
        w.close()


def test_to_another_account_of_the_same_crm(tmp_path: Path) -> None:
    w = Moving(tmp_path)
    try:
        w.init()
        old = w.history()
        before = ids(w)
        w.replace_account()
        for n in range(3):  # so that old numbers are other deals in the new account
            sell(w, f"Nobody {n}", title="from before", won=False)
        new = w.imported(old)
        assert set(new.values()) & set(old.values())
        w.advance(timedelta(days=1))
        w.relink(map_of(old, new))
        w.settle_in()
        assert ids(w) == before
        assert state(w, new["unpaid"]) == ("awaiting payment", w.number(old["unpaid"]))
        w.lose_state()
        w.relink(map_of(old, new))
        for _ in range(2):
            patience(w)
            w.accept()
        assert ids(w) == before
        w.crm("win", deal=new["open"])
        minutes(w, 5)
        w.accept()
        assert len(ids(w) - before) == 1
    finally:
        w.close()


def test_a_win_that_was_not_invoiced_in_time_is_invoiced_after_the_change(moving: Moving) -> None:
    """The map says that the old CRM won it; the import's stamp and the cut-over say nothing."""
    w, old = moving, moving.history()
    before = ids(w)
    old["late"] = sell(w, "Late Pty", title="late")
    w.advance(timedelta(hours=6))
    w.change()
    new = w.imported(old)
    w.advance(timedelta(days=1))
    w.relink(map_of(old, new))
    w.settle_in()
    assert len(ids(w) - before) == 1 and w.number(new["late"], "SK")
    quiet(w)


def test_a_page_of_the_new_account_is_as_good_as_a_number(moving: Moving) -> None:
    w, case = moving, Change(moving)
    pages = "\n".join(
        f"https://firm.pipedrive.com/deal/{case.old[name]}\t"
        f"app.hubspot.com/contacts/26543210/record/0-3/{case.new[name]}"
        for name in ("unpaid", "paid")
    )
    done = w.relink(f"From\tTo\n{pages}")
    assert (done.deals, done.invoiced, done.refused) == (2, 2, ())


def test_what_a_person_decided_about_a_deal_goes_with_it(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.back()
    with w.connection() as handle:
        for name in ("voided", "open"):
            handle.answer(
                kind="reissue" if name == "voided" else "never", who="Ann", reason="a test",
                subject=f"deal:{case.old[name]}",
            )  # fmt: skip
    w.change()
    w.relink(case.map)
    w.settle_in()
    w.crm("win", deal=case.new["open"])
    minutes(w, 5)
    w.accept()
    made = [i for i in w.invoices() if i["id"] not in case.before]
    assert [i["url"].rpartition("syncjob=")[2] for i in made] == [f"SK-{case.new['voided']}-A2"]


def test_a_batch_in_the_crm_that_was_left_is_not_undone(moving: Moving) -> None:
    w, case = moving, Change(moving)
    w.relink(case.map)
    with w.connection() as handle, pytest.raises(Park, match="was left"):
        handle.undo(Asked(batch=3), write=False, who="Ann")


def test_who_is_forgotten_after_the_change_is_forgotten_before_it_too(moving: Moving) -> None:
    w, case = moving, Change(moving)
    old = {o["name"]: o["id"] for o in w._get("/control/state/pipedrive")["organizations"].values()}
    new = {o["name"]: o["id"] for o in w.crm_state()["organizations"].values()}
    w.books("rename_contact", contact="Paid Pty", name="Paid Holdings")
    w.crm("edit_org", org="Paid Pty", name="Paid Holdings")
    w.relink(case.map + f"\norg;{old['Paid Pty']};{new['Paid Pty']}")
    w.settle_in()
    with w.connection() as handle:
        handle.answer(
            kind="forget", subject=f"contact:org:{new['Paid Pty']}", who="Ann", reason="asked"
        )
    minutes(w, 5)
    w.accept()
    with w.connection() as handle:
        said = {row.after for row in handle.state.audit.rows_of()}
    assert "Draft Pty" in said
    assert "Paid Pty" not in said
