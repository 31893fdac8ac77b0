"""A scene's servers and state, put back to the moment before the crash as often as it is needed."""

from __future__ import annotations

import copy
import re
import shutil
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from syncjob.sandbox.host import Host
from tests.crash.kit import CrashWorld
from tests.crash.nursery import Ended, Nursery
from tests.crash.scenes import Scene, holdings
from tests.engine.world import PATIENCE
from tests.sim.leftovers import new_folder

#: Where a word goes on that differs from run to run: an id in a path, the end of a file's name.
_AN_ID = re.compile(r"(?<=/)(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)|(?<=html\.)\w+")
#: Batches within which it is as without a crash, once the patience is over (DESIGN 5.16).
BATCHES_MAX = 2


class Stage:
    """Made of a scene; `close` ends its servers."""

    def __init__(self, scene: Scene, nursery: Nursery) -> None:
        self.scene, self.nursery = scene, nursery
        self.root = new_folder("crash")
        folder = self.root / "world"
        folder.mkdir()
        self.w = CrashWorld(folder, config=scene.config, **scene.options)
        self.w.init()
        scene.before(self.w)
        self.command = [word.format(batch=self.w.last_batch) for word in scene.command]
        shutil.copytree(folder, self.root / "earlier")
        scene.deeds(self.w)
        self.at = self.w.time.now()
        self.kept: Host = copy.deepcopy(self.w.box.host)
        shutil.copytree(folder, self.root / "kept")
        self.met = self._rehearse()

    def close(self) -> None:
        """End the servers and remove the files."""
        self.w.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def reset(self) -> None:
        """All is as before the crash: the servers, the clock, the state."""
        self.w.stand(copy.deepcopy(self.kept))
        self.w.time.set(self.at)
        self.restore("kept", sidecar=True)

    def restore(self, name: str, *, sidecar: bool) -> None:
        """The state's files as they were then: "kept" or "earlier"; the batch counter if asked."""
        self.lose(sidecar=sidecar)
        for path in (self.root / name / "state").iterdir():
            if sidecar or path.name != self.w.sidecar.name:
                shutil.copy2(path, self.w.state_file.parent / path.name)

    def lose(self, *, sidecar: bool) -> None:
        """The state's files are gone; tokens live elsewhere and stay."""
        for path in self.w.state_files(sidecar=sidecar):
            path.unlink()

    # --- our program as a process -----------------------------------------------------------------

    def child(self, arguments: list[str], **spec: Any) -> Ended:
        """A command in a process of its own, to its end or to the point that kills it."""
        spec["ahead_s"] = (self.w.time.now() - datetime.now(UTC)).total_seconds()
        given = {**self.scene.small, **spec}
        return self.nursery.run(["-c", str(self.w.write_config()), *arguments], given)

    def _rehearse(self) -> Counter[tuple[str, str]]:
        """What points the command meets, with their words, and the truth that it leads to."""
        self.reset()
        notes = self.root / "points"
        ended = self.child(self.command, notes=str(notes))
        well = ended.returncode in (0, 1) and "Traceback" not in ended.stderr
        assert well, ended.stdout + ended.stderr
        self.settle()
        self.truth = holdings(self.w)
        self.emails = len(self.w.organisation()["emails"])
        self.exit_code = self.w.run().exit_code
        lines = notes.read_text(encoding="utf-8").splitlines()
        met = (line.partition("\t") for line in lines)
        return Counter((point, _AN_ID.split(words)[0]) for point, _, words in met)

    def settle(self) -> None:
        """After the patience, the batches in which it comes to rest."""
        self.w.advance(PATIENCE)
        for _ in range(BATCHES_MAX):
            self.w.run()
