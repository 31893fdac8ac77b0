"""Every way a field can stand on both sides, against a table that says in words what follows."""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.contacts.merge import Field, Merged, agreed, merge
from syncjob.core.policy_contacts import Owner

VALUES = (None, "a", "b", "c")
OWNERS: tuple[Owner, ...] = ("crm", "ledger", "ask")
BASES = (None, "a", "b")


def reference(base: str | None, known: bool, crm: str | None, ledger: str | None, owner: str,
              full: bool) -> tuple[str, str | None, str | None]:  # fmt: skip
    """What BOOKKEEPING says, one line a rule, the first that fits."""
    give_crm, give_ledger = ("write", crm, crm), ("write", ledger, ledger)
    leave = (crm, ledger)
    if crm == ledger:
        return "agree", *leave
    if not known and crm is None:
        return give_ledger
    if not known and ledger is None:
        return give_crm
    if not known and not full:
        return "differs", *leave
    if not known:
        return {"crm": give_crm, "ledger": give_ledger, "ask": ("conflict", *leave)}[owner]
    crm_moved, ledger_moved = crm != base, ledger != base
    if not full:  # only a blank that nobody emptied is filled
        fill = base is None and (crm is None or ledger is None)
        return (give_crm if ledger is None else give_ledger) if fill else ("differs", *leave)
    if owner == "ask" and crm_moved and ledger_moved:
        return "conflict", *leave
    if owner == "ask":
        return give_crm if crm_moved else give_ledger
    owned, other = (crm, ledger) if owner == "crm" else (ledger, crm)
    give_owned, give_other = (give_crm, give_ledger) if owner == "crm" else (give_ledger, give_crm)
    if owned is None and other != base:
        return give_other
    return give_owned if owned != base else ("differs", *leave)


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("full", [True, False])
def test_every_combination_of_base_crm_and_ledger(owner: Owner, full: bool) -> None:
    for base, known, crm, ledger in product(BASES, (True, False), VALUES, VALUES):
        if not known and base is not None:
            continue
        field = Field(name="name", crm=crm, ledger=ledger, known=known, crm_base=base,
                      ledger_base=base)  # fmt: skip
        got = merge(field, owner, full=full)
        expected = reference(base, known, crm, ledger, owner, full)
        assert (got.verdict, got.crm, got.ledger) == expected, (base, known, crm, ledger)


FIELD_NAMES = st.sampled_from(["name", "email", "tax_number", "phones", "emails"])
TEXTS = st.one_of(st.none(), st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]))
LISTS = st.lists(st.sampled_from(["+61299991111", "+61299992222", "+61299993333"]), unique=True)


@st.composite
def fields(draw: st.DrawFn) -> Field:
    name = draw(FIELD_NAMES)
    values = LISTS.map(lambda v: "\n".join(v) or None) if name in ("phones", "emails") else TEXTS
    known = draw(st.booleans())
    base = draw(values) if known else None
    return Field(name=name, crm=draw(values), ledger=draw(values), known=known, crm_base=base,
                 ledger_base=base)  # fmt: skip


def landed(field: Field, merged: Merged) -> Field:
    """The field after all that was decided has been written, ledger first, as a batch does."""
    crm, ledger = field.crm, field.ledger
    crm_base, ledger_base, known = field.crm_base, field.ledger_base, field.known
    if merged.verdict == "agree":
        crm_base, ledger_base, known = crm, ledger, True
    if merged.verdict == "write" and merged.ledger != ledger:
        ledger = merged.ledger
        base = (crm_base, ledger_base) if known else None
        crm_base, ledger_base = agreed(field.name, (crm, ledger), base, None)
        known = True
    if merged.verdict == "write" and merged.crm != crm:
        crm = merged.crm
        base = (crm_base, ledger_base) if known else None
        crm_base, ledger_base = agreed(field.name, (crm, ledger), base, None)
        known = True
    return Field(name=field.name, crm=crm, ledger=ledger, known=known, crm_base=crm_base,
                 ledger_base=ledger_base)  # fmt: skip


@given(fields(), st.sampled_from(OWNERS), st.booleans())
def test_what_was_written_asks_for_nothing_more(field: Field, owner: Owner, full: bool) -> None:
    after = landed(field, merge(field, owner, full=full))
    again = merge(after, owner, full=full)
    assert (again.crm, again.ledger) == (after.crm, after.ledger)


@given(fields(), st.sampled_from(OWNERS), st.booleans())
def test_two_sides_that_agree_stay_as_they_are(field: Field, owner: Owner, full: bool) -> None:
    alike = Field(name=field.name, crm=field.crm, ledger=field.crm, known=field.known,
                  crm_base=field.crm_base, ledger_base=field.ledger_base)  # fmt: skip
    assert merge(alike, owner, full=full) == Merged("agree", field.crm, field.crm)


@given(fields(), st.sampled_from(OWNERS), st.booleans())
def test_the_two_sides_can_change_places(field: Field, owner: Owner, full: bool) -> None:
    mirrored = Field(name=field.name, crm=field.ledger, ledger=field.crm, known=field.known,
                     crm_base=field.ledger_base, ledger_base=field.crm_base)  # fmt: skip
    others: dict[Owner, Owner] = {"crm": "ledger", "ledger": "crm", "ask": "ask"}
    one = merge(field, owner, full=full)
    other = merge(mirrored, others[owner], full=full)
    assert other.verdict == one.verdict
    if field.name != "phones":  # the ledger has room for three numbers only
        assert keys(other.crm) == keys(one.ledger)
        assert keys(other.ledger) == keys(one.crm)


def keys(value: str | None) -> set[str]:
    return set((value or "").split("\n"))


@given(fields(), st.sampled_from(OWNERS))
def test_blanks_are_filled_and_nothing_else(field: Field, owner: Owner) -> None:
    got = merge(field, owner, full=False)
    assert got.crm == field.crm or field.crm is None
    assert got.ledger == field.ledger or field.ledger is None


@given(fields(), st.sampled_from(OWNERS), st.sampled_from(["crm", "ledger"]))
def test_a_persons_word_stands_above_the_owners(
    field: Field, owner: Owner, take: Literal["crm", "ledger"]
) -> None:
    got = merge(field, owner, full=True, take=take)
    wanted = field.crm if take == "crm" else field.ledger
    assert keys(got.crm) == keys(got.ledger) == keys(wanted)


# --- lists ---------------------------------------------------------------------------------------


def phones(crm: str, ledger: str, base: str, owner: Owner = "crm") -> tuple[set[str], set[str]]:
    """("12", "1", "1") -> what both sides hold in the end, one digit a number."""

    def text(digits: str) -> str | None:
        return "\n".join(f"+6129999000{d}" for d in digits) or None

    field = Field(name="phones", crm=text(crm), ledger=text(ledger), known=True,
                  crm_base=text(base), ledger_base=text(base))  # fmt: skip
    got = merge(field, owner, full=True)
    return tuple({p[-1] for p in keys(v) if p} for v in (got.crm, got.ledger))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("crm", "ledger", "base", "owner", "expected"),
    [
        ("12", "1", "1", "crm", ({"1", "2"}, {"1", "2"})),  # the CRM added one
        ("1", "12", "1", "crm", ({"1", "2"}, {"1", "2"})),  # the ledger added one
        ("12", "13", "1", "crm", ({"1", "2", "3"}, {"1", "2", "3"})),  # each added one
        ("1", "12", "12", "crm", ({"1"}, {"1"})),  # the owner took one away
        ("12", "1", "12", "crm", ({"1", "2"}, {"1"})),  # the other did: left as it is, listed
        ("12", "1", "12", "ask", ({"1"}, {"1"})),
        ("", "1", "1", "crm", (set(), set())),
        ("2", "13", "1", "crm", ({"2", "3"}, {"2", "3"})),  # replaced there, added here
    ],
)
def test_lists_are_merged_entry_by_entry(
    crm: str, ledger: str, base: str, owner: Owner, expected: tuple[set[str], set[str]]
) -> None:
    assert phones(crm, ledger, base, owner) == expected


def test_the_ledger_takes_as_many_numbers_as_it_has_room_for() -> None:
    crm, ledger = phones("12345", "1", "1")
    assert (len(crm), len(ledger)) == (5, 3)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("room", [1, 2, 3])
def test_a_crm_takes_as_many_numbers_as_it_has_room_for_and_is_quiet_then(
    room: int, full: bool
) -> None:
    ledger = "020 1\n020 2\n020 3"
    first = merge(Field(name="phones", crm=None, ledger=ledger, room=room), "crm", full=full)
    assert first.verdict == "write" and first.ledger == ledger
    assert first.crm == "\n".join(ledger.split("\n")[:room])
    base = agreed("phones", (first.crm, ledger), None, None)
    again = Field(
        name="phones", crm=first.crm, ledger=ledger, known=True, room=room,
        crm_base=base[0], ledger_base=base[1],
    )  # fmt: skip
    assert merge(again, "crm", full=full).verdict in ("rest", "agree")


def test_numbers_are_compared_as_what_they_dial() -> None:
    field = Field(name="phones", crm="(02) 9999 1111", ledger="+61 2 9999 1111")
    assert merge(field, "crm", full=True, country="AU").verdict == "agree"
    assert merge(field, "crm", full=True, country="GB").verdict == "write"
