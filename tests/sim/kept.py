"""The list of seeds that once were red."""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).with_name("kept.txt")


def kept_seeds() -> list[tuple[int, str]]:
    """All of them with their CRM, in the order in which they were found."""
    lines = (line.partition("#")[0].split() for line in PATH.read_text().splitlines())
    return [(int(words[0]), (*words, "pipedrive")[1]) for words in lines if words]
