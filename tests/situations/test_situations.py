"""Each situation shows what it should, and docs/situations.md says what the commands print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.situations.bench import Servers, prepare
from tests.situations.doc import PAGE, section, sections_of
from tests.situations.play import play_one
from tests.situations.table import SITUATIONS

Prepared = Callable[[str], tuple[Servers, Path]]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A first hour that went well, with each CRM once; every situation begins with a copy."""
    known: dict[str, tuple[Servers, Path]] = {}

    def with_crm(crm: str) -> tuple[Servers, Path]:
        if crm not in known:
            folder = tmp_path_factory.mktemp("situations") / crm
            known[crm] = prepare(folder, crm), folder
        return known[crm]

    return with_crm


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    return sections_of(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_it_shows_what_the_page_says(
    name: str, prepared: Prepared, documented: dict[str, str], tmp_path: Path
) -> None:
    record = play_one(name, *prepared(SITUATIONS[name].crm), tmp_path / "world")
    assert record.shown, "nothing to put into the table"
    shown = section(name, record).partition("\n")[2].strip()
    assert shown == documented.get(name), "run `python -m tests.situations` if this is better"


def test_the_page_has_no_other_situations(documented: dict[str, str]) -> None:
    assert set(documented) == set(SITUATIONS)
