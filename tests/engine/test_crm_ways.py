"""What other CRMs do than the sandbox's: streams of their own, records merged under a new id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from syncjob.connectors.base import Page, Walk
from syncjob.connectors.pipedrive.connector import PipedriveConnector
from tests.engine.scenes import billed, invoice_of, minutes, quiet
from tests.engine.world import World


class Ways:
    """The sandbox's CRM as one that names deals whose lines changed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.touched: tuple[str, ...] = ()
        self.walks: list[tuple[str, Walk]] = []
        changes, started = PipedriveConnector.changes, PipedriveConnector.__init__

        def ours(connector: PipedriveConnector, stream: str, walk: Walk) -> Iterator[Page]:
            self.walks.append((stream, walk))
            if stream != "touched_deals":
                yield from changes(connector, stream, walk)
                return
            now = connector.server_time()
            assert now is not None
            yield Page(records=(), position=None, started=now, touched=self.touched)

        def begin(connector: PipedriveConnector, *args: Any, **more: Any) -> None:
            started(connector, *args, **more)
            connector.capabilities = msgspec.structs.replace(
                connector.capabilities, deal_streams=("archived_deals", "touched_deals")
            )

        patch.setattr(PipedriveConnector, "changes", ours)
        patch.setattr(PipedriveConnector, "__init__", begin)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


def reads_of_lines(world: World, mark: int) -> int:
    return sum("deals/products" in call["path"] for call in world.since(mark))


def test_lines_that_changed_without_a_trace_in_their_deal_are_read_again(
    ways: Ways, world: World
) -> None:
    deal = billed(world)
    quiet(world)
    (row,) = (r.record for r in world.pipedrive.company.tables["rows"].rows.values())
    row["name"] = "Wider widget"  # neither the deal's value nor its stamp moves
    minutes(world, 5)
    mark = world.mark()
    world.run()
    assert reads_of_lines(world, mark) == 0
    ways.touched = (str(deal), "987654")
    mark = world.mark()
    world.run()
    assert reads_of_lines(world, mark) == 1
    assert [line["description"] for line in invoice_of(world, deal)["lines"]] == ["Wider widget"]
    ways.touched = ()
    quiet(world)


def test_the_first_walk_over_touched_deals_begins_at_now(ways: Ways, world: World) -> None:
    billed(world)
    first = next(walk for stream, walk in ways.walks if stream == "touched_deals")
    assert first.since is not None
    assert (world.time.now() - first.since).total_seconds() < 1200
    minutes(world, 60)
    world.run()
    streams = [stream for stream, _ in ways.walks]
    assert streams.count("touched_deals") == 2
    second = [walk for stream, walk in ways.walks if stream == "touched_deals"][1]
    assert second.since == first.since  # nothing in between is left out
