"""The maps of changes of the CRM, kept beside the backups for a state that is lost one day."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from syncjob.config import Config
from syncjob.state.database import readable_errors


def keep_map(config: Config, text: str, now: datetime) -> Path:
    """Keep a map, mode 0600. Raises StateError."""
    file = _folder(config) / f"{config.connection.name}-relink-{stamp_of(now)}.csv"
    with readable_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as out:
            out.write(text)
    return file


def stamp_of(now: datetime) -> str:
    """The instant in a file's name: names sort as times do, to the microsecond, so that no file of
    another relink is overwritten."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def kept_maps(config: Config) -> list[Path]:
    """The maps that were kept, oldest first."""
    return sorted(_folder(config).glob(f"{config.connection.name}-relink-*.csv"))


def _folder(config: Config) -> Path:
    return config.resolve(config.connection.backups)
