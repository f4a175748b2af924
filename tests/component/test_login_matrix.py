"""Every way that a login goes by the field guide (2 to 4), against the automator: it ends as it should, and
nothing is pressed but what a rule or the policy names. The simulator notes every press and every click.

Dialogs over a session are test_automator_dialogs.py's, other sessions test_automator_conflict.py's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from ibga.runtime import State
from tests.support.automator import Rig, running_rig
from tests.support.deadline import wait_until

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
#: Windows of the gateway's own that are worked in, not answered.
OWN = ("login", "settings", "main")


def presses(rig: Rig) -> dict[str, list[str]]:
    """What was pressed in every dialog, in order, links included."""
    found: dict[str, list[str]] = {}
    for event in rig.gateway.events():
        if event["event"] in ("press", "link") and event["dialog"] not in OWN:
            found.setdefault(event["dialog"], []).append(event["text"])
    return found


def assert_no_stray_click(rig: Rig, expected: Mapping[str, list[str]]) -> None:
    """Nothing but *expected* was pressed, and no click fell on anything else."""
    assert presses(rig) == {name: texts for name, texts in expected.items() if texts}
    for event in rig.events("mouse"):
        if event["dialog"] == "main":
            assert event["kind"] in ("JMenu", "JMenuItem"), event
        elif event["dialog"] not in OWN:
            assert expected.get(event["dialog"]), event
    for event in rig.events("window-exit"):
        assert event["dialog"] == "write-access", event


# --- at the login ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A login, and where it has to end."""

    scenario: dict[str, str]
    state: State | None  # None: it is tried again, later than this test lasts
    pressed: dict[str, list[str]] = field(default_factory=dict)
    logins: int = 1
    mode: str = "live"
    toml: str = ""
    account: str = ""


OK = ["OK"]
TOTP = f'totp_secret = "{SECRET}"'
LIST = {"2fa.methods": "IB Key|Mobile Authenticator app", "2fa.totp.secret": SECRET}
FORM = {**LIST, "2fa.start": "form"}
STOPPED = State.NEEDS_PERSON


def outcome(steps: str, **more: str) -> dict[str, str]:
    return {"login.outcomes": steps, **{key.replace("_", "."): value for key, value in more.items()}}


def second_factor(method: str) -> str:
    return f'[second_factor]\nmethod = "{method}"\n'


CASES = {
    # Refusals: credentials once, for good; the rest later
    "D-LOGINFAIL": Case(outcome("login-failed"), STOPPED, {"login-failed": OK}),
    "D-LOGINFAIL, long": Case(outcome("login-failed-long"), STOPPED, {"login-failed-long": OK}),
    "D-LOGINFAIL, other title": Case(outcome("unrecognized"), STOPPED, {"unrecognized": OK}),
    "D-LOGINFAIL, password compared": Case(
        {"login.password": "another"}, STOPPED, {"login-failed": OK}, mode="paper"
    ),
    "D-LOGINFAIL, titled Gateway, in an option pane": Case(
        outcome("login-failed", dialogs_title="Gateway", dialogs_kind="optionpane"),
        STOPPED,
        {"login-failed": OK},
    ),
    "D-LOGINFAIL, transient": Case(outcome("login-failed-transient"), None, {"login-failed-transient": OK}),
    "D-LOGINERR": Case(outcome("login-error", dialogs_capitals="true"), None, {"login-error": OK}),
    "D-SERVERDISC": Case(
        outcome("server-disconnected", dialogs_kind="label"), None, {"server-disconnected": OK}
    ),
    "D-GATEWAYMSG": Case(outcome("gateway-failed"), None, {"gateway-failed": OK}),
    "D-GATEWAYMSG, unknown": Case(outcome("gateway-unknown"), STOPPED),
    "D-GATEWAYMSG, several paper users": Case(
        outcome("multiple-paper"), STOPPED, {"multiple-paper": OK}, mode="paper"
    ),
    "D-NOTAVAIL": Case(outcome("not-available"), None, {"not-available": OK}),
    "D-TOKEN": Case(outcome("token,ok"), State.READY, {"token": OK}, logins=2),
    "D-SOFTTOKEN": Case(outcome("soft-token,ok"), State.READY, {"soft-token": OK}, logins=2),
    "D-TOOMANY": Case({**outcome("too-many,ok"), "too-many.wait": "2"}, State.READY, {"too-many": OK}, 2),
    "D-CONNPROG": Case(outcome("connecting+ok"), State.READY),
    "stacked refusals": Case(outcome("login-failed&newer"), STOPPED, {"login-failed": OK, "newer": OK}),
    "silent drop": Case(outcome("silent", silent_timeout="2"), None, {"server-disconnected": OK}),
    # Notices on the way
    "D-PASSWORD, will expire": Case(
        outcome("password+ok"), State.READY, {"password": OK}, toml='[notices]\npassword = "dismiss"\n'
    ),
    "D-PASSWORD, has expired": Case(outcome("password-expired"), STOPPED),
    "D-UNSUPPORTED": Case(outcome("unsupported"), None, {"unsupported": OK}),
    "D-UNSUPPORTED, soon": Case(
        outcome("desupported+newer+ok"), State.READY, {"desupported": OK, "newer": OK}
    ),
    "D-SSL": Case(
        outcome("ssl+no-settings+ok"), State.READY, {"ssl": ["Reconnect using SSL"], "no-settings": OK}
    ),
    "D-LITE": Case(outcome("lite"), STOPPED),
    "D-LOGINMSG": Case(outcome("login-messages+ok"), STOPPED),
    # Second factor
    "D-2FA-PUSH": Case({"2fa.methods": "IB Key", "2fa.approve": "3"}, State.READY),
    "D-2FA-LIST, phone": Case(
        {**LIST, "2fa.approve": "3", "2fa.first": "1"},
        State.READY,
        {"2fa-list": OK},
        toml=second_factor("ib-key"),
    ),
    "D-2FA-LIST, code": Case(
        {**LIST, "2fa.stay": "true", "2fa.formDelay": "3"},
        State.READY,
        {"2fa-list": OK, "2fa-code": OK},
        account=TOTP,
    ),
    "D-2FA-PUSH, changed to code": Case(
        FORM,
        State.READY,
        {"2fa-push": ["Change security device"], "2fa-list": OK, "2fa-code": OK},
        account=TOTP,
    ),
    "D-2FA-LIST, unknown device": Case(
        {"2fa.methods": "Digital Card+|SMS", "2fa.totp.secret": SECRET}, STOPPED, account=TOTP
    ),
    "D-2FA-CODE": Case(
        {"2fa.methods": "Mobile Authenticator app", "2fa.totp.secret": SECRET, "2fa.reuse": "false"},
        State.READY,
        {"2fa-code": OK},
        account=TOTP,
    ),
    "D-2FA-CODE, by command": Case(
        {"2fa.methods": "SMS", "2fa.code": "123456"},
        State.READY,
        {"2fa-code": OK},
        toml='[second_factor]\nmethod = "command"\ncode_command = "echo 123456"\n',
    ),
    "D-2FA-CARD": Case({"2fa.methods": "Security Code Card"}, STOPPED, account=TOTP),
    "D-2FA-CARD, other title": Case(
        {"2fa.methods": "Digital Security Card+", "2fa.form": "2fa-card-code"}, STOPPED, account=TOTP
    ),
    "D-2FA-PASSKEY": Case({"2fa.methods": "Passkey"}, STOPPED),
    "D-2FA-PASSKEY, pressed": Case(
        {"2fa.methods": "Passkey", "2fa.passkey": "1", "dialog.2fa-passkey.buttons": "Authenticate ›"},
        State.READY,
        {"2fa-passkey": ["Authenticate ›"]},
        toml=second_factor("passkey"),
    ),
    "D-2FA-PASSKEY, a browser": Case({"2fa.methods": "Passkey", "2fa.form": "2fa-browser"}, STOPPED),
}


#: Those that another case or another file's test is near to.
VARIANTS = {
    "D-LOGINFAIL, long", "D-LOGINFAIL, other title", "silent drop", "D-UNSUPPORTED, soon", "D-2FA-LIST, code",
    "D-2FA-CODE", "D-2FA-CODE, by command", "D-2FA-PUSH", "D-2FA-CARD, other title",
    "D-2FA-PASSKEY, a browser",
}  # fmt: skip
assert CASES.keys() > VARIANTS


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[pytest.mark.nightly] if name in VARIANTS else [])
        for name, case in CASES.items()
    ],
)
def test_a_login_ends_where_it_should_and_nothing_else_is_pressed(case: Case) -> None:
    scenario = {"decoys": "false", "noise": "0", "paper.dialog": "false", **case.scenario}
    with running_rig(mode=case.mode, scenario=scenario, toml=case.toml, account=case.account) as rig:
        if case.state is None:
            wait_until(lambda: presses(rig) == case.pressed, f"it is answered: {rig.session()}", timeout=40)
        else:
            rig.wait_state(case.state)
        if case.state is not State.READY:
            wait_until(lambda: presses(rig) == case.pressed, f"it is answered: {rig.session()}")
            time.sleep(2)  # what is forbidden would come at once
            session = rig.session()
            assert session is not None
            assert (session.state is State.NEEDS_PERSON) == (case.state is STOPPED), session
            assert bool(session.person) == (case.state is STOPPED), session
        assert len(rig.events("login")) == case.logins
        assert_no_stray_click(rig, case.pressed)
        assert not [event for event in rig.events("code") if event["result"] != "accepted"]
        assert not rig.events("login-result", early=True)


@pytest.mark.nightly
@pytest.mark.parametrize("after", ["form", "relogin", "login-failed-transient"])
def test_an_unanswered_push_rings_no_second_time_at_once(after: str) -> None:
    scenario = {"2fa.methods": "IB Key", "2fa.limit": "3", "2fa.afterLimit": after, "decoys": "false"}
    with running_rig(mode="live", scenario=scenario) as rig:
        rig.gateway.wait_for("2fa", step="limit", timeout=40)
        time.sleep(4)

        assert len(rig.events("2fa", step="challenge")) == 1
        assert len(rig.events("login")) == 1
        assert_no_stray_click(rig, {"login-failed-transient": OK} if "failed" in after else {})


def test_a_login_that_was_kicked_for_its_other_device_is_taken_up_again_at_once() -> None:
    """Guide 4.4, D-2FA-LIST: IB threw the login out, so Re-login it is; nobody failed to answer a phone."""
    scenario = {**LIST, "2fa.kick": "true", "relogin.outcomes": "ok", "decoys": "false"}
    with running_rig(mode="live", scenario=scenario, account=TOTP) as rig:
        rig.gateway.wait_for("2fa", step="kicked", timeout=40)
        rig.wait_state(State.READY, timeout=30)

        assert len(rig.events("login")) == 1
        assert_no_stray_click(rig, {"2fa-list": OK, "relogin": ["Re-login"]})
        for record in rig.paths.logins_dir.glob("*/second-factor.json"):
            assert json.loads(record.read_text())["unanswered"] == []


@pytest.mark.nightly  # two minutes of waiting for codes
def test_a_refused_code_is_followed_by_the_next_and_never_repeated() -> None:
    """IB's clock is two minutes ahead: no code is right, three are tried, and a person is told why."""
    scenario = {
        "2fa.methods": "Mobile Authenticator app",
        "2fa.totp.secret": SECRET,
        "2fa.totp.offset": "120",
        "2fa.tries": "5",
        "decoys": "false",
    }
    with running_rig(mode="live", scenario=scenario, account=TOTP) as rig:
        session = rig.wait_state(State.NEEDS_PERSON, timeout=120)

        assert "clock" in f"{session.reason} {session.person}"
        codes = rig.events("code")
        assert [each["reason"] for each in codes] == ["expired"] * len(codes)
        assert len(codes) <= 3
        # Distinct codes: a later one was sent in a later step of IB's clock, and is as far behind it.
        steps = [int((each["time"] + 120) // 30) + each["drift"] for each in codes]
        assert len(set(steps)) == len(codes)
        assert_no_stray_click(rig, {"2fa-code": OK * len(codes)})
