"""The command `syncjob`: errors become a message and an exit code here, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from syncjob.cli.app import app
from syncjob.cli.screen import echo
from syncjob.errors import ConfigError, Exit, SyncJobError


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code (errors.Exit)."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        code = app.main(args=argv, prog_name="syncjob", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return int(Exit.CONFIG)
    except click.Abort:
        echo("Stopped; nothing more was done.", err=True)
        return int(Exit.ISSUES)
    except SyncJobError as error:
        say(error)
        return int(error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe (head, less) went away: what was to be done is done.
        sys.stderr.close()
        return int(Exit.DONE)
    except Exception as error:
        # The outermost frame of the program. A traceback may hold values that nobody should see
        # on a screen: `cli.common.logged` has written it to the log, through the redaction.
        echo(f"This is a bug of syncjob ({type(error).__name__}).", err=True)
        echo("Next: the log has the details; the next batch settles what is open.", err=True)
        return int(Exit.BUG)
    return int(code or 0)


def say(error: SyncJobError) -> None:
    """The error on stderr: where, what, what next."""
    lines = error.problems if isinstance(error, ConfigError) else [_where(error) + error.what]
    for line in lines:
        echo(line, err=True)
    if error.next_step:
        echo(f"Next: {error.next_step}", err=True)


def _where(error: SyncJobError) -> str:
    return f"{error.where}: " if error.where else ""
