"""The versions of IBG on disk, and the two files that are written before a start: vmoptions and jts.ini."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ibga.config import Config
from ibga.config.settings import Tab
from ibga.errors import Exit, IbgaError

LAUNCHER = "ibgateway"
COMPLETE = ".ibga-complete"
#: An empty value: with the ATK bridge installed its listener dead-locks during the login (guide 1.8).
NO_ASSISTIVE_TECHNOLOGIES = "-Djavax.accessibility.assistive_technologies="


@dataclass(frozen=True, slots=True)
class Program:
    """A completely installed version."""

    version: str  # "10.45.1j", or "installer-<start of its SHA-256>" where nobody knew
    directory: Path
    url: str  # where its installer came from
    sha256: str  # of the installer, hex
    time: float  # of the installation, Unix seconds

    @property
    def launcher(self) -> Path:
        return self.directory / LAUNCHER

    @property
    def restarter_log(self) -> Path:
        return self.directory / ".install4j" / "restarter.log"


def installed_program(directory: Path) -> Program | None:
    """Return what is installed in *directory*; None where nothing is, or only half of it."""
    try:
        data = json.loads((directory / COMPLETE).read_bytes())
        return Program(
            version=directory.name,
            directory=directory,
            url=str(data["url"]),
            sha256=str(data["sha256"]),
            time=float(data["time"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def installed_programs(programs_dir: Path) -> list[Program]:
    """Return all complete versions, the one installed last first."""
    found = [
        program
        for directory in programs_dir.iterdir()
        if not directory.is_symlink() and (program := installed_program(directory))
    ]
    return sorted(found, key=lambda program: program.time, reverse=True)


def mark_complete(directory: Path, *, url: str, sha256: str, time: float) -> None:
    """Say that *directory* may be used. What the installer wrote is on the disk before the mark is."""
    os.sync()
    temporary = directory / f"{COMPLETE}.new"
    temporary.write_text(
        json.dumps({"version": directory.name, "url": url, "sha256": sha256, "time": time}) + "\n"
    )
    temporary.replace(directory / COMPLETE)


def what_is_missing(directory: Path) -> str:
    """Return what an installed program lacks, in words; empty where it is whole (guide 1.3, 1.5, 1.6)."""
    launcher = directory / LAUNCHER
    if not launcher.is_file():
        return f"there is no launcher {launcher}"
    if not os.access(launcher, os.X_OK):
        return f"the launcher {launcher} is not executable"
    jars = directory / "jars"
    if not any(jars.glob("*.jar")):
        return f"there are no jars in {jars}"
    if leftover := sorted(jars.glob("*.tmp")):
        return f"{leftover[0]} is left over from an interrupted installation"
    if find_java(directory) is None:
        return f"no Java is named in {directory}/.install4j and none is in {directory}/jre"
    return ""


def find_java(directory: Path) -> Path | None:
    """Return the java of an installed program by the rule of guide 1.6, PATH and JAVA_HOME left out."""
    for name in ("pref_jre.cfg", "inst_jre.cfg"):
        try:
            first = (directory / ".install4j" / name).read_text().splitlines()[0].strip()
        except (OSError, ValueError, IndexError):
            continue
        java = directory / first / "bin" / "java"  # an absolute path stays what it is
        if first and os.access(java, os.X_OK):
            return java
    java = directory / "jre" / "bin" / "java"
    return java if os.access(java, os.X_OK) else None


def choose(program: Program, programs_dir: Path, instance: str) -> None:
    """Make *program* the one that *instance* uses: programs/current-INSTANCE points to it."""
    link = programs_dir / f"current-{instance}"
    if link.is_symlink() and link.readlink() == Path(program.directory.name):
        return
    temporary = programs_dir / f".current-{instance}.new"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(program.directory.name)
    temporary.replace(link)


def edit_vmoptions(text: str, agent_jar: Path) -> str:
    """Return *text* (ibgateway.vmoptions) with our two lines in it once, everything else unchanged."""
    agent = f"-javaagent:{agent_jar}"
    kept = [
        line
        for line in _lines(text)
        if not (line.startswith("-javaagent:") and line.split("=")[0].strip().endswith(f"/{agent_jar.name}"))
        and line.strip() != NO_ASSISTIVE_TECHNOLOGIES
    ]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return "".join(kept) + f"{agent}\n{NO_ASSISTIVE_TECHNOLOGIES}\n"


def write_vmoptions(program: Program, agent_jar: Path, instance: str) -> None:
    """Have every JVM of *program* load the agent, also the one that IBG's own restart brings (guide 1.8).

    Instances share the file and want the same in it; each writes it whole, under a name of its own.
    """
    if not agent_jar.is_file():
        raise IbgaError(f"{agent_jar} is missing", hint="reinstall the package ibga", code=Exit.UNAVAILABLE)
    path = program.directory / f"{LAUNCHER}.vmoptions"
    _replace(path, lambda text: edit_vmoptions(text, agent_jar), instance)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of jts.ini as it is to be."""

    section: str
    key: str
    value: str
    if_absent: bool = False  # leave a value that is there


def wanted_settings(config: Config) -> list[Setting]:
    """What jts.ini must hold before a start (guide 1.10)."""
    api = "true" if config.login.tab is Tab.IB_API else "false"
    trusted = ",".join(["127.0.0.1", *(ip for ip in config.api.trusted_ips if ip != "127.0.0.1")])
    settings = [
        Setting("IBGateway", "ApiOnly", api),
        Setting("IBGateway", "TrustedIPs", trusted),
        Setting("Logon", "Locale", "en"),
        Setting("Logon", "UseSSL", "true"),
        Setting("Logon", "displayedproxymsg", "1"),
        Setting("Logon", "s3store", "true", if_absent=True),
    ]
    if config.login.tab is Tab.FIX_CTCI:  # the port for clients there, else something of IBG's own
        settings.append(Setting("IBGateway", "LocalServerPort", str(config.api.internal_port)))
    if config.login.timezone:
        settings.append(Setting("Logon", "TimeZone", config.login.timezone))
    return settings


#: What a first start finds beside `wanted_settings`: the file that gnzsnz seeds (guide 1.10).
SEED = "[IBGateway]\nWriteDebug=false\n[Logon]\n[Communication]\n"


def edit_ini(text: str, wanted: Sequence[Setting]) -> str:
    """Return *text* (jts.ini) with the *wanted* settings in it.

    Line by line: order, unknown lines and line ends stay as they are (guide 1.10). A key that
    stands in its section more than once is set everywhere. A missing key comes after the last
    line of its section, a missing section at the end.
    """
    lines = _lines(text)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for setting in wanted:
        _set(lines, setting, end)
    return "".join(lines)


def _set(lines: list[str], setting: Setting, end: str) -> None:
    section = ""
    last: int | None = None  # of the first section of that name: its last line that says something
    first_done = False
    found = False
    for index, line in enumerate(lines):
        content = line.strip()
        if content.startswith("[") and content.endswith("]"):
            first_done = last is not None
            section = content[1:-1]
        if section != setting.section or not content:
            continue
        if not first_done:
            last = index
        key, equals, value = content.partition("=")
        if equals and key.strip() == setting.key:
            found = True
            if not setting.if_absent and value.strip() != setting.value:
                ending = line[len(line.rstrip("\r\n")) :]
                lines[index] = f"{setting.key}={setting.value}{ending}"
    if found:
        return
    if last is None:
        _end_line(lines, len(lines) - 1, end)
        lines.append(f"[{setting.section}]{end}")
        last = len(lines) - 1
    _end_line(lines, last, end)
    lines.insert(last + 1, f"{setting.key}={setting.value}{end}")


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; only \\n ends one, unlike splitlines, for all bytes are kept."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _end_line(lines: list[str], index: int, end: str) -> None:
    if index >= 0 and not lines[index].endswith(("\n", "\r")):
        lines[index] += end


def write_jts_ini(config: Config) -> None:
    """Seed or correct jts.ini. Only while IBG is stopped: it rewrites the file itself (guide 11.3)."""
    path = config.paths.settings_dir / "jts.ini"
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise IbgaError(
            f"cannot make {path.parent}: {error.strerror}",
            hint="it must belong to the user ibga",
            code=Exit.CANNOT_CREATE,
        ) from error
    _replace(path, lambda text: edit_ini(text or SEED, wanted_settings(config)), config.instance)


def _replace(path: Path, edit: Callable[[str], str], instance: str) -> None:
    """Write what *edit* makes of the text in *path* (empty where there is none), unless it is that already.

    Latin-1 gives every byte a character and takes it back, so that what we do not know stays what it was.
    """
    temporary = path.with_name(f".{path.name}.{instance}.new")
    try:
        old = path.read_bytes().decode("latin-1") if path.exists() else ""
        new = edit(old)
        if new == old:
            return
        temporary.write_bytes(new.encode("latin-1", "replace"))
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except OSError as error:
        raise IbgaError(
            f"cannot write {path}: {error.strerror}",
            hint="it must belong to the user ibga, and the disk must have room",
            code=Exit.CANNOT_CREATE,
        ) from error
