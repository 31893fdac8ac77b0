"""The OAuth door: consent, codes, access tokens of half an hour, refresh tokens that may rotate."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from syncjob.sandbox.hubspot.options import SCOPES, Options
from syncjob.sandbox.hubspot.wire import Refusal
from syncjob.sandbox.kernel import Clock, Entropy, Reply, Request

CODE_LIFE_S = 300


@dataclass
class Grant:
    """What one consent gave; all tokens of it end together."""

    scopes: tuple[str, ...]
    refresh: str
    alive: bool = True


@dataclass
class Access:
    grant: Grant
    until: float


@dataclass
class Code:
    scopes: tuple[str, ...]
    redirect: str
    challenge: str | None
    until: float


@dataclass
class OAuth:
    """One app with its codes and tokens."""

    options: Options
    clock: Clock
    entropy: Entropy
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)

    def _now(self) -> float:
        return self.clock.now().timestamp()

    # --- consent ------------------------------------------------------------------------------

    def authorize(self, request: Request) -> Reply:
        """The consent page; what it posts, allow or deny, leads back to the app."""
        args = dict(request.query)
        redirect = args.get("redirect_uri", "")
        allowed = self.options.redirect_uri
        if args.get("client_id") != self.options.client_id:
            return _page("Authorization failed because the app is not known.", 400)
        if not redirect.startswith("http") or (allowed is not None and redirect != allowed):
            return _page("The redirect URL does not match the app's registered one.", 400)
        scopes = tuple(args.get("scope", "").split())
        unknown = [s for s in scopes if s not in SCOPES]
        if not scopes or unknown:
            return _page(f"Authorization failed because of the scopes: {' '.join(unknown)}", 400)
        if request.method == "GET":
            return self._ask(scopes)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        return self._back(args, scopes, redirect, form.get("decision", "allow"))

    def _ask(self, scopes: tuple[str, ...]) -> Reply:
        buttons = "".join(
            f'<button name="decision" value="{word}">{word.capitalize()}</button>'
            for word in ("allow", "deny")
        )
        told = "".join(f"<li>{html.escape(s)}</li>" for s in scopes)
        name = html.escape(self.options.company_name)
        form = f'<form method="post">{buttons}</form>'
        return _page(f"<h1>Connect app to {name}?</h1><ul>{told}</ul>{form}", 200)

    def _back(
        self, args: dict[str, str], scopes: tuple[str, ...], redirect: str, decision: str
    ) -> Reply:
        if decision == "allow":
            answer = {"code": self.new_code(scopes, redirect, args.get("code_challenge"))}
        else:
            answer = {"error": "access_denied", "error_description": "The user denied access"}
        if "state" in args:
            answer["state"] = args["state"]
        mark = "&" if "?" in redirect else "?"
        return Reply(302, (("Location", f"{redirect}{mark}{urlencode(answer)}"),), effect="applied")

    def new_code(self, scopes: tuple[str, ...], redirect: str, challenge: str | None = None) -> str:
        code = self.entropy.uuid()
        self.codes[code] = Code(scopes, redirect, challenge, self._now() + CODE_LIFE_S)
        return code

    # --- tokens -------------------------------------------------------------------------------

    def token(self, request: Request) -> dict[str, Any]:
        """An answer of the token endpoint. Raises Refusal for what is refused."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("client_id") != self.options.client_id:
            raise _refused("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client")
        if form.get("client_secret") != self.options.client_secret:
            raise _refused(
                "BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client"
            )
        match form.get("grant_type"):
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                return self._renew(form)
        raise _refused("BAD_GRANT_TYPE", "missing or unknown grant type", "unsupported_grant_type")

    def _exchange(self, form: dict[str, str]) -> dict[str, Any]:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.until <= self._now():
            raise _refused("BAD_AUTH_CODE", "missing or unknown auth code")
        if form.get("redirect_uri") != code.redirect:
            raise _refused("MISMATCH_REDIRECT_URI_AUTH_CODE", "the redirect URI does not match")
        if code.challenge is not None and _challenge(form.get("code_verifier")) != code.challenge:
            raise _refused("BAD_CODE_VERIFIER", "missing or invalid code verifier")
        grant = Grant(code.scopes, self._secret())
        self.refresh[grant.refresh] = grant
        return self._issued(grant)

    def _renew(self, form: dict[str, str]) -> dict[str, Any]:
        grant = self.refresh.get(form.get("refresh_token", ""))
        if grant is None or not grant.alive:
            raise _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        if self.options.rotates_refresh:
            del self.refresh[grant.refresh]
            grant.refresh = self._secret()
            self.refresh[grant.refresh] = grant
        return self._issued(grant)

    def _issued(self, grant: Grant) -> dict[str, Any]:
        token = self._secret()
        self.access[token] = Access(grant, self._now() + self.options.access_life_s)
        return {
            "token_type": "bearer",
            "refresh_token": grant.refresh,
            "access_token": token,
            "expires_in": self.options.access_life_s,
            "hub_id": self.options.portal_id,
            "scopes": list(grant.scopes),
        }

    def _secret(self) -> str:
        return f"eu1-{self.entropy.uuid()}"

    def introspect(self, request: Request) -> dict[str, Any]:
        """Whose token it is, and what it may do."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        found = self.access.get(form.get("token", ""))
        active = found is not None and found.grant.alive and found.until > self._now()
        if found is None or not active:
            return {"active": False}
        return {
            "active": True,
            "hub_id": self.options.portal_id,
            "hub_domain": f"{self.options.company_name.lower().replace(' ', '-')}.example",
            "scopes": list(found.grant.scopes),
            "client_id": self.options.client_id,
            "token_type": "access",
            "expires_in": int(found.until - self._now()),
        }

    def scopes_of(self, token: str) -> tuple[str, ...] | None:
        """What a token may do; None for one that nobody issued. Raises Refusal if it is over."""
        found = self.access.get(token)
        if found is None or not found.grant.alive:
            return None
        ago = self._now() - found.until
        if ago >= 0:
            text = f"The OAuth token used to make this call expired {int(ago // 60)} minute(s) ago."
            raise Refusal(401, text, "EXPIRED_AUTHENTICATION", context={
                "expire time": [str(int(found.until))]})  # fmt: skip
        return found.grant.scopes

    def uninstall(self) -> None:
        """A person removes the app: every token is dead at once."""
        for grant in self.refresh.values():
            grant.alive = False


def _refused(status: str, message: str, error: str = "invalid_grant") -> Refusal:
    """The endpoint's own words; `status` is their old form."""
    refusal = Refusal(400, message, None, error=error, error_description=message)
    refusal.extra["status"] = status
    refusal.category = None
    return refusal


def _challenge(verifier: str | None) -> str:
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _page(text: str, status: int) -> Reply:
    return Reply.of_text(f"<!DOCTYPE html><html><body>{text}</body></html>", status, "text/html")
