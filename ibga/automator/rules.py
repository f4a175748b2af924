"""The rule book: simple dialogs as data (design section 6).

Reads: dialogs.toml beside this file, and *.toml in the operator's folder, which add to it or override
by name. A mistake is named and costs the one rule; all others stay in force.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli

from ibga.agent.report import Component, Window, collapse, fold
from ibga.config import Config
from ibga.runtime import State

BUILT_IN = Path(__file__).with_name("dialogs.toml")
MAX_FILE = 1 << 20  # bytes


class Event(StrEnum):
    """What a dialog tells of the session, by its mere appearance."""

    CREDENTIALS_REFUSED = "credentials-refused"  # not tried again before they change
    LOGIN_FAILED = "login-failed"  # tried again later, each time later
    LOGIN_EXPIRED = "login-expired"  # the token is void: a full login at once
    PAPER_WARNING = "paper-warning"  # the last notice of a paper login
    SHUTDOWN = "shutdown"  # the gateway ends; nothing is touched any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How to know one dialog, and what to do with it: exactly one of click, close, ignore, person."""

    name: str
    title: str = ""  # the whole title, blanks and case aside
    title_contains: str = ""
    title_matches: str = ""  # regular expression, case aside, found anywhere
    text_contains: str = ""
    text_matches: str = ""
    class_contains: str = ""  # Java class fragment
    when: tuple[State, ...] = ()  # empty: always
    config: tuple[tuple[str, str], ...] = ()  # settings and the values under which it holds
    asked: bool = False  # only while we close the gateway on request
    check: tuple[str, ...] = ()  # check boxes to tick before the click, where they are there
    click: tuple[str, ...] = ()  # captions, the first that is there
    close: bool = False
    ignore: bool = False  # known, and to be left alone
    person: str = ""  # known, and to be left to a person: what to tell
    then: Event | None = None
    warn: str = ""  # what the operator should know
    source: str = field(default="", compare=False)  # file


@dataclass(frozen=True, slots=True)
class Mistake:
    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def load(built_in: Path, folder: Path) -> tuple[tuple[Rule, ...], tuple[Mistake, ...]]:
    """Return the rules in force, the operator's first, and the mistakes found."""
    mistakes: list[Mistake] = []
    own: dict[str, Rule] = {}
    for file in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        if file.name.startswith("."):
            continue
        for rule in _read(file, mistakes):
            own.pop(rule.name, None)
            own[rule.name] = rule
    shipped = [rule for rule in _read(built_in, mistakes) if rule.name not in own]
    return (*own.values(), *shipped), tuple(mistakes)


def find(
    rules: tuple[Rule, ...], window: Window, state: State, config: Config, *, asked: bool
) -> Rule | None:
    """Return the first rule that knows *window* now."""
    text = fold(" ".join(texts(window)))
    title = fold(window.title)
    for rule in rules:
        if _knows(rule, window, title, text) and _holds(rule, state, config, asked):
            return rule
    return None


def texts(window: Window) -> list[str]:
    """What a person reads in a dialog, captions of buttons aside; an option pane's message included."""
    found = []
    for each in window.walk():
        if each.text and not each.editable and not _is_button(each):
            text = collapse(each.text)
            if text not in found:
                found.append(text)
    return found


def target(rule: Rule, window: Window) -> Component | None:
    """Return the one thing to press for *rule* now: a box that is to be ticked, else the button.

    None where it is not (yet) there, not enabled, or there twice: then nothing is pressed.
    """
    for caption in rule.check:
        boxes = _captioned(window, caption, "JCheckBox")
        if len(boxes) == 1 and boxes[0].selected is False and boxes[0].enabled:
            return boxes[0]
    for caption in rule.click:
        buttons = _captioned(window, caption, "JButton")
        if buttons:
            return buttons[0] if len(buttons) == 1 and buttons[0].enabled else None
    return None


def _captioned(window: Window, caption: str, kind: str) -> list[Component]:
    """Captions are compared without outer blanks, case and final dot, which come and go (guide 6.5)."""
    wanted = fold(caption).rstrip(".")
    return [each for each in window.walk() if each.is_a(kind) and fold(each.text).rstrip(".") == wanted]


def _is_button(component: Component) -> bool:
    return component.base.endswith(("JButton", "JMenuItem", "JMenu"))


def _knows(rule: Rule, window: Window, title: str, text: str) -> bool:
    return (
        (not rule.title or fold(rule.title) == title)
        and (not rule.title_contains or fold(rule.title_contains) in title)
        and (not rule.title_matches or re.search(rule.title_matches, title, re.IGNORECASE) is not None)
        and (not rule.text_contains or fold(rule.text_contains) in text)
        and (not rule.text_matches or re.search(rule.text_matches, text, re.IGNORECASE) is not None)
        and (not rule.class_contains or rule.class_contains in window.class_name)
    )


def _holds(rule: Rule, state: State, config: Config, asked: bool) -> bool:
    if rule.when and state not in rule.when:
        return False
    if rule.asked and not asked:
        return False
    return all(str(setting(config, key)) == value for key, value in rule.config)


def setting(config: Config, key: str) -> object:
    """Return the value of "table.key". Raises AttributeError where there is none."""
    value: object = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _read(file: Path, mistakes: list[Mistake]) -> list[Rule]:
    try:
        content = file.read_bytes()
        if len(content) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")
        data = tomli.loads(content.decode())
    except OSError as error:
        mistakes.append(Mistake(str(file), f"cannot be read: {error.strerror}"))
        return []
    except ValueError as error:  # TOML, UTF-8 and size alike
        mistakes.append(Mistake(str(file), f"not TOML: {error}"))
        return []
    entries = data.pop("dialog", [])
    for key in data:
        mistakes.append(Mistake(str(file), f"no such table: {key} (only [[dialog]])"))
    if not isinstance(entries, list):
        mistakes.append(Mistake(str(file), "dialog is one table (write [[dialog]], with two brackets)"))
        return []
    rules = []
    for number, entry in enumerate(entries, start=1):
        try:
            rules.append(replace(parse(entry), source=str(file)))
        except ValueError as error:
            name = entry.get("name") if isinstance(entry, dict) else None
            mistakes.append(Mistake(str(file), f"dialog {name or number}: {error}"))
    return rules


def parse(entry: Any) -> Rule:
    """Return one [[dialog]] as a rule; raises ValueError with all that is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError("not a table")
    wrong: list[str] = []
    values: dict[str, Any] = {}
    for key, value in entry.items():
        reader = _FIELDS.get(key)
        if reader is None:
            wrong.append(f"no such key: {key} (known: {', '.join(_FIELDS)})")
            continue
        try:
            values[key] = reader(value)
        except ValueError as error:
            wrong.append(f"{key} = {value!r}: {error}")
    if not values.get("name"):
        wrong.append("no name")
    if not any(values.get(key) for key in _SIGNS):
        wrong.append(f"nothing to know it by (one of {', '.join(_SIGNS)})")
    actions = [key for key in ("click", "close", "ignore", "person") if values.get(key)]
    if len(actions) != 1:
        wrong.append("not exactly one of click, close, ignore, person")
    if values.get("check") and actions != ["click"]:
        wrong.append("check goes with click only")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Rule(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _pattern(value: Any) -> str:
    try:
        re.compile(_text(value))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(each, str) and each for each in found):
        raise ValueError("neither a text nor a list of texts")
    return tuple(found)


def _states(value: Any) -> tuple[State, ...]:
    try:
        return tuple(State(each) for each in _texts(value))
    except ValueError:
        raise ValueError(f"not among the states {', '.join(State)}") from None


def _event(value: Any) -> Event:
    try:
        return Event(_text(value))
    except ValueError:
        raise ValueError(f"not one of {', '.join(Event)}") from None


def _settings(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError('not a table, as in { "api.incoming" = "local" }')
    result = []
    for key, wanted in value.items():
        table, _, name = key.partition(".")
        known = Config.__dataclass_fields__.get(table)
        if known is None or table in ("paths", "account") or not hasattr(known.default, name):
            raise ValueError(f"no such setting: {key}")
        result.append((key, str(wanted)))
    return tuple(result)


_SIGNS = ("title", "title_contains", "title_matches", "text_contains", "text_matches", "class_contains")
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": _text,
    "title": _text,
    "title_contains": _text,
    "title_matches": _pattern,
    "text_contains": _text,
    "text_matches": _pattern,
    "class_contains": _text,
    "when": _states,
    "config": _settings,
    "asked": _flag,
    "check": _texts,
    "click": _texts,
    "close": _flag,
    "ignore": _flag,
    "person": _text,
    "then": _event,
    "warn": _text,
}
