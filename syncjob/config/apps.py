"""An app of a vendor's as the config describes it: who it is, and how a person lets it in."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from syncjob.core.policy_base import Strict


class App(Strict):
    """What `syncjob connect` needs to know of an app, and under which key its tokens are kept.

    `settings` is the config's section that says so, for messages. Without `consent` the app is
    its own user: its credentials are tried, and no page is shown.
    """

    vendor: str
    settings: str
    client_id: str
    client_secret: SecretStr | None
    scopes: tuple[str, ...]
    login_url: str
    token_url: str
    token_key: str
    redirect_port: int
    client_in: Literal["header", "form"] = "header"
    consent: bool = True

    @property
    def redirect_uri(self) -> str:
        """What must stand among the app's redirect addresses at the vendor."""
        return f"http://localhost:{self.redirect_port}/callback"
