"""Names, phones, addresses and e-mails: which spellings are one."""

from __future__ import annotations

import pytest

from syncjob.core.match import addresses, emails, names, phones
from syncjob.core.match.normalise import fold, sound, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Ltd", "ACME LIMITED"),
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne"),
        ("Dupont S.A.R.L.", "Dupont SARL"),
        ("Fratelli Rossi S.r.l.", "Rossi Brothers SRL".replace("Rossi Brothers", "Fratelli Rossi")),
        ("Nordic Foods A/S", "Nordic Foods AS"),
        ("Škoda Servis, s.r.o.", "Skoda Servis"),
        ("Kowalski Sp. z o.o.", "KOWALSKI"),
        ("The Blue Sky Company", "Blue Sky Co."),
        ("I.B.M. Corp", "IBM"),
        ("O'Neill Trading Pty Ltd", "ONeill Trading"),
        ("ООО Ромашка", "Romashka"),
        ("St. Mary's School", "Saint Marys Sch."),
        ("Smith Bros Engineering Ltd", "Smith Brothers Eng."),
    ],
)
def test_one_company(one: str, other: str) -> None:
    assert names.company(one).tokens == names.company(other).tokens


def test_the_form_is_kept_apart_from_the_name() -> None:
    assert names.company("Acme Holdings Limited") == (("acme", "holding"), "ltd")
    assert names.company("Limited").tokens == ("limited",), "a form alone is the name"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Dr. Jane Mary Doe", ("jane", "mary"), ("doe",)),
        ("Doe, Jane", ("jane",), ("doe",)),
        ("Ludwig van Beethoven", ("ludwig",), ("van", "beethoven")),
        ("Prince", (), ("prince",)),
    ],
)
def test_a_person_in_one_text(text: str, first: tuple[str, ...], last: tuple[str, ...]) -> None:
    assert names.person(text, None, None) == (first, last)


def test_short_forms_of_first_names() -> None:
    assert names.is_nickname("bill", "william")
    assert names.is_nickname("bob", "robert")
    assert not names.is_nickname("bill", "robert")


@pytest.mark.parametrize(
    ("one", "other", "country"),
    [
        ("+44 20 7946 0000", "020 7946 0000", "GB"),
        ("+44 (0)20 7946 0000", "0044 20 79460000", None),
        ("020 7946 0000", "+442079460000", None),
        ("(312) 555-0199 ext. 12", "+1 312 555 0199", "US"),
        ("310/246-1501", "310-246-1501", None),
        ("030/1234567", "+49 30 1234567", "DE"),
        ("246 1501", "(310) 246-1501", "US"),
    ],
)
def test_one_phone(one: str, other: str, country: str | None) -> None:
    assert phones.same(phones.canonical(one, country), phones.canonical(other, country))


@pytest.mark.parametrize(
    ("one", "other"),
    [("+44 20 7946 0000", "+44 20 7946 0001"), ("+44 20 7946 0000", "+1 207 946 0000")],
)
def test_two_phones(one: str, other: str) -> None:
    assert not phones.same(phones.canonical(one, None), phones.canonical(other, None))


@pytest.mark.parametrize("text", ["", "-", "n/a", "123", "0000000000"])
def test_no_phone(text: str) -> None:
    assert phones.canonical(text, "GB") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("6 Tullaroop St.", "6 Tullaroop Street"),
        ("221 E. 51st St", "221 East 51st Street"),
        ("Hauptstr. 5", "Hauptstraße 5"),
        ("12 Av. Victor Hugo", "12, avenue Victor Hugo"),
        ("P.O. Box 12", "PO Box 12"),
    ],
)
def test_one_street(one: str, other: str) -> None:
    mine, theirs = addresses.street((one,)), addresses.street((other,))
    assert (mine.numbers, mine.names) == (theirs.numbers, theirs.names)


def test_directions_and_kinds_of_street_are_kept_apart() -> None:
    north, south = addresses.street(("224 N Central",)), addresses.street(("224 S Central Ave",))
    assert not north.directions & south.directions
    assert south.kinds == {"avenue"}


def test_postcodes_and_countries() -> None:
    assert addresses.postcode("sw1a 1aa") == addresses.postcode("SW1A1AA")
    assert addresses.postcode("60643-1234") == "60643"
    assert addresses.street(("27 Washington, Oak Park IL 60302",)).postcode == "60302"
    assert addresses.country("Deutschland") == addresses.country("de") == "DE"
    assert addresses.country("Atlantis") == ""


def test_emails() -> None:
    assert emails.canonical("mailto:J.Doe+crm@Gmail.com") == "jdoe@gmail.com"
    assert emails.canonical("not an address") == ""
    assert emails.own_domain("jane@gmail.com") == ""
    assert emails.own_domain("jane@mail.acme.co.uk") == "acme.co.uk"
    assert emails.is_role("accounts@acme.com")
    assert not emails.is_role("jane@acme.com")
    assert emails.site("https://www.Acme.co.uk/about?x=1") == "acme.co.uk"


def test_scripts_and_sounds() -> None:
    assert fold("Łódź") == "lodz"
    assert words("Smith & Sons") == ["smith", "and", "sons"]
    assert sound("meyer") == sound("maier") == sound("mayr")
    assert sound("smith") != sound("jones")
