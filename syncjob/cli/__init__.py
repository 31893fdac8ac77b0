"""The command `syncjob`: errors become a message and an exit code here, never a traceback.

With `--json` the message is a JSON object, one line and the last on stderr:
`{"error": {"exit_code": 3, "what": ..., "where": ..., "next_step": ..., "problems": [...]}}`.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from syncjob.cli.app import app
from syncjob.cli.screen import echo
from syncjob.errors import ConfigError, Exit, SyncJobError


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code (errors.Exit)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that is not UTF-8 shows "?" for what it cannot; that is no error of ours.
            stream.reconfigure(errors="replace")
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    try:
        code = app.main(args=words, prog_name="syncjob", standalone_mode=False)
    except click.ClickException as error:
        return _misused(error, as_json=as_json)
    except click.Abort:
        return _fail(Exit.ISSUES, ["Stopped; nothing more was done."], as_json=as_json)
    except SyncJobError as error:
        return say(error, as_json=as_json)
    except SystemExit:
        # The reader of a pipe (head, less) went away, and what was to be done is done: click takes
        # that for itself and ends with 1, as though something needed a person. Nothing else in
        # the program ends it from within a command.
        return int(Exit.DONE)
    except Exception as error:
        # The outermost frame of the program. A traceback may hold values that nobody should see
        # on a screen: `cli.common.logged` has written it to the log, through the redaction.
        what = f"This is a bug of syncjob ({type(error).__name__})."
        next_step = "the log has the details; the next batch settles what is open."
        return _fail(Exit.BUG, [what], next_step=next_step, as_json=as_json)
    return int(code or 0)


def say(error: SyncJobError, *, as_json: bool = False) -> int:
    """The error on stderr: where, what, what next. Its exit code."""
    problems = error.problems if isinstance(error, ConfigError) else [error.what]
    where = "" if isinstance(error, ConfigError) else error.where
    return _fail(error.exit_code, problems, where=where, next_step=error.next_step, as_json=as_json)


def _misused(error: click.ClickException, *, as_json: bool) -> int:
    """A command line that means nothing, in click's own words with the usage."""
    if not as_json:
        error.show()
        return int(Exit.CONFIG)
    return _fail(Exit.CONFIG, [error.format_message()], as_json=True)


def _fail(
    code: Exit, problems: list[str], *, where: str = "", next_step: str = "", as_json: bool
) -> int:
    if as_json:
        error = {
            "exit_code": int(code), "what": "\n".join(problems), "where": where,
            "next_step": next_step, "problems": problems,
        }  # fmt: skip
        echo(json.dumps({"error": error}), err=True)
        return int(code)
    for line in problems:
        echo(f"{where}: {line}" if where else line, err=True)
    if next_step:
        echo(f"Next: {next_step}", err=True)
    return int(code)
