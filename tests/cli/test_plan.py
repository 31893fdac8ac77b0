"""`plan -o`, `plan --html` and `apply` as a person types them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncjob import __version__
from syncjob.core.plan_file import read_plan
from syncjob.errors import Exit, GuardTripped, WrongPlan
from tests.cli.conftest import TOKEN, Command
from tests.cli.kit import Handle


@pytest.fixture
def plan_file(syncjob_: Command, handle: Handle, tmp_path: Path) -> Path:
    path = tmp_path / "plans" / "plan.json"
    code, out, _ = syncjob_("plan", "-o", str(path))
    assert code == Exit.ISSUES
    assert f"To do exactly that: syncjob apply {path}\n" in out
    handle.asked.clear()
    return path


def test_a_plan_is_written_whole_private_and_without_secrets(
    plan_file: Path, handle: Handle
) -> None:
    assert stat.S_IMODE(plan_file.stat().st_mode) == 0o600
    assert [p.name for p in plan_file.parent.iterdir()] == ["plan.json"]
    text = plan_file.read_text()
    assert read_plan(text, "plan.json", __version__).plan == handle.plan_report
    assert TOKEN not in text


def test_a_plan_over_the_guard_says_how_it_is_applied(
    syncjob_: Command, handle: Handle, tmp_path: Path
) -> None:
    handle.plan_report = msgspec.structs.replace(handle.plan_report, guard=("12 creates.",))
    path = tmp_path / "plan.json"
    path.write_text("an older one")
    code, out, _ = syncjob_("plan", "-o", str(path))
    assert code == Exit.GUARD
    assert f"syncjob apply {path} --accept febdc994595b" in out
    assert read_plan(path.read_text(), "plan.json", __version__).plan.guard == ("12 creates.",)


def test_what_belongs_together_is_in_the_plan(syncjob_: Command, handle: Handle) -> None:
    _, out, _ = syncjob_("plan")
    assert "contact:org:7 Oak belongs to l7 of the ledger, because it bears our key" in out
    assert "change 1 field of 1 deal, link 1 contact; skip 502" in out


def test_the_page_is_written_beside_it(syncjob_: Command, handle: Handle, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    _, out, _ = syncjob_("plan", "--html", str(page))
    assert f"The page: {page}" in out
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "create draft NW-1042-A1" in page.read_text()


def test_json_holds_the_whole_plan_while_files_are_written(
    syncjob_: Command, handle: Handle, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    _, out, err = syncjob_("plan", "--json", "-o", str(path))
    assert json.loads(out) == json.loads(path.read_text())["plan"]
    assert err == ""


def test_a_file_that_cannot_be_written_says_so(
    syncjob_: Command, handle: Handle, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    code, _, err = syncjob_("plan", "-o", str(tmp_path / "file" / "plan.json"))
    assert code == Exit.CONFIG
    assert "The file cannot be written" in err


def test_apply_says_what_became_of_each_write(
    syncjob_: Command, handle: Handle, plan_file: Path
) -> None:
    code, out, _ = syncjob_("apply", str(plan_file), "--reason", "month end")
    assert code == Exit.ISSUES
    ((name, (file, path, options)),) = handle.asked
    assert (name, path, file.plan.hash) == ("apply", str(plan_file), "febdc994595b")
    assert (options.reason, options.accept, options.dry_run) == ("month end", None, False)
    assert "@" in options.who
    assert "deal:1041: write 2 fields of the deal\n    skipped, because it changed" in out
    assert "status: planned awaiting payment -> paid, would be part-paid now" in out
    dated = "NW-1042-A1 is dated 2026-08-02 instead of 2026-08-01, due 2026-09-01 instead of"
    assert dated in out
    assert "Plan febdc994595b, 2 writes: 1 done as shown, 1 skipped, because it changed." in out
    assert (
        "The next batch decides on what was skipped and 2 writes that the plan does not hold:"
        in out
    )


def test_apply_prints_json_and_nothing_else(
    syncjob_: Command, handle: Handle, plan_file: Path
) -> None:
    _, out, err = syncjob_("apply", str(plan_file), "--json", "--accept", "febdc994595b")
    said = json.loads(out)
    assert [item["fate"] for item in said["items"]] == ["done", "changed"]
    assert said["counts"] == {"done": 1, "changed": 1}
    assert err == ""


@pytest.mark.parametrize("content", ["", "{}", "nonsense", b"\xff\xfe\x00"])
def test_what_is_no_plan_is_refused_before_the_connection_is_opened(
    syncjob_: Command, handle: Handle, tmp_path: Path, content: Any
) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = syncjob_("apply", str(path))
    assert (code, out, handle.asked) == (Exit.PLAN_FILE, "", [])
    assert str(path) in err
    assert "Next: Make a new one with `syncjob plan -o FILE`." in err


def test_a_plan_that_is_not_there(syncjob_: Command, handle: Handle, tmp_path: Path) -> None:
    code, _, err = syncjob_("apply", str(tmp_path / "no.json"))
    assert code == Exit.CONFIG
    assert "The plan cannot be read (No such file or directory)." in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WrongPlan("It is another connection's.", next_step="Mend it."), Exit.PLAN_FILE),
        (GuardTripped("Too many.", plan_hash="ab", next_step="Mend it."), Exit.GUARD),
    ],
)
def test_a_refusal_is_a_message_and_an_exit_code(
    syncjob_: Command, handle: Handle, plan_file: Path, error: Exception, code: int
) -> None:
    handle.raises = error
    got, out, err = syncjob_("apply", str(plan_file))
    assert (got, out) == (code, "")
    assert err.endswith("Next: Mend it.\n")
