"""What the root window shows while no window of the gateway covers it: instance, state, present sentence."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ibga.runtime import Gateway, GatewayState, Session, State

log = logging.getLogger(__name__)


class Colour(IntEnum):
    """RGB; the display has 24 bits, so a pixel's value is its colour."""

    BACKGROUND = 0x18202B
    TITLE = 0x8FA1B5
    TEXT = 0xE6EBF1
    AT_WORK = 0x5AA9E6
    GOOD = 0x57C785
    WAITING = 0xF2B84B
    BAD = 0xF26D6D
    OFF = 0x8A94A0


_COLOURS = {
    State.READY: Colour.GOOD,
    State.SECOND_FACTOR: Colour.WAITING,
    State.DISPLACED: Colour.WAITING,
    State.NEEDS_PERSON: Colour.BAD,
    State.FROZEN: Colour.BAD,
    State.FAILED: Colour.BAD,
    State.STOPPED: Colour.OFF,
}

#: While the gateway service does one of these it knows the present sentence better than the automator.
_GATEWAY_KNOWS = (GatewayState.INSTALLING, GatewayState.STOPPING, GatewayState.FAILED)


@dataclass(frozen=True, slots=True)
class Board:
    """The words on the root window."""

    instance: str
    state: str
    colour: Colour  # of the state
    sentence: str
    person: str = ""  # what a person should do


def compose(instance: str, gateway: Gateway | None, session: Session | None, *, silent: bool) -> Board:
    """Return what to show. *silent*: the session's record is older than it says it is valid for."""
    if gateway is not None and (session is None or silent or gateway.state in _GATEWAY_KNOWS):
        state = State.FAILED if gateway.state is GatewayState.FAILED else None
        colour = _COLOURS.get(state, Colour.AT_WORK) if state else Colour.AT_WORK
        if gateway.state is GatewayState.STOPPED:
            colour = Colour.OFF
        sentence = _with_progress(gateway)
        return Board(instance, gateway.state, colour, sentence, session.person if session else "")
    if session is None or silent:
        return Board(instance, "waiting", Colour.OFF, "The display is up; the gateway has not been started.")
    return Board(
        instance,
        session.state.replace("-", " "),
        _COLOURS.get(session.state, Colour.AT_WORK),
        session.reason + _until(session.deadline),
        session.person,
    )


def _with_progress(gateway: Gateway) -> str:
    """The gateway's sentence, with its progress where the sentence does not tell it."""
    if gateway.progress is None or "%" in gateway.reason:
        return gateway.reason
    return f"{gateway.reason}, {gateway.progress} %"


def _until(deadline: float | None) -> str:
    return "" if deadline is None else time.strftime(" (until %H:%M:%S)", time.localtime(deadline))


def wrap(text: str, width: int, measure: Callable[[str], int], *, lines: int) -> list[str]:
    """Return *text* in at most *lines* lines, none of which *measure*s more than *width* px.

    What does not fit ends in "...".
    """
    result: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if measure(longer) <= width:
            line = longer
            continue
        if line:
            result.append(line)
        line = _shortened(word, width, measure)
    if line:
        result.append(line)
    if len(result) <= lines:
        return result
    return [*result[: lines - 1], _shortened(result[lines - 1] + " ...", width, measure)]


def _shortened(line: str, width: int, measure: Callable[[str], int]) -> str:
    kept = line
    while kept and measure(line) > width:
        kept = kept[:-1]
        line = kept + "..."
    return line


#: X fonts, the best first; the last ones are built into the server. Sizes are heights in px.
_FACES = (
    "-adobe-helvetica-{weight}-r-normal--{size}-*-100-100-p-*-iso8859-1",  # Debian: xfonts-100dpi
    "-misc-fixed-{weight}-r-normal--{size}-*-*-*-*-*-iso8859-1",
    "-misc-fixed-medium-r-semicondensed--{size}-*-*-*-*-*-iso8859-1",
    "fixed",
)


class Painter:
    """Draws boards as the background of the root window, so that X itself redraws what is uncovered."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._screen = display.screen()
        self._root = self._screen.root
        self._fonts = {
            "title": self._open_font("medium", 20),
            "state": self._open_font("bold", 34),
            "text": self._open_font("medium", 25),
        }
        if not all(self._fonts.values()):
            log.warning("the X server has no font, not even 'fixed': the display shows no text")
        self._set_pointer()

    def _open_font(self, weight: str, size: int) -> Any | None:
        for face in _FACES:
            if font := self._display.open_font(face.format(weight=weight, size=size)):
                if face is not _FACES[0] and weight == "bold":  # said once
                    log.warning("no X font %s (hint: apt install xfonts-100dpi)", _FACES[0].split("-{")[0])
                return font
        return None

    def _set_pointer(self) -> None:
        """An arrow in place of X's cross."""
        if font := self._display.open_font("cursor"):
            left_ptr = 68
            black, white = (0, 0, 0), (65535, 65535, 65535)
            cursor = font.create_glyph_cursor(font, left_ptr, left_ptr + 1, black, white)
            self._root.change_attributes(cursor=cursor)

    def paint(self, board: Board) -> None:
        width, height = self._screen.width_in_pixels, self._screen.height_in_pixels
        pixmap = self._root.create_pixmap(width, height, self._screen.root_depth)
        gc = pixmap.create_gc(foreground=Colour.BACKGROUND, background=Colour.BACKGROUND)
        pixmap.fill_rectangle(gc, 0, 0, width, height)
        left = width // 10
        top = height // 3
        y = self._write(pixmap, gc, "title", Colour.TITLE, left, top, [f"IBGA  {board.instance}"])
        y = self._write(pixmap, gc, "state", board.colour, left, y + 20, [board.state])
        room = width - 2 * left
        y = self._write(pixmap, gc, "text", Colour.TEXT, left, y + 20, self._wrap(board.sentence, room, 4))
        y = self._write(pixmap, gc, "text", Colour.WAITING, left, y + 20, self._wrap(board.person, room, 3))
        gc.change(foreground=board.colour)
        pixmap.fill_rectangle(gc, left - 24, top, 6, y - top)
        self._root.change_attributes(background_pixmap=pixmap)
        self._root.clear_area()
        gc.free()
        pixmap.free()  # the server keeps it while it is a background
        self._display.sync()

    def _wrap(self, text: str, width: int, lines: int) -> list[str]:
        font = self._fonts["text"]
        if font is None:
            return []
        return wrap(
            text,
            width,
            lambda line: int(font.query_text_extents(tuple(_latin(line))).overall_width),
            lines=lines,
        )

    def _write(
        self, pixmap: Any, gc: Any, font: str, colour: Colour, x: int, y: int, lines: list[str]
    ) -> int:
        """Write *lines* from *y* downwards and return where they end."""
        face = self._fonts[font]
        if face is None or not lines:
            return y
        metrics = face.query()
        gc.change(font=face, foreground=colour)
        for line in lines:
            pixmap.image_text(gc, x, y + metrics.font_ascent, _latin(line))
            y += int((metrics.font_ascent + metrics.font_descent) * 1.2)
        return y


def _latin(text: str) -> bytes:
    """What the fonts have: one byte a character, at most 255 in one request."""
    return text.replace("…", "...").encode("latin-1", "replace")[:255]
