"""Every recorded report: where it is from, and what is decided on it."""

import json
import re

import pytest

from ibga.automator.screens import recognise
from ibga.automator.steps import Choose, Click, CloseWindow, Menu, RecordLogin, SaveEvidence, Type, Wait
from tests.support.reports import DATA, look, recorded

NAMES = sorted(path.stem for path in DATA.glob("*.json"))
#: A section of the guide, a scenario of the simulator, or a real gateway's version.
ORIGIN = re.compile(
    r"guide \d+(\.\d+)*\b.*|simulator, by tests/data/record: .{4,}|IB Gateway \d+\.\d+.*: .{4,}"
)

#: What is done first where nothing but this report is known; second factors and other sessions apart.
FIRST = {
    "advisor": "wait, needs-person, person",
    "auto-restart-info": "click OK",
    "bid-ask": "click Don't display this message again.",
    "blind": "wait, needs-person, person",
    "blind-labels": "wait, needs-person, person",
    "cash-quantity": "wait, needs-person, person",
    "connecting": "wait, login",
    "crypto": "wait, needs-person, person",
    "desupported": "click OK",
    "every-kind": "wait, login",
    "exit-confirmation": "wait, needs-person, person",
    "exit-session": "click OK",
    "gateway-failed": "record transient",
    "gateway-unknown": "wait, login",
    "incoming": "click No",
    "lite": "wait, needs-person, person",
    "login": "click Paper Trading",
    "login-error": "record transient",
    "login-failed": "record refused",
    "login-failed-long": "record refused",
    "login-failed-transient": "record transient",
    "login-fix": "click IB API",
    "login-messages": "wait, needs-person, person",
    "main": "wait, loading",
    "main-fix": "wait, loading",
    "multiple-paper": "record refused",
    "newer": "click OK",
    "newer-frame": "click OK",
    "no-settings": "click OK",
    "not-available": "record transient",
    "nse": "click OK",
    "order": "wait, needs-person, person",
    "paper": "click I understand and accept",
    "password": "wait, loading, person",
    "password-expired": "record refused",
    "precaution": "wait, needs-person, person",
    "progress": "wait, loading",
    "progress-fix": "wait, loading",
    "reconnect": "wait, needs-person, person",
    "restart-now": "click No",
    "server-disconnected": "record transient",
    "settings": "wait, loading",
    "shutdown": "wait, restarting",
    "soft-token": "record transient",
    "ssl": "click Reconnect using SSL",
    "token": "record transient",
    "too-many": "record transient",
    "trusted-ip": "wait, login",
    "unknown": "wait, login",
    "unrecognized": "record refused",
    "unsupported": "click OK",
    "write-access": "close",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_report_names_its_origin(name: str) -> None:
    origin = json.loads((DATA / f"{name}.json").read_text()).get("origin")
    assert isinstance(origin, str), f"{name}.json has no origin"
    assert ORIGIN.fullmatch(origin), f"{name}.json: origin {origin!r} names no guide section, no scenario"


@pytest.mark.parametrize("name", NAMES)
def test_no_report_holds_an_account_id_or_a_password(name: str) -> None:
    text = (DATA / f"{name}.json").read_text()
    assert set(re.findall(r"\b(?:D?[UFI])\d{5,9}\b", text)) <= {"DU1234567", "U1234567"}
    for window in json.loads(text)["windows"]:
        assert "JPasswordField" not in json.dumps(window) or '"text": "secret"' not in json.dumps(window)


def test_every_report_has_its_decision() -> None:
    elsewhere = {name for name in NAMES if (view := recognise(recorded(name))).second_factor or view.conflict}
    assert set(FIRST) == set(NAMES) - elsewhere


@pytest.mark.parametrize(("name", "wanted"), FIRST.items())
def test_the_first_decision_on_a_report_is_the_right_one(name: str, wanted: str) -> None:
    assert first(name) == wanted


def first(name: str) -> str:
    report = recorded(name)
    _, decision = look(report)
    match decision.step:
        case Click(component=component) | Type(component=component) | Choose(component=component):
            found = report.find(component)
            assert found is not None
            assert found[0].id == decision.step.window
            verb = type(decision.step).__name__.lower()
            what = found[1].text or found[1].base.rpartition(".")[2]
            return f"{verb} {what}"
        case CloseWindow():
            return "close"
        case Menu(path=path):
            return " > ".join(path)
        case RecordLogin(outcome=outcome):
            return f"record {outcome}"
        case SaveEvidence():
            return "save"
        case Wait():
            return f"wait, {decision.state}" + (", person" if decision.person else "")
        case other:
            return type(other).__name__
