"""The loop around IBG: start or adopt it, ping while it is well, see how it ends, end it cleanly."""

import logging
import queue
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ibga import runtime
from ibga.agent.heartbeat import Pulse, read_heartbeat
from ibga.agent.report import read_report
from ibga.config import Config
from ibga.errors import Exit, IbgaError
from ibga.gateway import closing, process, program
from ibga.gateway.absence import Absence, sentence
from ibga.gateway.install import ensure_installed
from ibga.gateway.process import Children, Jvm, Output
from ibga.gateway.program import Program, installed_program
from ibga.gateway.status import Status
from ibga.notify import Notifier
from ibga.runtime import Display, GatewayState

log = logging.getLogger(__name__)

# All in seconds.
#: From the start of the launcher to the agent's first report; peers allow 60 to 120 (guide 2.4).
START_TIMEOUT = 300.0
#: An exit by itself so soon after the start is a failure: at full speed IB limits the rate (guide 11.3).
SHORT_LIFE = 60.0
EVIDENCE_TIMEOUT = 5.0  # for signs of a self-restart, which may come after the exit (guide 2.6)
SUCCESSOR_TIMEOUT = 90.0  # for the new JVM, where there are signs
#: An event queue that is late by 10 s is left alone. With WatchdogSec=30 a frozen one is found within
#: FROZEN_AGE + LOOK_INTERVAL + 30 s, that is within 1.5 x WatchdogSec.
FROZEN_AGE = 12.5
LOOK_INTERVAL = 2.0  # between looks at the heartbeat, which comes every second (or every three)
PING_INTERVAL = 5.0
#: For SIGTERM before SIGKILL. With closing.LOGOUT_TIMEOUT below TimeoutStopSec=120.
END_GRACE = 10.0
KEPT_DUMPS = 10


class Runner:
    """The loop around IBG's process; its waits raise SystemExit once a stop is asked for."""

    def __init__(self, config: Config, notify: Notifier, status: Status, absence: Absence) -> None:
        self._config = config
        self._paths = config.paths
        self._notify = notify
        self._status = status
        self._absence = absence
        self._children = Children()
        self._output = Output()
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._watch: runtime.Watch | None = None
        self._stop_asked = False
        self._program: Program | None = None
        self._jvm: Jvm | None = None
        self._started = 0.0  # time.monotonic()
        self._reported = False  # whether the present JVM's agent has
        self._ready = False  # whether systemd was told
        self._frozen = False
        self._pinged = 0.0  # time.monotonic()

    def run(self, jvm: Jvm | None, current: Program | None) -> None:
        self._paths.agent_dir.mkdir(mode=0o750, exist_ok=True)
        self._program = current
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        try:
            if jvm:
                self._adopt(jvm)
            while True:
                if self._absence.heed():
                    self._stay_away()
                if self._jvm is None:
                    self._start()
                if self._wait_for_report():
                    self._watch_over()
                if not self._absence.now():
                    self._after_end()
        except SystemExit:
            self._stop()
        except BaseException as error:
            if not isinstance(error, IbgaError):
                log.error("unexpected: %r", error)
            process.end_all(self._paths.runtime_dir, self._children.reap, grace=END_GRACE)
            process.remove_agent_files(self._config)
            self._status.say(GatewayState.FAILED, str(error))
            raise

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = self._stop_asked or number != signal.SIGCHLD
        self._signals.put(number)
        if self._watch:
            self._watch.wake(self._paths.runtime_dir)

    @contextmanager
    def _watching(self, *folders: Path) -> Iterator[None]:
        """Have waits end early when a file in *folders* comes, goes or is replaced."""
        with runtime.Watch([folder for folder in folders if folder.is_dir()]) as self._watch:
            try:
                yield
            finally:
                self._watch = None

    def _wait(self, timeout: float) -> None:
        """Wait for a signal, or a file where one is watched. Raises SystemExit when a stop is asked for."""
        self._pause(timeout)
        if self._stop_asked:
            raise SystemExit(0)

    def _pause(self, timeout: float) -> None:
        try:
            if self._watch:
                self._watch.wait(timeout)
            else:
                self._signals.get(timeout=timeout)
        except queue.Empty:
            pass
        while not self._signals.empty():
            self._signals.get()
        self._children.reap()

    def _ping(self) -> None:
        """Tell systemd that all is well, or that a wait goes on which has a deadline of its own."""
        now = time.monotonic()
        if now >= self._pinged + min(PING_INTERVAL, self._notify.ping_interval) - 0.01:
            self._notify.ping()
            self._pinged = now

    def _runs(self) -> bool:
        self._children.reap()
        return self._jvm is not None and self._jvm.runs()

    def _gone(self) -> bool:
        self._ping()
        return not self._runs()

    # -- start --------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._program is None or installed_program(self._program.directory) is None:
            self._program = ensure_installed(self._config, self._status)
        display = runtime.read(self._paths.runtime_dir / "display.json", Display)
        if display is None:
            raise IbgaError(
                f"there is no display for {self._config.instance}",
                hint=f"systemctl status ibga-display@{self._config.instance}",
                code=Exit.UNAVAILABLE,
            )
        process.end_all(self._paths.runtime_dir, self._children.reap, grace=END_GRACE)
        process.remove_agent_files(self._config)
        program.write_jts_ini(self._config)
        program.write_vmoptions(self._program, self._paths.agent_jar, self._config.instance)
        version = self._program.version
        self._jvm = process.start(self._config, self._program, display, self._output)
        self._begin()
        self._status.say(GatewayState.STARTING, f"Starting IB Gateway {version}", pid=self._jvm.pid)

    def _adopt(self, jvm: Jvm) -> None:
        self._jvm = jvm
        self._begin()
        self._program = installed_program(self._paths.programs_dir / jvm.version) if jvm.version else None
        if self._program:
            self._status.program(installed=jvm.version, directory=str(self._program.directory))
        log.info("adopted IB Gateway %s, pid %d", jvm.version, jvm.pid)
        said = f"Adopted IB Gateway {jvm.version}"
        self._status.say(GatewayState.STARTING, said, pid=jvm.pid)

    def _begin(self) -> None:
        self._started = time.monotonic()
        self._reported = False

    def _wait_for_report(self) -> bool:
        """Wait until the agent has reported; return whether it has before the JVM ended, or is to."""
        assert self._jvm is not None
        path = self._paths.runtime_dir / "ui.json"
        with self._watching(self._paths.runtime_dir, self._paths.requests_dir):
            while self._pid_of_report() != self._jvm.pid:
                if self._absence.heed() or not self._runs():
                    return False
                if time.monotonic() > self._started + START_TIMEOUT:
                    raise IbgaError(
                        f"no report of IB Gateway's agent in {path} within {START_TIMEOUT:g} s",
                        hint=f"it said last: {self._output.last_words()}",
                        code=Exit.TEMPORARY,
                    )
                self._ping()
                self._wait(min(1.0, self._notify.ping_interval))
                self._follow_launcher()
        self._reported = True
        self._status.running(self._jvm.version)
        said = f"IB Gateway {self._jvm.version} runs"
        self._status.say(GatewayState.RUNNING, said, pid=self._jvm.pid)
        if not self._ready:
            self._notify.ready(said)
            self._ready = True
        log.info("%s, pid %d, after %.1f s", said, self._jvm.pid, time.monotonic() - self._started)
        return True

    def _pid_of_report(self) -> int | None:
        try:
            report = read_report(self._paths.runtime_dir / "ui.json")
        except IbgaError as error:
            log.debug("%s", error)
            return None
        return report.pid if report else None

    def _follow_launcher(self) -> None:
        """A launcher that does not exec has the JVM below it: then the report's process is the one."""
        assert self._jvm is not None
        if self._pid_of_report() in (None, self._jvm.pid):
            return
        found = process.find_jvm(self._paths.runtime_dir, self._paths.programs_dir)
        if found and found.pid == self._pid_of_report():
            self._jvm = found

    # -- watch --------------------------------------------------------------------------------------

    def _watch_over(self) -> None:
        """Ping systemd while the event queue turns over; return when the JVM is gone, or is to go.

        Looked at every two seconds, not watched: the file changes every second, and waking for that
        would be most of what this service costs while nothing happens.
        """
        pulse = Pulse()
        self._frozen = False
        with self._watching(self._paths.requests_dir):
            while self._runs() and not self._absence.heed():
                self._feel(pulse)
                if pulse.age() > FROZEN_AGE:
                    if not self._frozen:
                        self._freeze(pulse.age())
                else:
                    if self._frozen:
                        self._thaw()
                    self._ping()
                self._wait(min(LOOK_INTERVAL, self._notify.ping_interval))

    def _feel(self, pulse: Pulse) -> None:
        assert self._jvm is not None
        try:
            heartbeat = read_heartbeat(self._paths.agent_dir / "heartbeat.json")
        except IbgaError as error:
            log.debug("%s", error)
            return
        if heartbeat and heartbeat.pid == self._jvm.pid:
            pulse.see(heartbeat)

    def _freeze(self, age: float) -> None:
        assert self._jvm is not None
        self._frozen = True
        what = (
            "its process is stopped"
            if self._jvm.stopped()
            else f"its event queue stands still for {age:.0f} s"
        )
        self._status.say(GatewayState.FROZEN, f"IB Gateway is frozen: {what}", pid=self._jvm.pid)
        log.warning("IB Gateway is frozen: %s; %s", what, self._save_dump(self._jvm.pid))

    def _save_dump(self, pid: int) -> str:
        source = self._paths.agent_dir / f"threads-{pid}.txt"
        target = self._paths.log_dir / time.strftime("frozen-%Y%m%d-%H%M%S-threads.txt")
        try:
            shutil.copyfile(source, target)
            target.chmod(0o640)
            process.prune(self._paths.log_dir, "frozen-*-threads.txt", KEPT_DUMPS)
        except FileNotFoundError:
            return "there is no dump of its threads"
        except OSError as error:
            return f"the dump of its threads could not be saved: {error}"
        return f"its threads are in {target}"

    def _thaw(self) -> None:
        assert self._jvm is not None
        self._frozen = False
        log.warning("IB Gateway is no longer frozen")
        said = f"IB Gateway {self._jvm.version} runs"
        self._status.say(GatewayState.RUNNING, said, pid=self._jvm.pid)

    # -- after its end ------------------------------------------------------------------------------

    def _after_end(self) -> None:
        """Adopt the successor of a self-restart, or have IBG started anew; raise IbgaError after a crash."""
        jvm, self._jvm = self._jvm, None
        assert jvm is not None
        lived = time.monotonic() - self._started
        ended = process.how_it_ended(self._config, jvm.pid, self._children.take_code(jvm.pid))
        self._status.ended(ended)
        if self._pid_of_report() == jvm.pid:
            (self._paths.runtime_dir / "ui.json").unlink(missing_ok=True)
        if ended.code not in (0, None):
            raise IbgaError(
                f"IB Gateway, pid {jvm.pid}: {ended.cause}", hint=f"it said last: {self._output.last_words()}"
            )
        successor = self._await_successor(ended.time)
        if successor:
            self._status.restarted()
            self._adopt(successor)
            return
        if not self._reported or lived < SHORT_LIFE:
            raise IbgaError(
                f"IB Gateway, pid {jvm.pid}, ended by itself after {lived:.0f} s",
                hint=f"it said last: {self._output.last_words()}",
                code=Exit.TEMPORARY,
            )
        log.warning("IB Gateway: %s; it is started again", ended.cause)
        self._status.restarted()

    def _await_successor(self, ended: float) -> Jvm | None:
        """Return the JVM that IBG's own restart brings; None where there is no restart, or no JVM in time."""
        begin = time.monotonic()
        evidence = ""
        while time.monotonic() < begin + (SUCCESSOR_TIMEOUT if evidence else EVIDENCE_TIMEOUT):
            jvm = process.find_jvm(self._paths.runtime_dir, self._paths.programs_dir)
            if jvm:
                log.info("IB Gateway restarted itself within %.1f s", time.monotonic() - begin)
                return jvm
            if not evidence:
                restarter_log = self._program.restarter_log if self._program else None
                evidence = process.restart_evidence(self._config, restarter_log, ended)
                if evidence:
                    log.info("IB Gateway restarts itself: %s", evidence)
                    self._status.say(GatewayState.RESTARTING, "IB Gateway restarts itself")
            self._ping()
            self._wait(0.3)
        if evidence:
            log.warning("no new IB Gateway within %g s of its own restart", SUCCESSOR_TIMEOUT)
        return None

    # -- stay away ----------------------------------------------------------------------------------

    def _stay_away(self) -> None:
        """Log out and wait, with the unit active, until the time or a request to return has come."""
        self._end_session()
        with self._watching(self._paths.requests_dir):
            while self._absence.heed() and (away := self._absence.now()):
                said = sentence(away)
                if said != self._status.record.reason:
                    self._status.say(GatewayState.STOPPED, said, until=away.until)
                    log.info("%s", said)
                if not self._ready:
                    self._notify.ready(said)
                    self._ready = True
                self._absence.answer(True, said)
                self._ping()
                left = away.until - time.time() if away.until is not None else PING_INTERVAL
                self._wait(min(PING_INTERVAL, self._notify.ping_interval, max(0.0, left)))
        self._absence.answer(True, "Logged out; the time is over, it is started again")
        self._absence.over()
        log.info("IB Gateway no longer stays away")

    # -- stop ---------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Log out and end IBG. Raises IbgaError when it was frozen: that is no clean end."""
        frozen = self._frozen
        self._notify.stopping("Ending IB Gateway")
        self._status.say(GatewayState.STOPPED, self._end_session())
        if frozen:
            raise IbgaError("IB Gateway was frozen and has been ended", hint=f"see {self._paths.log_dir}")

    def _end_session(self) -> str:
        """Log out and end IBG in whatever way works; return how that went."""
        self._watch = None
        begin = time.monotonic()
        jvm = self._jvm
        ran = self._runs()
        why = self._log_out() if ran else ""
        left = process.end_all(self._paths.runtime_dir, self._children.reap, grace=END_GRACE)
        took = time.monotonic() - begin
        if jvm and ran:
            self._status.ended(process.how_it_ended(self._config, jvm.pid, self._children.take_code(jvm.pid)))
            if why:
                log.warning("IB Gateway had to be killed, since %s (%.1f s)", why, took)
            else:
                log.info("IB Gateway logged out cleanly in %.1f s", took)
                if left:
                    log.warning("ended what it left behind: %s", ", ".join(left))
        process.remove_agent_files(self._config)
        self._jvm, self._frozen = None, False
        return f"Ended by force, since {why}" if why else "Logged out" if ran else "Not running"

    def _log_out(self) -> str:
        """Return "" when IBG has ended through its menu, else why that cannot be."""
        assert self._jvm is not None
        if self._frozen or self._jvm.stopped():
            return "it was frozen"
        self._status.say(GatewayState.STOPPING, "Logging out through File > Close", pid=self._jvm.pid)
        with self._watching(self._paths.runtime_dir, self._paths.replies_dir):
            return closing.log_out(self._config, self._gone, self._pause)
