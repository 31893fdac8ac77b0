"""Contacts that are easily taken for one, and contacts that hardly look like one."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.match.match import doubles, match
from syncjob.core.match.parameters import Parameters
from syncjob.core.match.records import Known, Matching, Party

GB = Parameters(country="GB")


def company(key: str, name: str, **fields: Any) -> Party:
    return Party(id=key, kind="organization", name=name, **fields)


def person(key: str, first: str, last: str, **fields: Any) -> Party:
    return Party(
        id=key, kind="person", name=f"{first} {last}", first_name=first, last_name=last, **fields
    )


def contact(key: str, name: str, **fields: Any) -> Party:
    return Party(id=key, kind="contact", name=name, **fields)


def links(found: Matching) -> set[tuple[str, str]]:
    return {(pair.left, pair.right) for pair in found.pairs}


def asked(found: Matching) -> set[tuple[str, str]]:
    return {(pair.left, pair.right) for pair in found.near}


LONDON = {"lines": ("12 High Street",), "city": "London", "postal_code": "E1 6AN", "country": "GB"}
LEEDS = {"lines": ("3 Mill Lane",), "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"}
BATH = {"lines": ("77 Spa Road",), "city": "Bath", "postal_code": "BA1 1AA", "country": "GB"}


def test_branches_go_to_their_own() -> None:
    """One company with three branches at three addresses, one mailbox, one tax number."""
    shared = {"emails": ("accounts@tandoor.co.uk",), "tax_number": "GB123456789"}
    places = {"london": LONDON, "leeds": LEEDS, "bath": BATH}
    crm = [company(f"c-{n}", "Tandoor Kitchens Ltd", **place) for n, place in places.items()]
    ledger = [
        contact(f"l-{n}", "Tandoor Kitchens Limited", **place, **shared)
        for n, place in places.items()
    ]
    found = match(crm, ledger, GB)
    assert all(left[2:] == right[2:] for left, right in links(found))
    assert links(found) | asked(found) >= {(f"c-{n}", f"l-{n}") for n in places}


def test_a_branch_alone_on_each_side_is_asked_never_linked() -> None:
    crm = [company("c", "Tandoor Kitchens Ltd", phones=("020 7946 0000",), **LONDON)]
    ledger = [contact("l", "Tandoor Kitchens Ltd", phones=("020 7946 0000",), **LEEDS)]
    found = match(crm, ledger, GB)
    assert not found.pairs
    assert "branches" in found.near[0].because


def test_almost_one_name() -> None:
    shared = {"phones": ("020 7946 0001",), "emails": ("info@acme.co.uk",), **LONDON}
    found = match(
        [company("c", "Acme Holdings Ltd", **shared)],
        [contact("l", "Acme Homes Ltd", **shared)],
        GB,
    )
    assert not found.pairs
    assert asked(found) == {("c", "l")}


def test_almost_one_name_both_on_both_sides() -> None:
    crm = [company("c1", "Acme Holdings Ltd", **LONDON), company("c2", "Acme Homes Ltd", **LEEDS)]
    ledger = [
        contact("l1", "ACME HOLDINGS", **LONDON),
        contact("l2", "Acme Homes Limited", **LEEDS),
    ]
    assert links(match(crm, ledger, GB)) == {("c1", "l1"), ("c2", "l2")}


def test_a_group_with_one_mailbox_and_one_phone() -> None:
    names = ("Orbit Group Ltd", "Orbit Lettings Ltd", "Orbit Dental Ltd", "Orbit Motors Ltd")
    shared = {"emails": ("accounts@orbit.co.uk",), "phones": ("020 7946 0002",), **LONDON}
    crm = [company(f"c{n}", name, **shared) for n, name in enumerate(names)]
    ledger = [contact(f"l{n}", name, **shared) for n, name in enumerate(names)]
    found = match(crm, ledger, GB)
    assert links(found) == {(f"c{n}", f"l{n}") for n in range(4)}
    strangers = match(crm[:2], ledger[2:], GB)
    assert not strangers.pairs


def test_two_of_one_family() -> None:
    home = {"phones": ("020 7946 0003",), "emails": ("family@gmail.com",), **LONDON}
    found = match(
        [person("c", "Anna", "Kowalska", **home)], [person("l", "Piotr", "Kowalska", **home)], GB
    )
    assert not found.pairs
    assert all("first names" in pair.because for pair in found.near)


BORN = ("birth date: 1979-04-11",)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("", ""),
        ("532789104", "532871690"),
        ("532789104", "532789105"),
    ],
    ids=["no numbers", "their own numbers", "numbers that follow each other"],
)
def test_twins_are_asked(mine: str, theirs: str) -> None:
    home = {"phones": ("020 7946 0003",), "more": BORN, **LONDON}
    found = match(
        [person("c", "Anna", "Kowalska", tax_number=mine or None, **home)],
        [person("l", "Ewa", "Kowalska", tax_number=theirs or None, **home)],
        GB,
    )
    assert not found.pairs
    assert asked(found) == {("c", "l")}


def test_one_number_and_one_birth_date_outweigh_another_first_name() -> None:
    for theirs in ("532789104", "532798104"):
        found = match(
            [person("c", "Anna", "Kowalska", tax_number="532789104", more=BORN, **LONDON)],
            [person("l", "Zofia", "Kowalska", tax_number=theirs, more=BORN, **LONDON)],
            GB,
        )
        assert links(found) == {("c", "l")}


def test_a_family_name_in_the_field_of_the_first() -> None:
    number = {"tax_number": "532789104", **LONDON}
    found = match(
        [person("c", "Kelsy", "Berryman", **number)],
        [person("l", "Berryman", "Phoebe", **number)],
        GB,
    )
    assert links(found) == {("c", "l")}
    assert any("other way round" in text for text in found.pairs[0].differs)
    bare = match(
        [person("c", "Kelsy", "Berryman", **LONDON)],
        [person("l", "Berryman", "Phoebe", **LONDON)],
        GB,
    )
    assert not bare.pairs


def test_another_tax_number_at_one_name_in_one_house() -> None:
    def pair(**theirs: Any) -> Matching:
        return match(
            [person("c", "Anna", "Kowalska", tax_number="532789104", more=BORN, **LONDON)],
            [person("l", "Anna", "Kowalska", tax_number="118204377", **theirs)],
            GB,
        )

    assert links(pair(**LONDON)) == {("c", "l")}
    assert not pair(**LEEDS).pairs
    assert not pair(more=("birth date: 1951-09-30",), **LONDON).pairs


def test_father_and_son_of_one_name() -> None:
    found = match(
        [person("c", "John", "Featherstone Sr.", phones=("020 7946 0003",), **LONDON)],
        [person("l", "John", "Featherstone Jr.", phones=("020 7946 0003",), **LONDON)],
        GB,
    )
    assert not found.pairs
    assert "senior" in found.near[0].because


def test_one_number_and_nothing_else_of_the_person_is_asked() -> None:
    found = match(
        [person("c", "Anna", "Kowalska", tax_number="532789104", more=BORN, **LONDON)],
        [person("l", "Zofia", "Kowalska", tax_number="532789104", **BATH)],
        GB,
    )
    assert not found.pairs
    assert asked(found) == {("c", "l")}


def test_no_address_and_a_name_with_branches() -> None:
    """One name and one phone, no address: certain, unless the data shows branches of the name."""
    phone = {"phones": ("020 7946 0007",)}
    crm = [company("c", "Tandoor Kitchens Ltd", **phone)]
    ledger = [contact("l", "Tandoor Kitchens Limited", **phone)]
    assert links(match(crm, ledger, GB)) == {("c", "l")}
    branches = [
        company("b1", "Tandoor Kitchens Ltd", **LEEDS),
        company("b2", "Tandoor Kitchens Ltd", **BATH),
    ]
    found = match([*crm, *branches], ledger, GB)
    assert not found.pairs
    assert ("c", "l") in asked(found)
    assert any("other addresses" in pair.because for pair in found.near)


def test_no_address_and_a_longer_name_is_asked() -> None:
    phone = {"phones": ("020 7946 0007",)}
    found = match(
        [company("c", "Tandoor Kitchens Ltd", **phone)],
        [contact("l", "Tandoor Kitchens Mayfair", **phone)],
        GB,
    )
    assert not found.pairs
    assert asked(found) == {("c", "l")}


def test_a_name_mistyped_is_found_by_its_mailbox() -> None:
    """Among many of one first name, the other side's mailbox tells the family name."""
    crowd = [person(f"x{n}", "Maria", f"Berg{n:03}holm") for n in range(60)]
    mine = person("c", "Maria", "Featehrsotne", emails=("maria.featherstone@gmail.com",))
    found = match([mine, *crowd], [person("l", "Maria", "Featherstone", city="Bath")], GB)
    assert "c" in {pair.left for pair in (*found.pairs, *found.near)}


def test_common_names_alone_say_little() -> None:
    found = match([person("c", "John", "Smith")], [person("l", "John", "Smith")], GB)
    assert not found.pairs


def test_a_rare_company_name_alone_is_enough_and_a_common_one_is_not() -> None:
    def pair(name: str) -> Matching:
        return match([company("c", f"{name} Ltd")], [contact("l", f"{name} Limited")], GB)

    assert links(pair("Zwetschgenbaum Quittenhof")) == {("c", "l")}
    assert not pair("Services").pairs


def test_a_rare_name_of_a_person_alone_is_asked() -> None:
    found = match([person("c", "Zoltan", "Quittenhof")], [contact("l", "Zoltan Quittenhof")], GB)
    assert not found.pairs
    assert asked(found) == {("c", "l")}


def test_a_person_and_a_company() -> None:
    shared = {"emails": ("jane@smithbakery.co.uk",), "phones": ("020 7946 0004",), **LONDON}
    found = match(
        [company("c", "Jane Smith Bakery Ltd", **shared)],
        [person("l", "Jane", "Smith", **shared)],
        GB,
    )
    assert not found.pairs


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("Jonathan", "Featherstone"), ("Featherstone", "Jonathan")),
        (("Jonathan", "Featherstone"), ("Jonathon", "Featherstone")),
        (("Jonathan", "Featherstone"), ("J", "Featherstone")),
        (("William", "Featherstone"), ("Bill", "Featherstone")),
        (("Jonathan", "Featherstone"), ("Jonathan", "Featherstoen")),
    ],
)
def test_one_person_written_otherwise(mine: tuple[str, str], theirs: tuple[str, str]) -> None:
    shared = {"phones": ("020 7946 0005",), **LONDON}
    found = match([person("c", *mine, **shared)], [person("l", *theirs, **shared)], GB)
    assert links(found) == {("c", "l")}


@pytest.mark.parametrize(
    "theirs",
    [
        {"phones": ("+44 20 7946 0006",)},
        {"phones": ("0044 (0)20 7946 0006",)},
        {"phones": ("02079460006",), **LONDON, "postal_code": "E1 6NA"},
        {"emails": ("hello@quillandpetrel.co.uk",)},
        {**LONDON, "lines": ("12, High St.",), "postal_code": None},
    ],
)
def test_one_company_written_otherwise(theirs: dict[str, Any]) -> None:
    crm = company(
        "c", "Quill & Petrel Ltd", phones=("020 7946 0006",),
        emails=("hello@quillandpetrel.co.uk",), **LONDON,
    )  # fmt: skip
    found = match([crm], [contact("l", "Quil and Petrel Limited", **theirs)], GB)
    assert links(found) == {("c", "l")}


def test_where_two_fit_alike_a_person_decides() -> None:
    crm = [company("c1", "Quill & Petrel Ltd", **LONDON), company("c2", "Quill & Petrel", **LONDON)]
    found = match(crm, [contact("l", "Quill & Petrel Ltd", **LONDON)], GB)
    assert not found.pairs
    assert asked(found) == {("c1", "l"), ("c2", "l")}
    assert [(pair.left, pair.right) for pair in found.left_doubles] == [("c1", "c2")]


def test_what_is_known_is_not_proposed_again() -> None:
    crm = [company("c1", "Quill & Petrel Ltd", **LONDON), company("c2", "Zenobia Yachts", **BATH)]
    ledger = [
        contact("l1", "Quill & Petrel Ltd", **LONDON),
        contact("l2", "Zenobia Yachts", **BATH),
    ]
    assert links(match(crm, ledger, GB)) == {("c1", "l1"), ("c2", "l2")}
    known = Known(links=frozenset({("c1", "l1")}), apart=frozenset({("c2", "l2")}))
    again = match(crm, ledger, GB, known)
    assert not again.pairs
    assert not again.near


def test_doubles_inside_one_side() -> None:
    found = doubles([
        company("a", "Quill & Petrel Ltd", phones=("020 7946 0006",), **LONDON),
        company("b", "Quill and Petrel", phones=("+44 20 7946 0006",)),
        company("c", "Zenobia Yachts", **BATH),
    ], GB)  # fmt: skip
    assert [(pair.left, pair.right, pair.band) for pair in found] == [("a", "b", "certain")]
    assert "same phone: 020 7946 0006 / +44 20 7946 0006" in found[0].agrees


def test_nothing_to_match() -> None:
    assert match([], []) == Matching()
    assert doubles([Party(id="1"), Party(id="2")]) == []
