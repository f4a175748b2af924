"""Know dialogs by rules, and say what a rule asks for (design section 6). Pure; rulebook.py reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from ibga.agent.report import Component, Window, collapse, fold
from ibga.config import Config
from ibga.runtime import State


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
    button: tuple[str, ...] = ()  # captions, one of which a button of the window bears
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
    found = _aim(rule, window)
    return found if isinstance(found, Component) else None


def obstacle(rule: Rule, window: Window) -> str:
    """Return why there is no `target`, "" where there is one."""
    found = _aim(rule, window)
    return found if isinstance(found, str) else ""


def _aim(rule: Rule, window: Window) -> Component | str:
    for caption in rule.check:
        boxes = _captioned(window, caption, "JCheckBox")
        if len(boxes) == 1 and boxes[0].selected is False and boxes[0].enabled:
            return boxes[0]
    for caption in rule.click:
        buttons = _captioned(window, caption, "JButton")
        if buttons:
            if len(buttons) > 1:
                return f"{len(buttons)} buttons say {caption!r}"
            return buttons[0] if buttons[0].enabled else f"the button {caption!r} is disabled"
    return f"no button says {' or '.join(map(repr, rule.click))}"


def _captioned(window: Window, caption: str, kind: str) -> list[Component]:
    """Captions are compared without outer blanks, case and final dot, which come and go (guide 6.5)."""
    wanted = fold(caption).rstrip(".")
    return [each for each in window.walk() if each.is_a(kind) and fold(each.text).rstrip(".") == wanted]


def _is_button(component: Component) -> bool:
    return component.base.endswith(("JButton", "JMenuItem", "JMenu"))


def _knows(rule: Rule, window: Window, title: str, text: str) -> bool:
    return all(holds for _, holds in _signs(rule, window, title, text))


def signs(rule: Rule, window: Window) -> list[tuple[str, bool]]:
    """Return the keys by which *rule* knows a window, and whether each of them holds for *window*."""
    return list(_signs(rule, window, fold(window.title), fold(" ".join(texts(window)))))


def _signs(rule: Rule, window: Window, title: str, text: str) -> Iterator[tuple[str, bool]]:
    if rule.title:
        yield "title", fold(rule.title) == title
    if rule.title_contains:
        yield "title_contains", fold(rule.title_contains) in title
    if rule.title_matches:
        yield "title_matches", re.search(rule.title_matches, title, re.IGNORECASE) is not None
    if rule.text_contains:
        yield "text_contains", fold(rule.text_contains) in text
    if rule.text_matches:
        yield "text_matches", re.search(rule.text_matches, text, re.IGNORECASE) is not None
    if rule.class_contains:
        yield "class_contains", rule.class_contains in window.class_name
    if rule.button:
        yield "button", any(_captioned(window, caption, "JButton") for caption in rule.button)


def _holds(rule: Rule, state: State, config: Config, asked: bool) -> bool:
    return all(holds for _, holds in conditions(rule, state, config, asked=asked))


def conditions(rule: Rule, state: State, config: Config, *, asked: bool) -> Iterator[tuple[str, bool]]:
    """Yield under what *rule* counts besides its signs, and whether that is so now."""
    if rule.when:
        yield f"when = {', '.join(rule.when)}", state in rule.when
    if rule.asked:
        yield "asked: the gateway is to be closed", asked
    for key, value in rule.config:
        yield f"{key} = {value}", str(setting(config, key)) == value


def setting(config: Config, key: str) -> object:
    """Return the value of "table.key". Raises AttributeError where there is none."""
    value: object = config
    for part in key.split("."):
        value = getattr(value, part)
    return value
