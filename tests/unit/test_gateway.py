"""The gateway's pure parts: versions, the installer's head, vmoptions, jts.ini, the way out by menu."""

import json
from pathlib import Path
from typing import Any

import pytest

from ibga.agent.report import Report, parse_report
from ibga.config import Config
from ibga.config.settings import ApiSettings, GatewaySettings, Login, Tab
from ibga.errors import Exit, IbgaError
from ibga.gateway import closing, process, program
from ibga.gateway.closing import GiveUp, Press, Pressed, Wait, decide
from ibga.gateway.install import (
    channel_source,
    version_in_name,
    version_in_probe,
    wanted_source,
    what_is_wrong_with,
)
from ibga.gateway.program import Setting, edit_ini, edit_vmoptions, wanted_settings
from ibga.paths import Paths
from ibga.runtime import Display
from tests.support.installer import tiny_installer

JAR = Path("/usr/share/ibga/ibga-agent.jar")
CONFIG = Config(paths=Paths("main"))


# -- names and versions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("https://host/releases/ibgateway-10.45.1j-standalone-linux-x64.sh", "10.45.1j"),
        (
            "https://host/dl/ibgateway-stable%4010.37.1r/ibgateway-10.37.1r-standalone-linux-arm.sh",
            "10.37.1r",
        ),
        ("file:///srv/ibgateway-10.50.1e-standalone-linux-x64.sh?x=1", "10.50.1e"),
        ("https://host/ibgateway-10.45.1-x64.sh", "10.45.1"),
        ("https://host/ibgateway-stable-standalone-linux-x64.sh", ""),
        ("https://10.45.1.7/ibgateway.sh", ""),
        ("https://host/10.45.1j/ibgateway.sh", ""),
        ("https://host/ibgateway-10.45.sh", ""),
        ("https://host/ibgateway-10.45.1.9.sh", ""),
    ],
)
def test_the_version_is_read_from_the_file_name_and_from_nothing_else(url: str, version: str) -> None:
    assert version_in_name(url) == version


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ('twslatest_callback({"buildVersion":"10.50.1d","buildDateTime":"20260813 10:00:00"});', "10.50.1d"),
        ('ibgatewaystable_callback({ "buildDateTime":"x", "buildVersion" : "10.45.1j" });', "10.45.1j"),
        ('{"buildVersion":"10.45.1"}', "10.45.1"),
        ('cb({"buildVersion":"../../etc"});', ""),
        ("<html>not here</html>", ""),
        ("", ""),
    ],
)
def test_the_version_is_read_from_the_probe(body: str, version: str) -> None:
    assert version_in_probe(body) == version


def test_a_channel_has_an_installer_and_a_probe_for_each_architecture() -> None:
    stable = channel_source("stable", machine="x86_64", base="https://host/ibgateway")
    assert stable.url == "https://host/ibgateway/stable-standalone/ibgateway-stable-standalone-linux-x64.sh"
    assert stable.version_url == "https://host/ibgateway/stable-standalone/version.json"
    assert channel_source("latest", machine="aarch64", base="x").url.endswith(
        "-latest-standalone-linux-arm.sh"
    )
    with pytest.raises(IbgaError, match="riscv64") as error:
        channel_source("stable", machine="riscv64", base="x")
    assert error.value.code is Exit.CONFIG


def test_a_scheme_that_is_not_known_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    config = Config(paths=Paths("main", tmp_path), gateway=GatewaySettings(installer_url="ftp://host/x.sh"))
    with pytest.raises(IbgaError, match=r"installer_url = 'ftp://host/x\.sh'") as error:
        wanted_source(config)
    assert error.value.code is Exit.CONFIG


# -- the installer's head -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (tiny_installer(), ""),
        (b"#!/bin/sh\n# install4j\npayload_bytes=50\n" + bytes(60), ""),
        (b"", "empty"),
        (b"\n <!DOCTYPE html><html><head><title>Log in\n</title>", 'web page titled "Log in"'),
        (b"<html><body>moved", "web page"),
        (b"<?xml version='1.0'?><Error/>", "web page"),
        (b"PK\x03\x04zip", "does not begin with"),
        (b"#!/usr/bin/python3\ninstall4j", "does not begin with"),
        (b"#!/usr/bin/env bash\n", ""),
        (b'#!/bin/sh\n# install4j\ntail -c 5000 "$prg" > sfx_archive.tar.gz\n', "cut off"),
        (b"#!/bin/sh\n# install4j\npayload_bytes=5000\n", "cut off"),
    ],
)
def test_what_is_no_installer_is_told(tmp_path: Path, content: bytes, wrong: str) -> None:
    path = tmp_path / "installer"
    path.write_bytes(content)
    said = what_is_wrong_with(path)
    assert wrong in said
    assert bool(wrong) == bool(said)


# -- vmoptions ----------------------------------------------------------------------------------------


def test_vmoptions_get_the_agent_and_keep_the_rest() -> None:
    text = "# Enter one VM parameter per line\n-Xmx768m\n\n-XX:+UseG1GC"
    edited = edit_vmoptions(text, JAR)
    assert edited == (text + f"\n-javaagent:{JAR}\n-Djavax.accessibility.assistive_technologies=\n")
    assert edit_vmoptions(edited, JAR) == edited


def test_vmoptions_hold_our_agent_once_and_leave_that_of_others() -> None:
    text = (
        "-javaagent:/old/place/ibga-agent.jar\n-javaagent:/opt/other.jar=x\n"
        f"-javaagent:{JAR}=option\n-Xmx1g\n-Djavax.accessibility.assistive_technologies=\n"
    )
    lines = edit_vmoptions(text, JAR).splitlines()
    assert lines == [
        "-javaagent:/opt/other.jar=x",
        "-Xmx1g",
        f"-javaagent:{JAR}",
        "-Djavax.accessibility.assistive_technologies=",
    ]


# -- jts.ini ------------------------------------------------------------------------------------------

REAL = """\
[u:abcdefghijabcdefghijabcdefghijabcdefghij]
AutoRestart=1
[IBGateway]
TrustedIPs=127.0.0.1
ApiOnly=true
LocalServerPort=4000
MainWindow.Width=700
[Logon]
Locale=de
UserNameToDirectory=x=y,abc
SupportsSSL=gdc1.ibllc.com:4000,true,20261101,false
s3store=false

[ns]
abc=1
[Communication]
Peer=gdc1.ibllc.com:4001
"""


def test_a_value_is_changed_in_its_line_and_nothing_else_is() -> None:
    assert edit_ini(REAL, [Setting("Logon", "Locale", "en")]) == REAL.replace("Locale=de", "Locale=en")


def test_a_missing_key_comes_after_the_last_line_of_its_section() -> None:
    edited = edit_ini(REAL, [Setting("Logon", "UseSSL", "true")])
    assert edited == REAL.replace("s3store=false\n", "s3store=false\nUseSSL=true\n")


def test_a_missing_section_comes_at_the_end() -> None:
    assert edit_ini(REAL, [Setting("New", "Key", "1")]) == REAL + "[New]\nKey=1\n"
    assert edit_ini("", [Setting("New", "Key", "1")]) == "[New]\nKey=1\n"
    assert (
        edit_ini("[A]\nx=1", [Setting("B", "y", "2"), Setting("A", "z", "3")]) == "[A]\nx=1\nz=3\n[B]\ny=2\n"
    )


def test_a_value_that_is_only_wanted_where_none_is_stays() -> None:
    assert edit_ini(REAL, [Setting("Logon", "s3store", "true", if_absent=True)]) == REAL
    assert "s3store=true" in edit_ini("[Logon]\n", [Setting("Logon", "s3store", "true", if_absent=True)])


def test_a_key_of_another_section_is_another_key() -> None:
    text = "[A]\nKey=1\n[B]\nKey=1\n"
    assert edit_ini(text, [Setting("B", "Key", "2")]) == "[A]\nKey=1\n[B]\nKey=2\n"
    assert edit_ini("Key=0\n[A]\n", [Setting("A", "Key", "2")]) == "Key=0\n[A]\nKey=2\n"


def test_names_are_compared_with_their_case_and_blanks_around_them_do_not_count() -> None:
    assert edit_ini("[A]\n key = 1 \n", [Setting("A", "key", "2")]) == "[A]\nkey=2\n"
    assert edit_ini("[A]\n key = 2 \n", [Setting("A", "key", "2")]) == "[A]\n key = 2 \n"
    assert edit_ini("[A]\nKEY=1\n", [Setting("A", "key", "2")]) == "[A]\nKEY=1\nkey=2\n"


def test_a_key_that_stands_twice_is_set_twice_and_a_section_that_stands_twice_gets_no_third_value() -> None:
    text = "[A]\nk=1\nk=1\n[B]\n[A]\nk=0\n"
    assert edit_ini(text, [Setting("A", "k", "2")]) == "[A]\nk=2\nk=2\n[B]\n[A]\nk=2\n"
    assert edit_ini("[A]\n[B]\n[A]\nk=0\n", [Setting("A", "k", "2")]) == "[A]\n[B]\n[A]\nk=2\n"
    assert edit_ini("[A]\nx=1\n[B]\n[A]\ny=1\n", [Setting("A", "k", "2")]) == (
        "[A]\nx=1\nk=2\n[B]\n[A]\ny=1\n"
    )


def test_line_ends_of_dos_are_kept_and_used() -> None:
    assert edit_ini(
        "[A]\r\nk=1\r\n", [Setting("A", "k", "2"), Setting("A", "l", "3"), Setting("B", "m", "4")]
    ) == ("[A]\r\nk=2\r\nl=3\r\n[B]\r\nm=4\r\n")


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    config = Config(paths=Paths("main", tmp_path))
    path = config.paths.settings_dir / "jts.ini"
    path.parent.mkdir(parents=True)
    odd = b"\xff\x85\x00\x1c odd=\xe9\n; comment \xc3\xa9\n[Logon]\nLocale=de\n\n\n[X]\nno equals sign\n"
    path.write_bytes(odd)
    program.write_jts_ini(config)
    edited = path.read_bytes()
    for line in odd.split(b"\n"):
        assert line in edited or line == b"Locale=de"
    assert b"Locale=en\n" in edited
    program.write_jts_ini(config)
    assert path.read_bytes() == edited


def test_the_wanted_lines_come_from_the_configuration() -> None:
    config = Config(
        paths=Paths("main"),
        login=Login(timezone="America/New_York", tab=Tab.FIX_CTCI),
        api=ApiSettings(trusted_ips=("192.0.2.7", "127.0.0.1")),
    )
    edited = edit_ini(program.SEED, wanted_settings(config))
    assert edited == (
        "[IBGateway]\nWriteDebug=false\nApiOnly=false\nTrustedIPs=127.0.0.1,192.0.2.7\n"
        "LocalServerPort=9000\n[Logon]\nLocale=en\nUseSSL=true\ndisplayedproxymsg=1\ns3store=true\nTimeZone=America/New_York\n"
        "[Communication]\n"
    )
    assert "TimeZone" not in edit_ini(program.SEED, wanted_settings(CONFIG))
    assert "ApiOnly=true" in edit_ini(program.SEED, wanted_settings(CONFIG))


def test_jts_ini_that_is_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    config = Config(paths=Paths("main", tmp_path))
    (config.paths.settings_dir / "jts.ini").mkdir(parents=True)
    with pytest.raises(IbgaError, match=r"jts\.ini"):
        program.write_jts_ini(config)


# -- start --------------------------------------------------------------------------------------------


def test_the_gateway_inherits_all_but_what_is_between_systemd_and_us() -> None:
    display = Display(name=":7", xauthority="/run/x", width=1, height=1, pid=1, since=0.0)
    inherited = {
        "NOTIFY_SOCKET": "/n",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "CREDENTIALS_DIRECTORY": "/c",
        "JAVA_TOOL_OPTIONS": "-x",
        "https_proxy": "http://proxy",
        "LANG": "C.UTF-8",
        "INSTALL4J_ADD_VM_PARAMS": "-Dmine=1",
    }
    made = process.environment(CONFIG, display, inherited)
    assert made == {
        "https_proxy": "http://proxy",
        "LANG": "C.UTF-8",
        "HOME": "/var/lib/ibga",
        "DISPLAY": ":7",
        "XAUTHORITY": "/run/x",
        "IBGA_RUNTIME_DIR": "/run/ibga/main",
        "INSTALL4J_ADD_VM_PARAMS": "-Dmine=1 -Xmx768m -DjtsConfigDir=/var/lib/ibga/main"
        " -XX:ErrorFile=/var/log/ibga/main/hs_err_pid%p.log",
    }


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0, "ended by itself"),
        (None, "exit code is unknown"),
        (-9, "killed by SIGKILL"),
        (143, "killed by SIGTERM"),
        (3, "exit code 3"),
        (-40, "killed by signal 40"),
    ],
)
def test_the_cause_of_an_end_is_a_sentence(tmp_path: Path, code: int | None, cause: str) -> None:
    ended = process.how_it_ended(Config(paths=Paths("main", tmp_path)), 123, code)
    assert cause in ended.cause
    assert ended.code == code


def test_a_crash_of_the_jvm_names_its_report_and_old_reports_are_removed(tmp_path: Path) -> None:
    config = Config(paths=Paths("main", tmp_path))
    config.paths.log_dir.mkdir(parents=True)
    for pid in range(9):
        (config.paths.log_dir / f"hs_err_pid{pid}.log").touch()
    assert "hs_err_pid8.log" in process.how_it_ended(config, 8, -6).cause
    assert len(list(config.paths.log_dir.iterdir())) == process.KEPT_CRASH_REPORTS


# -- the way out --------------------------------------------------------------------------------------


def component(number: int, base: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": number, "class": base, "base": f"javax.swing.{base}", "text": text, "bounds": [0, 0, 9, 9],
        "enabled": True, "focused": False, **more,
    }  # fmt: skip


def window(number: int, title: str, *components: dict[str, Any], modal: bool = False) -> dict[str, Any]:
    return {
        "id": number, "class": "x", "base": "javax.swing.JFrame", "kind": "dialog" if modal else "frame",
        "title": title, "bounds": [0, 0, 99, 99], "active": True, "modal": modal, "enabled": True,
        "components": list(components),
    }  # fmt: skip


def report(*windows: dict[str, Any]) -> Report:
    return parse_report(
        json.dumps({"version": 1, "pid": 1, "seq": 1, "time": 1.0, "focus": None, "windows": list(windows)})
    )


def main_window(*, enabled: bool = True) -> dict[str, Any]:
    item = component(12, "JMenuItem", "Close", enabled=enabled)
    menu = component(11, "JMenu", "File", components=[component(13, "JMenuItem", "API Logs"), item])
    return window(1, "IBKR Gateway", component(10, "JMenuBar", components=[menu]))


CONFIRMATION = window(
    2, "IBKR Gateway", component(20, "JLabel", "Are you sure  you want to exit?"),
    component(21, "JButton", "Yes"), component(22, "JButton", "No"), modal=True,
)  # fmt: skip
UNKNOWN = window(3, "Strange", component(30, "JLabel", "Hm?"), component(31, "JButton", "Yes"), modal=True)


def pressed_component(step: Press | Wait | GiveUp) -> tuple[int | None, int | None]:
    assert isinstance(step, Press), step
    return step.command.component, step.command.window


def test_the_way_out_is_file_close_then_yes_whatever_else_is_open() -> None:
    assert pressed_component(decide(report(main_window()), Pressed(), 100.0)) == (12, 1)
    assert pressed_component(decide(report(UNKNOWN, main_window()), Pressed(), 100.0)) == (12, 1)
    assert pressed_component(decide(report(UNKNOWN, main_window(), CONFIRMATION), Pressed(), 100.0)) == (
        21,
        2,
    )


def test_a_press_is_repeated_only_after_a_while_and_not_for_ever() -> None:
    pressed = Pressed()
    pressed.note(12, 100.0)
    assert isinstance(decide(report(main_window()), pressed, 101.0), Wait)
    assert isinstance(decide(report(main_window()), pressed, 100.0 + closing.EFFECT_TIMEOUT), Press)
    pressed.note(12, 104.0)
    pressed.note(12, 108.0)
    assert isinstance(decide(report(main_window()), pressed, 200.0), GiveUp)


def test_the_shutdown_is_waited_for() -> None:
    assert isinstance(decide(report(main_window(), window(4, "Shutdown Progress")), Pressed(), 1.0), Wait)
    pressed = Pressed()
    pressed.note(12, 100.0)
    assert isinstance(decide(report(), pressed, 101.0), Wait)


def test_without_a_main_window_no_menu_leads_out() -> None:
    login = window(1, "IBKR Gateway", component(5, "JButton", "Log In"))
    assert isinstance(decide(report(login), Pressed(), 1.0), GiveUp)
    assert isinstance(decide(None, Pressed(), 1.0), GiveUp)


def test_a_disabled_menu_item_is_waited_for() -> None:
    assert isinstance(decide(report(main_window(enabled=False)), Pressed(), 1.0), Wait)
