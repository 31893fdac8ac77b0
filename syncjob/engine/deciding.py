"""The commands that only decide or look: the next batch applies what they put in the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncjob.core.aging import OverdueReport
from syncjob.core.page import PageReport
from syncjob.core.reports import (
    Pause,
    PauseKind,
    StatusReport,
)
from syncjob.core.review import (
    Answer,
    ApplyReport,
    Proposal,
    Refusal,
    Verdict,
)
from syncjob.engine import desk, verdicts
from syncjob.engine.link_doubts import link_doubts
from syncjob.engine.opening import Opening
from syncjob.engine.overdue import report_overdue
from syncjob.engine.page import page_now
from syncjob.engine.status import status_report


class Deciding(Opening):
    """What a command may ask of the state alone; no call to a vendor, no lease."""

    def apply_review(
        self, answers: Sequence[Answer], refused: Sequence[Refusal], *, file: str, who: str,
        reason: str,
    ) -> ApplyReport:  # fmt: skip
        """What a person answered in a review of a match, applied by the next batch."""
        return verdicts.apply_review(
            self.state, answers, refused, file=file, who=who, reason=reason, now=self.clock.now()
        )

    def decide_match(
        self, *, crm_id: str, contact: str | None, verdict: Verdict, who: str, reason: str
    ) -> Proposal:
        """Whether a CRM customer is a ledger contact, applied by the next batch. Raises Park."""
        return verdicts.decide(
            self.state, crm_id=crm_id, contact=contact, verdict=verdict, who=who, reason=reason,
            now=self.clock.now(),
        )  # fmt: skip

    def pause(self, *, only: PauseKind, until: datetime | None, reason: str, who: str) -> Pause:
        """Stop writing from the next write on."""
        now = self.clock.now()
        return desk.pause(self.state, only=only, until=until, reason=reason, who=who, now=now)

    def resume(self, *, only: PauseKind, who: str) -> list[Pause]:
        """Let writes go on."""
        return desk.resume(self.state, only=only, who=who, now=self.clock.now())

    def link_doubts(self, deal: str, number: str) -> list[str]:
        """What speaks against tying this invoice to this deal, in words. Raises Park."""
        return link_doubts(self.state, deal, number)

    def answer(
        self, *, kind: str, subject: str, who: str, reason: str, part: str | None = None
    ) -> None:
        """A person's answer to an issue, applied by the next batch; `part` names one part of the
        deal's schedule."""
        desk.answer(
            self.state, kind=kind, subject=subject, who=who, reason=reason, part=part,
            now=self.clock.now(), schedules=self.config.invoices.schedules,
        )  # fmt: skip

    def overdue(self) -> OverdueReport:
        """What is overdue as of the last batch; no call to a vendor. Raises Park before any."""
        return report_overdue(self.config, self.state, self.clock.now())

    def page(self) -> PageReport:
        """What the report page shows, the money counted anew; no call to a vendor."""
        return page_now(self.config, self.state, self.clock)

    def status(self) -> StatusReport:
        """One screen of facts; no call to a vendor."""
        return status_report(self.config, self.state, self.clock.now())
