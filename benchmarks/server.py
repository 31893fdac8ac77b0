"""Both sandbox servers in this process, on a clock that starts in the past, until it is ended.

`python -m benchmarks.server WORLD` takes a `World` as JSON, loads its CSV files, writes a config
for it and serves. The clock is set back before anything is created: a record must never be younger
than the servers' own time.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import msgspec

from syncjob.cli.sandbox import start_for
from syncjob.config.template import render
from syncjob.sandbox import hubspot, pipedrive
from syncjob.sandbox.control import PREFIX
from syncjob.sandbox.crms import CrmName, CrmServer, load
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Reply, Request
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer

#: Where the calls are counted.
TALLY = f"{PREFIX}/tally"
Plan = Literal["lite", "premium", "ultimate"]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What is served: which CRM with which deals, whether the vendors' limits hold, and how long an
    answer is on its way. `plan` is Pipedrive's, for one seat. `real`: short limits count real
    seconds, not the sandbox's."""

    csv: str
    config: str
    won_since: date
    seconds_back: float
    crm: CrmName = "pipedrive"
    plan: Plan = "ultimate"
    limits: bool = False
    real: bool = False
    latency_s: float = 0.0


class Distant(Sandbox):
    """A sandbox whose servers are as far away as the world says, and which counts their calls; the
    control door is at hand."""

    latency_s = 0.0

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._tally: Counter[str] = Counter()
        self._mutex = Lock()

    def answer(self, request: Request) -> Reply:
        if request.path == TALLY:
            return self._counted()
        if request.path.startswith(PREFIX):
            return super().answer(request)
        if self.latency_s:
            time.sleep(self.latency_s)
        reply = super().answer(request)
        found = self.host.route(request.path)
        label = found[1].partition("-")[0] if found else "nobody"
        with self._mutex:
            self._tally[label] += 1
            self._tally["refused"] += reply.status == 429
        return reply

    def _counted(self) -> Reply:
        """The calls since this was asked last, by vendor; their bodies are let go."""
        with self._mutex:
            seen, self._tally = dict(self._tally), Counter()
        self.host.log.clear()
        return Reply.of_json(seen)


def main(given: str) -> None:
    world = msgspec.json.decode(given, type=World)
    clock, faults = Clock(), FaultBook()
    clock.set(datetime.now(UTC) - timedelta(seconds=world.seconds_back))
    books = LedgerOptions(region="AU", demo=True, lag_max_s=0)
    if not world.limits:
        books = LedgerOptions(region="AU", demo=True, lag_max_s=0, limits=None)
    ledger = XeroServer(clock, Entropy(1), books, faults)
    crm = _crm(world, clock, faults)
    load(crm, Path(world.csv))
    box = Distant([ledger, crm], clock, faults)
    box.latency_s = world.latency_s
    start = start_for(box.open(), crm, books, won_since=world.won_since)
    ready = Path(world.config)
    ready.with_suffix(".part").write_text(render(start), encoding="utf-8")
    ready.with_suffix(".part").replace(ready)
    box.serve_forever()


def _crm(world: World, clock: Clock, faults: FaultBook) -> CrmServer:
    if world.crm == "hubspot":
        options = hubspot.Options(
            currency="AUD", limits=world.limits, index_lag_max_s=0, bursts_in_real_time=world.real
        )
        return hubspot.HubSpotServer(clock, Entropy(1), options, faults)
    account = pipedrive.Options(
        currency="AUD", limits=world.limits, plan=world.plan, seats=1,
        bursts_in_real_time=world.real,
    )  # fmt: skip
    return pipedrive.PipedriveServer(clock, Entropy(1), account, faults)


if __name__ == "__main__":
    main(*sys.argv[1:])
