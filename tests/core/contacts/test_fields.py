"""Fields as texts: what goes in comes out, and what counts as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.contacts.countries import country_code
from syncjob.core.contacts.fields import (
    FIELDS,
    decode_address,
    decode_list,
    decode_people,
    decode_terms,
    encode_address,
    encode_list,
    encode_people,
    encode_terms,
    same,
    values_of,
    with_values,
)
from syncjob.core.contacts.phones import e164
from syncjob.core.records import Address, Contact, PaymentTerms, Person

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(
    lambda text: values_of(Contact(id="x", kind="contact", name=text))["name"] or "x"
)
MAYBE = st.none() | WORDS
ADDRESSES = st.builds(Address, lines=st.lists(WORDS, max_size=4).map(tuple), city=MAYBE,
                      region=MAYBE, postal_code=MAYBE, country=MAYBE, text=MAYBE)  # fmt: skip


@given(ADDRESSES)
def test_an_address_comes_back_as_it_went(address: Address) -> None:
    value = encode_address(address)
    assert (decode_address(value) or Address()) == address
    assert same("postal", value, value)


@given(st.lists(WORDS, unique=True))
def test_a_list_comes_back_as_it_went(entries: list[str]) -> None:
    value = encode_list(entries)
    assert decode_list(value) == tuple(entries)
    assert same("emails", value, encode_list(reversed(entries)))


@given(st.lists(st.builds(Person, first_name=MAYBE, last_name=WORDS, email=MAYBE), max_size=5))
def test_people_come_back_as_they_went(people: list[Person]) -> None:
    assert decode_people(encode_people(people)) == tuple(dict.fromkeys(people))


def test_terms_come_back_and_what_a_person_typed_is_no_terms() -> None:
    terms = PaymentTerms(day=20, kind="of_following_month")
    assert decode_terms(encode_terms(terms)) == terms
    assert decode_terms("30 days net") is None
    assert decode_terms(None) is None


@given(st.data())
def test_a_contact_given_other_values_says_them_and_else_what_it_said(data: st.DataObject) -> None:
    said = st.fixed_dictionaries({
        "name": WORDS, "first_name": MAYBE, "last_name": MAYBE, "tax_number": MAYBE,
        "currency": MAYBE, "emails": st.lists(WORDS, unique=True, max_size=3).map(tuple),
        "phones": st.lists(WORDS, unique=True, max_size=3).map(tuple),
        "address": st.none() | ADDRESSES, "street": st.none() | ADDRESSES,
        "terms": st.none() | st.just(PaymentTerms(day=20, kind="of_following_month")),
    })  # fmt: skip
    one, other = (Contact(id=i, kind="person", **data.draw(said)) for i in ("x", "y"))
    fields = data.draw(st.sets(st.sampled_from(sorted(set(FIELDS) - {"email", "emails"}))))
    new = {field: values_of(other)[field] for field in fields}
    made = with_values(one, new)
    assert values_of(made) == values_of(one) | new and made.id == "x"


def test_of_the_e_mails_the_first_is_changed_and_the_others_stay() -> None:
    one = Contact(id="x", kind="person", name="Al", emails=("a@x.test", "b@x.test"))
    assert with_values(one, {"email": "c@x.test"}).emails == ("c@x.test", "b@x.test")
    assert with_values(one, {"emails": None}).emails == ("a@x.test",)
    assert with_values(one, {"phones": "1"}).emails == one.emails


def test_a_contact_says_each_field_and_nothing_twice() -> None:
    one = Contact(
        id="person:7", kind="person", name="  Ann \n Smith ", phones=("1", "1", "2"),
        emails=("a@x.example", "b@x.example"),
    )  # fmt: skip
    found = values_of(one)
    assert set(found) == set(FIELDS)
    assert (found["name"], found["email"], found["emails"]) == (
        "Ann Smith", "a@x.example", "b@x.example",
    )  # fmt: skip
    assert found["phones"] == "1\n2"
    assert found["postal"] is None


@pytest.mark.parametrize(
    ("field", "one", "other", "alike"),
    [
        ("name", "Acme Ltd", "ACME Ltd", False),  # a change that a person may want to see
        ("email", "Ann@Acme.example", "ann@acme.example", True),
        ("phones", "(02) 9999 1111", "+61 2 9999 1111", True),
        ("phones", "(02) 9999 1111\n0412 345 678", "+61412345678\n+61299991111", True),
        ("phones", "(02) 9999 1111", "(02) 9999 1112", False),
        ("phones", "ask Ann", "ASK  ANN", True),
        ("tax_number", "GB 123 4567 89", "gb123456789", True),
        ("currency", "aud", "AUD", True),
        ("email", None, "a@x.example", False),
    ],
)
def test_what_counts_as_the_same(field: str, one: str | None, other: str, alike: bool) -> None:
    assert same(field, one, other, "AU") is alike
    assert same(field, other, one, "AU") is alike


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (Address(text="1 Main Street, Sydney NSW 2000, Australia"),
         Address(lines=("1 Main Street",), city="Sydney", region="NSW", postal_code="2000",
                 country="AU"), True),
        (Address(lines=("Hauptstr. 5",), city="Berlin", country="Deutschland"),
         Address(lines=("Hauptstr 5",), city="Berlin", country="Germany"), True),
        (Address(lines=("Hauptstr. 5",), city="Berlin"),
         Address(lines=("Hauptstr. 7",), city="Berlin"), False),
        (Address(city="Paris", country="FR"), Address(city="Paris", country="US"), False),
    ],
)  # fmt: skip
def test_addresses_are_compared_word_by_word(one: Address, other: Address, alike: bool) -> None:
    assert same("postal", encode_address(one), encode_address(other)) is alike


def test_countries_by_code_and_by_name() -> None:
    for text in ("DE", "de", "DEU", "Germany", "Deutschland", "Allemagne", "Duitsland"):
        assert country_code(text) == "DE"
    assert country_code("U.S.A.") == country_code("United States") == "US"
    assert country_code("Atlantis") is None
    assert country_code("") is None


def test_numbers_by_what_they_dial() -> None:
    assert e164("020 7946 0123", "GB") == "+442079460123"
    assert e164("+44 20 7946 0123") == "+442079460123"
    assert e164("020 7946 0123") is None
    assert e164("020 7946 0123 ext. 7", "GB") == "+442079460123;ext=7"
    assert e164("call me", "GB") is None
