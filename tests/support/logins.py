"""Log in many times in one process, each time with the form emptied, to see what arrives."""

import hashlib
import time
from collections.abc import Callable

from ibga.agent.report import Report, Window
from ibga.automator.executor import Executor, Result
from ibga.automator.eyes import Eyes
from ibga.automator.steps import Answered, Click, Deed, LoginStarted, Type
from ibga.config.settings import Input
from ibga.runtime import Watch
from tests.support.automator import Rig

#: Scenario for it: every attempt is answered with a notice, and the form comes back empty.
SCENARIO = {"login.outcomes": "login-error", "delay.welcome": "0", "delay.authenticating": "0"}


def log_in_repeatedly(rig: Rig, way: Input, password: str, count: int) -> list[bool]:
    """Fill in and submit the form *count* times; return of each login whether the password was intact."""
    with Watch([rig.paths.runtime_dir]) as watch:
        eyes = Eyes(rig.paths, watch, lambda: None)
        executor = Executor(eyes, rig.paths.agent_dir / "fifo", way, lambda: None, str)
        try:
            for _ in range(count):
                _log_in(eyes, executor, password)
        finally:
            executor.close()
    wanted = hashlib.sha256(password.encode()).hexdigest()
    return [event["user"] == "tester" and event["password_sha256"] == wanted for event in rig.events("login")]


def _log_in(eyes: Eyes, executor: Executor, password: str) -> None:
    form = _await_window(eyes, lambda window: _usable(window))
    user, secret = form.find("JTextField"), form.find("JPasswordField")
    assert user is not None
    assert secret is not None
    _perform(eyes, executor, Type(name="user", window=form.id, component=user.id, text="tester"))
    _perform(eyes, executor, Type(name="password", window=form.id, component=secret.id, text=password))
    button = form.find("JButton", "Log In") or form.find("JButton", "Paper Log In")
    assert button is not None
    press = Click(
        name="log in", window=form.id, component=button.id, effect=LoginStarted(button.id), effect_timeout=5
    )
    _perform(eyes, executor, press)
    notice = _await_window(
        eyes, lambda window: window.title == "Login Error" and window.find("JButton", "OK")
    )
    ok = notice.find("JButton", "OK")
    assert ok is not None
    _perform(eyes, executor, Click(name="ok", window=notice.id, component=ok.id, effect=Answered(notice.id)))


def _usable(window: Window) -> bool:
    field = window.find("JPasswordField")
    return field is not None and field.enabled and window.kind == "frame"


def _await_window(eyes: Eyes, wanted: Callable[[Window], object]) -> Window:
    deadline = time.monotonic() + 30
    while True:
        for window in eyes.report.windows if eyes.report else ():
            if wanted(window):
                return window
        assert time.monotonic() < deadline, (
            [window.title for window in eyes.report.windows] if eyes.report else None
        )
        eyes.wait(0.2)


def _perform(eyes: Eyes, executor: Executor, step: Deed) -> None:
    """Perform *step*; where the form has changed meanwhile (its button, say), on the newest report."""
    for _ in range(20):
        report: Report | None = eyes.report
        assert report is not None
        result = executor.perform(step, report)
        if result is Result.WORKED:
            return
        assert result is Result.STALE, (step.name, result)
        eyes.wait(0.05)
    raise AssertionError(f"{step.name}: always stale")
