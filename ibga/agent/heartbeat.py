"""Read agent/heartbeat.json: whether the gateway's event queue turns over.

Reads: agent/heartbeat.json. A task passes through the queue every second (every three without a window).
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from ibga.agent.report import load
from ibga.errors import Exit, IbgaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    pid: int  # of the JVM
    time: float  # Unix time of the last turn; 0 before the first
    delay: float  # s that the last turn took
    pending: float  # s that the present task has been out; 0 once it is back


def read_heartbeat(path: Path) -> Heartbeat | None:
    """Return the heartbeat in *path*, or None while there is none.

    Raises IbgaError naming file and field when the content is torn or foreign.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IbgaError(f"cannot read {path}: {error.strerror}", code=Exit.DATA) from error
    data = load(content, str(path))
    for name, kinds in (
        ("pid", (int,)),
        ("time", (int, float)),
        ("delay", (int, float)),
        ("pending", (int, float)),
    ):
        if type(data.get(name)) not in kinds or not 0 <= data[name] < 1e12:
            raise IbgaError(f"{path}: {name} is missing or no such number", code=Exit.DATA)
    return Heartbeat(pid=data["pid"], time=data["time"], delay=data["delay"], pending=data["pending"])


@dataclass(slots=True)
class Pulse:
    """Keeps the age of the last turn by the reader's own clock, which no one sets."""

    _last: tuple[int, float] | None = None  # pid and time of the last turn that was seen
    _arrived: float = field(default_factory=time.monotonic)

    def see(self, heartbeat: Heartbeat | None, now: float | None = None) -> None:
        """Take what the file says now; None when there is no file. *now* is time.monotonic()."""
        if heartbeat is None or heartbeat.time == 0:
            return
        turn = (heartbeat.pid, heartbeat.time)
        if turn != self._last:
            self._last = turn
            self._arrived = time.monotonic() if now is None else now

    @property
    def seen(self) -> bool:
        """Whether any turn was seen."""
        return self._last is not None

    def age(self, now: float | None = None) -> float:
        """Seconds since a new turn was seen, or since the watch began."""
        return (time.monotonic() if now is None else now) - self._arrived
