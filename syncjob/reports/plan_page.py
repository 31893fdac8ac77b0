"""A plan as one HTML page: its numbers, what it skips and why, and each write with its before,
after and reason, by kind in the order in which they are written.

For whoever is to say yes and has no shell at hand. It asks nothing of the network (reports/page).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from syncjob.core.actions import Action, Issue
from syncjob.core.reports import Origin, PlanReport
from syncjob.reports.action_words import headline
from syncjob.reports.page import escape, foot, head, link, listing
from syncjob.reports.plan_words import changes, groups, left_out, plan_sentence, tie_line
from syncjob.reports.words import waiting_lines

#: A page of more writes than this is slow to open on a phone; the plan file has them all.
WRITES_MAX = 3000
#: Links and issues beyond these are counted.
LISTED_MAX = 500

_STYLE = """
.sum { font-size: 1.15rem; } .guard { border: 2px solid var(--bad); border-radius: 6px;
  padding: .5rem 1rem; } .guard h2 { margin: .25rem 0; color: var(--bad); }
th.what, td.what { width: 10rem; } td.was { color: var(--mute); }
td.was, td.is { white-space: pre-line; } p.why { margin: .25rem 0; color: var(--mute); }
nav ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
@media (max-width: 36rem) { table, tbody, tr, td { display: block; } thead { display: none; }
  td { border: 0; padding: .1rem 0; } td.what { width: auto; padding-top: .5rem; }
  td.was:not(:empty)::before { content: "before: "; } td.is::before { content: "after: "; } }
"""


def plan_page(plan: PlanReport, *, at: datetime) -> str:
    """The page as one text of HTML; `at` is when the plan was made, as the reader sees time."""
    parts = [_head(plan, at), *_guard(plan), *_contents(plan)]
    room = WRITES_MAX
    for number, (heading, actions) in enumerate(groups(plan.actions)):
        parts.append(f'<h2 id="g{number}">{escape(heading)}</h2>')
        parts += [_write(plan, action) for action in actions[:room]]
        room = max(0, room - len(actions))
    if len(plan.actions) > WRITES_MAX:
        more = len(plan.actions) - WRITES_MAX
        parts.append(f"<p><strong>{more:,} more writes stand in the plan file only.</strong></p>")
    parts += [*_ties(plan), *_issues(plan), *_waits(plan), foot()]
    return "\n".join(parts)


def _head(plan: PlanReport, at: datetime) -> str:
    title = f"syncjob plan of {plan.connection}"
    made = f"{at:%Y-%m-%d %H:%M %Z}".strip()
    said = [f"Made {made}{_by(plan.origin)}. Nothing was written. Plan {plan.hash}."]
    return "\n".join(
        [
            head(title, _STYLE),
            f"<p class=note>{escape(said[0])}</p>",
            f"<p class=sum><strong>{escape(plan_sentence(plan))}</strong></p>",
            listing(left_out(plan)),
        ]
    )


def _by(origin: Origin | None) -> str:
    if origin is None:
        return ""
    asked = [f"deal {origin.deal} only"] if origin.deal else []
    if origin.max_creates is not None:
        asked.append(f"{origin.max_creates} new invoices at most")
    if origin.since:
        asked.append(f"read again since {origin.since}")
    by = f" by {origin.made_by}" if origin.made_by else ""
    return f"{by}, mode {origin.mode}{''.join(f', {text}' for text in asked)}"


def _guard(plan: PlanReport) -> Iterator[str]:
    if plan.guard:
        yield (
            "<section class=guard><h2>Stopped by the guard</h2>"
            f"{listing(plan.guard)}<p>If it is right all the same: "
            f"<code>syncjob run --accept {escape(plan.hash)}</code> does exactly this plan.</p>"
            "</section>"
        )


def _contents(plan: PlanReport) -> Iterator[str]:
    """What the page holds, to jump to."""
    rows = [
        f'<a href="#g{n}">{escape(text)}</a>' for n, (text, _) in enumerate(groups(plan.actions))
    ]
    named = (("ties", len(plan.ties), "Links"), ("issues", len(plan.issues), "To look at"))
    rows += [f'<a href="#{name}">{text} ({n:,})</a>' for name, n, text in named if n]
    if len(rows) > 1:
        yield f"<nav><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul></nav>"


def _write(plan: PlanReport, action: Action) -> str:
    title = plan.titles.get(action.subject, "")
    rows = "".join(
        f"<tr><td class=what>{escape(name)}</td><td class=was>{escape(before or '')}</td>"
        f"<td class=is>{escape(after)}</td></tr>"
        for name, before, after in changes(action)
    )
    table = (
        "<table><thead><tr><th class=what></th><th>before</th><th>after</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
    return (
        f"<article><h3><span>{escape(headline(action))}</span>"
        f"<span class=id>{escape(f'{action.subject} {title}'.strip())}</span></h3>"
        f"<p class=why>because {escape(action.reason)}</p>{table if rows else ''}</article>"
    )


def _ties(plan: PlanReport) -> Iterator[str]:
    if plan.ties:
        yield f"<h2 id=ties>Records that belong together from now on ({len(plan.ties):,})</h2>"
        yield "<p class=note>Noted in our own state; nothing is sent for it.</p>"
        yield listing(tie_line(tie) for tie in plan.ties[:LISTED_MAX])
        yield _more(len(plan.ties))


def _issues(plan: PlanReport) -> Iterator[str]:
    if plan.issues:
        yield f"<h2 id=issues>To look at ({len(plan.issues):,})</h2>"
        yield from (_issue(plan, issue) for issue in plan.issues[:LISTED_MAX])
        yield _more(len(plan.issues))


def _issue(plan: PlanReport, issue: Issue) -> str:
    name = escape(f"{issue.subject} {plan.titles.get(issue.subject, '')}".strip())
    at = f" ({issue.field})" if issue.field else ""
    return (
        f"<article><h3><span>{link(name, issue.page)}</span>"
        f"<span class=band>{escape(issue.state)}, {escape(issue.code)}</span></h3>"
        f"<p>{escape(issue.what + at)}</p>"
        f"<p class=why>Next: {escape(issue.next_step)}</p></article>"
    )


def _waits(plan: PlanReport) -> Iterator[str]:
    if plan.waits:
        yield f"<h2>Waiting</h2>{listing(waiting_lines(plan.waits))}"


def _more(number: int) -> str:
    return f"<p>... and {number - LISTED_MAX:,} more.</p>" if number > LISTED_MAX else ""
