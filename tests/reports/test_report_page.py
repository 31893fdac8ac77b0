"""The report page: its numbers are the state's, and a real browser shows all of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.actions import Issue
from syncjob.core.money_view import Sale, money_view
from syncjob.core.page import PageReport
from syncjob.core.records import Organisation
from syncjob.core.reports import BatchReport, StatusReport
from syncjob.reports.report_page import report_page

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NAMES = ("Ann Ames", "Bob <b>Bright</b>", "Ελένη Παπαδοπούλου", "V" * 60)


def sale(number: int) -> Sale:
    """Every seventh invoice is unpaid, each of those differently late; every fiftieth a draft."""
    total = Decimal(number % 997) + Decimal("0.05")
    on = TODAY - timedelta(days=number % 400)
    unpaid, draft = number % 7 == 0, number % 50 == 49
    due = total if unpaid and not draft else Decimal(0)
    days = max(0, number % 400 - 30) if due else 0
    paid = Decimal(0) if unpaid or draft else total
    return Sale(
        deal_id=str(number), title=f"Order & {number}", owner=NAMES[number % len(NAMES)],
        customer=f'Customer "{number % 13}"', number="" if draft else f"INV-{number:05}",
        currency=("AUD", "EUR")[number % 11 == 0], total=total, due=due, paid=paid,
        credited=Decimal(0),
        word="draft" if draft else "awaiting payment" if unpaid else "paid", on=on,
        due_date=on + timedelta(days=30), won_on=on - timedelta(days=number % 40), days=days,
        cash=((on, paid),) if paid else (),
        deal_page=f"https://acme.pipedrive.com/deal/{number}",
        invoice_page=f"https://go.xero.com/{number}" if number % 2 else "javascript:alert(1)",
    )  # fmt: skip


def page_of(number: int, issues: int = 3, troubles: tuple[str, ...] = ()) -> PageReport:
    """A page with so many invoices."""
    books = Organisation(id="o1", name="Acme <Pty> Ltd", country="AU", currency="AUD")
    batch = BatchReport(
        batch="7", connection="main", started=NOW, ended=NOW + timedelta(seconds=75),
        result="done", exit_code=0, counts={"invoice.create": 12}, calls={"xero": 4},
    )  # fmt: skip
    found = tuple(
        Issue(code=f"kind_{n % 60}", subject=f"deal:{n}", what="It is <so>.",
              next_step="See `syncjob issues`.", page=f"https://acme.pipedrive.com/deal/{n}")
        for n in range(issues)
    )  # fmt: skip
    status = StatusReport(
        connection="main", mode="drafts_only", now=NOW, crm=books, ledger=books, last=batch,
        last_good=NOW, issues=found, titles={"deal:1": "One & only"}, troubles=troubles,
    )  # fmt: skip
    money = money_view((sale(n) for n in range(number)), TODAY)
    return PageReport(status=status, batches=(batch,) * 20, money=money, money_at=NOW)


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html.partition("</style>")[2]))


@pytest.mark.parametrize("number", [0, 1, 10, 10_000])
def test_its_numbers_are_those_of_the_invoices(number: int) -> None:
    html, sales = report_page(page_of(number)), [sale(n) for n in range(number)]
    said = shown(html)
    for currency in ("AUD", "EUR"):
        real = [s for s in sales if s.currency == currency and s.word != "draft"]
        if not real:
            continue
        for amount in (
            sum(s.total for s in real),
            sum(s.paid for s in real),
            sum(s.due for s in real),
            sum(s.due for s in real if s.days),
        ):
            assert f"{amount:,.2f} {currency}" in said
    late = sorted((s for s in sales if s.days), key=lambda s: -s.days)[:5]
    assert all(f"{s.due:,.2f} {s.currency}" in said for s in late)


def test_what_is_open_is_listed_and_the_rest_is_summed() -> None:
    small, large = report_page(page_of(10)), report_page(page_of(10_000, issues=2_000))
    assert "more, summed above" in shown(large) and "summed above" not in shown(small)
    waiting = large.partition("<h2>What waits")[2].partition("<h2>")[0]
    counted = sum(int(n.replace(",", "")) for n in re.findall(r"and ([\d,]+) more", waiting))
    assert waiting.count("/deal/") + counted == 2_000, "an issue is neither shown nor counted"
    assert len(large.encode()) < 200_000
    assert shown(large).count("INV-") <= 200


def test_nothing_in_it_is_taken_for_html_or_a_link() -> None:
    html = report_page(page_of(400))
    assert "<b>Bright" not in html and "<so>" not in html and "<Pty>" not in html
    assert "javascript:" not in html
    assert "<code>syncjob issues</code>" in html
    assert "<script" not in html
    targets = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^">)]+)', html)
    assert {t.split("/")[2] for t in targets} == {"acme.pipedrive.com", "go.xero.com"}


def test_an_empty_state_says_so() -> None:
    said = shown(report_page(PageReport(status=StatusReport(connection="m", mode="full", now=NOW))))
    for text in ("No batch has run yet", "Nothing.", "No deal has an invoice yet.", "None yet."):
        assert text in said


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install 'syncjob[browser]'"
    )
    where = shutil.which("chromium") or shutil.which("chromium-browser")
    where = where or shutil.which("google-chrome")
    if where is None:
        pytest.skip("no Chromium is on this machine")
    with sync_api.sync_playwright() as started:
        found = started.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield found
        found.close()


#: The narrower common paper, A4 upright, less its margins, in CSS pixels.
_PAPER = {"width": 700, "height": 1000}
#: What is cut off, laid over something else, or drawn empty.
_FAULTS = """() => {
  const faults = [];
  const box = e => e.getBoundingClientRect();
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is too wide");
  for (const row of document.querySelectorAll(".bars")) {
    const kids = [...row.children];
    for (let i = 0; i < kids.length; i += 3) {
      const [name, bar, value] = kids.slice(i, i + 3).map(box);
      if (name.right > bar.left + 1 || bar.right > value.left + 1)
        faults.push("laid over: " + kids[i].textContent);
      if (value.right > innerWidth + 1) faults.push("cut off: " + kids[i + 2].textContent);
      const drawn = box(kids[i + 1].firstChild).width;
      const amount = parseFloat(kids[i + 2].textContent.replaceAll(",", ""));
      if (amount > 0 && drawn <= 0) faults.push("empty bar: " + kids[i + 2].textContent);
      if (amount === 0 && drawn > 0) faults.push("bar of nothing");
    }
  }
  for (const e of document.querySelectorAll("h1, h2, p, dd, .tile b, figcaption, td")) {
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
      faults.push("cut off: " + e.textContent.slice(0, 60));
  }
  return faults;
}"""
#: The contrast of text, and of bars, with what is behind them (WCAG 2: 4.5 and 3).
_CONTRAST = """() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
    .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05); };
  const paper = getComputedStyle(document.body).backgroundColor;
  const of = (all, what) => Math.min(...[...document.querySelectorAll(all)]
    .map(e => ratio(getComputedStyle(e)[what], paper)));
  return [of("p, td, th, dt, dd, a, .tile span, .late, .value", "color"),
          of(".bar", "backgroundColor")];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [340, 1100])
@pytest.mark.parametrize("number", [10, 10_000])
def test_a_browser_shows_all_of_it(
    browser: Any, tmp_path: Path, number: int, width: int, theme: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_page(page_of(number, issues=70, troubles=("A limit is used up.",))))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.evaluate(_FAULTS) == []
    text, bars = page.evaluate(_CONTRAST)
    assert text >= 4.5 and bars >= 3
    page.set_viewport_size(_PAPER)
    page.emulate_media(media="print")
    assert "the page is too wide" not in page.evaluate(_FAULTS)
    assert asked == [file.as_uri()] and said == []
    context.close()
