"""The shared runtime directory: one record type per file, published whole, read strictly, watched.

Services talk through these files and in no other way (design section 3). Times are Unix seconds.
ui.json and heartbeat.json are the agent's; their readers are in ibga.agent.
"""

import contextlib
import json
import math
import os
import queue
import stat
import time
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ibga.errors import Exit, IbgaError
from ibga.paths import Paths

VERSION = 1
MAX_SIZE = 4 << 20  # bytes of a record; the largest have some thousand


class State(StrEnum):
    """Where the session is (session.json)."""

    STOPPED = "stopped"  # logged out on purpose; stays so until `ibga login` or schedule.start
    INSTALLING = "installing"
    STARTING = "starting"  # the JVM runs or is being started, no window yet
    LOGIN = "login"  # form shown or being filled
    SECOND_FACTOR = "second-factor"  # IB waits for a code or a tap on a phone
    LOADING = "loading"  # logged in, the main window is not usable yet
    CONFIGURING = "configuring"  # settings are being read or written
    READY = "ready"  # main window, settings right, API answered
    RECONNECTING = "reconnecting"
    RESTARTING = "restarting"
    DISPLACED = "displaced"  # another session took over
    FROZEN = "frozen"
    NEEDS_PERSON = "needs-person"
    FAILED = "failed"


class GatewayState(StrEnum):
    """What the gateway service is doing (gateway.json)."""

    INSTALLING = "installing"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"  # IBG restarts itself; its new JVM is waited for
    FROZEN = "frozen"  # its event queue stands still; systemd ends it soon
    STOPPING = "stopping"
    STOPPED = "stopped"  # closed on purpose
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """display.json"""

    name: str  # as in $DISPLAY, ":7"
    xauthority: str  # path of the cookie file
    width: int  # px
    height: int
    pid: int  # of Xvfb
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vnc:
    """vnc.json"""

    page: str  # "127.0.0.1:5800"
    password: bool
    tls: bool
    clients: int  # viewers connected now
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the gateway's process ended last: in gateway.json, and in last-exit.json of the state directory."""

    time: float
    code: int | None  # exit code, negative for a signal, None where it was not our child
    cause: str  # a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """gateway.json"""

    state: GatewayState
    reason: str  # the sentence of STATUS=
    since: float
    progress: int | None = None  # per cent of a download or an installation
    installed_version: str = ""
    running_version: str = ""
    program_dir: str = ""
    pid: int | None = None  # of the JVM
    restarts: int = 0  # of the JVM since the service started
    last_exit: Ended | None = None
    until: float | None = None  # of `stopped`, where IBG is started again at a given time


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that was looked at: whether it is so, when that was seen, and what was seen."""

    ok: bool
    time: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Never inferred from one another (design section 6)."""

    process: Fact  # the JVM runs
    ui: Fact  # main window, no blocking dialog
    api: Fact  # the port answered a full API handshake
    farms: Fact  # IB's server and data farms, from the status table


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginsLeft:
    """What the ledger allows the configured user, in 24 h and on this host."""

    left: int
    budget: int
    more_at: float | None = None  # when one of the spent ones comes back; None: none is spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """session.json"""

    state: State
    since: float  # of this state
    time: float  # of this record
    reason: str  # a sentence
    facts: Facts
    deadline: float | None = None  # Unix seconds, where IB or a person has only so long
    person: str = ""  # what a person should do
    valid_for: float = 30.0  # s; an older record means "not ready"
    api_port: int | None = None  # the port that IBG listens on, read back
    warnings: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()  # settings that wait for a restart
    logins: LoginsLeft | None = None  # None: no user name, or no ledger that can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiClient:
    address: str  # "127.0.0.1:51234"
    since: float
    received: int  # bytes from the client
    sent: int  # bytes to the client


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """api.json"""

    listening: bool
    reason: str  # why it listens or refuses
    since: float
    address: str  # "127.0.0.1:4000"
    clients: tuple[ApiClient, ...] = ()


class RequestKind(StrEnum):
    CLOSE = "close"  # to the automator: log out through File > Close (from the gateway service)
    LOGIN = "login"  # to the automator: try the login that is waited for now
    RETRY = "retry"  # to the automator: a person has looked, what IB refused may be tried once more
    LEAVE = "leave"  # to the gateway service: log out and stay away (`ibga lend`, `ibga close`)
    RETURN = "return"  # to the gateway service: start again (`ibga login` while it stays away)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """requests/<id>.json; its owner deletes it and publishes replies/<id>.json."""

    request: RequestKind
    time: float
    sender: str  # "gateway", "cli"
    until: float | None = None  # of `leave`: when to come back by itself; None: not before `return`


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """replies/<id>.json"""

    ok: bool
    time: float
    detail: str  # what was done, or why not


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """away.json of the state directory: IBG is logged out on purpose."""

    since: float
    until: float | None = None  # None: until somebody says so


REPLY_AGE = 600.0  # s after which nobody looks for an answer any more


def reply(paths: Paths, name: str, *, ok: bool, detail: str) -> None:
    """Answer the request requests/NAME.json. Answers that nobody fetched are removed: the one who asked
    may not be allowed to. Raises IbgaError."""
    publish(paths.replies_dir / f"{name}.json", Reply(ok=ok, time=time.time(), detail=detail))
    for old in paths.replies_dir.glob("*.json"):
        if (age(old) or 0.0) > REPLY_AGE:
            old.unlink(missing_ok=True)


Record = Display | Vnc | Gateway | Ended | Session | Api | Request | Reply | Away
R = TypeVar("R", Display, Vnc, Gateway, Ended, Session, Api, Request, Reply, Away)


def publish(path: Path, record: Record) -> None:
    """Replace *path* in one step: a reader sees the old record or the new one, never half.

    The temporary file lies beside *path* because rename(2) is atomic only within one
    filesystem; its name is fixed because every file here has exactly one writer.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(json.dumps({"version": VERSION, **asdict(record)}) + "\n")
        temporary.replace(path)
    except OSError as error:
        raise IbgaError(
            f"cannot write {path}: {error.strerror}",
            hint="free space and permissions of this directory?",
            code=Exit.CANNOT_CREATE,
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # also where SIGTERM, which raises, came between the two


def read(path: Path, record_type: type[R]) -> R | None:
    """Return the record in *path*, or None while there is none.

    Raises IbgaError naming file and field when the content is torn or foreign.
    """
    try:
        content = _read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IbgaError(f"cannot read {path}: {error.strerror}", code=Exit.DATA) from error
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IbgaError(
            f"{path}: not JSON: {error}", hint="written by something else?", code=Exit.DATA
        ) from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise IbgaError(
            f"{path}: no record of version {VERSION}", hint="another IBGA wrote it?", code=Exit.DATA
        )
    result = _decode(data, record_type, str(path))
    assert isinstance(result, record_type)
    return result


def _read_bytes(path: Path) -> bytes:
    """Return what is in *path*, never waiting: the group may put what it likes into requests/."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_SIZE:
            raise IbgaError(f"{path}: no file, or a huge one", hint="put there by whom?", code=Exit.DATA)
        return file.read(MAX_SIZE)


@cache
def _hints(record_type: type) -> dict[str, Any]:
    return typing.get_type_hints(record_type)


def _decode(value: Any, kind: Any, where: str) -> Any:
    """Return *value* as *kind* (a record, tuple, enum, union or plain type), or raise IbgaError."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = [option for option in typing.get_args(kind) if option is not types.NoneType]
        return None if value is None else _decode(value, options[0], where)
    if origin is tuple and isinstance(value, list):
        item = typing.get_args(kind)[0]
        return tuple(_decode(each, item, f"{where}[{index}]") for index, each in enumerate(value))
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        hints = _hints(kind)
        known = {}
        for field in fields(kind):
            if field.name in value:
                known[field.name] = _decode(value[field.name], hints[field.name], f"{where}: {field.name}")
            elif field.default is MISSING and field.default_factory is MISSING:
                raise IbgaError(f"{where}: no field {field.name!r}", code=Exit.DATA)
        return kind(**known)
    if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            raise IbgaError(f"{where} = {value!r} is not one of {', '.join(kind)}", code=Exit.DATA) from None
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # of a number of some hundred digits
            if math.isfinite(value):
                return float(value)
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise IbgaError(
        f"{where} = {value!r} is not of the type {getattr(kind, '__name__', kind)}", code=Exit.DATA
    )


class Watch:
    """Waits for files of *directories* to be replaced, created or removed (inotify, by `watchdog`).

    Use as a context manager. Names that start with a dot (half-written files) are passed over.
    """

    def __init__(self, directories: Iterable[Path]) -> None:
        from watchdog.events import FileSystemEvent
        from watchdog.observers import Observer

        try:
            from watchdog.observers.inotify_buffer import InotifyBuffer as Pairing  # up to version 6
        except ImportError:
            from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper as Pairing

        # It holds back the first half of a rename for 0.5 s, and everything behind it, when it happens to
        # read the second half later. We are told of either half and need no pairs.
        Pairing.delay = 0
        changes: queue.SimpleQueue[Path] = queue.SimpleQueue()

        class Handler:  # `watchdog` calls nothing but dispatch
            def dispatch(self, event: FileSystemEvent) -> None:
                # "modified" is half a write, "opened" and "closed_no_write" are readers.
                if event.event_type not in ("moved", "created", "closed", "deleted"):
                    return
                for name in (event.src_path, getattr(event, "dest_path", "")):
                    path = Path(os.fsdecode(name))
                    if name and not path.name.startswith("."):
                        changes.put(path)

        self._changes = changes
        self._handler = Handler()
        self._observer = Observer()
        self._followed: dict[Path, Any] = {}
        for directory in directories:
            self._observer.schedule(self._handler, str(directory))

    def __enter__(self) -> "Watch":
        self._observer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._observer.stop()
        self._observer.join()

    def follow(self, directory: Path) -> None:
        """Watch *directory* as it is now; call it again when a watch of its parent tells that it changed.

        The kernel watches a directory, not a name: one that takes the place of another is a stranger to it.
        """
        old = self._followed.pop(directory, None)
        if old is not None:
            self._observer.unschedule(old)
        with contextlib.suppress(OSError):  # none there
            self._followed[directory] = self._observer.schedule(self._handler, str(directory))

    def wake(self, path: Path) -> None:
        """Make `wait` return *path*, from any thread or signal handler."""
        self._changes.put(path)

    def wait(self, timeout: float) -> set[Path]:
        """Return the paths that changed, after at most *timeout* seconds; empty when none did."""
        changed: set[Path] = set()
        try:
            changed.add(self._changes.get(timeout=max(0.0, timeout)))
            while True:
                changed.add(self._changes.get_nowait())
        except queue.Empty:
            return changed


def age(path: Path) -> float | None:
    """Seconds since *path* was replaced, by its modification time; None when it is not there.

    For a look from outside (the CLI). A service takes ages by its own monotonic clock from arrival.
    """
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
