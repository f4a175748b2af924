"""Follow session.json: what the session is, and how long ago the automator last said so.

Reads: session.json. For those who act on it: the relay and `ibga ready`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ibga.errors import IbgaError
from ibga.runtime import Session, State, Watch, read

log = logging.getLogger("ibga.session")

_LONG = 60.0  # s, where nothing is due


class SessionRecord:
    """session.json with its age, by the monotonic clock from the arrival of each renewal.

    A record that goes missing or is torn does not count: the last one holds until it is out of date,
    so that the automator can be restarted without harm (design section 3).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: Session | None = None
        self._renewed = 0.0
        self._error = ""

    def look(self) -> Session | None:
        """The last good record, None when there was none yet. One that cannot be read is warned of once."""
        error, session = "", None
        try:
            session = read(self._path, Session)
        except IbgaError as problem:
            error = str(problem)
            if error != self._error:
                log.warning("%s", error)
        self._error = error
        if session is not None:
            if self._session is None or session.time != self._session.time:
                # Its own time counts at arrival: what lay here before we started may be long out of date.
                self._renewed = time.monotonic() - max(0.0, time.time() - session.time)
            self._session = session
        return self._session

    @property
    def age(self) -> float:
        """Seconds since the record was renewed."""
        return time.monotonic() - self._renewed

    @property
    def valid_left(self) -> float:
        """Seconds until the record is out of date, a little rounded up; a minute where nothing is due."""
        left = self._session.valid_for - self.age if self._session else _LONG
        return left + 0.01 if left >= 0 else _LONG


def is_ready(session: Session | None, age: float) -> bool:
    """Whether *session*, renewed *age* seconds ago, says that clients may come."""
    return session is not None and session.state == State.READY and age <= session.valid_for


@contextmanager
def following(file: Path, call: Callable[[], object]) -> Iterator[None]:
    """Have *call* called, from a thread, whenever *file* was replaced or removed."""
    ended = threading.Event()

    def follow(watch: Watch) -> None:
        while not ended.is_set():
            if file in watch.wait(3600.0) and not ended.is_set():
                call()

    with Watch([file.parent]) as watch:
        thread = threading.Thread(target=follow, args=(watch,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            watch.wake(file)
            thread.join()
