"""What a deal says truly does not go back: a list that is behind never undoes what we knew.

Judged over each batch, for deals with one live invoice that nobody touched meanwhile. Whether it
is put right again later does not matter: sales has read what was wrong.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from syncjob.sandbox.xero.models import Document
from tests.sim.truth import word

if TYPE_CHECKING:
    from tests.sim.world import World

DEAD = ("VOIDED", "DELETED")


class Told(NamedTuple):
    """What a deal says of its one live invoice, and what had been done to it until then."""

    said: str
    invoice: Document
    deeds: int


def told_truly(world: World) -> dict[int, Told]:
    """The deals whose status is true now; none once a state was lost, which knows less."""
    if world.state_lost or world.features.schedule or world.features.templates:
        return {}
    live, typed = _live(world), _typed(world)
    found: dict[int, Told] = {}
    for deal in world.truth.all("deals"):
        if deal["id"] in typed:
            continue
        invoices = live.get(deal["id"], [])
        said = _status(world, deal)
        if world.watch.untrue.get(deal["id"]) == said:
            continue
        if len(invoices) == 1 and said == word(world.xero.organisation, invoices[0]):
            found[deal["id"]] = Told(str(said), invoices[0], len(world.deeds))
    return found


def note_untrue(world: World) -> None:
    """Remember what deals say that a person has just made untrue, or that was when it was written:
    should it become true while it stands there, it is so by chance and never was our word on how
    things are now."""
    live = _live(world)
    for deal in world.truth.all("deals"):
        invoices, said = live.get(deal["id"], []), _status(world, deal)
        if len(invoices) == 1 and said != word(world.xero.organisation, invoices[0]):
            world.watch.untrue[deal["id"]] = said
        elif world.watch.untrue.get(deal["id"]) != said:
            world.watch.untrue.pop(deal["id"], None)


def gone_back(world: World, before: dict[int, Told]) -> str | None:
    """A deal that said what was true before this batch, and no longer does; None if there is
    none."""
    if not before or world.state_lost:
        return None
    live = _live(world)
    for number, told in before.items():
        invoices, deal = live.get(number, []), world.truth.get("deals", number)
        if deal is None or len(invoices) != 1 or invoices[0] is not told.invoice:
            continue
        said, true = _status(world, deal), word(world.xero.organisation, told.invoice)
        if len(world.deeds) == told.deeds and said not in (told.said, true):
            return f"deal {number} said {told.said!r}, which was true, and says {said!r} now"
    return None


def _typed(world: World) -> set[int]:
    """Deals in whose status somebody typed: what is true there by chance was never our word."""
    return {
        int(deed.payload["deal"])
        for deed in world.deeds
        if deed.act == "edit_deal" and "Invoice status" in (deed.payload.get("fields") or {})
    }


def _live(world: World) -> dict[int, list[Document]]:
    """The live invoices of each deal by the marker in their links."""
    from tests.sim.watch import place

    found: dict[int, list[Document]] = defaultdict(list)
    for document in world.xero.organisation.invoices:
        known = place(document) if document.status not in DEAD else None
        if known is not None and known[0] == world.config.connection.code:
            found[int(known[1])].append(document)
    return found


def _status(world: World, deal: dict[str, object]) -> object:
    from tests.sim.judge_deals import deal_fields

    return deal_fields(world, deal).get("Invoice status")
