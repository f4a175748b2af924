"""Stopping logs the gateway out through its menu, whatever is in the way, ten times in a row."""

import time
from collections.abc import Iterator

import pytest

from ibga.runtime import State
from tests.support.container import Container
from tests.support.instance import Instance

STOP_TIMEOUT = 60.0  # s; a logout may take as long
#: Of the runtime directory: folders that the automator makes at its start.
STAYS = {"requests", "replies"}
#: Beside these, where the automator died: who removes its files is its own unit, while no gateway is up.
STAYS_OF_THE_DEAD = {"session.json", "automator.json"}


@pytest.fixture(scope="module")
def main(debian: Container) -> Iterator[Instance]:
    """Instance "main", stopped before and after each test."""
    instance = Instance(debian)
    instance.configure(toml="[login]\nbudget = 100\n")
    try:
        yield instance
    finally:
        debian.systemctl("unmask", "--runtime", instance.unit("automator"), check=False)
        instance.forget()


def put_in_the_way(instance: Instance, what: str) -> None:
    """Return when *what* is there."""
    automator = instance.unit("automator")
    match what:
        case "an unknown modal dialog":
            show(instance, "dialog stranger", "stranger")
        case "the settings window":
            show(instance, "press Configure > Settings", "settings")
        case "an open menu":
            before = len(instance.events("command"))
            instance.command("menu-open File")
            instance.container.wait_until(
                "the menu is open", lambda: len(instance.events("command")) > before, timeout=5
            )
        case "a killed automator":
            instance.container.systemctl("mask", "--runtime", automator)
            instance.container.systemctl("kill", "--signal=KILL", automator)
            instance.container.wait_until(
                "the automator is dead", lambda: instance.main_pid("automator") == 0, timeout=5
            )
        case "a stopped automator":
            pid = instance.main_pid("automator")
            assert pid
            instance.container.run("kill", "-STOP", str(pid))


def show(instance: Instance, command: str, window: str) -> None:
    def shown() -> int:
        return sum(event.get("dialog") == window for event in instance.events("window-shown"))

    before = shown()
    instance.command(command)
    instance.container.wait_until(f"{window} is shown", lambda: shown() > before, timeout=5, interval=0.05)


@pytest.mark.parametrize("turn", ["first", "second"])
@pytest.mark.parametrize(
    "obstacle",
    ["nothing", "an unknown modal dialog", "the settings window", "an open menu", "an automator"],
)
def test_a_stop_logs_out_through_the_menu_whatever_is_in_the_way(
    main: Instance, obstacle: str, turn: str
) -> None:
    if obstacle == "an automator":
        obstacle = "a killed automator" if turn == "first" else "a stopped automator"
    logins = len(main.events("login"))
    main.start()
    main.container.wait_until(
        "it logs in, so what is said of the session is of this one",
        lambda: len(main.events("login")) > logins,
        timeout=30,
    )
    main.wait_state(State.READY)
    before = len(main.events())
    put_in_the_way(main, obstacle)

    begin = time.monotonic()
    main.stop()
    took = time.monotonic() - begin

    assert took < STOP_TIMEOUT
    assert main.processes() == ""
    exits = [(each["how"], each["code"]) for each in main.events()[before:] if each["event"] == "exit"]
    assert exits == [("menu", 0)]
    stays = STAYS | STAYS_OF_THE_DEAD if obstacle == "a killed automator" else STAYS
    assert {path.name for path in main.paths.runtime_dir.iterdir()} <= stays, main.container.journal(
        "-u", main.unit("automator"), "-u", main.unit("gateway"), "-n", "60"
    )
    assert not list(main.paths.requests_dir.iterdir())
    assert not list(main.paths.replies_dir.iterdir())
    main.container.systemctl("unmask", "--runtime", main.unit("automator"))
