"""Random mutations of recorded dialogs: nothing is pressed that no rule names, nor outside.

IBGA_FUZZ: how many (1,000; the nightly run takes more). IBGA_FUZZ_SEED: another seed than the fixed one.
"""

import json
import os
import random
from collections import Counter
from dataclasses import replace

from ibga.agent.report import parse_report
from ibga.automator.decision import Decision
from ibga.automator.session import ApiAnswer, Session
from ibga.automator.steps import ChoosePath, Click, CloseWindow, Deed, Menu, SettingsRead
from ibga.config import Config
from ibga.config.settings import (
    ApiSettings,
    ExistingSession,
    Incoming,
    Login,
    Notice,
    Notices,
    WriteAccess,
)
from ibga.runtime import State
from tests.support import fuzz
from tests.support.reports import CONFIG, DATA, NOW, Json, components, later, look

COUNT = int(os.environ.get("IBGA_FUZZ", "1000"))
SEED = int(os.environ.get("IBGA_FUZZ_SEED", "20261124"))
BOOK = fuzz.rule_book()
REPORTS = {path.stem: json.loads(path.read_text()) for path in sorted(DATA.glob("*.json"))}
TEXTS = sorted(
    {
        part["text"]
        for report in REPORTS.values()
        for window in report["windows"]
        if window["modal"]
        for part in components(window)
        if part["base"].endswith(("JLabel", "JTextPane", "JTextArea")) and part.get("text")
    }
)


def configured(policy: dict[str, str], sessions: ExistingSession) -> Config:
    notices = {
        key.partition(".")[2]: Notice(value) for key, value in policy.items() if key.startswith("notices")
    }
    api = ApiSettings(
        incoming=Incoming(policy["api.incoming"]), write_access=WriteAccess(policy["api.write_access"])
    )
    return replace(CONFIG, notices=Notices(**notices), api=api, login=Login(existing_session=sessions))


def fresh(pid: int, randomness: random.Random) -> Session:
    """A session as it may be when a dialog comes: before, in and after a login."""
    api = ApiAnswer(ok=True, mono=NOW.mono, unix=NOW.unix, detail="handshake")
    read = SettingsRead(port=9000, read_only=False, localhost_only=True)
    ready = Session(
        pid=pid, state=State.READY, logged_in=True, settings=read, api=api, quiet_since=NOW.mono - 60
    )
    started = Session(pid=pid, state=State.LOADING, submitted=NOW.mono, quiet_since=NOW.mono)
    return randomness.choice([ready, ready, started, Session(pid=pid, quiet_since=NOW.mono)])


def test_nothing_is_pressed_in_a_mutated_dialog_that_no_rule_names() -> None:
    print(f"seed {SEED}, {COUNT} mutations")
    randomness = random.Random(SEED)
    pressed: Counter[str] = Counter()
    for number in range(COUNT):
        name = randomness.choice(list(REPORTS))
        report = json.loads(json.dumps(REPORTS[name]))
        window = fuzz.mutate(report, TEXTS, randomness)
        if window is None:
            continue
        policy = fuzz.policy(randomness)
        config = configured(policy, randomness.choice(list(ExistingSession)))
        parsed = parse_report(json.dumps(report))
        session = fresh(parsed.pid, randomness)
        for seconds in (0, 20):
            state = session.state  # the one that rules with `when` see
            session, decision = look(parsed, session=session, config=config, now=later(seconds))
            where = f"seed {SEED}, mutation {number} of {name}, after {seconds} s: {decision}"
            pressed[judge(decision, report, policy, state, where)] += 1
            session = replace(session, to_record=None)
    assert pressed["rule"] > COUNT / 20, pressed  # else it proves nothing
    assert pressed["nothing"] > COUNT / 4, pressed


def judge(decision: Decision, report: Json, policy: dict[str, str], state: State, where: str) -> str:
    """Assert that the step is one that the oracle allows; return what it rests on."""
    step = decision.step
    if not isinstance(step, Deed):
        return "nothing"
    (window,) = (each for each in report["windows"] if each["id"] == step.window)
    role = fuzz.role(window)
    over = [each for each in report["windows"] if each["modal"] and each["id"] != window["id"]]
    assert window["modal"] or window["active"] or not over, f"below a modal dialog: {where}"
    if role == "main":
        assert isinstance(step, Menu), where
        assert step.path in (("Configure", "Settings"), ("File", "Close")), where
        return role
    if role == "login":  # what is done in the form has tests of its own
        return role
    if role == "settings" and isinstance(step, ChoosePath):
        assert step.path == ("API", "Settings"), where
        return role
    if isinstance(step, CloseWindow):
        assert role == "", where
        assert fuzz.allowed(BOOK, window, policy, state) == {"close"}, where
        return "rule"
    assert isinstance(step, Click), where
    (part,) = (each for each in components(window) if each["id"] == step.component)
    assert part["enabled"], where
    text = fuzz.caption(part.get("text", ""))
    if role == "":
        assert part["base"].endswith((".JButton", ".JCheckBox")), where
        assert text in fuzz.allowed(BOOK, window, policy, state), where
        return "rule"
    existing = {"ok"} if "existing session" in fuzz.plain(window["title"]) else set()
    named = {
        "conflict": fuzz.CONFLICT | {"cancel"} | existing,
        "second factor": fuzz.SECOND_FACTOR,
        "settings": {"cancel"},  # it is not ours
        "progress": set(),
    }[role]
    assert text in named, where
    return role
