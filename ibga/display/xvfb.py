"""Start Xvfb and know when it serves."""

import os
import secrets
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Xlib import error

from ibga import x11
from ibga.child import Child
from ibga.config.settings import DisplaySettings
from ibga.errors import Exit, IbgaError

#: Seconds. It takes 0.1 on an idle machine.
START_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Xvfb:
    """A running server and our connection to it."""

    name: str  # ":7"
    process: Child
    connection: Any  # Xlib.display.Display

    def probe(self) -> None:
        """Return after an X round trip; raises IbgaError when the server is gone or silent."""
        try:
            x11.round_trip(self.connection)
        except (error.ConnectionClosedError, OSError) as problem:
            raise self.failure(problem) from None

    def failure(self, problem: Exception) -> IbgaError:
        """What to tell the operator after *problem* on the connection."""
        if ended := self.process.ended(timeout=1.0):
            return IbgaError(ended, code=Exit.UNAVAILABLE)
        return IbgaError(f"Xvfb on {self.name} does not answer: {problem}", code=Exit.UNAVAILABLE)


def command(settings: DisplaySettings, xauthority: Path, *, number_fd: int) -> list[str]:
    """Return the command line of Xvfb, which writes its display number to *number_fd*."""
    return [
        "Xvfb",
        # It takes the first free number and writes it once it serves. To look for the socket instead could
        # find what a killed server left behind. (With -displayfd no /tmp/.X<n>-lock is made or minded.)
        *("-displayfd", str(number_fd)),
        *("-screen", "0", f"{settings.width}x{settings.height}x24"),
        *("-auth", str(xauthority)),
        *("-nolisten", "tcp"),
        "-noreset",  # the root window keeps what it shows when the last client leaves
        *("-s", "0"),  # no screen saver
        # Mesa's software renderer is 25 MiB for nothing: Swing draws without it.
        *("-extension", "GLX"),
    ]


@contextmanager
def start_xvfb(
    settings: DisplaySettings, xauthority: Path, *, limit: float, on_exit: Callable[[], None]
) -> Iterator[Xvfb]:
    """Run Xvfb with a fresh cookie in *xauthority*; it has answered a client when this is entered.

    *limit*: how long a request may wait, in seconds. *on_exit* is called from a thread when it ends.
    """
    x11.write_cookie(xauthority, secrets.token_bytes(16))
    reader, writer = os.pipe()
    try:
        try:
            child = Child(
                command(settings, xauthority, number_fd=writer),
                package="xvfb",
                on_exit=on_exit,
                pass_fds=[writer],
            )
        finally:
            os.close(writer)
        with child:
            name = f":{_read_number(reader, child)}"
            connection = x11.connect(name, xauthority, limit=limit)
            try:
                xvfb = Xvfb(name, child, connection)
                xvfb.probe()
                yield xvfb
            finally:
                x11.close(connection)
    finally:
        os.close(reader)
        xauthority.unlink(missing_ok=True)


def _read_number(reader: int, child: Child) -> int:
    """Return the display number that Xvfb writes; it writes digits and line end separately."""
    deadline = time.monotonic() + START_TIMEOUT
    written = b""
    while not written.endswith(b"\n"):
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise IbgaError(f"Xvfb did not start within {START_TIMEOUT:g} s", code=Exit.UNAVAILABLE)
        data = os.read(reader, 32)
        if not data:
            raise IbgaError(
                child.ended(timeout=2.0) or "Xvfb gave no display number",
                hint="apt install xvfb xkb-data x11-xkb-utils; is /tmp writable?",
                code=Exit.UNAVAILABLE,
            )
        written += data
    return int(written)
