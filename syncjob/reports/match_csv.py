"""The review of a match as a CSV file: written for a spreadsheet, read back from what that made.

Spreadsheets change the separator, the line ends, the encoding, the case of words and the order of
columns; none of that matters here. What would mix two customers up does: a row whose key does not
belong to its ids and names is refused by its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from syncjob.core.review import Answer, Refusal, ReviewRow, Verdict, row_key
from syncjob.errors import WrongFile

COLUMNS = (
    "decision", "what", "first", "second", "score", "band", "agrees", "differs", "why",
    "advice", "first_id", "second_id", "first_link", "second_link", "key",
)  # fmt: skip
#: Without these a row cannot be told from another.
NEEDED = ("decision", "what", "first_id", "second_id", "key")
#: A review of half a million rows is a hundred times what a person looks at.
BYTES_MAX = 200_000_000
_DELIMITERS = ",;\t|"
_ANSWERS: dict[str, Verdict] = {
    "same": "same", "different": "different", "leave": "leave", "": "leave",
}  # fmt: skip
#: A spreadsheet takes a cell that begins so for a formula; also one that begins so after a
#: separator, where it reads commas as text and semicolons as separators.
_FORMULA = re.compile(r"(^|[;\t\r\n|\"])(\s*)([=+\-@＝＋－＠])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_AS_CSV = "Save it from the spreadsheet as CSV, and apply that file."
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
    text = _decoded(data, name)
    lines = _numbered(text, _delimiter(text, name))
    header = _header(next(lines)[1], name)
    answers: list[Answer] = []
    refused: list[Refusal] = []
    for line, cells in lines:
        made = _answer(line, {c: _plain(v) for c, v in zip(header, cells, strict=False)})
        if isinstance(made, Answer):
            answers.append(made)
        else:
            refused.append(made)
    return answers, refused


def _decoded(data: bytes, name: str) -> str:
    head = data[:4096].lstrip()
    if not head:
        raise WrongFile("The file is empty.", where=name, next_step=_FRESH)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise WrongFile("This is a spreadsheet's own file, not CSV.", where=name, next_step=_AS_CSV)
    if head.startswith((b"<", b"\xef\xbb\xbf<")):
        raise WrongFile(
            "This is a web page, not the CSV file.", where=name,
            next_step="The page is for reading; answer in the CSV file beside it.",
        )  # fmt: skip
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\x00" in data or len(data) > BYTES_MAX:
        raise WrongFile("This is no text file.", where=name, next_step=_AS_CSV)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # Excel's plain "CSV"; keys and ids are ASCII in every encoding
        return data.decode("cp1252", "replace")


def _delimiter(text: str, name: str) -> str:
    """The separator under which the first row has the columns of a review."""
    for delimiter in _DELIMITERS:
        first = next(_numbered(text, delimiter), (0, []))[1]
        if {_column(cell) for cell in first} >= {"decision", "key"}:
            return delimiter
    raise WrongFile(
        "This is not a review that syncjob wrote: its first row has no columns 'decision' and "
        "'key'.",
        where=name,
        next_step=f"Keep the first row as it was; {_FRESH}",
    )


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begun = 1
    try:
        for row in reader:
            line, begun = begun, reader.line_num + 1
            said = "".join(row).strip().lower()
            if said and not (line == 1 and said.startswith("sep=")):
                yield line, row
    except csv.Error as error:
        raise WrongFile(f"Line {begun} cannot be read: {error}.", next_step=_AS_CSV) from None


def _column(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", cell.strip().lower())


def _header(cells: Sequence[str], name: str) -> list[str]:
    header = [_column(cell) for cell in cells]
    missing = [c for c in NEEDED if c not in header]
    twice = [c for c in NEEDED if header.count(c) > 1]
    if missing or twice:
        what = f"has no column {missing[0]!r}" if missing else f"has two columns {twice[0]!r}"
        raise WrongFile(f"The review {what}.", where=name, next_step=f"Restore it, or: {_FRESH}")
    return header


def _plain(cell: str) -> str:
    """A cell without what kept it from being a formula, and without what surrounds it."""
    return cell.strip().removeprefix("'").strip()


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
