"""Notes which coverage marks a process reaches: rewrites the modules of syncjob as they load.

On when SYNCJOB_MARKS names a folder. tests/conftest.py installs it before anything imports
syncjob, and every Python process started by a test inherits it by the environment
(tests/marks/hook). A mark is noted once for each test, by a line in a file of the process, written
at once, so that a process that is killed has noted all that it reached. Python compiles each
rewritten module once; the folder keeps the result.
"""

from __future__ import annotations

import atexit
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import marshal
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

FOLDER = "SYNCJOB_MARKS"
#: pytest keeps the name of the test that runs in it.
CURRENT = "PYTEST_CURRENT_TEST"
HOOK = Path(__file__).parent / "hook"

#: What is done to a module follows from this one.
RULES = Path(__file__).with_name("source.py")

#: Kept from before any test puts something in their place.
_open, _write, _close, _environ = os.open, os.write, os.close, os.environ
_seen: set[tuple[str, str]] = set()
_late: list[str] = []
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def install() -> None:
    """Rewrite what is imported from now on, here and in processes to come; off without a folder."""
    if FOLDER not in _environ or any(isinstance(one, Finder) for one in sys.meta_path):
        return
    folder = Path(_environ[FOLDER]).resolve()
    for name in ("code", "reached"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _environ[FOLDER] = str(folder)
    _environ.update(watched({"PYTHONPATH": _environ.get("PYTHONPATH", "")}))
    loaded = [name for name in sys.modules if name == "syncjob" or name.startswith("syncjob.")]
    assert not loaded, f"imported before the marks: {loaded}"
    for name, made in _notes(folder).items():
        setattr(builtins, name, made)
    sys.meta_path.insert(0, Finder(folder))


def watched(env: dict[str, str]) -> dict[str, str]:
    """An environment that a test gives to a process, with what has its marks noted, too."""
    if FOLDER not in _environ:
        return env
    paths = [str(HOOK), *env.get("PYTHONPATH", "").split(os.pathsep)]
    kept = {name: _environ[name] for name in (FOLDER, CURRENT) if name in _environ}
    return {**env, **kept, "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths)))}


def test_now() -> str:
    """The test that runs, without its parameters; outside pytest the lane's name."""
    test = _environ.get(CURRENT)
    if test:
        return test.split(" ")[0].split("[")[0]
    return _environ.get("SYNCJOB_LANE", "no test")


def _notes(folder: Path) -> dict[str, Any]:
    from tests.marks.source import BORN, HANDLED, MAKES, class_mark

    def note(mark: str) -> None:
        test = test_now()
        if (mark, test) not in _seen:
            _seen.add((mark, test))
            _late.append(f"{mark}\t{test}\n")
        if _late:
            write_down()

    def write_down() -> None:
        """At once; if a test has filled the disk, with the next mark or at the process's end."""
        lines, _late[:] = [*_late], []
        try:
            file = _open(folder / "reached" / str(os.getpid()), _APPEND, 0o600)
            try:
                _write(file, "".join(lines).encode())
            finally:
                _close(file)
        except OSError:
            _late.extend(lines)

    atexit.register(write_down)

    def makes(mark: str, kind: Any) -> Any:
        note(mark)
        return kind

    def born(kind: Any, *given: Any, **_named: Any) -> Any:
        for one in kind.__mro__:
            if "__new__" in vars(one) and one.__module__.startswith("syncjob"):
                note(class_mark(one.__module__, one.__name__))
        root = next(one for one in kind.__mro__ if one.__module__ == "builtins")
        return root.__new__(kind, *given)

    return {HANDLED: note, MAKES: makes, BORN: born}


class Finder(importlib.abc.MetaPathFinder):
    """Finds a module as Python does, and has it loaded with its marks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("syncjob"):
            return None
        from tests.marks.source import bears_marks

        if not bears_marks(fullname):
            return None
        for other in sys.meta_path:
            find = None if other is self else getattr(other, "find_spec", None)
            spec = find(fullname, path, target) if find else None
            if spec is not None:
                if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
                    spec.loader = Loader(fullname, spec.loader.path, self.folder)
                return spec  # type: ignore[no-any-return]
        return None


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module with its marks, or takes it from the folder if that was done before."""

    def __init__(self, fullname: str, path: str, folder: Path) -> None:
        super().__init__(fullname, path)
        self.folder = folder

    def get_code(self, fullname: str) -> CodeType:
        kept = self.folder / "code" / f"{fullname}.{_stamp(Path(self.path))}.{_stamp(RULES)}"
        try:
            return marshal.loads(kept.read_bytes())  # type: ignore[no-any-return]
        except FileNotFoundError:
            code = self._compiled(fullname)
        beside = kept.with_name(f"{kept.name}.{os.getpid()}")
        beside.write_bytes(marshal.dumps(code))
        beside.replace(kept)
        return code

    def _compiled(self, fullname: str) -> CodeType:
        import ast

        from tests.marks import source

        tree = ast.parse(Path(self.path).read_bytes(), self.path)
        source.Marker(fullname, _errors(self.folder)).mark(tree)
        return compile(tree, self.path, "exec", dont_inherit=True)


def _errors(folder: Path) -> frozenset[str]:
    """The names of the error classes, worked out once for a source."""
    import ast

    from tests.marks import source

    paths = source.modules()
    kept = folder / "code" / f"errors.{sum(_stamp(path) for path in paths.values())}"
    if kept.exists():
        return frozenset(kept.read_text().split())
    found = source.error_classes({name: ast.parse(p.read_bytes()) for name, p in paths.items()})
    beside = kept.with_name(f"{kept.name}.{os.getpid()}")
    beside.write_text("\n".join(sorted(found)))
    beside.replace(kept)
    return found


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns
