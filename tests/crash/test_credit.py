"""`syncjob credit` and an e-mail, killed at each point around their write: once, never twice."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from tests.crash.kit import CrashWorld
from tests.engine.scenes import awaiting, only
from tests.engine.world import PATIENCE

POINTS = [
    "call committed",
    "send recorded",
    "answered",
    "half the outcomes",
    "before the outcomes' commit",
    "after the outcomes' commit",
]
COMMAND = ("credit", "1", "--amount", "55.00", "--reason", "broken", "--yes")


def match(point: str, path: str, kind: str) -> str:
    """What the point's words must hold: an action's kind, or the request."""
    return kind if point == "half the outcomes" else path


@pytest.mark.parametrize("point", POINTS)
def test_a_credit_that_is_killed_and_asked_for_again_is_one_credit_note(tmp_path, point):
    w = CrashWorld(tmp_path)
    w.init()
    assert awaiting(w) == 1
    words = match(point, "PUT /xero/api.xro/2.0/CreditNotes", "credit.create")
    died = w.child(*COMMAND, point=point, match=words, nth=1)
    assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
    for _ in range(3):
        ended = w.child(*COMMAND)
        w.advance(PATIENCE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "was credited already" in ended.stdout
    note = only(w.organisation()["credits"])
    assert (note["status"], note["total"], note["applied"]) == ("DRAFT", "55.00", [])
    w.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_batch_that_is_killed_around_an_email_sends_it_once_at_most(tmp_path, point):
    config = {"mode": "full", "invoices": {"status": "authorised", "email": {"enabled": True}}}
    w = CrashWorld(tmp_path, config=config)
    w.init()
    w.crm("create_org", name="Acme Pty")
    w.crm("create_person", name="Pat", org="Acme Pty", emails=["pat@acme.test"])
    deal = w.crm("create_deal", title="x", currency="AUD", org="Acme Pty", person="Pat", lines=[
        {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}])  # fmt: skip
    w.crm("win", deal=deal["id"])
    w.kill(point, match(point, "/Email", "invoice.email"))
    for _ in range(3):
        ended = w.child()
        assert ended.returncode in (0, 1), ended.stdout + ended.stderr
        w.advance(PATIENCE + timedelta(minutes=1))
    # Between the record and the bytes nobody knows: it is told, and never sent.
    unknown = point == "send recorded"
    assert len(w.organisation()["emails"]) == (0 if unknown else 1)
    assert ("email_unknown" in ended.stdout) is unknown
    w.close()
