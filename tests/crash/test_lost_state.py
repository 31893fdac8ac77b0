"""A state that is lost, old or there twice doubles nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from syncjob.config import load_config
from syncjob.core.reports import RunOptions
from syncjob.engine.connection import open_connection
from tests.crash.conftest import MODES, MakeWorld
from tests.crash.kit import CrashWorld, assert_nothing_doubled, marker_of, minutes, sales, truth
from tests.crash.test_kill import APPROVE, CONTACTS, DEAL, INVOICES, ids, some

LOST_AT = [
    ("answered", CONTACTS, 1),
    ("answered", INVOICES, 1),
    ("answered", INVOICES, 2),
    ("before the outcomes' commit", INVOICES, 2),
    ("answered", DEAL, 30),
    ("before close", "", 1),
]


def lose(w: CrashWorld, *, sidecar: bool) -> None:
    for path in w.state_files(sidecar=sidecar):
        path.unlink()


@pytest.mark.parametrize("sidecar", [True, False], ids=["with-sidecar", "sidecar-stays"])
@pytest.mark.parametrize(("point", "match", "nth"), some(LOST_AT, 1), ids=ids(LOST_AT))
def test_the_state_is_lost_after_a_crash(
    loaded: MakeWorld, undisturbed, point, match, nth, sidecar
):
    w = loaded(warm=True)
    w.kill(point, match, nth)
    lose(w, sidecar=sidecar)
    mark = w.mark()
    w.run()
    assert not [c for c in w.writes(mark) if "/xero/" in c["path"]], "created before it had read"
    w.recover(undisturbed())


@pytest.mark.parametrize("nth", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_state_is_lost_while_the_index_lags(loaded: MakeWorld, undisturbed, nth):
    w = loaded(ledger={"lag_max_s": 500})
    w.kill("answered", INVOICES, nth)
    lose(w, sidecar=True)
    for _ in range(4):
        w.run()
        assert_nothing_doubled(w)
        w.advance(minutes(3))
    w.recover(undisturbed())


@pytest.mark.parametrize("nth", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_state_is_lost_between_draft_and_approval(loaded: MakeWorld, undisturbed, nth):
    w = loaded("full", warm=True)
    w.kill("answered", APPROVE, nth)
    lose(w, sidecar=True)
    w.recover(undisturbed("full"))


# --- yesterday's state --------------------------------------------------------------------------


def keep(w: CrashWorld, folder: Path, *, sidecar: bool) -> None:
    """Copy the state away as a backup program would, between two batches."""
    folder.mkdir()
    for path in w.state_files(sidecar=sidecar):
        shutil.copy2(path, folder / path.name)


def restore(w: CrashWorld, folder: Path) -> None:
    lose(w, sidecar=(folder / w.sidecar.name).exists())
    for path in folder.iterdir():
        shutil.copy2(path, w.state_file.parent / path.name)


@pytest.fixture
def two_days(make_world: MakeWorld, tmp_path: Path):
    """A world with its first day's state kept, and the truth that its second day should end in."""

    def make(*, later: float, sidecar: bool, **options):
        judge, w = make_world(**options), make_world(**options)
        for world in (judge, w):
            world.init()
            sales(world, 20, 10)
            assert world.run().exit_code == 0
            world.advance(minutes(2))
        keep(w, tmp_path / "kept", sidecar=sidecar)
        for world in (judge, w):
            live_on(world, later)
            more_sales(world, 55)
        assert judge.run().exit_code == 0
        judge.advance(minutes(16))
        judge.run()
        return w, truth(judge)

    return make


def live_on(w: CrashWorld, later: float) -> None:
    """Time passes, with batches in it: after hours without any, creating waits for a patience."""
    w.advance(minutes(later))
    w.run()
    if later > 60:
        w.advance(minutes(16))
        w.run()


def more_sales(w: CrashWorld, deals: int) -> None:
    """Further deals of the customers that are there, and of one new one."""
    w.crm("create_org", name="Newcomer Pty", address="1 George St, Sydney")
    for number in range(deals):
        org = "Newcomer Pty" if number % 11 == 0 else f"Customer {number % 10:02d} Pty"
        w.crm(
            "create_deal", title=f"Later deal {number}", org=org, currency="AUD", status="won",
            won_time="2026-11-22T09:00:00Z",
            lines=[{"name": "Later product", "price": 30 + number / 4, "quantity": 1, "tax": 10}],
        )  # fmt: skip


YESTERDAY_AT = [("answered", INVOICES, 1), ("answered", DEAL, 30), ("answered", CONTACTS, 1)]


@pytest.mark.parametrize("sidecar", [True, False], ids=["sidecar-restored", "sidecar-stayed"])
@pytest.mark.parametrize(("point", "match", "nth"), some(YESTERDAY_AT, 0), ids=ids(YESTERDAY_AT))
def test_yesterdays_state_is_restored_after_a_crash(
    two_days, tmp_path: Path, point, match, nth, sidecar
):
    w, expected = two_days(later=24 * 60, sidecar=sidecar)
    w.kill(point, match, nth)
    restore(w, tmp_path / "kept")
    mark = w.mark()
    w.run()
    assert not [c for c in w.writes(mark) if "/xero/" in c["path"]], "created before it had read"
    w.recover(expected)


def test_yesterdays_state_is_restored_after_a_good_batch(two_days, tmp_path: Path):
    w, expected = two_days(later=24 * 60, sidecar=True)
    assert w.child().returncode == 0
    restore(w, tmp_path / "kept")
    w.recover(expected)


def test_a_state_of_minutes_ago_meets_what_it_never_made(two_days, tmp_path: Path):
    """Too young to be told from a state that was merely idle: what it reads gives it away."""
    w, expected = two_days(later=5, sidecar=True)
    w.kill("answered", INVOICES, 1)  # all 55, which go in two calls of one round
    restore(w, tmp_path / "kept")
    report = w.run()
    assert "another_instance" in {issue.code for issue in report.issues}
    assert_nothing_doubled(w)
    assert len(w.invoices()) == 20 + 55
    with w.connection() as handle:
        handle.answer(kind="only-instance", subject="connection", who="maria", reason="restored")
    w.settle_down(expected)


# --- a second copy on another host --------------------------------------------------------------


class Host:
    """A machine with a copy of the config and the state of its own."""

    def __init__(self, w: CrashWorld, name: str) -> None:
        self.w, self.folder = w, w.folder / name
        shutil.copytree(w.folder / "state", self.folder / "state")
        self.config = self.folder / "config.yaml"
        shutil.copy2(w.write_config(), self.config)

    def run(self):
        with self._open() as handle:
            return handle.run(RunOptions(who=self.folder.name))

    def answer(self) -> None:
        with self._open() as handle:
            handle.answer(kind="only-instance", subject="connection", who="maria", reason="moved")

    def _open(self):
        return open_connection(
            load_config(self.config), clock=self.w.clock, rng=self.w.rng, new_key=self.w._new_key
        )


def stopped(report) -> bool:
    return "another_instance" in {issue.code for issue in report.issues}


def win(w: CrashWorld, title: str) -> None:
    w.crm(
        "create_deal", title=title, org="Customer 01 Pty", currency="AUD", status="won",
        won_time="2026-11-22T09:00:00Z",
        lines=[{"name": "Thing", "price": 20 + len(title), "quantity": 1, "tax": 10}],
    )  # fmt: skip


@pytest.mark.parametrize("gap", [5, 90], ids=["minutes-apart", "hours-apart"])
def test_two_hosts_take_turns(make_world: MakeWorld, gap):
    w = make_world()
    w.init()
    sales(w, 6, 3)
    assert w.run().exit_code == 0
    first, second = Host(w, "first"), Host(w, "second")
    for turn in range(6):
        w.advance(minutes(gap))
        win(w, f"Deal of turn {'x' * turn}")
        (first, second)[turn % 2].run()
        assert_nothing_doubled(w)
    w.advance(minutes(gap))
    first.answer()
    for _ in range(3):
        w.advance(minutes(16))
        first.run()
        assert_nothing_doubled(w)
    assert len(w.invoices()) == 12


def test_creates_stop_until_a_person_says_which_one_runs(make_world: MakeWorld):
    w = make_world()
    w.init()
    sales(w, 6, 3)
    assert w.run().exit_code == 0
    first, second = Host(w, "first"), Host(w, "second")
    w.advance(minutes(5))
    win(w, "a")
    assert not stopped(first.run())
    win(w, "bb")
    assert stopped(second.run())
    assert len(w.invoices()) == 7
    w.advance(minutes(5))
    assert stopped(second.run()), "a second batch forgot what the first one saw"
    assert len(w.invoices()) == 7
    second.answer()
    w.advance(minutes(5))
    assert not stopped(second.run())
    assert len(w.invoices()) == 8
    w.advance(minutes(5))
    win(w, "ccc")
    assert stopped(first.run()), "the first host does not see that the second went on"
    assert len(w.invoices()) == 8
    assert_nothing_doubled(w)


@pytest.mark.parametrize("mode", ["drafts", "full"])
def test_what_no_state_can_know_ends_with_one_invoice(make_world: MakeWorld, tmp_path: Path, mode):
    """State and batch counter of minutes ago, a crash in between, and an index that lags.

    Nothing that can be read shows the first drafts: second ones are made, and deleted once the
    first are seen. At most one invoice of a deal is ever approved (DESIGN 5.1).
    """
    w = make_world(config=MODES[mode], ledger={"lag_max_s": 600})
    w.init()
    sales(w, 6, 3)
    w.run()
    w.advance(minutes(20))
    w.run()
    keep(w, tmp_path / "kept", sidecar=True)
    w.advance(minutes(5))
    for number in range(5):
        win(w, "x" * (number + 1))
    w.kill("answered", INVOICES, 1)
    restore(w, tmp_path / "kept")
    told = False
    for _ in range(6):
        told = stopped(w.run()) or told
        approved = [marker_of(i) for i in w.invoices() if i["status"] == "AUTHORISED"]
        assert len(approved) == len(set(approved))
        w.advance(minutes(5))
    live = [marker_of(i) for i in w.invoices() if i["status"] != "DELETED"]
    assert len(live) == len(set(live)) == 11
    assert told, "nobody learns that another state made invoices meanwhile"
    mark = w.mark()
    w.run()
    assert w.writes(mark) == []
