"""`status` says in its first line whether all is well, and how long things took last week."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from syncjob.core.reports import StatusReport, Waits
from syncjob.reports.status import show_status, verdict
from tests.engine.scenes import awaiting, minutes, number_of, sell
from tests.engine.world import World


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        world.init()
        yield world


def status(w: World) -> StatusReport:
    with w.connection() as handle:
        return handle.status()


def words(w: World) -> str:
    return "\n".join(verdict(status(w)))


def screen(w: World) -> str:
    out = io.StringIO()
    show_status(Console(file=out, width=100), status(w))
    return out.getvalue()


def test_all_is_well_or_what_to_do(w: World) -> None:
    assert words(w).startswith("No batch has run yet")
    w.run()
    assert words(w) == "All is well."
    sell(w, None)
    minutes(w, 5)
    w.run()
    assert words(w) == "All is well, and 1 thing waits for a person (below)."
    with w.connection() as handle:
        handle.pause(only="all", until=None, reason="audit", who="Ann")
    assert words(w).startswith("Paused")


def test_since_when_not_and_why(w: World) -> None:
    w.run()
    minutes(w, 5)
    w.crm("regenerate_token", token="another")
    began = w.clock.now()
    for _ in range(3):
        w.run()
        minutes(w, 5)
    found = status(w)
    assert found.unwell_since is not None and found.unwell_since - began < timedelta(minutes=1)
    said = words(w)
    assert said.startswith("Not well since 20") and "The credentials are refused" in said
    assert "api_token" in said, "it does not say what to mend"
    w.crm("regenerate_token", token="sandbox-token")
    w.run()
    assert words(w) == "All is well."
    assert status(w).unwell_since is None


def test_a_timer_that_stopped_is_seen(w: World) -> None:
    w.run()
    w.advance(timedelta(hours=7))
    assert "Is the timer, the crontab line or `syncjob serve` running?" in words(w)


def test_how_long_drafts_and_payments_took(w: World) -> None:
    first = awaiting(w)  # a first run: its deal was won after the state began
    minutes(w, 30)
    sell(w, "Beta Pty")
    minutes(w, 4)
    w.run()
    w.books("pay", invoice=number_of(w, first), amount="110")
    minutes(w, 7)
    w.run()
    found = status(w)
    assert found.draft_waits is not None and found.payment_waits is not None
    assert found.draft_waits.count == 2 and found.draft_waits.longest == 240
    assert found.payment_waits == Waits(count=1, half=420, most=420, longest=420)
    assert "95% within 7 min 0 s" in screen(w)
    w.advance(timedelta(days=8))
    later = status(w)
    assert later.draft_waits is None and later.payment_waits is None


def test_what_waited_for_a_person_is_no_delay_of_ours(w: World) -> None:
    deal = sell(w, None)
    w.run()
    minutes(w, 50)
    w.crm("create_org", name="Late Pty")
    w.crm("edit_deal", deal=deal, org="Late Pty")
    w.run()
    assert len(w.invoices()) == 1
    assert status(w).draft_waits is None


def test_percentiles_of_many(w: World) -> None:
    with w.connection() as handle, handle.state.commit():
        now = w.clock.now()
        for number in range(1, 101):
            handle.state.speed.note(
                "draft", f"deal:{number}", since=now - timedelta(seconds=number), at=now
            )
        handle.state.speed.note(
            "payment", "deal:1", since=now - timedelta(days=41), at=now - timedelta(days=40)
        )
        handle.state.speed.note("payment", "deal:1", since=now, at=now)
    found = status(w)
    assert found.draft_waits == Waits(count=100, half=50, most=95, longest=100)
    with w.connection() as handle:
        rows = handle.state.db.execute("SELECT count(*) FROM waited WHERE kind = 'payment'")
        assert rows.fetchone()[0] == 1, "what is older than five weeks is kept"


def test_the_newest_backup_is_named(w: World) -> None:
    w.run()
    (w.folder / "backups").mkdir()
    (w.folder / "backups" / "test-oldZ.syncjob.tar.gz").touch()
    (w.folder / "backups" / "test-2-20991122T010000Z.syncjob.tar.gz").touch()
    assert status(w).last_backup is None
    with w.connection() as handle:
        handle.backup(None, who="a test")
    assert status(w).last_backup == w.clock.now().replace(microsecond=0)
