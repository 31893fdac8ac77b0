"""One party among many: its signs do not depend on its neighbours, and strangers are counted."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.match.keys import blocking_keys
from syncjob.core.match.match import match
from syncjob.core.match.parameters import DEFAULT
from syncjob.core.match.records import Party

ONE = Party(id="a", kind="organization", name="Meridian Harbour Foods", phones=("02 9555 1234",))


def test_spellings_of_one_name_share_a_key() -> None:
    other = Party(id="b", name="Meridian Harbor Foods Pty Ltd")
    assert set(blocking_keys(ONE)) & set(blocking_keys(other))


def test_one_phone_in_two_forms_is_one_key() -> None:
    australia = msgspec.structs.replace(DEFAULT, country="AU")
    other = Party(id="b", name="Quite Another", phones=("+61 2 9555 1234",))
    assert set(blocking_keys(ONE, australia)) & set(blocking_keys(other, australia))


@given(st.text(max_size=40), st.text(max_size=40))
def test_keys_are_of_the_party_alone_and_in_one_order(name: str, city: str) -> None:
    party = Party(id="x", name=name, city=city)
    keys = blocking_keys(party)
    assert keys == tuple(sorted(set(keys)))
    assert keys == blocking_keys(msgspec.structs.replace(party, id="y"))


def test_strangers_beside_make_a_pair_less_likely() -> None:
    other = Party(id="b", name="Meridian Harbor Foods")
    scores = []
    for others in (0, 1_000_000):
        found = match([ONE], [other], msgspec.structs.replace(DEFAULT, others=others))
        scores += [pair.score for pair in (*found.pairs, *found.near)]
    assert scores == [scores[0]] or scores[1] < scores[0]
