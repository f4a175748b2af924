"""Move the mouse and press keys on the display (XTEST), closed-loop callers only.

Every function returns when the X server has done it; that IBG has seen it only the next report can say.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType

from Xlib import XK, X
from Xlib.display import Display as Connection
from Xlib.ext import xtest

from ibga.errors import Exit, IbgaError
from ibga.keyboard import keysym_of

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

_WHEEL_UP, _WHEEL_DOWN = 4, 5  # buttons by convention of X


class Input:
    """Mouse and keyboard of one display, over an open *connection*. Use as a context manager.

    Characters that the keyboard map lacks are put on spare keys before a text is typed and stay there
    until `restore` (or the end of the context), because Xlib in IBG looks a key up when IBG gets round
    to the event, not when it was pressed: a key must keep its meaning until the text has arrived.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._root = connection.screen().root
        self._borrowed: dict[int, int] = {}  # keysym -> spare keycode that bears it for now

    def __enter__(self) -> "Input":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, OSError):  # a lost connection cannot be tidied
            self.restore()

    def click(self, x: int, y: int, *, count: int = 1, button: int = 1) -> None:
        """Click *count* times at (x, y), in pixels from the display's top left corner."""
        self._move(x, y)
        self._click(button, count)
        self._connection.sync()

    def wheel(self, x: int, y: int, notches: int) -> None:
        """Turn the wheel over (x, y): down by *notches*, up where negative."""
        self._move(x, y)
        self._click(_WHEEL_DOWN if notches > 0 else _WHEEL_UP, abs(notches))
        self._connection.sync()

    def press(self, *keysyms: int) -> None:
        """Press a chord: the last key while those before it are held, e.g. press(CONTROL, ord("a"))."""
        self._release_held()
        codes = [self._keycode(keysym) for keysym in keysyms]
        with self._held(codes[:-1]):
            self._stroke(codes[-1])
        self._connection.sync()

    def type_text(self, text: str) -> None:
        """Type *text* (any printable Unicode) where the keyboard focus is.

        The effect of the text typed before must have been seen: its borrowed keys may be reused.
        Raises ValueError on control characters, IbgaError when *text* has more distinct characters
        that the keyboard map lacks than there are spare keys.
        """
        keysyms = [keysym_of(character) for character in text]
        keys = self._keys(keysyms)
        shift = self._keycode(SHIFT)
        self._release_held()
        for keysym in keysyms:
            code, shifted = keys[keysym]
            with self._held([shift] if shifted else []):
                self._stroke(code)
        self._connection.sync()

    def restore(self) -> None:
        """Give borrowed keys back. Only when the typed text was seen to have arrived."""
        for code in self._borrowed.values():
            self._connection.change_keyboard_mapping(code, [(X.NoSymbol,)])
        self._borrowed.clear()
        self._connection.sync()

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
        """Let go of all keys that are down, and of Caps Lock.

        A viewer in the browser, or a process that was killed, may have left them so.
        """
        for index, byte in enumerate(self._connection.query_keymap()):
            for bit in range(8):
                if byte >> bit & 1:
                    xtest.fake_input(self._connection, X.KeyRelease, index * 8 + bit)
        if self._root.query_pointer().mask & X.LockMask:
            self._stroke(self._keycode(XK.XK_Caps_Lock))

    def _map(self) -> list[list[int]]:
        """The keysyms of every keycode, from the lowest keycode on."""
        info = self._connection.display.info
        count = info.max_keycode - info.min_keycode + 1
        return [list(row) for row in self._connection.get_keyboard_mapping(info.min_keycode, count)]

    def _keycode(self, keysym: int) -> int:
        """The key that bears *keysym* unshifted."""
        first: int = self._connection.display.info.min_keycode
        for code, row in enumerate(self._map(), start=first):
            if row[0] == keysym:
                return code
        raise IbgaError(f"the display's keyboard has no key {keysym:#x}", code=Exit.UNAVAILABLE)

    def _keys(self, keysyms: Iterable[int]) -> dict[int, tuple[int, bool]]:
        """Return keycode and "with Shift" of each of *keysyms*, borrowing spare keys for what is missing.

        What stands on a third level (AltGr) is taken as missing: a spare key is the surer way.
        """
        wanted = set(keysyms)
        first: int = self._connection.display.info.min_keycode
        rows = list(enumerate(self._map(), start=first))
        found: dict[int, tuple[int, bool]] = {}
        for code, row in rows:
            for level, keysym in enumerate(row[:2]):
                if keysym in wanted:
                    found.setdefault(keysym, (code, level == 1))
        missing = sorted(wanted - found.keys())
        spare = [code for code, row in rows if not any(row)]
        for keysym in [keysym for keysym in self._borrowed if keysym not in wanted]:
            if len(spare) >= len(missing):
                break
            spare.append(self._borrowed.pop(keysym))
        if len(spare) < len(missing):
            raise IbgaError(
                f"the text has {len(missing)} characters that the keyboard lacks, "
                f"and only {len(spare)} keys are free",
                code=Exit.UNAVAILABLE,
            )
        for keysym, code in zip(missing, spare, strict=False):
            # On both levels: no state of Shift or Caps Lock may change it.
            self._connection.change_keyboard_mapping(code, [(keysym, keysym)])
            self._borrowed[keysym] = code
            found[keysym] = (code, False)
        self._connection.sync()
        return found
