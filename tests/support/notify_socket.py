"""A fake service manager: the bound datagram socket that NOTIFY_SOCKET names (sd_notify(3))."""

import socket
import threading
import time
from pathlib import Path


class NotifySocket:
    """Collects what a service sends. `env` is what the service must be given.

    *watchdog* is WatchdogSec= in seconds: the service is to ping at least twice as often.
    """

    def __init__(self, path: Path, *, watchdog: float = 2.0) -> None:
        self.env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(watchdog * 1e6))}
        self._messages: list[tuple[float, str]] = []  # (time.monotonic(), one "NAME=value" line)
        self._arrived = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        while data := self._socket.recv(65536):
            with self._arrived:
                now = time.monotonic()
                self._messages += [(now, line) for line in data.decode().splitlines()]
                self._arrived.notify_all()

    def close(self) -> None:
        waker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        waker.sendto(b"", self.env["NOTIFY_SOCKET"])  # an empty datagram ends the thread
        waker.close()
        self._thread.join()
        self._socket.close()

    def lines(self) -> list[str]:
        with self._arrived:
            return [line for _, line in self._messages]

    @property
    def ready(self) -> bool:
        return "READY=1" in self.lines()

    @property
    def status(self) -> str:
        """The last STATUS=."""
        return next((line[7:] for line in reversed(self.lines()) if line.startswith("STATUS=")), "")

    @property
    def statuses(self) -> list[str]:
        return [line[7:] for line in self.lines() if line.startswith("STATUS=")]

    def pings(self, since: float = 0.0) -> int:
        """How many watchdog pings came after *since* (time.monotonic())."""
        with self._arrived:
            return sum(1 for when, line in self._messages if line == "WATCHDOG=1" and when > since)

    def wait_for(self, start: str, *, timeout: float = 10.0, since: float = 0.0) -> str | None:
        """Return the first line that starts with *start* and came after *since*; None after *timeout* s."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                for when, line in self._messages:
                    if when > since and line.startswith(start):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    return None
