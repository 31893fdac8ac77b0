"""The handover: one page, without a secret, for whoever looks after a connection next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncjob.config import Config
from syncjob.core.reports import StatusReport
from syncjob.reports.rules_words import mode_words, rules_words
from syncjob.reports.status import verdict
from syncjob.reports.terminal import organisation, pauses
from syncjob.reports.words import local

#: How many of the open issues are named on the page; `syncjob issues` has them all.
ISSUES_NAMED_MAX = 10
_WHEN_IT_STOPS = (
    ("`syncjob status`", "is all well, since when not, what to do"),
    ("`syncjob check`", "tries credentials, names and rights, and says how to mend each"),
    ("`syncjob issues`", "what needs a person, and the answers that each takes"),
    ("`syncjob why deal 1042`", "why there is no invoice, or why it says what it says"),
    ("`syncjob log`", "what the last batches did; `--batch ID` all of one"),
    ("`syncjob plan`", "what the next batch would do; nothing is written"),
    ("`syncjob pause --reason ...`", "stop writing; so does an empty file STOP beside the state"),
    ("`syncjob restore`", "the backups, and how to put one back: it doubles nothing"),
)
_EXITS = (
    ("1", "done, and something waits for a person: `syncjob issues`"),
    ("2", "the config has a mistake: the message names file and line"),
    ("3", "credentials are refused: `syncjob check`, then renew the token or `syncjob connect`"),
    ("4", "a vendor is away or a limit is reached: it goes on by itself"),
    ("5", "another batch is running: nothing to do"),
    ("6", "the guard stopped a large plan: `syncjob plan`, then `syncjob run --accept HASH`"),
    ("7", "paused: `syncjob resume`"),
    ("8", "the credentials open another organisation: mend them, nothing was written"),
    ("9", "the state cannot be used: disk, rights, or `syncjob restore`"),
)


def handover(config: Config, status: StatusReport, who: str) -> str:
    """The page, as Markdown that reads well as plain text, too."""
    return "\n".join(_lines(config, status, who)) + "\n"


def _lines(config: Config, status: StatusReport, who: str) -> Iterator[str]:
    yield f"# syncjob: {config.connection.name}"
    yield ""
    yield f"Written {local(status.now)} by {who}. There is no secret on this page."
    yield ""
    yield from _section("Now", verdict(status))
    yield from _section("Connected", _connected(config, status))
    for heading, sentences in rules_words(config):
        yield from _section(heading, sentences)
    yield from _section("Open", _open(status))
    yield from _section("Where things are", _places(config))
    yield from _section("How it runs", _runs(config, status))
    yield from _table("When it stops", ("command", "what for"), _WHEN_IT_STOPS)
    yield from _table("Exit codes", ("code", "what to do"), _EXITS)


def _connected(config: Config, status: StatusReport) -> Iterator[str]:
    yield f"CRM: {config.crm.type}, {organisation(status.crm, books=False)}"
    yield f"Ledger: {config.ledger.type}, {organisation(status.ledger)}"
    yield f"Markers begin with {config.connection.code}; it never changes but by `syncjob relink`."
    if config.connection.former_codes:
        said = ", ".join(config.connection.former_codes)
        yield f"Invoices made for the CRM before it begin with {said}."
    yield f"Mode {mode_words(config.mode)}"
    links = ", ".join(f"{number:,} {kind}s" for kind, number in sorted(status.links.items()))
    yield f"Linked so far: {links or 'nothing'}."


def _open(status: StatusReport) -> Iterator[str]:
    for text in pauses(status.pauses, status.stop_file):
        yield f"Paused: {text}"
    kinds = Counter(issue.code for issue in status.issues)
    for code, number in kinds.most_common():
        yield f"{number:,} of {code}"
    for issue in status.issues[:ISSUES_NAMED_MAX]:
        title = status.titles.get(issue.subject, "")
        name = f"{issue.subject} {title}".strip()
        yield f"{name}: {issue.what} {issue.next_step}".strip()
    more = len(status.issues) - ISSUES_NAMED_MAX
    if more > 0:
        yield f"... and {more:,} more: `syncjob issues`."
    if not (status.issues or status.pauses or status.stop_file):
        yield "Nothing waits for a person."


def _places(config: Config) -> Iterator[str]:
    where = config.connection
    yield f"config: {config.path.resolve()}"
    yield f"state: {config.resolve(where.state).resolve()}"
    yield f"tokens and call budgets: {config.vault.resolve()} (its content is secret)"
    yield f"log: {config.resolve(where.log).resolve()}"
    yield (
        f"backups: {config.resolve(where.backups).resolve()}, one a night, "
        f"{config.retention.backups} kept"
    )


def _runs(config: Config, status: StatusReport) -> Iterator[str]:
    yield (
        f"A batch every {config.schedule.every_minutes} minutes, by a timer, cron or "
        "`syncjob serve` (docs/deployment.md); two at once do no harm."
    )
    yield f"Last batch: {local(status.last.ended) if status.last else 'none yet'}"
    yield f"Last good batch: {local(status.last_good)}"
    yield f"Last backup: {local(status.last_backup)}"


def _section(heading: str, sentences: Iterator[str] | list[str]) -> Iterator[str]:
    yield f"## {heading}"
    yield ""
    for text in sentences:
        yield f"- {text}"
    yield ""


def _table(
    heading: str, names: tuple[str, str], rows: tuple[tuple[str, str], ...]
) -> Iterator[str]:
    yield f"## {heading}"
    yield ""
    yield f"| {names[0]} | {names[1]} |"
    yield "|---|---|"
    for left, right in rows:
        yield f"| {left} | {right} |"
    yield ""
