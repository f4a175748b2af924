"""Decisions on builds that differ from the recorded ones, and on what must not pass for something else."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ibga.agent.report import Report
from ibga.automator.prompts import Phone
from ibga.automator.screens import recognise
from ibga.automator.session import ApiAnswer, Session, after, observe
from ibga.automator.steps import Choose, ChoosePath, Click, SaveEvidence, SettingsRead, Type, Wait
from ibga.config import Config
from ibga.config.settings import ExistingSession, Mode
from ibga.runtime import State
from tests.support.reports import (
    CONFIG,
    DATA,
    NOW,
    Json,
    change,
    components,
    each,
    later,
    look,
    recorded,
    sight,
)

READ = SettingsRead(port=9000, read_only=False, localhost_only=True)
API = ApiAnswer(ok=True, mono=NOW.mono, unix=NOW.unix, detail="handshake")
LIVE = replace(CONFIG, account=replace(CONFIG.account, mode=Mode.LIVE))
READ_ONLY = replace(CONFIG, api=replace(CONFIG.api, read_only=True))


def without(**wanted: object) -> Callable[[Json], None]:
    """Return an edit that takes away the components that match."""

    def edit(node: Json) -> None:
        for node_part in node.get("windows") or node.get("components") or ():
            if "components" in node_part:
                node_part["components"] = [
                    below
                    for below in node_part["components"]
                    if not all(below.get(key) == value for key, value in wanted.items())
                ]
                edit(node_part)

    return edit


def window_change(shown: str, /, **values: object) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        for window in report["windows"]:
            if window["title"] == shown and window["modal"]:
                window.update(values)

    return edit


def add(name: str, kind: str) -> Callable[[Json], None]:
    """Return an edit that adds the windows of tests/data/NAME.json that hold such a component."""

    def edit(report: Json) -> None:
        for window in json.loads((DATA / f"{name}.json").read_text())["windows"]:
            if any(found["base"].endswith(kind) for found in components(window)):
                report["windows"].append(window)

    return edit


TYPED = (
    change({"base": "javax.swing.JTextField"}, text="tester", length=6),
    change({"base": "javax.swing.JPasswordField"}, length=6),
    change({"text": "Log In"}, enabled=True),
)
NO_MODES = (without(text="Live Trading"), without(text="Paper Trading"), without(text="Trading Mode"))


def filled(*edits: Callable[[Json], None]) -> tuple[Report, Session]:
    report = recorded("login", *TYPED, *edits)
    field = next(each for _, each in report.walk() if each.is_a("JPasswordField"))
    return report, Session(pid=report.pid, password_in=field.id)


# --- the trading mode -----------------------------------------------------------------------------------


def test_a_form_that_tells_no_mode_is_never_submitted_for_paper() -> None:
    report, session = filled(*NO_MODES)
    _, decision = look(report, session=session)
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)


def test_a_form_that_tells_no_mode_is_submitted_for_live_and_where_its_button_says_paper() -> None:
    report, session = filled(*NO_MODES)
    _, decision = look(report, session=session, config=LIVE, phone=Phone(held=True))
    assert isinstance(decision.step, Click)
    report, session = filled(*NO_MODES, change({"text": "Log In"}, text="Paper Log In"))
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Click)


def test_the_mode_is_chosen_in_a_combo_box_where_there_are_no_toggles() -> None:
    rows = [{"text": "Live Trading", "selected": True}, {"text": "Paper Trading"}]
    combo = {"base": "javax.swing.JComboBox", "text": "Live Trading", "rows": rows}
    report, session = filled(
        without(text="Paper Trading"),
        without(text="Trading Mode"),
        change({"text": "Live Trading"}, **combo),
    )
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Choose)
    assert decision.step.row == 1


# --- what must not pass for another session -------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        window_change("Gateway", **{"class": "twslaunch.jconnection.ab"}),
        window_change("Gateway", title="IBKR Gateway"),
        change({"text": "Connecting to server..."}, text="Please wait. Connecting to server..."),
        change(
            {"text": "Connecting to server..."}, text="Connection to server failed (trying for another 9 s)"
        ),
    ],
)
def test_the_ok_of_a_connecting_login_is_never_pressed(edit: Callable[[Json], None]) -> None:
    report = recorded("connecting", edit, window_change("Gateway", title="IBKR Gateway"))
    session = None
    for seconds in (0, 4, 11, 60):
        session, decision = look(report, session=session, now=later(seconds))
        assert isinstance(decision.step, Wait | SaveEvidence), decision


def test_another_session_is_known_by_its_text_too() -> None:
    report = recorded(
        "existing",
        window_change("Existing session detected", title="IBKR Gateway", **{"class": "feature.messages.k"}),
        change({"text": "Continue Login"}, text="Continue Login"),
        add_label("Existing session detected. Continue?"),
    )
    _, decision = look(report)
    assert isinstance(decision.step, Click)
    assert decision.step.name == "take the session over"


def add_label(text: str) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        (window,) = (shown for shown in report["windows"] if shown["modal"])
        label = {
            "id": 9001,
            "class": "javax.swing.JLabel",
            "base": "javax.swing.JLabel",
            "text": text,
            "enabled": True,
            "focused": False,
            "bounds": [400, 360, 100, 20],
        }
        window["components"].append(label)

    return edit


def test_a_session_lost_to_another_is_not_taken_back_under_yield() -> None:
    report = recorded("relogin", without_progress)
    config = replace(CONFIG, login=replace(CONFIG.login, existing_session=ExistingSession.YIELD))
    lost = Session(pid=report.pid, logged_in=True, quiet_since=NOW.mono)
    _, decision = look(report, session=lost, config=config)
    assert decision.state is State.DISPLACED
    assert isinstance(decision.step, Wait)
    assert decision.person
    _, decision = look(report, session=replace(lost, reconnecting=True), config=config)
    assert isinstance(decision.step, Click)


def without_progress(report: Json) -> None:
    report["windows"] = [shown for shown in report["windows"] if "feature.welcome." not in shown["class"]]


def test_re_logins_of_a_row_come_later_and_later() -> None:
    report = recorded("relogin")
    session: Session | None = Session(pid=report.pid, logged_in=True, quiet_since=NOW.mono)
    session, decision = look(report, session=session)
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, True, NOW)
    session, decision = look(report, session=session, now=later(30))
    assert isinstance(decision.step, Wait)
    session, decision = look(report, session=session, now=later(61))
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, True, later(61))
    session, decision = look(report, session=session, now=later(61 + 100))
    assert isinstance(decision.step, Wait)


def test_a_login_form_that_stays_is_not_filled_in_again_after_a_re_login() -> None:
    report = recorded("main", add("login", "JPasswordField"))
    assert recognise(report).login is not None
    session = Session(
        pid=report.pid, logged_in=True, settings=READ, api=API, submitted=NOW.mono, quiet_since=NOW.mono
    )
    for seconds in (1, 10, 40, 200):
        session, decision = look(report, session=session, now=later(seconds))
        assert session.logged_in
        assert not isinstance(decision.step, Click | Type)
    assert session.submitted is None


def test_ready_is_not_claimed_from_the_handshake_of_a_session_that_is_over() -> None:
    report = recorded("token")
    session = Session(pid=report.pid, logged_in=True, settings=READ, api=API, quiet_since=NOW.mono)
    session, _ = look(report, session=session)
    assert session.api is None
    assert session.settings is None


def test_a_refusal_is_not_overwritten_before_it_is_written_down() -> None:
    report = recorded("login-failed", add("server-disconnected", "JButton"))
    session = observe(Session(pid=report.pid), sight(report), CONFIG, NOW)
    assert session.to_record is not None
    assert session.to_record.outcome == "refused"


def test_a_failed_login_is_not_judged_before_its_words_are_there() -> None:
    text = "Invalid username or password."
    empty = recorded("login-failed", change({"text": text}, text=""))
    session, decision = look(empty)
    assert session.to_record is None
    assert isinstance(decision.step, Wait)
    report = recorded("login-failed")
    session = observe(session, sight(report), CONFIG, later(0.2))
    assert session.to_record is not None
    assert session.to_record.outcome == "refused"


@pytest.mark.parametrize(
    "text",
    [
        "Username or password incorrect",
        "The user name or password you entered is incorrect.",
        "Login failed: invalid credentials",
        "Your credentials were rejected",
    ],
)
def test_refused_credentials_are_known_under_other_words_and_titles(text: str) -> None:
    report = recorded(
        "login-failed",
        change({"text": "Invalid username or password."}, text=text),
        window_change("Login failed", title="IBKR"),
    )
    session = observe(Session(pid=report.pid), sight(report), CONFIG, NOW)
    assert session.to_record is not None
    assert session.to_record.outcome == "refused"


def test_the_login_form_on_the_screen_is_taken_and_not_its_decoy() -> None:
    def decoy(report: Json) -> None:
        (form,) = (
            window
            for window in report["windows"]
            if any(found["base"].endswith("JPasswordField") for found in components(window))
        )
        report["windows"].append({**form, "id": 9500, "bounds": [-700, 0, 790, 610]})

    form = recognise(recorded("login")).login
    assert form is not None
    found = recognise(recorded("login", decoy)).login
    assert found is not None
    assert found.id == form.id


# --- settings that cannot be read back ------------------------------------------------------------------


def part(number: int, base: str, text: str, **more: object) -> Json:
    kind = f"javax.swing.{base}"
    return {"id": number, "class": kind, "base": kind, "text": text, "enabled": True, "focused": False,
            "bounds": [400, 300, 80, 20], **more}  # fmt: skip


def panel(*parts: Json, port: str = "9000", label: bool = True) -> Callable[[Json], None]:
    """Return an edit that puts API > Settings beside the tree, with these parts beside the port."""

    def edit(report: Json) -> None:
        (content,) = each(report, id=541)
        field = part(9101, "JFormattedTextField", port, editable=True, length=len(port))
        spinner = part(9100, "JSpinner", port, components=[field])
        content["components"] = [*([part(9102, "JLabel", "Socket port")] if label else []), spinner, *parts]

    return edit


def api_panel(*parts: Json, port: str = "9000", label: bool = True) -> tuple[Report, Session]:
    """The settings dialog with API > Settings selected."""

    def select(report: Json) -> None:
        for tree in each(report, base="javax.swing.JTree"):
            row = {"path": ["Configuration", "API", "Settings"], "text": "Settings", "selected": True}
            tree["rows"] = [*({**row, "selected": False} for row in tree["rows"]), row]

    report = recorded("settings", select, panel(*parts, port=port, label=label))
    dialog = next(window for window in report.windows if window.find("JTree"))
    session = Session(pid=report.pid, logged_in=True, quiet_since=NOW.mono - 60, settings_dialog=dialog.id)
    return report, session


def box(number: int, text: str, selected: bool) -> Json:
    return part(number, "JCheckBox", text, selected=selected)


BOXES = (box(9201, "Read-Only API", False), box(9202, "Allow connections from localhost only.", True))


def test_a_port_in_a_spinner_is_read_without_its_grouping() -> None:
    report, session = api_panel(*BOXES, port="9,000")
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Click)
    assert decision.step.read == READ


@pytest.mark.parametrize(
    ("boxes", "config"),
    [(BOXES[1:], READ_ONLY), (BOXES[:1], CONFIG), ((), CONFIG)],
)
def test_a_box_that_must_be_ticked_and_is_not_there_is_never_ready(
    boxes: tuple[Json, ...], config: Config
) -> None:
    report, session = api_panel(*boxes)
    session, decision = look(report, session=session, config=config)
    assert isinstance(decision.step, Wait)  # it may still come
    _, decision = look(report, session=session, config=config, now=later(6))
    assert decision.state is State.FAILED


def test_a_build_without_read_only_is_taken_for_one_that_is_not() -> None:
    report, session = api_panel(*BOXES[1:])
    _, decision = look(report, session=session)
    assert isinstance(decision.step, Click)
    assert decision.step.read == replace(READ, read_only=None)


def test_a_panel_without_a_port_is_not_waited_for_without_end() -> None:
    report, session = api_panel(*BOXES, label=False)
    session, _ = look(report, session=session)
    _, decision = look(report, session=session, now=later(6))
    assert decision.state is State.FAILED


def test_a_tree_with_nothing_below_api_has_the_panel_there() -> None:
    def old(selected: bool) -> Callable[[Json], None]:
        def edit(report: Json) -> None:
            for tree in each(report, base="javax.swing.JTree"):
                paths = (["Configuration", "General"], ["Configuration", "API"])
                tree["rows"] = [{"path": path, "text": path[-1], "leaf": True} for path in paths]
                tree["rows"][1]["selected"] = selected

        return edit

    report, session = api_panel(*BOXES)
    dialog = next(window for window in report.windows if window.find("JTree"))
    before = recorded("settings", old(False))
    _, decision = look(before, session=replace(session, pid=before.pid))
    assert isinstance(decision.step, ChoosePath)
    assert decision.step.path == ("API",)
    assert decision.step.window == dialog.id

    _, decision = look(recorded("settings", old(True), panel(*BOXES)), session=session)
    assert isinstance(decision.step, Click)
    assert decision.step.read == READ


# --- reports that are cut -------------------------------------------------------------------------------


def cut(report: Json) -> None:
    report["truncated"] = True


def test_a_report_that_was_cut_short_is_not_acted_on_nor_believed() -> None:
    report = recorded("login", cut)
    before = Session(
        pid=report.pid, logged_in=True, settings=READ, api=API, state=State.READY, quiet_since=NOW.mono
    )
    session, decision = look(report, session=before)
    assert session.logged_in
    assert session.settings == READ
    assert decision.state is State.READY
    assert decision.step == Wait()
    _, decision = look(report, session=session, now=later(6))
    assert decision.state is State.NEEDS_PERSON


# --- waits that have an end -----------------------------------------------------------------------------


def test_a_connecting_dialog_that_never_goes_is_a_failure_in_the_end() -> None:
    report = recorded("connecting")
    session = Session(pid=report.pid, submitted=NOW.mono, quiet_since=NOW.mono)
    session, decision = look(report, session=session, now=later(60))
    assert decision.state is State.LOADING
    session, decision = look(report, session=session, now=later(961))
    assert decision.state is State.FAILED
    assert isinstance(decision.step, Wait)


def test_a_form_that_stays_disabled_is_a_failure_in_the_end() -> None:
    report = recorded("login", change({"base": "javax.swing.JPasswordField"}, enabled=False))
    session, decision = look(report)
    assert decision.state is State.LOGIN
    _, decision = look(report, session=session, now=later(901))
    assert decision.state is State.FAILED


def test_a_second_factor_window_that_outlives_ibs_limit_is_for_a_person() -> None:
    report = recorded("2fa-push")
    session, decision = look(report)
    assert decision.state is State.SECOND_FACTOR
    _, decision = look(report, session=session, now=later(250))
    assert decision.state is State.NEEDS_PERSON
