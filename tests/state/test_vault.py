"""The vault: private, durable, shared; two processes with one expired token renew it once."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from syncjob.errors import StateError, Unreachable
from syncjob.state.vault import Vault
from syncjob.transport.ports import Token

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def token(**changes) -> Token:
    given = {
        "access": "access-1",
        "refresh": "refresh-1",
        "scope": "accounting.invoices",
        "expires_at": NOW + timedelta(minutes=30),
        "refreshed_at": NOW,
        "generation": 1,
    }
    return Token(**(given | changes))


def test_what_is_saved_is_read_by_another_process_with_the_file(tmp_path):
    path = tmp_path / "state" / "vault.db"
    Vault(path).save("k", token())
    other = Vault(path)
    assert other.token("k") == token()
    assert other.token("another") is None
    other.save("k", token(access="access-2", refresh=None, generation=2))
    assert Vault(path).token("k") == token(access="access-2", refresh=None, generation=2)


def test_a_token_can_be_forgotten(tmp_path):
    vault = Vault(tmp_path / "vault.db")
    vault.save("k", token())
    vault.forget("k")
    assert vault.token("k") is None


def test_nobody_else_can_read_any_of_its_files(tmp_path):
    path = tmp_path / "state" / "vault.db"
    path.parent.mkdir()
    path.touch(mode=0o644)
    vault = Vault(path)
    with vault.lock("k"):
        vault.save("k", token())
    files = list(path.parent.iterdir())
    assert len(files) >= 3  # the file, its log, a lock
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * len(files)


def test_commits_are_full_and_in_wal(tmp_path):
    vault = Vault(tmp_path / "vault.db")
    assert vault._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert vault._db.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read" * 40])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "vault.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="syncjob connect") as caught:
        Vault(path)
    assert caught.value.where == str(path)


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(StateError, match="token file"):
        Vault(tmp_path)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    vault = Vault(tmp_path / "vault.db")
    vault._db.execute("PRAGMA user_version = 99")
    with pytest.raises(StateError, match="newer"):
        Vault(tmp_path / "vault.db")


def test_a_store_that_cannot_be_written_raises_and_keeps_the_old(tmp_path):
    vault = Vault(tmp_path / "vault.db")
    vault.save("k", token())
    vault._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError) as caught:
        vault.save("k", token(access="access-2"))
    assert "access-2" not in str(caught.value)
    assert Vault(tmp_path / "vault.db").token("k") == token()


def test_one_key_is_locked_at_a_time_and_others_are_free(tmp_path):
    class Impatient:
        elapsed = 0.0

        def now(self):
            return NOW

        def monotonic(self):
            return self.elapsed

        def sleep(self, seconds):
            self.elapsed += seconds

    clock = Impatient()
    one, two = Vault(tmp_path / "vault.db"), Vault(tmp_path / "vault.db", clock=clock)
    with one.lock("k"):
        with two.lock("other"):
            pass
        with pytest.raises(Unreachable), two.lock("k"):
            pass
        assert clock.elapsed == pytest.approx(60, abs=0.2)
    with two.lock("k"):
        pass


def test_budgets_add_up_and_begin_anew_when_the_window_is_over(tmp_path):
    one, two = Vault(tmp_path / "vault.db"), Vault(tmp_path / "vault.db")
    assert one.spend("k", "day", 100, 5, NOW).used == 5
    one.note("k", "day", 70, NOW)
    later = NOW + timedelta(seconds=99.5)
    spent = two.spend("k", "day", 100, 3, later)
    assert (spent.used, spent.started_at, spent.remaining, spent.seen_at) == (8, NOW, 70, NOW)
    assert two.spend("k", "minute", 100, 1, later).used == 1
    assert two.spend("other", "day", 100, 1, later).used == 1
    over = NOW + timedelta(seconds=100)
    spent = one.spend("k", "day", 100, 2, over)
    assert (spent.used, spent.started_at, spent.remaining) == (2, over, None)


class StrictServer(http.server.BaseHTTPRequestHandler):
    """A token endpoint where each refresh token works exactly once."""

    valid = "refresh-1"
    asked: list[str]
    gate: threading.Lock

    def do_POST(self):
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = body["refresh_token"][0]
        with self.gate:
            self.asked.append(given)
            good = given == type(self).valid
            if good:
                type(self).valid = f"refresh-{len(self.asked) + 1}"
            answer = {
                "access_token": f"access-{len(self.asked) + 1}",
                "refresh_token": type(self).valid,
                "expires_in": 1800,
            }
        threading.Event().wait(0.2)  # long enough for the other to come
        raw = json.dumps(answer if good else {"error": "invalid_grant"}).encode()
        self.send_response(200 if good else 400)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


RENEW = """
import sys
from pathlib import Path
from syncjob.clock import SystemClock
from syncjob.state.vault import Vault
from syncjob.transport.auth import RefreshingToken
print("ready", flush=True)
sys.stdin.readline()
auth = RefreshingToken(token_url=sys.argv[2], client_id="app", client_secret=None, key="k",
                       store=Vault(Path(sys.argv[1])), clock=SystemClock())
print(auth.headers()["Authorization"], auth.generation())
"""


def test_two_processes_renew_one_expired_token_with_one_call(tmp_path):
    handler = type("Handler", (StrictServer,), {"asked": [], "gate": threading.Lock()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "vault.db"
    Vault(path).save("k", token(expires_at=NOW - timedelta(days=30), generation=6))
    url = f"http://127.0.0.1:{server.server_port}/connect/token"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", RENEW, str(path), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        child.stdout.readline()
    outputs = [None, None]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for index, child in enumerate(children):
        outputs[index] = child.communicate(timeout=20)[0].strip().splitlines()[-1]
    server.shutdown()
    server.server_close()
    assert handler.asked == ["refresh-1"]
    assert outputs == ["Bearer access-2 7"] * 2
    assert Vault(path).token("k").refresh == "refresh-2"


def test_two_first_starts_at_once_make_one_file(tmp_path):
    path, errors = tmp_path / "vault.db", []

    def start():
        try:
            Vault(path).save(threading.current_thread().name, token())
        except StateError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(Vault(path).token(thread.name) == token() for thread in threads)
