"""The commands by which a person takes back what was written: `undo` and `cancel`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from syncjob.core.cancelling import CancelReport
from syncjob.core.reports import Progress, RunOptions, unseen
from syncjob.core.undoing import UndoReport
from syncjob.engine.batch import Batch
from syncjob.engine.cancelling import cancel
from syncjob.engine.opening import Opening
from syncjob.engine.undoing import Asked, undo


class TakingBack(Opening):
    """What a person may take back. Methods raise LockHeld if another process works, Park where it
    cannot be done, and what any call may raise. Without `write` they say what it would be, found
    out on a copy of the state."""

    def undo(
        self, asked: Asked, *, write: bool, who: str, progress: Progress = unseen
    ) -> UndoReport:
        """Put back the values that a batch wrote, where nobody has changed them since."""
        with self._taking_back(write, who, progress) as batch:
            return undo(batch, asked, write=write)

    def cancel(self, deal: str, *, reason: str, write: bool, who: str) -> CancelReport:
        """Delete a deal's own untouched drafts by status, and hold the deal."""
        with self._taking_back(write, who, unseen) as batch:
            return cancel(batch, deal, reason, write=write)

    @contextlib.contextmanager
    def _taking_back(self, write: bool, who: str, progress: Progress) -> Iterator[Batch]:
        """A batch on the state itself, or on a copy of it."""
        options = RunOptions(who=who, dry_run=not write, progress=progress)
        with contextlib.ExitStack() as stack:
            lease = stack.enter_context(self._lease())
            state = self.state if write else stack.enter_context(self._copy())
            yield stack.enter_context(self._batch(state, options, write=write, lease=lease))
