"""Speak to the X server of an instance, through python-xlib: connect, round trip, screenshot.

python-xlib waits for a server without any limit and takes the cookie from the environment only. Here
every wait ends: a server that is stopped is met with ConnectionClosedError, not with a hang.
"""

import select
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import Xlib.protocol.display
from Xlib import X, error
from Xlib.display import Display
from Xlib.support import connect as xlib_connect
from Xlib.xauth import Xauthority

from ibga.errors import Exit, IbgaError

#: Seconds. A busy machine answers within a fraction of one.
DEFAULT_LIMIT = 5.0

_FAMILY_WILD = 65535
_COOKIE_NAME = b"MIT-MAGIC-COOKIE-1"

#: How this thread connects just now; python-xlib's hooks have no argument for it.
_now = threading.local()


def write_cookie(path: Path, cookie: bytes) -> None:
    """Write an Xauthority file (mode 0640) that holds *cookie* for every display and every host name.

    The number is not known before the server runs, and a host's name may change while it runs.
    """
    fields = (b"", b"", _COOKIE_NAME, cookie)  # address, number, name, data
    entry = struct.pack(">H", _FAMILY_WILD) + b"".join(struct.pack(">H", len(each)) + each for each in fields)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(entry)
    path.chmod(0o640)  # the group may look


def read_cookie(path: Path) -> bytes:
    """Return the first cookie in the Xauthority file *path*."""
    try:
        entries = Xauthority(str(path)).entries
    except error.XauthError as problem:
        raise IbgaError(f"no X cookie: {problem}", code=Exit.UNAVAILABLE) from None
    for _family, _address, _number, name, data in entries:
        if name == _COOKIE_NAME:
            return bytes(data)
    raise IbgaError(f"{path} holds no X cookie", code=Exit.UNAVAILABLE)


def connect(name: str, xauthority: Path, *, limit: float = DEFAULT_LIMIT) -> Any:
    """Return a connection (Xlib.display.Display) to display *name* (":7"), with the cookie in *xauthority*.

    No request on it waits longer than *limit* seconds: python-xlib's ConnectionClosedError is raised
    then, and the connection is good for nothing but `close`. Raises IbgaError when there is no answer.
    """
    _now.cookie = read_cookie(xauthority)
    _now.limit = limit
    with lost_connection_explained(name):
        display = Display(name)
    display.set_error_handler(lambda *_: None)  # else python-xlib prints; who cares uses CatchError
    return display


def close(display: Any) -> None:
    """Drop the connection, also when the server is silent or gone (python-xlib's close() writes)."""
    display.display.socket.close()


@contextmanager
def lost_connection_explained(name: str) -> Iterator[None]:
    """Turn python-xlib's ways of saying that the server is gone or silent into an IbgaError."""
    try:
        yield
    except (error.ConnectionClosedError, error.DisplayError, OSError) as problem:
        raise IbgaError(
            f"the X server {name} is lost: {problem}", hint="is ibga-display up?", code=Exit.UNAVAILABLE
        ) from None


def round_trip(display: Any) -> None:
    """Return when the server has answered; raises ConnectionClosedError when it is gone or silent."""
    display.get_input_focus()
    # A keyboard map that changes is told to every client; nobody reads these, so they would pile up.
    while display.pending_events():
        display.next_event()


def screenshot(display: Any) -> bytes:
    """Return what the root window shows, as PNG (8 bits RGB)."""
    root = display.screen().root
    size = root.get_geometry()
    image = root.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF)
    if image.depth not in (24, 32):
        raise IbgaError(f"the display has {image.depth} bits a pixel, not 24", code=Exit.UNAVAILABLE)
    return png(size.width, size.height, image.data)


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG of *pixels*: rows from the top, four bytes a pixel (blue, green, red, unused)."""
    rgb = bytearray(3 * width * height)
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    stride = 3 * width
    rows = b"".join(b"\0" + rgb[start : start + stride] for start in range(0, len(rgb), stride))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows, 3)),  # 3: a third of the time of 6, for a few per cent
            chunk(b"IEND", b""),
        )
    )


# What python-xlib's connection code gets in place of `select` and of its own `connect`. It offers no other
# way to limit a wait or to hand in a cookie, short of changing the environment of the whole process.


def _limited_select(readers: Any, writers: Any, others: Any, timeout: float | None) -> Any:
    if timeout is not None:
        return select.select(readers, writers, others, timeout)
    limit = readers[0].gettimeout()
    ready = select.select(readers, writers, others, limit)
    if not any(ready):
        raise error.ConnectionClosedError(f"us, after {limit:g} s without an answer")
    return ready


def _open_socket(name: str, protocol: str | None, host: str, number: int) -> socket.socket:
    path = f"/tmp/.X11-unix/X{number}"
    problem: OSError | None = None
    # The abstract name first: it needs no file system, so it also leads from outside into a unit's private
    # /tmp, and it is gone with its server, while a killed server leaves its file.
    for address in (f"\0{path}", path):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(_now.limit)
        try:
            stream.connect(address)
        except OSError as failure:
            stream.close()
            problem = failure
        else:
            return stream
    raise error.DisplayConnectionError(name, f"{path}: {problem}")


def _cookie(*_: object) -> tuple[bytes, bytes]:
    return _COOKIE_NAME, _now.cookie


Xlib.protocol.display.select = SimpleNamespace(select=_limited_select, error=OSError)
Xlib.protocol.display.connect = SimpleNamespace(
    get_display=xlib_connect.get_display, get_socket=_open_socket, get_auth=_cookie
)
