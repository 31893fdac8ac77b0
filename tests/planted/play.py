"""Play one address against the engine of this process, and say what the judge said.

An exception is a verdict of its own kind: a mutant that breaks down by itself was not caught by an
invariant, and the judge has said nothing about it.
"""

from __future__ import annotations

import logging
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import structlog

from tests.planted import scenes
from tests.planted.addresses import CaseAddress, spots
from tests.planted.verdict import Verdict
from tests.sim import every_point, seeds
from tests.sim.every_point import Case, Played
from tests.sim.watch import Violation

#: A mutant may go round in circles; no honest address takes so long.
SECONDS_MAX = 120

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class Endless(BaseException):
    """It does not come to an end."""


def played(address: str) -> Iterator[Verdict]:
    """The verdicts, one unless a `draw` is asked for."""
    kind, _, rest = address.partition(" ")
    if kind == "draw":
        yield from _draw(rest)
        return
    plays: dict[str, Callable[[str], bool]] = {
        "history": _history, "case": _case, "scene": _scene, "seed": _seed,
    }  # fmt: skip
    if kind not in plays:
        raise ValueError(f"What is {address!r}?")
    yield judged(address, lambda: plays[kind](rest))


def judged(address: str, play: Callable[[], bool]) -> Verdict:
    """What came of it; `play` returns whether what was to happen has happened."""
    try:
        with _ending():
            fired = play()
    except Violation as violation:
        return Verdict(address, "violation", violation.invariant, str(violation))
    except (Exception, Endless) as error:  # the grader names every error, and counts none as a kill
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        return Verdict(address, "error", "", said[:600])
    return Verdict(address, "passed" if fired else "missed")


@contextmanager
def _ending() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Endless(f"it has not ended after {SECONDS_MAX} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_MAX)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _scene(name: str) -> bool:
    scenes.by_name(name)()
    return True


def _seed(rest: str) -> bool:
    number, _, crm = rest.partition(" ")
    seeds.play(int(number), crm=crm or None)
    return True


def _history(name: str) -> bool:
    every_point.play(every_point.by_name(name)).close()
    return True


def _case(rest: str) -> bool:
    address = CaseAddress.of(rest)
    history = every_point.play(every_point.by_name(address.history))
    try:
        case = numbered(history, address)
        return case is not None and every_point.run_case(history, case)[1]
    finally:
        history.close()


def numbered(history: Played, address: CaseAddress) -> Case | None:
    """The case by the number that its point has in this engine; None if it has no such point."""
    if address.batch >= len(history.points):
        return None
    points = history.points[address.batch]
    known = spots([(point.kind, point.words) for point in points])
    if address.spot not in known:
        return None
    point = points[known.index(address.spot)]
    return Case(address.history, address.batch, point.n, address.fault, address.goes_on)


def named(history: Played, case: Case) -> CaseAddress:
    """The address of a case, for an engine in which the point has another number."""
    points = history.points[case.batch]
    spot = spots([(point.kind, point.words) for point in points])[case.point]
    return CaseAddress(case.history, case.batch, spot, case.kind, case.goes_on)


def _draw(rest: str) -> Iterator[Verdict]:
    name, number, count = rest.split(" | ")
    made: list[Played] = []

    def play() -> bool:
        made.append(every_point.play(every_point.by_name(name)))
        return True

    alone = judged(f"history {name}", play)
    if alone.how != "passed":
        yield alone
        return
    history = made[0]
    try:
        every = list(every_point.cases(history))
        for case in Random(f"{name} {number}").sample(every, min(int(count), len(every))):
            yield judged(str(named(history, case)), lambda c=case: _fired(history, c))  # type: ignore[misc]
    finally:
        history.close()


def _fired(history: Played, case: Case) -> bool:
    return every_point.run_case(history, case)[1]
