"""Short scenes on a simulated world, each built so that one kind of bug must show in it.

A scene raises Violation if it does; it draws nothing, so that a change of chance elsewhere does
not change it. Points are named by what passes there, and looked up in a copy of the world that
runs the same batch without a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from syncjob.core.reports import RunOptions
from syncjob.engine import setup
from syncjob.engine.identify import identify
from syncjob.errors import SyncJobError
from tests.planted.addresses import Spot, spots
from tests.sim.features import OWN_FIELDS, PLAIN, Features, settings_for
from tests.sim.judge import recover
from tests.sim.watch import Violation
from tests.sim.wire import BASE
from tests.sim.world import World, new_world

Scene = Callable[[], None]
MINUTE = timedelta(minutes=1)
INVOICES = "write PUT /xero/api.xro/2.0/Invoices"
CHANGES = "write POST /xero/api.xro/2.0/Invoices"
CONTACTS = "write PUT /xero/api.xro/2.0/Contacts"
CUSTOMER = "write POST /xero/api.xro/2.0/Contacts"

_SCENES: dict[str, Scene] = {}


def by_name(name: str) -> Scene:
    """The scene of that name."""
    return _SCENES[name]


def scene(play: Scene) -> Scene:
    """Register a scene under its function's name."""
    _SCENES[play.__name__] = play
    return play


# --- what people do ------------------------------------------------------------------------------


def sell(w: World, org: str = "Acme Pty", price: float = 100) -> int:
    """A deal is made and won; returns its id."""
    if org not in {o["name"] for o in w.truth.all("organizations")}:
        w.crm("create_org", name=org)
    line = {"name": "Widget", "price": price, "quantity": 1, "tax": 10}
    deal = w.crm("create_deal", title="Order", org=org, currency="AUD", lines=[line])
    w.crm("win", deal=deal["id"])
    return int(deal["id"])


def newest(w: World, act: str, **payload: Any) -> None:
    """The bookkeeper does something to the newest invoice."""
    invoice = [i.id for i in w.xero.organisation.invoices][-1]
    w.books(act, invoice=invoice, **payload)


def late_lists(w: World, seconds: int) -> None:
    """From now on the ledger's lists show a change up to so much later."""
    org = w.xero.organisation
    for table in (org.contacts, org.invoices, org.credits, org.payments):
        table._lag_max_s = seconds


def batch(w: World, armed: dict[int, str] | None = None) -> None:
    """Five minutes, then a batch."""
    w.advance(5 * MINUTE)
    w.run(armed)


def at(w: World, words: str, fault: str, *, nth: int = 1, commits: int = 0) -> dict[int, str]:
    """This fault at that point of the batch that would run now. Raises LookupError if the batch
    passes no such point: then the scene does not fit any more."""
    with w.copy() as twin:
        twin.faults.edit = lambda: None
        twin.run()
        points = spots([(point.kind, point.words) for point in twin.faults.points])
    spot = Spot(words, nth, commits)
    if spot not in points:
        raise LookupError(f"no {spot} among {points}")
    return {points.index(spot): fault}


def customer(w: World, **fields: str) -> None:
    """Sales edits the first organization."""
    w.crm("edit_org", org=1, fields={OWN_FIELDS[name]: value for name, value in fields.items()})


def in_books(w: World, **fields: str) -> None:
    """The bookkeeper edits the first contact that is in use."""
    contact = next(c.id for c in w.xero.organisation.contacts if c.status == "ACTIVE")
    w.books("edit_contact", contact=contact, fields=fields)


def synced(owner: Any) -> World:
    """A firm whose contacts cross, with one customer who is linked."""
    w = new_world(features=Features(contacts=owner))
    w.crm("create_org", name="Acme Pty", fields={OWN_FIELDS["email"]: "ann@acme.test"})
    sell(w)
    batch(w)
    batch(w)
    return w


# --- invoices ------------------------------------------------------------------------------------


@scene
def lost_create_under_late_lists() -> None:
    """The answer to a create is lost, and the ledger's lists do not show it yet."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        late_lists(w, 600)
        w.run(at(w, INVOICES, "lost twice"))
        w.advance(MINUTE)
        w.run()
        batch(w)
        recover(w)


@scene
def lost_create_and_a_fast_clock() -> None:
    """The same while this machine's clock is an hour ahead from then on."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        late_lists(w, 600)
        w.run(at(w, INVOICES, "lost twice"))
        w.clock.skew = timedelta(minutes=55)  # an hour would look like a long pause
        w.advance(MINUTE)
        w.run()
        batch(w)
        recover(w)


@scene
def cut_off_after_a_create() -> None:
    """Killed after each of the commits that follow a create; then the deal is re-opened."""
    for commits in range(1, 5):
        with new_world() as w:
            sell(w)
            w.advance(MINUTE)
            try:
                armed = at(w, INVOICES, "kill after", commits=commits)
            except LookupError:
                if commits > 1:  # the next call begins
                    return
                raise
            w.run(armed)
            w.crm("reopen", deal=1)
            batch(w)
            recover(w)


@scene
def cut_off_in_a_walk() -> None:
    """Killed after the first commit of a walk that shows a new deal."""
    with new_world() as w:
        sell(w)
        w.advance(30 * MINUTE)  # longer than a walk looks back
        w.run(at(w, "read GET /pipedrive/api/v2/deals", "kill after", commits=1))
        batch(w)
        recover(w)


@scene
def paid_under_late_lists() -> None:
    """A payment shows in the list only after the walk that should have seen it."""
    with new_world() as w:
        sell(w)
        batch(w)
        newest(w, "approve")
        batch(w)
        late_lists(w, 600)
        newest(w, "pay")
        late_lists(w, 0)
        w.run()
        w.advance(MINUTE)
        w.run()
        recover(w)


@scene
def two_payments_shown_out_of_order() -> None:
    """The older of two changes shows after the newer one."""
    with new_world() as w:
        sell(w)
        sell(w, "Bolt & Sons")
        batch(w)
        first, second = [i.id for i in w.xero.organisation.invoices]
        w.books("approve", invoice=first)
        w.books("approve", invoice=second)
        batch(w)
        late_lists(w, 600)
        w.books("pay", invoice=first)
        late_lists(w, 0)
        w.advance(timedelta(seconds=5))
        w.books("pay", invoice=second)
        w.run()
        w.advance(MINUTE)
        w.run()
        recover(w)


@scene
def lost_create_then_edited() -> None:
    """A person edits the draft between the lost answer and the settling; the deal is re-opened."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        w.run(at(w, INVOICES, "lost twice"))
        newest(w, "edit_invoice", fields={"Reference": "PO 7"})
        batch(w)
        w.crm("reopen", deal=1)
        batch(w)
        recover(w)


@scene
def numbered_by_a_person() -> None:
    """The bookkeeper gives the draft a number of their own; the deal is re-opened."""
    with new_world() as w:
        sell(w)
        batch(w)
        newest(w, "edit_invoice", fields={"InvoiceNumber": "ACME-2026-1"})
        batch(w)
        w.crm("reopen", deal=1)
        batch(w)
        recover(w)


@scene
def edited_before_its_approval() -> None:
    """The approval is refused for now; the bookkeeper edits the draft before the next batch."""
    with new_world(mode="full", status="authorised") as w:
        sell(w)
        w.advance(MINUTE)
        w.run(at(w, CHANGES, "503 before"))
        newest(w, "edit_invoice", fields={"Reference": "PO 7"})
        batch(w)
        recover(w)


@scene
def withdrawn_with_a_lost_answer() -> None:
    """Our deletion's answer is lost; the deal is won again."""
    with new_world() as w:
        sell(w)
        batch(w)
        w.crm("reopen", deal=1)
        w.advance(MINUTE)
        w.run(at(w, CHANGES, "lost twice"))
        w.crm("win", deal=1)
        batch(w)
        recover(w)


@scene
def changed_back_and_forth() -> None:
    """A price goes up, down and up again while the ledger still knows the key of the first time."""
    with new_world() as w:
        sell(w)
        batch(w)
        w.vendor.be(w.server, lag_s=0, lines_stamp=True)
        line = next(row["id"] for row in w.truth.all("rows"))
        for price in (120, 100, 120):
            w.crm("edit_line", line=line, price=price)
            w.advance(timedelta(seconds=20))
            w.run()
        recover(w)


@scene
def deleted_after_a_lost_answer() -> None:
    """The answer to a create is lost, and a person deletes the draft before the settling."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        w.run(at(w, INVOICES, "lost twice"))
        newest(w, "delete")
        w.advance(16 * MINUTE)
        w.run()
        recover(w)


@scene
def reopened_and_archived() -> None:
    """A deal with a draft is re-opened and archived at once."""
    with new_world() as w:
        sell(w)
        batch(w)
        w.crm("reopen", deal=1)
        w.crm("archive_deal", deal=1)
        batch(w)
        recover(w)


@scene
def half_a_cent_of_tax() -> None:
    """A tax of exactly two and a half cents, where drafts are approved by rule."""
    with new_world(mode="full", status="authorised") as w:
        sell(w, price=0.25)
        batch(w)
        recover(w)


@scene
def lost_state_without_a_trace() -> None:
    """Killed right after the create, the state lost, and the lists are late."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        late_lists(w, 600)
        w.run(at(w, INVOICES, "kill after"))
        w.lose_state()
        w.advance(MINUTE)
        w.run()
        recover(w)


@scene
def refused_before_anything_is_written() -> None:
    """The first write of a batch never leaves."""
    with new_world() as w:
        sell(w)
        w.advance(MINUTE)
        w.run(at(w, CONTACTS, "refused"))
        recover(w)


@scene
def another_connection_on_the_same_books() -> None:
    """An invoice bears the marker that another connection gave to its own deal 1."""
    with new_world() as w:
        org = w.xero.organisation
        w.books("create_contact", fields={"Name": "Zebra Stripes"})
        contact = next(c.id for c in org.contacts)
        line = {"Description": "Theirs", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}
        w.books("create_invoice", fields={
            "Contact": {"ContactID": contact}, "Date": "2026-11-23", "DueDate": "2027-02-01",
            "LineItems": [line], "Status": "DRAFT", "Reference": "ZZ-1-A1",
            "Url": "https://crm.invalid/deal/1?syncjob=ZZ-1-A1",
        })  # fmt: skip
        sell(w)
        batch(w)
        recover(w)


@scene
def a_page_that_shifts() -> None:
    """Five payments, two to a page; while the first page is read its first invoice is edited."""
    with _five_paid() as w:
        first = next(i.id for i in w.xero.organisation.invoices)

        def promised() -> None:
            w.books("set_expected_payment_date", invoice=first, date="2026-11-30")

        w.faults.edit = promised
        w.run(at(w, "read GET /xero/api.xro/2.0/Invoices", "edit after"))
        recover(w)


@scene
def cut_off_after_the_first_page() -> None:
    """Five payments, two to a page; killed as the second page arrives."""
    with _five_paid() as w:
        w.run(at(w, "read GET /xero/api.xro/2.0/Invoices", "kill after", nth=2))
        recover(w)


def _five_paid() -> World:
    """Of five approved invoices each is paid, longer ago than a walk looks back."""
    w = new_world()
    for number in range(5):
        sell(w, f"Customer {chr(65 + number) * 4}", 100 + number)
    batch(w)
    invoices = [i.id for i in w.xero.organisation.invoices]
    for invoice in invoices:
        w.books("approve", invoice=invoice)
    batch(w)
    for invoice in invoices:
        w.books("pay", invoice=invoice)
        w.advance(timedelta(seconds=2))
    w.advance(30 * MINUTE)
    w.page_max = 2
    return w


@scene
def a_quarter_more_than_one() -> None:
    """A quantity of 1.25."""
    with new_world() as w:
        w.crm("create_org", name="Acme Pty")
        line = {"name": "Rope", "price": 12.5, "quantity": 1.25, "tax": 10}
        deal = w.crm("create_deal", title="Order", org="Acme Pty", currency="AUD", lines=[line])
        w.crm("win", deal=deal["id"])
        batch(w)
        recover(w)


@scene
def an_admins_rule_refuses() -> None:
    """The CRM refuses each change of two deals, because of a rule of its admins."""
    with new_world(vendor="hubspot") as w:
        w.crm("create_field", name="PO number")
        when = {"dealstage": ["closedwon"]}
        w.crm("add_rule", required=["po_number"], when=when, on="update")
        sell(w)
        batch(w)
        recover(w)


@scene
def deleted_by_a_person() -> None:
    """The bookkeeper deletes the draft of a deal that stays won."""
    with new_world() as w:
        sell(w)
        batch(w)
        newest(w, "delete")
        batch(w)
        recover(w)


@scene
def a_list_that_is_behind() -> None:
    """A debt that looks overdue is read by its id, and is paid; the next list still shows it
    unpaid, as it stood some seconds before."""
    _behind(timedelta(seconds=5))


@scene
def a_list_that_is_behind_within_a_second() -> None:
    """The same, where both versions bear one stamp."""
    _behind(timedelta(0))


def _behind(between: timedelta) -> None:
    with new_world() as w:
        sell(w)
        batch(w)
        newest(w, "edit_invoice", fields={"DueDate": "2026-11-22", "Date": "2026-11-22"})
        newest(w, "approve")
        w.advance(between)
        late_lists(w, 600)
        newest(w, "pay")
        w.run()
        w.advance(MINUTE)
        w.run()
        recover(w)


# --- days and notices ----------------------------------------------------------------------------


@scene
def overdue_at_midnight_in_sydney() -> None:
    """A debt falls due at the organisation's midnight, which is two in the afternoon in London."""
    with new_world() as w:
        sell(w)
        batch(w)
        newest(w, "edit_invoice", fields={"DueDate": "2026-11-24"})
        newest(w, "approve")
        batch(w)
        w.advance(timedelta(days=1, hours=14))  # 15:40 in London on the 24th
        recover(w)


@scene
def paid_before_the_reminder() -> None:
    """A debtor pays just before the reminder, and the ledger's list does not show it yet."""
    with new_world(features=Features(notices=True)) as w:
        sell(w)
        batch(w)
        newest(w, "edit_invoice", fields={"DueDate": "2026-11-23"})
        newest(w, "approve")
        batch(w)
        w.advance(timedelta(hours=25))
        w.run()  # a state that was away for a day reads first, and tells nobody yet
        w.advance(16 * MINUTE)
        late_lists(w, 600)
        newest(w, "pay")
        w.advance(timedelta(seconds=2))
        w.run()
        recover(w)


@scene
def a_reminder_with_a_lost_answer() -> None:
    """The CRM's answer to a task is lost."""
    with new_world(features=Features(notices=True)) as w:
        sell(w)
        batch(w)
        newest(w, "edit_invoice", fields={"DueDate": "2026-11-23"})
        newest(w, "approve")
        batch(w)
        w.advance(timedelta(hours=25))
        w.run()
        w.advance(16 * MINUTE)
        w.run(at(w, "write POST /pipedrive/api/v2/activities", "lost"))
        recover(w)


# --- customers -----------------------------------------------------------------------------------


@scene
def a_change_that_never_left() -> None:
    """Sales edits a customer, and the ledger cannot be reached for the write."""
    with synced("ask") as w:
        customer(w, email="new@acme.test")
        w.advance(MINUTE)
        w.run(at(w, CUSTOMER, "503 before"))
        recover(w)


@scene
def a_change_that_lands_late() -> None:
    """A change arrives after ten minutes; sales has typed something else meanwhile."""
    with synced("ask") as w:
        customer(w, email="one@acme.test")
        w.advance(MINUTE)
        w.run(at(w, CUSTOMER, "late twice"))
        customer(w, email="two@acme.test")
        w.advance(MINUTE)
        w.run()
        recover(w)


@scene
def a_list_that_is_behind_our_own_write() -> None:
    """Sales edits a customer, we write it to the ledger, and the ledger's list still shows what
    stood there before: that is nobody's edit."""
    with synced("ask") as w:
        in_books(w, EmailAddress="one@acme.test")
        batch(w)
        customer(w, email="two@acme.test")
        late_lists(w, 600)
        w.advance(MINUTE)
        w.run()
        w.advance(MINUTE)
        w.run()
        known = [w.truth.get("organizations", 1)]
        said = {
            value for row in known if row for value in (row.get("custom_fields") or {}).values()
        }
        if "two@acme.test" not in said:
            raise Violation("nothing_lost", f"sales typed two@acme.test, and {said} stands there")
        recover(w)


@scene
def each_side_edits_its_field() -> None:
    """Sales and the bookkeeper edit two fields of one customer between two batches."""
    with synced("ask") as w:
        in_books(w, TaxNumber="GB 1")
        batch(w)
        customer(w, email="sales@acme.test")
        in_books(w, TaxNumber="GB 2")
        batch(w)
        recover(w)


@scene
def a_field_is_cleared() -> None:
    """Sales clears what stood on both sides."""
    with synced("crm") as w:
        customer(w, tax_number="GB 5")
        batch(w)
        customer(w, tax_number="")
        batch(w)
        recover(w)


@scene
def the_other_side_edits_what_it_does_not_own() -> None:
    """The CRM owns the field, and the bookkeeper edits it."""
    with synced("crm") as w:
        customer(w, email="sales@acme.test")
        batch(w)
        in_books(w, EmailAddress="books@acme.test")
        batch(w)
        recover(w)


@scene
def edited_while_another_field_is_written() -> None:
    """The bookkeeper learns a tax number between our reading and our writing of the address."""
    with synced("crm") as w:
        customer(w, tax_number="GB 1")
        batch(w)
        customer(w, email="sales@acme.test")
        w.advance(MINUTE)
        w.faults.edit = lambda: in_books(w, TaxNumber="GB 2")
        w.run(at(w, CUSTOMER, "edit before"))
        said = next(c.fields.get("TaxNumber") for c in w.xero.organisation.contacts)
        if said != "GB 2":
            raise Violation("nothing_lost", f"the bookkeeper typed GB 2, and {said} stands there")
        recover(w)


@scene
def two_new_customers_at_once() -> None:
    """Two customers whom only the bookkeeper knows, made in the CRM by one batch."""
    with new_world(features=Features(contacts="ledger", create_in_crm=True)) as w:
        for name in ("Zebra Stripes", "Quokka Tours"):
            fields = {"Name": name, "EmailAddress": f"{name[:5].lower()}@x.test"}
            w.books("create_contact", fields=fields)
        batch(w)
        batch(w)
        for contact in list(w.xero.organisation.contacts):
            fields = {"EmailAddress": f"new-{contact.name[:5].lower()}@x.test"}
            w.books("edit_contact", contact=contact.id, fields=fields)
        batch(w)
        recover(w)


# --- what stops us -------------------------------------------------------------------------------


@scene
def init_while_nothing_may_be_written() -> None:
    """In the mode read_only the CRM's fields are made by a part of the program that did not ask for
    the mode first: the door, which is asked last, refuses."""
    settings = settings_for(BASE, "read_only", "draft", PLAIN)
    with World(settings, 1, {}) as w:
        try:
            with (
                w.connection() as handle,
                handle._batch(handle.state, RunOptions(), write=True) as batch,
            ):
                identify(batch)
                for wish in batch.crm.missing_fields(batch.crm.reference()):
                    setup._create(batch, wish)
        except SyncJobError as refused:
            w.tell(refused.what)
        _none_written(w, "mode")


@scene
def stopped_in_the_middle_of_a_batch() -> None:
    """Somebody puts a file named STOP beside the state while a batch writes."""
    with new_world() as w:
        sell(w)
        sell(w, "Bolt & Sons")
        w.advance(MINUTE)
        stop = w.folder / "state" / "STOP"
        w.faults.edit = stop.touch
        last = w.last_call()
        w.run(at(w, CONTACTS, "edit after"))
        if not stop.exists():
            raise Violation("stopped", "the scene has lost its place: nobody put the file there")
        _none_written(w, "stopped", since=last, but=1)
        stop.unlink()
        recover(w)


def _none_written(w: World, invariant: str, since: int = 0, but: int = 0) -> None:
    written = [f"{call.method} {call.path}" for call in w.writes_since(since)]
    if len(written) > but:
        raise Violation(invariant, f"written all the same: {written}")
