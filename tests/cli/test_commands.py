"""init, check, pause, resume, status, log, help: what each prints and what it asks the engine."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.config import load_config
from syncjob.connectors.base import Problem
from syncjob.connectors.registry import register_all
from syncjob.core.reports import FieldsReport
from syncjob.errors import Exit
from tests.cli.conftest import TOKEN, Command
from tests.cli.kit import HELD, Handle

# --- init ------------------------------------------------------------------------------------


def test_init_writes_a_private_config_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "config.yaml"
    flags = ["--name", "acme", "--code", "AC", "--crm-url", "https://acme.pipedrive.com"]
    code = syncjob.cli.run(["-c", str(path), "init", *flags, "--won-since", "2026-08-01"])
    out = capsys.readouterr().out
    assert code == Exit.DONE
    assert "Deals won before 2026-08-01 are never invoiced" in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    env = dict.fromkeys(("PIPEDRIVE_API_TOKEN", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"), "x")
    register_all()
    config = load_config(path, env=env)
    assert (config.connection.name, config.connection.code) == ("acme", "AC")
    assert config.invoices.won_since.isoformat() == "2026-08-01"


def test_init_writes_a_config_for_hubspot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    assert syncjob.cli.run(["-c", str(path), "init", "--crm", "hubspot", "--yes"]) == Exit.DONE
    assert "set HUBSPOT_ACCESS_TOKEN, XERO_CLIENT_ID" in capsys.readouterr().out
    for name in ("HUBSPOT_ACCESS_TOKEN", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"):
        monkeypatch.setenv(name, "secret-of-nobody")
    register_all()
    config = load_config(path)
    assert config.crm.type == "hubspot"
    assert "secret-of-nobody" not in path.read_text()


def test_init_mends_what_is_surely_meant_and_refuses_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    flags = ["init", "--yes", "--code", "ac", "--crm-url", "acme.pipedrive.com"]
    assert syncjob.cli.run(["-c", str(path), *flags, "--name", "a b"]) == Exit.CONFIG
    assert syncjob.cli.run(["-c", str(path), *flags[:2], "--code", "A!"]) == Exit.CONFIG
    assert syncjob.cli.run(["-c", str(path), *flags[:2], "--crm-url", "acme"]) == Exit.CONFIG
    assert not path.exists()
    assert syncjob.cli.run(["-c", str(path), *flags]) == Exit.DONE
    text = path.read_text()
    assert 'code: "AC"' in text and 'api_url: "https://acme.pipedrive.com"' in text


def test_init_offers_today(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    assert syncjob.cli.run(["-c", str(path), "init", "--yes"]) == Exit.DONE
    capsys.readouterr()
    today = datetime.now(UTC).astimezone().date()
    near = {(today + timedelta(days=days)).isoformat() for days in (-1, 0, 1)}
    assert any(f"won_since: {day}" in path.read_text() for day in near)


def test_init_with_a_config_shows_fields_and_creates_them_only_when_told(
    syncjob_: Command, handle: Handle
) -> None:
    code, out, err = syncjob_("init")
    assert code == Exit.ISSUES
    assert "deal field 'Invoice status' (choice): its state" in out
    assert "--yes" in err
    assert handle.asked == [("init_fields", False)]
    code, out, _ = syncjob_("init", "--yes")
    assert code == Exit.DONE
    assert "created Invoice status" in out
    assert [name for name, _ in handle.asked] == [*["init_fields"] * 3, "check", "plan"]
    assert ("init_fields", True) in handle.asked
    assert "syncjob -c " in out and "plan --deal 1042" in out


def test_init_names_what_to_create_by_hand(syncjob_: Command, handle: Handle) -> None:
    handle.fields = FieldsReport(by_hand=("deal field 'Invoice status': the token is no admin's",))
    code, out, _ = syncjob_("init", "--yes")
    assert code == Exit.ISSUES
    assert "create by hand: deal field 'Invoice status'" in out
    assert handle.asked == [("init_fields", False)]


# --- check -----------------------------------------------------------------------------------


def test_check_names_each_problem_with_its_fix(syncjob_: Command, handle: Handle) -> None:
    assert syncjob_("check")[0] == Exit.DONE
    handle.problems = [
        Problem(where="invoices.account", what="there is no account 999", fix="use 200"),
        Problem(where="schedule", what="the clock is 3 s off", fix="use NTP", fatal=False),
    ]
    code, out, _ = syncjob_("check")
    assert code == Exit.CONFIG
    assert "config.yaml invoices.account: there is no account 999" in out
    assert "    fix: use 200" in out
    assert "config.yaml schedule: warning: the clock is 3 s off" in out
    handle.problems = handle.problems[1:]
    assert syncjob_("check")[0] == Exit.DONE
    assert json.loads(syncjob_("check", "--json")[1])[0]["fix"] == "use NTP"


# --- pause and resume ------------------------------------------------------------------------


def test_pause_says_what_why_and_until_when(syncjob_: Command, handle: Handle) -> None:
    code, out, _ = syncjob_("pause", "--only", "invoices", "--until", "2h", "--reason", "audit")
    assert code == Exit.DONE
    assert out.startswith("Paused: invoices until ")
    given = handle.asked[0][1]
    assert (given["only"], given["reason"]) == ("invoices", "audit")
    left = given["until"] - datetime.now(UTC)
    assert timedelta(minutes=115) < left <= timedelta(hours=2)
    syncjob_("pause", "--reason", "audit")
    assert handle.asked[1][1]["only"] == "all"
    assert handle.asked[1][1]["until"] is None


@pytest.mark.parametrize("until", ["2020-01-01", "soon", "2", "-1h"])
def test_pause_refuses_what_is_no_moment_to_come(
    syncjob_: Command, handle: Handle, until: str
) -> None:
    code, _, err = syncjob_("pause", "--reason", "x", f"--until={until}")
    assert code == Exit.CONFIG
    assert "--until" in err
    assert handle.asked == []


def test_resume_shows_the_plan_first_and_asks(syncjob_: Command, handle: Handle) -> None:
    code, out, _ = syncjob_("resume")
    assert code == Exit.PAUSED
    assert "Would create 1 draft" in out
    assert [name for name, _ in handle.asked] == ["plan"]
    code, out, _ = syncjob_("resume", "--yes", "--only", "status")
    assert code == Exit.DONE
    assert "Ended: status until `syncjob resume`: audit (maria" in out
    assert handle.asked[-1][1]["only"] == "status"


def test_resume_says_that_a_stop_file_still_stops(syncjob_: Command, handle: Handle) -> None:
    handle.stop_file = True
    code, out, _ = syncjob_("resume", "--yes")
    assert code == Exit.DONE
    assert "STOP beside the state still stops all writes" in out


# --- status ----------------------------------------------------------------------------------


def test_status_is_one_screen(syncjob_: Command, handle: Handle) -> None:
    code, out, _ = syncjob_("status")
    assert code == Exit.ISSUES
    for text in (
        "main, mode drafts_only",
        "Acme [Pty] Ltd, AU, AUD, UTC",
        "all until `syncjob resume`: audit [x] (maria",
        "Batch 7 done with issues: created 1 draft",
        "(2 h 0 min ago)",
        "830 known",
        "40 in the last 24 hours",
        "40 of 4,500 a day used (5,000 less 500 for others), 4,460 left; anew at ",
        "at this pace a day's 288 batches need about 610; what is left is enough",
        HELD.what,
    ):
        assert text in out
    assert len(out.splitlines()) < 40
    assert TOKEN not in out


def test_status_as_json(syncjob_: Command, handle: Handle) -> None:
    found = json.loads(syncjob_("status", "--json")[1])
    assert found["links"] == {"invoice": 830}
    assert found["last"]["rows"][0]["total"] == "1374.22"


# --- log -------------------------------------------------------------------------------------


def write_log(config_path: Path, *events: dict[str, object]) -> None:
    path = config_path.parent / "log" / "syncjob.log"
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"at": "2026-08-01T09:00:00.000001Z", "level": "info"} | e) for e in events]
    path.write_text("\n".join([*lines, '{"torn": ']))


def test_log_reviews_the_last_batches(syncjob_: Command, config_path: Path) -> None:
    write_log(
        config_path,
        {"event": "batch.started", "batch": 1},
        {"event": "batch.ended", "batch": 1, "result": "done", "counts": {}, "calls": {"xero": 3}},
        {"event": "batch.started", "batch": 2},
        {"event": "call.lost", "batch": 2, "level": "warning", "why": "timed out"},
        {"event": "intent.settled", "batch": 2, "target": "invoice:NW-1-A1"},
        {
            "event": "batch.ended", "batch": 2, "result": "issues", "issues": 2,
            "counts": {"invoice.create": 12}, "calls": {}, "stopped_by": "the day limit",
        },
        {"event": "batch.started", "batch": 3},
        {"event": "serve.started"},
    )  # fmt: skip
    code, out, _ = syncjob_("log")
    assert code == Exit.DONE
    first, second, lost, third = out.splitlines()
    assert "batch 1  done: nothing written; calls: xero 3" in first
    assert "batch 2  issues: created 12 drafts, 2 to look at; stopped: the day limit" in second
    assert 'call.lost  why="timed out"' in lost
    assert "batch 3  no end in the log" in third
    assert len(syncjob_("log", "-n", "1")[1].splitlines()) == 1
    details = syncjob_("log", "--batch", "2")[1]
    assert "intent.settled  target=invoice:NW-1-A1" in details
    assert "batch 1" not in details
    assert [one["batch"] for one in json.loads(syncjob_("log", "--json")[1])] == ["1", "2", "3"]


def test_log_reads_rotated_files_in_order(syncjob_: Command, config_path: Path) -> None:
    write_log(config_path, {"event": "batch.started", "batch": 3})
    log = config_path.parent / "log" / "syncjob.log"
    for number, batch in ((1, 2), (10, 1)):
        event = {"event": "batch.started", "batch": batch, "at": "2026-08-01T09:00:00Z"}
        Path(f"{log}.{number}").write_text(json.dumps(event) + "\n")
    batches = [one["batch"] for one in json.loads(syncjob_("log", "--json")[1])]
    assert batches == ["1", "2", "3"]


def test_no_log_yet(syncjob_: Command) -> None:
    code, out, err = syncjob_("log")
    assert (code, out) == (Exit.DONE, "")
    assert "has no batch yet" in err


# --- the frame -------------------------------------------------------------------------------


def test_help_is_quick_and_imports_little() -> None:
    program = (
        "import sys, syncjob.cli; code = syncjob.cli.run(['--help']);"
        "heavy = ('pydantic', 'rich', 'requests', 'sqlite_utils', 'xero_python', 'apscheduler',"
        " 'structlog', 'msgspec', 'yaml');"
        "sys.exit(code or ' '.join(m for m in heavy if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pause" in done.stdout
    assert "70 a bug" in " ".join(done.stdout.split())


def test_reading_the_log_loads_no_vendor_and_no_scheduler(config_path: Path) -> None:
    program = (
        f"import sys, syncjob.cli; syncjob.cli.run(['-c', {str(config_path)!r}, 'log']);"
        "heavy = ('xero_python', 'pipedrive', 'apscheduler', 'sqlite_utils');"
        "sys.exit(' '.join(m for m in heavy if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["run", "--nonsense"], ["log", "-n", "0"], ["pause"]]
)
def test_wrong_use_is_exit_code_2(syncjob_: Command, arguments: list[str]) -> None:
    code, out, err = syncjob_(*arguments)
    assert (code, out) == (Exit.CONFIG, "")
    assert "Usage: syncjob" in err


def test_python_dash_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syncjob", "--version"], capture_output=True, text=True
    )
    assert done.stdout.startswith("syncjob, version ")


def test_checks_and_plans_in_the_log_are_no_batches(syncjob_: Command, config_path: Path) -> None:
    write_log(
        config_path,
        {"event": "batch.started", "batch": 1},
        {"event": "issue.opened", "batch": 2},
        {"event": "batch.ended", "batch": 1, "result": "done"},
    )
    assert [one["batch"] for one in json.loads(syncjob_("log", "--json")[1])] == ["1"]
    assert "issue.opened" in syncjob_("log", "--batch", "2")[1]
