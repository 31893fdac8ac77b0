"""Everything the rules may look at when they decide about one deal, and about the connection.

The engine fills these values from the state; the rules never ask for more, so that a decision is
a function of them alone and does not depend on the order in which anything was read.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.actions import InvoiceDraft, Issue
from syncjob.core.case_after import After
from syncjob.core.contacts.case import ContactCase, ContactContext
from syncjob.core.markers import WHOLE
from syncjob.core.policy import DealFields, DealInputs, Invoices, Mode, Overdue
from syncjob.core.policy_crm import Happening, MoveRule
from syncjob.core.policy_notices import Notices
from syncjob.core.records import (
    Contact,
    CreditNote,
    CrmReference,
    Deal,
    Invoice,
    LedgerReference,
)
from syncjob.core.rules.changes import Past
from syncjob.core.rules.mailing import Mailing
from syncjob.core.rules.matching import Candidates
from syncjob.core.rules.notices import Credit, Told


class Agreed(msgspec.Struct, frozen=True):
    """A field of a record: what we wanted it to be, and what the server then stored."""

    wanted: str | None
    stored: str | None


class PartCase(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice of a deal, over all its generations, as the state knows it.

    `name` stands in the marker, `key` says which part of the schedule it is (core/schedule): ""
    is the deal as a whole, None a part of which this state does not know what it was.
    `invoice` is the live one and `marker` its own, `contact` whom it bills; `last` is the newest
    of those that ended. `created` is the draft as we sent it, None if the state does not know (it
    was lost); `invoice_base` what the ledger answered then, `invoice_now` the same fields now.
    `fresh`: the invoice was read in this batch. `extra` are further invoices with its marker.
    """

    name: str = WHOLE
    key: str | None = ""
    history: tuple[Past, ...] = ()
    marker: str | None = None
    invoice: Invoice | None = None
    last: Invoice | None = None
    contact: Contact | None = None
    created: InvoiceDraft | None = None
    invoice_base: dict[str, str | None] = {}
    invoice_now: dict[str, str | None] = {}
    credit_notes: tuple[CreditNote, ...] = ()
    extra: tuple[Invoice, ...] = ()
    fresh: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One deal with all that bears on it.

    `complete`: the deal's lines were read in this batch. `parts` are the invoices that were ever
    made for it, by name. `owners` maps ledger contacts to the CRM contacts they are linked with.
    `latest` is the deal with its lines as they were read last, None if it was changed since
    (then it has `moved`) or they were never read.
    `buyers` are those ledger contacts that have an approved invoice already.
    `crossing` is the customer as contact sync sees it, where that is on and it has no ledger
    contact yet.
    `rivals` are the live parts of other deals that were merged into this one, which has some too.
    `answers` are what a person decided about this deal. `parked` maps a target to what was
    refused (its fingerprint) and the issue that says so. `told` is what people were told of its
    invoices, `muted` why nobody is to be told, `credits` by invoice what its customer has not
    applied. `noted` are the markers of the notes in its timeline, and of those never written,
    `standing` when the issues that hold it were opened, by code, as far as that is a while ago.
    `relinked`: it stands for a deal of a CRM that was left (`syncjob relink`).
    """

    deal: Deal
    complete: bool
    busy: bool
    party: Contact | None = None
    person: Contact | None = None
    candidates: Candidates = Candidates()
    owners: dict[str, str] = {}
    crossing: tuple[ContactCase, ContactContext] | None = None
    parts: tuple[PartCase, ...] = ()
    deal_base: dict[str, Agreed] = {}
    unlinked: tuple[Invoice, ...] = ()
    buyers: frozenset[str] = frozenset()
    latest: Deal | None = None
    moved: bool = False
    by_number: Invoice | None = None
    rivals: tuple[tuple[str, PartCase], ...] = ()
    answers: frozenset[str] = frozenset()
    parked: dict[str, tuple[str, Issue]] = {}
    after: After = After()
    told: tuple[Told, ...] = ()
    muted: str | None = None
    muted_until: date | None = None
    credits: dict[str, Credit] = {}
    noted: frozenset[str] = frozenset()
    standing: dict[str, datetime] = {}
    relinked: bool = False

    @property
    def subject(self) -> str:
        """The deal as actions and issues name it."""
        return f"deal:{self.deal.id}"

    @property
    def cancelled(self) -> str:
        """Who took an invoice of the deal back and why, while nobody has released it; else ""."""
        ended = (part.history for part in self.parts if part.history and part.invoice is None)
        newest = (max(history, key=lambda past: past.generation) for history in ended)
        return next((past.cancelled for past in newest if past.cancelled), "")

    @property
    def live(self) -> tuple[PartCase, ...]:
        """The parts that have an invoice which is neither voided nor deleted."""
        return tuple(part for part in self.parts if part.invoice is not None)

    @property
    def invoices(self) -> tuple[Invoice, ...]:
        """The live invoices of the deal."""
        return tuple(part.invoice for part in self.parts if part.invoice is not None)

    @property
    def standing_parts(self) -> tuple[PartCase, ...]:
        """The live parts with those of `rivals`: whatever of the deal somebody may still owe."""
        return (*self.live, *(part for _, part in self.rivals))

    @property
    def standing_invoices(self) -> tuple[Invoice, ...]:
        """The invoices of `standing_parts`."""
        return tuple(part.invoice for part in self.standing_parts if part.invoice is not None)

    @property
    def shown(self) -> tuple[Invoice, ...]:
        """What there is to tell of: the live invoices, else the newest of those that ended."""
        ended = [part.last for part in self.parts if part.last is not None]
        return self.invoices or tuple(ended[-1:])

    @property
    def credit_notes(self) -> tuple[CreditNote, ...]:
        """The credit notes about its invoices, about those of `rivals` and of its templates too."""
        parts = (*self.parts, *(part for _, part in self.rivals))
        notes = (note for part in parts for note in part.credit_notes)
        return (*notes, *self.after.credit_notes)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every deal of this batch. `today` is the organisation's calendar day and
    `stamp` the instant of the batch as it is shown on deals. `approvals_wait` says why no invoice
    is approved at present (a plan's limit), None if they may be. `notices_since` is the day from
    which this state remembers who was told of what, `timeline_since` that from which it notes."""

    code: str
    mode: Mode
    policy: Invoices
    inputs: DealInputs
    fields: DealFields
    overdue: Overdue
    crm: CrmReference
    ledger: LedgerReference
    zone: ZoneInfo
    today: date
    stamp: str
    locked_through: date | None
    largest: dict[str, Decimal] = {}
    times_largest: Decimal = Decimal(3)
    approvals_wait: str | None = None
    notices: Notices = Notices()
    notices_since: date = date.min
    #: Whoever had the day's digest, with its way.
    digested: frozenset[tuple[str, str]] = frozenset()
    moves: tuple[MoveRule, ...] = ()
    timeline: tuple[Happening, ...] = ()
    timeline_since: date = date.min
    mailing: Mailing = Mailing()
    reference_hash: str = ""
