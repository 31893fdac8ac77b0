"""A table as wide as the terminal; where that is too narrow for its figures, each row by itself."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

#: A column of words may be folded down to this; figures are never cut or folded.
WORDS_WIDTH_MIN = 10
#: Between two columns of a table without a frame.
GAP = 2


class Fitting:
    """A table whose columns on the right hold figures, which stay whole at any width."""

    def __init__(self, table: Table) -> None:
        self.table = table
        for column in table.columns:
            if column.justify == "right":
                column.no_wrap = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needed = sum(_least(column) for column in self.table.columns)
        if needed + GAP * (len(self.table.columns) - 1) <= options.max_width:
            yield self.table
            return
        headers = [_plain(column.header) for column in self.table.columns]
        for cells in zip(*(column.cells for column in self.table.columns), strict=True):
            for header, cell in zip(headers, cells, strict=True):
                if value := _plain(cell):
                    yield Text(f"{header}: {value}")
            yield Text("")


def _least(column: Column) -> int:
    longest = max(cell_len(_plain(text)) for text in (column.header, *column.cells))
    return longest if column.no_wrap else min(longest, WORDS_WIDTH_MIN)


def _plain(cell: object) -> str:
    return Text.from_markup(cell).plain if isinstance(cell, str) else str(cell)
