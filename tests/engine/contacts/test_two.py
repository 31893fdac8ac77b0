"""Two CRM accounts on one organisation that share a customer: both come to quiet, no ping-pong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from syncjob.config import load_config
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import open_connection
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Entropy, FaultBook
from syncjob.sandbox.pipedrive import Options, PipedriveServer
from tests.engine.contacts.kit import ANN, batch, contact, edit, listed, world
from tests.engine.scenes import minutes, only
from tests.engine.world import World

Second = Callable[[], BatchReport]


class Other:
    """A second CRM account beside the first, with a connection of its own to the same books."""

    def __init__(self, w: World, folder: Path, **contacts: Any) -> None:
        self.w = w
        self.server = PipedriveServer(
            w.time, Entropy(3), Options(currency="AUD", limits=False), FaultBook()
        )
        self.box = Sandbox([self.server], w.time, FaultBook())
        self.base = self.box.start()
        values = w.settings()
        values["connection"] = {"name": "second", "code": "PB", "state": "second/syncjob.db"}
        values["crm"]["api_url"] = f"{self.base}/pipedrive"
        values["contacts"] |= contacts
        self.path = folder / "second.yaml"
        self.path.write_text(yaml.safe_dump(values), encoding="utf-8")
        with self._open() as handle:
            assert not handle.init_fields(create=True).by_hand

    def _open(self) -> Any:
        w = self.w
        return open_connection(
            load_config(self.path), clock=w.clock, rng=Random(9), new_key=w._new_key
        )

    def run(self) -> BatchReport:
        minutes(self.w, 6)
        with self._open() as handle:
            return handle.run(RunOptions(who="a test"))

    def crm(self, act: str, **payload: Any) -> None:
        import requests

        answer = requests.post(f"{self.base}/control/pipedrive/{act}", json=payload, timeout=10)
        assert answer.status_code == 200, answer.text

    def state(self) -> dict[str, Any]:
        import requests

        return requests.get(f"{self.base}/control/state/pipedrive", timeout=10).json()

    def writes(self) -> int:
        import requests

        calls = requests.get(f"{self.base}/control/calls", timeout=10).json()
        return sum(c["method"] != "GET" for c in calls)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[World, Other]]:
    with world(tmp_path, which="all") as w:
        other = Other(w, tmp_path)
        try:
            minutes(w, 17)
            for act in (w.crm, other.crm):
                act("create_org", name="Acme Pty")
                act("create_person", org="Acme Pty", **ANN)
            yield w, other
        finally:
            other.box.stop()


def rounds(w: World, other: Other, count: int = 2) -> None:
    for _ in range(count):
        batch(w)
        other.run()


def all_quiet(w: World, other: Other) -> None:
    mark, before = w.mark(), other.writes()
    rounds(w, other)
    assert [(c["method"], c["path"], c["body"]) for c in w.writes(mark)] == []
    assert other.writes() == before


def test_one_contact_two_links_no_second_marker(pair: tuple[World, Other]) -> None:
    w, other = pair
    rounds(w, other)
    assert contact(w)["number"] == "SJ-O1"
    row = only(list(other.state()["organizations"].values()))
    assert any("PB-L" in str(v) for v in (row.get("custom_fields") or {}).values())
    all_quiet(w, other)


def test_each_owns_the_people_and_neither_pushes_back(pair: tuple[World, Other]) -> None:
    w, other = pair
    rounds(w, other)
    w.crm("edit_person", person="Ann Smith", name="Ann Jones")
    rounds(w, other)
    other.crm("edit_person", person="Ann Smith", name="Ann Brown")
    rounds(w, other)
    assert contact(w)["last"] in ("Jones", "Brown")
    all_quiet(w, other)


def test_what_the_ledger_owns_reaches_both(pair: tuple[World, Other]) -> None:
    w, other = pair
    rounds(w, other)
    edit(w, EmailAddress="accounts@acme.example")
    rounds(w, other)
    for state in (w.crm_state(), other.state()):
        assert listed(only(list(state["persons"].values())), "emails") == ["accounts@acme.example"]
    all_quiet(w, other)


def test_numbers_from_everywhere_come_together(pair: tuple[World, Other]) -> None:
    w, other = pair
    rounds(w, other)
    w.crm("edit_person", person="Ann Smith", phones=[ANN["phone"], "0411 111 111"])
    other.crm("edit_person", person="Ann Smith", phones=[ANN["phone"], "0422 222 222"])
    rounds(w, other, 3)
    everything = sorted([ANN["phone"], "0411 111 111", "0422 222 222"])
    assert contact(w)["phones"] == everything
    for state in (w.crm_state(), other.state()):
        assert sorted(listed(only(list(state["persons"].values())), "phones")) == everything
    all_quiet(w, other)
