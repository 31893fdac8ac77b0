"""The sandbox in a process of its own, with a config for it, and the door to act as the people."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import yaml

ROOT = Path(__file__).resolve().parents[1]
#: The sandbox's clock starts this far back, so that rows can be minutes apart and still end now.
START_BACK = timedelta(hours=3)
#: A new state creates nothing before this has passed on the server's clock (DESIGN 5.4).
PATIENCE = timedelta(minutes=16)
WON_DAYS_AGO = 10
_START_SECONDS_MAX = 60.0


class Stage:
    """One Xero and one Pipedrive without rate limits, a config, and a state in one folder."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder, self.base, self.config = folder, base, folder / "bench.yaml"
        self.door = requests.Session()

    def work(self, task: str, *arguments: str) -> dict[str, Any]:
        """Let a fresh process do one task (benchmarks.worker); what it measured of itself."""
        command = [sys.executable, "-m", "benchmarks.worker", task, str(self.config), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return measured

    def counted(self, task: str) -> dict[str, Any]:
        """As `work`, with the calls that the servers saw, by vendor."""
        self._ask("DELETE", "calls")
        measured = self.work(task)
        seen = self._ask("GET", "calls")
        measured["calls"] = {
            vendor: sum(call["server"].startswith(vendor) for call in seen)
            for vendor in ("xero", "pipedrive")
        }
        return measured

    def advance(self, by: timedelta) -> None:
        self._ask("POST", "clock", {"advance_seconds": by.total_seconds()})

    def to_now(self) -> None:
        """From here on the servers' clock is this machine's."""
        self._ask("POST", "clock", {"set": datetime.now(UTC).isoformat()})

    def books(self, act: str, **payload: Any) -> None:
        """What a bookkeeper does."""
        self._ask("POST", f"xero/{act}", payload)

    def invoices(self) -> list[dict[str, Any]]:
        """The sales invoices that the books hold, in the order of their ids."""
        held = self._ask("GET", "state/xero")["organisations"][0]["invoices"]
        rows = held.values() if isinstance(held, dict) else held
        return sorted((i for i in rows if i["type"] == "ACCREC"), key=lambda i: str(i["id"]))

    def _ask(self, method: str, path: str, payload: Any = None) -> Any:
        answer = self.door.request(method, f"{self.base}/control/{path}", json=payload, timeout=60)
        if answer.status_code != 200:
            raise RuntimeError(f"the sandbox refused {path}: {answer.text}")
        return answer.json()


@contextlib.contextmanager
def staged(folder: Path, csv: Path) -> Iterator[Stage]:
    """Start the sandbox with these deals, and end it afterwards."""
    written = folder / "sandbox.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    since = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    command = [
        sys.executable, "-m", "benchmarks.server", str(csv), str(START_BACK.total_seconds()),
        since, str(written),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            yield _ready(folder, written, server)
        finally:
            server.terminate()
            server.wait()


def _ready(folder: Path, written: Path, server: subprocess.Popen[bytes]) -> Stage:
    ends = time.monotonic() + _START_SECONDS_MAX
    while not written.exists():
        if server.poll() is not None or time.monotonic() > ends:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.05)
    values = yaml.safe_load(written.read_text(encoding="utf-8"))
    stage = Stage(folder, values["crm"]["api_url"].removesuffix("/pipedrive"))
    with os.fdopen(os.open(stage.config, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        yaml.safe_dump(_settings(values), file)
    return stage


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    """The sandbox's own config, without what would slow or stop a load of this size on purpose."""
    values["crm"].update(plan="ultimate", seats=100, budget_share_percent=100)
    values["invoices"]["tax"]["amounts"] = "no_tax"
    values["guard"] = {"creates_first_week": 10**6, "creates": 10**6, "updates": 10**6}
    return dict(values)


def won_on() -> str:
    """When the made-up deals were won."""
    return f"{(datetime.now(UTC) - timedelta(days=WON_DAYS_AGO)).date().isoformat()} 09:00:00"
