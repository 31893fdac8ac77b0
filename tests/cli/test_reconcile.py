"""`reconcile` on the command line: counts first, then each finding with its next step."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.reconcile import Finding, Numbers, ReconcileOptions, ReconcileReport
from syncjob.errors import Exit
from tests.cli.conftest import Command
from tests.cli.kit import NOW, Handle

PAID = Finding(
    kind="payment", subject="invoice:i1", deal="1042", mends="next_batch",
    what="The ledger's invoice INV-0007 says otherwise than was known: paid.",
    next_step="Nothing: the next batch does it.", pages=("https://go.xero.com/i1",),
)  # fmt: skip
AMOUNT = Finding(
    kind="amount", subject="deal:1043", deal="1043", mends="person",
    what="In AUD, the deal says 110.00 gross, the invoice 7.70.",
    next_step="Compare them.",
    pages=("https://acme.pipedrive.com/deal/1043", "https://go.xero.com/i2"),
)  # fmt: skip
CLEARED = Finding(
    kind="marker", subject="deal:1044", deal="1044", mends="nobody",
    what="The reference bears our marker no more.", next_step="Nothing.",
)  # fmt: skip


def report(*findings: Finding, **more: Any) -> ReconcileReport:
    given: dict[str, Any] = {
        "connection": "main", "started": NOW, "ended": NOW + timedelta(seconds=4),
        "findings": findings, "read": {"crm deals": 1_200, "ledger invoices": 830},
        "compared": 840, "explained": {"won_before_start": 12}, "waiting": 1,
        "numbers": (Numbers(first="INV-0001", last="INV-0840", missing_count=1,
                            missing=("INV-0042",), dead_count=0),),
        "calls": {"xero": 2, "pipedrive": 6}, "titles": {"deal:1043": "Spring [order]"},
    }  # fmt: skip
    return ReconcileReport(**(given | more))


@pytest.fixture
def answer(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> list[ReconcileReport]:
    """What is answered; and after the command, what was asked for, at `asked`."""
    answers = [report(PAID, AMOUNT, CLEARED)]

    def reconcile(self: Handle, options: ReconcileOptions) -> ReconcileReport:
        asked.append(options)
        return answers[-1]

    monkeypatch.setattr(Handle, "reconcile", reconcile, raising=False)
    monkeypatch.setattr(Handle, "last_reconcile", lambda _: answers[-1], raising=False)
    asked.clear()
    return answers


asked: list[ReconcileOptions] = []


def test_counts_then_findings(syncjob_: Command, answer: list[ReconcileReport]) -> None:
    code, out, err = syncjob_("reconcile")
    assert (code, err) == (Exit.ISSUES, "")
    lines = out.splitlines()
    assert lines[0].split() == ["found", "all", "next", "batch", "person", "known", "harmless"]
    assert lines[1].split()[-2:] == ["1", "1"]
    assert "amounts that differ" in lines[1]
    where = next(n for n, line in enumerate(lines) if "deal:1043 Spring [order]: In AUD" in line)
    assert lines[where + 1].strip() == "next: Compare them."
    assert lines[where + 3].strip() == "https://go.xero.com/i2"
    assert "deal:1042: The ledger's invoice" in out
    assert "Left alone, as a rule or an open issue says: 12 won before start." in out
    assert "1 deal waits for the next batch." in out
    assert "Invoice numbers INV-0001 to INV-0840: 1 (INV-0042) missing." in out
    assert lines[-1] == (
        "Reconciled: 2,030 records read, 840 deals compared, 2 found; calls: pipedrive 6, xero 2; "
        "4.0 s."
    )
    assert (asked[0].repair, asked[0].since) == (True, None)


def test_nothing_found_ends_well(syncjob_: Command, answer: list[ReconcileReport]) -> None:
    answer.append(report(CLEARED))
    assert syncjob_("reconcile", "--report-only", "--since", "2026-07-01")[0] == Exit.DONE
    assert (asked[0].repair, str(asked[0].since)) == (False, "2026-07-01")


def test_one_that_was_stopped_says_when_it_goes_on(
    syncjob_: Command, answer: list[ReconcileReport]
) -> None:
    answer.append(
        report(complete=False, stopped_by="The share is used up.",
               next_step="It goes on by itself.", resume_at=NOW + timedelta(hours=5))
    )  # fmt: skip
    code, out, _ = syncjob_("reconcile")
    assert code == Exit.UNREACHABLE
    assert "Stopped: The share is used up." in out
    assert "Next: It goes on by itself." in out
    assert "Goes on at 2026-08-01" in out
    assert "Reconciled in part" in out


def test_json_on_stdout_and_in_a_file(
    syncjob_: Command, answer: list[ReconcileReport], tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    code, out, _ = syncjob_("reconcile", "--json", "-o", str(path))
    assert code == Exit.ISSUES
    assert json.loads(out) == json.loads(path.read_text())
    assert [f["kind"] for f in json.loads(out)["findings"]] == ["payment", "amount", "marker"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert syncjob_("reconcile", "-o", str(path))[0] == Exit.ISSUES  # over the older one
    code, _, err = syncjob_("reconcile", "-o", str(path / "folder.json"))
    assert code == Exit.STATE
    assert "folder.json" in err


def test_the_last_one_without_a_call(syncjob_: Command, answer: list[ReconcileReport]) -> None:
    code, out, _ = syncjob_("reconcile", "--last")
    assert code == Exit.ISSUES
    assert not asked
    assert "payments that were not seen" in out
    assert syncjob_("reconcile", "--last", "--report-only")[0] == 2


def test_many_of_a_kind_are_counted(syncjob_: Command, answer: list[ReconcileReport]) -> None:
    import msgspec

    many = [msgspec.structs.replace(AMOUNT, subject=f"deal:{n}", deal=str(n)) for n in range(30)]
    answer.append(report(*many))
    _, out, _ = syncjob_("reconcile")
    assert "... and 10 more (--all shows them)" in out
    _, out, _ = syncjob_("reconcile", "--all")
    assert "deal:29" in out
