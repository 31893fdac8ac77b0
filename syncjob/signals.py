"""Being asked to stop: SIGTERM and Ctrl-C become a flag that is looked at between calls."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from syncjob.errors import Interrupted

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopFlag:
    """Set by the first SIGTERM or SIGINT while entered; the second one ends the program at once.

    Only the main thread may enter it. The handler sets a plain attribute, since it may run between
    any two steps of the main thread and must take no lock.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, object] = {}

    def __call__(self) -> bool:
        """Whether somebody asked to stop; what `RunOptions.should_stop` wants."""
        return self.asked

    def __enter__(self) -> StopFlag:
        for name in _SIGNALS:
            self._before[name] = signal.signal(name, self._heard)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)  # type: ignore[arg-type]  # it came from signal.signal

    def _heard(self, _: int, __: FrameType | None) -> None:
        if self.asked:
            raise Interrupted(
                "Stopped at once, perhaps in the middle of a call.",
                next_step="The next batch finds out what became of it; run `syncjob run`.",
            )
        self.asked = True
