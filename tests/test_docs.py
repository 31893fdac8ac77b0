"""The docs and examples cannot rot: keys, commands, exit codes, crontab and units are tried."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, get_origin

import click
import pytest
import yaml
from pydantic import BaseModel

from syncjob.cli.app import COMMANDS, app
from syncjob.config import Config, load_config
from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.config.template import EXAMPLE, EXAMPLE_HUBSPOT, render
from syncjob.connectors.registry import VENDORS, register_all
from syncjob.core.policy_rules import DealWhen

ROOT = Path(__file__).parent.parent
EXAMPLE_FILE = ROOT / "config.example.yaml"
UNITS = sorted((ROOT / "deploy").iterdir())
#: Where the docs name the program for one that is installed there.
INSTALLED = "/opt/syncjob/.venv/bin/syncjob"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (model_of(argument) for argument in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model), None)


def keys(
    model: type[BaseModel], prefix: str = "", vendors: Collection[str] = tuple(VENDORS)
) -> Iterator[str]:
    """Every leaf of the models as a dotted path; a list's items count as its keys. Of each side
    the options of these vendors."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if path == "path":
            continue
        inner = model_of(field.annotation)
        if get_origin(field.annotation) is tuple and inner:
            yield path  # a list, and what its items are made of
        if inner and issubclass(inner, DealWhen):
            yield path  # its conditions are explained once, in invoicing.md
        elif inner in (CrmConfig, LedgerConfig):
            for called, vendor in VENDORS.items():
                if vendor.side == name and called in vendors:
                    yield from keys(vendor.options_model(), f"{path}.", vendors)
        elif inner:
            yield from keys(inner, f"{path}.", vendors)
        else:
            yield path


def leaves(value: Any, prefix: str = "") -> Iterator[str]:
    for name, item in value.items():
        if isinstance(item, dict) and item:
            yield from leaves(item, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


ALL_KEYS = set(keys(Config))
#: What a connection of either CRM may say, and the example that shows it.
EXAMPLES = {
    "pipedrive": ("config.example.yaml", EXAMPLE),
    "hubspot": ("config.hubspot.example.yaml", EXAMPLE_HUBSPOT),
}
OF_CRM = {crm: set(keys(Config, vendors=(crm, "xero"))) for crm in EXAMPLES}
#: A section that is there in place of another is shown in a comment, as one key.
SECTIONS = {"hubspot": "crm.auth"}
#: Keys of a list's items, at any depth, which the example shows in comments.
OF_ITEMS = {key for key in ALL_KEYS if any(key.startswith(f"{one}.") for one in ALL_KEYS)}
#: The lists themselves, but for those within others' items.
LISTS = {one for one in ALL_KEYS - OF_ITEMS if any(key.startswith(f"{one}.") for key in OF_ITEMS)}


@pytest.mark.parametrize("crm", EXAMPLES)
def test_the_example_is_valid_as_it_stands(crm: str) -> None:
    register_all()
    warnings: list[str] = []
    path = EXAMPLE_FILE.parent / EXAMPLES[crm][0]
    config = load_config(path, env={}, warn=warnings.append)
    assert config.crm.type == crm
    assert config.mode == "drafts_only"
    assert config.invoices.status == "draft"
    assert warnings == []


@pytest.mark.parametrize("crm", EXAMPLES)
def test_the_example_is_what_init_writes(crm: str) -> None:
    path, start = EXAMPLES[crm]
    assert read(path) == render(start)


@pytest.mark.parametrize("crm", EXAMPLES)
def test_the_example_has_every_key_and_no_other(crm: str) -> None:
    text = read(EXAMPLES[crm][0])
    example = set(leaves(yaml.safe_load(text)))
    section = SECTIONS.get(crm, "none")
    inside = {key for key in OF_CRM[crm] if key.startswith(f"{section}.")}
    assert example - {section} == OF_CRM[crm] - OF_ITEMS - inside
    assert all(f"#  {key.rpartition('.')[2]}: " in text for key in inside)


def test_what_the_example_shows_in_comments_is_valid(tmp_path: Path) -> None:
    """Each list and table of rules with the comment below it taken at its word."""
    register_all()
    text = re.sub(
        r"(\w+):( +)(?:\[\]|\{\})( +)# (.*such as)$",
        r"\1:\2\3# \4",
        read("config.example.yaml"),
        flags=re.M,
    )
    text = re.sub(r"^( +)#  ( *)(- )?(\w+:)", r"\1  \2\3\4", text, flags=re.M)
    path = tmp_path / "config.yaml"
    path.write_text(text)
    told = load_config(path, env={}).model_dump(exclude_unset=True)
    for key in LISTS:
        found: Any = told
        for part in key.split("."):
            found = found[part]
        assert found, key


def test_the_example_shows_the_defaults() -> None:
    """Every value of the example is the model's default, but what only a user can know."""
    register_all()
    shown = load_config(EXAMPLE_FILE, env={}).model_dump()
    minimal = yaml.safe_load(read("config.example.yaml"))
    required = {"crm": ("type", "api_url", "api_token"), "ledger": ("type", "auth")}
    for side, names in required.items():
        minimal[side] = {name: minimal[side][name] for name in names}
    minimal["ledger"]["auth"] = {
        name: minimal["ledger"]["auth"][name] for name in ("client_id", "client_secret")
    }
    minimal["invoices"] = {n: str(minimal["invoices"][n]) for n in ("won_since", "account")}
    minimal["connection"] = {n: minimal["connection"][n] for n in ("name", "code")}
    small = {n: minimal[n] for n in ("connection", "crm", "ledger", "invoices")}
    path = EXAMPLE_FILE.parent / ".pytest_cache" / "minimal.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(small))
    defaults = load_config(path, env={}).model_dump()
    for one in (shown, defaults):
        one.pop("path")
        one["invoices"]["exclude"].pop("titles")
    assert shown == defaults


def test_configuration_md_explains_each_key_and_no_other() -> None:
    explained = set(re.findall(r"^\| `([\w.]+)` \|", read("docs/configuration.md"), re.M))
    assert explained == ALL_KEYS


def test_dependencies_md_names_each_package() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(r for extra in extras for r in extra)]
    names = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted}
    text = read("docs/dependencies.md")
    assert not {name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)}


@pytest.mark.parametrize(
    ("package", "lacks"),
    [
        ("structlog", "24.4.0"),  # no `is_enabled_for`, which each exchange asks
        ("urllib3", "2.1.0"),  # no `read1`, which reads each answer
    ],
)
def test_no_release_is_allowed_that_lacks_what_the_program_calls(package: str, lacks: str) -> None:
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    [least] = [re.search(r">=([\d.]+)", one) for one in wanted if re.match(rf"{package}\b", one)]
    assert least is not None
    assert [int(n) for n in least[1].split(".")] > [int(n) for n in lacks.split(".")]


def test_constraints_pin_every_package_without_a_url() -> None:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(r for extra in extras for r in extra)]
    names = {re.split(r"[<>=\[ ]", requirement)[0].lower() for requirement in wanted}
    assert names <= pinned


def command_lines() -> Iterator[tuple[str, str]]:
    """Every command line of ours in the docs, the crontab and the units."""
    for path in (*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", *UNITS):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(
                r"^(?:ExecStart=|sudo -u \w+ |\$ )?(\S*syncjob) (-\S.*|[a-z].*)$", line
            )
            if found and found[1] in ("syncjob", INSTALLED):
                yield path.name, found[2]
    for line in read("crontab.example").splitlines():
        if INSTALLED in line:
            yield "crontab.example", line.split(f"{INSTALLED} ")[1]


@pytest.mark.parametrize(("where", "line"), list(command_lines()))
def test_command_lines_in_docs_can_be_parsed(where: str, line: str) -> None:
    words = shlex.split(line.split("#")[0].rstrip(" &"))
    words = [word for word in words if word not in ("\\",)]
    context = app.make_context("syncjob", list(words), resilient_parsing=False)
    name, command, rest = app.resolve_command(context, [*context._protected_args, *context.args])
    assert name in COMMANDS
    assert command is not None
    rest = [re.sub(r"^(HASH|ID)$", "x", word) for word in rest]
    command.make_context(str(name), rest, parent=context)


def test_the_crontab_has_command_lines_that_were_tried() -> None:
    assert sum(where == "crontab.example" for where, _ in command_lines()) >= 2
    for line in read("crontab.example").splitlines():
        if INSTALLED in line:
            assert re.match(r"^(\S+\s+){5}/", line)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_are_sections_of_settings(unit: Path) -> None:
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#"):
            assert re.match(r"^[A-Z]\w+=", line), line
            assert section in ("[Unit]", "[Service]", "[Timer]", "[Install]")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_each_command_explains_itself_and_its_options(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts}"


def test_paths_named_in_docs_are_there() -> None:
    for path in (*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"):
        for named in re.findall(r"`(docs/[\w./-]+|deploy/[\w./-]+)`", path.read_text()):
            assert (ROOT / named).exists(), f"{path.name}: {named}"


def test_hubspot_md_names_the_scopes_that_are_asked_for() -> None:
    from syncjob.connectors.hubspot.options import INIT_SCOPES, SCOPES

    named = re.findall(
        r"`((?:crm\.(?:objects|schemas)|tax_rates)\.[\w.]+)`", read("docs/hubspot.md")
    )
    assert sorted(named) == sorted((*SCOPES, *INIT_SCOPES))
