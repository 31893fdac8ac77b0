"""The table of commands; a command's module is imported when it is used, so `--help` is quick."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncjob import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Command -> (module, one line of help). The functions bear the command's name, with `_command`.
COMMANDS = {
    "init": ("first_steps", "Ask for a first config, try it, and propose a trial with one deal."),
    "check": ("setup", "Try credentials, names and rights, and say how to mend what is wrong."),
    "connect": ("connect", "Let syncjob into the ledger, and show whose books they are."),
    "plan": ("plan", "Show what a batch would do and why, and write nothing."),
    "apply": ("plan", "Do exactly what a plan file says; what changed since is skipped."),
    "run": ("batch", "Run one batch now."),
    "serve": ("serve", "Run a batch every few minutes until stopped."),
    "pause": ("pause", "Stop writing (reading goes on)."),
    "resume": ("pause", "Show what has piled up, then write again."),
    "issues": ("issues", "List what needs a person; retry, ignore or resolve it."),
    "resolve": ("decide", "Answer an issue: invoice this deal, never, link it, or only instance."),
    "link": ("link", "Tie an invoice that a person made to a deal."),
    "credit": ("credit", "Credit a deal's approved invoice: a draft, shown first."),
    "reissue": ("decide", "Invoice a deal anew whose invoice a person deleted or voided."),
    "undo": ("undo", "Put back what a batch wrote, where nobody has changed it since."),
    "cancel": ("cancel", "Delete a deal's own untouched draft, and hold the deal."),
    "forget": ("decide", "Forget a customer: end its sync, blank what is personal."),
    "match": ("match", "Find what is one customer on both sides, or twice on one."),
    "reconcile": ("reconcile", "Read both sides in full and find what was missed or broken."),
    "overdue": ("overdue", "List what is overdue, by age and owner."),
    "mute": ("overdue", "Remind nobody of a deal's invoices, for now or for good."),
    "status": ("review", "One screen: who, the last batch, what waits, what needs a person."),
    "why": ("why", "Tell the story of a deal, an invoice or a customer, and what it waits for."),
    "history": ("why", "List every write to a record, with before, after, rule and answer."),
    "report": ("report", "Write the page of health, issues and money, and open it."),
    "log": ("review", "Read the log back, batch by batch."),
    "backup": ("backup", "Write the state and the config into one file."),
    "restore": ("backup", "Put a backup back, or list those that there are."),
    "move": ("backup", "Carry this connection to another machine."),
    "handover": ("handover", "One page without secrets for whoever looks after it next."),
    "relink": ("relink", "Keep the links when the firm changes its CRM."),
    "completion": ("completion", "Print what completes commands and options in a shell."),
    "sandbox": ("sandbox", "Serve a local Xero and Pipedrive to rehearse on."),
    "demo": ("demo", "A tour of a minute on the sandbox, with nothing to set up."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"syncjob.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands from the table: to complete a word must not import every one of them."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="syncjob")
@click.option(
    "-c",
    "--config",
    "config_path",
    default="config.yaml",
    envvar="SYNCJOB_CONFIG",
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The config file: one connection.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show each event of the log on stderr.")
@click.pass_context
def app(ctx: click.Context, config_path: Path, verbose: bool) -> None:
    """A won deal becomes an invoice in the ledger, and its payment comes back to the deal.

    One config file is one connection. Exit codes: 0 done, 1 done with issues, 2 config,
    3 credentials, 4 unreachable, 5 already running, 6 stopped by the guard, 7 paused,
    8 wrong organisation, 9 state, 10 plan file refused, 70 a bug.
    """
    ctx.obj = (config_path, verbose)
