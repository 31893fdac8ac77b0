"""How a config file is read, and refused with every fault at once, each with its line and fix.

A connector's own options come into the model through `register_options`; `crm.type` and
`ledger.type` choose among them. Nothing here prints, and no message holds a value of the file.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from syncjob.config.models import Config, CrmConfig, LedgerConfig
from syncjob.config.secrets import Resolver, Warn
from syncjob.config.source import Source, Where, read_source
from syncjob.config.words import in_words
from syncjob.core.records import Side
from syncjob.errors import ConfigError


class _AnyCrm(CrmConfig):
    """A CRM whose type is missing or unknown: its other keys cannot be judged."""

    model_config = ConfigDict(extra="ignore")


class _AnyLedger(LedgerConfig):
    """A ledger whose type is missing or unknown: its other keys cannot be judged."""

    model_config = ConfigDict(extra="ignore")


_LENIENT: dict[Side, type[BaseModel]] = {"crm": _AnyCrm, "ledger": _AnyLedger}
_BASES: dict[Side, type[BaseModel]] = {"crm": CrmConfig, "ledger": LedgerConfig}
_OPTIONS: dict[Side, dict[str, Callable[[], type[BaseModel]]]] = {"crm": {}, "ledger": {}}

NEXT_STEP = "docs/configuration.md explains each key; nothing was sent."


def register_options(side: Side, name: str, model: Callable[[], type[BaseModel]]) -> None:
    """Let `<side>.type: <name>` be read as what `model` loads, a subclass of that side's config
    model."""
    _OPTIONS[side][name] = model


def _nobody(_: str) -> None:
    """Warnings that nobody asked for."""


def load_config(
    path: Path, *, env: Mapping[str, str] | None = None, warn: Warn = _nobody
) -> Config:
    """The config in the file, its `path` set. `warn` hears of files that others may read.

    Raises ConfigError with one line for each fault found, whatever the file holds.
    """
    path = Path(path)
    source = read_source(path)
    resolver = Resolver(source, path.parent, os.environ if env is None else env, warn)
    data = resolver.value(source.data, ())
    model = _model(source, data)
    given = {key: value for key, value in data.items() if key != "path"}
    if "path" in data:
        source.fault(("path",), "unknown key: syncjob sets it itself; delete the line")
    config = None
    try:
        config = model.model_validate({**given, "path": path})
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=True):
            _note(source, resolver, model, detail)
    if source.problems or config is None:
        raise ConfigError(source.report(), next_step=NEXT_STEP)
    return config


def _model(source: Source, data: dict[str, Any]) -> type[Config]:
    """The config's model with the options models that both `type` keys choose."""
    return _joined(_chosen(source, data, "crm"), _chosen(source, data, "ledger"))


@cache
def _joined(crm: type[BaseModel], ledger: type[BaseModel]) -> type[Config]:
    fields: dict[str, Any] = {"crm": (crm, ...), "ledger": (ledger, ...)}
    return create_model("Config", __base__=Config, **fields)


def _chosen(source: Source, data: dict[str, Any], side: Side) -> type[BaseModel]:
    section = data.get(side)
    name = section.get("type") if isinstance(section, dict) else None
    if name is None:
        return _LENIENT[side]
    known = _OPTIONS[side]
    if not isinstance(name, str) or name not in known:
        near = nearest(name, known) if isinstance(name, str) else ""
        have = ", ".join(sorted(known)) or "none installed"
        source.fault((side, "type"), f"is no connector that is installed; there are: {have}{near}")
        return _LENIENT[side]
    model = known[name]()
    if not issubclass(model, _BASES[side]):
        raise TypeError(f"{model.__name__} is not a {_BASES[side].__name__}")
    return model


def _note(source: Source, resolver: Resolver, model: type[BaseModel], detail: ErrorDetails) -> None:
    where: Where = tuple(detail["loc"])
    told = list(source.problems)
    if detail["type"] == "extra_forbidden":
        source.fault(where, f"unknown key{nearest(str(where[-1]), _keys(model, where[:-1]))}")
        return
    whole = detail["type"] in ("value_error", "too_short")
    if whole and any(inner[: len(where)] == where for inner in told):
        return  # a section that does not add up because of a key in it that is told already
    source.fault(where, in_words(detail, resolver.masked))


def nearest(name: str, known: Any) -> str:
    """`; did you mean "api_token"?` where one of the known names is near, else what to do."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    if found:
        return f"; did you mean {found[0]!r}?"
    return "" if not known else f"; known here: {', '.join(sorted(map(str, known)))}"


def _keys(model: type[BaseModel], where: Where) -> list[str]:
    """The keys that the model knows at this place, so that a near one can be offered."""
    for part in where:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        inner = _model_in(annotation)
        if inner is None:
            return []
        model = inner
    return [name for name in model.model_fields if name != "path"]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `Model | None`, `tuple[Model, ...]`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None
