"""Fills an account from the CSV files that fill any sandbox (docs/sandbox-csv.md).

What HubSpot does not have is a fault of the file, with its line: disabled lines, prices that
include tax, archived deals.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.csvcells import (
    COLUMNS,
    FILES,
    NEEDED,
    BadCell,
    Cells,
    LoadError,
    opened,
    rows,
    typed,
)
from syncjob.sandbox.hubspot import acts, naming, people_lines
from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

_KINDS = {"users": "owners", "organizations": "companies", "persons": "contacts",
          "products": "products", "deals": "deals"}  # fmt: skip
_ACTS = {"users": "create_user", "organizations": "create_org", "persons": "create_person",
         "products": "create_product", "deals": "create_deal"}  # fmt: skip
#: Column of a deal or person -> the file that it refers to.
_LINKS = {"org": "organizations", "person": "persons", "owner": "users"}
_FIELD_TYPES = ("varchar", "text", "double", "monetary", "date", "phone")
_NO_COLUMN = {"products": ("currency", "unit"), "users": ("admin",)}


@dataclass
class _Load:
    server: HubSpotServer
    problems: list[str]
    makes: frozenset[str]  # kinds without a file of their own: made when a deal names one
    known: dict[tuple[str, str], int] = field(default_factory=dict)
    valued: set[int] = field(default_factory=set)  # deals with lines

    @property
    def store(self) -> Store:
        return self.server.store

    def file(self, path: Path, kind: str) -> int:
        """Loads one file; bad rows are noted, the others go in. Returns how many went in."""
        done = 0
        with opened(path, self.problems) as reader:
            known = self._columns(path.name, kind, list(reader.fieldnames or ()))
            for row in rows(path.name, reader, self.problems):
                cells = {known[c]: v.strip() for c, v in row.items() if c in known and v.strip()}
                done += self._row(f"{path.name}:{reader.line_num}", kind, cells)
        return done

    def _columns(self, name: str, kind: str, header: list[str]) -> dict[str, str]:
        """Column to meaning: known names as they are, `field:Name[:type]` to `field:Name`."""
        known = {c: c for c in header}
        for column in header:
            if column.startswith("field:") and kind in _KINDS:
                known[column] = self._field(name, _KINDS[kind], column)
            elif column not in COLUMNS[kind]:
                self.problems.append(
                    f"{name}:1: unknown column {column!r}; known are {', '.join(COLUMNS[kind])}"
                    " and field:Name[:type]"
                )
        for needed in NEEDED[kind]:
            if needed not in header:
                self.problems.append(f"{name}:1: the column {needed!r} is missing")
        return known

    def _field(self, name: str, kind: str, column: str) -> str:
        """A property of the account's own for a `field:` column, made when it is first met."""
        _, label, type_ = (*column.split(":"), "varchar")[:3]
        there = any(d["label"] == label for d in self.store.definitions[kind].values())
        if type_ not in _FIELD_TYPES:
            told = f"unknown field type {type_!r}; one of {', '.join(_FIELD_TYPES)}"
            self.problems.append(f"{name}:1: {column!r}: {told}")
        elif not there:
            acts.act(self.server, "create_field", {"name": label, "kind": kind, "type": type_})
        return f"field:{label}"

    def _row(self, where: str, kind: str, cells: Cells) -> int:
        try:
            for needed in NEEDED[kind]:
                if needed not in cells:
                    raise BadCell(needed, "must not be empty")
            self._line(cells) if kind == "rows" else self._record(kind, cells)
        except BadCell as bad:
            self.problems.append(f"{where}: {bad.column}: {bad.why}")
        except ActError as error:
            self.problems.append(f"{where}: {error}")
        else:
            return 1
        return 0

    def _record(self, kind: str, cells: Cells) -> None:
        target, external = _KINDS[kind], cells.get("id")
        if external in self.store.external[target]:
            raise BadCell("id", f"{external!r} is there twice")
        payload = self._payload(kind, cells)
        if external and external.isdecimal() and len(external) <= 12:
            payload["id"] = int(external)
        if payload.pop("is_archived", False):
            raise BadCell("is_archived", "HubSpot has no archived deals; leave the deal out")
        if kind == "deals":
            self._place(payload)
        times = {k: payload.pop(k, None) for k in ("add_time", "update_time")}
        made = acts.act(self.server, _ACTS[kind], payload)
        if external:
            self.store.external[target][external] = made["id"]
        self._date(target, made["id"], times["add_time"], times["update_time"])

    def _payload(self, kind: str, cells: Cells) -> dict[str, Any]:
        payload = typed(kind, cells, _as_it_is)
        for name in _NO_COLUMN.get(kind, ()):
            payload.pop(name, None)
        for name, linked in _LINKS.items():
            if name in payload:
                payload[name] = self._found(linked, str(payload[name]))
        return payload

    def _found(self, kind: str, ref: str) -> int:
        """The id of a record that a row names; made where its kind has no file."""
        at = (kind, ref)
        if at not in self.known:
            self.known[at] = self._sought(kind, ref)
        return self.known[at]

    def _sought(self, kind: str, ref: str) -> int:
        try:
            if kind == "users":
                return naming.owner_id(self.store, ref)
            return naming.resolve(self.store, _KINDS[kind], ref)
        except ActError:
            if kind not in self.makes:
                raise
            return int(acts.act(self.server, _ACTS[kind], {"name": ref})["id"])

    def _place(self, payload: dict[str, Any]) -> None:
        """A pipeline that the file names is made when it is first met; a stage belongs to it."""
        name, stage = payload.get("pipeline"), payload.get("stage")
        found = [p for p in self.store.pipelines.values() if name in (None, p["id"], p["label"])]
        if not found:
            wish = {"name": name, "stages": [stage or "Start"]}
            acts.act(self.server, "create_pipeline", wish)
            return
        labels = [w for p in found for s in p["stages"] for w in (s["id"], s["label"])]
        if stage is not None and stage not in labels:
            wish = {"pipeline": found[0]["id"], "name": stage}
            acts.act(self.server, "add_stage", wish)

    def _date(self, kind: str, key: int, added: int | None, updated: int | None) -> None:
        record = self.store.at(kind, key) if kind in self.store.tables else None
        if record is None or (added is None and updated is None):
            return
        created = record.created if added is None else added * 1000
        moved = record.updated if updated is None else updated * 1000
        self.store.put(replace(record, created=created, updated=max(created, moved)))

    def _line(self, cells: Cells) -> None:
        payload = typed("rows", cells, _as_it_is)
        deal = self._found("deals", payload.pop("deal"))
        ref = payload.get("product", payload.get("code", payload.get("name")))
        if ref is None:
            raise BadCell("product", "name the product by its id, name or code")
        if ("products", str(ref)) in self.known:
            payload["product_id"] = self.known["products", str(ref)]
        made = people_lines.make_line(self.server, deal, payload)
        self.known["products", str(ref)] = int(made.props["hs_product_id"])
        self.valued.add(deal)


def _as_it_is(_column: str, raw: str) -> str:
    """A custom field's cell: the account itself says whether it fits."""
    return raw


def load_directory(server: HubSpotServer, path: Path | str) -> dict[str, int]:
    """Loads what is there, in the order in which one file refers to another.

    Returns how many rows of each file went in. Raises LoadError with every problem found; then
    the account is half filled and should be thrown away.
    """
    root = Path(path)
    if not (root / "deals.csv").is_file():
        raise LoadError([f"{root}: no deals.csv here; see docs/sandbox-csv.md"])
    absent = frozenset(kind for name, kind in FILES.items() if not (root / name).is_file())
    load = _Load(server, [], absent)
    store = server.store
    late, store.late = store.late, False
    try:
        counts = {n: load.file(root / n, k) for n, k in FILES.items() if (root / n).is_file()}
        for deal in sorted(load.valued):
            record = store.at("deals", deal)
            people_lines.revalue(store, deal)
            if record is not None:
                load._date("deals", deal, record.created // 1000, record.updated // 1000)
    finally:
        store.late = late
    if load.problems:
        raise LoadError(load.problems)
    return counts
