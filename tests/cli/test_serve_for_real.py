"""`serve` as a process: stopped in mid-call, beside another one, paused, refused."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncjob.errors import Exit
from tests.situations.bench import Desk, Servers, copied, prepare

Prepared = tuple[Servers, Path]
#: A process is given this long to start, or to reach a call.
REACHED_S_MAX = 20.0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("serve") / "prepared"
    return prepare(folder), folder


@pytest.fixture
def desk(prepared: Prepared, tmp_path: Path) -> Iterator[Desk]:
    made = copied(*prepared, tmp_path / "desk")
    (made.folder / "log" / "syncjob.log").unlink()  # what was logged while it was prepared
    yield made
    made.close()


def _wait(reached: Callable[[], object]) -> None:
    until = time.monotonic() + REACHED_S_MAX
    while not reached():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def _logged(desk: Desk, words: str) -> bool:
    log = desk.folder / "log" / "syncjob.log"
    return log.exists() and words in log.read_text(encoding="utf-8")


def _in_mid_call(desk: Desk) -> tuple[subprocess.Popen[str], Callable[[], None]]:
    """`serve` while it waits for the answer to its invoice; what lets the answer go."""
    desk.won("Spring order")
    reached: list[float] = []
    gate = desk.hold(method="PUT", path="/Invoices$", server="xero")
    held = desk.box.host._sleep

    def hold(seconds: float) -> None:
        reached.append(seconds)
        held(seconds)

    desk.box.host._sleep = hold
    process = desk.begin("serve")
    _wait(lambda: reached)
    return process, gate.set


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_call_in_flight(desk: Desk, name: signal.Signals) -> None:
    process, let_go = _in_mid_call(desk)
    process.send_signal(name)
    _wait(lambda: _logged(desk, "serve.stopping"))
    assert process.poll() is None
    let_go()
    done = desk.end(process)
    assert (done.code, "finished" in done.text) == (Exit.DONE, True)
    assert [i["status"] for i in desk.invoices()] == ["DRAFT"]
    again = desk.sync("run")
    assert (again.code, "draft created" in again.text) == (Exit.DONE, False)
    assert len(desk.invoices()) == 1


def test_a_second_signal_ends_at_once_and_the_next_batch_finds_out(desk: Desk) -> None:
    process, let_go = _in_mid_call(desk)
    process.send_signal(signal.SIGTERM)
    _wait(lambda: _logged(desk, "serve.stopping"))
    process.send_signal(signal.SIGTERM)
    _wait(lambda: process.poll() is not None)
    let_go()
    assert desk.end(process).code == Exit.ISSUES
    _wait(desk.invoices)
    assert desk.sync("run").code == Exit.DONE
    assert len(desk.invoices()) == 1


def test_beside_another_process_it_waits_for_its_next_turn(desk: Desk) -> None:
    process, let_go = _in_mid_call(desk)
    second = desk.begin("serve")
    _wait(lambda: _logged(desk, "serve.refused"))
    assert second.poll() is None
    second.send_signal(signal.SIGTERM)
    refused = desk.end(second)
    assert (refused.code, f"syncjob {process.pid}" in refused.text) == (Exit.DONE, True)
    let_go()
    _wait(lambda: _logged(desk, "batch.ended"))
    process.send_signal(signal.SIGTERM)
    assert desk.end(process).code == Exit.DONE
    assert len(desk.invoices()) == 1


def test_a_config_that_cannot_be_used_ends_it_and_nothing_else_does(desk: Desk) -> None:
    desk.won("Spring order")
    (desk.folder / "state" / "STOP").touch()
    process = desk.begin("serve")
    _wait(lambda: _logged(desk, "batch.ended"))
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    paused = desk.end(process)
    assert (paused.code, "STOP" in paused.text, desk.invoices()) == (Exit.DONE, True, [])
    desk.env["PIPEDRIVE_API_TOKEN"] = ""
    refused = desk.sync("serve")
    assert (refused.code, "crm.api_token" in refused.text) == (Exit.CONFIG, True)
