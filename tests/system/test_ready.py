"""A trader's own unit comes, goes and returns with the session."""

from ibga.runtime import State
from tests.support.container import Container
from tests.support.instance import Instance

TRADER = """[Unit]
BindsTo=ibga-ready@main.service
After=ibga-ready@main.service

[Service]
ExecStart=/bin/sleep infinity
Restart=on-failure

[Install]
WantedBy=ibga-ready@main.service
"""


def wait_active(container: Container, unit: str, active: bool) -> None:
    wanted = "active" if active else "inactive"
    container.wait_until(
        f"{unit} is {wanted}",
        lambda: container.systemctl("is-active", unit, check=False) == wanted,
        timeout=20,
    )


def test_a_traders_unit_comes_goes_and_returns_with_the_session(instance: Instance) -> None:
    container, ready = instance.container, instance.unit("ready")
    container.write("/etc/systemd/system/trader.service", TRADER, mode=0o644, group="root")
    container.systemctl("enable", ready, "trader.service")
    try:
        instance.configure()
        instance.start()
        assert container.systemctl("is-active", "trader.service", check=False) == "inactive"
        instance.wait_state(State.READY)
        wait_active(container, "trader.service", True)

        instance.command("lose-connection")
        instance.wait_state(State.RECONNECTING)
        wait_active(container, "trader.service", False)
        assert container.systemctl("is-active", ready, check=False) == "activating"

        instance.command("restore-connection")
        instance.wait_state(State.READY)
        wait_active(container, "trader.service", True)

        # The session outlives its automator, so the trader is not disturbed.
        pid = container.property("trader.service", "MainPID")
        container.systemctl("restart", instance.unit("automator"))
        instance.wait_state(State.READY)
        assert container.property("trader.service", "MainPID") == pid

        instance.stop()
        wait_active(container, "trader.service", False)
        wait_active(container, ready, False)
        assert instance.processes() == ""

        instance.start()
        instance.wait_state(State.READY)
        wait_active(container, "trader.service", True)
    finally:
        container.systemctl("disable", "--now", ready, "trader.service", check=False)
        container.run("rm", "/etc/systemd/system/trader.service")
        container.systemctl("daemon-reload")


def test_ready_waits_for_the_session_and_says_so_with_its_exit_code(instance: Instance) -> None:
    instance.configure(scenario={"delay.loading": "2"})
    instance.start()
    run = instance.container.run
    assert run("ibga", "ready", "--instance", "main", check=False).returncode == 1

    waited = run("ibga", "ready", "--wait", "--instance", "main", check=False, timeout=60)

    assert waited.returncode == 0, waited.stderr
    session = instance.session()
    assert session is not None
    assert session.state is State.READY
    assert run("ibga", "ready", "--instance", "main", check=False).returncode == 0
