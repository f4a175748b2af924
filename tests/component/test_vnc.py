"""ibga-vnc with a real Xvfb, x11vnc, websockify and Chromium."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ibga import x11
from ibga.runtime import Display, Vnc, read
from tests.support.browser import Browser
from tests.support.deadline import wait_until
from tests.support.png import pixels
from tests.support.simulator import free_port
from tests.support.tree import REPOSITORY, Service, Tree

CONNECTED = "document.getElementById('state')?.textContent === 'connected'"


@pytest.fixture(scope="module")
def novnc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as the package has it."""
    directory = tmp_path_factory.mktemp("novnc")
    subprocess.run([REPOSITORY / "packaging/novnc/fetch", directory], check=True, timeout=300)
    return directory


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    yield chromium
    chromium.open("about:blank")


class Rig:
    """A display, its X connection, and a vnc service on a free port."""

    def __init__(self, tree: Tree, novnc: Path) -> None:
        self.tree = tree
        self.port = free_port()
        tree.paths.novnc_dir.symlink_to(novnc)
        self.display = tree.start("ibga.display")
        self.display.wait_ready()
        record = read(tree.paths.runtime_dir / "display.json", Display)
        assert record is not None
        self.x = x11.connect(record.name, Path(record.xauthority))

    def start(self, toml: str = "", *, watchdog: float = 4.0, **env: str) -> Service:
        self.tree.configure(f"[vnc]\nport = {self.port}\n{toml}")
        return self.tree.start("ibga.vnc", watchdog=watchdog, **env)

    def started(self, toml: str = "", *, watchdog: float = 4.0) -> Service:
        service = self.start(toml, watchdog=watchdog)
        service.wait_ready()
        return service

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/"

    def record(self) -> Vnc | None:
        return read(self.tree.paths.runtime_dir / "vnc.json", Vnc)

    def viewers(self) -> int:
        record = self.record()
        return record.clients if record else -1

    def paint(self, colour: int) -> None:
        """Cover the display with a window of one colour."""
        root = self.x.screen().root
        window = root.create_window(0, 0, 1024, 768, 0, 24, background_pixel=colour)
        window.map()
        x11.round_trip(self.x)

    def pointer(self) -> tuple[int, int]:
        where: Any = self.x.screen().root.query_pointer()
        return where.root_x, where.root_y

    def ask(self, request: str) -> bytes:
        """Return the answer to a raw request."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as stream:
            stream.sendall(request.encode())
            return b"".join(iter(lambda: stream.recv(65536), b""))


@pytest.fixture
def rig(tree: Tree, novnc: Path) -> Iterator[Rig]:
    rig = Rig(tree, novnc)
    yield rig
    x11.close(rig.x)


def websockify(service: Service) -> list[psutil.Process]:
    return [child for child in service.children() if "ibga.vnc.websockify" in child.cmdline()]


def middle_of_the_page(browser: Browser) -> set[tuple[int, int, int]]:
    rows = pixels(browser.screenshot(clip=(400, 300, 20, 20)))
    return {pixel for row in rows for pixel in row}


def test_a_browser_sees_the_display_and_is_counted(rig: Rig, browser: Browser) -> None:
    service = rig.started()
    rig.paint(0x3366CC)
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    assert "main" in browser.evaluate("document.title")
    wait_until(lambda: middle_of_the_page(browser) == {(0x33, 0x66, 0xCC)}, "blue", timeout=10)
    rig.paint(0xCC6633)
    wait_until(lambda: middle_of_the_page(browser) == {(0xCC, 0x66, 0x33)}, "orange", timeout=10)
    assert rig.viewers() == 1
    wait_until(lambda: "1 viewer" in service.notify.status, "the status tells of the viewer")
    browser.open("about:blank")
    wait_until(lambda: rig.viewers() == 0, "the viewer is gone", timeout=15)
    wait_until(lambda: websockify(service) == [], "no websockify without a viewer")
    assert service.warnings() == []


def test_the_mouse_reaches_the_display(rig: Rig, browser: Browser) -> None:
    rig.started()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    browser.move_mouse(300, 300)
    wait_until(lambda: rig.pointer() != (512, 384), "the pointer moved", timeout=10)


def test_view_only_is_kept_by_the_server_and_shown_by_the_page(rig: Rig, browser: Browser) -> None:
    service = rig.started("view_only = true\n")
    assert "-viewonly" in service.child("x11vnc").cmdline()
    before = rig.pointer()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    assert browser.evaluate("document.getElementById('note').textContent") == "view only"
    browser.move_mouse(300, 300)
    browser.move_mouse(310, 310)
    time.sleep(1)
    assert rig.pointer() == before


def test_the_password_is_asked_for_and_a_wrong_one_refused(rig: Rig, browser: Browser) -> None:
    password = rig.tree.root / "password"
    password.touch(mode=0o600)
    password.write_text("s3cr3t\n")
    service = rig.started(f'password_file = "{password}"\n')
    record = rig.record()
    assert record is not None
    assert record.password

    def enter(browser: Browser, text: str) -> None:
        browser.wait_for("document.getElementById('ask').open")
        browser.evaluate(f"document.getElementById('password').value = '{text}'")
        browser.evaluate("document.querySelector('#ask button').click()")

    browser.open(rig.url())
    enter(browser, "wrong")
    browser.wait_for("document.getElementById('refused').textContent")
    assert not browser.evaluate(CONNECTED)
    enter(browser, "s3cr3t")
    browser.wait_for(CONNECTED)
    assert "s3cr3t" not in "\n".join(service.journal())
    assert "s3cr3t" not in " ".join(service.child("x11vnc").cmdline())


def test_with_a_certificate_page_and_websocket_are_tls(rig: Rig, browser: Browser) -> None:
    key, cert = rig.tree.root / "key.pem", rig.tree.root / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    key.chmod(0o600)
    service = rig.started(f'tls_cert = "{cert}"\ntls_key = "{key}"\n')
    record = rig.record()
    assert record is not None
    assert record.tls
    rig.paint(0x228844)
    browser.open(rig.url("https"))
    browser.wait_for(CONNECTED)
    wait_until(lambda: middle_of_the_page(browser) == {(0x22, 0x88, 0x44)}, "green", timeout=10)
    assert rig.viewers() == 1
    browser.open("about:blank")
    wait_until(lambda: rig.viewers() == 0, "the viewer is gone", timeout=15)
    with pytest.raises(OSError, match="reset"):  # no HTTP there
        rig.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_until(service.notify.pings, "a ping, thus the page answers through TLS")
    assert service.warnings() == []


def test_only_the_page_listens_on_tcp(rig: Rig) -> None:
    service = rig.started()
    pids = {service.pid, *(child.pid for child in service.children())}
    listening = [each.laddr for each in psutil.net_connections("inet") if each.pid in pids and not each.raddr]
    assert [(each.ip, each.port) for each in listening] == [("127.0.0.1", rig.port)]


def test_a_foreign_page_and_foreign_files_are_refused(rig: Rig) -> None:
    service = rig.started()
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13"
    )
    host = f"Host: 127.0.0.1:{rig.port}"
    evil = rig.ask(f"GET /websockify HTTP/1.1\r\n{host}\r\nOrigin: http://evil.example\r\n{upgrade}\r\n\r\n")
    assert evil.startswith(b"HTTP/1.1 403 ")
    service.wait_line("evil.example")
    elsewhere = rig.ask(f"GET /other HTTP/1.1\r\n{host}\r\n{upgrade}\r\n\r\n")
    assert elsewhere.startswith(b"HTTP/1.1 404 ")
    above = rig.ask(f"GET /../ibga-agent.jar HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n")
    assert above.startswith(b"HTTP/1.1 404 ")
    assert rig.ask("nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert rig.viewers() == 0


def test_x11vnc_killed_is_noticed_at_once(rig: Rig) -> None:
    service = rig.started(watchdog=60)
    service.child("x11vnc").kill()
    assert service.wait_exit(timeout=5) == 69
    assert "x11vnc was killed by SIGKILL" in service.journal()[-1]
    assert rig.record() is None


def test_x11vnc_stopped_gets_no_ping_and_is_replaced(rig: Rig) -> None:
    service = rig.started()
    wait_until(service.notify.pings, "a ping")
    x11vnc = service.child("x11vnc")
    x11vnc.send_signal(signal.SIGSTOP)
    time.sleep(0.2)  # a look under way may still be answered
    stopped = time.monotonic()
    assert service.wait_exit(timeout=15) == 69
    assert service.notify.pings(since=stopped) == 0
    assert not x11vnc.is_running()


def test_a_killed_websockify_costs_its_viewer_a_moment(rig: Rig, browser: Browser) -> None:
    service = rig.started()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    for child in websockify(service):
        child.kill()
    browser.wait_for(f"!({CONNECTED})", timeout=10)
    assert "stale" in browser.evaluate("document.getElementById('screen').className")
    browser.wait_for(CONNECTED, timeout=20)
    assert service.process.poll() is None


def test_a_halted_websockify_is_found_and_its_viewer_comes_back(rig: Rig, browser: Browser) -> None:
    service = rig.started()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    (child,) = websockify(service)
    child.send_signal(signal.SIGSTOP)
    wait_until(lambda: not child.is_running(), "it is ended", timeout=15)
    wait_until(lambda: websockify(service), "another one takes its place", timeout=20)
    browser.wait_for(CONNECTED, timeout=20)
    service.wait_line("was halted; it is ended")
    assert service.process.poll() is None


def test_the_page_comes_back_by_itself_with_the_service(rig: Rig, browser: Browser) -> None:
    service = rig.started()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    service.stop()
    browser.wait_for("document.getElementById('state').textContent.includes('trying again')")
    rig.started()
    browser.wait_for(CONNECTED, timeout=30)


def test_the_end_of_the_display_ends_the_service(rig: Rig) -> None:
    service = rig.started()
    rig.display.child("Xvfb").kill()
    rig.display.wait_exit()
    assert service.wait_exit(timeout=10) == 69


def test_a_killed_service_leaves_no_process(rig: Rig, browser: Browser) -> None:
    service = rig.started()
    browser.open(rig.url())
    browser.wait_for(CONNECTED)
    children = service.children()
    assert {child.name() for child in children} >= {"x11vnc"}
    service.process.kill()
    service.wait_exit()
    wait_until(
        lambda: not any(each.is_running() and each.status() != "zombie" for each in children),
        "no child is left",
    )


def test_it_is_not_ready_before_there_is_a_display(tree: Tree, novnc: Path) -> None:
    tree.paths.novnc_dir.symlink_to(novnc)
    tree.configure(f"[vnc]\nport = {free_port()}\n")
    service = tree.start("ibga.vnc", watchdog=10)
    assert service.notify.wait_for("READY=1", timeout=2) is None
    tree.start("ibga.display").wait_ready()
    service.wait_ready()


def test_a_taken_port_is_named(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", rig.port)):
        service = rig.start()
        assert service.wait_exit() == 69
    assert f"cannot listen on 127.0.0.1:{rig.port}: Address already in use" in service.journal()[-1]
    assert "vnc.port" in service.journal()[-1]


def test_an_unusable_password_file_is_a_mistake_in_the_configuration(rig: Rig) -> None:
    password = rig.tree.root / "password"
    password.touch(mode=0o600)
    service = rig.start(f'password_file = "{password}"\n')
    assert service.wait_exit() == 78
    assert "vnc.password_file" in "\n".join(service.journal())


def test_a_missing_x11vnc_is_to_be_installed(rig: Rig) -> None:
    service = rig.start(PATH=str(rig.tree.root))
    assert service.wait_exit() == 69
    assert service.journal()[-1] == "<3>x11vnc not found (hint: apt install x11vnc)"


def test_a_missing_page_is_named(tree: Tree) -> None:
    service = tree.start("ibga.vnc")
    assert service.wait_exit() == 69
    assert "no noVNC in" in service.journal()[-1]


def test_a_stop_takes_record_and_socket_away(rig: Rig) -> None:
    service = rig.started()
    assert service.stop() == 0
    left = {path.name for path in rig.tree.paths.runtime_dir.iterdir()}
    assert not left & {"vnc.json", "x11vnc.sock"}
    assert "display.json" in left
