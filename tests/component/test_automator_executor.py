"""The executor's own mouse on real Swing windows under a real X server."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib.protocol import event

from ibga import x11
from ibga.agent.report import Report, Window, read_report
from ibga.automator.executor import Executor, Result
from ibga.automator.steps import Click, Opened
from ibga.config.settings import Input
from ibga.runtime import Display
from tests.support.agent import JDKS, Sample, build_jar, compile_sample, run_sample
from tests.support.xvfb import Xvfb, xvfb


class Eyes:
    """Reads the report anew whenever it is asked for."""

    def __init__(self, sample: Sample, server: Xvfb) -> None:
        self._sample = sample
        self.display: Display | None = Display(
            name=server.display, xauthority=str(server.xauthority), width=1024, height=768, pid=1, since=0.0
        )

    @property
    def report(self) -> Report | None:
        return read_report(self._sample.ui)

    def silent(self) -> float:
        return 0.0

    def wait(self, timeout: float) -> bool:
        time.sleep(min(timeout, 0.01))
        return True


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Xvfb]:
    with xvfb(tmp_path) as server:
        yield server


@pytest.fixture(params=JDKS, ids=lambda path: path.name)
def sample(request: pytest.FixtureRequest, display: Xvfb, tmp_path: Path) -> Iterator[Sample]:
    build_jar()
    (tmp_path / "run").mkdir()
    classes = compile_sample(tmp_path / "classes")
    with run_sample(request.param, classes, tmp_path / "run", display.environment) as running:
        yield running


def mislead(display: Xvfb, window: Window) -> None:
    """Have Java believe that *window* lies at (0, 0), as it now and then does by itself."""
    connection = x11.connect(display.display, display.xauthority)
    try:
        for each in connection.screen().root.query_tree().children:
            place = each.get_geometry()
            if (place.x, place.y, place.width, place.height) == tuple(window.bounds):
                told = event.ConfigureNotify(
                    event=each, window=each, above_sibling=0, x=0, y=0,
                    width=place.width, height=place.height, border_width=0, override=0,
                )  # fmt: skip
                each.send_event(told)
        x11.round_trip(connection)
    finally:
        x11.close(connection)


def test_a_window_that_java_takes_to_be_elsewhere_is_put_right_and_clicked(
    sample: Sample, display: Xvfb
) -> None:
    sample.tell("main")
    title = "IBKR Gateway"
    menu = sample.window(title, lambda window: window.active and window.bounds.x).menu_item("Configure")
    assert menu is not None
    time.sleep(1.2)  # s; the sample itself corrects it at first
    mislead(display, sample.window(title))
    window = sample.window(title, lambda window: (window.bounds.x, window.bounds.y) == (0, 0))
    executor = Executor(Eyes(sample, display), sample.fifo, Input.XTEST, lambda: None, str)
    try:
        opening = Click(name="open the menu", window=window.id, component=menu.id, effect=Opened(menu.id))
        report = read_report(sample.ui)
        assert report is not None
        assert (
            executor.perform(opening, report) is Result.STALE
        )  # nothing was clicked, the place is right now
        report = sample.report(lambda report: report.windows[0].bounds.x, "its true place")
        assert executor.perform(opening, report) is Result.WORKED
    finally:
        executor.close()
