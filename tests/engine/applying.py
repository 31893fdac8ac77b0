"""Plans that are written to a file and applied, for tests."""

from __future__ import annotations

from typing import Any

from syncjob import __version__
from syncjob.core.applying import AppliedReport
from syncjob.core.plan_file import read_plan, write_plan
from syncjob.core.reports import RunOptions
from tests.engine.world import World

NAME = "plan.json"


def plan_text(w: World, **options: Any) -> str:
    """The file that `plan -o` writes."""
    return write_plan(w.plan(**options), __version__)


def apply(w: World, text: str, **options: Any) -> AppliedReport:
    """What `apply` does with the text of a file."""
    file = read_plan(text, NAME, __version__)
    with w.connection() as handle:
        return handle.apply(file, NAME, RunOptions(who="Ann", **options))


def fates(report: AppliedReport) -> dict[str, str]:
    """What became of each write: by kind and target."""
    return {f"{i.action.kind} {i.action.target}": i.fate for i in report.items}


def codes_of(report: AppliedReport) -> dict[str, str]:
    """The issues of what was skipped: code by subject."""
    issues = report.batch.issues
    return {i.subject: i.code for i in issues if i.code.startswith("plan_")}
