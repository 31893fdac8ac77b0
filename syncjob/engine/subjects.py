"""Which record a person means: by number, name, e-mail, reference, marker, id, or its page.

What is exact wins over what is alike; several exact ones are all offered. No vendor is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from syncjob.config import Config
from syncjob.connectors.pages import RecordPage, uuid_in
from syncjob.connectors.registry import record_page
from syncjob.core.markers import (
    contact_of_marker,
    marker_in,
    other_marker_in,
    parse_invoice_marker,
    parse_other_marker,
)
from syncjob.core.records import Contact, Deal, Invoice
from syncjob.core.rules.matching import email_key, name_key
from syncjob.core.rules.texts import one_line
from syncjob.core.story import Candidate, SubjectKind
from syncjob.state.contacts import FORGOTTEN
from syncjob.state.database import State

#: What a person may put before a name or number, and what it then is.
_KINDS: dict[str, str] = {
    "deal": "deal", "invoice": "invoice", "inv": "invoice", "contact": "contact",
    "customer": "contact", "org": "org", "organization": "org", "organisation": "org",
    "company": "org", "person": "person", "payment": "payment", "credit": "credit",
    "creditnote": "credit", "credit-note": "credit", "ledger": "ledger",
}  # fmt: skip
_PREFIX = re.compile(r"^\s*([A-Za-z-]+)\s*(?::|\s)\s*#?(.+?)\s*$", re.DOTALL)
_RECORD = re.compile(r"[\w-]{1,40}")


class Subject(NamedTuple):
    """One record: "deal" by its id; "invoice" by the ledger's id; "contact" by its key ("org:12",
    "person:7", "ledger:<id>"). `known` is False for one that this state has never seen."""

    kind: SubjectKind
    id: str
    known: bool = True

    @property
    def name(self) -> str:
        """As actions and issues name it, and as a person may ask for it."""
        return f"{self.kind}:{self.id}"


class Meant(NamedTuple):
    """What a text may mean: exactly these, or else these that are alike; and `about`, what can be
    said of a text that means nothing here."""

    exactly: list[Subject]
    alike: list[Subject]
    about: str = ""


def meant(config: Config, state: State, text: str) -> Meant:
    """The records that this text may mean; of what was merged, what it has become."""
    found = _meant(config, state, text)
    exactly, alike = ([_followed(state, one) for one in ones] for ones in found[:2])
    return Meant(_once(exactly), _once(alike), found.about)


def former(state: State, subject: Subject) -> list[str]:
    """The names under which audit, journal and inbox knew what was merged into this record."""
    kind: Literal["deals", "contacts"] = "deals" if subject.kind == "deal" else "contacts"
    old = state.merges.merged_into(kind, subject.id) if subject.kind != "invoice" else []
    return [f"{subject.kind}:{one}" for one in old]


def _followed(state: State, subject: Subject) -> Subject:
    if subject.kind == "deal":
        new = state.merges.survivor("deals", subject.id)
        known = state.search.has("crm", "deals", new)
        return subject if new == subject.id else Subject("deal", new, known)
    if subject.kind == "contact":
        new = state.merges.survivor("contacts", subject.id)
        return subject if new == subject.id else _contact(state, new)
    return subject


def _meant(config: Config, state: State, text: str) -> Meant:
    asked = " ".join(text.split())
    page = record_page(asked)
    if page is not None:
        return _of_page(config, state, *page)
    if re.match(r"https?://", asked):
        found = [Subject("invoice", i) for i in state.search.invoice_of_page(asked)]
        return Meant(found, [], "" if found else "This page shows no record that syncjob keeps.")
    prefix = _PREFIX.match(asked)
    kind = _KINDS.get(prefix[1].lower()) if prefix else None
    found = _once(_exact(config, state, asked.lstrip("#")))
    if prefix and kind:  # and yet a firm may be called "Credit Union"
        named = _of_kind(config, state, kind, prefix[2])
        known = [one for one in named.exactly if one.known or not found]
        return Meant(_once([*known, *found]), [] if found else named.alike)
    if found or asked.lstrip("#").isdecimal():
        return Meant(found or [Subject("deal", asked.lstrip("#"), known=False)], [])
    return Meant([], _once(_alike(state, asked)))


def candidate(state: State, subject: Subject) -> Candidate:
    """One of several that may be meant, in words; who is forgotten is not named."""
    get = state.snapshots.get
    if subject.kind == "deal":
        deal = get("crm", "deals", subject.id, Deal)
        ended = deal and state.contacts.ended(deal.org_id, deal.person_id) == FORGOTTEN
        text = f"deal {subject.id}" + (
            f" {one_line(deal.title)} ({deal.status})" if deal and not ended else ""
        )
        return Candidate(
            subject=subject.name, text=text, ask=f"deal {subject.id}",
            page=deal.page if deal else None,
        )  # fmt: skip
    if subject.kind == "invoice":
        invoice = get("ledger", "invoices", subject.id, Invoice)
        said = ""
        if invoice:
            kind = "bill" if invoice.kind == "bill" else "invoice"
            said = f"{kind} {invoice.number or invoice.id} of {invoice.total:,.2f} "
            said += f"{invoice.currency} ({invoice.status})"
        return Candidate(
            subject=subject.name, text=said, ask=f"invoice {_asked(state, subject.id, invoice)}",
            page=invoice.page if invoice else None,
        )  # fmt: skip
    contact = contact_of(state, subject.id)
    side = "the ledger" if subject.id.startswith("ledger:") else "the CRM"
    name = one_line(contact.name) if contact and not contact.forgotten else None
    return Candidate(
        subject=subject.name, text=f"{subject.id} {name or '(no name)'} in {side}", ask=subject.id,
        page=contact.page if contact else None,
    )  # fmt: skip


def _asked(state: State, invoice_id: str, invoice: Invoice | None) -> str:
    """What names this invoice alone: its number, unless another one has it too."""
    number = invoice.number if invoice else None
    alone = number is not None and state.search.invoices_numbered(number) == [invoice_id]
    return str(number) if alone else invoice_id


def contact_of(state: State, key: str) -> Contact | None:
    """The contact of this key, as it was last read."""
    ledger_id = key.removeprefix("ledger:")
    side = state.snapshots.get
    if ledger_id != key:
        return side("ledger", "contacts", ledger_id, Contact)
    return side("crm", "contacts", key, Contact)


# --- by what it is said to be --------------------------------------------------------------------


def _of_kind(config: Config, state: State, kind: str, text: str) -> Meant:
    """The text after "deal", "invoice", "contact" and the like."""
    match kind:
        case "deal":
            exact = _deals(state, text)
            if not exact and _RECORD.fullmatch(text) and any(map(str.isdigit, text)):
                exact = [Subject("deal", text, known=False)]
            like = state.search.deals_titled(text, exactly=False) if not exact else []
            return Meant(exact, [Subject("deal", i) for i in like])
        case "invoice" | "payment" | "credit":
            return Meant(_once(_papers(config, state, text)), _saying(state, text))
        case "org" | "person" if _RECORD.fullmatch(text) and any(map(str.isdigit, text)):
            return Meant([_contact(state, f"{kind}:{text}")], [])
        case "ledger":
            return Meant([_contact(state, f"ledger:{text.lower()}")], [])
    nested = _PREFIX.match(text)
    if (
        kind == "contact"
        and nested
        and _KINDS.get(nested[1].lower()) in ("org", "person", "ledger")
    ):
        return _of_kind(config, state, _KINDS[nested[1].lower()], nested[2])
    exact = _once(_contacts(config, state, text))
    return Meant(exact, [] if exact else _once(_contacts_like(state, text)))


def _of_page(config: Config, state: State, vendor: str, page: RecordPage) -> Meant:
    part = config.crm if page.side == "crm" else config.ledger
    if part.type != vendor:
        mine = f"this connection's {'CRM' if page.side == 'crm' else 'ledger'} is {part.type}"
        return Meant([], [], f"This is a page of {vendor}, but {mine}.")
    mine = _account_of(state, page)
    if mine and page.account and mine != page.account:
        return Meant([], [], f"This page is of another account ({page.account}), not of {mine}.")
    match page.stream:
        case "deals":
            return Meant([Subject("deal", page.id, state.search.has("crm", "deals", page.id))], [])
        case "contacts":
            key = page.id if page.side == "crm" else f"ledger:{page.id}"
            return Meant([_contact(state, key)], [])
        case "invoices":
            known = state.search.has("ledger", "invoices", page.id)
            return Meant([Subject("invoice", page.id, known)], [])
        case "templates":
            link = state.papers.template_of(page.id)
            found = [Subject("deal", link.deal)] if link else []
            return Meant(found, [], "No deal has this repeating invoice." if not found else "")
    found = _once(_papers(config, state, page.id))
    return Meant(
        found, [], "" if found else "No invoice that was read bears this payment or credit."
    )


def _account_of(state: State, page: RecordPage) -> str:
    """Whose account the record of this number was read from, as its own page says."""
    get = state.snapshots.get
    known: Deal | Contact | None = None
    if page.stream == "deals":
        known = get("crm", "deals", page.id, Deal)
    elif page.side == "crm":
        known = get("crm", "contacts", page.id, Contact)
    shown = record_page(known.page) if known and known.page else None
    return shown[1].account if shown else ""


# --- exactly -------------------------------------------------------------------------------------


def _exact(config: Config, state: State, text: str) -> Iterator[Subject]:
    """Everything that the text names whole, whatever it is."""
    yield from _deals(state, text)
    yield from _papers(config, state, text)
    yield from _contacts(config, state, text)


def _deals(state: State, text: str) -> list[Subject]:
    if state.search.has("crm", "deals", text):
        return [Subject("deal", text)]
    return [Subject("deal", i) for i in state.search.deals_titled(text, exactly=True)]


def _papers(config: Config, state: State, text: str) -> Iterator[Subject]:
    """By number, id, marker or reference: invoices; the deals of what else bears our marker."""
    search = state.search
    record = uuid_in(text)
    if record and search.has("ledger", "invoices", record):
        yield Subject("invoice", record)
    yield from (Subject("invoice", i) for i in search.invoices_numbered(text))
    if record:
        yield from (Subject("invoice", i) for i in search.invoices_settled_by(record))
    credits = search.credits_of_deals(text)
    yield from (Subject("deal", deal) for deal, _ in credits)
    for note in search.numbered("credit_notes", text):
        yield from (Subject("invoice", i) for i in search.invoices_settled_by(note))
    yield from _marked(config, state, text)


def _marked(config: Config, state: State, text: str) -> Iterator[Subject]:
    marker = marker_in(text, text) or text
    parsed = parse_invoice_marker(marker)
    part = state.links.part_of_marker(marker) if parsed else None
    if parsed and (part or parsed[0] == config.connection.code):
        known = state.search.has("crm", "deals", parsed[1])
        yield Subject("invoice", part.ledger_id) if part else Subject("deal", parsed[1], known)
    other = parse_other_marker(other_marker_in(text) or "")
    if other and other[0] == config.connection.code:
        yield Subject("deal", other[1], state.search.has("crm", "deals", other[1]))


def _contacts(config: Config, state: State, text: str) -> Iterator[Subject]:
    """By id, marker, whole name or e-mail address."""
    record, search = uuid_in(text), state.search
    if record and search.has("ledger", "contacts", record):
        yield _contact(state, f"ledger:{record}")
    marked = contact_of_marker(config.connection.code, text)
    if marked:
        yield _contact(state, marked)
    found = search.contacts_mailed(email_key(text)) if "@" in text else []
    for contact in found or search.contacts_called(name_key(text)):
        yield _contact(state, contact if ":" in contact else f"ledger:{contact}")


def _contact(state: State, key: str) -> Subject:
    """The contact by the key of its pair: a linked ledger contact goes by its CRM customer."""
    ledger_id = key.removeprefix("ledger:")
    if ledger_id != key:
        owner = state.links.contact_owner(ledger_id)
        key = owner or key
    return Subject("contact", key, known=contact_of(state, key) is not None)


# --- alike ---------------------------------------------------------------------------------------


def _alike(state: State, text: str) -> Iterator[Subject]:
    yield from _saying(state, text)
    yield from (Subject("deal", i) for i in state.search.deals_titled(text, exactly=False))
    yield from _contacts_like(state, text)


def _saying(state: State, text: str) -> list[Subject]:
    return [Subject("invoice", i) for i in state.search.invoices_saying(text)]


def _contacts_like(state: State, text: str) -> Iterator[Subject]:
    for contact in state.search.contacts_like(name_key(text)):
        yield _contact(state, contact if ":" in contact else f"ledger:{contact}")


def _once(found: Iterable[Subject]) -> list[Subject]:
    return list(dict.fromkeys(found))
