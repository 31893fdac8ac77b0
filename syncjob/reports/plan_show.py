"""A plan, and what became of one that was applied, on a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.markup import escape

from syncjob.core.applying import SKIPPED, AppliedReport, Item
from syncjob.core.reports import BatchReport, PlanReport
from syncjob.reports.plan_words import (
    action_lines,
    applied_sentence,
    fate_lines,
    groups,
    left_out,
    plan_sentence,
    redated,
    tie_line,
)
from syncjob.reports.terminal import ROWS_MAX, show_batch, show_issues
from syncjob.reports.words import waiting_lines

#: How many writes of one kind are shown before the rest is counted (`--all` shows every one), so
#: that each kind is seen.
GROUP_ROWS_MAX = 15


def show_plan(out: Console, plan: PlanReport, *, every: bool = False, why: bool = False) -> None:
    """What a batch would do, each item with its reason, and the hash that releases it."""
    for heading, actions in groups(plan.actions):
        out.print(f"[bold]{escape(heading)}[/]")
        for action in actions if every else actions[:GROUP_ROWS_MAX]:
            title = plan.titles.get(action.subject, "")
            out.print(escape("\n".join(action_lines(action, title))))
        _rest(out, len(actions), GROUP_ROWS_MAX, every)
    _ties(out, plan, every)
    show_issues(out, plan.issues, plan.titles, every=every)
    for text in waiting_lines(plan.waits):
        out.print(escape(text))
    if why:
        told = ((subject, story) for subject, story in plan.stories.items() if story)
        for subject, story in told:
            out.print(escape("\n    ".join((f"{subject}:", *story))))
    out.print(f"[bold]{escape(plan_sentence(plan))}[/]")
    for line in left_out(plan):
        out.print(escape(line))
    for verdict in plan.guard:
        out.print(escape(f"Guard: {verdict}"))
    if plan.guard:
        out.print(escape(f"Release exactly this plan: syncjob run --accept {plan.hash}"))
    elif plan.actions:
        out.print(f"Plan {plan.hash}. Nothing was written.")


def _ties(out: Console, plan: PlanReport, every: bool) -> None:
    if plan.ties:
        out.print(f"[bold]Records that belong together from now on ({len(plan.ties):,})[/]")
    for tie in plan.ties if every else plan.ties[:GROUP_ROWS_MAX]:
        out.print(escape(tie_line(tie)))
    _rest(out, len(plan.ties), GROUP_ROWS_MAX, every)


def show_applied(out: Console, report: AppliedReport, *, every: bool = False) -> None:
    """What became of the plan: what was skipped and why, what was re-dated, then the batch."""
    skipped = [item for item in report.items if item.fate in SKIPPED]
    _skipped(out, report, skipped, every)
    dates = list(redated(report))
    for line in dates if every else dates[:GROUP_ROWS_MAX]:
        out.print(escape(line))
    _rest(out, len(dates), GROUP_ROWS_MAX, every)
    show_batch(out, _told_once(report.batch), every=every)
    out.print(f"[bold]{escape(applied_sentence(report))}[/]")
    if report.to_do:
        out.print("Apply the same file again for what is still to do, or let the next batch do it.")
    if report.left or skipped:
        out.print(escape(_next(report, len(skipped))))


def _told_once(batch: BatchReport) -> BatchReport:
    """The batch without the issues of what was skipped, which is told write by write."""
    codes = SKIPPED.values()
    return msgspec.structs.replace(
        batch,
        issues=tuple(issue for issue in batch.issues if issue.code not in codes),
        new_issues=tuple(issue for issue in batch.new_issues if issue.code not in codes),
    )


def _skipped(out: Console, report: AppliedReport, skipped: Sequence[Item], every: bool) -> None:
    for item in skipped if every else skipped[:ROWS_MAX]:
        title = report.titles.get(item.action.subject, "")
        out.print(escape("\n".join(fate_lines(item, title))))
    _rest(out, len(skipped), ROWS_MAX, every)


def _next(report: AppliedReport, skipped: int) -> str:
    """What the file does not do, and who does."""
    parts = []
    if skipped:
        parts.append("what was skipped")
    if report.left:
        more = "1 write" if report.left == 1 else f"{report.left:,} writes"
        parts.append(f"{more} that the plan does not hold")
    return f"The next batch decides on {' and '.join(parts)}: `syncjob plan` shows it."


def _rest(out: Console, number: int, most: int, every: bool) -> None:
    if not every and number > most:
        out.print(f"... and {number - most:,} more (--all shows them)")
