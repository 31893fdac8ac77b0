"""What is read once more before anybody is told of it: invoices by their ids, their credit, and who
looks after the customer.

Keeps invariant 9: a list may lag behind, and a person may have paid a minute ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncjob.core.actions import (
    Action,
    DealChange,
    InvoiceChange,
    InvoiceEmail,
    InvoiceUpdate,
    NoteDraft,
)
from syncjob.core.case import Case, Context
from syncjob.core.plan import decide
from syncjob.core.records import Side
from syncjob.core.rules.notices import PAID
from syncjob.core.rules.settlement import next_due_day
from syncjob.core.telling import tells_of
from syncjob.engine import credits
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.cases import in_groups
from syncjob.engine.pull import walk_streams
from syncjob.errors import AuthFailed

#: So many invoices a group are read each at its own address, which never lags; a list of ids may
#: (facts: xero, 4), but a call for each of hundreds would use up a small plan's day.
SINGLE_READS_MAX = 20


def read_again(batch: Batch, deals: Sequence[str], context: Context) -> None:
    """Read what these deals' decisions are about once more, as far as they need it."""
    group = Known(batch, deals, context)
    _account_owners(batch, group)
    _unapplied(batch, group)
    _due(batch, group)
    _credits(batch, group)


class Known:
    """A group's cases and what is decided of them, loaded and decided again only once something
    was stored since."""

    def __init__(self, batch: Batch, deals: Sequence[str], context: Context) -> None:
        self.batch, self.deals, self.context = batch, deals, context
        self._cases: list[Case] = []
        self._actions: dict[str, tuple[Action, ...]] = {}
        self._as_of = -1

    @property
    def cases(self) -> list[Case]:
        if self._as_of != self.batch.state.changes:
            self._as_of, self._actions = self.batch.state.changes, {}
            self._cases = list(in_groups(self.batch, self.deals))
        return self._cases

    def actions(self, case: Case) -> tuple[Action, ...]:
        """What is to be written for one of `cases`."""
        if case.deal.id not in self._actions:
            self._actions[case.deal.id] = decide(case, self.context).actions
        return self._actions[case.deal.id]


def _account_owners(batch: Batch, group: Known) -> None:
    """Read the customers again of whose debts their account owner is to be told: who looks after
    them changes without a trace in the deal."""
    if group.context.notices.to == "deal_owner":
        return
    wanted: dict[str, None] = {}
    seen = batch.state.snapshots.batch_of
    for case in group.cases:
        customer = case.deal.org_id or case.deal.person_id
        if customer is None or seen("crm", "contacts", customer) == batch.id:
            continue
        if any(tells_of(action.payload) for action in group.actions(case)):
            wanted[customer] = None
    for kind in ("org:", "person:"):
        read_records(batch, "crm", "contacts", [c for c in wanted if c.startswith(kind)])


def _unapplied(batch: Batch, group: Known) -> None:
    """Read what customers have unapplied before anybody is told of a debt; what this state knew
    of it may be what keeps the notice, so it is asked for without."""
    if not group.context.notices.steps:
        return
    due = set()
    for case in group.cases:
        actions = group.actions(case)
        if case.credits:
            actions = decide(msgspec.structs.replace(case, credits={}), group.context).actions
        tells = [tell for action in actions for tell in tells_of(action.payload)]
        due |= {f"{t.marker}.{t.due}.{t.step}" for t in tells if t.step != PAID}
    if due and not credits.are_fresh(batch, due):
        read_credits(batch, credits.STREAMS)
        credits.note_read_for(batch, due)  # not before: the lists may refuse


def read_credits(batch: Batch, streams: Sequence[tuple[Side, str]]) -> None:
    """Walk these lists of credit, each once a batch; a right that is missing is told of and stops
    nothing."""
    try:
        walk_streams(batch, [s for s in streams if ".".join(s) not in batch.walked])
    except AuthFailed as refused:
        with batch.state.commit():
            batch.raise_issues([credits.unreadable(refused)])
        return
    with batch.state.commit():
        subject = "stream:ledger.credits"
        batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())


def _due(batch: Batch, group: Known) -> None:
    """Read again by id what would be flagged overdue, approved or deleted: a person may have
    touched it, or paid it, and the ledger's list may not show that yet."""
    ids = dict.fromkeys(i for case in group.cases for i in _judged(case, group))
    read = batch.state.snapshots.read_by_id
    unsure = [i for i in ids if not read("ledger", "invoices", i, batch.id)]
    for invoice in unsure[:SINGLE_READS_MAX]:
        read_records(batch, "ledger", "invoices", [invoice])
    read_records(batch, "ledger", "invoices", unsure[SINGLE_READS_MAX:])


def _credits(batch: Batch, group: Known) -> None:
    """Read the credit notes of invoices that were read since: only they can tell a debt that was
    written off, or money that was given back, from a plain credit. The invoice may have been read
    by a batch that had to end before it came to its deal."""
    wanted: dict[str, None] = {}
    seen = batch.state.snapshots.batch_of
    for case in group.cases:
        for invoice in (*case.standing_invoices, *case.after.repeats):
            notes = [s.id for s in invoice.settlements if s.kind == "credit_note"]
            read = seen("ledger", "invoices", invoice.id) if notes else 0
            old = (n for n in notes if seen("ledger", "credit_notes", n) < read)
            wanted.update(dict.fromkeys(old))
    read_records(batch, "ledger", "credit_notes", list(wanted))


def _judged(case: Case, group: Known) -> Iterator[str]:
    """The invoices in the ledger that this deal's decision changes or calls overdue."""
    context = group.context
    field = context.fields.overdue
    live = {i.id: i for i in (*case.standing_invoices, *case.after.repeats)}
    there = {*live, *(extra.id for part in case.parts for extra in part.extra)}
    marked = {part.marker: part.invoice.id for part in case.standing_parts if part.invoice}
    for action in group.actions(case):
        change = action.payload
        yield from (marked.get(tell.marker, tell.marker) for tell in tells_of(change))
        match change:
            case (
                InvoiceChange(invoice_id=known)
                | InvoiceUpdate(invoice_id=known)
                | InvoiceEmail(invoice_id=known)
            ) if known in there:
                yield known
            case NoteDraft(invoice_id=known, happening="overdue") if known in there:
                yield known
        if isinstance(change, DealChange) and field and change.fields.get(field) == "yes":
            begins = {i: next_due_day(invoice, context.overdue) for i, invoice in live.items()}
            yield from (i for i, day in begins.items() if day and day <= context.today)
