"""A sandbox of Xero: identity and accounting, written from the vendor's spec and the facts."""

from syncjob.sandbox.xero.options import Limits, Options
from syncjob.sandbox.xero.server import XeroServer

__all__ = ["Limits", "Options", "XeroServer"]
