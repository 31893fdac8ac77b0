"""The config and its secrets put on disk: all of it or nothing, and never over what is there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from syncjob.errors import StateError


def keep(path: Path, text: str, files: dict[str, str]) -> list[Path]:
    """Write the secrets' files, then the config; each new, of mode 0600. What was written.

    Raises StateError, with nothing left behind, if any cannot be written or is there already with
    something else in it.
    """
    made: list[Path] = []
    try:
        for name, secret in files.items():
            place = path.parent / name
            if not (place.is_file() and place.read_text(encoding="utf-8").strip() == secret):
                _new(place, f"{secret}\n", made, private=True)
        _new(path, text, made, private=False)
    except OSError as error:
        for one in made:
            with contextlib.suppress(OSError):
                one.unlink()
        raise StateError(
            f"It cannot be written ({error.strerror}); nothing was.",
            where=str(error.filename or path),
            next_step="Mend the folder's rights, or move away what is there; then "
            "`syncjob init` again.",
        ) from None
    return made


def _new(path: Path, text: str, made: list[Path], *, private: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    made.append(path)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
