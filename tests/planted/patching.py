"""A planted bug as a file: what it is called, what it breaks, and which text it puts in place of
which.

A patch names no line numbers, so that it survives edits around it, and fails loudly if the text
that it replaces is not found exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: The checkout, whose `syncjob` is patched.
ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).with_name("patches")
#: Patches of which nothing can come, each with its reason: they are not counted.
EQUIVALENT = PATCHES.with_name("equivalent")
_MARKS = ("@@ ", "<<<<", "====", ">>>>")
_HEAD = ("breaks", "invariant", "origin")
#: Only of a patch that is no bug: why nothing can come of it.
_WHY = "why"
#: Only of a bug that another line of defence hides wherever the program is used as it is meant to
#: be: which one that is. Its killer goes past that line; fresh draws never do.
_BEHIND = "behind"


class PatchError(Exception):
    """A patch cannot be read, or does not fit the source any more."""


@dataclass(frozen=True)
class Hunk:
    """In the file at `path` (relative to the checkout) `new` stands in the place of `old`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Patch:
    """One planted bug. `invariant` is the number in docs/guarantees.md of the promise that it
    breaks, `origin` where the idea of it comes from: "spike", "issue 3" or "own". `why`: what
    keeps it from being a bug here; `behind`: which line of defence hides it from fresh draws."""

    name: str
    breaks: str
    invariant: int
    origin: str
    hunks: tuple[Hunk, ...]
    why: str = ""
    behind: str = ""

    def applied(self, root: Path = ROOT) -> dict[str, str]:
        """The changed files' whole text, by path. Raises PatchError if a text is not found
        exactly once, or if what comes of it is no Python."""
        texts: dict[str, str] = {}
        for hunk in self.hunks:
            text = texts.get(hunk.path) or _read(self.name, root / hunk.path)
            count = text.count(hunk.old)
            if count != 1:
                raise PatchError(
                    f"{self.name}: the text that begins with {_begin(hunk.old)!r} stands "
                    f"{count} times in {hunk.path}, not once. The source has moved on: write the "
                    "patch's old text anew (docs/faults.md, planted bugs)."
                )
            texts[hunk.path] = text.replace(hunk.old, hunk.new)
        for path, text in texts.items():
            try:
                compile(text, path, "exec", dont_inherit=True)
            except SyntaxError as error:
                raise PatchError(f"{self.name}: the patched {path} is no Python: {error}") from None
        return texts


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PatchError(f"{name}: {path} cannot be read: {error.strerror}") from None


def _begin(text: str) -> str:
    return text.strip().partition("\n")[0]


def every(folder: Path = PATCHES) -> dict[str, Patch]:
    """All patches by name, in the order of their names. Raises PatchError."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.patch"))}


def by_name(name: str, folder: Path = PATCHES) -> Patch:
    """One of them. Raises PatchError."""
    return load(folder / f"{name}.patch")


def load(path: Path) -> Patch:
    """Read a patch: `key: value` lines, then hunks. Raises PatchError.

    A hunk is `@@ path`, `<<<<`, the old text, `====`, the new text, `>>>>`, each on a line.
    """
    head: dict[str, str] = {}
    hunks: list[Hunk] = []
    lines = _read(path.stem, path).splitlines(keepends=True)
    while lines:
        line = lines.pop(0)
        if line.startswith("@@ "):
            hunks.append(_hunk(path.stem, line[3:].strip(), lines))
        elif line.strip():
            key, colon, value = line.partition(":")
            if not colon or key not in (*_HEAD, _WHY, _BEHIND) or key in head:
                raise PatchError(f"{path.stem}: what is {line.strip()!r}?")
            head[key] = value.strip()
    why, behind = head.pop(_WHY, ""), head.pop(_BEHIND, "")
    if set(head) != set(_HEAD) or not hunks:
        raise PatchError(f"{path.stem}: needs {', '.join(_HEAD)} and a hunk")
    if not head["invariant"].isdigit() or any(hunk.old == hunk.new for hunk in hunks):
        raise PatchError(f"{path.stem}: its invariant is no number, or a hunk changes nothing")
    return Patch(
        path.stem, head["breaks"], int(head["invariant"]), head["origin"], tuple(hunks), why,
        behind,
    )  # fmt: skip


def _hunk(name: str, path: str, lines: list[str]) -> Hunk:
    _until("<<<<", name, lines)
    old = _until("====", name, lines)
    new = _until(">>>>", name, lines)
    if not old:
        raise PatchError(f"{name}: a hunk of {path} has no old text")
    return Hunk(path, old, new)


def _until(mark: str, name: str, lines: list[str]) -> str:
    """The lines before this mark, which are taken away with it."""
    taken: list[str] = []
    while lines:
        line = lines.pop(0)
        if line.rstrip("\n") == mark:
            return "".join(taken)
        if line.startswith(_MARKS):
            break
        taken.append(line)
    raise PatchError(f"{name}: {mark} is missing")
