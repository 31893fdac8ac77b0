"""Both sandbox servers in this process, on a clock that starts in the past, until it is ended.

`python -m benchmarks.server CSV SECONDS_BACK WON_SINCE CONFIG` loads the CSV files, writes a
config for it and serves. The clock is set back before anything is created: a record must never be
younger than the servers' own time.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from syncjob.cli.sandbox import start_for
from syncjob.config.template import render
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
from syncjob.sandbox.pipedrive import Options as CrmOptions
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.pipedrive.load import load_directory
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer


def main(csv: str, seconds_back: str, won_since: str, config: str) -> None:
    clock, faults = Clock(), FaultBook()
    clock.set(datetime.now(UTC) - timedelta(seconds=float(seconds_back)))
    books = LedgerOptions(region="AU", demo=True, limits=None, lag_max_s=0)
    ledger = XeroServer(clock, Entropy(1), books, faults)
    account = CrmOptions(currency="AUD", limits=False)
    crm = PipedriveServer(clock, Entropy(1), account, faults)
    load_directory(crm, csv)
    box = Sandbox([ledger, crm], clock, faults)
    start = start_for(box.open(), crm, books, won_since=date.fromisoformat(won_since))
    ready = Path(config)
    ready.with_suffix(".part").write_text(render(start), encoding="utf-8")
    ready.with_suffix(".part").replace(ready)
    box.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
