"""Pipedrive as a CRM: the contract of connectors/base.py on the v2 API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from syncjob.connectors.base import (
    AnyRecord,
    Capabilities,
    FieldWish,
    Page,
    Prepared,
    Problem,
    Stream,
    Walk,
)
from syncjob.connectors.pipedrive import account, answers, codec, notes, values, writing
from syncjob.connectors.pipedrive.client import PAGE_SIZE, V2Client, objects, vendor_words
from syncjob.connectors.pipedrive.codec import Names
from syncjob.connectors.pipedrive.endpoints import token_cost
from syncjob.connectors.pipedrive.limits import AT_ONCE
from syncjob.connectors.pipedrive.options import PipedriveOptions
from syncjob.connectors.pipedrive.reading import IDS_MAX, SOURCES, Reader
from syncjob.core.actions import Action, Outcome, Rejected
from syncjob.core.markers import parse_invoice_marker
from syncjob.core.needs import NOTHING, Needs
from syncjob.core.records import CrmReference, Deal, Organisation, Side
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Channel, Request

if TYPE_CHECKING:
    from syncjob.connectors.base import Crm

#: No page states an index lag of lists or how long a request may live; a timed-out PATCH may land
#: within the 60 s that proxies allow, and clocks of a cluster differ by seconds. Five minutes is
#: several times that, and costs one overlapping page.
_PATIENCE = timedelta(minutes=5)
_LOOKBACK = timedelta(minutes=5)


_CAPABILITIES = Capabilities(
    idempotency="none",
    patience=_PATIENCE,
    lookback=_LOOKBACK,
    batch={
        "deal.update": 1,
        "task.create": 1,
        "note.create": 1,
        "contact.mark": 1,
        "contact.update": 1,
        "crm_contact.create": 1,
    },
    at_once={"deal.update": AT_ONCE},
    get_batch={"deals": IDS_MAX, "contacts": IDS_MAX},
    page_size=dict.fromkeys(SOURCES, PAGE_SIZE),
    deletes="tombstone",
    deal_streams=("archived_deals",),
    poll_cost=token_cost("GET", "deals"),
    write_cost=token_cost("PATCH", "deals/1"),
    discount="line",
    tax="line",
)


class PipedriveConnector:
    """One Pipedrive account. Not for several threads at once."""

    name = "pipedrive"
    side: Side = "crm"

    def __init__(
        self, options: PipedriveOptions, channel: Channel, *, needs: Needs = NOTHING
    ) -> None:
        """`needs`: what the rules name of products and of the deal's own fields."""
        self._options, self._channel = options, channel
        self._client = V2Client(options.api_url, channel)
        self._needs = needs
        self._reader = Reader(self._client, needs, instalments=options.read_instalments)
        self._known: Names | None = None
        self.capabilities = msgspec.structs.replace(
            _CAPABILITIES, contact_fields=options.contact_values()
        )

    # --- reading -------------------------------------------------------------------------------

    def identity(self) -> Organisation:
        return codec.to_organisation(self._client.me())

    def server_time(self) -> datetime | None:
        return self._channel.server_time()

    def reference(self) -> CrmReference:
        return account.read_reference(self._client, categories=self._needs.categories)

    def use(self, reference: CrmReference) -> None:
        self._known = account.resolve(self._options, reference, self._needs.fields)
        self._reader.forget(dict(reference.categories or ()))

    def changes(self, stream: Stream, walk: Walk) -> Iterator[Page]:
        return self._reader.walk(stream, walk, self._names())

    def get(self, stream: Stream, ids: Sequence[str]) -> list[AnyRecord]:
        if stream in ("contacts", "organizations", "persons"):
            return list(self._reader.contacts(ids, self._names()))
        if stream in ("deals", "archived_deals"):
            return list(self._reader.deals(ids, self._names()))
        raise ValueError(f"Pipedrive has no stream {stream!r}")

    def details(self, deals: Sequence[Deal]) -> list[Deal]:
        return self._reader.details(deals)

    def find(self, kind: str, markers: Sequence[str], since: datetime) -> dict[str, AnyRecord]:
        """Contacts by our field on them; tasks and notes by the marker in their text, where the
        deal narrows the list of tasks if all are of one deal."""
        if kind == "crm_contact.create":
            return dict(self._reader.marked_contacts(markers, since, self._names()))
        if kind == "note.create":
            return dict(notes.marked_notes(self._client, markers, since))
        if kind != "task.create":
            raise ValueError(f"nothing of kind {kind!r} is created in Pipedrive")
        parsed = [parse_invoice_marker(marker) for marker in markers]
        deals = {p[1] if p and p[1].isdigit() else None for p in parsed}
        params: dict[str, Any] = {"sort_by": "id", "limit": PAGE_SIZE}
        params["updated_since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if len(deals) == 1 and None not in deals:
            params["deal_id"] = deals.pop()
        found: dict[str, AnyRecord] = {}
        for rows, _ in self._client.pages(partial(self._client.fetch, "activities"), params):
            for row in objects(rows):
                note = values.text(row, "note")
                for marker in markers:
                    if writing.bears(note, marker):
                        found.setdefault(marker, codec.to_activity(row, marker))
        return found

    # --- writing -------------------------------------------------------------------------------

    def unfit(self, action: Action) -> Rejected | None:
        """Why Pipedrive would refuse this; asking is not needed, the server's own refusal says
        the same, and an option that it has since yesterday is known to it first."""
        return writing.unfit(action, self.capabilities.contact_fields, self._names())

    def prepare(self, actions: Sequence[Action]) -> list[Prepared]:
        """One request an action. A person whose lists change is read first (one token), since a
        list replaces the whole."""
        now, names = self._reader.contact_item, self._names()
        return [writing.form(action, self._client, names, now) for action in actions]

    def outcomes(self, prepared: Prepared, answer: Answer) -> list[Outcome]:
        return [answers.outcome(action, answer, self._names()) for action in prepared.actions]

    def stored_form(self, action: Action) -> dict[str, str | None]:
        return writing.stored_form(action, self._names())

    def current_form(self, action: Action, record: AnyRecord) -> dict[str, str | None]:
        return writing.current_form(action, record, self._names())

    # --- set-up --------------------------------------------------------------------------------

    def check(self) -> list[Problem]:
        me = self._client.me()
        found = account.problems(self._options, self.reference(), me)
        return [*found, *self._reader.unknown_products()]

    def missing_fields(self, reference: CrmReference) -> list[FieldWish]:
        return account.missing_fields(self._options, reference)

    def create_fields(self, wishes: Sequence[FieldWish]) -> list[Request]:
        return [account.create_request(self._client, wish) for wish in wishes]

    def refusal(self, answer: Answer) -> str:
        try:
            return vendor_words(answer.json())
        except SchemaDrift:
            return excerpt(answer.body)

    def _names(self) -> Names:
        """The account's names: as given by the engine, else read once."""
        if self._known is None:
            self.use(self.reference())
        assert self._known is not None
        return self._known


if TYPE_CHECKING:

    def _is_a_crm(connector: PipedriveConnector) -> Crm:
        return connector
