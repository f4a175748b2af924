"""FIX CTCI: how its form is filled, when its login is complete, and what `ready` rests on there."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from ibga.agent.report import Report
from ibga.automator.decide import api_port
from ibga.automator.listening import listens
from ibga.automator.session import ApiAnswer, Phone, Session, after
from ibga.automator.steps import Click, Deed, Menu, ProbeApi, Type
from ibga.config import Config
from ibga.config.checks import contradictions
from ibga.config.settings import Account, Login, Mode, Tab
from ibga.gateway.program import wanted_settings
from ibga.runtime import State
from tests.support.reports import CONFIG, NOW, Json, change, each, later, look, recorded

ACCOUNT = Account(mode=Mode.LIVE, fix_username="fixuser", fix_password="fix-secret")
FIX = replace(CONFIG, account=ACCOUNT, login=Login(tab=Tab.FIX_CTCI))
BOTH = replace(FIX, account=replace(ACCOUNT, username="tester", password="secret"))
LISTENS = ApiAnswer(ok=True, mono=NOW.mono, unix=NOW.unix, detail="listens")


def holds(kind: str, number: int, **values: object) -> Callable[[Json], None]:
    """Return an edit that fills the field of that kind and number, in the order of the tree."""

    def edit(report: Json) -> None:
        list(each(report, base=f"javax.swing.{kind}", editable=True))[number].update(values)

    return edit


def fields(report: Report, kind: str) -> list[int]:
    return [found.id for _, found in report.walk() if found.is_a(kind) and found.editable]


def filled(report: Report, session: Session, config: Config) -> tuple[str, int]:
    _, decision = look(report, session=session, config=config)
    assert isinstance(decision.step, Type), decision
    return decision.step.text, decision.step.component


def test_the_form_is_filled_in_order_and_submitted_with_its_button() -> None:
    steps = []
    edits: list[Callable[[Json], None]] = []
    session = Session(pid=recorded("login-fix").pid)
    for kind, number, text in [
        ("JTextField", 0, "fixuser"),
        ("JPasswordField", 0, "fix-secret"),
        ("JTextField", 1, "tester"),
        ("JPasswordField", 1, "secret"),
    ]:
        report = recorded("login-fix", *edits)
        _, decision = look(report, session=session, config=BOTH)
        assert isinstance(decision.step, Type), decision
        assert decision.step.component == fields(report, kind)[number]
        steps.append(decision.step.text)
        session = after(session, decision.step, True, NOW)
        shown = {"length": len(text)} if kind == "JPasswordField" else {"text": text, "length": len(text)}
        edits.append(holds(kind, number, **shown))
    assert steps == ["fixuser", "fix-secret", "tester", "secret"]
    report = recorded("login-fix", *edits, change({"text": "Log In"}, enabled=True))
    _, decision = look(report, session=session, config=BOTH, phone=Phone(held=True))
    assert isinstance(decision.step, Click)
    assert decision.step.login_attempt


def test_the_market_data_login_is_left_empty_where_it_is_not_configured() -> None:
    edits = (
        holds("JTextField", 0, text="fixuser", length=7),
        holds("JPasswordField", 0, length=10),
        change({"text": "Log In"}, enabled=True),
    )
    report = recorded("login-fix", *edits)
    session = Session(pid=report.pid, password_in=fields(report, "JPasswordField")[0])
    _, decision = look(report, session=session, config=FIX, phone=Phone(held=True))
    assert isinstance(decision.step, Click)
    assert decision.step.name == "log in"


def test_the_second_password_is_typed_again_after_the_first_was() -> None:
    """Whatever emptied the form: a length alone does not tell what is in it."""
    edits = (
        holds("JTextField", 0, text="fixuser", length=7),
        holds("JPasswordField", 0, length=10),
        holds("JTextField", 1, text="tester", length=6),
        holds("JPasswordField", 1, length=6),
    )
    report = recorded("login-fix", *edits)
    first, second = fields(report, "JPasswordField")
    session = Session(pid=report.pid, second_password_in=second)
    assert filled(report, session, BOTH) == ("fix-secret", first)
    _, decision = look(report, session=session, config=BOTH)
    assert isinstance(decision.step, Type)
    assert filled(report, after(session, decision.step, True, NOW), BOTH) == ("secret", second)


def test_the_trading_mode_is_set_where_the_form_has_one() -> None:
    """In a build that shows the toggles under this tab, too."""
    tab = change({"text": "FIX CTCI"}, selected=True)
    report = recorded("login", tab)
    paper = replace(FIX, account=replace(ACCOUNT, mode=Mode.PAPER))
    _, decision = look(report, config=paper)
    assert isinstance(decision.step, Click)
    assert decision.step.name == "choose the trading mode"


def test_no_password_names_the_keys_of_this_login() -> None:
    config = replace(FIX, account=replace(ACCOUNT, fix_password=None))
    _, decision = look(recorded("login-fix"), config=config)
    assert decision.state is State.NEEDS_PERSON
    assert "account.fix_password_file" in decision.person


SERVER = {"text": "connected"}


@pytest.mark.parametrize(("status", "complete"), [("connected", True), ("disconnected", False)])
def test_the_table_tells_when_the_login_is_complete(status: str, complete: bool) -> None:
    report = recorded("main-fix", change(SERVER, text=status))
    session = Session(pid=report.pid, submitted=NOW.mono, quiet_since=NOW.mono)
    for seconds in (0.5, 1, 20):
        session, _ = look(report, session=session, config=FIX, now=later(seconds))
        assert session.logged_in is (complete and seconds > 1.5)


def test_without_a_word_on_the_server_a_quiet_main_window_is_waited_for_longer() -> None:
    report = recorded("main-fix", change(SERVER, text=""))
    session = Session(pid=report.pid, submitted=NOW.mono, quiet_since=NOW.mono)
    session, _ = look(report, session=session, config=FIX, now=later(0))
    session, _ = look(report, session=session, config=FIX, now=later(9))
    assert not session.logged_in
    session, _ = look(report, session=session, config=FIX, now=later(11))
    assert session.logged_in


def in_session(report: Report) -> Session:
    return Session(pid=report.pid, logged_in=True, api=LISTENS, quiet_since=NOW.mono - 60)


def test_the_port_is_asked_for_and_the_settings_are_never_opened() -> None:
    report = recorded("main-fix")
    _, decision = look(report, session=replace(in_session(report), api=None), config=FIX)
    assert decision.step == ProbeApi(port=9000)
    session, decision = look(report, session=in_session(report), config=FIX)
    assert decision.state is State.READY
    assert not isinstance(decision.step, Menu)
    assert api_port(session, FIX) == 9000
    assert api_port(replace(session, api=replace(LISTENS, ok=False)), FIX) is None


def test_a_session_whose_server_is_lost_is_reconnecting() -> None:
    report = recorded("main-fix", change(SERVER, text="disconnected"))
    _, decision = look(report, session=in_session(report), config=FIX)
    assert decision.state is State.RECONNECTING
    assert not isinstance(decision.step, Deed)


def test_a_progress_window_that_stays_at_loading_means_nothing_beside_a_connected_server() -> None:
    def stays(report: Json) -> None:
        progress = recorded_json("progress-fix")
        report["windows"] += [w for w in progress["windows"] if "feature.welcome." in w["class"]]

    report = recorded("main-fix", stays)
    session, decision = look(report, session=in_session(report), config=FIX)
    assert decision.state is State.READY
    assert not session.reconnecting
    report = recorded("main-fix", stays, change(SERVER, text="disconnected"))
    _, decision = look(report, session=in_session(report), config=FIX)
    assert decision.state is State.RECONNECTING


def recorded_json(name: str) -> Json:
    found: list[Json] = []
    recorded(name, found.append)
    return found[0]


def test_the_port_is_written_before_the_start_in_this_mode_alone() -> None:
    def ports(config: Config) -> list[str]:
        return [each.value for each in wanted_settings(config) if each.key == "LocalServerPort"]

    assert ports(FIX) == ["9000"]
    assert ports(CONFIG) == []


def test_read_only_is_a_mistake_where_nothing_can_be_set() -> None:
    wanted = replace(FIX, api=replace(FIX.api, read_only=True))
    assert any("read_only" in str(mistake) for mistake in contradictions(wanted, {}))
    assert contradictions(FIX, {}) == []


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_listening_socket_of_a_process_is_found_without_a_connection(family: socket.AddressFamily) -> None:
    with socket.socket(family) as server:
        server.bind(("127.0.0.1" if family is socket.AF_INET else "::1", 0))
        port = server.getsockname()[1]
        assert not listens(os.getpid(), port)  # bound is not listening
        server.listen()
        assert listens(os.getpid(), port)
        assert not listens(1 if os.getpid() != 1 else 2, port)  # nor is it another process's
    assert not listens(os.getpid(), port)
    assert not listens(2**22 - 1, port)
