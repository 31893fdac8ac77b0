"""What people do where contact sync, schedules, repeating invoices, notices or credits are on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim.features import OWN_FIELDS, Features
from tests.sim.people import any_contact, any_invoice, customer, line
from tests.sim.world import World

Deed = Callable[[World, Random], object]


def _org(world: World, rng: Random) -> int:
    found = [r["id"] for r in world.truth.all("organizations") if not r["is_deleted"]]
    if not found:
        raise ActError("no organization")
    return int(rng.choice(found))


def _person(world: World, rng: Random) -> int:
    found = [r["id"] for r in world.truth.all("persons") if not r["is_deleted"]]
    if not found:
        raise ActError("no person")
    return int(rng.choice(found))


def _values(rng: Random) -> dict[str, str]:
    """Some of the fields that both sides have, now and then cleared."""
    n = rng.randint(1, 999)
    made = {"email": rng.choice((f"c{n}@x.test", f"d{n}@x.test", "")),
            "tax_number": rng.choice((f"GB {n}", ""))}  # fmt: skip
    return {name: made[name] for name in rng.sample(sorted(made), rng.randint(1, 2))}


# --- contacts ------------------------------------------------------------------------------------


def edit_org(world: World, rng: Random) -> object:
    """Sales learns an address or a tax number."""
    fields = {OWN_FIELDS[name]: value or None for name, value in _values(rng).items()}
    return world.crm("edit_org", org=_org(world, rng), fields=fields)


def edit_contact(world: World, rng: Random) -> object:
    """The bookkeeper learns one."""
    wire = {"email": "EmailAddress", "tax_number": "TaxNumber"}
    fields: dict[str, Any] = {wire[name]: value for name, value in _values(rng).items()}
    if rng.random() < 0.3:
        number = f"0412 345 {rng.randint(100, 999)}"
        fields["Phones"] = [{"PhoneType": "MOBILE", "PhoneNumber": number}]
    return world.books("edit_contact", contact=any_contact(world, rng), fields=fields)


def rename_org(world: World, rng: Random) -> object:
    """A new name, unlike any other."""
    return world.crm("edit_org", org=_org(world, rng), name=_name(rng))


def rename_contact(world: World, rng: Random) -> object:
    """The same in the ledger."""
    return world.books("rename_contact", contact=any_contact(world, rng), name=_name(rng))


def _name(rng: Random) -> str:
    """Words that nobody takes for another customer's."""
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(5)).title()


def new_contact(world: World, rng: Random) -> object:
    """A customer whom only the bookkeeper knows."""
    given = {"Name": _name(rng), "EmailAddress": f"e{rng.randint(1, 999)}@x.test"}
    return world.books("create_contact", fields=given)


def new_on_both(world: World, rng: Random) -> object:
    """A customer whom both enter on the same day."""
    name = _name(rng)
    email = f"f{rng.randint(1, 999)}@x.test"
    world.books("create_contact", fields={"Name": name, "EmailAddress": email})
    made = world.crm("create_org", name=name, fields={OWN_FIELDS["email"]: email})
    deal = world.crm("create_deal", title="First", org=made["id"], currency="AUD",
                     lines=[line(rng)])  # fmt: skip
    return world.crm("win", deal=deal["id"])


def new_person(world: World, rng: Random) -> object:
    """Somebody to talk to at a customer's."""
    return world.crm(
        "create_person", name=f"{_name(rng)} Doe", org=customer(world, rng),
        email=f"g{rng.randint(1, 999)}@x.test", phone=f"(02) 9999 {rng.randint(1000, 9999)}",
    )  # fmt: skip


def edit_person(world: World, rng: Random) -> object:
    """Another name or number."""
    given = rng.choice(({"name": f"{_name(rng)} Roe"}, {"phone": f"0411 {rng.randint(1, 9)}11 222"},
                        {"email": f"h{rng.randint(1, 999)}@x.test"}))  # fmt: skip
    return world.crm("edit_person", person=_person(world, rng), **given)


def merge_persons(world: World, rng: Random) -> object:
    """Two are one."""
    loser, winner = _person(world, rng), _person(world, rng)
    if loser == winner:
        raise ActError("one person only")
    return world.crm("merge_persons", loser=loser, winner=winner)


def merge_contacts(world: World, rng: Random) -> object:
    """Two are one in the ledger."""
    loser, survivor = any_contact(world, rng), any_contact(world, rng)
    if loser == survivor:
        raise ActError("one contact only")
    return world.books("merge_contacts", loser=loser, survivor=survivor)


def restore_org(world: World, rng: Random) -> object:
    """It was deleted by mistake."""
    found = [r["id"] for r in world.truth.all("organizations") if r["is_deleted"]]
    if not found:
        raise ActError("no deleted organization")
    return world.crm("restore_org", org=rng.choice(found))


CONTACTS: tuple[tuple[int, Deed], ...] = (
    (8, edit_org),
    (8, edit_contact),
    (2, rename_org),
    (2, rename_contact),
    (2, new_contact),
    (2, new_on_both),
    (4, new_person),
    (3, edit_person),
    (1, merge_persons),
    (1, merge_contacts),
    (1, lambda world, rng: world.books("archive_contact", contact=any_contact(world, rng))),
    (1, lambda world, rng: world.crm("delete_person", person=_person(world, rng))),
    (1, lambda world, rng: world.crm("delete_org", org=_org(world, rng))),
    (1, restore_org),
)


# --- papers --------------------------------------------------------------------------------------


def days_pass(world: World, rng: Random) -> None:
    """Nothing happens for a while; within one of our exchanges no days go by."""
    by = timedelta(hours=rng.choice((8, 25, 50, 80)))
    if not world.running:
        world.advance(by)


def subscribe(world: World, rng: Random) -> object:
    """A deal with something that is billed each week or month."""
    lines = [line(rng) | {"billing_frequency": rng.choice(("weekly", "monthly"))}]
    if rng.random() < 0.5:
        lines.append(line(rng))
    made = world.crm("create_deal", title="Support", org=customer(world, rng), currency="AUD",
                     lines=lines)  # fmt: skip
    return world.crm("win", deal=made["id"])


def _template(act: str) -> Deed:
    def deed(world: World, rng: Random) -> object:
        found = [t.id for t in world.xero.organisation.templates if t.document.status != "DELETED"]
        if not found:
            raise ActError("no repeating invoice")
        return world.books(act, template=rng.choice(found))

    return deed


def late_payer(world: World, rng: Random) -> object:
    """Due since some days, and approved."""
    key = any_invoice(world, rng, "DRAFT")
    due = world.time.now().date() - timedelta(days=rng.choice((0, 1, 2, 8)))
    begin = max(due.isoformat(), "2026-11-23")
    world.books("edit_invoice", invoice=key, fields={"DueDate": begin})
    return world.books("approve", invoice=key)


def credit(world: World, rng: Random) -> object:
    """`syncjob credit`, now and then twice the same, perhaps with a fault."""
    if world.running:
        raise ActError("our program is at work")
    invoices = world.xero.organisation.invoices
    billed = [i for i in invoices if i.status == "AUTHORISED" and "SJ-" in str(i.url)]
    if not billed:
        raise ActError("nothing to credit")
    deal = int(str(rng.choice(billed).url).rpartition("SJ-")[2].split("-")[0])
    world.credit(deal, rng.choice(("5", "5", "7.5")), _fault(rng))
    if rng.random() < 0.5:  # "did that work?"
        world.advance(timedelta(minutes=rng.choice((1, 20))))
        world.credit(deal, "5", _fault(rng))
    return deal


def approve(world: World, rng: Random) -> object:
    """So that there is something to credit."""
    return world.books("approve", invoice=any_invoice(world, rng, "DRAFT"))


def _fault(rng: Random) -> dict[int, str]:
    kinds = ("lost", "lost twice", "kill before", "kill after", "late", "500 after", "html 200")
    return {rng.randrange(20): rng.choice(kinds)} if rng.random() < 0.6 else {}


def _ours(act: str) -> Deed:
    def deed(world: World, rng: Random) -> object:
        found = [
            c.id for c in world.xero.organisation.credits
            if c.status == "DRAFT" and "SJ-" in (c.reference or "")
        ]  # fmt: skip
        if not found:
            raise ActError("no credit note of ours")
        return world.books(act, credit=rng.choice(found))

    return deed


def also(features: Features) -> tuple[tuple[int, Deed], ...]:
    """What people do beside the common things."""
    table: tuple[tuple[int, Deed], ...] = ()
    if features.contacts is not None:
        table += CONTACTS
    if features.schedule:
        table += ((6, days_pass),)
    if features.templates:
        table += ((8, subscribe), (4, _template("approve_template")), (4, days_pass),
                  (1, _template("delete_template")))  # fmt: skip
    if features.notices:
        table += ((8, late_payer), (4, days_pass))
    if features.credits:
        table += (
            (8, credit),
            (4, approve),
            (2, _ours("approve_credit")),
            (1, _ours("delete_credit")),
        )
    return table


def act(world: World, rng: Random) -> None:
    """One deed of somebody; nothing if what was drawn cannot be done now."""
    table = also(world.features)
    deed = rng.choices([d for _, d in table], [w for w, _ in table])[0]
    world.attempt(lambda w: deed(w, rng))
