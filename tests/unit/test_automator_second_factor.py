"""Second factors on recorded windows: what is pressed, what is typed, what is left to a person, and when."""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ibga.agent.report import Report, Row, fold
from ibga.automator import prompts, totp
from ibga.automator.challenge import Kind, choose_device, read_challenge, serves
from ibga.automator.decision import Decision
from ibga.automator.ledger import Outcome
from ibga.automator.prompts import Factor, Past, Phone
from ibga.automator.screens import recognise
from ibga.automator.second_factor import keeps_phone
from ibga.automator.session import CONFIRM_DEVICE, CommandAnswer, Now, Session, after, observe
from ibga.automator.steps import (
    Answered,
    AskCode,
    Choose,
    Click,
    CodeTaken,
    Deed,
    HoldPhone,
    RecordLogin,
    SaveEvidence,
    TypeCode,
    Wait,
)
from ibga.config import Config
from ibga.config.settings import Mode, OnTimeout, SecondFactor
from ibga.config.settings import SecondFactorMethod as Method
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

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LIVE = replace(CONFIG, account=replace(CONFIG.account, mode=Mode.LIVE))
TOTP = replace(LIVE, account=replace(LIVE.account, totp_secret=SECRET))
COMMAND = replace(LIVE, second_factor=SecondFactor(code_command="print-a-code"))
HELD = Phone(held=True)


def using(method: Method, **more: Any) -> Config:
    return replace(LIVE, second_factor=SecondFactor(method=method, **more))


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def retitled(title: str) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        for window in report["windows"]:
            if "jauthentication" in window["class"]:
                window["title"] = title

    return edit


CONFIRMED = Click(name=CONFIRM_DEVICE, window=0, component=0, effect=Answered(0))


def pressed(report: Report, decision: Decision) -> str:
    """What is written on the thing in the second factor's window that is pressed."""
    step = decision.step
    assert isinstance(step, Click), step
    window = recognise(report).second_factor
    assert window is not None
    assert step.window == window.id
    component = window.by_id(step.component)
    assert component is not None
    return component.text


# --- which it is ----------------------------------------------------------------------------------------

KINDS = {
    "2fa-push": Kind.PUSH,
    "2fa-list": Kind.LIST,
    "2fa-code": Kind.CODE,
    "2fa-card": Kind.CARD,
    "2fa-card-code": Kind.CARD,
    "2fa-passkey": Kind.PASSKEY,
    "2fa-browser": Kind.PASSKEY,
}


def kind(report: Report) -> Kind:
    window = recognise(report).second_factor
    assert window is not None
    return read_challenge(window).kind


@pytest.mark.parametrize("build", ["", "-older"])
@pytest.mark.parametrize(("name", "wanted"), KINDS.items())
def test_each_is_known_by_its_contents(name: str, wanted: Kind, build: str) -> None:
    assert kind(recorded(name + build)) is wanted


def shout(report: Json) -> None:
    """Other capitals and blanks everywhere (guide 11.1)."""
    for component in each(report):
        if component.get("text") and not component.get("editable"):
            component["text"] = "  " + component["text"].upper().replace(" ", "  \n ") + " "
        for row in component.get("rows", ()):
            row["text"] = "   " + row["text"].upper() + "  "


@pytest.mark.parametrize("name", ["2fa-push", "2fa-list", "2fa-code", "2fa-passkey"])
def test_neither_title_nor_case_nor_blanks_nor_the_kind_of_text_matter(name: str) -> None:
    for title in ("SECOND FACTOR AUTHENTICATION", "IBKR Gateway", "Two-factor login"):
        assert kind(recorded(name, retitled(title), shout)) is KINDS[name]

    def panes(report: Json) -> None:
        for component in each(report, base="javax.swing.JLabel"):
            component["base"] = "javax.swing.JTextPane"

    assert kind(recorded(name, panes)) is KINDS[name]


def test_a_form_that_tells_of_a_refused_code_is_still_the_form_for_codes() -> None:
    report = recorded("2fa-code", note("Invalid security code. Please try again."))
    assert kind(report) is Kind.CODE


@pytest.mark.parametrize("caption", ["Authenticate", "Authenticate >", "Authenticate ›", " AUTHENTICATE "])
def test_the_button_of_a_passkey_is_known_in_its_raw_forms(caption: str) -> None:
    report = recorded("2fa-passkey", change({"text": "Authenticate"}, text=caption))
    _, decision = look(report, config=using(Method.PASSKEY))
    assert pressed(report, decision) == caption


def test_a_window_that_is_still_being_built_is_waited_for_and_then_kept_and_left_alone() -> None:
    report = recorded("2fa-code", change({"text": "Enter Mobile Authenticator app code"}, text=""))
    session, decision = look(report, config=TOTP)
    assert isinstance(decision.step, Wait)
    assert decision.state is State.SECOND_FACTOR
    session, decision = look(report, session=session, config=TOTP, now=later(4))
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, SaveEvidence)


def test_nothing_is_kept_of_an_unknown_window_while_something_stands_in_its_field() -> None:
    report = recorded(
        "2fa-code",
        change({"text": "Enter Mobile Authenticator app code"}, text="Who are you?"),
        change({"base": "javax.swing.JTextField"}, length=6),
    )
    session, _ = look(report, config=TOTP)
    _, decision = look(report, session=session, config=TOTP, now=later(4))
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)


# --- which device ---------------------------------------------------------------------------------------


def rows(*texts: str) -> tuple[Row, ...]:
    return tuple(Row(index=index, text=text) for index, text in enumerate(texts))


@pytest.mark.parametrize(
    ("texts", "method", "device", "wanted"),
    [
        ((" IB Key", " Mobile Authenticator app"), Method.IB_KEY, "", " IB Key"),
        ((" IB Key", " Mobile Authenticator app"), Method.TOTP, "", " Mobile Authenticator app"),
        (("ib  key ", "MOBILE AUTHENTICATOR APP"), Method.COMMAND, "", "MOBILE AUTHENTICATOR APP"),
        ((" IB Key", " Passkey"), Method.PASSKEY, "", " Passkey"),
        ((" IB Key (old phone)", " Security card"), Method.IB_KEY, "", " IB Key (old phone)"),
        ((" IB Key (old phone)", " IB Key (new phone)"), Method.IB_KEY, "", None),
        ((" IB Key", " IB Key (new phone)"), Method.IB_KEY, "", " IB Key"),
        ((" IB Keyring", " SMS"), Method.IB_KEY, "", None),
        ((" IB Key", " IB Key"), Method.IB_KEY, "", None),
        ((" IB Key",), Method.TOTP, "", None),
        ((" IB Key (old)", " IB Key (new)"), Method.IB_KEY, "ib key  (NEW)", " IB Key (new)"),
        ((" IB Key", " SMS"), Method.IB_KEY, "IB Key 2", None),
        ((" IB Key", " SMS"), Method.COMMAND, "sms", " SMS"),
        ((" IB Key", " SMS"), Method.MANUAL, "", None),
        ((), Method.IB_KEY, "", None),
    ],
)  # fmt: skip
def test_the_device_is_the_configured_one_or_the_only_one_that_the_method_means(
    texts: tuple[str, ...], method: Method, device: str, wanted: str | None
) -> None:
    row = choose_device(rows(*texts), method, device)
    assert (row.text if row is not None else None) == wanted


def test_the_list_is_confirmed_once_the_device_is_selected_and_not_twice() -> None:
    report = recorded("2fa-list")
    session, decision = look(report, config=TOTP)
    assert isinstance(decision.step, Choose)
    assert decision.step.row == 1

    def second(report: Json) -> None:
        for component in each(report, base="javax.swing.JList"):
            component["rows"] = [
                {**row, "selected": index == 1} for index, row in enumerate(component["rows"])
            ]

    report = recorded("2fa-list", second)
    session, decision = look(report, session=session, config=TOTP)
    assert pressed(report, decision) == "OK"
    assert isinstance(decision.step, Click)
    assert decision.step.once
    session = after(session, decision.step, True, NOW)
    for seconds in (1, 5, 14):  # the window may stay, with its old content, until the form comes
        session, decision = look(report, session=session, config=TOTP, now=later(seconds))
        assert isinstance(decision.step, Wait)
        assert decision.state is State.SECOND_FACTOR
    _, decision = look(report, session=session, config=TOTP, now=later(16))
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)


def test_a_person_is_told_the_devices_where_none_is_surely_meant() -> None:
    _, decision = look(recorded("2fa-list"), config=using(Method.IB_KEY, device="IB Key 2"))
    assert decision.state is State.NEEDS_PERSON
    assert "'IB Key', 'Mobile Authenticator app'" in decision.reason
    assert "second_factor.device" in decision.person
    assert isinstance(decision.step, Wait)


# --- IB Key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [LIVE, using(Method.IB_KEY), using(Method.MANUAL)])
def test_a_push_is_waited_for_until_a_time_that_is_told(config: Config) -> None:
    report = recorded("2fa-push")
    at = Now(NOW.mono, time.mktime((2026, 11, 24, 23, 41, 10, 0, 0, -1)))
    session, decision = look(report, config=config, now=at)
    assert decision.state is State.SECOND_FACTOR
    assert decision.reason == "Waiting for IB Key on your phone until 23:44:10"
    assert decision.deadline == at.unix + 180
    assert decision.person
    _, decision = look(report, session=session, config=config, now=Now(at.mono + 100, at.unix + 100))
    assert decision.reason == "Waiting for IB Key on your phone until 23:44:10"


@pytest.mark.parametrize("config", [TOTP, COMMAND])
def test_a_push_that_no_code_answers_leads_to_another_device(config: Config) -> None:
    report = recorded("2fa-push")
    session, decision = look(report, config=config)
    assert fold(pressed(report, decision)) == "change security device"
    session = after(session, decision.step, True, NOW)  # type: ignore[arg-type]
    _, decision = look(report, session=session, config=config, now=later(2))
    assert isinstance(decision.step, Wait)
    # The link leads to the list, or to nothing: it is pressed once in a login.
    _, decision = look(report, session=session, config=config, now=later(16))
    assert decision.state is State.NEEDS_PERSON
    assert "phone" in decision.person


def test_a_device_whose_choice_ends_the_login_is_left_to_a_person_after_two() -> None:
    session: Session | None = None
    for count in range(3):
        report = recorded("2fa-list")
        began = count * 1000.0
        session = replace(session or Session(), pid=report.pid, submitted=later(began).mono, quiet_since=0.0)
        session, decision = look(report, session=session, config=TOTP, now=later(began))
        if count == 2:
            break
        for step in (decision.step, replace(CONFIRMED, window=recognise(report).second_factor.id)):  # type: ignore[union-attr]
            session = after(session, step, True, later(began + 1))  # type: ignore[arg-type]
        lost = recorded("relogin", lambda data: data.update(pid=report.pid))  # noqa: B023
        session, decision = look(lost, session=session, config=TOTP, now=later(began + 3))
        assert isinstance(decision.step, RecordLogin)
        assert decision.step.factor is Factor.NONE, "nobody failed to answer"
        session = replace(session, to_record=None)
    assert decision.state is State.NEEDS_PERSON
    assert "Mobile Authenticator app" in decision.reason
    assert isinstance(decision.step, Wait)


@pytest.mark.parametrize("covered", [False, True])
def test_a_login_that_ib_throws_out_for_another_device_is_taken_up_at_once_and_then_later(
    covered: bool,
) -> None:
    """Also where the new device's form came first (guide 4.4, D-2FA-LIST), and where it still shows."""
    form = recorded("2fa-code")
    session = Session(pid=form.pid, submitted=NOW.mono, quiet_since=NOW.mono, device_changes=1)
    session, _ = look(form, session=replace(session, device_changed=True), config=TOTP)
    windows = json.loads((DATA / "2fa-code.json").read_text())["windows"]

    def over(report: Json) -> None:
        report["pid"] = form.pid
        for window in windows if covered else ():
            report["windows"].append({**window, "active": False})

    lost = recorded("relogin", over)
    session, decision = look(lost, session=session, config=TOTP, now=later(2))
    assert isinstance(decision.step, RecordLogin)
    assert decision.step.factor is Factor.NONE, "nobody failed to answer"
    session, decision = look(lost, session=replace(session, to_record=None), config=TOTP, now=later(2.1))
    step = decision.step
    assert isinstance(step, Click)
    assert step.login_attempt
    assert not decision.person

    session = after(session, step, True, later(3))
    session, _ = look(
        recorded("2fa-list", lambda data: data.update(pid=form.pid)), session=session, config=TOTP
    )
    session = replace(session, device_changed=True, device_changes=2, factor_pressed=later(5).mono)
    lost = recorded("relogin", lambda data: data.update(pid=form.pid))
    session, _ = look(lost, session=session, config=TOTP, now=later(6))
    _, decision = look(lost, session=replace(session, to_record=None), config=TOTP, now=later(7))
    assert isinstance(decision.step, Wait)
    assert decision.deadline is not None


def test_a_push_of_another_device_that_nobody_answers_is_not_taken_for_thrown_out() -> None:
    report = recorded("2fa-push")
    session = replace(submitted(report), device_changed=True, device_changes=1)
    session, _ = look(report, session=session, config=LIVE)
    lost = recorded("relogin", lambda data: data.update(pid=report.pid))
    session, decision = look(lost, session=session, config=LIVE, now=later(181))
    assert isinstance(decision.step, RecordLogin)
    assert decision.step.factor is Factor.UNANSWERED


def test_a_push_without_the_link_is_told_to_a_person() -> None:
    report = recorded("2fa-push", change({"text": "Change security device"}, text="Help"))
    _, decision = look(report, config=TOTP)
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)
    assert decision.deadline == NOW.unix + 180


# --- codes ----------------------------------------------------------------------------------------------


def note(text: str) -> Callable[[Json], None]:
    """Return an edit that adds a label to the second factor's window."""

    def edit(report: Json) -> None:
        for window in report["windows"]:
            if "jauthentication" in window["class"]:
                label = {"id": 9900, "class": "L", "base": "javax.swing.JLabel", "text": text}
                label |= {"enabled": True, "focused": False, "bounds": [400, 300, 80, 20]}
                window["components"].append(label)

    return edit


FILLED = change({"base": "javax.swing.JTextField"}, length=6)
#: 10 s into a period.
AT = Now(1000.0, 1_800_000_010.0)


def shifted(seconds: float) -> Now:
    return Now(AT.mono + seconds, AT.unix + seconds)


def typed(*times: float) -> Past:
    return Past(tries=times, periods=tuple(totp.period_of(each) for each in times))


def test_a_code_is_typed_sent_and_waited_for() -> None:
    report = recorded("2fa-code")
    session, decision = look(report, config=TOTP, now=AT)
    assert isinstance(decision.step, TypeCode)
    session = after(session, decision.step, True, AT)

    filled = recorded("2fa-code", FILLED)
    session, decision = look(filled, session=session, config=TOTP, now=shifted(0.3), past=typed(AT.unix))
    assert pressed(filled, decision) == "OK"
    assert isinstance(decision.step, Click)
    assert decision.step.once
    assert isinstance(decision.step.effect, CodeTaken)

    session = after(session, decision.step, True, shifted(0.5))
    session, decision = look(filled, session=session, config=TOTP, now=shifted(1), past=typed(AT.unix))
    assert isinstance(decision.step, Wait)
    assert decision.state is State.SECOND_FACTOR


def sent(past: Past) -> Session:
    session, decision = look(recorded("2fa-code"), config=TOTP, now=AT)
    session = after(session, decision.step, True, AT)  # type: ignore[arg-type]
    _, decision = look(recorded("2fa-code", FILLED), session=session, config=TOTP, now=AT, past=past)
    return after(session, decision.step, True, AT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "edits", [(note("Invalid security code. Please try again."),), (), (FILLED, note("Wrong."))]
)
def test_after_a_refusal_comes_the_next_code_and_not_the_same(
    edits: tuple[Callable[[Json], None], ...],
) -> None:
    past = typed(AT.unix)
    report = recorded("2fa-code", *edits)
    session, decision = look(report, session=sent(past), config=TOTP, now=shifted(0.5), past=past)
    session, decision = look(report, session=session, config=TOTP, now=shifted(3), past=past)
    assert decision.step == Wait(AT.mono + 20)
    assert "2 of 3" in decision.reason
    _, decision = look(report, session=session, config=TOTP, now=shifted(20.1), past=past)
    assert isinstance(decision.step, TypeCode)


def test_a_form_that_says_nothing_is_given_ten_seconds() -> None:
    past = typed(AT.unix)
    filled = recorded("2fa-code", FILLED)
    session, decision = look(filled, session=sent(past), config=TOTP, now=shifted(9), past=past)
    assert decision.reason == "IB looks at the code"
    session, decision = look(filled, session=session, config=TOTP, now=shifted(11), past=past)
    assert decision.step == Wait(AT.mono + 20)


def test_a_code_that_is_out_of_date_before_it_was_sent_is_not_sent() -> None:
    report = recorded("2fa-code", FILLED)
    session, decision = look(recorded("2fa-code"), config=TOTP, now=AT)
    session = after(session, decision.step, True, AT)  # type: ignore[arg-type]
    for seconds in (19.2, 21):
        _, decision = look(report, session=session, config=TOTP, now=shifted(seconds), past=typed(AT.unix))
        assert not isinstance(decision.step, Click)


def test_three_refused_codes_are_the_end_and_the_clock_is_named() -> None:
    past = typed(AT.unix - 90, AT.unix - 60, AT.unix - 30)
    _, decision = look(recorded("2fa-code"), config=TOTP, now=AT, past=past)
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)
    assert "clock" in decision.person
    # Nor does another login bring a fourth.
    _, decision = look(recorded("login"), config=TOTP, now=AT, past=past)
    assert decision.state is State.NEEDS_PERSON
    assert "clock" in decision.person
    assert isinstance(decision.step, Wait)


@pytest.mark.parametrize(
    ("method", "device", "label", "wanted"),
    [
        (Method.TOTP, "", "Enter Mobile Authenticator app code", True),
        (Method.TOTP, "", "ENTER  MOBILE  AUTHENTICATOR  APP  CODE", True),
        (Method.TOTP, "", "Enter SMS code", False),
        (Method.TOTP, "", "Enter security code", False),
        (Method.TOTP, "My phone app", "Enter My Phone App code", True),
        (Method.COMMAND, "", "Enter SMS code", True),
        (Method.COMMAND, "SMS", "Enter SMS code", True),
        (Method.COMMAND, "SMS", "Enter Mobile Authenticator app code", False),
        (Method.IB_KEY, "IB Key", "Enter IB Key code", False),
        (Method.PASSKEY, "", "Enter Mobile Authenticator app code", False),
    ],
)
def test_a_code_is_typed_only_where_the_label_names_what_it_is_for(
    method: Method, device: str, label: str, wanted: bool
) -> None:
    assert serves(method, device, label) is wanted


def test_a_form_for_other_codes_is_left_to_a_person() -> None:
    report = recorded(
        "2fa-code", change({"text": "Enter Mobile Authenticator app code"}, text="Enter SMS code")
    )
    _, decision = look(report, config=TOTP)
    assert decision.state is State.NEEDS_PERSON
    assert "Enter SMS code" in decision.reason
    assert isinstance(decision.step, Wait)


def test_no_code_is_typed_while_its_record_cannot_be_kept() -> None:
    _, decision = look(recorded("2fa-code"), config=TOTP, past_error="cannot write it")
    assert decision.state is State.NEEDS_PERSON
    assert "cannot write it" in decision.reason
    _, decision = look(recorded("login"), config=TOTP, past_error="cannot write it")
    assert isinstance(decision.step, Wait)


def test_a_field_that_is_busy_is_waited_for() -> None:
    report = recorded("2fa-code", change({"base": "javax.swing.JTextField"}, enabled=False))
    _, decision = look(report, config=TOTP)
    assert isinstance(decision.step, Wait)
    assert decision.state is State.SECOND_FACTOR


def test_the_key_shows_nowhere() -> None:
    _, decision = look(recorded("2fa-code"), config=TOTP)
    assert SECRET not in repr((decision, TOTP))


def test_a_command_is_asked_waited_for_and_its_code_typed() -> None:
    report = recorded("2fa-code")
    session, decision = look(report, config=COMMAND)
    assert isinstance(decision.step, AskCode)
    running = CommandAnswer(running=True, mono=NOW.mono)
    session, decision = look(report, session=session, config=COMMAND, command=running)
    assert isinstance(decision.step, Wait)
    ready = CommandAnswer(ready=True, mono=NOW.mono + 5)
    session, decision = look(report, session=session, config=COMMAND, command=ready, now=later(6))
    assert isinstance(decision.step, TypeCode)
    _, decision = look(report, session=session, config=COMMAND, command=ready, now=later(40))
    assert isinstance(decision.step, AskCode), "a code of half a minute ago is too old"


def test_a_command_that_fails_is_asked_again_and_in_the_end_a_person() -> None:
    report = recorded("2fa-code")
    once = CommandAnswer(failures=1, error="it ended with status 3", mono=NOW.mono)
    session, decision = look(report, config=COMMAND, command=once)
    assert isinstance(decision.step, Wait)
    assert "status 3" in decision.reason
    _, decision = look(report, session=session, config=COMMAND, command=once, now=later(11))
    assert isinstance(decision.step, AskCode)
    thrice = replace(once, failures=3)
    _, decision = look(report, session=session, config=COMMAND, command=thrice, now=later(11))
    assert decision.state is State.NEEDS_PERSON
    assert "status 3" in decision.reason


# --- card and passkey -----------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [LIVE, TOTP, COMMAND, using(Method.MANUAL), using(Method.PASSKEY)])
@pytest.mark.parametrize("name", ["2fa-card", "2fa-card-code", "2fa-card-older", "2fa-browser"])
def test_what_no_program_answers_is_handed_to_a_person_at_once(name: str, config: Config) -> None:
    _, decision = look(recorded(name), config=config)
    assert not isinstance(decision.step, Deed)
    assert decision.person
    if config is not using(Method.PASSKEY) and "card" in name:
        assert decision.state is State.NEEDS_PERSON
        assert "card" in decision.reason


@pytest.mark.parametrize("config", [LIVE, TOTP, using(Method.MANUAL)])
def test_a_passkey_is_a_persons_unless_told_otherwise(config: Config) -> None:
    _, decision = look(recorded("2fa-passkey"), config=config)
    assert decision.state is State.NEEDS_PERSON
    assert "Authenticate" in decision.person
    assert isinstance(decision.step, Wait)


def test_authenticate_is_pressed_once() -> None:
    report = recorded("2fa-passkey")
    config = using(Method.PASSKEY)
    session, decision = look(report, config=config)
    assert pressed(report, decision) == "Authenticate"
    session = after(session, decision.step, True, NOW)  # type: ignore[arg-type]
    for seconds in (1, 20, 100):
        session, decision = look(report, session=session, config=config, now=later(seconds))
        assert isinstance(decision.step, Wait)
        assert decision.state is State.SECOND_FACTOR
        assert decision.person


# --- what came of it ------------------------------------------------------------------------------------


def usable(report: Json) -> None:
    for component in each(report, base="javax.swing.JPasswordField"):
        component["enabled"] = True


def submitted(report: Report) -> Session:
    return Session(pid=report.pid, submitted=NOW.mono, phase="Authenticating...", quiet_since=NOW.mono)


def outcome(
    name: str, seconds: float, *, session: Session | None = None, config: Config = LIVE
) -> RecordLogin:
    """Return what is recorded of a login whose second factor goes after *seconds*; the form is back."""
    report = recorded(name)
    session, _ = look(report, session=session or submitted(report), config=config)
    form = recorded("login", lambda data: data.update(pid=report.pid))
    session = observe(session, sight(form), config, later(seconds))
    assert session.to_record is None, "a form that has just come back says nothing yet"
    session = observe(session, sight(form), config, later(seconds + 4))
    assert session.to_record is not None
    assert session.submitted is None
    assert session.second_factor_since is None
    assert session.not_before > later(seconds).mono
    return session.to_record


def test_a_push_that_nobody_answers_is_a_failed_login_and_remembered() -> None:
    record = outcome("2fa-push", 180)
    assert record.outcome is Outcome.TRANSIENT
    assert record.factor is Factor.UNANSWERED
    assert record.text == "the second factor was not answered in time"


def test_a_push_that_is_called_off_counts_the_same() -> None:
    record = outcome("2fa-push", 20)
    assert record.factor is Factor.UNANSWERED
    assert record.text == "the second factor was called off"


def test_a_login_that_ends_after_a_code_is_a_refused_code() -> None:
    past = typed(AT.unix)
    report = recorded("2fa-code")
    session = replace(sent(past), pid=report.pid, submitted=NOW.mono, phase="Authenticating...")
    assert outcome("2fa-code", 2, session=session, config=TOTP).factor is Factor.REFUSED


def test_a_re_login_that_ib_offers_after_the_time_out_is_a_failed_login_first() -> None:
    report = recorded("2fa-push")
    session, _ = look(report, session=submitted(report), config=LIVE)
    lost = recorded("relogin", lambda data: data.update(pid=report.pid))
    session, decision = look(lost, session=session, config=LIVE, now=later(181))
    assert isinstance(decision.step, RecordLogin)
    assert decision.step.factor is Factor.UNANSWERED
    session = replace(session, to_record=None)
    past = Past(unanswered=(later(181).unix,))
    for seconds in (182, 260, 400):
        _, decision = look(lost, session=session, config=LIVE, now=later(seconds), past=past, phone=HELD)
        assert isinstance(decision.step, Wait), "a re-login rings the phone as any login does"
    _, decision = look(lost, session=session, config=LIVE, now=later(490), past=past, phone=HELD)
    assert isinstance(decision.step, Click)
    assert decision.step.login_attempt


def test_a_gateway_that_ends_during_a_push_has_rung_for_nothing() -> None:
    report = recorded("2fa-push")
    session, _ = look(report, session=submitted(report), config=LIVE)
    session = observe(session, sight(None, alive=False), LIVE, later(5))
    assert session.to_record is not None
    assert session.to_record.factor is Factor.UNANSWERED


def last_phase(report: Json) -> None:
    for window in report["windows"]:
        if "welcome" in window["class"]:
            window["title"] = "Starting application..."


def test_a_login_that_works_is_remembered_as_answered() -> None:
    report = recorded("2fa-push")
    session, _ = look(report, session=submitted(report), config=LIVE)
    starting = recorded("progress", lambda data: data.update(pid=report.pid), last_phase)
    session = observe(session, sight(starting), LIVE, later(30))
    main = recorded("main", lambda data: data.update(pid=report.pid))
    session = observe(session, sight(main), LIVE, later(31))
    assert session.logged_in
    assert session.to_record is not None
    assert session.to_record.factor is Factor.PASSED
    assert session.second_factor_since is None


def test_a_login_that_fails_after_its_second_factor_does_not_count_against_it() -> None:
    report = recorded("2fa-push")
    session, _ = look(report, session=submitted(report), config=LIVE)
    session = replace(session, phase="Initializing environment...")
    failed = recorded("server-disconnected", lambda data: data.update(pid=report.pid))
    session = observe(session, sight(failed), LIVE, later(40))
    assert session.to_record is not None
    assert session.to_record.factor is Factor.PASSED


# --- when a login may ask for it ------------------------------------------------------------------------


def form(*edits: Callable[[Json], None]) -> tuple[Report, Session]:
    """The live form filled in: nothing is left but the press of its button."""
    report = recorded(
        "login",
        change({"text": "Live Trading"}, selected=True),
        change({"base": "javax.swing.JTextField"}, text="tester", length=6),
        change({"base": "javax.swing.JPasswordField"}, length=6),
        change({"text": "Log In"}, enabled=True),
        *edits,
    )
    field = next(each for _, each in report.walk() if each.is_a("JPasswordField"))
    return report, Session(pid=report.pid, password_in=field.id, quiet_since=NOW.mono)


def at(clock: str) -> Now:
    """A moment of 24 November 2026, local time."""
    hour, minute = (int(each) for each in clock.split(":"))
    return Now(5000.0, time.mktime((2026, 11, 24, hour, minute, 0, 0, 0, -1)))


QUIET = SecondFactor(quiet_hours="22:00-07:00")


@pytest.mark.parametrize(
    ("clock", "until"),
    [("21:59", None), ("22:00", "07:00:00"), ("23:30", "07:00:00"), ("06:59", "07:00:00"), ("07:00", None)],
)
def test_no_phone_rings_in_quiet_hours(clock: str, until: str | None) -> None:
    report, session = form()
    config = replace(LIVE, second_factor=QUIET)
    _, decision = look(report, session=session, config=config, now=at(clock), phone=HELD)
    if until is None:
        assert isinstance(decision.step, Click)
        return
    assert decision.state is State.LOGIN
    assert isinstance(decision.step, Wait)
    assert decision.reason == f"quiet hours: no login that may ring a phone until {until}"
    assert decision.deadline is not None
    assert 0 < decision.deadline - at(clock).unix <= 9 * 3600


@pytest.mark.parametrize(
    "config",
    [
        replace(TOTP, second_factor=QUIET),
        replace(COMMAND, second_factor=replace(QUIET, code_command="x")),
        replace(CONFIG, second_factor=QUIET),
    ],
)
def test_quiet_hours_keep_no_login_that_rings_nothing(config: Config) -> None:
    report, session = form()
    _, decision = look(report, session=session, config=config, now=at("23:00"))
    assert isinstance(decision.step, Click)


def test_a_phone_that_rang_though_codes_are_configured_is_kept_quiet_too() -> None:
    report, session = form()
    config = replace(TOTP, second_factor=QUIET)
    _, decision = look(report, session=replace(session, pushed=True), config=config, now=at("23:00"))
    assert isinstance(decision.step, Wait)


def test_the_form_is_not_even_filled_in_while_the_login_waits() -> None:
    config = replace(LIVE, second_factor=QUIET)
    _, decision = look(recorded("login"), config=config, now=at("23:00"))
    assert isinstance(decision.step, Wait)


def test_quiet_hours_within_a_day_and_over_a_change_of_the_clocks() -> None:
    assert prompts.quiet_until(at("12:30").unix, "12:00-14:00") == at("14:00").unix
    assert prompts.quiet_until(at("14:00").unix, "12:00-14:00") is None
    night = time.mktime((2026, 10, 24, 23, 0, 0, 0, 0, -1))  # clocks go back at 03:00
    assert prompts.quiet_until(night, "22:00-07:00") == night + 9 * 3600


@pytest.mark.parametrize(("count", "pause"), [(1, 300), (2, 1800), (3, 7200)])
def test_each_login_after_an_unanswered_one_comes_later(count: int, pause: float) -> None:
    report, session = form()
    past = Past(unanswered=tuple(NOW.unix - 10_000 * n for n in reversed(range(count))))
    _, decision = look(report, session=session, config=LIVE, past=past, phone=HELD)
    assert decision.step == Wait(NOW.mono + pause)
    assert decision.deadline == NOW.unix + pause
    _, decision = look(report, session=session, config=LIVE, past=past, phone=HELD, now=later(pause))
    assert isinstance(decision.step, Click)


@pytest.mark.parametrize("ahead", [100.0, 86400.0 * 365])
def test_a_clock_that_was_set_back_makes_no_pause_that_never_ends(ahead: float) -> None:
    past = Past(unanswered=(NOW.unix + ahead,))
    waits = [prompts.withheld(past, LIVE, NOW.unix + at, rings=True) is not None for at in range(0, 700, 10)]
    assert not waits[-1]
    if ahead < 300:
        assert waits[0]


def test_the_longer_of_two_waits_is_the_one_that_is_told() -> None:
    report, session = form()
    past = Past(unanswered=(NOW.unix,))
    for not_before, wanted in ((60.0, 300.0), (400.0, 400.0)):
        waits = replace(session, not_before=NOW.mono + not_before, last_words="busy")
        _, decision = look(report, session=waits, config=LIVE, past=past, phone=HELD)
        assert decision.deadline == NOW.unix + wanted
        assert isinstance(decision.step, Wait)


def test_after_four_a_person_is_asked_and_at_once_where_that_is_configured() -> None:
    report, session = form()
    four = Past(unanswered=(1.0, 2.0, 3.0, 4.0))
    _, decision = look(report, session=session, config=LIVE, past=four, phone=HELD)
    assert decision.state is State.NEEDS_PERSON
    assert "ibga retry" in decision.person
    config = replace(LIVE, second_factor=SecondFactor(on_timeout=OnTimeout.WAIT))
    _, decision = look(report, session=session, config=config, past=Past(unanswered=(1.0,)), phone=HELD)
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, Wait)


def test_who_asks_for_a_login_is_awake() -> None:
    report, session = form()
    config = replace(LIVE, second_factor=QUIET)
    session = replace(session, insist=True)
    past = Past(unanswered=(1.0, 2.0, 3.0, 4.0))
    _, decision = look(report, session=session, config=config, past=past, phone=HELD, now=at("23:00"))
    assert isinstance(decision.step, Click)


def test_a_login_waits_for_the_instance_that_has_the_phone() -> None:
    report, session = form()
    _, decision = look(report, session=session, config=LIVE, phone=Phone(holder="other"))
    assert decision.state is State.LOGIN
    assert isinstance(decision.step, HoldPhone)
    assert "other" in decision.reason
    _, decision = look(report, session=session, config=LIVE, phone=HELD)
    assert isinstance(decision.step, Click)
    _, decision = look(report, session=session, config=LIVE, phone=Phone(error="read-only"))
    assert decision.state is State.NEEDS_PERSON
    assert isinstance(decision.step, HoldPhone)  # again and again, so that it goes on once that is mended


@pytest.mark.parametrize("config", [CONFIG, TOTP, using(Method.PASSKEY)])
def test_a_login_that_rings_nothing_needs_no_phone(config: Config) -> None:
    report, session = form(
        *([] if config is not CONFIG else [change({"text": "Paper Trading"}, selected=True)])
    )
    _, decision = look(report, session=session, config=config, phone=Phone(holder="other"))
    assert isinstance(decision.step, Click)


def test_the_phone_is_kept_through_the_login_and_never_for_ever() -> None:
    report, session = form()
    _, decision = look(report, session=session, config=LIVE, phone=HELD)
    assert keeps_phone(session, decision.step, NOW)
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, True, NOW)
    assert keeps_phone(session, Wait(), later(60))
    assert not keeps_phone(session, Wait(), later(121)), "no second factor came"
    push = recorded("2fa-push", lambda data: data.update(pid=report.pid))
    session, _ = look(push, session=session, config=LIVE, now=later(10))
    assert keeps_phone(session, Wait(), later(185))
    assert not keeps_phone(session, Wait(), later(10 + 241)), "its window never went"
    session = observe(
        session, sight(recorded("progress", lambda data: data.update(pid=report.pid))), LIVE, later(60)
    )
    assert keeps_phone(session, Wait(), later(70))
    assert not keeps_phone(session, Wait(), later(76))


def test_a_login_that_goes_on_after_a_pause_asks_for_the_phone_again_and_keeps_quiet() -> None:
    """A question about another session may have waited for minutes, and the phone is another's by then."""
    report = recorded("existing")
    pausing = Session(pid=report.pid, submitted=NOW.mono - 500, quiet_since=NOW.mono)
    _, decision = look(report, session=pausing, config=LIVE)
    assert isinstance(decision.step, HoldPhone)
    session, decision = look(report, session=pausing, config=LIVE, phone=HELD)
    assert isinstance(decision.step, Click)
    session = after(session, decision.step, True, NOW)
    assert keeps_phone(session, Wait(), later(20))
    _, decision = look(report, session=pausing, config=replace(LIVE, second_factor=QUIET), now=at("23:00"))
    assert isinstance(decision.step, Wait)
    assert decision.deadline == at("23:00").unix + 8 * 3600
    _, decision = look(report, session=pausing, config=TOTP)
    assert isinstance(decision.step, Click), "a code rings nothing"


# --- over a long time -----------------------------------------------------------------------------------


def test_two_hundred_totp_logins_with_a_clock_that_is_off_take_three_codes_at_most_and_none_twice() -> None:
    """IB takes the code of its own period alone here, which is stricter than it is said to be."""
    chance = random.Random(20261124)
    seen: set[int] = set()
    most = 0
    periods: tuple[int, ...] = ()
    clock = 1_800_000_000.0
    empty, filled = recorded("2fa-code"), recorded("2fa-code", FILLED)
    refused = recorded("2fa-code", note("Invalid security code. Please try again."))
    for _ in range(200):
        clock += chance.uniform(20, 400)
        skew = chance.uniform(-20, 20)
        session = Session(pid=empty.pid, submitted=clock, quiet_since=clock)
        past = Past(periods=periods)
        report, began, accepted = empty, clock, False
        while not accepted:
            assert clock < began + 170, "IB's time is over"
            now = Now(clock, clock)
            session, decision = look(report, session=session, config=TOTP, now=now, past=past)
            match decision.step:
                case TypeCode():
                    clock += chance.uniform(0.05, 0.4)  # field focused and emptied
                    if totp.moment(clock, past.periods, len(past.tries)) > clock:
                        continue  # the executor asks for a code too late: none is given
                    period = totp.period_of(clock)
                    assert period not in seen
                    assert (period + 1) * 30 - clock >= 3.0
                    seen.add(period)
                    past = replace(past, periods=(*past.periods, period), tries=(*past.tries, clock))
                    clock += chance.uniform(0.05, 0.5)
                    session = after(session, decision.step, True, Now(clock, clock))
                    report = filled
                case Click():
                    assert report is filled
                    clock += chance.uniform(0.05, 0.5)
                    session = after(session, decision.step, True, Now(clock, clock))
                    server = totp.period_of(clock + skew)
                    accepted = totp.code(SECRET, past.periods[-1]) == totp.code(SECRET, server)
                    report = refused
                case Wait(until=until):
                    clock = max(until if until is not None else 0.0, clock + 0.25)
                case other:
                    raise AssertionError(other)
        most = max(most, len(past.tries))
        assert len(past.tries) <= 3
        periods = past.periods[-100:]
    assert most == 3, "the simulation has to need them"


class Week:
    """A live gateway whose IB Key nobody answers, in steps from one decision's end to the next."""

    def __init__(self, config: Config, start: float) -> None:
        self.config = config
        self.clock = start
        self.past = Past()
        self.prompts: list[float] = []
        self._form, self._session = form()
        self._push = recorded("2fa-push", lambda data: data.update(pid=self._form.pid))

    def run(self, seconds: float, person: Callable[["Week"], None] = lambda week: None) -> None:
        end = self.clock + seconds
        rings_until = 0.0
        while self.clock < end:
            person(self)
            report = self._push if self.clock < rings_until else self._form
            now = Now(self.clock, self.clock)
            session = replace(self._session, password_in=_password(self._form))
            self._session, decision = look(
                report, session=session, config=self.config, now=now, past=self.past, phone=HELD
            )
            step = decision.step
            if isinstance(step, RecordLogin):
                if step.factor is Factor.UNANSWERED:
                    self.past = replace(self.past, unanswered=(*self.past.unanswered, self.clock))
                self._session = replace(self._session, to_record=None)
            elif isinstance(step, Click):
                assert step.login_attempt
                self._session = after(self._session, step, True, now)
                self.prompts.append(self.clock)
                rings_until = self.clock + 180
            else:
                assert isinstance(step, Wait)
                turn = 4.0 if self._session.submitted is not None else 600.0
                due = step.until if step.until is not None else self.clock + turn
                self.clock += min(turn, max(0.25, due - self.clock))


def _password(report: Report) -> int:
    return next(each.id for _, each in report.walk() if each.is_a("JPasswordField"))


MONDAY = (2026, 11, 23, 20, 30, 0, 0, 0, -1)


def test_an_unanswered_ib_key_rings_four_times_in_a_week_each_time_later_and_never_at_night() -> None:
    week = Week(replace(LIVE, second_factor=QUIET), time.mktime(MONDAY))
    week.run(7 * 86400)
    gaps = [round(later - earlier) for earlier, later in zip(week.prompts, week.prompts[1:], strict=False)]
    hours = [time.strftime("%a %H:%M", time.localtime(each)) for each in week.prompts]
    # The second after 5 min, the third after 30 min, the fourth after 2 h, which the night makes longer.
    assert hours == ["Mon 20:30", "Mon 20:38", "Mon 21:11", "Tue 07:00"]
    assert gaps == sorted(gaps)


def test_a_week_with_retries_by_a_person_has_four_prompts_for_each() -> None:
    config = replace(LIVE, second_factor=SecondFactor(quiet_hours="22:00-07:00"))
    week = Week(config, time.mktime(MONDAY))
    days: set[int] = set()

    def every_noon(week: Week) -> None:
        local = time.localtime(week.clock)
        if local.tm_hour == 12 and local.tm_mday not in days:
            days.add(local.tm_mday)
            week.past = Past()

    week.run(7 * 86400, every_noon)
    assert len(week.prompts) == 4 * 8
    for ring in week.prompts:
        assert 7 <= time.localtime(ring).tm_hour < 22


def test_an_unanswered_ib_key_rings_once_where_waiting_is_configured() -> None:
    week = Week(replace(LIVE, second_factor=SecondFactor(on_timeout=OnTimeout.WAIT)), time.mktime(MONDAY))
    week.run(7 * 86400)
    assert len(week.prompts) == 1


def test_no_mutation_of_a_second_factor_is_pressed_where_nothing_names_it() -> None:
    """Other class, unknown text, more buttons, other order: pressed are OK, Authenticate and the link."""
    chance = random.Random(44)
    names = sorted(KINDS) + [f"{name}-older" for name in sorted(KINDS)]
    for _ in range(300):
        report = recorded(chance.choice(names), mutation(chance))
        config = chance.choice([LIVE, TOTP, COMMAND, using(Method.PASSKEY), using(Method.MANUAL)])
        session = None
        for seconds in (0, 1, 4, 20):
            session, decision = look(report, session=session, config=config, now=later(seconds))
            if isinstance(decision.step, Click) and recognise(report).second_factor is not None:
                caption = fold(pressed(report, decision)).rstrip(" >›")
                assert caption in ("ok", "authenticate", "change security device"), decision
            if isinstance(decision.step, TypeCode):
                assert kind(report) is Kind.CODE


def mutation(chance: random.Random) -> Callable[[Json], None]:
    def edit(report: Json) -> None:
        for window in report["windows"]:
            if "jauthentication" not in window["class"]:
                continue
            window["class"] = "twslaunch.jauthentication." + chance.choice(["bz", "aa", "q"])
            panels = [each for each in components(window) if each["base"].endswith("JPanel")]
            for panel in panels:
                chance.shuffle(panel.setdefault("components", []))
            texts = [each for each in components(window) if each.get("text") and "Button" not in each["base"]]
            if texts and chance.random() < 0.4:
                chance.choice(texts)["text"] = chance.choice(
                    ["Something else", "", "Enter", "device", "code"]
                )
            if chance.random() < 0.5:
                label = chance.choice(["Yes", "OK", "Cancel", "Continue", "Authenticate now"])
                button = {"id": 9000 + chance.randrange(500), "class": "b", "base": "javax.swing.JButton"}
                button |= {"text": label, "enabled": True, "focused": False, "bounds": [400, 300, 80, 20]}
                chance.choice(panels)["components"].append(button)

    return edit
