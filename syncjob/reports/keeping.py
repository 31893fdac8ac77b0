"""Backups in words: what was written, what there is, what was put back and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from syncjob.config import Config
from syncjob.reports.tables import Fitting
from syncjob.reports.words import local
from syncjob.state.backup import Backup, Manifest, Restored

_KILOBYTE, _MEGABYTE = 1_000, 1_000_000
_NEW_MACHINE = (
    "On the new machine:",
    "  1. install syncjob there, and copy the file over",
    "  2. syncjob restore FILE      writes the config, if there is none, and the state",
    "  3. put the secrets in that the config names, then `syncjob connect` if it asks for consent",
    "  4. syncjob check, then syncjob plan, then the timer or crontab line",
)


def backup_lines(made: Backup) -> list[str]:
    """What was backed up, and where it is."""
    assert made.manifest is not None
    return [
        f"Wrote {made.file} ({_size(made)}): {_holds(made.manifest)}.",
        "It holds no token and no secret.",
    ]


def moved_lines(made: Backup) -> list[str]:
    """What was written, and what is to be done on the new machine."""
    assert made.manifest is not None
    return [
        f"Wrote {made.file} ({_size(made)}): {_holds(made.manifest)}.",
        "Nothing is written from this machine any more; take its timer or crontab line out.",
        *_NEW_MACHINE,
        "If the move is called off: delete the file, and `syncjob resume` here.",
    ]


def restored_lines(done: Restored) -> list[str]:
    """What stands in the state's place now, and what the next batches do."""
    aside = [f"What stood there before is kept: {done.aside}"] if done.aside else []
    return [
        f"Put back {done.state}: {_holds(done.manifest)}.",
        *aside,
        "The next batches read both sides and create nothing until they know what was made since;",
        "`syncjob status` says when that is over. `syncjob plan` shows what would follow.",
    ]


def list_backups(out: Console, found: Sequence[Backup], config: Config) -> None:
    """The backups that there are, newest first."""
    folder = config.resolve(config.connection.backups)
    if not found:
        out.print(escape(f"There is no backup of {config.connection.name} in {folder} yet."))
        out.print("`syncjob backup` makes one now; `run` and `serve` make one every night.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("made", "last batch", "deals", "invoices", "size", "file"):
        right = name in ("last batch", "deals", "invoices", "size")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in found:
        file = one.file.rpartition("/")[2]
        if one.manifest is None:
            table.add_row("unreadable", "", "", "", _size(one), escape(f"{file}: {one.why}"))
            continue
        numbers = (one.manifest.last_batch, one.manifest.deals, one.manifest.invoices)
        texts = (f"{number:,}" for number in numbers)
        table.add_row(local(one.manifest.made_at), *texts, _size(one), escape(file))
    out.print(Fitting(table))
    out.print(escape(f"In {folder}. To put one back: syncjob restore FILE"))


def _holds(manifest: Manifest) -> str:
    counts = (
        f"{manifest.deals:,} deals, {manifest.invoices:,} invoices and "
        f"{manifest.contacts:,} customers"
    )
    made = local(manifest.made_at)
    return f"{manifest.connection} as of {made}, after batch {manifest.last_batch:,}, with {counts}"


def _size(one: Backup) -> str:
    if one.size_bytes < _MEGABYTE:
        return f"{one.size_bytes / _KILOBYTE:.0f} kB"
    return f"{one.size_bytes / _MEGABYTE:.1f} MB"
