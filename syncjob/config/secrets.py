"""Values that stand elsewhere: `${NAME}`, `${NAME:-default}`, and `{file: path}` for secrets.

`$$` is a dollar sign. A variable that is set but empty counts as not set, as in a shell. A path is
relative to the config's folder. What was put in is remembered, so that no message repeats it.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr

from syncjob.config.source import Source, Where

#: A token or a key is far shorter; a larger file is the wrong one.
FILE_BYTES_MAX = 65_536
#: Shorter values would blank harmless words of a message.
MASK_LENGTH_MIN = 4
MASK = "***"

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}|(?P<bad>\{))"
)
_SECRET_KEY = re.compile(r"token|secret|password|passphrase|credential|authorization", re.I)

Warn = Callable[[str], None]

#: `# api_token: abc123`: a value that was put out of use, and may well be good still.
_IN_COMMENT = re.compile(
    rf"(#\s*-?\s*[\w.\"']*(?:{_SECRET_KEY.pattern})[\w\"']*\s*[:=]\s*)(?!\$\{{|\{{\s*file)\S.*",
    re.I,
)


class Resolver:
    """Puts in what stands elsewhere; `used` holds every value that must not be repeated."""

    def __init__(self, source: Source, folder: Path, env: Mapping[str, str], warn: Warn) -> None:
        self._source, self._folder, self._env, self._warn = source, folder, env, warn
        self.used: set[str] = set()

    def value(self, value: Any, where: Where) -> Any:
        """The same tree with every reference replaced; faults go to the source."""
        if isinstance(value, dict):
            if set(value) == {"file"} and where:
                return self._from_file(value["file"], where)
            return {key: self.value(item, (*where, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*where, i)) for i, item in enumerate(value)]
        return self._text(value, where) if isinstance(value, str) else value

    def _text(self, text: str, where: Where) -> str | None:
        if where and isinstance(where[-1], str) and _SECRET_KEY.search(where[-1]):
            self.used.add(text)
        if "$" not in text:
            return text
        return _REFERENCE.sub(lambda found: self._reference(found, where), text) or None

    def _reference(self, found: re.Match[str], where: Where) -> str:
        if found["dollar"]:
            return "$"
        if found["bad"] or not re.match(r"[A-Za-z_]", found["name"]):
            fix = "write ${NAME} or ${NAME:-default}, or $$ for a dollar sign"
            self._source.fault(where, f"has a '${{' that opens no reference; {fix}")
            return ""
        given = self._env.get(found["name"]) or found["default"]
        if given is None:
            fix = "set it, or give a default with ${NAME:-default}, or use {file: path}"
            name = found["name"]
            self._source.fault(where, f"the environment variable {name} is not set; {fix}")
            return ""
        self.used.add(given)
        return given

    def _from_file(self, name: Any, where: Where) -> str | None:
        name = self.value(name, (*where, "file"))
        if not isinstance(name, str):
            self._source.fault(where, "file: names no file; write {file: path}")
            return None
        try:
            path = self._folder / name
            with path.open("rb") as file:
                mode, raw = path.stat().st_mode, file.read(FILE_BYTES_MAX + 1)
            secret = raw.decode().strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            self._source.fault(where, f"the file it names cannot be read ({reason}); mend the path")
            return None
        if not secret or len(raw) > FILE_BYTES_MAX:
            what = "empty" if not secret else "larger than 64 kB"
            self._source.fault(where, f"the file it names is {what}; it holds the secret alone")
            return None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            line = self._source.line(where)
            self._warn(f"{self._source.name}:{line}: others may read {path}; chmod 600 {path}")
        self.used.add(secret)
        return secret

    def masked(self, text: str) -> str:
        """The message without any value that was put in."""
        for secret in sorted(self.used, key=len, reverse=True):
            if len(secret) >= MASK_LENGTH_MIN:
                text = text.replace(secret, MASK)
        return text


def secret_values(config: BaseModel) -> frozenset[str]:
    """Every secret that the config holds in plain text, for the log's redaction."""
    return frozenset(_secrets(config))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text of a config that loads, with each of these values masked however YAML writes it
    (escaped, quoted, on several lines), and what comments hold of the kind."""
    known = [secret for secret in sorted(secrets, key=len, reverse=True) if secret]
    nodes: dict[int, yaml.ScalarNode] = {}
    _scalars(yaml.compose(text, Loader=yaml.SafeLoader), nodes)
    for at in sorted(nodes, reverse=True):
        node = nodes[at]
        if any(secret in node.value for secret in known):
            written = text[at : node.end_mark.index]
            end = "\n" if written.endswith("\n") else ""
            text = f'{text[:at]}"{MASK}"{end}{text[node.end_mark.index :]}'
    for secret in known:  # a comment may repeat it
        text = text.replace(secret, MASK)
    return _IN_COMMENT.sub(rf"\g<1>{MASK}", text)


def _scalars(node: yaml.Node | None, found: dict[int, yaml.ScalarNode]) -> None:
    if isinstance(node, yaml.ScalarNode):
        found[node.start_mark.index] = node
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _scalars(one, found)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            _scalars(value, found)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _secrets(item)
