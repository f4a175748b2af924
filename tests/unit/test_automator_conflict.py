"""Other sessions of the same user: who has it, until when, and what is pressed for it (guide 2.8, 4.3)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ibga.agent.report import Report
from ibga.automator import memory
from ibga.automator.conflict import PAUSES
from ibga.automator.decision import Decision
from ibga.automator.ledger import Outcome
from ibga.automator.requests import login_now
from ibga.automator.session import LoginBlock, Session, after, observe
from ibga.automator.steps import Click, Deed, Wait
from ibga.config import Config
from ibga.config.settings import ExistingSession
from ibga.runtime import GatewayState, State
from tests.support.reports import CONFIG, NOW, Json, change, later, look, recorded, sight


def policy(existing: ExistingSession, take_back_after: float | None = None) -> Config:
    login = replace(CONFIG.login, existing_session=existing, take_back_after=take_back_after)
    return replace(CONFIG, login=login)


TAKE_OVER = policy(ExistingSession.TAKE_OVER)
YIELD = policy(ExistingSession.YIELD)
ASK = policy(ExistingSession.ASK)


def logged_in(report: Report, **fields: object) -> Session:
    base = Session(pid=report.pid, logged_in=True, quiet_since=NOW.mono, state=State.READY)
    return replace(base, **fields)  # type: ignore[arg-type]


def at_login(report: Report, **fields: object) -> Session:
    base = Session(pid=report.pid, submitted=NOW.mono - 4, quiet_since=NOW.mono, state=State.LOADING)
    return replace(base, **fields)  # type: ignore[arg-type]


def pressed(report: Report, decision: Decision) -> str | None:
    """The caption that is pressed; None: nothing is."""
    if not isinstance(decision.step, Click):
        assert not isinstance(decision.step, Deed)
        return None
    found = report.find(decision.step.component)
    assert found is not None
    assert found[0].modal
    return found[1].text


def captions(proceed: str, give_up: str) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        change({"text": "Continue Login"}, text=proceed)(report)
        change({"text": "Cancel"}, text=give_up)(report)

    return edit


# --- at the login ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proceed", ["Continue Login", "CONTINUE LOGIN", "Reconnect This Session", "OK", "ok "]
)
@pytest.mark.parametrize("give_up", ["Cancel", "Exit Application"])
def test_every_set_of_buttons_takes_over_at_the_login_and_costs_no_second_attempt(
    proceed: str, give_up: str
) -> None:
    report = recorded("existing", captions(proceed, give_up))

    _, decision = look(report, session=at_login(report), config=TAKE_OVER)

    assert pressed(report, decision) == proceed
    assert isinstance(decision.step, Click)
    assert not decision.step.login_attempt


def test_under_yield_the_login_is_called_off_and_no_other_follows() -> None:
    report = recorded("existing")
    session, decision = look(report, session=at_login(report, failures=0), config=YIELD)
    assert pressed(report, decision) == "Cancel"
    assert decision.state is State.DISPLACED
    assert isinstance(decision.step, Click)

    session = after(session, decision.step, True, NOW)
    assert session.to_record is not None
    assert session.to_record.outcome is Outcome.YIELDED
    session = replace(session, to_record=None)
    form = recorded("login")
    for seconds in (1, 40, 4000, 400_000):
        session, decision = look(form, session=session, config=YIELD, now=later(seconds))
        assert pressed(form, decision) is None
        assert decision.state is State.DISPLACED
        assert "ibga login" in decision.person
    assert session.failures == 0


def test_under_yield_the_next_process_does_not_log_in_either() -> None:
    report = recorded("existing")
    session, _ = look(report, session=at_login(report), config=YIELD)
    form = replace(recorded("login"), pid=report.pid + 1)

    session, decision = look(form, session=session, config=YIELD, now=later(60))

    assert session.pid == form.pid
    assert decision.state is State.DISPLACED
    assert pressed(form, decision) is None


@pytest.mark.parametrize("give_up", ["Exit Application", "Close"])
def test_under_yield_a_button_that_may_end_the_process_is_left_to_a_person(give_up: str) -> None:
    report = recorded("existing", captions("Continue Login", give_up))
    _, decision = look(report, session=at_login(report), config=YIELD)
    assert pressed(report, decision) is None
    assert decision.state is State.NEEDS_PERSON
    assert decision.person


def test_under_yield_nothing_is_called_off_that_is_not_known_to_be_our_login() -> None:
    report = recorded("existing")
    _, decision = look(report, session=at_login(report, submitted=None), config=YIELD)
    assert pressed(report, decision) is None


def test_under_yield_the_login_comes_after_the_time_that_is_configured_and_then_takes_over() -> None:
    config = policy(ExistingSession.YIELD, 900.0)
    report = recorded("existing")
    session, decision = look(report, session=at_login(report), config=config)
    assert isinstance(decision.step, Click)
    session = replace(after(session, decision.step, True, NOW), to_record=None)
    form = recorded("login")
    session, decision = look(form, session=session, config=config, now=later(899))
    assert decision.deadline == NOW.unix + 900
    assert pressed(form, decision) is None

    session, decision = look(form, session=session, config=config, now=later(901))
    assert decision.state is State.LOGIN
    session = replace(session, submitted=later(905).mono)
    _, decision = look(report, session=session, config=config, now=later(909))

    assert pressed(report, decision) == "Continue Login"


def test_under_ask_a_person_is_asked_at_the_login() -> None:
    report = recorded("existing")
    _, decision = look(report, session=at_login(report), config=ASK, now=later(1e6))
    assert pressed(report, decision) is None
    assert decision.state is State.NEEDS_PERSON


def test_a_dialog_of_sessions_without_a_known_button_is_for_a_person() -> None:
    report = recorded("existing", captions("Weiter", "Cancel"))
    session, decision = look(report, session=at_login(report))
    assert isinstance(decision.step, Wait)
    _, decision = look(report, session=session, now=later(11))
    assert decision.state is State.NEEDS_PERSON
    assert pressed(report, decision) is None


# --- once logged in -------------------------------------------------------------------------------------

DISPLACING = [
    ("existing-displaced", "Reconnect This Session"),
    ("relogin", "Re-login"),
    ("handoff", "Disconnect Other Session"),
]


@pytest.mark.parametrize(("name", "button"), DISPLACING)
def test_a_session_that_was_taken_is_taken_back_at_once_and_counts_as_a_login(name: str, button: str) -> None:
    report = recorded(name)
    session, decision = look(report, session=logged_in(report), config=TAKE_OVER)
    assert pressed(report, decision) == button
    assert decision.state is State.DISPLACED
    assert isinstance(decision.step, Click)
    assert decision.step.login_attempt

    session = after(session, decision.step, True, NOW)
    assert session.takeovers == (NOW.unix,)
    assert session.displaced_since is None
    assert session.failures == 0


@pytest.mark.parametrize(("name", "button"), DISPLACING)
def test_it_is_taken_back_after_the_time_that_is_configured(name: str, button: str) -> None:
    config = policy(ExistingSession.TAKE_OVER, 900.0)
    report = recorded(name)
    session, decision = look(report, session=logged_in(report), config=config)
    for seconds in (0, 60, 899):
        session, decision = look(report, session=session, config=config, now=later(seconds))
        assert decision.state is State.DISPLACED
        assert decision.deadline == NOW.unix + 900
        assert pressed(report, decision) is None
    _, decision = look(report, session=session, config=config, now=later(900))
    assert pressed(report, decision) == button


@pytest.mark.parametrize(("name", "button"), DISPLACING)
@pytest.mark.parametrize("config", [YIELD, ASK])
def test_under_yield_and_ask_nothing_is_pressed_after_being_displaced(
    name: str, button: str, config: Config
) -> None:
    report = recorded(name)
    session = logged_in(report)
    for seconds in (0, 60, 3600, 1_000_000):
        session, decision = look(report, session=session, config=config, now=later(seconds))
        assert decision.state is State.DISPLACED
        assert pressed(report, decision) is None
        assert "ibga login" in decision.person
    session, answer = login_now(session, sight(report), None)
    assert answer.ok
    _, decision = look(report, session=session, config=config, now=later(1_000_001))
    assert pressed(report, decision) == button


def test_no_session_is_taken_back_without_an_attempt_in_the_ledger() -> None:
    report = recorded("existing-displaced")
    block = LoginBlock(reason="all 8 logins of 24 h are used up", person="wait", until=NOW.unix + 60)
    _, decision = look(report, session=logged_in(report), block=block)
    assert pressed(report, decision) is None
    assert decision.state is State.NEEDS_PERSON
    assert decision.deadline == NOW.unix + 60


@pytest.mark.parametrize(
    ("name", "logged", "state"),
    [
        ("login", False, State.LOGIN),
        ("relogin", True, State.RECONNECTING),
        ("existing-displaced", True, State.DISPLACED),
    ],
)
def test_a_waiting_time_that_ib_has_told_needs_no_person(name: str, logged: bool, state: State) -> None:
    report = recorded(name)
    block = LoginBlock(reason="IB asks to wait before the next login", until=NOW.unix + 60)
    session = Session(pid=report.pid, logged_in=logged, reconnecting=name == "relogin", quiet_since=NOW.mono)
    _, decision = look(report, session=session, block=block)
    assert (decision.state, decision.deadline) == (state, NOW.unix + 60)
    assert not isinstance(decision.step, Deed)


def test_a_lost_connection_is_no_other_session_unless_the_log_says_so() -> None:
    report = recorded("relogin")
    lost = logged_in(report, reconnecting=True)
    _, decision = look(report, session=lost, config=YIELD)
    assert pressed(report, decision) == "Re-login"
    assert decision.state is State.RECONNECTING
    _, decision = look(report, session=lost, config=YIELD, kicked=True)
    assert pressed(report, decision) is None
    assert decision.state is State.DISPLACED


def test_a_displaced_session_is_not_ready_while_its_question_is_away_for_a_moment() -> None:
    report = recorded("existing-displaced")
    session, _ = look(report, session=logged_in(report), config=YIELD)
    main = recorded("main")
    session, decision = look(main, session=session, config=YIELD, now=later(1))
    assert decision.state is State.DISPLACED
    session, decision = look(main, session=session, config=YIELD, now=later(62))
    assert session.displaced_since is None
    assert decision.state is not State.DISPLACED
    assert session.api is None


def test_insisting_sessions_wait_longer_and_longer_then_a_person_is_asked() -> None:
    report = recorded("existing-displaced")
    session = logged_in(report)
    at = 0.0
    waited = []
    for _ in PAUSES:
        began = at
        while True:
            session, decision = look(report, session=session, now=later(at))
            if isinstance(decision.step, Click):
                break
            assert decision.state is State.DISPLACED
            assert at - began < 1000
            at += 1
        waited.append(at - began)
        session = replace(after(session, decision.step, True, later(at)), submitted=None)
    assert waited == list(PAUSES)
    _, decision = look(report, session=session, now=later(at + 600))
    assert decision.state is State.NEEDS_PERSON
    assert "ibga login" in decision.person

    session, answer = login_now(session, sight(report), None)
    assert answer.ok
    _, decision = look(report, session=session, now=later(at + 601))
    assert pressed(report, decision) == "Reconnect This Session"


def test_a_take_over_that_no_login_of_ours_is_known_for_asks_the_ledger() -> None:
    """As after a restart of the automator over a session whose settings were not read yet."""
    report = recorded("existing-displaced")
    unknown = Session(pid=report.pid, quiet_since=NOW.mono)

    session, decision = look(report, session=unknown, config=TAKE_OVER)

    assert isinstance(decision.step, Click)
    assert decision.step.login_attempt
    session = after(session, decision.step, True, NOW)
    assert session.submitted == NOW.mono
    block = LoginBlock(reason="all 8 logins of 24 h are used up", person="wait", until=NOW.unix + 60)
    _, decision = look(report, session=unknown, config=TAKE_OVER, block=block)
    assert pressed(report, decision) is None


def test_a_clock_that_was_set_back_does_not_leave_the_session_to_others_for_as_long() -> None:
    config = policy(ExistingSession.YIELD, 600.0)
    report = recorded("existing-displaced")
    session = logged_in(report, displaced_since=NOW.unix + 365 * 86400)
    for seconds in range(0, 590, 30):
        session, decision = look(report, session=session, config=config, now=later(seconds))
        assert pressed(report, decision) is None
    _, decision = look(report, session=session, config=config, now=later(601))
    assert pressed(report, decision) == "Reconnect This Session"


def test_what_a_person_insisted_on_is_not_kept_for_another_day() -> None:
    """Somebody has asked for the login, and done it on the screen, too."""
    displaced = recorded("existing-displaced")
    session, _ = look(displaced, session=logged_in(displaced), config=YIELD)
    session, answer = login_now(session, sight(displaced), None)
    assert answer.ok
    main = recorded("main")
    for seconds in (1, 70):
        session, _ = look(main, session=session, config=YIELD, now=later(seconds))

    again = recorded("existing-displaced")
    _, decision = look(again, session=session, config=YIELD, now=later(86400))

    assert pressed(again, decision) is None


# --- what outlives a restart ------------------------------------------------------------------------------


def test_a_restarted_automator_knows_who_has_the_session_and_how_often_it_was_taken(tmp_path: Path) -> None:
    report = recorded("existing-displaced")
    session, _ = look(
        report, session=logged_in(report, takeovers=(NOW.unix - 50, NOW.unix - 9)), config=YIELD
    )
    memory.remember(tmp_path / "automator.json", session)

    again = memory.recall(tmp_path / "automator.json", Session(pid=1), YIELD)

    assert again.takeovers == session.takeovers
    assert again.displaced_since == NOW.unix
    assert not again.logged_in  # of another process


def test_a_memory_of_an_older_version_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "automator.json"
    path.write_text('{"version": 1, "pid": 1, "started": 2, "settings": {}}')
    assert memory.recall(path, Session(pid=1), CONFIG) == Session(pid=1)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"version": 1, "takeovers": [' + "9" * 400 + "]}"])
def test_rubbish_in_the_memory_costs_no_more_than_another_look(tmp_path: Path, content: str) -> None:
    path = tmp_path / "automator.json"
    path.write_text(content)
    assert memory.recall(path, Session(pid=1), CONFIG) == Session(pid=1)


def test_closing_or_lending_ends_what_was_between_two_sessions() -> None:
    session = Session(displaced_since=NOW.unix, takeovers=(NOW.unix,), insist=True)
    session = observe(session, sight(None, GatewayState.STOPPED, alive=False), YIELD, NOW)
    assert (session.displaced_since, session.takeovers, session.insist) == (None, (), False)


# --- `ibga login` -----------------------------------------------------------------------------------------


def test_a_login_that_waits_is_tried_at_once_when_a_person_says_so() -> None:
    report = recorded("login")
    waiting = Session(pid=report.pid, failures=2, not_before=NOW.mono + 120, last_words="server disconnected")
    _, decision = look(report, session=waiting)
    assert isinstance(decision.step, Wait)

    session, answer = login_now(waiting, sight(report), None)

    assert answer.ok
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Click)
    assert session.failures == 2  # the next pause is as long as it would have been


def test_a_person_insists_for_one_login_only() -> None:
    displaced = recorded("existing-displaced")
    session = logged_in(displaced, displaced_since=NOW.unix, insist=True)
    session, decision = look(displaced, session=session, config=YIELD)
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, True, NOW)
    _, decision = look(displaced, session=session, config=YIELD, now=later(2))
    assert pressed(displaced, decision) is None

    failed = recorded("server-disconnected")
    session = observe(at_login(failed, insist=True), sight(failed), YIELD, NOW)
    assert not session.insist


def test_a_login_that_the_ledger_forbids_is_not_tried_for_a_person_either() -> None:
    report = recorded("login")
    waiting = Session(pid=report.pid, not_before=NOW.mono + 120)
    block = LoginBlock(reason="IB asks to wait before the next login", until=NOW.unix + 60)
    session, answer = login_now(waiting, sight(report), block)
    assert session == waiting
    assert not answer.ok
    assert "IB asks to wait" in answer.detail


def test_nothing_is_done_for_a_session_that_is_there_or_under_way_or_has_no_gateway() -> None:
    report = recorded("main")
    for session, seen, ok in (
        (logged_in(report), sight(report), True),
        (Session(pid=report.pid, submitted=NOW.mono), sight(report), True),
        (Session(), sight(None, GatewayState.STOPPED, alive=False), False),
    ):
        assert login_now(session, seen, None)[0] == session
        assert login_now(session, seen, None)[1].ok is ok
