"""The table is whole: each line of issue 5 in each region, published sources, sums that agree."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.worked import sums
from tests.worked.table import CASES, REGIONS, THEMES, Case, Firm, sheets

CASES_MIN, SOURCES_MIN = 60, 20
ALL: list[tuple[Case, Firm]] = [
    (case, sheet.firms[case.firm]) for sheet in sheets() for case in sheet.cases
]


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len(ALL) >= CASES_MIN
    twice = [name for name, count in Counter(case.name for case, _ in ALL).items() if count > 1]
    assert not twice


def test_each_is_invoiced_or_held() -> None:
    """A case says what comes out: an invoice, a repeating one, or the code of why not."""
    assert not [c.name for c, _ in ALL if bool(c.held) == bool(c.invoices or c.repeating)]


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_is_shown_in_each_of_the_four_regions(theme: str) -> None:
    shown = {firm.region for case, firm in ALL if theme in case.shows}
    assert shown >= set(REGIONS) - {"GLOBAL"}


def test_the_global_edition_has_its_share() -> None:
    assert sum(firm.region == "GLOBAL" for _, firm in ALL) >= 6


def test_no_theme_is_misspelt() -> None:
    assert {theme for case, _ in ALL for theme in case.shows} == set(THEMES)


def test_published_examples_say_whose_they_are() -> None:
    published = [case for case, _ in ALL if case.source]
    assert len(published) >= SOURCES_MIN
    assert len({case.source["address"] for case in published}) >= SOURCES_MIN
    for case in published:
        assert case.source["title"] and case.source["address"].startswith("http"), case.name
        assert case.source["says"], case.name


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_its_figures_are_those_of_the_fractions(path: Path) -> None:
    _, wrong = sums.checked(path, sums.percents())
    assert not wrong


def test_a_wrong_figure_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    text = (CASES / "to_the_cent.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("total_tax: 11.44\n", "total_tax: 11.45\n", 1), encoding="utf-8")
    assert len(sums.checked(path, sums.percents())[1]) == 1


def test_the_script_of_sums_knows_nothing_of_syncjob() -> None:
    tree = ast.parse(Path(sums.__file__).read_text(encoding="utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} <= {
        "__future__", "fractions", "pathlib", "sys", "typing", "yaml",
    }  # fmt: skip
