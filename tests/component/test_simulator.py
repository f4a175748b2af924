"""The simulated gateway is what the field guide says: without that, every test on it is worth nothing.

Driven by plain xdotool at coordinates that the simulator reports, or by its own auto-pilot.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ib_async import IB

from tests.support.simulator import (
    Simulator,
    build_installer,
    free_port,
    installed,
    simulator,
    wait_for_event,
)
from tests.support.xvfb import Xvfb, xvfb

PASSWORD = "p4ss-W0rd(secret)"


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xvfb]:
    with xvfb(tmp_path_factory.mktemp("xvfb")) as running:
        yield running


def autopilot(port: int, **more: str) -> dict[str, str]:
    """A scenario that logs in by itself and offers a writable API on *port*."""
    return {
        "autopilot.user": "demo",
        "paper.dialog": "false",
        "profile.socketPort": str(port),
        "profile.readOnlyApi": "false",
        **more,
    }


def locate(gateway: Simulator, kind: str, text: str = "", index: int = 0) -> dict[str, Any]:
    """Return where the component shows, as soon as it does."""
    deadline = time.monotonic() + 10
    while True:
        before = len(gateway.events())
        gateway.command("locate")
        components = gateway.wait_for("located", after=before)["components"]
        found = [
            each
            for each in components
            if each["kind"] == kind and text in ("", each["text"]) and each["x"] > 0
        ]
        if len(found) > index:
            return dict(found[index])
        assert time.monotonic() < deadline, f"no {kind} {text!r} among {components}"
        time.sleep(0.05)


def click(display: Xvfb, gateway: Simulator, kind: str, text: str = "", index: int = 0) -> None:
    place = locate(gateway, kind, text, index)
    display.click(place["x"], place["y"])


def connect(port: int, **options: Any) -> tuple[IB, list[str]]:
    """Connect a real client and return it with its accounts."""
    client = IB()
    client.connect("127.0.0.1", port, clientId=7, timeout=10, **options)
    return client, client.managedAccounts()


def install(
    installer: Path, *arguments: str, answers: str = "", display: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installer, *arguments],
        input=answers,
        env={**os.environ, "DISPLAY": display},
        timeout=60,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# --- installer -------------------------------------------------------------------------------------------


def test_the_console_installer_reads_directory_and_a_second_answer(tmp_path: Path) -> None:
    done = install(build_installer(), answers=f"{tmp_path}/gateway\n\n")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "gateway" / "ibgateway").exists()
    assert (tmp_path / "gateway/.install4j/inst_jre.cfg").read_text() == f"{tmp_path}/gateway/jre\n"


def test_the_installer_refuses_where_nobody_answers_or_a_window_is_wanted(tmp_path: Path) -> None:
    assert install(build_installer(), answers="").returncode == 1
    assert install(build_installer(), answers=f"{tmp_path}/a\n\n", display=":77").returncode == 1
    assert not (tmp_path / "a").exists()


def test_a_truncated_installer_leaves_tmp_files_and_fails(tmp_path: Path) -> None:
    torn = tmp_path / "torn.sh"
    content = build_installer().read_bytes()
    torn.write_bytes(content[: len(content) // 2])
    torn.chmod(0o755)
    done = install(torn, "-q", "-dir", str(tmp_path / "gateway"))
    assert done.returncode == 1
    assert list((tmp_path / "gateway" / "jars").glob("*.tmp"))
    assert not (tmp_path / "gateway/.install4j/inst_jre.cfg").exists()


def test_an_installation_that_was_moved_does_not_start(tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(installed(), moved, ignore=shutil.ignore_patterns("jre"))
    done = subprocess.run([moved / "ibgateway"], capture_output=True, timeout=20)
    assert done.returncode == 83


def test_another_version_names_itself_in_its_file_and_its_jars() -> None:
    installer = build_installer("10.50.1e")
    assert installer.name == "ibgateway-10.50.1e-standalone-linux-x64.sh"
    assert (installed("10.50.1e") / "jars" / "jts4launch-1050.jar").exists()


# --- launcher --------------------------------------------------------------------------------------------


def test_the_launcher_honours_every_way_to_pass_options_and_keeps_its_pid(
    display: Xvfb, tmp_path: Path
) -> None:
    with simulator(
        display,
        tmp_path / "settings",
        arguments=("-J-Done=1 2", "first argument"),
        environment={"INSTALL4J_ADD_VM_PARAMS": "-Dtwo=2 -Xmx300m"},
    ) as gateway:
        start = gateway.wait_for("start")
        assert start["pid"] == gateway.process.pid
        assert start["args"] == ["first argument"]
        assert start["properties"]["one"] == "1 2"
        assert start["properties"]["two"] == "2"
        assert start["max_heap"] < 310 * 2**20  # the later -Xmx wins over the 768m of the vmoptions
        assert "-XX:+UseG1GC" in start["jvm_args"]
        gateway.wait_for("window-shown", dialog="login")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.wait() == 143
        assert gateway.events("exit")[0]["how"] == "signal"


@pytest.mark.parametrize(("honours", "argument"), [("V", "-J-DjtsConfigDir="), ("J", "-VjtsConfigDir=")])
def test_the_placeholder_wins_in_launchers_that_honour_the_other_way(
    display: Xvfb, tmp_path: Path, honours: str, argument: str
) -> None:
    home = tmp_path / "home"
    program = tmp_path / "gateway"
    install(build_installer(), "-q", "-dir", str(program))
    (program / "simulator.properties").write_text(f"launcher.honours={honours}\n")
    settings = home / "Jts"
    settings.mkdir(parents=True)
    process = subprocess.Popen(
        [program / "ibgateway", f"-J-Duser.home={home}", f"{argument}{tmp_path}/elsewhere"],
        env=display.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        Simulator(process, settings, tmp_path / "none").wait_for("start")
        assert not (tmp_path / "elsewhere").exists()
    finally:
        process.kill()
        process.wait(10)


# --- a life by mouse and keyboard ------------------------------------------------------------------------


def test_a_person_logs_in_configures_and_closes_by_mouse_and_keyboard(display: Xvfb, tmp_path: Path) -> None:
    settings, port = tmp_path / "settings", free_port()
    fresh_port = free_port()
    scenario = {"login.user": "demo", "login.password": PASSWORD, "profile.socketPort": str(fresh_port)}
    with simulator(display, settings, scenario) as gateway:
        gateway.wait_for("window-shown", dialog="login")
        click(display, gateway, "JToggleButton", "Paper Trading")
        gateway.wait_for("press", text="Paper Trading", by="mouse")
        assert not locate(gateway, "JButton", "Paper Log In")["enabled"]
        click(display, gateway, "JTextField")
        display.type("demo")
        gateway.wait_for("typed", kind="JTextField", length=4)
        click(display, gateway, "JPasswordField")
        display.type(PASSWORD)
        gateway.wait_for("typed", kind="JPasswordField", length=len(PASSWORD))
        click(display, gateway, "JButton", "Paper Log In")

        login = gateway.wait_for("login")
        assert (login["user"], login["mode"], login["tab"]) == ("demo", "paper", "IB API")
        assert login["password_sha256"] == hashlib.sha256(PASSWORD.encode()).hexdigest()
        assert PASSWORD not in (settings / "simulator-events.jsonl").read_text()
        gateway.wait_for("api-listen", port=fresh_port)
        gateway.wait_for("window-shown", dialog="paper")
        with pytest.raises(
            TimeoutError
        ):  # the listener is there, but says nothing before the warning is accepted
            asyncio.run(IB().connectAsync("127.0.0.1", fresh_port, clientId=8, timeout=0.5))
        click(display, gateway, "JButton", "I understand and accept")
        press = gateway.wait_for("press", dialog="paper", by="mouse")
        assert 0 < press["latency_ms"] < 20_000

        change_port(display, gateway, port)
        client, accounts = connect(port)
        client.disconnect()
        assert accounts == ["DU1234567"]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", fresh_port), timeout=5)

        click(display, gateway, "JMenu", "File")
        click(display, gateway, "JMenuItem", "Close")
        gateway.wait_for("menu-exit")
        click(display, gateway, "JButton", "Yes")
        assert gateway.wait() == 0
        assert gateway.events("window-shown", dialog="shutdown")
        assert gateway.events("exit", how="menu", code=0)
    stored = next(settings.glob("*/ibg.xml")).read_bytes()
    assert stored.startswith(b"IBGZENC")
    assert str(port).encode() not in stored


def open_page(display: Xvfb, gateway: Simulator, *path: str) -> None:
    """Open the settings dialog and select a page of its tree, expanding what is above it."""
    click(display, gateway, "JMenu", "Configure")
    click(display, gateway, "JMenuItem", "Settings")
    gateway.wait_for("window-shown", dialog="settings")
    for name in path[:-1]:
        click(display, gateway, "JTree(row)", name)
        display.run("xdotool", "click", "--repeat", "2", "--delay", "50", "1")
    click(display, gateway, "JTree(row)", path[-1])


def change_port(display: Xvfb, gateway: Simulator, port: int) -> None:
    """Set the socket port and clear Read-Only API in the settings dialog."""
    open_page(display, gateway, "API", "Settings")
    click(display, gateway, "JCheckBox", "Read-Only API")
    gateway.wait_for("press", text="Read-Only API", selected=False)
    click(display, gateway, "JTextField")
    display.run("xdotool", "key", "ctrl+a", "BackSpace")
    display.type(str(port))
    title = gateway.events("window-shown", dialog="settings")[-1]["title"]
    gateway.wait_for("typed", window=title, length=len(str(port)))
    click(display, gateway, "JButton", "OK")
    gateway.wait_for("setting", key="socketPort", new=str(port))
    gateway.wait_for("api-listen", port=port)
    gateway.wait_for("window-closed", dialog="settings")


# --- settings --------------------------------------------------------------------------------------------


def test_settings_persist_over_a_clean_exit_and_a_fresh_profile_is_read_only(
    display: Xvfb, tmp_path: Path
) -> None:
    settings, port = tmp_path / "settings", free_port()
    scenario = {
        "autopilot.user": "demo",
        "paper.dialog": "false",
        "exit.confirm": "false",
        "settings.infoDelay": "0",
    }
    fresh = {**scenario, "profile.socketPort": str(port)}
    ini = "[Mine]\nMyKey=a:b = c\n[IBGateway]\nApiOnly=true\n"
    with simulator(display, settings, fresh, jts_ini=ini) as gateway:
        gateway.wait_for("api-listen", port=port)
        client, _ = connect(port, readonly=True)
        client.reqAllOpenOrdersAsync()
        gateway.wait_for("api-write-refused", client=7)
        gateway.wait_for("window-shown", dialog="write-access")
        client.disconnect()
        click(display, gateway, "JButton", "No")
        open_page(display, gateway, "Lock and Exit")
        click(display, gateway, "JRadioButton", "Auto restart")
        click(display, gateway, "JRadioButton", "AM")
        gateway.wait_for("press", text="AM", selected=True)
        click(display, gateway, "JButton", "OK")
        gateway.wait_for("setting", key="exitHalf", new="AM")
        gateway.wait_for("window-shown", dialog="auto-restart-info")
        assert not gateway.events("window-closed", dialog="settings")
        gateway.command("dismiss auto-restart-info")
        gateway.wait_for("window-closed", dialog="settings")
        gateway.command("press File > Close")
        assert gateway.wait() == 0
    text = (settings / "jts.ini").read_text()
    assert "[Mine]\nMyKey=a:b = c\n" in text  # what the gateway does not know stays
    assert "AutoRestart=1" in text
    assert "Peer=gdc1.ibllc.com:4001" in text
    with simulator(display, settings, scenario) as gateway:
        gateway.wait_for("api-listen", after=len(gateway.events()), port=port)
        assert "autoRestartType=DAILY" in (settings / "launcher.log").read_text()


def test_without_api_only_in_jts_ini_the_login_frame_has_no_trading_modes(
    display: Xvfb, tmp_path: Path
) -> None:
    with simulator(display, tmp_path / "settings", jts_ini="") as gateway:
        gateway.wait_for("window-shown", dialog="login")
        locate(gateway, "JButton", "Log In")
        texts = {each["text"] for each in gateway.events("located")[-1]["components"]}
        assert "IB API" in texts
        assert "Paper Trading" not in texts


# --- outcomes of a login ---------------------------------------------------------------------------------


def test_a_wrong_password_ends_at_the_form_and_the_next_attempt_may_succeed(
    display: Xvfb, tmp_path: Path
) -> None:
    scenario = autopilot(free_port(), **{"login.password": "right", "autopilot.password": "wrong"})
    with simulator(display, tmp_path / "settings", scenario) as gateway:
        gateway.wait_for("login-result", result="login-failed")
        gateway.wait_for("window-shown", dialog="login-failed", title="Login failed")
        click(display, gateway, "JButton", "OK")
        click(display, gateway, "JTextField")
        display.type("demo")
        click(display, gateway, "JPasswordField")
        display.type("right")
        click(display, gateway, "JButton", "Paper Log In")
        gateway.wait_for("login-result", result="ok", attempt=2)


def test_outcomes_go_through_dialogs_in_order(display: Xvfb, tmp_path: Path) -> None:
    scenario = autopilot(free_port(), **{"login.outcomes": "retry+existing+ok", "delay.retry": "0.1"})
    with simulator(display, tmp_path / "settings", scenario) as gateway:
        shown = gateway.wait_for("window-shown", dialog="existing")
        assert shown["class"] == "twslaunch.jconnection.aM"
        gateway.command("press File > Close")  # far too early
        gateway.wait_for("early-menu", path="File > Close")
        click(display, gateway, "JButton", "Continue Login")
        gateway.wait_for("login-complete")


def test_in_fix_mode_settings_are_greyed(display: Xvfb, tmp_path: Path) -> None:
    settings, port = tmp_path / "settings", free_port()
    ini = f"[IBGateway]\nApiOnly=false\nLocalServerPort={port}\n"
    with simulator(display, settings, autopilot(free_port()), jts_ini=ini) as gateway:
        gateway.wait_for("login-complete")
        assert gateway.events("login")[0]["tab"] == "FIX CTCI"
        gateway.wait_for("api-listen", port=port)
        click(display, gateway, "JMenu", "Configure")
        assert not locate(gateway, "JMenuItem", "Settings")["enabled"]


# --- API -------------------------------------------------------------------------------------------------


def test_the_api_serves_a_real_client_and_tells_what_others_did(display: Xvfb, tmp_path: Path) -> None:
    port = free_port()
    with simulator(display, tmp_path / "settings", autopilot(port)) as gateway:
        gateway.wait_for("api-listen", port=port)
        client, accounts = connect(port, raiseSyncErrors=True)
        assert accounts == ["DU1234567"]
        assert client.client.serverVersion() == 178
        assert client.reqCurrentTime().timestamp() == pytest.approx(time.time(), abs=30)
        with pytest.raises((ConnectionError, TimeoutError)):
            asyncio.run(IB().connectAsync("127.0.0.1", port, clientId=7, timeout=2))
        gateway.wait_for("api-duplicate-id", client=7)
        assert client.isConnected()
        gateway.command("lose-connection")
        again = gateway.wait_for("window-shown", after=len(gateway.events()) - 1, dialog="welcome")
        assert again["window_id"] == gateway.events("window-shown", dialog="welcome")[0]["window_id"]
        assert client.isConnected()
        gateway.command("restore-connection")
        client.disconnect()
        gateway.wait_for("api-disconnect", client=7)
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        gateway.wait_for("api-bare-connect")


# --- scripting -------------------------------------------------------------------------------------------


def test_variants_change_titles_classes_and_decoys(display: Xvfb, tmp_path: Path) -> None:
    scenario = autopilot(
        free_port(),
        **{
            "title": "IB Gateway",
            "classes": "2022",
            "decoys": "false",
            "html.labels": "true",
            "main.status": "table",
            "titlebar": "capitals",
        },
    )
    with simulator(display, tmp_path / "settings", scenario) as gateway:
        gateway.wait_for("login-complete")
        shown = gateway.events("window-shown")
        assert shown[0]["dialog"] == "login"
        assert (shown[0]["title"], shown[0]["class"]) == ("IB Gateway", "ibgateway.aA")


def test_the_frame_fits_a_small_screen(tmp_path: Path) -> None:
    with xvfb(tmp_path, "640x480") as small, simulator(small, tmp_path / "settings") as gateway:
        shown = gateway.wait_for("window-shown", dialog="login")
        assert (shown["width"], shown["height"]) == (640, 480)
        # X has no empty windows: Java says 0 or 1, as it comes.
        assert [each for each in gateway.events("window-shown", dialog="decoy") if each["width"] <= 1]


def test_dialogs_come_as_commands_one_window_showing_several(display: Xvfb, tmp_path: Path) -> None:
    scenario = autopilot(free_port(), **{"dialogs.reuse": "true", "dialogs.kind": "textarea"})
    with simulator(display, tmp_path / "settings", scenario) as gateway:
        gateway.wait_for("login-complete")
        gateway.command("sequence newer,unknown", "block-edt 0.2")
        first = gateway.wait_for("window-shown", dialog="newer")
        click(display, gateway, "JButton", "OK")
        second = gateway.wait_for("window-shown", dialog="unknown")
        assert second["window_id"] == first["window_id"]
        assert second["title"] == "Quarterly survey"
        click(display, gateway, "JButton", "Not now")
        gateway.wait_for("press", dialog="unknown", text="Not now", by="mouse")
        seen = len(gateway.events())
        gateway.command("dialog every-kind newer unknown")
        for name in ("every-kind", "newer", "unknown"):  # one on top of the other
            gateway.wait_for("window-shown", after=seen, dialog=name)
        assert not [each for each in gateway.events()[seen:] if each["event"] == "window-closed"]


def test_a_bench_shows_each_dialog_after_the_former_was_answered(display: Xvfb, tmp_path: Path) -> None:
    scenario = autopilot(free_port(), **{"dialog.newer.timeout": "0.02"})
    with simulator(display, tmp_path / "settings", scenario) as gateway:
        gateway.wait_for("login-complete")
        gateway.command("bench 12 5 newer", "big-window 600")
        gateway.wait_for("bench-done", dialogs=12)
        assert len(gateway.events("window-shown", dialog="newer")) == 12
        gateway.wait_for("window-shown", dialog="big")
        gateway.command("exit 3")
        assert gateway.wait() == 3


def test_a_self_restart_brings_a_new_process_with_the_session(display: Xvfb, tmp_path: Path) -> None:
    settings, port = tmp_path / "settings", free_port()
    with simulator(display, settings, autopilot(port)) as gateway:
        gateway.wait_for("api-listen")
        seen = len(gateway.events())
        gateway.command("self-restart")
        assert gateway.wait() == 0
        successor = wait_for_event(settings, "start", after=seen)
        try:
            wait_for_event(settings, "login-complete", after=seen)
            assert len(gateway.events("login")) == 1
            assert "Running in auto-restart mode" in (settings / "launcher.log").read_text()
            assert not list(settings.glob("*/autorestart"))
        finally:
            os.kill(successor["pid"], signal.SIGTERM)
