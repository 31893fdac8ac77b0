"""The CRMs that a world can have behind one face: server, config, what reads, and what is true.

`Truth` is what the server holds, without lag, in the words that people and judges use for every
CRM: rows of deals, customers, lines ("rows"), tasks ("activities") and notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from fractions import Fraction
from random import Random
from typing import Any, Protocol

from syncjob.sandbox.hubspot import HubSpotServer, associations, dumping
from syncjob.sandbox.hubspot import Options as HubSpotOptions
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Server
from syncjob.sandbox.pipedrive import Options as PipedriveOptions
from syncjob.sandbox.pipedrive import PipedriveServer

Row = dict[str, Any]


class Truth(Protocol):
    """What a CRM's server holds, its people see at once, and its lists may show later."""

    @property
    def fields(self) -> Mapping[str, Mapping[str, Row]]:
        """The account's own fields, by the kind of record and their codes."""

    def all(self, kind: str) -> Iterator[Row]:
        """The records of a kind, deleted ones too, in the order of their ids."""

    def get(self, kind: str, key: int | None) -> Row | None:
        """One of them."""

    def children(self, kind: str, deal: int) -> list[Row]:
        """The lines of a deal."""

    def heir(self, kind: str, key: int) -> int:
        """The record that this one has become by merges; itself without."""

    @property
    def lag_s(self) -> float:
        """By how many seconds what the program reads may be late."""

    @property
    def lines_stamp(self) -> bool:
        """Whether a change of its lines moves the deal's stamp."""


class Crm(Protocol):
    """What a world asks of a CRM."""

    name: str

    def server(self, time: Clock, entropy: Entropy, faults: FaultBook, wishes: Row) -> Server:
        """The sandbox, without limits and lag unless the wishes (its options) say so."""

    def config(self, base: str) -> Row:
        """The `crm:` section for it."""

    def reads(self, method: str, path: str) -> bool:
        """Whether a call only reads, whatever its method."""

    def truth(self, server: Server) -> Truth:
        """What this server holds."""

    def answers(self, rng: Random) -> Row:
        """Drawn answers to what nobody knows of the vendor, as further options of its sandbox."""

    def be(self, server: Server, *, lag_s: int, lines_stamp: bool, **answers: Any) -> None:
        """Let the server be as a seed has drawn it."""


# --- Pipedrive -----------------------------------------------------------------------------------


class PipedriveTruth:
    """The company's tables are in these words already."""

    def __init__(self, server: PipedriveServer) -> None:
        self.company = server.company
        self.all, self.get, self.children = (
            self.company.all, self.company.get, self.company.children,
        )  # fmt: skip

    @property
    def fields(self) -> Mapping[str, Mapping[str, Row]]:
        return self.company.fields

    def heir(self, kind: str, key: int) -> int:
        """A winner keeps its id, and nothing names it for the loser."""
        return key

    @property
    def lag_s(self) -> float:
        return self.company.options.lag_max_s

    @property
    def lines_stamp(self) -> bool:
        return self.company.options.products_bump_deal


class Pipedrive:
    """A GET reads."""

    name = "pipedrive"

    def server(self, time: Clock, entropy: Entropy, faults: FaultBook, wishes: Row) -> Server:
        given = {"currency": "AUD", "limits": False, "bursts_in_real_time": False, **wishes}
        return PipedriveServer(time, entropy, PipedriveOptions(**given), faults)

    def config(self, base: str) -> Row:
        return {"type": "pipedrive", "api_url": f"{base}/pipedrive", "api_token": "sandbox-token",
                "plan": "ultimate", "seats": 50}  # fmt: skip

    def reads(self, method: str, path: str) -> bool:
        return method == "GET"

    def truth(self, server: Server) -> Truth:
        assert isinstance(server, PipedriveServer)
        return PipedriveTruth(server)

    def answers(self, rng: Random) -> Row:
        return {}

    def be(self, server: Server, *, lag_s: int, lines_stamp: bool, **answers: Any) -> None:
        assert isinstance(server, PipedriveServer)
        made = {"lag_max_s": lag_s, "products_bump_deal": lines_stamp, **answers}
        server.company.options = replace(server.company.options, **made)


# --- HubSpot -------------------------------------------------------------------------------------


class HubSpotTruth:
    """The server's dump, record by record."""

    def __init__(self, server: HubSpotServer) -> None:
        self.server, self.store = server, server.store

    @property
    def fields(self) -> Mapping[str, Mapping[str, Row]]:
        kinds = ("deals", "organizations", "persons")
        return {kind: dumping.fields(self.store, dumping.TABLES[kind]) for kind in kinds}

    def all(self, kind: str) -> Iterator[Row]:
        if kind == "users":
            return (dumping.owner(found) for found in self.store.owners.values())
        table = dumping.TABLES[kind]
        found = (self.store.at(table, key) for key in list(self.store.tables[table].order))
        return (self._row(kind, record) for record in found if record is not None)

    def get(self, kind: str, key: int | None) -> Row | None:
        record = None if key is None else self.store.at(dumping.TABLES[kind], key)
        return None if record is None else self._row(kind, record)

    def children(self, kind: str, deal: int) -> list[Row]:
        if kind != "rows":  # HubSpot's deals have neither discounts nor instalments
            return []
        links = associations.live_links(self.store, "deals", deal, "line_items")
        return [row for key, _ in links if (row := self.get(kind, key)) is not None]

    def heir(self, kind: str, key: int) -> int:
        record = self.store.resolved(dumping.TABLES[kind], key)
        return key if record is None else record.id

    def _row(self, kind: str, record: Any) -> Row:
        row = dumping.neutral(self.store, record)
        if kind == "deals":
            row["first_won_time"] = None  # the vendor forgets it; world.watch remembers
        if kind == "rows" and row["discount_type"] == "amount":  # HubSpot's is off each unit
            each = Fraction(str(row["discount"])) * Fraction(str(row["quantity"] or 0))
            row["discount"] = each
        return row

    @property
    def lag_s(self) -> float:
        return self.store.options.index_lag_max_s

    @property
    def lines_stamp(self) -> bool:
        options = self.store.options  # a line that is removed changes nothing but the amount
        return options.lines_bump_deal and options.amount_follows_lines


class HubSpot:
    """Searches and batch reads are POSTs that only read."""

    name = "hubspot"

    def server(self, time: Clock, entropy: Entropy, faults: FaultBook, wishes: Row) -> Server:
        given = {
            "currency": "AUD", "currencies": ("EUR", "NZD"), "limits": False,
            "index_lag_max_s": 0, "timezone": "Australia/Sydney", "bursts_in_real_time": False,
            "plan": "enterprise", "first_id": 1, **wishes,
        }  # fmt: skip
        return HubSpotServer(time, entropy, HubSpotOptions(**given), faults)

    def config(self, base: str) -> Row:
        return {"type": "hubspot", "api_url": f"{base}/hubspot", "access_token": "sandbox-token",
                "plan": "enterprise"}  # fmt: skip

    def reads(self, method: str, path: str) -> bool:
        return method == "GET" or path.endswith(("/search", "/batch/read"))

    def truth(self, server: Server) -> Truth:
        assert isinstance(server, HubSpotServer)
        return HubSpotTruth(server)

    def answers(self, rng: Random) -> Row:
        flags = ("terse_errors", "associations_bump", "idle_patch_bumps", "long_zeros",
                 "scattered_ids", "amount_follows_lines")  # fmt: skip
        return {
            **{name: rng.random() < 0.5 for name in flags},
            "multi_status": rng.choice(("version", "207", "200")),
            "merged_in_batch": rng.choice(("error", "silent")),
            "merged_in_read": rng.choice(("resolved", "missing")),
            "null_share": rng.choice((0, 0.5, 1)), "id_stride_max": rng.choice((1, 5)),
            "limits": rng.random() < 0.3, "ten_seconds": rng.choice((None, 20)),
            "searches_a_second": rng.choice((5, 2)), "seed": rng.randrange(1000),
        }  # fmt: skip

    def be(self, server: Server, *, lag_s: int, lines_stamp: bool, **answers: Any) -> None:
        assert isinstance(server, HubSpotServer)
        change(server, index_lag_max_s=lag_s, lines_bump_deal=lines_stamp, **answers)


def change(server: HubSpotServer, **options: Any) -> None:
    """Other options of a server that is up; all of its parts look at the same ones."""
    assert options.keys() <= {f.name for f in fields(HubSpotOptions)}
    made = replace(server.options, **options)
    server.options = server.store.options = server.limits.options = server.oauth.options = made


CRMS: dict[str, Crm] = {"pipedrive": Pipedrive(), "hubspot": HubSpot()}
