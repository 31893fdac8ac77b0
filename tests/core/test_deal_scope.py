"""Small scope, complete: every state of a deal and its invoice against a table of what may be
written to the ledger, taken from BOOKKEEPING ("What may be done at all", "Which deals, and when",
"Dates") and docs/after-the-invoice.md, not from the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import msgspec

from syncjob.core.actions import InvoiceChange, InvoiceDraft
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.plan import decide
from syncjob.core.policy import DealFields, DealInputs, Overdue
from syncjob.core.records import Deal, Invoice
from syncjob.core.rules.changes import Past
from syncjob.core.rules.matching import Candidates
from tests.core.make import (
    LONDON,
    TODAY,
    D,
    crm,
    customer,
    deal,
    ledger,
    line,
    organization,
    policy,
)

MARKER = "NW-1042-A1"


class State(NamedTuple):
    """One state: of the invoice, of who touched or ended it, of the deal, of the firm's wishes."""

    invoice: str  # none, or its status
    person: bool  # a person changed it, or ended it
    deal: str
    archived: bool
    changed: bool  # the deal was changed after its invoice
    complete: bool  # its lines were read in this batch
    locked: bool  # the books are closed through today
    answer: str  # "", never, create
    mode: str
    wish: str  # invoices.status


INVOICES = ("none", "draft", "submitted", "authorised", "paid", "voided", "deleted")
EVERY = (
    INVOICES, (False, True), ("won", "open", "lost", "deleted"), (False, True), (False, True),
    (False, True), (False, True), ("", "never", "create"), ("read_only", "drafts_only", "full"),
    ("draft", "authorised"),
)  # fmt: skip


def may(s: State) -> set[str]:
    """What is written: the first line that fits."""
    approve = {"approve"} if s.mode == "full" and s.wish == "authorised" else set()
    if s.locked:  # on or before a lock date nothing is created, approved, deleted or voided
        return set()
    if s.invoice in ("submitted", "authorised", "paid"):  # never changed, voided, re-priced by us
        return set()
    if s.invoice == "draft" and s.person:  # a draft touched by a person is a person's
        return set()
    if s.invoice == "draft" and s.deal != "won":  # our own untouched draft goes with the win
        return {"delete"}
    if s.answer == "never":  # a person wants the deal left alone
        return set()
    if s.invoice == "draft" and s.changed and s.complete:  # our untouched draft follows its deal;
        return {"update"}  # what it says then is looked at by the next batch, which approves it
    if s.invoice == "draft":
        return approve
    if s.invoice in ("voided", "deleted") and s.person:  # only by `syncjob reissue`
        return set()
    if s.deal != "won" or s.archived or not s.complete:
        return set()
    return {"create"} | approve  # a first one, or anew after our own was withdrawn


# --- the state as the rules see it --------------------------------------------------------------

WON = deal(value=None)
CHANGED = deal(value=None, lines=(line(unit_price=D("60.00")),))


def context(s: State) -> Context:
    return Context(
        code="NW", mode=s.mode, policy=policy(status=s.wish), inputs=DealInputs(),  # type: ignore[arg-type]
        fields=DealFields(), overdue=Overdue(), crm=crm(), ledger=ledger(), zone=LONDON,
        today=TODAY, stamp="2026-03-20 12:00", locked_through=TODAY if s.locked else None,
    )  # fmt: skip


def case(s: State, created: InvoiceDraft) -> Case:
    shown: Deal = CHANGED if s.changed and s.invoice != "none" else WON
    if not s.complete:
        shown = msgspec.structs.replace(shown, lines=None, discounts=None, instalments=None)
    shown = msgspec.structs.replace(shown, status=s.deal, archived=s.archived)
    parts = () if s.invoice == "none" else (part(s, created),)
    return Case(
        deal=shown, complete=s.complete, busy=False, party=organization(), parts=parts,
        candidates=Candidates(by_name=(customer(),)), moved=s.changed,
        answers=frozenset({s.answer} - {""}), buyers=frozenset({"c1"}),
    )  # fmt: skip


def part(s: State, created: InvoiceDraft) -> PartCase:
    base: dict[str, str | None] = {"total": "120.00", "reference": MARKER}
    now = base | ({"reference": "a person's"} if s.person else {})
    status: Any = s.invoice
    invoice = Invoice(
        id="i1", kind="sale", status=status, currency="GBP", contact_id="c1", number="INV-1",
        date=created.date, due_date=created.due_date, sub_total=created.sub_total,
        total_tax=created.total_tax, total=created.total, due=created.total,
        line_amounts=created.line_amounts, lines=created.lines, reference=created.reference,
        url=created.url, marker=MARKER,
    )  # fmt: skip
    dead = s.invoice in ("voided", "deleted")
    return PartCase(
        history=(Past(1, status, dead and not s.person),), marker=None if dead else MARKER,
        invoice=None if dead else invoice, last=invoice if dead else None, contact=customer(),
        created=created, invoice_base=base, invoice_now=now, fresh=True,
    )  # fmt: skip


def first_draft() -> InvoiceDraft:
    """What is sent for the deal as it was won."""
    plain = State("none", False, "won", False, False, True, False, "", "full", "draft")
    made = decide(case(plain, None), context(plain)).actions  # type: ignore[arg-type]
    return next(a.payload for a in made if isinstance(a.payload, InvoiceDraft))


def written(s: State, created: InvoiceDraft) -> set[str]:
    """What the code would do to the ledger."""
    found = set()
    for action in decide(case(s, created), context(s)).actions:
        if action.side != "ledger":
            continue
        payload = action.payload
        if isinstance(payload, InvoiceChange):
            found.add({"deleted": "delete", "authorised": "approve"}[payload.status])
        else:
            found.add(action.kind.removeprefix("invoice."))
    return found


def deals() -> Iterator[tuple[State, set[str], set[str]]]:
    """Every state, what the code writes in it, what the table says."""
    created = first_draft()
    for values in product(*EVERY):
        s = State(*values)
        yield s, written(s, created), may(s)


#: How many states there are.
COUNT = 16_128


def test_every_state_of_a_deal_and_its_invoice() -> None:
    count, wrong = 0, []
    for s, got, wanted in deals():
        count += 1
        if got != wanted:
            wrong.append((s, got, wanted))
    assert not wrong, (len(wrong), wrong[:10])
    assert count == COUNT
