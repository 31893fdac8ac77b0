"""Whatever somebody types into the CRM is text: no screen, page or file is steered by it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import syncjob.cli
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, sell

#: A window's title, a colour, a forged line, an eight-bit escape, a turned direction, tags, markup.
EVIL = (
    "Evil \x1b]0;owned\x07\x1b[31mred\nNext: run evil.sh\r\x9b31m \u202efdp.exe\u2066 "
    "</script><script>alert(1)</script><b>[link=http://evil]here[/]"
)
#: What steers a screen, or ends a line in another way than we do.
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
COMMANDS = (
    "why deal {deal}", "why Evil", "history deal {deal}", "issues --all", "issues resolve 1",
    "status", "handover", "plan --all --why", "undo 3 --plan --all",
    "cancel {deal} --reason x --plan",
    "pause --reason audit", "status", "handover", "check", "report", "reconcile --report-only",
    "why {evil}", "plan -o {folder}/p.json --html {folder}/p.html", "handover -o {folder}/h.md",
)  # fmt: skip
JSON = frozenset({"why", "history", "status", "plan", "undo", "cancel", "report", "reconcile"})


def test_names_that_steer_nothing(
    make_world: MakeWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    w = make_world(config={"connection": {"page": "report.html"}})
    deal = sell(w, f"{EVIL} Pty", title=EVIL)
    sell(w, f"{EVIL} Ltd", title=EVIL, lines=[])
    w.run()
    minutes(w, 5)
    monkeypatch.setattr("syncjob.engine.connection.open_connection", lambda _: w.connection())
    seen = 0
    for line in COMMANDS:
        words = [word.format(deal=deal, evil=EVIL, folder=w.folder) for word in line.split()]
        for more in ([], ["--json"] if words[0] in JSON and "-o" not in words else []):
            syncjob.cli.run(["-c", str(w.write_config()), *words, *more])
            said = capsys.readouterr()
            assert not STEERING.findall(said.out + said.err), line
            assert not re.search(r"^Next: run evil", said.out, re.M) or more or EVIL in words, line
            if more:
                seen += "owned" in str(json.loads(said.out))
    assert seen > 4, "the names were not shown at all"
    pages = [Path(w.folder, name).read_text() for name in ("report.html", "p.html", "h.md")]
    for page in pages:
        assert "owned" in page
        assert not STEERING.findall(page)
    assert not [page for page in pages[:2] if "<script" in page or "<b>[" in page]


def test_every_command_speaks_through_the_screen() -> None:
    folder = Path(syncjob.cli.__file__).parent
    found = {
        f"{file.name}: {line.strip()}"
        for file in folder.glob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"click\.s?echo\(|(?<![.\w])print\(", line) and file.name != "screen.py"
    }
    assert found == {"overdue.py: click.echo(overdue_csv(report), nl=False)"}
