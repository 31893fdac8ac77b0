"""Nobody is told in vain: what changed a minute before the batch counts, stamped or not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import awaiting, codes, invoice_of, number_of
from tests.engine.test_batches_that_end import NO_NIGHT
from tests.engine.test_notices import LATE, by_mail, late, tasks, world_with
from tests.engine.world import World
from tests.transport.mailserver import MailServer, mail_server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def w(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    world = world_with(tmp_path, getattr(request, "param", {}))
    yield world
    world.close()


def minute_before(w: World) -> None:
    """The last batch was yesterday; the next one is the first on which it is overdue."""
    w.time.set(LATE - timedelta(hours=14))
    w.run()
    w.time.set(LATE - timedelta(minutes=1))


def flag(w: World, deal: int) -> Any:
    return w.deal_fields(deal)["Invoice overdue"]


def test_a_due_date_moved_on_a_part_paid_invoice_moves_no_stamp_and_counts(w: World) -> None:
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount=40)
    minute_before(w)
    before = invoice_of(w, deal)
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"DueDate": "2027-01-20"})
    assert invoice_of(w, deal)["updated"] == before["updated"]  # facts: xero, 4
    late(w)
    assert (tasks(w), flag(w, deal)) == ([], "no")


def test_a_promised_day_counts(w: World) -> None:
    deal = awaiting(w)
    minute_before(w)
    w.books("set_expected_payment_date", invoice=number_of(w, deal), date="2026-12-31")
    late(w)
    assert (tasks(w), flag(w, deal)) == ([], "no")
    late(w, LATE + timedelta(days=8))
    assert ["9 days" in task["subject"] for task in tasks(w)] == [True]


def test_what_is_left_is_too_little(w: World) -> None:
    deal = awaiting(w)
    minute_before(w)
    w.books("pay", invoice=number_of(w, deal), amount=106)
    late(w)
    assert (tasks(w), flag(w, deal)) == ([], "no")


@pytest.mark.parametrize("act", ["void", "credit"])
def test_no_debt_is_left(w: World, act: str) -> None:
    deal = awaiting(w)
    minute_before(w)
    w.books(act, invoice=number_of(w, deal))
    late(w)
    assert tasks(w) == []


def test_credit_that_covers_the_debt_holds_the_notice_until_it_is_used_elsewhere(
    w: World,
) -> None:
    deal = awaiting(w)
    minute_before(w)
    credit = w.books("credit", invoice=number_of(w, deal), amount=110, total=110, allocate=False)
    late(w)
    assert (tasks(w), flag(w, deal)) == ([], "yes")
    w.books("void_credit", credit=credit["done"]["id"])
    late(w, LATE + timedelta(days=1))
    assert len(tasks(w)) == 1


def test_a_field_of_the_deal_mutes_it(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        w.overrides["crm"] = {"inputs": {"mute_notices": "Disputed"}}
        with w.connection() as handle:
            assert "Disputed" in " ".join(handle.init_fields(create=True).created)
        deal = awaiting(w)
        minute_before(w)
        w.crm("edit_deal", deal=deal, fields={"Disputed": "yes"})
        late(w)
        assert (tasks(w), flag(w, deal)) == ([], "yes")
        w.crm("edit_deal", deal=deal, fields={"Disputed": None})
        late(w, w.time.now())
        assert len(tasks(w)) == 1
    finally:
        w.close()


def test_a_field_that_mutes_is_heeded_though_it_is_named_later(tmp_path: Path) -> None:
    """The deal says it already, is flagged overdue already, and no list shows it again."""
    w = world_with(tmp_path, {"steps": [3]})
    muting = {"crm": {"inputs": {"mute_notices": "Disputed"}}}
    try:
        plain = w.overrides = w.overrides | NO_NIGHT
        w.overrides = plain | muting
        with w.connection() as handle:
            handle.init_fields(create=True)
        w.overrides = plain
        deal = awaiting(w)
        w.crm("edit_deal", deal=deal, fields={"Disputed": "yes"})
        late(w)
        late(w, LATE + timedelta(hours=4))
        assert (tasks(w), flag(w, deal)) == ([], "yes")
        w.overrides = plain | muting
        mark = w.mark()
        late(w, LATE + timedelta(hours=5))
        late(w, LATE + timedelta(days=2))
        assert tasks(w) == []
        assert reads(w, mark, deal) == 1
        w.overrides = plain | muting | {"mode": "drafts_only"}
        late(w, w.time.now())
        assert reads(w, mark, deal) == 1, "no other field is read than before"
    finally:
        w.close()


def reads(w: World, mark: int, deal: int) -> int:
    """How often the deal was asked for at its own address since then."""
    calls = [(c["method"], c["path"].rpartition("/")[2]) for c in w.since(mark)]
    return calls.count(("GET", str(deal)))


def test_a_mute_that_ends_is_followed_by_what_was_missed(w: World) -> None:
    deal = awaiting(w)
    minute_before(w)
    with w.connection() as handle:
        handle.answer(kind="mute:2026-12-27", subject=f"deal:{deal}", who="me", reason="disputed")
    late(w)
    late(w, LATE + timedelta(days=2))
    assert tasks(w) == []
    late(w, LATE + timedelta(days=3))
    assert ["4 days" in task["subject"] for task in tasks(w)] == [True]


def test_an_owner_who_has_left_is_replaced(w: World) -> None:
    w.crm("create_user", name="Ann Lee", email="ann@example.com")
    fay = w.crm("create_user", name="Fay Back", email="fay@example.com")
    w.overrides["notices"]["fallback"] = "Fay Back"
    deal = awaiting(w, owner="Ann Lee")
    minute_before(w)
    w.crm("deactivate_user", user="Ann Lee")
    w.advance(timedelta(days=1))  # the names of the account are read once a day
    late(w, w.time.now())
    assert [(t["deal_id"], t["owner_id"]) for t in tasks(w)] == [(deal, fay["id"])]


def test_nobody_to_tell_is_an_issue(w: World) -> None:
    w.crm("create_user", name="Ann Lee", email="ann@example.com")
    awaiting(w, owner="Ann Lee")
    minute_before(w)
    w.crm("deactivate_user", user="Ann Lee")
    late(w, LATE + timedelta(days=1))
    assert tasks(w) == []
    assert "nobody_to_tell" in codes(w.run())


@pytest.mark.parametrize("w", [{"to": "account_owner"}], indirect=True)
def test_the_account_owner_is_whoever_looks_after_the_customer_now(w: World) -> None:
    for name in ("Ann Lee", "Bob Kay"):
        w.crm("create_user", name=name, email=f"{name[:3].lower()}@example.com")
    org = w.crm("create_org", name="Acme Pty", owner="Ann Lee")
    awaiting(w)
    minute_before(w)
    w.crm("edit_org", org=org["id"], owner="Bob Kay")
    late(w)
    users = w.crm_state()["users"]
    assert [users[str(t["owner_id"])]["name"] for t in tasks(w)] == ["Bob Kay"]


def test_a_second_digest_waits_for_the_next_day(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "digest": True})
    try:
        awaiting(w)
        second = awaiting(w, org="Bolt Ltd")
        w.books("edit_invoice", invoice=number_of(w, second), fields={"DueDate": "2027-01-20"})
        late(w)
        assert len(mail.taken) == 1
        w.books("edit_invoice", invoice=number_of(w, second), fields={"DueDate": "2026-12-20"})
        late(w, w.time.now())
        assert len(mail.taken) == 1
        late(w, LATE + timedelta(days=1))
        assert len(mail.taken) == 2
        assert len({m["Message-ID"] for _, _, m in mail.taken}) == 2
    finally:
        w.close()
