"""Errors that no scene of its own meets: what each leads to, and that the rest goes on."""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import syncjob.cli
from syncjob.errors import Exit, StateError, WrongFile
from tests.engine.scenes import awaiting, codes, minutes, number_of, sell
from tests.engine.test_notices import by_mail
from tests.engine.world import World
from tests.transport.mailserver import MailServer, mail_server


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        yield world


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def pause(w: World) -> None:
    with w.connection() as handle:
        handle.pause(only="all", until=None, reason="audit", who="Ann")


# --- limits, walks --------------------------------------------------------------------------------


def test_a_burst_limit_while_fields_are_created_is_sat_out(w: World) -> None:
    w.fault(
        server=w.vendor.name, method="POST", path="Fields", kind="status", status=429,
        headers={"Retry-After": "2"},
    )  # fmt: skip
    w.init()
    fields = w.crm_state()["fields"]["deals"].values()
    names = [field["field_name"] for field in fields]
    assert names.count("Invoice status") == 1


def test_a_stored_place_that_says_nothing_begins_the_walk_anew(w: World) -> None:
    """As after an older version, or a restored file: nothing is left out."""
    w.init()
    sell(w)
    w.run()
    with contextlib.closing(sqlite3.connect(w.folder / "state" / "syncjob.db")) as db, db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(cursor)")]
        assert "position" in columns, columns
        db.execute("UPDATE cursor SET position = 'nonsense' WHERE side = 'crm'")
    sell(w, "Bolt Pty")
    minutes(w, 5)
    w.run()
    assert len(w.invoices()) == 2


# --- what people typed ----------------------------------------------------------------------------


def test_words_in_the_field_of_what_was_paid_are_no_amount(w: World) -> None:
    """The field is made right again, and the wait is measured all the same."""
    w.overrides = {"crm": {"fields": {"paid": "Paid so far"}}}
    w.crm("create_field", name="Paid so far", type="varchar")
    w.init()
    deal = awaiting(w)
    w.crm("edit_deal", deal=deal, fields={"Paid so far": "ask Ann"})
    w.books("pay", invoice=number_of(w, deal), amount="20.00")
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Paid so far"] in ("20.00", 20)


# --- pauses ---------------------------------------------------------------------------------------


def test_a_pause_holds_the_operators_alarm_too(w: World, mail: MailServer) -> None:
    w.overrides = {"notices": {**by_mail(mail), "operator": {"to": ["ops@example.com"]}}}
    w.init()
    w.run()
    w.crm("regenerate_token", token="another")
    pause(w)
    for _ in range(3):
        minutes(w, 60 * 9)
        w.run()
    assert mail.taken == []


def test_a_pause_holds_the_messages_of_check(w: World, mail: MailServer) -> None:
    w.overrides = {"notices": {**by_mail(mail), "operator": {"to": ["ops@example.com"]}}}
    w.init()
    pause(w)
    with w.connection() as handle:
        found = handle.check(messages=True)
    assert not [problem for problem in found if problem.where.startswith("notices.ways")]
    assert mail.taken == []


# --- backups --------------------------------------------------------------------------------------


def backup(w: World) -> Path:
    file = w.folder / "kept.tar.gz"
    with w.connection() as handle:
        handle.backup(file, who="Ann")
    return file


def test_a_config_that_is_gone_cannot_be_backed_up(w: World) -> None:
    w.init()
    with w.connection() as handle:
        (w.folder / "config.yaml").unlink()
        with pytest.raises(StateError, match="config cannot be read again"):
            handle.backup(w.folder / "kept.tar.gz", who="Ann")


def damaged(file: Path) -> None:
    """The same backup, its database something else."""
    members: dict[str, bytes] = {}
    with tarfile.open(file) as tar:
        for one in tar.getmembers():
            content: Any = tar.extractfile(one)
            members[one.name] = content.read()
    page = bytearray(members["state.db"])
    page[100:8000] = b"\xff" * 7900
    members["state.db"] = bytes(page)
    with gzip.open(file, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in members.items():
            one = tarfile.TarInfo(name)
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))


def test_a_backup_whose_database_is_damaged_is_refused(w: World) -> None:
    w.init()
    w.run()
    file = backup(w)
    damaged(file)
    before = (w.folder / "state" / "syncjob.db").read_bytes()
    code = syncjob.cli.run(
        ["-c", str(w.write_config()), "restore", str(file), "--yes", "--reason", "a test"]
    )
    assert code in (Exit.CONFIG, Exit.STATE)
    assert (w.folder / "state" / "syncjob.db").read_bytes()[:4096] == before[:4096]


def test_a_backups_config_that_cannot_be_put_anywhere(
    w: World, capsys: pytest.CaptureFixture[str]
) -> None:
    w.init()
    file = backup(w)
    (w.folder / "a file").write_text("")
    nowhere = w.folder / "a file" / "config.yaml"
    code = syncjob.cli.run(["-c", str(nowhere), "restore", str(file), "--yes", "--reason", "x"])
    assert code == WrongFile.exit_code
    assert "config cannot be written" in capsys.readouterr().err


# --- e-mails that are refused ---------------------------------------------------------------------


def test_an_email_that_was_refused_is_not_asked_for_again(w: World) -> None:
    w.overrides = {
        "mode": "full", "invoices": {"status": "authorised", "email": {"enabled": True}},
    }  # fmt: skip
    w.init()
    w.crm("create_org", name="Acme Pty")
    w.crm("create_person", name="Pat", org="Acme Pty", emails=["pat@acme.test"])
    w.fault(
        server="xero", method="POST", path="/Email", kind="status", status=400,
        body='{"ErrorNumber": 10, "Message": "The e-mail cannot be sent."}',
    )  # fmt: skip
    sell(w, "Acme Pty", person="Pat")
    told = []
    for _ in range(3):
        told = codes(w.run())
        minutes(w, 6)
    asked = [call for call in w.calls() if call["path"].endswith("/Email")]
    assert (len(asked), told) == (1, told)
    assert told, "nobody is told"
    assert w.organisation()["emails"] == []
