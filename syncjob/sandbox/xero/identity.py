"""Xero's identity service: apps, tokens that expire and rotate, consent, connections."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from syncjob.sandbox.kernel import Clock, Entropy, Reply, Request
from syncjob.sandbox.xero.options import Options

REFRESH_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
CODE_LIFE = timedelta(minutes=5)
_ALWAYS_ALLOWED = {"offline_access", "openid", "profile", "email"}


@dataclass(frozen=True)
class App:
    """`secret` None is a PKCE app; `tenant` is what a custom connection is bound to."""

    client_id: str
    secret: str | None
    custom: bool
    scopes: tuple[str, ...]
    tenant: str | None = None


@dataclass(frozen=True)
class Access:
    client_id: str
    scopes: tuple[str, ...]
    expires: datetime
    tenant: str | None


@dataclass(frozen=True)
class Refresh:
    client_id: str
    scopes: tuple[str, ...]
    expires: datetime
    used: datetime | None = None


@dataclass(frozen=True)
class Code:
    client_id: str
    scopes: tuple[str, ...]
    redirect: str
    challenge: str
    expires: datetime


@dataclass(frozen=True)
class Connection:
    id: str
    client_id: str
    tenant: str
    name: str
    created: datetime


@dataclass
class Identity:
    """Tokens are looked up by their whole text, as a session store would.

    `tenants` are the organisations that the one user may connect, name by id.
    """

    clock: Clock
    entropy: Entropy
    options: Options
    user_id: str = ""
    apps: dict[str, App] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    refresh: dict[str, Refresh] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    tenants: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        o = self.options
        self.user_id = self.entropy.uuid()
        for app in (
            App(o.client_id, o.client_secret, True, o.scopes),
            App(o.web_client_id, o.web_client_secret, False, o.scopes),
            App(o.pkce_client_id, None, False, o.scopes),
        ):
            self.apps[app.client_id] = app

    def connect(self, client_id: str, tenant: str, name: str) -> None:
        """Connects an app to a tenant; a custom connection is bound to the one it is given."""
        app = self.apps[client_id]
        if app.custom:
            self.connections = [c for c in self.connections if c.client_id != client_id]
            self.apps[client_id] = replace(app, tenant=tenant)
        if not self.connected(client_id, tenant):
            now = self.clock.now()
            self.connections.append(Connection(self.entropy.uuid(), client_id, tenant, name, now))

    def disconnect(self, client_id: str | None = None) -> None:
        self.connections = [c for c in self.connections if client_id not in (None, c.client_id)]

    def connected(self, client_id: str, tenant: str) -> bool:
        return any(c.client_id == client_id and c.tenant == tenant for c in self.connections)

    def handle(self, request: Request) -> Reply:
        path = request.path.rstrip("/").lower()
        if path.endswith("/connect/token") and request.method == "POST":
            return self._token(request)
        if path.endswith("/connect/revocation") and request.method == "POST":
            self.refresh.pop(dict(_form(request)).get("token", ""), None)
            return Reply(200, effect="applied")
        if path.endswith("/connect/authorize"):
            return self._authorize(request)
        if "/connections" in path:
            return self._connections(request)
        return Reply.of_text("not found", 404)

    # --- tokens

    def _token(self, request: Request) -> Reply:
        form = dict(_form(request))
        app = self._client(request, form)
        if app is None:
            return _error("invalid_client")
        grants = {
            "client_credentials": self._client_credentials,
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
        }
        grant = grants.get(form.get("grant_type", ""))
        return _error("unsupported_grant_type") if grant is None else grant(app, form)

    def _client(self, request: Request, form: dict[str, str]) -> App | None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
        scheme, _, packed = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                text = base64.b64decode(packed, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            client_id, _, secret = text.partition(":")
        app = self.apps.get(client_id)
        return app if app is not None and app.secret in (None, secret) else None

    def _client_credentials(self, app: App, form: dict[str, str]) -> Reply:
        if not app.custom:
            return _error("unauthorized_client")
        scopes = tuple(form.get("scope", "").split()) or app.scopes
        if not _may(app, scopes):
            return _error("invalid_scope")
        return self._grant(app, scopes, with_refresh=False)

    def _by_code(self, app: App, form: dict[str, str]) -> Reply:
        code = self.codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.client_id != app.client_id
            or code.redirect != form.get("redirect_uri")
            or code.expires <= self.clock.now()
            or not _proves(form.get("code_verifier", ""), code.challenge)
        ):
            return _error("invalid_grant")
        self.refresh = {t: r for t, r in self.refresh.items() if r.client_id != app.client_id}
        return self._grant(app, code.scopes, "offline_access" in code.scopes)

    def _by_refresh(self, app: App, form: dict[str, str]) -> Reply:
        text, now = form.get("refresh_token", ""), self.clock.now()
        known = self.refresh.get(text)
        if known is None or known.client_id != app.client_id or known.expires <= now:
            return _error("invalid_grant")
        if known.used is not None and now - known.used > GRACE:
            return _error("invalid_grant")
        self.refresh[text] = replace(known, used=known.used or now)
        return self._grant(app, known.scopes, with_refresh=True)

    def _grant(self, app: App, scopes: tuple[str, ...], with_refresh: bool) -> Reply:
        now, life = self.clock.now(), self.options.token_life_s
        claims = {
            "client_id": app.client_id,
            "exp": int(now.timestamp()) + life,
            "jti": self.entropy.hex(32),
            "scope": list(scopes),
        }
        if not app.custom:
            claims |= {"xero_userid": self.user_id, "authentication_event_id": self.entropy.uuid()}
        token = _jwt(claims)
        expires = now + timedelta(seconds=life)
        self.access[token] = Access(app.client_id, scopes, expires, app.tenant)
        answer: dict[str, Any] = {
            "access_token": token,
            "expires_in": life,
            "token_type": "Bearer",
            "scope": " ".join(scopes),
        }
        if with_refresh:
            fresh = self.entropy.hex(64)
            self.refresh[fresh] = Refresh(app.client_id, scopes, now + REFRESH_LIFE)
            answer["refresh_token"] = fresh
        if "openid" in scopes:
            answer["id_token"] = _jwt({"sub": self.user_id, "aud": app.client_id})
        return Reply.of_json(answer, effect="applied")

    # --- consent

    def _authorize(self, request: Request) -> Reply:
        """GET shows the page, POST or `auto=1` allows, `auto=0` denies."""
        asked = dict(request.query)
        redirect = asked.get("redirect_uri", "")
        app = self.apps.get(asked.get("client_id", ""))
        scopes = tuple(asked.get("scope", "").split())
        host = urlsplit(redirect).hostname
        if app is None or app.custom or host not in ("localhost", "127.0.0.1"):
            return Reply.of_text("unauthorized_client: unknown client or redirect_uri", 400)
        if asked.get("response_type") != "code":
            return _back(redirect, asked, error="unsupported_response_type")
        if not _may(app, scopes):
            return _back(redirect, asked, error="invalid_scope")
        if asked.get("auto") == "0":
            return _back(redirect, asked, error="access_denied")
        if request.method == "GET" and asked.get("auto") != "1":
            return Reply.of_text(_consent_page(app, scopes), kind="text/html")
        code = self.entropy.hex(40)
        expires = self.clock.now() + CODE_LIFE
        challenge = asked.get("code_challenge", "")
        self.codes[code] = Code(app.client_id, scopes, redirect, challenge, expires)
        self._connect_consented(app, asked.get("tenant"))
        return _back(redirect, asked, code=code, scope=" ".join(scopes))

    def _connect_consented(self, app: App, tenant: str | None) -> None:
        for id, name in self.tenants.items():
            if tenant in (None, id):
                self.connect(app.client_id, id, name)

    # --- connections

    def bearer(self, request: Request) -> Access | None:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        found = self.access.get(token) if scheme.lower() == "bearer" else None
        return found if found is not None and found.expires > self.clock.now() else None

    def _connections(self, request: Request) -> Reply:
        access = self.bearer(request)
        if access is None:
            return Reply.of_json({"Title": "Unauthorized", "Status": 401}, 401)
        if self.apps[access.client_id].custom:
            return Reply.of_json({"Title": "Forbidden", "Status": 403}, 403)
        mine = [c for c in self.connections if c.client_id == access.client_id]
        if request.method == "GET":
            return Reply.of_json([_connection_view(c) for c in mine])
        wanted = request.path.rstrip("/").rpartition("/")[2]
        if request.method != "DELETE" or wanted not in {c.id for c in mine}:
            return Reply.of_text("not found", 404)
        self.connections = [c for c in self.connections if c.id != wanted]
        return Reply(204, effect="applied")


def _may(app: App, scopes: tuple[str, ...]) -> bool:
    """A scope covers its own `.read`; signing in needs none."""
    held = set(app.scopes) | {f"{s}.read" for s in app.scopes} | _ALWAYS_ALLOWED
    return set(scopes) <= held


def _form(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def _error(name: str) -> Reply:
    return Reply.of_json({"error": name}, 400, effect="refused")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _jwt(claims: dict[str, Any]) -> str:
    """A token of the usual shape; nothing checks its signature here."""
    head = _b64(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    body = _b64(json.dumps(claims).encode())
    return f"{head}.{body}.{_b64(hashlib.sha256(body.encode()).digest())}"


def _proves(verifier: str, challenge: str) -> bool:
    return not challenge or _b64(hashlib.sha256(verifier.encode()).digest()) == challenge


def _back(redirect: str, asked: dict[str, str], **more: str) -> Reply:
    if asked.get("state"):
        more["state"] = asked["state"]
    joint = "&" if "?" in redirect else "?"
    return Reply(302, (("Location", redirect + joint + urlencode(more)),), effect="applied")


def _consent_page(app: App, scopes: tuple[str, ...]) -> str:
    wanted = "".join(f"<li>{html.escape(s)}</li>" for s in scopes)
    return (
        "<!DOCTYPE html><html><head><title>Sandbox Xero</title></head><body>"
        f"<h1>{html.escape(app.client_id)} wants access to the sandbox</h1><ul>{wanted}</ul>"
        '<form method="post"><button type="submit">Allow access</button></form></body></html>'
    )


def _connection_view(connection: Connection) -> dict[str, Any]:
    stamp = connection.created.strftime("%Y-%m-%dT%H:%M:%S.%f0")
    return {
        "id": connection.id,
        "authEventId": connection.id,
        "tenantId": connection.tenant,
        "tenantType": "ORGANISATION",
        "tenantName": connection.name,
        "createdDateUtc": stamp,
        "updatedDateUtc": stamp,
    }
