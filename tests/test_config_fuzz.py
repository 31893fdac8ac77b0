"""Whatever the file holds: a Config, or a ConfigError with a line each; never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncjob.config import Config, load_config
from syncjob.config.template import EXAMPLE, render
from syncjob.connectors.registry import register_all
from syncjob.errors import ConfigError

VALID = render(EXAMPLE)
LINES = VALID.splitlines(keepends=True)
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


@relaxed
@given(st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    assert isinstance(outcome(tmp_path / "c.yaml", content), list)


@relaxed
@given(st.text(alphabet=st.sampled_from("ab:- \n{}[]$'\"#&*!|>?%~0.,\t"), max_size=200))
def test_any_yaml_like_text(tmp_path: Path, content: str) -> None:
    assert isinstance(outcome(tmp_path / "c.yaml", content.encode()), list)


@relaxed
@given(st.data())
def test_a_valid_config_mutated(tmp_path: Path, data: st.DataObject) -> None:
    lines = list(LINES)
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
@given(st.sampled_from([i for i, line in enumerate(LINES) if ": " in line and "#" not in line[:3]]))
def test_a_secret_at_any_key_is_never_repeated(tmp_path: Path, at: int) -> None:
    """One fault is planted elsewhere, so that every message there is gets written."""
    lines = [
        f"{line.partition(':')[0]}: ${{TOKEN}}\n" if i == at else line
        for i, line in enumerate(LINES)
    ]
    found = outcome(tmp_path / "c.yaml", "".join([*lines, "unknown_key: 1\n"]).encode())
    assert isinstance(found, list)
    assert not any(SECRET in problem for problem in found)
