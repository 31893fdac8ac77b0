"""What a plan is made of, and what became of it: actions, outcomes, issues. Values only.

An action is one write to one record of one side, with its reason and its before and after, so
that the same value is shown by a dry run, counted by the guard, journaled, and sent.
"""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Literal

import msgspec

from syncjob.core.contacts.payloads import ContactChange as ContactChange
from syncjob.core.contacts.payloads import ContactDraft as ContactDraft
from syncjob.core.contacts.payloads import CrmContactDraft as CrmContactDraft
from syncjob.core.contacts.payloads import MarkerChange as MarkerChange
from syncjob.core.deal_payloads import DealChange as DealChange
from syncjob.core.deal_payloads import Move as Move
from syncjob.core.deal_payloads import NoteDraft as NoteDraft
from syncjob.core.records import (
    Contact,
    CreditNote,
    Deal,
    EarlyOffer,
    Invoice,
    InvoiceLine,
    LineAmounts,
    PaymentTerms,
    Receiver,
    Template,
)


class Wave(IntEnum):
    """The order of the push (DESIGN 3): what stands later needs what stands earlier."""

    LEDGER_CONTACTS = 1
    INVOICES = 2
    APPROVALS = 3
    TEMPLATES = 4
    EMAILS = 5
    CRM_CONTACTS = 6
    CRM_PEOPLE = 7  # the persons of organizations that the wave before has made
    DEAL_STATUS = 8
    NOTICES = 9


# --- payloads: what is to be stored on the other side -----------------------------------------


class InvoiceDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="invoice"):
    """A sales invoice to create as a draft. `contact_id` is None only in a dry run.

    `sub_total`, `total_tax` and `total` are what the ledger's own policy predicts.
    """

    marker: str
    contact_id: str | None
    date: Day
    due_date: Day
    currency: str
    line_amounts: LineAmounts
    lines: tuple[InvoiceLine, ...]
    reference: str
    url: str
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    number: str | None = None
    branding: str | None = None  # the theme's id; None for the organisation's default
    currency_rate: Decimal | None = None  # None: the ledger's own of the day
    terms: PaymentTerms | None = None  # what `due_date` was reckoned by
    early: EarlyOffer | None = None  # what payment in time is worth
    new_customer: bool = False  # its contact had no approved invoice yet
    taxes: tuple[Decimal, ...] = ()  # what was foreseen for each line
    #: What the deal's value does not have in it (freight from a field): (net, gross).
    beside: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    explained: str = ""  # why the total is not quite what the deal says, in words
    source: str = ""  # a digest of what the deal said, to tell whether it was changed since


class InvoiceChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """A change of status of our own draft: approve (with its new dates) or delete by status.

    `cancelled_by`: the person at whose word it is deleted, and `why`; it is not issued anew then.
    """

    invoice_id: str
    status: Literal["authorised", "deleted"]
    date: Day | None = None
    due_date: Day | None = None
    cancelled_by: str = ""
    why: str = ""


class InvoiceUpdate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="rewrite"):
    """Our own untouched draft, made to say what its deal says now: all of its content, by id."""

    invoice_id: str
    draft: InvoiceDraft


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="task"):
    """A task for a user of the CRM, linked to a deal; the marker stands in its note."""

    marker: str
    deal_id: str
    owner_id: str
    subject: str
    note: str
    due: Day
    org_id: str | None = None
    person_id: str | None = None
    tell: Tell | None = None


class Tell(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is told: an invoice by its marker, the due date it had, the step (0: paid)."""

    marker: str
    due: Day
    step: int
    person: str
    way: str


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="message"):
    """A message to one person. `marker` is its name for ever, from which its Message-ID is made;
    `to` is the e-mail address, empty where the way itself is the place (a chat's channel);
    `person` whom it is for, `line` what a digest says instead of the text."""

    marker: str
    way: str
    subject: str
    text: str
    to: str = ""
    person: str = ""
    line: str = ""
    tells: tuple[Tell, ...] = ()


class TemplateDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="template"):
    """A repeating invoice to create as a draft: the ledger's from then on (BOOKKEEPING, "Money").

    It makes an invoice every `period` weeks or months, first on `first`, last not after `last`
    (None: until a person ends it), each due by `terms`. The marker stands in the reference, the
    only carrier that a template has (facts: xero, 3). `contact_id` is None only in a dry run.
    """

    marker: str
    contact_id: str | None
    unit: Literal["weekly", "monthly"]
    period: int
    first: Day
    last: Day | None
    terms: PaymentTerms
    currency: str
    line_amounts: LineAmounts
    lines: tuple[InvoiceLine, ...]
    reference: str
    total: Decimal
    branding: str | None = None


class TemplateChange(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="untemplate"
):
    """A repeating invoice that is deleted by status while it is our own untouched draft, at a
    person's word: `cancelled_by`, and `why`."""

    template_id: str
    cancelled_by: str
    why: str = ""


class CreditDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="credit"):
    """A credit note to create as a draft, at a person's word; never applied by us.

    `request` names what the person asked for, so that the same command twice is one credit note.
    """

    marker: str
    invoice_id: str
    contact_id: str
    date: Day
    currency: str
    line_amounts: LineAmounts
    lines: tuple[InvoiceLine, ...]
    reference: str
    total: Decimal
    request: str
    currency_rate: Decimal | None = None
    branding: str | None = None


class InvoiceEmail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="email"):
    """An approved invoice that the ledger is to e-mail to its contact: once, never again."""

    invoice_id: str


Payload = (
    ContactDraft
    | CrmContactDraft
    | ContactChange
    | InvoiceDraft
    | InvoiceChange
    | InvoiceUpdate
    | DealChange
    | NoteDraft
    | MarkerChange
    | Task
    | TemplateDraft
    | TemplateChange
    | CreditDraft
    | InvoiceEmail
    | Message
)


#: What is done, by its payload; a change of an invoice's status is "approve" or "delete".
KINDS: dict[type, str] = {
    ContactDraft: "contact.create",
    CrmContactDraft: "crm_contact.create",
    ContactChange: "contact.update",
    MarkerChange: "contact.mark",
    InvoiceDraft: "invoice.create",
    DealChange: "deal.update",
    NoteDraft: "note.create",
    Task: "task.create",
    InvoiceUpdate: "invoice.update",
    TemplateDraft: "template.create",
    TemplateChange: "template.delete",
    CreditDraft: "credit.create",
    InvoiceEmail: "invoice.email",
    Message: "message.send",
}


#: What is made with a marker of its own.
_MARKED = (
    ContactDraft, CrmContactDraft, InvoiceDraft, Task, NoteDraft, TemplateDraft, CreditDraft,
)  # fmt: skip


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write. `subject` is the deal it is done for ("deal:1042"), or the customer
    ("contact:org:12", "contact:person:7", "contact:ledger:<id>" without a partner), `target` the
    record it changes or makes ("invoice:NW-1042-A1", "contact:NW-O12", "deal:1042"; a change of a
    contact: "contact:" and its own id): at most one open intent exists for a (side, target)."""

    side: Receiver
    wave: Wave
    subject: str
    target: str
    payload: Payload
    reason: str
    before: dict[str, str | None] = {}
    rules: dict[str, str] = {}  # which rule decided, by field; "" for all others (core/rulings)

    @property
    def kind(self) -> str:
        """What is done, as the plan, the log and the audit name it."""
        known = KINDS.get(type(self.payload))
        if known is None and isinstance(self.payload, InvoiceChange):
            return "invoice.approve" if self.payload.status == "authorised" else "invoice.delete"
        assert known is not None
        return known

    @property
    def creates(self) -> bool:
        """Whether a blind repeat would make a second record."""
        return self.kind.endswith(".create")

    @property
    def marker(self) -> str | None:
        """The marker that a look-up finds a created record by, or that a rewritten one bears."""
        if isinstance(self.payload, _MARKED):
            return self.payload.marker
        return self.payload.draft.marker if isinstance(self.payload, InvoiceUpdate) else None


# --- outcomes: what the vendor made of an action -----------------------------------------------


class Stored(msgspec.Struct, frozen=True, kw_only=True, tag="stored"):
    """Done; `record` is what the server says it now holds (None where it answers with nothing, or
    shows a part of the record only: then `stamp` says when it was changed)."""

    record: Contact | Invoice | Deal | Template | CreditNote | None
    warnings: tuple[str, ...] = ()
    stamp: datetime | None = None


class Rejected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="rejected"):
    """Refused for good, without effect: the record is parked with these words.

    `scope` says how far the refusal reaches: this record, or the whole organisation (a plan's
    cap), so that the rest waits instead of being refused one by one.
    """

    code: str
    words: str
    field: str = ""
    next_step: str = ""
    scope: Literal["record", "organisation"] = "record"


class Stale(msgspec.Struct, frozen=True, kw_only=True, tag="stale"):
    """The record has changed since it was planned; plan it again."""

    current: Contact | Invoice | Deal | None


class Unknown(msgspec.Struct, frozen=True, kw_only=True, tag="unknown"):
    """The answer is lost or says nothing about this action: the intent stays open."""

    error: str


class NotDone(msgspec.Struct, frozen=True, kw_only=True, tag="not_done"):
    """Certainly without effect and not the record's fault (throttled, never left): plan again.

    `halve`: the vendor refused the whole call and did not say for which of its actions, so the
    same group would be refused again; it is sent in halves.
    """

    error: str
    halve: bool = False


Outcome = Stored | Rejected | Stale | Unknown | NotDone


# --- issues: what a person must look at --------------------------------------------------


class Issue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a record is held, or what else a person must look at.

    `subject` as in Action, or "contacts" for all of them. `state` "held" keeps the deal from being
    invoiced and is shown on it; "excluded" is listed but never written to the deal; "note" stops
    nothing. `about` is what an answer to it would be given for, a line for each thing, where the
    answer holds for that alone (core/answers).
    """

    code: str
    subject: str
    what: str
    next_step: str
    field: str = ""
    page: str | None = None
    state: Literal["held", "excluded", "note"] = "held"
    about: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say about one deal now: writes in order, and what a person must look at."""

    subject: str
    actions: tuple[Action, ...] = ()
    issues: tuple[Issue, ...] = ()
    wake_on: Day | None = None  # the organisation's day on which to decide again unasked
    waits: str | None = None  # why nothing is done though something will be
    story: tuple[str, ...] = ()  # which rule decided what, in words
    passed_over: tuple[str, ...] = ()  # markers of notes that are never written: too long ago
