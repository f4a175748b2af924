"""Run the one program that a service keeps up (Xvfb, x11vnc): it dies with us, its last words are kept."""

import collections
import ctypes
import logging
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence

from ibga.errors import Exit, IbgaError

log = logging.getLogger(__name__)

#: Seconds a program gets between SIGTERM and SIGKILL.
GRACE = 2.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Have the kernel kill this process when the *thread* that started it ends (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A child process, as a context manager; start it from the main thread, which outlives it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        package: str,
        on_exit: Callable[[], None] = lambda: None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start *command*. *package* is what to install where it is missing (IbgaError).

        *on_exit* is called from another thread when the program has ended.
        """
        self.name = command[0]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=pass_fds,
                preexec_fn=die_with_parent,
            )
        except FileNotFoundError:
            raise IbgaError(
                f"{self.name} not found", hint=f"apt install {package}", code=Exit.UNAVAILABLE
            ) from None
        self.pid = self._process.pid
        self._last_lines: collections.deque[str] = collections.deque(maxlen=5)
        self._on_exit = on_exit
        self._reader = threading.Thread(target=self._read, name=f"{self.name} stderr", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode(errors="replace").strip()
            if text:
                self._last_lines.append(text)
                log.debug("%s: %s", self.name, text)
        self._process.wait()
        self._on_exit()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ended(self, timeout: float = 0.0) -> str:
        """Return how it ended and what it said last, as a sentence; "" while it runs.

        Waits up to *timeout* seconds for the end: a connection breaks a moment before its process is gone.
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return ""
        self._reader.join(1)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        said = "; it said last: " + " / ".join(self._last_lines) if self._last_lines else ""
        return f"{self.name} {how}{said}"

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:  # stopped or stuck
            self._process.kill()
            self._process.wait()
        self._reader.join(1)
