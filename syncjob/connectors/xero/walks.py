"""Reading Xero's lists: walks page by page, look-ups by id, look-ups by marker.

Pages are taken in the order of ids; a walk whose count shrinks while it is read begins again,
since a record may then have slipped from a page not yet read to one already read. What cannot be
read is set aside with its words, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from syncjob.connectors.base import AnyRecord, Page, Templates, UnreadTemplate, Walk
from syncjob.connectors.xero import codec_papers_read, codec_read
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.requests import IDS_MAX, SOURCES, Reads, Source
from syncjob.connectors.xero.values import Fields
from syncjob.core.markers import marker_in, other_marker_in
from syncjob.core.records import DEAD, Contact, CreditNote, Invoice, Template
from syncjob.errors import AuthFailed, Overflow, SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Channel, Request

#: How often one walk may begin again before the stream is left for the next batch.
RESTARTS_MAX = 3

Reader = Callable[[Fields, Pages], AnyRecord | None]
READERS: dict[str, Reader] = {
    "contacts": codec_read.contact,
    "invoices": codec_read.invoice,
    "payments": codec_read.payment,
    "credit_notes": codec_read.credit_note,
    "prepayments": codec_papers_read.prepayment,
    "overpayments": codec_papers_read.overpayment,
    "templates": codec_papers_read.template,
}


class _Sheet(msgspec.Struct, frozen=True):
    """One page as read: its elements, how many pages and records there are, the server's Date."""

    elements: list[Fields]
    page_count: int
    item_count: int
    at: datetime | None


class Lists:
    """Reads lists of one organisation through a channel."""

    def __init__(self, channel: Channel, reads: Reads) -> None:
        self._channel, self._reads = channel, reads

    def walk(self, stream: str, walk: Walk, pages: Pages) -> Iterator[Page]:
        """Every record changed since; positions are "page:count" of the page to read next."""
        source, reader = SOURCES[stream], READERS[stream]
        page, count = _position(walk.position)
        started, restarts = walk.started, 0
        while True:
            sheet = self._sheet(source, page, walk.since)
            started = started or sheet.at
            if started is None:
                raise SchemaDrift("Xero's answer has no Date.", where=f"Xero {source.plural}")
            if sheet.item_count < count:
                restarts += 1
                if restarts > RESTARTS_MAX:
                    raise Overflow(f"Xero's list of {source.plural} shrinks while it is read.")
                page, count = 1, 0
                continue
            done = page >= sheet.page_count
            page, count = page + 1, sheet.item_count
            yield _page(sheet, reader, pages, source, None if done else f"{page}:{count}", started)
            if done:
                return

    def get(self, stream: str, ids: Sequence[str], pages: Pages) -> list[AnyRecord]:
        """The records of these ids; one id by its own address, several in lists of 40, and those
        that a list leaves out one by one, so that a missing one is missing for certain."""
        reader = READERS[stream]
        # Read strictly: one that cannot be read must not look like one that is gone.
        records = (reader(fields, pages) for fields in self.elements(stream, ids).values())
        return [record for record in records if record is not None]

    def elements(self, stream: str, ids: Sequence[str], singly: int = 1) -> dict[str, Fields]:
        """The elements of `get`, by id, in the order of `ids`. Up to `singly` of them are read
        each at its own address, which no index delays."""
        source = SOURCES[stream]
        found: dict[str, Fields] = {}
        wanted = list(dict.fromkeys(id.lower() for id in ids))
        if len(wanted) > singly and stream in ("contacts", "invoices"):
            for start in range(0, len(wanted), IDS_MAX):
                answer = self.ask(self._reads.by_ids(source, wanted[start : start + IDS_MAX]))
                found |= _by_id(_elements(_body(answer, source), source), source)
        for id in wanted:
            if id not in found:
                answer = self.ask(self._reads.by_id(source, id), missing_ok=True)
                if answer.status != 404:
                    found |= _by_id(_elements(_body(answer, source), source), source)
        return {id: found[id] for id in wanted if id in found}

    def find_invoices(
        self, markers: Sequence[str], since: datetime, pages: Pages
    ) -> dict[str, AnyRecord]:
        """Sales invoices made by this app and changed since that bear one of these markers, dead
        ones included. The Reference is never searched with `where`: that only hints."""
        found: dict[str, AnyRecord] = {}
        mine = (("createdByMyApp", "true"),)
        for fields in self._all("invoices", since, mine):
            number = fields.text("InvoiceNumber")
            marker = marker_in(fields.text("Url"), fields.text("Reference"), number)
            if marker in markers:
                _keep(found, marker, codec_read.invoice(fields, pages))
        return found

    def find_contacts(
        self, markers: Sequence[str], since: datetime, pages: Pages
    ) -> dict[str, AnyRecord]:
        """Contacts changed since that bear one of these markers, archived ones included."""
        found: dict[str, AnyRecord] = {}
        for fields in self._all("contacts", since):
            marker = fields.text("ContactNumber")
            if marker in markers:
                _keep(found, marker, codec_read.contact(fields, pages))
        return found

    def find_credit_notes(
        self, markers: Sequence[str], since: datetime, pages: Pages
    ) -> dict[str, AnyRecord]:
        """Credit notes changed since that bear one of these markers, dead ones included."""
        found: dict[str, AnyRecord] = {}
        for fields in self._all("credit_notes", since):
            marker = other_marker_in(fields.text("Reference"))
            if marker in markers:
                _keep(found, marker, codec_read.credit_note(fields, pages))
        return found

    def templates(self, pages: Pages) -> Templates:
        """All repeating sales invoices, in one call: there is no list of the changed ones."""
        source = SOURCES["templates"]
        answer = self.ask(self._reads.one(source.plural))
        records: list[Template] = []
        unread: list[UnreadTemplate] = []
        for fields in _elements(_body(answer, source), source):
            try:
                record = codec_papers_read.template(fields, pages)
            except SchemaDrift as problem:
                marker = codec_papers_read.template_marker(fields)
                found = UnreadTemplate(id=_id_of(fields, source), words=str(problem), marker=marker)
                unread.append(found)
                continue
            if record is not None:
                records.append(record)
        return Templates(records=tuple(records), unread=tuple(unread))

    def find_templates(self, markers: Sequence[str], pages: Pages) -> dict[str, AnyRecord]:
        """Repeating sales invoices that bear one of these markers. Raises SchemaDrift if one that
        cannot be read may be what was not found."""
        listed = self.templates(pages)
        bearing = ((record.marker, record) for record in listed.records)
        found: dict[str, AnyRecord] = {m: one for m, one in bearing if m and m in markers}
        missing = {"", *markers} - set(found)
        hidden = next((one for one in listed.unread if one.marker in missing), None)
        if hidden is not None and len(missing) > 1:
            raise SchemaDrift(hidden.words, where=f"templates:{hidden.id}")
        return found

    def online_link(self, invoice_id: str) -> str | None:
        """Where the customer sees and pays the invoice; None if Xero shows no such page."""
        path = f"Invoices/{invoice_id}/OnlineInvoice"
        answer = self.ask(self._reads.one(path), missing_ok=True)
        if answer.status == 404:
            return None
        found = Fields(answer.json(), f"answer to GET {path}").objects("OnlineInvoices") or []
        return found[0].text("OnlineInvoiceUrl") if found else None

    def _all(
        self, stream: str, since: datetime, more: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Fields]:
        """Every element changed since, twice where the list shrank meanwhile."""
        page, count, restarts = 1, 0, 0
        while True:
            sheet = self._sheet(SOURCES[stream], page, since, more)
            if sheet.item_count < count and restarts < RESTARTS_MAX:
                page, count, restarts = 1, 0, restarts + 1
                continue
            yield from sheet.elements
            if page >= sheet.page_count:
                return
            page, count = page + 1, sheet.item_count

    def _sheet(
        self,
        source: Source,
        page: int,
        since: datetime | None,
        more: Sequence[tuple[str, str]] = (),
    ) -> _Sheet:
        answer = self.ask(self._reads.page(source, page, since, more))
        at = answer.server_time or self._channel.server_time()
        if answer.status == 304:
            return _Sheet([], 0, 0, at)
        return _sheet(answer, source, page, at)

    def ask(self, request: Request, *, missing_ok: bool = False) -> Answer:
        """The answer to a read: 200, 304, or 404 where that is an answer.

        Raises AuthFailed (403: the connection is gone), SchemaDrift for any other refusal.
        """
        answer = self._channel.read(request)
        if answer.status in (200, 304) or (missing_ok and answer.status == 404):
            return answer
        said = f"Xero answered {answer.status}: {excerpt(answer.body)}"
        if answer.status == 403:
            raise AuthFailed(
                said,
                where=request.url.partition("?")[0],
                next_step="Connect again (syncjob connect xero): the user left, lost the role, "
                "or the organisation was reset.",
            )
        raise SchemaDrift(
            said,
            where=request.url.partition("?")[0],
            next_step="Look at ledger.api_url, and at a proxy that may stand between.",
        )


def _position(position: str | None) -> tuple[int, int]:
    """(page to read, count of records when it was noted)."""
    page, _, count = (position or "1:0").partition(":")
    return int(page), int(count or 0)


def _body(answer: Answer, source: Source) -> Fields:
    return Fields(answer.json(), f"answer to GET {source.plural}")


def _elements(body: Fields, source: Source) -> list[Fields]:
    found = body.objects(source.plural)
    if found is None:
        raise SchemaDrift(f"Xero's answer has no {source.plural}.", where=body.what)
    for element in found:
        element.what = f"{source.plural[:-1]} {_id_of(element, source)}"
    return found


def _id_of(element: Fields, source: Source) -> str:
    """The element's id, or words where it has none that can be read."""
    try:
        return element.id(source.id) or "without an id"
    except SchemaDrift:
        return "without a readable id"


def _sheet(answer: Answer, source: Source, page: int, at: datetime | None) -> _Sheet:
    """The page, with the counts by which the walk ends: never by a short page, since a page size
    that Xero does not like is silently another."""
    body = _body(answer, source)
    elements, counts = _elements(body, source), body.object("pagination")
    if counts is None:
        if elements:
            raise SchemaDrift("Xero's answer does not say how many pages it has.", where=answer.url)
        return _Sheet([], 0, 0, at)
    read, total = int(counts.need_amount("page")), int(counts.need_amount("pageCount"))
    items = int(counts.need_amount("itemCount"))
    if read != page and total >= page:
        raise SchemaDrift(f"Xero gave page {read} where {page} was asked for.", where=answer.url)
    return _Sheet(elements if read == page else [], total, items, at)


def _page(
    sheet: _Sheet,
    reader: Reader,
    pages: Pages,
    source: Source,
    position: str | None,
    started: datetime,
) -> Page:
    records: list[AnyRecord] = []
    drift: list[tuple[str, str]] = []
    for fields in sheet.elements:
        try:
            record = reader(fields, pages)
        except SchemaDrift as problem:
            drift.append((_id_of(fields, source), str(problem)))
            continue
        if record is not None:
            records.append(record)
    return Page(records=tuple(records), position=position, started=started, drift=tuple(drift))


def _by_id(elements: Sequence[Fields], source: Source) -> dict[str, Fields]:
    return {element.need_id(source.id): element for element in elements}


def _keep(
    found: dict[str, AnyRecord], marker: str | None, record: Invoice | Contact | CreditNote
) -> None:
    """Of two that bear one marker the live one, then the one with the lower id."""
    if marker is None:
        return
    other = found.get(marker)
    if other is None or _rank(record) < _rank(other):
        found[marker] = record


def _rank(record: AnyRecord) -> tuple[bool, str]:
    dead = isinstance(record, Invoice | CreditNote) and record.status in DEAD
    return dead or (isinstance(record, Contact) and record.archived), record.id
