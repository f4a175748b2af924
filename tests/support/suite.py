"""The whole suite of one instance without systemd: its services as children, started in the units' order.

For benches and for tests of what several services do together; ordering and restarts are the system tier's.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ibga.runtime import Session, State, read
from tests.support.deadline import wait_until
from tests.support.simulator import (
    Event,
    build_installer,
    free_port,
    read_events,
    send_command,
    write_scenario,
)
from tests.support.tree import REPOSITORY, Service, Tree, temporary_tree

ORDER = ("ibga.display", "ibga.automator", "ibga.gateway", "ibga.api")


@dataclass
class Suite:
    tree: Tree
    api_port: int
    services: dict[str, Service]

    def session(self) -> Session | None:
        return read(self.tree.paths.runtime_dir / "session.json", Session)

    def wait_state(self, state: State, timeout: float = 60.0) -> Session:
        """Return the session record once it says *state*."""

        def reached() -> Session | None:
            for service in self.services.values():
                if service.process.poll() is not None:
                    raise AssertionError(f"{service.module} ended: {service.journal()[-5:]}")
            session = self.session()
            return session if session is not None and session.state is state else None

        return wait_until(reached, f"session is {state}; it is {self.session()}", timeout=timeout)

    def events(self, name: str | None = None) -> list[Event]:
        """What the simulator noted."""
        return [e for e in read_events(self.tree.paths.settings_dir) if name is None or e["event"] == name]

    def command(self, *lines: str) -> None:
        send_command(self.tree.paths.settings_dir, *lines)


def link_share(tree: Tree) -> None:
    """Put the built agent where the package puts it."""
    jar = REPOSITORY / "build/ibga-agent.jar"
    if not jar.exists():
        raise AssertionError(f"{jar} is not built: make agent")
    if not tree.paths.agent_jar.exists():
        tree.paths.agent_jar.symlink_to(jar)


@contextmanager
def running_suite(
    *,
    username: str = "tester",
    password: str = "secret",
    mode: str = "paper",
    scenario: Mapping[str, str] | None = None,
    toml: str = "",
    watchdog: float = 30.0,
    without: tuple[str, ...] = (),
) -> Iterator[Suite]:
    """Start display, automator, gateway and api of one instance with the simulator as its gateway."""
    api_port, internal_port = free_port(), free_port()
    with temporary_tree() as tree:
        link_share(tree)
        password_file = tree.paths.config_dir / "password"
        _write_private(password_file, password)
        write_scenario(tree.paths.settings_dir, scenario or {})
        tree.configure(
            f'[account]\nusername = "{username}"\npassword_file = "{password_file}"\nmode = "{mode}"\n'
            f'[gateway]\ninstaller_url = "{build_installer().as_uri()}"\n'
            f"[api]\nport = {api_port}\ninternal_port = {internal_port}\n" + toml
        )
        services = {}
        for module in ORDER:
            if module not in without:
                services[module] = tree.start(module, watchdog=watchdog)
                services[module].wait_ready(timeout=120)
        yield Suite(tree, api_port, services)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
