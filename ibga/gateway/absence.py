"""Logged out on purpose (`ibga lend`, `ibga close`): who asked, until when, and the requests for it.

Writes: away.json in the instance's state directory (it outlives services and boots), replies/.
Reads: requests/ (`leave`, `return`).
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ibga import runtime
from ibga.errors import IbgaError
from ibga.paths import Paths
from ibga.runtime import Away, Request, RequestKind

log = logging.getLogger(__name__)

REQUEST_AGE = 120.0  # s after which nobody waits for the answer any more
#: s ahead that no time of a request lies: `ibga lend` takes 31 days at most.
BEYOND = 32 * 86400.0
OURS = (RequestKind.LEAVE, RequestKind.RETURN)


class Absence:
    """Whether IBG is to stay away. `now` is None where it is not, or no longer."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._unanswered: list[str] = []  # names of requests to leave
        self._complaint = ""  # the last one, not to be repeated at every look

    @property
    def file(self) -> Path:
        return self._paths.settings_dir / "away.json"

    def now(self) -> Away | None:
        """The absence that lasts, by the wall clock: a person has named the time."""
        try:
            away = runtime.read(self.file, Away)
        except IbgaError as error:
            # Somebody may have the session: it is not taken back on the strength of a file that is no word.
            if str(error) != self._complaint:
                log.warning("%s; it is taken for a request to stay away", error)
            self._complaint = str(error)
            return Away(since=time.time())
        self._complaint = ""
        if away is None or away.until is None:
            return away
        left = away.until - time.time()
        if left > BEYOND:  # the clock was set back by weeks: what the time is worth is a person's to say
            return replace(away, until=None)
        return away if left > 0 else None

    def heed(self) -> bool:
        """Take up what was asked since the last look; return whether IBG is to be away now."""
        for name, request in self._requests():
            (self._paths.requests_dir / f"{name}.json").unlink(missing_ok=True)
            if time.time() - request.time > REQUEST_AGE:
                log.warning("request %s of %s is too old, removed", name, request.sender)
                continue
            log.info("request %s: %s", name, request.request)
            self._heed(name, request)
        return self.now() is not None

    def _heed(self, name: str, request: Request) -> None:
        try:
            if request.request is RequestKind.LEAVE:
                if request.until is not None and not 0 < request.until - time.time() < BEYOND:
                    self._answer(name, False, "that time is over, or more than a month away")
                    return
                self._paths.settings_dir.mkdir(parents=True, exist_ok=True)
                runtime.publish(self.file, Away(since=time.time(), until=request.until))
                self._unanswered.append(name)
            else:
                self.over()
                self._answer(name, True, "IB Gateway is started, and logs in as soon as its form is there")
        except (IbgaError, OSError) as error:  # no reason to end a gateway that runs
            self._answer(name, False, str(error))

    def answer(self, ok: bool, detail: str) -> None:
        """Answer all requests to leave that were taken up."""
        for name in self._unanswered:
            self._answer(name, ok, detail)
        self._unanswered.clear()

    def over(self) -> None:
        self.file.unlink(missing_ok=True)

    def _answer(self, name: str, ok: bool, detail: str) -> None:
        try:
            runtime.reply(self._paths, name, ok=ok, detail=detail)
        except IbgaError as error:
            log.error("%s", error)

    def _requests(self) -> Iterator[tuple[str, Request]]:
        for path in sorted(self._paths.requests_dir.glob("*.json")):
            try:
                request = runtime.read(path, Request)
            except IbgaError as error:
                log.debug("%s", error)  # the automator tells of it
                continue
            if request is not None and request.request in OURS:
                yield path.stem, request


def sentence(away: Away) -> str:
    """What the operator reads of it."""
    if away.until is None:
        return "Closed; `ibga login` starts it again"
    until = time.strftime("%d %b %H:%M:%S", time.localtime(away.until))
    return f"Lent until {until}; `ibga login` takes it back earlier"
