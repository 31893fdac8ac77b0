"""Random people on both sides: what sales and a bookkeeper do in an ordinary month, and worse."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim.world import World

Deed = Callable[[World, Random], object]

CUSTOMERS = ("Acme Pty", "Bolt & Sons", "Čapek s.r.o.", "Delta  Foods", "Eagle O'Hara", "Fjord AS")


def line(rng: Random) -> dict[str, Any]:
    """One line: odd prices, quantities and discounts, taxed like its account."""
    return {
        "name": rng.choice(("Widget", "Gadget", "Service")),
        "price": rng.choice((100, 12.5, 0.07, 33.33, 999.99, round(rng.uniform(1, 500), 2))),
        "quantity": rng.choice((1, 1, 2, 3, 7, 0.5, 1.25)),
        "discount": rng.choice((0, 0, 0, 5, 12.5, 33)), "discount_type": "percentage", "tax": 10,
    }  # fmt: skip


def any_deal(world: World, rng: Random, *statuses: str) -> int:
    """Some deal in one of these states."""
    found = [
        d["id"]
        for d in world.truth.all("deals")
        if not d["is_deleted"] and (not statuses or d["status"] in statuses)
    ]
    if not found:
        raise ActError("no such deal")
    return int(rng.choice(found))


def any_invoice(world: World, rng: Random, *statuses: str) -> str:
    """Some invoice in one of these states."""
    found = [i.id for i in world.xero.organisation.invoices if i.status in statuses]
    if not found:
        raise ActError("no such invoice")
    return str(rng.choice(found))


def any_contact(world: World, rng: Random) -> str:
    """Some active contact."""
    found = [c.id for c in world.xero.organisation.contacts if c.status == "ACTIVE"]
    if not found:
        raise ActError("no contact")
    return str(rng.choice(found))


def customer(world: World, rng: Random) -> int:
    """One of the usual customers, made if it is not there."""
    name = rng.choice(CUSTOMERS)
    for row in world.truth.all("organizations"):
        if row["name"] == name and not row.get("is_deleted"):
            return int(row["id"])
    return int(world.crm("create_org", name=name)["id"])


def create_deal(world: World, rng: Random) -> object:
    """A new deal, won at once more often than not."""
    lines = [line(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    made = world.crm(
        "create_deal", title=f"Order {rng.randint(1, 999)}", org=customer(world, rng),
        currency="AUD", lines=lines,
    )  # fmt: skip
    return world.crm("win", deal=made["id"]) if rng.random() < 0.7 else made


def _on_deal(act: str, *statuses: str, **more: Any) -> Deed:
    return lambda world, rng: world.crm(act, deal=any_deal(world, rng, *statuses), **more)


def _on_invoice(act: str, *statuses: str, **more: Any) -> Deed:
    return lambda world, rng: world.books(act, invoice=any_invoice(world, rng, *statuses), **more)


def put_aside(world: World, rng: Random) -> object:
    """A deal that is closed, or opened again by mistake, is archived at once."""
    deal = any_deal(world, rng, "open", "won")
    world.crm(rng.choice(("lose", "reopen")), deal=deal)
    return world.crm("archive_deal", deal=deal)


def add_line(world: World, rng: Random) -> object:
    """Another line on some deal."""
    return world.crm("add_line", deal=any_deal(world, rng), **line(rng))


def edit_our_field(world: World, rng: Random) -> object:
    """A sales person writes into a field that is ours."""
    name, value = rng.choice(
        (("Invoice status", "paid"), ("Invoice total", 1), ("Invoice note", "call Jo"),
         ("Invoice paid", None), ("Invoice due date", "2027-01-01"), ("Invoice overdue", None))
    )  # fmt: skip
    return world.crm("edit_deal", deal=any_deal(world, rng), fields={name: value})


def part_pay(world: World, rng: Random) -> object:
    """A part of what is due, in cash or from what was paid ahead."""
    key = any_invoice(world, rng, "AUTHORISED")
    due = world.xero.organisation.invoices[key].due
    amount = max(int(due * 100 * rng.choice((1, 2, 3)) / 4), 1) / 100
    act = rng.choice(("pay", "pay", "credit", "allocate_prepayment", "allocate_overpayment"))
    return world.books(act, invoice=key, amount=amount)


def edit_draft(world: World, rng: Random) -> object:
    """The bookkeeper corrects a draft."""
    fields = rng.choice(({"Reference": "PO 77"}, {"DueDate": "2027-02-01"}))
    return world.books("edit_invoice", invoice=any_invoice(world, rng, "DRAFT"), fields=fields)


def expect_payment(world: World, rng: Random) -> object:
    """The customer has promised a day."""
    day = (world.time.now().date()).replace(day=min(28, world.time.now().day)).isoformat()
    key = any_invoice(world, rng, "AUTHORISED")
    return world.books("set_expected_payment_date", invoice=key, date=rng.choice((day, None)))


def approve_overdue(world: World, rng: Random) -> object:
    """Approved late: it is due since long ago."""
    key = any_invoice(world, rng, "DRAFT")
    world.books("edit_invoice", invoice=key, fields={"DueDate": "2026-11-23"})
    return world.books("approve", invoice=key)


def rename_contact(world: World, rng: Random) -> object:
    """The bookkeeper knows the legal name."""
    contact = world.xero.organisation.contacts[any_contact(world, rng)]
    return world.books("rename_contact", contact=contact.id, name=f"{contact.name[:40]} Ltd")


def merge_contacts(world: World, rng: Random) -> object:
    """The bookkeeper believes that two are one."""
    loser, survivor = any_contact(world, rng), any_contact(world, rng)
    if loser == survivor:
        raise ActError("one contact only")
    return world.books("merge_contacts", loser=loser, survivor=survivor)


def archive_contact(world: World, rng: Random) -> object:
    """Out of use, it is thought."""
    return world.books("archive_contact", contact=any_contact(world, rng))


def rename_org(world: World, rng: Random) -> object:
    """The customer has a new name."""
    key = customer(world, rng)
    return world.crm("edit_org", org=key, name=f"New name {key} {rng.randint(1, 99)}")


def contact_by_hand(world: World, rng: Random) -> object:
    """The bookkeeper was quicker."""
    return world.books("create_contact", fields={"Name": rng.choice(CUSTOMERS)})


def odd_deal(world: World, rng: Random) -> object:
    """A won deal with something missing or unusual."""
    given: dict[str, Any] = {"title": "Odd", "currency": "AUD", "lines": [line(rng)]}
    kind = rng.choice(("nobody", "no lines", "person", "free", "old", "euro"))
    if kind == "person":
        name = f"Jo Doe {rng.randint(1, 3)}"
        given["person"] = world.crm("create_person", name=name)["id"]
    elif kind != "nobody":
        given["org"] = customer(world, rng)
    if kind == "no lines":
        given |= {"lines": [], "value": 50}
    if kind == "free":
        given["lines"] = [line(rng) | {"price": 0}]
    if kind == "euro":
        given["currency"] = "EUR"
    made = world.crm("create_deal", **given)
    won = {"won_time": "2026-10-01T09:00:00Z"} if kind == "old" else {}
    return world.crm("win", deal=made["id"], **won)


def _any_line(world: World, rng: Random) -> int:
    found = [row["id"] for row in world.truth.all("rows") if not row.get("is_deleted")]
    if not found:
        raise ActError("no line")
    return int(rng.choice(found))


def edit_line(world: World, rng: Random) -> object:
    """A line is corrected, taken out or put aside."""
    key = _any_line(world, rng)
    act = rng.choice(("edit_line", "remove_line", "disable_line"))
    return world.crm(act, line=key, **({"price": 77.77} if act == "edit_line" else {}))


def other_customer(world: World, rng: Random) -> object:
    """The deal was the wrong customer's."""
    return world.crm("edit_deal", deal=any_deal(world, rng), org=customer(world, rng))


def merge_orgs(world: World, rng: Random) -> object:
    """Sales finds that two customers are one."""
    loser, winner = customer(world, rng), customer(world, rng)
    if loser == winner:
        raise ActError("one customer only")
    return world.crm("merge_orgs", loser=loser, winner=winner)


def loose_invoice(world: World, rng: Random) -> object:
    """The bookkeeper invoiced something by hand, perhaps this very deal."""
    contact = world.xero.organisation.contacts[any_contact(world, rng)]
    made = {"Description": "By hand", "Quantity": 1, "UnitAmount": rng.choice((100, 12.5, 33.33)),
            "AccountCode": "200"}  # fmt: skip
    day = world.time.now().date().isoformat()
    return world.books("create_invoice", fields={
        "Contact": {"ContactID": contact.id}, "Date": day, "DueDate": "2027-02-01",
        "LineItems": [made], "Status": rng.choice(("DRAFT", "AUTHORISED")),
    })  # fmt: skip


def restore_contact(world: World, rng: Random) -> object:
    """It is in use after all."""
    found = [c.id for c in world.xero.organisation.contacts if c.status == "ARCHIVED"]
    if not found:
        raise ActError("no archived contact")
    return world.books("restore_contact", contact=rng.choice(found))


def refund_credit(world: World, rng: Random) -> object:
    """Money goes back to a customer who had paid."""
    key = any_invoice(world, rng, "AUTHORISED")
    total = float(world.xero.organisation.invoices[key].due)
    made = world.books("credit", invoice=key, amount=round(total / 2, 2), total=total)
    return world.books("refund_credit", credit=made["done"]["id"])


#: Deeds by weight. The second group is drawn on for some seeds only: it makes deals be held.
COMMON: tuple[tuple[int, Deed], ...] = (
    (8, create_deal),
    (5, _on_deal("win", "open", "lost")),
    (2, _on_deal("reopen", "won", "lost")),
    (2, _on_deal("lose", "won", "open")),
    (2, add_line),
    (2, edit_our_field),
    (1, _on_deal("edit_deal", title="Renamed")),
    (5, _on_invoice("approve", "DRAFT")),
    (1, _on_invoice("submit", "DRAFT")),
    (3, part_pay),
    (3, _on_invoice("pay", "AUTHORISED")),
    (2, _on_invoice("remove_payment", "AUTHORISED", "PAID")),
    (1, _on_invoice("credit", "AUTHORISED")),
    (1, _on_invoice("void", "AUTHORISED")),
    (1, _on_invoice("delete", "DRAFT", "SUBMITTED")),
    (2, edit_draft),
    (1, expect_payment),
    (1, approve_overdue),
)
RARE: tuple[tuple[int, Deed], ...] = (
    (1, _on_deal("archive_deal")),
    (1, _on_deal("unarchive_deal")),
    (1, _on_deal("delete_deal")),
    (1, rename_contact),
    (1, merge_contacts),
    (1, archive_contact),
    (1, rename_org),
    (1, contact_by_hand),
    (2, odd_deal),
    (2, edit_line),
    (1, other_customer),
    (1, merge_orgs),
    (1, loose_invoice),
    (2, restore_contact),
    (1, refund_credit),
    (1, _on_deal("unarchive_deal")),
    (1, lambda world, rng: world.books("expire_tokens")),
    (1, lambda world, rng: world.crm("delete_org", org=customer(world, rng))),
)


def act(world: World, rng: Random, *, rare: bool) -> None:
    """One deed of somebody; nothing if what was drawn cannot be done now."""
    table = (*COMMON, *RARE) if rare else COMMON
    deed = rng.choices([d for _, d in table], [w for w, _ in table])[0]
    world.attempt(lambda w: deed(w, rng))
