"""The simulated gateway asks, refuses and loses sessions as the field guide's sections 2 to 4 say.

One process for the whole file: a test brings its scenario, submits the form, and acts by mouse and keyboard.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest
from ib_async import IB, MarketOrder, Stock

from tests.support.deadline import wait_until
from tests.support.simulator import Event, Simulator, free_port, simulator, write_scenario
from tests.support.xvfb import Xvfb, xvfb

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BOTH = "IB Key|Mobile Authenticator app"
QUICK = {
    "decoys": "false",
    "noise": "0",
    "delay.welcome": "0",
    "delay.loading": "0",
    "delay.connecting": "0",
    "delay.authenticating": "0",
    "delay.initializing": "0",
    "delay.starting": "0",
    "2fa.formDelay": "0.05",
    "2fa.checkDelay": "0.05",
    "paper.dialog": "false",
}


@dataclass
class Person:
    """Someone before the screen, whose every act is one of mouse or keyboard."""

    display: Xvfb
    gateway: Simulator
    seen: int = 0
    keys: dict[str, str] = field(default_factory=dict)

    def submit(
        self,
        scenario: Mapping[str, str] | None = None,
        *,
        mode: str = "live",
        password: str = "secret",
        more: bool = False,
    ) -> None:
        """Log in under *scenario*; *more*: beside the keys of before, with an IB that remembers."""
        if not more:
            self.keys = {**QUICK, "profile.socketPort": str(free_port())}
            (self.gateway.settings_dir / "simulator-server.properties").unlink(missing_ok=True)
        self.change(scenario or {})
        self.seen = len(self.gateway.events())
        self.gateway.command(f"submit demo {password} {mode}")
        self.wait("login")

    def change(self, scenario: Mapping[str, str]) -> None:
        self.keys |= scenario
        write_scenario(self.gateway.settings_dir, self.keys)

    def events(self, name: str, **details: object) -> list[Event]:
        """What happened since the form was submitted."""
        return [
            event
            for event in self.gateway.events()[self.seen :]
            if event["event"] == name and all(event.get(key) == value for key, value in details.items())
        ]

    def wait(self, name: str, timeout: float = 10, **details: object) -> Event:
        return self.gateway.wait_for(name, timeout, self.seen, **details)

    def shown(self, dialog: str, nth: int = 1) -> Event:
        """Return the event of the *nth* showing of a dialog since the form was submitted."""
        wait_until(
            lambda: len(self.events("window-shown", dialog=dialog)) >= nth,
            f"{dialog} shows",
            timeout=10,
        )
        return self.events("window-shown", dialog=dialog)[nth - 1]

    def locate(self, kind: str, text: str = "") -> dict[str, Any]:
        """Return the last such component on the screen, which is that of the newest window."""

        def found() -> dict[str, Any]:
            before = len(self.gateway.events())
            self.gateway.command("locate")
            components = self.gateway.wait_for("located", after=before)["components"]
            hits = [each for each in components if each["kind"] == kind and text in ("", each["text"])]
            return dict(hits[-1]) if hits else {}

        return wait_until(found, f"a {kind} {text!r}", timeout=10)

    def press(self, dialog: str, text: str, kind: str = "JButton") -> None:
        place = self.locate(kind, text)
        before = len(self.gateway.events())
        self.display.click(place["x"], place["y"])
        self.gateway.wait_for("press", after=before, dialog=dialog, text=text, by="mouse")
        self.gateway.wait_for("mouse", after=before, dialog=dialog)

    def code(self, code: str) -> Event:
        """Give a code; return what became of it."""
        before = len(self.gateway.events())
        place = self.locate("JTextField")
        self.display.click(place["x"], place["y"])
        self.display.type(code)
        self.gateway.wait_for("typed", after=before, dialog="2fa-code", length=len(code))
        self.press("2fa-code", "OK")
        return self.gateway.wait_for("code", after=before)

    def log_out(self) -> None:
        """Back at the form when this returns."""
        before = len(self.gateway.events())
        self.gateway.command("log-out", "locate")
        self.gateway.wait_for("located", after=before)

    def steps(self) -> list[str]:
        """How the second factor went."""
        return [str(event["step"]) for event in self.events("2fa")]

    def result(self, timeout: float = 10) -> str:
        return str(self.wait("login-result", timeout)["result"])


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("simulator")
    with xvfb(folder) as display, simulator(display, folder / "settings", QUICK) as gateway:
        gateway.wait_for("window-shown", dialog="login")
        yield Person(display, gateway)


@pytest.fixture
def person(process: Person) -> Iterator[Person]:
    yield process
    process.log_out()


def code_now(steps: int = 0, offset: float = 0) -> str:
    """The code of IB's present time step, at least two seconds before its end, or of one *steps* away."""
    while (time.time() + offset) % 30 > 28:
        time.sleep(0.1)
    return pyotp.TOTP(SECRET).at(int(time.time() + offset), steps)


# --- second factor ---------------------------------------------------------------------------------------


def test_a_push_is_approved_after_its_time_and_its_links_are_only_links(person: Person) -> None:
    person.submit({"2fa.methods": "IB Key", "2fa.approve": "2"})
    shown = person.shown("2fa-push")
    assert shown["title"] == "Second Factor Authentication"
    assert shown["class"] == "twslaunch.jauthentication.bh"
    place = person.locate("JTextPane")  # the last: Change security device
    person.display.click(place["x"], place["y"])
    person.wait("link", dialog="2fa-push", text="Change security device")
    person.shown("2fa-list")
    person.wait("login-complete")  # the tap comes all the same
    assert person.steps() == ["challenge", "form", "link", "list", "approved"]
    assert not person.events("press", dialog="2fa-list")


@pytest.mark.parametrize(
    ("after", "dialog"),
    [("form", ""), ("login-failed-transient", "login-failed-transient"), ("relogin", "relogin")],
)
def test_an_unanswered_push_ends_at_the_limit_as_the_scenario_says(
    person: Person, after: str, dialog: str
) -> None:
    person.submit({"2fa.methods": "IB Key", "speed": "360", "2fa.afterLimit": after})
    assert person.result() == "2fa-limit"
    assert person.shown("2fa-push")
    if dialog:
        person.shown(dialog)
    else:
        person.wait("window-shown", dialog="login")
    assert person.events("window-closed", dialog="2fa-push")


def test_paper_logins_need_no_second_factor(person: Person) -> None:
    person.submit({"2fa.methods": "IB Key"}, mode="paper")
    person.wait("login-complete")
    assert person.steps() == []


def test_the_list_leads_to_the_code_form_in_the_same_window_object(person: Person) -> None:
    person.submit(
        {"2fa.methods": BOTH, "2fa.totp.secret": SECRET, "2fa.stay": "true", "2fa.formDelay": "0.5"}
    )
    listed = person.shown("2fa-list")
    person.display.run("xdotool", "key", "Tab")  # nothing by that: the row is chosen by the mouse
    rows = person.locate("JScrollPane")
    person.display.click(
        rows["x"], rows["y"]
    )  # the middle of an empty part, then down from the preselected row
    person.display.run("xdotool", "key", "Home", "Down")
    person.wait("selected", dialog="2fa-list", row=" Mobile Authenticator app")
    person.press("2fa-list", "OK")
    form = person.shown("2fa-code")
    assert form["window_id"] == listed["window_id"]
    assert form["title"] == listed["title"]
    assert not person.events("window-closed", dialog="2fa-list")  # it stayed until the form came
    assert person.code(code_now())["result"] == "accepted"
    person.wait("window-closed", dialog="2fa-code")
    person.wait("login-complete")


def test_a_code_is_good_once_and_never_in_the_log(person: Person) -> None:
    person.submit({"2fa.methods": "Mobile Authenticator app", "2fa.totp.secret": SECRET})
    person.shown("2fa-code")
    good = code_now()
    wrong = f"{(int(good) + 1) % 1_000_000:06d}"
    refused = person.code(wrong)
    assert (refused["result"], refused["reason"], refused["length"]) == ("refused", "wrong", 6)
    assert person.code("12 34")["reason"] == "format"
    accepted = person.code(good)
    assert (accepted["result"], accepted["reason"]) == ("accepted", "ok")
    person.wait("login-complete")
    person.log_out()
    person.wait("login-result", result="ok")

    person.submit(more=True)
    person.shown("2fa-code")
    used = person.code(good)
    assert (used["result"], used["reason"]) == ("refused", "used")
    log = (person.gateway.settings_dir / "simulator-events.jsonl").read_text()
    assert good not in log
    assert wrong not in log


def test_ibs_clock_may_be_off_and_its_tolerance_is_a_step(person: Person) -> None:
    person.submit(
        {"2fa.methods": "Mobile Authenticator app", "2fa.totp.secret": SECRET, "2fa.totp.offset": "1000"}
    )
    person.shown("2fa-code")
    far = person.code(code_now())
    assert far["reason"] == "wrong"  # 33 steps: none of the near ones
    assert person.code(code_now(-2, offset=1000))["reason"] == "expired"
    assert person.code(code_now(1, offset=1000))["result"] == "accepted"


def test_too_many_refused_codes_end_the_login(person: Person) -> None:
    person.submit({"2fa.methods": "SMS", "2fa.code": "123456", "2fa.tries": "2"})
    person.shown("2fa-code")
    assert person.code("111111")["reason"] == "wrong"
    person.code("222222")
    assert person.result() == "2fa-code"
    person.shown("login-failed-transient")


def test_another_methods_form_names_it_and_knows_one_code(person: Person) -> None:
    person.submit({"2fa.methods": "SMS", "2fa.code": "777111", "2fa.wrong": "login-failed"})
    person.shown("2fa-code")
    assert person.code("777111") | {"time": 0, "nano": 0, "left": 0} == {
        "time": 0,
        "nano": 0,
        "event": "code",
        "length": 6,
        "result": "accepted",
        "reason": "ok",
        "drift": None,
        "left": 0,
        "method": "SMS",
        "attempt": person.events("login")[0]["attempt"],
    }
    person.wait("login-complete")


def test_choosing_another_device_than_the_running_one_may_kick_the_login(person: Person) -> None:
    person.submit({"2fa.methods": BOTH, "2fa.first": "1", "2fa.kick": "true"})
    person.shown("2fa-list")
    rows = person.locate("JScrollPane")
    person.display.click(rows["x"], rows["y"])
    person.display.run("xdotool", "key", "Home")
    person.wait("selected", dialog="2fa-list", row=" IB Key")
    person.press("2fa-list", "OK")
    assert person.result() == "2fa-kicked"
    person.shown("relogin")
    assert (
        "COMPETE: session kicked out"
        in (person.gateway.settings_dir / "launcher.log").read_text().splitlines()[-1]
    )
    person.change({"relogin.outcomes": "2fa+ok"})
    person.press("relogin", "Re-login")
    person.wait("relogin")
    person.shown("2fa-list", 2)


def test_a_card_has_two_titles_and_a_read_only_button_that_leads_nowhere(person: Person) -> None:
    person.submit({"2fa.methods": "Security Code Card", "2fa.reuse": "false"})
    shown = person.shown("2fa-card")
    assert shown["title"] == "Security Code Card Authentication"
    assert shown["class"] == "twslaunch.jauthentication.bg"
    person.press("2fa-card", "Enter Read Only")
    assert person.result() == "2fa-read-only"
    person.submit({"2fa.methods": "Digital Security Card+", "2fa.form": "2fa-card-code"})
    assert person.shown("2fa-card-code")["title"] == "Enter security code"
    person.press("2fa-card-code", "Cancel")
    assert person.result() == "2fa-cancelled"


@pytest.mark.parametrize("caption", ["Authenticate", "Authenticate >", "Authenticate ›"])
def test_a_passkey_waits_for_its_button_and_for_the_key(person: Person, caption: str) -> None:
    person.submit({"2fa.methods": "Passkey", "2fa.passkey": "0.3", "dialog.2fa-passkey.buttons": caption})
    person.shown("2fa-passkey")
    person.press("2fa-passkey", caption)
    person.wait("login-complete")
    assert person.steps() == ["challenge", "form", "authenticate", "approved"]


def test_a_browser_window_for_the_passkey_has_nothing_that_swing_knows(person: Person) -> None:
    person.submit({"2fa.methods": "Passkey", "2fa.form": "2fa-browser"})
    assert "JxBrowser" in person.shown("2fa-browser")["title"]
    person.gateway.command("approve")
    person.wait("login-complete")


# --- other sessions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("buttons", "title"),
    [
        ("Continue Login|Cancel", "Existing session detected"),
        ("Reconnect This Session|Cancel", "EXISTING SESSION DETECTED"),
        ("OK|Exit Application", "existing session detected"),
    ],
)
def test_a_login_meets_the_other_session_and_logs_it_out(person: Person, buttons: str, title: str) -> None:
    person.submit({"dialog.existing.buttons": buttons, "dialog.existing.title": title})
    person.wait("login-complete")
    person.gateway.command("log-out", "other-login")
    person.wait("session", holder="other")
    person.submit(more=True)
    assert person.shown("existing")["title"] == title
    person.press("existing", buttons.split("|")[0])
    person.wait("session", holder="this")
    person.wait("login-complete")


def test_giving_up_before_the_other_session_leads_to_the_form(person: Person) -> None:
    person.submit({"other.dialog": "handoff"})
    person.wait("login-complete")
    person.gateway.command("log-out", "other-login")
    person.submit(more=True)
    assert person.shown("handoff")["title"] == "Trading Login Handoff"
    person.press("handoff", "Cancel")
    assert person.result() == "existing"


def test_two_that_insist_take_the_session_from_each_other_as_the_guide_tells(person: Person) -> None:
    """Guide 2.8, as A: displaced, re-login; B insists, we reconnect; B insists again, we give up."""
    person.submit({"other.insists": "2", "other.delay": "0.2"})
    person.wait("login-complete")
    person.gateway.command("other-login")
    person.shown("relogin")
    assert person.events("displaced", dialog="relogin")
    person.press("relogin", "Re-login")
    person.wait("session", holder="this")
    person.shown("existing-displaced")
    person.press("existing-displaced", "Reconnect This Session")
    person.shown("existing-displaced", 2)
    person.press("existing-displaced", "Cancel")
    person.wait("logged-out")
    assert [event["holder"] for event in person.events("session")][1:] == [
        "other",
        "this",
        "other",
        "this",
        "other",
    ]


def test_a_login_that_took_the_session_is_itself_taken_out_by_one_that_insists(person: Person) -> None:
    """Guide 2.8, as B: existing, continued; A insists: re-login required; then A gives up."""
    person.submit({"other.insists": "1", "other.delay": "0.2"})
    person.wait("login-complete")
    person.gateway.command("log-out", "other-login")
    person.submit(more=True)
    person.shown("existing")
    person.press("existing", "Continue Login")
    person.wait("displaced", dialog="relogin")
    person.shown("relogin")
    person.press("relogin", "Re-login")
    person.wait("relogin")
    time.sleep(0.5)
    assert len(person.events("displaced")) == 1


def test_relogin_comes_again_with_a_higher_counter(person: Person) -> None:
    person.submit({"relogin.interval": "0.3", "relogin.gap": "0.1"})
    person.wait("login-complete")
    person.gateway.command("relogin")
    person.shown("relogin", 3)
    person.change({"relogin.interval": "180", "relogin.outcomes": "login-failed-transient"})
    person.gateway.command("relogin")
    person.press("relogin", "Re-login")
    person.shown("login-failed-transient")
    person.wait("logged-out")


# --- refusals --------------------------------------------------------------------------------------------


def test_the_wait_after_too_many_attempts_is_enforced_whoever_asks(person: Person) -> None:
    person.submit({"login.outcomes": "too-many", "too-many.wait": "2"})
    told = person.wait("login-result", result="too-many")
    assert (told["early"], told["seconds_left"]) == (False, 2)
    person.press("too-many", "OK")
    person.submit(more=True)
    early = person.wait("login-result", result="too-many")
    assert early["early"]
    person.press("too-many", "OK")
    time.sleep(2)
    person.submit({"login.outcomes": "ok"}, more=True)
    assert person.result() == "ok"


def test_wrong_passwords_and_quick_attempts_add_up(person: Person) -> None:
    person.submit({"login.password": "right", "too-many.after": "2"})
    assert person.result() == "login-failed"
    person.press("login-failed", "OK")
    person.submit(more=True)
    assert person.result() == "too-many"
    person.press("too-many", "OK")
    person.submit(
        {"rate.attempts": "1", "rate.effect": "silent", "silent.timeout": "0.2", "silent.dialog": "none"}
    )
    assert person.result() == "ok"
    before = (person.gateway.settings_dir / "launcher.log").read_text().count("NS_AUTH_START")
    person.log_out()
    person.submit(more=True)
    assert person.result() == "silent"
    assert not person.events("window-shown", dialog="server-disconnected")
    assert (person.gateway.settings_dir / "launcher.log").read_text().count("NS_AUTH_START") == before


def test_ok_in_the_connecting_dialog_cancels_the_login(person: Person) -> None:
    person.submit({"login.outcomes": "connecting+ok", "connecting.time": "30"})
    assert person.shown("connecting")["title"] == "Gateway"
    person.press("connecting", "OK")
    assert person.result() == "connecting-cancelled"
    person.submit({"login.outcomes": "connecting+ok", "connecting.time": "0.3"})
    person.shown("connecting")
    person.wait("login-complete")
    assert person.events("window-closed", dialog="connecting")


def test_login_messages_can_be_pressed_by_a_mouse_alone(person: Person) -> None:
    person.submit({"login.outcomes": "login-messages+ok"})
    shown = person.shown("login-messages")
    assert shown["title"] == "Login Messages"
    middle = shown["x"] + shown["width"] // 2
    for y in range(shown["y"] + 40, shown["y"] + shown["height"] - 10, 20):
        if person.events("press", text="Resume login"):
            break
        person.display.click(middle, y)
        time.sleep(0.1)
    person.wait("login-complete")


def test_refusals_stack_and_their_titles_may_be_anything(person: Person) -> None:
    person.submit(
        {
            "login.outcomes": "login-error&gateway-unknown",
            "dialogs.title": "Gateway",
            "dialogs.kind": "optionpane",
        }
    )
    assert person.result() == "login-error&gateway-unknown"
    assert person.shown("login-error")["title"] == "Gateway"
    person.shown("gateway-unknown")
    person.press("gateway-unknown", "OK")
    person.press("login-error", "OK")
    person.submit({"login.outcomes": "not-available", "dialogs.capitals": "true"})
    assert person.shown("not-available")["title"] == "LOGIN"


# --- FIX -------------------------------------------------------------------------------------------------


def test_the_fix_login_has_its_own_fields_and_no_modes_and_stays_loading(person: Person) -> None:
    person.submit(
        {
            "login.fixUser": "demo",
            "login.fixPassword": "secret",
            "fix.welcome": "stays",
            "delay.starting": "0.2",
        },
        mode="fix",
    )
    person.wait("login-complete")
    login = person.events("login")[0]
    assert (login["tab"], login["mode"], login["data_user"]) == ("FIX CTCI", "live", "")
    assert login["password_sha256"] == hashlib.sha256(b"secret").hexdigest()
    assert {event["title"] for event in person.events("window-shown", dialog="welcome")} == {"Loading..."}
    assert not person.events("window-closed", dialog="welcome")
    person.log_out()
    texts = {each["text"] for each in all_components(person)}
    assert "FIX CTCI" in texts
    assert "Paper Trading" not in texts
    api = person.locate("JToggleButton", "IB API")
    person.display.click(api["x"], api["y"])
    assert person.locate("JToggleButton", "Paper Trading")


def all_components(person: Person) -> list[dict[str, Any]]:
    person.locate("JToggleButton", "FIX CTCI")
    return list(person.gateway.events("located")[-1]["components"])


# --- a process of its own --------------------------------------------------------------------------------


def test_what_is_pressed_in_a_late_dialog_may_end_the_process(tmp_path: Path) -> None:
    """Started late, displaced, and given up in a build that offers Exit Application."""
    scenario = {
        **QUICK,
        "delay.start": "2",
        "autopilot.user": "demo",
        "profile.socketPort": str(free_port()),
        "other.displaced": "existing-displaced",
        "dialog.existing-displaced.buttons": "OK|Exit Application",
    }
    with xvfb(tmp_path) as display, simulator(display, tmp_path / "settings", scenario) as gateway:
        someone = Person(display, gateway)
        gateway.wait_for("login-complete")
        gateway.command("other-login")
        assert someone.shown("existing-displaced")["title"] == "EXISTING SESSION DETECTED"
        someone.press("existing-displaced", "Exit Application")
        assert gateway.wait() == 0
        assert gateway.events("exit")[0]["how"] == "exit-application"


# --- what the API raises ---------------------------------------------------------------------------------


def test_an_order_waits_for_its_dialogs_one_of_which_need_not_come_back(person: Person) -> None:
    person.submit({"order.dialog": "order,blind", "profile.readOnlyApi": "false"})
    client = connected(person)
    trade = client.placeOrder(Stock("SIM", "SMART", "USD"), MarketOrder("BUY", 1))
    person.shown("order")
    assert trade.orderStatus.status == "PendingSubmit"
    box = person.locate("JCheckBox", "Don't display this message again.")
    person.display.click(box["x"], box["y"])
    person.press("order", "Accept and Continue")
    assert person.shown("blind")["title"] == "Order Preview"
    person.press("blind", "Override and Transmit")
    wait_until(lambda: client.sleep(0.02) and trade.orderStatus.status == "Submitted", "the order is there")
    refused = client.placeOrder(Stock("SIM", "SMART", "USD"), MarketOrder("BUY", 1))
    person.shown("blind", 2)
    assert len(person.events("window-shown", dialog="order")) == 1
    person.press("blind", "Cancel")
    wait_until(lambda: client.sleep(0.02) and refused.isDone(), "the order is refused")
    client.disconnect()


def test_a_foreign_client_is_asked_about_by_address_or_closed_silently(person: Person) -> None:
    person.submit({"profile.localhostOnly": "false", "api.foreign": "127.0.0.2"})
    port = person.wait("api-listen")["port"]
    foreign = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=("127.0.0.2", 0))
    with foreign:
        person.shown("incoming")
        label = person.locate("JLabel", "Accept incoming connection attempt from 127.0.0.2?")
        assert label["window"] == "IBKR Gateway"
        person.press("incoming", "No")
        assert foreign.recv(1) == b""
    person.change({"incoming.prompt": "false"})
    person.gateway.command("locate")  # a command, for the scenario to be read
    person.wait("api-refused", reason="foreign")
    with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=("127.0.0.2", 0)) as again:
        assert again.recv(1) == b""
    assert len(person.events("window-shown", dialog="incoming")) == 1


def test_every_refused_request_has_its_notice_which_leads_to_the_settings(person: Person) -> None:
    person.submit({"dialog.write-access.timeout": "1"})
    client = connected(person, readonly=True)
    client.reqAllOpenOrdersAsync()
    client.reqAllOpenOrdersAsync()
    person.shown("write-access", 2)
    wait_until(lambda: len(person.events("window-closed", dialog="write-access")) == 2, "both close")
    person.change({"dialog.write-access.timeout": "20"})
    client.reqAllOpenOrdersAsync()
    person.shown("write-access", 3)
    person.press("write-access", "Configure API Settings")
    person.shown("settings")
    person.press("settings", "Cancel")
    client.disconnect()


def test_the_shortcuts_of_the_main_window_ask_before_they_reconnect(person: Person) -> None:
    person.submit()
    person.wait("login-complete")
    for key, what in (("f", "data"), ("r", "account")):
        before = person.gateway.wait_for("login-complete", after=person.seen)
        menu = person.locate("JMenu", "Help")
        person.display.run("xdotool", "mousemove", str(menu["x"] + 200), str(menu["y"]), "click", "1")
        person.display.run("xdotool", "key", f"ctrl+alt+{key}")
        person.shown("reconnect", 1 if key == "f" else 2)
        person.press("reconnect", "OK")
        assert person.wait("reconnect", what=what)["time"] > before["time"]


def connected(person: Person, **options: Any) -> IB:
    """Connect a client to the API of the session."""
    client = IB()
    client.connect("127.0.0.1", person.wait("api-listen")["port"], clientId=7, timeout=10, **options)
    return client


def test_a_process_that_did_not_log_out_leaves_its_slot_taken_for_a_while(tmp_path: Path) -> None:
    """Killed once, started twice: with stacked notices over the form, and in a FIX build without progress."""
    settings = tmp_path / "settings"
    scenario = {**QUICK, "autopilot.user": "demo", "profile.socketPort": str(free_port())}
    again = {**scenario, "unclean.slot": "60", "dialogs.start": "newer&desupported,unknown"}
    with xvfb(tmp_path) as display:
        with simulator(display, settings, scenario) as gateway:
            gateway.wait_for("login-complete")
            gateway.process.kill()
            gateway.wait()
        del again["autopilot.user"]
        with simulator(display, settings, {**again, "fix.welcome": "none", "fix.modes": "true"}) as gateway:
            someone = Person(display, gateway, seen=len(gateway.events()))
            someone.shown("newer")
            someone.shown("desupported")
            someone.press("desupported", "OK")
            assert not someone.events("window-shown", dialog="unknown")
            someone.press("newer", "OK")
            someone.shown("unknown")
            someone.press("unknown", "Not now")
            gateway.command("submit demo secret fix")
            someone.shown("existing")
            assert someone.locate("JButton", "Continue Login")
            someone.press("existing", "Continue Login")
            someone.wait("login-complete")
            assert someone.events("login")[0]["mode"] == "paper"  # as before: the modes show on this tab, too
            assert not someone.events("window-shown", dialog="welcome")
