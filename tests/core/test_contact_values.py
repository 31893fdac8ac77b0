"""Values of contacts that say the same in another form, field by field."""

from __future__ import annotations

import pytest

from syncjob.core.contacts.fields import encode_address, same
from syncjob.core.records import Address


@pytest.mark.parametrize(
    ("field", "one", "other", "country"),
    [
        ("phones", "020 7946 0123\n+44 20 7946 0999", "+442079460999\n+442079460123", "GB"),
        ("phones", "+44 20 7946 0123", "+44 (0)20 7946 0123", None),
        ("emails", "A@x.test\nb@x.test", "B@X.test\na@x.test", None),
        ("people", '{"first_name":"Al","email":"A@x.test"}', '{"email":"a@x.test"}', None),
        ("tax_number", "GB 123-4", "gb1234", None),
        ("currency", "eur", "EUR", None),
    ],
)
def test_the_same_in_another_form(field: str, one: str, other: str, country: str | None) -> None:
    assert same(field, one, other, country) and same(field, other, one, country)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("phones", "+44 20 7946 0123", "+44 20 7946 0123\n+44 20 7946 0999"),
        ("phones", "+44 20 7946 0123", None),
        ("emails", "a@x.test", "b@x.test"),
        ("name", "Acme", "ACME"),
    ],
)
def test_what_differs(field: str, one: str, other: str | None) -> None:
    assert not same(field, one, other) and not same(field, other, one)


def test_an_address_says_the_same_with_its_countrys_name_or_code() -> None:
    parts = Address(lines=("Obere Str. 57",), city="Berlin", postal_code="12209", country="DE")
    line = Address(text="Obere Str. 57, 12209 Berlin, Germany")
    assert same("postal", encode_address(parts), encode_address(line))
