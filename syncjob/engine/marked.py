"""Which record of the CRM a marker names, also one of a CRM that was left (`syncjob relink`).

Keeps invariant 1 across a change of the CRM: a marker never changes, and its code says in which
CRM's numbers it speaks, so that the new CRM's deal 1042 is never taken for the old one's.
"""

from __future__ import annotations

from syncjob.core.markers import contact_of_marker, left_id, parse_other_marker
from syncjob.engine.batch import Batch

#: The fact that says when the map of a CRM that was left was taken, with its code.
LEFT = "left:"


def marked_deal(batch: Batch, code: str, deal: str) -> str | None:
    """The deal that a marker of this code names, None if it is none of this connection's, or of a
    CRM that was left and not among what came over. One that was left has its own name here, and
    what became of it is known to `merges.survivor`."""
    connection = batch.config.connection
    if code == connection.code:
        return deal
    if code not in connection.former_codes:
        return None
    left = left_id(code, deal)
    return left if batch.state.merges.survivor("deals", left) != left else None


def marked_contact(batch: Batch, marker: str | None) -> str | None:
    """The CRM customer of today that a contact's marker names; None if it names none of ours."""
    connection = batch.config.connection
    own = contact_of_marker(connection.code, marker)
    if own is not None:
        return batch.state.merges.survivor("contacts", own)
    for code in connection.former_codes:
        found = contact_of_marker(code, marker)
        left = left_id(code, found) if found else None
        if left is not None:
            new = batch.state.merges.survivor("contacts", left)
            return new if new != left else None
    return None


def marked_paper(batch: Batch, marker: str | None, kind: str) -> tuple[str, int] | None:
    """The deal of today and the number in the marker of a template ("r") or credit note ("c")."""
    parsed = parse_other_marker(marker or "")
    if parsed is None or parsed[2] != kind:
        return None
    deal = marked_deal(batch, parsed[0], parsed[1])
    return (batch.state.merges.survivor("deals", deal), parsed[3]) if deal else None
