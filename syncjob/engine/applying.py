"""`apply`: a batch that writes what stands in a plan file, as far as it is still that, and no more.

It reads both sides, decides everything anew, and sends what is in both plans. What changed since
is an issue, stays for the next batch, and is never sent. Keeps invariants 1, 3, 10 and 12 by the
very push that a run uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from syncjob.config import Config
from syncjob.core.actions import Action
from syncjob.core.applying import (
    FINAL,
    AppliedReport,
    Fresh,
    Item,
    beside,
    counted,
    ended,
    judge,
    skipped_issues,
    to_send,
)
from syncjob.core.comparing import Days, Difference, compare, done_as, key_of
from syncjob.core.plan_file import PlanFile, foreign_side, refuse_foreign, used
from syncjob.core.records import Contact, Deal
from syncjob.core.reports import Origin, Tie
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch, decided_by, mapping_hash
from syncjob.engine.contacts.stage import COMPARED, fill_contacts, takes_part, title_of
from syncjob.engine.fill import fill
from syncjob.engine.identify import PINS
from syncjob.engine.planning import Plan
from syncjob.engine.run import close, read
from syncjob.engine.steps import send
from syncjob.engine.weighing import make_plan, release, weigh
from syncjob.errors import ConfigError, Exit, GuardTripped, SyncJobError
from syncjob.state.database import State

#: The fact that nothing is left to do of the file with this seal: when, in which batch, by whom.
_USED = "plan_file:"


# --- where a plan is made --------------------------------------------------------------------


def here(config: Config, state: State, now: datetime) -> Origin:
    """This connection as it is now, to compare a plan's origin with; ids are empty where the state
    has not met the account yet."""
    fact = state.book.fact
    return Origin(
        connection=config.connection.name, code=config.connection.code, mode=config.mode,
        crm=fact(PINS["crm"]) or "", ledger=fact(PINS["ledger"]) or "",
        config=decided_by(config), made_at=now,
    )  # fmt: skip


def origin_of(batch: Batch) -> Origin:
    """Where and when a plan of this batch is made, and what it was asked for."""
    asked = batch.options
    return msgspec.structs.replace(
        here(batch.config, batch.state, batch.started), made_by=asked.who, today=batch.today,
        deal=asked.deal, max_creates=asked.max_creates, since=asked.since,
    )  # fmt: skip


def ties_of(batch: Batch) -> tuple[Tie, ...]:
    """The links that this batch made by reading alone."""
    rows = batch.state.audit.rows_of(batch=batch.id)
    return tuple(
        Tie(subject=row.subject, ledger=row.after, why=row.reason, title=_title(batch, row.subject))
        for row in rows
        if row.side == "us" and row.field == "link" and row.after
    )


def _title(batch: Batch, subject: str) -> str:
    if subject.startswith("contact:"):
        return title_of(batch, subject)
    deal = batch.state.snapshots.get("crm", "deals", subject.removeprefix("deal:"), Deal)
    return one_line(deal.title) if deal else ""


# --- before anything is read -----------------------------------------------------------------


def refuse(
    config: Config, state: State, file: PlanFile, *, name: str, accept: str | None, now: datetime
) -> None:
    """What needs no call to be refused. Raises WrongPlan, GuardTripped, ConfigError."""
    if config.mode == "read_only":
        raise ConfigError(
            ["mode: is read_only, so nothing is written"], where=str(config.path),
            next_step="Set mode to drafts_only or full, and make the plan anew.",
        )  # fmt: skip
    refuse_foreign(file, here(config, state, now), name)
    known = state.book.fact(_USED + file.seal)
    if known is not None:
        at, batch, who = known.split(" ", 2)
        raise used(name, datetime.fromisoformat(at), who, int(batch))
    if accept is not None and accept != file.plan.hash:
        raise GuardTripped(
            f"The plan in this file is {file.plan.hash}, not {accept}.", where=name,
            plan_hash=file.plan.hash, next_step="Look at the plan, and accept the one that it is.",
        )  # fmt: skip


# --- the batch -------------------------------------------------------------------------------


def apply_plan(batch: Batch, file: PlanFile, name: str) -> AppliedReport:
    """One batch that does what the file says; what stopped it stands in the report.

    Raises WrongPlan where the accounts turn out to be others, StateError, and bugs.
    """
    batch.log.info("batch.started", mode=batch.config.mode, dry_run=False, plan=file.plan.hash)
    applying = _Applying(batch, file, name)
    stopped: SyncJobError | None = None
    try:
        applying.run()
    except SyncJobError as error:
        if error.exit_code in (Exit.STATE, Exit.BUG, Exit.PLAN_FILE):
            raise
        stopped = error
    return applying.end(stopped)


class _Applying:
    """One application of one file."""

    def __init__(self, batch: Batch, file: PlanFile, name: str) -> None:
        self.batch, self.file, self.name = batch, file, name
        self.planned = file.plan.actions
        self.items = [Item(action=a, fate="waits") for a in self.planned]
        self.wanted = {key_of(action): action for action in self.planned}
        self.other: dict[tuple[str, ...], tuple[Difference, ...]] = {}
        self.moved: dict[str, dict[str, str]] = {}
        self.left = 0
        self.days = Days(planned=batch.started.date(), today=batch.started.date())

    def run(self) -> None:
        """Read, decide, compare, send."""
        batch = self.batch
        read(batch)
        foreign_side(self.file, here(batch.config, batch.state, batch.started), self.name)
        self._want(self.planned)
        self.days = Days(planned=self.file.origin.today or batch.today, today=batch.today)
        named = {action.subject for action in self.planned}
        deals = fill(batch, first=_named(named, "deal:"))
        fresh = make_plan(batch, deals, fill_contacts(batch, first=_named(named, "contact:")))
        self.items, self.moved = judge(
            self.planned, self._as_values(fresh), self._done_since(), self._ours
        )
        self.left = beside(self.planned, fresh.actions)
        plan = self._chosen(fresh)
        self._guard(plan)
        self._write_down()
        send(batch, plan)

    def end(self, stopped: SyncJobError | None) -> AppliedReport:
        """Say what became of each write, keep what was skipped for the next batch, and close."""
        batch = self.batch
        states = {key_of(i.action): i.state for i in batch.state.journal.of_batch(batch.id)}
        parked = batch.state.book.parked_for([a.target for a in self.planned])
        self.items = ended(self.items, states, parked, self.other, whole=stopped is None)
        skipped = [item.action for item in self.items if item.fate in ("changed", "over")]
        with batch.state.commit():
            batch.raise_issues(skipped_issues(self.items, self._pages(skipped)))
            self._close_file()
        self._want(skipped)
        report = close(batch, stopped=stopped)
        return AppliedReport(
            batch=report, plan=self.file.plan.hash, origin=self.file.origin,
            items=tuple(self.items), counts=counted(self.items), left=self.left,
            titles=self.file.plan.titles,
        )  # fmt: skip

    # --- deciding what is sent ------------------------------------------------------------------

    def _want(self, actions: Iterable[Action]) -> None:
        """Have the records of these writes decided, also where they seem settled."""
        subjects = dict.fromkeys(action.subject for action in actions)
        why = "it stands in a plan that was applied"
        with self.batch.state.commit():
            self.batch.state.snapshots.want(_named(subjects, "deal:"), why)
            self.batch.state.contacts.want(_named(subjects, "contact:"), why)

    def _as_values(self, fresh: Plan) -> Fresh:
        return Fresh(
            actions=fresh.actions, waits=fresh.waits, issues=fresh.issues, stories=fresh.stories,
            days=self.days,
        )  # fmt: skip

    def _done_since(self) -> set[tuple[str, ...]]:
        """What other batches have written since the plan was made, just as it says."""
        done = self.batch.state.journal.done_since(self.file.origin.made_at)
        return {
            key_of(i.action)
            for i in done
            if (planned := self.wanted.get(key_of(i.action))) is not None
            and done_as(planned, i.action, self._ours)
        }

    def _ours(self, record: str) -> bool:
        """Whether this ledger contact, or CRM record, is one that the plan itself was to create."""
        get = self.batch.state.snapshots.get
        known = [get(side, "contacts", record, Contact) for side in ("ledger", "crm")]
        made = {action.marker for action in self.planned if action.creates and action.marker}
        return any(contact.marker in made for contact in known if contact)

    def _chosen(self, fresh: Plan) -> Plan:
        """The plan of now with nothing in it but what the file holds."""
        chosen = to_send(self.items, fresh.actions)
        plan = msgspec.structs.replace(
            fresh, actions=chosen, hash=self.file.plan.hash, holds=self._holds,
            applied=f"plan {self.file.plan.hash}, applied by {self._who}",
            replaced=fresh.replaced if any(a.kind.endswith(".update") for a in chosen) else 0,
        )  # fmt: skip
        self.batch.plan_hash = plan.hash
        weigh(self.batch, plan)
        return plan

    def _holds(self, action: Action) -> bool:
        """Whether a write, decided with what the vendors have answered by now, is still the one
        that was seen; if not, it is left to the next batch with what differs."""
        planned = self.wanted.get(key_of(action))
        if planned is None:
            return False
        moved = self.moved.get(action.subject, {})
        changed, _ = compare(planned, action, self.days, moved, self._ours)
        if changed:
            self.other[key_of(action)] = tuple(changed)
        return not changed

    def _guard(self, plan: Plan) -> None:
        """The guard weighs what would be sent; to have been written to a file releases nothing.

        Raises GuardTripped.
        """
        if self.batch.options.accept is not None:  # it is this file's: `refuse` has looked
            release(self.batch, plan)
        elif plan.guard:
            raise GuardTripped(
                "Nothing was written: " + " ".join(plan.guard), plan_hash=plan.hash,
                next_step=f"If a person has looked at this plan, `syncjob apply {self.name} "
                f"--accept {plan.hash}` releases it.",
            )  # fmt: skip

    # --- keeping what was done ------------------------------------------------------------------

    @property
    def _who(self) -> str:
        return self.batch.options.who or "somebody"

    def _write_down(self) -> None:
        """Who applies which plan, before the first write."""
        batch, origin = self.batch, self.file.origin
        made = f"made {origin.made_at:%Y-%m-%d %H:%M} UTC by {origin.made_by or 'somebody'}"
        hash = self.file.plan.hash
        batch.log.warning("plan.applied", plan=hash, who=self._who, made=made)
        with batch.state.commit():
            batch.state.book.record(
                batch=batch.id, at=batch.clock.now(), side="us", target=f"plan:{hash}",
                subject="connection", changes={"applied": (None, hash)},
                reason=f"applied by {self._who} from {self.name}, {made}", intent=None,
            )  # fmt: skip
            batch.state.decisions.done(
                f"apply:{hash}", "connection", who=self._who, reason=batch.options.reason,
                at=batch.clock.now(), batch=batch.id, outcome=f"{self.name}, {made}",
            )  # fmt: skip

    def _close_file(self) -> None:
        """The file is used up once nothing of it is left to do; what the file did not show of
        changed rules and new contact sync is asked about anew. Call it inside a commit."""
        batch, book = self.batch, self.batch.state.book
        if not all(item.fate in FINAL for item in self.items):
            return
        now = batch.clock.now().isoformat()
        book.note(_USED + self.file.seal, f"{now} {batch.id} {self._who}")
        if self.left or any(item.fate not in ("done", "already") for item in self.items):
            return
        book.note("mapping_hash", mapping_hash(batch.config))
        if takes_part(batch) and not (batch.late or batch.more):
            book.note(COMPARED, now)

    def _pages(self, actions: Sequence[Action]) -> dict[str, str | None]:
        get = self.batch.state.snapshots.get
        pages: dict[str, str | None] = {}
        for subject in {action.subject for action in actions}:
            kind, _, name = subject.partition(":")
            record = get("crm", f"{kind}s", name, Deal if kind == "deal" else Contact)
            pages[subject] = record.page if record else None
        return pages


def _named(subjects: Iterable[str], kind: str) -> list[str]:
    return [subject.removeprefix(kind) for subject in subjects if subject.startswith(kind)]
