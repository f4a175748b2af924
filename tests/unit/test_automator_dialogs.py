"""Every dialog of the Gateway in the guide's catalogue (4.2) but the second factors and other sessions.

Each in every form in which IB shows texts (guide 4.1), with its title as written, in capitals and, where the
guide knows it by its words, under the titles that IB gives to anything.
"""

from dataclasses import dataclass, replace

import pytest

from ibga.automator.decision import Decision
from ibga.automator.ledger import Outcome
from ibga.automator.session import ApiAnswer, Session
from ibga.automator.steps import Click, CloseWindow, Deed, SettingsRead
from ibga.config import Config
from ibga.config.settings import ApiSettings, Incoming, Notice, Notices, WriteAccess
from ibga.runtime import State
from tests.support.dialogs import KINDS, dialog, shown
from tests.support.reports import CONFIG, NOW, Json, later, look, recorded

ANYTHING = ("IBKR Gateway", "IB Gateway", "Gateway", "")
TICK = "Don't display this message again."


@dataclass(frozen=True)
class Case:
    """A dialog, and what is pressed in it: a caption, "close", or None for nothing at all."""

    title: str
    text: str
    buttons: tuple[str, ...]
    pressed: str | None
    by_title: bool = False  # the guide knows it by its title
    checks: tuple[str, ...] = ()
    notices: Notices = CONFIG.notices
    api: ApiSettings = CONFIG.api
    person: bool = False  # somebody is told what to do
    frame: bool = False


OK = ("OK",)
NOTICE = ("Accept and Continue", "Cancel")
BLIND = "You submit an order without having market data (blind trading)."
SURE = "Are you sure you want to submit this order?"
EXECUTE = 'Are you sure you want to execute "simulate disconnect"?'
WRITE = "An API client is attempting to send a request that needs API write access."
WRITE_TITLE = "API client needs write access action confirmation"
WRITE_BUTTONS = ("Configure API Settings", "No")
BID_ASK = "I understand - display market data"
INCOMING = "Accept incoming connection attempt from {}?"


def incoming(
    where: str, policy: Incoming, pressed: str | None, buttons: tuple[str, ...] = ("Yes", "No")
) -> Case:
    text = INCOMING.format(where) if where else "Accept incoming connection attempt?"
    api = ApiSettings(incoming=policy)
    return Case("IBKR Gateway", text, buttons, pressed, api=api, person=pressed is None)


CASES = {
    # guide 4.3
    "D-CONNPROG": Case("Gateway", "Connecting to server...", OK, None),
    "D-CONNPROG, trying": Case("Gateway", "Connecting to server (trying for another 9 seconds)", OK, None),
    "D-CONNPROG, ellipsis": Case("Gateway", "Connecting to server…", OK, None),
    "D-CONNPROG, bare": Case("Gateway", "connecting to server", ("OK", "Cancel"), None),
    "D-NOTAVAIL": Case("Login", "The system is not currently available", OK, "OK", by_title=True),
    # guide 4.5
    "D-PASSWORD, ask": Case("Password Notice", "Your password will expire in 7 days.", OK, None, person=True),
    "D-PASSWORD, accept": Case(
        "Password Notice",
        "Your password will expire in 7 days.",
        ("Acknowledge",),
        "Acknowledge",
        notices=Notices(password=Notice.ACCEPT),
    ),
    "D-PASSWORD, dismiss": Case(
        "Password Notice",
        "Your password expires in 1 day.",
        OK,
        "OK",
        frame=True,
        notices=Notices(password=Notice.DISMISS),
    ),
    "D-PASSWORD, expired": Case(
        "Password Notice",
        "Your password has expired.",
        OK,
        None,
        person=True,
        notices=Notices(password=Notice.ACCEPT),
    ),
    "D-PASSWORD, other words": Case(
        "Password Notice",
        "Choose a better one.",
        OK,
        None,
        by_title=True,
        person=True,
        notices=Notices(password=Notice.ACCEPT),
    ),
    "D-PAPER": Case(
        "Warning",
        'This is not a brokerage account. This is a "paper" trading account',
        ("I understand and accept",),
        "I understand and accept",
    ),
    "D-BIDASK": Case("", "Bid, Ask and Last Size Display Update", (BID_ASK,), TICK, checks=(TICK,)),
    "D-BIDASK, no dot": Case(
        "", "Bid, Ask and Last Size Display Update", (BID_ASK,), TICK[:-1], checks=(TICK[:-1],)
    ),
    "D-BIDASK, no box": Case("", "Bid, Ask and Last Size Display Update", (BID_ASK,), BID_ASK),
    "D-BIDASK, dismiss": Case(
        "",
        "Bid, Ask and Last Size Display Update",
        (BID_ASK,),
        BID_ASK,
        checks=(TICK,),
        notices=Notices(bid_ask=Notice.DISMISS),
    ),
    "D-BIDASK, ask": Case(
        "",
        "Bid, Ask and Last Size Display Update",
        (BID_ASK,),
        None,
        checks=(TICK,),
        person=True,
        notices=Notices(bid_ask=Notice.ASK),
    ),
    "D-AUTORESTARTINFO": Case(
        "", "You have elected to have your trading platform restart automatically", OK, "OK"
    ),
    "D-RESTARTNOW": Case("", "Would you like to restart now?", ("Yes", "No"), "No"),
    "D-RESTARTCONF": Case(
        "", "Are you sure you would like to restart the application?", ("Yes", "No"), None, person=True
    ),
    "D-EXITCONF": Case("", "Are you sure you want to exit?", ("Yes", "No"), None, person=True),
    "D-EXITSESSION": Case("Exit Session Setting", "", OK, "OK", by_title=True),
    "D-INCOMING, local v4": incoming("127.0.0.1", Incoming.LOCAL, "Yes"),
    "D-INCOMING, local v6": incoming("::1", Incoming.LOCAL, "Yes"),
    "D-INCOMING, Java's v6": incoming("0:0:0:0:0:0:0:1", Incoming.LOCAL, "Yes"),
    "D-INCOMING, Java's name": incoming("localhost/127.0.0.1", Incoming.LOCAL, "Yes"),
    "D-INCOMING, port": incoming("127.0.0.1:51000", Incoming.LOCAL, "Yes"),
    "D-INCOMING, bracketed": incoming("[::1]:51000", Incoming.LOCAL, "OK", ("OK", "No")),
    "D-INCOMING, elsewhere": incoming("192.0.2.7", Incoming.LOCAL, "No"),
    "D-INCOMING, not told": incoming("", Incoming.LOCAL, "No"),
    "D-INCOMING, begins alike": incoming("127.0.0.10", Incoming.LOCAL, "No"),
    "D-INCOMING, goes on": incoming("127.0.0.1.example.net", Incoming.LOCAL, "No"),
    "D-INCOMING, ends alike": incoming("2001:db8::1", Incoming.LOCAL, "No"),
    "D-INCOMING, name alone": incoming("localhost", Incoming.LOCAL, "No"),
    "D-INCOMING, accept": incoming("192.0.2.7", Incoming.ACCEPT, "Yes"),
    "D-INCOMING, reject": incoming("127.0.0.1", Incoming.REJECT, "No"),
    "D-INCOMING, ask": incoming("127.0.0.1", Incoming.ASK, None),
    "D-WRITEACCESS": Case(WRITE_TITLE, WRITE, WRITE_BUTTONS, "close"),
    "D-WRITEACCESS, title": Case(WRITE_TITLE, "See the settings.", WRITE_BUTTONS, "close", by_title=True),
    "D-WRITEACCESS, ask": Case(
        WRITE_TITLE, WRITE, WRITE_BUTTONS, None, person=True, api=ApiSettings(write_access=WriteAccess.ASK)
    ),
    "D-WRITEACCESS, title, ask": Case(
        WRITE_TITLE,
        "See the settings.",
        WRITE_BUTTONS,
        None,
        by_title=True,
        person=True,
        api=ApiSettings(write_access=WriteAccess.ASK),
    ),
    "D-RECONN": Case("IBKR Gateway", EXECUTE, ("OK", "Cancel"), None, person=True),
    "D-NEWER": Case("", "A Newer Version of the application is available.", OK, "OK"),
    "D-NEWER, question": Case(
        "", "A Newer Version is available. Install it?", ("Yes", "No"), "No", frame=True
    ),
    "D-UNSUPPORTED": Case("", "This version is no longer supported.", OK, "OK"),
    "D-UNSUPPORTED, minimum": Case("", "The minimum supported version is 10.50.", OK, "OK"),
    "D-UNSUPPORTED, soon": Case("", "This version will be desupported on 2027-01-31.", OK, "OK"),
    "D-SSL": Case("Use SSL encryption", "", ("Reconnect using SSL",), "Reconnect using SSL", by_title=True),
    "D-LITE": Case(
        "", "API support is not available for accounts that support free trading.", OK, None, person=True
    ),
    "D-LOGINMSG": Case("Login Messages", "", (), None, by_title=True, person=True),
    "D-LOGINMSG, button": Case("Login Messages", "", ("Resume login",), None, by_title=True, person=True),
    "D-NOSETTINGS": Case(
        "",
        "Settings will not be downloaded from the server because the feature has been temporarily disabled",
        OK,
        "OK",
    ),
    "D-NSE": Case("NSE Compliance", "Read this.", OK, "OK", by_title=True, frame=True),
    # guide 4.6: nothing is transmitted unless the configuration says so
    "D-ORDERCONF, ask": Case("Market Order Confirmation", "", NOTICE, None, checks=(TICK,), person=True),
    "D-ORDERCONF, accept": Case(
        "Cash Quantity Order Warning",
        "Buy?",
        NOTICE,
        TICK,
        checks=(TICK,),
        notices=Notices(order=Notice.ACCEPT),
    ),
    "D-ORDERCONF, no box": Case(
        "Market Order Confirmation", "Buy?", NOTICE, NOTICE[0], notices=Notices(order=Notice.ACCEPT)
    ),
    "D-ORDERCONF, dismiss": Case(
        "Market Order Confirmation",
        "Buy?",
        NOTICE,
        "Cancel",
        checks=(TICK,),
        notices=Notices(order=Notice.DISMISS),
    ),
    "D-ORDERCONF, other buttons": Case(
        "Market Order Confirmation",
        "Buy?",
        ("Transmit", "Cancel"),
        None,
        by_title=True,
        person=True,
        notices=Notices(order=Notice.ACCEPT),
    ),
    "D-FA, ask": Case("Financial Advisor Warning", "All?", ("Yes", "No"), None, by_title=True, person=True),
    "D-FA, accept": Case(
        "Financial Advisor Warning",
        "All?",
        ("Yes", "No"),
        "Yes",
        by_title=True,
        notices=Notices(advisor=Notice.ACCEPT),
    ),
    "D-FA, dismiss": Case(
        "Financial Advisor Warning",
        "All?",
        ("Yes", "No"),
        "No",
        by_title=True,
        notices=Notices(advisor=Notice.DISMISS),
    ),
    "D-BLIND, ask": Case("Order Preview", BLIND, ("Override and Transmit", "Cancel"), None, person=True),
    "D-BLIND, accept": Case(
        "Order Preview",
        BLIND,
        ("Override and Transmit", "Cancel"),
        "Override and Transmit",
        by_title=True,
        notices=Notices(blind_trading=Notice.ACCEPT),
    ),
    "D-BLIND, second form": Case(
        "", f"{BLIND} {SURE}", ("Yes", "No"), "Yes", notices=Notices(blind_trading=Notice.ACCEPT)
    ),
    "D-BLIND, neither form": Case(
        "", BLIND, ("Yes", "No"), None, person=True, notices=Notices(blind_trading=Notice.ACCEPT)
    ),
    "D-BLIND, dismiss": Case(
        "Order Preview",
        BLIND,
        ("Override and Transmit", "Cancel"),
        "Cancel",
        notices=Notices(blind_trading=Notice.DISMISS),
    ),
    "D-CRYPTO, ask": Case(
        "Cryptocurrency order confirmation",
        "",
        ("Transmit", "Cancel"),
        None,
        by_title=True,
        person=True,
        notices=Notices(order=Notice.ACCEPT),
    ),
    "D-CRYPTO, accept": Case(
        "Cryptocurrency order confirmation",
        "",
        ("Transmit", "Cancel"),
        "Transmit",
        by_title=True,
        notices=Notices(crypto=Notice.ACCEPT),
    ),
    "D-CRYPTO, dismiss": Case(
        "Cryptocurrency order confirmation",
        "",
        ("Transmit", "Cancel"),
        "Cancel",
        by_title=True,
        notices=Notices(crypto=Notice.DISMISS),
    ),
    "precaution": Case(
        "Order Precaution",
        "",
        ("Yes", "No"),
        None,
        by_title=True,
        person=True,
        notices=Notices(order=Notice.ACCEPT),
    ),
    "precaution, text": Case(
        "",
        "It violates your precautionary settings.",
        ("Yes", "No"),
        None,
        person=True,
        notices=Notices(order=Notice.ACCEPT),
    ),
    # guide 4.7
    "D-UNKNOWN": Case(
        "Quarterly survey", "How do you like trading with us?", ("Very much", "OK"), None, person=True
    ),
    "D-UNKNOWN, trusted IP": Case("Gateway", "Enter an address", ("OK", "Cancel"), None, person=True),
}


def titles(case: Case) -> list[str]:
    found = [case.title, case.title.upper()]
    return found if case.by_title else [*found, *ANYTHING]


def in_session(window: Json, case: Case, seconds: tuple[float, ...]) -> tuple[list[Decision], Session]:
    """Return what is decided while *window* lies over the main window of a session that was ready."""
    report = recorded("main", shown(window))
    config = replace(CONFIG, notices=case.notices, api=case.api)
    session = ready(report.pid)
    decisions = []
    for each in seconds:
        session, decision = look(report, session=session, config=config, now=later(each))
        if session.to_record is not None:
            session, decision = look(
                report, session=replace(session, to_record=None), config=config, now=later(each)
            )
        decisions.append(decision)
    return decisions, session


def ready(pid: int) -> Session:
    read = SettingsRead(port=9000, read_only=False, localhost_only=True)
    api = ApiAnswer(ok=True, mono=NOW.mono, unix=NOW.unix, detail="handshake")
    return Session(
        pid=pid, state=State.READY, logged_in=True, settings=read, api=api, quiet_since=NOW.mono - 60
    )


def pressed(decision: Decision, window: Json) -> str | None:
    step = decision.step
    if isinstance(step, CloseWindow):
        assert step.window == window["id"]
        return "close"
    if not isinstance(step, Click):
        assert not isinstance(step, Deed), step
        return None
    assert step.window == window["id"]
    return str(next(part["text"] for part in parts(window) if part["id"] == step.component))


def parts(node: Json) -> list[Json]:
    return [found for child in node.get("components", ()) for found in (child, *parts(child))]


@pytest.mark.parametrize("name", list(CASES))
def test_a_dialog_of_the_catalogue_is_met_as_the_guide_says_in_whatever_form(name: str) -> None:
    case = CASES[name]
    for kind, title in [(kind, case.title) for kind in KINDS] + [("label", title) for title in titles(case)]:
        window = dialog(title, case.text, case.buttons, checks=case.checks, kind=kind, frame=case.frame)
        first, *others = in_session(window, case, (0,) if case.pressed else (0, 4, 20))[0]
        assert pressed(first, window) == case.pressed, title
        assert [pressed(each, window) for each in others if case.pressed is None] == [None] * len(others)
        if case.person:
            assert others[-1].person, title


def test_the_button_comes_after_the_box() -> None:
    case = CASES["D-ORDERCONF, accept"]
    window = dialog(case.title, case.text, case.buttons, checks=case.checks)
    next(part for part in parts(window) if part["base"].endswith("JCheckBox"))["selected"] = True
    decisions, _ = in_session(window, case, (0,))
    assert pressed(decisions[0], window) == "Accept and Continue"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.pressed in case.buttons])
def test_a_button_that_is_disabled_or_there_twice_is_not_pressed(name: str) -> None:
    case = CASES[name]
    for spoil in ("disabled", "twice", "gone"):
        buttons = (
            tuple(each for each in case.buttons if each != case.pressed) if spoil == "gone" else case.buttons
        )
        window = dialog(case.title, case.text, buttons * (2 if spoil == "twice" else 1), checks=())
        for part in parts(window):
            if spoil == "disabled" and part["base"].endswith("JButton"):
                part["enabled"] = False
        decisions, _ = in_session(window, case, (0, 20))
        assert [pressed(each, window) for each in decisions] == [None, None], (spoil, decisions)


def test_only_our_own_question_whether_to_exit_is_answered() -> None:
    case = CASES["D-EXITCONF"]
    window = dialog(case.title, case.text, case.buttons)
    report = recorded("main", shown(window))
    session = replace(ready(report.pid), close_request="x", close_since=NOW.mono, close_chosen=NOW.mono)
    _, decision = look(report, session=session)
    assert pressed(decision, window) == "Yes"


def test_shutdown_progress_ends_all_work() -> None:
    window = dialog("SHUTDOWN PROGRESS", "", (), modal=False)
    report = recorded("main", shown(window))
    session = replace(ready(report.pid), settings=None)  # there would be work
    session, decision = look(report, session=session)
    assert session.shutting_down
    assert not isinstance(decision.step, Deed)


def test_an_expired_password_is_not_tried_again() -> None:
    case = CASES["D-PASSWORD, expired"]
    report = recorded("login", shown(dialog(case.title, case.text, frame=True)))
    session, _ = look(report)
    assert session.to_record is not None
    assert session.to_record.outcome is Outcome.REFUSED


def test_a_notice_that_blocks_nothing_is_told_in_whatever_state() -> None:
    window = dialog("Login Messages", "", (), modal=False)
    for name in ("login", "progress", "main"):
        report = recorded(name, shown(window))
        _, decision = look(report)
        assert "account tasks" in decision.person, name


def test_an_api_that_stays_silent_beside_login_messages_needs_a_person() -> None:
    report = recorded("main", shown(dialog("Login Messages", "", (), modal=False)))
    api = ApiAnswer(ok=False, mono=NOW.mono, unix=NOW.unix, detail="no answer")
    session = replace(ready(report.pid), api=api, api_failures=100)
    _, decision = look(report, session=session)
    assert decision.state is State.NEEDS_PERSON
    assert "account tasks" in decision.person


def test_a_flood_of_write_access_notices_is_closed_one_by_one_with_one_warning() -> None:
    config: Config = CONFIG
    windows = [
        dialog(WRITE_TITLE, WRITE, WRITE_BUTTONS, modal=False, number=7000 + 50 * n) for n in range(20)
    ]
    session = None
    closed = []
    while windows:
        report = recorded("main", shown(*windows))
        session = session or ready(report.pid)
        session, decision = look(report, session=session, config=config)
        assert isinstance(decision.step, CloseWindow)
        closed.append(decision.step.window)
        windows = [each for each in windows if each["id"] != decision.step.window]
    assert len(set(closed)) == 20
    assert session is not None
    assert len([text for text in session.warnings if "write" in text]) == 1


def test_what_a_person_is_told_says_what_the_dialog_says() -> None:
    case = CASES["D-FA, ask"]
    decisions, _ = in_session(dialog(case.title, "Allocate to all accounts?"), case, (0,))
    assert "Allocate to all accounts?" in decisions[0].reason
