"""Random dialogs, and an oracle that says what may be pressed in them, written without the product's code.

The oracle reads dialogs.toml by itself and matches it against the JSON of a report. It knows what the guide
says of the windows that no rule is for, and nothing else.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.reports import Json, components

DIALOGS = Path(__file__).parents[2] / "ibga/automator/dialogs.toml"
#: What nobody wants pressed unless a rule says so.
CAPTIONS = (
    "OK", "Yes", "No", "Cancel", "Continue", "Close", "Help", "Transmit", "Accept and Continue", "Not now",
    "Override and Transmit", "I understand and accept", "I understand - display market data", "Re-login",
    "Continue Login", "Exit Application", "Reconnect using SSL", "Log In", "Configure API Settings",
    "Acknowledge", "Apply", "Authenticate",
)  # fmt: skip
TITLES = (
    "IBKR Gateway", "Gateway", "", "Warning", "Login failed", "Login Error", "Password Notice", "Login",
    "Order Preview",
    "Market Order Confirmation", "Cryptocurrency order confirmation", "Financial Advisor Warning",
    "Exit Session Setting", "NSE Compliance", "Login Messages", "Use SSL encryption", "Order precaution",
)  # fmt: skip
POLICIES: Mapping[str, tuple[str, ...]] = {
    **{f"notices.{key}": ("accept", "dismiss", "ask")
       for key in ("bid_ask", "password", "blind_trading", "crypto", "advisor", "order")},
    "api.incoming": ("local", "accept", "reject", "ask"),
    "api.write_access": ("close", "ask"),
}  # fmt: skip
_TEXT_BASES = ("JLabel", "JTextPane", "JTextArea", "JEditorPane")


def policy(randomness: random.Random) -> dict[str, str]:
    return {key: randomness.choice(values) for key, values in POLICIES.items()}


# --- the oracle ------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def caption(text: str) -> str:
    """As captions are compared: without a final dot."""
    return plain(text).rstrip(".")


def rule_book() -> list[Json]:
    """The shipped rules; those that keep hands off come first."""
    rules: list[Json] = tomllib.loads(DIALOGS.read_text())["dialog"]
    return sorted(rules, key=lambda rule: not rule.get("ignore", False))


def reads(window: Json) -> str:
    """What a person reads in it, buttons aside."""
    parts = [
        plain(part["text"])
        for part in components(window)
        if part.get("text")
        and not part.get("editable")
        and not part["base"].endswith(("JButton", "JMenuItem", "JMenu"))
    ]
    return " ".join(dict.fromkeys(parts))


def bearing(window: Json, text: str, base: str = ".JButton") -> list[Json]:
    return [
        part
        for part in components(window)
        if part["base"].endswith(base) and caption(part.get("text", "")) == caption(text)
    ]


def first_rule(book: list[Json], window: Json, settings: Mapping[str, str], state: str) -> Json | None:
    title, text = plain(window["title"]), reads(window)
    for rule in book:
        if (
            plain(rule.get("title", window["title"])) == title
            and plain(rule.get("title_contains", "")) in title
            and re.search(rule.get("title_matches", ""), title, re.IGNORECASE)
            and plain(rule.get("text_contains", "")) in text
            and re.search(rule.get("text_matches", ""), text, re.IGNORECASE)
            and rule.get("class_contains", "") in window["class"]
            and ("button" not in rule or any(bearing(window, each) for each in _list(rule["button"])))
            and state in _list(rule.get("when", state))
            and not rule.get("asked")
            and all(settings[key] == value for key, value in rule.get("config", {}).items())
        ):
            return rule
    return None


def allowed(book: list[Json], window: Json, settings: Mapping[str, str], state: str = "ready") -> set[str]:
    """Return the captions that may be pressed in a dialog that is for rules; "close": it may be closed."""
    rule = first_rule(book, window, settings, state)
    if rule is None or rule.get("ignore") or rule.get("person"):
        return set()
    if rule.get("close"):
        return {"close"}
    pressed = {caption(each) for each in _list(rule.get("check", []))}
    for each in _list(rule["click"]):
        there = bearing(window, each)
        if there:
            # Of two that say the same neither, and what is disabled stands for nothing else.
            return pressed | ({caption(each)} if len(there) == 1 and there[0]["enabled"] else set())
    return pressed


def role(window: Json) -> str:
    """Return what a window is (guide 3.1, 4.1, 4.3, 4.4, 5.1, 6.1), "" where rules are for it."""
    title = plain(window["title"])
    bases = [part["base"] for part in components(window)]
    if "feature.welcome." in window["class"]:
        return "progress"
    if any(base.endswith("JMenuBar") for base in bases):
        return "main"
    if window["kind"] == "frame" and any(base.endswith("JPasswordField") for base in bases):
        return "login"
    if "twslaunch.jauthentication." in window["class"] or re.search(
        "second factor|security code|two.factor", title
    ):
        return "second factor"
    buttons = {
        plain(part.get("text", "")) for part in components(window) if part["base"].endswith(".JButton")
    }
    if (
        re.search("existing session|re-?login is required|trading login handoff", title)
        or (
            window["kind"] == "dialog"
            and re.search("existing session|would you like to re-?login", reads(window))
        )
        or ("twslaunch.jconnection." in window["class"] and buttons & CONFLICT)
    ):
        return "conflict"
    if any(base.endswith("JTree") for base in bases) and (
        "feature.configure." in window["class"] or "configuration" in title or "settings" in title
    ):
        return "settings"
    return ""


#: Buttons that decide between sessions (guide 4.3), and those of second factors (guide 4.4).
CONFLICT = {"re-login", "continue login", "reconnect this session", "disconnect other session"}
SECOND_FACTOR = {"ok", "authenticate", "authenticate >", "authenticate ›", "change security device"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- mutations -------------------------------------------------------------------------------------------


def word(randomness: random.Random) -> str:
    return "".join(randomness.choices("abcdefghijklmnopqrstuvwxyz", k=randomness.randint(3, 9))).capitalize()


def phrase(randomness: random.Random) -> str:
    return " ".join(word(randomness) for _ in range(randomness.randint(1, 8)))


def mutate(report: Json, texts: list[str], randomness: random.Random) -> Json | None:
    """Change the dialog of *report* in place, one to four times; return it, None where there is none."""
    dialogs = [w for w in report["windows"] if w["modal"] or w["class"].startswith("feature.messages.")]
    if not dialogs:
        return None
    window: Json = dialogs[-1]
    for _ in range(randomness.randint(1, 4)):
        randomness.choice(_MUTATIONS)(window, texts, randomness)
    return window


def _class_letter(window: Json, texts: list[str], randomness: random.Random) -> None:
    package = window["class"].rpartition(".")[0]
    window["class"] = f"{package}.{word(randomness).lower()[:2]}"


def _package(window: Json, texts: list[str], randomness: random.Random) -> None:
    window["class"] = randomness.choice(
        ["feature.messages.q", "twslaunch.jconnection.q", "some.other.q", "x"]
    )


def _title(window: Json, texts: list[str], randomness: random.Random) -> None:
    title = window["title"]
    window["title"] = randomness.choice([title.upper(), f" {title}  ", phrase(randomness), *TITLES])


def _words(window: Json, texts: list[str], randomness: random.Random) -> None:
    """Other words, words before or after, or what another dialog says."""
    for part in _speaking(window):
        text = part["text"]
        other = [phrase(randomness), randomness.choice(texts), f"{text} {phrase(randomness)}"]
        part["text"] = randomness.choice(
            [*other, f"{phrase(randomness)} {text}", text.upper(), text[: len(text) // 2]]
        )


def _bases(window: Json, texts: list[str], randomness: random.Random) -> None:
    for part in _speaking(window):
        part["base"] = f"javax.swing.{randomness.choice(_TEXT_BASES)}"


def _captions(window: Json, texts: list[str], randomness: random.Random) -> None:
    for part in _pressable(window):
        text = part.get("text", "")
        part["text"] = randomness.choice([text.upper(), f" {text} ", text + ".", word(randomness), *CAPTIONS])


def _extra_buttons(window: Json, texts: list[str], randomness: random.Random) -> None:
    for parent in randomness.sample(_parents(window), k=1):
        for _ in range(randomness.randint(1, 3)):
            button = {"id": randomness.randrange(10**6, 10**9), "class": "jtscomponents.zz",
                      "base": "javax.swing.JButton", "enabled": randomness.random() < 0.9, "focused": False,
                      "text": randomness.choice([*CAPTIONS, word(randomness)]), "bounds": [400, 400, 50, 20],
                      }  # fmt: skip
            parent["components"].insert(randomness.randrange(len(parent["components"]) + 1), button)


def _order(window: Json, texts: list[str], randomness: random.Random) -> None:
    for parent in _parents(window):
        randomness.shuffle(parent["components"])


def _state(window: Json, texts: list[str], randomness: random.Random) -> None:
    for part in _pressable(window):
        part["enabled"] = randomness.random() < 0.5
        if "selected" in part:
            part["selected"] = randomness.random() < 0.5


def _gone(window: Json, texts: list[str], randomness: random.Random) -> None:
    for parent in _parents(window):
        kept = [each for each in parent["components"] if randomness.random() < 0.9]
        parent["components"] = kept


def _modality(window: Json, texts: list[str], randomness: random.Random) -> None:
    window["modal"] = not window["modal"]


#: What leads to presses comes more than once.
_MUTATIONS = (
    *(_words, _captions, _extra_buttons) * 2,
    *(_class_letter, _package, _title, _bases, _order, _state, _gone, _modality),
)


def _parents(window: Json) -> list[Json]:
    return [window, *(part for part in components(window) if part.get("components"))]


def _speaking(window: Json) -> Iterator[Json]:
    return (part for part in components(window) if part.get("text") and part["base"].endswith(_TEXT_BASES))


def _pressable(window: Json) -> Iterator[Json]:
    return (part for part in components(window) if part["base"].endswith((".JButton", ".JCheckBox")))
