"""One customer decided: every combination of base, both sides, archived, linked and owner against
a table; names, markers, suppliers and what is never written."""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest

from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    CrmContactDraft,
    MarkerChange,
)
from syncjob.core.contacts.case import ContactCase, ContactContext, ContactDecision, digest
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.policy_contacts import Contacts, Owner, Owners
from syncjob.core.records import Contact
from syncjob.core.rules.matching import Candidates, name_key
from tests.core.contacts.test_merge import reference

UUID = "1d5ab1f2-0000-4000-8000-000000000001"
FIELDS = {
    "organization": frozenset({"name", "postal", "tax_number"}),
    "person": frozenset({"name", "first_name", "last_name", "email", "emails", "phones"}),
    "contact": frozenset({"name", "first_name", "last_name", "email", "phones", "tax_number"}),
}
Given = tuple[str | None, str | None]


def crm(**values: object) -> Contact:
    return Contact(id="org:12", kind="organization", **{"name": "Acme", **values})  # type: ignore[arg-type]


def ledger(**values: object) -> Contact:
    given = {"name": "Acme", "marker": "NW-O12", "is_customer": True, **values}
    return Contact(id=UUID, kind="contact", **given)  # type: ignore[arg-type]


def context(
    update: Literal["off", "blanks", "owners"] = "owners", **policy: object
) -> ContactContext:
    chosen = Contacts(update=update, **policy)  # type: ignore[arg-type]
    return ContactContext(code="NW", policy=chosen, fields=FIELDS)


def changes(decision: ContactDecision) -> dict[str, dict[str, str | None]]:
    """{"ledger": {"tax_number": "a"}} for what would be written."""
    found = {a.side: a.payload.values for a in decision.actions
             if isinstance(a.payload, ContactChange)}  # fmt: skip
    return dict(found)


@pytest.mark.parametrize("owner", ["crm", "ledger", "ask"])
@pytest.mark.parametrize("full", [True, False])
def test_small_scope_complete(owner: Owner, full: bool) -> None:
    values, count = (None, "a", "b", "c"), 0
    rows = product((None, "a", "b"), (True, False), values, values, (True, False), (True, False))
    for base, known, ours, theirs, archived, linked in rows:
        if not known and base is not None:
            continue
        case = ContactCase(
            crm=crm(tax_number=ours), linked=linked,
            ledger=ledger(tax_number=theirs, archived=archived) if linked else None,
            base={"name": ("Acme", "Acme")} | ({"tax_number": (base, base)} if known else {}),
        )  # fmt: skip
        got = decide_contact(case, context("owners" if full else "blanks",
                                           owners=Owners(tax_number=owner)))  # fmt: skip
        verdict, new_crm, new_ledger = reference(base, known, ours, theirs, owner, full)
        expected: dict[str, dict[str, str | None]] = {}
        if linked and not archived and verdict == "write":
            if new_ledger != theirs:
                expected["ledger"] = {"tax_number": new_ledger}
            if new_crm != ours:
                expected["crm"] = {"tax_number": new_crm}
        assert changes(got) == expected, (base, known, ours, theirs, archived, linked)
        issues = [i.code for i in got.issues]
        told = {"differs": ["contact_differs"], "conflict": ["contact_conflict"]}.get(verdict, [])
        if archived:
            told = ["contact_archived"] if verdict == "write" else []
        assert issues == (told if linked else [])
        count += 1
    assert count == 256


def linked(**more: object) -> ContactCase:
    given = {"crm": crm(), "ledger": ledger(), "linked": True, **more}
    return ContactCase(**given)  # type: ignore[arg-type]


def only(decision: ContactDecision) -> Action:
    assert len(decision.actions) == 1
    return decision.actions[0]


def test_a_name_that_another_bears_is_written_with_the_suffix() -> None:
    case = linked(crm=crm(name="Beta"), base={"name": ("Acme", "Acme")},
                  taken=frozenset({name_key("Beta")}))  # fmt: skip
    got = only(decide_contact(case, context(owners=Owners(name="crm"))))
    assert isinstance(got.payload, ContactChange)
    assert got.payload.values == {"name": "Beta (12)"}
    settled = linked(crm=crm(name="Beta"), ledger=ledger(name="Beta (12)"),
                     base={"name": ("Beta", "Beta (12)")},
                     taken=frozenset({name_key("Beta")}))  # fmt: skip
    assert decide_contact(settled, context(owners=Owners(name="crm"))).actions == ()


def test_names_currency_and_terms_are_never_emptied() -> None:
    case = linked(ledger=ledger(name=None), base={"name": ("Acme", "Acme")})
    assert decide_contact(case, context()).actions == ()


def test_the_link_leaves_one_marker() -> None:
    free = only(decide_contact(linked(ledger=ledger(marker=None)), context()))
    assert (free.side, free.payload) == ("ledger", MarkerChange(contact_id=UUID, marker="NW-O12"))
    other = only(decide_contact(linked(ledger=ledger(marker="PB-O5")), context()))
    assert other.side == "crm"
    assert isinstance(other.payload, MarkerChange)
    assert other.payload.marker == "NW-L" + UUID.replace("-", "")
    assert decide_contact(linked(), context()).actions == ()


def test_a_persons_word_counts_for_the_values_it_was_given_for() -> None:
    case = linked(crm=crm(tax_number="a"), ledger=ledger(tax_number="b"))
    asked = context(owners=Owners(tax_number="ask"))
    assert [i.code for i in decide_contact(case, asked).issues] == ["contact_conflict"]
    for given, written in (("crm", "ledger"), ("ledger", "crm")):
        told = linked(crm=case.crm, ledger=case.ledger,
                      answers={"tax_number": (given, digest("a", "b"))})  # fmt: skip
        assert list(changes(decide_contact(told, asked))) == [written]
    stale = linked(crm=crm(tax_number="x"), ledger=case.ledger,
                   answers={"tax_number": ("crm", digest("a", "b"))})  # fmt: skip
    assert decide_contact(stale, asked).actions == ()


def test_a_supplier_is_not_touched_and_a_mixed_one_not_written_in_the_ledger() -> None:
    only_bills = linked(crm=crm(tax_number="a"), ledger=ledger(is_customer=False, is_supplier=True))
    assert decide_contact(only_bills, context()).actions == ()
    mixed = linked(crm=crm(tax_number="a"), ledger=ledger(is_supplier=True))
    got = decide_contact(mixed, context())
    assert (got.actions, [i.code for i in got.issues]) == ((), ["contact_is_supplier"])
    assert changes(decide_contact(mixed, context(suppliers=True))) == {
        "ledger": {"tax_number": "a"}
    }


def test_what_ended_is_left_alone() -> None:
    case = linked(crm=crm(tax_number="a"), ended="forgotten")
    got = decide_contact(case, context())
    assert (got.actions, got.issues) == ((), ())
    gone = decide_contact(linked(ledger=ledger(forgotten=True, deleted=True)), context())
    assert gone.forget
    assert gone.actions == ()


def test_a_contact_that_is_free_is_linked_and_one_of_another_customer_is_not() -> None:
    free = ContactCase(crm=crm(), candidates=Candidates(by_name=(ledger(marker=None),)))
    assert decide_contact(free, context()).link == UUID
    taken = ContactCase(crm=crm(), candidates=Candidates(by_name=(ledger(),)), crosses=True,
                        owners={UUID: "org:99"}, taken=frozenset({name_key("Acme")}))  # fmt: skip
    got = only(decide_contact(taken, context()))
    assert isinstance(got.payload, ContactDraft)
    assert got.payload.name == "Acme (12)"


def test_while_creating_waits_nothing_is_created() -> None:
    waiting = ContactContext(code="NW", policy=Contacts(update="owners", which="all"),
                             fields=FIELDS, wait="the state is new")  # fmt: skip
    got = decide_contact(ContactCase(crm=crm(), crosses=True), waiting)
    assert (got.actions, got.waits) == ((), "the state is new")


@pytest.mark.parametrize("names", [{}, {"first_name": "Ann", "last_name": "Smith"}])
@pytest.mark.parametrize("known", [False, True])
def test_who_is_made_holds_the_e_mail_at_once(names: dict[str, str], known: bool) -> None:
    """The person that is made next; the organization itself where nobody is."""
    case = ContactCase(ledger=ledger(emails=("a@x.test",), **names), known_person=known)
    fields = {**FIELDS, "organization": FIELDS["organization"] | {"email"}}
    policy = Contacts(update="owners", create_in_crm=True)
    got = decide_contact(case, ContactContext(code="NW", policy=policy, fields=fields))
    made = [a.payload for a in got.actions if isinstance(a.payload, CrmContactDraft)]
    alone = known or not names
    assert [draft.kind for draft in made] == ["organization", "person"][: 1 if alone else 2]
    assert ["email" in draft.values for draft in made] == ([True] if alone else [False, True])
