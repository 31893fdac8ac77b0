"""The Xero connector: the Ledger contract, put together from reads, writes and outcomes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import msgspec

from syncjob.connectors.base import (
    AnyRecord,
    Capabilities,
    Page,
    Prepared,
    Problem,
    Templates,
    Walk,
)
from syncjob.connectors.xero import (
    check,
    codec_papers,
    codec_write,
    contact_parts,
    contact_write,
    outcomes,
)
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.connect import choose_tenant, tenants
from syncjob.connectors.xero.options import XeroOptions
from syncjob.connectors.xero.reference import read_organisation, read_reference
from syncjob.connectors.xero.requests import IDS_MAX, PAGE_SIZE, SOURCES, Reads
from syncjob.connectors.xero.walks import Lists
from syncjob.core.actions import Action, ContactChange, Outcome, Rejected
from syncjob.core.needs import NOTHING, Needs
from syncjob.core.records import (
    Contact,
    CreditNote,
    Invoice,
    LedgerReference,
    Organisation,
    Side,
    Template,
)
from syncjob.errors import Held
from syncjob.transport.wire import Answer, Channel, Request

if TYPE_CHECKING:
    from syncjob.connectors.xero.sdk_contacts import ContactWriter

#: Xero advises about 50 elements a request (facts: xero, 1 and 3).
BATCH = 50

#: Xero allows five calls at once for an app and organisation (facts: xero, 1); one is left for
#: another connection's batch, or a command at the keyboard.
AT_ONCE = 4

#: Xero's own advice says 3.5 MB a request; a group above this is sent in halves (facts: xero, 1).
BODY_BYTES_MAX = 3_000_000

#: How long a change may stay out of Xero's lists plus how long a request may live: 15 minutes
#: until somebody measures it (DESIGN 5.4).
PATIENCE = timedelta(minutes=15)

CAPABILITIES = Capabilities(
    idempotency="call",
    idempotency_key_length=128,
    idempotency_lifetime=timedelta(minutes=6),
    patience=PATIENCE,
    lookback=PATIENCE + timedelta(minutes=2),
    batch={
        "contact.create": BATCH,
        "contact.mark": BATCH,
        "contact.update": BATCH,
        "invoice.create": BATCH,
        "invoice.approve": BATCH,
        "invoice.update": BATCH,
        "invoice.delete": BATCH,
        "template.create": BATCH,
        "template.delete": BATCH,
        "credit.create": 1,
        "invoice.email": 1,
    },
    at_once={
        "invoice.create": AT_ONCE,
        "invoice.approve": AT_ONCE,
        "invoice.update": AT_ONCE,
        "invoice.delete": AT_ONCE,
    },
    get_batch={
        "templates": 1,
        "contacts": IDS_MAX,
        "invoices": IDS_MAX,
        "payments": 1,
        "credit_notes": 1,
        "prepayments": 1,
        "overpayments": 1,
    },
    page_size=dict.fromkeys(SOURCES, PAGE_SIZE),
    has_drafts=True,
    deletes="silent",
    discount="line",
    tax="line",
    contact_fields={"contact": contact_write.HELD},
)

#: So many contacts that change are read each at its own address, which no index delays; of more
#: only the list is affordable (60 calls a minute).
READ_SINGLY_MAX = 5


class XeroConnector:
    """One organisation. `new_key` gives a text that never repeats, by the engine's own chance;
    `needs` says what of items, tracking and branding themes the reference holds (one call more a
    day each).

    What a read guarantees: one id is read at its own address; several by a list, in which a
    record may be as old as the index lags (not documented by Xero), though never missing
    unnoticed. Whoever must know the present, before a notice, reads one id at a time.
    """

    name = "xero"
    side: Side = "ledger"
    capabilities = CAPABILITIES

    def __init__(
        self,
        options: XeroOptions,
        channel: Channel,
        *,
        new_key: Callable[[], str],
        needs: Needs = NOTHING,
    ) -> None:
        self._options, self._channel = options, channel
        self._new_key, self._needs = new_key, needs
        self._organisation: Organisation | None = None
        self._opened: tuple[str | None, Reads, Lists] | None = None
        self._written_with: ContactWriter | None = None
        self._fit: dict[int, Action] = {}  # found fit and not prepared yet, by identity

    # --- reading

    def identity(self) -> Organisation:
        """Which organisation the credentials open. Raises SchemaDrift for an unknown time zone."""
        _, reads, lists = self._open()
        self._organisation = read_organisation(lists, reads, self._options.time_zone)
        return self._organisation

    def reference(self) -> LedgerReference:
        """Organisation, accounts, tax rates, currencies (4 calls), and what else is needed."""
        _, reads, lists = self._open()
        found = read_reference(lists, reads, self._options.time_zone, self._needs)
        self.use(found)
        return found

    def use(self, reference: LedgerReference) -> None:
        """Take the organisation (its short code makes the links) from here."""
        self._organisation = reference.organisation

    def server_time(self) -> datetime | None:
        return self._channel.server_time()

    def changes(self, stream: str, walk: Walk) -> Iterator[Page]:
        """A walk in the order of ids; positions are pages. Raises Overflow, SchemaDrift."""
        _, _, lists = self._open()
        return lists.walk(stream, walk, self._pages())

    def get(self, stream: str, ids: Sequence[str]) -> list[AnyRecord]:
        """The records now; see the class for what several at once guarantee."""
        if not ids:
            return []
        _, _, lists = self._open()
        return lists.get(stream, ids, self._pages())

    def find(self, kind: str, markers: Sequence[str], since: datetime) -> dict[str, AnyRecord]:
        """By marker among all changed since; voided, deleted and archived ones count."""
        _, _, lists = self._open()
        if kind == "invoice.create":
            return lists.find_invoices(markers, since, self._pages())
        if kind == "contact.create":
            return lists.find_contacts(markers, since, self._pages())
        if kind == "credit.create":
            return lists.find_credit_notes(markers, since, self._pages())
        if kind == "template.create":
            return lists.find_templates(markers, self._pages())
        raise ValueError(f"nothing made by {kind} bears a marker in Xero")

    def templates(self) -> Templates:
        """All repeating sales invoices; one call."""
        _, _, lists = self._open()
        return lists.templates(self._pages())

    def online_link(self, invoice_id: str) -> str | None:
        """The address where the customer sees the invoice, None if there is none; one call."""
        _, _, lists = self._open()
        return lists.online_link(invoice_id)

    def check(self) -> list[Problem]:
        """Rights and organisation; see check.py."""
        _, reads, lists = self._open()
        return check.check(lists, reads, self._options.time_zone)

    # --- writing

    def unfit(self, action: Action) -> Rejected | None:
        """Why Xero cannot store this as it is, by field; None if it can."""
        if self._fit.get(id(action)) is action:  # `prepare` asks again what the push has asked
            return None
        if isinstance(action.payload, codec_papers.Paper):
            refused = codec_write.fault_of(codec_papers.judged(action.payload))
        else:
            refused = codec_write.unfit(action)
        if refused is None:
            self._fit[id(action)] = action
        return refused

    def prepare(self, actions: Sequence[Action]) -> list[Prepared]:
        """Calls of at most 50 actions of one kind. Raises Held for an action that is unfit."""
        for action in actions:
            refused = self.unfit(action)
            self._fit.pop(id(action), None)
            if refused:
                raise Held(
                    refused.code,
                    refused.words,
                    field=refused.field,
                    where=action.subject,
                    next_step=refused.next_step,
                )
        kinds = dict.fromkeys(action.kind for action in actions)
        groups = ([a for a in actions if a.kind == kind] for kind in kinds)
        return [
            prepared
            for group in groups
            for start in range(0, len(group), BATCH)
            for prepared in self._frozen(group[start : start + BATCH])
        ]

    def outcomes(self, prepared: Prepared, answer: Answer) -> list[Outcome]:
        """One outcome an action; a call refused whole is NotDone(halve=True) where Xero names no
        element, so that the engine sends it in halves."""
        code = self._organisation.short_code if self._organisation else None
        return outcomes.outcomes(prepared.actions, answer, Pages(code))

    def stored_form(self, action: Action) -> dict[str, str | None]:
        if isinstance(action.payload, codec_papers.Paper):
            return codec_papers.stored_form(action.payload)
        return codec_write.stored_form(action)

    def current_form(self, action: Action, record: AnyRecord) -> dict[str, str | None]:
        if isinstance(action.payload, codec_papers.Paper):
            paper = cast("Template | CreditNote | Invoice", record)
            return codec_papers.current_form(action.payload, paper)
        return codec_write.current_form(action, cast("Contact | Invoice", record))

    def _frozen(self, group: Sequence[Action]) -> list[Prepared]:
        key = self._key(group)
        request = self._request(group, key)
        if len(request.body) > BODY_BYTES_MAX and len(group) > 1:
            half = len(group) // 2
            return [*self._frozen(group[:half]), *self._frozen(group[half:])]
        return [Prepared(request=request, actions=tuple(group), idempotency_key=key)]

    def _request(self, group: Sequence[Action], key: str) -> Request:
        writer = self._writer()
        makers: dict[str, Callable[..., Request]] = {
            "contact.create": writer.create_contacts,
            "contact.mark": writer.mark_contacts,
            "contact.update": self._change_contacts,
            "invoice.create": writer.create_invoices,
            "invoice.approve": writer.change_invoices,
            "invoice.update": writer.update_invoices,
            "invoice.delete": writer.change_invoices,
            "template.create": writer.create_templates,
            "template.delete": writer.delete_templates,
            "credit.create": writer.create_credit_notes,
            "invoice.email": writer.email_invoice,
        }
        return makers[group[0].kind]([action.payload for action in group], key)

    def _change_contacts(self, payloads: Sequence[ContactChange], key: str) -> Request:
        """What shares a list or a part with what changes is read first, so that it stays."""
        shared = [c.contact_id for c in payloads if contact_parts.SHARED & c.values.keys()]
        found = self._open()[2].elements("contacts", shared, READ_SINGLY_MAX)
        kept = {id: contact_parts.kept(element) for id, element in found.items()}
        nothing = contact_parts.NOTHING
        changes = [(change, kept.get(change.contact_id.lower(), nothing)) for change in payloads]
        return self._writer().change_contacts(changes, key)

    def _key(self, group: Sequence[Action]) -> str:
        """The Idempotency-Key: of organisation (keys are the app's, not the organisation's),
        content, and a nonce, so that neither a later attempt nor an edit back to an earlier value
        is ever answered from Xero's memory of another call (facts: xero, 3)."""
        digest = hashlib.sha256()
        for part in (self._open()[0] or "", self._new_key()):
            digest.update(f"{part}\n".encode())
        digest.update(msgspec.json.encode([action.payload for action in group]))
        return f"syncjob-{digest.hexdigest()}"

    # --- opened once, when first needed

    def _open(self) -> tuple[str | None, Reads, Lists]:
        """(tenant, reads, lists). Raises ConfigError if the organisation cannot be told."""
        if self._opened is None:
            tenant = self._tenant()
            reads = Reads(self._options.api_url, tenant)
            self._opened = (tenant, reads, Lists(self._channel, reads))
        return self._opened

    def _tenant(self) -> str | None:
        """Which organisation each request names; none in a custom connection, which has one."""
        if self._options.auth.kind == "custom_connection" or self._options.tenant_id:
            return self._options.tenant_id
        return choose_tenant(tenants(self._channel, self._options), None).id

    def _pages(self) -> Pages:
        """Links need the organisation's short code: one call if nobody told it."""
        organisation = self._organisation or self.identity()
        return Pages(organisation.short_code)

    def _writer(self) -> ContactWriter:
        """The SDK, loaded when something is first written: half a second and 20 MB."""
        if self._written_with is None:
            from syncjob.connectors.xero.sdk_contacts import ContactWriter

            self._written_with = ContactWriter(self._options.api_url, self._open()[0])
        return self._written_with
