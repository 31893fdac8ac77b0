"""Histories with small pages, changes before the invoice, refunds, states put back, two hosts, and
programs that are there twice or whose tokens rotate."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim.features import Features
from tests.sim.histories import (
    APPROVED,
    GADGET,
    WIDGET,
    Deeds,
    History,
    books,
    both,
    crm,
    sell,
    sells,
    wait,
)
from tests.sim.judge import recover
from tests.sim.two import (
    LAPSE,
    Wish,
    first_runs,
    in_both,
    of_partner,
    partner_runs,
    recover_both,
)
from tests.sim.world import World

#: Two records a page: three of a kind already make a list of two pages.
SMALL = 2
STATE = "state"
NAME = "syncjob.db"


# --- money and changes ----------------------------------------------------------------------------


def _refund(w: World) -> None:
    notes = [c.id for c in w.xero.organisation.credits if c.type == "ACCRECCREDIT"]
    if not notes:
        raise ActError("no credit note")
    w.books("refund_credit", credit=notes[-1])


def _a_week_later(w: World) -> None:
    """A refund moves no invoice: it is seen when credits are read, within a week (docs/notices.md).
    Raises Violation."""
    w.advance(timedelta(days=8))
    w.run()
    recover(w)


def _credit_more_than_due(w: World) -> None:
    """Of a paid invoice: half of it is credited, so that money is to go back."""
    found = [i for i in w.xero.organisation.invoices if i.status == "AUTHORISED"]
    if not found:
        raise ActError("no approved invoice")
    invoice = found[-1]
    total = float(invoice.due)
    w.books("credit", invoice=invoice.id, amount=round(total / 2, 2), total=total)


def _pay(**payload: Any) -> Deeds:
    """The oldest invoice that is open."""

    def deed(w: World) -> None:
        found = [i.id for i in w.xero.organisation.invoices if i.status == "AUTHORISED"]
        if not found:
            raise ActError("no open invoice")
        w.books("pay", invoice=found[0], **payload)

    return deed


def _in_books(name: str) -> Deeds:
    return lambda w: w.books("create_contact", fields={"Name": name})


def _first_line(act: str, **values: Any) -> Deeds:
    def deed(w: World) -> None:
        found = [row["id"] for row in w.truth.all("rows") if not row.get("is_deleted")]
        if not found:
            raise ActError("no line")
        w.crm(act, line=found[0], **values)

    return deed


def _customers(count: int) -> Deeds:
    """Customers and deals that are all made in one instant."""
    return both(*(sells(f"Customer {n}") for n in range(count)))


def _customers_move(w: World) -> None:
    active = [c for c in w.xero.organisation.contacts if c.status == "ACTIVE"]
    if not active:
        raise ActError("no contact")
    w.books("rename_contact", contact=active[0].id, name=f"{active[0].name} Ltd")
    if w.truth.get("deals", 2) is not None:
        w.crm("edit_deal", deal=2, title="Another order")


# --- states that are put back, or are on two machines ---------------------------------------------


def _files(w: World) -> Path:
    return w.folder / STATE


def keep_copy(w: World) -> None:
    """The night's backup of the state's file."""
    shutil.copy2(_files(w) / NAME, _files(w) / "yesterday.db")
    w.tell("the state is copied")


def put_back(w: World) -> None:
    """Yesterday's copy is put back in the place of the state's file, alone."""
    for path in _files(w).glob(f"{NAME}-*"):
        path.unlink()
    shutil.copy2(_files(w) / "yesterday.db", _files(w) / NAME)
    w.state_lost = True
    w.tell("yesterday's state is put back")


def other_host(w: World) -> None:
    """The next batch runs on the other machine, on its own copy of what was one state once."""
    here, there = _files(w) / NAME, _files(w) / "other.db"
    files = [NAME + end for end in ("", "-wal", "-shm", ".seq")]
    if not there.exists():
        for name in files:
            if (_files(w) / name).exists():
                shutil.copy2(_files(w) / name, _files(w) / name.replace(NAME, "other.db"))
    else:
        for name in files:
            _swap(_files(w) / name, _files(w) / name.replace(NAME, "other.db"))
    assert here.exists() and there.exists()
    w.state_lost = True
    w.tell("the other machine is next")


def _one_host_only(w: World) -> None:
    """The other machine is stopped, and a person says so. Raises Violation."""
    w.run()  # what it has done meanwhile is seen, and asked about
    with w.connection() as handle:
        handle.answer(kind="only-instance", subject="connection", who="Ann", reason="stopped")
    w.tell("the other machine is stopped")
    recover(w)


def _swap(one: Path, other: Path) -> None:
    aside = one.with_name(f"{one.name}.aside")
    for old, new in ((one, aside), (other, one), (aside, other)):
        if old.exists():
            old.rename(new)


# --- the histories --------------------------------------------------------------------------------

_SECOND = sells("Bolt & Sons")
_LAPSE = wait(minutes=int(LAPSE / timedelta(minutes=1)))

_PLAIN: tuple[History, ...] = (
    History("changed before and after its invoice", (
        lambda w: sell(w, "Acme Pty", won=False),
        both(_first_line("edit_line", price=120), crm("win")), crm("add_line", **GADGET),
        both(_first_line("edit_line", price=99), books("approve")), crm("add_line", **WIDGET),
    )),
    History("refunded", (
        *APPROVED, _credit_more_than_due, _pay(), _refund,
    ), ends=_a_week_later),
    History("paid, payment removed, voided", (
        *APPROVED, books("pay"), books("remove_payment"), books("void"),
    )),
    History("first load, small pages", (_customers(5), _customers_move), page_max=SMALL),
    History("small pages, full mode", (
        _customers(3), both(_pay(), _customers_move), _pay(amount=10),
    ), "full", "authorised", page_max=SMALL),
    History("contacts synced, small pages", (
        _customers(4), _customers_move, both(_SECOND, _customers_move),
    ), features=Features(contacts="crm"), page_max=SMALL),
    History("contacts made in the CRM, small pages", (
        both(_in_books("Able"), _in_books("Baker"), _in_books("Cook")), _customers_move,
    ), features=Features(contacts="ledger", create_in_crm=True), page_max=SMALL),
    History("yesterday's state put back", (
        sells("Acme Pty"), both(keep_copy, wait(hours=25), _SECOND),
        both(books("approve"), put_back), wait(minutes=16), _pay(),
    ), machine=(1, 2)),
    History("put back at once", (
        both(keep_copy, sells("Acme Pty")), put_back, wait(minutes=16),
    ), machine=(0, 1)),
    History("state on two hosts", (
        sells("Acme Pty"), both(other_host, _SECOND), both(other_host, books("approve")),
        both(other_host, sells("Fjord AS")), other_host,
    ), machine=(1, 2, 3, 4), ends=_one_host_only),
    History("tokens rotate", (
        sells("Acme Pty"), both(_LAPSE, books("approve")), both(_LAPSE, _SECOND),
        both(_LAPSE, _pay()),
    ), wish=Wish(consent=True)),
)  # fmt: skip

_TWO: tuple[History, ...] = (
    History("two connections on one organisation", (
        both(sells("Acme Pty"), of_partner(lambda w: sell(w, "Acme Pty", GADGET))),
        books("approve"), of_partner(_SECOND), in_both(crm("lose")),
    ), wish=Wish(second="connection"),
        commands={0: first_runs, 1: partner_runs, 2: partner_runs, 3: first_runs},
        ends=recover_both),
    History("two connections on one app", (
        in_both(sells("Acme Pty")), both(_LAPSE, in_both(books("approve"))),
        both(_LAPSE, of_partner(sells("Bolt & Sons"))), both(_LAPSE, in_both(_pay())),
    ), wish=Wish(consent=True, second="organisation"),
        commands={0: partner_runs, 1: first_runs, 2: partner_runs, 3: first_runs},
        ends=recover_both),
)  # fmt: skip

MORE: tuple[History, ...] = (*_PLAIN, *_TWO)
