"""The config file and the environment: what a first hour stumbles over."""

from __future__ import annotations

from syncjob.errors import Exit
from tests.situations.bench import Desk
from tests.situations.table import nothing_made, says, situation

CONFIG = "The config"


def _refused(desk: Desk, *words: str, command: str = "run") -> None:
    """Exit 2 with these words; no vendor was asked anything."""
    before = len(desk.box.host.log.find())
    says(desk.sync(command), Exit.CONFIG, *words)
    assert len(desk.box.host.log.find()) == before
    nothing_made(desk)


@situation(CONFIG, "no config file", "There is no config.yaml in this folder.")
def missing_file(desk: Desk) -> None:
    desk.config.unlink()
    _refused(desk, "config.yaml", "no such file", "`syncjob init`")


@situation(CONFIG, "a missing secret", "XERO_CLIENT_SECRET is not set.")
def missing_secret(desk: Desk) -> None:
    del desk.env["XERO_CLIENT_SECRET"]
    _refused(desk, "config.yaml:", "ledger.auth.client_secret", "XERO_CLIENT_SECRET")


@situation(CONFIG, "an unknown key", "A key is misspelled.")
def unknown_key(desk: Desk) -> None:
    desk.edit("  won_since:", "  wonsince:")
    _refused(desk, "invoices.wonsince", "did you mean 'won_since'?", "invoices.won_since")


@situation(CONFIG, "a wrong type", "A number is written as a word.")
def wrong_type(desk: Desk) -> None:
    desk.edit("creates: 20", "creates: twenty")
    _refused(desk, "guard.creates", "must be a whole number")


@situation(CONFIG, "a wrong choice", "The mode is none that there is.")
def wrong_choice(desk: Desk) -> None:
    desk.edit("mode: drafts_only", "mode: draft")
    _refused(desk, "mode", "'drafts_only'")


@situation(CONFIG, "no won_since", "The day from which deals are invoiced is not given.")
def no_won_since(desk: Desk) -> None:
    desk.edit("  won_since:", "  # won_since:")
    _refused(desk, "invoices.won_since", "is missing")


@situation(CONFIG, "broken YAML", "A bracket is not closed.")
def broken_yaml(desk: Desk) -> None:
    desk.edit("pipelines: []", "pipelines: [Sales")
    _refused(desk, "config.yaml:", "cannot be read as YAML")


@situation(CONFIG, "a tab in the YAML", "A line is indented with a tab.")
def tab(desk: Desk) -> None:
    desk.edit("  account:", "\taccount:")
    _refused(desk, "config.yaml:", "cannot be read as YAML")


@situation(CONFIG, "a config that is not UTF-8", "The file was saved as Latin-1.")
def not_utf8(desk: Desk) -> None:
    desk.edit('name: "main"', 'name: "main"  # Büro')
    desk.config.write_bytes(desk.config.read_text("utf-8").encode("latin-1", "replace"))
    _refused(desk, "config.yaml:", "is not UTF-8")


@situation(CONFIG, "three faults in one file", "A wrong type, an unknown key, a missing secret.")
def three_faults(desk: Desk) -> None:
    desk.edit("creates: 20", "creates: twenty")
    desk.edit("every_minutes: 5 ", "every_minute: 5 ")
    del desk.env["PIPEDRIVE_API_TOKEN"]
    _refused(desk, "guard.creates", "schedule.every_minute", "crm.api_token", command="check")


@situation(CONFIG, "a folder that cannot be written", "connection.state lies under a plain file.")
def unwritable(desk: Desk) -> None:
    desk.folder.joinpath("blocked").write_text("a file, no folder")
    desk.edit("state: state/syncjob.db", "state: blocked/syncjob.db")
    says(desk.sync("run"), Exit.STATE, "blocked", "connection.state")
    nothing_made(desk)


@situation(CONFIG, "a log that cannot be written", "connection.log lies under a plain file.")
def unwritable_log(desk: Desk) -> None:
    desk.folder.joinpath("blocked").write_text("a file, no folder")
    desk.edit("log: log/syncjob.log", "log: blocked/syncjob.log")
    says(desk.sync("run"), Exit.STATE, "blocked", "connection.log")
    nothing_made(desk)
