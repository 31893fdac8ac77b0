"""A cancellation in words: which drafts go, which papers stay and why."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.core.cancelling import CancelReport, Fate, Paper

_FATES: dict[Fate, tuple[str, str]] = {
    "delete": ("would be deleted", "is deleted"),
    "open": ("is not deleted (yet)", "is not deleted (yet)"),
    "stays": ("stays", "stays"),
    "gone": ("", ""),
}


def cancel_lines(report: CancelReport) -> Iterator[str]:
    """Each paper with what becomes of it, then what that means for the deal."""
    for paper in report.papers:
        yield f"{_name(paper)} {_FATES[paper.fate][report.written]}".rstrip() + _why(paper)
        if paper.next_step:
            yield f"    next: {paper.next_step}"
        if paper.page and paper.fate in ("stays", "open"):
            yield f"    {paper.page}"
    yield from _deal(report)


def _name(paper: Paper) -> str:
    total = f" over {paper.total:,.2f} {paper.currency}" if paper.total is not None else ""
    return f"The {paper.kind} {paper.name}{total} ({paper.status})"


def _why(paper: Paper) -> str:
    if not paper.why:
        return "."
    return f": {paper.why}."


def _deal(report: CancelReport) -> Iterator[str]:
    name = f"deal {report.deal}" + (f" {report.title}" if report.title else "")
    if report.written and report.count("delete"):
        yield f"The {name} is held as cancelled; `syncjob reissue {report.deal}` issues it anew."
        yield "Next: the next batch says so on the deal."
    elif report.count("delete"):
        yield f"The {name} would then be held as cancelled, until `syncjob reissue {report.deal}`."
    elif report.known:
        yield f"The {name} was cancelled {report.known.rstrip('.')}. Nothing is left to do."
    else:
        yield f"Nothing of the {name} can be cancelled."
