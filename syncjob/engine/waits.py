"""What a person feels of the speed: from the win to the draft, from the money to the deal.

BOOKKEEPING, "Speed that a person feels": `status` shows the last week. What waited for a person,
or was there before this state, says nothing of it and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from syncjob.core.actions import Action, DealChange
from syncjob.core.records import Deal, Invoice
from syncjob.engine.batch import Batch
from syncjob.state.speed import Kind


def note_drafts(batch: Batch, actions: Sequence[Action]) -> None:
    """Write down how long the deals of these drafts had waited since they were won; call it inside
    the commit."""
    snapshots = batch.state.snapshots
    deals = {action.subject: action.subject.removeprefix("deal:") for action in actions}
    with batch.state.gathering():
        snapshots.fetch("crm", "deals", deals.values())
        known = {name: snapshots.get("crm", "deals", id, Deal) for name, id in deals.items()}
        counted = {name for name, deal in known.items() if deal and _counts(batch, deal.won_at)}
    for action in actions:
        deal = known[action.subject]
        if deal and action.subject in counted and not _was_held(batch, action.subject):
            _note(batch, action, "draft", deal.won_at)


def note_payment(batch: Batch, action: Action) -> None:
    """Write down how long money had waited for its deal, if this write tells the deal of it; call
    it inside the commit."""
    if isinstance(action.payload, DealChange) and _more_paid(action, batch.config.crm.fields.paid):
        _payment(batch, action)


def _payment(batch: Batch, action: Action) -> None:
    """The ledger's stamp of the invoice moved when the money was entered."""
    get = batch.state.snapshots.get
    deal = action.subject.removeprefix("deal:")
    parts = batch.state.links.parts(deal)
    found = (get("ledger", "invoices", part.ledger_id, Invoice) for part in parts)
    stamps = [invoice.updated for invoice in found if invoice and invoice.updated]
    _note(batch, action, "payment", max(stamps, default=None))


def _note(batch: Batch, action: Action, kind: Kind, since: datetime | None) -> None:
    if since is not None and _counts(batch, since):
        batch.state.speed.note(kind, action.subject, since=since, at=batch.clock.now())


def _counts(batch: Batch, since: datetime | None) -> bool:
    """Only what happened after this state had read both sides once: a first load is no wait."""
    born = batch.state.book.instant("born") if since is not None else None
    return since is not None and born is not None and born <= since <= batch.clock.now()


def _was_held(batch: Batch, subject: str) -> bool:
    row = batch.state.db.execute(
        "SELECT 1 FROM issue WHERE subject = ? AND state = 'held' LIMIT 1", (subject,)
    ).fetchone()
    return row is not None


def _more_paid(action: Action, field: str | None) -> bool:
    """Whether the deal is told of more cash than it said before; `field` says how much."""
    assert isinstance(action.payload, DealChange)
    if field is None or field not in action.payload.fields:
        return False
    return _amount(action.payload.fields[field]) > _amount(action.before.get(field))


def _amount(text: str | None) -> Decimal:
    try:
        return Decimal(text or "0")
    except InvalidOperation:  # a person typed something into a field of words
        return Decimal(0)
