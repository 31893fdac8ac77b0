"""`plan` and `run` as a person or a cron job sees them."""

from __future__ import annotations

import json
import signal
from datetime import UTC, date, datetime

import pytest

from syncjob.errors import (
    AuthFailed,
    Exit,
    GuardTripped,
    Interrupted,
    LockHeld,
    Paused,
    StateError,
    Unreachable,
    WrongOrganisation,
)
from tests.cli.conftest import TOKEN, Command
from tests.cli.kit import Handle, batch_report


def test_plan_says_in_words_and_numbers_what_would_happen(
    syncjob_: Command, handle: Handle
) -> None:
    code, out, _ = syncjob_("plan", "--why")
    assert code == Exit.ISSUES
    assert "deal:1042 Spring order: create draft NW-1042-A1 of 374.22 AUD" in out
    assert "because won on 2026-07-30" in out
    assert "2 x Filter at 189 less 10%" in out
    assert "status: awaiting payment -> paid" in out
    assert "due:" not in out
    would = (
        "Would create 1 draft for 374.22 AUD, change 1 field of 1 deal, link 1 contact; skip 502 "
    )
    assert would + "(500 by rule, 1 held, 1 waiting)." in out
    assert out.index("New drafts (1)") < out.index("Deals brought up to date (1)")
    assert "500 not invoiced: won before invoices.won_since." in out
    assert "deal:1050 waits: its contact is created first" in out
    assert "next: Link one in the CRM." in out
    assert "tax: the account's default" in out
    assert "Plan febdc994595b. Nothing was written." in out


def test_plan_options_reach_the_engine(syncjob_: Command, handle: Handle) -> None:
    syncjob_("plan", "--deal", "1042", "--max-creates", "1", "--since", "2026-07-15")
    ((name, options),) = handle.asked
    assert name == "plan"
    assert (options.deal, options.max_creates, options.since) == ("1042", 1, date(2026, 7, 15))
    assert options.dry_run
    assert "@" in options.who


def test_a_plan_over_the_limit_names_the_hash_to_accept(syncjob_: Command, handle: Handle) -> None:
    import msgspec

    verdict = "12 creates, 5 are allowed in the first week"
    handle.plan_report = msgspec.structs.replace(handle.plan_report, guard=(verdict,))
    code, out, _ = syncjob_("plan")
    assert code == Exit.GUARD
    assert verdict in out
    assert "syncjob run --accept febdc994595b" in out


def test_run_ends_with_a_table_and_its_own_exit_code(syncjob_: Command, handle: Handle) -> None:
    code, out, _ = syncjob_("run", "--accept", "febdc994595b", "--max-creates", "3")
    assert code == Exit.ISSUES
    for text in ("1042", "Spring [order]", "Café Émile", "INV-0007", "1,374.22 AUD", "374.22 AUD"):
        assert text in out
    assert "created 1 draft, updated 2 deals; 1 held; calls: pipedrive 6, xero 4; 1 min 15 s" in out
    assert "\x1b" not in out
    options = handle.asked[0][1]
    assert (options.accept, options.max_creates, options.dry_run) == ("febdc994595b", 3, False)
    assert options.should_stop() is False


@pytest.mark.parametrize(
    ("report", "arguments", "silent"),
    [
        (batch_report(exit_code=0, result="done", rows=(), issues=(), counts={}), (), True),
        (batch_report(), ("-q",), True),
        (batch_report(exit_code=6, result="guard", stopped_by="too many"), ("-q",), False),
        (batch_report(exit_code=0, result="done", issues=()), (), False),
    ],
)
def test_cron_hears_only_what_matters(
    syncjob_: Command, handle: Handle, report: object, arguments: tuple[str, ...], silent: bool
) -> None:
    handle.batch = report  # type: ignore[assignment]
    code, out, err = syncjob_("run", *arguments)
    assert code == handle.batch.exit_code
    assert err == ""
    assert (out == "") is silent


def test_what_stopped_a_batch_and_when_it_goes_on(syncjob_: Command, handle: Handle) -> None:
    handle.batch = batch_report(
        exit_code=4,
        result="later",
        stopped_by="Xero's day limit is used up.",
        next_step="Nothing; it goes on by itself.",
        resume_at=datetime(2026, 8, 2, 0, 5, tzinfo=UTC),
    )
    code, out, _ = syncjob_("run")
    assert code == Exit.UNREACHABLE
    assert "Stopped: Xero's day limit is used up." in out
    assert "Next: Nothing; it goes on by itself." in out
    assert "Goes on at 2026-08-0" in out


@pytest.mark.parametrize("command", ["run", "plan"])
def test_json_is_all_that_is_printed(syncjob_: Command, handle: Handle, command: str) -> None:
    _, out, err = syncjob_(command, "--json")
    assert json.loads(out)["connection"] == "main"
    assert err == ""


def test_many_rows_are_cut_and_all_shows_them(syncjob_: Command, handle: Handle) -> None:
    import msgspec

    row = handle.batch.rows[0]
    rows = tuple(msgspec.structs.replace(row, deal_id=str(n)) for n in range(5000, 5100))
    handle.batch = batch_report(rows=rows)
    _, out, _ = syncjob_("run")
    assert "... and 60 more (--all shows them)" in out
    assert "5099" not in out
    _, out, _ = syncjob_("run", "--all")
    assert "5099" in out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AuthFailed("Refused.", where="crm.api_token", next_step="Mend it."), 3),
        (Unreachable("No connection.", next_step="Mend it."), 4),
        (LockHeld("Process 7 works on it.", next_step="Mend it."), 5),
        (GuardTripped("Too many.", plan_hash="ab", next_step="Mend it."), 6),
        (Paused("Maria paused it.", next_step="Mend it."), 7),
        (WrongOrganisation("Other books.", next_step="Mend it."), 8),
        (StateError("Disk full.", next_step="Mend it."), 9),
        (Interrupted("Stopped.", next_step="Mend it."), 1),
    ],
)
def test_each_error_is_a_message_and_an_exit_code(
    syncjob_: Command, handle: Handle, error: Exception, code: int
) -> None:
    handle.raises = error
    got, out, err = syncjob_("run")
    assert (got, out) == (code, "")
    assert getattr(error, "what", "?") in err
    assert err.endswith("Next: Mend it.\n")
    assert "Traceback" not in err


def test_a_bug_is_no_traceback_on_the_screen_and_no_secret_in_the_log(
    syncjob_: Command, handle: Handle, config_path: object
) -> None:
    handle.raises = ZeroDivisionError(f"with {TOKEN}")
    code, _, err = syncjob_("run")
    assert code == Exit.BUG
    assert "This is a bug of syncjob (ZeroDivisionError)" in err
    assert "Traceback" not in err
    assert handle.config is not None
    log = handle.config.resolve(handle.config.connection.log).read_text()
    assert "run.crashed" in log
    assert "ZeroDivisionError" in log
    assert TOKEN not in log


def test_sigterm_is_told_to_the_engine_between_calls(
    syncjob_: Command, handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(options: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        assert options.should_stop()  # type: ignore[attr-defined]
        raise Interrupted("Stopped as asked.", next_step="Run it again.")

    monkeypatch.setattr(handle, "run", stopped)
    before = signal.getsignal(signal.SIGTERM)
    code, _, err = syncjob_("run")
    assert code == Exit.ISSUES
    assert "Stopped as asked." in err
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_bad_config_sends_nothing(syncjob_: Command, handle: Handle, config_path: object) -> None:
    from pathlib import Path

    path = Path(str(config_path))
    path.write_text(path.read_text().replace("mode: drafts_only", "mode: all\nnonsense: 1"))
    code, out, err = syncjob_("run")
    assert (code, out) == (Exit.CONFIG, "")
    assert "mode: must be 'read_only', 'drafts_only' or 'full'" in err
    assert "nonsense: unknown key" in err
    assert handle.config is None
