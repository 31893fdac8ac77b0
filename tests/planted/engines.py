"""Engines in processes of their own, the shipped one and mutants, asked in the same way."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.planted.child import SHIPPED
from tests.planted.patching import PATCHES, ROOT
from tests.planted.verdict import Verdict


class Engine:
    """A process that plays addresses against one engine. Used as a context."""

    def __init__(self, name: str = SHIPPED, folder: Path = PATCHES) -> None:
        """`name` of a patch in `folder`, or SHIPPED."""
        self.name = name
        given = SHIPPED if name == SHIPPED else str(folder / f"{name}.patch")
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.planted.child", given], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
        )  # fmt: skip

    def play(self, address: str) -> Verdict:
        """The one verdict of an address that is no draw."""
        return next(iter(list(self.all(address))))

    def all(self, address: str) -> Iterator[Verdict]:
        """The verdicts of an address as they come. A process that dies is an error."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{address}\n")
            process.stdin.flush()
        except BrokenPipeError:
            yield self._died(address)
            return
        for line in process.stdout:
            if not line.strip():
                return
            yield Verdict.from_json(line)
        yield self._died(address)

    def _died(self, address: str) -> Verdict:
        self._said.seek(0)
        said = self._said.read().strip().splitlines()
        return Verdict(address, "error", "", f"the process ended: {said[-1] if said else ''}")

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):  # what was asked last and never read
            self._process.communicate()
        self._said.close()
