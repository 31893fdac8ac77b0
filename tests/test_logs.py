"""The log: what stands in the file and on the terminal, and what never does."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from syncjob.logs import EVENTS, MASK, Redactor, bound, configure, get_logger, log_file

SOURCE = Path(__file__).parent.parent / "syncjob"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    configure(terminal=io.StringIO())


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def emitted() -> Iterator[str]:
    """The first argument of each `...log.info("noun.verb", ...)` in the source."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and _is_log(node.func.value)
            ):
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path}:{node.lineno}: not a plain name"
                yield str(first.value)


def _is_log(node: ast.expr) -> bool:
    named = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_logger"
    return named in ("log", "_log") or called


def test_the_list_of_events_is_what_the_source_emits() -> None:
    assert set(emitted()) == set(EVENTS)


def test_names_are_noun_verb_and_explained() -> None:
    for name, meaning in EVENTS.items():
        noun, _, verb = name.partition(".")
        assert noun.isidentifier()
        assert verb.isidentifier()
        assert meaning


def test_a_line_is_json_with_time_level_batch_and_connection(tmp_path: Path) -> None:
    configure(terminal=io.StringIO())
    path = tmp_path / "log" / "a.log"
    with log_file(path, connection="main"), bound(batch=7):
        get_logger("syncjob.engine").info("batch.started", mode="full", who="Zoë")
    (event,) = events(path)
    at = event.pop("at")
    assert at.endswith("Z")
    assert event == {
        "event": "batch.started", "level": "info", "batch": 7, "connection": "main",
        "mode": "full", "who": "Zoë",
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_masked_wherever_they_stand(tmp_path: Path) -> None:
    secret, second = "known-secret-value", "added-later-value"
    redactor = configure(Redactor([secret]), terminal=(screen := io.StringIO()))
    redactor.add(second)
    path = tmp_path / "a.log"
    with log_file(path, connection="main", redactor=redactor):
        log = get_logger("syncjob.test")
        log.warning(
            "batch.ended",
            api_token="plain", client_secret="plain", headers={"Authorization": "plain"},
            x_api_key="plain", holder=SecretStr("plain"), text=f"the value {secret} in a text",
            deep=[{"refresh_token": "plain"}, f"{second}!"], header="Bearer plainplain",
            url="https://x/?api_token=plain&b=1", tokens_used=12,
        )  # fmt: skip
        try:
            raise ValueError(f"an error with {secret}")
        except ValueError:
            log.error("run.crashed", exc_info=True)
        logging.getLogger("apscheduler.executors").warning("run of %s missed", secret)
    text = path.read_text() + screen.getvalue()
    assert secret not in text
    assert second not in text
    assert "plain" not in text
    first, crash, foreign = events(path)
    assert first["api_token"] == first["client_secret"] == first["holder"] == MASK
    assert first["tokens_used"] == 12
    assert first["text"] == f"the value {MASK} in a text"
    assert "ValueError" in crash["exception"]
    assert foreign["event"] == f"run of {MASK} missed"


def test_a_secret_is_masked_as_json_and_an_address_write_it() -> None:
    secret = 'pä"ss\\w ord/1+'
    redactor = Redactor([secret, "of no alphabet \udcff"])
    said = (
        json.dumps({"x": secret}), json.dumps({"x": secret}, ensure_ascii=False),
        f"https://a.test/hook/{quote(secret)}?x={quote(secret, safe='')}&y={quote_plus(secret)}",
        repr(secret),
    )  # fmt: skip
    for text in said:
        masked = redactor.text(text)
        assert MASK in masked
        assert "ord" not in masked


def test_two_connections_in_one_process_keep_their_logs_apart(tmp_path: Path) -> None:
    configure(terminal=io.StringIO())
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    log = get_logger("syncjob.engine")
    with log_file(one, connection="one"), log_file(two, connection="two"):
        with bound(connection="one", batch=1):
            log.info("batch.started")
        with bound(connection="two", batch=2):
            log.info("batch.started")
    log.info("batch.ended")
    assert [event["batch"] for event in events(one)] == [1]
    assert [event["batch"] for event in events(two)] == [2]


@pytest.mark.parametrize(
    ("level", "summary", "shown"),
    [
        (logging.INFO, False, ["batch.started", "call.lost", "batch.ended"]),
        (logging.WARNING, False, ["call.lost"]),
        (logging.WARNING, True, ["call.lost", "batch.ended"]),
    ],
)
def test_a_terminal_shows_what_was_asked_for(level: int, summary: bool, shown: list[str]) -> None:
    screen = io.StringIO()
    configure(terminal=screen, level=level, summary=summary)
    log = get_logger("syncjob.engine")
    log.info("batch.started")
    log.warning("call.lost", why="timed out")
    log.info("batch.ended", counts={"held": 2, "waiting": 1}, next_step="")
    lines = screen.getvalue().splitlines()
    assert [next(name for name in EVENTS if name in line) for line in lines] == shown
    assert "\x1b" not in screen.getvalue()
    assert "next_step" not in screen.getvalue()
    assert ('counts="held 2, waiting 1"' in screen.getvalue()) is ("batch.ended" in shown)
    assert 'why="timed out"' in screen.getvalue()


def test_rotation_keeps_so_many_private_files(tmp_path: Path) -> None:
    configure(terminal=io.StringIO())
    path = tmp_path / "a.log"
    with log_file(path, connection="main", files=3, megabytes=1):
        log = get_logger("syncjob.engine")
        for _ in range(45):
            log.info("page.stored", text="x" * 100_000)
    found = sorted(tmp_path.iterdir())
    assert [file.name for file in found] == ["a.log", "a.log.1", "a.log.2"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in found} == {0o600}


def test_a_file_that_another_process_rotated_is_opened_anew(tmp_path: Path) -> None:
    configure(terminal=io.StringIO())
    path = tmp_path / "a.log"
    with log_file(path, connection="main"):
        log = get_logger("syncjob.engine")
        log.info("batch.started")
        path.rename(tmp_path / "a.log.1")
        log.info("batch.ended")
    assert [event["event"] for event in events(path)] == ["batch.ended"]


def test_a_log_that_cannot_be_written_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(terminal=io.StringIO())
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    link = tmp_path / "full.log"
    link.symlink_to(full)
    with contextlib.suppress(OSError), log_file(link, connection="main"):
        get_logger("syncjob.engine").info("batch.started")
    assert "cannot be written" in capsys.readouterr().err
