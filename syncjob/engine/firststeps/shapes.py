"""Texts that a config would take: what a person surely means is mended, the rest is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from syncjob.core.policy_notices import STEP_DAYS_MAX

Shape = Callable[[str], str]

_ADDRESS = r"https://[^\s/?]+\.[^\s?]+|http://(127\.0\.0\.1|localhost)[^\s?]*"
_DAYS = re.compile(r"[0-9]{1,3}(\s*[, ]\s*[0-9]{1,3})*")


def _matched(pattern: str, says: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(says)
    return text


def name(text: str) -> str:
    return _matched(r"[A-Za-z0-9_-]{1,40}", "write letters, digits, - and _", text)


def code(text: str) -> str:
    return _matched(r"[A-Z0-9]{2,4}", "write 2 to 4 letters or digits", text.upper())


def address(text: str) -> str:
    """A web address; https:// goes without saying, and a page of the account means the account."""
    whole = text if "://" in text else f"https://{text}"
    if re.match(r"https://[^/]+\.pipedrive\.com/", whole):
        whole = "/".join(whole.split("/")[:3])
    return _matched(_ADDRESS, "write an address such as https://acme.pipedrive.com", whole)


def monitor(text: str) -> str:
    return _matched(r"https?://\S+", "write an address that begins with https://", text)


def day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("write YYYY-MM-DD") from None


def days(text: str) -> str:
    """Numbers of days with commas between them."""
    if not _DAYS.fullmatch(text):
        raise ValueError("write days such as 7, 14, 30")
    numbers = sorted({int(part) for part in re.split(r"[, ]+", text)})
    if numbers[0] < 1 or numbers[-1] > STEP_DAYS_MAX:
        raise ValueError(f"write days from 1 to {STEP_DAYS_MAX}")
    return ",".join(map(str, numbers))


def xero_id(text: str) -> str:
    return _matched(r"[0-9a-fA-F-]{36}", "write the id as it stands in the list", text)
