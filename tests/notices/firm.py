"""A firm of one region whose owners are told of overdue invoices, in one process, quickly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests

from syncjob.engine.connection import ConnectionHandle
from syncjob.errors import Park
from syncjob.sandbox.kernel import ActError, Call
from tests.notices.post import HOOK, HookWire, Letter, Post
from tests.sim.features import PLAIN, settings_for
from tests.sim.wire import BASE
from tests.sim.world import World

CURRENCY = {"AU": "AUD", "UK": "GBP", "US": "USD", "NZ": "NZD"}
TAX = {"AU": 10, "UK": 20, "US": 0, "NZ": 15}
MUTE = "Disputed"
#: Everything is walked once a week; the batch that does it may be a day late.
UNSEEN_LONGEST = timedelta(days=8)


@dataclass(frozen=True)
class Wishes:
    """How this firm wants its people told; the model reads this, the program its config."""

    region: str = "AU"
    steps: tuple[int, ...] = (1, 7, 14, 30)
    to: str = "deal_owner"
    fallback: bool = True
    ways: tuple[str, ...] = ("task",)
    digest: bool = False
    weekdays_only: bool = False
    paid: bool = False
    grace_days: int = 0
    ignore_due_below: int = 5

    def settings(self) -> dict[str, Any]:
        """The same as a config."""
        values = settings_for(BASE, "full", "authorised", PLAIN)
        email = {"host": "mail.invalid", "security": "none", "sender": "books@example.com"}
        values["crm"]["inputs"] = {"mute_notices": MUTE}
        values["overdue"] = {
            "grace_days": self.grace_days,
            "ignore_due_below": self.ignore_due_below,
        }
        values["notices"] = {
            "steps": list(self.steps), "to": self.to, "by": list(self.ways),
            "digest": self.digest, "weekdays_only": self.weekdays_only, "paid": self.paid,
            "ways": {"email": email, "slack": f"{HOOK}/services/secret"},
            **({"fallback": "Fay Back"} if self.fallback else {}),
        }  # fmt: skip
        return values


class Firm(World):
    """The world of tests/sim with a mail server, a chat, three sellers and somebody to fall back
    on."""

    def __init__(self, wishes: Wishes, entropy: int = 1, later: timedelta = timedelta()) -> None:
        self.wishes, self.region = wishes, wishes.region
        super().__init__(
            wishes.settings(), entropy,
            {"ledger": {"region": wishes.region}, "crm": {"currency": CURRENCY[wishes.region]}},
        )  # fmt: skip
        self.advance(later)
        self.post = Post(lambda: self.faults.kill())
        for name in ("Ann Lee", "Bob Kay", "Cy Moe", "Fay Back"):
            self.crm("create_user", name=name, email=f"{name.split()[0].lower()}@example.com")
        self.crm("create_field", name=MUTE)
        #: Who may be told, as the program last read it: the users that are active.
        self.known_users: dict[int, dict[str, Any]] = {}
        #: Invoices that somebody changed without their stamp moving, and when: the program learns
        #: of it when it reads them by their id, or within a week (facts: xero, 4).
        #: Who looks after which customer, as the program last read it.
        self.known_owners: dict[int, int] = {}
        self.unseen: dict[str, datetime] = {}
        self.init()

    @contextmanager
    def connection(self) -> Iterator[ConnectionHandle]:
        """Our program, with the mail server in reach."""
        with self.post.open(), super().connection() as handle:
            yield handle

    def _session(self) -> requests.Session:
        session = super()._session()
        session.mount(HOOK, HookWire(self.post))
        return session

    def run(self, *given: Any, **named: Any) -> Any:
        """One batch; the users that it reads are those it knows from then on."""
        last = self.last_call()
        stamped = {i.id: i.updated for i in self.xero.organisation.invoices}
        report = super().run(*given, **named)
        calls = self.host.log.find(since=last)
        self._learned(calls, stamped)
        for row in self.pipedrive.company.all("organizations"):
            if any(_reads_customer(call, row["id"]) for call in calls):
                self.known_owners[row["id"]] = row["owner_id"]
        if any(_reads_users(call) for call in calls):
            self.known_users = {
                u["id"]: dict(u) for u in self.pipedrive.company.all("users") if u["active_flag"]
            }
        return report

    def _learned(self, calls: list[Call], stamped: dict[str, datetime]) -> None:
        """What this batch read by its id, or by a stamp that has moved since, is seen again."""
        for invoice, since in list(self.unseen.items()):
            read = any(call.method == "GET" and invoice in call.path for call in calls)
            if read or stamped[invoice] > since or self.now() - since > UNSEEN_LONGEST:
                del self.unseen[invoice]

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a bookkeeper does, and whether it leaves a stamp."""
        invoices = self.xero.organisation.invoices
        before = {i.id: (i, i.updated) for i in invoices}
        result = super().books(act, **payload)
        for invoice in self.xero.organisation.invoices:
            known = before.get(invoice.id)
            edited = known and known[0] is not invoice and known[1] == invoice.updated
            if edited and self.now() - invoice.updated > timedelta(seconds=1):
                self.unseen[invoice.id] = self.now()
                self.tell("  (its stamp did not move)")
        return result

    def decide(self, kind: str, deal: int) -> None:
        """What somebody types at the command line about a deal."""
        try:
            with self.connection() as handle:
                handle.answer(kind=kind, subject=f"deal:{deal}", who="Ann", reason="a year")
        except Park as unknown:  # no batch has read this deal yet
            raise ActError(unknown.what) from unknown
        self.tell(f"command: {kind} of deal {deal}")

    def keep_state(self) -> None:
        """A backup of the state's database."""
        folder = self.folder / "backup"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in (self.folder / "state").glob("syncjob.db*"):
            if path.suffix != ".seq":
                shutil.copy(path, folder / path.name)
        self.tell("the state is backed up")

    def restore_state(self) -> None:
        """The database of the backup instead of today's."""
        for path in (self.folder / "state").glob("syncjob.db*"):
            if path.suffix != ".seq":
                path.unlink()
        for path in (self.folder / "backup").iterdir():
            shutil.copy(path, self.folder / "state" / path.name)
        self.tell("the backup is restored")

    # --- what people got ----------------------------------------------------------------------

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that stand in the CRM."""
        return list(self.pipedrive.company.all("activities"))

    def letters(self) -> list[Letter]:
        """The messages that arrived."""
        return list(self.post.taken)

    def now(self) -> datetime:
        """The moment."""
        return self.time.now()


def _reads_users(call: Call) -> bool:
    return call.method == "GET" and call.path.endswith("/users")


def _reads_customer(call: Call, key: int) -> bool:
    if call.method != "GET" or "/organizations" not in call.path:
        return False
    ids = dict(call.query).get("ids", "").split(",")
    return str(key) in ids or call.path.endswith(f"/organizations/{key}")
