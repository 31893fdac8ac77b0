"""The commands about issues and about what people decided: from the state alone, no call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncjob.core.issue_reports import Asked, IssuesReport, Which
from syncjob.engine import issues
from syncjob.engine.opening import Opening
from syncjob.state.issues import KnownIssue


class Handling(Opening):
    """What a command may ask about issues; it works while a batch runs."""

    def issues(
        self, *, which: Which = "open", since: datetime | None = None, kind: str | None = None,
        subject: str | None = None,
    ) -> IssuesReport:  # fmt: skip
        """What needs a person, what was put aside, or what has closed since then."""
        return issues.issues_report(
            self.state, self.config.connection.name, self.clock.now(), which=which, since=since,
            kind=kind, subject=subject,
        )  # fmt: skip

    def chosen_issues(
        self, *, numbers: Sequence[int] = (), subject: str | None = None, kind: str | None = None
    ) -> list[KnownIssue]:
        """The open issues that a person means. Raises Park where there is none."""
        return issues.chosen(self.state, numbers=numbers, subject=subject, kind=kind)

    def retry_issues(self, found: Sequence[KnownIssue], *, who: str, reason: str) -> Asked:
        """Have the next batch try these again. Raises Park where each batch does."""
        return issues.retry(self.state, found, who=who, reason=reason, now=self.clock.now())

    def ignore_issues(
        self, found: Sequence[KnownIssue], *, until: datetime | None, who: str, reason: str
    ) -> Asked:
        """Tell nobody of these until then, or (None) until their cause is another."""
        now = self.clock.now()
        return issues.ignore(self.state, found, until=until, who=who, reason=reason, now=now)

    def unignore_issues(self, found: Sequence[KnownIssue], *, who: str, reason: str) -> Asked:
        """Tell of these again. Raises Park where one was not put aside."""
        return issues.unignore(self.state, found, who=who, reason=reason, now=self.clock.now())

    def note_act(
        self, kind: str, *, who: str, reason: str = "", outcome: str = "",
        subject: str = "connection",
    ) -> None:  # fmt: skip
        """Write down what a person did to this connection, beside the books."""
        with self.state.commit():
            self.state.decisions.done(
                kind, subject, who=who, reason=reason, at=self.clock.now(), outcome=outcome
            )
