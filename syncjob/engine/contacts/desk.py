"""A person's word on a customer: whose value counts, or that it is to be forgotten."""

from __future__ import annotations

import msgspec

from syncjob.core.contacts.case import crm_values, digest
from syncjob.core.contacts.fields import FIELDS, values_of
from syncjob.core.records import Contact, Side
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.engine.contacts.forget import forget
from syncjob.engine.contacts.wants import answers
from syncjob.errors import Park
from syncjob.state.contacts import FORGOTTEN
from syncjob.state.database import State
from syncjob.state.decisions import Decision

#: The kinds of answers that are about a customer: "take:crm:email", "forget".
TAKE, FORGET = "take", "forget"


def require_contact(state: State, kind: str, subject: str) -> None:
    """Raises Park where the answer can name nothing."""
    asked, parts = subject.removeprefix("contact:"), kind.split(":")
    crm_id, ledger_id = _both(state, asked)
    sides: tuple[tuple[Side, str | None], ...] = (("crm", crm_id), ("ledger", ledger_id))
    known = any(
        state.snapshots.get(side, "contacts", i, Contact) is not None for side, i in sides if i
    )
    if not known:
        raise Park(
            f"No batch has read a contact {asked} yet.", where=subject,
            next_step="Name it as the issue does: org:12, person:7, or the ledger's own id.",
        )  # fmt: skip
    if parts[0] == TAKE and len(parts) > 2 and parts[2] not in FIELDS:
        raise Park(
            f"A contact has no field {parts[2]!r}.", where=subject,
            next_step=f"One of {', '.join(FIELDS)}.",
        )  # fmt: skip
    if parts[0] == TAKE and (crm_id is None or ledger_id is None):
        raise Park(
            f"{asked} has no partner on the other side, so there is nothing to choose.",
            where=subject, next_step="`syncjob match` proposes partners.",
        )  # fmt: skip


def decide(batch: Batch, decision: Decision) -> str | None:
    """Apply it, inside a commit; None: not yet, a write for the customer is still open."""
    asked = decision.subject.removeprefix("contact:")
    crm_id, ledger_id = _both(batch.state, asked)
    verb, _, rest = decision.kind.partition(":")
    if verb == FORGET:
        subjects = [f"contact:{i}" for i in (crm_id, f"ledger:{ledger_id}") if i]
        if any(batch.state.journal.busy_subject(subject) for subject in subjects):
            return None
        forget(batch, crm_id, ledger_id)
        return FORGOTTEN
    side, _, field = rest.partition(":")
    return _take(batch, crm_id or asked, side, field)


def _take(batch: Batch, key: str, side: str, field: str) -> str:
    """That side's value goes over, for the values that stand there now."""
    batch.state.contacts.want([key], "a person decided")
    case = load_contact(batch, key)
    if case is None or case.ledger is None:
        return "the customer has no partner any more"
    crm = crm_values(case, load_contact_context(batch))
    ledger = values_of(case.ledger)
    fields = [field] if field else [f for f, v in crm.items() if v != ledger[f]]
    given = {f: (side, digest(crm.get(f), ledger[f])) for f in fields}
    both = answers(batch, key) | given
    batch.state.book.note(f"answer:contact:{key}", msgspec.json.encode(both).decode())
    return f"{side}: {', '.join(fields) or 'nothing differs'}"


def _both(state: State, asked: str) -> tuple[str | None, str | None]:
    """The customer's id on either side, by any of them."""
    if asked.startswith(("org:", "person:")):
        return asked, state.links.contact(asked)
    ledger_id = asked.removeprefix("ledger:")
    return state.links.contact_owner(ledger_id), ledger_id
