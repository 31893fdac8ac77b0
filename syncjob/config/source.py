"""The YAML text of a config as plain values, with the line of each key kept for messages.

Scalars stay text and the models give them their type: 0200 stays "0200" (an account code), NO
stays "NO" (a label), 5.10 becomes Decimal("5.10") and never passes through a float. Only an
unquoted `null`, `~` or nothing at all is None. Messages never quote a value: it may be a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from syncjob.errors import ConfigError

Where = tuple[str | int, ...]

#: A config is a few kilobytes; anything larger is the wrong file.
SIZE_BYTES_MAX = 1_000_000

_NULLS = ("", "~", "null", "Null", "NULL")
#: What YAML's own messages quote: signs of the syntax are shown, anything longer is not.
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SIGN_LENGTH_MAX = 2
_QUOTE_HINT = "values that begin with * & ! % @ ` { [ or hold ': ' or ' #' need quotes"


@dataclass
class Source:
    """What the file holds: its values, the line of each key, the faults found so far."""

    name: str
    data: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    problems: dict[Where, tuple[int, str]] = field(default_factory=dict)

    def line(self, where: Where) -> int:
        """The line of this key, or of the nearest one around it that the file has."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def fault(self, where: Where, message: str) -> None:
        """Note one fault as `config.yaml:12 crm.api_token: message`; the first at a key stays,
        since a later one only follows from it."""
        line = self.line(where)
        path = f" {dotted(where)}" if where else ""
        self.problems.setdefault(where, (line, f"{self.name}:{line}{path}: {message}"))

    def report(self) -> list[str]:
        """All faults in the order of the file, each once."""
        return [text for _, text in sorted(self.problems.values())]


def dotted(where: Where) -> str:
    """("invoices", "tax", "rules", 0, "rate") -> "invoices.tax.rules[0].rate"."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in where)
    return text.removeprefix(".")


def read_source(path: Path) -> Source:
    """Read the file; raises ConfigError where it cannot be read as YAML at all."""
    source = Source(name=path.name)
    text = _text(path, source)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        source.data = {} if root is None else _Walk(source).value(root, ())
    except yaml.YAMLError as error:
        raise ConfigError([_yaml_fault(path.name, error)]) from None
    except RecursionError:
        raise ConfigError([f"{path.name}:1: is nested too deeply to be a config"]) from None
    if not isinstance(source.data, dict):
        message = "must be a list of `key: value` lines; `syncjob init` writes a config to start"
        raise ConfigError([f"{path.name}:1: {message}"])
    return source


def _text(path: Path, source: Source) -> str:
    fix = "`syncjob init` writes one, `syncjob -c PATH` names another"
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; {fix}"]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigError([f"{path}: cannot be read ({reason}); {fix}"]) from None
    if len(raw) > SIZE_BYTES_MAX:
        raise ConfigError([f"{source.name}:1: is larger than 1 MB, so it is no config; {fix}"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{source.name}:{line}: is not UTF-8; save the file as UTF-8"]) from None


def _yaml_fault(name: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "a character that YAML does not allow"
    line = mark.line + 1 if mark else 1
    told = _QUOTED.sub(_sign, problem)
    hint = "indent with spaces" if "\\t" in told else _QUOTE_HINT
    return f"{name}:{line}: cannot be read as YAML: {told}; {hint}"


def _sign(quoted: re.Match[str]) -> str:
    """A quoted part of YAML's message, if it is a sign of the syntax and no value of the file."""
    text = quoted[1] or quoted[2] or ""
    return quoted[0] if len(text) <= _SIGN_LENGTH_MAX or text == "<stream end>" else "..."


class _Walk:
    """Turns YAML nodes into values; a node met twice is an alias and is refused."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, where: Where) -> Any:
        self._source.lines.setdefault(where, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._source.fault(where, "aliases (*name) are not supported; write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, where)

    def _scalar(self, node: yaml.Node, where: Where) -> str | None:
        if not node.tag.startswith("tag:yaml.org,2002:"):
            self._source.fault(where, f"tags (!name) are not supported; {_QUOTE_HINT}")
            return None
        plain = getattr(node, "style", None) is None
        return None if plain and node.value in _NULLS else str(node.value)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._source.fault(where, "has a key that is a list or a mapping; keys are words")
                continue
            key = str(key_node.value)
            inner = (*where, key)
            if key in values:
                first = self._source.lines[inner]
                line = key_node.start_mark.line + 1
                message = f"stands twice (first in line {first}); delete one of the two"
                text = f"{self._source.name}:{line} {dotted(inner)}: {message}"
                self._source.problems[(*inner, line)] = (line, text)
                continue
            self._source.lines[inner] = key_node.start_mark.line + 1
            values[key] = self.value(value_node, inner)
        return values


def shown(key: str) -> str:
    """A key as a message may show it: only what looks like a key, since it may be a secret."""
    return key if re.fullmatch(r"[A-Za-z_ ]{1,30}", key) else "(a key)"
