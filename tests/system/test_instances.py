"""Several instances on one host, from one program directory."""

import json
from collections.abc import Iterator

import pytest

from ibga.runtime import Gateway, State, read
from tests.support.container import Container
from tests.support.instance import PARTS, Instance, jvm_pids
from tests.system.test_main_job import accounts, refuses

MIB = 2**20


@pytest.fixture
def paper(debian: Container) -> Iterator[Instance]:
    instance = Instance(debian, "paper", api_port=4010, internal_port=9010, vnc_port=5810)
    try:
        yield instance
    finally:
        instance.forget()


def test_two_instances_share_a_program_and_nothing_else(instance: Instance, paper: Instance) -> None:
    heaps = {"main": 192, "paper": 256}
    instance.configure(username="first", mode="live", gateway='java_heap = "192m"')
    paper.configure(username="second", gateway='java_heap = "256m"')

    instance.container.systemctl("start", instance.target, paper.target)
    for each in (instance, paper):
        each.wait_state(State.READY)

    gateways = {
        each.name: read(each.paths.runtime_dir / "gateway.json", Gateway) for each in (instance, paper)
    }
    assert len({record.program_dir for record in gateways.values() if record}) == 1
    assert (
        len(
            instance.container.run("find", "/var/lib/ibga/programs", "-name", ".ibga-complete").stdout.split()
        )
        == 1
    )
    for each in (instance, paper):
        [start] = each.events("start")
        # A collector may keep some of it back.
        assert heaps[each.name] * MIB * 0.9 <= start["max_heap"] <= heaps[each.name] * MIB
        each.container.wait_until("the relay listens", lambda each=each: not refuses(each), timeout=5)
    assert (accounts(instance), accounts(paper)) == ("U1234567", "DU1234567")

    others = {part: paper.main_pid(part) for part in PARTS}
    instance.stop()

    assert len(jvm_pids(paper.container)) == 1
    assert {part: paper.main_pid(part) for part in PARTS} == others
    assert paper.wait_state(State.READY, timeout=5)
    assert refuses(instance)
    assert accounts(paper) == "DU1234567"
    assert len(paper.events("login")) == 1


def test_two_instances_ring_the_phone_one_after_the_other(instance: Instance, paper: Instance) -> None:
    push = {"2fa.methods": "IB Key", "2fa.approve": "never"}
    both = (instance, paper)
    for each in both:
        each.configure(username=f"user-{each.name}", mode="live", scenario=push)
    container = instance.container

    container.systemctl("start", instance.target, paper.target)

    def rung(each: Instance) -> bool:
        return any(event["step"] == "challenge" for event in each.events("2fa"))

    container.wait_until("one of them rings", lambda: any(map(rung, both)), timeout=60)
    first, second = sorted(both, key=rung, reverse=True)
    assert first.wait_state(State.SECOND_FACTOR, timeout=10).person
    lock = container.root / "run/ibga/second-factor.lock"
    assert json.loads(lock.read_text())["instance"] == first.name
    container.wait_until(
        "the other waits for it",
        lambda: (
            (session := second.session()) is not None
            and f"{first.name} waits for the phone" in session.reason
        ),
        timeout=30,
    )
    assert second.events("login") == []

    first.command("approve")

    container.wait_until("the other rings", lambda: rung(second), timeout=30)
    second.command("approve")
    for each in both:
        each.wait_state(State.READY)
        assert len(each.events("login")) == 1
