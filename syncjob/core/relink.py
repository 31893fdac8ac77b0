"""A change of the CRM: which old record is which new one, as far as that can be taken at its word.

Pure. Keeps invariant 1: a row that would give one deal two invoices, or one customer two contacts
of the ledger, is refused and named; the others stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

Kind = Literal["deals", "contacts"]

#: So many of what has no partner are named; the count is always whole.
NAMED_MAX = 20


class MapRow(msgspec.Struct, frozen=True):
    """A row of the map: `old` and `new` as ids of ours ("1042", "org:12"), `line` in the file, and
    the account in the address of the new one, where the file has addresses."""

    line: int
    kind: Kind
    old: str
    new: str
    account: str = ""

    @property
    def name(self) -> str:
        """The old record in words."""
        return words_of(self.kind, self.old)


class Refused(msgspec.Struct, frozen=True):
    """A row that is not taken, and why. `missing`: the new CRM does not show the record."""

    line: int
    why: str
    missing: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What both accounts say of one row. `shown`: the new CRM shows the new record; `account` whose
    it is; `earlier` what an earlier map made of the old one. `papers` are the old record's live
    invoices or its ledger contact, `own` those that the new record has already."""

    shown: bool
    deleted: bool = False
    account: str = ""
    earlier: str | None = None
    papers: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


class RelinkReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a map comes to. `without` are deals of the old CRM with a live invoice that no row
    names, `without_count` how many; `already` how many rows were taken earlier. `again`: this
    state has no map of that CRM yet, though it belongs to the new one (it was lost). `done`: it was
    carried out; `backup` is the state as it was before, `kept` a copy of the map."""

    connection: str
    account: str
    old_code: str
    code: str
    first: bool
    again: bool = False
    deals: int = 0
    invoiced: int = 0
    contacts: int = 0
    linked: int = 0
    already: int = 0
    without_count: int = 0
    without: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    done: bool = False
    backup: str | None = None
    kept: str | None = None

    @property
    def missing(self) -> int:
        """How many rows name a record that the new CRM does not show."""
        return sum(1 for row in self.refused if row.missing)

    @property
    def rows(self) -> int:
        """How many rows are to be taken."""
        return self.deals + self.contacts


class Judged(msgspec.Struct, frozen=True):
    """The rows that can be taken, those that were taken before, and those that are refused."""

    taken: tuple[MapRow, ...]
    already: int
    refused: tuple[Refused, ...]


def judge(rows: Sequence[MapRow], known: Callable[[MapRow], Known]) -> Judged:
    """Which rows can be taken. What one record is must be said once, or in the same words."""
    rows, refused = _unambiguous(rows)
    taken: list[MapRow] = []
    already = 0
    for row in rows:
        found = known(row)
        if found.earlier == row.new:
            already += 1
            continue
        why = _against(row, found)
        if why is None:
            taken.append(row)
        else:
            refused.append(Refused(row.line, why, missing=not found.shown))
    free, crowded = _uncrowded(taken, known)
    refused += crowded
    return Judged(tuple(free), already, tuple(sorted(refused, key=lambda one: one.line)))


def _unambiguous(rows: Sequence[MapRow]) -> tuple[list[MapRow], list[Refused]]:
    """The rows without repetitions; an old record that became two new ones is no row at all."""
    meant: dict[tuple[Kind, str], dict[str, MapRow]] = defaultdict(dict)
    for row in rows:
        meant[row.kind, row.old].setdefault(row.new, row)
    kept: list[MapRow] = []
    refused: list[Refused] = []
    for news in meant.values():
        if len(news) == 1:
            kept += news.values()
            continue
        lines = ", ".join(str(row.line) for row in news.values())
        refused += [
            Refused(row.line, f"{row.name} stands for several records (lines {lines})")
            for row in news.values()
        ]
    return kept, refused


def _against(row: MapRow, found: Known) -> str | None:
    new = words_of(row.kind, row.new)
    if row.old.partition(":")[0] != row.new.partition(":")[0] and row.kind == "contacts":
        return f"{row.name} cannot become {new}: a company stays one, and a person too"
    if found.earlier is not None:
        return f"{row.name} became {words_of(row.kind, found.earlier)} by an earlier map"
    if not found.shown:
        return f"the new CRM shows no {new}"
    if found.deleted:
        return f"{new} is deleted in the new CRM"
    if row.account and found.account and row.account != found.account:
        return f"the address of {new} is of another account ({row.account})"
    return None


def _uncrowded(
    rows: Sequence[MapRow], known: Callable[[MapRow], Known]
) -> tuple[list[MapRow], list[Refused]]:
    """Old records may become one, as long as only one of them has papers."""
    together: dict[tuple[Kind, str], list[MapRow]] = defaultdict(list)
    for row in rows:
        together[row.kind, row.new].append(row)
    kept: list[MapRow] = []
    refused: list[Refused] = []
    for group in together.values():
        with_papers = [row for row in group if known(row).papers]
        papers = {frozenset(known(row).papers) for row in with_papers}
        own = frozenset(known(group[0]).own)
        if own:
            papers.add(own)
        # Customers may share their one contact of the ledger; invoices are always different.
        too_many = len(papers) > 1
        kept += [row for row in group if not (too_many and row in with_papers)]
        refused += _too_many(with_papers, own, known) if too_many else []
    return kept, refused


def _too_many(
    rows: Sequence[MapRow], own: Iterable[str], known: Callable[[MapRow], Known]
) -> Iterator[Refused]:
    what = "an invoice" if rows[0].kind == "deals" else "a contact in the ledger"
    new = words_of(rows[0].kind, rows[0].new)
    have = [f"{row.name} ({', '.join(known(row).papers)})" for row in rows]
    have += [f"{new} itself ({', '.join(sorted(own))})"] if own else []
    for row in rows:
        yield Refused(row.line, f"each of these has {what}, and {new} can have one: "
                      f"{', '.join(have)}")  # fmt: skip


def words_of(kind: Kind, record_id: str) -> str:
    """A record in words: "deal 1042", "organization 12", "person 7"."""
    if kind == "deals":
        return f"deal {record_id}"
    noun, _, number = record_id.partition(":")
    return f"{'organization' if noun == 'org' else noun} {number}"
