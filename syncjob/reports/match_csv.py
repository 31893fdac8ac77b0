"""The review of a match as a CSV file: written for a spreadsheet, read back from what that made.

Spreadsheets change the separator, the line ends, the encoding, the case of words and the order of
columns; none of that matters here. What would mix two customers up does: a row whose key does not
belong to its ids and names is refused by its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from syncjob.core.review import Answer, Refusal, ReviewRow, Verdict, row_key
from syncjob.errors import WrongFile
from syncjob.reports.csv_file import DELIMITERS, column, decoded, numbered, plain_cell

COLUMNS = (
    "decision", "what", "first", "second", "score", "band", "agrees", "differs", "why",
    "advice", "first_id", "second_id", "first_link", "second_link", "key",
)  # fmt: skip
#: Without these a row cannot be told from another.
NEEDED = ("decision", "what", "first_id", "second_id", "key")
_ANSWERS: dict[str, Verdict] = {
    "same": "same", "different": "different", "leave": "leave", "": "leave",
}  # fmt: skip
#: A spreadsheet takes a cell that begins so for a formula; also one that begins so after a
#: separator, where it reads commas as text and semicolons as separators.
_FORMULA = re.compile(r"(^|[;\t\r\n|\"])(\s*)([=+\-@＝＋－＠])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PAGE = "The page is for reading; answer in the CSV file beside it."
_FRESH = "`syncjob match` writes a fresh review."


# --- writing --------------------------------------------------------------------------------------


def write_review(rows: Iterable[ReviewRow]) -> str:
    """The rows as CSV text that a spreadsheet opens as it is (with a byte order mark, CRLF)."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(text) for text in _cells(row)])
    return out.getvalue()


def _cells(row: ReviewRow) -> tuple[str, ...]:
    p = row.proposal
    return (
        "", p.kind, p.first_name, p.second_name, f"{p.score / 1000:.3f}", p.band,
        "; ".join(p.agrees), "; ".join(p.differs), p.because, p.advice, p.first, p.second,
        row.first.page or "", row.second.page or "", p.key,
    )  # fmt: skip


def safe_cell(text: str) -> str:
    """The text without control characters, and so that no spreadsheet runs it as a formula."""
    return _FORMULA.sub(r"\1\2'\3", _CONTROL.sub("", text))


# --- reading --------------------------------------------------------------------------------------


def read_review(data: bytes, name: str) -> tuple[list[Answer], list[Refusal]]:
    """What a person answered, and the rows that cannot be taken, each with its line.

    Raises WrongFile if the file is no review at all.
    """
    text = decoded(data, name, otherwise=_FRESH, of_page=_PAGE)
    lines = numbered(text, _delimiter(text, name))
    header = _header(next(lines)[1], name)
    answers: list[Answer] = []
    refused: list[Refusal] = []
    for line, cells in lines:
        made = _answer(line, {c: plain_cell(v) for c, v in zip(header, cells, strict=False)})
        if isinstance(made, Answer):
            answers.append(made)
        else:
            refused.append(made)
    return answers, refused


def _delimiter(text: str, name: str) -> str:
    """The separator under which the first row has the columns of a review."""
    for delimiter in DELIMITERS:
        first = next(numbered(text, delimiter), (0, []))[1]
        if {column(cell) for cell in first} >= {"decision", "key"}:
            return delimiter
    raise WrongFile(
        "This is not a review that syncjob wrote: its first row has no columns 'decision' and "
        "'key'.",
        where=name,
        next_step=f"Keep the first row as it was; {_FRESH}",
    )


def _header(cells: Sequence[str], name: str) -> list[str]:
    header = [column(cell) for cell in cells]
    missing = [c for c in NEEDED if c not in header]
    twice = [c for c in NEEDED if header.count(c) > 1]
    if missing or twice:
        what = f"has no column {missing[0]!r}" if missing else f"has two columns {twice[0]!r}"
        raise WrongFile(f"The review {what}.", where=name, next_step=f"Restore it, or: {_FRESH}")
    return header


def _answer(line: int, cells: dict[str, str]) -> Answer | Refusal:
    said = cells.get("decision", "")
    verdict = _ANSWERS.get(said.lower().rstrip("."))
    if verdict is None:
        return Refusal(line, f"the decision {said!r} is none of same, different and leave")
    kind, first, second = (cells.get(c, "") for c in ("what", "first_id", "second_id"))
    key = cells.get("key", "").lower()
    if verdict != "leave" and not (key and row_key(kind.lower(), first, second) == key):
        return Refusal(
            line,
            "its key does not belong to its ids: was one column sorted or edited without the "
            "others? Answer this row in a fresh review",
        )
    return Answer(
        line=line, verdict=verdict, key=key, kind=kind.lower(), first=first, second=second,
        first_name=cells.get("first", ""), second_name=cells.get("second", ""),
    )  # fmt: skip


def same_words(one: str, other: str) -> bool:
    """Whether two names agree in their letters a-z and digits: what survives every encoding."""
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isascii() and c.isalnum())
