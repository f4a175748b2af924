"""Tell IBG's windows apart (guide 3.1, 4.1, 5.1, 6.1, 11.1): by content and package, never by title alone."""

import re
from dataclasses import dataclass

from ibga.agent.report import Report, Window, fold

#: Package fragments are stable across releases, the letters behind them are not (guide 4.1).
WELCOME = "feature.welcome."
CONFIGURE = "feature.configure."
CONNECTION = "twslaunch.jconnection."
AUTHENTICATION = "twslaunch.jauthentication."
GATEWAY = "ibgateway."

#: The last four: the browser window of a passkey (guide 4.4).
_SECOND_FACTOR = re.compile(
    r"second factor|security code|two.factor|pass ?key|webauthn|security key|jxbrowser"
)
_CONFLICT = re.compile(r"existing session|re-?login is required|trading login handoff")
_CONFLICT_TEXT = re.compile(r"existing session|would you like to re-?login")
_CONFLICT_BUTTONS = ("Re-login", "Continue Login", "Reconnect This Session", "Disconnect Other Session")
#: Titles of the welcome frame (guide 2.2), should its package be another one day.
_PHASE = re.compile(
    r"^(attempt \d+: )?(loading|connecting to server|authenticating|server error"
    r"|initializing environment|starting application)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The windows of one report by what they are; None where it does not show."""

    login: Window | None = None
    progress: Window | None = None
    main: Window | None = None
    settings: Window | None = None
    second_factor: Window | None = None
    conflict: Window | None = None
    others: tuple[Window, ...] = ()  # dialogs and notices, for the rule book

    @property
    def dialogs(self) -> tuple[Window, ...]:
        """Everything that can lie over the login or the main window and wants an answer."""
        known = (self.settings, self.second_factor, self.conflict)
        return (*(each for each in known if each is not None), *self.others)


def recognise(report: Report) -> View:
    found: dict[str, Window] = {}
    others = []
    for window in report.windows:
        if window.kind == "window" or not _on_screen(window):
            continue
        role = _role(window)
        if role == "other":
            others.append(window)
        # The newest of several: configuration dialogs are one-shot objects (guide 6.1). But no decoy that
        # reaches over the left edge where there is one that does not (guide 3.1).
        elif role and (role not in found or window.bounds.x > 0 or found[role].bounds.x <= 0):
            found[role] = window
    return View(others=tuple(others), **found)


def _role(window: Window) -> str:
    """Return a field of View, "other", or "" for what is not to be looked at."""
    title = fold(window.title)
    if WELCOME in window.class_name:
        return "progress"
    if window.menu_item("File", "Close") or window.menu_item("Configure", "Settings"):
        return "main"
    if window.kind == "frame" and window.find("JPasswordField") is not None:
        return "login"
    if window.kind == "frame" and _PHASE.search(title) and window.find("JProgressBar") is not None:
        return "progress"
    if AUTHENTICATION in window.class_name or _SECOND_FACTOR.search(title):
        return "second_factor"
    if _is_conflict(window, title):
        return "conflict"
    if window.find("JTree") is not None and (
        CONFIGURE in window.class_name or "configuration" in title or "settings" in title
    ):
        return "settings"
    if window.kind == "frame" and GATEWAY in window.class_name:
        return ""  # a decoy (guide 3.1), or a frame that is being built
    return "other"


def _is_conflict(window: Window, title: str) -> bool:
    """The package alone tells nothing: what else comes from it may have an OK that is not to be pressed."""
    if _CONFLICT.search(title):
        return True
    if window.kind == "dialog" and _CONFLICT_TEXT.search(fold(window.all_text())):
        return True
    return CONNECTION in window.class_name and any(
        window.find("JButton", caption) is not None for caption in _CONFLICT_BUTTONS
    )


def _on_screen(window: Window) -> bool:
    """Decoys have no size or lie left of or above the screen (guide 3.1)."""
    x, y, width, height = window.bounds
    return width > 0 and height > 0 and x + width > 0 and y + height > 0 and bool(window.components)
