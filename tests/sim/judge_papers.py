"""Templates, credit notes and notices: each at most once, none in vain, none forgotten."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from syncjob.sandbox.xero.models import Document
from tests.sim.features import STEPS
from tests.sim.truth import cash_and_credit, overdue
from tests.sim.watch import Violation
from tests.sim.world import World

_TEMPLATE = re.compile(r"SJ-(\d+)-r(\d+)$")
_CREDIT = re.compile(r"^(.*?) ?SJ-(\d+)-c(\d+)$")
#: Invoice, due date, step and person.
_NOTICE = re.compile(r"(\S+)\.(\d{6})\.(\d+)\.(\d+)$")
#: Invoice and what happened to it, at the end of a note.
_NOTED = re.compile(r"[\w-]+\.[a-z_]+(\.[\w.]+)?$")
_MARKER = re.compile(r"syncjob=(SJ-\d+-[A-Z]{1,3}\d+)(?:&|$)")
#: Why a deal's overdue invoice is left unsaid: instead of being told, people are asked.
UNTOLD = ("nobody_to_tell", "merged_deals_invoiced")


def judge_papers(world: World) -> None:
    """What of them shows on the servers at rest. Raises Violation."""
    _templates(world)
    _credits(world)
    if world.features.notices:
        _told(world)


# --- repeating invoices --------------------------------------------------------------------------


def _templates(world: World) -> None:
    live, ever = Counter[str](), Counter[str]()
    for template in world.xero.organisation.templates:
        found = _TEMPLATE.search(template.document.reference or "")
        if found is None:
            continue
        ever[found[0]] += 1
        live[found[1]] += template.document.status != "DELETED"
        if template.document.status == "AUTHORISED" and template.id not in _approved(world):
            raise Violation("mode", f"{found[0]} was approved by nobody")
    for name, count in (*ever.items(), *live.items()):
        if count > 1:
            raise Violation("one_template", f"{name}: {count} repeating invoices")


def _approved(world: World) -> set[str]:
    """The templates and credit notes that people approved."""
    acts = ("approve_template", "approve_credit")
    return {str(deed.result["done"]["id"]) for deed in world.deeds if deed.act in acts}


def repeats(world: World, deal: int) -> list[Document]:
    """The live invoices that the deal's repeating invoice has made."""
    org = world.xero.organisation
    templates = {
        t.id
        for t in org.templates
        if (found := _TEMPLATE.search(t.document.reference or ""))
        and world.truth.heir("deals", int(found[1])) == deal
    }
    made = [i for i in org.invoices if i.repeating_id in templates] if templates else []
    return [invoice for invoice in made if invoice.status not in ("VOIDED", "DELETED")]


# --- credit notes --------------------------------------------------------------------------------


def _credits(world: World) -> None:
    markers, wishes = Counter[str](), Counter[tuple[str, Fraction]]()
    for note in world.xero.organisation.credits:
        found = _CREDIT.match(note.reference or "")
        if found is None:
            continue
        asked = _asked(world, int(found[2]))
        if note.total not in asked:
            raise Violation("credit", f"{note.reference}: nobody asked for {float(note.total)}")
        if note.status in ("AUTHORISED", "PAID") and note.id not in _approved(world):
            raise Violation("mode", f"{note.reference} is {note.status}, and nobody approved it")
        markers[f"{found[2]}-{found[3]}"] += 1
        if note.status not in ("VOIDED", "DELETED"):  # else the same command means it anew
            wishes[found[1], note.total] += 1
    for what, count in (*markers.items(), *wishes.items()):
        if count > 1:
            raise Violation("one_credit", f"{what}: {count} credit notes")


def _asked(world: World, deal: int) -> set[Fraction]:
    """The amounts that people asked to credit this deal, or what was merged into it."""
    heir = world.truth.heir
    return {
        Fraction(amount)
        for named, amounts in world.credits.items()
        if heir("deals", named) == heir("deals", deal)
        for amount in amounts
    }


# --- notices -------------------------------------------------------------------------------------


def judge_task(world: World, row: dict[str, Any], sent: datetime | None) -> None:
    """A new task, asked for by us then: what it says must be so, unless a person changed that
    while it was on its way."""
    found = _NOTICE.search(row.get("note") or "")
    if found is None:
        return
    invoice = _named(world, found[1].rpartition(">")[2])
    if invoice is None:
        raise Violation("notice", f"{found[0]} is about no invoice")
    touched = world.watch.touched.get(invoice.id)
    if touched is not None and sent is not None and touched >= sent:
        return
    org, step = world.xero.organisation, int(found[3])
    if step == 0:
        true = invoice.status == "PAID" and cash_and_credit(org, invoice)[0] > 0
    else:
        days = (org.today() - invoice.due_day).days if invoice.due_day else -1
        true = overdue(invoice, org.today()) and days >= step
    if not true:
        raise Violation(
            "no_false_alarm",
            f"{found[0]}: {invoice.number} is {invoice.status}, due {invoice.due_day}, "
            f"{float(invoice.due)} open",
        )


def _named(world: World, name: str) -> Document | None:
    for invoice in world.xero.organisation.invoices:
        marker = _MARKER.search(invoice.url or "")
        if (marker and marker[1] == name) or invoice.id == name:
            return invoice
    return None


def _told(world: World) -> None:
    rows = world.truth.all("activities")
    found = [m for row in rows if (m := _NOTICE.search(row.get("note") or ""))]
    markers = Counter(m[0].rpartition(">")[2] for m in found)
    twice = [marker for marker, count in markers.items() if count > 1]
    if twice:
        raise Violation("notice_once", f"told more than once: {twice}")
    noted = Counter(
        m[0] for row in world.truth.all("notes") if (m := _NOTED.search(row.get("content") or ""))
    )
    twice = [marker for marker, count in noted.items() if count > 1]
    if twice:
        raise Violation("notice_once", f"noted more than once: {twice}")
    if not world.state_lost:
        for invoice in world.xero.organisation.invoices:
            _none_forgotten(world, invoice, set(markers))


def _none_forgotten(world: World, invoice: Document, told: set[str]) -> None:
    marker = _MARKER.search(invoice.url or "")
    today = world.xero.organisation.today()
    if marker is None or not overdue(invoice, today) or invoice.due_day is None:
        return
    reached = [n for n in STEPS if invoice.due_day + timedelta(days=n) <= today]
    deal = world.truth.get("deals", world.truth.heir("deals", int(marker[1].split("-")[1])))
    if not reached or _covered(world, invoice) or deal is None or deal["is_deleted"]:
        return
    if deal["is_archived"] or any((f"deal:{deal['id']}", why) in world.issues for why in UNTOLD):
        return
    begins = f"{marker[1]}.{invoice.due_day:%y%m%d}.{max(reached)}."
    if not any(name.startswith(begins) for name in told):
        raise Violation("notice", f"{invoice.number} is overdue, and nobody was told ({begins})")


def _covered(world: World, invoice: Document) -> bool:
    """Whether its customer has anything that nobody has applied."""
    return any(
        credit.contact_id == invoice.contact_id and credit.due > 0
        for credit in world.xero.organisation.credits
    )
