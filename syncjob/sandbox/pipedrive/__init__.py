"""A stateful Pipedrive: v2, and the v1 calls that remain, over one company's data."""

from syncjob.sandbox.pipedrive.options import Options
from syncjob.sandbox.pipedrive.server import PipedriveServer

__all__ = ["Options", "PipedriveServer"]
