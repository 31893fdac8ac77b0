"""What people do at the worst moment: to the very record of a write that is on its way or was just
made, and to a draft's number.

Whoever edits a record while a request of ours about it is under way meets our answer within a
second; the judge knows what both did from the servers and the deeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from syncjob.sandbox.kernel import ActError, Request
from tests.sim.features import OWN_FIELDS
from tests.sim.people import any_invoice, line
from tests.sim.world import World

#: The collections of each vendor's paths, and what stands in them.
_KINDS = {"Invoices": "invoice", "Contacts": "contact", "deals": "deal", "organizations": "org",
          "persons": "person", "companies": "org", "contacts": "person"}  # fmt: skip
#: What a call names its records by, in bodies.
_IDS = ("InvoiceID", "ContactID", "id")


class Named(NamedTuple):
    """A record that a request is about."""

    kind: str
    id: str


def at_hand(world: World, rng: Random) -> object:
    """Somebody edits what a request of ours is about just now. Raises ActError if it is about
    nothing that stands yet."""
    sent = world.faults.under_way
    found = (list(named_in(sent)) or list(_newest(world, sent))) if sent is not None else []
    if not found:
        raise ActError("no request names a record")
    chosen = rng.choice(found)
    deeds = {"invoice": _invoice, "contact": _contact, "deal": _deal, "org": _org,
             "person": _person}  # fmt: skip
    return deeds[chosen.kind](world, rng, chosen.id)


def named_in(sent: Request) -> Iterator[Named]:
    """The records that a write names by their ids, in its path and in its body."""
    parts = sent.path.split("/")
    kind = next((_KINDS[part] for part in reversed(parts) if part in _KINDS), None)
    if kind is None or sent.method == "GET":
        return
    if parts[-1].isdigit():
        yield Named(kind, parts[-1])
    try:
        body = json.loads(sent.body or b"null")
    except ValueError:
        return
    for element in _elements(body):
        for name in _IDS:
            if element.get(name):
                yield Named(kind, str(element[name]))


def _newest(world: World, sent: Request) -> Iterator[Named]:
    """Of a write that makes records the newest of their kind: its own, if it has arrived."""
    org = world.xero.organisation
    if sent.method == "PUT" and sent.path.startswith("/xero/"):
        kind = sent.path.rpartition("/")[2]
        known = {
            "Invoices": [invoice.id for invoice in org.invoices],
            "Contacts": [contact.id for contact in org.contacts if contact.status == "ACTIVE"],
        }.get(kind, [])
        yield from (Named(_KINDS[kind], key) for key in known[-1:])


def _elements(body: Any) -> Iterator[dict[str, Any]]:
    """The records of a call of several, by whatever name they stand in it."""
    lists = body.values() if isinstance(body, dict) else ()
    for found in lists:
        if isinstance(found, list):
            yield from (one for one in found if isinstance(one, dict))


def _invoice(world: World, rng: Random, key: str) -> object:
    """Its due day, its reference or its number; of an approved one what the customer promised."""
    invoice = world.xero.organisation.invoices.get(key)
    if invoice is None:
        raise ActError("no such invoice")
    if invoice.status != "DRAFT":
        day = world.time.now().date().isoformat()
        return world.books("set_expected_payment_date", invoice=key, date=day)
    fields = rng.choice(({"Reference": "PO 9"}, {"DueDate": "2027-02-02"}, _number(world)))
    return world.books("edit_invoice", invoice=key, fields=fields)


def number_draft(world: World, rng: Random) -> object:
    """The bookkeeper gives some draft a number of her own."""
    key = any_invoice(world, rng, "DRAFT")
    return world.books("edit_invoice", invoice=key, fields=_number(world))


def _number(world: World) -> dict[str, str]:
    return {"InvoiceNumber": f"HAND-{len(world.deeds)}"}


def _contact(world: World, rng: Random, key: str) -> object:
    n = rng.randint(1, 999)
    fields = rng.choice(({"EmailAddress": f"m{n}@x.test"}, {"TaxNumber": f"GB {n}"}))
    return world.books("edit_contact", contact=key, fields=fields)


def _deal(world: World, rng: Random, key: str) -> object:
    """The deal that was or is being told of its invoice: its title, its lines, our own fields."""
    deal = int(key)
    act = rng.randrange(5)
    if act == 0:
        return world.crm("edit_deal", deal=deal, title=f"Retitled {rng.randint(1, 99)}")
    if act == 1:
        return world.crm("add_line", deal=deal, **line(rng))
    if act == 2:
        return world.crm(rng.choice(("reopen", "lose", "win")), deal=deal)
    name, value = rng.choice(
        (("Invoice status", "paid"), ("Invoice note", "call Jo"), ("Invoice total", 1))
    )
    return world.crm("edit_deal", deal=deal, fields={name: value})


def _org(world: World, rng: Random, key: str) -> object:
    if world.features.contacts is None:
        raise ActError("customers have no such fields here")
    fields = {OWN_FIELDS["email"]: f"n{rng.randint(1, 999)}@x.test"}
    return world.crm("edit_org", org=int(key), fields=fields)


def _person(world: World, rng: Random, key: str) -> object:
    return world.crm("edit_person", person=int(key), phone=f"0411 {rng.randint(1, 9)}11 333")
