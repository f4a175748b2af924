"""What IB says instead of a login, told apart by its words: whatever the title, whatever holds the text."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ibga.agent.report import Report
from ibga.automator.ledger import Outcome
from ibga.automator.session import BACK_OFF, Session, observe
from ibga.automator.steps import Click
from ibga.runtime import State
from tests.support.reports import CONFIG, NOW, Json, components, look, recorded, sight

REFUSED = [
    "Invalid username or password.",
    "Connection to server failed: Invalid username or password. Please check the Caps Lock key; passwords are"
    " case sensitive.",
    "This username has multiple Paper Trading users associated with it.",
]
SERVER = [
    "Server disconnected, please try again",
    "Login failed - Server disconnected, please try again",
    "Connection to server failed: Server disconnected, please try again",
    "The system is not currently available",
]
WAITS = [
    ("Too many failed login attempts. Please wait 53 seconds before attempting to re-login again.", 56.0),
    (
        "Too many failed login attempts. Please wait 2 minutes & 1 second before attempting to re-login.",
        124.0,
    ),
    ("Too many failed login attempts. Please wait 1 minute before attempting to re-login again.", 63.0),
]
EXPIRED = [
    "The security tokens associated with your login credentials have expired (routinely).",
    "Login failed = Soft token=0 received instead of expected permanent for zdc1.ibllc.com:4001 (SSL)",
]
TITLES = ["Login failed", "LOGIN FAILED", "Login Error", "Gateway", "GATEWAY", "IBKR Gateway", "", "Notice"]
HOLDERS = ["JLabel", "JTextPane", "JTextArea", "JOptionPane"]


def saying(text: str, title: str, holder: str) -> Report:
    """A login's dialog of that title with one text in one kind of component, and an OK."""

    def edit(report: Json) -> None:
        (window,) = (shown for shown in report["windows"] if shown["modal"])
        window["title"] = title
        texts = [
            each for each in components(window) if each.get("text") and not each["base"].endswith("Button")
        ]
        assert texts
        for each in texts:
            each.update(text="", original="")
        texts[-1].update(text=text, base=f"javax.swing.{holder}")

    return recorded("login-failed", edit)


def judged(text: str, title: str, holder: str) -> tuple[Session, Report]:
    report = saying(text, title, holder)
    session = Session(pid=report.pid, submitted=NOW.mono - 2)
    return observe(session, sight(report), CONFIG, NOW), report


def every_form(test: Callable[..., None]) -> Callable[..., None]:
    for name, values in (("title", TITLES), ("holder", HOLDERS)):
        test = pytest.mark.parametrize(name, values)(test)
    return test


def presses_ok(session: Session, report: Report) -> None:
    session, decision = look(report, session=session)
    assert session.to_record is not None  # first of all
    _, decision = look(report, session=replace(session, to_record=None))
    assert isinstance(decision.step, Click)
    found = report.find(decision.step.component)
    assert found is not None
    assert found[1].text == "OK"


@every_form
@pytest.mark.parametrize("text", REFUSED)
def test_refused_credentials_are_refused(text: str, title: str, holder: str) -> None:
    session, report = judged(text, title, holder)
    assert session.to_record is not None
    assert session.to_record.outcome is Outcome.REFUSED
    assert text in session.to_record.text
    presses_ok(session, report)


@every_form
@pytest.mark.parametrize("text", SERVER)
def test_trouble_of_the_server_is_tried_again_later(text: str, title: str, holder: str) -> None:
    session, report = judged(text, title, holder)
    assert session.to_record is not None
    assert session.to_record.outcome is Outcome.TRANSIENT
    assert session.not_before == NOW.mono + BACK_OFF[0]
    presses_ok(session, report)


@every_form
@pytest.mark.parametrize(("text", "seconds"), WAITS)
def test_too_many_attempts_wait_as_long_as_ib_says(
    text: str, seconds: float, title: str, holder: str
) -> None:
    session, report = judged(text, title, holder)
    assert session.not_before == NOW.mono + seconds
    presses_ok(session, report)


@every_form
@pytest.mark.parametrize("text", EXPIRED)
def test_a_void_token_is_followed_by_a_full_login_at_once(text: str, title: str, holder: str) -> None:
    session, report = judged(text, title, holder)
    assert session.not_before <= NOW.mono + 1
    presses_ok(session, report)


@every_form
def test_the_progress_of_a_login_is_never_answered(title: str, holder: str) -> None:
    session, report = judged("Connecting to server...", title, holder)
    assert session.to_record is None
    _, decision = look(report, session=session)
    assert not isinstance(decision.step, Click)
    assert decision.state is not State.NEEDS_PERSON
