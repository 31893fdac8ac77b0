"""The connector contract: what the engine asks of any CRM and any ledger.

Terminology. A *stream* is one kind of record read from one side. A *walk* reads a stream page by
page from a cursor; its *position* says how far it has come, so that a broken walk goes on. A
*marker* is our own key in what we create. An *outcome* is what a vendor made of one action.

A connector makes requests and reads answers; it sends writes through nobody: `prepare` freezes
them to bytes, the engine commits those to the journal, transport sends them, and `outcomes`
reads the answer. (DESIGN 4 names one verb, `write`; it is split around the journal's commit so
that no connector can send what is not journaled.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from syncjob.core.actions import Action, Outcome, Rejected
from syncjob.core.records import (
    Activity,
    Contact,
    CreditNote,
    CrmReference,
    Deal,
    Invoice,
    LedgerReference,
    Organisation,
    Payment,
    Side,
    Template,
    User,
)
from syncjob.transport.wire import Answer, Request

AnyRecord = Deal | Contact | Invoice | Payment | CreditNote | User | Activity | Template

#: Streams of the CRM: "deals", where contacts are synced "organizations" and "persons" (both give
#: Contacts), and what `Capabilities.deal_streams` names; of the ledger: "contacts", "invoices",
#: "payments", "credit_notes"; "templates" by id, or all at once by `templates`. CRM contacts are
#: read by id as "contacts" in `get`, of both kinds at once.
Stream = str
#: Lists of deals besides "deals": those put away by people ("archived_deals"), the recycle bin
#: ("deleted_deals"), and deals whose lines have changed though they themselves need not show it
#: ("touched_deals": pages without records, whose `touched` names the deals).
DealStream = Literal["archived_deals", "deleted_deals", "touched_deals"]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a vendor that the engine plans by; each is checked by the contract suite."""

    #: How the vendor recognises a repeated write: by key for the whole call, or not at all.
    idempotency: Literal["call", "none"]
    idempotency_key_length: int = 0
    idempotency_lifetime: timedelta = timedelta(0)
    #: The longest a change may stay out of lists plus the longest a request may live:
    #: only after that is "not found" "not there" (DESIGN 5.4).
    patience: timedelta
    #: How far a cursor goes back behind the walk's start (at least the index lag).
    lookback: timedelta
    clock_resolution: timedelta = timedelta(seconds=1)
    #: Most actions in one write call, by kind of action; 1 where there is no bulk write.
    batch: dict[str, int]
    #: Most write calls that may be on the way at the same time, by kind of action; 1 where none is
    #: named, as for kinds whose forming reads first, or of which one needs another's effect.
    at_once: dict[str, int] = {}
    #: Most ids in one `get` call, by stream.
    get_batch: dict[str, int]
    page_size: dict[str, int]
    #: What one page of a list, and one write, take from the vendor's day, in its own units.
    poll_cost: int = 1
    write_cost: int = 1
    has_drafts: bool = False
    deletes: Literal["tombstone", "silent", "never"] = "silent"
    discount: Literal["line", "document", "none"] = "line"
    tax: Literal["line", "automatic", "none"] = "none"
    #: A CRM's further lists of deals. Of "touched_deals" changes alone are read, each time; the
    #: others as often as `schedule.archived_every_minutes` says.
    deal_streams: tuple[DealStream, ...] = ()
    #: The CRM is walked through an index that may miss something; a walk without `since` reads the
    #: records themselves, and so does the weekly walk over everything.
    sweeps: bool = False
    #: The fields of core/contacts/fields.py that a contact can be read and written with, by the
    #: kind of record: "organization" and "person" in a CRM, "contact" in a ledger.
    contact_fields: dict[str, frozenset[str]] = {}
    #: How many entries of a list a CRM has room for, by kind and field, where that is bounded.
    contact_room: dict[str, dict[str, int]] = {}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a walk. `position` is None on the last page; `started` is the server's Date at
    the walk's start; `gone` are ids the vendor says are deleted for good; `drift` are (id, words)
    of records that cannot be read: each is an issue of its own, the rest of the page stands.
    `touched` are ids of deals whose lines have changed."""

    records: tuple[AnyRecord, ...]
    position: str | None
    started: datetime
    gone: tuple[str, ...] = ()
    drift: tuple[tuple[str, str], ...] = ()
    touched: tuple[str, ...] = ()


class UnreadTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A repeating invoice that cannot be read, and why in words. `marker` is the one that its
    reference bears, None if it bears none, and empty if nobody can say: it may be any of ours."""

    id: str
    words: str
    marker: str | None


class Templates(msgspec.Struct, frozen=True, kw_only=True):
    """All repeating sales invoices: those that can be read, and the others."""

    records: tuple[Template, ...] = ()
    unread: tuple[UnreadTemplate, ...] = ()


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk is to begin: from `since` (None: everything), at `position` (None: its start).

    `started` is the server's Date at the start of a walk that is being continued.
    """

    since: datetime | None
    position: str | None = None
    started: datetime | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A write as bytes, with the actions it carries in the order of its elements."""

    request: Request
    actions: tuple[Action, ...]
    idempotency_key: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `syncjob check` found: where in the config, what is wrong, how to mend it."""

    where: str
    what: str
    fix: str
    fatal: bool = True


class Writer(Protocol):
    """What the push asks of anything that it writes to: both sides, and messages to people."""

    name: str

    @property
    def capabilities(self) -> Capabilities: ...

    def unfit(self, action: Action) -> Rejected | None:
        """Why the receiver cannot store this action as it is, known without asking it (a length,
        a forbidden character, too many decimals, a missing option); None if it can. Asked before
        `prepare`, which may raise Held for an action that is unfit."""

    def prepare(self, actions: Sequence[Action]) -> list[Prepared]:
        """The actions as the fewest requests, frozen; each action stands in exactly one."""

    def outcomes(self, prepared: Prepared, answer: Answer) -> list[Outcome]:
        """One outcome for each action of the call, in its order; never raises for an answer's
        content (an unreadable answer makes every outcome Unknown)."""

    def stored_form(self, action: Action) -> dict[str, str | None]:
        """What the server is known to store for this action, field by field, after its own
        trimming and rounding: the base after a settle (DESIGN 5.6). For a ContactChange and a
        CrmContactDraft keyed by the fields of core/contacts/fields.py (a draft also "marker"), in
        its encodings; for a MarkerChange by "marker" alone."""

    def current_form(self, action: Action, record: AnyRecord) -> dict[str, str | None]:
        """The fields of `stored_form` as they now stand in `record`, and with them those that the
        vendor fills in where the action leaves them open, so that a person's edit of them shows."""


class Connector(Writer, Protocol):
    """Both sides. Methods that read raise Throttled, Unreachable, AuthFailed or SchemaDrift."""

    side: Side

    def identity(self) -> Organisation:
        """Which account the credentials open; one call."""

    def server_time(self) -> datetime | None:
        """The server's Date, carried forward by the monotonic clock; None before any answer."""

    def changes(self, stream: Stream, walk: Walk) -> Iterator[Page]:
        """Every record of the stream changed at or after `walk.since`, in an order in which
        records do not move (DESIGN 5.5). Raises Overflow or CursorTooOld: then walk in full."""

    def get(self, stream: Stream, ids: Sequence[str]) -> list[AnyRecord]:
        """The records now, strongly read, in bulk; ids that are gone for good, or that the
        vendor does not show to this user, are left out: absence is never deletion. Contacts that
        were deleted or archived a while ago come with that flag for as long as the vendor knows.
        Deals come as whole aggregates (lines, discounts, instalments where used)."""

    def find(self, kind: str, markers: Sequence[str], since: datetime) -> dict[str, AnyRecord]:
        """What bears these markers among all changed since, dead and archived included.
        `kind` is the action's kind ("invoice.create", "contact.create", "crm_contact.create",
        "task.create"). Raises SchemaDrift where what may bear one of them cannot be read."""

    def check(self) -> list[Problem]:
        """What is wrong with the config's names and rights in this account; reads only."""


class Crm(Connector, Protocol):
    """The CRM's side."""

    def reference(self) -> CrmReference: ...

    def use(self, reference: CrmReference) -> None:
        """Take the account's own names from here (the engine keeps them for a day); without it
        the connector reads them itself as soon as it needs one."""

    def details(self, deals: Sequence[Deal]) -> list[Deal]:
        """The same deals, read in this batch, with their lines, discounts and (where used)
        instalments, in bulk: what `get` does after its first call. Deleted ones stay as they
        are."""

    def missing_fields(self, reference: CrmReference) -> list[FieldWish]:
        """The fields that the config names or needs and the account does not have."""

    def create_fields(self, wishes: Sequence[FieldWish]) -> list[Request]:
        """The requests that create them, for `syncjob init`, after the user has seen them."""

    def refusal(self, answer: Answer) -> str:
        """What the answer to a refused one of them says, in one line for a person."""


class Ledger(Connector, Protocol):
    """The ledger's side."""

    def reference(self) -> LedgerReference: ...

    def use(self, reference: LedgerReference) -> None:
        """Take the organisation's own names from here (the engine keeps them for a day); without
        it the connector reads what it needs of them itself."""

    def templates(self) -> Templates:
        """All repeating sales invoices, in one call; none where the ledger has no such thing."""

    def online_link(self, invoice_id: str) -> str | None:
        """The address at which the customer sees an approved invoice, None if there is none."""


class FieldWish(msgspec.Struct, frozen=True, kw_only=True):
    """A CRM field to create: on what, under which name, of which kind, with which choices.

    `purpose` says in words what it is for; `long` asks for a text of more than a line; `unique`
    that the CRM refuses a value which another record has, where it can.
    """

    entity: Literal["deal", "organization", "person"]
    name: str
    kind: Literal["text", "money", "date", "datetime", "choice", "number"]
    options: tuple[str, ...] = ()
    purpose: str = ""
    long: bool = False
    unique: bool = False
