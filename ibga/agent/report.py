"""Read ui.json, the component tree that the agent reports, and find things in it.

Reads: ui.json. Parsing is on the way from a shown window to a pressed button, hence written for speed:
types are strict, fields that are not known are passed over.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ibga.errors import Exit, IbgaError

VERSION = 1


class NotVisible(IbgaError):  # noqa: N818
    """No pixel of a component is on screen: scrolled away, in a closed menu or behind a closed tab."""


class Bounds(NamedTuple):
    """In pixels from the display's top left corner; width and height are 0 where nothing is visible."""

    x: int
    y: int
    width: int
    height: int

    @property
    def visible(self) -> bool:
        return self.width > 0 and self.height > 0

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a list, tree, table, combo box or tabbed pane (there: a tab)."""

    index: int
    text: str = ""  # of a table: its cells, joined by blanks
    cells: tuple[str, ...] = ()
    path: tuple[str, ...] = ()  # of a tree, from the root
    selected: bool = False
    enabled: bool = True
    expanded: bool = False
    leaf: bool = True
    bounds: Bounds | None = None  # None where no part of it is visible


@dataclass(slots=True, kw_only=True)  # not frozen: that costs a third of the time of a parse
class Component:
    """One component that shows, or an item of a menu that is closed."""

    id: int
    class_name: str
    base: str  # the first ancestor of Java's own, "javax.swing.JButton"
    name: str = ""
    text: str = ""  # without markup
    html: str = ""  # the original, where it was HTML
    bounds: Bounds  # the visible part
    enabled: bool
    focused: bool
    editable: bool = False
    selected: bool | None = None  # None where it cannot be
    length: int | None = None  # characters in a field; for a password all that is told
    value: int | None = None  # of progress bars and sliders, minimum <= value <= maximum
    minimum: int | None = None
    maximum: int | None = None
    indeterminate: bool = False
    open: bool = False  # a menu or combo box that is popped up
    columns: tuple[str, ...] = ()  # titles of a table
    rows: tuple[Row, ...] | None = None  # None where it has none; may hold fewer than row_count
    row_count: int = 0
    components: "tuple[Component, ...]" = ()

    def walk(self) -> "Iterator[Component]":
        """This component and everything below it, in the order of the tree."""
        yield self
        for child in self.components:
            yield from child.walk()

    def is_a(self, kind: str) -> bool:
        """Whether its base is *kind*, with or without the package: "JButton" or "javax.swing.JButton"."""
        return self.base == kind or self.base.endswith("." + kind)


@dataclass(slots=True, kw_only=True)
class Window:
    """One showing window; *bounds* are whole here, so that decoys off the screen can be told."""

    id: int
    class_name: str
    base: str
    kind: str  # frame, dialog, window
    name: str = ""
    title: str
    bounds: Bounds
    active: bool
    modal: bool
    enabled: bool
    owner: int | None = None  # id of the window it belongs to
    popup: int | None = None  # id of the menu or combo box whose popup needed a window of its own
    components: tuple[Component, ...] = ()

    def walk(self) -> Iterator[Component]:
        """Every component of the window, in the order of the tree."""
        for component in self.components:
            yield from component.walk()

    def find(self, kind: str | None = None, text: str | None = None, **wanted: object) -> Component | None:
        """Return the first component that `find_all` would."""
        return next(self._matches(kind, text, wanted), None)

    def find_all(self, kind: str | None = None, text: str | None = None, **wanted: object) -> list[Component]:
        """Return the components of *kind* whose text is *text*, blanks and case aside.

        *wanted* are further fields and their values, as in enabled=True.
        """
        return list(self._matches(kind, text, wanted))

    def _matches(self, kind: str | None, text: str | None, wanted: dict[str, object]) -> Iterator[Component]:
        key = None if text is None else fold(text)
        for component in self.walk():
            if kind is not None and not component.is_a(kind):
                continue
            if key is not None and fold(component.text) != key:
                continue
            if all(getattr(component, field) == value for field, value in wanted.items()):
                yield component

    def by_id(self, component_id: int) -> Component | None:
        return next((each for each in self.walk() if each.id == component_id), None)

    def labels(self) -> list[str]:
        """What a person reads in it, piece by piece: labels, panes, options; not what is typed into it."""
        return [
            collapse(each.text)
            for each in self.walk()
            # An option pane repeats what its labels say.
            if each.text and not each.editable and not each.is_a("JOptionPane") and not _in_menu(each)
        ]

    def all_text(self) -> str:
        """`labels`, joined by blanks."""
        return " ".join(self.labels())

    def menu_item(self, *path: str) -> Component | None:
        """Return the item at *path*, as in menu_item("File", "Close"), blanks and case aside."""
        for bar in self.find_all("JMenuBar"):
            found = _below(bar, path)
            if found is not None:
                return found
        return None


@dataclass(slots=True, kw_only=True)
class Answer:
    """What became of a command (commands.py)."""

    id: str | int
    ok: bool
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Stats:
    """What the event thread spends on the agent, in milliseconds; median and max are of the last 64.

    A look tells whether anything changed, four times a second; a walk writes what did.
    """

    walks: int
    walk_ms: float
    walk_ms_median: float
    walk_ms_max: float
    looks: int
    look_ms: float
    look_ms_median: float
    look_ms_max: float
    components: int


@dataclass(slots=True, kw_only=True)
class Report:
    """One ui.json."""

    pid: int  # of the JVM
    seq: int  # rises by one with every report of this JVM
    time: float
    focus: int | None  # id of the component that has the keyboard
    windows: tuple[Window, ...]
    answered: tuple[Answer, ...] = ()  # the last 16, oldest first
    truncated: bool = False  # the tree is larger than the agent's bounds
    agent: str = ""
    fifo_error: str = ""
    stats: Stats | None = None

    def walk(self) -> Iterator[tuple[Window, Component]]:
        for window in self.windows:
            for component in window.walk():
                yield window, component

    def find(self, component_id: int) -> tuple[Window, Component] | None:
        """Return the component of that id and its window."""
        return next((pair for pair in self.walk() if pair[1].id == component_id), None)

    def window(self, window_id: int) -> Window | None:
        return next((window for window in self.windows if window.id == window_id), None)

    def answer(self, command_id: str | int) -> Answer | None:
        return next((each for each in self.answered if each.id == command_id), None)

    def menu_item(self, *path: str) -> tuple[Window, Component] | None:
        """Return an item of any window's menu bar and that window; File > Close tells the main window
        (guide 4.1, 5.1)."""
        for window in self.windows:
            item = window.menu_item(*path)
            if item is not None:
                return window, item
        return None


_BLANKS = re.compile(r"\s+")


def collapse(text: str) -> str:
    """Runs of blanks and line ends become one blank, none at the ends."""
    return _BLANKS.sub(" ", text).strip()


def fold(text: str) -> str:
    """What is left for a comparison when blanks and case do not count (guide 11.1: IB changes both)."""
    return collapse(text).casefold()


def click_point(component: Component | Row) -> tuple[int, int]:
    """Return (x, y) in pixels from the display's top left corner: the middle of the visible part.

    Raises NotVisible when no pixel of it is on screen (scrolled away, or in a closed menu).
    """
    if component.bounds is None or not component.bounds.visible:
        raise NotVisible(f"{component.text or 'the component'!r} has no visible part")
    return component.bounds.middle


def _below(menu: Component, path: tuple[str, ...]) -> Component | None:
    for step in path:
        for item in menu.components:
            if fold(item.text) == fold(step):
                menu = item
                break
        else:
            return None
    return menu


def _in_menu(component: Component) -> bool:
    return component.base.endswith(("JMenu", "MenuItem"))


def read_report(path: Path) -> Report | None:
    """Return the report in *path*, or None while there is none.

    Raises IbgaError naming file and field when the content is torn or foreign.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IbgaError(f"cannot read {path}: {error.strerror}", code=Exit.DATA) from error
    return parse_report(content, str(path))


def parse_report(content: bytes | str, where: str = "ui.json") -> Report:
    """Return *content* as a report; *where* is the name for errors. Raises IbgaError."""
    data = load(content, where)
    try:
        return _report(data)
    except _FieldError as wrong:
        raise IbgaError(f"{where}: {wrong.field}", hint="written by another agent?", code=Exit.DATA) from None
    except RecursionError:
        raise IbgaError(
            f"{where}: nested too deep", hint="written by another agent?", code=Exit.DATA
        ) from None


def load(content: bytes | str, where: str) -> dict[str, Any]:
    """Return the JSON object of our version in *content*; raises IbgaError naming *where*."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IbgaError(
            f"{where}: not JSON: {error}", hint="torn, or written by something else?", code=Exit.DATA
        ) from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise IbgaError(
            f"{where}: no record of version {VERSION}", hint="another agent wrote it?", code=Exit.DATA
        )
    return data


class _FieldError(Exception):
    """A field that is missing or of the wrong type."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def _wrong(data: dict[str, Any], place: str, key: str) -> _FieldError:
    if key not in data:
        return _FieldError(f"{place}: no field {key!r}")
    return _FieldError(f"{place}: {key} = {str(data[key])[:60]!r} is of the wrong type")


# For each field its name in JSON, its type, and whether it must be there.
_Spec = tuple[tuple[str, str, type, bool], ...]

_COMPONENT: _Spec = (
    ("id", "id", int, True),
    ("class", "class_name", str, True),
    ("base", "base", str, True),
    ("enabled", "enabled", bool, True),
    ("focused", "focused", bool, True),
    ("name", "name", str, False),
    ("text", "text", str, False),
    ("html", "html", str, False),
    ("editable", "editable", bool, False),
    ("selected", "selected", bool, False),
    ("length", "length", int, False),
    ("value", "value", int, False),
    ("minimum", "minimum", int, False),
    ("maximum", "maximum", int, False),
    ("indeterminate", "indeterminate", bool, False),
    ("open", "open", bool, False),
    ("row_count", "row_count", int, False),
)
_WINDOW: _Spec = (
    ("id", "id", int, True),
    ("class", "class_name", str, True),
    ("base", "base", str, True),
    ("kind", "kind", str, True),
    ("title", "title", str, True),
    ("active", "active", bool, True),
    ("modal", "modal", bool, True),
    ("enabled", "enabled", bool, True),
    ("name", "name", str, False),
    ("owner", "owner", int, False),
    ("popup", "popup", int, False),
)
_ROW: _Spec = (
    ("text", "text", str, False),
    ("selected", "selected", bool, False),
    ("enabled", "enabled", bool, False),
    ("expanded", "expanded", bool, False),
    ("leaf", "leaf", bool, False),
)


def _fields(data: Any, place: str, spec: _Spec) -> dict[str, Any]:
    """Return the fields of *data* that *spec* names; null is as good as missing."""
    if type(data) is not dict:
        raise _FieldError(f"{place}: not an object")
    result = {}
    for key, name, kind, needed in spec:
        value = data.get(key)
        if type(value) is kind:
            result[name] = value
        elif needed or value is not None:
            raise _wrong(data, place, key)
    return result


def _list(data: dict[str, Any], place: str, key: str) -> list[Any]:
    value = data.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise _wrong(data, place, key)
    return value


def _texts(data: dict[str, Any], place: str, key: str) -> tuple[str, ...]:
    value = _list(data, place, key)
    if not all(type(each) is str for each in value):
        raise _wrong(data, place, key)
    return tuple(value)


def _bounds(data: dict[str, Any], place: str) -> Bounds:
    value = data.get("bounds")
    if type(value) is not list or len(value) != 4 or not all(type(each) is int for each in value):
        raise _wrong(data, place, "bounds")
    return Bounds(*value)


def _row(data: Any, index: int, place: str) -> Row:
    place = f"{place}.rows[{index}]"
    fields = _fields(data, place, _ROW)
    if "bounds" in data:
        fields["bounds"] = _bounds(data, place)
    if "path" in data:
        fields["path"] = _texts(data, place, "path")
    if "cells" in data:
        fields["cells"] = _texts(data, place, "cells")
        fields.setdefault("text", " ".join(fields["cells"]))
    return Row(index=index, **fields)


def _component(data: Any, place: str) -> Component:
    fields = _fields(data, place, _COMPONENT)
    fields["bounds"] = _bounds(data, place)
    if "components" in data:
        fields["components"] = _components(data, place)
    if "rows" in data:
        rows = _list(data, place, "rows")
        fields["rows"] = tuple([_row(row, index, place) for index, row in enumerate(rows)])
    if "columns" in data:
        fields["columns"] = _texts(data, place, "columns")
    return Component(**fields)


def _components(data: dict[str, Any], place: str) -> tuple[Component, ...]:
    items = _list(data, place, "components")
    return tuple([_component(each, f"{place}.components[{index}]") for index, each in enumerate(items)])


def _window(data: Any, place: str) -> Window:
    fields = _fields(data, place, _WINDOW)
    return Window(bounds=_bounds(data, place), components=_components(data, place), **fields)


def _answer(data: Any, place: str) -> Answer:
    fields = _fields(data, place, (("ok", "ok", bool, True), ("error", "error", str, False)))
    command = data.get("id")
    if type(command) is not str and type(command) is not int:
        raise _wrong(data, place, "id")
    return Answer(id=command, **fields)


def parse_stats(data: Any) -> Stats:
    """Return the stats of a report or heartbeat. Raises KeyError or ValueError when they are foreign."""
    values = {field: data[field] for field in Stats.__slots__}
    if not all(type(value) in (int, float) for value in values.values()):
        raise ValueError("not a number")
    return Stats(**values)


_REPORT: _Spec = (
    ("pid", "pid", int, True),
    ("seq", "seq", int, True),
    ("focus", "focus", int, False),
    ("truncated", "truncated", bool, False),
    ("agent", "agent", str, False),
    ("fifo_error", "fifo_error", str, False),
)


def _report(data: dict[str, Any]) -> Report:
    fields = _fields(data, "report", _REPORT)
    fields.setdefault("focus", None)
    if type(data.get("time")) not in (int, float) or not 0 <= data["time"] < 1e12:
        raise _wrong(data, "report", "time")
    if type(data.get("windows")) is not list:
        raise _wrong(data, "report", "windows")
    answered = enumerate(_list(data, "report", "answered"))
    try:
        stats = parse_stats(data["stats"]) if "stats" in data else None
    except (LookupError, TypeError, ValueError):
        raise _wrong(data, "report", "stats") from None
    return Report(
        time=float(data["time"]),
        windows=tuple([_window(each, f"windows[{index}]") for index, each in enumerate(data["windows"])]),
        answered=tuple([_answer(each, f"answered[{index}]") for index, each in answered]),
        stats=stats,
        **fields,
    )
