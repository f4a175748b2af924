"""The few words of HTTP that the page needs: requests without a body, files of one directory, upgrades.

Pure, but for reading files. (The standard library's http.server would be 5 MiB more.)
"""

import ipaddress
import json
import socket
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Bytes; a browser sends less than 2,000.
HEAD_LIMIT = 16384

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}

#: Our own files only, no frame around the page: a foreign page could have its clicks land on the gateway.
_ALWAYS = (
    "Cache-Control: no-cache",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)


class BadRequest(ValueError):  # noqa: N818  (the name of the status)
    """Not a request that we understand."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str  # as sent, "/core/rfb.js?x"
    headers: dict[str, str]  # names in lower case
    keep_alive: bool

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def upgrade(self) -> bool:
        """Whether it asks for a WebSocket."""
        return self.headers.get("upgrade", "").lower() == "websocket"


def parse(head: bytes) -> Request:
    """Return the request whose *head* ends in an empty line; raises BadRequest."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise BadRequest(f"no HTTP/1 request: {lines[0][:80]!r}")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    # A body that we do not read would be taken for the next request.
    keep_alive = (
        words[2] == "HTTP/1.1"
        and headers.get("connection", "").lower() != "close"
        and headers.get("content-length", "0") == "0"
        and "transfer-encoding" not in headers
    )
    return Request(words[0], words[1], headers, keep_alive)


def foreign(request: Request, *, local_only: bool) -> str:
    """Return why a WebSocket must be refused to this page, or "".

    A browser lets any page on the Internet open a WebSocket to a server on the user's own machine, and says
    in Origin which page it is. Where we listen on *local_only* addresses without a password, the name by
    which we are addressed must also be local: else a foreign name that resolves to 127.0.0.1 would be of one
    origin with us.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if local_only and not _local_name(host):
        return f"Host is {host!r}, and only localhost or an address is served without vnc.password_file"
    # X-Forwarded-Host: what a reverse proxy was called. A foreign page cannot set it.
    if origin is not None and urlsplit(origin).netloc not in (host, request.headers.get("x-forwarded-host")):
        return f"the page of {origin!r} is not ours"
    return ""


def _local_name(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name in ("localhost", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def file_response(request: Request, directory: Path) -> bytes:
    """Return the whole answer to a request for a file below *directory* ("/" is index.html)."""
    if request.method not in ("GET", "HEAD"):
        return error(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", request)
    name = request.path.lstrip("/") or "index.html"
    kind = _TYPES.get(Path(name).suffix)
    try:
        path = (directory / name).resolve()
        if kind is None or not path.is_relative_to(directory.resolve()) or not path.is_file():
            return error(HTTPStatus.NOT_FOUND, f"there is no {request.path}", request)
        return response(HTTPStatus.OK, kind, path.read_bytes(), request)
    except (OSError, ValueError):  # too long, a NUL byte, unreadable
        return error(HTTPStatus.NOT_FOUND, f"there is no {request.path}", request)


def json_response(data: object, request: Request) -> bytes:
    return response(HTTPStatus.OK, _TYPES[".json"], json.dumps(data).encode(), request)


def error(status: HTTPStatus, text: str, request: Request | None = None) -> bytes:
    return response(status, _TYPES[".txt"], f"{text}\n".encode(), request)


def response(status: HTTPStatus, kind: str, body: bytes, request: Request | None) -> bytes:
    keep = request is not None and request.keep_alive
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *_ALWAYS,
    ]
    without_body = request is not None and request.method == "HEAD"
    return "\r\n".join([*head, "", ""]).encode() + (b"" if without_body else body)
