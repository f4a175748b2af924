"""Keep the newest of every file that the automator reads, and refuse what is stale.

Reads: ui.json, gateway.json, display.json, api.json, agent/heartbeat.json, requests/, the rule book.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ibga.agent.heartbeat import Pulse, read_heartbeat
from ibga.agent.report import Report, read_report
from ibga.automator import rulebook
from ibga.automator.rules import Rule
from ibga.automator.screens import View, recognise
from ibga.errors import IbgaError
from ibga.paths import Paths
from ibga.runtime import Api, Display, Gateway, Request, RequestKind, Watch, read

log = logging.getLogger(__name__)

#: s after which nobody waits for the answer any more: what a killed service asked for would end the
#: session of its successor.
REQUEST_AGE = 120.0
OURS = (RequestKind.CLOSE, RequestKind.LOGIN, RequestKind.RETRY)  # the others are the gateway service's


class Eyes:
    """What is seen now. A file is read when it changes; `wait` is the only place where time passes."""

    def __init__(self, paths: Paths, watch: Watch, on_turn: Callable[[], None]) -> None:
        self._paths = paths
        self._watch = watch
        self._on_turn = on_turn
        self._complaints: dict[str, str] = {}
        self._newest: Report | None = None
        self._view = View()
        self._pulse = Pulse()
        self._api_bytes = 0
        self.api_evidence: float | None = None  # monotonic
        self.gateway: Gateway | None = None
        self.display: Display | None = None
        self.rules: tuple[Rule, ...] = ()
        self.request: tuple[str, RequestKind] | None = None  # id and what is asked
        for reader in (self._see_gateway, self._see_display, self._see_api, self._see_report):
            reader()
        self._see_requests()
        self._watch.follow(paths.rules_dir)
        self.read_rules()

    @property
    def alive(self) -> bool:
        """Whether the process of gateway.json runs."""
        pid = self.gateway.pid if self.gateway is not None else None
        return pid is not None and is_running(pid)

    @property
    def report(self) -> Report | None:
        """The newest report of the process that runs now."""
        if self._newest is None or self.gateway is None or self._newest.pid != self.gateway.pid:
            return None
        return self._newest if self.alive else None

    @property
    def view(self) -> View:
        """The windows of the newest report."""
        return self._view

    def silent(self) -> float:
        """Seconds since the gateway's event queue turned over, 0 where nothing is known yet."""
        try:
            heartbeat = read_heartbeat(self._paths.agent_dir / "heartbeat.json")
        except IbgaError as error:
            self._complain("heartbeat.json", error)
            return 0.0
        if heartbeat is None or self.gateway is None or heartbeat.pid != self.gateway.pid:
            return 0.0
        self._pulse.see(heartbeat)
        # The agent's word where it can still give it, the file's age where the whole process stands still.
        return max(heartbeat.pending, self._pulse.age() if self._pulse.seen else 0.0)

    def wait(self, timeout: float) -> bool:
        """Wait for a change, at most *timeout* s, and take in all that changed. Return whether any did."""
        changed = self._watch.wait(timeout)
        self._on_turn()
        runtime = self._paths.runtime_dir
        if runtime / "ui.json" in changed:
            self._see_report()
        if runtime / "gateway.json" in changed:
            self._see_gateway()
        if runtime / "display.json" in changed:
            self._see_display()
        if runtime / "api.json" in changed:
            self._see_api()
        if any(path.parent == self._paths.requests_dir for path in changed):
            self._see_requests()
        if self._paths.rules_dir in changed:  # it came, went, or is another one
            self._watch.follow(self._paths.rules_dir)
        if any(self._paths.rules_dir in (path, path.parent) for path in changed):
            self.read_rules()
            log.info("rule book read: %d rules", len(self.rules))
        return bool(changed)

    def read_rules(self) -> None:
        """Read the rule book; mistakes are named, what is right counts, and what was right before."""
        self.rules, mistakes = rulebook.load(rulebook.BUILT_IN, self._paths.rules_dir, self.rules)
        for mistake in mistakes:
            log.warning("%s", mistake)

    def _see_report(self) -> None:
        try:
            report = read_report(self._paths.runtime_dir / "ui.json")
        except IbgaError as error:
            self._complain("ui.json", error)
            return
        self._complaints.pop("ui.json", None)
        if report is not None and self._newest is not None and report.pid == self._newest.pid:
            if report.seq < self._newest.seq:
                self._complain("ui.json", IbgaError(f"ui.json: report {report.seq} after {self._newest.seq}"))
                return
            if report.seq == self._newest.seq:
                return
        self._newest = report
        self._view = recognise(report) if report is not None else View()

    def _see_gateway(self) -> None:
        try:
            self.gateway = read(self._paths.runtime_dir / "gateway.json", Gateway)
        except IbgaError as error:
            self._complain("gateway.json", error)

    def _see_display(self) -> None:
        try:
            self.display = read(self._paths.runtime_dir / "display.json", Display)
        except IbgaError as error:
            self._complain("display.json", error)

    def _see_api(self) -> None:
        """Bytes from IBG to a client prove that its API lives."""
        try:
            api = read(self._paths.runtime_dir / "api.json", Api)
        except IbgaError as error:
            self._complain("api.json", error)
            return
        sent = sum(client.sent for client in api.clients) if api is not None else 0
        if sent > self._api_bytes:
            self.api_evidence = time.monotonic()
        self._api_bytes = sent

    def _see_requests(self) -> None:
        """Take the oldest request that is ours; what cannot be read is named and removed."""
        self.request = None
        for path in sorted(self._paths.requests_dir.glob("*.json")):
            try:
                request = read(path, Request)
            except IbgaError as error:
                self._complain(path.name, error)
                continue
            if request is not None and request.request in OURS and time.time() - request.time > REQUEST_AGE:
                log.warning("request %s of %s is too old, removed", path.stem, request.sender)
                path.unlink(missing_ok=True)
                continue
            if request is not None and request.request in OURS:
                self.request = (path.stem, request.request)
                return

    def _complain(self, what: str, error: IbgaError) -> None:
        """One line a change, not one a look."""
        if self._complaints.get(what) != str(error):
            self._complaints[what] = str(error)
            log.warning("%s", error)


def is_running(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not yet reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
