"""`schedule.run_seconds_max`: a batch that runs out of time comes forward all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncjob.connectors.pipedrive import reading
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, quiet, sell
from tests.engine.world import World

SHORT: dict[str, Any] = {"schedule": {"run_seconds_max": 30}}


def _slow(w: World, call_s: float) -> None:
    """Each answer of either server takes this long."""

    def slowly(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def later(request: Any) -> Any:
            w.time.advance(call_s)
            return answer(request)

        return later

    w.xero.handle = slowly(w.xero.handle)  # type: ignore[method-assign]
    w.pipedrive.handle = slowly(w.pipedrive.handle)  # type: ignore[method-assign]


def _until_done(w: World, batches: int) -> list[str]:
    results = []
    for _ in range(batches):
        report = w.run()
        results.append(report.result)
        if report.exit_code == 0:
            break
        assert report.resume_at is not None
        assert "the next run goes on" in report.next_step.lower()
        minutes(w, 5)
    return results


def test_reading_alone_takes_longer_than_a_batch_may(make_world: MakeWorld) -> None:
    world = make_world(config=SHORT)
    deals = [sell(world, f"Firm {number} Pty", title=f"Order {number}") for number in range(8)]
    _slow(world, 8)
    results = _until_done(world, 15)
    assert results[-1] == "done"
    assert set(results[:-1]) == {"later"}
    assert len(world.invoices()) == len(deals)
    assert {world.deal_fields(d)["Invoice status"] for d in deals} == {"draft"}
    quiet(world)


def test_a_walk_of_many_pages_goes_on_where_it_stopped(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_SIZE", 2)
    world = make_world(config=SHORT)
    for number in range(12):
        sell(world, f"Firm {number % 3} Pty", title=f"Order {number}")
    _slow(world, 8)
    mark = world.mark()
    world.run()
    assert world.writes(mark) == []  # nothing is decided before all pages were read
    assert _until_done(world, 25)[-1] == "done"
    assert len(world.invoices()) == 12
