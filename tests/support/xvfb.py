"""A virtual X display for one test: no TCP, its own cookie, a number that the server chooses."""

from __future__ import annotations

import os
import secrets
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT = 20.0  # seconds; a loaded machine needs several


@dataclass(frozen=True, slots=True)
class Xvfb:
    """A running server: `display` is like ":7"."""

    display: str
    xauthority: Path
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client: this process's, with the display and its cookie."""
        return {**os.environ, "DISPLAY": self.display, "XAUTHORITY": str(self.xauthority)}

    def run(self, *command: str, timeout: float = 15) -> str:
        """Run an X client, e.g. xdotool, and return what it prints; raises where it fails."""
        return subprocess.run(
            command, env=self.environment, check=True, timeout=timeout, stdout=subprocess.PIPE, text=True
        ).stdout

    def click(self, x: int, y: int) -> None:
        """Press and release the left button at (x, y) of the screen."""
        self.run("xdotool", "mousemove", str(x), str(y), "click", "1")

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.run("xdotool", "type", "--delay", "5", "--", text)


def write_cookie(path: Path) -> None:
    """Write an Xauthority file with one MIT-MAGIC-COOKIE-1 for every display of this host."""

    def counted(data: bytes) -> bytes:
        return len(data).to_bytes(2, "big") + data

    family_wild = b"\xff\xff"
    path.touch(mode=0o600)
    path.write_bytes(
        family_wild
        + counted(b"")
        + counted(b"")
        + counted(b"MIT-MAGIC-COOKIE-1")
        + counted(secrets.token_bytes(16))
    )


@contextmanager
def xvfb(directory: Path, size: str = "1024x768") -> Iterator[Xvfb]:
    """Run Xvfb with a screen of *size* ("WxH"); its cookie and log lie in *directory*."""
    xauthority = directory / "Xauthority"
    write_cookie(xauthority)
    reader, writer = os.pipe()
    with (directory / "xvfb.log").open("ab") as log:
        process = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(writer),
                "-screen",
                "0",
                f"{size}x24",
                "-nolisten",
                "tcp",
                "-auth",
                str(xauthority),
                "-noreset",
            ],
            pass_fds=[writer],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
        )
    os.close(writer)
    try:
        yield Xvfb(f":{_read_number(reader, process)}", xauthority, process)
    finally:
        os.close(reader)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _read_number(reader: int, process: subprocess.Popen[bytes]) -> int:
    """Return the display number that Xvfb writes once it serves clients."""
    deadline = time.monotonic() + START_TIMEOUT
    text = b""
    while not text.endswith(b"\n"):
        if process.poll() is not None:
            raise RuntimeError(f"Xvfb ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"no display from Xvfb within {START_TIMEOUT:.0f} s")
        if select.select([reader], [], [], 0.2)[0]:
            text += os.read(reader, 32)
    return int(text)
