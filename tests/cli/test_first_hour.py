"""A newcomer's first hour, by the real commands and by nothing but what they print.

Three mistakes are made on the way (a token, a stage, an account), and each is mended by what the
message says; then one deal is tried, a plan is made, applied and followed to its payment.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncjob.clock import SystemClock
from syncjob.errors import Exit
from tests.cli.newcomer import PATIENCE_S, Desk

ROOT = Path(__file__).parents[2]
VARIABLES = {"pipedrive": "PIPEDRIVE_API_TOKEN", "hubspot": "HUBSPOT_ACCESS_TOKEN"}
#: A stage in which deals of the sample firm were won, with a typing error.
STAGES = {
    "pipedrive": ("Enquiry", "Enqiry"),
    "hubspot": ("Closed won", "Closed one"),
}


@pytest.fixture(params=["pipedrive", "hubspot"])
def desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Desk]:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    made = Desk(request.param, lambda: tuple(capsys.readouterr()))
    # An hour passes on this machine as it does at the vendors.
    monkeypatch.setattr(SystemClock, "now", lambda _: made.time.now())
    yield made
    made.box.stop()


def offered(pattern: str, text: str) -> str:
    """What a message tells to type or to write."""
    found = re.search(pattern, text)
    assert found, f"{pattern!r} is not in:\n{text}"
    return found[1]


def test_the_first_hour(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = VARIABLES[desk.crm]
    right_stage, wrong_stage = STAGES[desk.crm]
    for name in VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XERO_CLIENT_ID", "sandbox-custom")
    monkeypatch.setenv("XERO_CLIENT_SECRET", "sandbox-secret")

    # The first mistake: a token that is not the account's. It is said at once; a config is there.
    monkeypatch.setenv(variable, "sandbox-tokn")
    start = f"syncjob init -y --crm {desk.crm} --sandbox {desk.base} --won-since 2026-01-01"
    said = desk.types(start, Exit.ISSUES)
    assert "refuses the token" in said
    assert "Xero opens the books of Sandbox Company" in said
    again = offered(r"`(syncjob init)` again", said)

    # The second and the third: a stage and an account that are not there.
    desk.edits("stages: []", f"stages: [{wrong_stage}]")
    desk.edits('account: "200"', 'account: "2000"')
    said = desk.types("syncjob check", Exit.CONFIG)
    key = offered(r"Check (crm\.\w+)", said)
    assert f'  {key.partition(".")[2]}: "${{{variable}}}"' in desk.config.read_text()
    monkeypatch.setenv(variable, "sandbox-token")
    said = desk.types("syncjob check", Exit.CONFIG)
    names = offered(rf'no stage "{wrong_stage}"; it has: (.*)\.\n', said).split(", ")
    nearest = difflib.get_close_matches(wrong_stage, names, n=1)
    assert nearest == [right_stage]
    desk.edits(f"[{wrong_stage}]", f"[{nearest[0]}]")
    desk.edits('"2000"', f'"{offered(r"one of its revenue accounts: .*?(200) Sales", said)}"')
    assert "invoices.account" in said
    assert offered(r"Let `(syncjob init)` create it", said) == again
    said = desk.types(again, Exit.ISSUES)
    assert "deal field 'Invoice status'" in said
    said = desk.types(f"{again} {offered(r'repeat with (--yes)', said)}")
    assert said.count("fix:") == 1 and "notices.operator.heartbeat: warning" in said
    deal = offered(r"syncjob plan --deal (\d+)", said)
    assert "nothing is created before" in said

    # What is there already; then one deal, once the new state's first quarter of an hour is over.
    assert "0 contacts of the ledger compared" in desk.types("syncjob match")
    said = desk.types(offered(rf"(syncjob plan --deal {deal}) ", desk.types("syncjob init --yes")))
    assert "create draft" in said and not desk.invoices()
    desk.types(f"syncjob run --deal {deal}")
    assert not desk.invoices()
    desk.time.advance(PATIENCE_S)
    assert "created 1 draft" in desk.types(f"syncjob run --deal {deal}")
    assert [i["status"] for i in desk.invoices()] == ["DRAFT"]

    # The rest as a plan, and exactly that plan.
    said = desk.types("syncjob plan -o plan.json", Exit.GUARD)
    said = desk.types(
        offered(r"To do exactly that: (syncjob apply \S+ --accept \w+)", said), Exit.ISSUES
    )
    made = len(desk.invoices())
    assert made > 5 and f"created {made - 1} drafts" in said
    desk.types("syncjob run", Exit.ISSUES)  # two deals wait for a person
    assert len(desk.invoices()) == made

    # The bookkeeper approves one, its customer pays; the deal knows, and says why.
    first = desk.invoices()[0]
    desk.xero.people("approve", {"invoice": first["id"]})
    desk.time.advance(PATIENCE_S)
    desk.xero.people("pay", {"invoice": first["id"], "amount": first["total"]})
    desk.time.advance(PATIENCE_S)
    desk.types("syncjob run", Exit.ISSUES)
    said = desk.types(f"syncjob why deal {deal}")
    assert "is paid" in said and "Next:" in said
    assert "create draft" in desk.types(f"syncjob history deal {deal}")

    # What needs a person, the page, what is left behind for others.
    assert "no_customer" in desk.types("syncjob issues", Exit.ISSUES)
    assert "report.html" in desk.types("syncjob report")
    assert Path("report.html").stat().st_size > 1000
    handover = desk.types("syncjob handover")
    assert "Sandbox Company" in handover and "sandbox-secret" not in handover
    assert "sandbox-token" not in handover
    said = desk.types("syncjob backup")
    assert [one for one in Path("backups").iterdir() if one.name in said], said
    assert "All is well, and 2 things wait" in desk.types("syncjob status", Exit.ISSUES)
    assert "batch" in desk.types("syncjob log")

    # The lines that let it run by itself name what was just used.
    for line in scheduled():
        desk.types(f"syncjob {line}", Exit.DONE, Exit.ISSUES)


def scheduled() -> Iterator[str]:
    """What the crontab and the timer's unit call, with the config of this folder."""
    text = (ROOT / "crontab.example").read_text() + (ROOT / "deploy/syncjob.service").read_text()
    yield from re.findall(r"/\S+/syncjob -c \S+ (\w.*)$", text, flags=re.M)
