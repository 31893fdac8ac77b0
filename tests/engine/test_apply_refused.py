"""Plan files that are not applied: refused before any call, each with its own words, or kept by
what keeps every batch (the guard, a pause, a new state), and then still there to be applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob import __version__
from syncjob.core.plan_file import read_plan, write_plan
from syncjob.errors import ConfigError, Exit, GuardTripped, WrongPlan
from tests.engine.applying import apply, codes_of, fates, plan_text
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, invoice_of, number_of, quiet, sell
from tests.engine.test_notices import LATE, by_mail, mail, world_with
from tests.engine.world import PATIENCE, World
from tests.transport.mailserver import MailServer

__all__ = ["mail"]  # a fixture

FULL = {"mode": "full", "invoices": {"status": "authorised"}}


def refused(w: World, text: str, **options: Any) -> WrongPlan:
    """The refusal of this text, which came before any call and wrote nothing down."""
    mark = w.mark()
    with pytest.raises(WrongPlan) as error:
        apply(w, text, **options)
    assert w.since(mark) == []
    assert error.value.exit_code == Exit.PLAN_FILE
    assert error.value.next_step.startswith("Make a new one with `syncjob plan -o FILE`.")
    return error.value


def test_a_plan_is_used_up_once_it_is_done(world: World) -> None:
    sell(world)
    text = plan_text(world)
    apply(world, text)
    assert "was applied already: on 2026-11-23" in refused(world, text).what
    quiet(world)
    assert len(world.invoices()) == 1


def _edited(text: str) -> str:
    return text.replace('"total": "110.00"', '"total": "11.00"', 1)


def _resealed(text: str, *path: str) -> str:
    """Forged by somebody who knows how the seal is made: `path` ends with the new value."""
    content = json.loads(text)
    del content["seal"]
    place = content["plan"]
    for key in path[:-2]:
        place = place[key]
    place[path[-2]] = path[-1]
    plain = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return json.dumps({**content, "seal": hashlib.sha256(plain.encode()).hexdigest()})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_edited, "was edited, or damaged"),
        (lambda text: text[: len(text) // 2], "was cut off"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "was made by syncjob"),
        (lambda text: text.replace(f'"program": "{__version__}"', '"program": "0.0.1"'), "0.0.1"),
        (lambda _: "{}", "is no plan of syncjob"),
        (lambda _: "[1]", "is no plan of syncjob"),
        (lambda _: "", "is no whole plan file"),
        (lambda _: "[" * 100_000, "is no whole plan file"),
        (lambda text: text.replace("{", '{"x": "\\ud800", ', 1), "was edited, or damaged"),
        (lambda text: _resealed(text, "hash", "0" * 12), "is not what its hash says"),
        (lambda text: _resealed(text, "origin", "made_at", "2026-11-23T01:00:00"), "was edited"),
    ],
)
def test_a_spoilt_file_is_refused(world: World, spoil: Callable[[str], str], words: str) -> None:
    sell(world)
    text = plan_text(world)
    spoilt = spoil(text)
    assert spoilt != text
    assert words in refused(world, spoilt).what


def test_another_way_of_writing_the_same_json_is_the_same_file(world: World) -> None:
    sell(world)
    loaded = json.loads(plan_text(world))
    apply(world, json.dumps(dict(reversed(loaded.items()))))
    assert len(world.invoices()) == 1


def test_a_plan_of_long_ago_is_refused(world: World) -> None:
    sell(world)
    text = plan_text(world)
    world.advance(timedelta(days=8))
    assert "older than 7 days" in refused(world, text).what


def test_a_plan_made_under_other_rules_is_refused(world: World) -> None:
    sell(world)
    text = plan_text(world)
    world.overrides = {"invoices": {"account": "260"}}
    assert "The config has changed" in refused(world, text).what
    world.overrides = {"schedule": {"every_minutes": 9}, "guard": {"creates": 7}}
    assert apply(world, text).counts == {"done": 3}


def test_the_plan_of_another_connection_is_refused(make_world: MakeWorld) -> None:
    one = make_world()
    sell(one)
    text = plan_text(one)
    one.overrides = {"connection": {"name": "other", "code": "OT", "state": "other.db"}}
    assert "belongs to the connection 'test' (SJ)" in refused(one, text).what


def test_the_plan_of_other_books_is_refused(make_world: MakeWorld) -> None:
    """The same config and name, another organisation: known from the state, or found by asking."""
    one, other = make_world(), make_world()
    sell(one)
    content = json.loads(plan_text(one))
    file = read_plan(json.dumps(content), "x", __version__)
    import msgspec

    origin = msgspec.structs.replace(file.origin, ledger="another")
    moved = write_plan(msgspec.structs.replace(file.plan, origin=origin), __version__)
    assert "another ledger organisation" in refused(one, moved).what
    one.overrides = {"connection": {"state": "fresh/syncjob.db"}}  # it has met nobody yet
    mark = one.mark()
    with pytest.raises(WrongPlan, match="another ledger organisation"):
        apply(one, moved)
    assert one.writes(mark) == []
    assert other.invoices() == []


def test_nothing_is_applied_in_read_only(world: World) -> None:
    world.overrides = {"mode": "read_only"}
    sell(world)
    text = plan_text(world)
    mark = world.mark()
    with pytest.raises(ConfigError, match="read_only"):
        apply(world, text)
    assert world.since(mark) == []


def test_a_file_releases_nothing_from_the_guard(make_world: MakeWorld) -> None:
    w = make_world(config={"guard": {"creates_first_week": 2}})
    for number in range(3):
        sell(w, f"Customer {number}")
    text = plan_text(w)
    hash = json.loads(text)["plan"]["hash"]
    report = apply(w, text)
    assert report.batch.exit_code == Exit.GUARD
    assert f"syncjob apply plan.json --accept {hash}" in report.batch.next_step
    assert (w.invoices(), set(report.counts)) == ([], {"waits"})
    with pytest.raises(GuardTripped, match=f"is {hash}, not 0123"):
        apply(w, text, accept="0123")
    assert apply(w, text, accept=hash, reason="looked at").counts == {"done": 9}
    assert len(w.invoices()) == 3
    quiet(w)


def test_a_pause_keeps_the_plan(world: World) -> None:
    sell(world)
    text = plan_text(world)
    with world.connection() as handle:
        handle.pause(only="all", until=None, reason="closing", who="Ann")
    report = apply(world, text)
    assert (report.batch.exit_code, report.counts) == (Exit.PAUSED, {"waits": 3})
    assert world.invoices() == []
    with world.connection() as handle:
        handle.resume(only="all", who="Ann")
    assert apply(world, text).counts == {"done": 3}
    quiet(world)


def test_a_stop_file_keeps_the_plan(world: World) -> None:
    sell(world)
    text = plan_text(world)
    stop = world.folder / "state" / "STOP"
    stop.touch()
    assert apply(world, text).counts == {"waits": 3}
    stop.unlink()
    assert apply(world, text).counts == {"done": 3}


def test_a_state_without_history_creates_nothing_from_a_plan_either(make_world: MakeWorld) -> None:
    w = make_world(init=False)
    with w.connection() as handle:
        handle.init_fields(create=True)
    sell(w)
    text = plan_text(w)
    report = apply(w, text)
    assert set(report.counts) == {"waits"}
    assert (report.batch.exit_code, report.exit_code) == (Exit.DONE, Exit.ISSUES)
    assert w.invoices() == []
    w.advance(PATIENCE)
    assert set(apply(w, text).counts) == {"done"}
    assert len(w.invoices()) == 1


def test_what_a_batch_did_in_between_had_been_done(world: World) -> None:
    deal = sell(world)
    text = plan_text(world)
    world.run()
    mark = world.mark()
    report = apply(world, text)
    assert report.counts == {"already": 3}
    assert world.writes(mark) == []
    assert len(world.invoices()) == 1
    assert invoice_of(world, deal)["status"] == "DRAFT"


def test_the_trial_of_one_deal_stays_one(world: World) -> None:
    one, other = sell(world, "One Pty"), sell(world, "Two Pty")
    text = plan_text(world, deal=str(one))
    report = apply(world, text)
    assert set(report.counts) == {"done"}
    assert [i["url"].partition("syncjob=")[2] for i in world.invoices()] == [f"SJ-{one}-A1"]
    world.run()
    assert invoice_of(world, other)["status"] == "DRAFT"


def test_the_next_day_bears_the_next_days_date(make_world: MakeWorld) -> None:
    """BOOKKEEPING, "Dates": an invoice bears the day on which it is made, whenever it was planned;
    its terms are reckoned from there, and the deal says so."""
    w = make_world(config=FULL)
    deal = sell(w)
    text = plan_text(w)
    w.advance(timedelta(days=1))
    report = apply(w, text)
    assert set(report.counts) == {"done"}, [(i.action.kind, i.differences) for i in report.items]
    invoice = invoice_of(w, deal)
    assert (invoice["day"], invoice["status"]) == ("2026-11-24", "AUTHORISED")
    assert w.deal_fields(deal)["Invoice due date"] == invoice["due_day"]
    moved = {f.name: (f.after, f.now_after) for i in report.items for f in i.moved}
    assert moved["date"] == ("2026-11-23", "2026-11-24")
    assert "invoice.approve" in " ".join(fates(report))
    quiet(w)


def test_drafts_that_are_approved_a_day_later_bear_that_day(make_world: MakeWorld) -> None:
    """Their deals follow with a date that the plan did not have to change."""
    w = make_world(config={"mode": "drafts_only", "invoices": {"status": "authorised"}})
    deal = sell(w)
    w.run()
    w.overrides = FULL
    w.advance(timedelta(minutes=6))
    text = plan_text(w)
    w.advance(timedelta(days=1))
    report = apply(w, text)
    assert report.counts == {"done": 2}, [(i.action.kind, i.differences) for i in report.items]
    invoice = invoice_of(w, deal)
    assert (invoice["status"], invoice["day"]) == ("AUTHORISED", "2026-11-24")
    assert w.deal_fields(deal)["Invoice due date"] == invoice["due_day"] == "2026-12-24"
    quiet(w)


def test_a_digest_of_yesterday_is_todays_and_tells_the_same(
    tmp_path: Path, mail: MailServer
) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "digest": True})
    try:
        first, second = awaiting(w), awaiting(w, org="Good Pty")
        w.time.set(LATE)
        text = plan_text(w)
        w.advance(timedelta(days=1))
        assert apply(w, text).counts == {"done": 3}
        ((_, _, message),) = mail.taken
        said = message.get_payload(decode=True).decode()
        assert said.count("2 days overdue") == 2
        assert all(number_of(w, deal) in said for deal in (first, second))
        quiet(w)
        assert len(mail.taken) == 1
    finally:
        w.close()


def test_nobody_is_told_of_another_amount_than_was_shown(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        deal = awaiting(w)
        w.time.set(LATE)
        text = plan_text(w)
        w.books("pay", invoice=number_of(w, deal), amount="40.00")
        w.advance(timedelta(minutes=6))
        report = apply(w, text)
        assert (report.counts, mail.taken) == ({"changed": 2}, [])
        assert codes_of(report) == {f"deal:{deal}": "plan_changed"}
        w.run()
        ((_, _, message),) = mail.taken
        assert "owes 70.00 AUD of 110.00 AUD" in message.get_payload(decode=True).decode()
    finally:
        w.close()


def test_who_applied_which_plan_is_kept(world: World) -> None:
    deal = sell(world)
    text = plan_text(world)
    hash = json.loads(text)["plan"]["hash"]
    report = apply(world, text, reason="month end")
    with world.connection() as handle:
        rows = handle.state.audit.rows_of(batch=int(report.batch.batch))
        decided = handle.state.decisions.in_batch(int(report.batch.batch))
    (one,) = [d for d in decided if d.verb == "apply"]
    assert (one.kind, one.who, one.reason) == (f"apply:{hash}", "Ann", "month end")
    first = next(row for row in rows if row.target == f"plan:{hash}")
    assert first.reason.startswith("applied by Ann from plan.json, made 2026-11-23 01:16 UTC by")
    of_deal = [row.reason for row in rows if row.target == f"deal:{deal}"]
    assert of_deal
    assert all(f"(plan {hash}, applied by Ann)" in reason for reason in of_deal)


def test_a_plan_file_holds_no_secret(world: World) -> None:
    sell(world)
    text = plan_text(world)
    for secret in ("sandbox-token", "sandbox-secret", "sandbox-custom"):
        assert secret not in text
