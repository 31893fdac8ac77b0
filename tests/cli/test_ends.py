"""What ends a command from outside: a pipe's reader that goes away, a place that cannot be read or
written. A message with a next step and its exit code, and never a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from syncjob.cli.keyboard import Keyboard
from syncjob.engine.firststeps.questions import Choice, Question
from syncjob.errors import Exit
from tests.cli.conftest import Command
from tests.cli.kit import Handle

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [("completion", "bash"), ("--help",)])
def test_a_reader_that_goes_away_is_no_failure(words: tuple[str, ...]) -> None:
    """`syncjob ... | head -1`: the command is done, and exit code 1 would ask for a person."""
    nobody, pipe = os.pipe()
    os.close(nobody)
    done = subprocess.run(
        [sys.executable, "-m", "syncjob", *words], stdout=pipe, stderr=subprocess.PIPE, text=True,
        cwd=ROOT,
    )  # fmt: skip
    os.close(pipe)
    assert (done.returncode, done.stderr) == (Exit.DONE, "")


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A path at which nothing can be: what stands above it is a file."""
    (tmp_path / "a file").write_text("")
    return tmp_path / "a file" / "below"


def fails(told: tuple[int, str, str], *words: str, code: int = Exit.CONFIG) -> None:
    ended, _, err = told
    assert ended == code, err
    for word in (*words, "Next: "):
        assert word in err, err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("relink", "--map"), "The map cannot be read"),
        (("match", "--apply"), "The review cannot be read"),
        (("apply",), "cannot be read"),
        (("handover", "--output"), "The page cannot be written"),
        (("plan", "--output"), "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_there(
    syncjob_: Command, handle: Handle, nowhere: Path,
    arguments: tuple[str, ...], said: str,
) -> None:  # fmt: skip
    fails(syncjob_(*arguments, str(nowhere)), said, "below")


def test_a_log_that_cannot_be_opened(
    syncjob_: Command, handle: Handle, config_path: Path, nowhere: Path
) -> None:
    text = config_path.read_text()
    assert "log: log/syncjob.log " in text
    config_path.write_text(text.replace("log: log/syncjob.log ", f'log: "{nowhere}" '))
    fails(syncjob_("status"), "The log file cannot be opened", code=Exit.STATE)
    assert handle.asked == []


def test_a_user_without_a_name(
    syncjob_: Command, handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose user is only a number: the audit says so."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert syncjob_("run")[0] in (Exit.DONE, Exit.ISSUES)
    ((_, options),) = [asked for asked in handle.asked if asked[0] == "run"]
    assert options.who.startswith("unknown@")


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import syncjob.cli

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code = syncjob.cli.run(["sandbox", "--port", str(port)])
    assert code == Exit.CONFIG
    assert f"port {port} cannot be used" in capsys.readouterr().err


def test_a_bash_that_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Completion needs bash 4.4; click 8.1 raises where there is none, later ones only say so."""
    import syncjob.cli

    def no_bash() -> None:
        raise RuntimeError("Couldn't detect Bash version, shell completion is not supported.")

    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(no_bash))
    assert syncjob.cli.run(["completion", "bash"]) == Exit.CONFIG
    assert "Couldn't detect Bash version" in capsys.readouterr().err


def test_a_line_of_the_log_whose_time_is_none(syncjob_: Command, config_path: Path) -> None:
    """Shown as it stands: somebody edited it, or another program writes there."""
    file = config_path.parent / "log" / "syncjob.log"
    file.parent.mkdir(exist_ok=True)
    lines = [{"at": "yesterday", "event": "batch.started", "batch": 1},
             {"at": "later", "event": "batch.ended", "batch": 1, "result": "done"}]  # fmt: skip
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    code, out, _ = syncjob_("log", "--batch", "1")
    assert code == Exit.DONE
    assert "yesterday" in out


def test_a_person_who_mistypes_is_asked_again() -> None:
    colour = Question("colour", "Which one", kind="one", choices=(Choice("r", "red"),))
    with CliRunner().isolation(input="blue\nRED\n") as (_, err, _):
        assert Keyboard({}, ask=True).answer(colour) == ("r",)
        assert b'"blue" is none of them' in err.getvalue()
