"""Bring a file from a web server into a folder, and go on where an earlier try was cut off.

Imported only when there is something to download: urllib and ssl cost memory that a running gateway's
service does not need.
"""

import errno
import hashlib
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ibga.errors import Exit, IbgaError
from ibga.gateway.space import UNPACKED_FACTOR, ask_for_space, no_space

SILENCE_TIMEOUT = 30.0  # s without a byte
TRIES = 4  # in a row that bring nothing new
TRY_INTERVALS = (1.0, 3.0, 10.0)  # s between them
BLOCK = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a partial file came from; the server is asked whether it still has the same."""

    url: str
    validator: str  # a strong ETag or Last-Modified; "" where the server gave neither


class _CutOffError(Exception):
    """The transfer ended before its time; what came is kept."""


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent from https to http: the certificate would have been checked for nothing."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise IbgaError(
                f"{req.full_url} redirects to {newurl}, which is not encrypted",
                hint="set gateway.installer_url to where the file is",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(
        _NoDowngrade, urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )


def fetch_text(url: str, *, limit: int = 65536) -> str:
    """Return the beginning of a small document. Raises IbgaError."""
    try:
        with _opener().open(url, timeout=SILENCE_TIMEOUT) as response:
            content: bytes = response.read(limit)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error
    return content.decode("utf-8", "replace")


def download(url: str, folder: Path, progress: Callable[[int, int | None], None]) -> Path:
    """Return the path of the whole file below *folder*; what an earlier call got is not fetched again.

    *progress* is told bytes had and bytes in all (None where the server does not say). Raises IbgaError,
    after which the part that came stays for the next call.
    """
    folder.mkdir(mode=0o750, exist_ok=True)
    part = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"
    failures = 0
    while True:
        had = _size(part)
        try:
            _transfer(url, part, progress)
            return part
        except _CutOffError as error:
            failures = 0 if _size(part) > had else failures + 1
            if failures >= TRIES:
                raise IbgaError(
                    f"{url}: {error}, {TRIES} times in a row",
                    hint="the file on the server or the line to it is broken",
                    code=Exit.TEMPORARY,
                ) from None
            time.sleep(TRY_INTERVALS[min(failures, len(TRY_INTERVALS)) - 1] if failures else 0.2)


def forget(part: Path) -> None:
    """Remove a download and what is known of it."""
    part.unlink(missing_ok=True)
    part.with_suffix(".json").unlink(missing_ok=True)


def _transfer(url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    have = _size(part)
    origin = _origin(part)
    if have and (origin is None or origin.url != url or not origin.validator):
        forget(part)
        have = 0
    request = urllib.request.Request(url, headers={"User-Agent": "ibga", "Accept-Encoding": "identity"})
    if have and origin:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", origin.validator)
    try:
        response = _opener().open(request, timeout=SILENCE_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            if error.headers.get("Content-Range", "") == f"bytes */{have}":
                return  # the part was the whole
            forget(part)
            raise _CutOffError("the server has another file now") from None
        raise _unreachable(url, error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            forget(part)
            raise _CutOffError("the server sent another range than it was asked for")
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        _receive(response, part, url, have, total, progress)


def _receive(
    response: http.client.HTTPResponse,
    part: Path,
    url: str,
    have: int,
    total: int | None,
    progress: Callable[[int, int | None], None],
) -> None:
    if total is not None:
        ask_for_space(part.parent, (total - have) + UNPACKED_FACTOR * total)
    try:
        with part.open("ab" if have else "wb") as file:
            if not have:
                _remember(part, url, response.headers)
            while True:
                progress(have, total)
                block = response.read1(BLOCK)  # what is there: a slow line shall show progress, too
                if not block:
                    break
                file.write(block)
                have += len(block)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_space(part.parent) from None
        if error.errno in (errno.EACCES, errno.EROFS, errno.EIO):
            raise IbgaError(f"cannot write {part}: {error.strerror}", code=Exit.CANNOT_CREATE) from error
        raise _CutOffError(f"the transfer broke after {have} bytes ({error})") from None
    except http.client.HTTPException as error:
        raise _CutOffError(f"the transfer broke after {have} bytes ({error!r})") from None
    if total is not None and have != total:
        raise _CutOffError(f"the transfer ended after {have} of {total} bytes")


def _remember(part: Path, url: str, headers: http.client.HTTPMessage) -> None:
    etag = headers.get("ETag", "")
    # A weak one (W/"…") says "looks the same", which is not enough for gluing bytes together.
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
    part.with_suffix(".json").write_text(json.dumps(asdict(Origin(url=url, validator=validator))) + "\n")


def _origin(part: Path) -> Origin | None:
    try:
        data = json.loads(part.with_suffix(".json").read_bytes())
        return Origin(url=str(data["url"]), validator=str(data["validator"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _unreachable(url: str, error: Exception) -> IbgaError:
    """Say what a failed request was about, in the words of an operator."""
    reason = getattr(error, "reason", error)
    if isinstance(error, urllib.error.HTTPError):
        return IbgaError(
            f"{url}: the server answered {error.code} {error.reason}",
            hint="is gateway.installer_url (or gateway.channel) right?",
            code=Exit.TEMPORARY if error.code >= 500 else Exit.UNAVAILABLE,
        )
    if isinstance(reason, ssl.SSLCertVerificationError):
        return IbgaError(
            f"{url}: the server's certificate is not to be trusted: {reason.verify_message}",
            hint="is the clock right, and is ca-certificates installed?",
            code=Exit.UNAVAILABLE,
        )
    return IbgaError(
        f"{url}: cannot be reached: {getattr(reason, 'strerror', None) or reason}",
        hint=f"network, name service, proxy, firewall towards {urlsplit(url).hostname}?",
        code=Exit.TEMPORARY,
    )
