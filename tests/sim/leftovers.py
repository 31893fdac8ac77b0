"""Folders in memory that bear the id of the process that made them, so that those of processes
which were killed can be found and removed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from pathlib import Path

#: The whole world in memory where the machine allows it: a commit then costs no disk.
MEMORY = Path("/dev/shm")
#: No run takes longer; what is older and bears no living process's id is nobody's.
DAY_S = 24 * 3600
_OURS = re.compile(r"syncjob-(?:sim|crash|drift)-(?:(\d+)-)?\w+")


def new_folder(kind: str) -> Path:
    """A folder of this process's own, in memory where there is such a place."""
    prefix = f"syncjob-{kind}-{os.getpid()}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if MEMORY.is_dir() else None))


def sweep(place: Path = MEMORY) -> int:
    """Remove what processes left that live no more, or a day ago; how many folders that were."""
    found = [path for path in place.glob("syncjob-*") if _is_left(path)]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)


def _is_left(path: Path) -> bool:
    name = _OURS.fullmatch(path.name)
    if name is None:
        return False
    if name[1] is not None:
        return not _lives(int(name[1]))
    try:
        return time.time() - path.stat().st_mtime > DAY_S
    except FileNotFoundError:  # its process has just removed it
        return False


def _lives(pid: int) -> bool:
    """Whether a process of that id runs on this machine, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
