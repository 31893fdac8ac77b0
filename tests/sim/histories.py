"""Scripted histories, each a list of steps: what people do, then a batch, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim.world import World, new_world

Deeds = Callable[[World], object]

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

    def world(self) -> World:
        """The world before the first deed."""
        return new_world(mode=self.mode, status=self.status)


def _sell(w: World, org: str = "Acme Pty", *lines: dict[str, Any], won: bool = True) -> None:
    known = {o["name"] for o in w.pipedrive.company.all("organizations")}
    if org not in known:
        w.crm("create_org", name=org)
    deal = w.crm(
        "create_deal", title="Spring order", org=org, currency="AUD", lines=[*(lines or (WIDGET,))]
    )
    if won:
        w.crm("win", deal=deal["id"])


def _sells(*orgs: str) -> Deeds:
    def deeds(w: World) -> None:
        for org in orgs:
            _sell(w, org)

    return deeds


def _crm(act: str, **payload: Any) -> Deeds:
    return lambda w: w.crm(act, **{"deal": 1, **payload})


def _books(act: str, **payload: Any) -> Deeds:
    """To the newest invoice."""

    def deed(w: World) -> None:
        known = [i.id for i in w.xero.organisation.invoices]
        w.books(act, invoice=known[-1] if known else "none", **payload)

    return deed


def _contact(act: str, **payload: Any) -> Deeds:
    def deed(w: World) -> None:
        known = [c.id for c in w.xero.organisation.contacts if c.status == "ACTIVE"]
        w.books(act, contact=known[0] if known else "none", **payload)

    return deed


def _both(*deeds: Deeds) -> Deeds:
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


def _wait(**time: int) -> Deeds:
    return lambda w: w.advance(timedelta(**time))


def _lose_state(w: World) -> None:
    w.lose_state()


#: Deal 1 sold and its draft approved by a person.
_APPROVED: tuple[Deeds, ...] = (_sells("Acme Pty"), _books("approve"))

HISTORIES: tuple[History, ...] = (
    History("first load", (_sells("Acme Pty", "Bolt & Sons", "Acme Pty"),)),
    History("won, then another", (
        _both(_sells("Acme Pty"), lambda w: _sell(w, "Bolt & Sons", GADGET, won=False)),
        _crm("win", deal=2),
    )),
    History("approved and paid", (*_APPROVED, _books("pay"))),
    History("approved by rule", (_sells("Acme Pty", "Bolt & Sons"), _books("pay")), "full",
            "authorised"),
    History("part payment, removed, paid", (
        *_APPROVED, _books("pay", amount=40), _books("remove_payment"), _books("pay"),
    )),
    History("credited", (*_APPROVED, _books("credit", amount=30), _books("credit"))),
    History("paid ahead", (*_APPROVED, _books("allocate_prepayment", amount=30),
                           _books("allocate_overpayment"))),
    History("voided", (*_APPROVED, _books("void"))),
    History("deleted by a person", (_sells("Acme Pty"), _books("delete"))),
    History("reopened, won again", (
        _sells("Acme Pty"), _crm("reopen"), _crm("win"), _books("approve"),
    )),
    History("lost and won within a batch", (
        _sells("Acme Pty"), _both(_crm("lose"), _crm("win")), _crm("lose"),
    )),
    History("changed after its invoice", (
        _sells("Acme Pty"), _crm("add_line", **GADGET), _books("edit_invoice",
                                                             fields={"Reference": "PO 7"}),
        _crm("reopen"),
    )),
    History("our field edited", (
        _sells("Acme Pty"), _crm("edit_deal", fields={"Invoice status": "paid"}),
        _both(_books("approve"), _crm("edit_deal", fields={"Invoice total": 1})),
    )),
    History("overdue, then paid", (
        _both(_sells("Acme Pty")),
        _both(_books("edit_invoice", fields={"DueDate": "2026-11-30"}), _books("approve")),
        _wait(days=10), _books("pay"),
    )),
    History("state lost", (
        _sells("Acme Pty", "Bolt & Sons"), _both(_books("approve"), _lose_state),
        _sells("Fjord AS"), _wait(minutes=16),
    )),
    History("state lost at once", (
        _sells("Acme Pty"), _lose_state, _wait(minutes=16),
    )),
    History("contact merged", (
        _sells("Acme Pty", "Bolt & Sons"), _merged, _sells("Acme Pty"),
    )),
    History("contact archived", (
        _sells("Acme Pty"), _both(_contact("archive_contact"), _sells("Acme Pty")),
        _both(lambda w: w.books("restore_contact", contact="Acme Pty")),
    )),
    History("contact renamed", (
        _sells("Acme Pty"), _both(_contact("rename_contact", name="Acme Pty Ltd"),
                                  _sells("Acme Pty")),
        _both(lambda w: w.crm("edit_org", org=1, name="Acme Holdings"), _sells("Acme Holdings")),
    )),
    History("a month away", (
        _sells("Acme Pty"), _both(_books("approve"), _sells("Bolt & Sons"), _wait(days=31)),
        _wait(minutes=16),
    )),
    History("deal archived and back", (
        *_APPROVED, _both(_crm("archive_deal"), _books("pay")), _crm("unarchive_deal"),
    )),
    History("deal deleted", (_sells("Acme Pty", "Bolt & Sons"), _crm("delete_deal"),
                             _sells("Acme Pty"))),
)  # fmt: skip
