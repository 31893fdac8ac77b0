"""The folder of a connection's backups: which files there are its own, and when they were made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from syncjob.config import Config
from syncjob.state.backup import SUFFIX

#: Sorts by name as by time, and names no hour twice when the clocks change.
STAMP = "%Y%m%dT%H%M%SZ"


def folder(config: Config) -> Path:
    return config.resolve(config.connection.backups)


def files(config: Config) -> list[Path]:
    """This connection's backups in the folder, newest first; another's may lie beside them."""
    name = re.compile(rf"{re.escape(config.connection.name)}-\d{{8}}T\d{{6}}Z{re.escape(SUFFIX)}")
    found = [
        file
        for file in folder(config).glob(f"*{SUFFIX}")
        if name.fullmatch(file.name) and _made(file) is not None
    ]
    return sorted(found, key=lambda file: file.name, reverse=True)


def last_backup(config: Config) -> datetime | None:
    """When the newest backup in the folder was made, as its name says."""
    newest = next(iter(files(config)), None)
    return _made(newest) if newest is not None else None


def _made(file: Path) -> datetime | None:
    """When a backup was made, as its name says; None where that is no moment at all."""
    try:
        stamp = file.name.removesuffix(SUFFIX).rpartition("-")[2]
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
