"""Fills a company from a directory of CSV files, so that a user can rehearse on an own export."""

from __future__ import annotations

from dataclasses import dataclass, field
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
)
from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive import acts, amounts, csvrow, fields
from syncjob.sandbox.pipedrive.company import Record
from syncjob.sandbox.pipedrive.people import add_pipeline, resolve

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

_ACTS = {
    "users": "create_user",
    "organizations": "create_org",
    "persons": "create_person",
    "products": "create_product",
    "deals": "create_deal",
}
_LINKS = {
    "org": ("organizations", "create_org"),
    "person": ("persons", "create_person"),
    "owner": ("users", "create_user"),
}
_TIMES = ("add_time", "update_time")


@dataclass
class _Load:
    server: PipedriveServer
    problems: list[str]
    makes: frozenset[str]  # kinds without a file of their own: made when a deal names one
    known: dict[tuple[str, str], int] = field(default_factory=dict)

    def file(self, path: Path, kind: str) -> int:
        """Loads one file; bad rows are noted, the others go in. Returns how many went in."""
        done = 0
        with opened(path, self.problems) as reader:
            columns = self._columns(path.name, kind, reader.fieldnames)
            for row in rows(path.name, reader, self.problems):
                done += self._row(path.name, reader.line_num, kind, row, columns)
        return done

    def _columns(self, name: str, kind: str, header: Any) -> dict[str, str]:
        """Column to meaning: known names as they are, `field:Name[:type]` to a field's code."""
        columns: dict[str, str] = {}
        known = COLUMNS[kind]
        for column in header or ():
            if column.startswith("field:") and kind in fields.SYSTEM:
                columns[column] = self._field(name, kind, column)
            elif column in known:
                columns[column] = column
            else:
                self.problems.append(
                    f"{name}:1: unknown column {column!r}; known are {', '.join(known)}"
                    " and field:Name[:type]"
                )
        for needed in NEEDED[kind]:
            if needed not in columns:
                self.problems.append(f"{name}:1: the column {needed!r} is missing")
        return columns

    def _field(self, name: str, kind: str, column: str) -> str:
        _, label, field_type = (*column.split(":"), "varchar")[:3]
        found = fields.find_field(self.server.company, kind, label)
        if found is None and field_type in ("enum", "set"):
            self.problems.append(f"{name}:1: {column!r}: enum and set fields cannot be loaded")
        elif found is None and field_type not in fields.CREATABLE:
            self.problems.append(f"{name}:1: {column!r}: unknown field type {field_type!r}")
        elif found is None:
            fields.create_field(self.server.company, kind, label, field_type)
        return f"field:{label}"

    def _row(self, name: str, line: int, kind: str, row: dict[str, str], columns: Cells) -> int:
        cells = {columns[c]: v.strip() for c, v in row.items() if c in columns and v.strip()}
        try:
            for needed in NEEDED[kind]:
                if needed not in cells:
                    raise BadCell(needed, "must not be empty")
            self._line(cells) if kind == "rows" else self._record(kind, cells)
        except BadCell as bad:
            self.problems.append(f"{name}:{line}: {bad.column}: {bad.why}")
        except ActError as error:
            self.problems.append(f"{name}:{line}: {error}")
        else:
            return 1
        return 0

    def _record(self, kind: str, cells: Cells) -> None:
        external = cells.get("id")
        if external in self.server.company.external[kind]:
            raise BadCell("id", f"{external!r} is there twice")
        with csvrow.refusals():
            payload = csvrow.payload(self.server.company, kind, cells)
            self._link(payload)
            if external and external.isdigit() and len(external) <= 9:
                payload["id"] = int(external)
            if kind == "deals":
                _place(self.server, payload)
            times: Record = {k: payload.pop(k) for k in _TIMES if k in payload}
            made = acts.ACTS[_ACTS[kind]](self.server, payload)
        if times:
            self.server.company.change(kind, made["id"], times, bump=False)
        if external:
            self.server.company.external[kind][external] = made["id"]

    def _line(self, cells: Cells) -> None:
        with csvrow.refusals():
            payload = csvrow.payload(self.server.company, "rows", cells)
            deal_id = resolve(self.server.company, "deals", payload.pop("deal"))
            ref = payload.get("product", payload.get("code", payload.get("name")))
            key = self.known.get(("products", str(ref)))
            if key is not None:
                payload["product_id"] = key
            row = csvrow.add_line(self.server, deal_id, payload)
            self.known["products", str(ref)] = row["product_id"]

    def _link(self, payload: Record) -> None:
        """Names of other records to ids, looked up once each."""
        for name, (kind, maker) in _LINKS.items():
            if name not in payload:
                continue
            at = (kind, str(payload[name]))
            if at not in self.known:
                self.known[at] = self._found(kind, maker, payload[name])
            payload[name] = self.known[at]

    def _found(self, kind: str, maker: str, ref: str) -> int:
        try:
            return resolve(self.server.company, kind, ref)
        except ActError:
            if kind not in self.makes:
                raise
            return int(acts.ACTS[maker](self.server, {"name": ref})["id"])


def load_directory(server: PipedriveServer, path: Path | str) -> dict[str, int]:
    """Loads what is there, in the order in which one file refers to another.

    Returns how many rows of each file went in. Raises LoadError with every problem found; then
    the company is half filled and should be thrown away.
    """
    root = Path(path)
    if not (root / "deals.csv").is_file():
        raise LoadError([f"{root}: no deals.csv here; see docs/sandbox-csv.md"])
    absent = frozenset(kind for name, kind in FILES.items() if not (root / name).is_file())
    load = _Load(server, [], absent)
    late, server.company.late = server.company.late, False
    try:
        counts = {n: load.file(root / n, k) for n, k in FILES.items() if (root / n).is_file()}
        _revalue(server)
    finally:
        server.company.late = late
    if load.problems:
        raise LoadError(load.problems)
    return counts


def _place(server: PipedriveServer, payload: dict[str, Any]) -> None:
    """Pipelines and stages that the file names are made when they are first met."""
    company, pipeline, stage = server.company, payload.get("pipeline"), payload.get("stage")
    if pipeline is None and stage is None:
        return
    try:
        key = resolve(company, "pipelines", pipeline) if pipeline is not None else 1
    except ActError:
        key = add_pipeline(company, str(pipeline), [str(stage or "Start")])["id"]
    payload.pop("pipeline", None)
    payload["pipeline_id"] = key
    if stage is None:
        return
    stages = [s for s in company.all("stages") if s["pipeline_id"] == key]
    found = next((s["id"] for s in stages if stage in (s["name"], str(s["id"]))), None)
    payload.pop("stage")
    payload["stage_id"] = found or csvrow.add_stage(company, key, str(stage), len(stages) + 1)


def _revalue(server: PipedriveServer) -> None:
    """Values of deals with lines follow the lines; the times that the file gave stay."""
    company = server.company
    for deal_id in company.tables["rows"].by_deal:
        currency = company.tables["deals"].rows[deal_id].record["currency"]
        found = company.children("rows", deal_id)
        values = {
            "value": amounts.deal_value(found, (), currency),
            **amounts.recurring(found, currency),
        }
        company.change("deals", deal_id, values, bump=False)
