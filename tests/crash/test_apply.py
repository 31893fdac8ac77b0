"""`syncjob apply`, killed in the middle: what comes next settles, goes on, and doubles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kit import CrashWorld
from tests.engine.applying import apply, plan_text
from tests.engine.scenes import sell
from tests.engine.world import PATIENCE


@pytest.mark.parametrize(
    ("point", "match", "again"),
    [
        ("send recorded", "PUT /xero/api.xro/2.0/Invoices", "run"),
        ("half the outcomes", "invoice.create", "apply"),
    ],
)
def test_a_plan_that_is_killed_and_gone_on_with(
    tmp_path: Path, point: str, match: str, again: str
) -> None:
    w = CrashWorld(tmp_path)
    w.init()
    deals = [sell(w, f"{name} Pty") for name in ("Anna", "Bert")]
    file = tmp_path / "plan.json"
    file.write_text(plan_text(w))
    died = w.child("apply", str(file), point=point, match=match, nth=1)
    assert died.returncode == -9, died.stdout + died.stderr
    w.advance(PATIENCE)
    if again == "apply":
        apply(w, file.read_text())
    for _ in range(2):
        assert w.run().exit_code == 0
        w.advance(PATIENCE)
    urls = sorted(i["url"].partition("syncjob=")[2] for i in w.invoices())
    assert urls == [f"SJ-{deal}-A1" for deal in deals]
    assert len(w.contacts()) == 2
    assert {w.deal_fields(deal)["Invoice status"] for deal in deals} == {"draft"}
    mark = w.mark()
    assert w.run().exit_code == 0
    assert w.writes(mark) == []
    w.close()
