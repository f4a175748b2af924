"""Keep what an operator needs to write a rule for a dialog that nothing recognises (guide 4.7).

Writes: unknown-dialogs/<stamp>-<kind>/ in the instance's log directory, one folder a kind of dialog.
"""

import hashlib
import logging
import re
import shutil
import time
from pathlib import Path

from ibga.agent.report import Component, Window, collapse, fold
from ibga.agent.tree import window_as_text
from ibga.paths import Paths

log = logging.getLogger(__name__)

MAX_KINDS = 50
#: Of one file in bytes; a report is bounded by the agent, a screenshot by the display.
MAX_FILE = 8 << 20

#: U1234567, DU1234567, F1234567, DF…, I…: account ids as IB writes them, also within words like "(U123)".
_ACCOUNT = re.compile(r"\b(D?[UFI])\d{5,9}\b")
_DIGITS = re.compile(r"\d+")
_MASK = r"\1*******"


def save_unknown_dialog(
    paths: Paths, window: Window, report: bytes | str, screenshot_png: bytes | None, now: float
) -> Path | None:
    """Save what is known about *window*; return the folder, also that of an earlier time.

    *report* is the content of ui.json. None, and a warning in the journal, where it cannot be written:
    evidence is no reason to stop.
    """
    base = paths.log_dir / "unknown-dialogs"
    kind = kind_of(window)
    try:
        for earlier in base.glob(f"*-{kind}"):
            return earlier
        return _save(base, kind, window, report, screenshot_png, now)
    except OSError as error:
        log.warning("cannot save the unknown dialog %r in %s: %s", window.title, base, error.strerror)
        return None


def kind_of(window: Window) -> str:
    """Return a name for all dialogs like this one: numbers, account ids, case and positions do not count.

    Of the Java class only the package counts: the last part changes with each release (guide 4.1).
    """
    package = window.class_name.rpartition(".")[0]
    words = [package, window.title, *window.labels()]
    plain = "\n".join(_DIGITS.sub("0", _ACCOUNT.sub("account", fold(word))) for word in words)
    slug = re.sub(r"[^a-z0-9]+", "-", fold(masked(window.title))).strip("-")[:30] or "untitled"
    return f"{slug}-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def rule_skeleton(window: Window, kind: str) -> str:
    """Return a rule for /etc/ibga/dialogs.d/ with all choices in comments: it does nothing as it is."""
    package = window.class_name.rpartition(".")[0].rpartition(".")[2]
    lines = [
        "# A dialog that no rule recognised. Look at screenshot.png, choose what shall be done with it,",
        "# and copy this file to /etc/ibga/dialogs.d/; it is read as soon as it is there. What it does",
        "# says: ibga dialogs test report.json",
        "#[[dialog]]",
        f"#name = {_toml(kind)}",
        f"#title = {_toml(masked(window.title))}",
    ]
    lines += [f"#text_contains = {_toml(text)}  # or a part of it" for text in _telling_texts(window)]
    if package:
        lines.append(f"#class_contains = {_toml(package + '.')}")
    lines.append("# One of these:")
    lines += [f"#click = {_toml(masked(collapse(text)))}" for text in _texts_of(window, "JButton")]
    lines += [f"#check = [{_toml(masked(collapse(text)))}]" for text in _texts_of(window, "JCheckBox")]
    return "\n".join([*lines, "#close = true", "#ignore = true", ""])


def _telling_texts(window: Window) -> list[str]:
    """The longest texts first: a button's word tells no dialog from another."""
    buttons = {
        id(each) for kind in ("JButton", "JCheckBox", "JRadioButton") for each in window.find_all(kind)
    }
    texts = {
        _before_numbers(masked(collapse(each.text)))
        for each in window.walk()
        if each.text and not each.editable and id(each) not in buttons
    }
    return sorted((text for text in texts if len(text) > 3), key=len, reverse=True)[:5]


def _before_numbers(text: str) -> str:
    """The longest stretch of *text* without numbers and masked ids, which differ next time."""
    stretches = re.split(r"\S*[\d*]\S*", text)
    return max(stretches, key=len).strip()[:120].strip()


def _texts_of(window: Window, kind: str) -> list[str]:
    def usable(component: Component) -> bool:
        return bool(component.text) and component.bounds.visible

    return [each.text for each in window.find_all(kind) if usable(each)]


def _save(
    base: Path, kind: str, window: Window, report: bytes | str, screenshot_png: bytes | None, now: float
) -> Path:
    base.mkdir(parents=True, exist_ok=True)
    for left_over in base.glob(".new-*"):
        shutil.rmtree(left_over)
    folder = base / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{kind}"
    temporary = base / f".new-{kind}"
    temporary.mkdir()
    try:
        text = report.decode(errors="replace") if isinstance(report, bytes) else report
        files = {
            "report.json": masked(text).encode(),
            "tree.txt": masked(window_as_text(window) + "\n").encode(),
            "rule.toml": rule_skeleton(window, kind).encode(),
        }
        if screenshot_png is not None:
            files["screenshot.png"] = screenshot_png
        for name, content in files.items():
            if len(content) > MAX_FILE:
                log.warning(
                    "%s of the unknown dialog %r left out: %d bytes", name, window.title, len(content)
                )
                continue
            (temporary / name).write_bytes(content)
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _prune(base)
    return folder


def _prune(base: Path) -> None:
    """Names begin with their time, so the oldest come first."""
    for old in sorted(path for path in base.iterdir() if path.is_dir())[:-MAX_KINDS]:
        shutil.rmtree(old)


def masked(text: str) -> str:
    """Return *text* with its account ids made unreadable."""
    return _ACCOUNT.sub(_MASK, text)


def _toml(text: str) -> str:
    """Return *text* as a basic string of TOML on one line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in escaped) + '"'
