"""The main job: one target that installs a gateway, logs it in, and offers its API to a real client."""

import subprocess
import sys
from hashlib import sha256

import pytest

from ibga.runtime import State
from tests.support.instance import Instance

CLIENT = """
import sys
from ib_async import IB
client = IB()
client.connect("127.0.0.1", int(sys.argv[1]), clientId=7, timeout=10)
print(*client.managedAccounts())
client.disconnect()
"""


def accounts(instance: Instance) -> str:
    """What a client is told through the public port; CalledProcessError where it cannot connect."""
    done = subprocess.run(
        instance.container.network(sys.executable, "-c", CLIENT, str(instance.api_port)),
        check=True, timeout=30, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def refuses(instance: Instance) -> bool:
    """Whether the public port refuses a connection."""
    connect = f"import socket, sys; sys.exit(socket.socket().connect_ex(('127.0.0.1', {instance.api_port})))"
    return (
        subprocess.run(instance.container.network(sys.executable, "-c", connect), timeout=10).returncode
        == 111
    )


@pytest.mark.parametrize(("mode", "account"), [("paper", "DU1234567"), ("live", "U1234567")])
def test_starting_the_target_ends_with_a_client_that_sees_its_accounts(
    instance: Instance, mode: str, account: str
) -> None:
    instance.configure(mode=mode)
    assert refuses(instance)

    instance.start()
    instance.wait_state(State.READY)

    instance.container.wait_until("the relay listens", lambda: not refuses(instance), timeout=5)
    assert accounts(instance) == account


def test_stopping_returns_when_the_gateway_has_logged_out_through_its_menu(instance: Instance) -> None:
    instance.configure()
    for _ in range(3):
        instance.start()
        instance.wait_state(State.READY)
        before = len(instance.events())

        instance.stop()

        assert instance.processes() == ""
        assert refuses(instance)
        assert [
            (event["how"], event["code"]) for event in instance.events()[before:] if event["event"] == "exit"
        ] == [("menu", 0)]


def test_the_password_reaches_the_gateway_unchanged(instance: Instance) -> None:
    password = "a B!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~é ß€Ω中"
    instance.configure(password=password)

    instance.start()
    instance.wait_state(State.READY)

    assert [event["password_sha256"] for event in instance.events("login")] == [
        sha256(password.encode()).hexdigest()
    ]


def test_the_password_is_in_no_file_that_is_left(instance: Instance) -> None:
    password = "correct horse battery staple 42"
    instance.configure(password=password)
    instance.start()
    instance.wait_state(State.READY)
    instance.stop()

    found = instance.container.run(
        "grep",
        "-rlF",
        password,
        "/run/ibga",
        "/var/lib/ibga",
        "/var/log",
        "/etc",
        "--exclude-dir=simulator",
        check=False,
    ).stdout.split()

    assert [name for name in found if "simulator" not in name] == ["/etc/credstore/ibga.main.password"]
