"""What holds for every command: JSON for programs, and words that fit any terminal, pipe or locale.

The commands are walked from the program's own table, so that a new one must take its place here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import syncjob.cli
from syncjob.cli.app import COMMANDS, app
from syncjob.clock import SystemClock
from syncjob.errors import Exit
from tests.cli.newcomer import PATIENCE_S, Desk

#: Commands that print no data, and why each needs no --json.
WITHOUT_JSON = {
    "init": "asks a person; what it finds out `check --json` and `plan --json` print",
    "serve": "runs until it is stopped; its log is JSON",
    "issues resolve": "notes a person's answer",
    "resolve deal": "notes a person's answer",
    "resolve contact": "notes a person's answer",
    "resolve connection": "notes a person's answer",
    "link": "notes a person's answer",
    "reissue": "notes a person's answer",
    "forget": "notes a person's answer",
    "mute": "notes a person's answer",
    "match decide": "notes a person's answer",
    "handover": "a page of words for a person; its facts are in `status --json`",
    "completion": "prints a script for a shell",
    "sandbox": "serves until it is stopped; a config is what it prints",
    "demo": "a tour for a person",
}
#: A command line of each command that prints data, and what stands first in its JSON.
LINES = {
    "check": ("check --no-message", []),
    "connect": ("connect xero", {"id", "name", "currency"}),
    "plan": ("plan", {"connection", "hash"}),
    "apply": ("apply plan.json", {"batch", "plan"}),
    "run": ("run", {"batch", "result", "exit_code", "calls"}),
    "pause": ("pause --only notices --until 1h --reason audit", {"only", "reason", "until"}),
    "resume": ("resume --yes", {"plan", "ended"}),
    "issues": ("issues", {"issues"}),
    "issues retry": ("issues retry 1", None),
    "issues ignore": ("issues ignore 1 --until 3d --reason audit", None),
    "issues unignore": ("issues unignore 1", None),
    "credit": ("credit 1 --full --reason returned", None),
    "undo": ("undo 5 --plan", None),
    "cancel": ("cancel 5 --reason twice --plan", None),
    "match": ("match", None),
    "match invoices": ("match invoices", None),
    "reconcile": ("reconcile", {"connection", "calls"}),
    "overdue": ("overdue", {"rows", "owners"}),
    "status": ("status", {"connection", "mode", "issues"}),
    "why": ("why deal 1", None),
    "history": ("history deal 1", None),
    "report": ("report", None),
    "log": ("log", []),
    "backup": ("backup", None),
    "restore": ("restore", None),
    "move": ("move --to moved.tar.gz --yes", None),
    "relink": ("relink", None),
}
#: Seconds and shares, never money.
FLOATS = re.compile(r"second|percent|share|rate|score|weight|days|hours|probability")
ANSI = re.compile(r"\x1b\[")


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something by itself, by the words that a person types."""
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield name, command
        context = click.Context(command)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from leaves(f"{name} {inner}", found)
    else:
        yield name, command


def every_command() -> dict[str, click.Command]:
    context = click.Context(app)
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert command is not None
        found |= dict(leaves(name, command))
    return found


def has_json(command: click.Command) -> bool:
    return any("--json" in option.opts for option in command.params)


ALL = every_command()
LOOKING = [name for name, command in ALL.items() if has_json(command)]


class Screen(io.StringIO):
    """What a command takes for a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def typed(line: str, *, screen: bool = False) -> tuple[int, str, str]:
    made: type[io.StringIO] = Screen if screen else io.StringIO
    out, err = made(), made()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = syncjob.cli.run(shlex.split(line))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A connection with drafts, a paid, an overdue and held deals, and a plan on disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("desk"))
        for name, value in (
            ("PIPEDRIVE_API_TOKEN", "sandbox-token"), ("XERO_CLIENT_ID", "sandbox-custom"),
            ("XERO_CLIENT_SECRET", "sandbox-secret"),
        ):  # fmt: skip
            patch.setenv(name, value)
        made = Desk("pipedrive", lambda: ("", ""))
        patch.setattr(SystemClock, "now", lambda _: made.time.now())
        typed(f"syncjob init -y --sandbox {made.base} --won-since 2026-01-01"[8:])
        made.time.advance(PATIENCE_S)
        accept = re.search(r"--accept (\w+)", "".join(map(str, typed("run"))))
        assert accept and typed(f"run --accept {accept[1]}")[0] == Exit.ISSUES
        for invoice in made.invoices()[:3]:
            made.xero.people("approve", {"invoice": invoice["id"]})
        made.time.advance(PATIENCE_S)
        made.xero.people("pay", {"invoice": made.invoices()[0]["id"], "amount": "100.00"})
        made.time.advance(40 * 86400)
        for _ in range(2):
            assert typed("run")[0] == Exit.ISSUES
        typed("plan -o plan.json")
        yield made
        made.box.stop()


@pytest.fixture(autouse=True)
def stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """A connection that was moved away writes no more: it is brought back for the next test."""
    yield
    given = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if given.get("name") == "move":
        Path("moved.tar.gz").unlink(missing_ok=True)
        typed("resume --yes")


# --- JSON -----------------------------------------------------------------------------------


def test_each_command_prints_json_or_has_a_reason_not_to() -> None:
    assert {name for name in ALL if name not in LOOKING} == set(WITHOUT_JSON)


def test_each_json_command_has_its_line_here() -> None:
    assert set(LOOKING) == set(LINES)


def _floats(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _floats(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _floats(inner, path)
    elif isinstance(value, float) and not FLOATS.search(path.rpartition(".")[2]):
        yield path


@pytest.mark.parametrize("name", LOOKING)
def test_json_is_all_that_is_printed(name: str, desk: Desk) -> None:
    line, first = LINES[name]
    code, out, err = typed(f"{line} --json")
    if code not in (Exit.DONE, Exit.ISSUES, Exit.PAUSED):
        assert not out
        found = json.loads(err.splitlines()[-1])
        assert found["error"]["exit_code"] == code and found["error"]["what"]
        assert name in ("undo", "relink", "credit", "cancel"), found  # what is not there
        return
    value = json.loads(out)
    assert not list(_floats(value))
    if isinstance(first, set):
        assert first <= set(value)


def test_errors_are_the_same_object_everywhere(desk: Desk) -> None:
    for line, exit_code in (
        ("-c nowhere.yaml status --json", Exit.CONFIG),
        ("status --json --nonsense", Exit.CONFIG),
        ("apply nowhere.json --json", Exit.PLAN_FILE),
        ("why 4711 --json", Exit.ISSUES),
    ):
        code, out, err = typed(line)
        if code == Exit.ISSUES and out:
            json.loads(out)  # an answer, if not the one that was hoped for
            continue
        assert (code, out) in ((exit_code, ""), (Exit.CONFIG, ""))
        error = json.loads(err.splitlines()[-1])["error"]
        assert list(error) == ["exit_code", "what", "where", "next_step", "problems"]
        assert error["exit_code"] == code


# --- terminals ------------------------------------------------------------------------------


#: Words of any length stand in these lines; a terminal breaks them by itself.
def _lines(text: str) -> list[str]:
    return [ANSI.sub("", line) for line in text.splitlines()]


@pytest.mark.parametrize("columns", [60, 40])
@pytest.mark.parametrize("name", LOOKING)
def test_no_figure_is_cut_on_a_narrow_terminal(
    name: str, columns: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    code, out, err = typed(LINES[name][0], screen=True)
    assert code != Exit.BUG, err
    monkeypatch.delenv("COLUMNS")
    whole = typed(LINES[name][0])[1]
    cut = [line for line in _lines(out) if re.search(r"\d…|…\d", line)]
    assert not cut
    assert out.count("…") <= whole.count("…")


@pytest.mark.parametrize("setting", ["NO_COLOR=1", "TERM=dumb"])
@pytest.mark.parametrize("name", LOOKING)
def test_colour_is_for_those_who_want_it(
    name: str, setting: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, _, value = setting.partition("=")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    code, out, err = typed(LINES[name][0], screen=True)
    assert code != Exit.BUG, err
    colours = re.findall(r"\x1b\[(?:[0-9;]*;)?[34][0-9]m", out)
    assert not colours
    if setting == "TERM=dumb":
        assert not ANSI.search(out + err)


@pytest.mark.parametrize("name", LOOKING)
def test_a_pipe_gets_plain_text_that_is_not_cut(name: str, desk: Desk) -> None:
    code, out, err = typed(LINES[name][0])
    assert code != Exit.BUG, err
    assert not ANSI.search(out + err)
    assert not re.search(r"\d…", out)


class Latin:
    """A terminal or pipe that takes nothing but ASCII."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        self.text = io.TextIOWrapper(self.bytes, encoding="ascii", errors="strict")

    def said(self) -> str:
        self.text.flush()
        return self.bytes.getvalue().decode("ascii")


@pytest.mark.parametrize("as_json", ["", " --json"])
def test_a_locale_without_umlauts_is_no_bug(desk: Desk, as_json: str) -> None:
    for name in LOOKING:
        out, err = Latin(), Latin()
        with (
            contextlib.redirect_stdout(out.text), contextlib.redirect_stderr(err.text),
            pytest.raises(SystemExit) as ended,
        ):  # fmt: skip
            syncjob.cli.main(shlex.split(LINES[name][0] + as_json))
        assert ended.value.code != Exit.BUG, err.said()
        if as_json and out.said():
            json.loads(out.said())


def test_the_c_locale_for_real(desk: Desk) -> None:
    env = {
        **os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "syncjob", "why", "deal", "3"], env=env, capture_output=True
    )
    assert done.returncode == Exit.DONE, done.stderr
    assert b"B?rok?che" in done.stdout and b"Traceback" not in done.stderr
