"""A terminal of any width with the real command in it: what a person types and sees."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from subprocess import Popen
from types import TracebackType

from tests.marks.noting import watched

ROOT = Path(__file__).parents[2]
#: Nothing that is waited for takes longer; what does hangs.
WAIT_S = 60
#: Who sees nothing happen presses the key again after so long, and so often at most.
AGAIN_S, PRESSED_MAX = 5.0, 6


class Terminal:
    """`syncjob ...` in a pseudo-terminal."""

    def __init__(
        self, folder: Path, *arguments: str, env: dict[str, str] | None = None, columns: int = 80
    ) -> None:
        ours, theirs = pty.openpty()
        size = struct.pack("HHHH", 40, columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        given = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC",
            "TERM": "xterm", "PYTHONPATH": str(ROOT), "USER": "maria", **(env or {}),
        }  # fmt: skip
        self.process = Popen(
            [sys.executable, "-m", "syncjob", *arguments], cwd=folder, env=watched(given),
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            # A terminal's own, also where these tests run in the background, which ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        os.close(theirs)
        self._ours, self.seen, self._read = ours, "", 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def expect(self, text: str) -> None:
        """Wait until this stands on the screen, after all that was waited for before."""
        end = time.monotonic() + WAIT_S
        while (place := self.seen.find(text, self._read)) < 0:
            assert self._more(end), f"{text!r} never came; this did:\n{self.seen}"
        self._read = place + len(text)

    def type(self, text: str = "") -> None:
        os.write(self._ours, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it; again where it does not end the command, as a person
        would: readline does not see a signal between its prompt and its wait for a key."""
        for _ in range(PRESSED_MAX):
            self.process.send_signal(signal.SIGINT)
            end = time.monotonic() + AGAIN_S
            while select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
                if not self._more(end):
                    return

    def end(self) -> int:
        """The exit code, once all is on the screen."""
        end = time.monotonic() + WAIT_S
        while self._more(end):
            pass
        return self.process.wait(WAIT_S)

    def _more(self, end: float) -> bool:
        """Read what has come; False once the command has ended. Fails when nothing comes."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"nothing came for {WAIT_S} s after:\n{self.seen}"
        try:
            came = os.read(self._ours, 65536)
        except OSError:  # Linux: the other end is closed
            return False
        self.seen += came.decode("utf-8", "replace")
        return bool(came)
