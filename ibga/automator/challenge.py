"""What a second factor window asks for (guide 4.4): told by its contents, since all have the same title."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ibga.agent.report import Component, Row, Window, fold
from ibga.config.settings import SecondFactorMethod

IB_KEY = "IB Key"
AUTHENTICATOR = "Mobile Authenticator app"
CHANGE_DEVICE = "Change security device"
#: The row that a method means where no device is configured (guide 4.4, D-2FA-LIST).
_NATURAL = {
    SecondFactorMethod.IB_KEY: IB_KEY,
    SecondFactorMethod.TOTP: AUTHENTICATOR,
    SecondFactorMethod.COMMAND: AUTHENTICATOR,
    SecondFactorMethod.PASSKEY: "Passkey",
}
_FIELDS = ("JTextField", "JPasswordField", "JFormattedTextField")
#: Its words, the raw form of its button ("Authenticate ›"), or the title of its browser window.
_PASSKEY = re.compile(r"pass ?key|web ?authn|security key|jxbrowser")
#: IB's digital card is a challenge, too. Not "security code" alone: so does a form speak of a refused code.
_CARD = re.compile(r"security code card|security card|card (code|value|authentication)|challenge code")
_CARD_TITLE = re.compile(r"security code card|enter security code")
_PUSH = re.compile(r"notification (on|to) your phone|tap the ib\w* notification|open the ib\w* notification")
_LIST = re.compile(r"select (a |your |the )?(second|security|two).{0,12} device")
_CODE_LABEL = re.compile(r"^enter\b.*\bcode\b")


class Kind(StrEnum):
    PUSH = "push"  # IB Key: nothing to press, it closes when the phone approves
    LIST = "list"  # a choice among devices
    CODE = "code"
    CARD = "card"
    PASSKEY = "passkey"
    UNKNOWN = "unknown"  # nothing of it is known, or it is still being built


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The parts of the window that matter; None where it has none, or where there are several."""

    kind: Kind
    window: Window
    label: str = ""  # what a code form says that it wants, "Enter Mobile Authenticator app code"
    field: Component | None = None
    choice: Component | None = None  # the list of devices
    ok: Component | None = None
    authenticate: Component | None = None
    change_device: Component | None = None  # link-like text, a JTextPane

    @property
    def rows(self) -> tuple[Row, ...]:
        return (self.choice.rows or ()) if self.choice is not None else ()


def read_challenge(window: Window) -> Challenge:
    """Return what *window* asks for, by its contents: one object may show one thing after the other."""
    title, text = fold(window.title), fold(window.all_text())
    fields = [each for each in window.walk() if each.editable and each.base.endswith(_FIELDS)]
    lists = [each for each in window.find_all("JList") if each.rows]
    authenticate = _authenticate(window)
    label = next((each for each in window.labels() if _CODE_LABEL.search(fold(each))), "")
    if authenticate is not None or _PASSKEY.search(title) or (_PASSKEY.search(text) and not lists):
        kind = Kind.PASSKEY
    elif _CARD_TITLE.search(title) or (_CARD.search(text) and not lists):
        kind = Kind.CARD
    elif len(lists) == 1 and not fields and (_LIST.search(text) or "device" in text):
        kind = Kind.LIST
    elif len(fields) == 1 and label:
        kind = Kind.CODE
    elif not fields and not lists and _PUSH.search(text):
        kind = Kind.PUSH
    else:
        kind = Kind.UNKNOWN
    return Challenge(
        kind=kind,
        window=window,
        label=label,
        field=fields[0] if len(fields) == 1 else None,
        choice=lists[0] if len(lists) == 1 else None,
        ok=_button(window, "OK"),
        authenticate=authenticate,
        change_device=_link(window, CHANGE_DEVICE),
    )


def choose_device(rows: tuple[Row, ...], method: SecondFactorMethod, device: str) -> Row | None:
    """Return the row to choose: the configured one, else the one that *method* means; None for no one row.

    A configured device is compared whole. What a method means may have more words behind it ("IB Key
    (old phone)"), but must then be the only one: which of several is meant only a person knows.
    """
    if device:
        return _only([row for row in rows if fold(row.text) == fold(device)])
    wanted = fold(_NATURAL.get(method, ""))
    if not wanted:
        return None
    exact = [row for row in rows if fold(row.text) == wanted]
    return _only(exact or [row for row in rows if re.match(re.escape(wanted) + r"\b", fold(row.text))])


def serves(method: SecondFactorMethod, device: str, label: str) -> bool:
    """Whether a code of *method* is what the form with this label wants.

    A command's codes may be of any device; a key is for the authenticator, whatever that is called here.
    """
    named = bool(device) and fold(device) in fold(label)
    if method is SecondFactorMethod.TOTP:
        return named or "authenticator" in fold(label)
    return method is SecondFactorMethod.COMMAND and (named or not device)


def _only(rows: list[Row]) -> Row | None:
    return rows[0] if len(rows) == 1 else None


def _button(window: Window, caption: str) -> Component | None:
    found = window.find_all("JButton", caption)
    return found[0] if len(found) == 1 else None


def _authenticate(window: Window) -> Component | None:
    """Raw forms of the caption are "Authenticate", "Authenticate >", "Authenticate ›" (guide 4.4)."""
    found = [each for each in window.find_all("JButton") if fold(each.text).rstrip(" >›»→") == "authenticate"]
    return found[0] if len(found) == 1 else None


def _link(window: Window, text: str) -> Component | None:
    """Return the innermost component that says *text*, be it pane, label or button."""
    found = [
        each
        for each in window.walk()
        if fold(each.text).rstrip(" .>›") == fold(text) and not each.components and not each.editable
    ]
    return found[0] if len(found) == 1 else None
