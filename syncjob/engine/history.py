"""The audit of one record: each write with its rule, its reason and the vendor's answer.

What was refused or lost stands there too, from the journal; what people decided from the inbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from syncjob.core.history import HistoryReport, HistoryRow
from syncjob.core.markers import contact_marker
from syncjob.core.records import Deal, Invoice
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch
from syncjob.engine.subjects import Subject, candidate, contact_of, former, meant
from syncjob.engine.why import several
from syncjob.engine.why_events import became, written
from syncjob.reports.action_words import headline
from syncjob.state.audit import AuditRow
from syncjob.state.contacts import FORGOTTEN
from syncjob.state.decisions import Decision
from syncjob.state.trail import Write

#: Who writes where no person decided.
_US = "syncjob"


class _Names(NamedTuple):
    """How audit, journal and inbox speak of a record."""

    subjects: list[str]
    targets: list[str]
    page: str | None
    title: str


def history(
    batch: Batch, text: str, *, since: date | None = None, field: str | None = None
) -> HistoryReport:
    """Every write to the record that the text means; `field` names a part of a field's name."""
    name, found = batch.config.connection.name, meant(batch.config, batch.state, text)
    subjects = found.exactly or found.alike
    if len(subjects) != 1:
        none = found.about or f'Nothing that was read is called "{text}".'
        return HistoryReport(
            connection=name, asked=text,
            words=several(text, exactly=bool(found.exactly)) if subjects else none,
            candidates=tuple(candidate(batch.state, one) for one in subjects),
            next_step="Ask for one of them: `syncjob history` and what stands before it."
            if subjects else "Give a deal's or an invoice's number, or a customer's name.",
        )  # fmt: skip
    subject = subjects[0]
    names = _names(batch, subject)
    names.subjects.extend(former(batch.state, subject))
    rows = sorted(_rows(batch, names), key=lambda row: row.at)
    begin = datetime.combine(since, time(), batch.zone) if since else None
    wanted = (field or "").casefold()
    shown = [r for r in rows if (begin is None or r.at >= begin) and wanted in r.field.casefold()]
    none = "syncjob never wrote anything to it, and nobody decided anything about it."
    return HistoryReport(
        connection=name, asked=text, subject=subject.name, title=names.title, page=names.page,
        rows=tuple(shown), total=len(rows), words="" if rows else none,
        next_step=f"`syncjob why {candidate(batch.state, subject).ask}` tells why it is as it is.",
    )  # fmt: skip


# --- under which names ---------------------------------------------------------------------------


def _names(batch: Batch, subject: Subject) -> _Names:
    if subject.kind == "deal":
        return _of_deal(batch, subject.id)
    if subject.kind == "contact":
        return _of_contact(batch, subject.id)
    return _of_invoice(batch, subject.id)


def _of_deal(batch: Batch, deal_id: str) -> _Names:
    deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
    if deal is None:
        return _Names([f"deal:{deal_id}"], [], None, "")
    party = deal.org_id or deal.person_id
    marker = contact_marker(batch.config.connection.code, party) if party else ""
    hidden = batch.state.contacts.ended(deal.org_id, deal.person_id) == FORGOTTEN
    targets = [f"contact:{marker}"] if party else []
    return _Names([f"deal:{deal_id}"], targets, deal.page, "" if hidden else one_line(deal.title))


def _of_contact(batch: Batch, key: str) -> _Names:
    state, code = batch.state, batch.config.connection.code
    ledger_id = key.removeprefix("ledger:")
    subjects, targets = [f"contact:{key}"], [f"contact:{key}", f"mark:{key}", f"link:{key}"]
    partner: str | None = ledger_id
    if ledger_id == key:
        targets.append(f"contact:{contact_marker(code, key)}")
        partner = state.links.contact(key)
        main = state.contacts.person(key)
        targets += [f"contact:{main}"] if main else []
    if partner:
        subjects.append(f"contact:ledger:{partner}")
        targets += [f"contact:{partner}", f"mark:{partner}"]
    record = contact_of(state, key)
    hidden = state.contacts.ended(key, partner) == FORGOTTEN or (record and record.forgotten)
    title = "" if hidden or record is None else one_line(record.name)
    return _Names(subjects, targets, record.page if record else None, title)


def _of_invoice(batch: Batch, invoice_id: str) -> _Names:
    invoice = batch.state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
    part = batch.state.links.part_of_invoice(invoice_id)
    keys = [part.marker] if part else []
    if invoice and invoice.marker and invoice.marker not in keys:
        keys.append(invoice.marker)
    targets = [f"{kind}:{key}" for key in [*keys, invoice_id] for kind in ("invoice", "mail")]
    name = (invoice.number if invoice else None) or invoice_id
    return _Names([], targets, invoice.page if invoice else None, name)


# --- the rows ------------------------------------------------------------------------------------


def _rows(batch: Batch, names: _Names) -> Iterator[HistoryRow]:
    state = batch.state
    decisions = state.decisions.of(*names.subjects) if names.subjects else []
    writes = {w.intent: w for w in state.trail.writes(names.subjects, names.targets)}
    audited: dict[int, list[AuditRow]] = {}
    for subject in names.subjects:
        audited |= _by_write(state.audit.rows_of(subject=subject))
    for target in names.targets:
        audited |= _by_write(state.audit.rows_of(target=target))
    rows = [row for one in audited.values() for row in one]
    told = {row.intent for row in rows}
    for row in rows:
        if not _is_decision(row, decisions):
            yield _audited(batch, row, writes.get(row.intent or 0), names.page)
    for write in writes.values():
        if write.intent not in told and write.state != "done":
            yield from _without_effect(batch, write, names.page)
    for one in decisions:
        yield _decided(one)


def _by_write(rows: Iterable[AuditRow]) -> dict[int, list[AuditRow]]:
    """The rows of each write together: one found under two names is told once."""
    found: dict[int, list[AuditRow]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return found


def _is_decision(row: AuditRow, decisions: Sequence[Decision]) -> bool:
    """Whether this row says that a batch applied what a person decided: that stands for itself."""
    return row.side == "us" and any(
        (row.subject, row.field, row.batch) == (d.subject, d.kind, d.batch) for d in decisions
    )


def _audited(batch: Batch, row: AuditRow, write: Write | None, page: str | None) -> HistoryRow:
    return HistoryRow(
        at=datetime.fromisoformat(row.at), by=_US, side=row.side, target=row.target,
        field=row.field, batch=row.batch, what=headline(write.action) if write else "",
        before=row.before, after=row.after, rule=row.rule, reason=row.reason, write=row.intent,
        answer=_answer(batch, write) if write else "", page=page,
    )  # fmt: skip


def _answer(batch: Batch, write: Write) -> str:
    """What the vendor answered, with the status of its call."""
    status = f" ({write.status})" if write.status else ""
    return f"{became(batch, write, {})}{status}"


def _without_effect(batch: Batch, write: Write, page: str | None) -> Iterator[HistoryRow]:
    """A write that was refused, not done, or of which nobody knows yet."""
    values = list(written(write.action)) or [("", None, None)]
    for name, before, after in values:
        yield HistoryRow(
            at=write.sent or write.opened, by=_US, side=write.side, target=write.action.target,
            field=name, batch=write.batch, what=headline(write.action), before=before,
            after=after, reason=write.action.reason, answer=_answer(batch, write),
            stored=False, write=write.intent, page=page,
        )  # fmt: skip


def _decided(one: Decision) -> HistoryRow:
    return HistoryRow(
        at=one.at, by=one.who or "somebody", side="us", target=one.subject, field=one.kind,
        batch=one.batch or 0, after=one.outcome or None, reason=one.reason,
        rule="a person", answer="" if one.batch is not None else "it waits for the next batch",
    )  # fmt: skip
