"""A plan becomes a file and the same plan again; whatever was changed in it is seen."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.plan_file import (
    AGE_DAYS_MAX,
    read_plan,
    refuse_foreign,
    write_plan,
)
from syncjob.errors import WrongPlan
from tests.cli.kit import NOW, Handle

PLAN = Handle().plan_report
TEXT = write_plan(PLAN, "1.0")


def test_a_plan_survives_its_file() -> None:
    file = read_plan(TEXT, "p", "1.0")
    assert file.plan == PLAN
    assert file.origin == PLAN.origin
    assert len(file.seal) == 64
    assert read_plan(json.dumps(json.loads(TEXT)), "p", "1.0") == file


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for key, inner in items:
        here = (*path, key)
        found += leaves(inner, here) if isinstance(inner, dict | list) else [here]
    return found


LEAVES = leaves(json.loads(TEXT))


@given(st.sampled_from(LEAVES))
def test_every_edit_is_refused(path: tuple[Any, ...]) -> None:
    content = json.loads(TEXT)
    place = content
    for key in path[:-1]:
        place = place[key]
    old = place[path[-1]]
    place[path[-1]] = f"{old}1" if isinstance(old, str) else 77
    with pytest.raises(WrongPlan):
        read_plan(json.dumps(content), "p", "1.0")


@given(st.integers(0, len(TEXT) - 2))
def test_every_cut_is_refused(length: int) -> None:
    with pytest.raises(WrongPlan):
        read_plan(TEXT[:length], "p", "1.0")


def test_damage_is_refused() -> None:
    rng = random.Random(7)
    for _ in range(300):
        at = rng.randrange(len(TEXT))
        spoilt = TEXT[:at] + chr(rng.randrange(33, 127)) + TEXT[at + 1 :]
        try:
            assert read_plan(spoilt, "p", "1.0").plan == PLAN
        except WrongPlan as refused:
            assert refused.where == "p"


@pytest.mark.parametrize(
    ("here", "words"),
    [
        ({"connection": "other"}, "belongs to the connection 'main'"),
        ({"code": "XX"}, "belongs to the connection 'main'"),
        ({"ledger": "o2"}, "another ledger organisation"),
        ({"crm": "c2"}, "another CRM account"),
        ({"config": "new"}, "The config has changed"),
        ({"made_at": NOW + timedelta(days=AGE_DAYS_MAX, seconds=1)}, "is stale"),
    ],
)
def test_a_plan_of_elsewhere_is_refused(here: dict[str, Any], words: str) -> None:
    file = read_plan(TEXT, "p", "1.0")
    refuse_foreign(file, file.origin, "p")
    refuse_foreign(file, msgspec.structs.replace(file.origin, ledger="", crm=""), "p")
    with pytest.raises(WrongPlan, match=words):
        refuse_foreign(file, msgspec.structs.replace(file.origin, **here), "p")
