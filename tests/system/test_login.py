"""Logins across restarts and boots: a refused one is not repeated, a lent session comes back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibga.runtime import State
from tests.support import canaries
from tests.support.canaries import Findings
from tests.support.container import booted, new_disk
from tests.support.instance import PARTS, Instance, jvm_pids

QUIET = 1.5  # s; a login that is not held back comes within one


@pytest.fixture
def disk() -> Iterator[Path]:
    with new_disk() as folder:
        yield folder


def stays_at(instance: Instance, attempts: int) -> None:
    """The form is there, a person is asked, and for a while nothing is done about it."""
    instance.container.wait_until(
        f"{attempts} attempts and a person is asked, at the form",
        lambda: (
            len(instance.events("login")) == attempts
            and (session := instance.session()) is not None
            and session.state is State.NEEDS_PERSON
            and "refused" in session.reason
        ),
        timeout=60,
    )
    time.sleep(QUIET)
    assert len(instance.events("login")) == attempts


def test_a_wrong_password_is_tried_once_and_once_more_for_a_person_whatever_is_restarted(
    debian_version: str, deb: Path, disk: Path
) -> None:
    wrong = canaries.password("password")
    findings = Findings((wrong,))
    with booted(debian_version, disk=disk) as container:
        container.install(deb)
        instance = Instance(container)
        instance.configure(
            username="demo-account", password=wrong.text, scenario={"login.password": "the right one"}
        )
        container.systemctl("enable", "--now", instance.target)
        stays_at(instance, 1)
        starts = len(instance.events("start"))

        container.systemctl("restart", *map(instance.unit, PARTS))

        container.wait_until(
            "the gateway has started again", lambda: len(instance.events("start")) > starts, timeout=60
        )
        stays_at(instance, 1)

    with booted(debian_version, disk=disk) as container:
        instance = Instance(container)
        container.wait_until(
            "the gateway has started with the system",
            lambda: len(instance.events("start")) > starts + 1,
            timeout=60,
        )
        stays_at(instance, 1)

        said = container.run("ibga", "retry").stdout

        assert said == "main: the refused login is tried once more\n"
        stays_at(instance, 2)
        journal = container.journal("--all")
    findings.look(journal.encode(), "the journal")
    assert findings.found == set()
    assert "login attempt of 'demo-account' written down" in journal
    assert "IB refused the login of 'demo-account'" in journal


def test_a_lent_session_comes_back_by_itself_whatever_was_restarted(instance: Instance) -> None:
    container = instance.container
    instance.configure()
    instance.start()
    instance.wait_state(State.READY)

    said = container.run("ibga", "lend", "10s").stdout

    lent = time.time()
    assert said.startswith("main: Lent until")
    assert [(event["how"], event["code"]) for event in instance.events("exit")] == [("menu", 0)]
    session = instance.wait_state(State.STOPPED, timeout=5)
    assert session.deadline is not None
    assert lent < session.deadline < lent + 10
    assert session.reason.startswith("Lent until")
    gateway = instance.unit("gateway")
    assert container.property(gateway, "ActiveState") == "active"
    assert instance.status()["gateway"].startswith("Lent until")

    container.systemctl("restart", instance.unit("automator"), gateway)

    assert time.time() < session.deadline
    assert container.property(gateway, "ActiveState") == "active"
    assert instance.wait_state(State.STOPPED, timeout=5).deadline == session.deadline
    assert jvm_pids(container) == []

    instance.wait_state(State.READY)
    assert [event["time"] >= session.deadline for event in instance.events("start")] == [False, True]
    assert len(instance.events("login")) == 2
