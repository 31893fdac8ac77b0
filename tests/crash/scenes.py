"""Scenes in which a batch or a command is killed: what was there, what people did, what must hold.

Each is small, so that a crash in it takes about a second; calls and pages are made so small that it
has several of each all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.crash.kit import CrashWorld, marker_of, sales, truth
from tests.engine.contacts.kit import ANN, edit, phone
from tests.engine.scenes import WIDGET, awaiting, number_of, sell
from tests.engine.world import PATIENCE

Deeds = Callable[[CrashWorld], None]

#: Invoices of the scenes are due on 23 December in Sydney; this is noon of the day after.
LATE = datetime(2026, 12, 24, 1, 0, tzinfo=UTC)
XERO = "/xero/api.xro/2.0"


@dataclass(frozen=True)
class Scene:
    """`before` is what was there at rest, `deeds` what people did since; `command` is killed."""

    name: str
    deeds: Deeds
    before: Deeds = lambda w: None
    command: tuple[str, ...] = ("run", "--json")
    #: What a person who saw a command die gives again; a batch needs nobody.
    again: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    #: Whether a state that is lost, or older, leads to the same end: not what only it knew.
    losable: bool = False
    #: More of the child's spec: how many records a page, how many elements a call.
    small: dict[str, int] = field(default_factory=dict)


def holdings(w: CrashWorld) -> dict[str, Any]:
    """All that the servers hold which may not differ between two good runs: no ids, no times.

    E-mails of the ledger are left out: one of which nobody knows is told and not sent again.
    """
    state = w.crm_state()
    found = truth(w)
    found["people"] = [_said(row) for kind in ("organizations", "persons")
                       for row in state.get(kind, {}).values()]  # fmt: skip
    found["tasks"] = sorted(str(row["subject"]) for row in _tasks(state))
    found["customers"] = sorted(
        (c["name"], str(c["phones"]), str(sorted(c["fields"].items()))) for c in w.contacts()
    )
    books = w.organisation()
    found["papers"] = sorted(
        (paper["status"], paper["total"], str(paper["applied"])) for paper in books["credits"]
    )
    return found


def doubled(w: CrashWorld) -> list[str]:
    """What is there twice though it was to be there once."""
    books = w.organisation()
    state = w.crm_state()
    once = {
        "an invoice's marker": [marker_of(i) for i in w.invoices()],
        "a customer's name": [c["name"] for c in w.contacts() if c["status"] == "ACTIVE"],
        "an organization": [
            row["name"] for row in state["organizations"].values() if not row.get("is_deleted")
        ],
        "an e-mail": [mail["InvoiceID"] for mail in books["emails"]],
        "a task": [row["subject"] for row in _tasks(state)],
        "a credit note": [paper["reference"] for paper in books["credits"]],
    }
    return [
        f"{what}: {value}"
        for what, values in once.items()
        for value in sorted({str(v) for v in values if values.count(v) > 1})
    ]


def _tasks(state: dict[str, Any]) -> list[dict[str, Any]]:
    rows = state.get("activities") or state.get("tasks") or {}
    return list(rows.values())


def _said(row: dict[str, Any]) -> tuple[str, ...]:
    """A person's or an organization's own values."""
    return tuple(str(row.get(key)) for key in ("name", "emails", "phones", "address"))


# --- what people do -------------------------------------------------------------------------------


def _some_sales(w: CrashWorld) -> None:
    sales(w, 7, 5)


def _some_sales_shown(w: CrashWorld) -> None:
    """The deals are in the lists by then; what is written is not, for minutes."""
    _some_sales(w)
    w.advance(timedelta(minutes=10))


def _a_second_load(w: CrashWorld) -> None:
    for number in range(5):
        sell(w, f"Newcomer {number} Pty", title=f"Later {number}")


def _invoiced(w: CrashWorld) -> None:
    _some_sales(w)
    assert w.run().exit_code == 0
    w.advance(timedelta(minutes=6))
    assert w.run().exit_code == 0


def _sold_to_ann(w: CrashWorld) -> None:
    w.crm("create_org", name="Acme Pty")
    w.crm("create_person", org="Acme Pty", **ANN)
    for _ in range(2):
        sell(w, "Acme Pty", person="Ann Smith")


def _two_approved(w: CrashWorld) -> None:
    awaiting(w)
    awaiting(w, org="Bolt Pty")


def _paid(w: CrashWorld) -> None:
    w.books("pay", invoice=number_of(w, 1))
    w.books("pay", invoice=number_of(w, 2), amount="20.00")


def _acme_and_bolt(w: CrashWorld) -> None:
    w.crm("create_org", name="Acme Pty", address="1 Main Street, Sydney NSW 2000, Australia")
    w.crm("create_person", org="Acme Pty", **ANN)
    sell(w, "Acme Pty", person="Ann Smith")
    sell(w, "Bolt Pty")
    assert w.run().exit_code == 0
    w.advance(timedelta(minutes=6))
    assert w.run().exit_code == 0


def _edited_on_both_sides(w: CrashWorld) -> None:
    w.advance(timedelta(minutes=6))
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
    edit(w, EmailAddress="accounts@acme.example")
    w.books("create_contact", fields={
        "Name": "Cole Pty", "FirstName": "Cy", "LastName": "Cole",
        "EmailAddress": "cy@cole.example", "Phones": phone("DEFAULT", "(02) 9999 3333"),
    })  # fmt: skip
    w.advance(timedelta(minutes=6))


def _carried_over(w: CrashWorld) -> None:
    _acme_and_bolt(w)
    _edited_on_both_sides(w)
    assert w.run().exit_code == 0


def _overdue(w: CrashWorld) -> None:
    """Long after; a state that was away for so long tells people after the ledger's patience."""
    w.time.set(LATE)
    w.run()
    w.advance(PATIENCE)


def _later(w: CrashWorld) -> None:
    w.advance(timedelta(minutes=6))


def _approved_and_paid(w: CrashWorld) -> None:
    sell(w, "Acme Pty")
    assert w.run().exit_code == 0
    w.advance(timedelta(minutes=6))


def _won_and_paid(w: CrashWorld) -> None:
    w.books("pay", invoice=number_of(w, 1))
    sell(w, "Bolt Pty")
    sell(w, "Cole Pty", lines=[WIDGET, WIDGET])


FULL: dict[str, Any] = {"mode": "full", "invoices": {"status": "authorised"}}
MAILED: dict[str, Any] = {
    "mode": "full", "invoices": {"status": "authorised", "email": {"enabled": True}},
}  # fmt: skip
BOTH_WAYS: dict[str, Any] = {
    "contacts": {"update": "owners", "which": "all", "create_in_crm": True},
}
SMALL = {"batch": 3, "page": 4}

SCENES = {
    scene.name: scene
    for scene in (
        Scene("first load", _some_sales, small=SMALL, losable=True),
        Scene("ordinary life", _a_second_load, before=_invoiced, small=SMALL, losable=True),
        Scene("lagging index", _some_sales_shown, small=SMALL, losable=True,
              options={"ledger": {"lag_max_s": 400}, "crm": {"lag_max_s": 100}}),
        Scene("approve and e-mail", _sold_to_ann, config=MAILED),
        Scene("payment", _paid, before=_two_approved, config=FULL),
        Scene("contacts both ways", _edited_on_both_sides, before=_acme_and_bolt,
              config=BOTH_WAYS),
        Scene("notices", _overdue, before=_two_approved,
              config={**FULL, "notices": {"steps": [1, 7]}}),
        Scene("undo", _later, before=_carried_over, config=BOTH_WAYS, again=True,
              command=("undo", "{batch}", "--yes", "--reason", "a mistake")),
        Scene("credit", _later, before=_two_approved, again=True,
              command=("credit", "1", "--amount", "55.00", "--reason", "broken", "--yes")),
        Scene("HubSpot", _won_and_paid, before=_approved_and_paid, config=FULL,
              options={"crm": "hubspot"}),
    )
}  # fmt: skip
