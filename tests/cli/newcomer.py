"""The two vendors, and a newcomer at a keyboard in a folder of their own."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import syncjob.cli
from syncjob.errors import Exit
from syncjob.sandbox.crms import CrmName, crm_server, fill
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
from syncjob.sandbox.xero.options import Options
from syncjob.sandbox.xero.regions import REGIONS
from syncjob.sandbox.xero.server import XeroServer

#: Longer than a new state waits before it creates anything.
PATIENCE_S = 16 * 60


class Desk:
    """The two vendors, and a newcomer at a keyboard in a folder of their own."""

    def __init__(self, crm: CrmName, say: Callable[[], tuple[str, str]]) -> None:
        self.crm, self._said = crm, say
        self.time, faults = Clock(), FaultBook()
        options = Options(region="UK", demo=True, limits=None, lag_max_s=0)
        self.xero = XeroServer(self.time, Entropy(1), options, faults)
        self.server = crm_server(crm, REGIONS["UK"], self.time, 1, faults, limits=False)
        fill(self.server)
        self.box = Sandbox([self.xero, self.server], self.time, faults)
        self.base = self.box.start()
        self.config = Path("config.yaml")

    def types(self, line: str, *codes: Exit) -> str:
        """A command line as it stands in a message or the docs; all that it printed."""
        words = shlex.split(line.split("#")[0])
        assert words.pop(0) == "syncjob", line
        ended = syncjob.cli.run(words)
        out, err = self._said()
        assert ended in (codes or (Exit.DONE,)), f"{line}: {ended}\n{out}{err}"
        assert "Traceback" not in out + err
        return out + err

    def edits(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text, old
        self.config.write_text(text.replace(old, new, 1), encoding="utf-8")

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = self.xero.dump()["organisations"][0]
        return found

    def invoices(self) -> list[dict[str, Any]]:
        return [i for i in self.books()["invoices"] if i["type"] == "ACCREC"]
