"""What is overdue now, from the state alone: no call to a vendor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from syncjob.config import Config
from syncjob.core.actions import Action, InvoiceDraft
from syncjob.core.aging import NO_OWNER, Overdue, OverdueReport, overdue_report
from syncjob.core.records import Contact, CrmReference, Deal, Invoice, LedgerReference
from syncjob.core.rules.early import not_overdue
from syncjob.core.rules.settlement import invoice_state
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch
from syncjob.engine.cases import created_by
from syncjob.engine.telling import muted
from syncjob.errors import Park
from syncjob.notices.summary import SUMMARY, period_of, summaries
from syncjob.state.database import State


def report_overdue(config: Config, state: State, now: datetime) -> OverdueReport:
    """All overdue invoices of deals, as of the last batch. Raises Park before the first one."""
    ledger = state.book.reference("ledger", LedgerReference)
    if ledger is None:
        raise Park(
            "No batch has read the ledger yet, so nothing is known of its invoices.",
            where=config.connection.name,
            next_step="Run `syncjob run` (or `syncjob plan`) first.",
        )
    today = now.astimezone(ZoneInfo(ledger[0].organisation.time_zone)).date()
    return overdue_report(config.connection.name, today, _rows(config, state, today))


def due_summaries(batch: Batch) -> list[Action]:
    """The managers' summaries that are due and have not been sent; looked for once a period,
    since they are a scan of all invoices."""
    policy, book = batch.config.notices.summary, batch.state.book
    if not policy.to or batch.config.mode == "read_only" or batch.options.deal is not None:
        return []
    period = period_of(batch.today, policy.every)
    if book.fact("nothing_overdue_in") == period.isoformat():
        return []
    told = {t.person for t in batch.state.notes.of([SUMMARY]) if t.due == period}
    to = [who for who in policy.to if who not in told]
    if not to:
        return []
    now = batch.ledger.server_time() or batch.clock.now()
    found = summaries(report_overdue(batch.config, batch.state, now), to, period)
    if not found:
        with batch.state.commit():
            book.note("nothing_overdue_in", period.isoformat())
    return found


def _rows(config: Config, state: State, today: date) -> Iterator[Overdue]:
    crm = state.book.reference("crm", CrmReference)
    users = {user.id: one_line(user.name) for user in crm[0].users} if crm else {}
    for deal_id, invoice_id in state.links.owed_invoices():
        invoice = state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
        deal = state.snapshots.get("crm", "deals", state.merges.survivor("deals", deal_id), Deal)
        if invoice is None or deal is None or invoice.due_date is None:
            continue
        found = invoice_state(as_judged(config, state, invoice), today, config.overdue)
        if not found.overdue:
            continue
        yield Overdue(
            deal_id=deal.id, title=one_line(deal.title),
            owner=users.get(deal.owner_id or "", NO_OWNER), customer=customer_of(state, invoice),
            number=invoice.number or invoice.id, currency=invoice.currency, total=invoice.total,
            due=invoice.due, due_date=invoice.due_date, days=found.days_overdue,
            muted=muted(config, state, deal, today) is not None,
            invoice_page=invoice.page, deal_page=deal.page,
        )  # fmt: skip


def as_judged(config: Config, state: State, invoice: Invoice) -> Invoice:
    """The invoice as the deal's flag is decided: a discount that was taken in time is no debt."""
    part = state.links.part_of_invoice(invoice.id)
    action = created_by(state, part.marker) if part else None
    if action is None or not isinstance(action.payload, InvoiceDraft):
        return invoice
    return not_overdue(action.payload.early, config.invoices.terms.early.evidence, invoice)


def customer_of(state: State, invoice: Invoice) -> str:
    if invoice.contact_id is None:
        return ""
    contact = state.snapshots.get("ledger", "contacts", invoice.contact_id, Contact)
    return one_line(contact.name) if contact else ""
