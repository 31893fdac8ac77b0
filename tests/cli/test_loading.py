"""What a command loads: modules are counted, and no seconds, which the machine has a say in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.situations.bench import Desk, copied, prepare

#: What forms writes, sends messages by another's way, keeps a timetable, compares contacts.
UNWRITTEN = {"xero_python", "pipedrive", "apprise"}
UNASKED = {"apscheduler", "phonenumbers", "rapidfuzz", "syncjob.connectors.hubspot.connector"}
#: What only a batch needs.
BATCH = {"requests", "urllib3", "structlog", "asyncio", "syncjob.engine.batch"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A connection that has been set up, with one deal won."""
    folder = tmp_path_factory.mktemp("loading")
    made = copied(prepare(folder / "prepared"), folder / "prepared", folder / "desk")
    made.won("Spring order")
    yield made
    made.close()


def loaded(desk: Desk, *arguments: str) -> set[str]:
    """The modules that the command imports, by the interpreter's own account; it does all right."""
    desk.env["PYTHONPROFILEIMPORTTIME"] = "1"
    done = desk.end(desk.begin(*arguments), *arguments, show=False)  # a process of its own
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip() for line in lines}


def test_a_write_loads_the_sdks_and_the_next_batch_with_nothing_to_do_does_not(desk: Desk) -> None:
    first = loaded(desk, "run")
    assert {"xero_python", "pipedrive"} <= first, "the names below would mean nothing"
    assert len(desk.invoices()) == 1
    for _ in range(3):  # until what was just written lies before the lookback
        desk.advance(1200)
        quiet = loaded(desk, "run")
    assert len(desk.invoices()) == 1
    assert "syncjob.engine.batch" in quiet
    assert quiet & (UNWRITTEN | UNASKED) == set()


def test_status_loads_nothing_that_reads_or_writes(desk: Desk) -> None:
    found = loaded(desk, "status")
    assert "syncjob.state.database" in found
    assert found & (UNWRITTEN | UNASKED | BATCH) == set()


def test_help_loads_the_table_of_commands_alone(desk: Desk) -> None:
    found = {name for name in loaded(desk, "--help") if name.startswith("syncjob.")}
    assert found <= {"syncjob.cli", "syncjob.cli.app", "syncjob.cli.screen", "syncjob.errors",
                     "syncjob.core", "syncjob.core.printable", "syncjob.__main__"}  # fmt: skip
