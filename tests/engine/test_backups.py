"""A backup put back, on the same machine or a new one, doubles nothing and loses nothing."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.engine.keeping import restore
from syncjob.errors import Park, StateError
from tests.engine.scenes import answer, codes, minutes, number_of, quiet, sell
from tests.engine.world import PATIENCE, World

SECRETS = ("sandbox-token", "sandbox-secret")


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with contextlib.closing(world):
        world.init()
        yield world


def command(w: World, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The command as a person types it; what it printed, both ways."""
    code = syncjob.cli.run(["-c", str(w.folder / "config.yaml"), *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def markers(w: World) -> list[str]:
    """The keys of the invoices that live in the ledger."""
    live = [i for i in w.invoices() if i["status"] != "DELETED"]
    return sorted(i["url"].rpartition("=")[2] for i in live)


def test_yesterdays_backup_put_back_doubles_nothing(w: World, capsys) -> None:
    sell(w)
    w.run()
    file = w.folder / "yesterday.tar.gz"
    assert command(w, capsys, "backup", "--to", str(file))[0] == 0
    sell(w, "Beta Pty")
    minutes(w, 5)
    w.run()
    made = markers(w)
    code, said = command(w, capsys, "restore", str(file), "--yes", "--reason", "disk failed")
    assert code == 0 and "create nothing until they know" in said
    assert len(list((w.folder / "state").glob("syncjob.db.before-*Z"))) == 1
    sell(w, "Gamma Pty")
    minutes(w, 5)
    mark = w.mark()
    w.run()
    assert not [c for c in w.writes(mark) if c["method"] == "PUT"], "created while recovering"
    w.advance(PATIENCE)
    w.run()
    assert markers(w) == sorted([*made, markers(w)[-1]]) and len(markers(w)) == 3
    quiet(w)
    with w.connection() as handle:
        rows = [r for r in handle.state.audit.rows_of() if r.field == "restore"]
        said = [("yesterday.tar.gz" in (r.after or ""), "disk failed" in r.reason) for r in rows]
        assert said == [(True, True)]


def test_a_backup_holds_no_secret_and_is_private(w: World, capsys) -> None:
    w.run()
    file = w.folder / "b.tar.gz"
    command(w, capsys, "backup", "--to", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as tar:
        whole = b"".join(tar.extractfile(m).read() for m in tar.getmembers())  # type: ignore[union-attr]
        assert {m.mode for m in tar.getmembers()} == {0o600}
        assert {m.uname for m in tar.getmembers()} == {""}
    assert not [secret for secret in SECRETS if secret.encode() in whole]
    code, said = command(w, capsys, "backup", "--to", str(file))
    assert code == 9 and "left as it is" in said, "a backup overwrote a file"


def test_the_newest_stay_and_are_listed(w: World, capsys) -> None:
    w.overrides = {"retention": {"backups": 3}}
    w.run()
    with w.connection() as handle:
        made = []
        for _ in range(5):
            made.append(Path(handle.backup(None, who="a test").file).name)
            w.advance(timedelta(days=1))
    folder = w.folder / "backups"
    assert sorted(f.name for f in folder.iterdir()) == made[2:]
    (folder / made[4]).write_bytes(b"not a backup")
    code, said = command(w, capsys, "restore", "--json")
    listed = json.loads(said)
    assert code == 0
    assert [Path(one["file"]).name for one in listed] == made[:1:-1]
    assert listed[0]["why"] and "manifest" not in {k for k, v in listed[0].items() if v}
    assert "unreadable" in command(w, capsys, "restore")[1]


def test_a_file_that_is_no_backup_of_this_connection_changes_nothing(w: World, capsys) -> None:
    sell(w)
    w.run()
    file, state = w.folder / "b.tar.gz", w.folder / "state" / "syncjob.db"
    command(w, capsys, "backup", "--to", str(file))
    whole = file.read_bytes()
    before = state.read_bytes()
    cut = w.folder / "cut.tar.gz"
    evil = w.folder / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        link = tarfile.TarInfo("manifest.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link, io.BytesIO())
    for size in (0, 10, len(whole) // 2, len(whole) - 9):
        cut.write_bytes(whole[:size])
        code, said = command(w, capsys, "restore", str(cut), "--yes")
        assert code == 2 and "no backup that syncjob can read" in said
    assert command(w, capsys, "restore", str(evil), "--yes")[0] == 2
    assert command(w, capsys, "restore", str(w.folder / "none"), "--yes")[0] == 2
    w.overrides = {"connection": {"name": "other", "code": "OT"}}
    w.write_config()
    code, said = command(w, capsys, "restore", str(file), "--yes")
    assert code == 2 and "connection test (code SJ)" in said
    assert state.read_bytes() == before
    assert not list((w.folder / "state").glob("*.before-*"))


def test_a_damaged_state_is_replaced_and_kept(w: World, capsys) -> None:
    sell(w)
    w.run()
    file, state = w.folder / "b.tar.gz", w.folder / "state" / "syncjob.db"
    command(w, capsys, "backup", "--to", str(file))
    state.write_bytes(b"scrambled" * 1000)
    assert command(w, capsys, "status")[0] == 9
    assert command(w, capsys, "restore", str(file), "--yes")[0] == 0
    kept = [f for f in state.parent.glob("*.before-*Z")]
    assert [f.read_bytes()[:9] for f in kept] == [b"scrambled"]
    w.advance(PATIENCE)
    w.run()
    w.advance(PATIENCE)
    w.run()
    assert len(markers(w)) == 1
    quiet(w)


def test_a_connection_moves_to_a_new_machine(w: World, capsys, tmp_path: Path) -> None:
    sell(w)
    w.run()
    file = w.folder / "move.tar.gz"
    code, said = command(w, capsys, "move", "--to", str(file), "--yes", "--reason", "new server")
    assert code == 0 and "On the new machine" in said
    sell(w, "Beta Pty")
    minutes(w, 5)
    mark = w.mark()
    report = w.run()
    assert report.exit_code == 7 and "moved to another machine" in report.stopped_by
    assert not w.writes(mark), "the old machine wrote on"

    old = w.folder
    w.folder = tmp_path / "new"
    w.folder.mkdir()
    code, said = command(w, capsys, "restore", str(file), "--yes")
    assert code == 2 and "***" in said and "Put them in" in said
    written = (w.folder / "config.yaml").read_text()
    assert not [secret for secret in SECRETS if secret in written]
    w.write_config()  # the secrets put in
    assert command(w, capsys, "restore", str(file), "--yes")[0] == 0
    w.run()
    w.advance(PATIENCE)
    w.run()
    assert len(markers(w)) == 2
    quiet(w)
    w.folder = old


def test_a_restore_waits_for_a_batch_that_runs(w: World, capsys) -> None:
    w.run()
    file = w.folder / "b.tar.gz"
    command(w, capsys, "backup", "--to", str(file))
    with w.connection() as handle, handle._lease():
        assert command(w, capsys, "backup")[0] == 0, "a backup needs no lease"
        assert command(w, capsys, "restore", str(file), "--yes")[0] == 5
        move = command(w, capsys, "move", "--to", str(w.folder / "m.gz"), "--yes")
        assert move[0] == 5 and not (w.folder / "m.gz").exists()


def test_one_is_made_every_night(w: World) -> None:
    w.run()
    folder = w.folder / "backups"
    assert not folder.exists()
    for _ in range(4):
        w.advance(timedelta(hours=12))
        w.run()
        w.run()
    names = sorted(f.name for f in folder.iterdir())
    assert len(names) == 2, names
    w.overrides = {"schedule": {"nightly_at": "off"}}
    w.advance(timedelta(hours=24))
    w.run()
    assert len(list(folder.iterdir())) == 2


def test_a_backup_that_fails_is_an_issue_and_no_failure(w: World) -> None:
    w.run()
    (w.folder / "backups").write_text("something else stands here")
    w.advance(timedelta(hours=24))
    report = w.run()
    assert report.exit_code == 1
    (issue,) = [i for i in report.issues if i.subject == "chore:backup"]
    assert "backups" in issue.what and issue.next_step
    (w.folder / "backups").unlink()
    w.advance(timedelta(hours=2))
    report = w.run()
    assert not [i for i in report.issues if i.subject == "chore:backup"]
    assert len(list((w.folder / "backups").iterdir())) == 1


def repacked(file: Path, **members: bytes) -> Path:
    """The backup with these members ("state_db", "config_yaml") replaced."""
    new = file.with_name(f"repacked-{len(list(file.parent.glob('repacked-*')))}.tar.gz")
    with tarfile.open(file) as old, tarfile.open(new, "w:gz") as tar:
        for member in old.getmembers():
            body = members.get(member.name.replace(".", "_"), old.extractfile(member).read())  # type: ignore[union-attr]
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return new


def a_database(path: Path, *statements: str) -> bytes:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
    return path.read_bytes()


def test_a_database_that_is_no_state_is_not_put_back(w: World, capsys) -> None:
    w.run()
    file, state = w.folder / "b.tar.gz", w.folder / "state" / "syncjob.db"
    command(w, capsys, "backup", "--to", str(file))
    before = state.read_bytes()
    bodies = (
        b"",
        a_database(w.folder / "1", "CREATE TABLE t (x)"),
        a_database(w.folder / "2", "CREATE TABLE meta (x)", "PRAGMA user_version = 1"),
        a_database(w.folder / "3", "CREATE TABLE t (x)", "PRAGMA user_version = 99"),
    )
    for body in bodies:
        code, said = command(w, capsys, "restore", str(repacked(file, state_db=body)), "--yes")
        assert code == 2 and "no state of syncjob" in said
    text = repacked(file, config_yaml=b"\xff\xfe")
    assert command(w, capsys, "restore", str(text), "--yes")[0] == 2
    assert state.read_bytes() == before
    assert not list(state.parent.glob("*.before-*"))


def test_what_stood_there_is_kept_however_often(w: World) -> None:
    w.run()
    with w.connection() as handle:
        file = Path(handle.backup(w.folder / "b.tar.gz", who="a test").file)
        config = handle.config
    for _ in range(3):  # in one second
        restore(config, file, clock=w.clock, who="a test", reason="")
    assert len(list((w.folder / "state").glob("syncjob.db.before-*"))) == 3


def test_nothing_is_written_with_a_state_that_was_replaced_meanwhile(w: World) -> None:
    """A command that stood at its question while another terminal put a backup back."""
    deal = sell(w)
    w.run()
    with w.connection() as handle, w.connection() as waiting:
        file = Path(handle.backup(w.folder / "b.tar.gz", who="a test").file)
        assert waiting.cancel(str(deal), reason="x", write=False, who="Ann").count("delete") == 1
        restore(handle.config, file, clock=w.clock, who="a test", reason="")
        mark = w.mark()
        with pytest.raises(StateError, match="put back"):
            waiting.cancel(str(deal), reason="x", write=True, who="Ann")
        with pytest.raises(StateError, match="put back"):
            waiting.answer(kind="never", subject=f"deal:{deal}", who="Ann", reason="")
        assert w.writes(mark) == []


@pytest.mark.parametrize(
    "written", ['"sandbox\\x2dsecret"', '"sandbox-\\\n      secret"', "'sandbox-secret'"]
)
def test_a_secret_is_masked_however_yaml_writes_it(w: World, capsys, written: str) -> None:
    w.run()
    file, config = w.folder / "b.tar.gz", w.write_config()
    text = config.read_text().replace("client_secret: sandbox-secret", f"client_secret: {written}")
    config.write_text(text + "# api_token: the-old-one\n")
    with tarfile.open(
        file if not command(w, capsys, "backup", "--to", str(file))[0] else ""
    ) as tar:
        kept = tar.extractfile("config.yaml").read().decode()  # type: ignore[union-attr]
    assert written not in text or written not in kept
    assert "secret" not in kept.replace("client_secret", "") and "the-old-one" not in kept


def test_only_names_that_tell_a_time_are_backups(w: World, capsys) -> None:
    w.overrides = {"retention": {"backups": 2}}
    w.run()
    folder = w.folder / "backups"
    folder.mkdir()
    stray = folder / "test-20269999T999999Z.syncjob.tar.gz"
    ahead = [folder / f"test-209{n}0101T000000Z.syncjob.tar.gz" for n in range(3)]
    for file in (stray, *ahead):
        file.write_bytes(b"")
    with w.connection() as handle:
        made = Path(handle.backup(None, who="a test").file)
        assert made.exists(), "the new one was taken for the oldest"
        assert handle.status().now
    assert stray.exists() and sum(file.exists() for file in ahead) == 1


def test_a_later_generation_takes_its_place_in_a_state_from_before_it(w: World) -> None:
    """Cancelled, issued anew and approved; then a backup from before all that, and whoever follows
    the next step that was printed (`syncjob reissue`) has still one invoice."""
    deal = sell(w)
    w.run()
    with w.connection() as handle:
        file = Path(handle.backup(w.folder / "b.tar.gz", who="a test").file)
        handle.cancel(str(deal), reason="wrong terms", write=True, who="Ann")
    answer(w, "reissue", deal)
    minutes(w, 5)
    w.run()
    w.books("approve", invoice=number_of(w, deal))
    w.crm("add_line", deal=deal, name="Extra", price=150, quantity=1, tax=10)
    with w.connection() as handle:
        restore(handle.config, file, clock=w.clock, who="a test", reason="")
    for _ in range(3):
        w.advance(PATIENCE)
        report = w.run()
    assert "reissue_needed" not in codes(report)
    with contextlib.suppress(Park):
        answer(w, "reissue", deal)
    w.advance(PATIENCE)
    w.run()
    assert len(markers(w)) == 1 and markers(w)[0].endswith("-A2")
    assert w.deal_fields(deal)["Invoice status"] == "awaiting payment"
    quiet(w)


def test_a_clock_that_was_years_ahead_stops_no_night(w: World) -> None:
    w.overrides = {"schedule": {"reconcile": False}}
    w.run()
    with w.connection() as handle, handle.state.commit():
        wrong = '{"done":"2031-01-01T00:00:00Z","again":"2031-01-01T01:00:00Z"}'
        handle.state.book.note("chore:backup", wrong)
    w.advance(timedelta(days=1))
    w.run()
    assert len(list((w.folder / "backups").iterdir())) == 1
    minutes(w, 5)
    w.run()
    assert len(list((w.folder / "backups").iterdir())) == 1, "once a night"
