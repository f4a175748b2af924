"""Debian systems to install IBGA in: cached roots, and throw-away copies of them booted with systemd-nspawn.

Root only. A root is made once with debootstrap and kept in /var/cache/ibga-roots (IBGA_ROOTS names another
folder), under the hash of its package list; it holds all that the .deb depends on, so that installing the
.deb takes seconds and no network. A booted copy is an overlay over it in a mount namespace of its own:
whatever ends it, no mount stays.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
ROOTS = Path(os.environ.get("IBGA_ROOTS") or "/var/cache/ibga-roots")
SUITES = {"12": "bookworm", "13": "trixie"}

#: Beside what the .deb depends on.
_EXTRA_PACKAGES = ("dbus", "iproute2", "man-db", "procps", "python3", "systemd-sysv")

#: Services that only cost time in a container.
_MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "getty.target",
)


class ContainerError(Exception):
    """A root or a container that did not come up; the message holds what it said."""


def depends(control: Path = TREE / "packaging/debian/control") -> tuple[str, ...]:
    """Names of the packages that the .deb depends on or recommends, without versions and substitutions."""
    fields = re.findall(r"^(?:Depends|Recommends):(.*?)(?=^\S)", control.read_text(), re.S | re.M)
    names = (item.split("(")[0].split("|")[0].strip() for item in ",".join(fields).split(","))
    return tuple(sorted(name for name in names if name and not name.startswith("$")))


def mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for path in sources:
        if not path.is_file():
            continue
        for uri in re.findall(r"^(?:URIs:|deb)\s(?:.*?\s)?(https?://\S+)", path.read_text(), re.MULTILINE):
            if re.search(r"/debian/?$", uri):
                return str(uri)
    raise ContainerError(f"no mirror of Debian in {', '.join(map(str, sources))}: what does apt use here?")


def root(version: str, say: Callable[[str], None] = lambda sentence: None) -> Path:
    """Return the cached root of Debian *version* ("12", "13"), made first where there is none (minutes)."""
    packages = sorted({*depends(), *_EXTRA_PACKAGES})
    digest = hashlib.sha256("\n".join([*packages, *_MASKED]).encode()).hexdigest()[:12]
    done = ROOTS / f"debian-{version}-{digest}"
    ROOTS.mkdir(parents=True, exist_ok=True)
    with (ROOTS / f".debian-{version}.lock").open(
        "w"
    ) as lock:  # two makers at once would spoil each other's work
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            say(f"making a Debian {version} root in {done}, once (some minutes)")
            _make_root(version, packages, done)
    return done


def _make_root(version: str, packages: list[str], done: Path) -> None:
    half = done.with_name(f".{done.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    base = ["systemd", "systemd-sysv", "dbus"]
    _run(
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(base)}",
        SUITES[version],
        str(half),
        mirror(),
    )
    # No service of a package is to start in the chroot.
    policy = half / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    apt = ["apt-get", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "install", *packages]
    _run("chroot", str(half), "env", "DEBIAN_FRONTEND=noninteractive", *apt)
    policy.unlink()
    for package in (half / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    for unit in _MASKED:
        (half / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (half / "etc/hostname").write_text("ibga\n")
    (half / "etc/machine-id").write_text("")
    # Small journals, and none of them held back: tests read them at once.
    (half / "etc/systemd/journald.conf").write_text("[Journal]\nRateLimitIntervalSec=0\nStorage=persistent\n")
    half.rename(done)
    for old in done.parent.glob(done.name.rsplit("-", 1)[0] + "-*"):  # of another package list
        with _locked(old, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
            if old != done and locked:  # else a container of another checkout is booted from it
                shutil.rmtree(old)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[bool]:
    """Hold a lock on *folder*; what comes is whether it was had."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, kind)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _run(*command: str) -> None:
    """Run *command* with mounts of its own, so that none stays where it is interrupted."""
    result = subprocess.run(
        ["unshare", "--mount", "--propagation=slave", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    if result.returncode:
        raise ContainerError(f"{' '.join(command)}: exit {result.returncode}\n{result.stdout[-4000:]}")


@dataclass(frozen=True, slots=True)
class Container:
    """A booted Debian. *leader* is its init, as seen from here."""

    version: str
    leader: int
    private_network: bool

    @property
    def root(self) -> Path:
        """Its file system, from here. Links in it that are absolute lead out of it."""
        return Path(f"/proc/{self.leader}/root")

    def run(
        self, *command: str, check: bool = True, timeout: float = 60, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run *command* as root inside. Raises ContainerError when it failed and *check*."""
        result = subprocess.run(
            self.inside(*command),
            stdin=subprocess.DEVNULL if input is None else None,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and result.returncode:
            raise ContainerError(
                f"{' '.join(command)}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            )
        return result

    def inside(self, *command: str) -> list[str]:
        """*command*, a program of the container, as it is run as root inside."""
        return [*self._enter("--all"), "/usr/bin/env", "-i", *_ENVIRONMENT, *command]

    def network(self, *command: str) -> list[str]:
        """*command*, a program of this machine, as it is run in the network of the container."""
        return [*self._enter("--net"), *command] if self.private_network else list(command)

    def _enter(self, *namespaces: str) -> list[str]:
        return ["nsenter", f"--target={self.leader}", *namespaces, "--"]

    def systemctl(self, *arguments: str, check: bool = True, timeout: float = 180) -> str:
        return self.run("systemctl", *arguments, check=check, timeout=timeout).stdout.strip()

    def property(self, unit: str, name: str) -> str:
        return self.systemctl("show", "--value", f"--property={name}", unit)

    def journal(self, *arguments: str) -> str:
        return self.run(
            "journalctl", "--no-pager", "--output=short-monotonic", *arguments, check=False
        ).stdout

    def install(self, deb: Path) -> str:
        """Install *deb* as an operator would, without a network. Returns what apt said."""
        inside = self.root / "root" / deb.name
        shutil.copyfile(deb, inside)
        try:
            return self.run(
                "apt-get", "install", "-y", "--no-install-recommends", "--reinstall",
                "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root", f"/root/{deb.name}", timeout=120,
            ).stdout  # fmt: skip
        finally:
            inside.unlink()

    def write(self, path: str, content: str, *, mode: int = 0o640, group: str = "ibga") -> None:
        """Write a file of root's inside."""
        self.run("install", "-D", "-m", f"{mode:o}", "-g", group, "/dev/stdin", path, input=content)

    def wait_until(
        self, what: str, look: Callable[[], bool], *, timeout: float, interval: float = 0.2
    ) -> None:
        """Look until it is so; after *timeout* s raise ContainerError with the journal's end."""
        deadline = time.monotonic() + timeout
        while not look():
            if time.monotonic() > deadline:
                raise ContainerError(f"not within {timeout:g} s: {what}\n{self.journal('-n', '120')}")
            time.sleep(interval)


_ENVIRONMENT = (
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "HOME=/root",
    "DEBIAN_FRONTEND=noninteractive",
    "TERM=dumb",
)


@contextmanager
def booted(
    version: str,
    *,
    private_network: bool = True,
    console: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    disk: Path | None = None,
) -> Iterator[Container]:
    """Boot a copy of the root of Debian *version*; it is shut down and removed at the end.

    *private_network*: a loopback of its own (`Container.network` reaches it); else this machine's network.
    *console*: where what init prints is kept. *say* is told what takes long. *disk*: of `new_disk`, which
    stays and can be booted again.
    """
    lower = root(version, say)
    with (
        nullcontext(disk) if disk else new_disk() as scratch,
        _locked(lower, fcntl.LOCK_SH),
        _nspawn(version, lower, scratch, private_network, console or scratch / "console") as container,
    ):
        yield container


@contextmanager
def new_disk() -> Iterator[Path]:
    """A folder for what a container changes in its root."""
    # Not /tmp: that may be in memory, and a gateway with its JRE is some hundred megabytes.
    scratch = Path(tempfile.mkdtemp(prefix="ibga-container.", dir="/var/tmp"))
    try:
        for name in ("upper", "work", "root"):
            (scratch / name).mkdir()
        (scratch / "upper").chmod(0o755)
        yield scratch
    finally:
        shutil.rmtree(scratch)


@contextmanager
def _nspawn(
    version: str, lower: Path, scratch: Path, private_network: bool, console: Path
) -> Iterator[Container]:
    name = f"ibga-{uuid.uuid4().hex[:8]}"
    nspawn = [
        "systemd-nspawn", "--quiet", f"--machine={name}", f"--directory={scratch}/root", "--boot",
        "--register=no", "--kill-signal=SIGRTMIN+3", "--console=read-only", "--link-journal=no",
        "--resolv-conf=off", "--timezone=off",
        *(["--private-network"] if private_network else []),
    ]  # fmt: skip
    cgroup = None
    if not Path("/run/systemd/system").is_dir():
        # No manager here that could give it a scope: it stays where it is started, in a folder made for it.
        nspawn.append("--keep-unit")
        cgroup = _cgroup(name)
    layers = f"lowerdir={lower},upperdir={scratch}/upper,workdir={scratch}/work"
    script = f'mount -t overlay -o "{layers}" ibga {scratch}/root && exec setpriv --pdeathsig TERM -- "$@"'
    with console.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation=slave", "sh", "-c", script, "sh", *nspawn],
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "TERM": "dumb"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us alone; we shut it down in order
            preexec_fn=None if cgroup is None else lambda: _enter_cgroup(cgroup),
        )
    try:
        container = Container(version, _wait_for_leader(process, console), private_network)
        _wait_for_boot(container, process, console)
        yield container
    finally:
        _end(process)
        if cgroup is not None:
            _remove_cgroup(cgroup)


def _wait_for_leader(process: subprocess.Popen[bytes], console: Path) -> int:
    """The pid of the container's init: the child of nspawn."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        for pid in children.read_text().split():
            if Path(f"/proc/{pid}/comm").read_text().strip() in ("systemd", "init"):
                return int(pid)
        time.sleep(0.02)
    raise ContainerError(f"the container did not start:\n{console.read_text(errors='replace')[-4000:]}")


def _wait_for_boot(container: Container, process: subprocess.Popen[bytes], console: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        state = container.run("systemctl", "is-system-running", check=False).stdout.strip()
        if state in ("running", "degraded"):
            return
        time.sleep(0.05)
    raise ContainerError(f"the container did not boot:\n{console.read_text(errors='replace')[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Shut the container down in order; a second signal makes nspawn kill it."""
    for kill, patience in ((signal.SIGTERM, 180), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if process.poll() is None:
            process.send_signal(kill)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


def _cgroup(name: str) -> Path:
    """A control group for one container: two in one group would share its `payload`."""
    base = Path("/sys/fs/cgroup/unified")
    group = (base if base.is_dir() else Path("/sys/fs/cgroup")) / name
    group.mkdir()
    return group


def _enter_cgroup(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def _remove_cgroup(group: Path) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            for folder in sorted(group.rglob("*"), reverse=True):
                if folder.is_dir():
                    folder.rmdir()
            group.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
