"""How long a won deal waits for its draft and money for its deal, in a simulated week.

Both sandbox servers, the people on both sides and syncjob run in this process, on a clock that
only the simulation moves; the vendors' limits hold, and no socket is opened. The firm sells and is
paid at all hours of the day, most of it around noon. What is measured is read off the calls that
the servers saw, not from syncjob's own state.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

import requests
import urllib3
import yaml
from requests.adapters import BaseAdapter, HTTPAdapter

from syncjob.config import load_config
from syncjob.connectors.registry import register_all
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import open_connection
from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import Call, Clock, Entropy, FaultBook, Request
from syncjob.sandbox.pipedrive import Options as CrmOptions
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.xero.options import Limits
from syncjob.sandbox.xero.options import Options as LedgerOptions
from syncjob.sandbox.xero.server import XeroServer

BASE = "https://week.invalid"
SEED = 20261123
#: The firm and both its accounts are in one zone; the week begins on a Monday at midnight.
ZONE = ZoneInfo("Australia/Sydney")
MONDAY = date(2026, 11, 23)
#: A new state creates nothing before this (DESIGN 5.4), so the program is set up the day before.
SETUP = timedelta(hours=8)
#: The calls of the day that Xero allows, with the interval that docs/operating.md proposes.
TIERS: tuple[tuple[int, int], ...] = ((5_000, 5), (1_000, 5))
#: Won deals a working day, and of 100 the share of them that falls into the hour from noon.
DEALS_A_DAY, NOON_PERCENT, CUSTOMERS = 60, 60, 80
#: Of the approved and unpaid invoices, so many of 100 are paid each working day.
PAID_PERCENT = 30
#: The bookkeeper approves the day's drafts then.
APPROVES_AT = time(15, 30)
#: One exchange takes so long on the simulated clock, in seconds.
EXCHANGE_S = 0.3
#: Files in memory, where the machine has such a place.
MEMORY = Path("/dev/shm")
_MARKER = re.compile(rb"SJ-(\d+)-A1")

Row = dict[str, Any]


class Pace:
    """The program's clock: the servers' own, moved by waiting."""

    def __init__(self, shared: Clock) -> None:
        self._shared = shared

    def now(self) -> datetime:
        """The simulated instant."""
        return self._shared.now()

    def monotonic(self) -> float:
        """The same in seconds."""
        return self._shared.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Wait; nobody else acts meanwhile."""
        self._shared.advance(seconds)


class Wire(BaseAdapter):
    """What `requests` sends becomes a request of the sandbox, its reply an answer."""

    def __init__(self, host: Host, told: Callable[[str], None]) -> None:
        """`told` hears what each answer says is left of Xero's day."""
        super().__init__()
        self._host, self._told, self._builder = host, told, HTTPAdapter()

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None,
        verify: Any = True, cert: Any = None, proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:  # fmt: skip
        """One exchange."""
        parts, body = urlsplit(request.url or ""), request.body or b""
        self._host.clock.advance(EXCHANGE_S)
        reply = self._host.exchange(
            Request(
                method=request.method or "", path=unquote(parts.path),
                query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
                headers=tuple((k, _text(v)) for k, v in request.headers.items()),
                body=body.encode() if isinstance(body, str) else bytes(body),
            )
        )  # fmt: skip
        headers = urllib3.HTTPHeaderDict(reply.headers)
        if (left := headers.get("X-DayLimit-Remaining")) is not None:
            self._told(left)
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(reply.body), headers=headers,
            status=reply.status, preload_content=False, decode_content=False,
        )  # fmt: skip
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is kept open."""


class Week:
    """One firm on one of Xero's tiers, batch after batch."""

    def __init__(
        self, folder: Path, day_limit: int, minutes: int, seed: int = SEED,
        more: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        """`more`: keys of the config's sections, over those of the benchmark."""
        self.day_limit, self.minutes, self.chance = day_limit, minutes, Random(seed)
        start = datetime.combine(MONDAY, time(), ZONE).astimezone(UTC) - SETUP
        self.clock, faults = Clock(start), FaultBook()
        books = LedgerOptions(region="AU", lag_max_s=30, limits=Limits(day=day_limit))
        self.xero = XeroServer(self.clock, Entropy(seed), books, faults)
        chosen = CrmOptions(
            currency="AUD", plan="lite", seats=1, bursts_in_real_time=False, lag_max_s=30,
            timezone=ZONE.key,
        )  # fmt: skip
        self.crm = PipedriveServer(self.clock, Entropy(seed + 1), chosen, faults)
        self.host = Host([self.xero, self.crm], self.clock, faults, sleep=self.clock.advance)
        self.diary: list[tuple[datetime, str, int]] = []  # when, what, of which deal
        self.won: dict[int, datetime] = {}
        self.drafted: dict[int, datetime] = {}
        self.paid: dict[int, datetime] = {}
        self.told: dict[int, datetime] = {}
        self.approved: set[int] = set()
        self.calls: Counter[date] = Counter()
        self.refused = 0
        self.left_min = day_limit
        self.reports: list[BatchReport] = []
        self._prepare(folder, more or {})

    # --- people ---------------------------------------------------------------------------------

    def plan_days(self, days: int, deals: int = DEALS_A_DAY) -> None:
        """Who wins what and when; the bookkeeper's days."""
        for number in range(days):
            day = MONDAY + timedelta(days=number)
            if day.weekday() >= 5:
                continue
            for _ in range(deals):
                noon = self.chance.random() * 100 < NOON_PERCENT
                first, hours = (12, 1) if noon else (8, 10)
                at = _at(day, time(first)) + self.chance.random() * timedelta(hours=hours)
                self.diary.append((at, "win", 0))
            self.diary.append((_at(day, APPROVES_AT), "approve", 0))
            self.diary.append((_at(day, time(11, 59)), "bank", 0))
        self.diary.sort()

    def act_until(self, end: datetime) -> None:
        """Let people do what is due by then, each at the moment that it is."""
        while self.diary and self.diary[0][0] <= end:
            at, what, deal = self.diary.pop(0)
            if at > self.clock.now():
                self.clock.set(at)
            getattr(self, f"_{what}")(deal)
        if end > self.clock.now():
            self.clock.set(end)

    def _win(self, _: int) -> None:
        org = f"Customer {self.chance.randrange(CUSTOMERS)} Pty"
        line = {"name": "Work", "price": self.chance.randrange(50, 5_000), "quantity": 1, "tax": 10}
        deal = {"title": f"Order {len(self.won) + 1}", "currency": "AUD", "lines": [line]}
        made = self.crm.people("create_deal", {**deal, "org": org})
        self.crm.people("win", {"deal": made["id"]})
        self.won[int(made["id"])] = self.clock.now()

    def _approve(self, _: int) -> None:
        for deal in sorted(self.drafted.keys() - self.approved):
            self.xero.people("approve", {"invoice": self._invoice(deal)})
            self.approved.add(deal)

    def _bank(self, _: int) -> None:
        """The bank's list of the day: who pays, and when within the hour it is entered."""
        for deal in sorted(self.approved - self.paid.keys()):
            if self.chance.random() * 100 < PAID_PERCENT:
                at = self.clock.now() + self.chance.random() * timedelta(hours=1)
                self.diary.append((at, "pay", deal))
        self.diary.sort()

    def _pay(self, deal: int) -> None:
        self.xero.people("pay", {"invoice": self._invoice(deal)})
        self.paid[deal] = self.clock.now()

    def _invoice(self, deal: int) -> str:
        held = self.xero.dump()["organisations"][0]["invoices"]
        rows = held.values() if isinstance(held, dict) else held
        return next(str(i["id"]) for i in rows if f"SJ-{deal}-A1" in (i["url"] or ""))

    # --- the program ----------------------------------------------------------------------------

    def batch(self) -> None:
        """One batch, as cron would start it; what the servers saw of it is counted."""
        with open_connection(
            self.config, clock=Pace(self.clock), session=self._session, rng=self.chance,
            new_key=lambda: f"{self.chance.getrandbits(64):016x}",
        ) as handle:  # fmt: skip
            self.reports.append(handle.run(RunOptions(who="the week")))
        self._count()

    def live(self, until: datetime) -> None:
        """Batch after batch, with what people do between them."""
        due = self.clock.now()
        while due < until:
            self.act_until(due)
            self.batch()
            due += timedelta(minutes=self.minutes)

    def _count(self) -> None:
        for call in self.host.log.find():
            self.refused += call.status == 429
            if call.server == "xero":
                self.calls[call.at.astimezone(ZONE).date()] += 1
            if call.status == 200:
                self._seen(call)
        self.host.log.clear()

    def _seen(self, call: Call) -> None:
        if call.method == "PUT" and call.path.endswith("/Invoices"):
            for found in _MARKER.finditer(call.body):
                self.drafted.setdefault(int(found[1]), call.at)
        elif call.method == "PATCH" and "/deals/" in call.path:
            deal = int(call.path.rpartition("/")[2])
            if self.paid.get(deal, call.at) < call.at:
                self.told.setdefault(deal, call.at)

    def _prepare(self, folder: Path, more: Mapping[str, Mapping[str, Any]]) -> None:
        register_all()
        path = folder / "config.yaml"
        settings = _settings(self.day_limit, self.minutes)
        for section, keys in more.items():
            settings[section].update(keys)
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        path.chmod(0o600)
        self.config = load_config(path)
        for number in range(CUSTOMERS):
            self.crm.people("create_org", {"name": f"Customer {number} Pty"})
        with open_connection(
            self.config, clock=Pace(self.clock), session=self._session, rng=self.chance
        ) as handle:
            handle.init_fields(create=True)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # nothing of this machine counts
        session.mount("https://", Wire(self.host, self._told))
        return session

    def _told(self, left: str) -> None:
        self.left_min = min(self.left_min, int(left))


def measure(
    days: int = 7, tiers: tuple[tuple[int, int], ...] = TIERS, seed: int = SEED
) -> list[Row]:
    """A row for each of Xero's tiers: waits in minutes, calls, and what the vendors refused."""
    rows = []
    for day_limit, minutes in tiers:
        with tempfile.TemporaryDirectory(prefix="syncjob-week-", dir=memory()) as name:
            rows.append(_row(_lived(Path(name), day_limit, minutes, days, seed)))
    return rows


def memory() -> Path | None:
    """Where files cost no disk, if the machine has such a place: only the clock of the simulation
    counts, and a batch waits for each of its commits."""
    return MEMORY if MEMORY.is_dir() else None


def _lived(folder: Path, day_limit: int, minutes: int, days: int, seed: int) -> Week:
    """A week from its set-up to its last batch."""
    week = Week(folder, day_limit, minutes, seed)
    week.plan_days(days)
    week.live(_at(MONDAY + timedelta(days=days), time()))
    return week


def _row(week: Week) -> Row:
    return {
        "tier": week.day_limit, "every_minutes": week.minutes,
        "cap": week.config.ledger.day_limit * 9 // 10,  # type: ignore[attr-defined]
        "deals": len(week.won), "drafts": len(week.drafted),
        "draft": waits(week.won, week.drafted),
        "payments": len(week.paid), "payment": waits(week.paid, week.told),
        "calls": sum(week.calls.values()), "busiest_day": max(week.calls.values()),
        "refused": week.refused, "left_min": week.left_min,
        "days_with_work_left": len({r.started.date() for r in week.reports if r.left_out}),
    }  # fmt: skip


def waits(since: Mapping[int, datetime], until: Mapping[int, datetime]) -> dict[str, float]:
    """Half, 95% and all waited no longer than this, in minutes; what never came waits for ever."""
    found = sorted(
        (until[deal] - at).total_seconds() / 60 if deal in until else float("inf")
        for deal, at in since.items()
    )
    if not found:
        return {"half": 0.0, "most": 0.0, "longest": 0.0}
    return {
        "half": found[len(found) // 2], "most": found[-(-len(found) * 95 // 100) - 1],
        "longest": found[-1],
    }  # fmt: skip


def _settings(day_limit: int, minutes: int) -> dict[str, Any]:
    return {
        "connection": {"name": "week", "code": "SJ", "page": None},
        "mode": "drafts_only",
        "crm": {
            "type": "pipedrive", "api_url": f"{BASE}/pipedrive", "api_token": "sandbox-token",
            "plan": "lite", "seats": 1,
        },
        "ledger": {
            "type": "xero", "api_url": f"{BASE}/xero/api.xro/2.0",
            "identity_url": f"{BASE}/xero/identity", "connections_url": f"{BASE}/xero/connections",
            "auth": {"kind": "custom_connection", "client_id": "sandbox-custom",
                     "client_secret": "sandbox-secret"},
            "day_limit": day_limit,
        },
        "invoices": {"won_since": (MONDAY - timedelta(days=7)).isoformat(), "account": "200",
                     "tax": {"amounts": "exclusive"}},
        "guard": {"creates_first_week": 1000, "creates": 1000, "updates": 10000,
                  "times_largest": 1000},
        "schedule": {"every_minutes": minutes},
    }  # fmt: skip


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def main() -> None:
    """Print the rows as JSON."""
    print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
