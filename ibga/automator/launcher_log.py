"""What launcher.log tells of a login (guide 1.11): the one log that the gateway writes in plain text.

Reads: launcher.log in the instance's settings directory, its end only, and only while a login or a
question about sessions is open: the gateway writes much into it, which is not to wake anybody. It may
be late, missing or unreadable; then it tells nothing, and the time-outs decide as without it.
"""

from pathlib import Path

MAX_TAIL = 64 << 10  # bytes

_ASKED = "Authenticating"
_HEARD = "NS_AUTH_START"
_TIMEOUT = "AuthTimeoutMonitor-CCP: Timeout!"
_RESUMED = "Running in auto-restart mode"
_KICKED = ("COMPETE: session kicked out", "Disconnect all farms due to competing session")


class LauncherLog:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: int | None = None  # bytes
        self._seen: tuple[int, int] | None = None  # size and time of what was read last
        self._from: int | None = None
        self._text = ""

    def mark(self) -> None:
        """What is written from here on is of the login that begins now."""
        try:
            self._mark = self._path.stat().st_size
        except OSError:
            self._mark = 0

    @property
    def dropped(self) -> bool:
        """Whether IB took no notice of the login since the mark; False where that is not known."""
        return self._mark is not None and dropped(self._read(self._mark))

    @property
    def kicked(self) -> bool:
        """Whether another session has taken over since the last login."""
        return kicked(self._read(0))

    def _read(self, since: int) -> str:
        try:
            about = self._path.stat()
            seen = (about.st_size, about.st_mtime_ns)
            begin = max(since if since <= about.st_size else 0, about.st_size - MAX_TAIL)
            if (seen, begin) != (self._seen, self._from):
                with self._path.open("rb") as file:
                    file.seek(begin)
                    self._text = file.read(MAX_TAIL).decode(errors="replace")
                self._seen, self._from = seen, begin
        except OSError:
            return ""
        return self._text


def dropped(text: str) -> bool:
    """Whether the last request to log in ran into its time-out and was not heard: rate limiting, or a session
    that hangs at IB (guide 1.11). Heard and timed out is another matter: a second factor, say."""
    after = text[text.rfind(_ASKED) :] if _ASKED in text else ""
    return _TIMEOUT in after and _HEARD not in after


def kicked(text: str) -> bool:
    began = max(text.rfind(each) for each in (_ASKED, _HEARD, _RESUMED))
    return max(text.rfind(each) for each in _KICKED) > began
