"""The money as tiles and bars, in HTML and CSS alone: no picture, no script, real text.

A bar's length is its share of the longest in its chart; every bar has its figure beside it, so
that nothing is told by colour or length only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from syncjob.core.money_view import Money, MoneyView, age_names, wait_names
from syncjob.reports.page import escape

STYLE = """
:root { --sold: #1f5fa8; --cash: #0a6b3d; --late: #b4450f; }
@media (prefers-color-scheme: dark) { :root { --sold: #6fb0f5; --cash: #5fd39a; --late: #ff9a66; } }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; min-width: 0; }
.tile b { display: block; font-size: 1.15rem; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums; }
.tile span { color: var(--mute); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 1rem 2.5rem; }
figure { margin: 1rem 0; break-inside: avoid; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .4rem; }
.bars { display: grid; grid-template-columns: minmax(4rem, max-content) 1fr max-content;
  gap: .25rem .6rem; align-items: center; }
.bars .name { overflow-wrap: anywhere; max-width: 11rem; }
.bars .value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; height: .8rem; border-radius: 2px; background: var(--sold);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bar.cash { background: var(--cash); } .bar.late { background: var(--late); }
.key { color: var(--mute); display: flex; gap: 1.25rem; margin: .25rem 0 .5rem; }
.key .bar { display: inline-block; width: .8rem; margin-right: .35rem; vertical-align: -.1rem; }
"""

#: So many owners have a bar of their own.
OWNERS_MAX = 15

Bar = tuple[str, Decimal, str, str]  # name, size, what stands beside it, class


def money_parts(money: MoneyView) -> Iterator[str]:
    """Tiles and charts for each currency, then how long invoices took."""
    many = len(money.currencies) > 1
    for one in money.currencies:
        if many:
            yield f"<h3>{escape(one.currency)}</h3>"
        yield _tiles(one)
        yield f'<div class="charts">{"".join(_charts(one))}</div>'
    if any(money.waits):
        yield _waits(money)


def amount(value: Decimal, currency: str) -> str:
    """1234.5, AUD -> "1,234.50 AUD"."""
    return f"{value:,.2f} {currency}".strip()


def _tiles(money: Money) -> str:
    shown = [
        ("invoiced", money.invoiced, f"{money.invoices:,} invoices"),
        ("paid", money.paid, "cash received"),
        ("due", money.due, "still to pay"),
        ("overdue", money.overdue, "of what is due"),
    ]
    if money.credited:
        shown.insert(2, ("credited", money.credited, "by credit notes"))
    if money.drafts:
        shown.append(("drafts", money.drafts_total, f"{money.drafts:,} not approved yet"))
    tiles = "".join(
        f'<div class="tile"><span>{name}</span><b>{amount(value, money.currency)}</b>'
        f"<span>{note}</span></div>"
        for name, value, note in shown
    )
    return f'<div class="tiles">{tiles}</div>'


def _charts(money: Money) -> Iterator[str]:
    if money.due > 0:
        ages = [
            (name, due, f"{due:,.2f}", "late" if column else "")
            for column, (name, due) in enumerate(zip(age_names(), money.by_age, strict=True))
        ]
        yield _chart(f"Due by days overdue, {money.currency}", ages)
        yield _owners(money)
    yield _months(money)


def _owners(money: Money) -> str:
    """Two bars an owner: all that is due, and what of it is overdue."""
    bars: list[Bar] = []
    for owed in money.owners[:OWNERS_MAX]:
        bars.append((owed.owner, owed.due, f"{owed.due:,.2f}", ""))
        if owed.overdue > 0:
            bars.append(("", owed.overdue, f"{owed.overdue:,.2f}", "late"))
    rest = money.owners[OWNERS_MAX:]
    if rest:
        due = sum((owed.due for owed in rest), Decimal(0))
        bars.append((f"{len(rest)} others", due, f"{due:,.2f}", ""))
    key = (("", "due"), ("late", "overdue"))
    return _chart(f"Due by owner, {money.currency}", bars, key)


def _months(money: Money) -> str:
    """Two bars a month; months before the first invoice are left out."""
    months = list(money.months)
    while months and not (months[0].invoiced or months[0].received):
        months.pop(0)
    bars: list[Bar] = []
    for month in months:
        name = f"{month.first:%b %Y}"
        bars.append((name, month.invoiced, f"{month.invoiced:,.2f}", ""))
        bars.append(("", month.received, f"{month.received:,.2f}", "cash"))
    if not bars:
        return ""
    key = (("", "invoiced"), ("cash", "received"))
    return _chart(f"Invoiced and received by month, {money.currency}", bars, key)


def _waits(money: MoneyView) -> str:
    bars = [
        (name, Decimal(count), f"{count:,}", "")
        for name, count in zip(wait_names(), money.waits, strict=True)
    ]
    median = money.median_wait
    half = "the same day" if median == 0 else f"{median} day{'' if median == 1 else 's'}"
    return _chart(f"Days from won to the invoice's date (half within {half})", bars)


def _chart(title: str, bars: Sequence[Bar], key: Sequence[tuple[str, str]] = ()) -> str:
    longest = max((size for _, size, _, _ in bars), default=Decimal(0))
    rows = "".join(_bar(bar, longest) for bar in bars)
    keys = "".join(f'<span><i class="bar {kind}"></i>{name}</span>' for kind, name in key)
    legend = f'<div class="key">{keys}</div>' if keys else ""
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>{legend}"
        f'<div class="bars">{rows}</div></figure>'
    )


def _bar(bar: Bar, longest: Decimal) -> str:
    name, size, text, kind = bar
    share = size / longest * 100 if longest > 0 and size > 0 else Decimal(0)
    return (
        f'<span class="name">{escape(name)}</span>'
        f'<span><span class="bar {kind}" style="width:{share:.1f}%"></span></span>'
        f'<span class="value">{escape(text)}</span>'
    )
