"""The settings dialog (guide 6): what the session cannot do without is set, and read back in a new one.

The dialog is modal and one-shot: each opening is a new object with the values in force. So a change is
proved by opening it again and finding nothing to change; that one is left with Cancel.
"""

import re
from dataclasses import dataclass

from ibga.agent.report import Component, Row, Window, fold
from ibga.automator.decision import Decision
from ibga.automator.login import labelled
from ibga.automator.session import Now, Session
from ibga.automator.steps import (
    Answered,
    ChoosePath,
    Click,
    Menu,
    Selected,
    SettingsRead,
    Step,
    Type,
    Wait,
    WindowCame,
)
from ibga.config import Config
from ibga.runtime import State

PATH = ("API", "Settings")
MAX_ROUNDS = 3  # openings in which something had to be changed
PANEL_TIMEOUT = 5.0  # s for a panel to appear behind a selected row (guide 6.2: 1)

READ_ONLY = "Read-Only API"
LOCALHOST_ONLY = "Allow connections from localhost only"
SOCKET_PORT = "Socket port"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPanel:
    """API > Settings. Boxes are None where this build has none."""

    port: Component
    read_only: Component | None
    localhost_only: Component | None


def read_panel(window: Window) -> ApiPanel | None:
    """Return the panel, or None while another one shows."""
    port = _port_field(window)
    if port is None:
        return None
    return ApiPanel(port=port, read_only=_box(window, READ_ONLY), localhost_only=_box(window, LOCALHOST_ONLY))


def _port_field(window: Window) -> Component | None:
    """The field after the label, or the one in the panel of that name (guide 6.3)."""
    field = labelled(window, SOCKET_PORT, "JTextField", "JFormattedTextField")
    if field is not None and field.editable:
        return field
    for each in window.walk():
        if fold(each.name) == fold(SOCKET_PORT):
            for child in each.walk():
                if child.editable and child.base.endswith("TextField"):
                    return child
    return None


def _box(window: Window, caption: str) -> Component | None:
    return next(
        (each for each in window.find_all("JCheckBox") if fold(each.text).rstrip(".") == fold(caption)), None
    )


def decide_settings(
    main: Window, dialog: Window | None, session: Session, config: Config, now: Now
) -> Decision:
    """Return the next step of checking the settings; `session.settings` is set when they are read back."""
    if dialog is None:
        return _open(main, session)
    if session.settings_dialog != dialog.id:
        # Of a person, or of our own predecessor: what it was told before is not known.
        return _configuring("leaving the settings dialog that was open", _press(dialog, "Cancel", "discard"))
    panel = read_panel(dialog) if _selected(dialog) else None
    if panel is None:
        return _go_to_panel(dialog, session, now)
    missing = _missing(panel, config)
    if missing:
        return _awaiting(dialog, f"no box {missing!r}", session, now)
    change = _change(dialog, panel, config)
    if change is not None:
        return _configuring("changing the settings", change)
    if session.settings_written:
        return _configuring("saving the settings", _press(dialog, "OK", "accept"))
    return _configuring(
        "the settings are as configured", _press(dialog, "Cancel", "leave", read=_read(panel))
    )


def _open(main: Window, session: Session) -> Decision:
    if session.settings_rounds >= MAX_ROUNDS:
        return Decision(
            state=State.FAILED,
            reason=f"the settings do not stick: changed {session.settings_rounds} times, and still different",
            person="look at Configure > Settings > API > Settings: port, Read-Only API, localhost only",
        )
    return _configuring(
        "opening the settings",
        Menu(name="open the settings", window=main.id, path=("Configure", "Settings"), effect=WindowCame()),
    )


def _path(tree: Component | None) -> tuple[str, ...]:
    """Return where the panel is: in very old builds "API" has nothing below it (guide 6.2)."""
    rows = tree.rows or () if tree is not None else ()
    return PATH[:1] if any(row.leaf and _ends(row, PATH[:1]) for row in rows) else PATH


def _ends(row: Row, path: tuple[str, ...]) -> bool:
    return [fold(each) for each in row.path[-len(path) :]] == [fold(each) for each in path]


def _selected(dialog: Window) -> bool:
    tree = dialog.find("JTree")
    rows = tree.rows or () if tree is not None else ()
    return any(row.selected and _ends(row, _path(tree)) for row in rows)


def _go_to_panel(dialog: Window, session: Session, now: Now) -> Decision:
    tree = dialog.find("JTree")
    if tree is None or not tree.rows:
        return _configuring("waiting for the tree of the settings", Wait())
    if _selected(dialog):
        return _awaiting(dialog, f"no field {SOCKET_PORT!r}", session, now)
    return _configuring(
        "going to the API settings",
        ChoosePath(name="go to the API settings", window=dialog.id, component=tree.id, path=_path(tree)),
    )


def _missing(panel: ApiPanel, config: Config) -> str:
    """Return the caption of a box that must be ticked and is not there: then nothing keeps clients from it.

    Some builds have no Read-Only API (guide 6.3); that can only be taken for "off".
    """
    if panel.read_only is None and config.api.read_only:
        return READ_ONLY
    if panel.localhost_only is None and config.api.localhost_only:
        return LOCALHOST_ONLY
    return ""


def _awaiting(dialog: Window, what: str, session: Session, now: Now) -> Decision:
    """The panel may be incomplete for a moment; what never comes cannot be read back."""
    shown = session.shown.get(dialog.id)
    until = (shown.since if shown is not None else now.mono) + PANEL_TIMEOUT
    if now.mono < until:
        return _configuring("waiting for the panel of the API settings", Wait(until))
    return Decision(
        state=State.FAILED,
        reason=f"the API settings of this build have {what}",
        person="look at Configure > Settings > API > Settings on the screen",
    )


def _change(dialog: Window, panel: ApiPanel, config: Config) -> Click | Type | None:
    """Return the first difference as a step, or None when there is none."""
    boxes = ((panel.read_only, config.api.read_only), (panel.localhost_only, config.api.localhost_only))
    for box, wanted in boxes:
        if box is not None and box.selected is not wanted:
            return Click(
                name=f"{'tick' if wanted else 'clear'} {box.text!r}",
                window=dialog.id,
                component=box.id,
                effect=Selected(box.id, wanted),
            )
    port = str(config.api.internal_port)
    if _number(panel.port) != port:
        return Type(name="type the socket port", window=dialog.id, component=panel.port.id, text=port)
    return None


def _number(field: Component) -> str:
    """What stands in a field for a number; a spinner's groups it, "9,000" (guide 6.3)."""
    return re.sub(r"(?<=\d)[,.'\u2019\s](?=\d)", "", field.text.strip())


def _read(panel: ApiPanel) -> SettingsRead:
    return SettingsRead(
        port=int(_number(panel.port)),
        read_only=panel.read_only.selected if panel.read_only is not None else None,
        localhost_only=panel.localhost_only.selected if panel.localhost_only is not None else None,
    )


def _press(dialog: Window, caption: str, verb: str, read: SettingsRead | None = None) -> Step:
    buttons = dialog.find_all("JButton", caption)
    if len(buttons) != 1 or not buttons[0].enabled:
        return Wait()
    return Click(
        name=f"{verb} the settings",
        window=dialog.id,
        component=buttons[0].id,
        effect=Answered(dialog.id),
        effect_timeout=5.0,
        read=read,
    )


def discard(dialog: Window) -> Step:
    """Return the step that closes the dialog without a change."""
    return _press(dialog, "Cancel", "discard")


def _configuring(reason: str, step: Step) -> Decision:
    return Decision(state=State.CONFIGURING, reason=reason, step=step)
