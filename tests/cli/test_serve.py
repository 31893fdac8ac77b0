"""The scheduler and the commands that serve until they are told to stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from syncjob.clock import SystemClock
from syncjob.config import load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport
from syncjob.errors import AuthFailed, Throttled
from syncjob.scheduler import serve
from syncjob.signals import StopFlag
from tests.cli.kit import batch_report

SOON = timedelta(milliseconds=40)


class Clock(SystemClock):
    """The real clock, but a wait of the main loop is short."""

    def sleep(self, seconds: float) -> None:
        super().sleep(0.01)


def served(batches: list[BatchReport | Exception], *, every: timedelta = SOON) -> list[datetime]:
    """Let the scheduler run these batches, then ask it to stop; when each began."""
    stop, began = StopFlag(), []

    def batch(should_stop: object) -> BatchReport:
        began.append(datetime.now(UTC))
        outcome = batches[len(began) - 1]
        stop.asked = len(began) == len(batches)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert serve(batch, every=every, clock=Clock(), stop=stop) == len(batches)
    return began


def test_the_first_batch_runs_at_once() -> None:
    start = datetime.now(UTC)
    (began,) = served([batch_report()], every=timedelta(hours=1))
    assert began - start < timedelta(seconds=5)


def test_errors_of_a_batch_do_not_end_the_scheduler() -> None:
    done = batch_report()
    assert len(served([AuthFailed("refused"), ZeroDivisionError("bug"), done, done])) == 4


def test_a_batch_that_must_wait_is_waited_for() -> None:
    wait = timedelta(milliseconds=400)
    for first in (
        batch_report(resume_at=datetime.now(UTC) + wait),
        Throttled("the day limit", resume_at=datetime.now(UTC) + 2 * wait),
    ):
        resume_at = first.resume_at
        assert resume_at is not None
        began = served([first, batch_report()])
        assert began[1] >= resume_at - timedelta(milliseconds=5)


def test_after_hours_it_goes_on_asking_at_the_interval() -> None:
    """So that a monitor hears that it runs, and a changed config is seen."""
    closed = batch_report(result="outside_hours", resume_at=datetime.now(UTC) + timedelta(hours=9))
    assert len(served([closed, closed, batch_report()])) == 3


def test_batches_never_overlap_and_missed_ones_run_once() -> None:
    running, most, number = 0, 0, 0
    stop, mutex, hold = StopFlag(), threading.Lock(), threading.Event()

    def batch(should_stop: object) -> BatchReport:
        nonlocal running, most, number
        with mutex:
            running, number = running + 1, number + 1
            most = max(most, running)
        hold.wait(0.15)
        with mutex:
            running -= 1
        stop.asked = number == 3
        return batch_report()

    serve(batch, every=timedelta(milliseconds=20), clock=Clock(), stop=stop)
    assert (most, number) == (1, 3)


def test_a_second_signal_ends_at_once_and_handlers_are_put_back() -> None:
    from syncjob.errors import Interrupted

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted), StopFlag() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def start_sandbox(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "syncjob", "sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return process, found[0]
    raise AssertionError("the sandbox did not start")


def test_the_sandbox_serves_and_writes_a_config_that_reaches_it(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.yaml"
    process, base = start_sandbox(
        tmp_path, "--sample", "--region", "nz", "--write-config", str(path)
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        register_all()
        config = load_config(path, env={})
        crm = config.crm.model_dump()
        headers = {"x-api-token": crm["api_token"].get_secret_value()}
        deals = requests.get(f"{crm['api_url']}/api/v2/deals", headers=headers, timeout=5).json()
        assert len(deals["data"]) > 3
        ledger = config.ledger.model_dump()
        form = {"grant_type": "client_credentials"}
        pair = (ledger["auth"]["client_id"], ledger["auth"]["client_secret"].get_secret_value())
        url = f"{ledger['identity_url']}/connect/token"
        token = requests.post(url, data=form, auth=pair, timeout=5).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        books = requests.get(f"{ledger['api_url']}/Organisation", headers=bearer, timeout=5).json()
        assert books["Organisations"][0]["BaseCurrency"] == "NZD"
        assert path.stat().st_mode & 0o077 == 0
        assert base in path.read_text()
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_sandbox_serves_a_hubspot_and_a_config_that_reaches_it(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.yaml"
    process, _ = start_sandbox(
        tmp_path, "--crm", "hubspot", "--sample", "--write-config", str(path)
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        register_all()
        crm = load_config(path, env={}).crm.model_dump()
        bearer = {"Authorization": f"Bearer {crm['access_token'].get_secret_value()}"}
        url = f"{crm['api_url']}/crm/objects/{crm['version']}/deals"
        assert len(requests.get(url, headers=bearer, timeout=5).json()["results"]) > 3
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_sandbox_names_every_fault_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("nonsense\n1\n")
    command = [sys.executable, "-m", "syncjob", "sandbox", "--port", "0", "--load", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "deals.csv" in done.stderr
    assert "Traceback" not in done.stderr
