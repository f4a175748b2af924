"""What the automator may do next, as data: each deed with the effect that proves it.

`decide` returns steps, `executor` performs them. A step names windows and components by the ids of
the report that it was decided on; the executor looks them up again in the newest report before acting.
"""

import re
from dataclasses import dataclass, field

from ibga.agent.report import Component, Report, Row, Window
from ibga.automator.ledger import Outcome
from ibga.automator.prompts import Factor


@dataclass(frozen=True, slots=True)
class Focused:
    """The component has the keyboard focus."""

    component: int

    def seen(self, before: Report, after: Report) -> bool:
        return after.focus == self.component


@dataclass(frozen=True, slots=True)
class Selected:
    """A toggle or check box, or a row of a component where *row* is given, is selected, or not."""

    component: int
    selected: bool = True
    row: int | None = None

    def seen(self, before: Report, after: Report) -> bool:
        found = _part(after, self.component, self.row)
        return found is not None and found.selected is self.selected


@dataclass(frozen=True, slots=True)
class Opened:
    """The menu or the list of a combo box is open, or not."""

    component: int
    opened: bool = True

    def seen(self, before: Report, after: Report) -> bool:
        found = after.find(self.component)
        return (found is not None and found[1].open) is self.opened


@dataclass(frozen=True, slots=True)
class Answered:
    """The window has gone, shows something else, or another window came over it.

    One window object serves for several dialogs, hence "something else" (guide 4.1).
    """

    window: int

    def seen(self, before: Report, after: Report) -> bool:
        old, new = before.window(self.window), after.window(self.window)
        if old is None or new is None:
            return True
        return fingerprint(old) != fingerprint(new) or _windows_came(before, after)


@dataclass(frozen=True, slots=True)
class WindowCame:
    """A window shows that did not show before, or one has gone, as after File > Close."""

    def seen(self, before: Report, after: Report) -> bool:
        gone = any(each.kind != "window" and after.window(each.id) is None for each in before.windows)
        return gone or _windows_came(before, after)


@dataclass(frozen=True, slots=True)
class LoginStarted:
    """The form has taken the press of its button: it is busy or gone, or something came over it."""

    button: int

    def seen(self, before: Report, after: Report) -> bool:
        found = after.find(self.button)
        return found is None or not found[1].enabled or _windows_came(before, after)


@dataclass(frozen=True, slots=True)
class CodeTaken:
    """The form has taken the code: it is gone, shows something else, is busy, or its field is empty."""

    window: int
    field: int

    def seen(self, before: Report, after: Report) -> bool:
        old, new = before.find(self.field), after.find(self.field)
        if old is None or new is None or Answered(self.window).seen(before, after):
            return True
        return not new[1].enabled or new[1].length != old[1].length


@dataclass(frozen=True, slots=True)
class LayoutChanged:
    """Another number of components is there in the window than before, as after "More Options"."""

    window: int

    def seen(self, before: Report, after: Report) -> bool:
        old, new = before.window(self.window), after.window(self.window)
        return old is not None and new is not None and len(list(old.walk())) != len(list(new.walk()))


_DIGITS = re.compile(r"\d+")


def fingerprint(window: Window) -> tuple[object, ...]:
    """What tells one dialog from another in the same window object: title, texts, and what can be pressed.

    Without its numbers: one that counts seconds down is still the same dialog.
    """
    return (
        window.title,
        tuple(_DIGITS.sub("#", text) for text in window.labels()),
        tuple(each.id for each in window.walk() if each.base.endswith("Button")),
    )


def _part(report: Report, component: int, row: int | None) -> Component | Row | None:
    found = report.find(component)
    if found is None or row is None:
        return found[1] if found else None
    rows = found[1].rows or ()
    return rows[row] if row < len(rows) else None


def _windows_came(before: Report, after: Report) -> bool:
    """Popups do not count: a tool tip is not an effect."""
    known = {each.id for each in before.windows}
    return any(each.id not in known and each.kind != "window" for each in after.windows)


Effect = Focused | Selected | Opened | Answered | WindowCame | LoginStarted | CodeTaken | LayoutChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsRead:
    """What was read in the settings dialog after it was opened anew; None where a build has no such box."""

    port: int
    read_only: bool | None
    localhost_only: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Press a component."""

    name: str  # what for, for journal and the counting of tries
    window: int
    component: int
    effect: Effect
    effect_timeout: float = 1.0  # s
    login_attempt: bool = False  # written into the ledger before the click
    once: bool = False  # pressed once, also where nothing is seen of it: it may have reached IB
    read: SettingsRead | None = None  # what is established once this has worked


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """Replace a field's content. The effect is that the field holds the text (of a password: its length)."""

    name: str
    window: int
    component: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCode:
    """Replace a field's content by the next code of the second factor, which only the executor sees.

    It is made when the field is empty and has the focus, and is taken for typed (never typed again)
    from then on. The effect is that the field holds as many characters.
    """

    name: str
    window: int
    component: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """Select a row of a combo box or a list; the effect is that it is selected."""

    name: str
    window: int
    component: int
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePath:
    """Expand a tree along *path* (without its root) and select the end of it; the effect is its selection."""

    name: str
    window: int
    component: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Choose an item of the window's menus. Only while popped up does it have a place (guide 5.2)."""

    name: str
    window: int
    path: tuple[str, str]
    effect: Effect
    effect_timeout: float = 5.0  # s; the settings take up to 4 (guide 2.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWindow:
    """Close a window as its X would; only the agent can, for there is no window manager."""

    name: str
    window: int
    effect: Effect
    effect_timeout: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveEvidence:
    """Keep screenshot, component tree and a rule's skeleton of a window that nothing recognises."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeApi:
    """Ask the API port for a full handshake; the answer comes later."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLogin:
    """Write into the ledger how the last login attempt ended."""

    outcome: Outcome
    text: str  # IB's words
    factor: Factor = Factor.NONE  # what became of its second factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer the request that is being served."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class AskCode:
    """Run second_factor.code_command; its answer comes later."""


@dataclass(frozen=True, slots=True)
class HoldPhone:
    """Try to be the one instance that may have a phone rung."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing until the next report, or until *until* (monotonic seconds)."""

    until: float | None = None


#: What touches the gateway's windows; the executor performs these.
Deed = Click | Type | TypeCode | Choose | ChoosePath | Menu | CloseWindow
#: What concerns the automator's own files and probes; the loop does these.
Chore = SaveEvidence | ProbeApi | RecordLogin | AskCode | HoldPhone | Reply
Step = Deed | Chore | Wait
