"""A temporary root for one test: the folders of an instance, and its services as real child processes.

Every process that a service starts inherits IBGA_ROOT; by that all are found again, and ended.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from ibga.paths import Paths
from tests.support.deadline import wait_until
from tests.support.notify_socket import NotifySocket

REPOSITORY = Path(__file__).parents[2]


class Service:
    """One service module, run as `python3 -m MODULE INSTANCE` with a notify socket of its own."""

    def __init__(self, tree: "Tree", module: str, env: Mapping[str, str], *, watchdog: float) -> None:
        self.module = module
        self._number = next(tree.numbers)
        self.notify = NotifySocket(tree.root / f"notify.{self._number}", watchdog=watchdog)
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("DISPLAY", "XAUTHORITY")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, tree.instance],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            umask=0o027,
            cwd=tree.root,
            env={
                **inherited,
                "HOME": str(tree.paths.home_dir),
                "PYTHONPATH": str(REPOSITORY),
                "IBGA_ROOT": str(tree.root),
                **self.notify.env,
                **env,
            },
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self.process.pid

    def journal(self) -> list[str]:
        """The lines of standard error so far, each with its "<priority>"."""
        return list(self._lines)

    def warnings(self) -> list[str]:
        """Lines that are not merely informative: warnings, errors, and what has no priority at all."""
        return [line for line in self.journal() if not line.startswith(("<6>", "<7>"))]

    def wait_ready(self, timeout: float = 20.0) -> None:
        wait_until(
            lambda: self.notify.ready or self.process.poll() is not None,
            f"{self.module} is ready; it said {self.journal()}, status {self.notify.status!r}",
            timeout=timeout,
        )
        if not self.notify.ready:
            raise AssertionError(f"{self.module} ended with {self.process.returncode}: {self.journal()}")

    def wait_line(self, text: str, timeout: float = 10.0) -> str:
        """Return the first line of standard error that holds *text*."""
        return wait_until(
            lambda: next((line for line in self.journal() if text in line), ""),
            f"{self.module} says {text!r}; it said {self.journal()}",
            timeout=timeout,
        )

    def wait_exit(self, timeout: float = 10.0) -> int:
        """Return the exit code (negative for a signal)."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.module} still runs after {timeout:g} s: {self.journal()}") from None
        self._reader.join(2)
        return code

    def stop(self, timeout: float = 10.0) -> int:
        """End it as systemd does, with SIGTERM, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_exit(timeout)

    def children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        return found

    def child(self, name: str) -> psutil.Process:
        """The one child (of any depth) whose program is called *name*."""
        found = [process for process in self.children() if process.name() == name]
        assert len(found) == 1, f"{len(found)} children called {name}: {self.children()}"
        return found[0]


class Tree:
    """A root directory with run/ibga/INSTANCE, var/lib/ibga, etc/ibga and usr/share/ibga in it."""

    def __init__(self, root: Path, instance: str = "main") -> None:
        self.root = root
        self.instance = instance
        self.paths = Paths(instance, root)
        self.services: list[Service] = []
        self.numbers: Iterator[int] = iter(range(1_000_000))
        for directory in (
            self.paths.config_dir,
            self.paths.rules_dir,
            self.paths.agent_dir,
            self.paths.requests_dir,
            self.paths.replies_dir,
            self.paths.programs_dir,
            self.paths.settings_dir,
            self.paths.logins_dir,
            self.paths.log_dir,
            self.paths.share_dir,
        ):
            directory.mkdir(parents=True, exist_ok=True)
        self.configure()

    def configure(self, toml: str = "") -> None:
        """Write /etc/ibga/INSTANCE.toml; an [account] with a user name stands in it unless *toml* has one."""
        account = "" if "[account]" in toml else '[account]\nusername = "tester"\npassword = "secret"\n'
        self.paths.config_file.touch(mode=0o640)
        self.paths.config_file.chmod(0o640)
        self.paths.config_file.write_text(account + toml)

    def start(self, module: str, *, watchdog: float = 2.0, **env: str) -> Service:
        """Start `python3 -m MODULE INSTANCE`, with *env* added to its environment."""
        service = Service(self, module, env, watchdog=watchdog)
        self.services.append(service)
        return service

    def processes(self) -> list[psutil.Process]:
        """Every living process of this tree, also those whose parent is gone."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("IBGA_ROOT") == str(self.root) and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue  # gone meanwhile, or not ours to read
        return found

    def stop(self) -> list[str]:
        """End all services, last started first; return what was left over (and is killed now)."""
        for service in reversed(self.services):
            if service.process.poll() is None:
                psutil.Process(service.pid).resume()  # a test may have stopped it
                try:
                    service.stop()
                except AssertionError:
                    service.process.kill()
                    service.process.wait()
        deadline = time.monotonic() + 2  # children that die with their parent need a moment
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        names = [" ".join(process.cmdline()) for process in left]
        for process in left:
            process.kill()
        for service in self.services:
            service.notify.close()
        return names


class LeftOverError(AssertionError):
    """A test ended and processes of its services still ran."""


@contextmanager
def temporary_tree(instance: str = "main") -> Iterator[Tree]:
    """A Tree that is gone afterwards; raises LeftOverError when a process of it outlived its services.

    Not below pytest's tmp_path: a unix socket's path may have 107 bytes.
    """
    root = Path(tempfile.mkdtemp(prefix="ibga-"))
    tree = Tree(root, instance)
    try:
        yield tree
    except BaseException:
        tree.stop()
        raise
    else:
        if left := tree.stop():
            raise LeftOverError(", ".join(left))
    finally:
        shutil.rmtree(root, ignore_errors=True)
