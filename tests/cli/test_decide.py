"""What a person answers about a deal, and about one part of it."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.errors import Exit
from tests.cli.conftest import Command
from tests.cli.kit import Handle


class Answering(Handle):
    """Takes answers down."""

    def answer(self, **given: Any) -> None:
        self._note("answer", {name: given[name] for name in ("kind", "subject", "part")})


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Answering:
    scripted = Answering()
    monkeypatch.setattr("syncjob.engine.connection.open_connection", scripted.open)
    return scripted


@pytest.mark.parametrize(
    ("arguments", "kind", "part"),
    [
        (("reissue", "1042"), "reissue", None),
        (("reissue", "deal:1042", "--part", "deposit"), "reissue", "deposit"),
        (("resolve", "deal", "1042", "--reissue", "--part", "B"), "reissue", "B"),
        (("resolve", "deal", "1042", "--link", "INV-7"), "link:INV-7", None),
        (("resolve", "deal", "1042", "--link", "INV-7", "--part", "17"), "link:INV-7", "17"),
        (("resolve", "deal", "1042", "--never"), "never", None),
    ],
)
def test_answers_about_a_deal(
    syncjob_: Command, handle: Answering, arguments: tuple[str, ...], kind: str, part: str | None
) -> None:
    code, out, _ = syncjob_(*arguments)
    assert code == Exit.DONE
    assert out.startswith("Noted: deal 1042 ")
    expected = {"kind": kind, "subject": "deal:1042", "part": part}
    assert handle.asked == [("answer", expected)]


def test_a_part_goes_with_its_invoice_alone(syncjob_: Command, handle: Answering) -> None:
    code, _, err = syncjob_("resolve", "deal", "1042", "--never", "--part", "deposit")
    assert code == Exit.CONFIG
    assert "--part goes with" in err
    assert handle.asked == []
