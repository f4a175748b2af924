"""Tell systemd how the service is: ready, status, watchdog (sd_notify(3))."""

import os

import sdnotify


def _one_line(status: str) -> str:
    """A line break would begin another assignment of the protocol."""
    return "; ".join(status.splitlines())


class Notifier:
    """Speaks to the service manager named by NOTIFY_SOCKET; silent where there is none.

    Takes NOTIFY_SOCKET and WATCHDOG_* out of the environment, so that no child inherits them:
    Xvfb, for one, sends READY=1 when it sees the socket.
    """

    def __init__(self) -> None:
        self._systemd = sdnotify.SystemdNotifier()
        usec = os.environ.get("WATCHDOG_USEC", "")
        #: Seconds between pings: half of WatchdogSec=, or 10 where no watchdog is set.
        self.ping_interval = int(usec) / 2e6 if usec.isdigit() and int(usec) else 10.0
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(name, None)
        self._status = ""

    def ready(self, status: str) -> None:
        """A client would succeed now."""
        status = _one_line(status)
        self._status = status
        self._systemd.notify(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """The sentence that `systemctl status` shows; sent only when it changed."""
        status = _one_line(status)
        if status != self._status:
            self._status = status
            self._systemd.notify(f"STATUS={status}")

    def ping(self) -> None:
        """The duty was just seen done. Call after looking, never from a thread of its own."""
        self._systemd.notify("WATCHDOG=1")

    def stopping(self, status: str) -> None:
        status = _one_line(status)
        self._status = status
        self._systemd.notify(f"STOPPING=1\nSTATUS={status}")

    def extend_timeout(self, seconds: float) -> None:
        """Ask for *seconds* more of start or stop time."""
        self._systemd.notify(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")
