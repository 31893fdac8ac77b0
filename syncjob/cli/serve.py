"""`serve`: a batch every few minutes until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import click

from syncjob.cli.common import logged, who
from syncjob.clock import SystemClock
from syncjob.config import Config
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.errors import Exit
from syncjob.scheduler import Batch, serve
from syncjob.signals import StopFlag


@click.command("serve")
@click.option(
    "--every",
    type=click.IntRange(1, 1440),
    metavar="MINUTES",
    help="Instead of schedule.every_minutes of the config.",
)
@click.pass_context
def serve_command(ctx: click.Context, every: int | None) -> int:
    """Run a batch every few minutes until stopped. Batches never overlap, missed ones run once.

    SIGTERM or Ctrl-C finishes the calls on their way; a second one ends at once.
    """
    with logged(ctx, level=logging.INFO) as config, StopFlag() as stop:
        minutes = every or config.schedule.every_minutes
        serve(_batch(config), every=timedelta(minutes=minutes), clock=SystemClock(), stop=stop)
    return Exit.DONE


def _batch(config: Config) -> Batch:
    """One batch in whatever thread calls it: opened there, since a state belongs to one thread."""
    from syncjob.engine.connection import open_connection
    from syncjob.engine.heartbeat import beating, news
    from syncjob.logs import bound

    def batch(should_stop: Callable[[], bool]) -> BatchReport:
        with (
            bound(connection=config.connection.name),
            beating(config) as ended,
            open_connection(config) as handle,
        ):
            report = handle.run(RunOptions(who=f"serve, {who()}", should_stop=should_stop))
            ended(news(report))
            return report

    return batch
