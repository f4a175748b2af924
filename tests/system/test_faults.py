"""What dies or hangs comes back by itself, and the session survives where it can."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ibga.runtime import Api, State, read
from tests.support.container import Container
from tests.support.instance import PARTS, Instance, jvm_pids

#: Seconds of WatchdogSec= in these tests; the shipped ones would make them wait for minutes. The gateway
#: keeps its own: it leaves an event queue alone that is late by 10 s.
WATCHDOG = dict.fromkeys(PARTS, 6) | {"gateway": 30}
#: Processes that are no unit's main process, by what pgrep finds them with.
CHILDREN = {"Xvfb": "Xvfb", "x11vnc": "x11vnc", "jvm": "install4j.ibgateway.GWClient"}

CLIENT = """
import sys
from ib_async import IB
client = IB()
client.connect("127.0.0.1", int(sys.argv[1]), clientId=8, timeout=10)
print("connected", flush=True)
sys.stdin.readline()
client.reqCurrentTime()
print("served", flush=True)
client.disconnect()
"""


@pytest.fixture(scope="module")
def ready(debian: Container) -> Iterator[Instance]:
    """Instance "main", ready, with short watchdogs; every test leaves it ready."""
    instance = Instance(debian)
    for part in PARTS:
        folder = f"/run/systemd/system/ibga-{part}@.service.d"
        content = f"[Service]\nWatchdogSec={WATCHDOG[part]}\n"
        debian.write(f"{folder}/watchdog.conf", content, mode=0o644, group="root")
    debian.systemctl("daemon-reload")
    instance.configure(toml="[login]\nbudget = 100\n")  # each fault below the session costs a login
    instance.start()
    try:
        wait_until_all_is_well(instance)
        yield instance
    finally:
        instance.forget()
        debian.run("sh", "-c", "rm -r /run/systemd/system/ibga-*.service.d")
        debian.systemctl("daemon-reload")


def wait_until_all_is_well(instance: Instance, timeout: float = 60) -> None:
    def well() -> bool:
        session, api = instance.session(), read(instance.paths.runtime_dir / "api.json", Api)
        return (
            instance.container.systemctl("is-active", *map(instance.unit, PARTS), check=False).split()
            == ["active"] * len(PARTS)
            and (session is not None and session.state is State.READY and session.facts.process.ok)
            and (api is not None and api.listening)
        )

    instance.container.wait_until("all parts active, session ready, API open", well, timeout=timeout)


def pid_of(instance: Instance, victim: str) -> int:
    """Pid, as seen inside, of a part's main process or of one of CHILDREN; 0 where it does not run."""
    if victim in PARTS:
        return instance.main_pid(victim)
    found = instance.container.run("pgrep", "-u", "ibga", "-f", CHILDREN[victim], check=False).stdout.split()
    # x11vnc and Xvfb are named in no other command line; of the JVM there is one.
    return int(found[0]) if found else 0


@contextmanager
def connected_client(instance: Instance) -> Iterator[subprocess.Popen[str]]:
    """A real client that is connected; at the end it must still be served."""
    process = subprocess.Popen(
        instance.container.network(sys.executable, "-c", CLIENT, str(instance.api_port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        yield process
        output, _ = process.communicate("\n", timeout=20)
        assert output == "served\n"
    finally:
        process.kill()
        process.wait(10)


def strike(instance: Instance, signal: str, victim: str, *, deadline: float) -> float:
    """Send *signal*; return after how many seconds another process had taken the victim's place."""
    before = pid_of(instance, victim)
    assert before
    instance.container.run("kill", f"-{signal}", str(before))
    struck = time.monotonic()
    instance.container.wait_until(
        f"another {victim}",
        lambda: pid_of(instance, victim) not in (0, before),
        timeout=deadline,
        interval=0.1,
    )
    return time.monotonic() - struck


@pytest.mark.parametrize("victim", ["vnc", "x11vnc", "automator"])
def test_a_kill_beside_the_session_is_not_noticed_by_a_client(ready: Instance, victim: str) -> None:
    jvms = jvm_pids(ready.container)
    logins = len(ready.events("login"))

    with connected_client(ready):
        strike(ready, "KILL", victim, deadline=20)
        wait_until_all_is_well(ready)

    assert jvm_pids(ready.container) == jvms
    assert len(ready.events("login")) == logins


def test_a_kill_of_the_relay_costs_connections_but_no_session(ready: Instance) -> None:
    jvms = jvm_pids(ready.container)

    strike(ready, "KILL", "api", deadline=20)
    wait_until_all_is_well(ready)

    assert jvm_pids(ready.container) == jvms
    with connected_client(ready):
        pass


@pytest.mark.parametrize("victim", ["Xvfb", "display", "gateway", "jvm"])
def test_after_a_kill_below_the_session_it_is_ready_again(ready: Instance, victim: str) -> None:
    jvms = jvm_pids(ready.container)
    assert len(jvms) == 1

    strike(ready, "KILL", victim, deadline=30)
    ready.container.wait_until(
        "a new JVM, and only that",
        lambda: len(now := jvm_pids(ready.container)) == 1 and now != jvms,
        timeout=60,
    )
    wait_until_all_is_well(ready)

    with connected_client(ready):
        pass


@pytest.mark.parametrize(
    ("victim", "part"),
    [
        ("vnc", "vnc"),
        ("x11vnc", "vnc"),
        ("automator", "automator"),
        ("api", "api"),
        ("display", "display"),
        ("Xvfb", "display"),
        ("gateway", "gateway"),
        ("jvm", "gateway"),
    ],
)
def test_what_hangs_is_found_and_replaced(ready: Instance, victim: str, part: str) -> None:
    def reported() -> int:
        """How often systemd or a service said that something does not answer."""
        units = [argument for part in PARTS for argument in ("-u", ready.unit(part))]
        return len(
            [
                line
                for line in ready.container.journal(*units, "-o", "cat").splitlines()
                if "atchdog timeout" in line
            ]
        )

    before, pid = reported(), pid_of(ready, victim)
    ready.container.run("kill", "-STOP", str(pid))

    ready.container.wait_until(
        f"the watchdog or the service finds that {victim} hangs",
        lambda: reported() > before or pid_of(ready, victim) not in (0, pid),
        timeout=1.5 * WATCHDOG[part],
        interval=0.1,
    )
    # TimeoutStopSec= of the gateway's own escalation lies between the finding and the replacement.
    ready.container.wait_until(
        f"another {victim}", lambda: pid_of(ready, victim) not in (0, pid), timeout=90, interval=0.2
    )
    wait_until_all_is_well(ready)
