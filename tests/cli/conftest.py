"""A config on disk, a scripted connection, and the command as a person types it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.config.template import Start, render
from syncjob.logs import configure
from tests.cli.kit import Handle

TOKEN = "pd-token-that-nobody-sees"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    scripted = Handle()
    monkeypatch.setattr("syncjob.engine.connection.open_connection", scripted.open)
    monkeypatch.setattr("syncjob.engine.status.status_now", lambda _: scripted.status())
    return scripted


@pytest.fixture
def config_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PIPEDRIVE_API_TOKEN", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"):
        monkeypatch.setenv(name, TOKEN)
    path = tmp_path / "config.yaml"
    path.write_text(render(Start(won_since=date(2026, 7, 1))))
    path.chmod(0o600)
    return path


@pytest.fixture
def syncjob_(config_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """(exit code, stdout, stderr) of a command line after `syncjob -c config.yaml`."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = syncjob.cli.run(["-c", str(config_path), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield command
    for handler in list(logging.getLogger("syncjob").handlers):
        logging.getLogger("syncjob").removeHandler(handler)
    configure(terminal=io.StringIO())
