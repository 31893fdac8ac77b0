"""credit and link on the command line: shown first, asked, made; nobody to ask makes nothing."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncjob.cli import credit as command
from syncjob.core.records import InvoiceLine
from syncjob.core.rules.credit import Wish
from syncjob.engine.crediting import CreditReport
from syncjob.errors import Exit, LockHeld, Park
from tests.cli.conftest import Command
from tests.cli.kit import Handle

LINE = InvoiceLine(
    description="Credit of INV-7 (broken): Widget",
    quantity=Decimal(1),
    unit_price=Decimal("100.00"),
    account="200",
    tax_code="OUTPUT",
)
SEEN = CreditReport(
    deal="1042",
    invoice="INV-7",
    currency="AUD",
    total=Decimal("110.00"),
    date=date(2026, 8, 1),
    reference="INV-7 NW-1042-c1",
    lines=(LINE,),
)


class Crediting(Handle):
    """A connection that credits by script."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: list[dict[str, Any]] = []
        self.held = 0
        self.known = False
        self.doubts: list[str] = []

    def credit(self, deal: str, wish: Wish, **given: Any) -> CreditReport:
        if self.held:
            self.held -= 1
            raise LockHeld("syncjob 7 on books is working on this connection.")
        self.asked_for.append({"deal": deal, "wish": wish, **given})
        self._note("credit", deal)
        more: dict[str, Any] = {"known": True, "number": "CN-1"} if self.known else {}
        if given["write"]:
            more = {"created": True, "number": "CN-2", "page": "https://books/cn2"}
        return CreditReport(**{**{f: getattr(SEEN, f) for f in SEEN.__struct_fields__}, **more})

    def link_doubts(self, deal: str, number: str) -> list[str]:
        return self.doubts

    def answer(self, **given: Any) -> None:
        self._note("answer", given)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Crediting:
    scripted = Crediting()
    monkeypatch.setattr("syncjob.engine.connection.open_connection", scripted.open)
    return scripted


CREDIT = ("credit", "1042", "--full", "--reason", "broken")


def test_it_is_shown_first_and_made_with_yes(syncjob_: Command, handle: Crediting) -> None:
    code, out, _ = syncjob_(*CREDIT, "--yes")
    assert code == Exit.DONE
    assert "110.00 AUD of INV-7 would be credited, dated 2026-08-01:" in out
    assert "Widget: 1 x 100 (account 200, tax OUTPUT)" in out
    assert "The credit note CN-2 is a draft (https://books/cn2)." in out
    shown, made = handle.asked_for
    assert (shown["write"], made["write"]) == (False, True)
    assert made["expect"] == Decimal("110.00")
    assert made["wish"] == Wish(how="full", reason="broken")


def test_nobody_to_ask_makes_nothing(syncjob_: Command, handle: Crediting) -> None:
    code, _, err = syncjob_(*CREDIT)
    assert code == Exit.DONE
    assert "Nothing was made." in err
    assert [asked["write"] for asked in handle.asked_for] == [False]


def test_a_dry_run_only_shows(syncjob_: Command, handle: Crediting) -> None:
    assert syncjob_(*CREDIT, "--dry-run", "--yes")[0] == Exit.DONE
    assert [asked["write"] for asked in handle.asked_for] == [False]


def test_what_was_made_before_is_said_and_not_made_again(
    syncjob_: Command, handle: Crediting
) -> None:
    handle.known = True
    code, out, _ = syncjob_(*CREDIT, "--yes")
    assert code == Exit.DONE
    assert "was credited already by CN-1" in out
    assert "--again" in out
    assert [asked["write"] for asked in handle.asked_for] == [False]


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        (("--amount", "1,012.50"), Wish(how="amount", amount=Decimal("1012.50"), reason="r")),
        (("--lines", "1,3"), Wish(how="lines", lines=(1, 3), reason="r")),
        (("--full", "--again"), Wish(how="full", reason="r", again=True)),
    ],
)
def test_what_is_asked_for(
    syncjob_: Command, handle: Crediting, given: tuple[str, ...], wish: Wish
) -> None:
    syncjob_("credit", "deal:1042", *given, "--reason", "r", "--part", "B", "--dry-run")
    assert handle.asked_for[0]["wish"] == wish
    assert (handle.asked_for[0]["deal"], handle.asked_for[0]["part"]) == ("1042", "B")


@pytest.mark.parametrize(
    "given",
    [(), ("--full", "--amount", "5"), ("--amount", "-5"), ("--amount", "x"), ("--lines", "a")],
)
def test_one_of_three_and_a_reason(
    syncjob_: Command, handle: Crediting, given: tuple[str, ...]
) -> None:
    assert syncjob_("credit", "1042", *given, "--reason", "r")[0] == Exit.CONFIG
    assert syncjob_("credit", "1042", "--full")[0] == Exit.CONFIG
    assert handle.asked_for == []


def test_it_waits_for_a_batch_with_one_message(
    syncjob_: Command, handle: Crediting, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(command.SystemClock, "sleep", lambda _, seconds: slept.append(seconds))
    handle.held = 3
    code, _, err = syncjob_(*CREDIT, "--yes")
    assert code == Exit.DONE
    assert err.count("Waiting: syncjob 7 on books") == 1
    assert slept == [command.WAIT_SECONDS] * 3


def test_a_refusal_has_its_words(syncjob_: Command, handle: Crediting) -> None:
    handle.raises = Park("INV-7 is draft.", next_step="Edit it in the ledger.")
    code, _, err = syncjob_(*CREDIT, "--yes")
    assert code == Exit.ISSUES
    assert "INV-7 is draft." in err
    assert "Edit it in the ledger." in err


def test_json(syncjob_: Command, handle: Crediting) -> None:
    _, out, _ = syncjob_(*CREDIT, "--yes", "--json")
    assert json.loads(out)["number"] == "CN-2"


# --- link ----------------------------------------------------------------------------------------


def test_an_invoice_is_linked(syncjob_: Command, handle: Crediting) -> None:
    code, out, _ = syncjob_("link", "1042", "INV-9", "--reason", "by hand")
    assert code == Exit.DONE
    assert "the deal 1042 is invoiced by INV-9" in out
    (asked,) = [given for name, given in handle.asked if name == "answer"]
    assert (asked["kind"], asked["subject"], asked["part"]) == ("link:INV-9", "deal:1042", None)


def test_a_doubt_needs_a_person(syncjob_: Command, handle: Crediting) -> None:
    handle.doubts = ["The invoice bills Bolt Ltd, the deal's customer is Acme."]
    code, _, err = syncjob_("link", "1042", "INV-9")
    assert code == Exit.ISSUES
    assert "bills Bolt Ltd" in err
    assert [name for name, _ in handle.asked] == []
    assert syncjob_("link", "1042", "INV-9", "--yes")[0] == Exit.DONE
    assert [name for name, _ in handle.asked] == ["answer"]
