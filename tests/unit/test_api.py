"""What the relay does about a session, decided from the record alone."""

import pytest

from ibga.api import SHUT_STATES, Gate, decide
from ibga.runtime import State
from tests.support.sessions import session


def test_the_port_is_open_only_while_ready_and_fresh() -> None:
    verdict = decide(session(State.READY, api_port=9100), age=29.9)

    assert (verdict.gate, verdict.port) == (Gate.OPEN, 9100)


@pytest.mark.parametrize("state", [state for state in State if state != State.READY])
def test_no_other_state_opens_the_port(state: State) -> None:
    assert decide(session(state), age=0).gate != Gate.OPEN


@pytest.mark.parametrize("state", ["restarting", "displaced", "frozen", "failed", "stopped"])
def test_clients_are_closed_where_no_connection_can_be_of_use(state: str) -> None:
    assert decide(session(State(state)), age=0).gate == Gate.SHUT


@pytest.mark.parametrize("state", sorted(set(State) - SHUT_STATES - {State.READY}))
def test_clients_are_held_in_every_other_state(state: State) -> None:
    verdict = decide(session(state, reason="waiting for IB Key"), age=0)

    assert (verdict.gate, verdict.reason) == (Gate.HOLD, "waiting for IB Key")


def test_a_record_that_nobody_renews_refuses_new_clients_and_holds_the_others() -> None:
    verdict = decide(session(State.READY), age=31)

    assert verdict.gate == Gate.HOLD
    assert "31 s" in verdict.reason


def test_a_shut_session_stays_shut_when_its_record_gets_old() -> None:
    assert decide(session(State.FROZEN), age=3600).gate == Gate.SHUT


def test_ready_without_an_answering_api_refuses() -> None:
    verdict = decide(session(State.READY, api_ok=False), age=0)

    assert verdict.gate == Gate.HOLD
    assert "API does not answer" in verdict.reason


def test_no_record_refuses() -> None:
    assert decide(None, age=0).gate == Gate.HOLD
