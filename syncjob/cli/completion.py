"""`completion`: what a shell needs to complete commands, options and their values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from syncjob.cli.screen import echo
from syncjob.errors import Exit


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> int:
    """Print what completes this program's commands and options in a shell.

    bash: add `eval "$(syncjob completion bash)"` to ~/.bashrc. zsh: the same in ~/.zshrc. fish:
    `syncjob completion fish > ~/.config/fish/completions/syncjob.fish`.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root().command
    # The variable is the one that click's own entry looks for when the program is run.
    made = found(root, {}, "syncjob", "_SYNCJOB_COMPLETE")
    try:
        echo(made.source())
    except RuntimeError as error:  # a bash that is too old, or that cannot be asked
        raise click.ClickException(str(error)) from None
    return Exit.DONE
