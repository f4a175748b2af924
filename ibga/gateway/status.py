"""Says what the service is doing: gateway.json for the other services, STATUS= for who asks systemd."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from ibga import runtime
from ibga.config import Config
from ibga.errors import IbgaError
from ibga.notify import Notifier
from ibga.runtime import Ended, Gateway, GatewayState, publish

log = logging.getLogger(__name__)

#: Seconds between two records that differ in their progress only.
PROGRESS_INTERVAL = 0.5


class Status:
    """The one writer of gateway.json."""

    def __init__(self, config: Config, notify: Notifier) -> None:
        self._path = config.paths.runtime_dir / "gateway.json"
        self._last_exit = config.paths.last_exit
        self._notify = notify
        self._published = 0.0
        self.record = Gateway(
            state=GatewayState.STARTING, reason="", since=time.time(), last_exit=_read(self._last_exit)
        )

    def say(
        self,
        state: GatewayState,
        reason: str,
        *,
        progress: int | None = None,
        pid: int | None = None,
        until: float | None = None,
    ) -> None:
        """Publish that the service is in *state* because of *reason*, a sentence.

        *progress* in per cent; *until*, Unix time: when what is stopped is started again.
        """
        old = self.record
        new = replace(
            old,
            state=state,
            reason=reason,
            since=old.since if state is old.state else time.time(),
            progress=progress,
            pid=pid,
            until=until,
        )
        only_progress = (
            progress not in (None, 100) and replace(new, reason=old.reason, progress=old.progress) == old
        )
        if only_progress and time.monotonic() < self._published + PROGRESS_INTERVAL:
            return
        self._publish(new)

    def program(self, *, installed: str, directory: str) -> None:
        self.record = replace(self.record, installed_version=installed, program_dir=directory)

    def running(self, version: str) -> None:
        self.record = replace(self.record, running_version=version)

    def ended(self, how: Ended) -> None:
        """Note how the JVM ended; published with the next `say`.

        On disk, too: gateway.json goes with the service, and after a crash it is this that is asked for.
        """
        try:
            self._last_exit.parent.mkdir(mode=0o750, exist_ok=True)
            publish(self._last_exit, how)
        except (IbgaError, OSError) as error:
            log.warning("%s", error)
        self.record = replace(self.record, last_exit=how, running_version="", pid=None)

    def restarted(self) -> None:
        self.record = replace(self.record, restarts=self.record.restarts + 1)

    def _publish(self, record: Gateway) -> None:
        self.record = record
        self._published = time.monotonic()
        publish(self._path, record)
        self._notify.status(record.reason)


def _read(path: Path) -> Ended | None:
    try:
        return runtime.read(path, Ended)
    except IbgaError as error:  # torn or of another version: replaced when the next JVM ends
        log.warning("%s", error)
        return None
