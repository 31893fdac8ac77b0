"""The review of a match as one HTML page: both records side by side, what agrees and what differs.

The page asks nothing of the network, runs no script, follows the reader's light or dark setting
and can be printed. Every value is escaped; a link is one only if it leads to http or https.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from syncjob.core.match.names import company
from syncjob.core.match.normalise import digits, words
from syncjob.core.review import Face, Kind, MatchReport, ReviewRow
from syncjob.core.rules.matching import name_key
from syncjob.reports.page import escape, foot, head, link

#: A page of more pairs than this is slow to open; the CSV file has them all.
PAIRS_MAX = 3000
#: So many last digits tell two numbers apart, and leave codes of country and area out.
PHONE_DIGITS = 7

_TITLES: dict[Kind, tuple[str, str]] = {
    "pair": (
        "One customer, once in each system",
        "Answer same or different in the CSV file. While a pair is undecided, nothing is created "
        "for that customer.",
    ),
    "invoice": (
        "Deals that were invoiced by hand",
        "Answer same to tie the invoice to the deal; nothing is created or changed in the ledger.",
    ),
    "crm_double": (
        "Twice in the CRM",
        "Merge these where they stand. Answer different in the CSV file for two customers.",
    ),
    "ledger_double": (
        "Twice in the ledger",
        "Merge these where they stand. Answer different in the CSV file for two customers.",
    ),
}
_SIDES: dict[Kind, tuple[str, str]] = {
    "pair": ("CRM", "ledger"),
    "invoice": ("deal", "invoice"),
    "crm_double": ("CRM", "CRM"),
    "ledger_double": ("ledger", "ledger"),
}
_STYLE = """
th.what, td.what { width: 8rem; } td.mark { width: 1.5rem; } th.mark { width: 1.5rem; }
tr.agrees td.mark { color: var(--good); } tr.differs td.mark { color: var(--bad); }
tr.differs td { background: var(--soft); }
ul { margin: .5rem 0 0; padding-left: 1.2rem; } li.good { color: var(--good); }
li.bad { color: var(--bad); }
"""


def match_page(report: MatchReport, *, at: datetime) -> str:
    """The page as one text of HTML; `at` is when the review was made, as the reader sees time."""
    shown = report.rows[:PAIRS_MAX]
    parts = [_head(report, at)]
    for kind, (title, note) in _TITLES.items():
        rows = [row for row in shown if row.proposal.kind == kind]
        if rows:
            parts.append(f"<h2>{escape(title)} ({len(rows):,})</h2>\n<p class=note>{escape(note)}")
            parts += [_article(row) for row in rows]
    if len(report.rows) > len(shown):
        left = len(report.rows) - len(shown)
        parts.append(f"<p><strong>{left:,} more stand in the CSV file only.</strong></p>")
    parts.append(foot())
    return "\n".join(parts)


def _head(report: MatchReport, at: datetime) -> str:
    title = f"syncjob match: {report.what} of {report.connection}"
    counts = f"{report.first:,} and {report.second:,} records compared"
    waiting = f"{len(report.rows):,} to look at" if report.rows else "nothing to look at"
    return (
        f"{head(title, _STYLE)}\n"
        f"<p>{escape(f'{at:%Y-%m-%d %H:%M %Z}')}: {counts}, {report.known:,} known already, "
        f"{len(report.linked):,} linked now, {waiting}.</p>"
    )


def _article(row: ReviewRow) -> str:
    p = row.proposal
    left, right = _SIDES[p.kind]
    reasons = [f"<li class=good>{escape(text)}</li>" for text in p.agrees]
    reasons += [f"<li class=bad>{escape(text)}</li>" for text in p.differs]
    advice = f"<p><strong>{escape(p.advice)}</strong></p>" if p.advice else ""
    because = f"<p>{escape(p.because)}</p>" if p.because else ""
    return (
        f'<article id="{escape(p.key)}">\n<h3><span>{escape(p.first_name)} / '
        f"{escape(p.second_name)}</span><span class=band>{escape(p.band)}, "
        f"{p.score / 1000:.3f}</span></h3>\n{because}{advice}"
        "<table>\n<thead><tr><th class=what></th>"
        f"<th>{left}: {_link(row.first)}</th><th class=mark></th>"
        f"<th>{right}: {_link(row.second)}</th></tr></thead>\n<tbody>\n"
        f"{''.join(_lines(row.first, row.second))}</tbody>\n</table>\n"
        f"{'<ul>' + ''.join(reasons) + '</ul>' if reasons else ''}\n</article>"
    )


def _link(face: Face) -> str:
    return link(f"{escape(face.name)} <span class=id>{escape(face.id)}</span>", face.page)


def _lines(first: Face, second: Face) -> Iterator[str]:
    """Each kind of line once, in the first record's order; several values stand below another."""
    whats = dict.fromkeys(what for face in (first, second) for what, _ in face.lines)
    for what in whats:
        left, right = (
            [value for name, value in face.lines if name == what] for face in (first, second)
        )
        state, mark = _state(what, left, right)
        for number, (one, other) in enumerate(zip_longest(left, right, fillvalue="")):
            yield (
                f"<tr class={state}><td class=what>{escape(what) if not number else ''}</td>"
                f"<td>{escape(one)}</td><td class=mark>{mark if not number else ''}</td>"
                f"<td>{escape(other)}</td></tr>\n"
            )


def _state(what: str, left: Sequence[str], right: Sequence[str]) -> tuple[str, str]:
    """How two groups of values stand to each other: class and sign. One shared value agrees, in
    whichever form it is written."""
    if not left or not right:
        return "alone", ""
    shared = {_form(what, value) for value in left} & {_form(what, value) for value in right}
    return ("agrees", "=") if shared else ("differs", "≠")


def _form(what: str, value: str) -> str:
    """A value without what people write differently and mean alike."""
    if what == "phone":
        return digits(value)[-PHONE_DIGITS:]
    if what in ("name", "customer"):
        return " ".join(company(value).tokens) or name_key(value)
    return " ".join(words(value)) or name_key(value)
