"""XTEST input reaches real Swing fields, on every JDK of the machine and without a window manager."""

import string
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from Xlib import XK, X
from Xlib.ext import xtest

from ibga import x11
from ibga.automator.input import BACKSPACE, CONTROL, Input
from ibga.errors import IbgaError
from tests.support.deadline import wait_until
from tests.support.xvfb import Xvfb, xvfb

JDKS = sorted(
    path.parents[1] for path in Path("/usr/lib/jvm").glob("*/bin/javac") if not path.parents[1].is_symlink()
)
PASSWORD = string.punctuation + " é ß€Ω中 "
ROUNDS = 15  # for each field and JDK; a fault in the way of typing showed within three
assert len(PASSWORD) == 40


class Program:
    """tests/component/input/Typing.java, running."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def state(self) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.tell("state").split(" "))

    def show(self, line: str) -> None:
        """Show a window, and wait until it has the keyboard."""
        self.tell(line)
        name = line.split(" ")[1]
        wait_until(
            lambda: self.state()["focus"].startswith(f"{name}."), f"{name} has the keyboard", timeout=30
        )

    def text(self, field: str) -> str:
        codes = self.state()[f"{field}.text"]
        return "".join(chr(int(code, 16)) for code in codes.split(",") if code)

    def middle(self, part: str) -> tuple[int, int]:
        state = self.state()
        return int(state[f"{part}.x"]), int(state[f"{part}.y"])

    def bounds(self, window: str) -> tuple[int, int, int, int]:
        x, y, width, height = (int(number) for number in self.state()[f"{window}.bounds"].split(","))
        return x, y, width, height


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xvfb]:
    with xvfb(tmp_path_factory.mktemp("display")) as server:
        yield server


@pytest.fixture
def connection(display: Xvfb) -> Iterator[Any]:
    connection = x11.connect(display.display, display.xauthority)
    yield connection
    x11.close(connection)


@pytest.fixture
def keys(connection: Any) -> Iterator[Input]:
    keys = Input(connection)
    yield keys
    keys.restore()


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    source = Path(__file__).parent / "input/Typing.java"
    subprocess.run(
        [JDKS[0] / "bin/javac", "--release", "8", "-Xlint:-options", "-d", folder, source], check=True
    )
    return folder


@contextmanager
def running(jdk: Path, classes: Path, display: Xvfb, **environment: str) -> Iterator[Program]:
    clean = {
        name: value
        for name, value in display.environment.items()
        if not name.startswith(("LC_", "LANG", "XMOD"))
    }
    process = subprocess.Popen(
        [jdk / "bin/java", "-Xmx96m", "-cp", classes, "Typing"],
        env={**clean, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture(params=JDKS, ids=lambda jdk: jdk.name)
def program(request: pytest.FixtureRequest, classes: Path, display: Xvfb) -> Iterator[Program]:
    with running(request.param, classes, display) as program:
        program.show("frame main 100 100")
        yield program


@contextmanager
def two_busy_loops() -> Iterator[None]:
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def go_to(keys: Input, program: Program, field: str) -> None:
    """As the product does, click again where a click on a window just shown went nowhere."""
    for _ in range(3):
        keys.click(*program.middle(field))
        with suppress(AssertionError):
            wait_until(lambda: program.state()["focus"] == field, f"{field} has the focus", timeout=5)
            return
    raise AssertionError(f"{field} does not take the focus: {program.state()}")


def empty(keys: Input, program: Program, field: str) -> None:
    keys.press(CONTROL, ord("a"))
    keys.press(BACKSPACE)
    wait_until(lambda: not program.text(field), f"{field} is empty")


def test_a_password_of_every_symbol_arrives_each_time_while_the_machine_is_busy(
    program: Program, keys: Input
) -> None:
    with two_busy_loops():
        for number in range(ROUNDS):
            for field in ("main.text", "main.password"):
                go_to(keys, program, field)
                keys.type_text(PASSWORD)
                wait_until(
                    lambda field=field: program.text(field) == PASSWORD,
                    f"round {number}: all of it in {field}",
                )
                if number % 3 == 0:
                    keys.restore()
                empty(keys, program, field)


def test_a_text_needs_no_locale_of_the_jvm(classes: Path, display: Xvfb, keys: Input) -> None:
    with running(JDKS[0], classes, display, LC_ALL="C", XMODIFIERS="@im=nobody") as program:
        program.show("frame main 100 100")
        for field in ("main.text", "main.password"):
            go_to(keys, program, field)
            keys.type_text("é ß€Ω中")
            wait_until(lambda field=field: program.text(field) == "é ß€Ω中", f"all of it in {field}")


def test_many_foreign_characters_and_those_above_16_bits_arrive(program: Program, keys: Input) -> None:
    for first in (0x4E00, 0x5E00):  # the second text needs the keys of the first
        text = "".join(chr(first + 7 * number) for number in range(100)) + "😀𝔄"
        go_to(keys, program, "main.password")
        keys.type_text(text)
        wait_until(lambda text=text: program.text("main.password") == text, "all of it")
        empty(keys, program, "main.password")


def test_held_keys_and_caps_lock_of_a_viewer_change_nothing(
    program: Program, keys: Input, connection: Any
) -> None:
    go_to(keys, program, "main.password")
    for keysym in (XK.XK_Control_L, XK.XK_Shift_L, XK.XK_Caps_Lock):
        code = connection.keysym_to_keycode(keysym)
        xtest.fake_input(connection, X.KeyPress, code)
    xtest.fake_input(connection, X.KeyRelease, connection.keysym_to_keycode(XK.XK_Caps_Lock))
    xtest.fake_input(connection, X.ButtonPress, 3)
    connection.sync()
    assert connection.screen().root.query_pointer().mask & X.LockMask
    keys.type_text("aBé1!")
    wait_until(lambda: program.text("main.password") == "aBé1!", "the text as it is")
    assert not connection.screen().root.query_pointer().mask & (X.LockMask | X.ShiftMask | X.Button3Mask)


def test_dead_keys_of_a_layout_are_gone_round(program: Program, keys: Input, display: Xvfb) -> None:
    display.run("setxkbmap", "de")
    try:
        go_to(keys, program, "main.text")
        keys.type_text("^a`e´zZyY@~{}\\|€")
        wait_until(lambda: program.text("main.text") == "^a`e´zZyY@~{}\\|€", "the text as it is")
    finally:
        display.run("setxkbmap", "us")


def test_clicks_and_the_wheel_land_where_they_are_aimed(program: Program, keys: Input) -> None:
    keys.click(*program.middle("main.button"), count=2)
    wait_until(lambda: program.state()["clicks"] == "2", "two clicks")
    keys.wheel(*program.middle("main.button"), 3)
    wait_until(lambda: program.state()["wheel"] == "3", "three notches down")
    keys.wheel(*program.middle("main.button"), -4)
    wait_until(lambda: program.state()["wheel"] == "-1", "four notches up")


def test_a_window_takes_the_keyboard_when_shown_and_when_clicked(program: Program, keys: Input) -> None:
    keys.click(1000, 700)  # away from all windows
    program.show("dialog modal 450 100 main modal")
    keys.type_text("a")
    wait_until(lambda: program.text("modal.text") == "a", "the dialog has it")
    go_to(keys, program, "modal.password")
    program.tell("close modal")
    program.show("frame other 100 400")
    go_to(keys, program, "main.password")
    keys.type_text("b")
    wait_until(lambda: program.text("main.password") == "b", "the clicked frame has it")


def test_the_keyboard_can_be_given_back_after_a_dialog_has_gone(program: Program, keys: Input) -> None:
    program.show("dialog modal 450 100 main modal")
    program.tell("close modal")
    wait_until(lambda: program.state()["focus"] == "", "nobody has the keyboard")
    assert not keys.focus_window((1, 2, 3, 4))
    assert keys.focus_window(program.bounds("main"))
    wait_until(lambda: program.state()["focus"] == "main.text", "the frame has the keyboard")
    keys.type_text("c")
    wait_until(lambda: program.text("main.text") == "c", "the frame gets the text")


def test_nothing_is_typed_once_another_window_has_the_keyboard(program: Program, keys: Input) -> None:
    go_to(keys, program, "main.text")
    before = keys.focus()
    assert keys.type_text("a", into=before)
    wait_until(lambda: program.text("main.text") == "a", "it is there: else Java gives it to the dialog")
    program.show("dialog modal 450 100 main modal")
    wait_until(lambda: program.state()["focus"] == "modal.text", "the dialog has the keyboard")
    assert not keys.type_text("b", into=before)
    keys.type_text("c")
    wait_until(lambda: program.text("modal.text") == "c", "the dialog gets what comes next, and no b")
    assert program.text("main.text") == "a"


def test_restore_leaves_the_keyboard_map_as_it_was(keys: Input, connection: Any) -> None:
    def keyboard() -> list[list[int]]:
        return [list(row) for row in connection.get_keyboard_mapping(8, 248)]

    before = keyboard()
    keys.type_text("é中Ω")
    assert keyboard() != before
    keys.restore()
    assert keyboard() == before


def test_what_cannot_be_typed_is_refused_before_the_first_key(program: Program, keys: Input) -> None:
    go_to(keys, program, "main.text")
    with pytest.raises(ValueError, match="control character"):
        keys.type_text("ab\tc")
    with pytest.raises(IbgaError, match="300 characters that the keyboard lacks"):
        keys.type_text("a" + "".join(chr(0x4E00 + number) for number in range(300)))
    keys.type_text("z")
    wait_until(lambda: program.text("main.text") == "z", "only the last text")
