"""Reconcile where contacts are synced: pairs that differ, links that died or were lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.contacts.kit import acme, at_rest, batch, contact, org, world
from tests.engine.world import World

from .kit import one, reconcile, settle_down, skip_changes, surgery


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "w") as made:
        acme(made)
        settle_down(made)
        yield made


def test_nothing_is_found(w: World) -> None:
    report = reconcile(w)
    assert not report.findings
    assert (report.read["crm organizations"], report.read["crm persons"]) == (1, 1)
    at_rest(w)


def test_a_customers_change_that_polling_missed(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", phone="02 8888 2222")
    skip_changes(w)
    w.run()
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("missed", "next_batch")
    assert "phones" in found.what
    assert "8888" not in found.what  # who was forgotten must not live on in a report
    batch(w)
    assert any("8888" in phone for phone in contact(w)["phones"])


def test_a_pair_that_nobody_was_asked_to_bring_together(w: World) -> None:
    w.crm("edit_person", person="Ann Smith", phone="02 8888 2222")
    skip_changes(w)
    reconcile(w)
    surgery(w, "DELETE FROM contact_todo")
    found = one(reconcile(w))
    assert (found.kind, found.mends) == ("contact", "next_batch")
    batch(w)
    assert any("8888" in phone for phone in contact(w)["phones"])
    settle_down(w)
    assert not reconcile(w).findings


def test_an_organization_that_was_deleted(w: World) -> None:
    w.crm("delete_org", org="Acme Pty")
    settle_down(w)
    found = one(reconcile(w))
    assert (found.kind, found.subject) == ("dead_link", f"contact:org:{_acme(w)}")


@pytest.mark.parametrize(("days", "told"), [(1, False), (40, True)])
def test_a_main_person_that_was_deleted(w: World, days: int, told: bool) -> None:
    """Pipedrive says for 30 days that it was deleted, and then nothing (facts: pipedrive, 1d)."""
    w.crm("delete_person", person="Ann Smith")
    w.advance(timedelta(days=days))
    settle_down(w)
    report = reconcile(w)
    assert [f.subject for f in report.findings] == [f"contact:org:{_acme(w)}"] * told
    assert not told or "main person" in one(report).what
    assert contact(w)["email"] == "ann@acme.example"


def _acme(w: World) -> int:
    return int(next(iter(w.crm_state()["organizations"].values()))["id"])


def test_a_link_of_customers_that_was_lost(w: World) -> None:
    surgery(w, "DELETE FROM contact_link")
    found = one(reconcile(w))
    assert (found.kind, found.subject) == ("no_link", f"contact:org:{org(w)['id']}")
    batch(w)
    settle_down(w)
    assert not reconcile(w).findings
    assert len([c for c in w.contacts() if c["status"] == "ACTIVE"]) == 1
