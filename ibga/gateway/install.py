"""Bring the wanted version of IBG onto the disk: find, download, verify, install.

A half install is never used: what has no mark (.ibga-complete) is removed and installed anew.
"""

import collections
import contextlib
import fcntl
import hashlib
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ibga.config import Config
from ibga.errors import Exit, IbgaError
from ibga.gateway import program as programs
from ibga.gateway.program import Program
from ibga.gateway.space import UNPACKED_FACTOR, ask_for_space, no_space
from ibga.gateway.status import Status
from ibga.runtime import GatewayState

log = logging.getLogger(__name__)

#: Where IB serves the present build of each channel, and nothing else (guide 1.2, 1.3).
BASE_URL = "https://download2.interactivebrokers.com/installers/ibgateway"
CHANNELS = ("stable", "latest")
#: Tens of seconds to minutes are usual (guide 1.4).
INSTALL_TIMEOUT = 1200.0
DOWNLOADS = ".downloads"  # below programs/
SCRATCH = ".unpack-"  # begins the name of a folder below programs/ that an installer unpacks into
HEAD = 64 * 1024  # bytes of an installer that are looked at
#: Never inherited by what we start: systemd's talk with us, our secrets, and options for every JVM.
PRIVATE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY", "JAVA_TOOL_OPTIONS")


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be installed."""

    url: str
    sha256: str = ""  # hex in lower case; "" where nobody gave one
    version_url: str = ""  # of the channel's version probe


def channel_source(channel: str, *, machine: str, base: str) -> Source:
    """Return where a *channel* ("stable", "latest") is found (guide 1.3); *machine* as `uname -m` has it."""
    architecture = {"x86_64": "x64", "aarch64": "arm"}.get(machine)
    if architecture is None:
        raise IbgaError(
            f"IB offers no gateway for {machine}",
            hint="x86_64 or aarch64; or set gateway.installer_url",
            code=Exit.CONFIG,
        )
    folder = f"{base}/{channel}-standalone"
    return Source(
        url=f"{folder}/ibgateway-{channel}-standalone-linux-{architecture}.sh",
        version_url=f"{folder}/version.json",
    )


def version_in_name(url: str) -> str:
    """Return the version in the file name of *url*, "10.45.1j"; "" where it has none."""
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    found = re.search(r"(?<![\w.])(\d+\.\d+\.\d+[a-z]{0,2})(?![\w])(?!\.\d)", name)
    return found[1] if found else ""


def version_in_probe(text: str) -> str:
    """Return buildVersion from the JSONP of version.json (guide 1.3); "" where it has none."""
    found = re.search(r'"buildVersion"\s*:\s*"(\d+\.\d+\.\d+[a-z]{0,2})"', text)
    return found[1] if found else ""


def what_is_wrong_with(path: Path) -> str:
    """Return why *path* is no installer, as a sentence; empty where it may be one.

    install4j's is a shell script with an archive behind it, which it cuts off with `tail -c`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return "it is empty"
    if re.match(rb"\s*(<!doctype|<html|<head|<\?xml)", head, re.IGNORECASE):
        title = re.search(rb"<title[^>]*>\s*(.*?)\s*</title>", head, re.IGNORECASE | re.DOTALL)
        named = f' titled "{title[1][:80].decode("utf-8", "replace")}"' if title else ""
        return f"it is a web page{named}"
    # Not asked for: a word of install4j's. No source says what its script holds beyond being one of a shell.
    if not re.match(rb"#![^\n]*\b(ba|da)?sh\b", head):
        return f"it does not begin with #!/bin/sh but with {head[:16]!r}"
    for length in re.findall(rb"tail -c (\d+)|^payload_bytes=(\d+)", head, re.MULTILINE):
        payload = max(int(number or 0) for number in length)
        if size < payload:
            return f"it was cut off: it has {size} bytes, and its archive alone should have {payload}"
    return ""


def ensure_installed(config: Config, status: Status) -> Program:
    """Return the program that the configuration asks for, installed now where it was not.

    Instances of a host take turns, so that what one installs the next one uses. Raises IbgaError.
    """
    directory = config.paths.programs_dir
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        found = find_installed(config)
        if found is None:
            source = wanted_source(config)
            with _turn(directory, status):
                found = find_installed(config) or _install(source, directory, status)
        programs.choose(found, directory, config.instance)
    except OSError as error:
        raise IbgaError(
            f"cannot write {error.filename or directory}: {error.strerror}",
            hint=f"{directory} must belong to the user ibga, and its disk must have room",
            code=Exit.CANNOT_CREATE,
        ) from error
    status.program(installed=found.version, directory=str(found.directory))
    return found


def find_installed(config: Config) -> Program | None:
    """Return the complete program that serves the configuration; None where one must be installed.

    What the instance used before comes first: a channel moves on, an instance only when told to.
    """
    gateway = config.gateway
    complete = programs.installed_programs(config.paths.programs_dir)
    current = config.paths.programs_dir / f"current-{config.instance}"
    used = current.readlink().name if current.is_symlink() else ""
    complete.sort(key=lambda program: program.version != used)  # stable: then the one installed last
    if gateway.installer_sha256:
        wanted = gateway.installer_sha256.lower()
        return next((program for program in complete if program.sha256 == wanted), None)
    if not gateway.installer_url and gateway.channel not in CHANNELS:
        return next((program for program in complete if program.version == gateway.channel), None)
    source = wanted_source(config)
    version = version_in_name(source.url)
    return next(
        (program for program in complete if program.url == source.url or program.version == version), None
    )


def wanted_source(config: Config) -> Source:
    """Return where the installer is. Raises IbgaError for a version that is not here and cannot be had."""
    gateway = config.gateway
    if gateway.installer_url:
        scheme = urllib.parse.urlsplit(gateway.installer_url).scheme
        if scheme not in ("https", "http", "file"):
            raise IbgaError(
                f"gateway.installer_url = {gateway.installer_url!r}: {scheme or 'no scheme'} is not known",
                hint="https, http or file",
                code=Exit.CONFIG,
            )
        return Source(gateway.installer_url, gateway.installer_sha256.lower())
    if gateway.channel in CHANNELS:
        source = channel_source(gateway.channel, machine=platform.machine(), base=BASE_URL)
        return Source(source.url, gateway.installer_sha256.lower(), source.version_url)
    here = ", ".join(program.version for program in programs.installed_programs(config.paths.programs_dir))
    raise IbgaError(
        f"gateway.channel = {gateway.channel!r} is not installed, and IB serves no old versions",
        hint=f"installed: {here or 'nothing'}; or stable, latest, or gateway.installer_url",
        code=Exit.UNAVAILABLE,
    )


@contextlib.contextmanager
def _turn(directory: Path, status: Status) -> Iterator[None]:
    """Hold the lock of all instances of this host; it falls with the process, however that ends."""
    with (directory / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            status.say(GatewayState.INSTALLING, "Waiting for another instance that installs IB Gateway")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(source: Source, directory: Path, status: Status) -> Program:
    version = version_in_name(source.url)
    if not version and source.version_url:
        version = _probe(source.version_url)
    if version and not source.sha256 and (found := programs.installed_program(directory / version)):
        return found  # the channel's present build is here already, from elsewhere
    for scratch in directory.glob(f"{SCRATCH}*"):  # of a service that was killed
        shutil.rmtree(scratch, ignore_errors=True)
    downloads = directory / DOWNLOADS
    installer = _obtain(source, downloads, version, status)
    sha256 = _verify(installer, source, version, status)
    target = directory / (version or f"installer-{sha256[:12]}")
    if programs.installed_program(target):
        # Another file under the same version; the one that is there may be running.
        target = directory / f"{target.name}-{sha256[:12]}"
    _run(installer, target, version, status)
    programs.mark_complete(target, url=source.url, sha256=sha256, time=time.time())
    shutil.rmtree(downloads, ignore_errors=True)
    log.info("IB Gateway %s is installed in %s", version or "of unknown version", target)
    found = programs.installed_program(target)
    assert found is not None
    return found


def _probe(url: str) -> str:
    from ibga.gateway.download import fetch_text

    try:
        version = version_in_probe(fetch_text(url))
    except IbgaError as error:
        log.warning("the version of IB Gateway is not known beforehand: %s", error)
        return ""
    if not version:
        log.warning("the version of IB Gateway is not known beforehand: %s names none", url)
    return version


def _obtain(source: Source, downloads: Path, version: str, status: Status) -> Path:
    """Return the path of the installer: a local one where it is, another once it is downloaded."""
    parts = urllib.parse.urlsplit(source.url)
    if parts.scheme == "file":
        path = Path(urllib.parse.unquote(parts.path))
        if not path.is_file():
            raise IbgaError(
                f"gateway.installer_url: there is no file {path}", hint="put it there", code=Exit.UNAVAILABLE
            )
        if not os.access(path, os.R_OK):
            raise IbgaError(
                f"gateway.installer_url: {path} cannot be read",
                hint="the user ibga must be able to",
                code=Exit.NO_PERMISSION,
            )
        return path
    from ibga.gateway.download import download

    named = f"Downloading IB Gateway {version}".rstrip()

    def progress(had: int, total: int | None) -> None:
        percent = had * 100 // total if total else None
        said = f"{named}, {percent} %" if total else f"{named}, {had // 2**20} MiB"
        status.say(GatewayState.INSTALLING, said, progress=percent)

    log.info("%s from %s", named, source.url)
    return download(source.url, downloads, progress)


def _verify(installer: Path, source: Source, version: str, status: Status) -> str:
    """Return the SHA-256 of *installer* (hex). Raises IbgaError, and forgets a download that is wrong."""
    status.say(GatewayState.INSTALLING, f"Checking the installer of IB Gateway {version}".rstrip())
    with installer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    wrong = what_is_wrong_with(installer)
    problem, hint = "", ""
    if wrong:
        problem, hint = (
            f"{source.url} is not an installer of IB Gateway: {wrong}",
            "a mirror, proxy or login page?",
        )
    elif source.sha256 and digest != source.sha256:
        problem = f"{source.url} has the SHA-256 {digest}, and gateway.installer_sha256 = {source.sha256}"
        hint = "if the file was replaced on purpose, correct the checksum and restart the service"
    if not problem:
        return digest
    _forget(installer)
    raise IbgaError(problem, hint=hint, code=Exit.DATA)


def _forget(installer: Path) -> None:
    """Remove a download, so that the next try gets it anew; an operator's own file stays."""
    if installer.parent.name == DOWNLOADS:
        shutil.rmtree(installer.parent, ignore_errors=True)


def _run(installer: Path, target: Path, version: str, status: Status) -> None:
    """Run *installer* unattended (guide 1.4) into *target*, which is then whole. Raises IbgaError."""
    what = f"Installing IB Gateway {version}".rstrip()
    status.say(GatewayState.INSTALLING, what)
    if target.exists():
        log.warning("%s is half installed, and is installed anew", target)
        shutil.rmtree(target)
    ask_for_space(target.parent, UNPACKED_FACTOR * installer.stat().st_size)
    log.info("%s into %s", what, target)
    try:
        code, said = _run_unattended(installer, target)
        missing = programs.what_is_missing(target) if code == 0 else f"it ended with exit code {code}"
        if not missing:
            return
        if shutil.disk_usage(target.parent).free < 2**20:
            raise no_space(target.parent)
        _forget(installer)
        raise IbgaError(
            f"the installer of IB Gateway {version} failed: {missing}; it said last: {' / '.join(said)}",
            hint="see its whole output with IBGA_DEBUG=1; is the file whole, and has the disk room?",
        )
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _run_unattended(installer: Path, target: Path) -> tuple[int, list[str]]:
    """Return the exit code and the last lines of output. Raises IbgaError when it takes too long.

    It is in a session of its own, so that all it started can be ended with it. What it unpacks on the
    way comes beside the target: /tmp may be small. Below HOME it may put its JRE (guide 1.4, 1.6).
    """
    environment = {name: value for name, value in os.environ.items() if name not in (*PRIVATE, "DISPLAY")}
    last_lines: collections.deque[str] = collections.deque(maxlen=5)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=target.parent) as scratch:
        process = subprocess.Popen(
            ["/bin/sh", installer, "-q", "-dir", target],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            env={**environment, "HOME": str(target.parents[1]), "INSTALL4J_TEMP": scratch},
            start_new_session=True,
        )
        reader = threading.Thread(target=_read, args=(process, last_lines), daemon=True)
        reader.start()
        try:
            code = process.wait(INSTALL_TIMEOUT)
            reader.join(2)
        except subprocess.TimeoutExpired:
            raise IbgaError(
                f"the installer of IB Gateway did not end within {INSTALL_TIMEOUT:g} s;"
                f" it said last: {' / '.join(last_lines)}",
                hint="is the machine overloaded, or does the installer ask something?",
            ) from None
        finally:
            # Also a helper that outlived it: after this nothing writes into the target.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, list(last_lines)


def _read(process: subprocess.Popen[bytes], last_lines: collections.deque[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        text = line.decode(errors="replace").strip()[:500]
        if text:
            last_lines.append(text)
            log.debug("installer: %s", text)
