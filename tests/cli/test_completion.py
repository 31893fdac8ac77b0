"""Completion in the shells: commands, options and values that need no connection."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.cli.app import COMMANDS
from syncjob.errors import Exit
from tests.marks.noting import watched

ROOT = Path(__file__).parents[2]


def completed(words: str, last: int, kind: str = "fish") -> list[str]:
    """What a shell is offered for the word at the cursor."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COMP_WORDS": words}
    given = {**env, "COMP_CWORD": str(last), "_SYNCJOB_COMPLETE": f"{kind}_complete"}
    program = "import sys, syncjob.cli; syncjob.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=watched(given), capture_output=True, text=True,
        cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_options_and_choices() -> None:
    assert completed("syncjob ", 1, "bash")[: len(COMMANDS)] == list(COMMANDS)
    assert "--no-message" in completed("syncjob check --", 2, "bash")
    assert completed("syncjob connect ", 2, "bash") == ["xero", "hubspot"]
    assert {"invoices", "contacts"} <= set(completed("syncjob pause --only ", 3, "bash"))


def test_a_command_is_completed_without_importing_them_all() -> None:
    program = (
        "import os, sys, syncjob.cli;"
        "os.environ.update(COMP_WORDS='syncjob re', COMP_CWORD='1',"
        " _SYNCJOB_COMPLETE='zsh_complete');\n"
        "try: syncjob.cli.run([])\n"
        "except SystemExit: pass\n"
        "sys.exit([m for m in sys.modules if m in ('pydantic', 'msgspec', 'rich')] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "reconcile" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert syncjob.cli.run(["completion", shell]) == Exit.DONE
    script = capsys.readouterr().out
    assert "_SYNCJOB_COMPLETE" in script
    if shutil.which(shell) is None:
        return  # its own words are looked at above; the shell is not on this machine
    done = subprocess.run([shell, "-n"], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_bash_completes_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash on this machine")
    syncjob.cli.run(["completion", "bash"])
    script = capsys.readouterr().out
    program = tmp_path / "syncjob"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m syncjob "$@"\n')
    program.chmod(0o755)
    asked = "\nCOMP_WORDS=(syncjob resu)\nCOMP_CWORD=1\n_syncjob_completion syncjob\n"
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [bash, "--norc", "-c", f'{script}{asked}echo "${{COMPREPLY[@]}}"'], env=env,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "resume", done.stderr
