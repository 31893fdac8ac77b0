"""What was written at a vendor, or tied here, as rows of the audit; each in the commit of what it
tells of.

A row belongs to the batch whose call wrote it, also where a later one found out what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncjob.core.actions import DealChange, InvoiceChange, InvoiceUpdate
from syncjob.core.records import Invoice
from syncjob.core.rulings import STAGE, rules_of
from syncjob.engine.batch import Batch
from syncjob.state.journal import Intent
from syncjob.state.links import Part

Values = Mapping[str, str | None]
Changes = dict[str, tuple[str | None, str | None]]

#: The field that says that a write may have had its effect, though nobody can know.
PERHAPS = "perhaps"
#: Why records are tied, by what the state notes beside it.
_TIED = {
    "created": "made for it by us",
    "marker": "it bears our key",
    "match": "the match is certain",
    "person": "a person said so",
}


def audit_write(batch: Batch, intent: Intent, after: Values) -> None:
    """A write that is known to have had its effect, field by field. Call it inside a commit, before
    what was agreed on with the ledger is renewed."""
    payload, before = intent.action.payload, dict(intent.action.before)
    if isinstance(payload, InvoiceUpdate | InvoiceChange):
        base = batch.state.links.base("ledger", f"invoice:{payload.invoice_id}")
        before |= {field: value.stored for field, value in base.items()}
    changes: Changes = {field: (before.get(field), value) for field, value in after.items()}
    if isinstance(payload, InvoiceUpdate):
        gone: Changes = {f: (before[f], None) for f in before if f.startswith("line")}
        whole = gone | changes
        changes = {f: pair for f, pair in whole.items() if pair[0] != pair[1]} or changes
    if isinstance(payload, DealChange) and payload.move is not None:
        changes[STAGE] = (before.get(STAGE), payload.move.stage)
    _record(batch, intent, changes, intent.action.reason)


def audit_unsure(batch: Batch, intent: Intent) -> None:
    """A write of which nobody can find out whether it had its effect, and that is not repeated;
    call it inside a commit."""
    why = f"{intent.action.reason} (whether it arrived is not known)"
    _record(batch, intent, {PERHAPS: (None, intent.action.kind)}, why)


def _record(batch: Batch, intent: Intent, changes: Changes, reason: str) -> None:
    action = intent.action
    changes = {f: pair for f, pair in changes.items() if pair != (None, None)} or changes
    batch.state.book.record(
        batch=intent.batch, at=batch.clock.now(), side=action.side,
        target=action.target, subject=action.subject, changes=changes, reason=reason,
        intent=intent.id, rules=rules_of(action, changes),
    )  # fmt: skip


def tie_contacts(batch: Batch, crm_id: str, ledger_id: str, *, how: str) -> None:
    """Link two contacts that are both free, and say so in the audit; call it inside a commit."""
    batch.state.links.link_contact(crm_id, ledger_id, how=how, batch=batch.id)
    audit_link(batch, crm_id, None, ledger_id, how=how)


def audit_link(
    batch: Batch, crm_id: str, before: str | None, after: str | None, *, how: str
) -> None:
    """The ledger contact that a CRM customer is linked with is another one now; call it inside a
    commit."""
    batch.state.book.record(
        batch=batch.id, at=batch.clock.now(), side="us", target=f"link:{crm_id}",
        subject=f"contact:{crm_id}", changes={"link": (before, after)},
        reason=_TIED.get(how, how), rules=how, intent=None,
    )  # fmt: skip


def tie_invoice(batch: Batch, part: Part) -> None:
    """Record an invoice as its deal's; what we have just made has rows of its own. Call it inside
    a commit. Raises sqlite3.IntegrityError on a second live one."""
    batch.state.links.add_part(part, batch=batch.id)
    batch.note_changed()
    if part.how != "created":
        known = batch.state.snapshots.get("ledger", "invoices", part.ledger_id, Invoice)
        says = {"status": known.status, "total": f"{known.total}"} if known else {}
        tied = {"link": part.ledger_id, **says}
        audit_adoption(batch, f"invoice:{part.marker}", part.deal, tied, how=part.how)


def audit_adoption(batch: Batch, target: str, deal: str, found: Values, *, how: str) -> None:
    """A paper of the ledger was found and tied to its deal, with what it says; call it inside a
    commit."""
    batch.state.book.record(
        batch=batch.id, at=batch.clock.now(), side="us", target=target, subject=f"deal:{deal}",
        changes={field: (None, value) for field, value in found.items()},
        reason=_TIED.get(how, how), rules=how, intent=None,
    )  # fmt: skip
