"""What a person at a terminal sees while a command works: how far each stage is, at which rate, how
long it will still take, and for whose limit it waits.

Only on a terminal, only on stderr, only after two seconds, and gone when the command ends: a pipe,
a log and a cron job's mail get nothing.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from syncjob.clock import Clock, SystemClock
from syncjob.core.reports import unseen, unwaited

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: A command that is quicker than this shows nothing.
SHOWN_AFTER_SECONDS = 2.0
#: A shorter wait is part of the usual pace.
WAIT_SHOWN_MIN = timedelta(seconds=1)
#: From a rate that is younger than this nothing is foretold.
RATE_SECONDS_MIN = 1.0
#: How often the screen is drawn anew, a second.
REFRESHES = 4
#: Stages that are told of, the newest last.
STAGES_MAX = 4


class Stage:
    """One stage: how much of it is done, and since when it runs."""

    def __init__(self, name: str, began: float) -> None:
        self.name, self.began, self.now = name, began, began
        self.done, self.first = 0, 0
        self.total: int | None = None

    @property
    def over(self) -> bool:
        return self.total is not None and self.done >= self.total

    def rate(self, now: float) -> float | None:
        """Records a second, waits included, since limits will ask for more of them."""
        elapsed = now - self.began
        if elapsed < RATE_SECONDS_MIN or self.done <= self.first:
            return None
        return (self.done - self.first) / elapsed

    def left(self, now: float) -> timedelta | None:
        """How long it will still take at this rate; None if nobody can know."""
        rate = self.rate(now)
        if rate is None or self.total is None or self.over:
            return None
        return timedelta(seconds=(self.total - self.done) / rate)


class Seen:
    """What a command reports to: called with a stage, how many are done, and of how many."""

    def __init__(
        self,
        progress: Callable[[str, int, int | None], None] = unseen,
        waiting: Callable[[str, datetime | None], None] = unwaited,
    ) -> None:
        self._progress, self.waiting = progress, waiting

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        self._progress(stage, done, total)


class Screen:
    """The stages and the wait of one command, as lines. Threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._began = clock.monotonic()
        self._stages: dict[str, Stage] = {}
        self._wait: tuple[str, datetime] | None = None

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """So much of this stage is done. A stage that begins anew counts anew."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._stages.get(stage)
            if known is None or done < known.done:
                self._stages.pop(stage, None)
                known = self._stages[stage] = Stage(stage, now)
                known.first = done if total is None or done < total else 0
            known.done, known.total, known.now = done, total, now

    def waiting(self, what: str, until: datetime | None) -> None:
        """Nothing is done until then; None: it goes on."""
        with self._lock:
            short = until is None or until - self._clock.now() < WAIT_SHOWN_MIN
            self._wait = None if until is None or short else (what, until)

    def lines(self) -> list[str]:
        """What is to be seen now: nothing in the first two seconds."""
        now = self._clock.monotonic()
        if now - self._began < SHOWN_AFTER_SECONDS:
            return []
        with self._lock:
            stages = list(self._stages.values())
            running = [stage for stage in stages if not stage.over] or stages[-1:]
            wait = self._wait
        shown = [_stage_line(stage, now) for stage in running[-STAGES_MAX:]]
        return [*shown, _wait_line(*wait, self._clock.now())] if wait else shown

    def __rich__(self) -> RenderableType:
        from rich.text import Text

        return Text("\n".join(self.lines()), no_wrap=True, overflow="ellipsis")


def _stage_line(stage: Stage, now: float) -> str:
    total = f" of {stage.total:,}" if stage.total is not None else ""
    parts = [f"{stage.name}: {stage.done:,}{total}"]
    if stage.over:
        return f"{parts[0]}, done in {_lasting(timedelta(seconds=stage.now - stage.began))}"
    rate, left = stage.rate(now), stage.left(now)
    if rate is not None:
        parts.append(_rate(rate))
    if left is not None:
        parts.append(f"about {_lasting(left)} left")
    return ", ".join(parts)


def _rate(rate: float) -> str:
    return f"{rate:,.1f} a second" if rate >= 1 else f"{rate * 60:,.1f} a minute"


def _wait_line(what: str, until: datetime, now: datetime) -> str:
    left = max(until - now, timedelta())
    return f"waiting for {what} until {until.astimezone():%H:%M:%S} ({_lasting(left)})"


def _lasting(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextlib.contextmanager
def show_progress(
    *, quiet: bool, clock: Clock | None = None, console: Console | None = None
) -> Iterator[Seen]:
    """Lines that move on a terminal's stderr; nothing anywhere else.

    A test gives the clock and the console.
    """
    if quiet or not (sys.stderr.isatty() if console is None else console.is_terminal):
        yield Seen()
        return
    from rich.console import Console as Stderr
    from rich.live import Live

    screen = Screen(clock or SystemClock())
    out = console or Stderr(stderr=True)
    with Live(screen, console=out, transient=True, refresh_per_second=REFRESHES):
        yield Seen(screen.progress, screen.waiting)
