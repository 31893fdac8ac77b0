"""The report page: gathered from the state after a batch, and written as one file.

The money is a scan of all invoices, so it is counted anew only when something has changed, and
for a thousandth of the time at most; what is shown says as of when it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from syncjob.clock import Clock
from syncjob.config import Config
from syncjob.core.aging import NO_OWNER
from syncjob.core.money_view import MoneyView, Sale, money_view
from syncjob.core.page import MONEY_CHANGED, MONEY_FACT, PageReport
from syncjob.core.records import CrmReference, Deal, Invoice, LedgerReference
from syncjob.core.rules.settlement import invoice_state
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch
from syncjob.engine.overdue import as_judged, customer_of
from syncjob.engine.status import batch_reports, status_report
from syncjob.errors import StateError
from syncjob.reports.report_page import report_page
from syncjob.state.database import State, written
from syncjob.state.files import replace_private

#: How many of the last batches the page lists.
BATCHES_SHOWN = 20
#: So many invoices are read and counted together, and no more of them are in memory at a time.
GROUP = 500
#: Counting the money may take one part in so many of the time.
SHARE = 1_000


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The money as it was counted last, when, and how long it took."""

    money: MoneyView
    at: datetime
    seconds: float = 0.0


def write_page(batch: Batch) -> None:
    """Write the page after a batch, where the config names one; it never makes a batch fail."""
    where, options = batch.config.connection.page, batch.options
    if where is None or options.deal is not None or options.dry_run:
        return
    path = batch.config.resolve(where)
    try:
        counted = _up_to_date(batch)
        store_page(path, gather(batch.config, batch.state, batch.clock.now(), counted))
    except StateError as error:
        batch.log.warning("page.lost", where=str(path), why=error.what)


def page_now(config: Config, state: State, clock: Clock) -> PageReport:
    """The page's content with the money counted anew; writes nothing."""
    return gather(config, state, clock.now(), _count(config, state, clock))


def store_page(path: Path, page: PageReport) -> None:
    """Write the page whole or not at all, with mode 0600: it names customers and amounts.

    Raises StateError if the disk is full or the place must not be written.
    """
    with written(path):
        replace_private(path, report_page(page).encode())


def gather(config: Config, state: State, now: datetime, counted: Counted | None) -> PageReport:
    """What the page shows; the money is given."""
    return PageReport(
        status=status_report(config, state, now, counted=False),
        batches=batch_reports(config, state, BATCHES_SHOWN),
        money=counted.money if counted else None,
        money_at=counted.at if counted else None,
    )


# --- the money ------------------------------------------------------------------------------------


def _up_to_date(batch: Batch) -> Counted | None:
    """The money as of this batch, or as it was counted last where that costs too much."""
    state, now = batch.state, batch.clock.now()
    body = state.book.fact(MONEY_FACT)
    known = msgspec.json.decode(body, type=Counted) if body else None
    if known is not None:
        zone = _zone(state)
        same_day = zone is not None and known.money.today == now.astimezone(zone).date()
        if same_day and state.book.fact(MONEY_CHANGED) is None:
            return known
        if now - known.at < timedelta(seconds=SHARE * known.seconds):
            return known
    counted = _count(batch.config, state, batch.clock)
    if counted is not None:
        with state.commit():
            state.book.note(MONEY_FACT, msgspec.json.encode(counted).decode())
            state.book.note(MONEY_CHANGED, None)
    return counted


def _count(config: Config, state: State, clock: Clock) -> Counted | None:
    began, now = clock.monotonic(), clock.now()
    zone = _zone(state)
    if zone is None:
        return None
    today = now.astimezone(zone).date()
    money = money_view(_sales(config, state, today, zone), today)
    return Counted(money=money, at=now, seconds=clock.monotonic() - began)


def _zone(state: State) -> ZoneInfo | None:
    """The organisation's time zone, None before the ledger was read."""
    ledger = state.book.reference("ledger", LedgerReference)
    return ZoneInfo(ledger[0].organisation.time_zone) if ledger else None


def _sales(config: Config, state: State, today: date, zone: ZoneInfo) -> Iterator[Sale]:
    """Every live invoice of a deal, those of repeating invoices among them."""
    crm = state.book.reference("crm", CrmReference)
    users = {user.id: one_line(user.name) for user in crm[0].users} if crm else {}
    owed = state.links.owed_invoices()
    for start in range(0, len(owed), GROUP):
        group = owed[start : start + GROUP]
        with state.gathering():
            sales = [
                _sale(config, state, deal_id, deal, invoice, users, today, zone)
                for deal_id, deal, invoice in _owed(state, group)
            ]
        yield from sales


def _owed(state: State, group: Sequence[tuple[str, str]]) -> list[tuple[str, Deal | None, Invoice]]:
    """A group of live invoices with their deals, by the ids that these have now, and what else
    they need, in one statement a kind; call it within `State.gathering`."""
    ids = [invoice for _, invoice in group]
    now, get = state.merges.survivor, state.snapshots.get
    group = [(now("deals", deal), invoice) for deal, invoice in group]
    state.snapshots.fetch("crm", "deals", (deal for deal, _ in group))
    state.snapshots.fetch("ledger", "invoices", ids)
    state.links.fetch_parts_of(invoices=ids)
    parts = map(state.links.part_of_invoice, ids)
    state.journal.fetch(markers=[part.marker for part in parts if part])
    found = [(deal, get("ledger", "invoices", invoice, Invoice)) for deal, invoice in group]
    live = [(deal, one) for deal, one in found if one and one.status not in ("voided", "deleted")]
    contacts = (invoice.contact_id for _, invoice in live)
    state.snapshots.fetch("ledger", "contacts", [contact for contact in contacts if contact])
    return [(deal, get("crm", "deals", deal, Deal), invoice) for deal, invoice in live]


def _sale(
    config: Config, state: State, deal_id: str, deal: Deal | None, invoice: Invoice,
    users: dict[str, str], today: date, zone: ZoneInfo,
) -> Sale:  # fmt: skip
    found = invoice_state(as_judged(config, state, invoice), today, config.overdue)
    won = deal.won_at.astimezone(zone).date() if deal and deal.won_at else None
    return Sale(
        deal_id=deal_id, title=one_line(deal.title) if deal else "",
        owner=users.get((deal.owner_id if deal else None) or "", NO_OWNER),
        customer=customer_of(state, invoice), number=invoice.number or "",
        currency=invoice.currency, word=found.word, total=invoice.total, due=invoice.due,
        paid=invoice.paid, credited=invoice.credited, on=invoice.date,
        due_date=invoice.due_date, won_on=won, days=found.days_overdue if found.overdue else 0,
        cash=tuple(
            (one.date, one.amount)
            for one in invoice.settlements
            if one.kind != "credit_note" and one.date
        ),
        deal_page=deal.page if deal else None, invoice_page=invoice.page,
    )  # fmt: skip
