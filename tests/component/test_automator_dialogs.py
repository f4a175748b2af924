"""Every dialog that the rule book is for, on a real JVM: the right button, and no press anywhere else."""

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ibga.agent.report import Window
from ibga.automator.executor import Executor
from ibga.automator.eyes import Eyes
from ibga.automator.steps import Type
from ibga.config.settings import Input
from ibga.runtime import State, Watch
from tests.support import fuzz
from tests.support.automator import Rig, running_rig
from tests.support.deadline import wait_until
from tests.support.dialogs import KINDS, dialog
from tests.support.logins import SCENARIO
from tests.support.reports import Json

TICK = "Don't display this message again."
SHOWN = "I understand - display market data"
ACCEPT = "Accept and Continue"
#: Dialog of the simulator: what is pressed under each policy of notices.* and api.incoming.
BY_POLICY = {
    "bid-ask": {"accept": [TICK, SHOWN], "dismiss": [SHOWN], "ask": []},
    "password": {"accept": ["OK"], "dismiss": ["OK"], "ask": []},
    "order": {"accept": [TICK, ACCEPT], "dismiss": ["Cancel"], "ask": []},
    "cash-quantity": {"accept": [TICK[:-1], ACCEPT], "dismiss": ["Cancel"], "ask": []},
    "advisor": {"accept": ["Yes"], "dismiss": ["No"], "ask": []},
    "blind": {"accept": ["Override and Transmit"], "dismiss": ["Cancel"], "ask": []},
    "blind-labels": {"accept": ["Yes"], "dismiss": ["No"], "ask": []},
    "crypto": {"accept": ["Transmit"], "dismiss": ["Cancel"], "ask": []},
    "incoming": {"accept": ["Yes"], "dismiss": ["No"], "ask": []},
}
#: And what under all of them.
ALWAYS: dict[str, list[str]] = {
    "paper": ["I understand and accept"],
    "auto-restart-info": ["OK"],
    "restart-now": ["No"],
    "exit-session": ["OK"],
    "newer": ["OK"],
    "newer-frame": ["OK"],
    "unsupported": ["OK"],
    "desupported": ["OK"],
    "ssl": ["Reconnect using SSL"],
    "nse": ["OK"],
    "no-settings": ["OK"],
    "write-access": [],
    "exit-confirmation": [],
    "reconnect": [],
    "lite": [],
    "login-messages": [],
    "password-expired": [],
    "precaution": [],
    "unknown": [],
    "gateway-unknown": [],
    "trusted-ip": [],
}
#: Known by their titles only (guide 4.2), hence unknown under another.
BY_TITLE = {"exit-session", "ssl", "nse", "login-messages", "advisor", "crypto", "blind"}
LEFT_ALONE = 0.7  # s in which a press would have come: the first is decided within some milliseconds


def expected(policy: str, title: str) -> Iterator[tuple[str, list[str]]]:
    for name, presses in {**{name: each[policy] for name, each in BY_POLICY.items()}, **ALWAYS}.items():
        yield name, [] if title and name in BY_TITLE else presses


@contextmanager
def ready(policy: str, **scenario: str) -> Iterator[Rig]:
    notices = "".join(f'{key} = "{policy}"\n' for key in
                      ("bid_ask", "password", "blind_trading", "crypto", "advisor", "order"))  # fmt: skip
    incoming = {"accept": "accept", "dismiss": "reject", "ask": "ask"}[policy]
    keys = {key.replace("_", "."): value for key, value in scenario.items()}
    with running_rig(scenario=keys, toml=f"[notices]\n{notices}", api=f'incoming = "{incoming}"') as rig:
        rig.wait_state(State.READY)
        yield rig


def pressed(rig: Rig, after: int) -> list[str]:
    """What was pressed since."""
    return [str(event["text"]) for event in rig.gateway.events()[after:] if event["event"] == "press"]


def elsewhere(rig: Rig, after: int, name: str) -> list[dict[str, object]]:
    """The presses of the mouse since that were not in the dialog of that name."""
    return [
        event
        for event in rig.gateway.events()[after:]
        if event["event"] == "mouse" and event["dialog"] != name
    ]


def closed(rig: Rig, after: int, name: str) -> bool:
    return any(
        event["event"] == "window-closed" and event["dialog"] == name
        for event in rig.gateway.events()[after:]
    )


def meet(rig: Rig, name: str, presses: list[str], close: bool) -> None:
    """Show a dialog and see that it gets just these presses, and nothing else gets any."""
    before = len(rig.gateway.events())
    rig.show(name)
    if presses or close:
        wait_until(lambda: closed(rig, before, name), f"{name} was answered", timeout=15)
    else:
        time.sleep(LEFT_ALONE)
    assert pressed(rig, before) == presses
    assert elsewhere(rig, before, name) == []
    if not presses and not close:
        rig.gateway.command(f"dismiss {name}")
        wait_until(lambda: closed(rig, before, name), f"{name} was dismissed")


@pytest.mark.parametrize(
    ("policy", "kind", "title", "capitals"),
    [
        ("dismiss", "html", "", "true"),
        ("ask", "optionpane", "IBKR Gateway", "false"),
        ("accept", "textarea", "", "false"),
    ],
)
def test_each_dialog_gets_its_button_whatever_its_form(
    policy: str, kind: str, title: str, capitals: str
) -> None:
    variants = {"dialogs_kind": kind, "dialogs_capitals": capitals} | (
        {"dialogs_title": title} if title else {}
    )
    with ready(policy, **variants) as rig:
        for name, presses in expected(policy, title):
            meet(rig, name, presses, close=name == "write-access")
        assert len(rig.events("login")) == 1
        assert not rig.events("early-menu")


def test_a_flood_of_write_access_notices_is_closed_with_one_warning() -> None:
    with ready("ask") as rig:
        rig.gateway.command("dialog " + " ".join(["write-access"] * 25))
        wait_until(
            lambda: len(rig.events("window-closed", dialog="write-access")) == 25, "all closed", timeout=15
        )
        assert rig.presses("write-access") == []
        session = rig.wait_state(State.READY)
        assert len([text for text in session.warnings if "read-only API" in text]) == 1


def test_a_dialog_that_comes_while_a_password_with_blanks_is_typed_is_not_pressed() -> None:
    """A blank presses the button that has the keyboard, and Java gives a dialog the keys on their way."""
    password = "a b c d e f g h i j k l m n o p q r s t"
    randomness = random.Random(SEED)
    with running_rig(idle=True, scenario=SCENARIO | {"dialog.gap.buttons": "Very much|Not now"}) as rig:
        with Watch([rig.paths.runtime_dir]) as watch:
            eyes = Eyes(rig.paths, watch, lambda: None)
            executor = Executor(eyes, rig.paths.agent_dir / "fifo", Input.AUTO, lambda: None, str)
            for _ in range(15):
                form = wait_until(lambda: usable(eyes), "the form can be filled")
                field = form.find("JPasswordField")
                assert field is not None
                assert eyes.report is not None
                before = len(rig.gateway.events())
                later = threading.Timer(randomness.uniform(0, 0.1), rig.gateway.command, ("dialog gap",))
                later.start()
                step = Type(name="password", window=form.id, component=field.id, text=password)
                executor.perform(step, eyes.report)
                later.join()
                rig.gateway.wait_for("window-shown", after=before, dialog="gap")
                time.sleep(0.2)
                rig.gateway.command("dismiss gap")
                wait_until(lambda before=before: closed(rig, before, "gap"), "it was dismissed")
            executor.close()
        assert rig.presses("gap") == []


def usable(eyes: Eyes) -> Window | None:
    """The login form, with nothing over it."""
    eyes.wait(0.05)
    windows = eyes.report.windows if eyes.report is not None else ()
    if any(window.modal for window in windows):
        return None
    return next((each for each in windows if each.find("JPasswordField", enabled=True)), None)


# --- random dialogs ---------------------------------------------------------------------------------------

SEED = int(os.environ.get("IBGA_FUZZ_SEED", "20261124"))
COUNT = int(os.environ.get("IBGA_FUZZ_JVM", "50"))
TEXTS = (
    "This is not a brokerage account", "Bid, Ask and Last Size Display Update",
    "Would you like to restart now?",
    "You have elected to have your trading platform restart automatically", "A Newer Version is available",
    "This version will be desupported on 2027-01-31", "Accept incoming connection attempt from 127.0.0.1?",
    "Accept incoming connection attempt from 192.0.2.7?", "Your password will expire in 7 days.",
    "You are in blind trading. Are you sure you want to submit this order?", "Connecting to server...",
    "It exceeds your precautionary settings", 'Are you sure you want to execute "simulate disconnect"?',
    "Are you sure you want to exit?", "An API client needs API write access",
)  # fmt: skip
#: What would end or restart the session is tested on its own.
FUZZ_TITLES = [each for each in fuzz.TITLES if "login" not in each.lower()]


def random_dialog(randomness: random.Random) -> Json:
    """The simulator's keys of a dialog, in the form of tests.support.dialogs.dialog."""
    words = randomness.choice([*TEXTS, *TEXTS, fuzz.phrase(randomness)])
    text = randomness.choice(
        [words, f"{fuzz.phrase(randomness)}. {words}", f"{words} {fuzz.phrase(randomness)}"]
    )
    buttons = randomness.sample([*fuzz.CAPTIONS, fuzz.word(randomness)], k=randomness.randint(1, 4))
    return {
        "title": randomness.choice([*FUZZ_TITLES, fuzz.phrase(randomness)]) or "IBKR Gateway",
        "text": text,
        "buttons": tuple(each for each in buttons if each not in ("Re-login", "Continue Login")) or ("OK",),
        "kind": randomness.choice(KINDS),
        "checks": (TICK,) if randomness.random() < 0.3 else (),
    }


def test_random_dialogs_are_pressed_only_where_a_rule_says_so() -> None:
    print(f"seed {SEED}, {COUNT} dialogs")
    randomness = random.Random(SEED)
    dialogs = {f"fuzz{number}": random_dialog(randomness) for number in range(COUNT)}
    scenario = {}
    for name, each in dialogs.items():
        for key, value in each.items():
            scenario[f"dialog.{name}.{key}"] = "|".join(value) if isinstance(value, tuple) else value
    policy = {key: "accept" if "accept" in values else values[0] for key, values in fuzz.POLICIES.items()}
    book = fuzz.rule_book()
    answered = 0
    with ready("accept", **scenario) as rig:
        for name, each in dialogs.items():
            before = len(rig.gateway.events())
            allowed = fuzz.allowed(book, dialog(**each), policy)
            rig.show(name)
            where = f"seed {SEED}, {name}: {each}, allowed: {allowed}"
            answer = allowed & {"close", *map(fuzz.caption, each["buttons"])}
            if answer:
                wait_until(lambda name=name, before=before: closed(rig, before, name), where, timeout=15)
            else:
                time.sleep(LEFT_ALONE)
                rig.gateway.command(f"dismiss {name}")
                wait_until(lambda name=name, before=before: closed(rig, before, name), where)
            assert {fuzz.caption(text) for text in pressed(rig, before)} <= allowed, where
            assert elsewhere(rig, before, name) == [], where
            answered += bool(answer)
    assert COUNT // 10 < answered < COUNT  # else it proves little
