"""Small scope, complete: every state of a customer against a table that was written from
docs/contacts.md ("Who decides", "What happens on the other side") and BOOKKEEPING, not from the
code.

A side's value is told by what happened to it since both last agreed:

    =  says what it said      ~  says something else     0  was emptied
    _  empty, as it was       +  filled, never compared
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest

from syncjob.core.actions import ContactChange, ContactDraft
from syncjob.core.contacts.case import ContactCase, ContactContext, ContactDecision, digest
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.policy_contacts import Contacts, Owners
from syncjob.core.records import Contact
from syncjob.core.rules.matching import Candidates, name_key

#: By the two sides' states (CRM, ledger) and what the config says: > it goes to the ledger, < it
#: goes to the CRM, L it is listed, C it is a conflict, . nothing.
WAYS = ("crm", "ledger", "ask", "blanks")
TABLE = {
    #        crm  ledger ask blanks
    "= =": (".", ".", ".", "."),
    "_ _": (".", ".", ".", "."),
    "~ =": (">", "L", ">", "L"),
    "0 =": (">", "L", ">", "L"),  # cleared there too if the owner cleared it; else listed
    "= ~": ("L", "<", "<", "L"),
    "= 0": ("L", "<", "<", "L"),
    "~ ~": (">", "<", "C", "L"),
    "~ 0": (">", ">", "C", "L"),  # the owner's is empty and the other side filled it
    "0 ~": ("<", "<", "C", "L"),
    "~ _": (">", ">", ">", ">"),
    "_ ~": ("<", "<", "<", "<"),
    "+ _": (">", ">", ">", ">"),
    "_ +": ("<", "<", "<", "<"),
    "+ +": (">", "<", "C", "L"),
}
#: What the ledger cannot be without (docs/contacts.md, "Safety"): told, not cleared.
STAYS = frozenset({"currency"})

UUID = "1d5ab1f2-0000-4000-8000-000000000001"
HELD = frozenset({"name", "tax_number", "currency"})
CONTEXT_FIELDS = {"organization": HELD, "person": frozenset[str](), "contact": HELD}
#: Missing, empty, two values, and the first in another spelling.
SPELLED: dict[str, tuple[str | None, ...]] = {
    "tax_number": (None, "", "51824", "99", "51 824"),
    "currency": (None, "", "AUD", "EUR", "aud"),
}
FEWER: dict[str, tuple[str | None, ...]] = {"currency": (None, "AUD", "EUR")}
UNKNOWN = "never compared"


class One(NamedTuple):
    """One field: what both agreed on, what each says now."""

    base: str | None
    crm: str | None
    ledger: str | None


def plain(value: str | None) -> str | None:
    """Without what is only spelling; nothing is nothing, however it is said."""
    return (value or "").replace(" ", "").upper() or None


def state(one: One, value: str | None) -> str:
    now = plain(value)
    if one.base == UNKNOWN:
        return "+" if now else "_"
    was = plain(one.base)
    if now == was:
        return "=" if now else "_"
    return "~" if now else "0"


def expected(one: One, way: str) -> str:
    """What the table says."""
    if plain(one.crm) == plain(one.ledger):
        return "."  # the same on both sides is agreement
    return TABLE[f"{state(one, one.crm)} {state(one, one.ledger)}"][WAYS.index(way)]


def outcome(fields: dict[str, One], way: str, answers: dict[str, str]) -> tuple[object, ...]:
    """What is written to each side, and the codes of what is told, for a linked pair."""
    to: dict[str, dict[str, str | None]] = {"ledger": {}, "crm": {}}
    told = set()
    for name, one in fields.items():
        sign = expected(one, way)
        if sign != "." or plain(one.crm) != plain(one.ledger):
            sign = {"crm": ">", "ledger": "<"}.get(answers.get(name, ""), sign)
        if sign == ">" and not one.crm and name in STAYS:
            told.add("contact_not_cleared")
        elif sign in "<>":
            side, value = ("ledger", one.crm) if sign == ">" else ("crm", one.ledger)
            to[side][name] = value or None
        elif sign in "LC":
            told.add(sign)
    if told & {"L", "C"}:
        told = told - {"L", "C"} | {"contact_conflict" if "C" in told else "contact_differs"}
    return to["ledger"], to["crm"], frozenset(told)


def decided(
    fields: dict[str, One], way: str, *, archived: bool = False, deleted: bool = False,
    answers: dict[str, str] | None = None, linked: bool = True, crosses: bool = False,
    found: bool = True,
) -> ContactDecision:  # fmt: skip
    """What the code says."""
    said: dict[str, Any] = {name: one.crm for name, one in fields.items()}
    held: dict[str, Any] = {name: one.ledger for name, one in fields.items()}
    crm = Contact(id="org:12", kind="organization", name="Acme", deleted=deleted, **said)
    ledger = Contact(
        id=UUID, kind="contact", name="Acme", marker="NW-O12", is_customer=True,
        archived=archived, **held,
    )  # fmt: skip
    owner = "ledger" if way == "blanks" else way
    policy = Contacts(
        update="blanks" if way == "blanks" else "owners",
        owners=Owners(tax_number=owner, currency=owner),  # type: ignore[arg-type]
    )
    known = {name: (one.base or None, one.base or None) for name, one in fields.items()
             if one.base != UNKNOWN}  # fmt: skip
    taken: dict[str, Any] = {
        name: (take, digest(fields[name].crm or None, fields[name].ledger or None))
        for name, take in (answers or {}).items()
    }
    case = ContactCase(
        crm=crm,
        ledger=ledger if linked else None,
        linked=linked,
        crosses=crosses,
        base={"name": ("Acme", "Acme"), **known},
        answers=taken,
        candidates=Candidates(by_name=(ledger,)) if found and not linked else Candidates(),
        taken=frozenset() if found else frozenset({name_key("other")}),
    )
    return decide_contact(case, ContactContext(code="NW", policy=policy, fields=CONTEXT_FIELDS))


def written(decision: ContactDecision) -> tuple[object, ...]:
    to: dict[str, dict[str, str | None]] = {"ledger": {}, "crm": {}}
    for action in decision.actions:
        assert isinstance(action.payload, ContactChange)
        to[action.side] = action.payload.values
    return to["ledger"], to["crm"], frozenset(issue.code for issue in decision.issues)


def every(name: str, values: tuple[str | None, ...], bases: tuple[str | None, ...]) -> list[One]:
    return [One(*found) for found in product(bases, values, values)]


TAX = every("tax_number", SPELLED["tax_number"], (UNKNOWN, None, "51824", "99"))
CURRENCY = every("currency", FEWER["currency"], (UNKNOWN, None, "AUD"))


#: A state in words, what the code does in it, what the table says.
Judged = tuple[object, object, object]


def linked_pairs() -> Iterator[Judged]:
    """Two fields in every state, archived or not, deleted or not."""
    for tax, currency, way in product(TAX, CURRENCY, WAYS):
        fields = {"tax_number": tax, "currency": currency}
        whole = outcome(fields, way, {})
        writes = bool(whole[0] or whole[1])
        for archived, deleted in product((False, True), repeat=2):
            wanted = whole
            if deleted:  # the ledger's contact stays as it is, and somebody is told
                wanted = ({}, {}, frozenset({"contact_deleted"}))
            elif archived:  # changes wait, and it is told if there is any
                wanted = ({}, {}, frozenset({"contact_archived"} if writes else ()))
            got = written(decided(fields, way, archived=archived, deleted=deleted))
            yield (fields, way, archived, deleted), got, wanted


def answered_fields() -> Iterator[Judged]:
    """One field in every spelling; a person's word stands above the owner's."""
    currencies = every("currency", SPELLED["currency"], (UNKNOWN, None, "AUD", "EUR"))
    one_field = [("tax_number", one) for one in TAX] + [("currency", one) for one in currencies]
    for (name, one), way, take in product(one_field, WAYS, ("", "crm", "ledger")):
        answers = {name: take} if take else {}
        got = written(decided({name: one}, way, answers=answers))
        yield (name, one, way, take), got, outcome({name: one}, way, answers)


def found_pairs() -> Iterator[Judged]:
    """What is there on both sides is linked in any case, and then as if it had been before; but
    never with what is archived, which is told if the customer is to be made."""
    unknown = [tax for tax in TAX if tax.base == UNKNOWN]
    any_of_three = [*product((False, True), repeat=3)]
    for tax, currency, way, (archived, deleted, crosses) in product(
        unknown, CURRENCY[:9], WAYS, any_of_three
    ):
        fields = {"tax_number": tax, "currency": currency}
        made = decided(
            fields, way, archived=archived, deleted=deleted, crosses=crosses, linked=False
        )
        told = frozenset({"contact_archived"} if archived and crosses and not deleted else ())
        wanted = ({}, {}, told) if archived or deleted else outcome(fields, way, {})
        link = None if archived or deleted else UUID
        state = (fields, way, archived, deleted, crosses)
        yield state, (made.link, *written(made)), (link, *wanted)


def lone_customers() -> Iterator[Judged]:
    """Made once, with all its values, only if the config lets it cross, and never if deleted."""
    values = product(SPELLED["tax_number"], SPELLED["currency"], WAYS, (False, True), (False, True))
    for tax, currency, way, deleted, crosses in values:
        fields = {"tax_number": One(UNKNOWN, tax, None), "currency": One(UNKNOWN, currency, None)}
        got = decided(fields, way, deleted=deleted, crosses=crosses, linked=False, found=False)
        made = [(draft.tax_number, draft.currency) for draft in _drafts(got)]
        wanted = [(tax or None, currency or None)] if crosses and not deleted else []
        yield (tax, currency, way, deleted, crosses), (made, got.issues), (wanted, ())


def _drafts(decision: ContactDecision) -> Iterator[ContactDraft]:
    for action in decision.actions:
        assert isinstance(action.payload, ContactDraft)
        yield action.payload


#: Every state of a customer, and how many there are.
SCOPES: dict[str, tuple[Callable[[], Iterator[Judged]], int]] = {
    "a linked pair": (linked_pairs, 43_200),
    "one field with a person's word": (answered_fields, 2_400),
    "a pair that is found and not linked": (found_pairs, 7_200),
    "a customer that the ledger lacks": (lone_customers, 400),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_every_state_of_a_customer(scope: str) -> None:
    states, expected_count = SCOPES[scope]
    count, wrong = 0, []
    for state_, got, wanted in states():
        count += 1
        if got != wanted:
            wrong.append((state_, got, wanted))
    assert not wrong, (len(wrong), wrong[:10])
    assert count == expected_count
