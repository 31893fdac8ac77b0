"""`python -m tests.situations`: play them all and write docs/situations.md."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.situations.doc import PAGE, page
from tests.situations.play import play_all
from tests.situations.table import SITUATIONS

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        futures = play_all(Path(folder), list(SITUATIONS))
        PAGE.write_text(page({name: one.result() for name, one in futures.items()}), "utf-8")
