"""What each side holds at the end of a history, in words: the last lines that a replay prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncjob.sandbox.xero.models import Document
from tests.sim.judge_deals import deal_fields
from tests.sim.truth import deal_total
from tests.sim.world import World

#: The deal's own fields that say most; the rest follow from them.
_SHOWN = ("Invoice status", "Invoice number", "Invoice total", "Invoice due", "Invoice note")


def holdings(world: World) -> list[str]:
    """Faults that happened, both servers' records, and what people are told is open."""
    fired = [f"  {point.kind} {point.n} ({point.words}): {kind}"
             for point, kind in world.faults.fired]  # fmt: skip
    told = [f"  {subject}: {code}" for subject, code in sorted(world.issues)]
    return [
        "what happened to our program:", *(fired or ["  nothing"]),
        "what the CRM holds:", *_crm(world),
        "what the books hold:", *_books(world),
        "what people are told:", *told,
    ]  # fmt: skip


def _crm(world: World) -> Iterator[str]:
    for row in world.truth.all("organizations"):
        gone = ", deleted" if row["is_deleted"] else ""
        yield f"  customer {row['id']} {row['name']!r}{gone}"
    for deal in world.truth.all("deals"):
        yield f"  {_deal(world, deal)}"


def _deal(world: World, deal: dict[str, Any]) -> str:
    state = "deleted" if deal["is_deleted"] else deal["status"]
    heir = world.truth.heir("deals", deal["id"])
    merged = f", merged into {heir}" if heir != deal["id"] else ""
    archived = ", archived" if deal["is_archived"] else ""
    fields = deal_fields(world, deal)
    said = "; ".join(f"{name} = {fields[name]}" for name in _SHOWN if fields.get(name) is not None)
    total = float(deal_total(world.truth, deal["id"]))
    return (f"deal {deal['id']} of customer {deal['org_id']}: {state}{archived}{merged}, "
            f"{total:.2f} with tax; it says: {said or 'nothing'}")  # fmt: skip


def _books(world: World) -> Iterator[str]:
    org = world.xero.organisation
    for contact in org.contacts:
        into = f", merged into {contact.merged_to}" if contact.merged_to else ""
        yield (f"  contact {contact.name!r} ({contact.number or 'no number'}) "
               f"{contact.status.lower()}{into}")  # fmt: skip
    for invoice in org.invoices:
        yield f"  {_invoice(world, invoice)}"


def _invoice(world: World, invoice: Document) -> str:
    contact = world.xero.organisation.contacts[invoice.contact_id]
    marker = (invoice.url or "").rpartition("syncjob=")[2] or "not ours"
    touched = world.watch.touched.get(invoice.id)
    by = f", last touched by a person at {touched:%d %H:%M:%S}" if touched else ""
    return (f"invoice {invoice.number} ({marker}) to {contact.name!r}: {invoice.status.lower()}, "
            f"{float(invoice.total):.2f}, of which {float(invoice.due):.2f} due{by}")  # fmt: skip
