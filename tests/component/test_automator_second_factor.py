"""Second factors against the simulator, whose IB checks each code: what is typed, pressed, told, awaited."""

import base64
import time
from pathlib import Path

import pytest

from ibga.automator import totp
from ibga.automator.phone import PhoneLock
from ibga.runtime import State
from tests.support.automator import Rig, running_rig
from tests.support.deadline import wait_until
from tests.support.tree import Service

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACCOUNT = f'totp_secret = "{SECRET}"'
BY_TOTP = {"2fa.methods": "Mobile Authenticator app", "2fa.totp.secret": SECRET}


def codes(rig: Rig) -> list[str]:
    """What IB said to each code, in order."""
    return [str(event["result"]) for event in rig.events("code")]


def everything_written(rig: Rig, *services: Service) -> str:
    """All that was left in files and journals; not the simulator's own folder, which holds its scenario."""
    files = [path for folder in ("run", "var") for path in (rig.paths.root / folder).rglob("*")]
    ours = [path for path in files if path.is_file() and rig.paths.settings_dir not in path.parents]
    texts = [path.read_bytes().decode(errors="replace") for path in ours]
    return "\n".join(
        [*texts, *rig.automator.journal(), *(line for each in services for line in each.journal())]
    )


def assert_no_secret(text: str, since: float) -> None:
    """Neither the key, in any of its forms, nor a code of the time of the test."""
    raw = base64.b32decode(SECRET)
    for form in (SECRET, SECRET.lower(), raw.hex(), base64.b64encode(raw).decode(), raw.decode("latin-1")):
        assert form not in text
    for period in range(totp.period_of(since) - 1, totp.period_of(time.time()) + 2):
        code = totp.code(SECRET, period)
        assert code not in text, f"the code {code}"


@pytest.mark.parametrize("way", ["xtest", "agent"])
def test_a_code_of_totp_logs_in_by_either_way_and_shows_nowhere(way: str) -> None:
    began = time.time()
    with running_rig(mode="live", scenario=BY_TOTP, account=ACCOUNT, login=f'input = "{way}"') as rig:
        rig.wait_state(State.READY, timeout=90)
        assert codes(rig) == ["accepted"]
        (event,) = rig.events("code")
        assert event["left"] > 1.5
        assert rig.presses("2fa-code") == ["OK"]
        assert_no_secret(everything_written(rig), began)


@pytest.mark.parametrize("way", ["xtest", "agent"])
def test_a_push_gives_way_to_the_authenticator_by_either_way(way: str) -> None:
    """Through the link, which is no button, and the list, whose window stays until the form comes."""
    scenario = {**BY_TOTP, "2fa.methods": "IB Key|Mobile Authenticator app", "2fa.start": "form"}
    scenario |= {"2fa.stay": "true", "2fa.formDelay": "4"}
    with running_rig(mode="live", scenario=scenario, account=ACCOUNT, login=f'input = "{way}"') as rig:
        rig.wait_state(State.READY, timeout=90)
        assert [event["text"] for event in rig.events("2fa", step="link")] == ["Change security device"]
        assert rig.presses("2fa-list") == ["OK"]
        assert codes(rig) == ["accepted"]
        assert len(rig.events("login")) == 1


@pytest.mark.nightly  # minutes of waiting for codes
def test_a_clock_that_is_off_takes_three_codes_at_most() -> None:
    scenario = {**BY_TOTP, "2fa.totp.offset": "-20", "2fa.totp.window": "0"}
    with running_rig(mode="live", scenario=scenario, account=ACCOUNT) as rig:
        rig.wait_state(State.READY, timeout=150)
        said = codes(rig)
        assert said[-1] == "accepted"
        assert len(said) <= 3
        assert len(rig.events("login")) == 1
        if len(said) > 1:
            assert any("clock" in line for line in rig.automator.journal())


@pytest.mark.nightly  # minutes of waiting for codes
def test_a_wrong_key_costs_three_codes_and_then_a_person_whatever_is_restarted() -> None:
    scenario = {**BY_TOTP, "2fa.totp.secret": SECRET[::-1], "2fa.tries": "9", "2fa.limit": "110"}
    with running_rig(mode="live", scenario=scenario, account=ACCOUNT) as rig:
        wait_until(lambda: len(codes(rig)) == 3, "three codes", timeout=120)
        session = rig.wait_state(State.NEEDS_PERSON, timeout=20)
        assert "3 codes" in session.reason
        assert "clock" in session.person
        rig.kill_automator()
        rig.start_automator()
        rig.wait_state(State.NEEDS_PERSON, timeout=20)
        rig.gateway.wait_for("2fa", step="limit", timeout=120)  # IB's time is over, the form is back
        time.sleep(8)
        session = rig.wait_state(State.NEEDS_PERSON, timeout=20)
        assert "clock" in session.person
        assert codes(rig) == ["refused"] * 3
        assert len(rig.events("login")) == 1


def test_an_automator_that_is_killed_at_the_form_types_the_next_code_and_never_the_same() -> None:
    with running_rig(mode="live", scenario={**BY_TOTP, "2fa.checkDelay": "4"}, account=ACCOUNT) as rig:
        rig.gateway.wait_for("typed", dialog="2fa-code", timeout=60)
        rig.kill_automator()
        rig.start_automator()
        rig.wait_state(State.READY, timeout=90)
        assert all(event.get("reason") != "used" for event in rig.events("code"))
        assert codes(rig)[-1] == "accepted"


def test_a_push_is_told_with_its_time_and_the_phone_is_kept_until_it_is_answered() -> None:
    with running_rig(mode="live", scenario={"2fa.methods": "IB Key"}) as rig:
        session = rig.wait_state(State.SECOND_FACTOR)
        assert session.deadline is not None
        until = time.strftime("%H:%M:%S", time.localtime(session.deadline))
        assert session.reason == f"Waiting for IB Key on your phone until {until}"
        wait_until(lambda: rig.automator.notify.status.startswith(session.reason), "the same as STATUS=")
        other = PhoneLock(rig.paths.second_factor_lock, "other")
        assert not other.hold()
        assert other.state.holder == "main"
        rig.gateway.command("approve")
        rig.wait_state(State.READY, timeout=60)
        assert wait_until(other.hold, "the phone is free again", timeout=10)
        other.release()
        assert rig.presses("2fa-push") == []


def test_a_login_waits_until_another_instance_has_done_with_the_phone() -> None:
    with running_rig(mode="live", scenario={"2fa.methods": "IB Key", "2fa.approve": "1"}, idle=True) as rig:
        other = PhoneLock(rig.paths.second_factor_lock, "other")
        assert other.hold()
        rig.start_automator()

        def told() -> bool:
            session = rig.session()
            return session is not None and session.state is State.LOGIN and "other" in session.reason

        wait_until(told, "who is waited for", timeout=40)
        time.sleep(3)
        assert rig.events("login") == []
        other.release()
        rig.wait_state(State.READY, timeout=60)
        assert len(rig.events("login")) == 1


def test_a_paper_login_waits_for_no_phone() -> None:
    with running_rig(idle=True) as rig:
        other = PhoneLock(rig.paths.second_factor_lock, "other")
        assert other.hold()
        rig.start_automator()
        rig.wait_state(State.READY, timeout=60)
        other.release()


@pytest.mark.parametrize("after", ["form", "relogin", "login-failed-transient"])
def test_an_unanswered_push_is_not_asked_again_at_once_and_a_restart_does_not_forget_it(after: str) -> None:
    scenario = {"2fa.methods": "IB Key", "speed": "30", "2fa.afterLimit": after}
    with running_rig(mode="live", scenario=scenario) as rig:
        rig.gateway.wait_for("2fa", step="limit", timeout=60)

        def withheld() -> bool:
            session = rig.session()
            return (
                session is not None and "was not answered" in session.reason and session.deadline is not None
            )

        wait_until(withheld, f"the pause; {rig.session()}", timeout=30)
        rig.kill_automator()
        rig.start_automator()
        wait_until(withheld, f"the pause after a restart; {rig.session()}", timeout=30)
        session = rig.session()
        assert session is not None
        assert session.deadline is not None
        assert 200 < session.deadline - time.time() <= 300
        assert len(rig.events("2fa", step="challenge")) == 1
        assert len(rig.events("login")) == 1


def test_in_quiet_hours_no_phone_rings_and_the_form_is_not_even_filled() -> None:
    now = time.time()
    span = "-".join(time.strftime("%H:%M", time.localtime(each)) for each in (now - 3600, now + 3600))
    toml = f'[second_factor]\nquiet_hours = "{span}"\n'
    with running_rig(mode="live", scenario={"2fa.methods": "IB Key"}, toml=toml) as rig:
        session = rig.wait_state(State.LOGIN)
        wait_until(lambda: (s := rig.session()) is not None and "quiet hours" in s.reason, "why", timeout=30)
        session = rig.wait_state(State.LOGIN)
        assert session.deadline is not None
        time.sleep(3)
        assert rig.events("login") == []
        assert rig.events("typed") == []


def test_a_command_prints_the_code_and_learns_nothing(tmp_path: Path) -> None:
    script, seen = tmp_path / "code", tmp_path / "seen"
    script.write_text(f"#!/bin/sh\nenv > {seen}\nsleep 2\necho 4711 0815\n")
    script.chmod(0o755)
    toml = f'[second_factor]\nmethod = "command"\ncode_command = "{script}"\n'
    scenario = {"2fa.methods": "SMS", "2fa.code": "47110815"}
    with running_rig(mode="live", scenario=scenario, toml=toml, password="a secret password") as rig:
        rig.wait_state(State.READY, timeout=60)
        assert codes(rig) == ["accepted"]
        assert "a secret password" not in seen.read_text()
        assert "IBGA_ROOT" not in seen.read_text()
        assert "47110815" not in everything_written(rig)


def test_a_card_is_a_persons_within_a_second() -> None:
    with running_rig(mode="live", scenario={"2fa.methods": "Security Code Card"}) as rig:
        event = rig.gateway.wait_for("window-shown", dialog="2fa-card", timeout=60)
        session = rig.wait_state(State.NEEDS_PERSON)
        assert session.since - event["time"] < 1.0
        assert "card" in session.reason
        assert rig.presses("2fa-card") == []
