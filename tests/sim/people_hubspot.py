"""What people do in a firm with HubSpot: all that others do, and what only this CRM has.

Merges make a record with a new id, deleted records come back, owners leave, admins make rules that
bind every write, and imports change everything within a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim import people
from tests.sim.people import CUSTOMERS, any_deal, customer, line
from tests.sim.world import World

Deed = Callable[[World, Random], object]

#: A property that admins come to ask for on every write of a deal.
ASKED = "PO number"


def _line(world: World, rng: Random) -> int:
    found = [row["id"] for row in world.truth.all("rows") if not row["is_deleted"]]
    if not found:
        raise ActError("no line")
    return int(rng.choice(found))


def edit_line(world: World, rng: Random) -> object:
    """A price, a quantity, or a discount: in percent, or off each unit."""
    given: dict[str, Any] = rng.choice((
        {"price": 77.77}, {"quantity": 3}, {"discount": 10, "discount_type": "percentage"},
        {"discount": 0.5, "discount_type": "amount"}, {"name": "Renamed"},
    ))  # fmt: skip
    return world.crm("edit_line", line=_line(world, rng), **given)


def remove_line(world: World, rng: Random) -> object:
    """It was not sold after all."""
    return world.crm("remove_line", line=_line(world, rng))


def merge_deals(world: World, rng: Random) -> object:
    """Two deals are one: a third id comes of them."""
    loser, winner = any_deal(world, rng), any_deal(world, rng)
    if loser == winner:
        raise ActError("one deal only")
    return world.crm("merge_deals", loser=loser, winner=winner)


def restore_deal(world: World, rng: Random) -> object:
    """Out of the recycle bin."""
    found = [d["id"] for d in world.truth.all("deals") if d["is_deleted"] and not d["merged_into"]]
    if not found:
        raise ActError("no deleted deal")
    return world.crm("restore_deal", deal=rng.choice(found))


def restore_org(world: World, rng: Random) -> object:
    """The same for a company."""
    found = [
        r["id"]
        for r in world.truth.all("organizations")
        if r["is_deleted"] and not r["merged_into"]
    ]
    if not found:
        raise ActError("no deleted company")
    return world.crm("restore_org", org=rng.choice(found))


def other_owner(world: World, rng: Random) -> object:
    """Somebody else has the deal from now on, perhaps one who has left."""
    found = [u["id"] for u in world.truth.all("users")]
    if len(found) < 3:
        found.append(world.crm("create_user", name=f"Seller {len(found)}")["id"])
    return world.crm("edit_deal", deal=any_deal(world, rng), owner=rng.choice(found))


def owner_leaves(world: World, rng: Random) -> object:
    """The deals keep an archived owner."""
    found = [u["id"] for u in world.truth.all("users") if u["active_flag"]]
    if len(found) < 2:
        raise ActError("nobody else is left")
    return world.crm("deactivate_user", user=rng.choice(found[1:]))


def make_rule(world: World, rng: Random) -> object:
    """From now on each write needs a property that some deals do not have."""
    if not any(f["field_name"] == ASKED for f in world.truth.fields["deals"].values()):
        world.crm("create_field", name=ASKED)
    stages = rng.choice(({}, {"dealstage": ["closedwon"]}))
    return world.crm("add_rule", required=["po_number"], when=stages, on="update")


def end_rules(world: World, rng: Random) -> object:
    """The rule was too much."""
    return world.crm("remove_rules")


def fill_in(world: World, rng: Random) -> object:
    """What the rule asks for."""
    return world.crm("edit_deal", deal=any_deal(world, rng), fields={ASKED: "PO 7"})


def import_deals(world: World, rng: Random) -> object:
    """A file that touches every deal at once."""
    return world.crm("import_deals", text=f"import {rng.randint(1, 99)}")


def another_customer(world: World, rng: Random) -> object:
    """The customer's second company beside the first: which counts is said by nobody."""
    return world.crm(
        "associate", from_kind="deals", to_kind="companies", primary=rng.random() < 0.5,
        **{"from": any_deal(world, rng), "to": customer(world, rng)},
    )  # fmt: skip


def edit_amount(world: World, rng: Random) -> object:
    """Somebody types the value that they think is right."""
    return world.crm("edit_deal", deal=any_deal(world, rng), value=rng.choice((1, 250.5)))


def person_deal(world: World, rng: Random) -> object:
    """A customer who is one person."""
    name = f"Kim Roe {rng.randint(1, 3)}"
    known = [p["id"] for p in world.truth.all("persons")
             if p["name"] == name and not p["is_deleted"]]  # fmt: skip
    person = known[0] if known else world.crm("create_person", name=name)["id"]
    made = world.crm("create_deal", title="Private", person=person, org=customer(world, rng),
                     currency="AUD", lines=[line(rng)])  # fmt: skip
    return world.crm("win", deal=made["id"])


def rename(world: World, rng: Random) -> object:
    """A customer is called as another, but for spaces."""
    return world.crm("edit_org", org=customer(world, rng), name=f"{rng.choice(CUSTOMERS)} Group")


COMMON: tuple[tuple[int, Deed], ...] = (
    (3, edit_line),
    (1, remove_line),
    (2, other_owner),
    (1, import_deals),
    (1, edit_amount),
    (1, person_deal),
)
RARE: tuple[tuple[int, Deed], ...] = (
    (3, merge_deals),
    (2, restore_deal),
    (1, restore_org),
    (1, owner_leaves),
    (1, make_rule),
    (2, end_rules),
    (1, fill_in),
    (1, another_customer),
    (1, rename),
)


def act(world: World, rng: Random, *, rare: bool) -> None:
    """One deed of somebody; nothing if what was drawn cannot be done now."""
    table = (*people.COMMON, *COMMON)
    if rare:
        table = (*table, *people.RARE, *RARE)
    deed = rng.choices([d for _, d in table], [w for w, _ in table])[0]
    world.attempt(lambda w: deed(w, rng))
