"""Every failure by the decision it asks for: try later, park one record, or stop.

The class is the decision, so no caller inspects a message to know what to do. Each error carries
what happened, where, and the next step for a person; `exit_code` is what `syncjob` ends with when
the error ends a command (the table stands in README.md, "Exit codes").
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes a cron job can act on."""

    DONE = 0
    ISSUES = 1
    CONFIG = 2
    CREDENTIALS = 3
    UNREACHABLE = 4
    RUNNING = 5
    GUARD = 6
    PAUSED = 7
    WRONG_ORGANISATION = 8
    STATE = 9
    PLAN_FILE = 10
    BUG = 70


class SyncJobError(Exception):
    """Root of all errors with a message for a person.

    `what` happened (one sentence, the vendor's words quoted in it), `where` (file:path in the
    config, or the record with its link), `next_step` (what to do). None of them holds a secret.
    """

    exit_code: Exit = Exit.BUG

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.next_step = what, where, next_step

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        then = f" {self.next_step}" if self.next_step else ""
        return f"{where}{self.what}{then}"


# --- stop: a person must act, nothing more is written -------------------------------------------


class Stop(SyncJobError):
    """The run ends now; nothing more is sent."""


class ConfigError(Stop):
    """The config cannot be used; `problems` holds one line for each fault found."""

    exit_code = Exit.CONFIG

    def __init__(self, problems: list[str], *, where: str = "", next_step: str = "") -> None:
        super().__init__("\n".join(problems), where="", next_step=next_step)
        self.problems, self.where = problems, where


class WrongFile(Stop):
    """A file that was handed in is not what it should be; nothing of it was taken."""

    exit_code = Exit.CONFIG


class WrongPlan(WrongFile):
    """A plan file that cannot be applied: another connection's, old, edited, cut off or used."""

    exit_code = Exit.PLAN_FILE


class AuthFailed(Stop):
    """The vendor refuses the credentials or a scope; repeating the request cannot help."""

    exit_code = Exit.CREDENTIALS


class WrongOrganisation(Stop):
    """The credentials open another organisation or CRM account than the state was made for."""

    exit_code = Exit.WRONG_ORGANISATION


class GuardTripped(Stop):
    """The plan is larger than allowed; `plan_hash` releases exactly this plan."""

    exit_code = Exit.GUARD

    def __init__(self, what: str, *, plan_hash: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.plan_hash = plan_hash


class Paused(Stop):
    """A person paused the writes (`syncjob pause` or the STOP file)."""

    exit_code = Exit.PAUSED


class LockHeld(Stop):
    """Another process works on this connection."""

    exit_code = Exit.RUNNING


class StateError(Stop):
    """The state file cannot be trusted, read or written (full disk included)."""

    exit_code = Exit.STATE


class RefusedAtDoor(Stop):
    """A write that the mode, the journal or the lease forbids reached transport: a bug stopped."""

    exit_code = Exit.BUG


class Interrupted(Stop):
    """SIGTERM or Ctrl-C: calls on their way were finished, the rest waits for the next batch."""

    exit_code = Exit.ISSUES


# --- try later: the run ends and says when to come back -----------------------------------------


class RetryLater(SyncJobError):
    """Nothing is wrong with the data; `resume_at` (aware UTC) is when to try again."""

    exit_code = Exit.UNREACHABLE

    def __init__(
        self,
        what: str,
        *,
        resume_at: datetime | None = None,
        where: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.resume_at = resume_at


class Throttled(RetryLater):
    """The vendor's limit or our own headroom is reached; the request had no effect."""


class Unreachable(RetryLater):
    """No connection could be made, or reads failed again and again; a write never left."""


class OutcomeUnknown(SyncJobError):
    """A write may or may not have had its effect: the intent stays open and is settled later."""

    exit_code = Exit.ISSUES


# --- park: one record or one stream waits, the rest goes on --------------------------------------


class Park(SyncJobError):
    """One record waits for a person; the rest of the batch goes on."""

    exit_code = Exit.ISSUES


class Held(Park):
    """A business rule keeps the record back; `code` names the rule, `field` the field at fault,
    `about` what a person's `--create` would be given for (core/answers)."""

    def __init__(
        self, code: str, what: str, *, field: str = "", where: str = "", next_step: str = "",
        about: str = "",
    ) -> None:  # fmt: skip
        super().__init__(what, where=where, next_step=next_step)
        self.code, self.field, self.about = code, field, about


class SchemaDrift(Park):
    """An answer does not have the shape it is documented to have: that stream stops, unread."""


class Overflow(Park):
    """A change feed cannot deliver all changes: walk the stream in full."""


class CursorTooOld(Park):
    """The vendor no longer knows this cursor: walk the stream in full."""
