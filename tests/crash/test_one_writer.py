"""One writer at a time; a dead one blocks nobody; a dry run writes nothing anywhere."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from typing import Any

import pytest

from syncjob.core.reports import RunOptions
from syncjob.errors import Exit, LockHeld
from tests.crash.conftest import MakeWorld
from tests.crash.kit import CrashWorld, assert_nothing_doubled, minutes, sales, truth
from tests.crash.nursery import ROOT
from tests.crash.test_kill import INVOICES

#: A first process is given this long to take the lock.
START_S_MAX = 20.0


def begin(w: CrashWorld, **spec: Any) -> subprocess.Popen[str]:
    """A batch that is working: it waits for an answer that takes some seconds."""
    w.fault(kind="timeout", delay_s=4.0, method="GET", path="/Contacts")
    running = subprocess.Popen(
        w.command("run", "--json", **spec), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until = time.monotonic() + START_S_MAX
    lock = w.state_file.with_name("syncjob.db.lock")
    while not (lock.exists() and str(running.pid) in lock.read_text()):
        assert time.monotonic() < until and running.poll() is None, "the first run did not start"
        time.sleep(0.02)
    return running


def test_two_runs_at_once(loaded: MakeWorld, undisturbed):
    w = loaded()
    running = begin(w)
    for command in (("run",), ("plan",)):
        second = w.child(*command)
        assert second.returncode == Exit.RUNNING, second.stderr
        assert f"syncjob {running.pid}" in second.stderr
        assert "Next: " in second.stderr
    out, err = running.communicate(timeout=60)
    assert running.returncode == Exit.DONE, out + err
    assert_nothing_doubled(w)
    assert truth(w) == undisturbed()


def test_commands_that_only_decide_do_not_wait_for_a_batch(loaded: MakeWorld):
    w = loaded()
    running = begin(w)
    assert w.child("pause", "--reason", "audit").returncode == Exit.DONE
    assert w.child("status").returncode == Exit.DONE
    running.communicate(timeout=60)
    assert running.returncode == Exit.PAUSED
    assert w.invoices() == []


def test_the_lock_of_a_dead_process_blocks_nobody(loaded: MakeWorld, undisturbed):
    w = loaded()
    w.kill("answered", INVOICES, 1)
    lock = w.state_file.with_name("syncjob.db.lock")
    assert lock.read_text().startswith("syncjob "), "the dead process left its name behind"
    w.recover(undisturbed())


def test_a_lock_is_held_within_one_process_too(loaded: MakeWorld):
    w = loaded()
    seen: list[bool] = []

    def look(_stage: str, _done: int, _total: int | None) -> None:
        if not seen:
            with pytest.raises(LockHeld):
                w.run()
            seen.append(True)

    with w.connection() as handle:
        assert handle.run(RunOptions(progress=look)).exit_code == Exit.DONE
    assert seen


# --- a dry run ----------------------------------------------------------------------------------


def tables(w: CrashWorld) -> dict[str, list[Any]]:
    """Everything in the state file but the fence, which every holder of the lock raises."""
    with closing(sqlite3.connect(w.state_file)) as db:
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
            for name in names
            if name != "lease"
        }


@pytest.mark.parametrize("mode", ["drafts", "full"])
def test_a_dry_run_changes_nothing(loaded: MakeWorld, undisturbed, mode):
    w = loaded(mode, warm=True)
    before, mark, files = tables(w), w.mark(), sorted(p.name for p in w.state_file.parent.iterdir())
    held = truth(w)
    plan = w.plan()
    assert plan.counts["contact.create"] == 20, plan.waits
    w.plan()
    assert w.child("plan", "--json").returncode == Exit.DONE
    assert w.writes(mark) == []
    assert tables(w) == before
    assert truth(w) == held
    assert sorted(p.name for p in w.state_file.parent.iterdir()) == files
    assert w.run().exit_code == Exit.DONE
    assert truth(w) == undisturbed(mode)


def test_a_dry_run_on_open_intents_changes_nothing(loaded: MakeWorld, undisturbed):
    """It settles on its copy only; the batch that follows does it in earnest."""
    w = loaded(warm=True)
    w.kill("answered", INVOICES, 1)
    w.advance(minutes(16))
    before, mark = tables(w), w.mark()
    w.plan()
    assert w.writes(mark) == []
    assert tables(w) == before
    w.recover(undisturbed())


def test_a_killed_dry_run_leaves_no_copy_of_the_books(loaded: MakeWorld):
    w = loaded(warm=True)
    killed = w.child("plan", point="after a page's commit", match="crm deals")
    assert killed.returncode < 0
    w.plan()
    assert not list(w.state_file.parent.glob(".plan-*"))
    assert w.run().exit_code == Exit.DONE


def test_a_dry_run_of_a_new_state(make_world: MakeWorld):
    w = make_world()
    w.init()
    sales(w, 5, 2)
    before = tables(w)
    assert w.plan().counts["invoice.create"] == 5
    assert tables(w) == before
