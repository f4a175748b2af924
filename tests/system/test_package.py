"""The Debian package: what installing, upgrading, removing and purging it does to a running system."""

import subprocess
from pathlib import Path

from ibga.runtime import State
from tests.support.container import Container
from tests.support.instance import PARTS, Instance, jvm_pids


def test_lintian_has_nothing_to_say(deb: Path) -> None:
    result = subprocess.run(
        ["lintian", "--allow-root", "--info", "--display-info", "--pedantic", str(deb)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip

    assert (result.returncode, result.stdout) == (0, "")


def test_installing_creates_the_user_and_its_directories(bare: Container, deb: Path) -> None:
    bare.install(deb)

    user = bare.run("getent", "passwd", "ibga").stdout.strip().split(":")
    assert user[5:] == ["/var/lib/ibga", "/usr/sbin/nologin"]
    listed = bare.run(
        "stat",
        "-c",
        "%n %a %U:%G",
        "/etc/ibga",
        "/etc/ibga/dialogs.d",
        "/run/ibga",
        "/var/lib/ibga",
        "/var/log/ibga",
    )
    assert listed.stdout.splitlines() == [
        "/etc/ibga 750 root:ibga",
        "/etc/ibga/dialogs.d 750 root:ibga",
        "/run/ibga 750 ibga:ibga",
        "/var/lib/ibga 750 ibga:ibga",
        "/var/log/ibga 750 ibga:ibga",
    ]


def test_installing_starts_and_enables_nothing(bare: Container, deb: Path) -> None:
    before = bare.run("find", "/etc/systemd", "-type", "l").stdout

    bare.install(deb)

    assert bare.systemctl("list-units", "--all", "--plain", "--no-legend", "ibga*") == ""
    assert bare.run("find", "/etc/systemd", "-type", "l").stdout == before


def test_the_command_line_is_there_after_installing(bare: Container, deb: Path) -> None:
    bare.install(deb)

    assert "status" in bare.run("ibga", "--help").stdout
    assert "NAME" in bare.run("man", "ibga").stdout


def test_an_upgrade_leaves_display_gateway_and_api_alone(bare: Container, deb: Path) -> None:
    bare.install(deb)
    instance = Instance(bare)
    instance.configure()
    instance.start()
    instance.wait_state(State.READY)
    before = {part: instance.main_pid(part) for part in PARTS}
    jvms = jvm_pids(bare)

    bare.install(deb)

    after = {part: instance.main_pid(part) for part in PARTS}
    assert {part for part in PARTS if before[part] != after[part]} == {"automator", "vnc"}
    assert jvm_pids(bare) == jvms
    instance.wait_state(State.READY)


def files_named_after_it(container: Container, *folders: str) -> set[str]:
    found = container.run("find", *folders, "-name", "*ibga*", "-not", "-path", "/var/log/journal/*")
    return set(found.stdout.splitlines())


def test_removing_logs_the_gateway_out_and_keeps_the_data(bare: Container, deb: Path) -> None:
    before = files_named_after_it(bare, "/usr")
    bare.install(deb)
    instance = Instance(bare)
    instance.configure()
    bare.systemctl("enable", "--now", instance.target)
    instance.wait_state(State.READY)

    bare.run("apt-get", "remove", "-y", "ibga", timeout=180)

    assert instance.processes() == ""
    assert [event["how"] for event in instance.events("exit")] == ["menu"]
    assert (instance.paths.settings_dir / "jts.ini").exists()
    assert instance.paths.config_file.exists()
    assert files_named_after_it(bare, "/usr") == before


def test_purging_removes_all_that_is_its_own(bare: Container, deb: Path) -> None:
    before = files_named_after_it(bare, "/etc", "/usr", "/var", "/run")
    bare.install(deb)
    Instance(bare).configure()
    bare.systemctl("enable", "ibga@main.target")
    bare.run("install", "-D", "-o", "ibga", "/dev/null", "/var/lib/ibga/main/jts.ini")

    bare.run("apt-get", "purge", "-y", "ibga", timeout=180)

    assert files_named_after_it(bare, "/etc", "/usr", "/var", "/run") == before
