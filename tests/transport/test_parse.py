"""JSON read exactly; what no vendor means becomes harmless, and only where it stands."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec
import pytest

from syncjob.errors import SchemaDrift
from syncjob.transport.parse import (
    _MARKUP,
    EXCERPT_BYTES_MAX,
    EXCERPT_CHARACTERS,
    _patiently,
    _quick,
    excerpt,
    parse_json,
)
from syncjob.transport.wire import Answer

#: Less than any Decimal can say.
TINY = "1e-99999999999999999999"


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
        ("-0.0e-99999999999999999999", Decimal(0)),
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


@pytest.mark.parametrize("text", ["1e309", "-1e999999999", "1e-400", "NaN", "-Infinity", TINY])
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


#: Of which strange bodies are put together.
PIECES = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"a"', b'"b\\n"', b"1", b"-2.50", b"1e3", b"1E-9", b" "),
    *(b"null", b"true", b'"\\ud83d"', b"\\", b'"', b"NaN", b"-Infinity", b"-0", b"01", b"\x00"),
    *(b"99999999999999999999", b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf"),
]


def test_the_quick_reader_takes_nothing_that_json_would_read_otherwise() -> None:
    rng, taken = Random(4), 0
    for _ in range(40_000):
        body = b"".join(rng.choices(PIECES, k=rng.randrange(1, 9)))
        try:
            found = _quick(body)
        except (msgspec.DecodeError, ValueError):
            continue
        taken += 1
        assert repr(found) == repr(_patiently(body)), body
    assert taken > 1_000


@pytest.mark.parametrize("size", [0, 150, 199, 200, 201, 900, 1_023, 1_024, 1_100, 20_000])
@pytest.mark.parametrize("piece", ["word ", "ä", "a\n\n", " ", "\u00a0x", "<b>", "x<i>y</i>"])
def test_the_first_words_are_the_same_however_much_is_looked_at(piece: str, size: int) -> None:
    for lead in ("", " " * 1_200, "<p>", " <p>", "é"):
        body = (lead + piece * size).encode()[: size + 1_300]
        text = body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace")
        if text.lstrip().startswith("<"):
            text = _MARKUP.sub(" ", text)
        assert excerpt(body) == " ".join(text.split())[:EXCERPT_CHARACTERS]
