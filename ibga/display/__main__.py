"""The service: Xvfb, display.json, and a root window that tells what goes on."""

import logging
import time
from pathlib import Path
from typing import TypeVar

from Xlib import error

from ibga import runtime, service
from ibga.config import Config
from ibga.display.board import Board, Painter, compose
from ibga.display.xvfb import Xvfb, start_xvfb
from ibga.errors import IbgaError
from ibga.notify import Notifier
from ibga.runtime import Display, Gateway, Session, Watch, publish

log = logging.getLogger("ibga.display")

R = TypeVar("R", Gateway, Session)


def run(config: Config, notify: Notifier) -> None:
    display_json = config.paths.runtime_dir / "display.json"
    xauthority = config.paths.runtime_dir / "Xauthority"
    display_json.unlink(missing_ok=True)
    # A little less than the interval: the journal names the silence just before systemd's watchdog ends it.
    limit = 0.9 * notify.ping_interval
    with (
        Watch([config.paths.runtime_dir]) as watch,
        start_xvfb(config.display, xauthority, limit=limit, on_exit=lambda: watch.wake(xauthority)) as xvfb,
    ):
        wall = Wall(config, xvfb)
        wall.look()
        size = config.display
        publish(
            display_json,
            Display(
                name=xvfb.name,
                xauthority=str(xauthority),
                width=size.width,
                height=size.height,
                pid=xvfb.process.pid,
                since=time.time(),
            ),
        )
        try:
            notify.ready(f"Xvfb on {xvfb.name}, {size.width}x{size.height}")
            log.info("Xvfb serves %s, %dx%d", xvfb.name, size.width, size.height)
            serve(xvfb, wall, watch, notify)
        finally:
            display_json.unlink(missing_ok=True)


def serve(xvfb: Xvfb, wall: "Wall", watch: Watch, notify: Notifier) -> None:
    """Ping after each round trip, redraw when a file changed; ends only by an exception."""
    next_ping = 0.0
    while True:
        if not xvfb.process.running or time.monotonic() >= next_ping:
            xvfb.probe()
            notify.ping()
            next_ping = time.monotonic() + notify.ping_interval
            wall.look()  # the session's record may have become too old
        changed = watch.wait(next_ping - time.monotonic())
        if changed & wall.files:
            wall.look()


class Wall:
    """Keeps the root window in step with gateway.json and session.json."""

    def __init__(self, config: Config, xvfb: Xvfb) -> None:
        self._instance = config.instance
        self._xvfb = xvfb
        self._gateway_json = config.paths.runtime_dir / "gateway.json"
        self._session_json = config.paths.runtime_dir / "session.json"
        self.files = {self._gateway_json, self._session_json}
        self._session: Session | None = None
        self._session_seen = 0.0  # time.monotonic() when it arrived
        self._shown: Board | None = None
        self._complaints: set[str] = set()
        try:
            self._painter = Painter(xvfb.connection)
        except (error.ConnectionClosedError, OSError) as problem:
            raise xvfb.failure(problem) from None

    def look(self) -> None:
        """Read both files and redraw where the words have changed."""
        gateway = self._read(self._gateway_json, Gateway)
        session = self._read(self._session_json, Session)
        now = time.monotonic()
        if session != self._session:
            self._session, self._session_seen = session, now
        silent = session is not None and now - self._session_seen > session.valid_for
        board = compose(self._instance, gateway, session, silent=silent)
        if board == self._shown:
            return
        try:
            self._painter.paint(board)
        except (error.ConnectionClosedError, OSError) as problem:
            raise self._xvfb.failure(problem) from None
        self._shown = board

    def _read(self, path: Path, record_type: type[R]) -> R | None:
        """The record in *path*; what is torn or foreign is said once and taken for missing."""
        try:
            return runtime.read(path, record_type)
        except IbgaError as problem:
            if str(problem) not in self._complaints:
                self._complaints.add(str(problem))
                log.warning("not shown: %s", problem)
            return None


if __name__ == "__main__":
    service.main(run)
