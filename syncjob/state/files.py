"""Files that name customers: written whole or not at all, for nobody else's eyes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_private(path: Path, content: bytes) -> None:
    """Put a file of mode 0600 in this place, whatever stood there and whatever its mode; a link is
    replaced and not followed. What is no file at all (a pipe, a terminal) is written to.

    Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            device.write(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
