"""undo and cancel on the command line: shown first, asked, done; nobody to ask does nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from syncjob.core.cancelling import CancelReport, Paper
from syncjob.core.undoing import Item, UndoReport
from syncjob.engine.undoing import Asked
from syncjob.errors import Exit, GuardTripped
from tests.cli.conftest import Command
from tests.cli.kit import Handle

PHONES = Item(
    side="ledger", target="contact:c1", subject="contact:org:12", fate="undo", field="phones",
    before="(02) 9999 1111", after="(02) 9999 2222", now="(02) 9999 2222", title="Acme Pty",
)  # fmt: skip
MAIL = Item(
    side="crm", target="contact:person:7", subject="contact:org:12", fate="touched",
    field="email", before="old@acme.example", after="new@acme.example", now="mine@acme.example",
    why="somebody has changed it since", title="Acme Pty",
)  # fmt: skip
DRAFT = Item(
    side="ledger", target="invoice:NW-1-A1", subject="deal:1", fate="cannot",
    after="invoice.create", why="an invoice is taken back by a command of its own",
    next_step="`syncjob cancel 1 --reason ...`", title="Spring order",
)  # fmt: skip
SEEN = UndoReport(undoes=12, items=(PHONES, MAIL, DRAFT), hash="abc123")
PAPER = Paper(
    kind="invoice", marker="NW-1-A1", id="i1", name="INV-7", status="draft", fate="delete",
    total=Decimal("1110.00"), currency="AUD",
)  # fmt: skip


class Taking(Handle):
    """A connection that takes back by script."""

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.paper = SEEN, PAPER
        self.tripped = False
        self.asked: list[tuple[Any, bool]] = []

    def undo(self, asked: Asked, *, write: bool, who: str) -> UndoReport:
        self.asked.append((asked, write))
        if write and self.tripped:
            raise GuardTripped("Nothing was undone: too much.", plan_hash="abc123",
                               next_step="Look at it.")  # fmt: skip
        return msgspec.structs.replace(self.seen, written=write, batch=14 if write else 0)

    def cancel(self, deal: str, *, reason: str, write: bool, who: str) -> CancelReport:
        self.asked.append(((deal, reason), write))
        return CancelReport(deal=deal, title="Spring order", papers=(self.paper,), written=write)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Taking:
    scripted = Taking()
    monkeypatch.setattr("syncjob.engine.connection.open_connection", scripted.open)
    return scripted


def test_an_undo_is_shown_and_then_does_what_was_shown(syncjob_: Command, handle: Taking) -> None:
    code, out, _ = syncjob_("undo", "12", "--yes", "--reason", "a mistake")
    assert code == Exit.DONE
    assert "Acme Pty (org:12) in the ledger: phones (02) 9999 2222 -> (02) 9999 1111" in out
    assert "is mine@acme.example; the batch wrote new@acme.example" in out
    assert "next: `syncjob cancel 1 --reason ...`" in out
    assert "Batch 12: 1 value would be put back, 1 changed since and left alone" in out
    assert "`syncjob undo 14` would take this back again." in out
    (shown, first), (meant, second) = handle.asked
    assert (first, second) == (False, True)
    assert (shown.expect, meant.expect, meant.reason) == (None, "abc123", "a mistake")


@pytest.mark.parametrize("more", [(), ("--plan", "--yes")])
def test_nobody_to_ask_and_a_plan_write_nothing(
    syncjob_: Command, handle: Taking, more: tuple[str, ...]
) -> None:
    code, out, _ = syncjob_("undo", "12", *more)
    assert (code, "To be put back:" in out) == (Exit.DONE, True)
    assert [write for _, write in handle.asked] == [False]


def test_with_nothing_to_put_back_nobody_is_asked(syncjob_: Command, handle: Taking) -> None:
    handle.seen = UndoReport(undoes=12, items=(DRAFT,))
    code, out, _ = syncjob_("undo", "12", "--yes")
    assert (code, "0 values would be put back" in out) == (Exit.DONE, True)
    assert [write for _, write in handle.asked] == [False]


def test_of_one_deal_or_one_customer(syncjob_: Command, handle: Taking) -> None:
    syncjob_("undo", "12", "--plan", "--deal", "1042")
    syncjob_("undo", "12", "--plan", "--contact", "org:12")
    assert [asked.subject for asked, _ in handle.asked] == ["deal:1042", "contact:org:12"]
    assert syncjob_("undo", "12", "--deal", "1", "--contact", "org:2")[0] == Exit.CONFIG


def test_a_large_one_is_stopped_and_released_by_its_hash(syncjob_: Command, handle: Taking) -> None:
    handle.tripped = True
    code, _, err = syncjob_("undo", "12", "--yes")
    assert (code, "too much" in err) == (Exit.GUARD, True)
    handle.tripped = False
    assert syncjob_("undo", "12", "--accept", "abc123")[0] == Exit.DONE
    assert handle.asked[-1][0].accept == "abc123"


def test_what_was_not_confirmed_is_exit_code_1_and_json_says_all(
    syncjob_: Command, handle: Taking
) -> None:
    late = msgspec.structs.replace(PHONES, fate="open", why="the answer was lost")
    code, out, _ = syncjob_("undo", "12", "--yes", "--json")
    assert (code, json.loads(out)["batch"]) == (Exit.DONE, 14)
    handle.seen = UndoReport(undoes=12, items=(PHONES, late), hash="abc123")
    code, out, _ = syncjob_("undo", "12", "--yes")
    assert (code, "Not put back (yet):" in out) == (Exit.ISSUES, True)


CANCEL = ("cancel", "1", "--reason", "ordered twice")


def test_a_cancellation_is_shown_and_done(syncjob_: Command, handle: Taking) -> None:
    code, out, _ = syncjob_(*CANCEL, "--yes")
    assert code == Exit.DONE
    assert "The invoice INV-7 over 1,110.00 AUD (draft) would be deleted." in out
    assert "The invoice INV-7 over 1,110.00 AUD (draft) is deleted." in out
    assert "`syncjob reissue 1` issues it anew" in out
    assert handle.asked == [(("1", "ordered twice"), False), (("1", "ordered twice"), True)]


@pytest.mark.parametrize("more", [(), ("--plan", "--yes")])
def test_a_cancellation_needs_somebody_to_say_so(
    syncjob_: Command, handle: Taking, more: tuple[str, ...]
) -> None:
    assert syncjob_(*CANCEL, *more)[0] == Exit.DONE
    assert [write for _, write in handle.asked] == [False]


def test_what_stays_says_what_to_do_instead(syncjob_: Command, handle: Taking) -> None:
    handle.paper = msgspec.structs.replace(
        PAPER, status="authorised", fate="stays", why="it is authorised",
        next_step="`syncjob credit 1 --full --reason ...`",
    )  # fmt: skip
    code, out, _ = syncjob_(*CANCEL, "--yes")
    assert (code, "next: `syncjob credit 1 --full" in out) == (Exit.ISSUES, True)
    assert "Nothing of the deal 1 Spring order can be cancelled." in out
    assert [write for _, write in handle.asked] == [False]
    code, out, _ = syncjob_(*CANCEL, "--json")
    assert json.loads(out)["papers"][0]["fate"] == "stays"


def test_a_reason_is_required(syncjob_: Command, handle: Taking) -> None:
    assert syncjob_("cancel", "1", "--yes")[0] == Exit.CONFIG
    assert handle.asked == []


def test_the_screen_is_not_said_twice(syncjob_: Command, handle: Taking) -> None:
    _, out, _ = syncjob_("undo", "12", "--yes")
    assert out.count("Stays as it is:") == 1
    assert "Batch 12: 1 value was put back" in out
