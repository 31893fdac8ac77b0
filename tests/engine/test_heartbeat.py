"""The monitor hears of each scheduled batch, and no monitor ever holds up the books."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import syncjob.cli
from syncjob.config import load_config
from syncjob.core.reports import RunOptions
from syncjob.engine.heartbeat import beating, news
from syncjob.errors import Exit, LockHeld, StateError
from tests.engine.scenes import sell
from tests.engine.world import PATIENCE, World


class Monitor(http.server.BaseHTTPRequestHandler):
    """A healthchecks server for one check, whose key is "key"."""

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    heard: list[str] = []
    monkeypatch.setattr(Monitor, "heard", heard)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Monitor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/ping/key", heard
        server.shutdown()


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        world.init()
        yield world


def run(w: World, address: str | None, *words: str) -> int:
    w.overrides = {"notices": {"operator": {"heartbeat": address}}}
    return syncjob.cli.run(["-c", str(w.write_config()), "run", *words])


START, SUCCESS, FAIL = "/ping/key/start", "/ping/key", "/ping/key/fail"


def test_a_batch_is_told_at_both_ends(w: World, monitor, capsys) -> None:
    address, heard = monitor
    assert run(w, address) == 0
    assert heard == [START, SUCCESS]
    assert run(w, address + "?rid=7") == 0
    assert heard[2:] == ["/ping/key/start?rid=7", "/ping/key?rid=7"]


def test_a_trial_is_not_told_and_a_failure_is(w: World, monitor, capsys) -> None:
    address, heard = monitor
    deal = sell(w)
    run(w, address, "--deal", str(deal))
    assert heard == []
    (w.folder / "state" / "syncjob.db").write_bytes(b"scrambled" * 1000)
    assert run(w, address) == 9
    assert heard == [START, FAIL]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Exit.DONE, [START, SUCCESS]),
        (Exit.ISSUES, [START, SUCCESS]),
        (Exit.PAUSED, [START, SUCCESS]),
        (Exit.UNREACHABLE, [START]),
        (Exit.RUNNING, [START]),
        (Exit.CREDENTIALS, [START, FAIL]),
        (Exit.GUARD, [START, FAIL]),
        (Exit.WRONG_ORGANISATION, [START, FAIL]),
        (Exit.STATE, [START, FAIL]),
    ],
)
def test_what_each_exit_code_means(w: World, monitor, code, told) -> None:
    address, heard = monitor
    w.overrides = {"notices": {"operator": {"heartbeat": address}}}
    with beating(load_config(w.write_config())) as ended:
        ended(code)
    assert heard == told


def test_errors_and_bugs_are_ends_too(w: World, monitor) -> None:
    address, heard = monitor
    w.overrides = {"notices": {"operator": {"heartbeat": address}}}
    config = load_config(w.write_config())
    for error, told in (
        (StateError("full"), [START, FAIL]),
        (LockHeld("busy"), [START]),
        (ZeroDivisionError(), [START, FAIL]),
    ):
        heard.clear()
        with pytest.raises(type(error)), beating(config):
            raise error
        assert heard == told


def test_a_monitor_that_is_gone_changes_nothing(w: World, capsys) -> None:
    sell(w)
    w.advance(PATIENCE)
    assert run(w, "http://127.0.0.1:9/ping/key") == 0
    log = (w.folder / "log" / "syncjob.log").read_text()
    assert "heartbeat.lost" in log and "no connection can be made" in log
    assert "ping/key" not in log, "the monitor's address is a secret"


def test_check_tries_it_and_warns_without(w: World, monitor) -> None:
    address, heard = monitor

    def problems() -> list[str]:
        with w.connection() as handle:
            found = handle.check(messages=True)
        return [p.what for p in found if p.where == "notices.operator.heartbeat" and not p.fatal]

    assert "nobody would be told" in problems()[0]
    w.overrides = {"notices": {"operator": {"heartbeat": address}}}
    assert problems() == [] and heard == [SUCCESS]
    w.overrides = {"notices": {"operator": {"heartbeat": "http://127.0.0.1:9/x"}}}
    assert "was not reached" in problems()[0]


def test_a_batch_that_something_strange_has_stopped_is_no_good_one(w: World, monitor) -> None:
    """It ends with the code of a batch that leaves something to a person."""
    address, heard = monitor
    run(w, address)
    w.advance(PATIENCE)
    heard.clear()
    w.fault(server="xero", method="GET", path="/Organisation", kind="status", status=200,
            body='{"Organisations": [{"Name": 7}]}', times=9)  # fmt: skip
    with w.connection() as handle, handle.state.commit():
        handle.state.book.note("reference_doubt:ledger", "1")
        handle.state.db.execute("DELETE FROM reference")
    assert run(w, address) == 1
    assert heard == [START, FAIL]
    with w.connection() as handle:
        status = handle.status()
    assert status.last is not None and status.last.result == "failed"
    assert status.last_good is not None and status.last_good < status.last.started
    assert status.unwell_since == status.last.started


def test_a_batch_that_was_asked_to_end_is_no_news(w: World, monitor) -> None:
    with w.connection() as handle:
        report = handle.run(RunOptions(who="a test", should_stop=lambda: True))
        status = handle.status()
    assert (report.result, report.exit_code) == ("interrupted", 1)
    assert news(report) == Exit.UNREACHABLE
    assert (status.last_good, status.unwell_since) == (None, None)
