"""ibga-display with a real Xvfb."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from ibga import x11
from ibga.display.board import Colour
from ibga.errors import IbgaError
from ibga.runtime import Display, Gateway, GatewayState, publish, read
from tests.support.deadline import wait_until
from tests.support.png import pixels
from tests.support.tree import Service, Tree, temporary_tree


def record(tree: Tree) -> Display:
    display = read(tree.paths.runtime_dir / "display.json", Display)
    assert display is not None
    return display


@contextmanager
def client(tree: Tree) -> Iterator[Any]:
    display = record(tree)
    connection = x11.connect(display.name, Path(display.xauthority))
    try:
        yield connection
    finally:
        x11.close(connection)


def started(tree: Tree, **env: str) -> Service:
    service = tree.start("ibga.display", **env)
    service.wait_ready()
    return service


def colours(connection: Any) -> set[int]:
    """Every colour on the display, as 0xRRGGBB."""
    rows = pixels(x11.screenshot(connection))
    return {(red << 16) + (green << 8) + blue for row in rows for red, green, blue in row}


def test_a_client_that_reads_the_record_is_served(tree: Tree) -> None:
    tree.configure('[display]\nsize = "800x600"\n')
    service = started(tree)
    display = record(tree)
    assert (display.width, display.height) == (800, 600)
    assert display.pid == service.child("Xvfb").pid
    with client(tree) as connection:
        x11.round_trip(connection)
        size = connection.screen().root.get_geometry()
        assert (size.width, size.height, size.depth) == (800, 600, 24)
    assert service.warnings() == []


def test_who_has_no_cookie_is_refused_and_there_is_no_tcp(tree: Tree) -> None:
    service = started(tree)
    wrong = tree.root / "wrong"
    x11.write_cookie(wrong, b"x" * 16)
    with pytest.raises(IbgaError, match="is lost"):
        x11.connect(record(tree).name, wrong)
    pid = service.child("Xvfb").pid
    assert [each for each in psutil.net_connections("inet") if each.pid == pid] == []


def test_xvfb_is_not_told_of_the_service_manager(tree: Tree) -> None:
    """It sends READY=1 itself when it sees the socket."""
    service = started(tree)
    environment = service.child("Xvfb").environ()
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(environment)
    assert service.notify.lines().count("READY=1") == 1


def test_a_stop_takes_server_record_and_cookie_away(tree: Tree) -> None:
    service = started(tree)
    xvfb = service.child("Xvfb")
    assert service.stop() == 0
    assert not xvfb.is_running()
    assert list(tree.paths.runtime_dir.glob("display.json")) == []
    assert list(tree.paths.runtime_dir.glob("Xauthority")) == []


def test_pings_follow_round_trips(tree: Tree) -> None:
    service = started(tree)
    wait_until(lambda: service.notify.pings() >= 3, "three pings", timeout=10)


def test_a_killed_server_is_noticed_at_once(tree: Tree) -> None:
    service = tree.start("ibga.display", watchdog=60)  # the next round trip is 30 s away
    service.wait_ready()
    service.child("Xvfb").kill()
    assert service.wait_exit(timeout=5) == 69
    assert "Xvfb was killed by SIGKILL" in service.journal()[-1]
    assert not (tree.paths.runtime_dir / "display.json").exists()


def test_a_stopped_server_gets_no_ping_and_is_replaced(tree: Tree) -> None:
    service = started(tree)
    xvfb = service.child("Xvfb")
    wait_until(service.notify.pings, "a ping")
    xvfb.send_signal(signal.SIGSTOP)
    time.sleep(0.1)  # a round trip under way may still be answered
    stopped = time.monotonic()
    assert service.wait_exit(timeout=15) == 69
    assert service.notify.pings(since=stopped) == 0
    assert "does not answer" in service.journal()[-1]
    assert not xvfb.is_running()


def test_what_a_killed_server_leaves_is_survived(tree: Tree) -> None:
    """Its socket stays, and other programs' servers leave /tmp/.X<n>-lock with a dead process in it."""
    service = started(tree)
    number = record(tree).name.removeprefix(":")
    os.kill(service.child("Xvfb").pid, signal.SIGKILL)
    service.wait_exit()
    lock = Path(f"/tmp/.X{number}-lock")
    lock.write_text(f"{2**22 - 1:10d}\n")
    try:
        started(tree)
        with client(tree) as connection:
            x11.round_trip(connection)
    finally:
        lock.unlink(missing_ok=True)
    if record(tree).name != f":{number}":
        Path(f"/tmp/.X11-unix/X{number}").unlink(missing_ok=True)


def test_two_instances_have_two_displays(tree: Tree) -> None:
    with temporary_tree("paper") as other:
        started(tree)
        started(other)
        assert record(tree).name != record(other).name
        with pytest.raises(IbgaError):  # each its own cookie
            x11.connect(record(other).name, Path(record(tree).xauthority))


def test_the_root_window_tells_what_goes_on_and_follows_the_files(tree: Tree) -> None:
    service = started(tree)
    with client(tree) as connection:
        before = x11.screenshot(connection)
        assert Colour.TEXT in colours(connection)
        publish(
            tree.paths.runtime_dir / "gateway.json",
            Gateway(state=GatewayState.FAILED, reason="The installer is truncated", since=1.0),
        )
        wait_until(lambda: x11.screenshot(connection) != before, "another picture", timeout=5)
        assert Colour.BAD in colours(connection)
    assert service.warnings() == []


def test_a_window_that_goes_away_uncovers_the_text_without_the_service(tree: Tree) -> None:
    """The text is the root's background, so X redraws it, also while the service is busy or stopped."""
    service = started(tree)
    with client(tree) as connection:
        before = x11.screenshot(connection)
        service.process.send_signal(signal.SIGSTOP)
        root = connection.screen().root
        window = root.create_window(0, 0, 1024, 768, 0, 24, background_pixel=0x336699)
        window.map()
        x11.round_trip(connection)
        assert colours(connection) == {0x336699}
        window.destroy()
        x11.round_trip(connection)
        assert x11.screenshot(connection) == before
        service.process.send_signal(signal.SIGCONT)


def test_torn_files_are_named_once_and_do_no_harm(tree: Tree) -> None:
    service = started(tree)
    new = tree.paths.runtime_dir / ".session.json.new"
    new.write_text('{"version": 1, "state"')
    new.rename(tree.paths.runtime_dir / "session.json")
    service.wait_line("session.json: not JSON")
    seen = time.monotonic()
    wait_until(lambda: service.notify.pings(since=seen) >= 3, "pings go on")
    assert len(service.warnings()) == 1


def with_xvfb(tree: Tree, script: str) -> str:
    """Return a PATH on which Xvfb is *script*."""
    folder = tree.root / "bin"
    folder.mkdir()
    (folder / "Xvfb").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "Xvfb").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_without_font_packages_the_text_is_there_in_what_x_has_built_in(tree: Tree) -> None:
    service = started(tree, PATH=with_xvfb(tree, f'exec {shutil.which("Xvfb")} "$@" -fp built-ins'))
    assert [line for line in service.warnings() if "xfonts-100dpi" in line] == service.warnings()
    assert len(service.warnings()) == 1
    with client(tree) as connection:
        assert Colour.TEXT in colours(connection)


def test_a_server_that_cannot_start_is_quoted(tree: Tree) -> None:
    script = "echo '(EE) XKB: Failed to compile keymap' >&2; exit 1"
    service = tree.start("ibga.display", PATH=with_xvfb(tree, script))
    assert service.wait_exit() == 69
    assert "Failed to compile keymap" in service.journal()[-1]
    assert "apt install" in service.journal()[-1]
    assert not service.notify.ready


def test_a_missing_xvfb_is_to_be_installed(tree: Tree) -> None:
    service = tree.start("ibga.display", PATH=str(tree.root))
    assert service.wait_exit() == 69
    assert service.journal() == ["<3>Xvfb not found (hint: apt install xvfb)"]


def test_a_screenshot_takes_well_under_a_second(tree: Tree) -> None:
    started(tree)
    with client(tree) as connection:
        start = time.monotonic()
        x11.screenshot(connection)
        assert time.monotonic() - start < 1


def test_a_client_of_a_stopped_server_is_not_kept_waiting(tree: Tree) -> None:
    service = tree.start("ibga.display", watchdog=60)
    service.wait_ready()
    display = record(tree)
    xvfb = service.child("Xvfb")
    xvfb.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(IbgaError, match="without an answer"):
        x11.connect(display.name, Path(display.xauthority), limit=0.5)
    assert time.monotonic() - start < 5
    xvfb.send_signal(signal.SIGCONT)
