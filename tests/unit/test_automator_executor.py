"""The executor through a FIFO that the test reads: what it does, and what it refuses to do."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from Xlib.error import BadDrawable

from ibga.agent.report import Answer, Bounds, Report
from ibga.automator.executor import Executor, Result
from ibga.automator.steps import Answered, Click, CloseWindow, LoginStarted, Type, TypeCode
from ibga.config.settings import Input
from ibga.errors import IbgaError
from ibga.runtime import Display
from tests.support.reports import change, recorded


class Agent:
    """Stands for the eyes and the agent: answers a command with the next report."""

    def __init__(self, fifo: Path, report: Report, *, ok: bool = True) -> None:
        os.mkfifo(fifo)
        self._fifo = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.report: Report | None = report
        self.display: Display | None = None
        self.commands: list[dict[str, Any]] = []
        self.effect: Callable[[Report], Report] = lambda report: report
        self._ok = ok

    def silent(self) -> float:
        return 0.0

    def wait(self, timeout: float) -> bool:
        try:
            text = os.read(self._fifo, 65536).decode()
        except BlockingIOError:
            text = ""
        for line in text.splitlines():
            command = json.loads(line)
            self.commands.append(command)
            assert self.report is not None
            answer = Answer(id=command["id"], ok=self._ok, error="" if self._ok else "disabled")
            report = self.effect(self.report) if self._ok else self.report
            self.report = replace(report, seq=self.report.seq + 1, answered=(answer,))
        return bool(text)

    def close(self) -> None:
        os.close(self._fifo)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., tuple[Agent, Executor]]]:
    agents = []

    def make(
        report: Report,
        *,
        way: Input = Input.AGENT,
        before_login: Callable[[], None] = lambda: None,
        next_code: Callable[[], str] = lambda: "123456",
        ok: bool = True,
    ) -> tuple[Agent, Executor]:
        agent = Agent(tmp_path / "fifo", report, ok=ok)
        agents.append(agent)
        return agent, Executor(agent, tmp_path / "fifo", way, before_login, next_code)

    yield make
    for agent in agents:
        agent.close()


Made = Callable[..., tuple[Agent, Executor]]


def press_paper(report: Report, timeout: float = 0.2) -> Click:
    window = next(each for each in report.windows if each.title == "Warning")
    button = window.find("JButton")
    assert button is not None
    return Click(
        name="answer",
        window=window.id,
        component=button.id,
        effect=Answered(window.id),
        effect_timeout=timeout,
    )


def gone(title: str) -> Callable[[Report], Report]:
    return lambda report: replace(
        report, windows=tuple(each for each in report.windows if each.title != title)
    )


def test_a_click_works_when_its_effect_is_seen(made: Made) -> None:
    report = recorded("paper")
    agent, executor = made(report)
    agent.effect = gone("Warning")

    assert executor.perform(press_paper(report), report) is Result.WORKED
    assert [each["command"] for each in agent.commands] == ["click"]


def test_a_click_without_effect_is_told_and_made_once(made: Made) -> None:
    report = recorded("paper")
    agent, executor = made(report)

    assert executor.perform(press_paper(report), report) is Result.NO_EFFECT
    assert len(agent.commands) == 1


def test_what_the_agent_refuses_has_no_effect(made: Made) -> None:
    report = recorded("paper")
    agent, executor = made(report, ok=False)
    agent.effect = gone("Warning")
    assert executor.perform(press_paper(report), report) is Result.NO_EFFECT


def test_nothing_is_done_in_a_window_that_shows_something_else_by_now(made: Made) -> None:
    old = recorded("paper")
    words = "This is a question of another kind"
    text = next(each.text for _, each in old.walk() if "brokerage" in each.text)
    agent, executor = made(recorded("paper", change({"text": text}, text=words)))

    assert executor.perform(press_paper(old), old) is Result.STALE
    agent.wait(0)
    assert agent.commands == []


def test_nothing_is_done_when_the_window_has_gone(made: Made) -> None:
    old = recorded("paper")
    agent, executor = made(gone("Warning")(old))
    assert executor.perform(press_paper(old), old) is Result.STALE
    agent.wait(0)
    assert agent.commands == []


def test_a_button_that_was_disabled_meanwhile_is_not_pressed(made: Made) -> None:
    old = recorded("paper")
    agent, executor = made(recorded("paper", change({"text": "I understand and accept"}, enabled=False)))
    assert executor.perform(press_paper(old), old) is Result.STALE
    agent.wait(0)
    assert agent.commands == []


def test_nothing_is_pressed_when_the_login_cannot_be_written_down(made: Made) -> None:
    def full() -> None:
        raise IbgaError("cannot write the login ledger")

    report = recorded("login", change({"text": "Log In"}, enabled=True))
    agent, executor = made(report, before_login=full)
    window = next(each for each in report.windows if each.find("JPasswordField"))
    button = window.find("JButton", "Log In")
    assert button is not None
    step = Click(
        name="log in",
        window=window.id,
        component=button.id,
        effect=LoginStarted(button.id),
        login_attempt=True,
    )
    with pytest.raises(IbgaError):
        executor.perform(step, report)
    agent.wait(0)
    assert agent.commands == []


def test_a_login_is_pressed_once_although_nothing_is_seen_of_it(made: Made) -> None:
    attempts: list[int] = []
    report = recorded("login", change({"text": "Log In"}, enabled=True))
    agent, executor = made(report, way=Input.AUTO, before_login=lambda: attempts.append(1))
    window = next(each for each in report.windows if each.find("JPasswordField"))
    button = window.find("JButton", "Log In")
    assert button is not None
    step = Click(
        name="log in",
        window=window.id,
        component=button.id,
        effect=LoginStarted(button.id),
        effect_timeout=0.2,
        login_attempt=True,
    )
    assert executor.perform(step, report) is Result.PRESSED
    assert len(agent.commands) == len(attempts) == 1


def test_a_text_is_proved_by_what_the_field_holds_then(made: Made) -> None:
    report = recorded("login")
    agent, executor = made(report)
    window = next(each for each in report.windows if each.find("JPasswordField"))
    field = window.find("JPasswordField")
    assert field is not None
    step = Type(name="type", window=window.id, component=field.id, text="ab€")

    agent.effect = lambda _: recorded("login", change({"id": field.id}, length=2))
    assert executor.perform(step, report) is Result.NO_EFFECT
    assert agent.report is not None
    agent.effect = lambda _: recorded("login", change({"id": field.id}, length=3))
    assert executor.perform(step, agent.report) is Result.WORKED


def test_without_a_display_the_agent_is_used_and_it_is_said(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    report = recorded("paper")
    agent, executor = made(report, way=Input.AUTO)
    agent.effect = gone("Warning")
    assert executor.perform(press_paper(report), report) is Result.WORKED
    assert "now through the agent" in caplog.text


class Vanished(BadDrawable):  # type: ignore[misc]
    def __init__(self) -> None:
        self._data = {"code": 9}

    def __str__(self) -> str:
        return "BadDrawable"


def test_a_window_that_goes_while_x_is_asked_for_it_does_not_end_the_loop(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = recorded("paper")
    _, executor = made(report, way=Input.XTEST)

    def gone_meanwhile(*_: object) -> None:
        raise Vanished  # as of get_geometry

    monkeypatch.setattr(executor, "_mouse", lambda: object())
    monkeypatch.setattr(executor, "_by_mouse", gone_meanwhile)
    monkeypatch.setattr("ibga.automator.executor.x11.screenshot", gone_meanwhile)
    assert executor.perform(press_paper(report), report) is Result.NO_EFFECT
    assert executor.screenshot() is None


def test_xtest_alone_does_nothing_without_a_display(made: Made) -> None:
    report = recorded("paper")
    agent, executor = made(report, way=Input.XTEST)
    assert executor.perform(press_paper(report), report) is Result.NO_EFFECT
    agent.wait(0)
    assert agent.commands == []


def test_closing_a_window_goes_through_the_agent(made: Made) -> None:
    report = recorded("write-access")
    agent, executor = made(report, way=Input.XTEST)
    window = next(each for each in report.windows if each.title.startswith("API client needs"))
    agent.effect = gone(window.title)
    step = CloseWindow(name="close", window=window.id, effect=Answered(window.id))
    assert executor.perform(step, report) is Result.WORKED
    assert agent.commands[0]["command"] == "close"


def over(report: Report, title: str, *, bounds: Bounds) -> str:
    """What the executor says lies over a window, when X has one at *bounds* there."""
    place = SimpleNamespace(**dict(zip(("x", "y", "width", "height"), bounds, strict=True)))
    child = SimpleNamespace(get_geometry=lambda: place)
    root = SimpleNamespace(translate_coords=lambda *_: SimpleNamespace(child=child))
    eyes = SimpleNamespace(report=report, display=None)
    executor = Executor(eyes, Path("/nowhere"), Input.AUTO, lambda: None, str)
    executor._connection = SimpleNamespace(screen=lambda: SimpleNamespace(root=root))
    window = next(each for each in report.windows if each.title == title)
    return executor._covering(window, 10, 10, None)


def test_of_two_windows_in_one_place_none_is_clicked() -> None:
    report = recorded("paper")
    warning = next(each for each in report.windows if each.title == "Warning")
    assert over(report, "Warning", bounds=warning.bounds) == ""
    twin = replace(warning, id=9001, title="Order Preview")
    both = replace(report, windows=(*report.windows, twin))
    assert over(both, "Warning", bounds=warning.bounds)


def test_a_popup_of_something_else_is_not_clicked() -> None:
    report = recorded("paper")
    tip = replace(report.windows[-1], id=9001, title="", kind="window", bounds=Bounds(1, 1, 50, 20), popup=77)
    assert over(replace(report, windows=(*report.windows, tip)), "Warning", bounds=Bounds(1, 1, 50, 20))


def code_step(report: Report) -> TypeCode:
    window = next(each for each in report.windows if "jauthentication" in each.class_name)
    field = window.find("JTextField")
    assert field is not None
    return TypeCode(name="type the code", window=window.id, component=field.id)


def filled(length: int) -> Callable[[Report], Report]:
    def effect(report: Report) -> Report:
        for _, component in report.walk():
            if component.is_a("JTextField"):
                component.length = length
        return report

    return effect


def test_a_code_is_made_when_it_is_typed_and_seen_by_its_length_alone(made: Made) -> None:
    report = recorded("2fa-code")
    asked: list[float] = []

    def next_code() -> str:
        asked.append(time.monotonic())
        return "123456"

    agent, executor = made(report, next_code=next_code)
    agent.effect = filled(6)
    step = code_step(report)
    assert executor.perform(step, report) is Result.WORKED
    assert [each["text"] for each in agent.commands] == ["123456"]
    assert len(asked) == 1
    assert "123456" not in repr(step)
    assert "123456" not in repr(vars(executor))


def test_a_code_that_did_not_arrive_whole_was_not_typed(made: Made) -> None:
    report = recorded("2fa-code")
    agent, executor = made(report)
    agent.effect = filled(5)
    assert executor.perform(code_step(report), report) is Result.NO_EFFECT


def test_nothing_is_typed_where_no_code_can_be_given(made: Made) -> None:
    def none() -> str:
        raise IbgaError("not now")

    report = recorded("2fa-code")
    agent, executor = made(report, next_code=none)
    with pytest.raises(IbgaError):
        executor.perform(code_step(report), report)
    agent.wait(0)
    assert agent.commands == []


def test_what_may_have_reached_ib_is_not_pressed_again(made: Made) -> None:
    report = recorded("2fa-code")
    agent, executor = made(report)
    window = next(each for each in report.windows if "jauthentication" in each.class_name)
    ok = window.find("JButton", "OK")
    assert ok is not None
    press = Click(
        name="send the code",
        window=window.id,
        component=ok.id,
        effect=Answered(window.id),
        effect_timeout=0.2,
        once=True,
    )
    assert executor.perform(press, report) is Result.PRESSED
    assert len(agent.commands) == 1


@pytest.mark.parametrize(("text", "first"), [("a b", ["set_text"]), ("ab", [])])
def test_a_text_with_a_blank_does_not_go_through_the_keyboard(
    made: Made, text: str, first: list[str]
) -> None:
    """A blank presses the button of a dialog that comes while it is on its way."""
    report = recorded("login")
    agent, executor = made(report, way=Input.AUTO)
    window = next(each for each in report.windows if each.find("JPasswordField"))
    field = window.find("JPasswordField")
    assert field is not None
    asked: list[bool] = []
    executor._mouse = lambda: asked.append(True)  # type: ignore[assignment,func-returns-value,method-assign]
    agent.effect = lambda report: report
    field.length = len(text)

    executor.perform(Type(name="type", window=window.id, component=field.id, text=text), report)

    assert [each["command"] for each in agent.commands][:1] == ["set_text"]
    assert asked == ([] if first else [True])  # there, mouse and keyboard come first
