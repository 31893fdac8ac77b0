"""HubSpot as a CRM: the contract of connectors/base.py on the dated API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

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
from syncjob.connectors.hubspot import (
    account,
    answers,
    check,
    codec,
    contact_writing,
    marked,
    refusals,
    searching,
    writing,
)
from syncjob.connectors.hubspot.batches import IDS_MAX
from syncjob.connectors.hubspot.client import Client
from syncjob.connectors.hubspot.limits import AT_ONCE
from syncjob.connectors.hubspot.names import Names
from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.connectors.hubspot.reading import OBJECTS, PAGES_TOGETHER, Reader
from syncjob.core.actions import Action, Outcome, Rejected
from syncjob.core.needs import NOTHING, Needs
from syncjob.core.records import CrmReference, Deal, Organisation, Side
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Channel, Request

if TYPE_CHECKING:
    from syncjob.connectors.base import Crm

#: The search's index is late by "a few moments" as the vendor says, and by minutes as others have
#: found, without a bound (facts: hubspot, 5c): fifteen minutes are walked twice, which costs a page
#: each time something changes, and the weekly walk over the lists finds what was later still.
_LOOKBACK = timedelta(minutes=15)
#: Reads by id and by the marker's own property do not lag; a timed-out write may land within the
#: minute that proxies allow, and tasks are looked for in the search as well.
_PATIENCE = timedelta(minutes=15)
#: Details of so many deals are asked for at once: their line items then come in full calls.
_DEALS_TOGETHER = 500

_PAGES = {
    "deals": searching.PAGE_MAX * PAGES_TOGETHER, "deleted_deals": searching.LIST_MAX,
    "touched_deals": searching.PAGE_MAX * PAGES_TOGETHER,
    "organizations": searching.PAGE_MAX, "persons": searching.PAGE_MAX,
}  # fmt: skip
_CAPABILITIES = Capabilities(
    idempotency="none",
    patience=_PATIENCE,
    lookback=_LOOKBACK,
    clock_resolution=timedelta(milliseconds=1),
    batch={
        "deal.update": writing.BATCH_MAX,
        "task.create": writing.BATCH_MAX,
        "note.create": writing.BATCH_MAX,
        "contact.mark": writing.BATCH_MAX,
        "contact.update": writing.BATCH_MAX,
        "crm_contact.create": writing.BATCH_MAX,
    },
    at_once={"deal.update": AT_ONCE},
    get_batch={"deals": _DEALS_TOGETHER, "contacts": IDS_MAX},
    page_size=_PAGES,
    deletes="tombstone",
    deal_streams=("deleted_deals", "touched_deals"),
    sweeps=True,
    discount="line",
    tax="line",
)


class HubSpotConnector:
    """One HubSpot account. Not for several threads at once."""

    name = "hubspot"
    side: Side = "crm"

    def __init__(
        self, options: HubSpotOptions, channel: Channel, *, needs: Needs = NOTHING
    ) -> None:
        """`needs`: what the rules name of the deal's own fields."""
        self._options, self._channel, self._needs = options, channel, needs
        self._client = Client(options.api_url, options.version, channel)
        self._reader = Reader(self._client, amount_is_sum=options.amount_is_sum)
        self._known: Names | None = None
        self._groups: dict[str, set[str]] = {}  # of properties, by kind of record
        self.capabilities = msgspec.structs.replace(
            _CAPABILITIES,
            contact_fields=options.contact_values(),
            contact_room=contact_writing.room(
                {
                    "organization": options.contact_fields.organization.names(),
                    "person": options.contact_fields.person.names(),
                }
            ),
        )

    # --- reading --------------------------------------------------------------------------------

    def identity(self) -> Organisation:
        return codec.to_organisation(account.account(self._client))

    def server_time(self) -> datetime | None:
        return self._channel.server_time()

    def reference(self) -> CrmReference:
        return account.read_reference(self._client)

    def use(self, reference: CrmReference) -> None:
        self._known = account.resolve(self._options, reference, self._needs.fields)
        self._reader.use_rates(account.rates(reference))

    def changes(self, stream: Stream, walk: Walk) -> Iterator[Page]:
        if stream not in OBJECTS:
            raise ValueError(f"HubSpot has no stream {stream!r}")
        return self._reader.walk(stream, walk, self._names())

    def get(self, stream: Stream, ids: Sequence[str]) -> list[AnyRecord]:
        if stream in ("contacts", "organizations", "persons"):
            return list(self._reader.contacts(ids, self._names()))
        if stream in ("deals", "deleted_deals"):
            return list(self._reader.deals(ids, self._names()))
        raise ValueError(f"HubSpot has no stream {stream!r}")

    def details(self, deals: Sequence[Deal]) -> list[Deal]:
        return self._reader.details(deals)

    def find(self, kind: str, markers: Sequence[str], since: datetime) -> dict[str, AnyRecord]:
        ask, names = self._client.ask, self._names()
        return marked.find(ask, self._reader.deleted, kind, markers, since, names)

    # --- writing --------------------------------------------------------------------------------

    def unfit(self, action: Action) -> Rejected | None:
        """Why HubSpot would refuse this, as far as our copy of the account's names can tell."""
        return writing.unfit(action, self.capabilities.contact_fields, self._names())

    def prepare(self, actions: Sequence[Action]) -> list[Prepared]:
        """As batches of one kind. Contacts whose phone numbers change are read first."""
        names = self._names()
        moment = self._channel.server_time() or self._clockless()

        def now(ids: Sequence[str]) -> dict[str, dict[str, object]]:
            return self._reader.properties_now(ids, names)

        return writing.forms(actions, self._client.form, names, now, moment.astimezone(UTC))

    def outcomes(self, prepared: Prepared, answer: Answer) -> list[Outcome]:
        return answers.outcomes(prepared, answer, self._names())

    def stored_form(self, action: Action) -> dict[str, str | None]:
        return writing.stored_form(action, self._names())

    def current_form(self, action: Action, record: AnyRecord) -> dict[str, str | None]:
        return writing.current_form(action, record, self._names())

    def _clockless(self) -> datetime:
        """The server's time, asked for: reminders and notes bear it."""
        self.identity()
        return self._client.server_time()

    # --- set-up ---------------------------------------------------------------------------------

    def check(self) -> list[Problem]:
        found = check.unreadable(self._client, self._options)
        if any(problem.where == "crm.version" for problem in found):
            return found
        if not any("crm.schemas" in p.what or "owners" in p.what for p in found):
            found += check.misfits(self._options, self.reference())
        return found + check.unheld(self._needs)

    def missing_fields(self, reference: CrmReference) -> list[FieldWish]:
        return check.missing_fields(self._options, reference)

    def create_fields(self, wishes: Sequence[FieldWish]) -> list[Request]:
        return check.create_requests(self._client, list(wishes), self._groups)

    def refusal(self, answer: Answer) -> str:
        try:
            return refusals.in_words(answer.json(), answer.status)
        except SchemaDrift:
            return excerpt(answer.body)

    def _names(self) -> Names:
        """The account's names: as given by the engine, else read once."""
        if self._known is None:
            self.use(self.reference())
        assert self._known is not None
        return self._known


if TYPE_CHECKING:

    def _is_a_crm(connector: HubSpotConnector) -> Crm:
        return connector
