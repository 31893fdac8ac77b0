"""What happens to a world at a point, beside a lost or refused call: people, clocks, lags."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from syncjob.sandbox.kernel import ActError, Request

if TYPE_CHECKING:
    from tests.sim.world import World

#: How late a change may show in the lists: in Xero less than its patience, in a CRM less than the
#: lookback of its cursor (docs/guarantees.md).
LEDGER_LAG_S, CRM_LAG_S = 600, 100
HOUR = timedelta(hours=1)
CLOCKS = {"clock +1 h": HOUR, "clock -1 h": -HOUR}


def lists_lag(world: World) -> None:
    """From here on lists show changes late, with the stamp of when they were made."""
    org = world.xero.organisation
    for table in (org.contacts, org.invoices, org.credits, org.payments):
        table._lag_max_s = LEDGER_LAG_S
    world.vendor.be(world.server, lag_s=CRM_LAG_S, lines_stamp=world.truth.lines_stamp)


def turn_clock(world: World, fault: str) -> None:
    """This machine's clock is put on or back by an hour, and stays so."""
    world.clock.skew += CLOCKS[fault]


def renew_tokens(world: World) -> None:
    """The ledger no longer knows the token, and its memory of keys is each token's own."""
    world.xero.options = replace(world.xero.options, key_scope_token=True)
    world.books("expire_tokens")


def edit_what_was_written(world: World, request: Request) -> None:
    """A person edits the very record that a lost call was about."""
    if not request.path.startswith("/xero"):
        world.attempt(lambda w: w.crm("edit_deal", deal=1, title="Another title"))
        world.attempt(lambda w: w.crm("edit_deal", deal=1, fields={"Invoice note": "ask Bob"}))
    elif "/Contacts" in request.path:
        known = [c.id for c in world.xero.organisation.contacts if c.status == "ACTIVE"]
        fields = {"EmailAddress": "accounts@acme.test"}
        if known:
            world.attempt(lambda w: w.books("edit_contact", contact=known[-1], fields=fields))
    else:
        _edit_newest(world)


def page_shifts(world: World, request: Request) -> None:
    """Between two pages somebody archives one record of the list, edits one and makes one."""
    if request.path.startswith("/xero"):
        if "/Contacts" in request.path:
            _contacts_move(world)
        else:
            _edit_newest(world)
            world.attempt(_by_hand)
        return
    world.attempt(lambda w: w.crm("edit_deal", deal=1, title="Moved"))
    if world.vendor.name == "pipedrive":
        world.attempt(lambda w: w.crm("archive_deal", deal=2))
        world.attempt(lambda w: w.crm("unarchive_deal", deal=2))
    world.attempt(lambda w: w.crm("delete_deal", deal=3))
    sell_at_once(world, 1)


def sell_at_once(world: World, count: int) -> None:
    """Deals that are made and won in one instant: all bear one stamp."""
    known = [row["name"] for row in world.truth.all("organizations") if not row["is_deleted"]]
    if not known:
        world.crm("create_org", name="Acme Pty")
        known.append("Acme Pty")
    for number in range(count):
        org = known[number % len(known)]
        line = {"name": "Rope", "price": 20 + number, "quantity": 1, "tax": 10}
        made = world.crm("create_deal", title="Sold at once", org=org, currency="AUD", lines=[line])
        world.crm("win", deal=made["id"])


def mend(world: World) -> None:
    """A person lets our program in again, and takes away why a vendor refused records: what a
    record is refused for is asked again when its own data or the account's names change."""
    faults = world.faults
    faults.barred.clear()
    faults.culprit = None
    world.tell("a person mends what was refused")
    known = sum(1 for deed in world.deeds if deed.act == "add_account")
    world.books("add_account", code=f"29{known}", name=f"Sales {known}", tax_type="OUTPUT")
    world.crm("create_field", name=f"Note {known}")
    partner = getattr(world, "partner", None)  # it may keep its books in an organisation of its own
    if partner is not None:
        partner.books("add_account", code=f"28{known}", name=f"More {known}", tax_type="OUTPUT")
        partner.crm("create_field", name=f"Note {known}")


def _edit_newest(world: World) -> None:
    drafts = [i.id for i in world.xero.organisation.invoices if i.status == "DRAFT"]
    if drafts:
        fields = {"Reference": "PO 12"}
        world.attempt(lambda w: w.books("edit_invoice", invoice=drafts[-1], fields=fields))


def _contacts_move(world: World) -> None:
    active = [c for c in world.xero.organisation.contacts if c.status == "ACTIVE"]
    if len(active) > 1:
        world.attempt(lambda w: w.books("archive_contact", contact=active[0].id))
        world.attempt(lambda w: w.books("restore_contact", contact=active[0].id))
    if active:
        fields = {"EmailAddress": "new@acme.test"}
        world.attempt(lambda w: w.books("edit_contact", contact=active[-1].id, fields=fields))
    world.attempt(lambda w: w.books("create_contact", fields={"Name": "Zebra Stripes"}))


def _by_hand(world: World) -> None:
    contact = next((c.id for c in world.xero.organisation.contacts if c.status == "ACTIVE"), None)
    if contact is None:
        raise ActError("no contact")
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}
    world.books("create_invoice", fields={
        "Contact": {"ContactID": contact}, "Date": world.time.now().date().isoformat(),
        "DueDate": "2027-02-01", "LineItems": [line], "Status": "DRAFT",
    })  # fmt: skip
