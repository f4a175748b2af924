"""launcher.log: logins that IB took no notice of, and sessions that another one ended (guide 1.11)."""

from dataclasses import replace
from pathlib import Path

import pytest

from ibga.automator.launcher_log import MAX_TAIL, LauncherLog, dropped, kicked
from ibga.automator.session import DROPPED_PAUSE, Session
from ibga.automator.steps import Deed
from ibga.runtime import State
from tests.support.reports import NOW, later, look, recorded

ASKED = "10:00:00.000 Authenticating\n10:00:00.001 AuthTimeoutMonitor-CCP: activate\n"
HEARD = "10:00:00.201 NS_AUTH_START\n"
TIMEOUT = "10:00:20.001 AuthTimeoutMonitor-CCP: Timeout!\n"
KICKED = (
    "11:00:00.000 COMPETE: session kicked out\n11:00:00.001 Disconnect all farms due to competing session\n"
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", False),
        (ASKED, False),
        (ASKED + TIMEOUT, True),
        (ASKED + HEARD + TIMEOUT, False),
        (ASKED + HEARD + ASKED + TIMEOUT, True),
        (ASKED + TIMEOUT + ASKED + HEARD, False),
        (ASKED + TIMEOUT + ASKED, False),
        (TIMEOUT, False),
    ],
)
def test_a_login_was_dropped_when_its_last_request_timed_out_unheard(text: str, wanted: bool) -> None:
    assert dropped(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", False),
        (ASKED + HEARD, False),
        (ASKED + HEARD + KICKED, True),
        (ASKED + HEARD + KICKED + ASKED + HEARD, False),
        (KICKED + "Running in auto-restart mode: restoring session token...\n", False),
    ],
)
def test_a_session_was_kicked_out_when_that_is_newer_than_its_login(text: str, wanted: bool) -> None:
    assert kicked(text) is wanted


def test_what_was_written_before_the_login_tells_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "launcher.log"
    log = LauncherLog(path)
    assert not log.dropped
    path.write_text(ASKED + TIMEOUT)
    assert not log.dropped  # of a login before we came
    log.mark()
    assert not log.dropped
    with path.open("a") as file:
        file.write(ASKED + TIMEOUT)
    assert log.dropped


def test_a_log_that_is_missing_begun_anew_or_huge_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "launcher.log"
    log = LauncherLog(path)
    log.mark()
    assert not log.dropped
    assert not log.kicked
    path.write_text("x" * (3 * MAX_TAIL))
    log.mark()
    path.write_text(ASKED + TIMEOUT)  # shorter than the mark
    assert log.dropped
    path.write_bytes(b"\xff" * (3 * MAX_TAIL) + (ASKED + TIMEOUT).encode())
    assert log.dropped
    path.unlink()
    path.mkdir()
    assert not log.dropped


def test_a_dropped_login_is_found_before_the_time_out_and_waits_long() -> None:
    form = recorded("login")
    session = Session(pid=form.pid, submitted=NOW.mono, quiet_since=NOW.mono)
    for seconds in (1, 21):
        session, _ = look(form, session=session, now=later(seconds))
        assert session.submitted is not None
    session, _ = look(form, session=session, now=later(21), dropped=True)
    session, decision = look(form, session=replace(session, to_record=None), now=later(22))
    assert session.submitted is None
    assert session.failures == 1
    assert session.not_before == later(21).mono + DROPPED_PAUSE
    assert "took no notice" in session.last_words
    assert decision.state is State.LOGIN
    assert not isinstance(decision.step, Deed)


def test_the_pause_is_long_also_where_the_gateway_says_that_the_server_disconnected() -> None:
    report = recorded("server-disconnected")
    session = Session(pid=report.pid, submitted=NOW.mono, dropped=True)
    session, _ = look(report, session=session)
    assert session.not_before == NOW.mono + DROPPED_PAUSE
    assert not session.dropped
