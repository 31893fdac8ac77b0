"""`overdue` and `mute` on the command line: a table, CSV, JSON, nothing, and names that attack."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncjob.core.aging import NO_OWNER, Overdue, overdue_report
from syncjob.errors import Exit, Park
from tests.cli.conftest import Command
from tests.cli.kit import Handle

TODAY = date(2026, 12, 31)


def row(**changes: Any) -> Overdue:
    base: dict[str, Any] = {
        "deal_id": "1042", "title": "Spring order", "owner": "Ann Lee", "customer": "Acme Pty",
        "number": "INV-0001", "currency": "AUD", "total": Decimal("110"), "due": Decimal("70"),
        "due_date": date(2026, 12, 23), "days": 8,
        "invoice_page": "https://go.xero.com/i1", "deal_page": "https://acme.pipedrive.com/deal/1042",
    }  # fmt: skip
    return Overdue(**(base | changes))


@pytest.fixture
def rows(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> list[Overdue]:
    """What is overdue: empty until a test fills it."""
    found: list[Overdue] = []

    def report(self: Handle) -> Any:
        self._note("overdue", None)
        return overdue_report("main", TODAY, found)

    monkeypatch.setattr(Handle, "overdue", report, raising=False)
    return found


@pytest.fixture
def answers(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a person decided."""
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(Handle, "answer", lambda _, **answer: given.append(answer), raising=False)
    return given


def test_a_table_by_age_and_the_sums_by_owner(syncjob_: Command, rows: list[Overdue]) -> None:
    rows += [
        row(),
        row(number="INV-0002", due=Decimal("1100"), days=45, due_date=date(2026, 11, 16)),
        row(number="INV-0003", owner=NO_OWNER, days=100, due=Decimal("5.5"), currency="NZD"),
    ]
    code, out, err = syncjob_("overdue")
    assert (code, err) == (Exit.DONE, "")
    lines = out.splitlines()
    places = [next(n for n, line in enumerate(lines) if f"INV-000{i}" in line) for i in (3, 2, 1)]
    assert places == sorted(places)  # the oldest first
    ann = next(line for line in lines if line.startswith("Ann Lee"))
    assert ann.split()[2:] == ["2", "70.00", "1,100.00", "0.00", "0.00", "1,170.00", "AUD"]
    nobody = next(line for line in lines if line.startswith(NO_OWNER) and "NZD" in line)
    assert nobody.split()[-3:] == ["5.50", "5.50", "NZD"]


def test_nothing_is_overdue(syncjob_: Command, rows: list[Overdue]) -> None:
    code, out, _ = syncjob_("overdue")
    assert (code, out) == (Exit.DONE, "Nothing is overdue on 2026-12-31.\n")
    code, out, _ = syncjob_("overdue", "--csv")
    assert (code, len(out.splitlines())) == (Exit.DONE, 1)
    code, out, _ = syncjob_("overdue", "--json")
    assert json.loads(out).get("rows", []) == []


def test_csv_that_a_spreadsheet_adds_up(syncjob_: Command, rows: list[Overdue]) -> None:
    rows += [row(due=Decimal("1234567.8")), row(number="INV-0002", muted=True)]
    code, out, _ = syncjob_("overdue", "--csv")
    assert code == Exit.DONE
    first, second = csv.DictReader(io.StringIO(out))
    assert (first["invoice"], first["due"], first["total"]) == ("INV-0001", "1234567.80", "110.00")
    assert (first["days"], first["due_date"], first["deal"]) == ("8", "2026-12-23", "1042")
    assert first["invoice_link"] == "https://go.xero.com/i1"
    assert (first["muted"], second["muted"]) == ("", "yes")


def test_json_with_amounts_as_text(syncjob_: Command, rows: list[Overdue]) -> None:
    rows.append(row())
    code, out, _ = syncjob_("overdue", "--json")
    told = json.loads(out)
    assert code == Exit.DONE
    assert (told["connection"], told["today"]) == ("main", "2026-12-31")
    assert (told["rows"][0]["due"], told["rows"][0]["days"]) == ("70", 8)
    assert told["owners"][0]["due"] == ["70", "0", "0", "0"]


def test_muted_ones_are_listed_and_marked(syncjob_: Command, rows: list[Overdue]) -> None:
    rows.append(row(muted=True))
    _, out, _ = syncjob_("overdue")
    assert "INV-0001 (muted)" in out
    _, out, _ = syncjob_("overdue", "--json")
    assert json.loads(out)["rows"][0]["muted"] is True


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "[red]Acme[/red]", 'a"b, c']
)
def test_names_that_attack_are_only_names(
    syncjob_: Command, rows: list[Overdue], name: str
) -> None:
    rows.append(row(customer=name, owner=name))
    _, out, _ = syncjob_("overdue", "--csv")
    (told,) = csv.DictReader(io.StringIO(out))
    assert told["customer"].lstrip("'") == name
    assert told["customer"][0] not in "=+-@"
    _, out, _ = syncjob_("overdue")
    assert name in out


def test_before_the_first_batch(syncjob_: Command, handle: Handle, rows: list[Overdue]) -> None:
    handle.raises = Park("No batch has read the ledger yet.", next_step="Run `syncjob run` first.")
    code, out, err = syncjob_("overdue")
    assert code != Exit.DONE
    assert out == ""
    assert "syncjob run" in err


# --- mute ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (["1042"], "mute:", "nobody is reminded of deal 1042."),
        (["deal:1042"], "mute:", "nobody is reminded of deal 1042."),
        (["1042", "--until", "2027-01-31"], "mute:2027-01-31", "until 2027-01-31"),
        (["1042", "--off"], "unmute", "reminded of deal 1042 again"),
    ],
)
def test_a_deal_is_muted_and_heard_again(
    syncjob_: Command, answers: list[dict[str, Any]], given: list[str], kind: str, said: str
) -> None:
    code, out, _ = syncjob_("mute", *given, "--reason", "disputed")
    assert code == Exit.DONE
    assert said in out
    (answer,) = answers
    assert (answer["kind"], answer["subject"]) == (kind, "deal:1042")
    assert answer["reason"] == "disputed"
    assert answer["who"]


@pytest.mark.parametrize(
    "wrong",
    [["1042", "--until", "2027-01-31", "--off"], ["1042", "--until", "31.1.2027"], []],
)
def test_what_mute_does_not_take(
    syncjob_: Command, answers: list[dict[str, Any]], wrong: list[str]
) -> None:
    code, _, err = syncjob_("mute", *wrong)
    assert code not in (Exit.DONE, None)
    assert err
    assert answers == []
