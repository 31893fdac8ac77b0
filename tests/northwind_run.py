"""`make northwind`: 830 real orders through the real commands, judged from the servers alone.

Starts `syncjob sandbox --load`, runs init, check, plan, run and run again as a person would, and
then asks only the sandbox's HTTP face what the books hold. The sums are computed here, in
fractions, from the orders' own lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import requests

from tests.engine import northwind

PORT = 8798
BASE = f"http://127.0.0.1:{PORT}"
PATIENCE_SECONDS = 960
#: Worked out in tests/engine/test_northwind.py from the vendors' page and batch sizes.
FEWEST_CALLS = 867


def main() -> int:
    if not northwind.DATA.is_dir():
        print("skipped: ../shared/data/northwind is not at hand (it is not part of the project)")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        northwind.write_csv(folder / "csv")
        server = _serve(folder)
        try:
            return _play(folder)
        finally:
            server.terminate()
            server.wait(timeout=20)


def _serve(folder: Path) -> subprocess.Popen[bytes]:
    words = ["sandbox", "--load", "csv", "--port", str(PORT), "--no-limits", "--won-since"]
    words += ["2026-11-01", "--write-config", "config.yaml"]
    server = subprocess.Popen(
        [sys.executable, "-m", "syncjob", *words], cwd=folder, stderr=subprocess.DEVNULL
    )
    for _ in range(100):
        try:
            requests.get(f"{BASE}/control/clock", timeout=1)
            break
        except requests.ConnectionError:
            time.sleep(0.2)
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("amounts: exclusive", "amounts: no_tax"), encoding="utf-8")
    return server


def _play(folder: Path) -> int:
    _syncjob(folder, "init", "--yes")
    _syncjob(folder, "check")
    requests.post(f"{BASE}/control/clock", json={"advance_seconds": PATIENCE_SECONDS}, timeout=10)
    plan = json.loads(_syncjob(folder, "plan", "--json", expect=6))
    before = len(_calls())
    began = time.monotonic()
    print(_syncjob(folder, "run", "--accept", plan["hash"]).splitlines()[-1])
    seconds = time.monotonic() - began
    calls = len(_calls()) - before
    before = len(_calls())
    _syncjob(folder, "run")
    writes = [c for c in _calls()[before:] if c["method"] != "GET" and "token" not in c["path"]]
    wrong = _judge() + [f"the second run wrote: {w['method']} {w['path']}" for w in writes]
    print(f"{calls} calls; the fewest possible are {FEWEST_CALLS}; {seconds:.1f} s")
    if calls > FEWEST_CALLS * 1.1:
        wrong.append("more than a tenth above the fewest calls")
    print("\n".join(wrong) or "830 invoices, none twice, every total to the cent, 89 contacts, "
          "and a second run that writes nothing")  # fmt: skip
    return 1 if wrong else 0


def _judge() -> list[str]:
    """What is wrong with what the servers hold; nothing, it is hoped."""
    books = _state("xero")["organisations"][0]
    titles = {str(d["id"]): d["title"].split()[1] for d in _state("pipedrive")["deals"].values()}
    wanted, found, wrong = northwind.order_totals(), {}, []
    for invoice in books["invoices"]:
        deal = invoice["url"].partition("/deal/")[2].partition("?")[0]
        order = titles[deal]
        if order in found:
            wrong.append(f"order {order} has two invoices")
        found[order] = Fraction(invoice["total"])
    wrong += [
        f"order {o}: {found.get(o)} is not {t}" for o, t in wanted.items() if found.get(o) != t
    ]
    if len(books["contacts"]) != 89:
        wrong.append(f"{len(books['contacts'])} contacts instead of 89")
    return wrong


def _state(server: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{BASE}/control/state/{server}", timeout=30).json()
    return found


def _calls() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{BASE}/control/calls", timeout=30).json()
    return found


def _syncjob(folder: Path, *words: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "syncjob", *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == expect, (words, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
