"""The one way by which a command's words reach a screen: nothing in them can steer it.

Names come from a CRM into which anybody may type, and refusals from vendors.
"""

from __future__ import annotations

import click

from syncjob.core.printable import printable


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text on stdout, or on stderr, as text and nothing else."""
    click.echo(printable(text), err=err, nl=nl)
