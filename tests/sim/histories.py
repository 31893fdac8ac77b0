"""Scripted histories, each a list of steps: what people do, then a batch, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim.features import OWN_FIELDS, PLAIN, Features
from tests.sim.judge import recover
from tests.sim.two import Wish, new_twofold
from tests.sim.world import World, new_world

Deeds = Callable[[World], object]
#: What our program does after the deeds of a step, with the faults that are armed.
Run = Callable[[World, dict[int, str]], object]

WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}
GADGET = {"name": "Gadget", "price": 33.33, "quantity": 3, "discount": 12.5,
          "discount_type": "percentage", "tax": 10}  # fmt: skip


@dataclass(frozen=True)
class History:
    """A name, the world it plays in, and the deeds before each batch."""

    name: str
    steps: tuple[Deeds, ...]
    mode: str = "drafts_only"
    status: str = "draft"
    features: Features = PLAIN
    #: Commands that are run instead of a batch, by step.
    commands: dict[int, Run] = field(default_factory=dict)
    crm: str = "pipedrive"
    #: Where our program is let in by consent, or is there twice.
    wish: Wish | None = None
    #: How many records a page of any list holds at most; None for as many as are asked for.
    page_max: int | None = None
    #: The steps whose deeds are the machine's, and cannot happen while the program is at work.
    machine: tuple[int, ...] = ()
    #: What comes after the last step: two batches, the judge, and rest.
    ends: Deeds = recover

    def world(self) -> World:
        """The world before the first deed."""
        if self.wish is not None:
            world: World = new_twofold(
                self.wish, vendor=self.crm, mode=self.mode, status=self.status
            )
        else:
            world = new_world(
                mode=self.mode, status=self.status, features=self.features, vendor=self.crm
            )
        world.page_max = self.page_max
        return world

    def run(self, world: World, step: int, armed: dict[int, str]) -> object:
        """What our program does after that step; None if it did not come to its end."""
        return self.commands.get(step, World.run)(world, armed)

    def again(self, world: World, step: int) -> object:
        """The batch after that one, with nothing new: of both connections, where there are two."""
        if self.wish is not None and self.wish.second is not None:
            return self.run(world, step, {})
        return world.run()  # a command is given once


def sell(w: World, org: str = "Acme Pty", *lines: dict[str, Any], won: bool = True) -> None:
    known = {o["name"] for o in w.truth.all("organizations")}
    if org not in known:
        w.crm("create_org", name=org)
    deal = w.crm(
        "create_deal", title="Spring order", org=org, currency="AUD", lines=[*(lines or (WIDGET,))]
    )
    if won:
        w.crm("win", deal=deal["id"])


def sells(*orgs: str) -> Deeds:
    def deeds(w: World) -> None:
        for org in orgs:
            sell(w, org)

    return deeds


def crm(act: str, **payload: Any) -> Deeds:
    return lambda w: w.crm(act, **{"deal": 1, **payload})


def books(act: str, **payload: Any) -> Deeds:
    """To the newest invoice."""

    def deed(w: World) -> None:
        known = [i.id for i in w.xero.organisation.invoices]
        w.books(act, invoice=known[-1] if known else "none", **payload)

    return deed


def contact(act: str, **payload: Any) -> Deeds:
    def deed(w: World) -> None:
        known = [c.id for c in w.xero.organisation.contacts if c.status == "ACTIVE"]
        w.books(act, contact=known[0] if known else "none", **payload)

    return deed


def both(*deeds: Deeds) -> Deeds:
    def all_of_them(w: World) -> None:
        for deed in deeds:
            deed(w)

    return all_of_them


def _merged(w: World) -> None:
    known = [c.id for c in w.xero.organisation.contacts]
    if len(known) < 2:
        raise ActError("there are not two contacts")
    first, second = known[:2]
    w.books("merge_contacts", loser=first, survivor=second)


def wait(**time: int) -> Deeds:
    return lambda w: w.advance(timedelta(**time))


def lose_state(w: World) -> None:
    w.lose_state()


#: Deal 1 sold and its draft approved by a person.
APPROVED: tuple[Deeds, ...] = (sells("Acme Pty"), books("approve"))

_INVOICES: tuple[History, ...] = (
    History("first load", (sells("Acme Pty", "Bolt & Sons", "Acme Pty"),)),
    History("won, then another", (
        both(sells("Acme Pty"), lambda w: sell(w, "Bolt & Sons", GADGET, won=False)),
        crm("win", deal=2),
    )),
    History("approved and paid", (*APPROVED, books("pay"))),
    History("approved by rule", (sells("Acme Pty", "Bolt & Sons"), books("pay")), "full",
            "authorised"),
    History("part payment, removed, paid", (
        *APPROVED, books("pay", amount=40), books("remove_payment"), books("pay"),
    )),
    History("credited", (*APPROVED, books("credit", amount=30), books("credit"))),
    History("paid ahead", (*APPROVED, books("allocate_prepayment", amount=30),
                           books("allocate_overpayment"))),
    History("voided", (*APPROVED, books("void"))),
    History("deleted by a person", (sells("Acme Pty"), books("delete"))),
    History("reopened, won again", (
        sells("Acme Pty"), crm("reopen"), crm("win"), books("approve"),
    )),
    History("lost and won within a batch", (
        sells("Acme Pty"), both(crm("lose"), crm("win")), crm("lose"),
    )),
    History("changed after its invoice", (
        sells("Acme Pty"), crm("add_line", **GADGET), books("edit_invoice",
                                                             fields={"Reference": "PO 7"}),
        crm("reopen"),
    )),
    History("our field edited", (
        sells("Acme Pty"), crm("edit_deal", fields={"Invoice status": "paid"}),
        both(books("approve"), crm("edit_deal", fields={"Invoice total": 1})),
    )),
    History("overdue, then paid", (
        both(sells("Acme Pty")),
        both(books("edit_invoice", fields={"DueDate": "2026-11-30"}), books("approve")),
        wait(days=10), books("pay"),
    )),
    History("state lost", (
        sells("Acme Pty", "Bolt & Sons"), both(books("approve"), lose_state),
        sells("Fjord AS"), wait(minutes=16),
    ), machine=(1,)),
    History("state lost at once", (
        sells("Acme Pty"), lose_state, wait(minutes=16),
    ), machine=(1,)),
    History("contact merged", (
        sells("Acme Pty", "Bolt & Sons"), _merged, sells("Acme Pty"),
    )),
    History("contact archived", (
        sells("Acme Pty"), both(contact("archive_contact"), sells("Acme Pty")),
        both(lambda w: w.books("restore_contact", contact="Acme Pty")),
    )),
    History("contact renamed", (
        sells("Acme Pty"), both(contact("rename_contact", name="Acme Pty Ltd"),
                                  sells("Acme Pty")),
        both(lambda w: w.crm("edit_org", org=1, name="Acme Holdings"), sells("Acme Holdings")),
    )),
    History("a month away", (
        sells("Acme Pty"), both(books("approve"), sells("Bolt & Sons"), wait(days=31)),
        wait(minutes=16),
    )),
    History("deal archived and back", (
        *APPROVED, both(crm("archive_deal"), books("pay")), crm("unarchive_deal"),
    )),
    History("deal deleted", (sells("Acme Pty", "Bolt & Sons"), crm("delete_deal"),
                             sells("Acme Pty"))),
)  # fmt: skip


def _edit_org(**fields: Any) -> Deeds:
    return lambda w: w.crm("edit_org", org=1, fields={OWN_FIELDS[k]: v for k, v in fields.items()})


def _edit_contact(**fields: Any) -> Deeds:
    return contact("edit_contact", fields=fields)


def _with_ann(w: World) -> None:
    w.crm("create_org", name="Acme Pty", fields={OWN_FIELDS["email"]: "ann@acme.test"})
    w.crm("create_person", name="Ann Lee", org="Acme Pty", phone="(02) 9999 1111")
    sell(w, "Acme Pty")


def _on_both(w: World) -> None:
    w.books("create_contact", fields={"Name": "Acme Pty", "EmailAddress": "ann@acme.test"})
    _with_ann(w)


def _in_books(w: World) -> None:
    w.books("create_contact", fields={"Name": "Bolt & Sons", "EmailAddress": "bo@bolt.test",
                                      "FirstName": "Bo", "LastName": "Bolt"})  # fmt: skip


def _orgs_merged(w: World) -> None:
    w.crm("merge_orgs", loser="Bolt & Sons", winner="Acme Pty")


#: Three times the least that is invoiced in parts.
BIG = {"name": "Machine", "price": 300.01, "quantity": 1, "tax": 10}
WEEKLY = {"name": "Support", "price": 40, "quantity": 1, "tax": 10, "billing_frequency": "weekly"}


def _credits(amount: str) -> Run:
    def run(w: World, armed: dict[int, str]) -> object:
        w.credit(1, amount, armed)
        return True

    return run


_OWNERS = {"crm": Features(contacts="crm"), "ledger": Features(contacts="ledger"),
           "ask": Features(contacts="ask")}  # fmt: skip
_MAKING = Features(contacts="ledger", create_in_crm=True)
_PARTS = Features(schedule=True)

_MORE: tuple[History, ...] = (
    History("contact made and edited in the CRM", (
        _with_ann, _edit_org(email="sales@acme.test"), _edit_org(tax_number="GB 7"),
    ), features=_OWNERS["crm"]),
    History("contact made and edited in the ledger", (
        _in_books, _edit_contact(EmailAddress="bolt@bolt.test"), _edit_contact(TaxNumber="GB 9"),
    ), features=_MAKING),
    History("contact entered and edited on both", (
        _on_both, both(_edit_org(tax_number="GB 1"), _edit_contact(TaxNumber="GB 2")),
        _edit_contact(TaxNumber="GB 1"),
    ), features=_OWNERS["ask"]),
    History("contacts merged, synced", (
        both(_with_ann, sells("Bolt & Sons")), both(_merged, _edit_org(tax_number="GB 3")),
        sells("Acme Pty"),
    ), features=_OWNERS["crm"]),
    History("contact archived, edited, restored", (
        _with_ann, both(contact("archive_contact"), _edit_org(tax_number="GB 4")),
        lambda w: w.books("restore_contact", contact="Acme Pty"),
    ), features=_OWNERS["crm"]),
    History("organizations merged, deleted", (
        both(_with_ann, sells("Bolt & Sons")), _orgs_merged,
        both(lambda w: w.crm("delete_org", org="Acme Pty"), wait(hours=25)),
    ), features=_OWNERS["ledger"]),
    History("in three parts", (
        lambda w: sell(w, "Acme Pty", BIG), both(books("approve"), wait(hours=25)),
        both(books("pay", amount=20), wait(hours=49)), wait(minutes=16),
    ), features=_PARTS),
    History("changed between its parts", (
        lambda w: sell(w, "Acme Pty", BIG), both(books("approve"), crm("add_line", **GADGET)),
        wait(days=4), wait(minutes=16),
    ), "full", "authorised", features=_PARTS),
    History("repeating", (
        lambda w: sell(w, "Acme Pty", WIDGET, WEEKLY),
        lambda w: w.books("approve_template", template="SJ-1-r1"), wait(days=8),
        wait(minutes=16),
    ), features=Features(templates=True)),
    History("credit notes by command", (
        *APPROVED, wait(minutes=5), wait(minutes=20), wait(minutes=5),
    ), features=Features(credits=True),
        commands={2: _credits("5"), 3: _credits("5"), 4: _credits("7.5")}),
    History("told of an overdue invoice", (
        sells("Acme Pty"),
        both(books("edit_invoice", fields={"DueDate": "2026-11-23"}), books("approve"),
              wait(hours=25)),
        wait(days=7), books("pay"),
    ), features=Features(notices=True)),
)  # fmt: skip

HISTORIES: tuple[History, ...] = _INVOICES + _MORE
