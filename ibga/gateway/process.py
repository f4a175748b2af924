"""IBG's process: start it, drain its output, find and adopt it, reap it, and say how it ended."""

import collections
import contextlib
import ctypes
import logging
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from ibga.config import Config
from ibga.errors import Exit, IbgaError
from ibga.gateway.install import PRIVATE
from ibga.gateway.program import Program
from ibga.runtime import Display, Ended

log = logging.getLogger(__name__)

#: Only install4j's restarter, a JVM of a second's life, has it on its command line (guide 2.6).
RESTARTER_MARK = "install4j.alternativeLogfile"
#: Lines of IBG's output that reach the journal (at debug) in so many seconds; stderr is noisy (guide 1.11).
OUTPUT_LINES, OUTPUT_SECONDS = 200, 10.0
KILL_TIMEOUT = 5.0  # s after SIGKILL; more than enough but for a process in uninterruptible sleep
KEPT_LINES = 15  # for an error message
KEPT_CRASH_REPORTS = 5
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Have every descendant whose parent ends become our child (prctl(2)).

    So the JVM of a self-restart, started by a restarter that is gone, is ours to wait for.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


@dataclass(frozen=True, slots=True)
class Jvm:
    """The running gateway. `process` remembers the time of its start, so a reused pid is not taken for it."""

    process: psutil.Process
    version: str

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def runs(self) -> bool:
        """Whether it is still there."""
        return lives(self.process)

    def stopped(self) -> bool:
        """Whether it was halted by SIGSTOP or a debugger."""
        try:
            return self.process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        except psutil.NoSuchProcess:
            return False


def lives(process: psutil.Process) -> bool:
    """Whether *process* is still there. A child of ours is until it is reaped, and its exit code known."""
    try:
        if not process.is_running():
            return False
        return bool(process.status() != psutil.STATUS_ZOMBIE or process.ppid() == os.getpid())
    except psutil.NoSuchProcess:
        return False


class Output:
    """Reads what IBG and its successors print, so that they never block on a full pipe (guide 1.11, 11.3)."""

    def __init__(self) -> None:
        self.last_lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._window, self._lines = 0.0, 0
        self._reader = threading.Thread()

    def drain(self, descriptor: int) -> None:
        """Read in a thread until the last writer is gone; closes *descriptor*."""
        self._reader = threading.Thread(target=self._read, args=(descriptor,), name="output", daemon=True)
        self._reader.start()

    def last_words(self) -> str:
        """Return the last lines; of a process that is gone, what it said at its very end is in it."""
        if self._reader.is_alive():
            self._reader.join(1)
        return " / ".join(list(self.last_lines)[-5:]) or "nothing"

    def _read(self, descriptor: int) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while block := os.read(descriptor, 65536):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._say(line)
                if len(rest) > 65536:  # no line end in sight
                    self._say(rest)
                    rest = b""
        os.close(descriptor)

    def _say(self, line: bytes) -> None:
        text = line[:500].decode(errors="replace").strip()
        if not text:
            return
        self.last_lines.append(text)
        now = time.monotonic()
        if now > self._window + OUTPUT_SECONDS:
            if self._lines > OUTPUT_LINES:
                log.debug("IBG: %d lines left out", self._lines - OUTPUT_LINES)
            self._window, self._lines = now, 0
        self._lines += 1
        if self._lines <= OUTPUT_LINES:
            log.debug("IBG: %s", text)


class Children:
    """Reaps every child, also those that were handed to us, and keeps their exit codes."""

    def __init__(self) -> None:
        self._codes: dict[int, int] = {}

    def reap(self) -> None:
        """Collect all that ended; never blocks."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._codes[pid] = os.waitstatus_to_exitcode(status)

    def take_code(self, pid: int) -> int | None:
        """Return the exit code of *pid* (negative: the signal); None where it was not our child."""
        code = self._codes.get(pid)
        self._codes.clear()
        return code


def command(program: Program, settings_dir: Path) -> list[str]:
    """The launcher with the settings directory in both ways: which of them works differs (guide 1.8)."""
    return [
        str(program.launcher),
        f"-J-DjtsConfigDir={settings_dir}",
        f"-VjtsConfigDir={settings_dir}",
        "-VinstallerType=standalone",
    ]


def environment(config: Config, display: Display, inherited: Mapping[str, str]) -> dict[str, str]:
    """Ours without what is between systemd and us, and with what differs between instances (design 5).

    INSTALL4J_ADD_VM_PARAMS reaches the JVM of a self-restart, too; the launcher's arguments may not.
    """
    paths = config.paths
    parameters = [
        inherited.get("INSTALL4J_ADD_VM_PARAMS", ""),
        f"-Xmx{config.gateway.java_heap}",
        f"-DjtsConfigDir={paths.settings_dir}",
        f"-XX:ErrorFile={paths.log_dir}/hs_err_pid%p.log",
    ]
    return {
        **{name: value for name, value in inherited.items() if name not in PRIVATE},
        "HOME": str(paths.home_dir),
        "DISPLAY": display.name,
        "XAUTHORITY": display.xauthority,
        "IBGA_RUNTIME_DIR": str(paths.runtime_dir),
        "INSTALL4J_ADD_VM_PARAMS": " ".join(filter(None, parameters)),
    }


def start(config: Config, program: Program, display: Display, output: Output) -> Jvm:
    """Start the launcher, which becomes the JVM (guide 1.5); its output goes to *output*."""
    reader, writer = os.pipe()
    words = command(program, config.paths.settings_dir)
    log.info("starting IB Gateway %s: %s", program.version, shlex.join(words))
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            cwd=config.paths.home_dir,
            env=environment(config, display, os.environ),
            umask=0o027,
        )
    except OSError as error:
        os.close(reader)
        raise IbgaError(
            f"cannot start {program.launcher}: {error.strerror}",
            hint=f"remove {program.directory} to have it installed anew",
            code=Exit.UNAVAILABLE,
        ) from error
    finally:
        os.close(writer)
    output.drain(reader)
    process.returncode = 0  # `Children` reaps it; Popen must not wait for a pid that may be another's then
    return Jvm(psutil.Process(process.pid), program.version)


def instance_processes(runtime_dir: Path) -> list[psutil.Process]:
    """Everything that IBG of this instance is made of now: launcher, JVMs, restarter, browsers."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # gone meanwhile, or another user's
            if (
                process.environ().get("IBGA_RUNTIME_DIR") == str(runtime_dir)
                and process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def is_restarter(process: psutil.Process) -> bool:
    """Whether *process* is install4j's restarter, script or JVM (guide 2.6)."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(RESTARTER_MARK in word or word.endswith("/.install4j/restarter") for word in words)


def find_jvm(runtime_dir: Path, programs_dir: Path) -> Jvm | None:
    """Return the running gateway of this instance, the oldest where there are more; None: none runs."""
    jvms = []
    for process in instance_processes(runtime_dir):
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if words and Path(words[0]).name == "java" and not is_restarter(process):
                jvms.append((process.create_time(), process.pid, process, _version(words, programs_dir)))
    if not jvms:
        return None
    _, _, process, version = min(jvms)
    return Jvm(process, version)


def _version(words: list[str], programs_dir: Path) -> str:
    """Return the name of the program directory that a command line speaks of; "" where it does not."""
    for word in words:
        _, found, rest = word.partition(f"{programs_dir}/")
        if found:
            return rest.split("/")[0].split(":")[0]
    return ""


def restart_evidence(config: Config, restarter_log: Path | None, ended: float) -> str:
    """Return what shows that IBG, which exited at *ended* (Unix time), restarts itself; "": nothing does.

    The token file may come after the exit, and some builds write no restarter.log (guide 2.6).
    """
    if any(is_restarter(process) for process in instance_processes(config.paths.runtime_dir)):
        return "its restarter runs"
    for token in config.paths.settings_dir.glob("*/autorestart"):
        return f"{token.parent.name}/autorestart is there"
    with contextlib.suppress(OSError):
        if restarter_log and restarter_log.stat().st_mtime > ended - 10:
            return "restarter.log is fresh"
    return ""


def how_it_ended(config: Config, pid: int, code: int | None) -> Ended:
    """Say why the JVM *pid* is gone."""
    report = config.paths.log_dir / f"hs_err_pid{pid}.log"
    if report.exists():
        cause = f"the JVM crashed, see {report}"
        prune(config.paths.log_dir, "hs_err_pid*.log", KEPT_CRASH_REPORTS)
    elif code is None:
        cause = "it ended; it was not started by this service, so its exit code is unknown"
    elif code == 0:
        cause = "it ended by itself"
    elif code < 0 or code == 128 + signal.SIGTERM:
        number = -code if code < 0 else code - 128
        cause = f"it was killed by {_signal_name(number)}"
    else:
        cause = f"it ended with exit code {code}"
    return Ended(time=time.time(), code=code, cause=cause)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def prune(directory: Path, pattern: str, keep: int) -> None:
    """Remove all but the newest *keep* files that match *pattern*."""
    files = sorted(directory.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[keep:]:
        path.unlink(missing_ok=True)


def end_all(runtime_dir: Path, reap: Callable[[], None], *, grace: float) -> list[str]:
    """End whatever is left of this instance's IBG; return the names of what there was.

    SIGTERM first, SIGKILL after *grace* seconds (which also ends what is stopped), until none is left.
    """
    names: list[str] = []
    deadline = time.monotonic() + grace
    asked: set[psutil.Process] = set()
    while True:
        reap()
        # One that is about to be gone has no environment any more, hence those that were asked, too.
        left = set(instance_processes(runtime_dir)) | {process for process in asked if lives(process)}
        if not left:
            return names
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if time.monotonic() >= deadline:
                    process.kill()
                elif process not in asked:
                    names.append(f"{process.name()} ({process.pid})")
                    process.terminate()
                asked.add(process)
        if time.monotonic() > deadline + KILL_TIMEOUT:
            raise IbgaError(
                f"{', '.join(names)} cannot be killed", hint="does the disk hang (state D in ps)?"
            )
        time.sleep(0.05)


def remove_agent_files(config: Config) -> None:
    """Remove the agent's reports of a JVM that is gone: they would pass for news of the next one."""
    paths = config.paths
    (paths.runtime_dir / "ui.json").unlink(missing_ok=True)
    if paths.agent_dir.is_dir():
        for path in paths.agent_dir.iterdir():
            path.unlink(missing_ok=True)
