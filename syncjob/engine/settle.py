"""Find out what became of every open intent: by look-up, never by sending it again.

Keeps invariants 3, 4 (patience) and 16 (it recovers itself). This is the ordinary start of every
batch, not a special path for crashes.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import cast

from syncjob.connectors.base import AnyRecord, Connector
from syncjob.core.actions import (
    ContactChange,
    DealChange,
    InvoiceChange,
    InvoiceEmail,
    InvoiceUpdate,
    TemplateChange,
)
from syncjob.core.records import Deal
from syncjob.core.rulings import STAGE
from syncjob.engine.auditing import audit_unsure, audit_write
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import get
from syncjob.engine.contacts.stored import agree
from syncjob.engine.outcomes import Known, forgive, stored
from syncjob.engine.papers import email_stored
from syncjob.engine.telling import remember
from syncjob.errors import SchemaDrift
from syncjob.state.journal import Intent, JournaledCall


def settle(batch: Batch) -> None:
    """Settle what earlier batches left open."""
    intents = batch.state.journal.open_intents()
    calls = {i.call: batch.state.journal.call(i.call) for i in intents}
    unsent = [i for i in intents if calls[i.call].sends == 0]
    for intent in unsent:
        _void(batch, intent, "its bytes never left")
    sent = [i for i in intents if calls[i.call].sends > 0 and i.side != "people"]
    for intent in (i for i in intents if calls[i.call].sends > 0 and i.side == "people"):
        _message(batch, intent)
    _creates(batch, [i for i in sent if i.action.creates], calls)
    _changes(batch, [i for i in sent if not i.action.creates], calls)
    batch.progress("settle", len(intents), len(intents))


def _message(batch: Batch, intent: Intent) -> None:
    """Nobody can say whether a message arrived: it is never sent again (invariant 9), and the next
    one to the same person names what it was about."""
    with batch.state.commit():
        remember(batch, intent.action, sure=False)
        audit_unsure(batch, intent)
        batch.state.journal.end(intent.id, "void", "whether it arrived is not known")
    batch.counts["unknown"] += 1
    batch.log.warning("message.unknown", intent=intent.id, target=intent.action.target)


def _creates(batch: Batch, intents: list[Intent], calls: dict[int, JournaledCall]) -> None:
    """Look for the markers among everything that changed since the oldest of these calls."""
    groups: dict[tuple[str, str], list[Intent]] = defaultdict(list)
    for intent in intents:
        groups[intent.side, intent.action.kind].append(intent)
    for (_, kind), members in groups.items():
        connector = batch.side(members[0].side)
        since = min(sent_from(calls[i.call]) for i in members)
        markers = [i.action.marker or "" for i in members]
        try:
            found = connector.find(kind, markers, since - connector.capabilities.lookback)
        except SchemaDrift as error:  # what cannot be read is neither there nor not there
            batch.counts["waiting"] += len(members)
            batch.log.warning("intent.hidden", kind=kind, why=str(error))
            continue
        for intent in members:
            record = found.get(intent.action.marker or "")
            if record is not None:
                _found(batch, intent, record)
            else:
                _void_if_patient(batch, intent, calls[intent.call], connector)


def _changes(batch: Batch, intents: list[Intent], calls: dict[int, JournaledCall]) -> None:
    """Read the records again and compare them with what was sent, field by field."""
    streams: dict[tuple[str, str], list[Intent]] = defaultdict(list)
    for intent in intents:
        streams[intent.side, _stream(intent)].append(intent)
    for (_, stream), members in streams.items():
        connector = batch.side(members[0].side)
        size = connector.capabilities.get_batch.get(stream, 1)
        ids = sorted({_record_id(i) for i in members})
        records: dict[str, AnyRecord] = {}
        unread: set[str] = set()
        for start in range(0, len(ids), size):
            answered = get(batch, connector.side, stream, ids[start : start + size])
            records.update({r.id: cast("AnyRecord", r) for r in answered.records})
            unread |= answered.unread
        for intent in members:
            if _record_id(intent) in unread:
                batch.counts["waiting"] += 1
                continue
            _compare(batch, intent, calls[intent.call], connector, records.get(_record_id(intent)))


def _compare(
    batch: Batch, intent: Intent, call: JournaledCall, connector: Connector,
    record: AnyRecord | None,
) -> None:  # fmt: skip
    if record is None:
        _void_if_patient(batch, intent, call, connector)
        return
    wanted, current = _forms(connector, intent, record)
    landed = {field for field, value in wanted.items() if current.get(field) == value}
    if landed == set(wanted):
        _found(batch, intent, record)
        return
    if not is_patient(batch, call, connector):
        batch.counts["waiting"] += 1
        return
    with batch.state.commit():
        if landed:
            audit_write(batch, intent, {field: wanted[field] for field in landed})
        if landed and isinstance(intent.action.payload, DealChange):
            part = {field: wanted[field] for field in landed}
            asked = {f: intent.action.payload.fields.get(f) for f in landed}
            batch.state.links.agree(intent.side, intent.action.target, asked, part)
        if landed and isinstance(intent.action.payload, ContactChange):
            key = intent.action.subject.removeprefix("contact:")
            agree(batch, intent.action, key, {field: wanted[field] for field in landed})
    if isinstance(intent.action.payload, InvoiceEmail):
        with batch.state.commit():  # it may have gone out all the same: never again (invariant 9)
            email_stored(batch, intent.action.payload, sure=False)
            audit_unsure(batch, intent)
    _void(batch, intent, "the record does not show it after the patience")


def _forms(
    connector: Connector, intent: Intent, record: AnyRecord
) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """What was sent and what stands now, by field; of a move that stands alone, the stage."""
    change = intent.action.payload
    move = change.move if isinstance(change, DealChange) and not change.fields else None
    if move is not None and isinstance(record, Deal):
        return {STAGE: move.stage_id}, {STAGE: record.stage_id}
    return connector.stored_form(intent.action), connector.current_form(intent.action, record)


def _found(batch: Batch, intent: Intent, record: AnyRecord) -> None:
    known = record if isinstance(record, Known) else None
    with batch.state.commit():
        stored(batch, intent, known, settled=True)
        batch.state.journal.end(intent.id, "done", "found")
        forgive(batch, [intent.action.target])
        _want(batch, intent)
    batch.counts["settled"] += 1
    batch.log.info("intent.settled", intent=intent.id, target=intent.action.target, how="found")


def _void_if_patient(
    batch: Batch, intent: Intent, call: JournaledCall, connector: Connector
) -> None:
    if is_patient(batch, call, connector):
        _void(batch, intent, "not found after the patience")
    else:
        batch.counts["waiting"] += 1


def is_patient(batch: Batch, call: JournaledCall, connector: Connector) -> bool:
    """Whether the server's own clock shows that the call can no longer appear or land."""
    now = connector.server_time()
    if now is None:
        connector.identity()  # any answer tells the server's time
        now = connector.server_time()
    return now is not None and now >= sent_from(call) + connector.capabilities.patience


def sent_from(call: JournaledCall) -> datetime:
    """The server's time at the send; our own clock's where no answer had ever shown it."""
    known = call.server_time or call.sent_at
    assert known is not None
    return known


def _void(batch: Batch, intent: Intent, why: str) -> None:
    with batch.state.commit():
        batch.state.journal.end(intent.id, "void", why)
        _want(batch, intent)
    batch.counts["voided"] += 1
    batch.log.info("intent.settled", intent=intent.id, target=intent.action.target, how=why)


def _want(batch: Batch, intent: Intent) -> None:
    kind, _, record = intent.action.subject.partition(":")
    why = "its last write was settled"
    if kind == "contact":
        batch.state.contacts.want([record], why)
    elif kind == "deal":  # the deals of a digest have kept their place
        batch.state.snapshots.want([record], why)


def _stream(intent: Intent) -> str:
    if isinstance(intent.action.payload, DealChange):
        return "deals"
    if isinstance(intent.action.payload, TemplateChange):
        return "templates"
    invoices = isinstance(intent.action.payload, InvoiceChange | InvoiceUpdate | InvoiceEmail)
    return "invoices" if invoices else "contacts"


def _record_id(intent: Intent) -> str:
    payload = intent.action.payload
    if isinstance(payload, DealChange):
        return payload.deal_id
    if isinstance(payload, TemplateChange):
        return payload.template_id
    if isinstance(payload, InvoiceChange | InvoiceUpdate | InvoiceEmail):
        return payload.invoice_id
    return getattr(payload, "contact_id", "")
