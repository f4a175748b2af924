"""An instance of IBGA in a container, with the simulator as its gateway."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from ibga.paths import Paths
from ibga.runtime import Session, State, read
from tests.support.container import Container
from tests.support.simulator import Event, build_installer, read_events, send_command, write_scenario

#: Its parts, in the order in which they start.
PARTS = ("display", "vnc", "automator", "gateway", "api")


@dataclass(frozen=True, slots=True)
class Instance:
    container: Container
    name: str = "main"
    api_port: int = 4000
    internal_port: int = 9000
    vnc_port: int = 5800

    @property
    def target(self) -> str:
        return f"ibga@{self.name}.target"

    def unit(self, part: str) -> str:
        return f"ibga-{part}@{self.name}.service"

    @property
    def paths(self) -> Paths:
        """Its folders, as seen from here."""
        return Paths(self.name, self.container.root)

    def configure(
        self,
        *,
        username: str = "demo",
        password: str = "demo password",
        mode: str = "paper",
        installer_url: str = "",
        gateway: str = "",
        toml: str = "",
        scenario: Mapping[str, str] | None = None,
    ) -> None:
        """Write the configuration, with the password as a credential, and the scenario of the simulator.

        *gateway*: further lines of its table; *toml*: further tables.
        """
        installer = build_installer()
        inside = self.container.root / "srv" / installer.name
        if not inside.exists():
            shutil.copyfile(installer, inside)
        self.container.write(
            f"/etc/ibga/{self.name}.toml",
            f'[account]\nusername = {json.dumps(username)}\nmode = "{mode}"\n'
            f'[gateway]\ninstaller_url = "{installer_url or f"file:///srv/{installer.name}"}"\n'
            f"{gateway}\n"
            f"[api]\nport = {self.api_port}\ninternal_port = {self.internal_port}\n"
            f"[vnc]\nport = {self.vnc_port}\n" + toml,
        )
        self.container.write(f"/etc/credstore/ibga.{self.name}.password", password, mode=0o600, group="root")
        if scenario is not None:
            # As the user of the services, whose folder it lies in.
            write_scenario(self.paths.settings_dir, scenario)
            self.container.run("chown", "-R", "ibga:ibga", f"/var/lib/ibga/{self.name}")

    def start(self) -> None:
        self.container.systemctl("start", self.target)

    def stop(self) -> None:
        self.container.systemctl("stop", self.target)

    def session(self) -> Session | None:
        return read(self.paths.runtime_dir / "session.json", Session)

    def wait_state(self, state: State, timeout: float = 90) -> Session:
        """Return the session record that says *state*; raises ContainerError with the journal's end."""
        seen: list[Session] = []

        def reached() -> bool:
            session = self.session()
            if session is not None and session.state is state:
                seen.append(session)
            return bool(seen)

        self.container.wait_until(
            f"session of {self.name} is {state}", reached, timeout=timeout, interval=0.1
        )
        return seen[0]

    def main_pid(self, part: str) -> int:
        """Pid of a part's main process, as seen inside; 0 where it does not run."""
        return int(self.container.property(self.unit(part), "MainPID"))

    def status(self) -> dict[str, str]:
        """What each part says of itself (STATUS=), by part."""
        shown = self.container.systemctl(
            "show", "--property=Id,StatusText,ActiveState", *map(self.unit, PARTS)
        )
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n")]
        return {
            part: block.get("StatusText") or block["ActiveState"]
            for part, block in zip(PARTS, blocks, strict=True)
        }

    def processes(self) -> str:
        """All processes of the services' user, one a line; empty when there are none."""
        return self.container.run("ps", "-u", "ibga", "-o", "pid=,args=", check=False).stdout.strip()

    def events(self, name: str | None = None) -> list[Event]:
        """What the simulator noted: everything, or the events called *name*."""
        return [event for event in read_events(self.paths.settings_dir) if name in (None, event["event"])]

    def command(self, *lines: str) -> None:
        """Have the simulator do something (tests/simulator/README.md)."""
        send_command(self.paths.settings_dir, *lines)

    def forget(self) -> None:
        """Stop it and remove its settings, ledger, logs and configuration; installed programs stay."""
        self.container.systemctl("stop", self.target, *map(self.unit, (*PARTS, "ready")), check=False)
        self.container.systemctl("reset-failed", check=False)
        self.container.run(
            "sh", "-c",
            f"rm -rf /var/lib/ibga/{self.name} /var/lib/ibga/logins /var/log/ibga/{self.name} "
            f"/run/ibga/{self.name} /etc/ibga/{self.name}.toml /etc/credstore/ibga.{self.name}.*",
        )  # fmt: skip


def jvm_pids(container: Container) -> list[int]:
    """Pids, as seen inside, of the gateways' JVMs."""
    listed = container.run("pgrep", "-u", "ibga", "-f", "install4j.ibgateway.GWClient", check=False).stdout
    return [int(pid) for pid in listed.split()]
