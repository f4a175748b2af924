"""Log out through File > Close: by the automator, and where that cannot, by the agent itself (design 6).

Writes: requests/, agent/fifo. Reads: replies/, ui.json.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ibga import runtime
from ibga.agent.commands import Action, Command, close_command, send
from ibga.agent.report import Report, fold, read_report
from ibga.config import Config
from ibga.errors import IbgaError
from ibga.runtime import Reply, Request, RequestKind

log = logging.getLogger(__name__)

# All in seconds. Together with the signals after it (END_GRACE) they stay below TimeoutStopSec=120.
ANSWER_TIMEOUT = 4.0  # for the automator to take the request up
AUTOMATOR_TIMEOUT = 20.0  # for the JVM to be gone when it has; "a few seconds" are usual (guide 2.4)
LOGOUT_TIMEOUT = 80.0  # for everything; peers wait 15 s and longer
EFFECT_TIMEOUT = 4.0  # for a press to show an effect (a menu's window: up to 4 s, guide 2.4)
PRESSES = 3  # of one component

CONFIRMATION = "are you sure you want to exit"  # D-EXITCONF (guide 4.5)
PROGRESS = "shutdown progress"  # D-SHUTDOWN: its title


@dataclass(frozen=True, slots=True)
class Press:
    command: Command
    what: str


@dataclass(frozen=True, slots=True)
class Wait:
    """IBG is at it."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    why: str


@dataclass(slots=True)
class Pressed:
    """What was pressed before: for each component how often, and when last (time.monotonic())."""

    counts: dict[int, int] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)

    def note(self, component: int, now: float) -> None:
        self.counts[component] = self.counts.get(component, 0) + 1
        self.last[component] = now


def decide(report: Report | None, pressed: Pressed, now: float) -> Press | Wait | GiveUp:
    """Return the next step on the way out through the menu.

    No other window is an obstacle: the agent's press of a menu item needs neither an open menu nor a
    window that takes input (guide 5.2), so dialogs that nobody knows stay what they are: unanswered.
    """
    if report is None:
        return GiveUp("it shows nothing")
    if any(fold(window.title) == PROGRESS for window in report.windows):
        return Wait()
    step = _confirm(report) or _menu(report)
    if step is not None:
        component = step.command.component
        assert component is not None
        if now < pressed.last.get(component, -EFFECT_TIMEOUT) + EFFECT_TIMEOUT:
            return Wait()
        if pressed.counts.get(component, 0) >= PRESSES:
            return GiveUp(f"{step.what} was pressed {PRESSES} times without effect")
        return step
    if pressed.counts or report.menu_item("File", "Close"):  # pressed already, or disabled for the moment
        return Wait()
    return GiveUp("it has no main window, so it is not logged in and no menu leads out")


def _confirm(report: Report) -> Press | None:
    for window in report.windows:
        if CONFIRMATION in fold(window.all_text()) and (yes := window.find("JButton", "Yes")):
            command = Command(command=Action.CLICK, component=yes.id, window=window.id)
            return Press(command, "Yes in the exit confirmation")
    return None


def _menu(report: Report) -> Press | None:
    command = close_command(report)
    return None if command is None else Press(command, "File > Close")


def log_out(config: Config, gone: Callable[[], bool], wait: Callable[[float], None]) -> str:
    """Have IBG log out and end through its menu; return "" once *gone* says so, else why it is still there.

    *wait* returns early when a file changed or a process ended.
    """
    deadline = time.monotonic() + LOGOUT_TIMEOUT
    why = _by_automator(config, gone, wait)
    if not why:
        return ""
    log.warning("File > Close is pressed through the agent, since %s", why)
    return _by_agent(config, gone, wait, deadline)


def _by_automator(config: Config, gone: Callable[[], bool], wait: Callable[[float], None]) -> str:
    name = f"gateway-{time.time_ns()}.json"
    request, answer = config.paths.requests_dir / name, config.paths.replies_dir / name
    try:
        runtime.publish(request, Request(request=RequestKind.CLOSE, time=time.time(), sender="gateway"))
    except IbgaError as error:
        return f"the automator cannot be asked: {error}"
    asked = time.monotonic()
    try:
        while not gone():
            reply = _reply(answer)
            if reply and not reply.ok:
                return f"the automator cannot: {reply.detail}"
            waited = time.monotonic() - asked
            if waited > ANSWER_TIMEOUT and not reply and request.exists():
                return f"the automator did not answer within {ANSWER_TIMEOUT:g} s"
            if waited > AUTOMATOR_TIMEOUT:
                return f"IB Gateway is still there {AUTOMATOR_TIMEOUT:g} s after the automator was asked"
            wait(0.5)
        return ""
    finally:
        request.unlink(missing_ok=True)  # nobody shall act on it later
        answer.unlink(missing_ok=True)


def _reply(path: Path) -> Reply | None:
    try:
        return runtime.read(path, Reply)
    except IbgaError as error:
        return Reply(ok=False, time=time.time(), detail=str(error))


def _by_agent(
    config: Config, gone: Callable[[], bool], wait: Callable[[float], None], deadline: float
) -> str:
    pressed = Pressed()
    while not gone():
        now = time.monotonic()
        if now > deadline:
            return f"it did not end within {LOGOUT_TIMEOUT:g} s"
        try:
            step = decide(read_report(config.paths.runtime_dir / "ui.json"), pressed, now)
            if isinstance(step, Press):
                assert step.command.component is not None
                pressed.note(step.command.component, now)
                send(config.paths.agent_dir / "fifo", step.command)
                log.info("pressed %s", step.what)
        except IbgaError as error:
            step = GiveUp(str(error))
        if isinstance(step, GiveUp):
            return "" if gone() else step.why
        wait(0.5)
    return ""
