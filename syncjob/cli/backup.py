"""`backup`, `restore` and `move`: the state kept safe, put back, or carried to a new machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from syncjob.cli.common import (
    confirmed,
    json_option,
    logged,
    opened,
    print_json,
    private_file,
    who,
)
from syncjob.cli.screen import echo
from syncjob.errors import ConfigError, Exit, WrongFile

_reason = click.option("--reason", default="", help="Why; kept in the audit.")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("backup")
@click.option("--to", "file", type=_FILE, metavar="FILE", help="Here, instead of the folder.")
@json_option
@click.pass_context
def backup_command(ctx: click.Context, file: Path | None, as_json: bool) -> int:
    """Write a backup of the state and the config into one file; a batch may run meanwhile.

    It holds no token and no secret. One is made every night by itself.
    """
    with opened(ctx) as (_, handle):
        made = handle.backup(file, who=who())
    if as_json:
        print_json(made)
    else:
        from syncjob.reports.keeping import backup_lines

        echo("\n".join(backup_lines(made)))
    return Exit.DONE


@click.command("restore")
@click.argument("file", type=_FILE, required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_reason
@json_option
@click.pass_context
def restore_command(
    ctx: click.Context, file: Path | None, yes: bool, reason: str, as_json: bool
) -> int:
    """Put a backup back; without FILE, list the backups that there are.

    The present state is renamed, never lost. The next batches create nothing until they have
    read what bears syncjob's markers on both sides. Where there is no config yet (a new machine),
    the one in the backup is written first.
    """
    from syncjob.engine.keeping import backups, require_same, restore
    from syncjob.reports.keeping import list_backups, restored_lines
    from syncjob.reports.terminal import console

    path, _ = ctx.obj
    if file is not None and not path.exists():
        _unpack_config(file, path)
    with logged(ctx) as config:
        if file is None:
            found = backups(config)
            if as_json:
                print_json(found)
            else:
                list_backups(console(sys.stdout), found, config)
            return Exit.DONE
        from syncjob.clock import SystemClock
        from syncjob.state.backup import read_manifest

        manifest, _ = read_manifest(file)
        require_same(config, manifest, file)
        made = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
        question = f"Put back the state of {config.connection.name} as it was on {made}?"
        if not confirmed(question, yes=yes):
            return Exit.ISSUES
        done = restore(config, file, clock=SystemClock(), who=who(), reason=reason)
    if as_json:
        print_json(done)
    else:
        echo("\n".join(restored_lines(done)))
    return Exit.DONE


def _unpack_config(file: Path, path: Path) -> None:
    """Write the backup's config where there is none; its secrets are for a person to put in."""
    from syncjob.config.secrets import MASK
    from syncjob.state.backup import read_manifest

    _, text = read_manifest(file)
    try:
        private_file(path, text)
    except OSError as error:
        raise WrongFile(
            f"The backup's config cannot be written ({error.strerror}).", where=str(path),
            next_step="Name another place with -c.",
        ) from None  # fmt: skip
    echo(f"Wrote the backup's config to {path}.", err=True)
    if MASK in text:
        raise ConfigError(
            [f"{path}: its secrets were left out of the backup; each stands there as {MASK}"],
            next_step="Put them in, then repeat this command.",
        )


@click.command("move")
@click.option(
    "--to", "file", type=_FILE, metavar="FILE", required=True, help="The file to carry over."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_reason
@json_option
@click.pass_context
def move_command(ctx: click.Context, file: Path, yes: bool, reason: str, as_json: bool) -> int:
    """Carry this connection to another machine: one file, and nothing more is written here.

    On the new machine: `syncjob restore FILE`, then put in the secrets, `syncjob connect`,
    `syncjob check` and `syncjob plan`.
    """
    question = "Write everything into the file and stop writing from this machine?"
    with opened(ctx) as (_, handle):
        if not confirmed(question, yes=yes):
            return Exit.ISSUES
        made = handle.move(file, who=who(), reason=reason)
    if as_json:
        print_json(made)
    else:
        from syncjob.reports.keeping import moved_lines

        echo("\n".join(moved_lines(made)))
    return Exit.DONE
