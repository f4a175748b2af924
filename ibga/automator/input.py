"""Move the mouse and press keys on the display (XTEST), closed-loop callers only.

Every function returns when the X server has done it; that IBG has seen it only the next report can say.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from Xlib import XK, X
from Xlib.error import CatchError, XError
from Xlib.ext import xtest

from ibga.errors import Exit, IbgaError
from ibga.x11 import round_trip

CONTROL = XK.XK_Control_L
ALT = XK.XK_Alt_L
SHIFT = XK.XK_Shift_L
BACKSPACE = XK.XK_BackSpace
ESCAPE = XK.XK_Escape
RETURN = XK.XK_Return
TAB = XK.XK_Tab
UP = XK.XK_Up
DOWN = XK.XK_Down
LEFT = XK.XK_Left
RIGHT = XK.XK_Right
HOME = XK.XK_Home
END = XK.XK_End

NOBODY = (X.NONE, X.PointerRoot)  # what X says for the window with the keyboard when there is none

_XF86 = 0x1008  # upper half of the keysyms of multimedia keys
_WHEEL_UP, _WHEEL_DOWN = 4, 5  # buttons by convention of X


class Input:
    """Mouse and keyboard of one display, over a connection of `x11.connect`.

    Characters that the keyboard map lacks are put on spare keys before a text is typed and stay there
    until `restore`, because Xlib in IBG looks a key up when IBG gets round to the event, not when it was
    pressed: a key must keep its meaning until the text has arrived. Neither locale nor input method of
    the JVM plays a part (measured, JDK 17 and 25, LC_ALL from C to ja_JP.UTF-8).

    All raise python-xlib's ConnectionClosedError when the X server is gone or silent.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._root = connection.screen().root
        self._borrowed: dict[int, Sequence[int]] = {}  # keycode -> the keysyms that it bore before

    def click(self, x: int, y: int, *, count: int = 1, button: int = 1) -> None:
        """Click *count* times at (x, y), in pixels from the display's top left corner."""
        self._release_held()
        self._move(x, y)
        self._click(button, count)
        round_trip(self._connection)

    def wheel(self, x: int, y: int, notches: int) -> None:
        """Turn the wheel over (x, y): down by *notches*, up where negative."""
        self._release_held()
        self._move(x, y)
        self._click(_WHEEL_DOWN if notches > 0 else _WHEEL_UP, abs(notches))
        round_trip(self._connection)

    def press(self, *keysyms: int) -> None:
        """Press a chord: the last key while those before it are held, e.g. press(CONTROL, ord("a")).

        It goes to the window that has the focus, if any: see `focus_window`.
        """
        self._release_held()
        codes = [self._keycode(keysym) for keysym in keysyms]
        with self._held(codes[:-1]):
            self._stroke(codes[-1])
        round_trip(self._connection)

    def focus(self) -> int:
        """Return the id of the X window that has the keyboard, one of NOBODY where none has."""
        found = self._connection.get_input_focus().focus
        return found if isinstance(found, int) else int(found.id)

    def type_text(self, text: str, *, into: int | None = None) -> bool:
        """Type *text* (any printable Unicode) where the keyboard focus is.

        False, and nothing is typed, when the focus is not *into* (of `focus`) any more. Nothing can come
        between that look and the keys: for so long no other client is served.

        The effect of the text typed before must have been seen: its borrowed keys may be reused.
        Raises ValueError on control characters, IbgaError when *text* has more distinct characters
        that the keyboard map lacks than there are spare keys.
        """
        keysyms = keysyms_of(text)
        keys = self._keys(keysyms)
        shift = self._keycode(SHIFT)
        self._release_held()
        self._connection.grab_server()  # it ends with the connection, whatever becomes of us
        try:
            there = into is None or self.focus() == into
            for keysym in keysyms if there else ():
                code, shifted = keys[keysym]
                with self._held([shift] if shifted else []):
                    self._stroke(code)
        finally:
            self._connection.ungrab_server()
        round_trip(self._connection)
        return there

    def focus_window(self, bounds: tuple[int, int, int, int]) -> bool:
        """Give the keyboard to the Java window at *bounds* (x, y, width, height); False where there is none.

        Without a window manager a Java window takes the keyboard when it is shown and when it is clicked,
        wherever the pointer is. But when the window that has it closes, nobody gets it back, and all
        keys are lost (measured, JDK 17 and 25). So this is for keys that no click comes before.

        The X focus must go to Java's "focus proxy", a child of one pixel: with it on the window itself
        Java counts the window as active and yet drops every key.
        """
        for window in reversed(self._root.query_tree().children):
            with contextlib.suppress(XError):  # this one went away meanwhile, as a closing dialog does
                place = window.get_geometry()
                if (place.x, place.y, place.width, place.height) != bounds or not _viewable(window):
                    continue
                for child in window.query_tree().children:
                    size = child.get_geometry()
                    if (size.width, size.height) == (1, 1):
                        failure = CatchError()
                        child.set_input_focus(X.RevertToParent, X.CurrentTime, onerror=failure)
                        round_trip(self._connection)
                        return failure.get_error() is None
        return False

    def tell_place(self, width: int, height: int, believed: Sequence[tuple[int, ...]]) -> bool:
        """Have the one window of that size that lies at none of the *believed* bounds told where it is.

        X tells a window only of a change, so it is moved by a pixel and back. False where there is no such
        window, or more than one.
        """
        lost = []
        for window in self._root.query_tree().children:
            with contextlib.suppress(XError):  # it went away meanwhile
                place = window.get_geometry()
                bounds = (place.x, place.y, place.width, place.height)
                if bounds[2:] == (width, height) and bounds not in believed and _viewable(window):
                    lost.append((window, place))
        if len(lost) != 1:
            return False
        ((window, place),) = lost
        for x in (place.x + 1, place.x):
            window.configure(x=x, onerror=CatchError())
        round_trip(self._connection)
        return True

    def restore(self) -> None:
        """Give borrowed keys back. Only when the typed text was seen to have arrived."""
        self._change_map(self._borrowed)
        self._borrowed.clear()

    def _move(self, x: int, y: int) -> None:
        xtest.fake_input(self._connection, X.MotionNotify, x=x, y=y)

    def _click(self, button: int, count: int) -> None:
        for _ in range(count):
            xtest.fake_input(self._connection, X.ButtonPress, button)
            xtest.fake_input(self._connection, X.ButtonRelease, button)

    def _stroke(self, code: int) -> None:
        xtest.fake_input(self._connection, X.KeyPress, code)
        xtest.fake_input(self._connection, X.KeyRelease, code)

    @contextmanager
    def _held(self, codes: Iterable[int]) -> Iterator[None]:
        """Hold keys down; they come up whatever happens, since a stuck Ctrl garbles all that follows."""
        down: list[int] = []
        try:
            for code in codes:
                down.append(code)
                xtest.fake_input(self._connection, X.KeyPress, code)
            yield
        finally:
            for code in reversed(down):
                xtest.fake_input(self._connection, X.KeyRelease, code)

    def _release_held(self) -> None:
        """Let go of all keys and buttons that are down, and of Caps Lock.

        A viewer in the browser, or a process that was killed, may have left them so.
        """
        for index, byte in enumerate(self._connection.query_keymap()):
            for bit in range(8):
                if byte >> bit & 1:
                    xtest.fake_input(self._connection, X.KeyRelease, index * 8 + bit)
        state = self._root.query_pointer().mask
        for button in range(1, 6):
            if state & X.Button1Mask << (button - 1):
                xtest.fake_input(self._connection, X.ButtonRelease, button)
        if state & X.LockMask:
            self._stroke(self._keycode(XK.XK_Caps_Lock))

    def _map(self) -> dict[int, list[int]]:
        """The keysyms of every keycode."""
        info = self._connection.display.info
        first: int = info.min_keycode
        rows = self._connection.get_keyboard_mapping(first, info.max_keycode - first + 1)
        return {code: list(row) for code, row in enumerate(rows, start=first)}

    def _change_map(self, change: Mapping[int, Sequence[int]]) -> None:
        """Put two keysyms each on some keycodes, and on no other.

        (Writing back a whole map as it was read gives the keys ever more groups.)
        """
        run: list[int] = []
        for code in sorted(change):
            run.append(code)
            if code + 1 not in change:  # in runs, since each request makes a JVM fetch the map anew
                self._connection.change_keyboard_mapping(run[0], [change[each] for each in run])
                run.clear()
        round_trip(self._connection)

    def _keycode(self, keysym: int) -> int:
        """The key that bears *keysym* unshifted."""
        for code, row in self._map().items():
            if row[0] == keysym:
                return code
        raise IbgaError(f"the display's keyboard has no key {keysym:#x}", code=Exit.UNAVAILABLE)

    def _keys(self, keysyms: Iterable[int]) -> dict[int, tuple[int, bool]]:
        """Return keycode and "with Shift" of each of *keysyms*, borrowing spare keys for what is missing.

        What stands on a third level (AltGr) is taken as missing: a spare key is the surer way.
        """
        wanted = set(keysyms)
        rows = self._map()
        found: dict[int, tuple[int, bool]] = {}
        for code, row in rows.items():
            for level, keysym in enumerate(row[:2]):
                if keysym in wanted:
                    found.setdefault(keysym, (code, level == 1))
        missing = sorted(wanted - found.keys())
        in_use = {code for code, _ in found.values()}
        # From above, where they lie together. Those borrowed for earlier texts come last: the longer a
        # key keeps its meaning, the better.
        spare = [
            code for code in sorted(rows, reverse=True) if code not in self._borrowed and _spare(rows[code])
        ]
        spare += [code for code in self._borrowed if code not in in_use]
        if len(spare) < len(missing):
            raise IbgaError(
                f"the text has {len(missing)} characters that the keyboard lacks, "
                f"and only {len(spare)} keys are free",
                code=Exit.UNAVAILABLE,
            )
        change: dict[int, Sequence[int]] = {}
        for keysym, code in zip(missing, spare, strict=False):
            self._borrowed.setdefault(code, rows[code][:2])
            change[code] = (keysym, keysym)  # with Shift, too: no stuck modifier may change it
            found[keysym] = (code, False)
        self._change_map(change)
        return found


def _spare(row: list[int]) -> bool:
    """Whether a key with these keysyms may be borrowed: it bears none, or those of a multimedia keyboard.

    (Xvfb's map leaves 19 keys empty, too few for a password in, say, Chinese; with these it is some 130.)
    """
    return all(keysym == X.NoSymbol or keysym >> 16 == _XF86 for keysym in row)


def _viewable(window: Any) -> bool:
    return bool(window.get_attributes().map_state == X.IsViewable)


def keysyms_of(text: str) -> list[int]:
    """Return the X keysyms (X11 protocol, appendix A) that make a Java program see *text*.

    Latin-1 characters have their code point, others 0x01000000 + code point. Java keeps only 16 bits of
    the latter (measured, JDK 17 and 25), so what lies above U+FFFF goes as two keysyms, its surrogates.
    Raises ValueError on control characters.
    """
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return [_keysym(unit) for unit in units]


def _keysym(unit: int) -> int:
    if unit < 0x20 or 0x7F <= unit < 0xA0:
        raise ValueError("a control character cannot be typed")
    return unit if unit < 0x100 else 0x01000000 + unit
