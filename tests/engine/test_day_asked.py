"""Whether a vendor's day has begun anew is asked where what is polled does not tell.

Found by random worlds: HubSpot's searches carry no header of the day (facts: hubspot, 5f), so that
who had little left made searches only, and learned of the new day up to 24 hours late.
"""

from __future__ import annotations

from typing import Any

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, sell
from tests.engine.world import World
from tests.sim.crms import change

#: Of the million a day of the largest plan half is left for others, so that this leaves us 1,000.
LITTLE = 501_000
ACCOUNT = "/hubspot/account-info/2026-09/details"


def scarce(make_world: MakeWorld) -> World:
    """A firm whose other apps have used up most of HubSpot's day when a deal is won."""
    hub = make_world(
        crm="hubspot", config={"crm": {"plan": "enterprise"}},
        crm_options={"plan": "enterprise", "limits": True, "daily": LITTLE},
    )  # fmt: skip
    hub.run()
    minutes(hub, 20)
    hub.run()
    sell(hub)
    minutes(hub, 5)
    for _ in range(4):  # until the lookback lies behind the deal, and only searches are made
        assert "drafts and statuses (hubspot)" in hub.run().left_out
        minutes(hub, 10)
    assert not hub.invoices()
    return hub


def allow(hub: World, daily: int) -> None:
    """The vendor's day as it is from now on."""
    change(hub.hubspot, daily=daily)


def asked(hub: World, mark: int) -> list[dict[str, Any]]:
    return [call for call in hub.since(mark) if call["path"] == ACCOUNT]


def test_a_new_day_is_seen_within_the_hour(make_world: MakeWorld) -> None:
    hub = scarce(make_world)
    allow(hub, 1_000_000)
    for _ in range(13):
        minutes(hub, 5)
        hub.run()
    assert len(hub.invoices()) == 1


def test_while_calls_are_few_one_an_hour_asks(make_world: MakeWorld) -> None:
    hub = scarce(make_world)
    mark = hub.mark()
    for _ in range(36):
        minutes(hub, 5)
        hub.run()
    assert 2 <= len(asked(hub, mark)) <= 3
    assert not hub.invoices()


def test_where_calls_are_enough_nobody_asks(make_world: MakeWorld) -> None:
    hub = scarce(make_world)
    allow(hub, 1_000_000)
    minutes(hub, 65)
    for _ in range(5):  # after an hour away a draft waits for the ledger
        minutes(hub, 5)
        hub.run()
    assert len(hub.invoices()) == 1
    mark = hub.mark()
    for _ in range(24):
        minutes(hub, 5)
        hub.run()
    assert not asked(hub, mark)
