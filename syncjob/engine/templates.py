"""The ledger's repeating invoices: read as a whole, tied to their deals, with what they make.

Keeps invariants 1 and 2 for templates: before one is made the whole list is read, and what bears
our marker there is adopted. One that cannot be read is told and left as it was known (invariant
10); as long as it may be a deal's own, that deal gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from syncjob.connectors.base import Templates, UnreadTemplate
from syncjob.core.actions import Issue
from syncjob.core.records import Invoice, Template
from syncjob.engine.auditing import audit_adoption
from syncjob.engine.batch import Batch
from syncjob.engine.marked import marked_paper
from syncjob.engine.walking import stream_unreadable, unreadable
from syncjob.errors import SchemaDrift
from syncjob.state.journal import Intent
from syncjob.state.papers import TemplateLink

#: While one of our templates is a draft somebody may approve it at any time; else it rests. The
#: list has no "modified since" (facts: xero, 3), so each look costs a call.
DRAFT_RECHECK = timedelta(minutes=60)
RECHECK = timedelta(hours=24)
#: The list, as it is named among what this batch has walked or could not read.
_LIST = "ledger.templates"
#: Issues about one that cannot be read begin so.
_UNREAD = "templates:"
#: Of every deal.
_ANY = ""


def pull_templates(batch: Batch) -> None:
    """Read the ledger's repeating invoices if a look is due; nothing without recurring lines."""
    papers = batch.state.papers
    if batch.config.invoices.recurring != "template" and not papers.any_templates():
        return
    if batch.state.book.fact("recovering_since") is None and not _due(batch):
        return
    read_templates(batch)


def read_templates(batch: Batch) -> None:
    """Read all repeating invoices, once a batch: one call."""
    if _LIST not in batch.walked and _LIST not in batch.unread:
        read_list(batch)


def read_list(batch: Batch) -> Templates | None:
    """All repeating invoices as they are now, stored and told of; None if the list cannot be read,
    which is told. One call."""
    recovering = batch.state.book.fact("recovering_since") is not None
    if recovering and batch.ledger.server_time() is None:
        batch.ledger.identity()  # any answer tells the server's time; our clock may be off
    started = batch.ledger.server_time() or batch.clock.now()
    try:
        listed = batch.ledger.templates()
    except SchemaDrift as error:
        batch.unsure_templates = frozenset({_ANY})
        stream_unreadable(batch, "ledger", "templates", error)
        return None
    with batch.state.commit():
        store_templates(batch, listed.records)
        _tell_unread(batch, listed)
        batch.state.book.note("templates_read", batch.clock.now().isoformat())
    batch.walked[_LIST] = started
    return listed


def _due(batch: Batch) -> bool:
    last = batch.state.book.instant("templates_read")
    if last is None:
        return True
    if any(intent.action.kind.startswith("template.") for intent in _open(batch)):
        return True  # it may be there already, and what keeps us from seeing it is told
    rested = batch.clock.now() - last
    if rested >= DRAFT_RECHECK and batch.state.book.complained(_UNREAD):
        return True
    if not batch.state.papers.any_templates():
        return False
    if rested < DRAFT_RECHECK or rested >= RECHECK:
        return rested >= RECHECK
    get = batch.state.snapshots.get
    ids = (link.ledger_id for link in batch.state.papers.templates())
    records = (get("ledger", "templates", ledger_id, Template) for ledger_id in ids)
    return any(record is not None and record.status == "draft" for record in records)


def _open(batch: Batch) -> list[Intent]:
    return batch.state.journal.open_intents()


# --- those that cannot be read --------------------------------------------------------------------


def _tell_unread(batch: Batch, listed: Templates) -> None:
    """Tell those that cannot be read, and nothing more of those that can, or are gone; call it
    inside a commit."""
    batch.unsure_templates = frozenset(
        deal for one in listed.unread for deal in _may_be_of(batch, one)
    )
    batch.raise_issues(unreadable("templates", one.id, one.words) for one in listed.unread)
    strange = {f"{_UNREAD}{one.id}" for one in listed.unread}
    settled = batch.state.book.complained(_UNREAD) - strange
    for subject in (*settled, f"stream:{_LIST}"):
        batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())


def _may_be_of(batch: Batch, one: UnreadTemplate) -> Iterator[str]:
    """The deals whose repeating invoice it may be."""
    link = batch.state.papers.template_of(one.id)
    if link is not None:
        yield link.deal
    elif one.marker == "":
        yield _ANY
    else:
        marked = marked_paper(batch, one.marker, "r")
        if marked is not None:
            yield marked[0]


def unsure_of(batch: Batch, deals: Iterable[str]) -> bool:
    """Whether the ledger shows a repeating invoice that cannot be read and may be of one of these
    deals: as far as this batch has looked, which is before one is made."""
    return not batch.unsure_templates.isdisjoint((_ANY, *deals))


# --- whose they are -------------------------------------------------------------------------------


def store_templates(batch: Batch, records: Iterable[Template]) -> None:
    """Store them, adopt what bears our marker, wake the deals whose template changed; call it
    inside a commit. Those in use go first: a deleted one is adopted where there is no other."""
    for record in sorted(records, key=lambda one: one.status == "deleted"):
        put = batch.state.snapshots.put(
            "ledger", "templates", [record], batch=batch.id, strong=True
        )
        link = _adopt(batch, record)
        if link is not None and put.changed:
            batch.state.snapshots.want([link.deal], "its repeating invoice changed")


def _adopt(batch: Batch, record: Template) -> TemplateLink | None:
    """The deal's template that this is; tied now if it bears our marker and its place is free. One
    that a person deleted is, too: a state that never knew it must not make it again."""
    papers = batch.state.papers
    link = papers.template_of(record.id)
    marked = marked_paper(batch, record.marker, "r")
    if link is not None or marked is None:
        return link
    assert record.marker is not None
    link = TemplateLink(record.marker, *marked, record.id)
    if papers.add_template(link, batch=batch.id):
        if not batch.state.journal.knows_marker(record.marker):
            says = {"link": record.id, "status": record.status}
            audit_adoption(batch, f"template:{record.marker}", link.deal, says, how="marker")
        batch.counts["adopted"] += 1
        batch.log.info("link.created", kind="template", deal=link.deal, ledger=record.id)
        return link
    if record.status != "deleted":
        batch.raise_issues([_second(record, link)])
    return None


def _second(record: Template, link: TemplateLink) -> Issue:
    return Issue(
        code="duplicate_template", subject=f"template:{record.id}", page=record.page, state="note",
        what=f"A second repeating invoice bears the marker {link.marker} of deal {link.deal}.",
        next_step="Delete the one that is too many in the ledger (Repeating), or take the marker "
        "out of its reference.",
    )  # fmt: skip


def tie_repeat(batch: Batch, invoice: Invoice) -> str | None:
    """The deal that an invoice made by a template belongs to; None if no template of ours made it.

    Tied by the template's id, else by the marker that it copied from the template's reference.
    Call it inside a commit.
    """
    papers = batch.state.papers
    known = papers.deal_of_repeat(invoice.id)
    if known is not None:
        return known
    link = papers.template_of(invoice.repeating_id) if invoice.repeating_id else None
    deal = link.deal if link else _marked_deal(batch, invoice)
    if deal is None:
        return None
    papers.add_repeat(invoice.id, deal, invoice.repeating_id or "", batch=batch.id)
    batch.log.info("link.created", kind="repeat", deal=deal, ledger=invoice.id)
    return deal


def _marked_deal(batch: Batch, invoice: Invoice) -> str | None:
    found = marked_paper(batch, invoice.reference, "r") if invoice.repeating_id else None
    return found[0] if found else None
