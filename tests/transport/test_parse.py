"""JSON read exactly; what no vendor means becomes harmless, and only where it stands."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncjob.errors import SchemaDrift
from syncjob.transport.parse import parse_json
from syncjob.transport.wire import Answer


def read(body: str | bytes) -> object:
    raw = body if isinstance(body, bytes) else body.encode()
    return parse_json(Answer(status=200, headers={}, body=raw))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Decimal("0.1")),
        ("6.333333333333333", Decimal("6.333333333333333")),
        ("9999999999.9999", Decimal("9999999999.9999")),
        ("1e3", Decimal("1E+3")),
        ("0.0", Decimal("0.0")),
        ("0e-999", Decimal("0E-999")),
        ("1.7e308", Decimal("1.7E+308")),
        ("12", 12),
        ("-3", -3),
        ("9" * 400, 10**400 - 1),
    ],
)
def test_every_digit_is_kept(text, value):
    found = read(f'{{"a": {text}}}')
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize("text", ["1e309", "-1e999999999", "1e-400", "NaN", "-Infinity"])
def test_what_no_double_holds_is_a_float_that_no_reader_takes(text):
    found = read(f'{{"bad": {text}, "good": 1.5}}')
    assert type(found["bad"]) is float
    assert found["good"] == Decimal("1.5")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\ud83d"', "a\ufffd"),
        (r'"\ude00b"', "\ufffdb"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\\ud83d"', r"\ud83d"),
        ('"é e\u0301 \u202e😀"', "é e\u0301 \u202e😀"),
    ],
)
def test_half_a_character_is_replaced_and_a_whole_one_stays(text, value):
    assert read(f'[{{{text}: {text}}}, "x"]') == [{value: value}, "x"]


def test_what_is_no_json_says_what_it_is():
    with pytest.raises(SchemaDrift, match="not JSON: 'Oops'"):
        read("<html><style>b{}</style>Oops</html>")


@pytest.mark.parametrize("body", ["[" * 200_000, '{"a":' * 200_000, '["\\ud83d",' * 100_000])
def test_brackets_without_end_are_no_json(body):
    with pytest.raises(SchemaDrift, match="not JSON"):
        read(body)


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_of_thousands_of_digits_is_its_own_records_drift(sign):
    found = read(f'{{"bad": {sign}{"9" * 5_000}, "good": 12, "exact": 1.5}}')
    assert found == {"bad": float(f"{sign}inf"), "good": 12, "exact": Decimal("1.5")}
