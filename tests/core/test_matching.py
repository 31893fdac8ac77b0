"""Whose customer: link, marker, name and e-mail, name; everything else is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import ContactDraft
from syncjob.core.records import Address, Contact
from syncjob.core.rules.matching import (
    Candidates,
    email_key,
    find_contact,
    look_alike,
    name_key,
    require_party,
)

from .make import customer, deal, held, organization, person

ACME = organization(emails=("info@acme.test",))


def find(
    wanted: Contact = ACME, a_person: Contact | None = None, **candidates: object
) -> Contact | ContactDraft:
    return find_contact(wanted, a_person, Candidates(**candidates), "NW-O12")


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  ACME \t Ltd\n", "acme ltd"),
        ("Straße", "strasse"),
        ("Ｗｉｄｅ", "wide"),
        ("Cafe\u0301", "café"),
        ("Acme\u00a0Ltd", "acme ltd"),
        (None, ""),
        ("", ""),
    ],
)
def test_names_compare_by_key(name, key):
    assert name_key(name) == key


@given(st.text())
def test_a_name_key_is_its_own_key(name):
    assert name_key(name_key(name)) == name_key(name)


def test_emails_compare_without_case_and_space():
    assert email_key(" Info@ACME.test ") == "info@acme.test"
    assert email_key(None) == ""


# --- who is asked for -----------------------------------------------------------------------------


def test_organization_beats_person():
    assert require_party(deal(org_id="org:1", person_id="person:2")) == "org:1"
    assert require_party(deal(org_id=None, person_id="person:2")) == "person:2"


def test_a_deal_with_nobody_is_held():
    with held("no_customer", "neither an organization nor a person"):
        require_party(deal(org_id=None, person_id=None))


# --- the order of finding -------------------------------------------------------------------------


def test_a_link_beats_everything():
    linked = customer("c9", name="Other name", is_customer=False, is_supplier=True)
    found = find(linked=linked, by_marker=customer("c8"), by_name=(customer("c1"),))
    assert found is linked


def test_our_marker_beats_names():
    marked = customer("c8", name="Renamed since")
    assert find(by_marker=marked, by_name=(customer("c1"),)) is marked


@pytest.mark.parametrize("way", ["linked", "by_marker"])
@pytest.mark.parametrize("gone", [{"archived": True}, {"deleted": True}])
def test_an_archived_link_is_held(way, gone):
    with held("contact_archived", "Acme Ltd", "archived"):
        find(**{way: customer(**gone)})


def test_name_and_email_agreeing_beat_a_second_hit_by_email():
    right = customer("c1", emails=("INFO@acme.test",))
    other = customer("c2", name="Beta", emails=("info@acme.test",))
    assert find(by_name=(right,), by_email=(other, right)) is right


def test_an_exact_unique_name_is_enough():
    right = customer("c1", name="ACME  ltd", emails=("else@acme.test",))
    assert find(by_name=(right,)) is right


def test_the_main_persons_email_agrees_too():
    one = customer("c1", emails=("ann@acme.test",))
    two = customer("c2", emails=())
    ann = person(emails=("ann@acme.test",))
    assert find(organization(), ann, by_name=(one, two), by_email=(one,)) is one


def test_two_contacts_with_the_name_are_held():
    with held("contact_two_candidates", '"Acme Ltd" (c1)', '"acme ltd" (c2)'):
        find(by_name=(customer("c2", name="acme ltd"), customer("c1")))


def test_two_that_agree_in_both_are_held():
    both = (customer("c1", emails=ACME.emails), customer("c2", emails=ACME.emails))
    with held("contact_two_candidates"):
        find(by_name=both, by_email=both)


def test_one_by_name_and_another_by_email_are_held():
    other = customer("c2", name="Beta", emails=ACME.emails)
    with held("contact_two_candidates", "Acme Ltd", "Beta"):
        find(by_name=(customer("c1"),), by_email=(other,))


def test_an_email_under_another_name_is_held():
    other = customer("c2", name="Beta", emails=ACME.emails)
    with held("contact_email_other_name", "Acme Ltd", "Beta"):
        find(by_email=(other,))


def test_an_email_under_two_other_names_is_held():
    others = tuple(customer(i, name=i, emails=ACME.emails) for i in ("c2", "c3"))
    with held("contact_two_candidates", "c2", "c3"):
        find(by_email=others)


def test_a_name_that_exists_only_archived_is_held():
    with held("contact_archived"):
        find(by_name=(customer(archived=True),))


def test_an_archived_namesake_beside_a_live_one_does_not_matter():
    live = customer("c2")
    assert find(by_name=(customer("c1", archived=True), live)) is live


def test_an_email_that_exists_only_archived_is_held():
    with held("contact_archived", "Beta"):
        find(by_email=(customer("c2", name="Beta", emails=ACME.emails, archived=True),))


def test_a_contact_with_only_bills_is_held():
    with held("contact_supplier_only", "only bills"):
        find(by_name=(customer(is_customer=False, is_supplier=True),))


@pytest.mark.parametrize("is_supplier", [True, False])
def test_a_customer_may_be_a_supplier_too(is_supplier):
    both = customer(is_customer=is_supplier, is_supplier=is_supplier)
    assert find(by_name=(both,)) is both


def test_what_an_index_gives_is_looked_at_again():
    stranger = customer("c5", name="Stranger", emails=("s@x.test",))
    assert isinstance(find(by_name=(stranger,), by_email=(stranger,)), ContactDraft)


def test_no_email_matches_no_email():
    assert isinstance(find(organization(), by_email=(customer("c5", name="X"),)), ContactDraft)


@given(st.permutations([customer(f"c{n}", name="Acme Ltd") for n in range(4)]))
def test_the_answer_does_not_depend_on_the_order_of_rows(rows):
    with held("contact_two_candidates", '(c0), "Acme Ltd" (c1), "Acme Ltd" (c2)'):
        find(by_name=tuple(rows))


@pytest.mark.parametrize(
    ("name", "email", "alike"),
    [
        ("ACME  ltd", None, True),
        ("Beta", "INFO@acme.test", True),
        ("Beta", "b@beta.test", False),
        ("Beta", None, False),
    ],
)
def test_two_new_contacts_of_one_batch_that_may_be_one(name, email, alike):
    one = ContactDraft(marker="NW-O1", name="Acme Ltd", email="info@acme.test")
    other = ContactDraft(marker="NW-O2", name=name, email=email)
    assert look_alike(one, other) is alike
    assert look_alike(other, one) is alike


def test_two_new_contacts_without_email_are_not_one():
    one, other = (ContactDraft(marker=f"NW-O{n}", name=n) for n in "ab")
    assert not look_alike(one, other)


# --- a new contact --------------------------------------------------------------------------------


def test_a_new_organization_takes_its_main_persons_name_and_email():
    ann = person(
        first_name="Ann", last_name="Lee", emails=("ann@acme.test",), phones=("+44 20 7946 0000",)
    )
    wanted = organization(name=" Acme\tLtd 🚀", emails=("info@acme.test",), tax_number="GB 123")
    assert find(wanted, ann) == ContactDraft(
        marker="NW-O12",
        name="Acme Ltd 🚀",
        first_name="Ann",
        last_name="Lee",
        email="ann@acme.test",
        phone="+44 20 7946 0000",
        tax_number="GB 123",
    )


def test_without_a_person_the_organizations_own_email_is_taken():
    draft = find(organization(emails=("info@acme.test",), phones=("1" * 51,)))
    assert (draft.email, draft.phone, draft.first_name) == ("info@acme.test", None, None)


def test_the_longest_phone_fits():
    assert find(organization(phones=("1" * 50,))).phone == "1" * 50


def test_a_person_without_email_leaves_the_organizations():
    assert find(organization(emails=("info@acme.test",)), person()).email == "info@acme.test"


def test_a_person_alone_is_the_customer():
    draft = find(person(first_name="Ann", last_name="Lee", emails=("ann@x.test",)))
    assert (draft.name, draft.first_name, draft.email) == ("Ann Lee", "Ann", "ann@x.test")


def test_a_contact_without_name_is_held():
    with held("contact_no_name", "org:12"):
        find(organization(name=" \t"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "x" * 256}, "contact_name_too_long"),
        ({"emails": ("x" * 250 + "@a.test",)}, "contact_email_too_long"),
        ({"tax_number": "1" * 51}, "contact_tax_number_too_long"),
        ({"address": Address(lines=("x" * 501,))}, "contact_address_too_long"),
        ({"address": Address(text="x" * 501)}, "contact_address_too_long"),
        ({"address": Address(city="x" * 256)}, "contact_city_too_long"),
        ({"address": Address(postal_code="x" * 51)}, "contact_postal_code_too_long"),
    ],
)
def test_what_the_ledger_cannot_take_is_held(changes, code):
    with held(code, "the ledger takes", "org:12"):
        find(organization(**changes))


def test_a_long_name_is_quoted_in_part():
    with held("contact_name_too_long", '"' + "x" * 57 + '..."', "300 characters"):
        find(organization(name="x" * 300))


def test_the_longest_name_fits():
    assert find(organization(name="x" * 255)).name == "x" * 255


def test_an_email_beyond_ascii_is_held():
    with held("contact_email_unusable", "jürgen@acme.test"):
        find(organization(emails=("jürgen@acme.test",)))


@pytest.mark.parametrize(
    ("country", "sent"),
    [
        ("United Kingdom", "United Kingdom"),
        ("Côte d'Ivoire", None),
        ("UK-1", None),
        ("x" * 51, None),
        (None, None),
        ("", None),
    ],
)
def test_a_country_that_the_ledger_refuses_is_left_out(country, sent):
    address = find(organization(address=Address(city="Leeds", country=country))).address
    assert address == Address(city="Leeds", country=sent)


def test_an_address_is_cleaned():
    given_ = Address(lines=(" 1 High\tSt ", " "), region="", text="1 High St\r\nLeeds")
    address = find(organization(address=given_)).address
    assert address == Address(lines=("1 High St",), text="1 High St\nLeeds")
