"""The report page: is all well, what waits for a person, what is owed, what the batches did.

One file that asks nothing of the network, readable on a phone, on paper and in the dark. What is
open is listed, the rest is summed, so that ten thousand deals make no longer a page than ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from syncjob.core.actions import Issue
from syncjob.core.money_view import OPEN_MAX, Sale
from syncjob.core.page import PageReport
from syncjob.core.reports import BatchReport, StatusReport, Waits
from syncjob.reports.money_charts import STYLE as CHART_STYLE
from syncjob.reports.money_charts import amount, money_parts
from syncjob.reports.page import escape, foot, head, link
from syncjob.reports.status import verdict
from syncjob.reports.terminal import organisation, pauses
from syncjob.reports.words import batch_sentence, issue_groups, lasting, local

#: So many issues of one cause, and so many causes, are shown with their links.
ISSUES_PER_CAUSE = 10
CAUSES_MAX = 20

_COMMAND = re.compile(r"`([^`]+)`")
_STYLE = (
    CHART_STYLE
    + """
.verdict { border: 2px solid var(--good); border-radius: 8px; padding: .25rem 1rem; }
.verdict.bad { border-color: var(--bad); } .verdict p:first-child { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0; }
dt { color: var(--mute); } dd { margin: 0; overflow-wrap: anywhere; }
th { white-space: nowrap; } td:first-child { white-space: nowrap; }
.scroll { overflow-x: auto; } .scroll td { overflow-wrap: break-word; }
.scroll table { table-layout: auto; min-width: 36rem; }
td.num, th.num { text-align: right; white-space: nowrap; } .late { color: var(--bad); }
footer { margin: 3rem 0 1rem; color: var(--mute); }
@media (max-width: 36rem) { dl { display: block; } dd { margin-bottom: .5rem; } }
@media print { .scroll { overflow: visible; } .scroll table { min-width: 0; }
  .scroll td { overflow-wrap: anywhere; } }
"""
)


def report_page(report: PageReport) -> str:
    """The page as one text of HTML."""
    status = report.status
    parts = [
        head(f"syncjob {status.connection}", _STYLE),
        f'<p class="note">As of {escape(local(status.now))}</p>',
        *_verdict(status),
        *_facts(status),
        *_issues(status),
        *_money(report),
        *_open(report),
        *_batches(report.batches),
        "<footer>Written by syncjob after a batch; it asks nothing of the network. "
        "<code>syncjob why deal ID</code> tells a deal's story.</footer>",
        foot(),
    ]
    return "\n".join(parts)


# --- is all well ----------------------------------------------------------------------------------


def _verdict(status: StatusReport) -> Iterator[str]:
    bad = bool(status.troubles or status.unwell_since)
    said = "".join(f"<p>{_text(text.replace(' (below)', ''))}</p>" for text in verdict(status))
    yield f'<div class="verdict{" bad" if bad else ""}">{said}</div>'


def _facts(status: StatusReport) -> Iterator[str]:
    rows = [
        ("CRM", organisation(status.crm, books=False)),
        ("ledger", organisation(status.ledger)),
        ("mode", status.mode),
        ("won since", str(status.won_since or "")),
        ("last batch", batch_sentence(status.last) if status.last else "none yet"),
        ("next batch", local(status.next_run) if status.next_run else "as scheduled"),
        *(("paused", text) for text in pauses(status.pauses, status.stop_file)),
        ("waiting for a person", f"{len(status.issues):,}"),
        *_waits("won to draft, last 7 days", status.draft_waits),
        *_waits("money to deal, last 7 days", status.payment_waits),
        ("last backup", local(status.last_backup)),
    ]
    yield f"<dl>{''.join(f'<dt>{escape(n)}</dt><dd>{escape(t)}</dd>' for n, t in rows)}</dl>"


def _waits(name: str, waits: Waits | None) -> Iterator[tuple[str, str]]:
    if waits is not None:
        half, most, longest = (
            lasting(timedelta(seconds=s)) for s in (waits.half, waits.most, waits.longest)
        )
        yield name, f"half within {half}, 95% within {most}, longest {longest}"


def _text(text: str) -> str:
    """A sentence as HTML; what stands between backticks is a command."""
    return _COMMAND.sub(r"<code>\1</code>", escape(text))


# --- what waits for a person ----------------------------------------------------------------------


def _issues(status: StatusReport) -> Iterator[str]:
    yield "<h2>What waits for a person</h2>"
    groups = issue_groups(status.issues)
    if not groups:
        yield '<p class="note">Nothing.</p>'
        return
    for group in groups[:CAUSES_MAX]:
        yield _cause(group, status.titles)
    if len(groups) > CAUSES_MAX:
        rest = sum(len(group) for group in groups[CAUSES_MAX:])
        yield f"<p>... and {rest:,} more: <code>syncjob issues</code> lists them.</p>"


def _cause(group: Sequence[Issue], titles: dict[str, str]) -> str:
    first = group[0]
    names = ", ".join(_subject(issue, titles) for issue in group[:ISSUES_PER_CAUSE])
    if len(group) > ISSUES_PER_CAUSE:
        names += f" and {len(group) - ISSUES_PER_CAUSE:,} more"
    count = f'<span class="band">{len(group):,}</span>' if len(group) > 1 else ""
    then = f"<p><strong>Next:</strong> {_text(first.next_step)}</p>" if first.next_step else ""
    return (
        f"<article><h3>{escape(first.code.replace('_', ' '))} {count}</h3>"
        f"<p>{_text(first.what)}</p>{then}<p>{names}</p></article>"
    )


def _subject(issue: Issue, titles: dict[str, str]) -> str:
    title = titles.get(issue.subject)
    name = f"{issue.subject.replace(':', ' ', 1)}{f' {title}' if title else ''}"
    return link(escape(name), issue.page)


# --- money ----------------------------------------------------------------------------------------


def _money(report: PageReport) -> Iterator[str]:
    yield "<h2>Money</h2>"
    money = report.money
    if money is None or not money.currencies:
        yield '<p class="note">No deal has an invoice yet.</p>'
        return
    yield f'<p class="note">Invoices of deals, as of {escape(local(report.money_at))}.</p>'
    yield from money_parts(money)


def _open(report: PageReport) -> Iterator[str]:
    sales = report.money.open if report.money else ()
    if not sales:
        return
    yield "<h2>Not paid yet</h2>"
    names = ("invoice", "customer", "deal", "owner", "due on", "days late", "due")
    yield _table(names, (_sale(sale) for sale in sales[:OPEN_MAX]), numbers=2)
    more = len(sales[OPEN_MAX:]) + (report.money.more if report.money else 0)
    if more:
        yield f"<p>... and {more:,} more, summed above.</p>"


def _sale(sale: Sale) -> tuple[str, ...]:
    number = link(escape(sale.number or sale.word), sale.invoice_page)
    title = link(escape(f"{sale.deal_id} {sale.title}".strip()), sale.deal_page)
    days = f'<span class="late">{sale.days}</span>' if sale.days else ""
    draft = sale.word in ("draft", "awaiting approval")
    due = f"({sale.word}) {amount(sale.total, sale.currency)}" if draft else ""
    return (
        number, escape(sale.customer), title, escape(sale.owner), _day(sale.due_date), days,
        escape(due or amount(sale.due, sale.currency)),
    )  # fmt: skip


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


# --- batches --------------------------------------------------------------------------------------


def _batches(batches: Sequence[BatchReport]) -> Iterator[str]:
    yield "<h2>Last batches</h2>"
    if not batches:
        yield '<p class="note">None yet.</p>'
        return
    rows = ((escape(local(batch.started)), escape(batch_sentence(batch))) for batch in batches)
    yield _table(("began", "what it did"), rows, numbers=0)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """A table whose last `numbers` columns are right-aligned; cells are HTML already."""
    first = len(names) - numbers

    def line(tag: str, cells: Sequence[str]) -> str:
        shown = (
            f"<{tag}{' class=num' if column >= first else ''}>{cell}</{tag}>"
            for column, cell in enumerate(cells)
        )
        return f"<tr>{''.join(shown)}</tr>"

    body = "".join(line("td", row) for row in rows)
    heading = line("th", [escape(name) for name in names])
    return f'<div class="scroll"><table><thead>{heading}</thead><tbody>{body}</tbody></table></div>'
