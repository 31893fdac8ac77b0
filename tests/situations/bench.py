"""A desk with the real command on it: both sandbox servers, a config on disk, and a shell.

One world is prepared once (fields created, the new state's patience over, nothing to do) and
copied for each situation, servers, clock and state alike; each command is a process of its own,
most of them a fork of one that has the program loaded (tests/crash/nursery.py).
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from syncjob.config.template import Start, render
from syncjob.sandbox.crms import CrmName
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.hubspot import HubSpotServer
from syncjob.sandbox.hubspot import Options as HubSpotOptions
from syncjob.sandbox.kernel import Clock, Entropy, Fault, FaultBook
from syncjob.sandbox.pipedrive import Options as CrmOptions
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer
from tests.crash.nursery import nursery
from tests.marks.noting import watched

ROOT = Path(__file__).resolve().parents[2]
#: Deals of these worlds are won later than this, whenever the tests run.
WON_SINCE = date(2026, 1, 1)
#: Longer than the ledger's lists may lag (Xero: 15 minutes until measured).
PATIENCE_S = 16 * 60
SECRETS = {
    "PIPEDRIVE_API_TOKEN": "pd-secret-0123456789abcdef",
    "HUBSPOT_ACCESS_TOKEN": "hs-secret-0123456789abcdef",
    "XERO_CLIENT_ID": "sandbox-custom",
    "XERO_CLIENT_SECRET": "xero-secret-0123456789abcdef",
}
#: No command of these takes longer; one that does hangs.
COMMAND_S_MAX = 120
#: The unit of `ulimit -f` (POSIX).
ULIMIT_BLOCK_BYTES = 512

Line = dict[str, Any]


@dataclass
class Shown:
    """One command as a person sees it."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def accept(self) -> str:
        """The hash that a guard offers."""
        found = re.search(r"--accept ([0-9a-f]{6,})", self.text)
        assert found, self.text
        return found[1]


@dataclass
class Servers:
    """Both servers with their clock and their faults: copied as a whole."""

    clock: Clock
    faults: FaultBook
    xero: XeroServer
    crm: PipedriveServer | HubSpotServer


def new_servers(crm: str) -> Servers:
    clock, faults = Clock(), FaultBook()
    # `prepare` ends where the machine's clock is, so that nothing warns of a clock that is off.
    clock.advance(-PATIENCE_S)
    ledger = LedgerOptions(
        limits=None, lag_max_s=0, client_secret=SECRETS["XERO_CLIENT_SECRET"], null_rate=0
    )
    xero = XeroServer(clock, Entropy(1), ledger, faults)
    home = {"currency": "AUD", "timezone": "Australia/Sydney", "limits": False}
    if crm == "hubspot":
        key = SECRETS["HUBSPOT_ACCESS_TOKEN"]
        others = HubSpotOptions(
            **home, access_token=key, index_lag_max_s=0, bursts_in_real_time=False, first_id=1,
            currencies=("EUR", "NOK"),
        )  # fmt: skip
        return Servers(clock, faults, xero, HubSpotServer(clock, Entropy(2), others, faults))
    options = CrmOptions(**home, company_country="AU", api_token=SECRETS["PIPEDRIVE_API_TOKEN"])
    return Servers(clock, faults, xero, PipedriveServer(clock, Entropy(2), options, faults))


@dataclass
class Desk:
    """One world with its folder; `shown` keeps what was printed, for the table."""

    folder: Path
    servers: Servers
    shown: list[Shown] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=lambda: dict(SECRETS))
    #: No file of the command may grow beyond this: a disk that is full, as far as it can tell.
    file_bytes_max: int | None = None

    def __post_init__(self) -> None:
        servers = self.servers
        self.box = Sandbox([servers.xero, servers.crm], servers.clock, servers.faults)
        self.base = self.box.start()
        self.config = self.folder / "config.yaml"
        self.config.write_text(self._config(), encoding="utf-8")

    def _config(self) -> str:
        base = self.base
        return render(
            Start(
                won_since=WON_SINCE, crm=self.vendor, crm_url=f"{base}/{self.vendor}",
                ledger_api=f"{base}/xero/api.xro/2.0", ledger_identity=f"{base}/xero/identity",
                ledger_connections=f"{base}/xero/connections",
                ledger_login=f"{base}/xero/identity/connect/authorize",
            )
        )  # fmt: skip

    def close(self) -> None:
        self.box.stop()

    @property
    def vendor(self) -> CrmName:
        """Which CRM this is."""
        return "hubspot" if self.servers.crm.name == "hubspot" else "pipedrive"

    # --- the person at the keyboard ---------------------------------------------------------------

    def edit(self, old: str, new: str) -> None:
        """Change the config as in an editor; the text must stand there."""
        text = self.config.read_text(encoding="utf-8")
        assert old in text, old
        self.config.write_text(text.replace(old, new, 1), encoding="utf-8")

    def sync(self, *arguments: str, show: bool = True) -> Shown:
        """`syncjob ...` to its end."""
        if self.file_bytes_max is not None:
            return self.end(self.begin(*arguments), *arguments, show=show)
        ended = nursery().run(list(arguments), env=self._env(), cwd=self.folder)
        return self._ended(Shown(arguments, ended.returncode, ended.stdout, ended.stderr), show)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """`syncjob ...`, still running: Python as a person starts it."""
        command = [sys.executable, "-m", "syncjob", *arguments]
        if self.file_bytes_max is not None:
            blocks = self.file_bytes_max // ULIMIT_BLOCK_BYTES
            command = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *command]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._env(), text=True,
            encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def _env(self) -> dict[str, str]:
        env = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "TZ": "UTC",
            "PYTHONPATH": str(ROOT), "USER": "maria", **self.env,
        }  # fmt: skip
        return watched(env)

    def end(self, process: subprocess.Popen[str], *arguments: str, show: bool = True) -> Shown:
        try:
            out, err = process.communicate(timeout=COMMAND_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return self._ended(Shown(arguments, process.returncode, out, err), show)

    def _ended(self, done: Shown, show: bool) -> Shown:
        if show:
            self.shown.append(done)
        return done

    def released(self) -> Shown:
        """A run that the guard stops (the config's rules changed), and the run that releases it."""
        stopped = self.sync("run")
        assert stopped.code == 6, stopped
        return self.sync("run", "--accept", stopped.accept)

    # --- the people on both sides, and the network ------------------------------------------------

    def crm(self, act: str, **payload: Any) -> dict[str, Any]:
        return self.box.control.act(self.vendor, act, payload)

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        return self.box.control.act("xero", act, payload)

    def fault(self, **fault: Any) -> None:
        self.servers.faults.add(Fault(**fault))

    def hold(self, **call: Any) -> threading.Event:
        """The next such call is held up until the event that this returns is set."""
        gate = threading.Event()

        def held(_: float) -> None:
            gate.wait(COMMAND_S_MAX)

        self.box.host._sleep = held
        self.fault(kind="timeout", **call)
        return gate

    def advance(self, seconds: float) -> None:
        self.servers.clock.advance(seconds)

    def won(self, title: str, *lines: Line, **more: Any) -> int:
        """A deal of a customer of its own, won now; without lines: one ordinary line."""
        if "org" not in more and "person" not in more:
            more["org"] = self.crm("create_org", name=f"{title} Pty Ltd")["id"]
        lines = lines or (line("Widget"),)
        deal = self.crm(
            "create_deal", title=title, currency=more.pop("currency", "AUD"), lines=list(lines),
            **{key: value for key, value in more.items() if value is not None},
        )  # fmt: skip
        self.crm("win", deal=deal["id"])
        return int(deal["id"])

    # --- what the servers hold --------------------------------------------------------------------

    def organisation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.servers.xero.dump()["organisations"][0]
        return found

    def invoices(self) -> list[dict[str, Any]]:
        return [i for i in _rows(self.organisation()["invoices"]) if i["type"] == "ACCREC"]

    def contacts(self) -> list[dict[str, Any]]:
        return _rows(self.organisation()["contacts"])

    def deals(self) -> list[dict[str, Any]]:
        return _rows(self.servers.crm.dump()["deals"])

    def fields(self, deal: int) -> dict[str, str]:
        """The deal's own fields by name, in words, as the CRM holds them."""
        state = self.servers.crm.dump()
        defined = state["fields"]["deals"]
        row = next(d for d in _rows(state["deals"]) if d["id"] == deal)
        return {
            defined[code]["field_name"]: _plain(defined[code], value)
            for code, value in (row.get("custom_fields") or {}).items()
            if code in defined and value not in (None, "")
        }

    def writes(self) -> list[str]:
        """Method and path of each write that reached a vendor."""
        calls = [c.to_json() for c in self.box.host.log.find()]
        return [
            f"{c['method']} {c['path']}"
            for c in calls
            if c["method"] != "GET" and "/connect/token" not in c["path"]
        ]


def line(name: str, price: Any = 50, quantity: Any = 1, **more: Any) -> Line:
    """One product row of a deal."""
    return {"name": name, "price": price, "quantity": quantity, **more}


def prepare(folder: Path, crm: str = "pipedrive") -> Servers:
    """A first hour that went well (`init`, `check`, `run`); its state is left in `folder`."""
    folder.mkdir(parents=True)
    desk = Desk(folder, new_servers(crm))
    try:
        desk.crm("create_org", name="Healthy Pty Ltd")
        desk.crm(
            "create_deal", title="Healthy order", org="Healthy Pty Ltd", currency="AUD",
            lines=[line("Widget")],
        )  # fmt: skip
        for command in (("init", "--yes"), ("check",)):
            done = desk.sync(*command)
            assert done.code == 0, done
        desk.advance(PATIENCE_S)
        done = desk.sync("run")
        assert done.code == 0, done
    finally:
        desk.close()
    return desk.servers


def copied(servers: Servers, prepared: Path, folder: Path) -> Desk:
    """The prepared world once more, with servers and a state of its own."""
    shutil.copytree(prepared, folder)
    return Desk(folder, copy.deepcopy(servers))


Maker = Callable[[], Desk]


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.values()) if isinstance(table, dict) else list(table)


def _plain(definition: dict[str, Any], value: Any) -> str:
    options = {o["id"]: o["label"] for o in definition.get("options") or []}
    if isinstance(value, dict) and "value" in value:
        return str(value["value"])
    return str(options.get(value, value) if options else value)
