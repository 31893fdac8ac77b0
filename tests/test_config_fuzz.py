"""Whatever the file holds: a Config, or a ConfigError with a line each; never anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncjob.config import Config, load_config
from syncjob.config.template import EXAMPLE, EXAMPLE_HUBSPOT, render
from syncjob.connectors.registry import register_all
from syncjob.errors import ConfigError

#: The template of each CRM: every key that a config may have stands in one of them.
TEMPLATES = [render(start).splitlines(keepends=True) for start in (EXAMPLE, EXAMPLE_HUBSPOT)]
SECRET = "s3cr3t-9f8e7d6c"
_SIGNS = ("${", "}", ":", "- ", "*a", "&a", "!!int ", "~", "\t", "'", '"', "{", "[", "#", "\x00")
_WORDS = ("\u2028", "1e99999", "${NO_SUCH}", "{file: /}", "<<: ", "? ", "%TAG", "---\n", SECRET)
PIECES = st.sampled_from((*_SIGNS, *_WORDS))

relaxed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True, scope="module")
def _vendors() -> None:
    register_all()


def outcome(path: Path, content: bytes) -> Config | list[str]:
    path.write_bytes(content)
    try:
        return load_config(path, env={"TOKEN": SECRET})
    except ConfigError as error:
        assert error.problems
        assert all(problem.strip() for problem in error.problems)
        assert not any("\n" in problem for problem in error.problems)
        return error.problems


def _keys(lines: list[str]) -> list[int]:
    """Where a key with a value stands, also one that is commented out by default."""
    return [i for i, line in enumerate(lines) if ": " in line and "#" not in line[:3]]


#: What a value of another kind looks like at any key.
WRONG = (
    "", "[]", "{}", "[1]", "{a: 1}", "-1", "1e400", "0x1F", "~", "yes", "2026-02-30",
    "99999999999999999999", '"\\0"', "!!binary YQ==", "x" * 10_000, "\u202e\u2028", "1,000.00",
)  # fmt: skip


@pytest.mark.parametrize("lines", TEMPLATES, ids=["pipedrive", "hubspot"])
def test_each_key_with_a_value_of_another_kind(tmp_path: Path, lines: list[str]) -> None:
    """Every fifth key with the next of the wrong values; SYNCJOB_SLOW=1: every key with all."""
    slow = bool(os.environ.get("SYNCJOB_SLOW"))
    for n, at in enumerate(_keys(lines)[:: 1 if slow else 5]):
        for wrong in WRONG if slow else (WRONG[n % len(WRONG)],):
            changed = [*lines]
            changed[at] = f"{lines[at].partition(':')[0]}: {wrong}\n"
            outcome(tmp_path / "c.yaml", "".join(changed).encode())


@relaxed
@given(st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    assert isinstance(outcome(tmp_path / "c.yaml", content), list)


@relaxed
@given(st.text(alphabet=st.sampled_from("ab:- \n{}[]$'\"#&*!|>?%~0.,\t"), max_size=200))
def test_any_yaml_like_text(tmp_path: Path, content: str) -> None:
    assert isinstance(outcome(tmp_path / "c.yaml", content.encode()), list)


@relaxed
@given(st.sampled_from(TEMPLATES), st.data())
def test_a_valid_config_mutated(tmp_path: Path, whole: list[str], data: st.DataObject) -> None:
    lines = list(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "indent", "insert", "value"]))
        if kind == "drop":
            lines[at] = ""
        elif kind == "double":
            lines[at] += lines[at]
        elif kind == "indent":
            lines[at] = f" {lines[at]}"
        elif kind == "insert":
            spot = data.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:spot] + data.draw(PIECES) + lines[at][spot:]
        else:
            key = lines[at].partition(":")[0]
            lines[at] = f"{key}: {data.draw(PIECES)}\n"
    outcome(tmp_path / "c.yaml", "".join(lines).encode())


@relaxed
@given(st.sampled_from([(lines, at) for lines in TEMPLATES for at in _keys(lines)]))
def test_a_secret_at_any_key_is_never_repeated(tmp_path: Path, spot: tuple[list[str], int]) -> None:
    """One fault is planted elsewhere, so that every message there is gets written."""
    whole, at = spot
    lines = [
        f"{line.partition(':')[0]}: ${{TOKEN}}\n" if i == at else line
        for i, line in enumerate(whole)
    ]
    found = outcome(tmp_path / "c.yaml", "".join([*lines, "unknown_key: 1\n"]).encode())
    assert isinstance(found, list)
    assert not any(SECRET in problem for problem in found)
