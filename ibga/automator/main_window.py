"""The main window (guide 5): its table of connections."""

from collections.abc import Iterator

from ibga.agent.report import Window, collapse, fold

_PURPOSES = ("server", "market data farm", "historical data farm")


def connections(main: Window) -> dict[str, str]:
    """Return purpose -> status of the rows, labels in some builds, a table in others (guide 5.3)."""
    found = dict(_of_tables(main))
    return found or dict(_of_labels(main))


def connected(status: str) -> bool:
    """Whether a status text is a good one: "connected", "ON: hfarm"."""
    return fold(status).startswith(("connected", "on:", "on "))


def _of_tables(main: Window) -> Iterator[tuple[str, str]]:
    for table in main.find_all("JTable"):
        for row in table.rows or ():
            if len(row.cells) >= 2 and _is_purpose(row.cells[0]):
                yield collapse(row.cells[0]), collapse(row.cells[1])


def _of_labels(main: Window) -> Iterator[tuple[str, str]]:
    """The status is the label behind that of the purpose."""
    purpose = ""
    for label in main.find_all("JLabel"):
        text = collapse(label.text)
        if _is_purpose(text):
            purpose = text
        elif purpose and text:
            yield purpose, text
            purpose = ""


def _is_purpose(text: str) -> bool:
    return fold(text).endswith(_PURPOSES)
