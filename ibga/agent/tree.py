"""Write a window of the agent's report as text for people: one line a component, indented like the tree."""

from collections.abc import Iterator

from ibga.agent.report import Bounds, Component, Report, Row, Window, collapse

_TEXT_LENGTH = 200  # characters of one text; the whole is in ui.json
_ROWS = 50  # of one list


def report_as_text(report: Report) -> str:
    return "\n\n".join(window_as_text(window) for window in report.windows) + "\n"


def window_as_text(window: Window) -> str:
    """Return the lines of one window, without a line end after the last."""
    marks = [mark for mark, is_so in (("active", window.active), ("modal", window.modal)) if is_so]
    if not window.enabled:
        marks.append("disabled")
    head = f"{window.kind} {_quote(window.title)}{_marks(marks)} {_place(window.bounds)} #{window.id}"
    lines = [f"{head} {window.class_name}"]
    for component in window.components:
        lines.extend(_lines(component, 1))
    return "\n".join(lines)


def _lines(component: Component, depth: int) -> Iterator[str]:
    indent = "  " * depth
    kind = component.base.rpartition(".")[2]
    text = f" {_quote(component.text)}" if component.text else ""
    place = _place(component.bounds) if component.bounds.visible else "not visible"
    yield f"{indent}{kind}{text}{_marks(_component_marks(component))} {place} #{component.id}"
    rows = component.rows or ()
    for row in rows[:_ROWS]:
        yield f"{indent}  {_row(row)}"
    if component.row_count > min(len(rows), _ROWS):
        yield f"{indent}  … of {component.row_count} rows"
    for child in component.components:
        yield from _lines(child, depth + 1)


def _component_marks(component: Component) -> list[str]:
    marks = []
    if not component.enabled:
        marks.append("disabled")
    if component.focused:
        marks.append("focused")
    if component.editable:
        marks.append("editable")
    if component.selected is not None:
        marks.append("selected" if component.selected else "not selected")
    if component.length is not None:
        marks.append(f"{component.length} characters")
    if component.value is not None:
        marks.append(f"value {component.value}")
    return marks


def _row(row: Row) -> str:
    marks = [mark for mark, is_so in (("selected", row.selected), ("disabled", not row.enabled)) if is_so]
    return f"- {_quote(' > '.join(row.path) or row.text)}{_marks(marks)}"


def _quote(text: str) -> str:
    text = collapse(text)
    return f"'{text if len(text) <= _TEXT_LENGTH else text[:_TEXT_LENGTH] + '…'}'"


def _marks(marks: list[str]) -> str:
    return f" ({', '.join(marks)})" if marks else ""


def _place(bounds: Bounds) -> str:
    return f"{bounds.width}x{bounds.height}+{bounds.x}+{bounds.y}"
