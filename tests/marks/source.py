"""Coverage marks as the source has them: a name for every branch that handles an error.

Three kinds of places bear a mark that some test must reach:

- `except`: the head of an `except` branch, and what `contextlib.suppress` swallows;
- `class`: an error class, reached when one of its kind or of a kind derived from it is made;
- `outcome`: each place that says of a write that it was refused, stale, not done or unknown,
  which is a row of a connector's table of errors.

A fourth, `raise`, stands at each place that makes an error; those are counted and shown on demand.

A name is made of the module, the function and the kinds of error, such as
`engine.push:Push._send:except Throttled`. It names no line, so that it stays as it is when
something else in the file changes.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "syncjob"
#: The sandbox is a part of the tests that is shipped; it plays the vendor and handles nothing.
LEFT_OUT = f"{PACKAGE}.sandbox"

#: What a connector says of a write that was not simply stored, and the module that says so.
OUTCOMES = frozenset({"Rejected", "Stale", "Unknown", "NotDone"})
_OUTCOMES_FROM = f"{PACKAGE}.core.actions"
#: The kinds that some test must reach.
KINDS = ("except", "class", "outcome")

Placed = TypeVar("Placed", bound=ast.AST)

#: Names that the rewritten source calls; `hook` puts them among the builtins.
HANDLED, MAKES, BORN = "__mark_handled__", "__mark_makes__", "__mark_born__"


@dataclass(frozen=True)
class Mark:
    """One place: its name, and where it stands now."""

    name: str
    path: str  # from the repository's root
    line: int

    @property
    def kind(self) -> str:
        return self.name.rpartition(":")[2].split(" ")[0]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module that bears marks, by its dotted name."""
    found: dict[str, Path] = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if bears_marks(name):
            found[name] = path
    return found


def bears_marks(module: str) -> bool:
    """Whether the module is ours to mark."""
    ours = module == PACKAGE or module.startswith(f"{PACKAGE}.")
    return ours and module != LEFT_OUT and not module.startswith(f"{LEFT_OUT}.")


def error_classes(trees: dict[str, ast.Module]) -> frozenset[str]:
    """The names of all classes that derive from an exception, also by way of each other."""
    bases = {
        node.name: {_last(base) for base in node.bases}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known: set[str] = set()
    while found := {
        name
        for name, above in bases.items()
        if name not in known and any(_is_error(one, known) for one in above)
    }:
        known |= found
    return frozenset(known)


def marks(root: Path = ROOT) -> list[Mark]:
    """All marks of the source, in the order of the files."""
    trees = {name: ast.parse(path.read_bytes()) for name, path in modules(root).items()}
    errors = error_classes(trees)
    return [
        Mark(found, str(modules_path.relative_to(root)), line)
        for name, modules_path in modules(root).items()
        for found, line in Marker(name, errors).mark(trees[name])
    ]


class Marker(ast.NodeTransformer):
    """Finds the marks of one module, and rewrites its tree so that they are noted when reached."""

    def __init__(self, module: str, errors: frozenset[str]) -> None:
        self.module = module.removeprefix(f"{PACKAGE}.")
        self.errors = errors
        self.scope: list[str] = []
        self.outcomes: set[str] = set()
        self.used: Counter[str] = Counter()
        self.found: list[tuple[str, int]] = []

    def mark(self, tree: ast.Module) -> list[tuple[str, int]]:
        """(name, line) of each mark; the tree is rewritten in place."""
        self.outcomes = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == _OUTCOMES_FROM
            for alias in node.names
        } & OUTCOMES
        self.visit(tree)
        ast.fix_missing_locations(tree)
        return self.found

    # --- where we are -----------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._within(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._within(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if any(_is_error(_last(base), self.errors) for base in node.bases):
            self._name(f"class {node.name}", node, scoped=False)
            born = ast.Name(BORN, ast.Load())
            node.body.append(_at(ast.Assign([ast.Name("__new__", ast.Store())], born), node))
        return self._within(node)

    def _within(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        self.scope.append(node.name)
        self.generic_visit(node)
        self.scope.pop()
        return node

    # --- what bears a mark ------------------------------------------------------------------------

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        name = self._name(f"except {_types(node.type)}", node)
        node.body.insert(0, _noted(name, node))
        self.generic_visit(node)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        """`with suppress(X)` handles an error as `except X: pass` does, and is made to be one."""
        self.generic_visit(node)
        call = node.items[0].context_expr
        if not (isinstance(call, ast.Call) and _last(call.func) == "suppress"):
            return node
        assert len(node.items) == 1, f"{self.module}:{node.lineno}: suppress with others"
        kinds = ast.Tuple(list(call.args), ast.Load())
        name = self._name(f"except {_types(kinds)}", node)
        handler = ast.ExceptHandler(type=kinds, name=None, body=[_noted(name, node)])
        return _at(ast.Try(body=node.body, handlers=[handler], orelse=[], finalbody=[]), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        made = _last(node.func)
        if made not in self.errors and made not in self.outcomes:
            return node
        kind = "outcome" if made in self.outcomes else "raise"
        name = ast.Constant(self._name(f"{kind} {made}", node))
        node.func = _at(ast.Call(ast.Name(MAKES, ast.Load()), [name, node.func], []), node)
        return node

    def _name(self, what: str, node: ast.stmt | ast.expr | ast.ExceptHandler, *,
              scoped: bool = True) -> str:  # fmt: skip
        where = f"{self.module}:{'.'.join(self.scope)}:" if scoped else f"{self.module}:"
        name = f"{where}{what}"
        self.used[name] += 1
        if self.used[name] > 1:
            name = f"{name} #{self.used[name]}"
        self.found.append((name, node.lineno))
        return name


def class_mark(module: str, name: str) -> str:
    """The mark of an error class."""
    return f"{module.removeprefix(f'{PACKAGE}.')}:class {name}"


def _noted(name: str, node: ast.AST) -> ast.stmt:
    call = ast.Call(ast.Name(HANDLED, ast.Load()), [ast.Constant(name)], [])
    return _at(ast.Expr(call), node)


def _at(made: Placed, node: ast.AST) -> Placed:
    return ast.copy_location(made, node)


def _last(node: ast.expr) -> str:
    """The last part of a dotted name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_error(name: str, known: Collection[str]) -> bool:
    return name in known or name.endswith(("Error", "Exception"))


def _types(node: ast.expr | None) -> str:
    if node is None:
        return "anything"
    names: Iterator[str] = map(ast.unparse, node.elts if isinstance(node, ast.Tuple) else [node])
    return ", ".join(names)
