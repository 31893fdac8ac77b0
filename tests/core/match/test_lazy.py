"""What the match needs is loaded by the match alone."""

from __future__ import annotations

import subprocess
import sys

LIBRARIES = ("rapidfuzz", "phonenumbers", "anyascii")


def test_help_loads_none_of_it() -> None:
    program = (
        "import sys, contextlib\n"
        "from syncjob.cli import main\n"
        "sys.argv = ['syncjob', '--help']\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main()\n"
        f"print([name for name in {LIBRARIES!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
