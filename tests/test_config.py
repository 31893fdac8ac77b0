"""Config loading through its one door: what it accepts, and what it says of what it refuses."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncjob.config import Config, load_config, secret_values
from syncjob.connectors.registry import register_all
from syncjob.errors import ConfigError, Exit

MINIMAL = """\
connection:
  name: main
  code: NW
crm:
  type: pipedrive
  api_url: https://acme.pipedrive.com
  api_token: ${TOKEN}
ledger:
  type: xero
  auth:
    client_id: app
    client_secret: ${SECRET:-from-default}
invoices:
  won_since: 2026-07-01
  account: 0200
"""
ENV = {"TOKEN": "tok-4711-very-secret"}


@pytest.fixture(autouse=True, scope="module")
def _vendors() -> None:
    register_all()


def load(folder: Path, text: str, env: dict[str, str] | None = None, **more: Any) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, env=ENV if env is None else env, **more)


def refused(folder: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, env)
    assert caught.value.exit_code is Exit.CONFIG
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in MINIMAL
    return MINIMAL.replace(old, new)


def test_values_get_their_types_from_the_models(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL + "overdue:\n  ignore_due_below: 5.10\n")
    assert config.invoices.account == "0200"
    assert config.invoices.won_since == date(2026, 7, 1)
    assert config.overdue.ignore_due_below == Decimal("5.10")
    assert config.mode == "drafts_only"
    assert config.path == tmp_path / "config.yaml"
    assert config.resolve(config.connection.state) == tmp_path / "state/syncjob.db"


def test_environment_default_and_dollar(tmp_path: Path) -> None:
    config = load(tmp_path, changed("name: main", "name: ${NAME:-main}_${X:-}a"), ENV)
    assert config.connection.name == "main_a"
    assert secret_values(config) == {"tok-4711-very-secret", "from-default"}
    config = load(tmp_path, MINIMAL + '  description: "$$5 {name}"\n')
    assert config.invoices.description == "$5 {name}"


def test_norway_stays_a_label_and_null_is_nothing(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        MINIMAL + "  exclude:\n    labels: [NO, off, 12:30]\n    value_below: ~\n",
    )
    assert config.invoices.exclude.labels == ("NO", "off", "12:30")
    assert config.invoices.exclude.value_below is None


def test_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    (tmp_path / "token").chmod(0o600)
    warnings: list[str] = []
    text = changed("${TOKEN}", "{file: token}")
    config: Any = load(tmp_path, text, warn=warnings.append)
    assert config.crm.api_token.get_secret_value() == "from-the-file"
    assert warnings == []
    (tmp_path / "token").chmod(0o644)
    load(tmp_path, text, warn=warnings.append)
    assert len(warnings) == 1
    assert "config.yaml:7" in warnings[0]
    assert "chmod 600" in warnings[0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "  api_url:",
            "  api_ulr: https://x\n  api_url:",
            "config.yaml:6 crm.api_ulr: unknown key; did you mean 'api_url'?",
        ),
        ("type: xero", "type: xeroo", "config.yaml:9 ledger.type: is no connector that is"),
        ("2026-07-01", "yesterday", "config.yaml:14 invoices.won_since: must be a day, written"),
        ("2026-07-01", "0", "config.yaml:14 invoices.won_since: must be a day, written"),
        ("code: NW", "code: nw", "config.yaml:3 connection.code: must match the pattern"),
        ("code: NW", "code:", "config.yaml:3 connection.code: is empty; write a value"),
        ("name: main", "name: [a]", "config.yaml:2 connection.name: must be text"),
        ("  won_since: 2026-07-01\n", "", "config.yaml:13 invoices.won_since: is missing"),
        (
            "crm:",
            "mode: everything\ncrm:",
            "config.yaml:4 mode: must be 'read_only', 'drafts_only' or 'full'",
        ),
        (
            "account: 0200",
            "account: 0200\n  account: 0300",
            "config.yaml:16 invoices.account: stands twice (first in line 15)",
        ),
        (
            "${TOKEN}",
            "${MISSING}",
            "config.yaml:7 crm.api_token: the environment variable MISSING is not set",
        ),
        ("${TOKEN}", "${TOKEN", "config.yaml:7 crm.api_token: has a '${' that opens no"),
        (
            "${TOKEN}",
            "{file: nowhere}",
            "config.yaml:7 crm.api_token: the file it names cannot be read (No such file",
        ),
        ("${TOKEN}", "&a x", None),
        ("account: 0200", "account: 0200\npath: x", "config.yaml:16 path: unknown key"),
        ("account: 0200", "account: 0200\n  when: [a]", "invoices.when: must be a section"),
        (
            "account: 0200",
            "account: 0200\n  double_days: 5.5",
            "config.yaml:16 invoices.double_days: must be a whole number",
        ),
        (
            "account: 0200",
            "account: 0200\n  double_days: 400",
            "invoices.double_days: must be at most 365",
        ),
        (
            "account: 0200",
            "account: 0200\n  exclude: {labels: a}",
            "config.yaml:16 invoices.exclude.labels: must be a list",
        ),
        (
            "account: 0200",
            "account: 0200\n  tax: {rules: [{name: a, rat: b}]}",
            "invoices.tax.rules[0].rat: unknown key; did you mean 'rate'?",
        ),
        *(
            (
                "account: 0200",
                f"account: 0200\n  currency_rates: {{NZD: {rate}}}",
                "invoices.currency_rates.NZD: must be a rate above 0 with at most 6 decimals",
            )
            for rate in ("0", "-1.1", "1.1234567")
        ),
        ("account: 0200", "account: 0200\n  currency_rates: {nzd: 1.1}", None),
    ],
)
def test_each_fault_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, line: str | None
) -> None:
    if line is None:
        load(tmp_path, changed(old, new))
        return
    problems = refused(tmp_path, changed(old, new))
    assert any(line in problem for problem in problems), problems


def test_a_list_is_not_too_short_for_what_is_wrong_in_it(tmp_path: Path) -> None:
    parts = '[{name: x, percent: 5, "on": tomorrow}, {name: y, rest: true, "on": win}]'
    schedules = f"account: 0200\n  schedules: [{{name: a, parts: {parts}}}]"
    [problem] = refused(tmp_path, changed("account: 0200", schedules))
    assert "parts[0].on: must say when" in problem


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "mode: all\nconnection: {name: a b}\ncrm: {type: pipedrive}\nledger: 3\nx: 1\n"
    problems = refused(tmp_path, text)
    lines = [int(problem.split(":")[1].split()[0]) for problem in problems]
    assert lines == sorted(lines)
    places = {problem.split(" ")[1].rstrip(":") for problem in problems}
    assert {"mode", "connection.name", "connection.code", "crm.api_token", "x"} <= places
    assert {"ledger", "invoices"} <= places


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "connection: is missing"),
        ("- a\n", "must be a list of `key: value` lines"),
        ("a: b: c\n", "cannot be read as YAML"),
        ("a: *S3cretValue\n", "cannot be read as YAML"),
        ("a: &x [1]\nb: *x\n", "aliases (*name) are not supported"),
        ("a: !!python/object:os.system x\n", "a: "),
        ("a: !Secret x\n", "tags (!name) are not supported"),
        ("[" * 5000, "config.yaml:1"),
        ("? [a, b]\n: c\n", "keys are words"),
    ],
)
def test_files_that_are_no_config(tmp_path: Path, text: str, words: str) -> None:
    problems = refused(tmp_path, text)
    assert any(words in problem for problem in problems), problems
    assert not any("S3cretValue" in problem for problem in problems)


def test_no_file_no_utf8_too_large(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for content, words in (
        (None, "there is no such file; `syncjob init` writes one"),
        (b"a: \xff\n", "config.yaml:1: is not UTF-8"),
        (b"#" * 1_000_001, "is larger than 1 MB"),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load_config(path, env={})
        assert words in caught.value.problems[0]
    with pytest.raises(ConfigError):
        load_config(tmp_path, env={})


def test_no_secret_in_any_message_or_repr(tmp_path: Path) -> None:
    secret = ENV["TOKEN"]
    for old, new in (
        ("  api_url: https://acme.pipedrive.com\n", ""),
        ("api_url: https://acme.pipedrive.com", f"api_url: '{secret}'"),
        ("type: pipedrive", f"type: {secret}"),
        ("account: 0200", f"account: 0200\n  status: {secret}"),
        ("account: 0200", f"account: 0200\n  won_sinse: {secret}"),
        ("  api_token: ${TOKEN}", f"  api_token: {{x: '{secret}'}}"),
        ("  api_token: ${TOKEN}", f"  api_token:{secret}"),
        ("  api_token: ${TOKEN}", f"  api_token: '{secret}"),
    ):
        assert not any(secret in problem for problem in refused(tmp_path, changed(old, new)))
    assert secret not in repr(load(tmp_path, MINIMAL))


def test_a_config_reads_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TOKEN", "from-os")
    path = tmp_path / "config.yaml"
    path.write_text(MINIMAL)
    config: Any = load_config(path)
    assert config.crm.api_token.get_secret_value() == "from-os"
