"""Perform one step closed-loop: look, act once, wait for the report that shows the effect (design section 6).

Mouse and keyboard (XTEST) come first, the agent's FIFO where they had no effect. Nothing is done twice
without a look in between, and nothing on a report that an action has made old.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from Xlib import error as xlib_error

from ibga import x11
from ibga.agent.commands import Action, Command, send
from ibga.agent.report import Bounds, Component, Report, Row, Window, fold
from ibga.automator import input as xinput
from ibga.automator.evidence import masked
from ibga.automator.input import Input
from ibga.automator.login import utf16_length
from ibga.automator.steps import (
    Choose,
    ChoosePath,
    Click,
    CloseWindow,
    Deed,
    Menu,
    Opened,
    Selected,
    Type,
    TypeCode,
    fingerprint,
)
from ibga.config.settings import Input as Way
from ibga.errors import IbgaError
from ibga.runtime import Display

log = logging.getLogger(__name__)

#: Characters typed between two looks. When a dialog comes, up to so many go to it; fewer at a time would take
#: longer, so that a dialog comes in between more often (measured: 5 of 60 with 12, 13 with 4, 29 with 1).
BATCH = 12
FOCUS_TIMEOUT = 1.0  # s
MAP_TIMEOUT = 0.5  # s until the X server has put a reported window on top
PLACE_TIMEOUT = 0.05  # s until a window that does not lie where it is said to is looked for elsewhere
MAP_INTERVAL = 0.005  # s between two questions to it
TEXT_TIMEOUT = 1.5  # s from the last key of a batch to the report that shows it
BUSY = 1.0  # s without a turn of the event queue: no effect yet proves nothing
BUSY_LIMIT = 10.0  # s that a wait is prolonged for a busy event queue
TRUST = 2  # steps without effect of the mouse in a row after which the agent comes first
MAX_PLACE = 32767  # px, as X counts
ROWS_AT_ONCE = 20  # keys pressed in a list between two looks


class Result(StrEnum):
    WORKED = "worked"
    PRESSED = "pressed"  # a login, nothing seen of it yet: it may have reached IB
    NO_EFFECT = "no effect"
    STALE = "stale"  # the target is not what it was: decide again


class StaleError(Exception):
    """What the step was decided on is not there any more."""


class NoEffectError(Exception):
    """It could not be done."""


class UnseenError(NoEffectError):
    """It was done, and nothing came of it."""


class Sight(Protocol):
    """What the executor needs of the eyes."""

    display: Display | None

    @property
    def report(self) -> Report | None: ...

    def silent(self) -> float: ...

    def wait(self, timeout: float) -> bool: ...


class Executor:
    """*before_login* writes the ledger; when it raises IbgaError the button is not pressed.

    *next_code* makes a code of the second factor; when it raises IbgaError nothing is typed.
    """

    def __init__(
        self,
        eyes: Sight,
        fifo: Path,
        way: Way,
        before_login: Callable[[], None],
        next_code: Callable[[], str],
    ) -> None:
        self._eyes = eyes
        self._fifo = fifo
        self._way = way
        self._before_login = before_login
        self._next_code = next_code
        self._code = ""  # while it is typed, the second way included
        self._connection: Any = None
        self._input: Input | None = None
        self._connected_to: Display | None = None
        self._prepared_for: Display | None = None
        self._mouse_failures = 0
        self._mouse_failed_for: int | None = None  # pid

    def perform(self, step: Deed, decided_on: Report) -> Result:
        """Return what came of *step*. Raises IbgaError when a login or a code may not be recorded."""
        try:
            return self._perform_step(step, decided_on)
        finally:
            self._code = ""

    def _perform_step(self, step: Deed, decided_on: Report) -> Result:
        try:
            window = self._window(step, decided_on)
        except StaleError:
            return Result.STALE
        if isinstance(step, Click) and _is_login(step):
            self._target(step)  # before the ledger: an attempt that is not made must not count
            self._before_login()
        for way in self._ways(step, decided_on.pid):
            try:
                self._expect_unchanged(window)
                self._perform(step, way)
            except StaleError as why:
                log.debug("%s: %s", step.name, why)
                return Result.STALE
            except NoEffectError as why:
                self._no_effect(step, way, why)
                if isinstance(why, UnseenError) and _once(step):
                    # One attempt in the ledger is one press: IB may be slow (guide 2.4: up to 10 s).
                    return Result.PRESSED
                continue
            if way is Way.XTEST:
                self._mouse_failures = 0
            log.debug("%s: done by %s", step.name, way)
            return Result.WORKED
        return Result.NO_EFFECT

    def close(self) -> None:
        """Give borrowed keys back and drop the connection."""
        if self._connection is not None:
            try:
                if self._input is not None:
                    self._input.restore()
            except (OSError, xlib_error.ConnectionClosedError, xlib_error.DisplayError):
                pass  # the server is gone, and the keys with it
            x11.close(self._connection)
        self._connection, self._input, self._connected_to = None, None, None

    def screenshot(self) -> bytes | None:
        """Return the display as PNG, None without one."""
        try:
            if self._mouse() is None:
                return None
            picture = x11.screenshot(self._connection)
        except (IbgaError, OSError, xlib_error.ConnectionClosedError, xlib_error.XError) as error:
            log.warning("no screenshot: %s", error)
            self.close()
            return None
        return picture

    # --- which way ----------------------------------------------------------------------------------

    def _ways(self, step: Deed, pid: int) -> list[Way]:
        if isinstance(step, CloseWindow):
            return [Way.AGENT]
        if self._way is not Way.AUTO:
            return [self._way]
        if isinstance(step, Type) and " " in step.text:
            # Java gives a modal dialog the keys that were pressed just before it came, and a blank presses
            # its button (measured: 7 of 60 dialogs that came while 43 characters were typed). No look at the
            # focus helps: the keys are on their way then. The agent fills a field without the keyboard.
            return [Way.AGENT, Way.XTEST]
        if pid != self._mouse_failed_for:
            self._mouse_failed_for, self._mouse_failures = pid, 0
        return [Way.AGENT] if self._mouse_failures >= TRUST else [Way.XTEST, Way.AGENT]

    def _no_effect(self, step: Deed, way: Way, why: NoEffectError) -> None:
        text = masked(str(why))
        if way is Way.AGENT or self._way is not Way.AUTO:
            log.warning("%s by %s: %s", step.name, way, text)
            return
        then = "" if _once(step) and isinstance(why, UnseenError) else "; now through the agent"
        log.warning("%s by mouse and keyboard: %s%s", step.name, text, then)
        if isinstance(why, UnseenError):
            self._mouse_failures += 1
            if self._mouse_failures == TRUST:
                log.warning("mouse and keyboard do not reach the gateway: from now on the agent is used")

    def prepare(self) -> None:
        """Connect to a display as soon as it is there, so that the first click need not wait for it."""
        display = self._eyes.display
        if display is None or display == self._prepared_for or self._way is Way.AGENT:
            return
        self._prepared_for = display
        try:
            self._mouse()
        except IbgaError as error:
            log.warning("%s", error)

    def _mouse(self) -> Input | None:
        """Return mouse and keyboard of the display that is up now."""
        if self._connected_to != self._eyes.display:
            self.close()
        if self._input is None and self._eyes.display is not None:
            display = self._eyes.display
            self._connection = x11.connect(display.name, Path(display.xauthority))
            self._input = Input(self._connection)
            self._connected_to = display
        return self._input

    def _perform(self, step: Deed, way: Way) -> None:
        if way is Way.AGENT:
            self._by_agent(step)
            return
        try:
            mouse = self._mouse()
            if mouse is None:
                raise NoEffectError("there is no display")
            self._by_mouse(step, mouse)
        except (OSError, xlib_error.ConnectionClosedError, xlib_error.DisplayError) as error:
            self.close()
            raise NoEffectError(f"the display is lost: {error}") from None
        except xlib_error.XError as error:  # a window that X was asked for went away meanwhile
            raise NoEffectError(f"the X server says: {error}") from None
        except IbgaError as error:  # no such key, no server
            raise NoEffectError(str(error)) from None

    # --- looking ------------------------------------------------------------------------------------

    def _report(self) -> Report:
        report = self._eyes.report
        if report is None:
            raise StaleError("the gateway has gone")
        return report

    def _window(self, step: Deed, decided_on: Report) -> Window:
        window = decided_on.window(step.window)
        if window is None:
            raise StaleError("no such window")
        self._expect_unchanged(window)
        return window

    def _expect_unchanged(self, window: Window) -> None:
        """The window must still show what the step was decided on."""
        now = self._report().window(window.id)
        if now is None or fingerprint(now) != fingerprint(window):
            raise StaleError(f"the window {window.title!r} is not what it was")

    def _target(self, step: Click | Type | TypeCode | Choose | ChoosePath) -> tuple[Window, Component]:
        """Return the target in the newest report: in its window, enabled."""
        return self._component(step.window, step.component)

    def _component(self, window_id: int, component_id: int) -> tuple[Window, Component]:
        window = self._report().window(window_id)
        component = window.by_id(component_id) if window is not None else None
        if window is None or component is None:
            raise StaleError("the component is not there")
        if not component.enabled or not window.enabled:
            raise StaleError(f"{component.text or component.base!r} is disabled")
        return window, component

    def _await(self, seen: Callable[[Report], bool], since: Report, timeout: float, what: str) -> Report:
        """Return the first report after *since* that satisfies *seen*; NoEffectError after *timeout* s."""
        start = time.monotonic()
        while True:
            report = self._report()
            if report.pid != since.pid:
                raise StaleError("another process of the gateway")
            if report.seq > since.seq and seen(report):
                return report
            passed = time.monotonic() - start
            if passed >= timeout and not (passed < timeout + BUSY_LIMIT and self._eyes.silent() > BUSY):
                raise UnseenError(f"{what} was not seen within {passed:.1f} s")
            self._eyes.wait(min(0.25, max(0.01, timeout - passed)))

    def _await_effect(self, step: Click | Menu | CloseWindow, before: Report) -> None:
        self._await(lambda after: step.effect.seen(before, after), before, step.effect_timeout, "the effect")

    # --- through the agent --------------------------------------------------------------------------

    def _by_agent(self, step: Deed) -> None:
        before = self._report()
        match step:
            case Click():
                self._target(step)
                self._command(Command(command=Action.CLICK, window=step.window, component=step.component))
                self._await_effect(step, before)
            case Menu():
                self._command(
                    Command(command=Action.CLICK, window=step.window, component=self._item(step)[1].id)
                )
                self._await_effect(step, before)
            case CloseWindow():
                self._command(Command(command=Action.CLOSE, window=step.window))
                self._await_effect(step, before)
            case Type() | TypeCode():
                self._target(step)
                text = self._text(step)
                self._command(
                    Command(command=Action.SET_TEXT, window=step.window, component=step.component, text=text)
                )
                self._await_if_needed(lambda report: self._holds(report, step, text), before, "the text")
            case Choose():
                self._target(step)
                self._command(
                    Command(command=Action.CHOOSE, window=step.window, component=step.component, row=step.row)
                )
                self._await_if_needed(
                    lambda report: Selected(step.component, row=step.row).seen(before, report),
                    before,
                    "the row",
                )
            case ChoosePath():
                self._target(step)
                self._command(
                    Command(
                        command=Action.CHOOSE, window=step.window, component=step.component, path=step.path
                    )
                )
                self._await_if_needed(lambda report: self._path_selected(report, step), before, "the row")

    def _await_if_needed(self, seen: Callable[[Report], bool], before: Report, what: str) -> None:
        """The answer of the agent is a report of its own, and may already show it."""
        if not seen(self._report()):
            self._await(seen, before, TEXT_TIMEOUT, what)

    def _command(self, command: Command) -> None:
        """Give a command to the agent and wait for its answer; NoEffectError when it refuses."""
        before = self._report()
        try:
            number = send(self._fifo, command)
        except IbgaError as error:
            raise NoEffectError(str(error)) from None
        report = self._await(
            lambda after: after.answer(number) is not None, before, TEXT_TIMEOUT, "the agent's answer"
        )
        answer = report.answer(number)
        assert answer is not None
        if not answer.ok:
            raise NoEffectError(f"the agent refuses {command.command}: {answer.error}")

    # --- by mouse and keyboard ----------------------------------------------------------------------

    def _by_mouse(self, step: Deed, mouse: Input) -> None:
        match step:
            case Click():
                self._reveal(step.window, step.component, mouse)
                window, component = self._target(step)
                before = self._report()
                self._click(mouse, window, component.bounds)
                self._await_effect(step, before)
            case Menu():
                self._menu(step, mouse)
            case Type() | TypeCode():
                self._type(step, mouse)
            case Choose():
                self._choose(step, mouse)
            case ChoosePath():
                self._choose_path(step, mouse)
            case CloseWindow():
                raise NoEffectError("a mouse cannot close a window that has no title bar")

    def _click(
        self, mouse: Input, window: Window, bounds: Bounds | None, *, count: int = 1, popup: int | None = None
    ) -> None:
        """Click into *bounds*, but only where *window* is what lies on top there, or the popup of *popup*."""
        if bounds is None or not bounds.visible:
            raise NoEffectError("nothing of it is visible")
        x, y = bounds.middle
        if not (0 <= x <= MAX_PLACE and 0 <= y <= MAX_PLACE):
            raise NoEffectError("it is not on the screen")
        start = time.monotonic()
        looked_for = False
        while over := self._covering(window, x, y, popup):
            # Java reports a window as showing, or as moved, a moment before the X server does.
            passed = time.monotonic() - start
            if passed > MAP_TIMEOUT:
                raise NoEffectError(over)
            if passed > PLACE_TIMEOUT and not looked_for:
                looked_for = True
                self._put_right(mouse, window)
            self._eyes.wait(MAP_INTERVAL)
            self._expect_unchanged(window)
            now = self._report().window(window.id)
            if now is None or now.bounds != window.bounds:
                raise StaleError(f"the window {window.title!r} was laid out anew")
        mouse.click(x, y, count=count)

    def _put_right(self, mouse: Input, window: Window) -> None:
        """Raise StaleError once a report shows *window* elsewhere, where Java was wrong about its place.

        Without a window manager Java now and then takes a new frame to be at (0, 0) although X has put it
        where it was told to (one in some hundred, JDK 17 and 25, measured): all coordinates are wrong then.
        """
        before = self._report()
        bounds = tuple(window.bounds)
        if not mouse.tell_place(
            window.bounds.width, window.bounds.height, [tuple(each.bounds) for each in before.windows]
        ):
            return
        with contextlib.suppress(UnseenError):
            self._await(
                lambda report: (now := report.window(window.id)) is not None and tuple(now.bounds) != bounds,
                before,
                FOCUS_TIMEOUT,
                "the window's true place",
            )
            log.info("Java was wrong about the place of %r", window.title)
            raise StaleError(f"the window {window.title!r} lies elsewhere")

    def _covering(self, window: Window, x: int, y: int, popup: int | None) -> str:
        """Return what lies over *window* at a point of the screen, "" when nothing does.

        The X server is asked: neither the order of windows nor those of other programs are in a report.
        A popup is a window of its own in some places and part of its window in others (guide 5.2).
        """
        root = self._connection.screen().root
        child = root.translate_coords(root, x, y).child
        if not child:
            return "no window is there"
        place = child.get_geometry()
        seen = (place.x, place.y, place.width, place.height)
        there = [other for other in self._report().windows if tuple(other.bounds) == seen]
        # Two of one place cannot be told apart here, and the click may belong to the other.
        if len([other for other in there if other.kind != "window"]) > 1:
            return f"another window has the place of {window.title!r}"
        for other in there:
            if other.id == window.id or (popup is not None and other.popup == popup):
                return ""
        # A window manager's frame is a little larger than what it holds.
        slack_x, slack_y = place.width - window.bounds.width, place.height - window.bounds.height
        if (
            0 <= slack_x <= 40
            and 0 <= slack_y <= 80
            and place.x <= window.bounds.x
            and place.y <= window.bounds.y
        ):
            return ""
        return f"another window covers {window.title!r} there"

    def _reveal(self, window_id: int, component_id: int, mouse: Input) -> None:
        """Scroll a component into view: by the agent, or by the wheel where only that is allowed."""
        window, component = self._component(window_id, component_id)
        if component.bounds.visible:
            return
        if self._way is Way.AUTO:
            before = self._report()
            self._command(Command(command=Action.REVEAL, window=window_id, component=component_id))
            self._await_if_needed(lambda report: _visible(report, component_id), before, "the component")
            return
        for _ in range(40):
            window, component = self._component(window_id, component_id)
            if component.bounds.visible:
                return
            pane = _scroll_pane(window, component_id)
            if pane is None:
                raise NoEffectError("nothing of it is visible, and nothing scrolls it")
            before = self._report()
            x, y = pane.bounds.middle
            mouse.wheel(x, y, 2 if component.bounds.y >= pane.bounds.y + pane.bounds.height // 2 else -2)
            self._await(lambda report: True, before, 0.5, "scrolling")
        raise NoEffectError("it did not scroll into view")

    def _text(self, step: Type | TypeCode) -> str:
        """Return what is to be typed; a code is made only here, where it can be typed at once."""
        if isinstance(step, Type):
            return step.text
        if not self._code:
            self._code = self._next_code()
        return self._code

    def _type(self, step: Type | TypeCode, mouse: Input) -> None:
        """Empty the field and fill it, a few characters at a time, each time seen to have arrived."""
        self._reveal(step.window, step.component, mouse)
        keyboard = self._focus(step, mouse)
        _, field = self._target(step)
        if field.length:
            before = self._report()
            mouse.press(xinput.CONTROL, ord("a"))
            mouse.press(xinput.BACKSPACE)
            self._await(
                lambda report: self._holds(report, step, ""), before, TEXT_TIMEOUT, "the emptied field"
            )
        self._expect_focus(step)
        text = self._text(step)
        for end in range(BATCH, len(text) + BATCH, BATCH):
            self._expect_focus(step)
            before = self._report()
            if not mouse.type_text(text[end - BATCH : end], into=keyboard):
                raise NoEffectError("another window took the keyboard while typing")
            held = text[:end]
            self._await(
                lambda report, held=held: self._holds(report, step, held),  # type: ignore[misc]
                before,
                TEXT_TIMEOUT,
                "the text",
            )
        mouse.restore()

    def _focus(self, step: Type | TypeCode, mouse: Input) -> int:
        """Click into the field, also where Java says that it has the focus: X may have lost it (input.py).

        Return the X window that has the keyboard then.
        """
        window, field = self._target(step)
        before = self._report()
        self._click(mouse, window, field.bounds)
        if before.focus != field.id:
            self._await(lambda report: report.focus == field.id, before, FOCUS_TIMEOUT, "the focus")
        deadline = time.monotonic() + FOCUS_TIMEOUT
        while (keyboard := mouse.focus()) in xinput.NOBODY and time.monotonic() < deadline:
            self._eyes.wait(MAP_INTERVAL)  # Java asks X for it in its own time
        return keyboard

    def _expect_focus(self, step: Type | TypeCode) -> None:
        """What is typed goes where the focus is: look before every batch."""
        self._target(step)
        if self._report().focus != step.component:
            raise NoEffectError("the focus went elsewhere while typing")

    def _holds(self, report: Report, step: Type | TypeCode, text: str) -> bool:
        found = report.find(step.component)
        if found is None:
            return False
        field = found[1]
        if field.is_a("JPasswordField") or isinstance(step, TypeCode):  # only its length is told
            return field.length == utf16_length(text)
        return field.text == text and (field.length is None or field.length == utf16_length(text))

    def _item(self, step: Menu) -> tuple[Component, Component]:
        """Return the menu and the item of it."""
        window = self._report().window(step.window)
        menu = window.menu_item(step.path[0]) if window is not None else None
        item = window.menu_item(*step.path) if window is not None else None
        if menu is None or item is None:
            raise StaleError(f"no menu item {' > '.join(step.path)}")
        if not item.enabled:
            raise NoEffectError(f"the menu item {' > '.join(step.path)} is disabled")
        return menu, item

    def _menu(self, step: Menu, mouse: Input) -> None:
        menu, item = self._item(step)
        window, _ = self._component(step.window, menu.id)
        if not item.bounds.visible:
            before = self._report()
            self._click(mouse, window, menu.bounds)
            self._await(
                lambda report: Opened(menu.id).seen(before, report) and _visible(report, item.id),
                before,
                FOCUS_TIMEOUT,
                f"the open menu {menu.text!r}",
            )
        window, item = self._component(step.window, item.id)
        before = self._report()
        self._click(mouse, window, item.bounds, popup=menu.id)
        self._await_effect(step, before)

    def _choose(self, step: Choose, mouse: Input) -> None:
        self._reveal(step.window, step.component, mouse)
        window, combo = self._target(step)
        if combo.is_a("JList"):
            self._choose_in_list(step, mouse)
            return
        before = self._report()
        if not combo.open:
            self._click(mouse, window, combo.bounds)
            self._await(
                lambda report: Opened(combo.id).seen(before, report), before, FOCUS_TIMEOUT, "the list"
            )
        window, combo = self._target(step)
        rows = combo.rows or ()
        if step.row < len(rows) and rows[step.row].bounds is not None:
            before = self._report()
            self._click(mouse, window, rows[step.row].bounds, popup=combo.id)
        else:
            self._walk_rows(step, mouse)
            before = self._report()
            mouse.press(xinput.RETURN)
        self._await(
            lambda report: (
                Selected(step.component, row=step.row).seen(before, report)
                and Opened(step.component, False).seen(before, report)
            ),
            before,
            TEXT_TIMEOUT,
            "the row",
        )

    def _choose_in_list(self, step: Choose, mouse: Input) -> None:
        """Click the row, or the one that shows nearest to it and then go on with the keys."""
        window, rows = self._target(step)
        shown = [row for row in rows.rows or () if row.bounds is not None and row.bounds.visible]
        if not shown:
            raise NoEffectError("no row of it is visible")
        nearest = min(shown, key=lambda row: abs(row.index - step.row))
        before = self._report()
        self._click(mouse, window, nearest.bounds)
        clicked = Selected(step.component, row=nearest.index)
        self._await(lambda report: clicked.seen(before, report), before, TEXT_TIMEOUT, "the row")
        self._walk_rows(step, mouse)

    def _walk_rows(self, step: Choose, mouse: Input) -> None:
        """Go through a list with the arrow keys, for rows out of sight have no place (guide 11.2)."""
        for _ in range(200):
            _, combo = self._target(step)
            index = next((row.index for row in combo.rows or () if row.selected), None)
            if index is None:
                raise NoEffectError("no row is selected to start from")
            if index == step.row:
                return
            before = self._report()
            key = xinput.DOWN if step.row > index else xinput.UP
            goal = max(index - ROWS_AT_ONCE, min(index + ROWS_AT_ONCE, step.row))
            for _ in range(abs(goal - index)):
                mouse.press(key)
            there = Selected(step.component, row=goal)
            self._await(
                lambda report, there=there, before=before: there.seen(before, report),  # type: ignore[misc]
                before,
                TEXT_TIMEOUT,
                "the next row",
            )
        raise NoEffectError("the row was not reached")

    def _choose_path(self, step: ChoosePath, mouse: Input) -> None:
        for depth in range(1, len(step.path)):
            window, tree = self._target(step)
            if _row(tree, step.path[: depth + 1]) is not None:
                continue
            row = _row(tree, step.path[:depth])
            if row is None:
                raise NoEffectError(f"the tree has no {step.path[:depth]}")
            before = self._report()
            self._click(mouse, window, row.bounds, count=2)
            self._await(
                lambda report, depth=depth: self._has_row(report, step, depth + 1),  # type: ignore[misc]
                before,
                TEXT_TIMEOUT,
                f"what is below {step.path[depth - 1]!r}",
            )
        window, tree = self._target(step)
        row = _row(tree, step.path)
        if row is None:
            raise NoEffectError(f"the tree has no {step.path}")
        before = self._report()
        self._click(mouse, window, row.bounds)
        self._await(lambda report: self._path_selected(report, step), before, TEXT_TIMEOUT, "the row")

    def _has_row(self, report: Report, step: ChoosePath, depth: int) -> bool:
        found = report.find(step.component)
        return found is not None and _row(found[1], step.path[:depth]) is not None

    def _path_selected(self, report: Report, step: ChoosePath) -> bool:
        found = report.find(step.component)
        row = _row(found[1], step.path) if found is not None else None
        return row is not None and row.selected


def _is_login(step: Deed) -> bool:
    return isinstance(step, Click) and step.login_attempt


def _once(step: Deed) -> bool:
    return isinstance(step, Click) and (step.login_attempt or step.once)


def _visible(report: Report, component_id: int) -> bool:
    found = report.find(component_id)
    return found is not None and found[1].bounds.visible


def _row(tree: Component, path: tuple[str, ...]) -> Row | None:
    """Return the row of a tree at *path*, which begins below the root."""
    wanted = [fold(each) for each in path]
    for row in tree.rows or ():
        names = [fold(each) for each in row.path]
        if wanted in (names, names[1:]):
            return row
    return None


def _scroll_pane(window: Window, component_id: int) -> Component | None:
    """Return the innermost scroll pane around a component."""
    panes = [
        each
        for each in window.walk()
        if each.is_a("JScrollPane") and any(child.id == component_id for child in each.walk())
    ]
    return panes[-1] if panes else None
