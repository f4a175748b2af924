"""Bad input under systemd: it is named, nothing is lost by it, and a correction is all that it takes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from ibga.runtime import Gateway, GatewayState, State, read
from tests.support.container import Container
from tests.support.instance import Instance, jvm_pids
from tests.support.simulator import build_installer
from tests.system.test_main_job import accounts, refuses

CONFIG_EXIT = "78"


def said(container: Container, unit: str, *, priority: str = "warning") -> str:
    """What *unit* logged since it was started last, at *priority* or above."""
    invocation = container.property(unit, "InvocationID")
    return container.journal(f"_SYSTEMD_INVOCATION_ID={invocation}", "-o", "cat", "-p", priority)


def result(container: Container, unit: str) -> tuple[str, str, str]:
    shown = container.systemctl("show", "-p", "ActiveState", "-p", "ExecMainStatus", "-p", "NRestarts", unit)
    values = dict(line.split("=", 1) for line in shown.splitlines())
    return values["ActiveState"], values["ExecMainStatus"], values["NRestarts"]


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ("[login]\nbudgte = 3\n", ("/etc/ibga/main.toml", "login.budgte", "budget")),
        ("[login\n", ("/etc/ibga/main.toml", "line")),
        ('[schedule]\nrestart = "noon"\n', ("/etc/ibga/main.toml", "schedule.restart", "noon")),
    ],
    ids=["unknown key", "no TOML", "wrong value"],
)
def test_nothing_starts_on_a_wrong_configuration(
    instance: Instance, toml: str, names: tuple[str, ...]
) -> None:
    instance.configure(toml=toml)

    instance.start()

    for part in ("display", "automator", "api"):
        unit = instance.unit(part)
        instance.container.wait_until(
            f"{unit} has failed",
            lambda unit=unit: result(instance.container, unit)[0] == "failed",
            timeout=20,
        )
        assert result(instance.container, unit) == ("failed", CONFIG_EXIT, "0")
        words = said(instance.container, unit, priority="err")
        assert all(name in words for name in (*names, "hint: ")), words
    assert instance.main_pid("gateway") == 0
    assert instance.processes() == ""


def test_a_configuration_that_breaks_later_does_not_disturb_the_session(instance: Instance) -> None:
    instance.configure()
    instance.start()
    instance.wait_state(State.READY)
    jvms, logins = jvm_pids(instance.container), len(instance.events("login"))
    instance.configure(toml="[login]\nbudgte = 3\n")

    for part in ("automator", "api"):
        instance.container.systemctl("restart", instance.unit(part))
        words = said(instance.container, instance.unit(part))
        assert "the last good one" in words
        assert "login.budgte" in words

    instance.wait_state(State.READY, timeout=20)
    instance.container.wait_until("the relay listens", lambda: not refuses(instance), timeout=5)
    assert accounts(instance) == "DU1234567"
    assert jvm_pids(instance.container) == jvms
    assert len(instance.events("login")) == logins


@pytest.mark.parametrize("kind", ["truncated", "checksum", "html"])
def test_a_bad_installer_is_named_and_a_correction_is_all_it_takes(instance: Instance, kind: str) -> None:
    good = build_installer()
    whole = good.read_bytes()
    # No version in the names, so that what is installed already does not count.
    served, gateway, reason = {
        "truncated": (whole[: len(whole) // 2], "", "cut off"),
        "html": (b"<!DOCTYPE html><title>Sign in</title>", "", 'a web page titled "Sign in"'),
        "checksum": (whole, f'installer_sha256 = "{"0" * 64}"', sha256(whole).hexdigest()),
    }[kind]
    (instance.container.root / f"srv/{kind}.sh").write_bytes(served)
    instance.configure(installer_url=f"file:///srv/{kind}.sh", gateway=gateway)

    instance.start()

    def failed() -> bool:
        record = read(instance.paths.runtime_dir / "gateway.json", Gateway)
        return record is not None and record.state is GatewayState.FAILED and reason in record.reason

    instance.container.wait_until(f"gateway.json says {reason!r}", failed, timeout=30)
    words = said(instance.container, instance.unit("gateway"), priority="err")
    assert reason in words
    assert f"/srv/{kind}.sh" in words
    found = instance.container.run("find", "/var/lib/ibga/programs", "-maxdepth", "1", "-name", "installer-*")
    assert found.stdout == ""  # no half of it is left

    instance.configure()
    instance.container.systemctl("restart", "--no-block", instance.unit("gateway"))
    instance.wait_state(State.READY)


@contextmanager
def port_taken(instance: Instance) -> Iterator[None]:
    """Something else listens on the public port."""
    listen = (
        "import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
        "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print('taken', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        instance.container.network(sys.executable, "-c", listen, str(instance.api_port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield
    finally:
        process.kill()
        process.wait(10)


def test_a_port_already_taken_is_named_and_used_once_it_is_free(instance: Instance) -> None:
    instance.configure()
    api = instance.unit("api")
    with port_taken(instance):
        instance.start()
        # The session does not depend on the relay.
        instance.wait_state(State.READY)
        instance.container.wait_until(
            "the journal names the port",
            lambda: (
                f"api.port = {instance.api_port}: the port is already taken"
                in instance.container.journal("-u", api, "-p", "err", "-o", "cat")
            ),
            timeout=10,
        )

    instance.container.wait_until("the relay listens", lambda: not refuses(instance), timeout=15)
    assert accounts(instance) == "DU1234567"


@pytest.mark.parametrize("content", ['{"version": 1, "windows": [', '{"version": 1, "windows": 7}'])
def test_a_report_of_a_foreign_hand_is_named_and_the_next_one_counts(
    instance: Instance, content: str
) -> None:
    instance.configure()
    instance.start()
    instance.wait_state(State.READY)
    automator, jvms = instance.main_pid("automator"), jvm_pids(instance.container)

    # Halted, or its agent may write over it before anyone has read it.
    (jvm,) = jvms
    instance.container.run("kill", "-STOP", str(jvm))
    try:
        instance.container.write("/run/ibga/main/ui.json", content)
        instance.container.wait_until(
            "the journal names the file",
            lambda: "ui.json" in said(instance.container, instance.unit("automator")),
            timeout=10,
        )
    finally:
        instance.container.run("kill", "-CONT", str(jvm))
    # The agent's next report is whole again: a dialog is seen, and answered.
    instance.command("dialog newer")
    instance.container.wait_until(
        "the dialog is answered",
        lambda: any(event["dialog"] == "newer" for event in instance.events("press")),
        timeout=10,
    )
    instance.wait_state(State.READY, timeout=10)
    assert instance.main_pid("automator") == automator
    assert jvm_pids(instance.container) == jvms
    instance.stop()
    assert [event["how"] for event in instance.events("exit")] == ["menu"]
