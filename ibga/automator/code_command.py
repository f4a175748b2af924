"""Run second_factor.code_command: codes from elsewhere (SMS, a password manager), one code a run.

It runs beside the loop, without a shell, with 30 s and an environment of its own; it is told no secret.
"""

import logging
import os
import re
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ibga.automator.session import CommandAnswer
from ibga.child import die_with_parent

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # s (design section 4)
MAX_OUTPUT = 4096  # bytes
#: With a digit in it, lest a word of an error be typed; digits may come in groups.
_CODE = re.compile(r"(?=.*[0-9])[0-9A-Za-z]{4,12}")
_GROUPS = re.compile(r"[0-9]+(?: [0-9]+)+")
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ")
_DEFAULTS: Mapping[str, str] = MappingProxyType({"PATH": "/usr/local/bin:/usr/bin:/bin"})


class CodeCommand:
    """One run at a time. `answer` is what the decision may know; the code is fetched with `take`."""

    def __init__(self, command: str, wake: Callable[[], None]) -> None:
        self._command = command
        self._wake = wake
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._round = 0  # a run that ends after `forget` counts no more
        self._code = ""
        self._answer: CommandAnswer | None = None

    @property
    def answer(self) -> CommandAnswer | None:
        with self._lock:
            return self._answer

    def start(self, *, not_again: str) -> None:
        """Run it once, from the main thread: the child ends with it. *not_again*: a code that was typed."""
        with self._lock:
            if self._answer is not None and self._answer.running:
                return
            failures = self._answer.failures if self._answer is not None else 0
            self._round += 1
            self._code = ""
            self._answer = CommandAnswer(running=True, failures=failures, mono=time.monotonic())
            number = self._round
        try:
            arguments = shlex.split(self._command)
            if not arguments:
                raise ValueError("it is empty")
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._ended(number, "", f"it cannot be run: {why}")
            return
        with self._lock:
            self._process = process
        threading.Thread(target=self._watch, args=(number, process, not_again), daemon=True).start()

    def take(self) -> str:
        """Return the code, "" where there is none, and keep nothing of it."""
        with self._lock:
            code, self._code = self._code, ""
            if code:
                self._answer = None
            return code

    def forget(self) -> None:
        """End what runs, and know nothing of it."""
        with self._lock:
            self._round += 1
            self._code, self._answer = "", None
            if self._process is not None:
                _kill(self._process)

    def _watch(self, number: int, process: subprocess.Popen[bytes], not_again: str) -> None:
        output, error = _read(process)
        with self._lock:
            # Before it is reaped: until then its number, which is that of its group, is nobody else's.
            _kill(process)
            if self._process is process:
                self._process = None
        status = process.wait()
        code = output.strip()
        if _GROUPS.fullmatch(code):
            code = code.replace(" ", "")
        if not error and status:
            error = f"it ended with status {status}" if status > 0 else f"it was ended by signal {-status}"
        if not error and not _CODE.fullmatch(code):
            error = (
                "what it printed is no code (4 to 12 digits, or letters and digits)"
                if code
                else "it printed nothing"
            )
        if not error and code == not_again:
            error = "it printed the code that was sent already"
        self._ended(number, code, error)

    def _ended(self, number: int, code: str, error: str) -> None:
        with self._lock:
            if number != self._round or self._answer is None:
                return
            failures = self._answer.failures + 1 if error else 0
            self._code = "" if error else code
            self._answer = CommandAnswer(
                ready=not error, failures=failures, error=error, mono=time.monotonic()
            )
        if error:
            log.warning("second_factor.code_command: %s", error)
        self._wake()


def _environment() -> dict[str, str]:
    """Of ours only what says where and in which language it runs: the rest may hold secrets."""
    return {**_DEFAULTS, **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}}


def _read(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Return what it prints until it ends, and what is wrong with that, or ""; it is not reaped yet."""
    assert process.stdout is not None
    deadline = time.monotonic() + TIMEOUT
    output = b""
    with selectors.DefaultSelector() as selector, process.stdout as pipe:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            read = os.read(pipe.fileno(), MAX_OUTPUT)
            output += read
            if len(output) > MAX_OUTPUT:
                return "", f"it printed more than {MAX_OUTPUT} bytes"
            if not read and _ends(process.pid, deadline):
                return output.decode(errors="replace"), ""
            if not read:
                break
    return "", f"it did not end within {TIMEOUT:.0f} s"


def _ends(pid: int, deadline: float) -> bool:
    """Wait until it has ended, which is at once when it has closed its output."""
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started and did not leave alone."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
