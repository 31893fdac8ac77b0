"""Each situation shows what it should, and docs/situations.md says what the commands print."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tests.situations.doc import PAGE, section, sections_of
from tests.situations.play import play_all
from tests.situations.table import SITUATIONS, Record

Futures = dict[str, Future[Record]]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Futures:
    """The situations of the tests that were asked for, being played."""
    wanted = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.fspath == request.node.fspath
        if hasattr(item, "callspec")
    }
    return play_all(tmp_path_factory.mktemp("situations"), [n for n in SITUATIONS if n in wanted])


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    return sections_of(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_it_shows_what_the_page_says(
    name: str, played: Futures, documented: dict[str, str]
) -> None:
    record = played[name].result()
    assert record.shown, "nothing to put into the table"
    shown = section(name, record).partition("\n")[2].strip()
    assert shown == documented.get(name), "run `python -m tests.situations` if this is better"


def test_the_page_has_no_other_situations(documented: dict[str, str]) -> None:
    assert set(documented) == set(SITUATIONS)
