"""What a restarted automator still knows of the same gateway process.

Writes and reads: automator.json in the runtime directory, which is gone with the next boot as the process is.
"""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

from ibga import runtime
from ibga.automator.session import ApiAnswer, Now, Session
from ibga.automator.steps import SettingsRead
from ibga.config import Config
from ibga.errors import IbgaError
from ibga.runtime import State

log = logging.getLogger(__name__)

VERSION = 1


def started(pid: int) -> int | None:
    """Return when the process was started, in ticks since boot: with the pid its identity."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def remember(path: Path, session: Session) -> None:
    """Keep what was read back of this process, and what is between us and other sessions.

    Losing the first costs another look at the settings, losing the second a takeover too many.
    """
    other = {
        "displaced_since": session.displaced_since,
        "takeovers": session.takeovers,
        "insist": session.insist,
    }
    if session.settings is None and not any(other.values()):
        path.unlink(missing_ok=True)
        return
    record = {
        "version": VERSION,
        "pid": session.pid,
        "started": started(session.pid) if session.pid is not None else None,
        "settings": asdict(session.settings) if session.settings is not None else None,
        **other,
    }
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(json.dumps(record) + "\n")
        temporary.replace(path)
    except OSError as error:
        log.warning("cannot write %s: %s", path, error.strerror)


def differs(before: Session, session: Session) -> bool:
    """Whether there is something new to remember."""
    return _kept(before) != _kept(session)


def _kept(session: Session) -> tuple[object, ...]:
    return (session.settings, session.displaced_since, session.takeovers, session.insist)


def recall(path: Path, session: Session, config: Config) -> Session:
    """Return *session* with what was remembered: of its process, if that was read under the same settings;
    of other sessions, in any case."""
    try:
        data = json.loads(path.read_text())
        if data["version"] != VERSION:
            raise ValueError("another version")
        takeovers = tuple(float(each) for each in data["takeovers"])
        since = data["displaced_since"]
        session = replace(
            session,
            takeovers=takeovers,
            displaced_since=float(since) if since is not None else None,
            insist=data["insist"] is True,
        )
        settings = SettingsRead(**data["settings"]) if data["settings"] is not None else None
        same = (
            session.pid is not None
            and data["pid"] == session.pid
            and data["started"] is not None
            and data["started"] == started(session.pid)
        )
    except FileNotFoundError:
        return session
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        log.warning("%s cannot be read, the settings are looked at again", path)
        return session
    if settings is None or not same or not matches(settings, config):
        return session
    return replace(session, settings=settings, logged_in=True)


def api_answer(path: Path, now: Now) -> ApiAnswer | None:
    """Return what the API answered to a predecessor whose word still holds: *path* is its session.json.

    Without it every restart would take "ready" back until the API was asked again, and with it every
    trader's unit that is bound to the session.
    """
    try:
        record = runtime.read(path, runtime.Session)
    except IbgaError as error:
        log.warning("%s", error)
        return None
    if record is None or record.state is not State.READY or not record.facts.api.ok:
        return None
    if not 0 <= now.unix - record.time <= record.valid_for:
        return None
    fact = record.facts.api
    return ApiAnswer(
        ok=True, mono=now.mono - max(0.0, now.unix - fact.time), unix=fact.time, detail=fact.detail
    )


def matches(read: SettingsRead, config: Config) -> bool:
    """Whether what was read is what is configured."""
    return (
        read.port == config.api.internal_port
        # What a build does not have can only be taken for "off".
        and bool(read.read_only) is config.api.read_only
        and bool(read.localhost_only) is config.api.localhost_only
    )
