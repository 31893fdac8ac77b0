"""`pipedrive-python-lib` taught v2: its methods form requests, and nothing is ever sent by it.

The library speaks v1, opens a connection a call, puts the token into URLs and takes any page that
is not JSON for a success (facts: pipedrive, 3). Its resource classes know the paths and bodies of
what is written; this subclass keeps what they make. It never holds a credential.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipedrive.client import Client

from syncjob.connectors.pipedrive.endpoints import V2, version_root
from syncjob.errors import RefusedAtDoor
from syncjob.transport.wire import Request


class Library(Client):  # type: ignore[misc]  # the library has no types
    """The library's client; what its methods make lies in `formed`, as `request` freezes it."""

    def __init__(self, base_url: str, request: Callable[..., Request]) -> None:
        super().__init__()
        self.BASE_URL = base_url
        self._freeze = request
        self.formed: list[Request] = []

    def _request(
        self, method: str, url: str, headers: Any = None, params: Any = None, **kwargs: Any
    ) -> Any:
        """Keep the call; PATCH for the library's PUT. Raises RefusedAtDoor for any other."""
        if method == "get" or not url.startswith(self.BASE_URL) or set(kwargs) - {"json"}:
            raise RefusedAtDoor(f"The Pipedrive library made a call we do not know: {method} {url}")
        path = url[len(self.BASE_URL) :]
        verb = "PATCH" if method == "put" and version_root(path) == V2 else method.upper()
        self.formed.append(self._freeze(verb, path, params, kwargs.get("json")))
        return {}
