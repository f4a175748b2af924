"""Dialogs as the agent would report them, made up for tests: any title, words, kind of text and buttons."""

from collections.abc import Callable
from itertools import count

from tests.support.reports import Json

#: What may carry the text of a dialog (guide 4.1).
KINDS = ("label", "html", "textpane", "textarea", "optionpane")
_BASES = {"label": "JLabel", "html": "JLabel", "textpane": "JTextPane", "textarea": "JTextArea"}


def dialog(
    title: str,
    text: str = "",
    buttons: tuple[str, ...] = ("OK",),
    *,
    checks: tuple[str, ...] = (),
    kind: str = "label",
    package: str = "feature.messages.",
    letter: str = "k",
    frame: bool = False,
    modal: bool = True,
    number: int = 7000,
) -> Json:
    """Return a window with ids from *number* on; its parts lie in panels, as in a dialog of IBG."""
    ids = count(number + 1)

    def part(base: str, text: str = "", **more: object) -> Json:
        bounds = [400, 300, 120, 20]
        java = f"javax.swing.{base}"
        return {"id": next(ids), "class": java, "base": java, "enabled": True, "focused": False,
                "bounds": bounds, "text": text, **more}  # fmt: skip

    words = (
        [part(_BASES[kind], text, **_more(kind, text))] if kind != "optionpane" else [part("JLabel", text)]
    )
    boxes = [part("JCheckBox", caption, selected=False) for caption in checks]
    row = [part("JButton", caption) for caption in buttons]
    for each in row:
        each["class"] = "jtscomponents.hk"
    pane = part("JOptionPane", text) if kind == "optionpane" else part("JPanel")
    pane["components"] = [*(words if text else []), *boxes, part("JPanel", components=row)]
    base = "javax.swing.JFrame" if frame else "javax.swing.JDialog"
    return {"id": number, "class": package + letter, "base": base, "kind": "frame" if frame else "dialog",
            "name": f"dialog{number}", "title": title, "bounds": [288, 323, 447, 121], "active": True,
            "modal": modal and not frame, "enabled": True,
            "components": [part("JRootPane", components=[pane])]}  # fmt: skip


def _more(kind: str, text: str) -> Json:
    if kind == "html":
        return {"html": f"<html>{text}</html>"}
    return {"editable": False, "length": len(text)} if kind != "label" else {}


def shown(*windows: Json) -> Callable[[Json], None]:
    """Return an edit that puts *windows* over what a recorded report shows."""

    def edit(report: Json) -> None:
        for window in report["windows"]:
            window["active"] = False
        report["windows"] += windows

    return edit
