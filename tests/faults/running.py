"""All lanes piece by piece in two processes; a long run keeps what it has, and goes on there."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.faults import lane_slow
from tests.faults.lanes import Budget, LaneResult, Size, lane

ROOT = Path(__file__).parent.parent.parent
#: Where a long run keeps its pieces, one file for each content of what is played.
KEPT = ROOT / ".faults"
#: What a lane's result follows from: the program, the harness with the worlds that it borrows, and
#: the versions of what both stand on.
PLAYED = (
    "syncjob", "tests/sim", "tests/faults", "tests/planted", "tests/crash", "tests/engine",
    "tests/core/contacts", "tests/core/test_deal_scope.py", "constraints.txt",
)  # fmt: skip
#: What only shows results.
_SHOWS = ("tests/faults/__main__.py", "tests/faults/page.py")
#: A piece that hangs is a fault of the harness; the longest take some minutes.
PIECE_S_MAX = 3600


class Piece(NamedTuple):
    """One piece of one lane."""

    lane: str
    number: int
    of: int


@dataclass
class Done:
    """A piece's result, and the seconds of a core that its processes took."""

    piece: Piece
    result: LaneResult
    seconds: float
    #: The commit at which it was played.
    commit: str = ""


class PieceFailed(Exception):
    """A piece's process ended without a result: the harness itself is at fault."""


def commit() -> str:
    """The hash of the commit that stands here."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else "0" * 40


def content(root: Path = ROOT) -> str:
    """A hash, 64 hex digits, of all that decides what the lanes find, whatever the commit is."""
    found = [path for name in PLAYED for path in [root / name, *(root / name).rglob("*")]]
    hashes = hashlib.sha256()
    for path in sorted(path for path in found if path.is_file()):
        name = path.relative_to(root).as_posix()
        if "__pycache__" not in path.parts and _decides(name):
            held = hashlib.sha256(path.read_bytes()).hexdigest()
            hashes.update(f"{name} {held}\n".encode())
    return hashes.hexdigest()


def _decides(name: str) -> bool:
    """Whether a lane plays this file; of the usual tests only two lanes play any."""
    if name in _SHOWS:
        return False
    is_test = name.startswith("tests/") and name.rpartition("/")[2].startswith("test_")
    return not is_test or name.startswith("tests/core/") or name in lane_slow.FILES


def all_pieces(names: Sequence[str], size: Size) -> list[Piece]:
    """Every piece of these lanes, lane by lane."""
    return [
        Piece(name, number, count)
        for name in names
        for count in [lane(name).pieces(size)]
        for number in range(count)
    ]


def play_piece(piece: Piece, size: Size, hash: str) -> LaneResult:
    """Play it here, in this process."""
    return lane(piece.lane).run(Budget(size, piece.number, piece.of, hash))


def core_seconds() -> float:
    """What this process and its ended children have used of a core so far."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def play_apart(piece: Piece, size: Size, hash: str) -> Done:
    """Play it in a process of its own. Raises PieceFailed."""
    words = ["-m", "tests.faults", "piece", piece.lane, size, str(piece.number), str(piece.of)]
    ended = subprocess.run(
        [sys.executable, *words, hash], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=PIECE_S_MAX, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if ended.returncode != 0:
        said = ended.stderr[-4000:] or ended.stdout[-4000:]
        raise PieceFailed(f"{piece.lane} {piece.number + 1} of {piece.of}: {said}")
    done = json.loads(ended.stdout.splitlines()[-1])
    return Done(piece, LaneResult.from_json(done["result"]), done["seconds"], commit())


class Keeper:
    """The pieces of a long run in a file of JSON lines, by the hash of what is played."""

    def __init__(self, content: str, folder: Path = KEPT) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / f"full-{content[:12]}.jsonl"

    def known(self) -> list[Done]:
        """What an earlier run of the same has played; a line that was cut off is none."""
        if not self.path.exists():
            return []
        return list(self._read(self.path.read_text(encoding="utf-8").splitlines()))

    def _read(self, lines: Sequence[str]) -> Iterator[Done]:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            result = LaneResult.from_json(row["result"])
            yield Done(Piece(*row["piece"]), result, row["seconds"], row["commit"])

    def keep(self, done: Done) -> None:
        """Add one piece, durably."""
        row = {"piece": list(done.piece), "seconds": done.seconds, "commit": done.commit,
               "result": done.result.to_json()}  # fmt: skip
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * self._cut_off() + json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _cut_off(self) -> bool:
        """Whether the last line lacks its end, since its process was killed."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"


def play_all(
    pieces: Sequence[Piece], size: Size, hash: str, workers: int
) -> Iterator[Done | PieceFailed]:
    """Play them in so many processes at once, in the order in which they end."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(play_apart, piece, size, hash) for piece in pieces]
        for future in as_completed(waiting):
            try:
                yield future.result()
            except (PieceFailed, subprocess.TimeoutExpired) as failed:
                yield failed if isinstance(failed, PieceFailed) else PieceFailed(str(failed))


def summed(found: Sequence[Done]) -> dict[str, tuple[LaneResult, float]]:
    """Each lane's sum, with the seconds of all its pieces."""
    sums: dict[str, tuple[LaneResult, float]] = {}
    for done in sorted(found, key=lambda d: d.piece):
        name = done.piece.lane
        before, seconds = sums.get(name, (LaneResult(name), 0.0))
        sums[name] = (before + done.result, seconds + done.seconds)
    return sums
