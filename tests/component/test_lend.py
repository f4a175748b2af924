"""`ibga lend`, `close` and `login`: command line, automator, gateway service and simulator together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ibga import runtime
from ibga.runtime import Gateway, GatewayState, Reply, Request, RequestKind, State
from tests.support.deadline import wait_until
from tests.support.suite import Suite, running_suite
from tests.support.tree import REPOSITORY

SCENARIO = {"delay.exit": "0.1"}


def ibga(suite: Suite, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "ibga", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "IBGA_ROOT": str(suite.tree.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


def restart(suite: Suite, module: str, *, kill: bool = False) -> None:
    old = suite.services[module]
    if kill:
        old.process.send_signal(signal.SIGKILL)
        old.wait_exit()
    else:
        old.stop(60)
    suite.services[module] = suite.tree.start(module, watchdog=30.0)
    suite.services[module].wait_ready(60)


def gateway(suite: Suite) -> Gateway:
    record = runtime.read(suite.tree.paths.runtime_dir / "gateway.json", Gateway)
    assert record is not None
    return record


@pytest.fixture
def ready() -> Iterator[Suite]:
    with running_suite(scenario=SCENARIO) as suite:
        suite.wait_state(State.READY)
        yield suite


def test_a_lent_session_is_logged_out_told_of_and_taken_back_by_itself(ready: Suite) -> None:
    code, said = ibga(ready, "lend", "12s")
    lent = time.time()

    assert (code, "Lent until" in said) == (0, True), said
    session = ready.wait_state(State.STOPPED, 5)
    assert session.deadline is not None
    assert 3 < session.deadline - lent <= 12
    assert "Lent until" in session.reason
    assert [event["how"] for event in ready.events("exit")] == ["menu"]
    record = gateway(ready)
    assert (record.state, record.pid) == (GatewayState.STOPPED, None)
    assert "STOPPING=1" not in ready.services["ibga.gateway"].notify.lines()
    assert "Lent until" in ibga(ready, "status")[1]
    # Neither service forgets it.
    restart(ready, "ibga.automator", kill=True)
    restart(ready, "ibga.gateway", kill=True)
    assert len(ready.events("start")) == 1

    ready.wait_state(State.READY)

    assert len(ready.events("login")) == 2
    assert ready.events("start")[1]["time"] >= session.deadline
    assert ready.session() is not None


def test_a_time_that_is_over_before_the_logout_is_answers_all_the_same() -> None:
    with running_suite(scenario={"delay.exit": "3"}) as suite:
        suite.wait_state(State.READY)
        paths, name = suite.tree.paths, f"cli-{time.time_ns()}.json"
        leave = Request(request=RequestKind.LEAVE, time=time.time(), sender="cli", until=time.time() + 1)
        runtime.publish(paths.requests_dir / name, leave)

        reply = wait_until(lambda: runtime.read(paths.replies_dir / name, Reply), "a reply", timeout=20)

        assert reply.ok
        wait_until(lambda: len(suite.events("login")) == 2, "it is logged in again", timeout=40)


def test_a_closed_session_comes_back_with_ibga_login_and_not_before(ready: Suite) -> None:
    assert ibga(ready, "close")[0] == 0
    assert ready.wait_state(State.STOPPED, 5).deadline is None
    restart(ready, "ibga.gateway")
    time.sleep(3)
    assert len(ready.events("start")) == 1
    assert ready.wait_state(State.STOPPED, 5).reason.startswith("Closed")

    code, said = ibga(ready, "login")

    assert code == 0, said
    ready.wait_state(State.READY)
    assert len(ready.events("login")) == 2
    assert ibga(ready, "login") == (0, "main: it is logged in\n")
    wait_until(lambda: not list(ready.tree.paths.requests_dir.iterdir()), "no request is left")


def test_lend_needs_a_time_and_a_service() -> None:
    with running_suite(without=("ibga.gateway", "ibga.api")) as suite:
        for time_ in ("0s", "2", "32d", "soon"):
            assert ibga(suite, "lend", time_)[0] == 64
        code, said = ibga(suite, "lend", "2h")
        assert code == 69, said
        assert "ibga-gateway@main" in said
        assert not list(suite.tree.paths.requests_dir.iterdir())
        code, said = ibga(suite, "login")
        assert (code, "does not run" in said) == (1, True), said
