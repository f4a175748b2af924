"""FIX CTCI against the simulated gateway: another form, no progress window, no settings, no handshake."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ibga.runtime import State
from tests.support.automator import Rig, running_rig
from tests.support.deadline import wait_until

FIX_PASSWORD = "fix-pass word"


@contextmanager
def fix_rig(tmp_path: Path, mode: str = "live", **scenario: str) -> Iterator[Rig]:
    """A FIX login; the account's own name and password are the optional ones for market data."""
    secret = tmp_path / "fix-password"
    secret.touch(mode=0o600)
    secret.write_text(FIX_PASSWORD)
    account = f'fix_username = "fixuser"\nfix_password_file = "{secret}"\n'
    keys = {key.replace("_", "."): value for key, value in scenario.items()}
    with running_rig(mode=mode, login='tab = "FIX CTCI"', account=account, scenario=keys) as rig:
        yield rig


def test_a_fix_session_gets_ready_and_says_what_it_rests_on(tmp_path: Path) -> None:
    with fix_rig(tmp_path) as rig:
        session = rig.wait_state(State.READY)

        (login,) = rig.events("login")
        assert (login["tab"], login["user"]) == ("FIX CTCI", "fixuser")
        assert login["password_sha256"] == hashlib.sha256(FIX_PASSWORD.encode()).hexdigest()
        assert session.api_port == rig.events("api-listen")[0]["port"]
        assert f"listens on port {session.api_port}" in session.facts.api.detail
        assert session.facts.farms.ok
        assert rig.events("api-connect") + rig.events("api-bare-connect") == []
        assert rig.events("early-menu") + rig.events("setting") == []
        assert {event["dialog"] for event in rig.events("press")} == {"login"}
        assert not rig.automator.warnings()

        # A restarted automator finds the session and touches nothing.
        presses = len(rig.events("press"))
        rig.kill_automator()
        started = time.time()
        rig.start_automator()
        wait_until(
            lambda: (s := rig.session()) and s.time > started and s.state is State.READY, "ready again"
        )
        assert len(rig.events("press")) == presses

        rig.gateway.command("lose-connection")
        rig.wait_state(State.RECONNECTING)
        rig.gateway.command("restore-connection")
        rig.wait_state(State.READY)

        reply = rig.request_close()
        assert reply.ok
        assert rig.gateway.wait(10) == 0
        assert rig.events("exit")[-1]["how"] == "menu"


@pytest.mark.parametrize("outcome", ["login-failed"])
def test_wrong_fix_credentials_are_tried_once(tmp_path: Path, outcome: str) -> None:
    with fix_rig(tmp_path, login_outcomes=outcome) as rig:
        assert "refused" in rig.wait_state(State.NEEDS_PERSON).reason
        wait_until(lambda: rig.presses(outcome) == ["OK"], "the notice was answered")
        time.sleep(3)
        assert len(rig.events("login")) == 1


def test_fix_is_not_ready_before_the_login_is_complete(tmp_path: Path) -> None:
    with fix_rig(tmp_path, delay_authenticating="4", delay_api="3") as rig:
        login = rig.gateway.wait_for("login", timeout=40)
        rig.wait_state(State.READY)
        listening = rig.gateway.wait_for("api-listen")
        session = rig.session()
        assert session is not None
        assert session.since >= listening["time"] > login["time"] + 7


@pytest.mark.parametrize("welcome", ["stays", "none"])
def test_fix_gets_ready_with_whatever_progress_window(tmp_path: Path, welcome: str) -> None:
    with fix_rig(tmp_path, fix_welcome=welcome) as rig:
        rig.wait_state(State.READY)
        assert len(rig.events("login")) == 1
        assert rig.presses("welcome") == []


def test_the_trading_mode_is_chosen_where_the_fix_tab_has_it(tmp_path: Path) -> None:
    with fix_rig(tmp_path, mode="paper", fix_modes="true") as rig:
        rig.wait_state(State.READY)
        assert rig.events("login")[0]["mode"] == "paper"
