"""The agent in a real JVM with real Swing windows under a real X server, on every JDK of the machine."""

import contextlib
import json
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ibga.agent.commands import Action, Command, close_command
from ibga.agent.report import Bounds, Component, Window, click_point, read_report
from tests.support.agent import JDKS, Sample, build_jar, compile_sample, run_sample
from tests.support.deadline import wait_until
from tests.support.xvfb import Xvfb, xvfb

SECRET = "s3cret-in-the-field"


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xvfb]:
    with xvfb(tmp_path_factory.mktemp("display")) as server:
        yield server


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build_jar()
    return compile_sample(tmp_path_factory.mktemp("classes"))


@dataclass
class Start:
    """Starts the sample on one JDK."""

    java: Path
    classes: Path
    display: Xvfb
    runtime: Path
    stack: contextlib.ExitStack

    def __call__(self, *options: str) -> Sample:
        return self.stack.enter_context(
            run_sample(self.java, self.classes, self.runtime, self.display.environment, *options)
        )


@pytest.fixture(params=JDKS, ids=lambda path: path.name)
def start(request: pytest.FixtureRequest, classes: Path, display: Xvfb, tmp_path: Path) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:
        yield Start(request.param, classes, display, tmp_path, stack)


@pytest.fixture(scope="module", params=JDKS, ids=lambda path: path.name)
def running(
    request: pytest.FixtureRequest, classes: Path, display: Xvfb, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sample]:
    """One program for all tests of a JDK that only open windows in it."""
    runtime = tmp_path_factory.mktemp("run")
    with run_sample(request.param, classes, runtime, display.environment) as sample:
        yield sample


@pytest.fixture
def sample(running: Sample) -> Sample:
    """The running program, without a window."""
    running.tell("closeall")
    if running.ui.exists():
        running.report(lambda report: not report.windows, "no window")
    running.said.clear()
    return running


def one(component: Component | None) -> Component:
    assert component is not None
    return component


def named(window: Window, name: str) -> Component:
    return next(each for each in window.walk() if each.name == name)


def rows(component: Component) -> list[str]:
    assert component.rows is not None
    return [row.text for row in component.rows]


def selected(component: Component) -> list[int]:
    assert component.rows is not None
    return [row.index for row in component.rows if row.selected]


def click_until(
    sample: Sample,
    display: Xvfb,
    title: str,
    find: Callable[[Window], Component | None],
    seen: Callable[[Window], object],
) -> Window:
    """Click what *find* names until *seen*, and return the window.

    Again where it was missed: Java is now and then wrong about where a new window lies (Sample.java).
    """
    for _ in range(5):
        window = sample.window(title, lambda window: window.active and find(window))
        display.click(*click_point(one(find(window))))
        with contextlib.suppress(AssertionError):
            return sample.window(title, seen, timeout=5)
    raise AssertionError(f"clicked five times without effect in {title!r}: {read_report(sample.ui)}")


def test_the_jar_is_java_8_and_the_same_each_time_it_is_built(classes: Path, tmp_path: Path) -> None:
    jar = build_jar()
    for name in ("one.jar", "two.jar"):
        subprocess.run(["sh", "ibga/agent/build", tmp_path / name], check=True, timeout=120)
    assert (tmp_path / "one.jar").read_bytes() == (tmp_path / "two.jar").read_bytes()
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run([JDKS[0] / "bin" / "jar", "xf", jar], check=True, cwd=unpacked, timeout=60)
    files = list(unpacked.rglob("*.class"))
    assert files
    assert {int.from_bytes(path.read_bytes()[6:8], "big") for path in files} == {52}


def test_every_kind_of_component_is_reported_with_what_it_shows(sample: Sample) -> None:
    sample.tell("kinds")
    window = sample.window("Kinds", lambda window: window.find("JPasswordField", focused=True))
    assert (window.kind, window.base, window.enabled, window.modal) == (
        "frame",
        "javax.swing.JFrame",
        True,
        False,
    )
    label = one(window.find("JLabel", text="A <b> colour & more! x"))
    assert label.html.startswith("<html><head>")
    user = named(window, "Username")
    assert (user.base, user.text, user.length, user.editable) == ("javax.swing.JTextField", "trader", 6, True)
    port = named(window, "Socket port")
    assert [each.text for each in port.components] == ["4001"]
    area = one(window.find("JTextArea"))
    assert area.text == 'several\nlines "quoted" \\ \x01 中'
    pane = one(window.find("JTextPane"))
    assert (pane.text, pane.editable) == ("Change security device 1 < 2", False)
    assert "<b>security</b>" in pane.html
    assert one(window.find("JEditorPane")).text == "plain pane"
    assert named(window, "formatted").text == "7"
    assert one(window.find("JSpinner")).text == "0"
    assert one(window.find("JCheckBox", "read-only api")).selected is True
    combo = one(window.find("JComboBox"))
    assert (combo.text, rows(combo), selected(combo)) == (
        "Europe",
        ["America", "Europe", "Asia", "China"],
        [1],
    )
    listed = one(window.find("JList"))
    assert (rows(listed), selected(listed)) == ([" IB Key", " Mobile"], [0])  # only the renderer knows these
    tree = one(window.find("JTree"))
    assert tree.rows is not None
    assert [row.path for row in tree.rows] == [
        ("Configuration",), ("Configuration", "General"), ("Configuration", "API")
    ]  # fmt: skip
    assert [(row.expanded, row.leaf) for row in tree.rows] == [(True, False), (False, True), (False, False)]
    tabs = one(window.find("JTabbedPane"))
    assert (rows(tabs), selected(tabs)) == (["one", "two"], [0])
    assert "in one" in window.all_text()
    assert "in two" not in window.all_text()


def test_a_password_is_reported_by_its_length_only(sample: Sample) -> None:
    sample.tell("kinds")
    field = one(sample.window("Kinds").find("JPasswordField"))
    assert (field.length, field.text, field.editable) == (len(SECRET), "", True)
    sample.tell("heavy")
    heavy = sample.window("Heavy")
    assert [each.length for each in heavy.find_all("java.awt.TextField")] == [5, len(SECRET)]
    assert SECRET not in sample.ui.read_text()


def test_awt_components_are_reported_and_clicked(sample: Sample) -> None:
    sample.tell("heavy")
    window = sample.window("Heavy")
    assert [(each.base, each.text, each.selected) for each in window.walk()] == [
        ("java.awt.Button", "Press", None),
        ("java.awt.TextField", "plain", None),
        ("java.awt.TextField", "", None),
        ("java.awt.Checkbox", "Box", True),
        ("java.awt.Label", "Words", None),
    ]
    button = one(window.find("java.awt.Button"))
    assert sample.command(Command(command=Action.CLICK, component=button.id)).ok
    sample.hears("clicked Press")


@pytest.mark.parametrize(
    ("order", "title"),
    [
        ("second-factor", "Second Factor Authentication"),
        ("card", "Enter security code"),
        ("obfuscated", "IBKR Gateway"),
    ],
)
def test_codes_of_a_second_factor_window_are_never_reported(sample: Sample, order: str, title: str) -> None:
    sample.tell(order)
    window = sample.window(title, lambda window: window.find("JButton", "OK"))
    assert window.modal
    assert "314159" not in sample.ui.read_text()
    # The field inside the editable combo box is one, too, whatever the look and feel makes it of.
    assert [each.length for each in window.find_all("JTextField", editable=True)] == [6, 6]
    assert "Select second factor device" in window.all_text()  # what is not editable is told
    # A modal dialog does not stop reports and commands.
    code = one(window.find("JTextField", editable=True))
    assert sample.command(Command(command=Action.SET_TEXT, component=code.id, text="2718281")).ok
    grown = sample.window(title, lambda window: one(window.by_id(code.id)).length == 7)
    assert one(grown.by_id(code.id)).text == ""
    assert "2718281" not in sample.ui.read_text()
    sample.command(Command(command=Action.CLICK, component=one(window.find("JButton", "OK")).id))
    sample.report(lambda report: all(each.id != window.id for each in report.windows), "the dialog is gone")


def test_bounds_are_those_of_the_visible_part(sample: Sample, display: Xvfb) -> None:
    sample.tell("clip")
    window = sample.window("Clip", lambda window: window.active and window.bounds.x)
    half, hidden = one(window.find(text="Half")), one(window.find(text="Hidden"))
    assert half.bounds == Bounds(50, 140, 100, 20)
    assert not hidden.bounds.visible
    assert window.find(text="Twin") is None  # not showing
    display.click(*click_point(half))
    sample.hears("clicked Half")
    assert sample.command(Command(command=Action.REVEAL, component=hidden.id)).ok
    window = sample.window("Clip", lambda window: one(window.by_id(hidden.id)).bounds.visible)
    display.click(*click_point(one(window.by_id(hidden.id))))
    sample.hears("clicked Hidden")


def test_windows_off_the_screen_keep_their_place(sample: Sample) -> None:
    sample.tell("decoy")
    decoy = sample.window("IBKR Gateway", lambda window: window.bounds.x)
    assert (decoy.bounds.x, decoy.bounds.y) == (-30, -40)
    assert not any(each.bounds.visible for each in decoy.walk())


def test_items_of_closed_menus_are_reported_and_pressed(sample: Sample) -> None:
    sample.tell("main")
    window = sample.window("IBKR Gateway")
    item = one(window.menu_item("configure", "Automatic Encryption"))
    assert (item.selected, item.bounds.visible) == (True, False)
    assert one(window.menu_item("File", "API Logs")).enabled is False
    deep = one(window.menu_item("Configure", "More", "Deep"))
    assert sample.command(Command(command=Action.CLICK, component=deep.id, window=window.id)).ok
    sample.hears("clicked Deep")


def test_an_open_menu_has_bounds_to_click_at_and_is_reported_once(sample: Sample, display: Xvfb) -> None:
    sample.tell("main")
    window = click_until(
        sample,
        display,
        "IBKR Gateway",
        lambda window: window.menu_item("Configure"),
        lambda window: one(window.menu_item("Configure", "Settings")).bounds.visible,
    )
    assert one(window.menu_item("Configure")).open
    assert len(window.find_all(text="Settings")) == 1
    display.click(*click_point(one(window.menu_item("Configure", "Settings"))))
    sample.hears("clicked Settings")
    sample.window("IBKR Gateway", lambda window: not one(window.menu_item("Configure")).open)


def test_an_open_combo_box_has_rows_to_click_at(sample: Sample, display: Xvfb) -> None:
    sample.tell("kinds")
    window = click_until(
        sample,
        display,
        "Kinds",
        lambda window: window.find("JComboBox"),
        lambda window: one(window.find("JComboBox")).open,
    )
    row = (one(window.find("JComboBox")).rows or ())[2]
    display.click(*click_point(row))
    sample.hears("chose Asia")


def test_closing_through_the_menu_answers_before_the_dialog_that_it_opens(sample: Sample) -> None:
    sample.tell("main")
    sample.window("IBKR Gateway")
    report = sample.report(close_command, "File > Close")
    command = close_command(report)
    assert command is not None
    assert sample.command(command).ok  # although the click itself returns only when the dialog is closed
    dialog = sample.window("Exit")
    assert dialog.modal
    assert dialog.all_text() == "Are you sure? Really ? Yes No"
    no = one(dialog.find("JButton", "No"))
    assert sample.command(Command(command=Action.CLICK, component=no.id, window=dialog.id)).ok
    sample.hears("answered 1")


def test_each_command_has_its_effect(sample: Sample) -> None:
    sample.tell("kinds")
    window = sample.window("Kinds")
    combo, listed, tree = (one(window.find(kind)) for kind in ("JComboBox", "JList", "JTree"))
    tabs, spinner, pane = (one(window.find(kind)) for kind in ("JTabbedPane", "JSpinner", "JTextPane"))
    user, password = named(window, "Username"), one(window.find("JPasswordField"))

    def do(action: Action, component: Component, **fields: object) -> None:
        answer = sample.command(Command(command=action, component=component.id, **fields))  # type: ignore[arg-type]
        assert (answer.ok, answer.error) == (True, "")

    do(Action.CHOOSE, combo, row=3)
    sample.hears("chose China")
    do(Action.CHOOSE, combo, text=" asia ")
    sample.hears("chose Asia")
    do(Action.CHOOSE, listed, text="Mobile")
    sample.hears("listed 1")
    do(Action.CHOOSE, tree, path=("API", "Settings"))
    sample.hears("selected [Configuration, API, Settings]")
    do(Action.CHOOSE, tree, path=("Configuration", "api", "Precautions"))
    sample.hears("selected [Configuration, API, Precautions]")
    do(Action.CHOOSE, tabs, row=1)
    sample.window("Kinds", lambda window: "in two" in window.all_text())
    do(Action.SET_TEXT, user, text='é "中" €')
    sample.window("Kinds", lambda window: named(window, "Username").text == 'é "中" €')
    do(Action.SET_TEXT, password, text="p" * 40)
    sample.window("Kinds", lambda window: one(window.by_id(password.id)).length == 40)
    do(Action.SET_TEXT, spinner, text="12")
    sample.hears("spun 12")
    do(Action.CLICK, pane)
    sample.hears("clicked link")


def test_a_command_that_cannot_be_done_is_refused_and_says_why(sample: Sample) -> None:
    sample.tell("main")
    sample.tell("kinds")
    main, kinds = sample.window("IBKR Gateway"), sample.window("Kinds")
    disabled = one(main.find("JButton", "Disabled"))
    enabled = one(main.find("JButton", "Enabled"))
    label = one(main.find("JLabel"))
    combo, tree = one(kinds.find("JComboBox")), one(kinds.find("JTree"))
    logs = one(main.menu_item("File", "API Logs"))
    for command, error in (
        (Command(command=Action.CLICK, component=disabled.id), "disabled"),
        (Command(command=Action.CLICK, component=logs.id), "disabled"),
        (Command(command=Action.CLICK, component=enabled.id, window=kinds.id), "not in that window"),
        (Command(command=Action.CLICK, component=999_999), "no such component"),
        (Command(command=Action.CLICK), "no such component"),
        (Command(command=Action.SET_TEXT, component=label.id, text="x"), "not editable"),
        (Command(command=Action.SET_TEXT, component=label.id), "no text"),
        (Command(command=Action.CHOOSE, component=combo.id, row=4), "it has 4 rows"),
        (Command(command=Action.CHOOSE, component=combo.id, text="Africa"), "no such row"),
        (Command(command=Action.CHOOSE, component=combo.id), "neither row nor text"),
        (Command(command=Action.CHOOSE, component=tree.id, path=("API", "x")), "no such row"),
        (Command(command=Action.CHOOSE, component=label.id, row=0), "it has no rows"),
        (Command(command=Action.CLOSE, window=label.id), "no such window"),
    ):
        answer = sample.command(command)
        assert (answer.ok, answer.error) == (False, error), command
    sample.tell("close")  # kinds
    sample.report(lambda report: len(report.windows) == 1, "one window left")
    assert sample.command(Command(command=Action.CLICK, component=combo.id)).error == "not showing"
    assert not [line for line in sample.said if line.startswith(("clicked", "chose"))]


def test_a_window_is_closed_as_by_its_button(sample: Sample) -> None:
    sample.tell("main")
    window = sample.window("IBKR Gateway")
    assert sample.command(Command(command=Action.CLOSE, window=window.id)).ok
    sample.hears("closing")


def test_a_command_that_is_sent_twice_is_done_once(sample: Sample) -> None:
    sample.tell("main")
    button = one(sample.window("IBKR Gateway").find("JButton", "Enabled"))
    command = Command(command=Action.CLICK, component=button.id)
    for _ in range(3):
        assert sample.command(command, "same").ok
    assert sample.command(command, "other").ok
    sample.wait(lambda: sample.said.count("clicked Enabled") == 2, "two clicks")
    assert sample.command(Command(command=Action.CLICK), "last").error  # everything before has been done
    assert sample.said.count("clicked Enabled") == 2


def test_garbage_on_the_fifo_is_answered_or_passed_over_and_does_no_harm(sample: Sample) -> None:
    sample.tell("main")
    button = one(sample.window("IBKR Gateway").find("JButton", "Enabled"))
    before = {answer.id for answer in sample.report(lambda report: True, "a report").answered}
    deep = b'{"id":"deep","command":' + b"[" * 1000 + b"\n"
    for line in (
        b"\n", b"\0\xff\xfe\n", b"hello\n", b"{}\n", b"[]\n", b"null\n", b'"id"\n', b'{"id":{}}\n', deep,
        b'{"id":"torn","command":"cli\n', b'{"id":"odd","command":7}\n', b'{"id":"none"}\n',
        b'{"id":"row","command":"click","row":-1}\n', b'{"id":"path","command":"choose","path":[1]}\n',
        b'{"id":"what","command":"rm -rf"}\n', b'{"id":12,"command":"click","component":1.5}\n',
        b'{"id":"long","text":"' + b"x" * 4000 + b"x" * 4000 + b'"}\n', b"x" * 100_000 + b"\n",
    ):  # fmt: skip
        sample.write(line)
    assert sample.command(Command(command=Action.CLICK, component=button.id)).ok
    sample.hears("clicked Enabled")
    report = sample.report(lambda report: True, "a report")
    errors = {
        answer.id: answer.error for answer in report.answered if not answer.ok and answer.id not in before
    }
    assert errors.keys() == {"deep", "torn", "odd", "none", "row", "path", "what", 12, "long"}
    assert errors["long"] == "longer than 4096 bytes"
    assert errors["torn"].startswith("not JSON")
    assert errors["what"] == "no such component"


def test_changes_without_any_event_are_reported_soon(sample: Sample) -> None:
    sample.tell("main")
    first = sample.window("IBKR Gateway")
    ids = [each.id for each in first.walk()]
    late = []
    for number in range(10):
        sample.tell(f"label now {number}")
        begin = time.monotonic()
        sample.window("IBKR Gateway", lambda window, text=f"now {number}": window.find("JLabel", text))  # type: ignore[misc]
        late.append(time.monotonic() - begin)
    assert sorted(late)[5] < 0.45  # 0.3 s, and what reading it takes on a loaded machine
    sample.tell("bar 43")
    sample.window("IBKR Gateway", lambda window: one(window.find("JProgressBar")).value == 43)
    sample.tell("cell changed")
    window = sample.window(
        "IBKR Gateway", lambda window: "Market Data Farm changed" in rows(one(window.find("JTable")))
    )
    assert [each.id for each in window.walk()] == ids  # stable while the objects live
    table = one(window.find("JTable"))
    assert (table.columns, selected(table)) == (("Purpose", "Status"), [1])


def test_what_is_typed_is_reported_at_once(sample: Sample, display: Xvfb) -> None:
    sample.tell("kinds")
    window = click_until(
        sample,
        display,
        "Kinds",
        lambda window: window.find("JPasswordField"),
        lambda window: one(window.find("JPasswordField")).focused,
    )
    field = one(window.find("JPasswordField"))
    display.type("abc")
    sample.window("Kinds", lambda window: one(window.by_id(field.id)).length == len(SECRET) + 3)


def test_nothing_is_written_while_nothing_changes(sample: Sample) -> None:
    sample.tell("main")
    sample.window("IBKR Gateway", lambda window: window.active)
    time.sleep(1)  # for the last focus event to pass
    before = sample.ui.stat().st_ino, sample.ui.read_bytes()
    beat = sample.heartbeat(lambda beat: beat.time, "a beat")
    sample.heartbeat(lambda later: later.time > beat.time + 2.5, "three more beats")
    assert (sample.ui.stat().st_ino, sample.ui.read_bytes()) == before


def test_a_storm_of_changes_is_bounded_and_its_end_is_reported(sample: Sample) -> None:
    sample.tell("main")
    sample.window("IBKR Gateway")
    first = sample.report(lambda report: True, "a report").seq
    begin = time.monotonic()
    sample.tell("storm")
    sample.wait(lambda: "calm" in sample.said, "the storm is over")
    report = sample.report(lambda report: report.windows[0].find("JLabel", "calm"), "the last state")
    assert report.seq - first <= 50 * (time.monotonic() - begin) + 15


def test_reports_are_never_seen_torn(sample: Sample) -> None:
    sample.tell("main")
    first = sample.report(lambda report: report.windows, "a report")
    sample.order("storm")
    last = first.seq
    seen = 0
    end = time.monotonic() + 2
    while time.monotonic() < end:
        report = read_report(sample.ui)  # raises when it is torn
        assert report is not None
        assert report.seq >= last
        seen += report.seq > last
        last = report.seq
    assert seen > 10


def test_large_and_deep_trees_are_cut_and_say_so(sample: Sample) -> None:
    sample.tell("wide 6000")
    report = sample.report(lambda report: report.windows and report.truncated, "a cut report")
    window = report.windows[0]
    assert len(list(window.walk())) <= 5000
    sample.tell("close")
    sample.tell("wide 10")
    report = sample.report(lambda report: report.windows and not report.truncated, "a whole report")
    listed, area = one(report.windows[0].find("JList")), one(report.windows[0].find("JTextArea"))
    assert (listed.row_count, len(listed.rows or ())) == (3000, 1000)
    assert (area.length, len(area.text)) == (30_000, 4000)
    sample.tell("close")
    sample.tell("deep")
    sample.report(lambda report: report.windows and report.truncated, "a cut report")


def test_a_component_that_throws_is_named_and_its_neighbours_are_reported(sample: Sample) -> None:
    sample.tell("thrower")
    window = sample.window("Thrower")
    assert window.find("JButton", "Before")
    assert window.find("JButton", "After")
    assert '"error":"java.lang.IllegalStateException"' in sample.ui.read_text()


def test_a_blocked_event_queue_is_told_with_a_dump_of_all_threads(start: Start) -> None:
    sample = start()
    sample.tell("main")
    beat = sample.heartbeat(lambda beat: beat.time and not beat.pending, "a beat")
    dump = sample.runtime / "agent" / f"threads-{beat.pid}.txt"
    assert not dump.exists()
    sample.order("block 6000")
    late = sample.heartbeat(lambda beat: beat.pending > 2, "a late beat")
    assert late.time >= beat.time
    later = sample.heartbeat(lambda beat: beat.pending > late.pending + 1, "a later beat")
    assert later.time == late.time
    text = wait_until(lambda: dump.exists() and dump.read_text(), "the dump")
    assert isinstance(text, str)
    assert '"AWT-EventQueue-0"' in text
    assert "Sample.block" in text
    back = sample.heartbeat(lambda beat: not beat.pending and beat.time > late.time, "the queue is back")
    assert back.delay > 4


def test_files_can_be_read_by_the_group_and_commands_come_from_the_owner_only(start: Start) -> None:
    sample = start()
    sample.tell("main")
    sample.heartbeat(lambda beat: beat.time, "a beat")
    sample.wait(sample.fifo.exists, "the FIFO is there")
    sample.window("IBKR Gateway")
    modes = {
        path.name: oct(stat.S_IMODE(path.stat().st_mode))
        for path in (sample.ui, sample.fifo, sample.fifo.parent, sample.fifo.parent / "heartbeat.json")
    }
    assert modes == {"ui.json": "0o640", "fifo": "0o600", "agent": "0o750", "heartbeat.json": "0o640"}


def test_a_new_jvm_takes_over_the_fifo(start: Start) -> None:
    first = start()
    first.tell("main")
    first.wait(first.fifo.exists, "the FIFO is there")
    inode = first.fifo.stat().st_ino
    first.process.kill()
    first.process.wait(10)
    second = start()
    second.tell("main")
    second.wait(lambda: second.fifo.stat().st_ino != inode, "a new FIFO")
    report = second.report(lambda report: report.pid == second.process.pid and report.windows, "its report")
    button = one(report.windows[0].find("JButton", "Enabled"))
    assert second.command(Command(command=Action.CLICK, component=button.id)).ok
    second.hears("clicked Enabled")


@pytest.mark.parametrize(
    "option", ["-Dinstall4j.alternativeLogfile=/tmp/restarter.log", "-Djava.awt.headless=true"]
)
def test_the_agent_is_silent_in_the_restarter_and_without_a_screen(start: Start, option: str) -> None:
    sample = start(option)
    if "headless" not in option:
        sample.tell("main")
    time.sleep(1)
    assert list(sample.runtime.iterdir()) == []
    status = Path(f"/proc/{sample.process.pid}/task")
    names = {(task / "comm").read_text().strip() for task in status.iterdir()}
    if "headless" not in option:
        assert not [name for name in names if name.startswith("ibga")]


def test_the_agent_is_silent_where_no_runtime_directory_is_named(start: Start) -> None:
    with run_sample(start.java, start.classes, None, start.display.environment) as sample:
        sample.tell("main")
        names = {(task / "comm").read_text() for task in Path(f"/proc/{sample.process.pid}/task").iterdir()}
        assert not [name for name in names if name.startswith("ibga")]


def test_the_agent_does_not_load_awt_before_the_application_does(start: Start) -> None:
    sample = start()
    time.sleep(0.5)
    jcmd = [str(start.java / "bin" / "jcmd"), str(sample.process.pid), "Thread.print"]
    threads = subprocess.run(jcmd, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "ibga-agent-start" in threads
    assert "AWT-" not in threads
    sample.tell("main")
    sample.window("IBKR Gateway")


def test_an_unwritable_runtime_directory_does_no_harm(start: Start) -> None:
    start.runtime = start.runtime / "missing"
    sample = start()
    sample.tell("main")
    sample.tell("kinds")
    start.runtime.mkdir()  # and it is used as soon as it is there
    sample.window("Kinds")


def test_the_program_ends_although_the_agent_runs(start: Start) -> None:
    sample = start()
    sample.tell("main")
    sample.window("IBKR Gateway")
    sample.tell("closeall")
    sample.tell("return")  # main ends; AWT's own rule now ends the JVM
    assert sample.process.wait(20) == 0


def test_a_window_is_on_disk_as_soon_as_it_shows(sample: Sample) -> None:
    sample.tell("main")
    sample.window("IBKR Gateway")
    for _ in range(10):  # the first ones pay for loading classes
        sample.tell("show")
    late = []
    for _ in range(30):
        sample.said.clear()
        sample.tell("show")
        _, number, shown = next(line for line in sample.said if line.startswith("showing")).split()
        sample.window(f"Shown {number}", lambda window: window.find("JButton", "OK"))
        late.append(sample.ui.stat().st_mtime - int(shown) / 1000)
        sample.tell("close")
    assert sorted(late)[len(late) // 2] < 0.1


def test_the_cost_of_a_walk_is_published(sample: Sample) -> None:
    sample.tell("grid 600")
    sample.window("Grid")
    sample.heartbeat(lambda beat: beat.time, "a beat")
    report = sample.report(
        lambda report: report.stats and report.stats.components > 600, "a report with stats"
    )
    assert report.stats is not None
    assert 0 < report.stats.walk_ms <= report.stats.walk_ms_max
    beat = json.loads((sample.runtime / "agent" / "heartbeat.json").read_text())
    assert beat["stats"]["looks"] > 0
