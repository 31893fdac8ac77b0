"""Issue 5, "What it must show", 1: every worked invoice, through the sandbox and its HTTP face."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worked.play import play, wrong
from tests.worked.table import Case, Firm, sheets

FIRMS = [
    pytest.param(firm, [c for c in sheet.cases if c.firm == name], id=f"{sheet.path.stem}-{name}")
    for sheet in sheets()
    for name, firm in sheet.firms.items()
]


@pytest.mark.parametrize(("firm", "cases"), FIRMS)
def test_the_ledger_holds_what_the_table_says(
    firm: Firm, cases: list[Case], tmp_path: Path
) -> None:
    assert cases, "a firm without deals shows nothing"
    played = play(firm, cases, tmp_path)
    found = {case.name: wrong(case, firm, played) for case in cases}
    bad = [f"{name}:\n    " + "\n    ".join(words) for name, words in found.items() if words]
    assert not bad, "\n" + "\n".join(bad)
