"""The process dies between the write's commit, its sending, and the commit of its answer: the next
batches find out what became of it, and nothing is doubled or lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncjob.engine.rounds import Rounds
from syncjob.state.journal import Journal
from syncjob.transport.client import HttpChannel
from tests.engine.contacts.kit import ANN, acme, at_rest, batch, contact, edit, person, phone, world
from tests.engine.world import World


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


def die(*_: Any, **__: Any) -> Any:
    raise Killed


POINTS = {
    "before the bytes leave": (HttpChannel, "write_all"),
    "before the answer is written down": (Rounds, "_kept"),
    "before the outcome is committed": (Journal, "close_calls"),
}


def killed(w: World, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    owner, name = POINTS[point]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(Killed):
            batch(w)


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_changing_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        edit(w, EmailAddress="accounts@acme.example")
        killed(w, monkeypatch, point)
        batch(w, after=1)
        batch(w, after=17)
        assert batch(w).exit_code == 0
        assert contact(w)["phones"] == person(w)["phones"] == ["(02) 9999 2222"]
        assert contact(w)["email"] == person(w)["emails"][0] == "accounts@acme.example"
        at_rest(w)


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_creating_in_the_crm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        w.books("create_contact", fields={
            "Name": "Acme Pty", "FirstName": "Ann", "LastName": "Smith",
            "EmailAddress": ANN["email"], "Phones": phone("DEFAULT", ANN["phone"]),
        })  # fmt: skip
        killed(w, monkeypatch, point)
        batch(w, after=1)
        batch(w, after=17)
        assert batch(w).exit_code == 0
        assert len(w.crm_state()["organizations"]) == len(w.crm_state()["persons"]) == 1
        assert person(w)["phones"] == [ANN["phone"]]
        at_rest(w)
