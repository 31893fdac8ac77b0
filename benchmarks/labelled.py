"""Labelled data for the match: CSV files whose true pairs are known, with their columns' roles.

A column's role is guessed from its name or given on the command line ("phone=Tel No"). A column
that fits no role becomes other identifying text, unless it numbers rows or names sources.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from syncjob.core.match.records import Party

Row = Mapping[str, str]
#: Role -> columns, in order. Several columns of one role are joined.
Roles = dict[str, list[str]]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "matching"

#: (role, the column's name as words joined by "_"), first fit wins.
_GUESSES = (
    ("tax_number", r".*(tax|vat|abn|ein|ssn|soc_sec|social_security|siren|siret|company_number).*"),
    (
        "skip",
        r"(rec|record|row|source)?_?id\d*|unnamed.*|source|src|dataset|cluster(_id)?|index|\w*_?n?cid"
        r"|recid|tid|ctid|\w+_id",
    ),
    ("email", r".*e_?mail.*"),
    ("url", r"(web)?_?site|web(_address|_?page)?|url|homepage"),
    ("first_name", r"(\w+_)?(first|given|fore)_?name|fname|first|givenname|name_first"),
    ("last_name", r"(\w+_)?(last|family|sur)_?name|lname|last|surname|name_last"),
    ("phone", r".*(phone|telefon|mobile|fax).*|tel|tel_.*"),
    ("postal_code", r".*(zip|post_?(al)?_?code|postcode|plz).*"),
    ("city", r"city|town|suburb|place|ort|locality|culture|.*_city"),
    ("region", r"state|region|province|county|state_cd|.*_state"),
    ("country", r"country(_code)?|birth_country"),
    ("street", r"(street|house)_?(number|no|num)|.*addr(ess)?(_?\d|_?line_?\d?)?|street.*|strasse"),
    ("name", r"(\w+_)?name|title|company|organi[sz]ation|artist|restaurant|firm|business|song"),
)


@dataclass
class Side:
    """The rows of one file, by id."""

    rows: dict[str, Row]
    roles: Roles

    def parties(self, kind: str | None = None) -> list[Party]:
        """The rows as the match takes them."""
        return [party(key, row, self.roles, kind) for key, row in self.rows.items()]


@dataclass
class Labelled:
    """Rows of one or two sides and the entity of each, so that true pairs follow."""

    name: str
    left: Side
    right: Side | None
    entity: dict[str, str]
    #: Only for truth that is a list of pairs.
    listed: set[tuple[str, str]] = field(default_factory=set)
    #: One side may hold an entity several times.
    many: bool = False

    @property
    def truth(self) -> set[tuple[str, str]]:
        """True pairs: (left id, right id), or two ids of the one side in their order."""
        if self.listed:
            return self.listed
        members: dict[str, list[str]] = defaultdict(list)
        for key, entity in self.entity.items():
            members[entity].append(key)
        if self.right is None:
            pairs = (pair for ids in members.values() for pair in combinations(sorted(ids), 2))
            return set(pairs)
        return {
            (a, b)
            for ids in members.values()
            for a in ids if a in self.left.rows
            for b in ids if b in self.right.rows
        }  # fmt: skip


def party(key: str, row: Row, roles: Roles, kind: str | None = None) -> Party:
    """One row as a party; with columns for first and last name alone it is a person."""

    def texts(role: str) -> tuple[str, ...]:
        found = (" ".join(row.get(column, "").split()) for column in roles.get(role, ()))
        return tuple(text for text in found if text)

    def one(role: str) -> str | None:
        return " ".join(texts(role)) or None

    person = "name" not in roles and bool(roles.get("last_name") or roles.get("first_name"))
    phones = tuple(p for text in texts("phone") for p in re.split(r"[;,|\n]", text) if p.strip())
    return Party(
        id=key, kind=kind or ("person" if person else "contact"),  # type: ignore[arg-type]
        name=one("name"), first_name=one("first_name"), last_name=one("last_name"),
        emails=tuple(m for text in texts("email") for m in re.split(r"[;,|\s]+", text)),
        phones=phones, lines=texts("street"), city=one("city"), region=one("region"),
        postal_code=one("postal_code"), country=one("country"), tax_number=one("tax_number"),
        url=one("url"),
        more=tuple(
            f"{column}: {row[column]}" for column in roles.get("more", ()) if row.get(column)
        ),
    )  # fmt: skip


def guess(columns: Iterable[str], given: Mapping[str, str] | None = None) -> Roles:
    """The role of each column; `given` maps a role to a column (or several, joined by "+")."""
    roles: Roles = {role: names.split("+") for role, names in (given or {}).items()}
    placed = {column for names in roles.values() for column in names}
    for column in columns:
        if column in placed:
            continue
        folded = "_".join(
            re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower())
        )
        role = next((r for r, pattern in _GUESSES if re.fullmatch(pattern, folded)), "more")
        if given and role in given:
            continue
        roles.setdefault(role, []).append(column)
    return roles


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file (comma, semicolon, tab or bar), names and values without outer blanks."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = path.read_text(encoding=encoding)
            break
        except UnicodeDecodeError:
            continue
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
    return [
        {(k or "").strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str | None)}
        for row in rows
    ]


def side(rows: list[dict[str, str]], prefix: str, roles: Roles) -> Side:
    """Rows with ids of their own: "l12"."""
    return Side({f"{prefix}{n}": row for n, row in enumerate(rows)}, roles)


def from_files(
    left: Path, right: Path | None, *, truth: Path | None, entity: str | None,
    columns: Mapping[str, str], id_column: str | None, many: bool,
) -> Labelled:  # fmt: skip
    """Labelled data from CSV files.

    Raises:
        SystemExit: neither `truth` nor `entity` says which rows are one.
    """
    paths = [path for path in (left, right) if path]
    tables = [read(path) for path in paths]
    if entity:
        return _by_entity(left.stem, tables, entity, columns, many)
    if truth is None:
        raise SystemExit("say which rows are one: --truth PAIRS.csv or --entity COLUMN")
    listed = [list(row.values())[:2] for row in read(truth)]
    sides, numbers = [], []
    for place, rows in enumerate(tables):
        wanted = {pair[place] for pair in listed}
        key = id_column if id_column in rows[0] else _id_column(rows, wanted)
        roles = guess([c for c in rows[0] if c != key], columns)
        sides.append(side(rows, "lr"[place], roles))
        numbers.append({row[key]: f"{'lr'[place]}{n}" for n, row in enumerate(rows)})
    pairs = {(numbers[0].get(a, a), numbers[-1].get(b, b)) for a, b in listed}
    if right is None:
        pairs = {(min(pair), max(pair)) for pair in pairs}
    entities = _entities(pairs)
    return Labelled(left.stem, sides[0], sides[1] if right else None, entities, pairs, many)


def _by_entity(
    name: str, tables: list[list[dict[str, str]]], entity: str, columns: Mapping[str, str],
    many: bool,
) -> Labelled:  # fmt: skip
    sides = [
        side(rows, "lr"[place], guess([c for c in rows[0] if c != entity], columns))
        for place, rows in enumerate(tables)
    ]
    entities = {key: row[entity] for part in sides for key, row in part.rows.items()}
    return Labelled(name, sides[0], sides[1] if len(sides) > 1 else None, entities, set(), many)


def _id_column(rows: list[dict[str, str]], wanted: set[str]) -> str:
    """The column whose values hold the most of the ids that the truth names."""
    return max(rows[0], key=lambda column: len(wanted & {row.get(column, "") for row in rows}))


def _entities(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The entity of each id that a pair names: ids that pairs connect are one."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for a, b in pairs:
        parent[root(a)] = root(b)
    return {key: root(key) for key in list(parent)}


# --- the data beside the repository -------------------------------------------------------------


def shared() -> list[Labelled]:
    """Every labelled set in ../shared/data/matching; empty where that is absent."""
    if not DATA.is_dir():
        return []
    found = []
    for number in (1, 2, 3):
        rows = read(DATA / "febrl" / f"dataset{number}.csv")
        found.append(one_file(f"febrl{number}", rows, _febrl_entity, _FEBRL))
    rows = read(DATA / "febrl" / "dataset1.csv")
    found.append(
        split("febrl1 org|dup", rows, _febrl_entity, lambda r: "-org" in r["rec_id"], _FEBRL)
    )
    orgs = [r for r in read(DATA / "early_childhood_orgs" / "orgs.csv") if r["True Id"]]
    found.append(one_file("orgs", orgs, lambda r: r["True Id"], _ORGS))
    sources = sorted({row["Source"] for row in orgs})
    half = set(sources[::2])
    by_source: Callable[[Row], bool] = lambda row: row["Source"] in half  # noqa: E731
    found.append(split("orgs by source", orgs, lambda r: r["True Id"], by_source, _ORGS))
    found[-1].many = True
    return found


_FEBRL: Roles = {
    "first_name": ["given_name"], "last_name": ["surname"],
    "street": ["street_number", "address_1", "address_2"], "city": ["suburb"],
    "postal_code": ["postcode"], "region": ["state"], "tax_number": ["soc_sec_id"],
    "more": ["date_of_birth"],
}  # fmt: skip
#: The columns that the data's own example uses; the others are nearly empty.
_ORGS: Roles = {
    "name": ["Site name"], "street": ["Address"], "postal_code": ["Zip"], "phone": ["Phone"],
}  # fmt: skip


def _febrl_entity(row: Row) -> str:
    return row["rec_id"].split("-")[1]


def one_file(
    name: str, rows: list[dict[str, str]], entity: Callable[[Row], str], roles: Roles
) -> Labelled:
    """Doubles inside one file."""
    left = side(rows, "r", roles)
    return Labelled(name, left, None, {key: entity(row) for key, row in left.rows.items()})


def split(
    name: str, rows: list[dict[str, str]], entity: Callable[[Row], str],
    is_left: Callable[[Row], bool], roles: Roles,
) -> Labelled:  # fmt: skip
    """One file as two sides."""
    left = side([row for row in rows if is_left(row)], "l", roles)
    right = side([row for row in rows if not is_left(row)], "r", roles)
    entities = {key: entity(row) for part in (left, right) for key, row in part.rows.items()}
    return Labelled(name, left, right, entities)
