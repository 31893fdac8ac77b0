"""One world in one process: two servers, the people on both sides, and our program between them.

Time and chance come from one seed. A world can be copied at any moment between two batches, so a
fault late in a history does not replay what came before it.
"""

from __future__ import annotations

import atexit
import copy
import pickle
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import requests
import yaml

from syncjob.config import Config, load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.core.rules.credit import Wish
from syncjob.engine.connection import ConnectionHandle, open_connection
from syncjob.errors import AuthFailed, Exit, Park, Paused, RetryLater, StateError
from syncjob.sandbox.host import Host
from syncjob.sandbox.hubspot import HubSpotServer
from syncjob.sandbox.kernel import ActError, Call, Clock, Entropy, FaultBook
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer
from tests.sim.crms import CRMS, Truth
from tests.sim.doors import install
from tests.sim.faults import Faults, Killed, watching
from tests.sim.features import PLAIN, Features, settings_for
from tests.sim.http_face import Face, SocketWire
from tests.sim.kinds import STATE_KINDS
from tests.sim.leftovers import new_folder
from tests.sim.stopping import obeyed
from tests.sim.watch import Violation, Watch
from tests.sim.wire import BASE, CuttingWire

#: A Monday, noon in Sydney: no day ends by chance within the first hours.
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
#: The servers' clock counts microseconds: who sleeps for less would wait for ever.
TICK_S = 1e-6
#: Longer than any lag or late request; after it nothing from before can still appear.
PATIENCE = timedelta(minutes=16)
CONFIG = "config.yaml"
#: What the guard asks about and people here release: more than five deals lost at once, and the
#: first comparison of customers by a state that is new.
RELEASED = ("drafts would be deleted", "runs for the first time with this state")

install()


class ProgramClock:
    """Our program's clock: the servers', moved by its own sleeping, perhaps off by an hour."""

    def __init__(self, time: Clock, pass_time: Callable[[float], None]) -> None:
        self.time, self.pass_time, self.skew = time, pass_time, timedelta(0)

    def now(self) -> datetime:
        """The instant that this machine believes in."""
        return self.time.now() + self.skew

    def monotonic(self) -> float:
        """Seconds that only go on."""
        return self.time.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Sleep; a run never sleeps for longer than a minute at once (DESIGN 3)."""
        assert seconds <= 60, f"slept for {seconds} seconds"
        self.pass_time(max(seconds, TICK_S))


@dataclass(frozen=True)
class Deed:
    """What a person did, on which side, when, and the record that it left."""

    at: datetime
    side: str
    act: str
    payload: dict[str, Any]
    result: dict[str, Any] = field(hash=False)
    #: While our program was at work, or a request of ours on its way to this side.
    within: bool = False
    #: What the fields of an edited customer said before.
    before: dict[str, str] = field(default_factory=dict, hash=False)
    #: From when on the server's reads show it; None: at once.
    shown: datetime | None = None


class World:
    """Made by `new_world` or by `copy`; `close` removes its files."""

    def __init__(
        self, settings: dict[str, Any], entropy: int, options: dict[str, Any],
        features: Features = PLAIN, crm: str = "pipedrive",
    ) -> None:  # fmt: skip
        self.settings, self.features, self.vendor = settings, features, CRMS[crm]
        self.time, book = Clock(START), FaultBook()
        ledger = {"region": "AU", "limits": None, "lag_max_s": 0, **options.get("ledger", {})}
        self.xero = XeroServer(self.time, Entropy(entropy), LedgerOptions(**ledger), book)
        chance = Entropy(entropy + 1)
        self.server = self.vendor.server(self.time, chance, book, options.get("crm", {}))
        self.truth: Truth = self.vendor.truth(self.server)
        self.host = Host([self.xero, self.server], self.time, book, sleep=self.time.advance)
        self.clock = ProgramClock(self.time, self.pass_time)
        self.rng, self.keys = Random(entropy), 0
        self.deeds: list[Deed] = []
        self.story: list[str] = []
        self.watch = Watch()
        #: Until when a vendor has asked us to stay away.
        self.away_until = START
        #: Since when what the state knew is gone (it then leaves drafts to people).
        self.state_lost = False
        #: Why deals are held at the end, counted: nothing may hide there.
        self.held: Counter[str] = Counter()
        #: What the last batch said is open: (subject, code).
        self.issues: frozenset[tuple[str, str]] = frozenset()
        #: The credit notes that people asked for, by deal: the words of each command.
        self.credits: dict[int, set[str]] = {}
        #: Whether our program is at work.
        self.running = False
        #: The most records that a vendor's list gives at once, if fewer than it is asked for.
        self.page_max: int | None = None
        #: What befell this world between its batches, counted.
        self.turns: Counter[str] = Counter()
        #: Since when a person's STOP file stands beside the state.
        self.stopped_at: datetime | None = None
        #: The port on which its servers answer, where real sockets lie between.
        self.face: Face | None = None
        text = yaml.safe_dump(settings)
        self._place(_config(text))
        (self.folder / CONFIG).write_text(text, encoding="utf-8")  # a backup has it in it

    def _place(self, config: Config) -> None:
        self.folder, self.faults = new_folder("sim"), Faults()
        self.faults.tell, self.faults.world = self.tell, self
        self.config = config.model_copy(update={"path": self.folder / CONFIG})

    @property
    def pipedrive(self) -> PipedriveServer:
        """The CRM's server in a world of Pipedrive."""
        assert isinstance(self.server, PipedriveServer)
        return self.server

    @property
    def hubspot(self) -> HubSpotServer:
        """The CRM's server in a world of HubSpot."""
        assert isinstance(self.server, HubSpotServer)
        return self.server

    def copy(self) -> World:
        """Another world in which everything so far has happened, and which goes its own way."""
        twin = copy.copy(self)
        twin.host = pickle.loads(pickle.dumps(self.host, -1))  # a tenth of deepcopy's time
        twin.host._sleep = twin.host.clock.advance
        twin.time, ledger = twin.host.clock, twin.host.servers["xero"]
        assert isinstance(ledger, XeroServer)
        twin.xero, twin.server = ledger, twin.host.servers[self.vendor.name]
        twin.truth = self.vendor.truth(twin.server)
        twin.clock = ProgramClock(twin.time, twin.pass_time)
        twin.clock.skew = self.clock.skew
        twin.rng = copy.deepcopy(self.rng)
        twin.deeds, twin.story = list(self.deeds), list(self.story)
        twin.watch, twin.held = self.watch.copy(), Counter()
        twin.turns, twin.face = Counter(self.turns), None
        twin.credits = {deal: set(words) for deal, words in self.credits.items()}
        twin._place(self.config)
        shutil.copytree(self.folder, twin.folder, dirs_exist_ok=True)
        return twin

    def close(self) -> None:
        """Remove the state."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- our program --------------------------------------------------------------------------

    @contextmanager
    def connection(self) -> Iterator[ConnectionHandle]:
        """Our program, opened for one command."""
        with open_connection(
            self.config, clock=self.clock, session=self._session, rng=self.rng,
            new_key=self._new_key,
        ) as handle:  # fmt: skip
            yield handle

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # nothing of this machine counts, and it is slow to look
        given = (self.host, self.faults, self.pass_time, self._written, self.vendor.reads,
                 self.page_max)  # fmt: skip
        wire = CuttingWire(*given) if self.face is None else SocketWire(self.face, *given)
        session.mount("https://", wire)
        return session

    def _written(self) -> None:
        self.watch.after_late(self)

    def _new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}-{self.rng.getrandbits(64):016x}"

    def init(self) -> None:
        """Create the CRM's fields, and let the new state's patience pass."""
        with self.connection() as handle:
            handle.init_fields(create=True)
        for _ in range(2):  # a new state reads the ledger again when it may trust its lists
            self.run()
            self.advance(PATIENCE)

    def run(
        self, armed: dict[int, str] | None = None, at_writes: dict[int, str] | None = None
    ) -> BatchReport | None:
        """One batch, perhaps with faults; None if it was killed or its disk was full."""
        return self.work(self._batch, armed, at_writes)

    def work(
        self,
        command: Callable[[ConnectionHandle], BatchReport | None],
        armed: dict[int, str] | None = None,
        at_writes: dict[int, str] | None = None,
    ) -> BatchReport | None:
        """One command, as `run`."""
        with self._at_work(armed, at_writes):
            with self.connection() as handle:
                report = command(handle)
            if report is not None:
                self.issues = frozenset((issue.subject, issue.code) for issue in report.issues)
                self._tell_report(report)
            return report
        return None

    def _batch(self, handle: ConnectionHandle) -> BatchReport:
        last = self.last_call()
        report = handle.run(RunOptions(who="a simulation"))
        said = str(report.stopped_by)
        if report.exit_code == Exit.GUARD and (written := self.writes_since(last)):
            raise Violation("guard", f"tripped, and wrote: {[(c.method, c.path) for c in written]}")
        if report.exit_code == Exit.GUARD and any(why in said for why in RELEASED):
            self.tell(f"  batch: {said}; a person releases it")
            report = handle.run(RunOptions(who="Ann", accept=report.plan_hash))
        return report

    @contextmanager
    def _at_work(
        self, armed: dict[int, str] | None = None, at_writes: dict[int, str] | None = None
    ) -> Iterator[None]:
        """Our program runs here, perhaps with faults; being killed or a full disk ends it."""
        last = self.last_call()
        self.faults.begin()
        self.faults.armed, self.faults.at_writes = dict(armed or {}), dict(at_writes or {})
        self.watch.batch_begins(self)
        self.running = True
        try:
            with watching(self.faults):
                yield
        except Killed:
            self.tell("  batch: killed")
        except StateError as error:
            if not self.faults.met(*STATE_KINDS):
                raise
            self.tell(f"  batch: {error.what}")
        finally:
            self.running = False
        self.faults.armed, self.faults.at_writes = {}, {}
        self.host.faults.clear()
        obeyed(self, last)
        self.watch.batch_ended(self)

    def credit(
        self, deal: int, amount: str, armed: dict[int, str] | None = None,
        at_writes: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        """`syncjob credit` at a person's word, perhaps with faults."""
        wish = Wish(how="amount", reason="broken", amount=Decimal(amount))
        self.credits.setdefault(deal, set()).add(amount)
        self.tell(f"syncjob credit {deal} --amount {amount}")
        with self._at_work(armed, at_writes):
            try:
                with self.connection() as handle:
                    made = handle.credit(
                        str(deal), wish, part=None, write=True, who="Ann", expect=None
                    )
                self.tell(f"    {made.reference}: {made.total}, known {made.known}")
            except (Park, RetryLater, AuthFailed, Paused) as error:
                self.tell(f"    {error.what}")

    def _tell_report(self, report: BatchReport) -> None:
        if report.resume_at is not None:
            self.away_until = max(self.away_until, report.resume_at - self.clock.skew)
        stopped = str(report.stopped_by).replace(str(self.folder), "")  # of any name
        self.tell(f"  batch: {report.result} ({report.exit_code}) {report.counts} {stopped}")
        for issue in report.new_issues:
            self.tell(f"    issue {issue.subject} {issue.code}: {issue.what}")

    def advance(self, by: timedelta) -> None:
        """Time passes; what was late arrives."""
        self.pass_time(by.total_seconds())

    def pass_time(self, seconds: float) -> None:
        """Let each late request arrive at its own moment, not at the end of a long wait."""
        end = self.time.now() + timedelta(seconds=seconds)
        while True:
            due = min((entry[0] for entry in self.host._late), default=end)
            if due >= end:
                break
            self.time.set(max(due, self.time.now()))
            self._settle_late()
        self.time.set(end)
        self._settle_late()

    def _settle_late(self) -> None:
        """What was late and is due arrives now, and is judged by when it was sent."""
        now = self.time.now()
        sent = [call.at for due, _, _, call in self.host._late if due <= now]
        if sent:
            self.host.settle_late()
            self.watch.after_late(self, min(sent))

    def lose_state(self) -> None:
        """The state's files are gone (tokens live elsewhere and stay)."""
        for path in (self.folder / "state").glob("syncjob.db*"):
            path.unlink()
        self.state_lost = True
        self.tell("the state is lost")

    @property
    def rules(self) -> bool:
        """Whether admins of the CRM have made rules that bind every write."""
        return self.vendor.name == "hubspot" and bool(self.hubspot.store.rules)

    # --- people -------------------------------------------------------------------------------

    def crm(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a sales person does. Raises ActError if it cannot be done."""
        return self._act(self.vendor.name, act, payload)

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a bookkeeper does. Raises ActError if it cannot be done."""
        return self._act("xero", act, payload)

    def _act(self, side: str, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        from tests.sim.judge_contacts import as_it_is, shown_from

        self._settle_late()
        self.watch.after_late(self)  # what the calendar made of a template is nobody's deed
        within = self.running or any(late[1] == side for late in self.host._late)
        before = as_it_is(self, act, payload) if self.features.contacts else {}
        result = self.host.servers[side].people(act, payload)
        shown = shown_from(self, payload)
        deed = Deed(self.time.now(), side, act, payload, result, within, before, shown)
        self.deeds.append(deed)
        self.tell(f"{'books' if side == 'xero' else 'sales'}: {act} {_short(payload)}")
        self.watch.people_acted(self)
        return result

    def attempt(self, deed: Callable[[World], object]) -> bool:
        """Let a person try something; False if it cannot be done now."""
        try:
            deed(self)
        except ActError as error:
            self.tell(f"(not possible: {error})")
            return False
        return True

    def tell(self, words: str) -> None:
        """One line of this world's history."""
        self.story.append(f"{self.time.now():%d %H:%M:%S} {words}")

    def writes_since(self, number: int) -> list[Call]:
        """The writes that reached a server after this call; asking for a token is none."""
        return [
            call
            for call in self.host.log.find(since=number)
            if not self.vendor.reads(call.method, call.path) and "/connect/token" not in call.path
        ]

    def last_call(self) -> int:
        """The number of the newest call."""
        calls = self.host.log.find()
        return calls[-1].n if calls else 0


def _short(payload: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in payload.items())


@cache
def _config(text: str) -> Config:
    register_all()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path)


_ready: dict[str, World] = {}


def new_world(
    *, mode: str = "drafts_only", status: str = "draft", ledger: dict[str, Any] | None = None,
    crm: dict[str, Any] | None = None, entropy: int = 1, features: Features = PLAIN,
    vendor: str = "pipedrive",
) -> World:  # fmt: skip
    """A firm with empty books whose connection is set up; made once per kind, then copied."""
    options = {"ledger": ledger or {}, "crm": crm or {}}
    key = repr((mode, status, sorted(options.items(), key=str), entropy, features, vendor))
    if key not in _ready:
        settings = settings_for(BASE, mode, status, features, vendor)
        world = World(settings, entropy, options, features, vendor)
        world.init()
        _ready[key] = world
        atexit.register(world.close)
    return _ready[key].copy()
