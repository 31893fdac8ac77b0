"""What every command does first: read the config, set the log up, open the connection."""

from __future__ import annotations

import contextlib
import getpass
import logging
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncjob.cli.screen import echo
from syncjob.config import Config, load_config, secret_values
from syncjob.core.printable import json_printable
from syncjob.errors import StateError, SyncJobError
from syncjob.logs import Redactor, configure, get_logger, log_file

if TYPE_CHECKING:
    from syncjob.engine.connection import ConnectionHandle

log = get_logger(__name__)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
reason_option = click.option("--reason", default="", help="Why; kept with your name.")
all_option = click.option("--all", "every", is_flag=True, help="Show every row and issue.")


def read_config(
    ctx: click.Context, env: Mapping[str, str] | None = None
) -> tuple[Config, Redactor]:
    """The config that `-c` names, and what must not appear in any log. Raises ConfigError."""
    from syncjob.connectors.registry import register_all

    path, _ = ctx.obj
    register_all()
    warnings: list[str] = []
    config = load_config(path, env=env, warn=warnings.append)
    for text in warnings:
        echo(f"Warning: {text}", err=True)
    return config, Redactor(secret_values(config))


@contextlib.contextmanager
def logged(
    ctx: click.Context, *, level: int = logging.WARNING, summary: bool = False,
    env: Mapping[str, str] | None = None,
) -> Iterator[Config]:  # fmt: skip
    """The config, with the log set up for this command. Raises ConfigError, StateError."""
    config, redactor = read_config(ctx, env)
    _, verbose = ctx.obj
    configure(redactor, level=logging.DEBUG if verbose else level, summary=summary)
    with contextlib.ExitStack() as stack:
        try:
            file = log_file(
                config.resolve(config.connection.log),
                connection=config.connection.name,
                files=config.retention.log_files,
                megabytes=config.retention.log_megabytes,
                redactor=redactor,
            )
            stack.enter_context(file)
        except OSError as error:
            raise StateError(
                f"The log file cannot be opened ({error.strerror}).",
                where=str(config.resolve(config.connection.log)),
                next_step="Mend its folder's rights, or change connection.log in the config.",
            ) from None
        with _crashes_written():
            yield config


@contextlib.contextmanager
def _crashes_written() -> Iterator[None]:
    """Write the traceback of a bug to the log while its file is open; the error goes on up."""
    try:
        yield
    except (SyncJobError, click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception:
        log.error("run.crashed", exc_info=True)
        raise


@contextlib.contextmanager
def opened(
    ctx: click.Context, *, level: int = logging.WARNING, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Config, ConnectionHandle]]:
    """The config and its open connection, for one command; `env` in place of the environment."""
    from syncjob.engine.connection import open_connection

    with logged(ctx, level=level, env=env) as config, open_connection(config) as handle:
        yield config, handle


@contextlib.contextmanager
def opened_to_run(
    ctx: click.Context, *, trial: bool
) -> Iterator[tuple[ConnectionHandle, Callable[[int], None]]]:
    """The connection for a batch, and what takes its exit code: the monitor is told of both ends,
    and of a state that cannot be opened. A trial of one deal is none of its business."""
    from syncjob.engine.connection import open_connection
    from syncjob.engine.heartbeat import beating

    with logged(ctx) as config, contextlib.ExitStack() as stack:
        ended = (lambda _: None) if trial else stack.enter_context(beating(config))
        yield stack.enter_context(open_connection(config)), ended


def who() -> str:
    """The person or account at the keyboard, for the audit: "maria@books-01"."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def print_json(value: Any) -> None:
    """The value as indented JSON on stdout, Decimals as text."""
    import msgspec

    body = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    echo(json_printable(body, ascii_only=encoding != "utf8"))


def interactive() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def reason_or_ask(reason: str) -> str:
    """Why a person decides so: as given, or asked for on a terminal; nobody else is waited for."""
    if reason or not interactive():
        return reason
    question = "Why? (kept with your name)"
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer.strip()


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether to go on: `--yes`, or a person's answer; nobody to ask means no."""
    if yes:
        return True
    if not interactive():
        echo("Nobody to ask: repeat with --yes to go on.", err=True)
        return False
    return click.confirm(question, err=True)


def private_file(path: Path, text: str) -> None:
    """Write a new file of mode 0600. Raises FileExistsError rather than overwrite one."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
