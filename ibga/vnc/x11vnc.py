"""Run x11vnc on a unix socket, and ask it whether it serves."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path

from ibga.child import Child
from ibga.config.settings import VncSettings
from ibga.errors import Exit, IbgaError
from ibga.runtime import Display

log = logging.getLogger(__name__)

#: What an RFB server says first (RFC 6143, 7.1.1); the version follows.
GREETING = b"RFB "

#: Characters of a password that VNC looks at (RFC 6143, 7.2.2: a DES key).
_SIGNIFICANT = 8


def command(display: Display, socket_path: Path, settings: VncSettings) -> list[str]:
    """Return the command line of x11vnc (0.9.16)."""
    password = settings.password_file
    return [
        "x11vnc",
        *("-display", display.name),
        *("-auth", display.xauthority),
        *("-unixsock", str(socket_path)),
        # No TCP: with 0 for IPv4 alone it takes port 5900 of IPv6, whatever -no6 and -noipv6 say.
        *("-rfbport", "0"),
        *("-rfbportv6", "0"),
        "-shared",  # several viewers at a time
        "-forever",  # not until the first one leaves
        "-norc",  # no ~/.x11vncrc
        "-noremote",  # not to be reconfigured through X properties
        "-nocmds",  # runs no other programs
        "-nosel",  # keeps its hands off the clipboard
        "-nolookup",  # no DNS
        "-nodpms",
        # Guesses what moved or scrolled, and leaves marks on the picture where it is wrong.
        "-nowireframe",
        "-noscrollcopyrect",
        "-noxrecord",
        *(["-viewonly"] if settings.view_only else []),
        *(["-passwdfile", str(password)] if password else ["-nopw"]),
    ]


def check_password(path: Path) -> None:
    """Raise IbgaError unless the first line of *path* is a usable VNC password; warn where it is too long."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise IbgaError(f"vnc.password_file: {problem}", code=Exit.CONFIG) from None
    password = lines[0] if lines else ""
    if not password.strip():
        raise IbgaError(
            f"vnc.password_file: the first line of {path} is empty",
            hint="put the password there, or leave the setting empty for none",
            code=Exit.CONFIG,
        )
    if len(password) > _SIGNIFICANT:
        log.warning("vnc.password_file: VNC looks at the first %d characters only", _SIGNIFICANT)


def start(
    display: Display, socket_path: Path, settings: VncSettings, *, on_exit: Callable[[], None]
) -> Child:
    socket_path.unlink(missing_ok=True)
    return Child(command(display, socket_path, settings), package="x11vnc", on_exit=on_exit)


def greets(socket_path: Path, *, limit: float) -> None:
    """Return when x11vnc has greeted within *limit* seconds on its socket; raises OSError else.

    That proves that its main loop turns: a stopped one accepts connections and stays silent.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(limit)
        stream.connect(str(socket_path))
        greeting = stream.recv(12)
    if not greeting.startswith(GREETING):
        raise ConnectionError(f"x11vnc said {greeting!r} in place of {GREETING!r}")
