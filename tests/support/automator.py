"""The automator against the simulator, without the gateway service: the test publishes gateway.json."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ibga import runtime
from ibga.config.load import load
from ibga.config.settings import Tab
from ibga.gateway.program import write_jts_ini
from ibga.paths import Paths
from ibga.runtime import Display, Gateway, GatewayState, Reply, Request, RequestKind, Session, State
from tests.support.deadline import wait_until
from tests.support.simulator import Event, Simulator, free_port, simulator
from tests.support.suite import link_share
from tests.support.tree import Service, Tree, temporary_tree
from tests.support.xvfb import Xvfb, xvfb

#: Every symbol of ASCII, blanks at both ends and inside, and what no keyboard has together: 40 characters.
HARD_PASSWORD = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é ßΩ€中"


@dataclass
class Rig:
    """One instance: its tree, its display, the simulated gateway, and the automator as a service."""

    tree: Tree
    display: Xvfb
    gateway: Simulator
    automator: Service

    @property
    def paths(self) -> Paths:
        return self.tree.paths

    def session(self) -> Session | None:
        return runtime.read(self.paths.runtime_dir / "session.json", Session)

    def wait_state(self, state: State, timeout: float = 40.0) -> Session:
        """Return the session record once it says *state*."""

        def reached() -> Session | None:
            if self.automator.process.poll() is not None:
                raise AssertionError(f"the automator ended: {self.automator.journal()[-8:]}")
            session = self.session()
            return session if session is not None and session.state is state else None

        try:
            return wait_until(reached, f"session is {state}", timeout=timeout)
        except AssertionError as error:
            journal = "\n".join(self.automator.journal()[-15:])
            raise AssertionError(f"{error}; it is {self.session()}\n{journal}") from None

    def events(self, name: str, **details: object) -> list[Event]:
        return self.gateway.events(name, **details)

    def presses(self, dialog: str) -> list[str]:
        """What was pressed in a dialog, in order."""
        return [str(event["text"]) for event in self.gateway.events("press", dialog=dialog)]

    def show(self, dialog: str) -> Event:
        """Have the gateway show a dialog; return the event of its showing."""
        before = len(self.gateway.events())
        self.gateway.command(f"dialog {dialog}")
        return self.gateway.wait_for("window-shown", after=before, dialog=dialog)

    def request_close(self, timeout: float = 20.0) -> Reply:
        """Ask the automator to close the gateway, and return its answer."""
        return self.request(RequestKind.CLOSE, timeout)

    def request(self, kind: RequestKind, timeout: float = 20.0) -> Reply:
        """Ask the automator for something, and return its answer."""
        name = f"test-{time.time_ns()}.json"
        request = Request(request=kind, time=time.time(), sender="test")
        runtime.publish(self.paths.requests_dir / name, request)
        return wait_until(
            lambda: runtime.read(self.paths.replies_dir / name, Reply),
            f"a reply; journal: {self.automator.journal()[-8:]}",
            timeout=timeout,
        )

    def gateway_started_after(self, event: Event) -> Event | None:
        """Return the start of a process that came after *event*: a restart that the gateway made itself."""
        return next((each for each in self.events("start") if each["time"] > event["time"]), None)

    def publish_gateway(self, state: GatewayState = GatewayState.RUNNING, *, pid: int | None = None) -> None:
        """Say as the gateway service would which process is the gateway; by default the one started here."""
        record = Gateway(
            state=state,
            reason="as the test says",
            since=time.time(),
            pid=self.gateway.process.pid if pid is None else pid,
        )
        runtime.publish(self.paths.runtime_dir / "gateway.json", record)

    def start_automator(self, watchdog: float = 20.0) -> None:
        self.automator = self.tree.start("ibga.automator", watchdog=watchdog)
        self.automator.wait_ready()

    def kill_automator(self) -> None:
        self.automator.process.kill()
        self.automator.wait_exit()


@contextmanager
def running_rig(
    *,
    mode: str = "paper",
    password: str = "secret",
    scenario: Mapping[str, str] | None = None,
    toml: str = "",
    login: str = "",
    account: str = "",
    api: str = "",
    size: str = "1024x768",
    idle: bool = False,
) -> Iterator[Rig]:
    """Start display, automator and simulator; the configuration gets *toml*, *login*, *account*, *api*.

    *idle*: the automator is stopped again, so that the test itself can act.
    """
    with temporary_tree() as tree, xvfb(tree.root, size) as display:
        link_share(tree)
        _configure(tree, mode, password, toml, login, account, api)
        _publish_display(tree.paths.runtime_dir, display, size)
        if Tab.FIX_CTCI.value in login:  # the form is another one then, as the gateway service has it
            write_jts_ini(load(tree.paths.instance, root=tree.paths.root))
        automator = tree.start("ibga.automator", watchdog=20.0)
        automator.wait_ready()
        environment = {
            "IBGA_RUNTIME_DIR": str(tree.paths.runtime_dir),
            "INSTALL4J_ADD_VM_PARAMS": f"-javaagent:{tree.paths.agent_jar}",
        }
        with simulator(display, tree.paths.settings_dir, scenario, environment=environment) as gateway:
            rig = Rig(tree, display, gateway, automator)
            if idle:
                automator.stop()
            rig.publish_gateway()
            yield rig


def _configure(tree: Tree, mode: str, password: str, toml: str, login: str, account: str, api: str) -> None:
    secret = tree.paths.config_dir / "password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="utf-8")
    tree.configure(
        f'[account]\nusername = "tester"\npassword_file = "{secret}"\nmode = "{mode}"\n'
        f"{account}\n"
        f"[api]\ninternal_port = {free_port()}\n{api}\n[login]\n{login}\n" + toml
    )


def _publish_display(folder: Path, display: Xvfb, size: str) -> None:
    width, height = (int(each) for each in size.split("x"))
    record = Display(
        name=display.display,
        xauthority=str(display.xauthority),
        width=width,
        height=height,
        pid=display.process.pid,
        since=time.time(),
    )
    runtime.publish(folder / "display.json", record)
