"""The list of seeds that once were red."""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).with_name("kept.txt")


def kept_seeds() -> list[int]:
    """All of them, in the order in which they were found."""
    lines = (line.partition("#")[0].strip() for line in PATH.read_text().splitlines())
    return [int(line) for line in lines if line]
