"""Who may ask for pages, and what a page may do in the browser: host, token, origin of a form, security headers.

Pages show texts that models and strangers wrote, on an address that every site open in the same browser can send
requests to. So a request must name this host (a name that was rebound to it is refused), a form must come with the
token of a page of this process, and no page runs or loads anything but our own files.
"""

import hmac
import secrets
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "am_view"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LEAST_TOKEN = 16  # characters
OWN = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'"
POLICY = f"{OWN}; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types highlight"
# The report is one file with its style and pictures inside; it is shown in a frame of ours that may run nothing.
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI middleware. `names`: what the Host header may be, None for any, which takes a `token`."""

    def __init__(self, app: ASGIApp, names: frozenset[str] | None, token: str | None):
        self.app, self.names, self.token = app, names, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if self.names is not None and headers.get("host", "") not in self.names:
            return await PlainTextResponse("not this host", 421)(scope, receive, send)
        if self.token is not None and not self._let_in(headers):
            return await self._with_token(scope)(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD") and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return await PlainTextResponse("a form of another site", 403)(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in {**HEADERS, "content-security-policy": POLICY}.items():
                    answer.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, guarded)

    def _let_in(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except Exception:  # a cookie of another program on this host that the parser refuses
            cookie = None
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return any(same(given, self.token) for given in (cookie.value if cookie else "", bearer))

    def _with_token(self, scope: Scope) -> PlainTextResponse | RedirectResponse:
        """The page without the token in its address, and a cookie instead; for others the door stays shut."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] != "GET" or not any(name == "token" and same(value, self.token) for name, value in asked):
            return PlainTextResponse("this page takes the token that it was started with: add ?token=…", 403)
        rest = urlencode([(name, value) for name, value in asked if name != "token"])
        path = "/" + scope["path"].lstrip("/")  # never the address of another host
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303, {"cache-control": "no-store"})
        answer.set_cookie(COOKIE, str(self.token), httponly=True, samesite="strict")
        return answer


def same(given: str, wanted: str | None) -> bool:
    """Compared in a time that tells nothing."""
    return wanted is not None and hmac.compare_digest(given.encode(), wanted.encode())


def host_names(port: int) -> frozenset[str]:
    """What browsers send for this machine itself."""
    return frozenset(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in LOOPBACK)


def form_token() -> str:
    return secrets.token_urlsafe(24)
