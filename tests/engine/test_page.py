"""The report page is there after each batch, says what the servers hold, and harms nothing."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

import syncjob.cli
from syncjob.core.reports import RunOptions
from tests.engine.scenes import answer, awaiting, billed, minutes, number_of, sell
from tests.engine.test_doubles import held_double
from tests.engine.world import World


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with contextlib.closing(World(tmp_path)) as world:
        world.init()
        yield world


def said(w: World) -> str:
    html = (w.folder / "report.html").read_text()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.partition("</style>")[2])).split())


def test_it_follows_the_books(w: World) -> None:
    first = awaiting(w)
    billed(w, org="Beta Pty")
    assert stat.S_IMODE((w.folder / "report.html").stat().st_mode) == 0o600
    text = said(w)
    assert "invoiced 110.00 AUD 1 invoices" in text and "drafts 110.00 AUD 1 not approved" in text
    w.books("pay", invoice=number_of(w, first), amount="30.50")
    minutes(w, 5)
    w.run()
    assert "paid 30.50 AUD" in said(w) and "due 79.50 AUD" in said(w)
    w.advance(timedelta(days=40))
    w.run()
    assert "overdue 79.50 AUD" in said(w)


def test_a_day_alone_makes_an_invoice_late(w: World) -> None:
    awaiting(w)
    assert "overdue 0.00 AUD" in said(w)
    w.advance(timedelta(days=40))
    w.run()
    assert "overdue 110.00 AUD" in said(w)


def test_what_a_trial_of_one_deal_wrote_is_on_the_next_page(w: World) -> None:
    billed(w)
    deal = sell(w, "Beta Pty")
    w.run(deal=str(deal))
    assert "1 not approved" in said(w)  # a trial writes no page
    minutes(w, 5)
    w.run()
    assert "drafts 220.00 AUD 2 not approved" in said(w)


def test_an_invoice_that_a_person_tied_to_its_deal_is_on_the_page(w: World) -> None:
    deal, number = held_double(w)
    assert "1 invoices" not in said(w)
    answer(w, f"link:{number}", deal)
    minutes(w, 5)
    w.run()
    assert "invoiced 110.00 AUD 1 invoices" in said(w)


def test_a_place_that_cannot_be_written_fails_nothing(w: World) -> None:
    (w.folder / "report.html").mkdir()
    assert w.run().exit_code == 0
    assert not list((w.folder / "report.html").iterdir())


def test_none_is_written_where_none_is_wanted_or_in_a_dry_run(w: World) -> None:
    w.plan()
    deal = billed(w)
    (w.folder / "report.html").unlink()
    w.plan()
    w.run(deal=str(deal))
    w.overrides = {"connection": {"page": None}}
    w.run()
    assert not (w.folder / "report.html").exists()


def test_a_command_writes_it_where_asked(w: World, capsys: pytest.CaptureFixture[str]) -> None:
    billed(w)
    file = w.folder / "for-ann.html"
    command = ["-c", str(w.folder / "config.yaml"), "report"]
    assert syncjob.cli.run([*command, "-o", str(file)]) == 0
    assert "drafts" in file.read_text()
    capsys.readouterr()
    assert syncjob.cli.run([*command, "--json"]) == 0
    assert '"drafts": 1' in capsys.readouterr().out


def test_a_batch_with_nothing_to_do_counts_nothing_for_it(w: World) -> None:
    billed(w)
    minutes(w, 1)
    w.run()
    minutes(w, 1)
    asked: list[str] = []
    with w.connection() as handle:
        handle.state.db.conn.set_trace_callback(asked.append)
        handle.run(RunOptions(who="a test"))
    counts = [text for text in asked if "count(*)" in text]
    assert not [c for c in counts if "contact_link" in c or "stream = 'deals'" in c], counts
    assert any("FROM batch" in text for text in asked), "nothing was traced"
