"""A CSV file as spreadsheets save it, whatever its separator, line ends and encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from syncjob.errors import WrongFile

#: Half a million rows are a hundred times what a person looks at.
BYTES_MAX = 200_000_000
DELIMITERS = ",;\t|"
_AS_CSV = "Save it from the spreadsheet as CSV, and use that file."


def decoded(data: bytes, name: str, *, otherwise: str, of_page: str = _AS_CSV) -> str:
    """The file's text. Raises WrongFile; `otherwise` is the next step where the file is empty,
    `of_page` where it is a web page."""
    head = data[:4096].lstrip()
    if not head:
        raise WrongFile("The file is empty.", where=name, next_step=otherwise)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise WrongFile("This is a spreadsheet's own file, not CSV.", where=name, next_step=_AS_CSV)
    if head.startswith((b"<", b"\xef\xbb\xbf<")):
        raise WrongFile("This is a web page, not the CSV file.", where=name, next_step=of_page)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\x00" in data or len(data) > BYTES_MAX:
        raise WrongFile("This is no text file.", where=name, next_step=_AS_CSV)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # Excel's plain "CSV"; keys and ids are ASCII in every encoding
        return data.decode("cp1252", "replace")


def numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line where it begins. Raises WrongFile."""
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


def column(cell: str) -> str:
    """A column's name in the form in which names are compared."""
    return re.sub(r"[\s_-]+", "_", cell.strip().lower())


def plain_cell(cell: str) -> str:
    """A cell without what kept it from being a formula, and without what surrounds it."""
    return cell.strip().removeprefix("'").strip()
