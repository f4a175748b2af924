"""Other sessions of the same user against the simulated gateway: taken over, left alone, given back."""

import time

import pytest

from ibga.automator.ledger import Attempt, Ledger, Outcome
from ibga.runtime import RequestKind, State
from tests.support.automator import Rig, running_rig
from tests.support.deadline import wait_until

OTHER = {"other.session": "true"}
YIELD = 'existing_session = "yield"'


def attempts(rig: Rig) -> tuple[Attempt, ...]:
    return Ledger.open(rig.paths, "tester").attempts_since(0.0)


@pytest.mark.parametrize(
    ("scenario", "dialog", "pressed"),
    [
        ({}, "existing", "Continue Login"),
        ({"dialog.existing.buttons": "Reconnect This Session|Cancel"}, "existing", "Reconnect This Session"),
        ({"dialog.existing.buttons": "OK|Exit Application"}, "existing", "OK"),
        ({"dialogs.capitals": "true"}, "existing", "Continue Login"),
        ({"other.dialog": "handoff"}, "handoff", "Disconnect Other Session"),
    ],
)
def test_a_login_takes_over_with_whatever_button_it_has(
    scenario: dict[str, str], dialog: str, pressed: str
) -> None:
    with running_rig(scenario={**OTHER, **scenario}) as rig:
        rig.wait_state(State.READY)

        assert rig.presses(dialog) == [pressed]
        assert [each.outcome for each in attempts(rig)] == [Outcome.ACCEPTED]


def test_under_yield_the_login_is_called_off_until_a_person_says_so() -> None:
    with running_rig(scenario=OTHER, login=YIELD) as rig:
        session = rig.wait_state(State.DISPLACED)
        wait_until(lambda: attempts(rig)[0].outcome is Outcome.YIELDED, "that is written down")
        assert rig.presses("existing") == ["Cancel"]
        rig.kill_automator()
        rig.start_automator()
        time.sleep(3)
        session = rig.wait_state(State.DISPLACED)
        assert "ibga login" in session.person
        assert len(rig.events("login")) == 1
        assert [each.outcome for each in attempts(rig)] == [Outcome.YIELDED]
        assert session.logins is not None
        assert (session.logins.left, session.logins.budget) == (7, 8)

        reply = rig.request(RequestKind.LOGIN)

        assert reply.ok, reply
        rig.wait_state(State.READY)
        assert rig.presses("existing") == ["Cancel", "Continue Login"]
        assert len(rig.events("login")) == 2


def test_under_yield_a_login_that_can_only_be_called_off_with_the_whole_program_is_left() -> None:
    scenario = {**OTHER, "dialog.existing.buttons": "OK|Exit Application"}
    with running_rig(scenario=scenario, login=YIELD) as rig:
        assert rig.wait_state(State.NEEDS_PERSON).person
        time.sleep(1)
        assert rig.presses("existing") == []


@pytest.mark.parametrize(
    ("displaced", "button"), [("relogin", "Re-login"), ("existing-displaced", "Reconnect This Session")]
)
def test_a_session_that_was_taken_is_taken_back_and_counted(displaced: str, button: str) -> None:
    with running_rig(scenario={"other.displaced": displaced}) as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("other-login")

        wait_until(lambda: rig.presses(displaced) == [button], "it is taken back")
        rig.wait_state(State.READY)

        assert len(attempts(rig)) == 2
        assert Outcome.TRANSIENT not in {each.outcome for each in attempts(rig)}
        assert len(rig.events("login")) == 1


@pytest.mark.parametrize("displaced", ["relogin", "existing-displaced"])
def test_under_yield_a_session_that_was_taken_is_left_until_a_person_says_so(displaced: str) -> None:
    with running_rig(scenario={"other.displaced": displaced}, login=YIELD) as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("other-login")
        rig.wait_state(State.DISPLACED)
        rig.kill_automator()
        rig.start_automator()
        time.sleep(2)
        rig.wait_state(State.DISPLACED)
        assert rig.presses(displaced) == []

        assert rig.request(RequestKind.LOGIN).ok

        rig.wait_state(State.READY)
        assert len(rig.presses(displaced)) == 1


def test_a_session_that_was_taken_is_taken_back_after_the_time_that_is_configured() -> None:
    with running_rig(
        scenario={"other.displaced": "existing-displaced"}, login='take_back_after = "5s"'
    ) as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("other-login")
        session = rig.wait_state(State.DISPLACED)
        assert session.deadline is not None
        assert 2 < session.deadline - time.time() <= 5
        taken = rig.events("displaced")[0]["time"]

        press = rig.gateway.wait_for("press", dialog="existing-displaced")

        assert press["time"] - taken >= 4.9
        rig.wait_state(State.READY)


def test_two_programs_that_insist_are_slowed_down_also_over_a_restart() -> None:
    scenario = {"other.insists": "50", "other.delay": "0.5"}
    with running_rig(scenario={**OTHER, **scenario}) as rig:
        # The start's own, and one more; then a pause.
        paused = wait_until(
            lambda: s if (s := rig.session()) and s.state is State.DISPLACED and s.deadline else None,
            "it pauses",
            timeout=60,
        )
        assert paused.deadline is not None
        assert 30 < paused.deadline - time.time() <= 60
        takes = len(rig.events("session", holder="this"))
        assert takes == 2
        rig.kill_automator()
        rig.start_automator()
        time.sleep(4)
        again = rig.wait_state(State.DISPLACED)
        assert again.deadline == paused.deadline
        assert len(rig.events("session", holder="this")) == takes
        assert len(attempts(rig)) == 2


def test_a_login_that_ib_takes_no_notice_of_is_found_in_the_log_and_not_repeated_soon() -> None:
    scenario = {"login.outcomes": "silent", "silent.timeout": "20", "silent.dialog": "none", "speed": "10"}
    with running_rig(scenario=scenario) as rig:
        session = wait_until(
            lambda: s if (s := rig.session()) and "took no notice" in s.reason and s.deadline else None,
            "the log tells of it",
            timeout=25,
        )
        assert session.deadline is not None
        assert 500 < session.deadline - time.time() <= 600
        rig.kill_automator()
        rig.start_automator()
        time.sleep(3)
        again = rig.wait_state(State.LOGIN)
        assert again.deadline is not None
        assert 450 < again.deadline - time.time() <= 600
        assert len(rig.events("login")) == 1
