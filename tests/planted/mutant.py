"""A patched engine in this process: the changed modules are compiled from the patched text.

Nothing is copied: an import hook serves the few modules that a patch changes, all others come
from the checkout and from Python's own cache. It must be installed before anything of `syncjob`
is imported, so a process is one mutant for ever.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from tests.planted.patching import ROOT, Patch, PatchError


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the checkout from another text."""

    def __init__(self, name: str, path: str, text: str, shown: str) -> None:
        super().__init__(name, path)
        self._text, self._shown = text, shown

    def get_code(self, fullname: str) -> CodeType:
        lines = self._text.splitlines(keepends=True)
        linecache.cache[self._shown] = (len(self._text), None, lines, self._shown)
        return compile(self._text, self._shown, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the changed modules; `loaded` names those that were asked for."""

    def __init__(self, patch: str, texts: Mapping[str, str], root: Path) -> None:
        self._patch, self._root = patch, root
        self._paths = {module_of(path): path for path in texts}
        self._texts = texts
        self.loaded: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a changed module; None for all others."""
        file = self._paths.get(fullname)
        if file is None:
            return None
        self.loaded.add(fullname)
        shown = f"<{self._patch}>/{file}"
        loader = _Loader(fullname, str(self._root / file), self._texts[file], shown)
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)

    @property
    def missing(self) -> set[str]:
        """The changed modules that nobody has imported: then nothing was patched."""
        return set(self._paths) - self.loaded


def module_of(path: str) -> str:
    """syncjob/engine/push.py -> syncjob.engine.push"""
    parts = Path(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def install(patch: Patch, root: Path = ROOT) -> Finder:
    """Make this process the mutant. Raises PatchError if the patch does not fit, or if a module
    that it changes was imported before."""
    finder = Finder(patch.name, patch.applied(root), root)
    late = finder.missing & set(sys.modules)
    if late:
        raise PatchError(f"{patch.name}: {', '.join(sorted(late))} was imported before the patch")
    sys.meta_path.insert(0, finder)
    return finder
