"""The sandbox in a process of its own, with a config for it, and the door to act as the people."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import requests
import yaml

from benchmarks.server import TALLY, Plan, World
from syncjob.sandbox.crms import CrmName

ROOT = Path(__file__).resolve().parents[1]
#: The sandbox's clock starts at this hour of its books' own day, some hours ago: rows can be
#: minutes apart, midnight is always as far away, and "now" can be gone to.
ZONE, HOUR, HOURS_BACK_MIN = ZoneInfo("Australia/Sydney"), 18, 3
#: A new state creates nothing before this has passed on the server's clock (DESIGN 5.4).
PATIENCE = timedelta(minutes=16)
WON_DAYS_AGO, SINCE_DAYS_AGO = 10, 60
#: Loading 100,000 deals into the sandbox takes minutes.
_START_SECONDS_MAX = 900.0
_ASK_SECONDS_MAX = 300.0


class Stage:
    """One Xero and one CRM, a config, and a state in one folder."""

    def __init__(self, folder: Path, base: str, crm: CrmName) -> None:
        self.folder, self.base, self.crm = folder, base, crm
        self.config = folder / "bench.yaml"
        self.door = requests.Session()

    def work(self, task: str, *arguments: str) -> dict[str, Any]:
        """Let a fresh process do one task (benchmarks.worker); what it measured of itself, and the
        calls that the servers saw of it, by vendor."""
        self._ask("GET", TALLY)
        command = [sys.executable, "-m", "benchmarks.worker", task, str(self.config), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        seen = self._ask("GET", TALLY)
        measured["refused"] = seen.get("refused", 0)
        measured["calls"] = {vendor: seen.get(vendor, 0) for vendor in ("xero", self.crm)}
        return measured

    def advance(self, by: timedelta) -> None:
        self._control("POST", "clock", {"advance_seconds": by.total_seconds()})

    def day_of_books(self) -> date:
        """The day that it is now in the ledger."""
        return self.now().astimezone(ZONE).date()

    def past_midnight(self) -> None:
        """A quarter of an hour into the books' next day."""
        now = self.now().astimezone(ZONE)
        midnight = datetime.combine(now.date() + timedelta(days=1), time_of_day(), ZONE)
        self.advance(midnight - now + timedelta(minutes=15))

    def now(self) -> datetime:
        return datetime.fromisoformat(self._control("GET", "clock")["now"])

    def to_now(self) -> None:
        """From here on the servers' clock is this machine's."""
        self._control("POST", "clock", {"set": datetime.now(UTC).isoformat()})

    def books(self, act: str, **payload: Any) -> None:
        """What a bookkeeper does."""
        self._control("POST", f"xero/{act}", payload)

    def invoices(self) -> list[dict[str, Any]]:
        """The sales invoices that the books hold, in the order of their ids."""
        held = self._control("GET", "state/xero")["organisations"][0]["invoices"]
        rows = held.values() if isinstance(held, dict) else held
        return sorted((i for i in rows if i["type"] == "ACCREC"), key=lambda i: str(i["id"]))

    def _control(self, method: str, path: str, payload: Any = None) -> Any:
        return self._ask(method, f"/control/{path}", payload)

    def _ask(self, method: str, path: str, payload: Any = None) -> Any:
        url = f"{self.base}{path}"
        answer = self.door.request(method, url, json=payload, timeout=_ASK_SECONDS_MAX)
        if answer.status_code != 200:
            raise RuntimeError(f"the sandbox refused {path}: {answer.text}")
        return answer.json()


@contextlib.contextmanager
def staged(
    folder: Path, csv: Path, crm: CrmName = "pipedrive", *, plan: Plan = "ultimate",
    limits: bool = False, real: bool = False, latency_s: float = 0.0, share: int = 100,
    page: bool = True,
) -> Iterator[Stage]:  # fmt: skip
    """Start the sandbox with these deals, and end it afterwards. `share` is the config's
    budget_share_percent, `page` whether the report page is written; the rest is as in
    benchmarks.server.World."""
    written = folder / "sandbox.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    world = World(
        csv=str(csv), config=str(written), won_since=_days_ago(SINCE_DAYS_AGO), crm=crm, plan=plan,
        seconds_back=_back().total_seconds(), limits=limits, real=real, latency_s=latency_s,
    )  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.server", msgspec.json.encode(world).decode()]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            _wait(written, server)
            values = _settings(yaml.safe_load(written.read_text(encoding="utf-8")), world, share)
            if not page:
                values.setdefault("connection", {})["page"] = None
            base = values["crm"]["api_url"].removesuffix(f"/{crm}")
            stage = Stage(folder, base, crm)
            with os.fdopen(os.open(stage.config, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                yaml.safe_dump(values, file)
            yield stage
        finally:
            server.terminate()
            server.wait()


@contextlib.contextmanager
def ready(folder: Path, csv: Path, crm: CrmName = "pipedrive", **given: Any) -> Iterator[Stage]:
    """A stage whose new state has waited long enough to create invoices."""
    with staged(folder, csv, crm, **given) as stage:
        stage.work("init")
        stage.advance(PATIENCE)
        yield stage


def _wait(written: Path, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_SECONDS_MAX
    while not written.exists():
        if server.poll() is not None or time.monotonic() > ends:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.05)


def _settings(values: dict[str, Any], world: World, share: int) -> dict[str, Any]:
    """The sandbox's own config, without what would slow or stop a load of this size on purpose."""
    values["crm"]["budget_share_percent"] = share
    if world.crm == "pipedrive":
        values["crm"].update(plan=world.plan, seats=1 if world.limits else 100)
    values["invoices"]["tax"]["amounts"] = "no_tax"
    values["guard"] = {"creates_first_week": 10**6, "creates": 10**6, "updates": 10**6}
    values["schedule"]["nightly_at"] = "off"
    if world.plan == "lite":  # a load over days has a batch a day, so that no poll is counted
        values["schedule"]["every_minutes"] = 24 * 60
    return dict(values)


def _back() -> timedelta:
    now = datetime.now(ZONE)
    start = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    late = now - start < timedelta(hours=HOURS_BACK_MIN)
    return now - (start - timedelta(days=1) if late else start)


def _days_ago(days: int) -> date:
    return (datetime.now(UTC) - timedelta(days=days)).date()


def won_on() -> str:
    """When the made-up deals were won."""
    return f"{_days_ago(WON_DAYS_AGO).isoformat()} 09:00:00"
