"""Worlds in which our program is there twice, or is let in by consent: two connections, one app.

The second connection is of another CRM. Both share the machine, its folder of tokens, the ledger's
server and the people; each has its own state, its own watch, and is judged for itself.
"""

from __future__ import annotations

import atexit
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import yaml

from syncjob.config import load_config
from syncjob.core.reports import BatchReport
from syncjob.sandbox.kernel import Entropy
from syncjob.sandbox.xero.server import XeroServer
from syncjob.sandbox.xero.world import Organisation
from syncjob.state.vault import Vault
from syncjob.transport.ports import Token
from tests.sim.crms import CRMS
from tests.sim.features import PLAIN, Features, settings_for
from tests.sim.judge import recover
from tests.sim.watch import Violation, Watch
from tests.sim.wire import BASE
from tests.sim.world import ProgramClock, World

WEB = "sandbox-web"
#: Longer than an access token lives (Xero: half an hour), so that each batch renews it.
LAPSE = timedelta(minutes=31)
OTHER = {"pipedrive": "hubspot", "hubspot": "pipedrive"}
CODE = "SK"
ENTROPY = 77


class BooksOf:
    """The ledger's server as one of its organisations sees it."""

    def __init__(self, server: XeroServer, key: str) -> None:
        self.server, self.key = server, key

    @property
    def organisation(self) -> Organisation:
        """The books that this connection is for."""
        return self.server.organisations[self.key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)


@dataclass(frozen=True)
class Wish:
    """How the program stands in this world."""

    #: Let in by a person's consent, with refresh tokens that rotate.
    consent: bool = False
    #: A second connection, to the same organisation or to another one of the app's.
    second: str | None = None


class Twofold(World):
    """A world that may have a second connection; `partner` is that one's view of it."""

    partner: Partner | None = None
    wish: Wish = Wish()

    def copy(self) -> Twofold:
        """As World.copy, with the partner on the same copied servers."""
        twin = super().copy()
        assert isinstance(twin, Twofold)
        if self.partner is not None:
            twin.partner = self.partner.beside(twin)
        return twin

    def run_partner(self, armed: dict[int, str] | None = None) -> BatchReport | None:
        """A batch of the second connection, perhaps with faults."""
        assert self.partner is not None
        self.partner.watch.batch_begins(self.partner)
        return self.partner.run(armed)

    def _act(self, side: str, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        result = super()._act(side, act, payload)
        if self.partner is not None:
            self.partner.watch.people_acted(self.partner)
        return result


class Partner(World):
    """The second connection's view: its own CRM, state and watch in the first one's world."""

    def __init__(self, host: Twofold, settings: dict[str, Any], books: str) -> None:
        self.__dict__.update(host.__dict__)
        self.first = host
        self.vendor = CRMS[OTHER[host.vendor.name]]
        self.settings, self.features = settings, PLAIN
        book = host.host.faults
        self.server = self.vendor.server(host.time, Entropy(ENTROPY), book, {})
        self.books_key = books
        self._mount()
        self.clock = ProgramClock(host.time, self.pass_time)
        self.rng, self.keys = Random(ENTROPY), 1_000_000
        self.watch, self.held = Watch(), Counter()
        self.away_until, self.state_lost = host.away_until, False
        self.issues, self.credits = frozenset(), {}
        self._configure()

    def _mount(self) -> None:
        """Put the CRM beside the servers that are there."""
        host = self.first.host
        if self.server.name not in host.servers:
            host.servers[self.server.name] = self.server
            host._locks[self.server.name] = type(next(iter(host._locks.values())))()
        self.server = host.servers[self.server.name]
        self.truth = self.vendor.truth(self.server)
        xero: Any = BooksOf(self.first.xero, self.books_key)
        self.xero = xero

    def _configure(self) -> None:
        self.folder, self.faults = self.first.folder, self.first.faults
        path = self.folder / "second.yaml"
        if not path.exists():
            path.write_text(yaml.safe_dump(self.settings), encoding="utf-8")
            self.config = load_config(path)
        self.config = self.config.model_copy(update={"path": path})

    def beside(self, host: Twofold) -> Partner:
        """The same connection in the copy of its world."""
        twin = copy.copy(self)
        twin.first, twin.host, twin.time = host, host.host, host.time
        twin._mount()
        twin.clock = ProgramClock(host.time, twin.pass_time)
        twin.clock.skew = self.clock.skew
        twin.rng, twin.watch = copy.deepcopy(self.rng), self.watch.copy()
        twin.deeds, twin.story, twin.held = host.deeds, host.story, Counter()
        twin._configure()
        return twin

    def close(self) -> None:
        """The folder is the first one's."""

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """In this connection's organisation."""
        return self._act("xero", act, {**payload, "organisation": self.books_key})

    def _act(self, side: str, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        result = super()._act(side, act, payload)
        self.first.watch.people_acted(self.first)
        return result


# --- making them ----------------------------------------------------------------------------------

_ready: dict[str, Twofold] = {}


def new_twofold(
    wish: Wish, *, vendor: str = "pipedrive", mode: str = "drafts_only", status: str = "draft",
    features: Features = PLAIN,
) -> Twofold:  # fmt: skip
    """A firm with empty books whose connections are set up; made once a kind, then copied."""
    key = repr((wish, vendor, mode, status, features))
    if key not in _ready:
        settings = _settings(wish, vendor, mode, status, features)
        world = Twofold(settings, 1, {}, features, vendor)
        world.wish = wish
        if wish.consent:
            consent(world)
        if wish.second is not None:
            _second(world, wish, mode, status)
        world.init()
        if world.partner is not None:
            world.partner.init()
            world.watch.batch_begins(world)
        _ready[key] = world
        atexit.register(world.close)
    return _ready[key].copy()


def _settings(
    wish: Wish, vendor: str, mode: str, status: str, features: Features = PLAIN
) -> dict[str, Any]:
    settings = settings_for(BASE, mode, status, features, vendor)
    if wish.consent:
        settings["ledger"]["auth"] = {"kind": "authorization_code", "client_id": WEB,
                                      "client_secret": "sandbox-web-secret"}  # fmt: skip
    return settings


def consent(world: Twofold) -> None:
    """A person has allowed the app in (`syncjob connect xero`): a new token is stored."""
    identity, org = world.xero.identity, world.xero.organisation
    identity.connect(WEB, org.id, org.name)
    given = identity._grant(identity.apps[WEB], world.xero.options.scopes, True).json()
    now = world.time.now()
    vault, key = Vault(world.config.vault, clock=world.clock), f"xero:{WEB}:user"
    try:
        before = vault.token(key)
        vault.save(key, Token(
            access=given["access_token"], refresh=given["refresh_token"], scope=given["scope"],
            expires_at=now + timedelta(seconds=given["expires_in"]), refreshed_at=now,
            generation=before.generation + 1 if before else 1,
        ))  # fmt: skip
    finally:
        vault.close()


def _second(world: Twofold, wish: Wish, mode: str, status: str) -> None:
    """Another CRM's connection, to these books or to a second organisation of the same app."""
    first = world.xero.organisation
    settings = _settings(wish, OTHER[world.vendor.name], mode, status)
    settings["connection"] |= {"name": "second", "code": CODE, "state": "second/syncjob.db"}
    books = first.id
    if wish.second == "organisation":
        other = world.xero.add_organisation("AU", "Second Company")
        world.xero.identity.connect(WEB, other.id, other.name)
        books = other.id
        world.settings["ledger"]["tenant_id"] = first.id
        settings["ledger"]["tenant_id"] = books
        path = world.folder / "config.yaml"
        path.write_text(yaml.safe_dump(world.settings), encoding="utf-8")
        world.config = load_config(path)
    world.partner = Partner(world, settings, books)


# --- what happens in them -------------------------------------------------------------------------


def in_both(deed: Callable[[World], object]) -> Callable[[World], object]:
    """The same deed in both CRMs, or both connections' books."""

    def deeds(world: World) -> None:
        deed(world)
        assert isinstance(world, Twofold) and world.partner is not None
        deed(world.partner)

    return deeds


def of_partner(deed: Callable[[World], object]) -> Callable[[World], object]:
    """A deed in the second connection's CRM or books."""

    def deeds(world: World) -> object:
        assert isinstance(world, Twofold) and world.partner is not None
        return deed(world.partner)

    return deeds


@contextmanager
def _spared(world: World) -> Iterator[None]:
    """What runs in here meets no fault, and what it passes is not what the step passed."""
    faults = world.faults
    points, listed, listing = faults.points, faults.listed, faults.listing
    drawn, at_statements = faults.drawn, faults.at_statements
    faults.listing, faults.drawn, faults.at_statements = False, None, {}
    try:
        yield
    finally:
        faults.points, faults.listed, faults.listing = points, listed, listing
        faults.drawn, faults.at_statements = drawn, at_statements


def first_runs(world: World, armed: dict[int, str]) -> object:
    """The first connection's batch with the faults, then the second one's."""
    assert isinstance(world, Twofold)
    report = world.run(armed)
    with _spared(world):
        world.run_partner()
    return report


def partner_runs(world: World, armed: dict[int, str]) -> object:
    """The second connection's batch with the faults; the first one's was before it."""
    assert isinstance(world, Twofold)
    with _spared(world):
        world.run()
    return world.run_partner(armed)


def recover_both(world: World) -> None:
    """As `recover` for each connection, and then neither writes any more. Raises Violation."""
    assert isinstance(world, Twofold) and world.partner is not None
    both: tuple[World, World] = (world, world.partner)
    for one in both:
        recover(one)
    for one in both:
        last = world.last_call()
        one.run()
        written = [(c.method, c.path, c.body.decode()) for c in one.writes_since(last)]
        if written:
            raise Violation("quiet", f"both at rest, but written: {written}")
