"""A whole world for tests: both sandbox servers over HTTP, a config, and batches run on them.

The CRM is Pipedrive unless the world (or SYNCJOB_TEST_CRM) names another: see crms.py.

Judging reads only what the servers hold (their control door's dump and call log), never our state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import requests
import yaml

from syncjob.config import load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, PlanReport, RunOptions
from syncjob.engine.connection import ConnectionHandle, open_connection
from syncjob.sandbox.control import Control
from syncjob.sandbox.host import Host
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.hubspot import HubSpotServer
from syncjob.sandbox.kernel import Clock as SandboxTime
from syncjob.sandbox.kernel import Entropy, Fault, FaultBook
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer
from tests.engine.crms import crm_named
from tests.engine.prepared import STARTS

#: A Monday, noon in Sydney: no day ends while a test runs.
NOON = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=16)


class WorldClock:
    """Our program's clock, moved by its own sleeping; the servers' clock goes along."""

    def __init__(self, time: SandboxTime) -> None:
        self.time = time
        self.slept = 0.0

    def now(self) -> datetime:
        return self.time.now()

    def monotonic(self) -> float:
        return self.time.now().timestamp()

    def sleep(self, seconds: float) -> None:
        assert seconds <= 60
        self.slept += seconds
        self.time.advance(seconds)


class World:
    """One Xero organisation, one CRM account, one connection between them.

    `crm`: the name of the CRM, or options of its sandbox, which `crm_options` take, too.
    """

    def __init__(
        self,
        folder: Path,
        *,
        region: str = "AU",
        ledger: dict[str, Any] | None = None,
        crm: str | dict[str, Any] | None = None,
        crm_options: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        start: datetime | None = NOON,
        runs_from: datetime | None = None,
    ) -> None:
        """`start` None: the clock runs, from `runs_from` on; no server is older than that."""
        self.folder, self.time, self.faults = folder, SandboxTime(start), FaultBook()
        if runs_from is not None:
            self.time.set(runs_from)
        self.clock = WorldClock(self.time)
        self.xero = XeroServer(
            self.time, Entropy(1),
            LedgerOptions(
                **{"region": region, "limits": None, "lag_max_s": 0, **(ledger or {})}
            ),
            self.faults,
        )  # fmt: skip
        self.vendor = crm_named(crm)
        wishes = {**(crm if isinstance(crm, dict) else {}), **(crm_options or {})}
        self.server = self.vendor.server(self.time, self.faults, wishes)
        self.box = Sandbox([self.xero, self.server], self.time, self.faults)
        self.base = self.box.start()
        self.overrides = config or {}
        self.rng = Random(7)
        self.keys = 0

    def close(self) -> None:
        STARTS.end(self.box)

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

    # --- config -------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """The config as plain values, overrides merged in."""
        values: dict[str, Any] = {
            "connection": {"name": "test", "code": "SJ"},
            "mode": "drafts_only",
            "crm": self.vendor.config(self.base),
            "ledger": {
                "type": "xero", "api_url": f"{self.base}/xero/api.xro/2.0",
                "identity_url": f"{self.base}/xero/identity",
                "connections_url": f"{self.base}/xero/connections",
                "auth": {"kind": "custom_connection", "client_id": "sandbox-custom",
                         "client_secret": "sandbox-secret"},
            },
            "invoices": {"won_since": "2026-11-01", "account": "200",
                         "tax": {"amounts": "exclusive"}},
            "guard": {"creates_first_week": 1000, "creates": 1000, "updates": 10000},
        }  # fmt: skip
        return _merged(values, self.overrides)

    def write_config(self, name: str = "config.yaml") -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(self.settings()), encoding="utf-8")
        return path

    # --- our program --------------------------------------------------------------------------

    @contextmanager
    def connection(self) -> Iterator[ConnectionHandle]:
        register_all()
        config = load_config(self.write_config())
        with open_connection(
            config, clock=self.clock, rng=self.rng, new_key=self._new_key
        ) as handle:
            yield handle

    def _new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}-{self.time.now().timestamp()}"

    def init(self, *, sound: bool = True) -> None:
        """Create the CRM's fields, and let the new state's patience pass.

        `sound`: the config is one that `check` finds nothing fatal in. A world that begins as an
        earlier one did is put where that one was led (prepared.py).
        """
        start = STARTS.key(self) if sound else ""
        if not (start and STARTS.give(start, self)):
            self._init(sound)
            STARTS.keep(start, self)
        self.advance(PATIENCE)

    def _init(self, sound: bool) -> None:
        with self.connection() as handle:
            made = handle.init_fields(create=True)
            assert not made.by_hand, made.by_hand
            problems = handle.check()
            assert sound == (not [p for p in problems if p.fatal]), problems

    def stand(self, host: Host) -> None:
        """The servers, their clock and their faults are these from now on, at the same address."""
        self.box.host, self.box.control = host, Control(host)
        self.time = self.clock.time = host.clock
        self.faults = host.faults
        self.xero, self.server = host.servers["xero"], host.servers[self.vendor.name]  # type: ignore[assignment]

    def run(self, **options: Any) -> BatchReport:
        with self.connection() as handle:
            return handle.run(RunOptions(who="a test", **options))

    def plan(self, **options: Any) -> PlanReport:
        with self.connection() as handle:
            return handle.plan(RunOptions(who="a test", dry_run=True, **options))

    def advance(self, by: timedelta) -> None:
        self.time.advance(by.total_seconds())

    # --- people and servers ---------------------------------------------------------------------

    def crm(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a sales person does."""
        return self._post(f"/control/{self.vendor.name}/{act}", payload)

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """What a bookkeeper does."""
        return self._post(f"/control/xero/{act}", payload)

    def fault(self, **fault: Any) -> None:
        self.faults.add(Fault(**fault))

    def ledger_state(self) -> dict[str, Any]:
        return self._get("/control/state/xero")

    def crm_state(self) -> dict[str, Any]:
        return self._get(f"/control/state/{self.vendor.name}")

    def calls(self) -> list[dict[str, Any]]:
        return self._get("/control/calls")

    def mark(self) -> int:
        """The number of calls so far, for counting what follows."""
        return len(self.calls())

    def since(self, mark: int) -> list[dict[str, Any]]:
        return self.calls()[mark:]

    def writes(self, mark: int = 0) -> list[dict[str, Any]]:
        """The writes among the calls since then; asking for a token is none."""
        return [
            c
            for c in self.since(mark)
            if not self.vendor.reads(c["method"], c["path"]) and not c["path"].endswith("/token")
        ]

    def organisation(self) -> dict[str, Any]:
        """All that the first organisation's books truly hold."""
        return self.ledger_state()["organisations"][0]

    def invoices(self) -> list[dict[str, Any]]:
        """The sales invoices that the books truly hold."""
        return [i for i in _rows(self.organisation()["invoices"]) if i["type"] == "ACCREC"]

    def contacts(self) -> list[dict[str, Any]]:
        return _rows(self.organisation()["contacts"])

    def deal_fields(self, deal: int) -> dict[str, Any]:
        """The deal's own fields by name, as the CRM holds them, in words."""
        state = self.crm_state()
        row = state["deals"][str(deal)]
        fields = state["fields"]["deals"]
        return {
            fields[code]["field_name"]: _plain(fields[code], value)
            for code, value in (row.get("custom_fields") or {}).items()
        }

    def _post(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(self.base + path, json=payload, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _get(self, path: str) -> Any:
        answer = requests.get(self.base + path, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.values()) if isinstance(table, dict) else list(table)


def _plain(field: dict[str, Any], value: Any) -> Any:
    options = {o["id"]: o["label"] for o in field.get("options") or []}
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    if str(field.get("field_type")).startswith("number") and isinstance(value, str):
        amount = float(value)  # HubSpot's values are texts
        return int(amount) if amount.is_integer() else amount
    return options.get(value, value) if options else value


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if nested else value
    return json.loads(json.dumps(result, default=_day))


def _day(value: Any) -> str:
    assert isinstance(value, date)
    return value.isoformat()
