"""What the firm on the bench has been through, and what its next batch has to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from tests.drift.bench import Bench
from tests.engine.world import PATIENCE

LINE = {"name": "Widget", "price": 100, "quantity": 2, "tax": 10}


def sell(bench: Bench, org: str, *, won: bool = True, **deal: Any) -> int:
    """A deal of this customer; the customer and its person are made if they are not there."""
    given = {"title": f"Order of {org}", "currency": "AUD", "org": org, "lines": [LINE], **deal}
    made = bench.crm("create_deal", **given)
    if won:
        bench.crm("win", deal=made["id"])
    return int(made["id"])


def customer(bench: Bench, name: str) -> None:
    """An organization with an address, and its person."""
    made = bench.crm("create_org", name=name, address=f"1 {name} Road, Perth WA 6000, Australia")
    first = name.partition(" ")[0]
    bench.crm(
        "create_person", name=f"Ann {first}", org=made["id"],
        email=f"ann@{first.lower()}.example", phone="(02) 9999 1111",
    )  # fmt: skip


def invoice_number(bench: Bench, deal: int) -> str:
    """The number of the deal's invoice."""
    return next(str(i["number"]) for i in bench.invoices() if f"SJ-{deal}-" in (i["url"] or ""))


def subscribe(bench: Bench, org: str) -> None:
    """A deal that is billed again each year by a repeating invoice that a person has approved; and
    one of another customer that a person made."""
    yearly = {**LINE, "name": "Support", "billing_frequency": "annually"}
    deal = sell(bench, org, title="Support", lines=[yearly])
    bench.run()
    bench.books("approve_template", template=f"SJ-{deal}-r1")
    table = bench.xero.organisation.templates
    ours = next(iter(table))
    document = replace(ours.document, reference="Cleaning")
    table.put(replace(ours, id="0f0f0f0f-0000-4000-8000-000000000001", document=document))
    bench.advance(timedelta(minutes=61))
    report = bench.run()
    assert report.exit_code == 0, report


@cache
def ready(crm: str) -> Bench:
    """The bench with everything about to happen; copy it, never use it."""
    bench = Bench(crm)
    with bench.connection() as handle:
        handle.init_fields(create=True)
        assert not [p for p in handle.check() if p.fatal], handle.check()
    bench.run()
    bench.advance(PATIENCE)
    names = ("Beta Pty", "Gamma Pty", "Delta Pty", "Zeta Pty", "Epsilon Pty")
    for name in names:
        customer(bench, name)
    part, paid, late, credited = (sell(bench, name) for name in names[:4])
    for _ in range(2):
        report = bench.run()
        assert report.exit_code == 0, report
        bench.advance(timedelta(minutes=20))
    subscribe(bench, names[0])
    bench.advance(timedelta(days=40))  # all are overdue by now
    for _ in range(2):
        assert bench.run().exit_code == 0
        bench.advance(timedelta(minutes=20))
    bench.books("pay", invoice=invoice_number(bench, part), amount="50")
    bench.books("pay", invoice=invoice_number(bench, paid))
    bench.books("credit", invoice=invoice_number(bench, credited), amount="30")
    bench.books("set_expected_payment_date", invoice=invoice_number(bench, late), date="2027-02-01")
    bench.books("edit_contact", contact="Beta Pty", fields={"TaxNumber": "51 824 753 556"})
    bench.crm("edit_person", person="Ann Gamma", phone="(02) 8888 2222")
    bench.books("create_contact", fields={"Name": "Omega Pty", "EmailAddress": "o@omega.example"})
    sell(bench, "Epsilon Pty")
    sell(bench, "Beta Pty", title="Second order", lines=[{**LINE, "price": 49.5}])
    sell(bench, "Gamma Pty", won=False, title="An offer")
    bench.advance(timedelta(hours=25))  # names and rates are read again, and the night's work done
    return bench
