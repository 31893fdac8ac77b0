"""What hangs on a deal's invoices, as the engine reads and remembers it: templates and what they
made, the customer's page, when an address changed, how many e-mails may still go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from syncjob.core.actions import (
    CreditDraft,
    InvoiceChange,
    InvoiceEmail,
    TemplateChange,
    TemplateDraft,
)
from syncjob.core.case_after import After, TemplateCase
from syncjob.core.markers import parse_other_marker
from syncjob.core.records import Contact, CreditNote, Deal, Invoice, Template
from syncjob.core.rules.mailing import Mailing
from syncjob.engine.batch import Batch
from syncjob.engine.candidates import survivor
from syncjob.engine.credits import notes_about
from syncjob.engine.templates import read_templates, store_templates, unsure_of
from syncjob.errors import SchemaDrift
from syncjob.state.papers import Credit, OnlineLink, TemplateLink

if TYPE_CHECKING:
    from syncjob.core.case import Case

#: Customers' pages are a call each (facts: xero, 1): a backlog is spread over batches.
PAGES_MAX = 30
#: A page that is not there is asked for again after so long each time: the answer may have come
#: before the approval was known everywhere. Then the organisation has none (Xero says of drafts
#: alone that they have no page; facts: xero, 3), and nobody asks any more. A wait of days ends with
#: the organisation's day, on which its deal is woken: it would be decided in each batch till then.
PAGE_AGAIN = (timedelta(hours=1), timedelta(days=1), timedelta(days=3))
#: How long e-mails rest after the ledger said that its day's limit is reached.
EMAILS_REST = timedelta(hours=24)


# --- what became of our writes -------------------------------------------------------------------


def paper_stored(
    batch: Batch, payload: TemplateDraft | TemplateChange | CreditDraft | InvoiceEmail,
    record: object,
) -> None:  # fmt: skip
    """A template is tied to its deal, a credit note and an e-mail are remembered; call it inside
    a commit."""
    if isinstance(payload, CreditDraft):
        _credit_stored(batch, payload, record)
    elif isinstance(payload, InvoiceEmail):
        email_stored(batch, payload, sure=True)
    elif isinstance(payload, TemplateChange):
        template_cancelled(batch, payload, record)
    else:
        assert isinstance(record, Template)
        store_templates(batch, [record])


def _credit_stored(batch: Batch, draft: CreditDraft, record: object) -> None:
    """Remember the credit note that a person had made; call it inside a commit."""
    assert isinstance(record, CreditNote)
    parsed = parse_other_marker(draft.marker)
    assert parsed is not None
    made = Credit(draft.marker, parsed[1], draft.invoice_id, record.id, record.number,
                  draft.request)  # fmt: skip
    batch.state.papers.add_credit(made, batch=batch.id)
    batch.state.snapshots.put("ledger", "credit_notes", [record], batch=batch.id, strong=True)


def invoice_cancelled(batch: Batch, change: InvoiceChange) -> None:
    """A draft was deleted at a person's word: it is theirs to have it issued anew. Call it inside
    a commit."""
    part = batch.state.links.part_of_invoice(change.invoice_id)
    assert part is not None
    batch.state.links.cancelled(change.invoice_id)
    batch.state.papers.cancel(
        part.marker, part.deal, who=change.cancelled_by, reason=change.why, at=batch.clock.now(),
        batch=batch.id,
    )  # fmt: skip


def template_cancelled(batch: Batch, change: TemplateChange, record: object) -> None:
    """A repeating invoice was deleted at a person's word; call it inside a commit."""
    assert isinstance(record, Template)
    store_templates(batch, [record])
    link = batch.state.papers.template_of(record.id)
    if link is not None:
        batch.state.papers.cancel(
            link.marker, link.deal, who=change.cancelled_by, reason=change.why,
            at=batch.clock.now(), batch=batch.id,
        )  # fmt: skip


def email_stored(batch: Batch, email: InvoiceEmail, *, sure: bool) -> None:
    """The invoice was e-mailed, or may have been; call it inside a commit."""
    at = batch.ledger.server_time() or batch.clock.now()
    batch.state.papers.mail(email.invoice_id, "sent" if sure else "unknown", at)


# --- what the rules see --------------------------------------------------------------------------


def load_after(
    batch: Batch, deal_id: str, invoices: Sequence[Invoice], contacts: set[str]
) -> After:
    """What comes after the invoices of one deal, as the state knows it."""
    state, papers = batch.state, batch.state.papers
    changes = {contact: papers.address_change(contact) for contact in contacts}
    mailed = {invoice.id: papers.mailed(invoice.id) for invoice in invoices}
    pages = {invoice.id: papers.online_link(invoice.id) for invoice in invoices}
    olds = state.merges.merged_into("deals", deal_id)  # what hangs on them need not have moved
    repeats = (
        state.snapshots.get("ledger", "invoices", invoice, Invoice)
        for deal in (deal_id, *olds)
        for invoice in papers.repeats(deal)
    )
    template, others = _templates(batch, deal_id)
    others += [link for old in olds for link in papers.templates(old)]
    merged = (_record(batch, link) for link in others)
    made = [invoice for invoice in repeats if invoice is not None]
    open_issues = state.book.open_issues(f"deal:{deal_id}") if template else []
    return After(
        template=template,
        repeats=tuple(made),
        credit_notes=tuple(note for one in made for note in notes_about(batch, one)),
        merged=tuple(template for template in merged if template is not None),
        recurs=_recurs(batch, deal_id),
        unseen=unsure_of(batch, (deal_id, *olds)),
        changed=state.snapshots.batch_of("crm", "deals", deal_id) == batch.id,
        told=frozenset(found.issue.code for found in open_issues),
        mailed={invoice: known for invoice, known in mailed.items() if known is not None},
        online={i: page.url for i, page in pages.items() if page and not _is_due(batch, page)},
        page_days={
            i: at.astimezone(batch.zone).date()
            for i, page in pages.items()
            if page and (at := _page_again(batch, page))
        },
        address_changes={contact: at for contact, at in changes.items() if at is not None},
    )


def _recurs(batch: Batch, deal_id: str) -> bool:
    """Whether the deal had recurring lines when they were last read, or may have: a new state has
    read none. Asked where it matters."""
    if batch.config.invoices.recurring != "template":
        return False
    details = batch.state.snapshots.get("crm", "details", deal_id, Deal)
    return details is None or any(line.billing for line in details.lines or ())


def _templates(batch: Batch, deal_id: str) -> tuple[TemplateCase | None, list[TemplateLink]]:
    """The deal's template, the newest that is in use, else the newest; and its others, which came
    with a deal that was merged into it."""
    links = batch.state.papers.templates(deal_id)
    if not links:
        return None, []
    records = [_record(batch, link) for link in links]
    used = [n for n, one in enumerate(records) if one is None or one.status != "deleted"]
    chosen = used[-1] if used else len(links) - 1
    link = links[chosen]
    made = batch.state.journal.made(link.marker)
    created = made.payload if made and isinstance(made.payload, TemplateDraft) else None
    case = TemplateCase(
        marker=link.marker, generation=link.generation, record=records[chosen], created=created,
        bills=frozenset(_bills(batch, created, records[chosen])),
    )  # fmt: skip
    return case, [one for one in links if one is not link]


def _bills(batch: Batch, *known: TemplateDraft | Template | None) -> Iterator[str]:
    """Whom these bill, with the contacts that theirs were merged into."""
    for contact_id in filter(None, (one.contact_id for one in known if one)):
        yield contact_id
        contact = survivor(batch, contact_id)
        if contact is not None:
            yield contact.id


def _record(batch: Batch, link: TemplateLink) -> Template | None:
    return batch.state.snapshots.get("ledger", "templates", link.ledger_id, Template)


def mailing_of(batch: Batch) -> Mailing:
    """What holds for every e-mail now: since when, and whether any may still go today."""
    policy, ledger = batch.config.invoices.email, batch.ledger_reference
    if not policy.enabled or ledger is None:
        return Mailing()
    now = batch.ledger.server_time() or batch.clock.now()
    since = batch.state.book.fact("email_since")
    return Mailing(
        policy=policy, since=date.fromisoformat(since) if since else None,
        demo=ledger.organisation.demo, wait=_emails_wait(batch, now), now=now, zone=batch.zone,
    )  # fmt: skip


def _emails_wait(batch: Batch, now: datetime) -> str | None:
    until = batch.state.book.instant("emails_wait_until")
    if until is not None and now < until:
        return "the ledger e-mails no more today"
    if emails_left(batch) == 0:
        return f"{batch.config.invoices.email.daily_cap} invoices were e-mailed today, the limit"
    return None


def emails_left(batch: Batch) -> int:
    """How many e-mails may still go on the organisation's day."""
    midnight = datetime.combine(batch.today, time(), batch.zone)
    sent = batch.state.papers.mailed_since(midnight)
    return max(batch.config.invoices.email.daily_cap - sent, 0)


def note_email_since(batch: Batch) -> None:
    """The day on which e-mail was switched on: what is older is never mailed. Off forgets it."""
    enabled, known = batch.config.invoices.email.enabled, batch.state.book.fact("email_since")
    if enabled != (known is not None):
        with batch.state.commit():
            batch.state.book.note("email_since", batch.today.isoformat() if enabled else None)


def note_address(batch: Batch, contact: Contact) -> None:
    """Remember when a known contact's addresses change; call it inside a commit, before the
    contact's keys are renewed."""
    keys = batch.state.snapshots.keys
    if not keys(contact.id, "contact.name"):
        return  # new to us: nothing has changed
    mails = {mail.strip().casefold() for mail in (*contact.emails, *contact.copied)}
    known = set(keys(contact.id, "contact.mails"))
    if mails != known:
        at = batch.ledger.server_time() or batch.clock.now()
        batch.state.papers.address_changed(contact.id, at)


def mail_keys(contact: Contact) -> list[str]:
    """The addresses that an e-mail would go to, as they are indexed for `note_address`."""
    return sorted({mail.strip().casefold() for mail in (*contact.emails, *contact.copied)})


# --- fill ----------------------------------------------------------------------------------------


def papers_wanted(batch: Batch) -> bool:
    """Whether the config asks for anything that `fill_papers` reads."""
    policy = batch.config.invoices
    return policy.recurring == "template" or policy.online_link


def fill_papers(batch: Batch, cases: Sequence[Case]) -> None:
    """Read what the decisions on these deals need besides: templates before one is made, and the
    customer's page of approved invoices."""
    policy = batch.config.invoices
    if policy.recurring == "template" and any(map(_may_repeat, cases)):
        read_templates(batch)
    if policy.online_link:
        _pages(batch, cases)


def _may_repeat(case: Case) -> bool:
    """Whether a template may be made for this deal now."""
    template = case.after.template
    over = template is None or (template.record and template.record.status == "deleted")
    return bool(case.complete and case.after.recurs and over)


def _is_due(batch: Batch, page: OnlineLink) -> bool:
    again = _page_again(batch, page)
    return again is not None and batch.clock.now() >= again


def _page_again(batch: Batch, page: OnlineLink) -> datetime | None:
    """When a page that was not there is asked for again; None: never."""
    if page.url or page.missed > len(PAGE_AGAIN):
        return None
    asked = page.asked_at or datetime.fromtimestamp(0, UTC)
    wait = PAGE_AGAIN[max(page.missed, 1) - 1]
    if wait < timedelta(days=1):
        return asked + wait
    day = (asked + wait).astimezone(batch.zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), batch.zone)


def _pages(batch: Batch, cases: Sequence[Case]) -> None:
    wanted = [
        invoice.id
        for case in cases
        for invoice in case.standing_invoices
        if invoice.status in ("authorised", "paid") and invoice.id not in case.after.online
    ]
    for invoice in wanted[:PAGES_MAX]:
        url = None
        try:
            url = batch.ledger.online_link(invoice)
        except SchemaDrift as error:  # of one page; it is asked for again
            batch.log.warning("page.unreadable", invoice=invoice, why=str(error))
        with batch.state.commit():
            batch.state.papers.note_online_link(invoice, url, at=batch.clock.now())
        batch.breathe(heed_time=False)
