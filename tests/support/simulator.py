"""Build, install, start, script and read the gateway simulator (tests/simulator/README.md).

Building and installing are cached; a test pays for the start of one JVM.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.xvfb import Xvfb

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "tests" / "simulator" / "build"
CACHE = ROOT / "build" / "simulator"
DEFAULT_VERSION = "10.45.1j"
# Seeded before a first start (guide 1.10); without ApiOnly the login frame lacks its trading modes.
JTS_INI = """[IBGateway]
WriteDebug=false
TrustedIPs=127.0.0.1
ApiOnly=true
[Logon]
Locale=en
TimeZone=America/New_York
displayedproxymsg=1
UseSSL=true
s3store=true
[Communication]
"""

UNUSED_AFTER = 2 * 3600  # seconds; an installation takes 100 MB

Event = dict[str, Any]


def build_installer(version: str = DEFAULT_VERSION) -> Path:
    """Return the installer of *version*, built where it is not up to date."""
    done = subprocess.run(
        ["/usr/bin/python3", BUILD, version], check=True, timeout=300, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip())


def installed(version: str = DEFAULT_VERSION) -> Path:
    """Return a directory with *version* installed, shared by all tests: change nothing in it."""
    installer = build_installer(version)
    key = hashlib.sha256(installer.read_bytes()).hexdigest()[:16]
    target = CACHE / f"installed-{key}"
    with (CACHE / ".installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / ".complete").exists():
            for old in CACHE.glob("installed-*"):
                if time.time() - old.stat().st_mtime > UNUSED_AFTER:
                    shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            subprocess.run(
                [installer, "-q", "-dir", target], check=True, timeout=120, stdout=subprocess.DEVNULL
            )
            (target / ".complete").touch()
        os.utime(target)  # in use
    return target


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_scenario(settings_dir: Path, scenario: Mapping[str, str]) -> None:
    """Write the scenario file of a run; keys are listed in tests/simulator/README.md."""
    settings_dir.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}={_escape(value)}\n" for key, value in scenario.items()]
    beside = settings_dir / ".simulator.properties.new"
    beside.write_text("".join(lines), encoding="utf-8")
    beside.replace(settings_dir / "simulator.properties")


def _escape(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return "\\" + escaped if escaped.startswith(" ") else escaped


def send_command(settings_dir: Path, *lines: str) -> None:
    """Give a running simulator commands; they run in order on its event queue."""
    beside = settings_dir / ".simulator.command.new"
    beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    beside.replace(settings_dir / "simulator.command")


def read_events(settings_dir: Path) -> list[Event]:
    """Return every event so far; a line that is still being written is left out."""
    path = settings_dir / "simulator-events.jsonl"
    if not path.exists():
        return []
    return [
        json.loads(line)
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]


def wait_for_event(
    settings_dir: Path,
    name: str,
    timeout: float = 20,
    after: int = 0,
    *,
    alive: Callable[[], bool] = lambda: True,
    **details: object,
) -> Event:
    """Return the first event called *name* with these details, from number *after* on; whoever runs it.

    Raises TimeoutError after *timeout* seconds, or RuntimeError once *alive* is false.
    """
    deadline = time.monotonic() + timeout
    while True:
        living = alive()  # before the read: what it wrote last is in the file then
        events = read_events(settings_dir)
        for event in events[after:]:
            if _matches(event, name, details):
                return event
        wanted = f"no event {name} {details}; the last of {len(events)} is {events[-1] if events else None}"
        if not living:
            raise RuntimeError(f"the simulator ended: {wanted}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{wanted}, for {timeout} s")
        time.sleep(0.02)


@dataclass
class Simulator:
    """One process of the simulated gateway."""

    process: subprocess.Popen[bytes]
    settings_dir: Path
    output: Path

    def events(self, name: str | None = None, **details: object) -> list[Event]:
        """Return all events so far, or those called *name* that have the given details."""
        return [event for event in read_events(self.settings_dir) if _matches(event, name, details)]

    def wait_for(self, name: str, timeout: float = 20, after: int = 0, **details: object) -> Event:
        """Return the first event called *name* with these details, from number *after* on.

        Raises TimeoutError, or RuntimeError where the process ended without it.
        """
        try:
            return wait_for_event(
                self.settings_dir, name, timeout, after, alive=lambda: self.process.poll() is None, **details
            )
        except (TimeoutError, RuntimeError) as problem:
            raise type(problem)(f"{problem}{self._tail()}") from None

    def _tail(self) -> str:
        return "\n" + "\n".join(self.output.read_text(errors="replace").splitlines()[-15:])

    def command(self, *lines: str) -> None:
        """See send_command."""
        send_command(self.settings_dir, *lines)

    def wait(self, timeout: float = 20) -> int:
        """Return the exit status."""
        return self.process.wait(timeout)


def _matches(event: Event, name: str | None, details: Mapping[str, object]) -> bool:
    return (name is None or event["event"] == name) and all(
        event.get(key) == value for key, value in details.items()
    )


@contextmanager
def simulator(
    display: Xvfb,
    settings_dir: Path,
    scenario: Mapping[str, str] | None = None,
    *,
    install_dir: Path | None = None,
    arguments: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    jts_ini: str = JTS_INI,
) -> Iterator[Simulator]:
    """Run the simulator on *display* with its own *settings_dir*; ends the process at the end.

    *jts_ini* is written only where there is none; "" writes none. The JVM compiles in a hurry, since it
    lives for seconds; "-J-XX:TieredStopAtLevel=4" among *arguments* makes it the usual one.
    """
    write_scenario(settings_dir, scenario or {})
    ini = settings_dir / "jts.ini"
    if jts_ini and not ini.exists():
        ini.write_text(jts_ini)
    home = install_dir or installed()
    output = settings_dir / "simulator-output.txt"
    with output.open("ab") as out:
        process = subprocess.Popen(
            [
                home / "ibgateway",
                f"-VjtsConfigDir={settings_dir}",
                f"-J-DjtsConfigDir={settings_dir}",
                "-J-XX:TieredStopAtLevel=1",
                *arguments,
            ],
            env={**display.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield Simulator(process, settings_dir, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
