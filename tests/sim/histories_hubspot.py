"""The scripted histories in a firm with HubSpot: all whose acts it has, and what only it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from syncjob.sandbox.kernel import ActError
from tests.sim.features import Features
from tests.sim.histories import GADGET, HISTORIES, WIDGET, Deeds, History
from tests.sim.histories_more import MORE
from tests.sim.world import World

DEAD = ("VOIDED", "DELETED")
#: What HubSpot's deals cannot do: nothing is archived there but what is deleted.
_NOT_HERE = ("deal archived and back",)


def _sell(w: World, org: str = "Acme Pty", *, won: bool = True) -> None:
    known = {o["name"] for o in w.truth.all("organizations")}
    if org not in known:
        w.crm("create_org", name=org)
    made = w.crm("create_deal", title="Spring order", org=org, currency="AUD", lines=[WIDGET])
    if won:
        w.crm("win", deal=made["id"])


def _does(act: str, **payload: object) -> Deeds:
    return lambda w: w.crm(act, **payload)


def _then(*deeds: Callable[[World], object]) -> Deeds:
    def all_of_them(w: World) -> None:
        for deed in deeds:
            deed(w)

    return all_of_them


def _newest(act: str) -> Deeds:
    def deed(w: World) -> None:
        known = [i.id for i in w.xero.organisation.invoices if i.status not in DEAD]
        w.books(act, invoice=known[-1] if known else "none")

    return deed


def _rule(w: World) -> None:
    w.crm("create_field", name="PO number")
    w.crm("add_rule", required=["po_number"], when={"dealstage": ["closedwon"]}, on="update")


def _edit_line(**values: object) -> Deeds:
    def deed(w: World) -> None:
        found = [row["id"] for row in w.truth.all("rows") if not row["is_deleted"]]
        if not found:
            raise ActError("no line")
        w.crm("edit_line", line=found[0], **values)

    return deed


def _hours(count: int) -> Deeds:
    return lambda w: w.pass_time(3600 * count)


def _owned(w: World) -> None:
    w.crm("create_user", name="Olivia Owner", email="olivia@x.test")
    _sell(w)
    w.crm("edit_deal", deal=1, owner="Olivia Owner")


def _overdue(w: World) -> None:
    found = [i.id for i in w.xero.organisation.invoices if i.status == "DRAFT"]
    if not found:
        raise ActError("no draft")
    w.books("edit_invoice", invoice=found[-1], fields={"DueDate": "2026-11-23"})
    w.books("approve", invoice=found[-1])


#: Deal 1 sold, and deal 2 of the same customer.
_TWO = _then(_sell, _sell)
_MERGED = _does("merge_deals", loser=2, winner=1)

OWN: tuple[History, ...] = (
    History("an invoiced deal merged with an open one", (
        _then(_sell, lambda w: _sell(w, won=False)), _MERGED, _newest("approve"), _newest("pay"),
    )),
    History("merged while its invoice is made", (_sell, _then(_sell, _MERGED), _newest("approve"))),
    History("two invoiced deals merged", (_TWO, _MERGED, _newest("delete"), _newest("approve"))),
    History("merged twice", (
        _then(_sell, lambda w: _sell(w, won=False), lambda w: _sell(w, won=False)), _MERGED,
        _does("merge_deals", loser=1, winner=3), _newest("approve"),
    ), "full", "authorised"),
    History("company merged while its invoice is made", (
        _then(_sell, _does("create_org", name="Acme Limited")),
        _does("merge_orgs", loser="Acme Pty", winner="Acme Limited"),
        lambda w: _sell(w, "Acme Limited"), _newest("approve"),
    )),
    History("two billed companies merged", (
        _then(_sell, lambda w: _sell(w, "Bolt & Sons")),
        _does("merge_orgs", loser="Bolt & Sons", winner="Acme Pty"), _newest("approve"),
    )),
    History("deleted and restored", (
        _sell, _does("delete_deal", deal=1), _then(_hours(2), _does("restore_deal", deal=1)),
        _hours(1), _newest("approve"),
    )),
    History("deleted and restored at once", (
        _sell, _then(_does("delete_deal", deal=1), _does("restore_deal", deal=1)),
        _newest("approve"),
    )),
    History("a rule refuses, then allows", (
        _rule, _TWO, _does("edit_deal", deal=1, fields={"PO number": "PO 7"}),
        _then(_does("remove_rules"), _newest("approve")), _hours(2),
    )),
    History("lines changed without a stamp", (
        _sell, _edit_line(price=150), _edit_line(discount=0.5, discount_type="amount"),
        _then(_newest("approve"), _edit_line(price=1)),
    )),
    History("an import touches all", (
        _TWO, _does("import_deals", text="one"), _then(_does("add_line", deal=1, **GADGET),
                                                       _does("import_deals", text="two")),
    )),
    History("the owner has left", (
        _owned, _then(_overdue, _does("deactivate_user", user="Olivia Owner"), _hours(25)),
        _hours(24 * 7),
    ), features=Features(notices=True)),
    History("contacts of HubSpot merged, synced", (
        _then(_does("create_org", name="Acme Pty", fields={"Billing e-mail": "ann@acme.test"}),
              _sell, _does("create_org", name="Acme Limited", fields={"VAT number": "GB 5"})),
        _does("merge_orgs", loser="Acme Limited", winner="Acme Pty"),
        _then(_does("edit_org", org="Acme Pty", fields={"VAT number": "GB 6"}), _hours(1)),
    ), features=Features(contacts="crm")),
)  # fmt: skip

HUBSPOT: tuple[History, ...] = tuple(
    replace(history, name=f"hubspot: {history.name}", crm="hubspot")
    for history in (*HISTORIES, *OWN, *MORE)
    if history.name not in _NOT_HERE
)
EVERY: tuple[History, ...] = (*HISTORIES, *MORE, *HUBSPOT)
