"""Decisions on recorded reports: what is done next, and what is not."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from ibga.agent.report import Component, Report, fold
from ibga.automator import rulebook
from ibga.automator.decide import facts
from ibga.automator.evidence import kind_of
from ibga.automator.ledger import Outcome
from ibga.automator.main_window import connected, connections
from ibga.automator.prompts import Factor, Phone
from ibga.automator.session import BACK_OFF, ApiAnswer, LoginBlock, Session, Try, after, observe, waiting_time
from ibga.automator.steps import (
    ChoosePath,
    Click,
    CloseWindow,
    Deed,
    Menu,
    ProbeApi,
    RecordLogin,
    Reply,
    SaveEvidence,
    SettingsRead,
    Type,
    Wait,
)
from ibga.config.settings import (
    ApiSettings,
    ExistingSession,
    Incoming,
    Login,
    Mode,
    Notice,
    Notices,
    WriteAccess,
)
from ibga.runtime import GatewayState, State
from tests.support.reports import (
    CONFIG,
    DATA,
    NOW,
    RULES,
    Json,
    change,
    components,
    later,
    look,
    recorded,
    sight,
)

PAPER_CHOSEN = change({"text": "Paper Trading"}, selected=True)
LIVE_LEFT = change({"text": "Live Trading"}, selected=False)
BUTTON_PAPER = change({"text": "Log In"}, text="Paper Log In", enabled=True)
USER_TYPED = change({"base": "javax.swing.JTextField"}, text="tester", length=6)
PASSWORD_TYPED = change({"base": "javax.swing.JPasswordField"}, length=6)
FORM = (PAPER_CHOSEN, LIVE_LEFT, BUTTON_PAPER)
LIVE = replace(CONFIG, account=replace(CONFIG.account, mode=Mode.LIVE))


def password_field(report: Report) -> Component:
    return next(each for _, each in report.walk() if each.is_a("JPasswordField"))


def caption(report: Report, step: object) -> str:
    """What is written on the thing that *step* presses."""
    assert isinstance(step, Click), step
    found = report.find(step.component)
    assert found is not None
    assert found[0].id == step.window
    return found[1].text


# --- the login form -------------------------------------------------------------------------------------


def test_the_mode_is_chosen_before_anything_is_typed() -> None:
    report = recorded("login")
    _, decision = look(report)
    assert decision.state is State.LOGIN
    assert caption(report, decision.step) == "Paper Trading"


def test_the_user_name_comes_before_the_password() -> None:
    _, decision = look(recorded("login", *FORM))
    assert isinstance(decision.step, Type)
    assert decision.step.text == "tester"


def test_a_password_that_we_did_not_type_is_typed_again_though_its_length_is_right() -> None:
    report = recorded("login", *FORM, USER_TYPED, PASSWORD_TYPED)
    _, decision = look(report)
    assert isinstance(decision.step, Type)
    assert decision.step.component == password_field(report).id


def test_a_password_that_lost_a_character_is_typed_again() -> None:
    report = recorded("login", *FORM, USER_TYPED, change({"base": "javax.swing.JPasswordField"}, length=5))
    session = Session(pid=report.pid, password_in=password_field(report).id)
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Type)


def test_the_button_is_pressed_once_all_is_filled_in_and_counts_as_an_attempt() -> None:
    report = recorded("login", *FORM, USER_TYPED, PASSWORD_TYPED)
    session = Session(pid=report.pid, password_in=password_field(report).id)

    session, decision = look(report, session=session)

    assert caption(report, decision.step) == "Paper Log In"
    assert isinstance(decision.step, Click)
    assert decision.step.login_attempt
    session = after(session, decision.step, True, NOW)
    _, decision = look(report, session=session, now=later(1))
    assert isinstance(decision.step, Wait)
    assert decision.state is State.LOADING


def test_live_mode_presses_log_in() -> None:
    report = recorded(
        "login", USER_TYPED, PASSWORD_TYPED, change({"text": "Log In"}, enabled=True),
        change({"text": "Live Trading"}, selected=True),
    )  # fmt: skip
    session = Session(pid=report.pid, password_in=password_field(report).id)
    _, decision = look(report, session=session, config=LIVE, phone=Phone(held=True))
    assert caption(report, decision.step) == "Log In"


def test_a_disabled_button_is_not_pressed_and_a_person_is_asked_in_the_end() -> None:
    report = recorded(
        "login", *FORM, USER_TYPED, PASSWORD_TYPED, change({"text": "Paper Log In"}, enabled=False)
    )
    session = Session(pid=report.pid, password_in=password_field(report).id)
    session, decision = look(report, session=session)
    assert isinstance(decision.step, Wait)
    _, decision = look(report, session=session, now=later(4))
    assert decision.state is State.NEEDS_PERSON


@pytest.mark.parametrize("field", ["javax.swing.JPasswordField", "javax.swing.JTextField"])
def test_a_form_with_disabled_fields_is_left_alone(field: str) -> None:
    _, decision = look(recorded("login", *FORM, change({"base": field}, enabled=False)))
    assert decision.step == Wait()


def test_a_refused_login_is_not_tried_again() -> None:
    block = LoginBlock(reason="IB refused the login: 'Invalid username or password.'", person="correct it")
    _, decision = look(recorded("login"), block=block)
    assert decision.state is State.NEEDS_PERSON
    assert decision.step == Wait()


def test_nothing_is_typed_before_the_back_off_is_over() -> None:
    report = recorded("login")
    session = Session(pid=report.pid, not_before=NOW.mono + 60)
    _, decision = look(report, session=session)
    assert decision.step == Wait(NOW.mono + 60)


def test_no_password_is_a_case_for_a_person() -> None:
    config = replace(CONFIG, account=replace(CONFIG.account, password=None))
    _, decision = look(recorded("login"), config=config)
    assert decision.state is State.NEEDS_PERSON


def test_steps_never_show_the_password() -> None:
    report = recorded("login", *FORM, USER_TYPED)
    _, decision = look(report)
    assert "secret" not in repr(decision)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Too many failed login attempts. Please wait 53 seconds before attempting to re-login again.", 56),
        ("Please wait 2 minutes & 1 second before attempting", 124),
        ("Please wait 1 minute before attempting", 63),
        ("Please wait before attempting", None),
        ("Please wait " + "9" * 5000 + " minutes", None),
        ("Please wait " + "9" * 400 + " seconds", None),
        ("Server disconnected, please try again", None),
    ],
)
def test_the_waiting_time_is_read_from_the_text(text: str, seconds: float | None) -> None:
    assert waiting_time(text) == seconds


def test_failed_logins_are_tried_later_and_later() -> None:
    report = recorded("server-disconnected")
    pauses = []
    session = Session(pid=report.pid)
    for _ in range(6):
        session = replace(session, shown={}, to_record=None)
        session, _ = look(report, session=session)
        pauses.append(session.not_before - NOW.mono)
    assert pauses == [60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize("name", ["login-failed", "login-failed-long", "unrecognized", "multiple-paper"])
def test_refused_credentials_are_recorded_before_the_notice_is_answered(name: str) -> None:
    report = recorded(name)
    session, decision = look(report)
    assert isinstance(decision.step, RecordLogin)
    assert decision.step.outcome is Outcome.REFUSED
    assert decision.step.text

    _, decision = look(report, session=replace(session, to_record=None))
    assert caption(report, decision.step) == "OK"


@pytest.mark.parametrize(
    "name",
    [
        "login-failed-transient",
        "login-error",
        "server-disconnected",
        "gateway-failed",
        "not-available",
        "too-many",
    ],
)
def test_other_failures_do_not_count_as_refused(name: str) -> None:
    _, decision = look(recorded(name))
    assert isinstance(decision.step, RecordLogin)
    assert decision.step.outcome is Outcome.TRANSIENT


@pytest.mark.parametrize("name", ["token", "soft-token"])
def test_a_void_token_leads_to_a_full_login_at_once(name: str) -> None:
    session, _ = look(recorded(name))
    assert session.not_before - NOW.mono <= 1.0


def test_a_login_without_an_answer_is_given_up_after_thirty_seconds() -> None:
    report = recorded("login", *FORM)
    session = Session(pid=report.pid, submitted=NOW.mono)
    session, decision = look(report, session=session, now=later(29))
    assert decision.state is State.LOADING
    session, _ = look(report, session=replace(session, quiet_since=NOW.mono), now=later(31))
    assert session.submitted is None
    assert session.failures == 1


# --- progress -------------------------------------------------------------------------------------------


def test_progress_is_loading_and_nothing_is_pressed() -> None:
    _, decision = look(recorded("progress"))
    assert decision.state is State.LOADING
    assert isinstance(decision.step, Wait)
    assert decision.reason == "Connecting to server..."


def test_progress_after_login_is_reconnecting() -> None:
    report = recorded("progress")
    _, decision = look(report, session=Session(pid=report.pid, logged_in=True))
    assert decision.state is State.RECONNECTING


@pytest.mark.parametrize(
    ("phase", "logged_in"), [("Starting application...", True), ("Authenticating...", False)]
)
def test_only_the_end_of_the_last_phase_completes_a_login(phase: str, logged_in: bool) -> None:
    report = recorded("main")
    session = Session(pid=report.pid, phase=phase, progress_since=NOW.mono - 3)
    session, _ = look(report, session=session)
    assert session.logged_in is logged_in


def test_a_hanging_login_fails_after_fifteen_minutes() -> None:
    report = recorded("progress")
    session = Session(pid=report.pid, progress_since=NOW.mono - 901)
    _, decision = look(report, session=session)
    assert decision.state is State.FAILED


# --- dialogs --------------------------------------------------------------------------------------------

PRESSED = [
    ("paper", "I understand and accept"),
    ("bid-ask", "Don't display this message again."),
    ("auto-restart-info", "OK"),
    ("restart-now", "No"),
    ("exit-session", "OK"),
    ("incoming", "No"),
    ("newer", "OK"),
    ("unsupported", "OK"),
    ("desupported", "OK"),
    ("ssl", "Reconnect using SSL"),
    ("nse", "OK"),
    ("no-settings", "OK"),
    ("relogin", "Re-login"),
    ("existing", "Continue Login"),
    ("handoff", "Disconnect Other Session"),
]
LEFT = ["connecting", "exit-confirmation", "reconnect", "shutdown", "lite", "login-messages", "password"]
LEFT += ["advisor", "order", "blind", "crypto", "2fa-push", "2fa-code", "unknown", "every-kind"]


@pytest.mark.parametrize(("name", "wanted"), PRESSED)
def test_a_known_dialog_gets_its_button(name: str, wanted: str) -> None:
    report = recorded(name)
    _, decision = look(report)
    assert caption(report, decision.step) == wanted


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_ours_to_answer_is_left_alone(name: str) -> None:
    report = recorded(name)
    session = None
    for seconds in (0, 2, 4, 60):
        session, decision = look(report, session=session, now=later(seconds))
        # A notice that blocks nothing does not keep us from working in the main window.
        assert not isinstance(decision.step, Deed) or is_main(report, decision.step.window), decision.step
        session = replace(session, to_record=None)


def is_main(report: Report, window: int) -> bool:
    found = report.menu_item("File", "Close")
    return found is not None and found[0].id == window


def test_the_ticked_notice_is_then_accepted() -> None:
    report = recorded("bid-ask", change({"base": "javax.swing.JCheckBox", "text": TICK}, selected=True))
    _, decision = look(report)
    assert caption(report, decision.step) == "I understand - display market data"


TICK = "Don't display this message again."


@pytest.mark.parametrize(
    ("name", "config", "wanted"),
    [
        (
            "bid-ask",
            replace(CONFIG, notices=Notices(bid_ask=Notice.DISMISS)),
            "I understand - display market data",
        ),
        ("bid-ask", replace(CONFIG, notices=Notices(bid_ask=Notice.ASK)), None),
        ("order", replace(CONFIG, notices=Notices(order=Notice.ACCEPT)), TICK),
        ("order", replace(CONFIG, notices=Notices(order=Notice.DISMISS)), "Cancel"),
        ("blind", replace(CONFIG, notices=Notices(blind_trading=Notice.ACCEPT)), "Override and Transmit"),
        ("crypto", replace(CONFIG, notices=Notices(crypto=Notice.DISMISS)), "Cancel"),
        ("advisor", replace(CONFIG, notices=Notices(advisor=Notice.ACCEPT)), "Yes"),
        ("password", replace(CONFIG, notices=Notices(password=Notice.ACCEPT)), "OK"),
        ("incoming", replace(CONFIG, api=ApiSettings(incoming=Incoming.ACCEPT)), "Yes"),
        ("incoming", replace(CONFIG, api=ApiSettings(incoming=Incoming.REJECT)), "No"),
        ("incoming", replace(CONFIG, api=ApiSettings(incoming=Incoming.ASK)), None),
        ("existing", replace(CONFIG, login=Login(existing_session=ExistingSession.ASK)), None),
        ("existing", replace(CONFIG, login=Login(existing_session=ExistingSession.YIELD)), None),
    ],
)
def test_the_configuration_decides_what_the_rule_book_leaves_open(
    name: str, config: object, wanted: str | None
) -> None:
    report = recorded(name)
    _, decision = look(report, config=config)  # type: ignore[arg-type]
    if wanted is None:
        assert not isinstance(decision.step, Deed)
        assert decision.person
    else:
        assert caption(report, decision.step) == wanted


def test_a_client_from_here_is_let_in() -> None:
    text = "Accept incoming connection attempt from 127.0.0.1?"
    here = change({"text": "Accept incoming connection attempt from 192.0.2.7?"}, text=text)
    report = recorded("incoming", here)
    _, decision = look(report)
    assert caption(report, decision.step) == "Yes"


def test_the_write_access_notice_is_closed_unless_asked_for() -> None:
    report = recorded("write-access")
    _, decision = look(report)
    assert isinstance(decision.step, CloseWindow)

    _, decision = look(report, config=replace(CONFIG, api=ApiSettings(write_access=WriteAccess.ASK)))
    assert not isinstance(decision.step, Deed)


def test_a_second_factor_has_ibs_deadline_from_its_first_sight() -> None:
    report = recorded("2fa-push")
    session, _ = look(report)
    _, decision = look(report, session=session, now=later(30))
    assert decision.state is State.SECOND_FACTOR
    assert decision.deadline == NOW.unix + 180
    assert decision.person


def test_two_sessions_do_not_throw_each_other_out_for_ever() -> None:
    report = recorded("existing")
    takeovers = tuple(NOW.unix - 60 * back for back in range(6, 0, -1))
    _, decision = look(report, session=Session(pid=report.pid, takeovers=takeovers))
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)


def test_an_unknown_dialog_is_saved_after_a_while_then_left_to_a_person() -> None:
    report = recorded("unknown")
    session, decision = look(report)
    assert decision.step == Wait(NOW.mono + 3)
    session, decision = look(report, session=session, now=later(3))
    assert isinstance(decision.step, SaveEvidence)
    window = report.window(decision.step.window)
    assert window is not None

    session = replace(session, evidence={kind_of(window): "/var/log/here"})
    _, decision = look(report, session=session, now=later(4))
    assert decision.state is State.NEEDS_PERSON
    assert "/var/log/here" in decision.person
    assert decision.step == Wait()


def test_the_window_below_an_unknown_dialog_is_not_touched() -> None:
    def on_top(report: Json) -> None:
        unknown = recorded_json("unknown")
        dialog = next(each for each in unknown["windows"] if each["title"] == "Quarterly survey")
        for window in report["windows"]:
            window["active"] = False
        for number, each in enumerate([dialog, *components(dialog)]):
            each["id"] = 9000 + number
        report["windows"].append(dialog)

    report = recorded("paper", on_top)
    _, decision = look(report)
    assert isinstance(decision.step, Wait)


def recorded_json(name: str) -> Json:
    import json

    result: Json = json.loads((DATA / f"{name}.json").read_text())
    return result


def test_a_button_that_is_there_twice_is_not_pressed() -> None:
    def twice(report: Json) -> None:
        for window in report["windows"]:
            for node in [window, *components(window)]:
                buttons = [
                    each
                    for each in node.get("components", ())
                    if each.get("text") == "I understand and accept"
                ]
                for button in buttons:
                    node["components"].append({**button, "id": 9999})
                    return

    _, decision = look(recorded("paper", twice))
    assert isinstance(decision.step, Wait)


def mutated(randomness: random.Random) -> Callable[[Json], None]:
    """Return an edit that gives every window but the main one other words, and more buttons."""

    def word() -> str:
        return "".join(randomness.choice("bcdfghjklmnpqrstvwxz") for _ in range(8))

    def edit(report: Json) -> None:
        for window in report["windows"]:
            if window["kind"] == "frame" and "ibgateway." in window["class"]:
                continue
            window["title"] = word()
            window["class"] = "some.other.package.a"
            for each in list(components(window)):
                if each.get("text") and not each["base"].endswith("Button"):
                    each["text"] = word()
                if each.get("components") and randomness.random() < 0.3:
                    button = {"class": "x", "base": "javax.swing.JButton", "enabled": True, "focused": False}
                    text = randomness.choice(["OK", "Yes", "Continue", "I understand and accept", word()])
                    button |= {
                        "id": randomness.randrange(5000, 9000),
                        "text": text,
                        "bounds": [400, 400, 50, 20],
                    }
                    each["components"].append(button)

    return edit


def test_a_dialog_with_other_words_is_never_clicked_whatever_its_buttons() -> None:
    randomness = random.Random(20261124)
    names = [name for name, _ in PRESSED] + LEFT
    for name in names * 3:
        report = recorded(name, mutated(randomness))
        session = None
        for seconds in (0, 4, 20):
            session, decision = look(report, session=session, now=later(seconds))
            assert isinstance(decision.step, Wait | SaveEvidence), (name, decision)


def test_more_buttons_beside_a_known_one_change_nothing() -> None:
    randomness = random.Random(7)
    for name, wanted in PRESSED:
        report = recorded(name, more_buttons(randomness))
        _, decision = look(report)
        assert caption(report, decision.step) == wanted


def more_buttons(randomness: random.Random) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        for window in report["windows"]:
            for each in list(components(window)):
                if each.get("components") and randomness.random() < 0.5:
                    button = {"class": "x", "base": "javax.swing.JButton", "enabled": True, "focused": False}
                    text = randomness.choice(["Help", "Details", "Later"])
                    button |= {"id": randomness.randrange(5000, 9000), "text": text, "bounds": [1, 1, 5, 5]}
                    each["components"].append(button)

    return edit


def test_whatever_is_pressed_in_a_dialog_is_named_by_a_rule() -> None:
    captions = {fold(each) for rule in RULES for each in (*rule.click, *rule.check)}
    for path in DATA.glob("*.json"):
        report = recorded(path.stem)
        _, decision = look(report)
        if isinstance(decision.step, Click) and decision.step.name.startswith(("answer", "tick")):
            assert fold(caption(report, decision.step)) in captions


# --- after the login: settings, API, ready --------------------------------------------------------------

READ = SettingsRead(port=9000, read_only=False, localhost_only=True)
API = ApiAnswer(ok=True, mono=NOW.mono, unix=NOW.unix, detail="handshake")


def in_session(report: Report, **fields: object) -> Session:
    base = Session(pid=report.pid, logged_in=True, quiet_since=NOW.mono - 60)
    session, _ = look(report, session=base)
    return replace(session, quiet_since=NOW.mono - 60, **fields)  # type: ignore[arg-type]


def test_the_settings_are_opened_only_after_the_windows_have_settled() -> None:
    report = recorded("main")
    session = replace(in_session(report), quiet_since=NOW.mono, phase="Starting application...")
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Wait)
    _, decision = look(report, session=session, now=later(10))
    assert isinstance(decision.step, Menu)
    assert decision.step.path == ("Configure", "Settings")


def test_menus_are_not_used_before_the_login_is_complete() -> None:
    report = recorded("main")
    _, decision = look(report)
    assert isinstance(decision.step, Wait)
    assert decision.state is State.LOADING


def test_a_settings_dialog_that_we_did_not_open_is_left_with_cancel() -> None:
    report = recorded("settings")
    _, decision = look(report, session=in_session(report))
    assert caption(report, decision.step) == "Cancel"


def test_the_way_to_the_api_settings_is_taken_in_the_tree() -> None:
    report = recorded("settings")
    dialog = next(window for window in report.windows if window.find("JTree"))
    _, decision = look(report, session=in_session(report, settings_dialog=dialog.id))
    assert isinstance(decision.step, ChoosePath)
    assert decision.step.path == ("API", "Settings")


def test_ready_needs_settings_that_were_read_back_and_an_api_that_answered() -> None:
    report = recorded("main")
    for fields in ({}, {"api": API}, {"settings": READ}, {"settings": READ, "api": replace(API, ok=False)}):
        _, decision = look(report, session=in_session(report, **fields))
        assert decision.state is not State.READY, fields
    session, decision = look(report, session=in_session(report, settings=READ, api=API))
    assert decision.state is State.READY
    assert all(fact.ok for fact in (facts(session, sight(report), CONFIG, NOW).ui,))


def test_the_api_is_asked_again_only_after_a_minute_without_a_sign_of_life() -> None:
    report = recorded("main")
    session = in_session(report, settings=READ, api=API)
    _, decision = look(report, session=session, now=later(59))
    assert isinstance(decision.step, Wait)
    _, decision = look(report, session=session, now=later(61))
    assert decision.step == ProbeApi(port=9000)
    _, decision = look(report, session=session, now=later(61), api_evidence=NOW.mono + 30)
    assert isinstance(decision.step, Wait)
    _, decision = look(report, session=session, now=later(61), probing=True)
    assert decision.step == Wait()


def test_settings_that_do_not_stick_fail_instead_of_going_on_for_ever() -> None:
    report = recorded("main")
    _, decision = look(report, session=in_session(report, settings_rounds=3))
    assert decision.state is State.FAILED


def test_a_ready_session_is_not_ready_without_its_main_window() -> None:
    report = recorded("login")
    session, decision = look(report, session=Session(pid=report.pid, logged_in=True, settings=READ, api=API))
    assert decision.state is State.LOGIN
    assert session.settings is None


def test_a_known_dialog_does_not_clear_the_ui_fact_for_half_a_minute() -> None:
    report = recorded("newer")
    session, _ = look(report, session=Session(pid=report.pid, logged_in=True))
    assert facts(session, sight(report), CONFIG, later(29)).ui.ok
    assert not facts(session, sight(report), CONFIG, later(31)).ui.ok


def test_an_unknown_dialog_clears_the_ui_fact_at_once() -> None:
    report = recorded("unknown")
    session, _ = look(report, session=Session(pid=report.pid, logged_in=True))
    assert not facts(session, sight(report), CONFIG, NOW).ui.ok


def test_the_settings_window_does_not_clear_the_ui_fact() -> None:
    report = recorded("settings")
    session, _ = look(report, session=Session(pid=report.pid, logged_in=True))
    assert facts(session, sight(report), CONFIG, NOW).ui.ok


def test_connections_are_read_from_the_labels() -> None:
    window = next(each for each in recorded("main").windows if each.menu_item("File", "Close"))
    found = connections(window)
    assert list(found) == ["Interactive Brokers API Server", "Market Data Farm", "Historical Data Farm"]
    assert all(connected(status) for status in found.values())


@pytest.mark.parametrize(
    ("status", "good"), [("connected", True), ("ON: hfarm", True), ("disconnected", False), ("OFF: x", False)]
)
def test_a_status_is_good_or_not(status: str, good: bool) -> None:
    assert connected(status) is good


# --- process, freeze, end -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gateway", "state"),
    [
        (GatewayState.INSTALLING, State.INSTALLING),
        (GatewayState.STARTING, State.STARTING),
        (GatewayState.RESTARTING, State.RESTARTING),
        (GatewayState.STOPPING, State.STOPPED),
        (GatewayState.STOPPED, State.STOPPED),
        (GatewayState.FAILED, State.FAILED),
    ],
)
def test_without_a_process_the_gateway_service_says_where_it_stands(
    gateway: GatewayState, state: State
) -> None:
    _, decision = look(None, state=gateway, alive=False)
    assert decision.state is state
    assert decision.reason == "as the test says"


def test_a_dead_process_is_not_ready_whatever_its_last_report_said() -> None:
    report = recorded("main")
    session = in_session(report, settings=READ, api=API)
    session, decision = look(report, session=session, alive=False)
    assert decision.state is not State.READY
    assert session.settings is None


@pytest.mark.parametrize(
    ("silent", "state"), [(10.0, State.READY), (14.9, State.READY), (15.1, State.FROZEN)]
)
def test_an_event_queue_that_is_late_by_ten_seconds_is_not_frozen(silent: float, state: State) -> None:
    report = recorded("main")
    _, decision = look(report, session=in_session(report, settings=READ, api=API), silent=silent)
    assert decision.state is state


def test_no_window_within_two_minutes_is_a_failure() -> None:
    session, decision = look(None)
    assert decision.state is State.STARTING
    _, decision = look(None, session=session, now=later(121))
    assert decision.state is State.FAILED


def closing(report: Report, **fields: object) -> Session:
    return in_session(report, settings=READ, api=API, close_request="test", close_since=NOW.mono, **fields)


def test_a_request_to_close_goes_through_file_close() -> None:
    report = recorded("main")
    _, decision = look(report, session=closing(report))
    assert isinstance(decision.step, Menu)
    assert decision.step.path == ("File", "Close")
    assert decision.state is State.STOPPED


def test_our_own_question_whether_to_exit_is_confirmed() -> None:
    report = recorded("exit-confirmation")
    _, decision = look(report, session=closing(report, close_chosen=NOW.mono))
    assert caption(report, decision.step) == "Yes"


def test_the_settings_are_discarded_before_closing() -> None:
    report = recorded("settings")
    _, decision = look(report, session=closing(report))
    assert caption(report, decision.step) == "Cancel"


def test_a_request_under_an_unknown_dialog_is_declined_at_once() -> None:
    report = recorded("unknown")
    session = closing(report)
    _, decision = look(report, session=session, now=later(0.5))
    assert isinstance(decision.step, Reply)
    assert not decision.step.ok


@pytest.mark.parametrize("name", ["login", "progress"])
def test_a_request_without_a_session_is_declined(name: str) -> None:
    report = recorded(name)
    session = Session(pid=report.pid, close_request="test", close_since=NOW.mono)
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Reply)
    assert not decision.step.ok


def test_the_shutdown_window_answers_the_request() -> None:
    report = recorded("shutdown")
    _, decision = look(report, session=closing(report, close_chosen=NOW.mono))
    assert isinstance(decision.step, Reply)
    assert decision.step.ok


def test_nothing_is_touched_once_the_gateway_shuts_down() -> None:
    report = recorded("shutdown")
    _, decision = look(report, session=in_session(report, settings=READ, api=API))
    assert decision.step == Wait()
    assert decision.state is State.RESTARTING


def test_while_the_gateway_is_stopped_only_its_question_is_confirmed() -> None:
    for path in DATA.glob("*.json"):
        report = recorded(path.stem)
        _, decision = look(report, session=in_session(report, to_record=None), state=GatewayState.STOPPING)
        if path.stem == "exit-confirmation":
            assert caption(report, decision.step) == "Yes"
        elif not isinstance(decision.step, RecordLogin):
            assert decision.step == Wait(), path.stem


# --- tries ----------------------------------------------------------------------------------------------


def test_what_had_no_effect_is_tried_less_and_less_often_and_told() -> None:
    report = recorded("login")
    session, decision = look(report)
    assert isinstance(decision.step, Click)
    name = decision.step.name
    for count, pause in enumerate((0.2, 1.0, 3.0, 10.0), start=1):
        tried = replace(session, tries={name: Try(count, NOW.mono)})
        _, decision = look(report, session=tried)
        assert decision.step == Wait(NOW.mono + pause)
        assert (decision.state is State.NEEDS_PERSON) is (count >= 3)
        _, decision = look(report, session=tried, now=later(pause))
        assert isinstance(decision.step, Click)


def test_an_effect_ends_the_counting() -> None:
    report = recorded("login")
    session, decision = look(report)
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, False, NOW)
    assert session.tries[decision.step.name].count == 1
    assert not after(session, decision.step, True, NOW).tries


def test_a_new_process_starts_with_a_clean_slate_but_keeps_its_back_off() -> None:
    report = recorded("main")
    old = replace(in_session(report, settings=READ, api=API), pid=1, failures=2, not_before=NOW.mono + 100)
    session, _ = look(report, session=old)
    assert session.pid == report.pid
    assert (session.settings, session.api, session.logged_in) == (None, None, False)
    assert (session.failures, session.not_before) == (2, NOW.mono + 100)


def test_a_gateway_that_ends_during_a_login_has_failed_it_and_the_next_comes_later() -> None:
    """Else one that crashes at each login spends the budget of a day in minutes."""
    report = recorded("progress")
    under_way = Session(pid=report.pid, submitted=NOW.mono, failures=1, last_words="server disconnected")

    session = observe(under_way, sight(None, alive=False), CONFIG, later(5))

    assert session.to_record is not None
    assert session.to_record.outcome is Outcome.TRANSIENT
    assert session.to_record.factor is Factor.NONE
    session = replace(session, to_record=None)
    form = recorded("login", lambda data: data.update(pid=5))
    session, decision = look(form, session=session, now=later(30))
    assert isinstance(decision.step, Wait)
    assert decision.deadline == NOW.unix + 5 + BACK_OFF[1]

    stopped = observe(under_way, sight(None, GatewayState.STOPPING, alive=False), CONFIG, later(5))
    assert (stopped.to_record, stopped.failures) == (None, 1), "ended on purpose"
    token = observe(Session(pid=report.pid), sight(None, alive=False), CONFIG, later(5))
    assert (token.to_record, token.failures) == (None, 0), "no login was under way"


def test_the_shipped_rule_book_has_no_mistake() -> None:
    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, DATA)
    assert mistakes == ()
    assert len({rule.name for rule in loaded}) == len(loaded)


def test_a_form_that_came_back_is_not_filled_before_its_notice_could_show() -> None:
    report = recorded("login")
    session = Session(pid=report.pid, phase="Authenticating...", progress_since=NOW.mono - 3)
    session, decision = look(report, session=session)
    assert decision.step == Wait(NOW.mono + 0.5)
    _, decision = look(report, session=session, now=later(0.5))
    assert isinstance(decision.step, Click)


def test_ready_is_taken_back_while_a_known_dialog_will_not_go() -> None:
    report = recorded("newer", change({"text": "OK"}, enabled=False))
    session = in_session(report, settings=READ, api=API, state=State.READY)
    session, decision = look(report, session=session, now=later(1))
    assert decision.state is State.READY
    _, decision = look(report, session=session, now=later(40))
    assert decision.state is not State.READY


def test_a_process_that_did_not_end_after_all_is_worked_with_again() -> None:
    report = recorded("main")
    session = in_session(report, settings=READ, api=API, closed=True, close_since=NOW.mono)
    _, decision = look(report, session=session, now=later(30))
    assert decision.state is State.RESTARTING
    _, decision = look(report, session=session, now=later(61))
    assert decision.state is State.READY
