"""A sandbox with a config and a connection of its own, on a clock that can be moved."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syncjob.cli.common import who
from syncjob.cli.sandbox import start_for
from syncjob.config import Config, load_config
from syncjob.config.template import render
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, PlanReport, RunOptions
from syncjob.engine.connection import ConnectionHandle, open_connection
from syncjob.logs import Redactor, configure, log_file
from syncjob.sandbox.crms import CrmName, crm_server, fill, token
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock as SandboxTime
from syncjob.sandbox.kernel import Entropy, FaultBook
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.regions import REGIONS
from syncjob.sandbox.xero.server import XeroServer

#: The rehearsal's batches are a day and more apart; a longer silence would look like a lost state.
EVERY_MINUTES = 1440
SAMPLE_DAYS = 60
SEED = 1


@dataclass
class RehearsalClock:
    """Our program's clock, tied to the sandbox's; to sleep is to move both."""

    time: SandboxTime

    def now(self) -> datetime:
        return self.time.now()

    def monotonic(self) -> float:
        return self.time.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.time.advance(seconds)


class Rehearsal:
    """Both servers with the sample firm, and one connection between them, in one folder."""

    def __init__(
        self, folder: Path, *, start: datetime, region: str, crm: CrmName = "pipedrive"
    ) -> None:
        self.folder, self.time = folder, SandboxTime(start)
        self.clock, self.home = RehearsalClock(self.time), REGIONS[region]
        self.faults = FaultBook()
        self.options = LedgerOptions(region=region, organisation="Brightwater Ltd", demo=True)
        self.xero = XeroServer(self.time, Entropy(SEED), self.options, self.faults)
        self.crm = crm_server(crm, self.home, self.time, SEED, self.faults, real_time=False)
        fill(self.crm)
        self.box = Sandbox([self.xero, self.crm], self.time, self.faults)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Rehearsal:
        base = self.box.start()
        self._stack.callback(self.box.stop)
        self.config = self._write_config(base)
        redactor = Redactor([self.options.client_secret, token(self.crm)])
        configure(redactor)
        log = self.config.resolve(self.config.connection.log)
        self._stack.enter_context(
            log_file(
                log, connection=self.config.connection.name, redactor=redactor,
                files=self.config.retention.log_files,
                megabytes=self.config.retention.log_megabytes,
            )
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _write_config(self, base: str) -> Config:
        since = (self.time.now() - timedelta(days=SAMPLE_DAYS)).date()
        start = start_for(base, self.crm, self.options, won_since=since)
        text = render(start).replace("every_minutes: 5 ", f"every_minutes: {EVERY_MINUTES} ")
        # Its days pass in a blink: what a night adds to a batch would depend on when it is played.
        text = text.replace('nightly_at: "02:30"', 'nightly_at: "off"')
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "config.yaml"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        register_all()
        return load_config(path)

    # --- our program ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def connection(self) -> Iterator[ConnectionHandle]:
        with open_connection(self.config, clock=self.clock) as handle:
            yield handle

    def plan(self) -> PlanReport:
        with self.connection() as handle:
            return handle.plan(RunOptions(dry_run=True, who=who()))

    def run(self, *, accept: str | None = None) -> BatchReport:
        with self.connection() as handle:
            return handle.run(RunOptions(accept=accept, who=who()))

    def advance(self, by: timedelta) -> None:
        self.time.advance(by.total_seconds())

    # --- the people -----------------------------------------------------------------------------

    def books(self, act: str, **payload: Any) -> dict[str, Any]:
        """What the bookkeeper does in Xero."""
        return self.xero.people(act, payload)

    def invoices(self, status: str) -> list[dict[str, Any]]:
        """The sales invoices with this status, oldest number first."""
        found = [i for i in self._books()["invoices"] if i["status"] == status]
        return sorted(found, key=lambda i: str(i["number"]))

    def _books(self) -> dict[str, Any]:
        found: dict[str, Any] = self.xero.dump()["organisations"][0]
        return found
