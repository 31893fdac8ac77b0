"""What a terminal sees of a command that takes longer: counts, rate, time left, and whose limit is
waited for; a pipe sees nothing."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from syncjob.cli.progress import Screen, show_progress
from tests.cli.conftest import Command
from tests.cli.kit import Handle

START = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def screen() -> tuple[Screen, FakeClock]:
    clock = FakeClock()
    return Screen(clock), clock


def test_the_first_two_seconds_show_nothing() -> None:
    seen, clock = screen()
    seen.progress("fill", 0, 100)
    clock.sleep(1.9)
    assert seen.lines() == []
    clock.sleep(0.2)
    assert seen.lines() == ["fill: 0 of 100"]


def test_counts_rate_and_time_left() -> None:
    seen, clock = screen()
    seen.progress("fill", 0, 1200)
    clock.sleep(10)
    seen.progress("fill", 200, 1200)
    assert seen.lines() == ["fill: 200 of 1,200, 20.0 a second, about 50 s left"]
    clock.sleep(90)
    seen.progress("fill", 400, 1200)
    assert seen.lines() == ["fill: 400 of 1,200, 4.0 a second, about 3 min 20 s left"]
    clock.sleep(1400)
    seen.progress("fill", 420, 1200)
    assert seen.lines() == ["fill: 420 of 1,200, 16.8 a minute, about 46 min 26 s left"]


def test_nothing_is_foretold_where_nobody_knows() -> None:
    seen, clock = screen()
    seen.progress("ledger invoices", 1000, None)
    clock.sleep(4)
    assert seen.lines() == ["ledger invoices: 1,000"]
    seen.progress("ledger invoices", 3000, None)
    assert seen.lines() == ["ledger invoices: 3,000, 500.0 a second"]
    clock.sleep(2)
    seen.progress("ledger invoices", 3500, 3500)
    assert seen.lines() == ["ledger invoices: 3,500 of 3,500, done in 6 s"]


def test_it_is_honest_while_it_waits_for_a_limit() -> None:
    seen, clock = screen()
    seen.progress("push", 0, 10)
    clock.sleep(5)
    seen.progress("push", 5, 10)
    until = clock.now() + timedelta(seconds=42)
    seen.waiting("Xero's limit", until)
    stage, wait = seen.lines()
    assert stage == "push: 5 of 10, 1.0 a second, about 5 s left"
    assert wait == f"waiting for Xero's limit until {until.astimezone():%H:%M:%S} (42 s)"
    clock.sleep(42)
    assert seen.lines()[0] == "push: 5 of 10, 6.4 a minute, about 47 s left"
    seen.waiting("Xero's limit", None)
    assert len(seen.lines()) == 1


def test_a_short_wait_is_part_of_the_pace() -> None:
    seen, clock = screen()
    clock.sleep(3)
    seen.progress("push", 0, 10)
    seen.waiting("Xero's limit", clock.now() + timedelta(seconds=0.4))
    assert seen.lines() == ["push: 0 of 10"]


def test_a_stage_that_begins_anew_counts_anew() -> None:
    seen, clock = screen()
    seen.progress("pull", 5, 5)
    clock.sleep(60)
    seen.progress("pull", 0, 2)
    clock.sleep(2)
    seen.progress("pull", 1, 2)
    assert seen.lines() == ["pull: 1 of 2, 30.0 a minute, about 2 s left"]


@pytest.mark.parametrize("width", [40, 100])
def test_on_a_terminal_it_moves_and_is_gone_at_the_end(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width)
    clock = FakeClock()
    with show_progress(quiet=False, console=console, clock=clock) as seen:
        seen("fill", 0, 100)
        clock.sleep(10)
        seen("fill", 50, 100)
        seen.waiting("Pipedrive's limit", clock.now() + timedelta(seconds=30))
        console.print(" ")  # a line above redraws what is below
    said = re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", out.getvalue())
    assert "fill: 50 of 100, 5.0 a second" in said
    assert "waiting for Pipedrive's limit" in said
    assert max(len(line) for line in re.split(r"[\r\n]", said)) <= width
    assert out.getvalue().endswith("\x1b[2K")  # erased


@pytest.mark.parametrize("quiet", [True, False])
def test_a_pipe_sees_nothing(quiet: bool) -> None:
    out = io.StringIO()
    clock = FakeClock()
    with show_progress(quiet=quiet, console=Console(file=out, width=80), clock=clock) as seen:
        seen("fill", 0, 100)
        clock.sleep(10)
        seen.waiting("Xero's limit", clock.now() + timedelta(seconds=30))
    assert out.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", [("run",), ("plan",), ("match",), ("reconcile",)])
@pytest.mark.parametrize("json", [True, False])
def test_every_long_command_shows_it_on_stderr_and_never_with_json(
    syncjob_: Command, handle: Handle, monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...], json: bool,
) -> None:  # fmt: skip
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("syncjob.cli.progress.SHOWN_AFTER_SECONDS", 0.0)
    told: list[str] = []

    def work(options: object, *_: object) -> object:
        options.progress("walk", 3, 7)  # type: ignore[attr-defined]
        options.waiting("Xero's limit", datetime.now(UTC) + timedelta(hours=1))  # type: ignore[attr-defined]
        told.append("asked")
        raise ValueError("enough")

    for name in ("run", "plan", "match", "reconcile"):
        monkeypatch.setattr(handle, name, work, raising=False)
    syncjob_(*command, *(("--json",) if json else ()))
    assert told == ["asked"]
    assert ("walk: 3 of 7" in terminal.getvalue()) is not json
    assert ("waiting for Xero's limit until" in terminal.getvalue()) is not json
