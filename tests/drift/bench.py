"""A firm with some history, in one process: both servers, our program, and one wrong answer.

The engine, the state and the connectors are the real ones, down to the bytes; only the socket is
not there, and what a server answered is spoilt on its way (tests/drift/mutate).
"""

from __future__ import annotations

import copy
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import requests
import urllib3
import yaml
from requests.adapters import BaseAdapter, HTTPAdapter

from syncjob.config import load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import ConnectionHandle, open_connection
from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer
from tests.drift.mutate import Case, Place, endpoint, places, spoil
from tests.engine.crms import crm_named
from tests.engine.world import NOON, WorldClock
from tests.sim.leftovers import new_folder
from tests.sim.wire import to_sandbox

BASE = "https://drift.invalid"
#: Own fields of the CRM, so that their answers have them.
OWN_FIELDS = {"email": "Billing e-mail", "tax_number": "VAT number"}


class Wire(BaseAdapter):
    """Delivers to the servers, and spoils what they answer as the bench's case says."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench, self._builder = bench, HTTPAdapter()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """One exchange."""
        sent = to_sandbox(request)
        self.bench.time.advance(0.2)
        reply = self.bench.host.exchange(sent)
        at, body = endpoint(sent.method, sent.path), reply.body
        if self.bench.seen is not None:
            self.bench.see(at, body)
        case = self.bench.case
        if case is not None and case.place.endpoint == at and 200 <= reply.status < 300:
            body = spoil(case, body)
            self.bench.hits += body != reply.body
        headers = [*reply.headers]
        if reply.status not in (204, 304):
            headers.append(("Content-Length", str(len(body))))
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(body), headers=urllib3.HTTPHeaderDict(headers), status=reply.status,
            preload_content=False, decode_content=False, request_method=request.method,
            enforce_content_length=True,
        )  # fmt: skip
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is kept open."""


class Bench:
    """Xero and one CRM with our program between them; copied for each case."""

    def __init__(self, crm: str) -> None:
        self.vendor, self.time, faults = crm_named(crm), Clock(NOON), FaultBook()
        options = LedgerOptions(region="AU", limits=None, lag_max_s=0)
        self.xero = XeroServer(self.time, Entropy(1), options, faults)
        server = self.vendor.server(self.time, faults, {})
        self.host = Host([self.xero, server], self.time, faults, sleep=self.time.advance)
        self.rng, self.keys, self.hits = Random(7), 0, 0
        self.case: Case | None = None
        self.seen: dict[tuple[str, tuple[str, ...]], Place] | None = None
        self._place()
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.settings()))

    def _place(self) -> None:
        self.folder = new_folder("drift")
        self.clock = WorldClock(self.time)

    def copy(self) -> Bench:
        """Another bench on which all that was has been."""
        twin = copy.copy(self)
        twin.host = copy.deepcopy(self.host)
        twin.host._sleep = twin.host.clock.advance  # type: ignore[method-assign]
        twin.time, twin.rng = twin.host.clock, copy.deepcopy(self.rng)
        twin.xero = twin.host.servers["xero"]  # type: ignore[assignment]
        twin.hits = 0
        twin._place()
        shutil.rmtree(twin.folder)
        shutil.copytree(self.folder, twin.folder)
        return twin

    def close(self) -> None:
        """Remove the state."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self) -> dict[str, Any]:
        """A config with as much switched on as there is to read for."""
        crm = self.vendor.config(BASE)
        crm |= {
            "contact_fields": {"organization": OWN_FIELDS},
            "timeline": ["created", "paid"],
            "fields": {"online": "Invoice page"},
        }
        return {
            "connection": {"name": "drift", "code": "SJ", "page": None},
            "mode": "full",
            "crm": crm,
            "ledger": {
                "type": "xero", "api_url": f"{BASE}/xero/api.xro/2.0",
                "identity_url": f"{BASE}/xero/identity",
                "connections_url": f"{BASE}/xero/connections",
                "auth": {"kind": "custom_connection", "client_id": "sandbox-custom",
                         "client_secret": "sandbox-secret"},
            },
            "invoices": {"won_since": "2026-11-01", "account": "200", "status": "authorised",
                         "tax": {"amounts": "exclusive"}, "online_link": True,
                         "recurring": "template"},
            "contacts": {"update": "owners", "which": "won", "create_in_crm": True},
            "notices": {"steps": [1, 7], "paid": True, "by": ["task"]},
            # A day without a batch is no doubt about the state: names are read anew after one.
            "schedule": {"every_minutes": 600, "archived_every_minutes": 1},
            "guard": {"creates_first_week": 1000, "creates": 1000, "updates": 10000},
        }  # fmt: skip

    # --- our program --------------------------------------------------------------------------

    @contextmanager
    def connection(self) -> Iterator[ConnectionHandle]:
        """Our program, opened for one command."""
        register_all()
        with open_connection(
            load_config(self.folder / "config.yaml"), clock=self.clock, session=self._session,
            rng=self.rng, new_key=self._new_key,
        ) as handle:  # fmt: skip
            yield handle

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", Wire(self))
        return session

    def _new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def see(self, at: str, body: bytes) -> None:
        """Remember each place of an answer."""
        assert self.seen is not None
        try:
            answer = json.loads(body)
        except ValueError:
            return
        for place in places(at, answer):
            known = self.seen.get((at, place.steps))
            if known is None or (known.sample is None and place.sample is not None):
                self.seen[at, place.steps] = place

    def run(self) -> BatchReport:
        """One batch; what the guard asks about is released, as a person would."""
        with self.connection() as handle:
            report = handle.run(RunOptions(who="a test"))
            if report.plan_hash and report.result == "guard":
                report = handle.run(RunOptions(who="a test", accept=report.plan_hash))
        return report

    def advance(self, by: timedelta) -> None:
        """Time passes."""
        self.time.advance(by.total_seconds())

    # --- people ---------------------------------------------------------------------------------

    def crm(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a sales person does."""
        return self.host.servers[self.vendor.name].people(act, payload)

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a bookkeeper does."""
        return self.host.servers["xero"].people(act, payload)

    def invoices(self) -> list[dict[str, Any]]:
        """The sales invoices that the books truly hold."""
        return [i for i in self._books("invoices") if i["type"] == "ACCREC"]

    def contacts(self) -> list[dict[str, Any]]:
        """The contacts that the books truly hold."""
        return self._books("contacts")

    def _books(self, table: str) -> list[dict[str, Any]]:
        found = self.host.servers["xero"].dump()["organisations"][0][table]
        return list(found.values()) if isinstance(found, dict) else list(found)

    def crm_state(self) -> dict[str, Any]:
        """What the CRM truly holds."""
        return self.host.servers[self.vendor.name].dump()
